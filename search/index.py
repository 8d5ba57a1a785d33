"""What every index answers, whatever it is made of.

Adapters do not inherit from :class:`Index`; mypy and ``tests/conformance/test_index.py`` hold them to it.
All are thread-safe and may be used by several processes at once. Every method raises only
:mod:`archive.errors`: ``Unavailable`` (``index_unavailable``, ``index_busy``) where the server or the disk
does not answer, ``StoreFull`` (``index_full``) where it has no room, ``IntegrityError``
(``index_damaged``) where a rebuild is due, ``Malformed`` for ids that cannot be ids.

**Reading while it is written.** Whoever derives "missing" from the index reads ``high_water`` *first* and
segments and gaps after it: each write makes its segments visible before its high-water mark.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

from archive.canonical import JsonObject
from archive.integrity.rebuild import SegmentRow
from archive.model.gap import Gap
from archive.model.segment import Run, SegmentRef
from archive.ports import IndexEntry, SegmentIndex
from archive.timespan import Timespan
from search.query import (
    Document,
    Heartbeat,
    HourCoverage,
    IndexStatus,
    Page,
    Records,
    RunCoverage,
    SegmentQuery,
    Standing,
)


class Index(SegmentIndex, Protocol):
    """The whole index: segments, runs, gaps, documents, heartbeats and cursors."""

    # Segments, gaps and runs -------------------------------------------------------------------------

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent, visible to every query when this returns.

        A segment is known by (run, seq) and a run by its id: of two entries the one added last holds. A gap
        is known by its id: the later end holds, whatever the order. All of one call is written or,
        after an error, may be added again.

        Raises:
            Malformed: ``bad_id``, or ``segment_too_long`` for one of more than an hour.
        """
        ...

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """Forget segments that the archive destroyed (disposition, step 4); idempotent.

        The high-water mark stays: that time has been accounted for.
        """
        ...

    def mark_held(self, segments: Iterable[SegmentRef]) -> None:
        """Say that these segments are under legal hold; idempotent, unknown ones are passed over.

        Visible to every query when this returns, the counts of :meth:`hours` included.
        """
        ...

    def mark_free(self, segments: Iterable[SegmentRef]) -> None:
        """Say that no hold covers these segments; as :meth:`mark_held`."""
        ...

    def segment(self, run: str, seq: int) -> SegmentRef | None:
        """One segment, or None."""
        ...

    def run(self, run: str) -> Run | None:
        """The record of a finished run, with the reason for its end; None while it goes on."""
        ...

    def high_water(self, camera: str) -> int | None:
        """The latest end ever added of any segment or gap of the camera; None where nothing is known."""
        ...

    def high_waters(self, cameras: Iterable[str]) -> Mapping[str, int]:
        """The same for many cameras at once; those without one are left out."""
        ...

    # Questions ---------------------------------------------------------------------------------------

    def search(self, query: SegmentQuery, *, limit: int = 100, cursor: str | None = None) -> Page:
        """One page of matches in order of (start, camera, run, seq).

        Following the cursors gives every segment that was there at the start exactly once, while writes go
        on and across the switch at the end of a rebuild.

        Raises:
            Malformed: ``bad_limit`` unless 1 ≤ limit ≤ 1,000; ``bad_cursor``.
        """
        ...

    def runs(self, query: SegmentQuery) -> tuple[RunCoverage, ...]:
        """What is covered, aggregated where the segments lie: ordered by camera, then start.

        One item per run, or several where segments of the run are missing: a stretch never spans a segment
        that the index does not hold.
        """
        ...

    def gap_records(self, query: SegmentQuery) -> tuple[Gap, ...]:
        """Gap records that overlap the span, as recorded (not clipped), ordered by (start, camera, gap)."""
        ...

    def cameras(self, query: SegmentQuery) -> tuple[str, ...]:
        """Cameras with a segment or a gap record that matches, by id."""
        ...

    def hours(self, query: SegmentQuery) -> tuple[HourCoverage, ...]:
        """Coverage per camera and UTC hour, for every hour that the span touches and something is known of.

        Hours are whole: a span that begins within one counts the whole of it. Ordered by (camera, hour).
        """
        ...

    def settle_hours(self) -> int:
        """Keep what :meth:`hours` would compute now, so that it need not; how many hours there were.

        0 where nothing is stale, or another process is about it. Nothing that is answered changes. Late
        segments, removals and marks unsettle the hours they touch.
        """
        ...

    def standing(self, camera: str) -> Standing:
        """What is asked before :meth:`records`, in one turn: the camera's document and high-water mark."""
        ...

    def records(self, camera: str, span: Timespan) -> Records:
        """Gap records and segments that overlap the span, in one turn: as ``gaps`` and ``segments``."""
        ...

    # Documents, recorders ----------------------------------------------------------------------------

    def document(self, kind: str, entity: str) -> Document | None:
        """The newest known state of a ledger stream, or None."""
        ...

    def documents(self, kind: str) -> Iterator[Document]:
        """All of a kind, by id."""
        ...

    def put_heartbeat(self, recorder: str, at: int, state: JsonObject) -> None:
        """Keep a recorder's sign of life; an earlier ``at`` than the one kept changes nothing."""
        ...

    def heartbeats(self) -> tuple[Heartbeat, ...]:
        """The last sign of life of every recorder, by id."""
        ...

    def cursor(self, recorder: str) -> int:
        """The number of the recorder's last journal batch that is wholly in the index; 0 for none."""
        ...

    def advance_cursor(self, recorder: str, batch: int) -> None:
        """Say that a batch is wholly in the index; never goes back."""
        ...

    # The index itself --------------------------------------------------------------------------------

    def rebuild(self) -> AbstractContextManager[Self]:
        """A fresh, empty index to fill; it takes this one's place when the block ends without an exception.

        Until then readers and writers of this index, in every process, notice nothing; from then on they use
        the fresh one. What others wrote to this index meanwhile, and all heartbeats, are carried over. After
        an exception the fresh index is dropped and this one goes on.

        Of two rebuilds at once the one begun later wins; the other fails with Conflict
        ``rebuild_superseded``. Where one was killed, the next goes on with what it left: then the index is
        not empty, and :meth:`rebuild_state` says how far it is.
        """
        ...

    def load(self, rows: Sequence[SegmentRow]) -> None:
        """Index very many segments, in a fresh index: kept after :meth:`settle`, found after :meth:`loaded`.

        Raises:
            Malformed: ``segment_too_long`` for one of more than an hour; none is indexed.
        """
        ...

    def settle(self) -> None:
        """Return when all that was loaded is kept. Raises what came of it; it may then be loaded again."""
        ...

    def loaded(self) -> None:
        """Make what was loaded findable, and quick to find."""
        ...

    def segments_by_hour(self, camera: str) -> Mapping[int, int]:
        """How many segments of the camera start in each UTC hour."""
        ...

    def rebuild_state(self) -> JsonObject | None:
        """What was last kept with :meth:`keep_rebuild_state` in this index; None where nothing was."""
        ...

    def keep_rebuild_state(self, state: JsonObject) -> None:
        """Keep how far the rebuild is that fills this index; gone once it is in use."""
        ...

    def status(self) -> IndexStatus:
        """What it holds, for people and for ``doctor``."""
        ...

    def close(self) -> None:
        """Let go of connections; the index is not used afterwards."""
        ...
