"""The part of :class:`search.sqlite.adapter.SqliteIndex` that keeps and finds records."""

from collections.abc import Mapping, Sequence

from archive.canonical import JsonObject
from archive.integrity.rebuild import RecordRow
from archive.ports import Record, RecordQuery
from search.checks import (
    check_marks,
    check_most,
    check_record_kind,
    check_record_query,
    check_record_rows,
    check_records,
    documents_of_stream,
    is_record_id,
)
from search.sqlite import late, record_pages, record_rows
from search.sqlite.database import Database


class RecordPart:
    """See :class:`archive.ports.RecordIndex`."""

    def __init__(self, base: Database, *, filling: bool) -> None:
        self._base = base
        self._filling = filling

    def put_records(self, records: Sequence[Record]) -> None:
        """Index records in one transaction, durable when this returns."""
        rows = check_records(records)
        if records:
            with self._base.write("be written") as connection:
                record_rows.put(connection, rows)
                late.note(connection, "records", late.records_to_bodies(records))

    def load_records(self, rows: Sequence[RecordRow]) -> None:
        """Index very many records in one transaction."""
        check_record_rows(rows)
        with self._base.write("be written") as connection:
            record_rows.put(connection, rows)

    def remove_records(self, kind: str, ids: Sequence[str]) -> None:
        """Remove records; idempotent."""
        check_record_kind(kind)
        doomed = [one for one in ids if is_record_id(one)]
        self._make_unique()
        with self._base.write("be written") as connection:
            record_rows.remove(connection, kind, doomed)
            late.note(connection, "record_removal", [{"kind": kind, "ids": doomed}])

    def remove_streams(self, kind: str, ids: Sequence[str]) -> None:
        """Remove the records and documents of ledger streams in one transaction; idempotent."""
        check_record_kind(kind)
        doomed = [one for one in ids if is_record_id(one)]
        pairs = [(what, name) for what in documents_of_stream(kind) for name in doomed]
        with self._base.write("be written") as connection:
            record_rows.remove(connection, kind, doomed)
            connection.executemany("DELETE FROM documents WHERE kind = ? AND id = ?", pairs)
            late.note(connection, "stream_removal", [{"kind": kind, "ids": doomed}])

    def find_records(self, query: RecordQuery, *, limit: int) -> Sequence[Record]:
        """The first ``limit`` matches in the query's order."""
        checked = check_record_query(query, limit)
        if checked is None:
            return []
        self._make_unique()
        with self._base.read("be searched") as connection:
            return record_pages.page(connection, checked, limit)

    def count_records(self, query: RecordQuery, *, most: int) -> int:
        """How many records match, counted up to ``most``."""
        checked = check_record_query(query, 1)
        check_most(most)
        if checked is None:
            return 0
        self._make_unique()
        with self._base.read("be searched") as connection:
            return record_pages.count(connection, checked, most)

    def record(self, kind: str, name: str) -> Record | None:
        """One record by its id, or None."""
        check_record_kind(kind)
        if not is_record_id(name):
            return None
        self._make_unique()
        with self._base.read("be read") as connection:
            return record_pages.one(connection, kind, name)

    def record_marks(self, name: str) -> Mapping[str, int]:
        """The numbers kept under a name."""
        check_marks(name, {})
        with self._base.read("be read") as connection:
            return record_rows.marks(connection, name)

    def keep_record_marks(self, name: str, marks: Mapping[str, int]) -> None:
        """Keep numbers under a name."""
        check_marks(name, marks)
        with self._base.write("be written") as connection:
            record_rows.keep_marks(connection, name, marks)
            late.note(connection, "record_marks", [{"name": name, "marks": dict(marks)}])

    def _make_unique(self) -> None:
        """A database that is filled may have several rows of one id: who asks early gets what counts."""
        if self._filling:
            with self._base.write("be completed") as connection:
                record_rows.make_unique(connection)

    def apply_to_records(self, kind: str, body: JsonObject) -> None:
        """Apply a note about records (:mod:`search.sqlite.late`)."""
        match kind:
            case "records":
                self.put_records(late.records_from_body(body))
            case "record_removal":
                self.remove_records(body["kind"], body["ids"])
            case "stream_removal":
                self.remove_streams(body["kind"], body["ids"])
            case "record_marks":
                self.keep_record_marks(body["name"], body["marks"])
