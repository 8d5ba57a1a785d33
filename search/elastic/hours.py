"""Hour coverage in Elasticsearch: stored in its own index, and computed again for hours that changed.

Every index of segments and gap records numbers its operations. A *fold* computes hours and stores them. For
each such index it also stores the number up to which it included every operation. An hour is stale if

* a segment in it has a greater number: it was added, replaced or marked since;
* a note says that a segment left it (:mod:`.leaving`);
* by their digest, the gap records in it are not those that the fold included.

A query reads numbers and notes first, then the list of stale hours, then the stored hours; it computes the
stale ones. A fold stores hours before numbers. So whatever happens in between, an hour that a query takes
from storage includes everything written before the query began.

A fold:

1. takes the next fold number; its hours carry that number and never replace those of a later fold;
2. reads the sequence number of each index, on every copy, and makes everything up to it searchable;
3. finds the stale hours, computes them, and stores them;
4. checks that no later fold has begun, and otherwise ends here: the hours it found stale stay stale;
5. stores the numbers of 2, and removes the notes that were closed before 2.

A crash leaves correct hours, and numbers that are too low. Stored hours belong to the indices from which they
were computed: a fold and a query name the index of hours itself and not its alias, which a rebuild
moves.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archive.errors import Conflict
from archive.model.gap import Gap, GapCause
from archive.timespan import HOUR, Timespan, hour_of
from search import stretch
from search.elastic import names, wire
from search.elastic.cluster import Cluster
from search.elastic.leaving import GONE
from search.elastic.questions import BY_HOUR, Questions
from search.elastic.writes import Json, Write
from search.hours import Cell, bucket_of, cells_of, in_order, joined, rectangles, summed
from search.query import FootageSum, HourCoverage, SegmentQuery

_HOUR, _FOLDED, _COUNTER = "hour", "folded", "folds"
_PAGE = 10_000
_CHUNK = 20_000
_MANY = 40
"""With more queries than this, computing everything at once is faster."""
_ATTEMPTS = 5
_SUMS = 50_000
"""Buckets of one aggregation; the server's own limit is 65,536."""
_FIELDS = ("camera", "hour", "covered", "bytes", "segments", "held", "gaps", "told")
_BY_END: Json = {"until": {"histogram": {"field": "end_us", "interval": HOUR}}}


@dataclass(frozen=True, slots=True)
class _Folded:
    """The result of a fold: its index of hours, the number it reached per index, and hours with notes."""

    index: str
    numbers: Mapping[str, int]
    leaving: frozenset[Cell]


def answer(cluster: Cluster, query: SegmentQuery) -> tuple[HourCoverage, ...]:
    """Coverage per camera and UTC hour. Places are not stored: with a place filter hours are computed."""
    whole = stretch.widened(query, stretch.whole_hours(query.span))
    questions = Questions(cluster)
    for _ in range(_ATTEMPTS):
        folded = None if _by_place(query) or query.admits_nothing else _folded(cluster)
        if folded is None:
            break
        found = _partly(cluster, questions, folded, whole)
        if found is not None:
            return found
    return questions.hours(whole, questions.gap_records(whole))


def _partly(
    cluster: Cluster, questions: Questions, folded: _Folded, query: SegmentQuery
) -> tuple[HourCoverage, ...] | None:
    """The answer from stored and computed hours; None if the index was switched meanwhile."""
    unsure = set(_written_since(questions, wire.months(query), folded.numbers, wire.segments_filter(query)))
    unsure |= folded.leaving
    told = _causes(questions.gap_records(query), query.span)
    kept: list[HourCoverage] = []
    seen: set[Cell] = set()
    hours = _kept(cluster, folded.index, query)
    if hours is None:
        return None
    for one, digest in hours:
        cell = (one.camera, one.hour)
        seen.add(cell)
        if cell in unsure:
            continue
        if digest != told.get(cell, ""):
            unsure.add(cell)
        elif one.covered or one.segments or one.gaps:
            kept.append(one)
    unsure.update(cell for cell in told if cell not in seen)
    wanted = None if query.cameras is None else frozenset(query.cameras)
    parts = list(
        rectangles(cell for cell in unsure if cell[1] in query.span and (wanted is None or cell[0] in wanted))
    )
    if len(parts) > _MANY:
        return questions.hours(query, questions.gap_records(query))
    computed: list[HourCoverage] = []
    for part in parts:
        computed += questions.hours(part, questions.gap_records(part))
    return joined(kept, computed)


def footage_sums(cluster: Cluster, query: SegmentQuery, step: int, origin: int) -> tuple[FootageSum, ...]:
    """The footage of these hours by bucket, added up by the server where the hours are kept."""
    whole = stretch.widened(query, stretch.whole_hours(query.span))
    if query.cameras and not _by_place(query):
        for _ in range(_ATTEMPTS):
            folded = _folded(cluster)
            found = None if folded is None else _partly_summed(cluster, folded, whole, step, origin)
            if found is not None:
                return found
    return summed(answer(cluster, query), step, origin)


def _partly_summed(
    cluster: Cluster, folded: _Folded, query: SegmentQuery, step: int, origin: int
) -> tuple[FootageSum, ...] | None:
    """The sums of kept and computed hours; None if the index was switched. Gaps do not matter here."""
    questions = Questions(cluster)
    unsure = set(_written_since(questions, wire.months(query), folded.numbers, wire.segments_filter(query)))
    cameras = query.cameras or ()
    unsure |= folded.leaving
    wanted = frozenset(cameras)
    parts = list(rectangles(cell for cell in unsure if cell[1] in query.span and cell[0] in wanted))
    if len(parts) > _MANY:
        return summed(questions.hours(query, ()), step, origin)
    sums: list[tuple[str, int, int]] = []
    # What is computed is left out of the sums, not subtracted: a fold may store it anew between two reads.
    beside = [_hours_filter(part) for part in parts]
    each = max(1, _SUMS // (query.span.duration // step + 2))
    for at in range(0, len(cameras), each):
        found = cluster.answer(
            [cluster.own_alias(folded.index)],
            _sums_of(replace(query, cameras=cameras[at : at + each]), beside, step, origin),
        )
        if found is None:
            return None
        for camera in found.get("aggregations", {}).get("camera", {}).get("buckets", ()):
            sums += (
                (camera["key"], round(bucket["key"]), round(bucket["covered"]["value"]))
                for bucket in camera["bucket"]["buckets"]
            )
    for part in parts:
        sums += (
            (one.camera, bucket_of(one.hour, step, origin), one.covered) for one in questions.hours(part, ())
        )
    return in_order(sums)


def _sums_of(query: SegmentQuery, beside: list[Json], step: int, origin: int) -> Json:
    histogram = {"field": "hour", "interval": step, "offset": origin % step, "min_doc_count": 1}
    return {
        "size": 0,
        "query": {
            "bool": {
                "filter": [{"term": {"kind": _HOUR}}, _hours_filter(query)],
                "must_not": beside,
            }
        },
        "aggs": {
            "camera": {
                "terms": {"field": "camera", "size": len(query.cameras or ())},
                "aggs": {
                    "bucket": {"histogram": histogram, "aggs": {"covered": {"sum": {"field": "covered"}}}}
                },
            }
        },
    }


def _hours_filter(query: SegmentQuery) -> Json:
    filters: list[Json] = [{"range": {"hour": {"gte": query.span.start, "lt": query.span.end}}}]
    if query.cameras is not None:
        filters.append({"terms": {"camera": list(query.cameras)}})
    return {"bool": {"filter": filters}}


def settle(cluster: Cluster) -> int:
    """Fold: compute and store the stale hours; returns their number. 0 if another fold is running."""
    cluster.ensure(names.HOURS)
    try:
        return _Fold(cluster).run()
    except Conflict:
        return 0  # a later fold does it, or a switch made it unnecessary


def _switched() -> Conflict:
    return Conflict("the index was switched meanwhile", code="index_conflict", hint="Try again.")


class _Fixed:
    """The indices behind the aliases at one moment, searched by their own names."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self.indices = sorted(cluster.behind())
        self.written = [
            index for index in self.indices
            if names.group_of(cluster.what(index)) == names.SEGMENTS or cluster.what(index) == names.GAPS
        ]  # fmt: skip
        hours = [index for index in self.indices if cluster.what(index) == names.HOURS]
        if len(hours) != 1:
            raise _switched()
        self.hours = hours[0]

    def search(self, what: Iterable[str], body: Json) -> Json:
        wanted = set(what)
        indices = [
            index for index in self.written
            if {self._cluster.what(index), names.group_of(self._cluster.what(index))} & wanted
        ]  # fmt: skip
        if not indices:
            return {"hits": {"hits": []}}
        found = self._cluster.answer(indices, body)
        if found is None:
            raise _switched()
        return found


class _Fold:
    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._fixed = _Fixed(cluster)
        self._questions = Questions(self._fixed)
        self._alias = cluster.own_alias(self._fixed.hours)

    def run(self) -> int:
        folded = self._before()
        if self._nothing_new(folded):
            return 0
        number = self._begin()
        folded = self._before()
        notes = self._closed()
        reached = self._cluster.positions(self._fixed.written)
        self._cluster.refresh_indices(self._fixed.written)
        cells = set(_written_since(self._questions, [names.SEGMENTS], folded.numbers, []))
        cells |= {cell for _, cell in notes}
        cells |= set(self._changed(folded))
        ordered = sorted(cells)
        for at in range(0, len(ordered), _CHUNK):
            self._keep(ordered[at : at + _CHUNK], number)
        self._cluster.refresh_indices([self._fixed.hours])
        if self._counter()[0] != number:
            raise _switched()
        self._say(
            [
                *(
                    Write(
                        names.HOURS, f"{_FOLDED}:{index}",
                        {"kind": _FOLDED, "index": index, "number": position}, version=position + 1,
                    )
                    for index, position in reached.items()
                ),
                *(Write(names.HOURS, note, None) for note, _ in notes),
            ]
        )  # fmt: skip
        return len(ordered)

    def _before(self) -> _Folded:
        return _folded(self._cluster, self._alias) or _Folded(self._fixed.hours, {}, frozenset())

    def _nothing_new(self, folded: _Folded) -> bool:
        reached = self._cluster.positions(self._fixed.written)
        return dict(folded.numbers) == reached and not self._closed()

    def _counter(self) -> tuple[int, Write]:
        """The number of folds begun, and the write that counts one more."""
        (found,) = self._cluster.each_as_seen([(names.HOURS, _COUNTER)], alias=self._alias)
        count = 0 if found is None else int(found[0]["number"])
        write = Write(
            names.HOURS, _COUNTER, {"kind": _COUNTER, "number": count + 1}, alias=self._alias,
            how="create" if found is None else "index", seen=None if found is None else found[1],
        )  # fmt: skip
        return count, write

    def _begin(self) -> int:
        for _ in range(_ATTEMPTS):
            count, write = self._counter()
            if not self._cluster.write([write], searchable=False):
                return count + 1
        raise _switched()

    def _closed(self) -> list[tuple[str, Cell]]:
        """Ids and cells of one page of closed notes; the next fold takes the others."""
        body = {
            "size": _PAGE,
            "query": {"bool": {"filter": [{"term": {"kind": GONE}}, {"term": {"closed": True}}]}},
        }
        found = self._cluster.answer([self._alias], body)
        if found is None:
            raise _switched()
        return [
            (hit["_id"], (hit["_source"]["camera"], hit["_source"]["hour"])) for hit in found["hits"]["hits"]
        ]

    def _changed(self, folded: _Folded) -> Iterator[Cell]:
        """Cells in which gap records changed; a query itself finds the cells that a record has left.

        An open gap is recorded again and again, and only its last hours change.
        """
        touched = set[Cell]()
        for index in self._fixed.written:
            if self._cluster.what(index) == names.GAPS:
                for one in self._cluster.written_since(index, folded.numbers.get(index, -1)):
                    told = one.document or {}
                    touched.update(cells_of(told["camera"], Timespan(told["start_us"], told["end_us"])))
        for part in rectangles(touched):
            known = _kept(self._cluster, self._fixed.hours, part)
            if known is None:
                raise _switched()
            before = {(one.camera, one.hour): digest for one, digest in known}
            now = _causes(self._questions.gap_records(part), part.span)
            yield from (cell for cell, digest in now.items() if before.get(cell) != digest)

    def _keep(self, cells: Sequence[Cell], number: int) -> None:
        for part in rectangles(cells):
            gaps = self._questions.gap_records(part)
            told = _causes(gaps, part.span)
            found = {(one.camera, one.hour): one for one in self._questions.hours(part, gaps)}
            self._write(
                [
                    _write_of(found.get(cell) or _nothing(cell), told.get(cell, ""), number)
                    for camera in part.cameras or ()
                    for cell in cells_of(camera, part.span)
                ]
            )

    def _write(self, writes: Iterable[Write]) -> None:
        if self._cluster.write([replace(one, alias=self._alias) for one in writes], searchable=False):
            raise _switched()

    def _say(self, writes: Iterable[Write]) -> None:
        if self._cluster.write_at_once([replace(one, alias=self._alias) for one in writes]):
            raise _switched()


def _folded(cluster: Cluster, alias: str | None = None) -> _Folded | None:
    """The result of the last fold; None without one, or if too many segments have left since."""
    body = {"size": _PAGE, "query": {"terms": {"kind": [_FOLDED, GONE]}}}
    found = cluster.answer([alias or cluster.alias(names.HOURS)], body)
    hits = [] if found is None else found["hits"]["hits"]
    numbers = {
        hit["_source"]["index"]: int(hit["_source"]["number"])
        for hit in hits
        if hit["_source"]["kind"] == _FOLDED
    }
    if not numbers or len(hits) == _PAGE:
        return None
    leaving = frozenset(
        (hit["_source"]["camera"], hit["_source"]["hour"]) for hit in hits if hit["_source"]["kind"] == GONE
    )
    return _Folded(hits[0]["_index"], numbers, leaving)


def _written_since(
    questions: Questions, what: list[str], numbers: Mapping[str, int], filters: list[Json]
) -> Iterator[Cell]:
    """Cells of segments with a number greater than the fold's; all cells of an index never folded."""
    later: list[Json] = [
        {"bool": {"filter": [{"term": {"_index": index}}, {"range": {"_seq_no": {"gt": number}}}]}}
        for index, number in numbers.items()
    ]
    later.append({"bool": {"must_not": [{"terms": {"_index": list(numbers)}}]}})
    sources = [{"camera": {"terms": {"field": "camera"}}}, BY_HOUR, _BY_END]
    for bucket in questions.buckets(what, [*filters, {"bool": {"should": later}}], sources, {}):
        key = bucket["key"]
        yield from cells_of(key["camera"], Timespan(round(key["hour"]), round(key["until"]) + 1))


def _kept(cluster: Cluster, index: str, query: SegmentQuery) -> Iterable[tuple[HourCoverage, str]] | None:
    """Stored hours in order, each with its digest of gap records; None if the index is gone."""
    filters: list[Json] = [
        {"term": {"kind": _HOUR}},
        {"range": {"hour": {"gte": query.span.start, "lt": query.span.end}}},
    ]
    if query.cameras is not None:
        filters.append({"terms": {"camera": list(query.cameras)}})
    body: Json = {
        "size": _PAGE,
        "query": {"bool": {"filter": filters}},
        "stored_fields": "_none_",
        "docvalue_fields": list(_FIELDS),
        "sort": ["camera", "hour"],
    }
    kept: list[tuple[HourCoverage, str]] = []
    while True:
        found = cluster.answer([cluster.own_alias(index)], body)
        if found is None:
            return None
        hits = found["hits"]["hits"]
        kept.extend(_read(hit["fields"]) for hit in hits)
        if len(hits) < _PAGE:
            return kept
        body["search_after"] = hits[-1]["sort"]


def _causes(gaps: Iterable[Gap], within: Timespan) -> dict[Cell, str]:
    """By cell, a digest of the parts of gap records inside it, in their order."""
    found: dict[Cell, list[str]] = defaultdict(list)
    for gap in sorted(gaps, key=lambda one: (one.camera, one.span.start, one.gap)):
        for hour in range(hour_of(max(gap.span.start, within.start)), min(gap.span.end, within.end), HOUR):
            start, end = max(gap.span.start, hour), min(gap.span.end, hour + HOUR)
            found[gap.camera, hour].append(f"{gap.gap} {start} {end} {gap.cause.value}")
    return {cell: hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32] for cell, lines in found.items()}


def _write_of(one: HourCoverage, told: str, number: int) -> Write:
    document = {
        "kind": _HOUR, "camera": one.camera, "hour": one.hour, "covered": one.covered, "bytes": one.bytes,
        "segments": one.segments, "held": one.held, "told": told,
        "gaps": json.dumps({cause.value: length for cause, length in one.gaps.items()}),
    }  # fmt: skip
    return Write(names.HOURS, f"{one.camera}/{one.hour}", document, version=number)


def _nothing(cell: Cell) -> HourCoverage:
    return HourCoverage(camera=cell[0], hour=cell[1], covered=0, bytes=0, segments=0, held=0)


def _read(fields: Mapping[str, Sequence[str | int]]) -> tuple[HourCoverage, str]:
    camera, hour, covered, size, segments, held, gaps, told = (fields[name][0] for name in _FIELDS)
    causes = {} if gaps == "{}" else json.loads(str(gaps))
    found = HourCoverage(
        camera=str(camera), hour=int(hour), covered=int(covered), bytes=int(size), segments=int(segments),
        held=int(held), gaps={GapCause(cause): length for cause, length in causes.items()},
    )  # fmt: skip
    return found, str(told)


def _by_place(query: SegmentQuery) -> bool:
    return any(one is not None for one in (query.kecamatan, query.owners, query.near, query.box))
