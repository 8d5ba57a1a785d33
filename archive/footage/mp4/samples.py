"""The sample table of a track run (``trun``), in decode order, as columns.

ISO/IEC 14496-12, 8.8.8. A run of n samples is n records of up to four 32-bit words. Whole columns are cut
out of it with slices, so that reading 150 frames costs microseconds, and no other index of frames is needed
anywhere.
"""

import struct
import sys
from array import array
from dataclasses import dataclass
from itertools import accumulate

from archive.footage.mp4.boxes import Box, Readable, bad_segment, full_box

MAX_SAMPLES = 1 << 20
"""No segment has more: 300 s at 60 frames a second are 18,000. Bounds the memory for a forged count."""

_NON_SYNC = 0x0001_0000
_FLAGS_SYNC = 0x0200_0000  # depends on no other sample
_FLAGS_NON_SYNC = 0x0101_0000  # depends on others, is no sync sample

_DATA_OFFSET, _FIRST_FLAGS = 0x1, 0x4
_DURATION, _SIZE, _FLAGS, _OFFSET = 0x100, 0x200, 0x400, 0x800
_KNOWN = _DATA_OFFSET | _FIRST_FLAGS | _DURATION | _SIZE | _FLAGS | _OFFSET
_SWAP = sys.byteorder == "little"
_HEAD = struct.Struct(">II")
_WORD = struct.Struct(">I")
_SIGNED = struct.Struct(">i")


@dataclass(frozen=True, slots=True)
class SampleTable:
    """Samples in decode order, one column each, all of one length.

    ``durations`` are decode durations in ticks, ``sizes`` bytes, ``offsets`` composition offsets in ticks
    (presentation time − decode time, signed); ``sync`` has one byte per sample, 1 for a sync sample.
    """

    durations: "array[int]"
    sizes: "array[int]"
    offsets: "array[int]"
    sync: bytes

    def __len__(self) -> int:
        return len(self.sizes)

    def decode_times(self, tfdt: int) -> list[int]:
        """The decode time of each sample, the first at ``tfdt``."""
        times = list(accumulate(self.durations, initial=tfdt))
        times.pop()
        return times

    def presentation_times(self, tfdt: int) -> list[int]:
        """The presentation time of each sample, in decode order."""
        return [dts + offset for dts, offset in zip(self.decode_times(tfdt), self.offsets, strict=True)]


@dataclass(frozen=True, slots=True)
class SampleDefaults:
    """The values of a sample for which its run gives none (``trex``, ``tfhd``)."""

    duration: int
    size: int
    flags: int


def read_trun(source: Readable, trun: Box, defaults: SampleDefaults) -> tuple[int | None, SampleTable]:
    """Read one track run: its data offset, if it has one, and its samples.

    Offsets are read as signed in every version: FFmpeg marks runs with signed offsets as version 0.

    Raises:
        Malformed: ``bad_segment`` when the box is short, longer than its count says, or counts too many.
    """
    if trun.end - trun.body < 8:
        raise bad_segment("trun is too short")
    head, count = _HEAD.unpack_from(source, trun.body)
    flags = head & 0xFF_FFFF
    if flags & ~_KNOWN:
        raise bad_segment(f"trun has flags {flags:#x} that nothing here writes")
    if count > MAX_SAMPLES:
        raise bad_segment(f"trun counts {count} samples")
    columns = [bit for bit in (_DURATION, _SIZE, _FLAGS, _OFFSET) if flags & bit]
    at = trun.body + 8
    heads = (4 if flags & _DATA_OFFSET else 0) + (4 if flags & _FIRST_FLAGS else 0)
    if at + heads + 4 * len(columns) * count != trun.end:
        raise bad_segment(f"trun of {count} samples has {trun.end - trun.body} bytes")
    data_offset: int | None = None
    if flags & _DATA_OFFSET:
        (data_offset,) = _SIGNED.unpack_from(source, at)
        at += 4
    first_flags: int | None = None
    if flags & _FIRST_FLAGS:
        (first_flags,) = _WORD.unpack_from(source, at)
        at += 4
    words = _words(source, at, trun.end)
    stride = len(columns)

    def column(bit: int, default: int) -> "array[int]":
        if flags & bit:
            return words[columns.index(bit) :: stride]
        return array("I", [default] * count)

    sample_flags = column(_FLAGS, defaults.flags)
    if first_flags is not None and count:
        sample_flags[0] = first_flags
    return data_offset, SampleTable(
        durations=column(_DURATION, defaults.duration),
        sizes=column(_SIZE, defaults.size),
        offsets=array("i", column(_OFFSET, 0).tobytes()),
        sync=bytes([not flag & _NON_SYNC for flag in sample_flags]),
    )


def write_trun(samples: SampleTable, data_offset: int) -> bytes:
    """The whole table as one ``trun`` of version 1: every column written out, offsets signed."""
    words = array("I", bytes(16 * len(samples)))
    words[0::4] = samples.durations
    words[1::4] = samples.sizes
    words[2::4] = array("I", [_FLAGS_SYNC if sync else _FLAGS_NON_SYNC for sync in samples.sync])
    words[3::4] = array("I", samples.offsets.tobytes())
    if _SWAP:
        words.byteswap()
    flags = _DATA_OFFSET | _DURATION | _SIZE | _FLAGS | _OFFSET
    return full_box(b"trun", 1, flags, struct.pack(">Ii", len(samples), data_offset), words.tobytes())


def trun_size(count: int) -> int:
    """How long :func:`write_trun` makes a table of ``count`` samples."""
    return 20 + 16 * count


def _words(source: Readable, start: int, end: int) -> "array[int]":
    words = array("I", bytes(source[start:end]))
    if _SWAP:
        words.byteswap()
    return words
