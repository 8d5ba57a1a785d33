"""Records in Elasticsearch: one document each, and marks among the states.

A write with an older version loses on the server. A record that is removed leaves no trace for a rebuild, so
a note is written first, among the states, which a rebuild carries over: at its end it removes the noted
records again, from what it read in the archive before.
"""

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from archive.errors import Malformed, Unavailable
from archive.integrity.rebuild import RecordRow
from archive.ports import Record, RecordOrder, RecordQuery
from archive.timespan import MINUTE, Timespan
from search.checks import at_bounds
from search.elastic import names
from search.elastic.cluster import Cluster
from search.elastic.searches import total
from search.elastic.writes import Json, Write

_PART = 2000
_PART_CHARACTERS = 8_000_000
_BULKS = 2
"""Requests in flight."""
_PAGE = 5000
_AT_ONCE = 1000
_ATTEMPTS = 5
_WIDER = 8
FEW = 300
"""Up to this many matches per index are all compared, to find the newest: about 2 µs each."""


def put(cluster: Cluster, rows: Sequence[RecordRow], *, searchable: bool) -> None:
    """Write records.

    Raises:
        Malformed: ``bad_record`` if the server refuses the content of one.
    """
    parts = list(_parts(_newest([_write_of(row) for row in rows])))
    try:
        if len(parts) == 1:
            cluster.write(parts[0], searchable=searchable)
        else:
            with ThreadPoolExecutor(_BULKS, "records") as pool:
                # While the server processes one request, the next is composed.
                for _ in pool.map(lambda part: cluster.write(part, searchable=False), parts):
                    pass
    except Malformed as error:
        raise Malformed(
            f"a record cannot be indexed: {error.message}",
            code="bad_record",
            hint="The archive is not affected; the record is not in the index.",
        ) from error
    if searchable and len(parts) > 1:
        cluster.refresh(sorted({write.what for part in parts for write in part}))


def remove(cluster: Cluster, kind: str, ids: Sequence[str], *, documents: Sequence[str] = ()) -> None:
    """Remove records, and the documents of these kinds with the same ids.

    Searches no longer find them when this returns.
    """
    for at in range(0, len(ids), _AT_ONCE):
        part = list(ids[at : at + _AT_ONCE])
        key = secrets.token_hex(8)
        state = {"ids": part, "documents": list(documents)}
        note = {"kind": names.REMOVAL, "name": kind, "key": key, "number": 1, "state": state}
        cluster.write([Write(names.STATE, f"{names.REMOVAL}:{key}", note, version=1)], searchable=False)
        _take_out(cluster, kind, part)
        _take_documents_out(cluster, documents, part)


def remove_again(cluster: Cluster) -> None:
    """Remove the records whose removal is noted: a rebuild may have read them before."""
    for one in _states(cluster, names.REMOVAL, []):
        _take_out(cluster, one["name"], one["state"]["ids"])
        _take_documents_out(cluster, one["state"].get("documents", ()), one["state"]["ids"])


def find(cluster: Cluster, query: RecordQuery, limit: int) -> list[Record]:
    """The first matches of a query that :func:`search.checks.check_record_query` let pass."""
    first, last = at_bounds(query)
    if first > last:
        return []
    whats = names.records_within(query.kind, first, last)
    body = _body(query, limit, first, last)
    if query.order is RecordOrder.OLDEST_FIRST:
        return _records(query, cluster.search(whats, body))
    answer = cluster.search(whats, body | {"terminate_after": FEW})
    found = _records(query, answer)
    if not answer.get("terminated_early"):
        return found
    least, most = _edges(cluster, query.kind)
    width = 2 * (found[0].at - found[-1].at) if found else 0
    return _newest_of_many(cluster, query, limit, max(first, least), min(last, most), max(width, MINUTE))


def count(cluster: Cluster, query: RecordQuery, most: int) -> int:
    """How many records pass the filters of a query, counted up to ``most`` by the server."""
    query = replace(query, after=None)
    first, last = at_bounds(query)
    if first > last:
        return 0
    body: Json = {
        "size": 0,
        "track_total_hits": most,
        "query": {"bool": {"filter": _filters(query, first, last)}},
    }
    return min(most, total(cluster.search(names.records_within(query.kind, first, last), body)))


def _newest_of_many(
    cluster: Cluster, query: RecordQuery, limit: int, first: int, last: int, width: int
) -> list[Record]:
    """The newest matches of very many, from windows of time that go back and become wider than ``width``.

    An index is sorted with the oldest first. The server stops there as soon as it has enough, but for the
    newest it would go through all matches: 280 ms for 300,000 records, and 3 ms for some hundreds.
    """
    found: list[Record] = []
    while first <= last and len(found) < limit:
        start = max(first, last - width + 1)
        whats = names.records_within(query.kind, start, last)
        found += _records(query, cluster.search(whats, _body(query, limit - len(found), start, last)))
        last, width = start - 1, width * _WIDER
    return found


def _edges(cluster: Cluster, kind: str) -> tuple[int, int]:
    """The first and the last ``at`` of a kind; the last is less without records."""
    edges = {name: {name: {"field": "at"}} for name in ("min", "max")}
    answer = cluster.search([f"{names.RECORDS}-{kind}"], {"size": 0, "aggs": edges})
    found = answer.get("aggregations", {name: {"value": None} for name in edges})
    least, most = (found[name]["value"] for name in ("min", "max"))
    return (0, -1) if least is None else (round(least), round(most))


def _body(query: RecordQuery, limit: int, first: int, last: int) -> Json:
    order = "asc" if query.order is RecordOrder.OLDEST_FIRST else "desc"
    body: Json = {
        "size": limit,
        "query": {"bool": {"filter": _filters(query, first, last)}},
        "sort": [{"at": order}, {"id": order}],
    }
    if query.after is not None:
        body["search_after"] = list(query.after)
    return body


def _records(query: RecordQuery, answer: Json) -> list[Record]:
    return [_record(query.kind, hit["_source"]) for hit in answer["hits"]["hits"]]


def one(cluster: Cluster, kind: str, name: str) -> Record | None:
    """A record by its id, or None."""
    body: Json = {"size": 1, "query": {"ids": {"values": [name]}}}
    hits = cluster.search([f"{names.RECORDS}-{kind}"], body)["hits"]["hits"]
    return _record(kind, hits[0]["_source"]) if hits else None


def keep_marks(cluster: Cluster, name: str, marks: Mapping[str, int]) -> None:
    """Keep numbers by key; a smaller number than the kept one loses on the server."""
    writes = [
        Write(
            names.STATE,
            f"{names.MARK}:{len(name)}:{name}:{key}",
            {"kind": names.MARK, "name": name, "key": key, "number": number, "state": {}},
            version=number,
        )
        for key, number in marks.items()
    ]
    if writes:
        cluster.write(writes, searchable=False)


def marks(cluster: Cluster, name: str) -> dict[str, int]:
    """The numbers kept under a name."""
    return {one["key"]: one["number"] for one in _states(cluster, names.MARK, [{"term": {"name": name}}])}


def _states(cluster: Cluster, kind: str, filters: Iterable[Json]) -> Iterator[Json]:
    cluster.refresh([names.STATE])
    body: Json = {
        "size": _PAGE,
        "query": {"bool": {"filter": [{"term": {"kind": kind}}, *filters]}},
        "sort": [{"key": {"order": "asc", "unmapped_type": "keyword"}}],
    }
    while True:
        hits = cluster.search([names.STATE], body)["hits"]["hits"]
        yield from (hit["_source"] for hit in hits)
        if len(hits) < _PAGE:
            return
        body["search_after"] = hits[-1]["sort"]


def _take_out(cluster: Cluster, kind: str, ids: Sequence[str]) -> None:
    what = f"{names.RECORDS}-{kind}"
    body: Json = {
        "size": len(ids),
        "query": {"ids": {"values": list(ids)}},
        "_source": False,
        "version": True,
    }
    for _ in range(_ATTEMPTS):
        cluster.refresh([what])
        hits = cluster.search([what], body)["hits"]["hits"]
        if not hits:
            return
        # With its version: without one the server would refuse the same version for a minute.
        cluster.write(
            [Write(cluster.what(hit["_index"]), hit["_id"], None, version=hit["_version"]) for hit in hits],
            searchable=False,
        )
    raise Unavailable(
        f"the records of kind {kind} that are to be removed keep being written",
        code="index_busy",
        hint="Try again.",
    )


def _take_documents_out(cluster: Cluster, kinds: Sequence[str], ids: Sequence[str]) -> None:
    doomed = [Write(names.documents_of(kind), name, None) for kind in kinds for name in ids]
    if doomed:
        cluster.write(doomed, searchable=False)


def write_of(record: Record, body: str) -> Write:
    """The document of a record, with the JSON text of its body."""
    span = record.touches
    edges = None if span is None else (span.start, span.end)
    return _write_of(
        RecordRow(record.kind, record.id, record.version, record.at, tuple(record.terms), edges, body)
    )


def _write_of(row: RecordRow) -> Write:
    kind, name, version, at, terms, touches, body = row
    document: Json = {"id": name, "at": at, "version": version, "terms": sorted(terms), "body": body}
    if touches is not None:
        document |= {"touches_from": touches[0], "touches_to": touches[1]}
    return Write(names.records_of(kind, at), name, document, version=version)


def _newest(writes: Sequence[Write]) -> Sequence[Write]:
    """Of several with one id the one that counts, since requests may overtake one another."""
    found: dict[tuple[str, str], Write] = {}
    for write in writes:
        kept = found.get((write.what, write.id))
        if kept is None or (write.version or 0) >= (kept.version or 0):
            found[write.what, write.id] = write
    return writes if len(found) == len(writes) else list(found.values())


def _parts(writes: Sequence[Write]) -> Iterator[list[Write]]:
    """Parts for one request each: records may be large, and a server accepts 100 MB at once."""
    part: list[Write] = []
    size = 0
    for write in writes:
        part.append(write)
        document = write.document or {}
        size += len(document["body"]) + sum(map(len, document["terms"]))
        if len(part) == _PART or size >= _PART_CHARACTERS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _filters(query: RecordQuery, first: int, last: int) -> list[Json]:
    found: list[Json] = [{"range": {"at": {"gte": first, "lte": last}}}]
    found += [{"term": {"terms": term}} for term in query.terms]
    found += [{"terms": {"terms": sorted(words)}} for words in query.any_of]
    if query.touching is not None:
        start, end = query.touching.start, query.touching.end
        overlaps = [{"range": {"touches_from": {"lt": end}}}, {"range": {"touches_to": {"gt": start}}}]
        unknown = {"bool": {"must_not": [{"exists": {"field": "touches_from"}}]}}
        found.append({"bool": {"should": [{"bool": {"filter": overlaps}}, unknown]}})
    return found


def _record(kind: str, source: Json) -> Record:
    start = source.get("touches_from")
    return Record(
        kind=kind,
        id=source["id"],
        version=source["version"],
        at=source["at"],
        terms=frozenset(source["terms"]),
        touches=None if start is None else Timespan(start, source["touches_to"]),
        body=json.loads(source["body"]),
    )
