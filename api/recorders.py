"""How each recorder is, for Prometheus: what the rules in ``ops/alerts`` look at."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.services import Services
from archive.errors import ArchiveError
from archive.records.heartbeat import CODES, troubles
from archive.timespan import SECOND


class Recorders(Collector):
    """Reads the recorders' last signs of life at each scrape. Thread-safe.

    Where the index does not answer there is no figure, rather than an old one.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked at registration."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Age of the last sign of life, entries set aside, and each trouble as 0 or 1."""
        age = GaugeMetricFamily(
            "saksi_recorder_seen_seconds_ago",
            "How long ago a recorder gave a sign of life.",
            labels=("recorder",),
        )
        aside = GaugeMetricFamily(
            "saksi_recorder_set_aside",
            "Entries that a recorder set aside since it began: no index can take them.",
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
