"""A metric of how far the index follows custody and ledger; a rule in ``ops/alerts`` uses it."""

from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.services import Services
from archive.errors import ArchiveError
from archive.records.indexed.marks import turn_at
from archive.timespan import SECOND


class IndexFigures(Collector):
    """Asks the index at each scrape. Thread-safe.

    If the index does not answer, or nobody has ever followed it, there is no value, rather than an old one.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

    def describe(self) -> Iterable[Metric]:
        """Describe nothing, so that registration does not query the index."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The age of the last complete turn."""
        gauge = GaugeMetricFamily(
            "saksi_index_followed_seconds_ago",
            "Seconds since the last complete turn that brought custody and ledger into the index began.",
        )
        try:
            began = turn_at(self._services.index)
        except ArchiveError:
            return
        if began is not None:
            gauge.add_metric((), (self._services.clock.now() - began) / SECOND)
            yield gauge
