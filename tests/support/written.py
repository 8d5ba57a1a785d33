"""Records for tests, and what an index must answer about them, by a plain loop."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from archive.ports import Record, RecordIndex, RecordOrder, RecordQuery
from archive.timespan import Timespan
from tests.support.leaves import T0


def record(
    name: str,
    at: int = 0,
    *terms: str,
    kind: str = "act",
    version: int = 1,
    touches: tuple[int, int] | None = None,
    **body: object,
) -> Record:
    """A record ``at`` µs after :data:`T0`; ``touches`` is counted from there too."""
    return Record(
        kind=kind,
        id=name,
        version=version,
        at=T0 + at,
        terms=frozenset(terms),
        touches=None if touches is None else span(*touches),
        body=dict(body),
    )


def span(start: int, end: int) -> Timespan:
    """A span counted from :data:`T0`."""
    return Timespan(T0 + start, T0 + end)


def ids(index: RecordIndex, query: RecordQuery, *, limit: int = 1000) -> list[str]:
    """The ids of one answer."""
    return [one.id for one in index.find_records(query, limit=limit)]


def every_page(index: RecordIndex, query: RecordQuery, *, limit: int) -> list[Record]:
    """Every match, page by page."""
    found: list[Record] = []
    while True:
        page = index.find_records(query, limit=limit)
        found += page
        if len(page) < limit:
            return found
        query = replace(query, after=page[-1].position)


class Written:
    """What was put, and the answers that follow from it."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Record] = {}
        self.marks: dict[str, dict[str, int]] = {}

    def put(self, records: Iterable[Record]) -> None:
        for one in records:
            kept = self.kept.get((one.kind, one.id))
            if kept is None or one.version >= kept.version:
                self.kept[one.kind, one.id] = one

    def remove(self, kind: str, names: Sequence[str]) -> None:
        for name in names:
            self.kept.pop((kind, name), None)

    def keep(self, name: str, marks: Mapping[str, int]) -> None:
        kept = self.marks.setdefault(name, {})
        for key, number in marks.items():
            kept[key] = max(number, kept.get(key, number))

    def find(self, query: RecordQuery) -> list[Record]:
        """All matches, in the order of the query."""
        is_newest_first = query.order is RecordOrder.NEWEST_FIRST
        found = [one for one in self.kept.values() if one.kind == query.kind and _passes(one, query)]
        found.sort(key=lambda one: one.position, reverse=is_newest_first)
        if query.after is None:
            return found
        after = query.after
        return [one for one in found if (one.position < after if is_newest_first else one.position > after)]


def _passes(one: Record, query: RecordQuery) -> bool:
    return (
        one.terms.issuperset(query.terms)
        and all(one.terms & words for words in query.any_of)
        and (query.span is None or one.at in query.span)
        and (query.touching is None or one.touches is None or one.touches.overlaps(query.touching))
    )
