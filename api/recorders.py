"""Metrics of each recorder's health for Prometheus; the rules in ``ops/alerts`` use them."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.services import Services
from archive.errors import ArchiveError
from archive.records.heartbeat import CODES, troubles
from archive.timespan import SECOND

_FIGURES = {
    "spool_bytes": ("saksi_recorder_spool_bytes", "Bytes that wait in the spool.", 1),
    "spool_room": ("saksi_recorder_spool_room_bytes", "Bytes that the spool may still take.", 1),
    "disk_free": ("saksi_recorder_disk_free_bytes", "Bytes free on the spool's disk.", 1),
    "quarantine_bytes": ("saksi_recorder_quarantine_bytes", "Bytes kept in quarantine for people.", 1),
    "quarantine_dropped": (
        "saksi_recorder_quarantine_dropped",
        "Files that found no room there and were dropped.",
        1,
    ),
    "waiting": ("saksi_recorder_entries_waiting", "Entries that wait in the spool.", 1),
    "oldest_us": ("saksi_recorder_oldest_entry_seconds", "How long the oldest of them has waited.", SECOND),
    "fill_s": ("saksi_recorder_spool_full_seconds", "In how long the spool is full at the present rate.", 1),
    "stalled_us": ("saksi_recorder_commit_age_seconds", "How long none of them got through.", SECOND),
}
"""By their names in the heartbeat: metric, meaning, and units of the heartbeat in one of the metric."""


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
        """Age of the last heartbeat, figures of the spool, and each trouble as 0 or 1."""
        age = GaugeMetricFamily(
            "saksi_recorder_seen_seconds_ago",
            "Seconds since a recorder's last heartbeat.",
            labels=("recorder",),
        )
        aside = GaugeMetricFamily(
            "saksi_recorder_set_aside",
            "What a recorder set aside since its start: entries no index can store, files of no use.",
            labels=("recorder",),
        )
        trouble = GaugeMetricFamily(
            "saksi_recorder_trouble", "Whether a recorder has this trouble.", labels=("recorder", "code")
        )
        figures = {
            name: GaugeMetricFamily(metric, text, labels=("recorder",))
            for name, (metric, text, _) in _FIGURES.items()
        }
        running = GaugeMetricFamily(
            "saksi_recorder_info",
            "Always 1, with the recorder's version.",
            labels=("recorder", "version"),
        )
        try:
            beats = self._services.index.heartbeats()
        except ArchiveError:
            return
        now = self._services.clock.now()
        for beat in beats:
            age.add_metric((beat.recorder,), (now - beat.at) / SECOND)
            aside.add_metric((beat.recorder,), int(beat.state.get("set_aside") or 0))
            running.add_metric((beat.recorder, str(beat.state.get("version") or "")), 1)
            for name, (_, _, per) in _FIGURES.items():
                if isinstance(value := beat.state.get(name), int):
                    figures[name].add_metric((beat.recorder,), value / per)
            found = {one.code for one in troubles(beat, now)}
            for code in CODES:
                trouble.add_metric((beat.recorder, code), int(code in found))
        yield from (age, aside, trouble, running, *figures.values())
