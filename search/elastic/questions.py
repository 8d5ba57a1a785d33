"""Aggregations over segments and gap records, through aliases or in named indices."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from archive.model.gap import Gap
from archive.timespan import HOUR, Timespan
from search import stretch
from search.elastic import names, searches, wire
from search.elastic.writes import Json
from search.query import HourCoverage, Pause, SegmentQuery
from search.stretch import Stretch

_BUCKETS = 5000

BY_HOUR: Json = {"hour": {"histogram": {"field": "start_us", "interval": HOUR}}}


class Source(Protocol):
    """A place where documents of a sort are searched."""

    def search(self, what: Iterable[str], body: Json) -> Json:
        """The complete answer to a search, or an error."""
        ...


class Questions:
    """Queries over segments and gap records."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def hits(self, what: Iterable[str], body: Json) -> list[Json]:
        """The hits of a search."""
        hits: list[Json] = self._source.search(what, body)["hits"]["hits"]
        return hits

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        """Gap records that overlap the span, ordered by start, camera and id."""
        if query.admits_nothing:
            return ()
        body = searches.gap_search(query)
        found: list[Gap] = []
        while True:
            hits = self.hits([names.GAPS], body)
            found.extend(wire.gap(hit) for hit in hits)
            if len(hits) < searches.WALK:
                return tuple(found)
            last = found[-1]
            body["search_after"] = [last.span.start, last.camera, last.gap]

    def pauses(self, query: SegmentQuery) -> tuple[Pause, ...]:
        """The pauses of matching segments, ordered by camera, start and run."""
        if query.admits_nothing:
            return ()
        filters = [*wire.segments_filter(query), {"exists": {"field": "pauses"}}]
        body = searches.fetch(wire.PAUSE_FIELDS, filters, searches.WALK, order=searches.ORDER)
        found: list[Pause] = []
        while True:
            hits = self.hits(wire.months(query), body)
            for hit in hits:
                found.extend(wire.pauses(hit))
            if len(hits) < searches.WALK:
                return tuple(sorted(found, key=lambda one: (one.camera, one.span, one.run)))
            body["search_after"] = hits[-1]["sort"]

    def hours(self, query: SegmentQuery, gaps: Iterable[Gap]) -> tuple[HourCoverage, ...]:
        """Coverage per camera and UTC hour of a span of whole hours, computed with these gap records."""
        found = self.stretches(query, [BY_HOUR], wire.HOUR_SUMS)
        return stretch.hour_coverage(found, gaps, query.span, lambda one: self.pieces(query, one))

    def stretches(self, query: SegmentQuery, sources: list[Json], sums: Json) -> Iterator[Stretch]:
        """Sums by camera, run and the further named fields: as in :mod:`search.elastic.wire`."""
        if query.admits_nothing:
            return iter(())
        by = [{name: {"terms": {"field": name}}} for name in ("camera", "run")]
        found = self.buckets(wire.months(query), wire.segments_filter(query), [*by, *sources], sums)
        return (wire.stretch(bucket) for bucket in found)

    def buckets(
        self, what: list[str], filters: list[Json], sources: list[Json], sums: Json
    ) -> Iterator[Json]:
        """Buckets of a composite aggregation, all of them."""
        composite: Json = {"size": _BUCKETS, "sources": sources}
        while True:
            aggregation: Json = {"composite": composite}
            if sums:
                aggregation["aggs"] = sums
            body = {"size": 0, "query": {"bool": {"filter": filters}}, "aggs": {"all": aggregation}}
            answer = self._source.search(what, body).get("aggregations", {}).get("all", {})
            yield from answer.get("buckets", ())
            after = answer.get("after_key")
            if after is None or len(answer["buckets"]) < _BUCKETS:
                return
            composite["after"] = after

    def pieces(self, query: SegmentQuery, one: Stretch) -> Iterator[Timespan]:
        """The span of each segment of a stretch that matches the query."""
        filters = [
            *wire.segments_filter(query),
            {"term": {"camera": one.camera}},
            {"term": {"run": one.run}},
            {"range": {"seq": {"gte": one.first_seq, "lte": one.last_seq}}},
        ]
        body = searches.fetch(("start_us", "end_us", "seq"), filters, searches.WALK, order=("seq",))
        while True:
            hits = self.hits(wire.months(query), body)
            for hit in hits:
                yield Timespan(hit["fields"]["start_us"][0], hit["fields"]["end_us"][0])
            if len(hits) < searches.WALK:
                return
            body["search_after"] = hits[-1]["sort"]
