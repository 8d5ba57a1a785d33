"""The sound of a fragmented source: read beside its pictures, and placed on the timeline of the run.

Nothing that is strange about the sound ever costs a picture. If it cannot be read, or if its times cannot be
trusted to fit those of the pictures, it is left out and the reason is given.

FFmpeg keeps both tracks of a connection on one timeline. The sound is moved by what the pictures are moved
by, so its distance to them stays as the camera sent it, to one tick. It is left out where the pictures' times
were invented or repaired by more than :data:`MOST_APART`, or where its own were.
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median_low

from archive.errors import Malformed
from archive.footage.mp4.boxes import Box, Readable, bad_segment, boxes, child
from archive.footage.mp4.fragment_boxes import read_tfdt, read_tfhd, track_of
from archive.footage.mp4.samples import SampleTable, read_trun
from archive.footage.mp4.sound import Sound, SoundTrack
from archive.footage.mp4.track import read_sound_track
from archive.model.segment import TIMESCALE

MOST_APART = TIMESCALE // 10
"""By how many ticks of 1/90000 s sound may stand off its pictures: 100 ms."""
_FURTHEST = TIMESCALE
"""What the recorder takes for a jump of the camera's timestamps, too."""
_LONGEST_SAMPLE = 1 << 16
_MOST_SAMPLES = 1 << 17
"""300 s of the shortest packets that Opus has, 2.5 ms."""
_SQUEEZED = 1
"""The duration that FFmpeg gives a sample before one whose time went back."""


@dataclass(frozen=True, slots=True)
class SoundSample:
    """One sample: its time on the connection's timeline, its duration, and where its bytes lie."""

    time: int
    duration: int
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class SourceSound:
    """What a source holds of sound; ``left_out`` says why it holds none that can be used."""

    track: SoundTrack | None = None
    samples: list[SoundSample] = field(default_factory=list)
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class PlacedSound:
    """Sound on the run's timeline, and the stretches of the source that hold its bytes, in order."""

    sound: Sound | None
    stretches: list[tuple[int, int]]
    left_out: str


class SoundReader:
    """Collects the sound of one source, fragment by fragment."""

    def __init__(self, source: Readable, moov: Box) -> None:
        self._source = source
        self._track: SoundTrack | None = None
        self._parts: list[tuple[int, list[SoundSample]]] = []
        self._left_out = ""
        try:
            self._track = read_sound_track(source, moov)
        except Malformed as error:
            self._left_out = error.message

    @property
    def is_there(self) -> bool:
        """Whether the source has a second track, readable or not."""
        return self._track is not None or self._left_out != ""

    def read(self, moof: Box, mdat: Box) -> None:
        """Read the sound of one fragment."""
        if self._track is None or self._left_out:
            return
        try:
            self._parts.append((mdat.end, _read_part(self._source, self._track, moof, mdat)))
            if sum(len(part) for _, part in self._parts) > _MOST_SAMPLES:
                raise bad_segment("the sound has too many samples")
        except Malformed as error:
            self._left_out = error.message

    def result(self, *, torn: bool, end: int) -> SourceSound:
        """The sound of the fragments up to byte ``end`` of the source."""
        if self._track is None or self._left_out:
            return SourceSound(left_out=self._left_out)
        samples = [one for until, part in self._parts for one in part if until <= end]
        if torn:  # what never reached the disk reads as zeros
            while samples and not any(self._source[samples[-1].start : samples[-1].start + samples[-1].size]):
                samples.pop()
        for index, (one, following) in enumerate(pairwise(samples)):
            lasts = following.time - one.time
            if lasts < 1:
                return SourceSound(left_out="the times of the sound go back")
            if lasts != one.duration:
                samples[index] = SoundSample(one.time, lasts, one.start, one.size)
        return SourceSound(self._track, samples)


def place_sound(
    heard: SourceSound, pictures: SampleTable, starts_at: int, tfdt: int, *, repaired: bool
) -> PlacedSound:
    """Place the sound beside the pictures that begin at ``starts_at`` of the connection, ``tfdt`` of the run.

    ``repaired`` says that the pictures' times were replaced. Sound from before the run's zero is dropped.
    """
    track = heard.track
    if track is None or not heard.samples:
        return PlacedSound(None, [], heard.left_out)
    strange = "the pictures' times were repaired" if repaired else _strange(heard, track, pictures, starts_at)
    if strange:
        return PlacedSound(None, [], strange)
    shift = round((tfdt - starts_at) * track.timescale / TIMESCALE)
    kept = [one for one in heard.samples if one.time + shift >= 0]
    if not kept:
        return PlacedSound(None, [], "the sound stands before the run's first picture")
    sound = Sound(
        sample_entry=track.sample_entry,
        timescale=track.timescale,
        channels=track.channels,
        tfdt=kept[0].time + shift,
        durations=array("I", [one.duration for one in kept]),
        sizes=array("I", [one.size for one in kept]),
    )
    stretches: list[tuple[int, int]] = []
    for one in kept:
        if stretches and stretches[-1][1] == one.start:
            stretches[-1] = (stretches[-1][0], one.start + one.size)
        else:
            stretches.append((one.start, one.start + one.size))
    return PlacedSound(sound, stretches, "")


def _strange(heard: SourceSound, track: SoundTrack, pictures: SampleTable, starts_at: int) -> str:
    """Why the sound cannot be trusted to fit the pictures; "" if nothing speaks against it."""
    squeezed = pictures.durations.count(_SQUEEZED)
    if squeezed * median_low(pictures.durations) > MOST_APART:
        return "the times of the pictures were invented"
    lasts = [one.duration for one in heard.samples]
    if lasts.count(_SQUEEZED) * median_low(lasts) * TIMESCALE > MOST_APART * track.timescale:
        return "the times of the sound were invented"
    # Both come in the order of sending; a picture is written when up to two more have come.
    longest = max(pictures.durations)
    apart = _FURTHEST + 3 * longest
    times = [one.time * TIMESCALE // track.timescale for one in heard.samples]
    if times[0] < starts_at - apart or times[-1] > starts_at + sum(pictures.durations) + apart:
        return "the times of the sound do not fit those of the pictures"
    if longest > max(_FURTHEST, 4 * median_low(pictures.durations)):
        for place, step in zip(pictures.decode_times(starts_at), pictures.durations, strict=True):
            if step > _FURTHEST and not _has_sound(times, place + step // 4, place + step * 3 // 4):
                return "the pictures' times jumped, or nothing was sent for a while"
    return ""


def _has_sound(times: list[int], start: int, end: int) -> bool:
    place = bisect_left(times, start)
    return place < len(times) and times[place] < end


def _read_part(source: Readable, track: SoundTrack, moof: Box, mdat: Box) -> list[SoundSample]:
    found: list[SoundSample] = []
    for traf in boxes(source, moof.body, moof.end, "moof"):
        if traf.kind != b"traf" or track_of(source, traf) != track.track_id:
            continue
        if found:
            raise bad_segment(f"the fragment at byte {moof.start} has two trafs of sound")
        defaults, base = read_tfhd(source, child(source, traf, b"tfhd"), track, moof)
        time = read_tfdt(source, child(source, traf, b"tfdt"))
        for trun in (one for one in boxes(source, traf.body, traf.end, "traf") if one.kind == b"trun"):
            offset, table = read_trun(source, trun, defaults)
            if len(found) + len(table) > _MOST_SAMPLES:
                raise bad_segment(f"the fragment at byte {moof.start} holds too much sound")
            if offset is None:
                raise bad_segment("a trun of sound does not say where its bytes are")
            at = base + offset
            if at < mdat.body or at + sum(table.sizes) > mdat.end:
                raise bad_segment("a trun of sound points outside the mdat that follows it")
            for size, lasts in zip(table.sizes, table.durations, strict=True):
                if not 0 < size <= _LONGEST_SAMPLE:
                    raise bad_segment(f"a sample of sound has {size} bytes")
                found.append(SoundSample(time, lasts, at, size))
                at += size
                time += lasts
    return found
