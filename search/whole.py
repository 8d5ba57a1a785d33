"""An index that answers only while it is whole (:mod:`search.wholeness`)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager

from archive.canonical import JsonObject
from archive.integrity.rebuild import RecordRow, SegmentRow
from archive.model.gap import Gap
from archive.model.segment import Run, SegmentRef
from archive.ports import IndexEntry, Record, RecordQuery
from archive.timespan import Timespan
from search.index import Index
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
from search.wholeness import Wholeness


class WholeIndex:
    """An index that raises Unavailable ``index_incomplete`` for questions while it is not whole.

    Writes, heartbeats, cursors, marks, the status and a rebuild pass.
    """

    def __init__(self, index: Index, wholeness: Wholeness) -> None:
        self._index = index
        self._whole = wholeness

    @property
    def _asked(self) -> Index:
        self._whole.require()
        return self._index

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """As :meth:`search.index.Index.segments`."""
        return self._asked.segments(camera, span)

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """As :meth:`search.index.Index.gaps`."""
        return self._asked.gaps(camera, span)

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """As :meth:`search.index.Index.put_document`."""
        self._index.put_document(kind, entity, version, state)
        self._whole.written()

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """As :meth:`search.index.Index.add`."""
        self._index.add(entries)

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """As :meth:`search.index.Index.remove`."""
        self._index.remove(segments)

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """As :meth:`search.index.Index.mark_held`."""
        self._index.mark_held(segments)

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """As :meth:`search.index.Index.mark_free`."""
        self._index.mark_free(segments)

    def segment(self, run: str, seq: int) -> SegmentRef | None:
        """As :meth:`search.index.Index.segment`."""
        return self._asked.segment(run, seq)

    def run(self, run: str) -> Run | None:
        """As :meth:`search.index.Index.run`."""
        return self._asked.run(run)

    def high_water(self, camera: str) -> int | None:
        """As :meth:`search.index.Index.high_water`."""
        return self._asked.high_water(camera)

    def high_waters(self, cameras: Iterable[str]) -> Mapping[str, int]:
        """As :meth:`search.index.Index.high_waters`."""
        return self._asked.high_waters(cameras)

    def search(self, query: SegmentQuery, *, limit: int = 100, cursor: str | None = None) -> Page:
        """As :meth:`search.index.Index.search`."""
        return self._asked.search(query, limit=limit, cursor=cursor)

    def runs(self, query: SegmentQuery) -> tuple[RunCoverage, ...]:
        """As :meth:`search.index.Index.runs`."""
        return self._asked.runs(query)

    def pauses(self, query: SegmentQuery) -> tuple[Pause, ...]:
        """As :meth:`search.index.Index.pauses`."""
        return self._asked.pauses(query)

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        """As :meth:`search.index.Index.gap_records`."""
        return self._asked.gap_records(query)

    def cameras(self, query: SegmentQuery) -> tuple[str, ...]:
        """As :meth:`search.index.Index.cameras`."""
        return self._asked.cameras(query)

    def hours(self, query: SegmentQuery) -> tuple[HourCoverage, ...]:
        """As :meth:`search.index.Index.hours`."""
        return self._asked.hours(query)

    def footage_sums(self, query: SegmentQuery, step: int, origin: int) -> tuple[FootageSum, ...]:
        """As :meth:`search.index.Index.footage_sums`."""
        return self._asked.footage_sums(query, step, origin)

    def settle_hours(self) -> int:
        """As :meth:`search.index.Index.settle_hours`."""
        return self._index.settle_hours()

    def standing(self, camera: str) -> Standing:
        """As :meth:`search.index.Index.standing`."""
        return self._asked.standing(camera)

    def records(self, camera: str, span: Timespan) -> Records:
        """As :meth:`search.index.Index.records`."""
        return self._asked.records(camera, span)

    def reading(self, camera: str, span: Timespan) -> tuple[Standing, Records]:
        """As :meth:`search.index.Index.reading`; the mark is looked at meanwhile, if that is due."""
        with self._whole.beside():
            return self._index.reading(camera, span)

    def put_records(self, records: Sequence[Record]) -> None:
        """As :meth:`search.index.Index.put_records`."""
        self._index.put_records(records)

    def remove_records(self, kind: str, ids: Sequence[str]) -> None:
        """As :meth:`search.index.Index.remove_records`."""
        self._index.remove_records(kind, ids)

    def remove_streams(self, kind: str, ids: Sequence[str]) -> None:
        """As :meth:`search.index.Index.remove_streams`."""
        self._index.remove_streams(kind, ids)

    def find_records(self, query: RecordQuery, *, limit: int) -> Sequence[Record]:
        """As :meth:`search.index.Index.find_records`."""
        self._whole.require_records()
        return self._index.find_records(query, limit=limit)

    def count_records(self, query: RecordQuery, *, most: int) -> int:
        """As :meth:`search.index.Index.count_records`."""
        self._whole.require_records()
        return self._index.count_records(query, most=most)

    def record(self, kind: str, name: str) -> Record | None:
        """As :meth:`search.index.Index.record`."""
        self._whole.require_records()
        return self._index.record(kind, name)

    def record_marks(self, name: str) -> Mapping[str, int]:
        """As :meth:`search.index.Index.record_marks`."""
        return self._index.record_marks(name)

    def keep_record_marks(self, name: str, marks: Mapping[str, int]) -> None:
        """As :meth:`search.index.Index.keep_record_marks`."""
        self._index.keep_record_marks(name, marks)

    def document(self, kind: str, entity: str) -> Document | None:
        """As :meth:`search.index.Index.document`."""
        return self._asked.document(kind, entity)

    def documents(self, kind: str) -> Iterator[Document]:
        """As :meth:`search.index.Index.documents`."""
        return self._asked.documents(kind)

    def documents_mark(self, kind: str) -> str:
        """As :meth:`search.index.Index.documents_mark`."""
        return self._asked.documents_mark(kind)

    def put_heartbeat(self, recorder: str, at: int, state: JsonObject) -> None:
        """As :meth:`search.index.Index.put_heartbeat`."""
        self._index.put_heartbeat(recorder, at, state)

    def heartbeats(self) -> tuple[Heartbeat, ...]:
        """As :meth:`search.index.Index.heartbeats`."""
        return self._index.heartbeats()

    def cursor(self, recorder: str) -> int:
        """As :meth:`search.index.Index.cursor`."""
        return self._index.cursor(recorder)

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """As :meth:`search.index.Index.advance_cursor`."""
        self._index.advance_cursor(recorder, batch)

    def rebuild(self) -> AbstractContextManager[Index]:
        """As :meth:`search.index.Index.rebuild`."""
        return self._index.rebuild()

    def load(self, rows: Sequence[SegmentRow]) -> None:
        """As :meth:`search.index.Index.load`."""
        self._index.load(rows)

    def load_records(self, rows: Sequence[RecordRow]) -> None:
        """As :meth:`search.index.Index.load_records`."""
        self._index.load_records(rows)

    def settle(self) -> None:
        """As :meth:`search.index.Index.settle`."""
        self._index.settle()

    def loaded(self) -> None:
        """As :meth:`search.index.Index.loaded`."""
        self._index.loaded()

    def segments_by_hour(self, camera: str) -> Mapping[int, int]:
        """As :meth:`search.index.Index.segments_by_hour`."""
        return self._asked.segments_by_hour(camera)

    def rebuild_state(self) -> JsonObject | None:
        """As :meth:`search.index.Index.rebuild_state`."""
        return self._index.rebuild_state()

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """As :meth:`search.index.Index.keep_rebuild_state`."""
        self._index.keep_rebuild_state(state)

    def is_whole(self) -> bool:
        """As :meth:`search.index.Index.is_whole`."""
        return self._index.is_whole()

    def mark_whole(self) -> None:
        """As :meth:`search.index.Index.mark_whole`."""
        self._index.mark_whole()

    def compared_at(self) -> int | None:
        """As :meth:`search.index.Index.compared_at`."""
        return self._index.compared_at()

    def keep_compared_at(self, at: int) -> None:
        """As :meth:`search.index.Index.keep_compared_at`."""
        self._index.keep_compared_at(at)

    def compact(self, now: int) -> int:
        """As :meth:`search.index.Index.compact`."""
        return self._index.compact(now)

    def status(self) -> IndexStatus:
        """As :meth:`search.index.Index.status`."""
        return self._index.status()

    def close(self) -> None:
        """As :meth:`search.index.Index.close`."""
        self._index.close()
