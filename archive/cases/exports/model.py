"""An export: its order, which never changes, and its states, of which the newest counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.choice import RunSpan
from archive.footage.clip.exact import SHORTEST
from archive.footage.download.export_parts import PREFIX
from archive.footage.reader import GapSpan
from archive.timespan import DAY, HOUR, MINUTE, Timespan, format_instant, parse_instant

KEPT = DAY
"""How long a finished export is kept, and what is said about one that failed."""
TIME_TO_MAKE = DAY
"""An export that is not finished so long after its order fails; a paused one too."""
PIECE = 30 * MINUTE
"""The longest clip in an export."""
LONGEST = DAY
MOST_FOOTAGE = 24 * HOUR
"""Of all cameras of one export together."""
MOST_AT_ONCE = 3
"""Exports of one person that are not over."""


class ExportStatus(StrEnum):
    """Where an export stands. ``outdated``: its footage was destroyed, or more of it arrived."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    READY = "ready"
    FAILED = "failed"
    CANCELLED = "cancelled"
    OUTDATED = "outdated"


UNFINISHED = frozenset({ExportStatus.QUEUED, ExportStatus.RUNNING, ExportStatus.PAUSED})
OVER = frozenset({ExportStatus.FAILED, ExportStatus.CANCELLED, ExportStatus.OUTDATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOrder:
    """What was ordered, by whom and why. ``owner`` is the actor's id; times are in µs.

    ``footage_bytes`` is the size of the segments that the index named at the order: about what it will have.
    """

    id: str
    owner: str
    purpose: str
    cameras: tuple[str, ...]
    span: Timespan
    ordered_at: int
    footage_bytes: int

    @property
    def folder(self) -> str:
        """Where its objects are; ends in a slash."""
        return f"{owner_prefix(self.owner)}{self.id}/"

    def pieces(self) -> Iterator[tuple[str, Timespan]]:
        """Camera and time of each piece, in order."""
        for camera in self.cameras:
            for span in spans_of(self.span):
                yield camera, span

    @property
    def piece_count(self) -> int:
        """The number of pieces."""
        return len(self.cameras) * sum(1 for _ in spans_of(self.span))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One finished clip: its object in the cache, and what ``index.json`` says about it."""

    path: str
    span: Timespan
    key: str
    size: int
    sha256: str
    crc32: int
    described: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPiece:
    """One camera in one part of the span: its clips, its gaps, and what no clip shows.

    ``etag`` names the segments that were there; the piece is outdated once it differs.
    """

    camera: str
    span: Timespan
    etag: str
    files: tuple[ExportFile, ...]
    gaps: tuple[GapSpan, ...]
    others: tuple[RunSpan, ...]
    left_out: tuple[Timespan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportState:
    """One state. ``until`` ends the worker's claim, or the time that a finished export is kept.

    ``pieces`` are those that are made. ``code`` and ``message`` say why it failed or is outdated.
    """

    status: ExportStatus
    at: int
    worker: str = ""
    until: int = 0
    code: str = ""
    message: str = ""
    pieces: tuple[ExportPiece, ...] = ()

    @property
    def files(self) -> tuple[ExportFile, ...]:
        """The clips of all pieces, in order."""
        return tuple(file for piece in self.pieces for file in piece.files)

    @property
    def keys(self) -> frozenset[str]:
        """The keys of those clips."""
        return frozenset(file.key for file in self.files)


@dataclass(frozen=True, slots=True)
class Export:
    """An order and its newest state; ``number`` counts the states."""

    order: ExportOrder
    state: ExportState
    number: int


def spans_of(span: Timespan) -> Iterator[Timespan]:
    """The parts of a span that become clips: of :data:`PIECE`; the last is not shorter than a clip may be."""
    start = span.start
    while start < span.end:
        end = start + PIECE
        if span.end - end < SHORTEST:
            end = span.end
        yield Timespan(start, end)
        start = end


def check_order(cameras: int, span: Timespan, now: int) -> None:
    """Refuse what no export may have, before anything is read.

    Raises:
        Malformed: ``export_too_large``; ``clip_too_short``; ``export_not_over``: the span lies partly in the
            future.
    """
    if span.duration > LONGEST or cameras * span.duration > MOST_FOOTAGE:
        raise Malformed(
            f"an export of {cameras} cameras and {span.duration / HOUR:.2f} h is too large",
            code="export_too_large",
            hint=f"Order at most {MOST_FOOTAGE // HOUR} h of all cameras together; divide the time.",
        )
    if span.duration < SHORTEST:
        raise Malformed(
            f"an export of {span.duration} µs is too short",
            code="clip_too_short",
            hint="Request 1 s or more.",
        )
    if span.end > now:
        raise Malformed(
            f"{span} has not passed yet", code="export_not_over", hint="Order it when the time is over."
        )


def owner_prefix(owner: str) -> str:
    """The folder of one person's exports: it names nobody to those who can only list names."""
    return f"{PREFIX}{sha256(owner.encode('utf-8')).hexdigest()[:16]}/"


def export_json(export: Export) -> JsonObject:
    """An export as the API and the command line show it."""
    order, state = export.order, export.state
    return {
        "export_id": order.id,
        "status": state.status.value,
        "cameras": list(order.cameras),
        **order.span.to_json(),
        "purpose": order.purpose,
        "ordered_at": format_instant(order.ordered_at),
        "parts": order.piece_count,
        "parts_done": len(state.pieces),
        "bytes": order.footage_bytes,
        "bytes_done": sum(file.size for file in state.files),
        "until": format_instant(state.until) if state.status is ExportStatus.READY else None,
        "code": state.code,
        "message": state.message,
    }


def order_json(order: ExportOrder) -> JsonObject:
    """The order as it is stored."""
    return {
        "v": 1,
        "id": order.id,
        "owner": order.owner,
        "purpose": order.purpose,
        "cameras": list(order.cameras),
        **order.span.to_json(),
        "ordered_at": format_instant(order.ordered_at),
        "footage_bytes": order.footage_bytes,
    }


def order_of(value: Mapping[str, Any]) -> ExportOrder:
    """Read an order back. Raises Malformed ``bad_export``."""
    try:
        return ExportOrder(
            id=value["id"],
            owner=value["owner"],
            purpose=value["purpose"],
            cameras=tuple(value["cameras"]),
            span=Timespan.parse(value["from"], value["to"]),
            ordered_at=parse_instant(value["ordered_at"]),
            footage_bytes=value["footage_bytes"],
        )
    except (KeyError, TypeError) as error:
        raise Malformed(f"the order of an export lacks or misnames {error}", code="bad_export") from error


def state_json(state: ExportState) -> JsonObject:
    """The state as it is stored."""
    return {
        "v": 1,
        "status": state.status.value,
        "at": state.at,
        "worker": state.worker,
        "until": state.until,
        "code": state.code,
        "message": state.message,
        "pieces": [_piece_json(piece) for piece in state.pieces],
    }


def state_of(value: Mapping[str, Any]) -> ExportState:
    """Read a state back. Raises Malformed ``bad_export``."""
    try:
        return ExportState(
            status=ExportStatus(value["status"]),
            at=value["at"],
            worker=value["worker"],
            until=value["until"],
            code=value["code"],
            message=value["message"],
            pieces=tuple(_piece_of(piece) for piece in value["pieces"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise Malformed(f"the state of an export lacks or misnames {error}", code="bad_export") from error


def _piece_json(piece: ExportPiece) -> JsonObject:
    return piece.span.to_json() | {
        "camera": piece.camera,
        "etag": piece.etag,
        "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in piece.gaps],
        "others": [one.span.to_json() | {"run": one.run} for one in piece.others],
        "left_out": [span.to_json() for span in piece.left_out],
        "files": [
            file.span.to_json()
            | {
                "path": file.path,
                "key": file.key,
                "bytes": file.size,
                "sha256": file.sha256,
                "crc32": file.crc32,
                "described": file.described,
            }
            for file in piece.files
        ],
    }


def _piece_of(value: Mapping[str, Any]) -> ExportPiece:
    return ExportPiece(
        camera=value["camera"],
        span=_span(value),
        etag=value["etag"],
        gaps=tuple(GapSpan(_span(gap), gap["cause"]) for gap in value["gaps"]),
        others=tuple(RunSpan(_span(one), one["run"]) for one in value["others"]),
        left_out=tuple(_span(one) for one in value["left_out"]),
        files=tuple(
            ExportFile(
                path=file["path"],
                span=_span(file),
                key=file["key"],
                size=file["bytes"],
                sha256=file["sha256"],
                crc32=file["crc32"],
                described=file["described"],
            )
            for file in value["files"]
        ),
    )


def _span(value: Mapping[str, Any]) -> Timespan:
    return Timespan.parse(value["from"], value["to"])
