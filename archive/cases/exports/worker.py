"""Makes exports: claims one, stores piece after piece, and removes what is over.

A claim ends with its lease, so another worker continues what a dead one began. The state names the pieces
that are made. Every stored clip counts too: its name carries the ETag of the clip and its checksums, and a
clip that is there is not made again. Between two clips the worker looks whether the export was changed.

1. The segments of a piece are read from the index, and its clips are stored.
2. The index is read again: footage that was destroyed meanwhile does not stay
   (:func:`archive.footage.download.export_parts.forget_parts` runs after the index has forgotten it).
3. The state that names the piece is written.
4. After the last piece all are compared with the index and the cache once more, then the export is ready.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from archive.cases.exports.board import ExportBoard, Folder, changed
from archive.cases.exports.model import (
    KEPT,
    OVER,
    TIME_TO_MAKE,
    UNFINISHED,
    Export,
    ExportFile,
    ExportOrder,
    ExportPiece,
    ExportState,
    ExportStatus,
)
from archive.clock import Clock
from archive.errors import ArchiveError, Conflict, IntegrityError, Unavailable
from archive.evidence.stored import Witness
from archive.footage.clip.exact import Clip, NoFootage
from archive.footage.download.bulk import CameraClips, clip_json
from archive.footage.download.checked import sums_of_clip
from archive.footage.download.export_parts import PartName
from archive.footage.download.texts import steady_gaps
from archive.model.custody import Actor, Outcome
from archive.ports import Content, ObjectStore
from archive.records.custody import CustodyWriter
from archive.timespan import HOUR, MINUTE, SECOND, Timespan

LEASE = 5 * MINUTE
TURN = 20 * SECOND
"""How long a turn goes on with pieces: a worker stops, and looks at other people's exports, between turns."""
LOOK = 10 * MINUTE
"""How often what is made is compared with the index, besides at each download."""
SETTLED = 2 * MINUTE
"""How long stored footage must be missing or altered before an export fails for it."""
ACTOR = Actor(id="job:exports", role="host")


@dataclass(frozen=True, slots=True)
class Planned:
    """One camera in one part of the span. ``etag`` names the segments that are there now."""

    camera: str
    span: Timespan
    etag: str
    clips: CameraClips


Plan = Callable[[str, Timespan], Planned]
"""Plans the clips of a camera and a span. Raises as :func:`archive.footage.download.bulk.clips_of`."""
EtagOf = Callable[[str, Timespan], str]
"""Names the segments of a camera and a span that are there now, without reading one."""


@dataclass(slots=True)
class ExportWorker:
    """Makes the exports of one archive, one at a time. ``name`` is unique among workers.

    Owners take turns: the one served longest ago comes first, then the oldest order.
    """

    board: ExportBoard
    cache: ObjectStore
    plan: Plan
    etag_of: EtagOf
    custody: CustodyWriter
    clock: Clock
    name: str
    lease: int = LEASE
    _looked: dict[str, int] = field(default_factory=dict)
    _served: dict[str, int] = field(default_factory=dict)
    _amiss: dict[str, int] = field(default_factory=dict)
    _turns: int = 0

    def run(self) -> int:
        """Do what is due: remove what is over, then make what is queued; returns how much was done.

        Raises:
            Unavailable: the store or the cache does not answer, at least for one export; the others are done.
            IntegrityError, NotFound: what a finished one shows cannot be compared with the index.
        """
        end = self.clock.monotonic() + TURN
        folders = self.board.folders()
        standing = {folder.prefix for folder in folders}
        self._looked = {name: at for name, at in self._looked.items() if name in standing}
        self._amiss = {name: at for name, at in self._amiss.items() if name in standing}
        done = sum(self._tidy(folder) for folder in folders)
        trouble: ArchiveError | None = None
        for folder in folders:
            try:
                done += self._compare(folder)
            except ArchiveError as error:
                trouble = error
        for export in self._queue(folders):
            try:
                done += self._take(export, end)
            except Unavailable as error:
                trouble = error
            self._turns += 1
            self._served[export.order.owner] = self._turns
            if self.clock.monotonic() >= end:
                break
        if trouble is not None:
            raise trouble
        return done

    def _queue(self, folders: Sequence[Folder]) -> list[Export]:
        """What this worker may make now, in the order in which it should."""
        now = self.clock.now()
        found = [
            folder.export
            for folder in folders
            if folder.export is not None
            and folder.export.state.status in {ExportStatus.QUEUED, ExportStatus.RUNNING}
            and (folder.export.state.worker == self.name or now >= folder.export.state.until)
        ]
        return sorted(
            found, key=lambda one: (self._served.get(one.order.owner, -1), one.order.ordered_at, one.order.id)
        )

    def _tidy(self, folder: Folder) -> int:
        """Remove what was kept long enough, what nobody can fetch any more, and what is in pieces."""
        now, export = self.clock.now(), folder.export
        if export is None:
            if folder.order is None or now >= folder.order.ordered_at + HOUR:
                self.board.forget(folder.prefix)  # its writer died, or the cache lost a part of it
                return 1
            return 0
        state = export.state
        if state.status in OVER and now >= state.at + KEPT:
            self.board.forget(folder.prefix)
            return 1
        if state.status is ExportStatus.READY and now >= state.until:
            self.board.forget(folder.prefix)
            return 1
        if state.status in OVER and folder.parts:
            self.board.forget_parts(export.order)
            return 1
        if state.status in UNFINISHED and now >= export.order.ordered_at + TIME_TO_MAKE:
            return self._fail(export, "export_expired", "it was not finished within a day of its order")
        return 0

    def _compare(self, folder: Folder) -> int:
        """Give up what does not show the footage of now: a finished export whole, a paused one in part."""
        export, now = folder.export, self.clock.now()
        if export is None or export.state.status not in {ExportStatus.READY, ExportStatus.PAUSED}:
            return 0
        due = now >= self._looked.get(folder.prefix, 0) + LOOK
        if not due and frozenset(folder.parts) == export.state.keys:
            return 0
        newest = self.board.read(export.order)
        if newest is None or newest.state.status not in {ExportStatus.READY, ExportStatus.PAUSED}:
            return 0
        export = newest
        self._looked[folder.prefix] = now
        stale = changed_pieces(export.state, self.etag_of)
        lost = lost_pieces(export.state, frozenset(self.board.parts(export.order)))
        if export.state.status is ExportStatus.PAUSED:
            kept = without(export.state, [*stale, *lost])
            if kept != export.state and not self._appended(export, kept):
                return 0
            return self.board.forget_parts(export.order, but=kept.keys)
        if stale or lost:
            return self._end(export, ExportStatus.OUTDATED, "export_outdated", outdated_text(stale or lost))
        return self.board.forget_parts(export.order, but=export.state.keys)

    def _take(self, export: Export, end: int) -> int:
        claim = replace(
            export.state,
            status=ExportStatus.RUNNING,
            at=self.clock.now(),
            worker=self.name,
            until=self.clock.now() + self.lease,
        )
        try:
            return self._make(self.board.append(export, claim), end)
        except Conflict:
            return 0  # somebody paused or cancelled it, its footage changed, or another worker was first
        except Unavailable:
            raise
        except ArchiveError as error:
            newest = self.board.read(export.order)
            if newest is None or newest.state.worker != self.name:
                return 0
            if isinstance(error, IntegrityError) and self._is_fresh(export.order):
                return 0
            return self._fail(newest, error.code, error.message)

    def _is_fresh(self, order: ExportOrder) -> bool:
        """Whether this export has found stored footage amiss for less than :data:`SETTLED`.

        Disposition destroys segments before the index forgets them.
        """
        now = self.clock.now()
        return now < self._amiss.setdefault(order.folder, now) + SETTLED

    def _make(self, export: Export, end: int) -> int:
        """Go on with the pieces until the turn ends; at least one."""
        order, made = export.order, 0
        for camera, span in order.pieces():
            if any((piece.camera, piece.span) == (camera, span) for piece in export.state.pieces):
                continue
            if made and self.clock.monotonic() >= end:
                return made
            export = self._piece(export, camera, span)
            made += 1
        stale = changed_pieces(export.state, self.etag_of)
        lost = lost_pieces(export.state, frozenset(self.board.parts(order)))
        kept = without(export.state, [*stale, *lost])
        self.board.forget_parts(order, but=kept.keys)
        if stale or lost:
            self.board.append(export, kept)
            return made
        files = export.state.files
        if not files:
            causes = sorted({gap.cause for piece in export.state.pieces for gap in piece.gaps})
            raise NoFootage(f"none of the cameras has footage in {order.span}: {', '.join(causes)}", ())
        now = self.clock.now()
        pieces = {(piece.camera, piece.span): piece for piece in export.state.pieces}
        in_order = tuple(pieces[one] for one in order.pieces())  # one that was lost was made again, later
        ready = replace(export.state, status=ExportStatus.READY, at=now, until=now + KEPT, pieces=in_order)
        self._record(order, Outcome.DONE, {"files": len(files), "bytes": sum(file.size for file in files)})
        self.board.append(export, ready)
        return made or 1

    def _piece(self, export: Export, camera: str, span: Timespan) -> Export:
        """Store the clips of a piece, and name them in the next state."""
        order = export.order
        planned = self.plan(camera, span)
        stored = {
            (name.camera, name.span, name.etag): name
            for name in map(PartName.of, self.board.parts(order))
            if name is not None
        }
        files: list[ExportFile] = []
        for path, clip in planned.clips.clips:
            export = self._hold(export)
            name = stored.get((camera, clip.asked, _etag(clip)))
            if name is None:
                try:
                    name = self._store(order, clip)
                except IntegrityError:
                    self._require_same(order, planned, files)  # destroyed meanwhile, and so nobody's failure
                    raise
            files.append(
                ExportFile(
                    path=path,
                    span=clip.asked,
                    key=name.key,
                    size=clip.size,
                    sha256=name.sha256,
                    crc32=name.crc32,
                    described=clip_json(path, clip),
                )
            )
        self._require_same(order, planned, files)
        piece = ExportPiece(
            camera=camera,
            span=span,
            etag=planned.etag,
            files=tuple(files),
            gaps=steady_gaps(planned.clips.gaps),
            others=planned.clips.others,
            left_out=planned.clips.left_out,
        )
        now = self.clock.now()
        pieces = (*export.state.pieces, piece)
        return self.board.append(export, replace(export.state, at=now, until=now + self.lease, pieces=pieces))

    def _require_same(self, order: ExportOrder, planned: Planned, files: Sequence[ExportFile]) -> None:
        """Look at the index again. Raises Conflict if the footage changed; then no clip of it stays."""
        if self.etag_of(planned.camera, planned.span) != planned.etag:
            self.board.forget_these(order, frozenset(file.key for file in files))
            raise changed(order)

    def _hold(self, export: Export) -> Export:
        """The claim, renewed when half of it has passed. Raises Conflict if the export was changed."""
        if self.board.newest(export) != export.number:
            raise changed(export.order)
        now = self.clock.now()
        if export.state.until - now > self.lease // 2:
            return export
        return self.board.append(export, replace(export.state, at=now, until=now + self.lease))

    def _store(self, order: ExportOrder, clip: Clip) -> PartName:
        sums = sums_of_clip(clip)
        name = PartName(
            folder=order.folder,
            camera=clip.camera,
            span=clip.asked,
            etag=_etag(clip),
            sha256=sums.sha256,
            crc32=sums.crc32,
        )
        witness = Witness(clip.stream, clip.size)
        self.cache.put(name.key, Content(clip.size, sums.sha256, witness.open))
        return name

    def _fail(self, export: Export, code: str, message: str) -> int:
        return self._end(export, ExportStatus.FAILED, code, message)

    def _end(self, export: Export, status: ExportStatus, code: str, message: str) -> int:
        ended = ExportState(status=status, at=self.clock.now(), code=code, message=message)
        if not self._appended(export, ended):
            return 0
        self._record(export.order, Outcome.FAILED, {"code": code})
        self.board.forget_parts(export.order)
        return 1

    def _appended(self, export: Export, state: ExportState) -> bool:
        try:
            self.board.append(export, state)
        except Conflict:
            return False  # somebody else changed it; the next turn looks again
        return True

    def _record(self, order: ExportOrder, outcome: Outcome, details: dict[str, str | int]) -> None:
        self.custody.record(
            "export.made",
            actor=ACTOR,
            objects=(order.id, *order.cameras),
            purpose=order.purpose,
            outcome=outcome,
            details={**order.span.to_json(), "owner": order.owner, "worker": self.name, **details},
        )


def changed_pieces(state: ExportState, etag_of: EtagOf) -> list[ExportPiece]:
    """The pieces whose segments are not those of the time when the export was made."""
    return [piece for piece in state.pieces if etag_of(piece.camera, piece.span) != piece.etag]


def lost_pieces(state: ExportState, stored: frozenset[str]) -> list[ExportPiece]:
    """The pieces of which a clip is not stored any more."""
    return [piece for piece in state.pieces if any(file.key not in stored for file in piece.files)]


def without(state: ExportState, pieces: Sequence[ExportPiece]) -> ExportState:
    """The state without these pieces."""
    return replace(state, pieces=tuple(piece for piece in state.pieces if piece not in pieces))


def outdated_text(pieces: Sequence[ExportPiece]) -> str:
    """Which footage changed, for people: the first of it."""
    first = pieces[0]
    more = f" and {len(pieces) - 1} more parts" if len(pieces) > 1 else ""
    return f"footage of {first.camera} in {first.span}{more} was destroyed, or more of it arrived"


def _etag(clip: Clip) -> str:
    return clip.etag.strip('"')
