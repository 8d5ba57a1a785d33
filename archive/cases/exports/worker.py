"""Makes exports: claims one, stores clip after clip, and removes what is over.

A claim ends with its lease, so another worker continues what a dead one began. Every stored clip counts:
its name carries the ETag of the clip and its checksums, and a clip that is there is not made again. Between
two clips the worker looks whether the export was paused or cancelled.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from archive.cases.exports.board import ExportBoard
from archive.cases.exports.model import (
    KEPT,
    OVER,
    PIECE,
    UNFINISHED,
    Export,
    ExportFile,
    ExportOrder,
    ExportPiece,
    ExportState,
    ExportStatus,
)
from archive.clock import Clock
from archive.errors import ArchiveError, Conflict, Unavailable
from archive.evidence.stored import Witness
from archive.footage.clip.exact import SHORTEST, Clip, NoFootage
from archive.footage.download.bulk import CameraClips
from archive.footage.download.checked import Sums, sums_of_clip
from archive.footage.download.texts import steady_gaps
from archive.model.custody import Actor, Outcome
from archive.ports import Content, ObjectStore
from archive.records.custody import CustodyWriter
from archive.timespan import MINUTE, Timespan

LEASE = 10 * MINUTE
_PART = re.compile(r".*/part/([0-9a-f]{64})_([0-9a-f]{64})_([0-9a-f]{8})\.mp4\Z")


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
    """Makes the exports of one archive, one at a time. ``name`` is unique among workers."""

    board: ExportBoard
    cache: ObjectStore
    plan: Plan
    etag_of: EtagOf
    custody: CustodyWriter
    clock: Clock
    name: str
    lease: int = LEASE

    def run(self) -> int:
        """Do what is due: remove what is over, then make what is queued; returns how much was done.

        Raises:
            Unavailable: the store or the cache does not answer; the claim lapses with its lease.
        """
        done = 0
        for export in list(self.board.every()):
            done += self._settle(export) if export.state.status not in UNFINISHED else self._take(export)
        return done

    def _settle(self, export: Export) -> int:
        """Remove what was kept long enough, and the parts of what nobody can fetch any more."""
        order, state, now = export.order, export.state, self.clock.now()
        if now >= max(state.until, state.at) + (KEPT if state.status in OVER else 0):
            self.board.forget(order)
            return 1
        if state.status in OVER:
            if not self.board.parts(order):
                return 0
            self.board.forget_parts(order)
            return 1
        outdated = changed_pieces(state, self.etag_of)
        if not outdated:
            return 0
        self._end(export, ExportStatus.OUTDATED, "export_outdated", outdated_text(outdated))
        self.board.forget_parts(order)
        return 1

    def _take(self, export: Export) -> int:
        state, now = export.state, self.clock.now()
        if state.status is ExportStatus.PAUSED or (state.worker != self.name and now < state.until):
            return 0
        try:
            claimed = self._claim(export)
            return self._make(claimed)
        except Conflict:
            return 0  # somebody paused or cancelled it, or another worker was first
        except Unavailable:
            raise
        except ArchiveError as error:
            newest = self.board.find(export.order.owner, export.order.id)
            if newest.state.status is ExportStatus.RUNNING and newest.state.worker == self.name:
                self._end(newest, ExportStatus.FAILED, error.code, error.message)
            return 1

    def _claim(self, export: Export) -> Export:
        until = self.clock.now() + self.lease
        status = ExportStatus.RUNNING
        return self.board.append(
            export, replace(export.state, status=status, at=self.clock.now(), worker=self.name, until=until)
        )

    def _make(self, export: Export) -> int:
        order = export.order
        planned = [self.plan(camera, span) for camera in order.cameras for span in spans_of(order.span)]
        clips = [clip for one in planned for _, clip in one.clips.clips]
        if not clips:
            causes = sorted({gap.cause for one in planned for gap in one.clips.gaps})
            raise NoFootage(f"none of the cameras has footage in {order.span}: {', '.join(causes)}", ())
        size = sum(clip.size for clip in clips)
        export = self.board.append(export, replace(export.state, files=len(clips), bytes=size))
        stored = {match[1]: (key, match) for key in self.board.parts(order) if (match := _PART.match(key))}
        pieces: list[ExportPiece] = []
        for one in planned:
            files: list[ExportFile] = []
            for path, clip in one.clips.clips:
                export = self._hold(export)
                known = stored.get(_name(clip))
                if known is None:
                    key, sums = self._store(order, clip)
                else:
                    key, sums = known[0], Sums(known[1][2], int(known[1][3], 16))
                files.append(
                    ExportFile(
                        path=path,
                        span=clip.asked,
                        key=key,
                        size=clip.size,
                        sha256=sums.sha256,
                        crc32=sums.crc32,
                    )
                )
            gaps = steady_gaps(one.clips.gaps)
            pieces.append(
                ExportPiece(camera=one.camera, span=one.span, etag=one.etag, files=tuple(files), gaps=gaps)
            )
        now = self.clock.now()
        done = replace(
            export.state, status=ExportStatus.READY, at=now, until=now + KEPT, pieces=tuple(pieces)
        )
        self._record(order, Outcome.DONE, {"files": len(clips), "bytes": size})
        self.board.append(export, done)
        return 1

    def _hold(self, export: Export) -> Export:
        """The claim, renewed when half of it has passed. Raises Conflict if the export was changed."""
        newest = self.board.find(export.order.owner, export.order.id)
        if newest.number != export.number:
            raise Conflict(f"the export {export.order.id} was changed", code="export_changed")
        if export.state.until - self.clock.now() > self.lease // 2:
            return export
        return self._claim(export)

    def _store(self, order: ExportOrder, clip: Clip) -> tuple[str, Sums]:
        sums = sums_of_clip(clip)
        key = f"{order.prefix}part/{_name(clip)}_{sums.sha256}_{sums.crc32:08x}.mp4"
        witness = Witness(clip.stream, clip.size)
        self.cache.put(key, Content(clip.size, sums.sha256, witness.open))
        return key, sums

    def _end(self, export: Export, status: ExportStatus, code: str, message: str) -> None:
        ended = ExportState(
            status=status,
            at=self.clock.now(),
            files=export.state.files,
            bytes=export.state.bytes,
            code=code,
            message=message,
        )
        self._record(export.order, Outcome.FAILED, {"code": code})
        self.board.append(export, ended)

    def _record(self, order: ExportOrder, outcome: Outcome, details: dict[str, str | int]) -> None:
        self.custody.record(
            "export.made",
            actor=Actor(id=f"job:{self.name}", role="host"),
            objects=(order.id, *order.cameras),
            purpose=order.purpose,
            outcome=outcome,
            details={**order.span.to_json(), "owner": order.owner, **details},
        )


def spans_of(span: Timespan) -> Iterator[Timespan]:
    """The parts of a span that become clips: of :data:`PIECE`; the last is not shorter than a clip may be."""
    start = span.start
    while start < span.end:
        end = start + PIECE
        if span.end - end < SHORTEST:
            end = span.end
        yield Timespan(start, end)
        start = end


def changed_pieces(state: ExportState, etag_of: EtagOf) -> list[ExportPiece]:
    """The pieces whose segments are not those of the time when the export was made."""
    return [piece for piece in state.pieces if etag_of(piece.camera, piece.span) != piece.etag]


def outdated_text(pieces: list[ExportPiece]) -> str:
    """Which footage changed, for people: the first of it."""
    first = pieces[0]
    more = f" and {len(pieces) - 1} more parts" if len(pieces) > 1 else ""
    return f"footage of {first.camera} in {first.span}{more} was destroyed, or more of it arrived"


def _name(clip: Clip) -> str:
    return clip.etag.strip('"')


def _file(path: str, clip: Clip, key: str, sums: Sums) -> ExportFile:
    return ExportFile(
        path=path, span=clip.asked, key=key, size=clip.size, sha256=sums.sha256, crc32=sums.crc32
    )
