"""The part of :class:`search.elastic.adapter.ElasticIndex` that keeps and finds records."""

from collections.abc import Mapping, Sequence

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
from search.elastic import names, record_documents
from search.elastic.cluster import Cluster


class RecordPart:
    """See :class:`archive.ports.RecordIndex`."""

    _cluster: Cluster
    _rebuilding: bool

    def put_records(self, records: Sequence[Record]) -> None:
        """Index records; returns at the next refresh, within about 0.2 s: put many at a time."""
        record_documents.put(self._cluster, check_records(records), searchable=not self._rebuilding)

    def load_records(self, rows: Sequence[RecordRow]) -> None:
        """Index very many records; they are not searchable before :meth:`loaded`."""
        check_record_rows(rows)
        record_documents.put(self._cluster, rows, searchable=False)

    def remove_records(self, kind: str, ids: Sequence[str]) -> None:
        """Remove records, also from a rebuild in progress; idempotent."""
        check_record_kind(kind)
        record_documents.remove(self._cluster, kind, [one for one in ids if is_record_id(one)])

    def remove_streams(self, kind: str, ids: Sequence[str]) -> None:
        """Remove the records and documents of ledger streams, also from a rebuild in progress; idempotent."""
        check_record_kind(kind)
        doomed = [one for one in ids if is_record_id(one)]
        record_documents.remove(self._cluster, kind, doomed, documents=documents_of_stream(kind))

    def find_records(self, query: RecordQuery, *, limit: int) -> Sequence[Record]:
        """The first ``limit`` matches in the query's order."""
        checked = check_record_query(query, limit)
        if checked is None:
            return []
        self._make_searchable()
        return record_documents.find(self._cluster, checked, limit)

    def count_records(self, query: RecordQuery, *, most: int) -> int:
        """How many records match, counted up to ``most``."""
        checked = check_record_query(query, 1)
        check_most(most)
        if checked is None:
            return 0
        self._make_searchable()
        return record_documents.count(self._cluster, checked, most)

    def record(self, kind: str, name: str) -> Record | None:
        """One record by its id, or None."""
        check_record_kind(kind)
        if not is_record_id(name):
            return None
        self._make_searchable()
        return record_documents.one(self._cluster, kind, name)

    def record_marks(self, name: str) -> Mapping[str, int]:
        """The numbers kept under a name."""
        check_marks(name, {})
        return record_documents.marks(self._cluster, name)

    def keep_record_marks(self, name: str, marks: Mapping[str, int]) -> None:
        """Keep numbers under a name."""
        check_marks(name, marks)
        record_documents.keep_marks(self._cluster, name, marks)

    def _make_searchable(self) -> None:
        """A fresh index is not refreshed while it is filled."""
        if self._rebuilding:
            self._cluster.refresh([names.RECORDS])
