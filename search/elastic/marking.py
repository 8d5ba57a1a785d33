"""Marking segments as held or not: a document is read, and written again if it has not changed since.

Not by the server's own update, which takes a document from its ``_source``: that of a segment is not whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from archive.errors import Conflict
from archive.model.segment import SegmentRef
from search.elastic import names, wire
from search.elastic.cluster import Cluster
from search.elastic.writes import Json, Write

_ATTEMPTS = 20
_AT_ONCE = 1000


def mark(cluster: Cluster, segments: Iterable[SegmentRef], held: int, *, searchable: bool) -> None:
    """Mark segments; unknown ones are ignored.

    Raises:
        Conflict: ``index_conflict`` if other writers keep writing the same segments.
    """
    left = [(names.segments_of(one.span.start), wire.segment_id(one.run, one.seq)) for one in segments]
    for _ in range(_ATTEMPTS):
        if not left:
            return
        cluster.refresh(sorted({what for what, _ in left}))  # what was written a moment ago is found
        changes = [one for one in _found(cluster, left) if (one.document or {}).get("held") != held]
        refused = cluster.write(
            [replace(one, document=(one.document or {}) | {"held": held}) for one in changes],
            searchable=searchable,
        )
        left = [(one.what, one.id) for one in refused]
    raise Conflict("other writers write the same segments", code="index_conflict", hint="Try again.")


def _found(cluster: Cluster, wanted: Sequence[tuple[str, str]]) -> Iterable[Write]:
    """The documents that exist, each with its number for a conditional write."""
    by_month: dict[str, list[str]] = defaultdict(list)
    for what, name in wanted:
        by_month[what].append(name)
    for what, ids in by_month.items():
        for at in range(0, len(ids), _AT_ONCE):
            part = ids[at : at + _AT_ONCE]
            body: Json = {
                "size": len(part),
                "query": {"ids": {"values": part}},
                "stored_fields": "_none_",
                "docvalue_fields": list(wire.DOCUMENT_FIELDS),
                "seq_no_primary_term": True,
            }
            for hit in cluster.search([what], body)["hits"]["hits"]:
                yield replace(wire.document_of(hit), seen=(hit["_seq_no"], hit["_primary_term"]))
