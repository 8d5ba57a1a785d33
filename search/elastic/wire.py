"""Segments, gaps and runs as Elasticsearch documents, and back; queries as filters."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from archive.errors import Malformed
from archive.integrity.rebuild import SegmentRow
from archive.model.camera import Place
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import Run, Segment, SegmentRef
from archive.ports import IndexEntry
from archive.timespan import HOUR, Timespan
from search.elastic import names, versions
from search.elastic.writes import Json, Write
from search.query import Pause, Records, SegmentQuery
from search.stretch import Stretch

_LATEST = 9_223_372_036_854_775
"""The last µs that is kept: in the year 2262. Sums and months of later ones would be wrong."""

_PAD_DEGREES = 1e-7
_PAD_METRES = 0.02
"""A ``geo_point`` is exact to about a centimetre: edges are widened by that, so that they stay included."""

SEGMENT_FIELDS = (
    "camera", "run", "seq", "start_us", "end_us", "media_duration", "sha256", "size", "header_bytes",
    "codec", "gop", "uncertainty_us", "version", "held",
)  # fmt: skip
DOCUMENT_FIELDS = (
    *SEGMENT_FIELDS, "pauses", "recorder", "duration_us", "point", "kecamatan", "kelurahan", "owner",
)  # fmt: skip
"""Every field of a segment's document."""
PAUSE_FIELDS = ("start_us", "camera", "run", "seq", "pauses")
GAP_FIELDS = ("gap", "camera", "recorder", "start_us", "end_us", "cause", "ingested_us")


def segment_id(run: str, seq: int) -> str:
    """The document id of a segment: a second add replaces it."""
    return f"{run}-{seq}"


def write_of(entry: IndexEntry) -> Write:
    """The document of a leaf."""
    leaf = entry.leaf
    document: Json = {"camera": leaf.camera, "recorder": leaf.recorder, **_times(leaf.span)}
    match leaf:
        case Segment():
            document |= _place(entry.place) | {
                "duration_us": leaf.span.duration,
                "run": leaf.run,
                "seq": leaf.seq,
                "media_duration": leaf.media_duration,
                "sha256": base64.b64encode(bytes.fromhex(leaf.sha256)).decode("ascii"),
                "size": leaf.size,
                "header_bytes": leaf.header_bytes,
                "codec": leaf.codec,
                "gop": leaf.gop,
                "held": int(entry.held),
            }
            if leaf.clock.bound_us is not None:
                document["uncertainty_us"] = leaf.clock.bound_us
            if leaf.pauses:
                document["pauses"] = list(chain.from_iterable(leaf.pauses))
            if entry.version:
                document["version"] = versions.packed(entry.version)
            return Write(names.segments_of(leaf.span.start), segment_id(leaf.run, leaf.seq), document)
        case Gap():
            document |= _place(entry.place) | {
                "gap": leaf.gap,
                "cause": leaf.cause.value,
                "ingested_us": leaf.ingested_at,
            }
            return Write(names.GAPS, leaf.gap, document, version=leaf.span.end)
        case Run():
            document |= {
                "segments": leaf.segments,
                "reason": leaf.reason.value,
                "ingested_us": leaf.ingested_at,
            }
            return Write(names.RUNS, leaf.run, document)


def lines_of(rows: Iterable[SegmentRow]) -> Iterator[tuple[str, str]]:
    """For each row its month and its two lines of a bulk request, without the line ends.

    They make the same documents as :func:`write_of`. Every text was checked when it was read and needs no
    escape; places, which come from elsewhere, are escaped.
    """
    places: dict[int, str] = {}
    months: dict[int, str] = {}
    for (
        camera, recorder, run, seq, start, end, media_duration, sha256, size, header_bytes, codec, gop,
        uncertainty, version, held, place, pauses,
    ) in rows:  # fmt: skip
        hour = start // HOUR
        month = months.get(hour)
        if month is None:
            _check_time(end)
            month = months[hour] = names.segments_of(start)
        where = places.get(id(place))
        if where is None:
            where = places[id(place)] = "".join(
                f',"{name}":{json.dumps(value)}' for name, value in _place(place).items()
            )
        packed = base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
        stated = f',"version":"{versions.packed(version)}"' if version else ""
        bound = "" if uncertainty is None else f',"uncertainty_us":{uncertainty}'
        paused = f',"pauses":{json.dumps(list(chain.from_iterable(pauses)))}' if pauses else ""
        yield (
            month,
            f'{{"index":{{"_id":"{run}-{seq}"}}}}\n'
            f'{{"camera":"{camera}","recorder":"{recorder}",'
            f'"start_us":{start},"end_us":{end},"duration_us":{end - start},"run":"{run}","seq":{seq},'
            f'"media_duration":{media_duration},"sha256":"{packed}","size":{size},'
            f'"header_bytes":{header_bytes},"codec":"{codec}","gop":"{gop}"{bound},'
            f'"held":{1 if held else 0}'
            f"{where}{stated}{paused}}}",
        )


def _times(span: Timespan) -> Json:
    _check_time(span.end)
    return {"start_us": span.start, "end_us": span.end}


def _check_time(end: int) -> None:
    if end > _LATEST:
        raise Malformed("a time after the year 2262 cannot be indexed", code="index_value")


def _place(place: Place | None) -> Json:
    if place is None:
        return {}
    return {
        "point": {"lat": float(place.lat), "lon": float(place.lon)},
        "kecamatan": place.kecamatan,
        "kelurahan": place.kelurahan,
        "owner": place.owner.value,
    }


def segment(hit: Mapping[str, Any]) -> SegmentRef:
    """A hit fetched with :data:`SEGMENT_FIELDS`."""
    fields = hit["fields"]
    return SegmentRef(
        camera=fields["camera"][0],
        run=fields["run"][0],
        seq=fields["seq"][0],
        span=Timespan(fields["start_us"][0], fields["end_us"][0]),
        media_duration=fields["media_duration"][0],
        sha256=base64.b64decode(fields["sha256"][0]).hex(),
        size=fields["size"][0],
        header_bytes=fields["header_bytes"][0],
        codec=fields["codec"][0],
        gop=fields["gop"][0],
        version=versions.unpacked(fields["version"][0]) if "version" in fields else "",
        held=bool(fields["held"][0]),
        uncertainty_us=fields.get("uncertainty_us", (None,))[0],
    )


def document_of(hit: Mapping[str, Any]) -> Write:
    """The whole document of a hit fetched with :data:`DOCUMENT_FIELDS`, to be written again."""
    document = {name: values if name == "pauses" else values[0] for name, values in hit["fields"].items()}
    where = names.segments_of(document["start_us"])
    return Write(where, segment_id(document["run"], document["seq"]), document)


def pauses(hit: Mapping[str, Any]) -> Iterator[Pause]:
    """The pauses of a hit fetched with :data:`PAUSE_FIELDS`."""
    fields = hit["fields"]
    start, edges = fields["start_us"][0], fields["pauses"]
    for since, until in zip(edges[::2], edges[1::2], strict=True):
        yield Pause(fields["camera"][0], fields["run"][0], Timespan(start + since, start + until))


def gap(hit: Mapping[str, Any]) -> Gap:
    """A hit fetched with :data:`GAP_FIELDS`."""
    fields = hit["fields"]
    return Gap(
        gap=fields["gap"][0],
        camera=fields["camera"][0],
        recorder=fields["recorder"][0],
        span=Timespan(fields["start_us"][0], fields["end_us"][0]),
        cause=GapCause(fields["cause"][0]),
        ingested_at=fields["ingested_us"][0],
    )


def records(hits: Iterable[Mapping[str, Any]]) -> Records:
    """Segments and gap records among hits fetched with both sorts of fields, each in its order."""
    gaps: list[Gap] = []
    segments: list[SegmentRef] = []
    for hit in hits:
        if "gap" in hit["fields"]:
            gaps.append(gap(hit))
        else:
            segments.append(segment(hit))
    gaps.sort(key=lambda one: (one.span.start, one.camera, one.gap))
    segments.sort(key=lambda one: (one.span.start, one.camera, one.run, one.seq))
    return Records(tuple(gaps), tuple(segments))


def run(run_id: str, source: Mapping[str, Any]) -> Run:
    """The ``_source`` of a run."""
    return Run(
        run=run_id,
        camera=source["camera"],
        recorder=source["recorder"],
        span=Timespan(source["start_us"], source["end_us"]),
        segments=source["segments"],
        reason=RunEnd(source["reason"]),
        ingested_at=source["ingested_us"],
    )


_BOUNDS: Json = {
    "start": {"min": {"field": "start_us"}},
    "end": {"max": {"field": "end_us"}},
    "seq": {"stats": {"field": "seq"}},
    "duration": {"sum": {"field": "duration_us"}},
}
RUN_SUMS: Json = {**_BOUNDS, "uncertainty": {"stats": {"field": "uncertainty_us"}}}
"""What coverage by run needs. Each sum reads a field of every segment, and a district's day has a hundred
thousand. So no sum is asked for that is not used, and ``stats`` reads once for minimum, maximum and count."""
HOUR_SUMS: Json = {**_BOUNDS, "size": {"sum": {"field": "size"}}, "held": {"sum": {"field": "held"}}}
"""What coverage by hour needs."""


def stretch(bucket: Mapping[str, Any]) -> Stretch:
    """A bucket keyed by camera and run, with :data:`RUN_SUMS` or :data:`HOUR_SUMS`.

    What was not summed is 0, and the uncertainty None.
    """
    seq, uncertainty = bucket["seq"], bucket.get("uncertainty", {"count": 0})
    is_bounded = uncertainty["count"] == bucket["doc_count"]
    return Stretch(
        camera=bucket["key"]["camera"],
        run=bucket["key"]["run"],
        span=Timespan(round(bucket["start"]["value"]), round(bucket["end"]["value"])),
        segments=bucket["doc_count"],
        first_seq=round(seq["min"]),
        last_seq=round(seq["max"]),
        duration=round(bucket["duration"]["value"]),
        size=round(bucket["size"]["value"]) if "size" in bucket else 0,
        held=round(bucket["held"]["value"]) if "held" in bucket else 0,
        uncertainty_us=round(uncertainty["max"]) if is_bounded else None,
    )


def segments_filter(query: SegmentQuery, *, first_start: int | None = None) -> list[Json]:
    """The filter on segments; a later page gives ``first_start``, before which no segment may start.

    The caller never sends a query that admits nothing.
    """
    first = query.earliest_start + 1
    if first_start is not None:
        first = max(first, first_start)
    starts = {"gte": _instant(first), "lt": _instant(query.span.end)}
    return [
        {"range": {"start_us": starts}},
        {"range": {"end_us": {"gt": _instant(query.span.start)}}},
        *_filters(query),
    ]


def gaps_filter(query: SegmentQuery) -> list[Json]:
    """The filter on gap records."""
    return [
        {"range": {"start_us": {"lt": _instant(query.span.end)}}},
        {"range": {"end_us": {"gt": _instant(query.span.start)}}},
        *_filters(query),
    ]


def months(query: SegmentQuery) -> list[str]:
    """The indices with segments that a query can match."""
    first = min(max(query.earliest_start, 0), _LATEST)
    return names.months_of(Timespan(first, max(first + 1, min(query.span.end, _LATEST))))


def _instant(instant: int) -> int:
    return min(max(instant, 0), _LATEST)


def _filters(query: SegmentQuery) -> list[Json]:
    found: list[Json] = []
    if query.cameras is not None:
        found.append({"terms": {"camera": list(query.cameras)}})
    if query.kecamatan is not None:
        found.append({"terms": {"kecamatan": list(query.kecamatan)}})
    if query.owners is not None:
        found.append({"terms": {"owner": [owner.value for owner in query.owners]}})
    if query.near is not None:
        circle = query.near
        distance = {"distance": f"{circle.radius_m + _PAD_METRES:.3f}m", "distance_type": "arc"}
        found.append({"geo_distance": distance | {"point": {"lat": circle.lat, "lon": circle.lon}}})
    if query.box is not None:
        edges = {
            "top": min(90.0, query.box.north + _PAD_DEGREES),
            "bottom": max(-90.0, query.box.south - _PAD_DEGREES),
            "left": max(-180.0, query.box.west - _PAD_DEGREES),
            "right": min(180.0, query.box.east + _PAD_DEGREES),
        }
        found.append({"geo_bounding_box": {"point": edges}})
    return found
