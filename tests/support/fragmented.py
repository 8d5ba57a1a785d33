"""Fragmented sources in FFmpeg's form, made by hand: for faults that no real recording has on demand."""

import struct
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from archive.footage.mp4.boxes import box, full_box
from archive.footage.mp4.samples import SampleDefaults, SampleTable, write_trun
from archive.footage.mp4.sound import Sound
from archive.footage.mp4.track import Track, write_init
from archive.model.segment import Codec

FRAME = 6000
"""Ticks of a frame at 15 frames a second."""

Part = TypeVar("Part")

_SHAPE = struct.pack(">9iII", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000, 320 << 16, 192 << 16)


@dataclass(frozen=True, slots=True)
class Picture:
    """One sample: its bytes, whether it is a sync, and presentation − decode time in frames."""

    payload: bytes
    sync: bool = False
    offset: int = 0
    duration: int = FRAME


def track(codec: Codec = "h264") -> Track:
    """A 320 × 192 track with the smallest configuration that means something."""
    visual = bytes(6) + b"\0\1" + bytes(16) + struct.pack(">HH", 320, 192) + bytes(50)
    if codec == "h264":
        entry = box(b"avc1", visual, box(b"avcC", bytes.fromhex("0164001fffe10000")))
    else:
        general = bytes.fromhex("0101600000009000000000005a")
        entry = box(b"hev1", visual, box(b"hvcC", general, bytes(8), b"\x0f\0"))
    return Track(1, codec, entry, 320, 192, 90_000, 4, _SHAPE, SampleDefaults(0, 0, 0))


def sound_entry(codec: str = "aac", *, config: str = "1588") -> bytes:
    """A sample entry of sound: AAC, by default LC in mono at 8,000 Hz, or Opus in stereo."""
    head = bytes(6) + b"\0\1" + bytes(8) + struct.pack(">HHHHI", 2, 16, 0, 0, 8000 << 16)
    if codec == "opus":
        return box(b"Opus", head, box(b"dOps", struct.pack(">BBHIHB", 0, 2, 312, 48_000, 0, 0)))
    specific = bytes((5, len(config) // 2)) + bytes.fromhex(config)
    decoder = bytes.fromhex("40150000000000000000000000") + specific
    stream = bytes(2) + b"\0" + bytes((4, len(decoder))) + decoder + bytes.fromhex("060102")
    return box(b"mp4a", head, full_box(b"esds", 0, 0, bytes((3, 0x80, 0x80, 0x80, len(stream))), stream))


def sound(
    payloads: Sequence[bytes], *, tfdt: int = 0, codec: str = "aac", durations: Sequence[int] = ()
) -> Sound:
    """Sound samples with these bytes, each of 1,024 ticks (Opus: 960) unless told otherwise."""
    rate, channels, lasts = (8000, 1, 1024) if codec == "aac" else (48_000, 2, 960)
    return Sound(
        sound_entry(codec),
        rate,
        channels,
        tfdt,
        array("I", durations or [lasts] * len(payloads)),
        array("I", [len(payload) for payload in payloads]),
    )


def sample(*units: bytes) -> bytes:
    """NAL units as a sample: each after its length in four bytes."""
    return b"".join(struct.pack(">I", len(unit)) + unit for unit in units)


def table(pictures: Sequence[Picture]) -> SampleTable:
    """The sample table of these pictures, in decode order."""
    return SampleTable(
        array("I", [picture.duration for picture in pictures]),
        array("I", [len(picture.payload) for picture in pictures]),
        array("i", [picture.offset * FRAME for picture in pictures]),
        bytes([picture.sync for picture in pictures]),
    )


def fragment(pictures: Sequence[Picture], tfdt: int) -> bytes:
    """One ``moof`` and its ``mdat``, as FFmpeg writes them while recording."""
    described = table(pictures)

    def moof(offset: int) -> bytes:
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", 1)),
            box(
                b"traf",
                full_box(b"tfhd", 0, 0x20000, struct.pack(">I", 1)),
                full_box(b"tfdt", 1, 0, struct.pack(">Q", tfdt)),
                write_trun(described, offset),
            ),
        )

    head = moof(len(moof(0)) + 8)
    return head + box(b"mdat", *(picture.payload for picture in pictures))


@dataclass(frozen=True, slots=True)
class Heard:
    """The sound of one fragment: its samples' bytes, the time of the first, and the duration of each."""

    payloads: Sequence[bytes]
    tfdt: int
    lasts: int = 1024


def mixed(
    pictures: Sequence[Picture], tfdt: int, heard: Heard | None, *, sound_first: bool = False, runs: int = 1
) -> bytes:
    """One ``moof`` and its ``mdat`` with pictures, sound or both; each track in ``runs`` runs of samples.

    The runs of both tracks take turns in ``mdat``; ``sound_first`` says which of the two begins.
    """
    tracks: list[tuple[int, int, list[tuple[SampleTable, bytes]]]] = []
    if pictures:
        parts = [part for part in _split(pictures, runs) if part]
        made = [(table(part), b"".join(picture.payload for picture in part)) for part in parts]
        tracks.append((1, tfdt, made))
    if heard is not None:
        tables = []
        for part in _split(heard.payloads, runs):
            sizes = array("I", [len(payload) for payload in part])
            lasts = array("I", [heard.lasts] * len(part))
            offsets = array("i", bytes(4 * len(part)))
            if part:
                tables.append((SampleTable(lasts, sizes, offsets, bytes([1] * len(part))), b"".join(part)))
        tracks.append((2, heard.tfdt, tables))
    order = [
        (track, number)
        for number in range(runs)
        for track in (sorted(tracks, key=lambda one: -one[0]) if sound_first else tracks)
        if number < len(track[2])
    ]
    places: dict[tuple[int, int], int] = {}
    at = 0
    for track, number in order:
        places[track[0], number] = at
        at += len(track[2][number][1])

    def moof(base: int) -> bytes:
        return box(
            b"moof",
            full_box(b"mfhd", 0, 0, struct.pack(">I", 1)),
            *(
                box(
                    b"traf",
                    full_box(b"tfhd", 0, 0x20000, struct.pack(">I", number)),
                    full_box(b"tfdt", 1, 0, struct.pack(">q", begins)),
                    *(write_trun(one, base + places[number, index]) for index, (one, _) in enumerate(parts)),
                )
                for number, begins, parts in tracks
            ),
        )

    head = moof(len(moof(0)) + 8)
    return head + box(b"mdat", *(track[2][number][1] for track, number in order))


def _split(items: Sequence[Part], runs: int) -> list[Sequence[Part]]:
    size = -(-len(items) // runs) or 1
    return [items[at : at + size] for at in range(0, len(items), size)]


def mixed_init(codec: Codec = "h264", *, heard: str = "aac") -> bytes:
    """``ftyp`` and ``moov`` of a source with pictures and sound."""
    return write_init(track(codec), sound([], codec=heard).track)


def prft(wall_us: int) -> bytes:
    """A producer reference time."""
    ntp = ((wall_us + 2_208_988_800_000_000) << 32) // 1_000_000
    return full_box(b"prft", 1, 24, struct.pack(">IQQ", 1, ntp, 0))


def mfra() -> bytes:
    """What FFmpeg writes last when it closes a file in order."""
    return box(b"mfra", full_box(b"mfro", 0, 0, struct.pack(">I", 24)))


def source(
    fragments: Sequence[Sequence[Picture]], *, codec: Codec = "h264", closing: bytes | None = None
) -> bytes:
    """A whole source; ``closing`` (by default :func:`mfra`) may be ``b""`` for a truncated source."""
    made = write_init(track(codec))
    tfdt = 0
    for pictures in fragments:
        made += fragment(pictures, tfdt)
        tfdt += sum(picture.duration for picture in pictures)
    return made + (mfra() if closing is None else closing)
