"""The sound of a clip: which sound samples of its segments are in it, and when they are heard.

Sound follows the pictures: a stretch of the clip hears what its own segments recorded between its first and
its last shown frame. The rules, which ``docs/reference/evidence-package.md`` (*Layout 2*) publishes:

1. Of each segment whose pictures are taken, the sound samples stand behind its pictures, as one piece.
2. Taken are the sample that sounds at the first shown frame, the one before it (a decoder needs it to begin),
   and all later ones; of the stretch's last segment only those that begin before the stretch ends.
3. An edit plays the sound from the first shown frame to the end of the stretch. Where there is no sound, or
   it begins later, an empty edit keeps its place.

Sound and pictures have one zero on the run's timeline, so sound tick / timescale = picture tick / 90,000.
Sound that the camera sent late stands in the next segment; a clip that ends before that segment lacks it.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

from archive.footage.clip.tables import Edit, SoundTables
from archive.footage.mp4.boxes import Box
from archive.footage.mp4.sound import Sound, sound_entry
from archive.model.segment import TIMESCALE

_LONGEST_SOUND = 4
"""No codec here puts more than a quarter of a second into one sample; what lasts longer is silent then."""

_FURTHEST = 60
"""Sound that begins more seconds away from its segment's pictures stands on no common timeline: left out."""


def codec_of(entry: bytes) -> str:
    """The codec that a sample entry of sound names (RFC 6381)."""
    return sound_entry(entry, Box(entry[4:8], 0, 8, len(entry)))[0]


def decoded_alike(one: Sound, other: Sound) -> bool:
    """Whether one decoder plays both, though two connections may state other bit rates."""
    if (one.sample_entry, one.timescale) == (other.sample_entry, other.timescale):
        return True
    return (one.codec_string, one.channels, one.timescale) == (
        other.codec_string,
        other.channels,
        other.timescale,
    )


@dataclass(slots=True)
class _Stretch:
    """What was taken of a stretch whose first frame, ``shown_from``, is shown at tick ``at`` of the clip.

    ``base`` is the track time of its first sample, ``base_time`` that sample's own. ``before`` is the last
    sample at or before the first shown frame, ``following`` the first after it, ``last`` the last one taken,
    which ``lasts`` so many ticks.
    """

    shown_from: int
    at: int
    base: int = 0
    base_time: int = 0
    before: int | None = None
    following: int | None = None
    last: int | None = None
    lasts: int = 0


class SoundCutter:
    """Takes the sound of segments in the order of the clip; one stretch after the other.

    ``tables`` has what was taken. ``breaks`` are the instants from which a clip's sound needs another decoder
    than before: players have one for the whole track, so such a clip must not be made.
    """

    def __init__(self) -> None:
        self.tables = SoundTables()
        self.breaks: list[int] = []
        self._first: Sound | None = None
        self._latest: Sound | None = None
        self._stretch = _Stretch(0, 0)

    def begin(self, shown_from: int, at: int) -> None:
        """Begin a stretch: its first shown frame (presentation time) is shown at tick ``at`` of the clip."""
        self._stretch = _Stretch(shown_from, at)

    def take(
        self, sound: Sound, first_pts: int, end: int | None, *, instant: int, pictures: int
    ) -> tuple[int, int, int, int] | None:
        """Take a segment's sound, as far as the stretch needs it; ``end`` is where that ends, None if later.

        ``instant`` is when the segment, whose pictures begin at ``first_pts``, begins to be shown;
        ``pictures`` the number of picture chunks so far. Returns the piece's first byte, its length, and the
        ticks (1/90000 s) from which and to which it sounds.
        """
        away = abs(sound.tfdt * TIMESCALE - first_pts * sound.timescale)
        if away > _FURTHEST * TIMESCALE * sound.timescale:
            return None
        if self._latest is not None and not decoded_alike(self._latest, sound):
            self.breaks.append(instant)
        self._latest = sound
        if self._first is not None and not decoded_alike(self._first, sound):
            return None
        times, scale, of = sound.times, sound.timescale, self._stretch
        shown = of.shown_from * scale // TIMESCALE
        following = bisect_right(times, shown)
        low = max(0, following - 2)
        if of.last is not None:
            low = max(low, bisect_right(times, of.last))
        high = len(times) if end is None else bisect_left(times, -(-end * scale // TIMESCALE))
        if low >= high:
            return None
        self._first = self._first or sound
        if of.last is None:
            of.base, of.base_time = self.tables.media_duration, times[low]
        else:
            self.tables.let_last(times[low] - of.last)
        if low < following <= high:
            of.before = times[following - 1]
        if of.following is None and following < high:
            of.following = times[max(low, following)]
        of.last, of.lasts = times[high - 1], sound.durations[high - 1]
        start = sound.start + sum(sound.sizes[:low])
        length = self.tables.add(sound, low, high, pictures)
        return (
            start,
            length,
            times[low] * TIMESCALE // scale,
            (of.last + of.lasts) * TIMESCALE // scale,
        )

    def end(self, end: int) -> None:
        """End the stretch before the presentation time ``end``; its edit is written."""
        of = self._stretch
        if of.last is None:
            return
        scale = self.tables.timescale
        longest = scale // _LONGEST_SOUND
        shown = of.shown_from * scale // TIMESCALE
        if of.before is not None and shown < of.before + longest:
            heard_from = of.shown_from
        elif of.following is not None:
            shown, heard_from = of.following, -(-of.following * TIMESCALE // scale)
        else:
            return
        heard_to = min(end, (of.last + min(of.lasts, longest)) * TIMESCALE // scale)
        if heard_from < heard_to:
            self.tables.hear(
                of.at + heard_from - of.shown_from,
                Edit(heard_to - heard_from, of.base + shown - of.base_time),
            )
