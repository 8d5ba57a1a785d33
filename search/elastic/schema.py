"""Index templates: the fields that Elasticsearch keeps.

Each is strict: a field that is not named here is an error at the write, not a surprise at the read. A field
that no search uses is ``index: false`` and kept as doc values, from which answers are fetched: 56 ms for 460
segments become 5 because ``_source`` is not decompressed, and a document takes a third less room.

Times are whole µs in a ``long``. ``date`` keeps milliseconds and would move half-open edges; ``date_nanos``
keeps them, but takes 27 bytes more of a segment, and Elasticsearch answers its ``min`` and ``max`` in
milliseconds (measured on 9.5.3). µs are exact in the double that aggregations compute with, until the year
2255.

A segment's ``_source`` has only what tells which hours it fills. All else is in doc values, from which
answers, changes and a rebuild's copies are made: hash and version do not compress, and stored twice they made
249 bytes of a segment where 120 are needed (``docs/design/index.md``).
"""

from typing import Any

Json = dict[str, Any]

REFRESH_MS = 200
"""How often written documents become searchable: a write waits for that, and so takes about this long.

At 40 writes a second, a refresh with each write costs 100 % of a core, and a refresh with each read triples
the time of the read; a refresh every 200 ms costs 27 % and does not slow reads (measured).
"""

_SETTINGS: Json = {
    "number_of_shards": 1,
    "auto_expand_replicas": "0-1",
    "codec": "best_compression",
    "refresh_interval": f"{REFRESH_MS}ms",
}

_SEARCHED: Json = {"type": "keyword"}
_KEPT_WORD: Json = {"type": "keyword", "index": False}
_KEPT_NUMBER: Json = {"type": "long", "index": False}
_OPAQUE: Json = {"type": "object", "enabled": False}

_PLACE: Json = {
    "point": {"type": "geo_point"},
    "kecamatan": _SEARCHED,
    "kelurahan": _KEPT_WORD,
    "owner": _SEARCHED,
}

_TIMES: Json = {
    "start_us": {"type": "long"},
    "end_us": {"type": "long"},
}

IN_SOURCE = ("camera", "start_us", "end_us")
"""The fields of a segment that a read by id returns."""

SEGMENTS: Json = {
    "camera": _SEARCHED,
    **_TIMES,
    "duration_us": _KEPT_NUMBER,  # end - start, whose sum proves that a run is whole
    **_PLACE,
    "recorder": _KEPT_WORD,
    "run": _KEPT_WORD,
    "seq": _KEPT_NUMBER,
    "media_duration": _KEPT_NUMBER,  # ticks of 1/90000 s
    "sha256": {"type": "binary", "doc_values": True},  # 32 bytes; as hex it would double the document
    "size": _KEPT_NUMBER,
    "header_bytes": _KEPT_NUMBER,
    "codec": _KEPT_WORD,
    "gop": _KEPT_WORD,
    "uncertainty_us": _KEPT_NUMBER,  # as the leaf states it; absent if its clock was unsynchronised
    "pauses": _KEPT_NUMBER,  # edges in µs from the start, in order; absent where the leaf states none
    "version": {"type": "binary", "doc_values": True},  # of the object, packed; absent while unknown
    "held": {"type": "byte"},  # 0 or 1: summed and searched
}

GAPS: Json = {
    "camera": _SEARCHED,
    **_TIMES,
    **_PLACE,
    "recorder": _KEPT_WORD,
    "gap": _KEPT_WORD,
    "cause": _SEARCHED,
    "ingested_us": _KEPT_NUMBER,
}

RUNS: Json = {
    "camera": _SEARCHED,
    **_TIMES,
    "recorder": _KEPT_WORD,
    "segments": _KEPT_NUMBER,
    "reason": _SEARCHED,
    "ingested_us": _KEPT_NUMBER,
}

DOCUMENTS: Json = {
    "id": _SEARCHED,
    "version": _KEPT_NUMBER,
    "state": _OPAQUE,
}

STATE: Json = {
    "kind": _SEARCHED,  # cursor, heartbeat, high_water, or as in search.elastic.names
    "name": _SEARCHED,  # the recorder, camera, sort of documents, kind of records or name of marks
    "key": _SEARCHED,  # of a mark
    "number": _KEPT_NUMBER,  # batch, time, end or format: also the document's version, so it only grows
    "state": _OPAQUE,
}

RECORDS: Json = {
    "id": _KEPT_WORD,  # sorted by, after at
    "at": {"type": "long"},
    "version": {"type": "long", "index": False, "doc_values": False},
    "terms": {"type": "keyword", "doc_values": False},
    "touches_from": {"type": "long"},  # absent if it is not known what the record touches
    "touches_to": {"type": "long"},
    "body": _OPAQUE,  # JSON as text, so that nothing in it is read as a field
}
"""Answers are whole records, so they are fetched from ``_source``: see :func:`templates` for its codec."""

HOURS: Json = {
    "kind": _SEARCHED,  # hour, gone (segments leave this hour) or folded (how far an index is)
    "camera": _SEARCHED,
    "hour": {"type": "long"},  # µs of its start
    "covered": _KEPT_NUMBER,
    "bytes": _KEPT_NUMBER,
    "segments": _KEPT_NUMBER,
    "held": _KEPT_NUMBER,
    "gaps": _KEPT_WORD,  # causes and lengths as JSON
    "told": _KEPT_WORD,  # digest of the gap records that the fold included
    "closed": {"type": "boolean"},  # gone: whether the segments have left
    "index": _KEPT_WORD,
    "number": _KEPT_NUMBER,
}

_VERSIONS = {"gaps": "end_us", "state": "number", "documents": "version", "records": "version"}


def version_of(what: str, document: Json) -> int | None:
    """The number that decides which of two documents of one id is kept; None if the last one wins."""
    field = _VERSIONS.get(what.partition("-")[0])
    return None if field is None else int(document[field])


def templates(prefix: str) -> dict[str, Json]:
    """The index templates by name, for indices named as in :mod:`search.elastic.names`.

    The records of one person or item are scattered, and each is fetched from another block of ``_source``:
    ``default`` makes small blocks that are unpacked quickly.
    """
    by_hour = {"sort.field": ["camera", "hour"], "sort.order": ["asc", "asc"]}
    by_time = {"sort.field": ["at", "id"], "sort.order": ["asc", "asc"], "codec": "default"}
    sorted_by_camera = {"sort.field": ["camera", "start_us"], "sort.order": ["asc", "asc"]}
    return {
        f"{prefix}-segments": _template(
            f"{prefix}.segments-*", SEGMENTS, sorted_by_camera, source={"includes": list(IN_SOURCE)}
        ),
        f"{prefix}-gaps": _template(f"{prefix}.gaps.*", GAPS, sorted_by_camera),
        f"{prefix}-runs": _template(f"{prefix}.runs.*", RUNS, {}),
        f"{prefix}-documents": _template(f"{prefix}.documents-*", DOCUMENTS, {}),
        f"{prefix}-records": _template(f"{prefix}.records-*", RECORDS, by_time),
        f"{prefix}-state": _template(f"{prefix}.state.*", STATE, {}),
        f"{prefix}-hours": _template(f"{prefix}.hours.*", HOURS, by_hour),
    }


def unrefreshed(template: Json) -> Json:
    """The same for an index that a rebuild fills: nobody reads it before the rebuild ends."""
    settings = template["settings"]["index"] | {"refresh_interval": "-1"}
    return template | {"settings": {"index": settings}}


def _template(pattern: str, properties: Json, settings: Json, *, source: Json | None = None) -> Json:
    mappings: Json = {"dynamic": "strict", "properties": properties}
    if source is not None:
        mappings["_source"] = source
    return {
        "index_patterns": [pattern],
        "priority": 500,
        "template": {"settings": {"index": _SETTINGS | settings}, "mappings": mappings},
    }
