"""The bodies of searches: doc values only, in the order of pages."""

from collections.abc import Iterable

from search.elastic import wire
from search.elastic.writes import Json
from search.query import SegmentQuery

WALK = 5000
ORDER = ("start_us", "camera", "run", "seq")


def fetch(fields: Iterable[str], filters: list[Json], size: int, *, order: Iterable[str] = ()) -> Json:
    """A search that fetches doc values only: decompressing ``_source`` would take ten times as long."""
    return {
        "size": size,
        "query": {"bool": {"filter": filters}},
        "stored_fields": "_none_",
        "docvalue_fields": list(fields),
        "sort": list(order),
    }


def gap_search(query: SegmentQuery) -> Json:
    """The first gap records that match, in order."""
    return fetch(wire.GAP_FIELDS, wire.gaps_filter(query), WALK, order=("start_us", "camera", "gap"))


def segment_search(query: SegmentQuery, size: int) -> Json:
    """The first segments that match, in order."""
    return fetch(wire.SEGMENT_FIELDS, wire.segments_filter(query), size, order=ORDER)


def both_search(query: SegmentQuery, size: int) -> Json:
    """The first segments and gap records that match, together and by start only."""
    segments = {"range": {"start_us": {"gte": query.earliest_start + 1}}}
    gaps = {"exists": {"field": "gap"}}
    either: Json = {"bool": {"should": [segments, gaps], "minimum_should_match": 1}}
    fields = dict.fromkeys((*wire.SEGMENT_FIELDS, *wire.GAP_FIELDS))
    return fetch(fields, [*wire.gaps_filter(query), either], size, order=("start_us",))


def total(answer: Json) -> int:
    """The number of matches, if the search counted them."""
    return int(answer["hits"]["total"]["value"])
