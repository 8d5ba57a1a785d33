"""Metrics of each recorder's health for Prometheus; the rules in ``ops/alerts`` use them."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.services import Services
from archive.errors import ArchiveError
from archive.records.heartbeat import CODES, troubles
from archive.timespan import SECOND


class Recorders(Collector):
    """Reads the recorders' last heartbeats at each scrape. Thread-safe.

    If the index does not answer, there is no value, rather than an old one.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Describe nothing, so that registration does not query the index."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Age of the last heartbeat, entries set aside, and each trouble as 0 or 1."""
        age = GaugeMetricFamily(
            "saksi_recorder_seen_seconds_ago",
            "Seconds since a recorder's last heartbeat.",
            labels=("recorder",),
        )
        aside = GaugeMetricFamily(
            "saksi_recorder_set_aside",
            "Entries that a recorder set aside since its start because no index can store them.",
            labels=("recorder",),
        )
        trouble = GaugeMetricFamily(
            "saksi_recorder_trouble", "Whether a recorder has this trouble.", labels=("recorder", "code")
        )
        try:
            beats = self._services.index.heartbeats()
        except ArchiveError:
            return
        now = self._services.clock.now()
        for beat in beats:
            age.add_metric((beat.recorder,), (now - beat.at) / SECOND)
            aside.add_metric((beat.recorder,), int(beat.state.get("set_aside") or 0))
            found = {one.code for one in troubles(beat, now)}
            for code in CODES:
                trouble.add_metric((beat.recorder, code), int(code in found))
        yield from (age, aside, trouble)
