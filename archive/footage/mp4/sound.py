"""The sound of a segment: AAC or Opus, in a second track beside the pictures.

ISO/IEC 14496-12, 14496-14 (``mp4a``, ``esds``) and the Opus mapping (``Opus``, ``dOps``). The sample entry is
copied whole. All sound samples stand behind the last picture, in order, so that each range of pictures is
what it would be without sound. The sound's ``tfdt`` stands on the run's timeline, as that of the pictures
does: both divided by their ticks per second count from the same zero.
"""

import struct
from array import array
from dataclasses import dataclass
from itertools import accumulate, takewhile
from typing import Literal

from archive.footage.mp4.boxes import (
    Box,
    Readable,
    bad_segment,
    box,
    box_name,
    boxes,
    child,
    fields,
    full_box,
)
from archive.footage.mp4.samples import SampleDefaults, read_trun

SoundCodec = Literal["aac", "opus"]

SOUND_TRACK_ID = 2
_CODECS: dict[bytes, SoundCodec] = {b"mp4a": "aac", b"Opus": "opus"}
_AUDIO_ENTRY = 28  # bytes of an AudioSampleEntry's body before its boxes
_MOST_ENTRY_BYTES = 1 << 16
_HIGHEST_RATE = 192_000
_MPEG_4_AUDIO = 0x40
_CHANNELS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 8}
"""Channels by ``channelConfiguration`` (ISO/IEC 14496-3, table 1.19)."""
_MOST_CHANNELS = 8
_ES, _DECODER, _SPECIFIC = 3, 4, 5
_DEFAULT_BASE_IS_MOOF, _DEFAULT_DURATION = 0x02_0000, 0x8
_DATA_OFFSET, _DURATION, _SIZE = 0x1, 0x100, 0x200
_FURTHEST = 0x7FFF_FFFF
_WORD = struct.Struct(">I")
_TWO_WORDS = struct.Struct(">II")
_WORD_AND_LONG = struct.Struct(">IQ")
_ONE_SHORT = struct.Struct(">H")
_TWO_OCTETS = struct.Struct(">BB")


@dataclass(frozen=True, slots=True)
class SoundTrack:
    """The description of a sound track: its sample entry and its ticks per second."""

    track_id: int
    sample_entry: bytes
    timescale: int
    channels: int
    defaults: SampleDefaults


@dataclass(frozen=True, slots=True)
class Sound:
    """The sound of one segment.

    ``sample_entry`` is the whole ``mp4a`` or ``Opus`` box; ``tfdt`` the time of the first sample on the run's
    timeline, and ``durations`` those of all samples, in ticks of ``1/timescale`` s. ``start`` is the offset
    of the first sound byte in the segment: 0 before it stands in one.
    """

    sample_entry: bytes
    timescale: int
    channels: int
    tfdt: int
    durations: "array[int]"
    sizes: "array[int]"
    start: int = 0

    @property
    def codec(self) -> SoundCodec:
        """The codec, without its profile."""
        return _CODECS[self.sample_entry[4:8]]

    @property
    def codec_string(self) -> str:
        """The codec as playlists and ``Content-Type`` name it (RFC 6381)."""
        return sound_entry(self.sample_entry, _whole(self.sample_entry))[0]

    @property
    def times(self) -> list[int]:
        """When each sample begins, on the run's timeline."""
        times = list(accumulate(self.durations, initial=self.tfdt))
        times.pop()
        return times

    @property
    def track(self) -> SoundTrack:
        """The description alone."""
        defaults = SampleDefaults(0, 0, 0)
        return SoundTrack(SOUND_TRACK_ID, self.sample_entry, self.timescale, self.channels, defaults)


def sound_entry(source: Readable, entry: Box) -> tuple[str, int]:
    """The codec by RFC 6381 and the number of channels that a sample entry states.

    Raises:
        Malformed: ``bad_segment`` for any codec but AAC and Opus, or if its configuration cannot be read.
    """
    codec = _CODECS.get(entry.kind)
    if codec is None:
        raise bad_segment(f"the sound is {box_name(entry.kind)}; segments hold AAC or Opus")
    if entry.end - entry.start > _MOST_ENTRY_BYTES:
        raise bad_segment(f"the sound's sample entry has {entry.end - entry.start} bytes")
    (version,) = fields(source, entry, _ONE_SHORT, 8)
    if version:
        raise bad_segment(f"the sound's sample entry has version {version}")
    wanted = b"esds" if codec == "aac" else b"dOps"
    for found in boxes(source, entry.body + _AUDIO_ENTRY, entry.end, box_name(entry.kind)):
        if found.kind == wanted:
            return _aac(source, found) if codec == "aac" else _opus(source, found)
    raise bad_segment(f"{box_name(entry.kind)} holds no {box_name(wanted)}")


def read_sound_entry(source: Readable, stsd: Box) -> tuple[bytes, int]:
    """The only sample entry of a sound track, whole, and its channels. Raises as :func:`sound_entry`."""
    _, entries = fields(source, stsd, _TWO_WORDS)
    entry = next(boxes(source, stsd.body + 8, stsd.end, "stsd"), None)
    if entries != 1 or entry is None or entry.end != stsd.end:
        raise bad_segment("stsd of the sound does not hold exactly one sample entry")
    _, channels = sound_entry(source, entry)
    return bytes(source[entry.start : entry.end]), channels


def check_rate(timescale: int) -> int:
    """The ticks per second of a sound track. Raises Malformed ``bad_segment`` for an impossible number."""
    if not 0 < timescale <= _HIGHEST_RATE:
        raise bad_segment(f"the sound has {timescale} ticks per second")
    return timescale


def write_sound_run(sound: Sound, data_offset: int) -> bytes:
    """The ``traf`` of the sound; its length does not depend on ``data_offset``.

    Raises:
        Malformed: ``bad_segment`` where the pictures before it are longer than a ``trun`` can count.
    """
    if data_offset > _FURTHEST:
        raise bad_segment("the sound stands further behind the pictures than a trun can count")
    count = len(sound.sizes)
    lasts = sound.durations[0]
    even = sound.durations.count(lasts) == count
    stride = 1 if even else 2
    words = array("I", bytes(4 * stride * count))
    if not even:
        words[0::2] = sound.durations
    words[stride - 1 :: stride] = sound.sizes
    head = [_WORD.pack(SOUND_TRACK_ID)] + ([_WORD.pack(lasts)] if even else [])
    flags = _DEFAULT_BASE_IS_MOOF | (_DEFAULT_DURATION if even else 0)
    columns = _DATA_OFFSET | _SIZE | (0 if even else _DURATION)
    table = struct.pack(f">{len(words)}I", *words)
    return box(
        b"traf",
        full_box(b"tfhd", 0, flags, *head),
        full_box(b"tfdt", 1, 0, struct.pack(">Q", sound.tfdt)),
        full_box(b"trun", 0, columns, struct.pack(">Ii", count, data_offset), table),
    )


def read_sound_run(source: Readable, track: SoundTrack, traf: Box) -> tuple[int | None, Sound]:
    """Read what :func:`write_sound_run` writes: its data offset, and the sound without ``start``.

    Raises:
        Malformed: ``bad_segment``.
    """
    tfhd = child(source, traf, b"tfhd")
    flags, track_id = fields(source, tfhd, _TWO_WORDS)
    if track_id != track.track_id or flags & ~_DEFAULT_DURATION != _DEFAULT_BASE_IS_MOOF:
        raise bad_segment("tfhd of the sound is not that of a finalised segment")
    lasts = 0
    if flags & _DEFAULT_DURATION:
        (lasts,) = fields(source, tfhd, _WORD, 8)
    version, tfdt = fields(source, child(source, traf, b"tfdt"), _WORD_AND_LONG)
    if version != 1 << 24 or tfdt >= 1 << 62:
        raise bad_segment("tfdt of the sound is not that of a finalised segment")
    runs = [found for found in boxes(source, traf.body, traf.end, "traf") if found.kind == b"trun"]
    if len(runs) != 1:
        raise bad_segment(f"traf of the sound holds {len(runs)} truns; a finalised segment has exactly one")
    stated, table = read_trun(source, runs[0], SampleDefaults(lasts, 0, 0))
    if not len(table) or any(table.offsets) or not all(table.sizes):
        raise bad_segment("trun of the sound is not that of a finalised segment")
    return stated, Sound(
        track.sample_entry, track.timescale, track.channels, tfdt, table.durations, table.sizes
    )


def _whole(entry: bytes) -> Box:
    return Box(entry[4:8], 0, 8, len(entry))


def _opus(source: Readable, dops: Box) -> tuple[str, int]:
    version, channels = fields(source, dops, _TWO_OCTETS)
    if version or not 0 < channels <= _MOST_CHANNELS:
        raise bad_segment(f"dOps has version {version} and {channels} channels")
    return "opus", channels


def _aac(source: Readable, esds: Box) -> tuple[str, int]:
    """Object type and channels of an AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)."""
    config = _specific(bytes(source[esds.body : esds.end]))
    if len(config) < 2:
        raise bad_segment("esds holds no AudioSpecificConfig")
    bits = f"{int.from_bytes(config[:8].ljust(8, bytes(1)), 'big'):064b}"
    at = 5
    kind = int(bits[:at], 2)
    if kind == 31:
        kind, at = 32 + int(bits[5:11], 2), 11
    at += 4 if bits[at : at + 4] != "1111" else 28
    channels = _CHANNELS.get(int(bits[at : at + 4], 2))
    if kind == 0 or channels is None:
        raise bad_segment("the AudioSpecificConfig has no object type or no known number of channels")
    return f"mp4a.40.{kind}", channels


def _specific(esds: bytes) -> bytes:
    """The AudioSpecificConfig in an ``esds``: a descriptor in a descriptor in a descriptor."""
    decoder = decoder_of(esds)
    if decoder[:1] != bytes((_MPEG_4_AUDIO,)):
        raise bad_segment(f"esds is of object type {decoder[:1].hex()}; segments hold AAC or Opus")
    return _descriptor(decoder[13:], _SPECIFIC)


def decoder_of(esds: bytes) -> bytes:
    """The DecoderConfigDescriptor in the body of an ``esds``; its first octet is the object type.

    Raises:
        Malformed: ``bad_segment``.
    """
    stream = _descriptor(esds[4:], _ES)
    flags = int.from_bytes(stream[2:3], "big")
    at = 3 + (2 if flags & 0x80 else 0)
    if flags & 0x40:
        at += 1 + int.from_bytes(stream[at : at + 1], "big")
    at += 2 if flags & 0x20 else 0
    return _descriptor(stream[at:], _DECODER)


def _descriptor(data: bytes, tag: int) -> bytes:
    """The body of the descriptor that ``data`` begins with (ISO/IEC 14496-1, 8.3.3)."""
    if data[:1] != bytes((tag,)):
        raise bad_segment(f"esds has descriptor {data[:1].hex() or 'none'} where {tag:02x} must be")
    more = len(list(takewhile(lambda octet: octet & 0x80, data[1:4])))
    length = 0
    for octet in data[1 : 2 + more]:
        length = length << 7 | octet & 0x7F
    body = data[2 + more : 2 + more + length]
    if len(body) != length:
        raise bad_segment(f"descriptor {tag:02x} of esds is cut")
    return body
