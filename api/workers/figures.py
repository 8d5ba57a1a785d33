"""Metrics of several workers as one: counts are added, facts about the city are taken from one of them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from api.metrics import Metrics

_COUNTED = frozenset({"counter", "histogram"})
_OWN = frozenset({"saksi_custody_events_waiting"})
"""Gauges of what a process itself does; other gauges say the same in every worker."""


def counted(metrics: Metrics) -> str:
    """What a process counted itself, in Prometheus's text format; no index or store is asked."""
    return _text([family for one in vars(metrics).values() for family in one.collect()])


class _Families:
    """What the library asks of a registry."""

    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def merged(mine: str, others: Iterable[str]) -> str:
    """The metrics of one worker with those of the others added, in Prometheus's text format."""
    found = {one.name: one for one in text_string_to_metric_families(mine)}
    for text in others:
        for family in text_string_to_metric_families(text):
            if family.type in _COUNTED or family.name in _OWN:
                known = found.setdefault(family.name, family)
                if known is not family:
                    known.samples = _added(known.samples, family.samples)
    return _text(found.values())


def counted_before(before: str, last: str) -> str:
    """What ended workers counted: a counter must not fall because its worker died."""
    ended = [one for one in text_string_to_metric_families(last) if one.type in _COUNTED]
    return merged(before, [_text(ended)])


def _text(families: Iterable[Metric]) -> str:
    registry: Any = _Families(list(families))
    return generate_latest(registry).decode("utf-8")


def _added(mine: Sequence[Sample], others: Sequence[Sample]) -> list[Sample]:
    summed: dict[tuple[str, tuple[tuple[str, str], ...]], Sample] = {}
    for sample in (*mine, *others):
        key = (sample.name, tuple(sorted(sample.labels.items())))
        known = summed.get(key)
        summed[key] = sample if known is None else known._replace(value=known.value + sample.value)
    return list(summed.values())
