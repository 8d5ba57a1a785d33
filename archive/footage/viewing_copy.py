"""Viewing copies: a segment's pictures as H.264, for a browser that cannot decode the camera's codec.

A viewing copy is the third kind of footage beside originals and derivatives. It is made when it is asked for,
sent, and forgotten: it is stored nowhere, it is no part of any clip or package, and it is no evidence. The
program that makes it is confined like every decoder, and has no file and no network.

Each copy is one piece of MPEG-TS, which needs no initialisation. Its pictures have the times of the original
ones (90 kHz), so that it plays in step with other cameras. It has no sound, also where the segment has some.
Leading pictures of open GOPs are left out, as in
:mod:`archive.footage.clip.viewing`.
"""

from dataclasses import dataclass
from pathlib import Path

from archive.errors import NotFound
from archive.footage.clip.footage import FootageRange, read_header, stream_ranges
from archive.footage.clip.viewing import ViewingSegment, pictures_of, viewing_init
from archive.footage.confinement.running import Bounds
from archive.footage.derive import decode, viewing_copy_command
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore

_SYNC, _PACKET = 0x47, 188  # ISO/IEC 13818-1, 2.4.3.2


@dataclass(frozen=True, slots=True)
class ViewingCopy:
    """MPEG-TS with one H.264 stream, and how many leading pictures were left out."""

    media: bytes
    skipped: int


@dataclass(frozen=True, slots=True)
class CopyMaker:
    """Makes viewing copies with one FFmpeg program, at most ``width`` pixels wide.

    ``timeout_s``, ``memory`` and ``output`` (bytes) bound each. ``readable`` lists files and folders that the
    program needs besides itself and the system's libraries.
    """

    program: Path
    width: int = 1280
    timeout_s: float = 60.0
    memory: int = 2 << 30
    output: int = 64 << 20
    readable: tuple[Path, ...] = ()

    def copy(self, ref: SegmentRef, footage: ObjectStore) -> ViewingCopy:
        """The viewing copy of one segment. The segment is read once, whole.

        Raises:
            NotFound: ``no_picture`` when FFmpeg makes no pictures of the segment.
            IntegrityError: the segment is missing or contradicts the index.
            Unavailable: the store does not answer; ``ffmpeg_missing``, ``ffmpeg_timeout``,
                ``decoder_not_confined``.
        """
        stored = read_header(ref, footage)
        header = pictures_of(stored)
        skipped = 0
        if ref.gop == "open" or stored.sound is not None:
            viewed = ViewingSegment(ref, header, footage)
            skipped, pictures = viewed.skipped, viewed.stream()
        else:
            whole = FootageRange(ref, len(header.init), ref.size - len(header.init))
            pictures = stream_ranges([whole], footage, None)
        movie = viewing_init(header) + b"".join(pictures)
        bounds = Bounds(seconds=self.timeout_s, memory=self.memory, output=self.output)
        media = decode(ref, viewing_copy_command(self.program, self.width), movie, bounds, self.readable)
        if media is None or not media or len(media) % _PACKET or media[0] != _SYNC:
            raise NotFound(
                f"no viewing copy can be made of {ref.key}: FFmpeg cannot decode it",
                code="no_picture",
                hint="The footage itself is untouched; request a clip, or another time.",
            )
        return ViewingCopy(media, skipped)
