"""Layout 2 of clips: the sound that belongs to a clip's pictures, and its track.

docs/reference/evidence-package.md, *Layout 2*, is the specification; the numbers in comments are its rules.
Times of sound samples are ticks of their track on their run's timeline, those of pictures 1/90000 s.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field

from archive.evidence.verifier.mp4 import BadMp4
from archive.evidence.verifier.original_sound import Sound

_TICKS = 90_000
_FURTHEST = 60
_SHARE = 4


@dataclass(frozen=True)
class Taken:
    """A chunk of sound: its bytes in the original, and the ticks of pictures from and to which it sounds."""

    start: int
    length: int
    low: int
    high: int


@dataclass
class _Stretch:
    """What of a stretch's sound was taken: time and duration of each sample, track time of the first."""

    shown: int
    at: int
    base: int = 0
    samples: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class SoundCut:
    """The sound of a clip: columns of its samples, its chunks, edits and sample entries.

    ``chunks`` are (samples, sample entry from 1); ``edits`` are [duration in ticks of pictures, media time],
    −1 for silence. ``timescale`` is 0 without sound.
    """

    timescale: int = 0
    durations: array[int] = field(default_factory=lambda: array("q"))
    sizes: array[int] = field(default_factory=lambda: array("I"))
    chunks: list[tuple[int, int]] = field(default_factory=list)
    edits: list[tuple[int, int]] = field(default_factory=list)
    entries: list[bytes] = field(default_factory=list)
    _stretch: _Stretch = field(default_factory=lambda: _Stretch(0, 0))

    def begin(self, shown: int, at: int) -> None:
        """Begin a stretch whose first frame is ``shown``, at tick ``at`` of the clip."""
        self._stretch = _Stretch(shown, at)

    def take(self, sound: Sound, first: int, stop: int | None) -> Taken | None:
        """Take an original's sound for the stretch (10); its pictures begin at ``first``."""
        scale, times, stretch = sound.timescale, sound.times, self._stretch
        if abs(times[0] * _TICKS - first * scale) > _FURTHEST * _TICKS * scale:
            return None
        if self.timescale not in (0, scale):
            raise BadMp4("the sound of its originals has several rates")
        low = max(0, bisect_right(times, stretch.shown * scale // _TICKS) - 2)
        if stretch.samples:
            low = max(low, bisect_right(times, stretch.samples[-1][0]))
        high = len(times) if stop is None else bisect_left(times, -(-stop * scale // _TICKS))
        if low >= high:
            return None
        self.timescale = scale
        if stretch.samples:
            self.durations[-1] = times[low] - stretch.samples[-1][0]
        else:
            stretch.base = sum(self.durations)
        if sound.entry not in self.entries:
            self.entries.append(sound.entry)
        stretch.samples += zip(times[low:high], sound.durations[low:high])
        self.durations.extend(array("q", sound.durations[low:high]))
        self.sizes += sound.sizes[low:high]
        self.chunks.append((high - low, self.entries.index(sound.entry) + 1))
        end = times[high - 1] + sound.durations[high - 1]
        return Taken(
            sound.start + sum(sound.sizes[:low]),
            sum(sound.sizes[low:high]),
            times[low] * _TICKS // scale,
            end * _TICKS // scale,
        )

    def end(self, stop: int) -> None:
        """End the stretch at a presentation time: add its edit (11)."""
        stretch, scale = self._stretch, self.timescale
        if not stretch.samples:
            return
        times = [at for at, _ in stretch.samples]
        number = bisect_right(times, stretch.shown * scale // _TICKS)
        at, heard = stretch.shown * scale // _TICKS, stretch.shown
        if not number or at >= times[number - 1] + scale // _SHARE:
            if number == len(times):
                return
            at = times[number]
            heard = -(-at * _TICKS // scale)
        last, lasts = stretch.samples[-1]
        until = min(stop, (last + min(lasts, scale // _SHARE)) * _TICKS // scale)
        if heard >= until:
            return
        silent = stretch.at + heard - stretch.shown - sum(duration for duration, _ in self.edits)
        if silent > 0:
            self.edits.append((silent, -1))
        self.edits.append((until - heard, stretch.base + at - times[0]))

    @property
    def hidden_us(self) -> int:
        """How much sound is in the clip and not heard (12)."""
        heard = sum(duration for duration, at in self.edits if at >= 0) * 1_000_000 // _TICKS
        whole = -(-sum(self.durations) * 1_000_000 // self.timescale) if self.timescale else 0
        return max(0, whole - heard)
