"""The interface of every index.

Adapters do not inherit from :class:`Index`; mypy and ``tests/conformance/test_index.py`` hold them to it.
All are thread-safe, and several processes may use one index at once. Every method raises only errors of
:mod:`archive.errors`: ``Unavailable`` (``index_unavailable``, ``index_busy``) if the server or the disk
does not answer, ``StoreFull`` (``index_full``) if it has no room, ``IntegrityError``
(``index_damaged``) if a rebuild is needed, ``Malformed`` for invalid ids.

**Reading while it is written.** To conclude that footage is missing, a reader reads ``high_water`` *first*,
and segments and gaps after it: each write makes its segments visible before it raises the high-water mark.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from archive.canonical import JsonObject
from archive.integrity.rebuild import RecordRow, SegmentRow
from archive.model.gap import Gap
from archive.model.segment import Run, SegmentRef
from archive.ports import IndexEntry, RecordIndex, SegmentIndex
from archive.timespan import Timespan
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


class Index(SegmentIndex, RecordIndex, Protocol):
    """The whole index: segments, runs, gaps, records, documents, heartbeats and cursors.

    It extends the two parts that the archive itself uses, so that one object serves both. *Records* are what
    is written down and searched, such as custody events and requests (:class:`archive.ports.RecordIndex`);
    a *document* is the newest state of a ledger stream, found by its id. :meth:`rebuild` replaces records
    and their marks with everything else, and carries over what is written to this index meanwhile.
    """

    # Segments, gaps and runs -------------------------------------------------------------------------

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent. Every query sees them when this returns.

        A segment is identified by (run, seq), a run by its id: of two entries the last one added counts. A
        gap is identified by its id: the later end counts, in whatever order they come. After an error any
        part may be written, and the caller may add the same entries again.

        Raises:
            Malformed: ``bad_id``, or ``segment_too_long`` for one longer than an hour.
        """
        ...

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """Remove segments that the archive destroyed (disposition, step 4); idempotent.

        The high-water mark stays: that time has been accounted for.
        """
        ...

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """Mark these segments as under legal hold; idempotent, unknown ones are ignored.

        Every query sees it when this returns, and so do the counts of :meth:`hours`.
        """
        ...

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """Mark these segments as under no hold; as :meth:`mark_held`."""
        ...

    def segment(self, run: str, seq: int) -> SegmentRef | None:
        """One segment, or None."""
        ...

    def run(self, run: str) -> Run | None:
        """The record of a finished run, with the reason for its end; None while it continues."""
        ...

    def high_water(self, camera: str) -> int | None:
        """The latest end ever added of any segment or gap of the camera; None if there is none."""
        ...

    def high_waters(self, cameras: Iterable[str]) -> Mapping[str, int]:
        """The same for many cameras at once; those without one are left out."""
        ...

    # Questions ---------------------------------------------------------------------------------------

    def search(self, query: SegmentQuery, *, limit: int = 100, cursor: str | None = None) -> Page:
        """One page of matches in order of (start, camera, run, seq).

        Following the cursors returns every segment that existed at the start exactly once, even during writes
        and across the switch at the end of a rebuild.

        Raises:
            Malformed: ``bad_limit`` unless 1 ≤ limit ≤ 1,000; ``bad_cursor``.
        """
        ...

    def runs(self, query: SegmentQuery) -> tuple[RunCoverage, ...]:
        """Coverage, aggregated inside the index: ordered by camera, then start.

        One item per run, or several if segments of the run are missing: a stretch never spans a segment
        that the index does not hold.
        """
        ...

    def pauses(self, query: SegmentQuery) -> tuple[Pause, ...]:
        """Pauses of the segments that match, as stated (not clipped), ordered by (camera, start, run).

        What it costs depends on how many segments state one, which few do.
        """
        ...

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        """Gap records that overlap the span, as recorded (not clipped), ordered by (start, camera, gap)."""
        ...

    def cameras(self, query: SegmentQuery) -> tuple[str, ...]:
        """Cameras with a segment or a gap record that matches, by id."""
        ...

    def hours(self, query: SegmentQuery) -> tuple[HourCoverage, ...]:
        """Coverage per camera and UTC hour, for every hour that the span touches and that has records.

        Hours are whole: a span that begins inside an hour counts all of it. Ordered by (camera, hour).
        """
        ...

    def footage_sums(self, query: SegmentQuery, step: int, origin: int) -> tuple[FootageSum, ...]:
        """The footage of :meth:`hours` summed over buckets of ``step`` µs that are counted from ``origin``.

        Both are whole hours. Buckets without footage are left out. Ordered by (camera, start). A month of a
        thousand cameras is thirty thousand sums, where it is seven hundred thousand hours.
        """
        ...

    def settle_hours(self) -> int:
        """Store what :meth:`hours` would compute now, so that it need not; returns the number of hours.

        0 if no hour is stale, or another process is doing it. Answers do not change. Late segments, removals
        and marks make the hours that they touch stale.
        """
        ...

    def standing(self, camera: str) -> Standing:
        """The camera's document and high-water mark together; read it before :meth:`records`."""
        ...

    def records(self, camera: str, span: Timespan) -> Records:
        """Gap records and segments that overlap the span, together: as ``gaps`` and ``segments``."""
        ...

    def reading(self, camera: str, span: Timespan) -> tuple[Standing, Records]:
        """:meth:`standing`, and then :meth:`records`: all that an answer about one camera's span needs."""
        ...

    # Documents, recorders ----------------------------------------------------------------------------

    def document(self, kind: str, entity: str) -> Document | None:
        """The newest known state of a ledger stream, or None."""
        ...

    def documents(self, kind: str) -> Iterator[Document]:
        """All of a kind, by id."""
        ...

    def documents_mark(self, kind: str) -> str:
        """A mark of all of a kind: it is another one once one of them was put in a newer version, or is new.

        To read it costs far less than to read them. It says nothing of removals.
        """
        ...

    def put_heartbeat(self, recorder: str, at: int, state: JsonObject) -> None:
        """Keep a recorder's heartbeat; one with an earlier ``at`` than the kept one changes nothing."""
        ...

    def heartbeats(self) -> tuple[Heartbeat, ...]:
        """The last heartbeat of every recorder, by id."""
        ...

    def cursor(self, recorder: str) -> int:
        """The number of the recorder's last journal batch that is wholly in the index; 0 for none."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Record that a batch is wholly in the index; the cursor never goes back."""
        ...

    # The index itself --------------------------------------------------------------------------------

    def rebuild(self) -> "AbstractContextManager[Index]":
        """A fresh, empty index to fill; it replaces this one when the block ends without an exception.

        Until then readers and writers of this index, in every process, are not affected; from then on they
        use the fresh one. Writes made to this index meanwhile, and all heartbeats, are carried over. After
        an exception the fresh index is dropped and this one stays in use.

        Of two simultaneous rebuilds the one begun later wins; the other fails with Conflict
        ``rebuild_superseded``. If a rebuild was killed, the next one resumes it: then the index is not
        empty, and :meth:`rebuild_state` returns its progress.
        """
        ...

    def load(self, rows: Sequence[SegmentRow]) -> None:
        """Index very many segments in a fresh index: stored after :meth:`settle`, found after :meth:`loaded`.

        Raises:
            Malformed: ``segment_too_long`` for one longer than an hour; none is indexed.
        """
        ...

    def load_records(self, rows: Sequence[RecordRow]) -> None:
        """Index very many records in a fresh index, stored when this returns, found after :meth:`loaded`.

        Raises:
            Malformed: ``bad_record`` as :meth:`archive.ports.RecordIndex.put_records`; none is indexed.
        """
        ...

    def settle(self) -> None:
        """Return once every loaded segment is stored. Raises the errors of loading; then load again."""
        ...

    def loaded(self) -> None:
        """Make the loaded segments searchable, and searches fast."""
        ...

    def segments_by_hour(self, camera: str) -> Mapping[int, int]:
        """The number of segments of the camera that start in each UTC hour."""
        ...

    def rebuild_state(self) -> JsonObject | None:
        """The state last stored with :meth:`keep_rebuild_state` in this index; None without one."""
        ...

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """Store the progress of the rebuild that fills this index; it is gone once the index is in use."""
        ...

    def is_whole(self) -> bool:
        """Whether the mark of :meth:`mark_whole` is there, and nothing that was stored beside it is gone.

        A new index, one that was emptied and one of another version have no mark.
        """
        ...

    def mark_whole(self) -> None:
        """Mark that this index holds the whole archive: at the end of a rebuild, or for a new archive."""
        ...

    def compared_at(self) -> int | None:
        """The latest time (µs) at which the index was compared with the journals and lacked nothing; or None.

        It is part of the index, so an old copy that is put back has an old one.
        """
        ...

    def keep_compared_at(self, at: int) -> None:
        """Store that time; an earlier one changes nothing."""
        ...

    def compact(self, now: int) -> int:
        """Make past months take less room; answers do not change, and the work goes on after the return.

        Returns the number of months that are worked on; 0 if none needs it.
        """
        ...

    def status(self) -> IndexStatus:
        """The contents of the index in figures, for people and for ``doctor``."""
        ...

    def close(self) -> None:
        """Close connections; the index must not be used afterwards."""
        ...
