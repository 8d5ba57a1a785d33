"""A finished export as one ZIP, streamed from its parts in the cache."""

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from archive import canonical
from archive.canonical import JsonObject, sha256_hex
from archive.cases.exports.model import Export, ExportFile, ExportPiece, ExportStatus
from archive.cases.exports.worker import EtagOf, changed_pieces, lost_pieces, outdated_text
from archive.errors import Conflict, IntegrityError, NotFound
from archive.footage.clip.exact import others_json
from archive.footage.download.bulk_readme import CameraLines, readme
from archive.footage.download.naming import several
from archive.footage.download.texts import steady_gaps, sums
from archive.footage.reader import GapSpan
from archive.model.camera import Camera
from archive.ports import ObjectStore
from archive.timespan import Timespan
from archive.zips import Bytes, Part, VirtualZip

LAYOUT = "saksi-export/1"


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One finished clip in the cache (:class:`archive.zips.Part`)."""

    name: str
    camera: str
    file: ExportFile
    cache: ObjectStore

    @property
    def size(self) -> int:
        """Its size."""
        return self.file.size

    @property
    def identity(self) -> str:
        """Its SHA-256."""
        return self.file.sha256

    def begin(self) -> "StoredPart":
        """Itself."""
        return self

    def crc32(self) -> int:
        """The CRC-32 that was taken when it was made."""
        return self.file.crc32

    def footage_us(self, start: int, length: int) -> int:
        """Its time in proportion to the bytes, rounded up."""
        return -(-self.file.span.duration * length // self.file.size)

    def stream(self, start: int, length: int) -> Iterator[bytes]:
        """A part of it; a whole one is compared with its checksum.

        Raises:
            IntegrityError: ``export_altered``: the cache lost or altered it.
            Unavailable: the cache does not answer.
        """
        crc32 = 0
        try:
            chunks = self.cache.stream(self.file.key, start, length)
        except NotFound as error:
            raise _altered(self.file) from error
        for chunk in chunks:
            crc32 = zlib.crc32(chunk, crc32)
            yield chunk
        if length == self.file.size and crc32 != self.file.crc32:
            raise _altered(self.file)


def check_fetchable(export: Export, stored: frozenset[str], etag_of: EtagOf) -> None:
    """Refuse an export that is not whole, or does not show the footage of now, before a byte of it leaves.

    ``stored`` are the keys of its parts that are there.

    Raises:
        Conflict: ``export_not_ready``, with its status; ``export_outdated``.
        Unavailable: the index does not answer.
    """
    order, state = export.order, export.state
    if state.status is not ExportStatus.READY:
        why = f": {state.message}" if state.message else ""
        raise Conflict(
            f"the export {order.id} is {state.status.value}{why}",
            code="export_not_ready",
            hint="Wait until it is ready; order it again if it failed, was cancelled or is outdated.",
        )
    stale = changed_pieces(state, etag_of) or lost_pieces(state, stored)
    if stale:
        raise Conflict(
            outdated_text(stale), code="export_outdated", hint="Order it again; nothing old is given out."
        )


def export_zip(
    export: Export, cache: ObjectStore, camera_of: Callable[[str], Camera], zone: tzinfo
) -> VirtualZip:
    """The ZIP of a finished export; ``camera_of`` gives the facts of its cameras when its time began."""
    order, state = export.order, export.state
    found = [
        (camera_of(name), [piece for piece in state.pieces if piece.camera == name]) for name in order.cameras
    ]
    lines = [
        CameraLines(
            camera,
            [file.path for piece in pieces for file in piece.files],
            gaps_of(pieces),
            [span for piece in pieces for span in piece.left_out],
            [file.path for piece in pieces for file in piece.files if file.described.get("sound")],
        )
        for camera, pieces in found
    ]
    texts = {
        "README.txt": readme(order.span, lines, zone),
        "index.json": canonical.encode(_index(order.span, found)) + b"\n",
    }
    files = [(piece.camera, file) for _, pieces in found for piece in pieces for file in piece.files]
    hashes = [(sha256_hex(data), path) for path, data in texts.items()]
    texts["SHA256SUMS"] = sums([*hashes, *((file.sha256, file.path) for _, file in files)])
    folder = f"{several(len(found), order.span, zone).ascii}/"
    parts: list[Part] = [Bytes(folder + path, data) for path, data in texts.items()]
    parts += [StoredPart(folder + file.path, camera, file, cache) for camera, file in files]
    return VirtualZip(parts, layout=LAYOUT)


def gaps_of(pieces: Sequence[ExportPiece]) -> tuple[GapSpan, ...]:
    """The gaps of one camera's pieces, those that go on from one to the next as one."""
    return steady_gaps(gap for piece in pieces for gap in piece.gaps)


def _index(span: Timespan, found: Sequence[tuple[Camera, Sequence[ExportPiece]]]) -> JsonObject:
    return {
        "v": 1,
        "container": "mp4",
        "asked": span.to_json(),
        "cameras": [
            {
                "camera": camera.id,
                "name": camera.name,
                "kecamatan": camera.place.kecamatan,
                "clips": [file.described for piece in pieces for file in piece.files],
                "gaps": [gap.span.to_json() | {"cause": gap.cause} for gap in gaps_of(pieces)],
                "others": others_json([one for piece in pieces for one in piece.others]),
                "left_out": [span.to_json() for piece in pieces for span in piece.left_out],
            }
            for camera, pieces in found
        ],
    }


def _altered(file: ExportFile) -> IntegrityError:
    return IntegrityError(
        f"{file.key} is not what was made", code="export_altered", hint="Order the export again."
    )
