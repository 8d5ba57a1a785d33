"""Filling a fresh index with very many segments."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from archive.canonical import JsonObject
from archive.rebuild import SegmentRow
from search.checks import check_rows
from search.elastic import names, wire
from search.elastic.cluster import Cluster, Write


class Loading:
    """The part of :class:`search.elastic.adapter.ElasticIndex` that a rebuild alone uses."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def load(self, rows: Sequence[SegmentRow]) -> None:
        """Index very many segments, in requests that are written as text at once."""
        check_rows(rows)
        ends: dict[str, int] = {}
        for row in rows:
            if row[5] > ends.get(row[0], -1):
                ends[row[0]] = row[5]
        by_month: dict[str, list[str]] = defaultdict(list)
        for month, line in wire.lines_of(rows):
            by_month[month].append(line)
        for month, lines in by_month.items():
            self._cluster.load(month, lines)
        self._put_states(("high_water", camera, end, {}) for camera, end in ends.items())

    def loaded(self) -> None:
        """Make what was loaded findable."""
        self._cluster.refresh([names.SEGMENTS, names.GAPS, names.RUNS])

    def rebuild_state(self) -> JsonObject | None:
        """How far the rebuild is that fills this index; None, since here each begins anew."""
        return None

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """Keep nothing: a rebuild that was killed is begun anew here."""

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
