"""A metric of open integrity incidents for Prometheus; an alert rule uses it."""

import threading
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.services import Services
from archive.errors import ArchiveError
from archive.records.integrity_incidents import KIND, IntegrityIncidentStatus
from archive.records.ledger.heads import StrictHeads


class OpenIntegrityIncidents(Collector):
    """Reads the ledger at each scrape: one listing, and the streams that grew since the last.

    If the ledger does not answer, there is no value, rather than an old one. Thread-safe.
    """

    def __init__(self, services: Services) -> None:
        self._heads = StrictHeads(services.ledger, services.stores.records, KIND)
        self._guard = threading.Lock()

    def describe(self) -> Iterable[Metric]:
        """Describe nothing, so that registration does not read the ledger."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The gauge, by code."""
        gauge = GaugeMetricFamily(
            "saksi_integrity_incidents_open", "Open integrity incidents.", labels=("code",)
        )
        counts: dict[str, int] = {}
        try:
            with self._guard:
                for entry in self._heads.refresh().values():
                    if entry.state.get("status") == IntegrityIncidentStatus.OPEN:
                        code = str(entry.state.get("code"))
                        counts[code] = counts.get(code, 0) + 1
        except ArchiveError:
            return
        for code, count in sorted(counts.items()):
            gauge.add_metric((code,), count)
        if not counts:
            gauge.add_metric(("none",), 0)
        yield gauge
