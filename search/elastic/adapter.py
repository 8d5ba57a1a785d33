"""The city index: :class:`ElasticIndex`, all of :class:`search.index.Index` on Elasticsearch."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from elasticsearch import Elasticsearch, OrjsonSerializer

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_name, check_run
from archive.model.gap import Gap
from archive.model.segment import Run, SegmentRef
from archive.ports import IndexEntry
from archive.timespan import DAY, Timespan
from search import stretch
from search.checks import check_entries, check_kind
from search.elastic import hours, leaving, marking, names, searches, switching, wire
from search.elastic.address import OPEN, Access, options_of, parse_address
from search.elastic.claims import Claim
from search.elastic.cluster import Cluster
from search.elastic.loading import Loading
from search.elastic.questions import BY_HOUR, Questions
from search.elastic.record_part import RecordPart
from search.elastic.writes import Json, Write
from search.hours import Cell, cells_of
from search.paging import Position, check_limit, position, read_cursor, write_cursor
from search.query import (
    Document,
    FootageSum,
    Heartbeat,
    HourCoverage,
    IndexStatus,
    Page,
    Pause,
    Records,
    RunCoverage,
    SegmentQuery,
    Standing,
)

FORMAT = 3
"""The version of the documents' meaning: an index of another one must be rebuilt."""

_FIRST_STEP = 1000
_OPEN = 2 * DAY
"""How long after its end a month still takes late segments."""
_WHOLE_ID = f"{names.WHOLE}:{names.WHOLE}"


def connect_elastic(
    url: str,
    *,
    prefix: str = "saksi",
    access: Access = OPEN,
    timeout_seconds: float = 30,
    pause: Callable[[float], None] = time.sleep,
) -> "ElasticIndex":
    """The index on a cluster; its indices begin with ``prefix``. Nothing is sent before the first request.

    ``pause`` waits for a number of seconds before what a full server refused is sent again.

    Raises:
        Malformed: ``bad_index_url``, ``bad_index_access``, ``bad_index_prefix``.
    """
    names.check_prefix(prefix)
    address = parse_address(url)
    options = options_of(address, access)
    try:
        client = Elasticsearch(
            **options,
            request_timeout=timeout_seconds,
            connections_per_node=40,
            # A page of segments is some hundred kilobytes of JSON: to parse it, the standard library took a
            # quarter of the time of a playlist.
            serializer=OrjsonSerializer(),
        )
    except (ValueError, TypeError) as error:
        raise Malformed(
            "the index URL cannot be used", code="bad_index_url", hint="Write http(s)://HOST:PORT."
        ) from error
    return ElasticIndex(Cluster(client, address.server, prefix, pause=pause), client)


class ElasticIndex(Loading, RecordPart):
    """See :class:`search.index.Index`. Made by :func:`connect_elastic`."""

    def __init__(self, cluster: Cluster, client: Elasticsearch, claim: Claim | None = None) -> None:
        super().__init__(cluster, claim)
        self._client = client
        self._rebuilding = claim is not None
        self._questions = Questions(cluster)

    # Segments, gaps and runs -------------------------------------------------------------------------

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; returns at the next refresh, within about 0.2 s: add many at a time."""
        check_entries(entries)
        ends: dict[str, int] = {}
        for entry in entries:
            if not isinstance(entry.leaf, Run):
                ends[entry.leaf.camera] = max(entry.leaf.span.end, ends.get(entry.leaf.camera, 0))
        leaving.put(
            self._cluster, [wire.write_of(entry) for entry in entries], searchable=not self._rebuilding
        )
        # Only after the segments are visible: see search.index, "Reading while it is written".
        self._put_states(("high_water", camera, end, {}) for camera, end in ends.items())

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """Remove segments, also from a rebuild in progress; idempotent."""
        doomed: list[Write] = []
        cells: set[Cell] = set()
        for one in segments:
            doomed.append(Write(names.segments_of(one.span.start), wire.segment_id(one.run, one.seq), None))
            cells.update(cells_of(one.camera, one.span))
        if doomed:
            leaving.remove(self._cluster, doomed, cells, searchable=not self._rebuilding)

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """Mark segments as held; idempotent. A rebuild in progress carries it over."""
        self._mark(segments, 1)

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """Mark segments as not held; as :meth:`mark_held`."""
        self._mark(segments, 0)

    def _mark(self, segments: Iterable[SegmentRef], held: int) -> None:
        marking.mark(self._cluster, segments, held, searchable=not self._rebuilding)

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, run and seq."""
        query = SegmentQuery(span=span, cameras=(camera,))
        if self._rebuilding:
            self._cluster.refresh([names.SEGMENTS])
        after: Position | None = None
        size = _FIRST_STEP
        while True:
            found = self._page(query, size, after)
            yield from found
            if len(found) < size:
                return
            after, size = position(found[-1]), searches.WALK

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """Gap records overlapping ``span``, ordered by start."""
        return self.gap_records(SegmentQuery(span=span, cameras=(camera,)))

    def segment(self, run: str, seq: int) -> SegmentRef | None:
        """One segment, or None."""
        ids = [wire.segment_id(check_run(run), seq)]
        hits = self._questions.hits(
            [names.SEGMENTS], searches.fetch(wire.SEGMENT_FIELDS, [{"ids": {"values": ids}}], 1)
        )
        return wire.segment(hits[0]) if hits else None

    def run(self, run: str) -> Run | None:
        """The record of a finished run, or None."""
        found = self._cluster.documents(names.RUNS, [check_run(run)])
        return wire.run(run, found[run]) if run in found else None

    def high_water(self, camera: str) -> int | None:
        """The latest end ever added of the camera, or None."""
        return self.high_waters((camera,)).get(camera)

    def high_waters(self, cameras: Iterable[str]) -> Mapping[str, int]:
        """The latest end ever added, by camera."""
        ids = [f"high_water:{check_name('camera', camera)}" for camera in cameras]
        return {one["name"]: one["number"] for one in self._cluster.documents(names.STATE, ids).values()}

    # Questions ---------------------------------------------------------------------------------------

    def search(self, query: SegmentQuery, *, limit: int = 100, cursor: str | None = None) -> Page:
        """One page of matches in order of (start, camera, run, seq)."""
        check_limit(limit)
        after = None if cursor is None else read_cursor(query, cursor)
        found = self._page(query, limit + 1, after)
        items = tuple(found[:limit])
        return Page(items, write_cursor(query, position(items[-1])) if len(found) > limit else None)

    def runs(self, query: SegmentQuery) -> tuple[RunCoverage, ...]:
        """Coverage per run, aggregated on the server."""
        ask = self._questions
        found = ask.stretches(query, [], wire.RUN_SUMS)
        return stretch.run_coverage(found, query.span, lambda one: ask.pieces(query, one))

    def pauses(self, query: SegmentQuery) -> tuple[Pause, ...]:
        """The pauses that matching segments state."""
        return self._questions.pauses(query)

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        """Gap records that overlap the span, ordered by start."""
        return self._questions.gap_records(query)

    def cameras(self, query: SegmentQuery) -> tuple[str, ...]:
        """Cameras with a segment or a gap record that matches."""
        if query.admits_nothing:
            return ()
        camera = {"camera": {"terms": {"field": "camera"}}}
        segments = self._questions.buckets(wire.months(query), wire.segments_filter(query), [camera], {})
        gaps = self._questions.buckets([names.GAPS], wire.gaps_filter(query), [camera], {})
        return tuple(sorted({bucket["key"]["camera"] for found in (segments, gaps) for bucket in found}))

    def hours(self, query: SegmentQuery) -> tuple[HourCoverage, ...]:
        """Coverage per camera and UTC hour, kept or computed."""
        return hours.answer(self._cluster, query)

    def footage_sums(self, query: SegmentQuery, step: int, origin: int) -> tuple[FootageSum, ...]:
        """The footage of hours by bucket: kept hours summed by the server, the others computed."""
        return hours.footage_sums(self._cluster, query, step, origin)

    def settle_hours(self) -> int:
        """Store the hours that changed since the last call; 0 also if another process is doing it."""
        return hours.settle(self._cluster)

    def standing(self, camera: str) -> Standing:
        """The camera's document and high-water mark, in one request."""
        check_name("camera", camera)
        document, mark = self._cluster.each_document(
            [(names.documents_of("camera"), camera), (names.STATE, f"high_water:{camera}")]
        )
        return Standing(
            None if document is None else Document("camera", camera, document["version"], document["state"]),
            None if mark is None else mark["number"],
        )

    def records(self, camera: str, span: Timespan) -> Records:
        """Gap records and segments that overlap the span: one search over both sorts of documents.

        Two requests took 4.5 ms, one ``_msearch`` of both 5.0 (measured): the number of searches counts, not
        that of requests. More matches than one answer holds are walked apart.
        """
        query = SegmentQuery(span=span, cameras=(camera,))
        if not self._rebuilding:
            body = searches.both_search(query, _FIRST_STEP)
            hits = self._questions.hits([*wire.months(query), names.GAPS], body)
            if len(hits) < _FIRST_STEP:
                return wire.records(hits)
        return Records(tuple(self.gaps(camera, span)), tuple(self.segments(camera, span)))

    def reading(self, camera: str, span: Timespan) -> tuple[Standing, Records]:
        """Both, one after the other."""
        return self.standing(camera), self.records(camera, span)

    # Documents, recorders ----------------------------------------------------------------------------

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream."""
        what = names.documents_of(check_kind(kind))
        document = {"id": check_name(kind, entity), "version": version, "state": state}
        self._cluster.write([Write(what, entity, document, version=version)], searchable=False)

    def document(self, kind: str, entity: str) -> Document | None:
        """The newest known state of a ledger stream, or None."""
        what = names.documents_of(check_kind(kind))
        found = self._cluster.documents(what, [check_name(kind, entity)]).get(entity)
        return None if found is None else Document(kind, entity, found["version"], found["state"])

    def documents(self, kind: str) -> Iterator[Document]:
        """All of a kind, by id."""
        what = names.documents_of(check_kind(kind))
        self._cluster.refresh([what])  # people write documents rarely, and read them at once
        body: Json = {"size": _FIRST_STEP, "sort": ["id"]}
        while True:
            hits = self._questions.hits([what], body)
            for hit in hits:
                found = hit["_source"]
                yield Document(kind, found["id"], found["version"], found["state"])
            if len(hits) < _FIRST_STEP:
                return
            body["search_after"] = hits[-1]["sort"]

    def documents_mark(self, kind: str) -> str:
        """Their index and number, and the sum of the numbers of their last writes, which only grow."""
        what = names.documents_of(check_kind(kind))
        self._cluster.refresh([what])
        body: Json = {
            "size": 1,
            "_source": False,
            "track_total_hits": True,
            "aggs": {"written": {"sum": {"field": "_seq_no"}}},
        }
        answer = self._cluster.search([what], body)
        index = next((hit["_index"] for hit in answer["hits"]["hits"]), "")
        written = answer.get("aggregations", {"written": {"value": 0}})["written"]["value"]
        return f"{index} {searches.total(answer)} {written:.0f}"

    def put_heartbeat(self, recorder: str, at: int, state: JsonObject) -> None:
        """Keep a recorder's heartbeat."""
        self._put_states([("heartbeat", check_name("recorder", recorder), at, state)])

    def heartbeats(self) -> tuple[Heartbeat, ...]:
        """The last heartbeat of every recorder."""
        return tuple(Heartbeat(one["name"], one["number"], one["state"]) for one in self._states("heartbeat"))

    def cursor(self, recorder: str) -> int:
        """The recorder's last journal batch that is wholly in the index; 0 for none."""
        found = self._cluster.documents(names.STATE, [f"cursor:{check_name('recorder', recorder)}"])
        return next((int(one["number"]) for one in found.values()), 0)

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a batch is wholly in the index."""
        self._put_states([("cursor", check_name("recorder", recorder), batch, {})])

    # The index itself --------------------------------------------------------------------------------

    @contextmanager
    def rebuild(self) -> Iterator["ElasticIndex"]:
        """A fresh index that takes this one's place at the end; see :meth:`search.index.Index.rebuild`."""
        with switching.rebuilt(self._cluster) as (fresh, claim):
            filling = ElasticIndex(fresh, self._client, claim)
            try:
                yield filling
            finally:
                filling.await_loads()  # nothing may be written to these indices once they are dropped
            filling.settle()

    def is_whole(self) -> bool:
        """Whether the mark is there, and every index that was made since still stands."""
        mark = self._cluster.documents(names.STATE, [_WHOLE_ID])
        return mark.get(_WHOLE_ID, {}).get("number") == FORMAT and self._cluster.has_all_that_was_made()

    def mark_whole(self) -> None:
        """Set the mark; idempotent."""
        self._put_states([(names.WHOLE, names.WHOLE, FORMAT, {})])

    def compared_at(self) -> int | None:
        """When the index was last compared with the journals and lacked nothing, or None."""
        found = self._cluster.documents(names.STATE, [f"{names.COMPARED}:{names.COMPARED}"])
        return next((int(one["number"]) for one in found.values()), None)

    def keep_compared_at(self, at: int) -> None:
        """Store that time."""
        self._put_states([(names.COMPARED, names.COMPARED, at, {})])

    def segments_by_hour(self, camera: str) -> Mapping[int, int]:
        """How many segments start in each UTC hour."""
        filters: list[Json] = [{"term": {"camera": check_name("camera", camera)}}]
        found = self._questions.buckets([names.SEGMENTS], filters, [BY_HOUR], {})
        return {round(bucket["key"]["hour"]): int(bucket["doc_count"]) for bucket in found}

    def compact(self, now: int) -> int:
        """Merge the months before the last two days that are in many pieces."""
        return self._cluster.merge_months(names.segments_of(now - _OPEN))

    def status(self) -> IndexStatus:
        """The contents of the index, in figures."""
        self._cluster.refresh(_EVERYTHING)
        segments = self._cluster.search(
            [names.SEGMENTS],
            {
                "size": 0,
                "track_total_hits": True,
                "aggs": {"first": {"min": {"field": "start_us"}}},
            },
        )
        ends = [one["number"] for one in self._states("high_water")]
        first = segments.get("aggregations", {}).get("first", {}).get("value")
        return IndexStatus(
            kind="elastic",
            location=f"{self._cluster.server} ({self._cluster.alias('*')})",
            segments=searches.total(segments),
            gaps=self._count(names.GAPS),
            runs=self._count(names.RUNS),
            documents=self._counts(names.DOCUMENTS),
            records=self._counts(names.RECORDS),
            cursors={one["name"]: one["number"] for one in self._states("cursor")},
            first=None if first is None else round(first),
            last=max(ends, default=None),
        )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    # Inside ------------------------------------------------------------------------------------------

    def _page(self, query: SegmentQuery, size: int, after: Position | None) -> list[SegmentRef]:
        if query.admits_nothing:
            return []
        if after is None:
            body = searches.segment_search(query, size)
        else:
            filters = wire.segments_filter(query, first_start=after[0])
            body = searches.fetch(wire.SEGMENT_FIELDS, filters, size, order=searches.ORDER)
            body["search_after"] = list(after)
        return [wire.segment(hit) for hit in self._questions.hits(wire.months(query), body)]

    def _states(self, kind: str) -> Iterator[Json]:
        self._cluster.refresh([names.STATE])
        body: Json = {"size": searches.WALK, "query": {"term": {"kind": kind}}, "sort": ["name"]}
        while True:
            hits = self._questions.hits([names.STATE], body)
            yield from (hit["_source"] for hit in hits)
            if len(hits) < searches.WALK:
                return
            body["search_after"] = hits[-1]["sort"]

    def _counts(self, group: str) -> dict[str, int]:
        counts = {kind: self._count(f"{group}-{kind}") for kind in self._cluster.kinds_of(group)}
        return {kind: count for kind, count in counts.items() if count}

    def _count(self, what: str) -> int:
        return searches.total(self._cluster.search([what], {"size": 0, "track_total_hits": True}))


_EVERYTHING = (*names.GROUPS, names.GAPS, names.RUNS, names.STATE)
