"""An export: its order, which never changes, and its states, of which the newest counts."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.reader import GapSpan
from archive.timespan import DAY, HOUR, MINUTE, Timespan, format_instant, parse_instant

KEPT = DAY
"""How long a finished export is kept."""
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
    """What was ordered, by whom and why. ``owner`` is the actor's id; times are in µs."""

    id: str
    owner: str
    purpose: str
    cameras: tuple[str, ...]
    span: Timespan
    ordered_at: int

    @property
    def prefix(self) -> str:
        """Where its objects are; ends in a slash."""
        return f"{owner_prefix(self.owner)}{self.id}/"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportFile:
    """One finished clip: its path in the ZIP, the time that it shows, and its object in the cache."""

    path: str
    span: Timespan
    key: str
    size: int
    sha256: str
    crc32: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportPiece:
    """One camera in one part of the span: its clips and gaps.

    ``etag`` names the segments that were there; the piece is outdated once it differs.
    """

    camera: str
    span: Timespan
    etag: str
    files: tuple[ExportFile, ...]
    gaps: tuple[GapSpan, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportState:
    """One state. ``until`` ends the worker's claim, or the time that a finished export is kept.

    ``files`` and ``bytes`` are what the whole export will have, as far as it is planned. ``code`` and
    ``message`` say why it failed or is outdated.
    """

    status: ExportStatus
    at: int
    worker: str = ""
    until: int = 0
    files: int = 0
    bytes: int = 0
    code: str = ""
    message: str = ""
    pieces: tuple[ExportPiece, ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """An order and its newest state; ``number`` counts the states."""

    order: ExportOrder
    state: ExportState
    number: int


def owner_prefix(owner: str) -> str:
    """The folder of one person's exports: it names nobody to those who can only list names."""
    return f"exports/{sha256(owner.encode('utf-8')).hexdigest()[:16]}/"


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
        "files": state.files,
        "bytes": state.bytes,
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
            files=value["files"],
            bytes=value["bytes"],
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
        "files": [
            file.span.to_json()
            | {
                "path": file.path,
                "key": file.key,
                "bytes": file.size,
                "sha256": file.sha256,
                "crc32": file.crc32,
            }
            for file in piece.files
        ],
    }


def _piece_of(value: Mapping[str, Any]) -> ExportPiece:
    return ExportPiece(
        camera=value["camera"],
        span=Timespan.parse(value["from"], value["to"]),
        etag=value["etag"],
        gaps=tuple(GapSpan(Timespan.parse(gap["from"], gap["to"]), gap["cause"]) for gap in value["gaps"]),
        files=tuple(
            ExportFile(
                path=file["path"],
                span=Timespan.parse(file["from"], file["to"]),
                key=file["key"],
                size=file["bytes"],
                sha256=file["sha256"],
                crc32=file["crc32"],
            )
            for file in value["files"]
        ),
    )
