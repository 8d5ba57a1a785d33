"""Kinds of stream for the proof that clips are exact: codec, B-frames, rate, length of a GOP, open or closed.

A kind is anything that puts numbered pictures into a plain MP4 and says what its openings need, so streams of
other forms (with sound, say) join the matrix by an entry in :data:`KINDS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from tests.support.numbered import encode_numbered

FPS = (15, 21, 25, 60)
GOPS = (1, 4, 10)
"""Seconds from one keyframe to the next."""

_UNEVEN = ",settb=1/90000,setpts='(N/15+0.018*sin(1.7*N)+0.6*floor((N+20)/97))/TB'"
"""37 to 97 ms from one picture to the next, and now and then 0.6 s more: a variable rate."""
_UNEVEN_OUT = ("-fps_mode", "passthrough", "-enc_time_base", "1:90000", "-video_track_timescale", "90000")


@dataclass(frozen=True, slots=True)
class ClipKind:
    """One kind of stream.

    ``bframes`` stand between two references. ``gop`` is in seconds. In an ``is_open`` GOP some of them lead
    its keyframe: they are shown before it and refer to the GOP before. ``refers``: B-frames are
    references themselves. ``has_radl`` (H.265): an IDR picture has two leading pictures, which refer to
    nothing before it. ``size`` multiplies 320 × 192.
    """

    codec: Literal["h264", "hevc"]
    bframes: int
    fps: int
    gop: int
    is_open: bool = False
    is_uneven: bool = False
    refers: bool = False
    has_radl: bool = False
    size: int = 1

    @property
    def name(self) -> str:
        """A name that says it all."""
        rate = "uneven" if self.is_uneven else f"{self.fps}fps"
        more = [
            *(["open"] if self.is_open else []),
            *(["pyramid"] if self.refers else []),
            *(["radl"] if self.has_radl else []),
            *(["large"] if self.size > 1 else []),
        ]
        return "-".join((self.codec, f"b{self.bframes}", rate, f"gop{self.gop}", *more))

    @property
    def seconds(self) -> int:
        """How long its stream is: four GOPs at least."""
        return max(12, 4 * self.gop)

    @property
    def segment_seconds(self) -> int:
        """The nominal length of its segments: three of them at least."""
        return max(4, self.gop)

    def make(self, folder: Path) -> Path:
        """The stream, its pictures numbered from 0."""
        filters = _UNEVEN if self.is_uneven else ""
        if self.size > 1:
            filters += f",scale=iw*{self.size}:ih*{self.size}:flags=neighbor"
        encoder = [*self._encoder(), *(_UNEVEN_OUT if self.is_uneven else ())]
        path = folder / f"{self.name}.mp4"
        return encode_numbered(self.name, encoder, self.seconds, path, self.fps, filters=filters)

    def _encoder(self) -> list[str]:
        gop = self.gop * self.fps
        always = f"keyint={gop}:min-keyint={gop}:scenecut=0:open-gop={int(self.is_open)}:b-adapt=0"
        if self.codec == "h264":
            pyramid = "normal" if self.refers else "none"
            return ["libx264", "-bf", f"{self.bframes}", "-x264-params", f"{always}:b-pyramid={pyramid}"]
        more = f"bframes={self.bframes}:b-pyramid={int(self.refers)}:radl={2 * self.has_radl}:log-level=error"
        return ["libx265", "-x265-params", f"{always}:{more}"]


def _leading(gop: int) -> int:
    """How many B-frames a GOP of so many pictures takes without coming out even: then some are left to lead
    the next keyframe."""
    return next(between for between in (3, 4, 2) if (gop - 1) % (between + 1))


def _matrix() -> list[ClipKind]:
    found = []
    for codec, fps, gop in product(("h264", "hevc"), FPS, GOPS):
        found += [
            ClipKind(codec, 0, fps, gop),  # type: ignore[arg-type]
            ClipKind(codec, 2, fps, gop),  # type: ignore[arg-type]
            ClipKind(codec, _leading(fps * gop), fps, gop, is_open=True),  # type: ignore[arg-type]
        ]
    for codec in ("h264", "hevc"):
        found += [
            ClipKind(codec, 0, 15, 1, is_uneven=True),  # type: ignore[arg-type]
            ClipKind(codec, 2, 15, 4, is_uneven=True),  # type: ignore[arg-type]
            ClipKind(codec, 3, 15, 4, is_uneven=True, is_open=True),  # type: ignore[arg-type]
            ClipKind(codec, 3, 25, 4, is_open=True, refers=True),  # type: ignore[arg-type]
            ClipKind(codec, 0, 1, 4),  # type: ignore[arg-type]
        ]
    return [*found, ClipKind("hevc", 3, 25, 1, has_radl=True)]


KINDS: Mapping[str, ClipKind] = {kind.name: kind for kind in _matrix()}
"""Every kind of the long form: two codecs × four rates × three lengths of a GOP × no B-frames, B-frames with
closed GOPs, with open GOPs; a variable rate; B-frames that are references; one picture a second; RADL."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """What one camera recorded: ``first`` twice, then ``then``.

    After the first run there is a gap. The second run begins with the stream's second segment, so with open
    GOPs its first pictures cannot be decoded. The third follows at once; it is of the kind ``then``.
    """

    first: ClipKind
    then: ClipKind

    @property
    def name(self) -> str:
        """The camera's id."""
        return self.first.name if self.first == self.then else f"{self.first.name}-then-{self.then.name}"


LARGE = ClipKind("h264", 2, 25, 1, size=2)
LARGE_HEVC = ClipKind("hevc", 2, 25, 1, size=2)

CAMERAS: Mapping[str, Recorded] = {
    one.name: one
    for one in (
        *(Recorded(kind, kind) for kind in KINDS.values()),
        Recorded(ClipKind("h264", 2, 15, 1), LARGE),  # the resolution changes
        Recorded(ClipKind("hevc", 2, 15, 1), LARGE_HEVC),
        Recorded(ClipKind("h264", 2, 15, 1), ClipKind("hevc", 2, 25, 1)),  # the codec changes
    )
}
"""Every camera of the long form: one of each kind, and three whose parameters change."""
