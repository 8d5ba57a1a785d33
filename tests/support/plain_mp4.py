"""A reader of plain MP4 by the letter of ISO/IEC 14496-12, without any code under test."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample: the place of its bytes, its decode and presentation times (ticks), and its kind."""

    offset: int
    size: int
    dts: int
    pts: int
    sync: bool
    entry: int


@dataclass(frozen=True, slots=True)
class PlainSound:
    """The track of sound: samples in order (every one a sync), edits, and the track's ticks a second.

    An edit is (duration in movie ticks, media time in the track's); with media time −1 it is silent.
    """

    samples: list[Sample]
    durations: list[int]
    edits: list[tuple[int, int]]
    entries: list[bytes]
    timescale: int
    media_duration: int


@dataclass(frozen=True, slots=True)
class PlainMp4:
    """What a player reads: samples in decode order, edits as (duration, media time), sample entry kinds."""

    samples: list[Sample]
    edits: list[tuple[int, int]]
    entries: list[bytes]
    mdat: tuple[int, int]
    movie_duration: int
    media_duration: int
    sound: PlainSound | None = None

    def presented(self) -> list[Sample]:
        """The samples the edit list shows, in order."""
        shown = []
        for duration, start in self.edits:
            inside = [one for one in self.samples if start <= one.pts < start + duration]
            shown += sorted(inside, key=lambda one: one.pts)
        return shown


def read_plain_mp4(data: bytes, size: int) -> PlainMp4:
    """Read a file of ``size`` bytes; ``data`` holds at least everything before the sample bytes."""
    top = dict((kind, (body, end)) for kind, body, end in _boxes(data, 0, size))
    assert list(top) == [b"ftyp", b"moov", b"mdat"]
    assert top[b"mdat"][1] == size
    traks = [(body, end) for kind, body, end in _boxes(data, *top[b"moov"]) if kind == b"trak"]
    (mvhd,) = [body for kind, body, _ in _boxes(data, *top[b"moov"]) if kind == b"mvhd"]
    assert 1 <= len(traks) <= 2
    tree = dict(_tree(data, *traks[0]))
    stbl = {path[-1]: body for path, body in tree.items() if b"stbl" in path}
    edits = _edits(data, tree)
    sizes = _words(data, stbl[b"stsz"], 8)
    durations = _runs(data, stbl[b"stts"], signed=False)
    signed = data[stbl[b"ctts"][0]] == 1 if b"ctts" in stbl else False
    offsets = _runs(data, stbl[b"ctts"], signed=signed) if b"ctts" in stbl else [0] * len(sizes)
    syncs = set(_words(data, stbl[b"stss"], 4))
    places = _places(_chunks(data, stbl), _words(data, stbl[b"stsc"], 4), sizes)
    assert len(sizes) == len(durations) == len(offsets) == len(places)
    samples, dts = [], 0
    for index, (size_of, duration, offset, (place, entry)) in enumerate(
        zip(sizes, durations, offsets, places, strict=True)
    ):
        samples.append(Sample(place, size_of, dts, dts + offset, index + 1 in syncs, entry))
        dts += duration
    stsd = stbl[b"stsd"]
    mdhd = tree[b"mdia", b"mdhd"]
    return PlainMp4(
        samples=samples,
        edits=edits,
        entries=[kind for kind, _, _ in _boxes(data, stsd[0] + 8, stsd[1])],
        mdat=top[b"mdat"],
        movie_duration=struct.unpack_from(">Q", data, mvhd + 24)[0],
        media_duration=struct.unpack_from(">Q", data, mdhd[0] + 24)[0],
        sound=_sound(data, dict(_tree(data, *traks[1]))) if len(traks) == 2 else None,
    )


def _sound(data: bytes, tree: dict[tuple[bytes, ...], tuple[int, int]]) -> PlainSound:
    stbl = {path[-1]: body for path, body in tree.items() if b"stbl" in path}
    assert data[tree[b"mdia", b"hdlr"][0] + 8 :][:4] == b"soun"
    sizes = _words(data, stbl[b"stsz"], 8)
    durations = _runs(data, stbl[b"stts"], signed=False)
    places = _places(_chunks(data, stbl), _words(data, stbl[b"stsc"], 4), sizes)
    assert len(sizes) == len(durations) == len(places)
    samples, at = [], 0
    for size, lasts, (place, entry) in zip(sizes, durations, places, strict=True):
        samples.append(Sample(place, size, at, at, True, entry))
        at += lasts
    stsd, mdhd = stbl[b"stsd"], tree[b"mdia", b"mdhd"]
    timescale, media_duration = struct.unpack_from(">IQ", data, mdhd[0] + 20)
    assert media_duration == at
    return PlainSound(
        samples=samples,
        durations=durations,
        edits=_edits(data, tree),
        entries=[kind for kind, _, _ in _boxes(data, stsd[0] + 8, stsd[1])],
        timescale=timescale,
        media_duration=media_duration,
    )


def _edits(data: bytes, tree: dict[tuple[bytes, ...], tuple[int, int]]) -> list[tuple[int, int]]:
    start, end = tree[b"edts", b"elst"]
    return [
        (duration, media_time)
        for duration, media_time, _ in struct.iter_unpack(">QqI", data[start + 8 : end])
    ]


def _chunks(data: bytes, stbl: dict[bytes, tuple[int, int]]) -> list[int]:
    start, end = stbl[b"co64"]
    return [one for (one,) in struct.iter_unpack(">Q", data[start + 8 : end])]


def _boxes(data: bytes, at: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        body = at + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, body)
            body += 8
        assert size >= body - at
        assert at + size <= end, kind
        yield kind, body, at + size
        at += size


def _tree(
    data: bytes, start: int, end: int, *above: bytes
) -> Iterator[tuple[tuple[bytes, ...], tuple[int, int]]]:
    for kind, body, stop in _boxes(data, start, end):
        yield (*above, kind), (body, stop)
        if kind in (b"edts", b"mdia", b"minf", b"stbl"):
            yield from _tree(data, body, stop, *above, kind)


def _words(data: bytes, place: tuple[int, int], skip: int) -> list[int]:
    """The 32-bit words after a count at ``skip`` bytes into the body; the count must be right."""
    (count,) = struct.unpack_from(">I", data, place[0] + skip)
    words = [one for (one,) in struct.iter_unpack(">I", data[place[0] + skip + 4 : place[1]])]
    assert len(words) in (count, 3 * count)
    return words


def _runs(data: bytes, place: tuple[int, int], *, signed: bool) -> list[int]:
    layout = ">Ii" if signed else ">II"
    (count,) = struct.unpack_from(">I", data, place[0] + 4)
    pairs = list(struct.iter_unpack(layout, data[place[0] + 8 : place[1]]))
    assert len(pairs) == count
    assert all(times for times, _ in pairs)
    return [value for times, value in pairs for _ in range(times)]


def _places(chunks: list[int], stsc: list[int], sizes: list[int]) -> list[tuple[int, int]]:
    runs = [tuple(stsc[at : at + 3]) for at in range(0, len(stsc), 3)]
    left = iter(sizes)
    places = []
    for number, start in enumerate(chunks, 1):
        _, samples, entry = [run for run in runs if run[0] <= number][-1]
        at = start
        for size in islice(left, samples):
            places.append((at, entry))
            at += size
    assert next(left, None) is None
    return places
