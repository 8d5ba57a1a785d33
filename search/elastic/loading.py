"""Filling a fresh index with very many segments."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait

from archive.canonical import JsonObject
from archive.integrity.rebuild import SegmentRow
from search.checks import check_rows
from search.elastic import names, wire
from search.elastic.claims import Claim
from search.elastic.cluster import Cluster
from search.elastic.writes import Write

_PART = 2000
_AT_ONCE = 2


class Loading:
    """The part of :class:`search.elastic.adapter.ElasticIndex` that only a rebuild uses."""

    def __init__(self, cluster: Cluster, claim: Claim | None) -> None:
        self._cluster = cluster
        self._claim = claim
        self._under_way: list[Future[None]] = []
        self._ends: dict[str, int] = {}

    def load(self, rows: Sequence[SegmentRow]) -> None:
        """Index very many segments, in requests that are composed as text, two of them at once.

        While the server processes one, the next is composed. When this returns the last are still in flight.
        """
        check_rows(rows)
        self.settle()
        ends = self._ends
        for row in rows:
            if row[5] > ends.get(row[0], -1):
                ends[row[0]] = row[5]
        pool = ThreadPoolExecutor(_AT_ONCE, "load")
        try:
            for month, lines in _parts(rows):
                self._under_way.append(pool.submit(self._cluster.load, month, lines))
        finally:
            pool.shutdown(wait=False)

    def settle(self) -> None:
        """Wait until the server has every loaded segment; then raise the high-water marks. Raises as they."""
        self.await_loads()
        sent, self._under_way = self._under_way, []
        for one in sent:
            one.result()
        ends, self._ends = self._ends, {}
        self._put_states(("high_water", camera, end, {}) for camera, end in ends.items())

    def await_loads(self) -> None:
        """Wait until no request is in flight, whether it succeeded or not."""
        wait(self._under_way)

    def loaded(self) -> None:
        """Make the loaded segments and the records searchable."""
        self.settle()
        self._cluster.refresh([names.SEGMENTS, names.GAPS, names.RUNS, names.RECORDS])

    def rebuild_state(self) -> JsonObject | None:
        """The progress of the rebuild that fills this index."""
        return None if self._claim is None else self._claim.state

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """Store the progress. Raises Conflict ``rebuild_superseded`` if another process took it over."""
        self.settle()
        if self._claim is not None:
            self._claim.keep(state)

    def _put_states(self, states: Iterable[tuple[str, str, int, JsonObject]]) -> None:
        writes = [
            Write(
                names.STATE,
                f"{kind}:{name}",
                {"kind": kind, "name": name, "number": number, "state": state},
                version=number,
            )
            for kind, name, number, state in states
        ]
        if writes:
            self._cluster.write(writes, searchable=False)


def _parts(rows: Sequence[SegmentRow]) -> Iterator[tuple[str, list[str]]]:
    """Lines of bulk requests by month, one request at a time."""
    by_month: dict[str, list[str]] = defaultdict(list)
    for month, line in wire.lines_of(rows):
        lines = by_month[month]
        lines.append(line)
        if len(lines) == _PART:
            yield month, by_month.pop(month)
    yield from by_month.items()
