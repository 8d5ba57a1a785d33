"""Checks on entries, records and queries before an adapter sends anything."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from archive.errors import Malformed
from archive.footage.cameras import KIND as CAMERA
from archive.ids import check_name, check_run
from archive.integrity.rebuild import RecordRow, SegmentRow, body_text
from archive.model.gap import Gap
from archive.model.segment import LONGEST_SEGMENT, Segment
from archive.model.stay import KIND as STAYS
from archive.ports import IndexEntry, Record, RecordOrder, RecordQuery
from search.paging import check_limit
from search.query import MAX_FILTER

MAX_TERMS, MAX_TERM, MAX_ID = 300, 600, 128
"""The most terms of a record, and the most characters of a term and of an id. An id is at most 512 bytes of
UTF-8, the limit of Elasticsearch."""
MAX_COUNT = 100_000
"""How far records are counted for one question."""

_LARGEST, _LARGEST_OF_64_BITS = 2**53 - 1, 2**63 - 1
_KIND = re.compile(r"[a-z][a-z_]{0,39}\Z", re.ASCII)


def check_entries(entries: Iterable[IndexEntry]) -> None:
    """Accept leaves with valid ids.

    Raises:
        Malformed: ``bad_id``; ``segment_too_long`` over an hour, since queries look back no further.
    """
    for entry in entries:
        leaf = entry.leaf
        check_name("camera", leaf.camera)
        check_name("recorder", leaf.recorder)
        check_run(leaf.gap if isinstance(leaf, Gap) else leaf.run)
        if isinstance(leaf, Segment) and leaf.span.duration > LONGEST_SEGMENT:
            raise _too_long(leaf.run, leaf.seq, leaf.camera)


def check_rows(rows: Iterable[SegmentRow]) -> None:
    """Check rows whose ids were checked when they were read. Raises Malformed ``segment_too_long``."""
    for row in rows:
        if row[5] - row[4] > LONGEST_SEGMENT:
            raise _too_long(row.run, row.seq, row.camera)


def _too_long(run: str, seq: int, camera: str) -> Malformed:
    return Malformed(
        f"segment {run}/{seq} of {camera} lasts longer than an hour",
        code="segment_too_long",
        hint="Segments are cut at 300 s at most; check that the camera sends keyframes.",
    )


def check_kind(kind: str) -> str:
    """Accept the kind of a document and return it. Raises Malformed ``bad_kind``."""
    if _KIND.match(kind) is None:
        raise Malformed(f"{kind!r} is not a kind of document", code="bad_kind")
    return kind


def check_records(records: Iterable[Record]) -> list[RecordRow]:
    """Accept records, and return them as both adapters keep them.

    Raises:
        Malformed: ``bad_record`` for a kind, id, term, number or body that an index cannot keep.
    """
    rows = [_row_of(one) for one in records]
    check_record_rows(rows)
    return rows


def check_record_rows(rows: Iterable[RecordRow]) -> None:
    """Accept records as rows. Raises as :func:`check_records`."""
    for row in rows:
        kind, name, version, at, terms, touches, body = row
        check_record_kind(kind)
        if not is_record_id(name):
            raise _bad_record(row, f"its id is not 1 to {MAX_ID} characters")
        if len(terms) > MAX_TERMS:
            raise _bad_record(row, f"it has {len(terms)} terms")
        if terms and not _are_words(terms):
            raise _bad_record(row, f"a term is not 1 to {MAX_TERM} characters")
        if not (0 <= at <= _LARGEST and 0 <= version <= _LARGEST):
            raise _bad_record(row, "its time or version is out of range")
        if touches is not None and max(abs(touches[0]), abs(touches[1])) > _LARGEST_OF_64_BITS:
            raise _bad_record(row, "what it touches is out of range")
        if not body or not _has_utf8(body):
            raise _bad_record(row, "its body is not JSON, or has no UTF-8")


def _row_of(record: Record) -> RecordRow:
    try:
        body = body_text(record.body)
    except Malformed as error:
        raise _bad_record(record, error.message) from error
    span = record.touches
    edges = None if span is None else (span.start, span.end)
    return RecordRow(record.kind, record.id, record.version, record.at, tuple(record.terms), edges, body)


def check_record_kind(kind: str) -> str:
    """Accept a kind of records and return it. Raises Malformed ``bad_record``."""
    if _KIND.match(kind) is None:
        raise Malformed(
            f"{kind!r} is not a kind of records",
            code="bad_record",
            hint="Use 1 to 40 lower-case letters and underscores, with a letter first.",
        )
    return kind


def documents_of_stream(kind: str) -> tuple[str, ...]:
    """The kinds of the documents that are made from a ledger stream of a kind; each has the stream's id."""
    return (kind, STAYS) if kind == CAMERA else (kind,)


def is_record_id(text: str) -> bool:
    """Whether a record can have that id."""
    return _is_word(text, MAX_ID)


def check_record_query(query: RecordQuery, limit: int) -> RecordQuery | None:
    """The query with only the words that a record can have; None if no record can match.

    Raises:
        Malformed: ``bad_record`` for a kind; ``bad_limit`` unless 1 ≤ limit ≤ 1,000; ``bad_filter`` for more
            than 1,000 words in a set; ``bad_cursor`` for a position that no record can have.
    """
    check_record_kind(query.kind)
    check_limit(limit)
    for words in (query.terms, *query.any_of):
        if len(words) > MAX_FILTER:
            raise Malformed(
                f"a filter has {len(words)} words", code="bad_filter", hint=f"Give at most {MAX_FILTER}."
            )
    if query.after is not None and not (
        abs(query.after[0]) <= _LARGEST and (not query.after[1] or is_record_id(query.after[1]))
    ):
        raise Malformed("the cursor is not known", code="bad_cursor", hint="Start again without a cursor.")
    terms = tuple(dict.fromkeys(query.terms))
    if len(terms) > MAX_TERMS or not all(_is_word(term, MAX_TERM) for term in terms):
        return None
    any_of = tuple(frozenset(word for word in words if _is_word(word, MAX_TERM)) for words in query.any_of)
    return replace(query, terms=terms, any_of=any_of) if all(any_of) else None


def check_most(most: int) -> int:
    """Accept how far records are counted. Raises Malformed ``bad_limit`` unless 1 ≤ most ≤ 100,000."""
    if not 1 <= most <= MAX_COUNT:
        raise Malformed(
            f"records are not counted up to {most}", code="bad_limit", hint=f"Count up to 1 to {MAX_COUNT}."
        )
    return most


def at_bounds(query: RecordQuery) -> tuple[int, int]:
    """The first and the last ``at`` that a query's span and position admit; the first may be greater."""
    first, last = 0, _LARGEST
    if query.span is not None:
        first, last = max(first, query.span.start), min(last, query.span.end - 1)
    if query.after is not None:
        if query.order is RecordOrder.OLDEST_FIRST:
            first = max(first, query.after[0])
        else:
            last = min(last, query.after[0])
    return first, last


def check_marks(name: str, marks: Mapping[str, int]) -> None:
    """Accept marks. Raises Malformed ``bad_record``."""
    for text in (name, *marks):
        if not (text.isascii() and text.isprintable() and 0 < len(text) <= MAX_ID):
            raise Malformed(
                f"{text[:MAX_ID]!r} cannot name a mark",
                code="bad_record",
                hint=f"Use 1 to {MAX_ID} printable ASCII characters.",
            )
    for number in marks.values():
        if not 0 <= number <= _LARGEST:
            raise Malformed(f"the mark cannot be {number}", code="bad_record", hint="Give 0 to 2^53 - 1.")


def _are_words(terms: Iterable[str]) -> bool:
    """Whether an index can keep each of the terms; checked together, since a rebuild brings millions."""
    lengths = [len(term) for term in terms]
    return 0 < min(lengths) and max(lengths) <= MAX_TERM and _is_storable("".join(terms))


def _is_word(text: str, most: int) -> bool:
    """Whether an index can keep the text as a term."""
    return 0 < len(text) <= most and _is_storable(text)


def _is_storable(text: str) -> bool:
    """Whether there is no NUL, and every character has UTF-8."""
    return "\0" not in text and _has_utf8(text)


def _has_utf8(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _bad_record(record: Record | RecordRow, why: str) -> Malformed:
    return Malformed(
        f"the {record.kind} {record.id[:MAX_ID]!r} cannot be indexed: {why}",
        code="bad_record",
        hint="The archive is not affected; the record is not in the index.",
    )
