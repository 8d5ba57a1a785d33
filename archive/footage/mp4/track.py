"""The description of a track (``moov``): read from FFmpeg's initialisation, written in our own form.

ISO/IEC 14496-12 and 14496-15. Our form always has the same boxes in the same order, without the writer's
name, without times of day and without an edit list. So one stream has one initialisation, and the same input
always gives the same bytes. The sample entry (``avc1``, ``hev1``) is copied whole.
"""

import struct
from dataclasses import dataclass

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
from archive.footage.mp4.samples import SampleDefaults
from archive.model.segment import TIMESCALE, Codec

TRACK_ID = 1
_CODECS: dict[bytes, Codec] = {b"avc1": "h264", b"avc3": "h264", b"hev1": "hevc", b"hvc1": "hevc"}
_CONFIGURATIONS = {"h264": b"avcC", "hevc": b"hvcC"}
_VISUAL_ENTRY = 78  # bytes of a VisualSampleEntry's body before its boxes
_WORD = struct.Struct(">I")
_TWO_WORDS = struct.Struct(">II")
_SIX_WORDS = struct.Struct(">6I")
_SHORTS = struct.Struct(">HH")
_OCTET = struct.Struct(">B")
_UNITY = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_MOST_ENTRY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Track:
    """The one picture track of a segment.

    ``shape`` is the end of ``tkhd``: the matrix (a turned camera) and the displayed width and height.
    ``nal_length_size`` is the length of the prefix before each NAL unit, in bytes.
    """

    track_id: int
    codec: Codec
    sample_entry: bytes
    width: int
    height: int
    timescale: int
    nal_length_size: int
    shape: bytes
    defaults: SampleDefaults


def read_track(source: Readable, moov: Box) -> Track:
    """Read the only track. Raises Malformed ``bad_segment`` for anything but one H.264 or H.265 track."""
    tracks = [found for found in boxes(source, moov.body, moov.end, "moov") if found.kind == b"trak"]
    if len(tracks) != 1:
        raise bad_segment(f"moov holds {len(tracks)} tracks; a segment has exactly one")
    trak = tracks[0]
    track_id, shape = _read_tkhd(source, child(source, trak, b"tkhd"))
    mdia = child(source, trak, b"mdia")
    timescale = _read_timescale(source, child(source, mdia, b"mdhd"))
    if timescale != TIMESCALE:
        raise bad_segment(f"mdhd has {timescale} ticks per second; segments have {TIMESCALE}")
    stsd = child(source, mdia, b"minf", b"stbl", b"stsd")
    _, entries = fields(source, stsd, _TWO_WORDS)
    if entries != 1:
        raise bad_segment(f"stsd holds {entries} sample entries; a segment has exactly one")
    entry = next(boxes(source, stsd.body + 8, stsd.end, "stsd"), None)
    if entry is None or entry.end != stsd.end:
        raise bad_segment("stsd does not hold exactly its one sample entry")
    codec = _CODECS.get(entry.kind)
    if codec is None:
        raise bad_segment(f"the sample entry is {box_name(entry.kind)}; segments hold H.264 or H.265")
    if entry.end - entry.start > _MOST_ENTRY_BYTES:
        raise bad_segment(f"the sample entry has {entry.end - entry.start} bytes")
    width, height = fields(source, entry, _SHORTS, 24)
    configuration = _configuration(source, entry, codec)
    return Track(
        track_id=track_id,
        codec=codec,
        sample_entry=bytes(source[entry.start : entry.end]),
        width=width,
        height=height,
        timescale=timescale,
        nal_length_size=_nal_length_size(source, configuration, codec),
        shape=shape,
        defaults=_read_trex(source, child(source, moov, b"mvex", b"trex"), track_id),
    )


def write_init(track: Track) -> bytes:
    """``ftyp`` and ``moov`` of a segment with this track: no samples, no edit list, room for one moof."""
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, _WORD.pack(1), track.sample_entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    url = full_box(b"url ", 0, 1)
    minf = box(
        b"minf",
        full_box(b"vmhd", 0, 1, bytes(8)),
        box(b"dinf", full_box(b"dref", 0, 0, _WORD.pack(1), url)),
        stbl,
    )
    mdia = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, track.timescale, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), b"vide", bytes(12), b"\0"),
        minf,
    )
    # flags 3: enabled and in the movie
    tkhd = full_box(b"tkhd", 0, 3, struct.pack(">IIIII", 0, 0, TRACK_ID, 0, 0), bytes(16), track.shape)
    mvhd = full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH", 0, 0, track.timescale, 0, 0x10000, 0x100),
        bytes(10),
        _UNITY,
        bytes(24),
        _WORD.pack(TRACK_ID + 1),
    )
    trex = full_box(b"trex", 0, 0, struct.pack(">IIIII", TRACK_ID, 1, 0, 0, 0))
    ftyp = box(b"ftyp", b"iso6", bytes(4), b"iso6iso5mp41")
    return ftyp + box(b"moov", mvhd, box(b"trak", tkhd, mdia), box(b"mvex", trex))


def entry_codec(source: Readable, entry: Box) -> tuple[Codec, int]:
    """Codec and NAL length size of a sample entry. Raises Malformed ``bad_segment`` for any other codec."""
    codec = _CODECS.get(entry.kind)
    if codec is None:
        raise bad_segment(f"the sample entry is {box_name(entry.kind)}, not H.264 or H.265")
    return codec, _nal_length_size(source, _configuration(source, entry, codec), codec)


def codec_string(sample_entry: bytes) -> str:
    """The codec's name with profile and level, by RFC 6381 and ISO/IEC 14496-15, annex E.

    H.265 is always named ``hvc1``, whatever the entry's kind, because clips and playlists relabel it.
    """
    entry = Box(sample_entry[4:8], 0, 8, len(sample_entry))
    codec = _CODECS[entry.kind]
    configuration = _configuration(sample_entry, entry, codec)
    stated = sample_entry[configuration.body : configuration.end]
    if codec == "h264":
        return f"avc1.{stated[1:4].hex().upper()}"
    space = ("", "A", "B", "C")[stated[1] >> 6]
    tier = "H" if stated[1] & 0x20 else "L"
    compatibility = int(f"{int.from_bytes(stated[2:6], 'big'):032b}"[::-1], 2)
    constraints = stated[6:12].rstrip(b"\0")
    parts = [f"hvc1.{space}{stated[1] & 0x1F}", f"{compatibility:X}", f"{tier}{stated[12]}"]
    return ".".join(parts + [f"{octet:X}" for octet in constraints])


def _read_tkhd(source: Readable, tkhd: Box) -> tuple[int, bytes]:
    (head,) = fields(source, tkhd, _WORD)
    wide = head >> 24 == 1
    (track_id,) = fields(source, tkhd, _WORD, 20 if wide else 12)
    if tkhd.end - tkhd.body != (96 if wide else 84):
        raise bad_segment(f"tkhd has {tkhd.end - tkhd.body} bytes")
    return track_id, bytes(source[tkhd.end - 44 : tkhd.end])


def _read_timescale(source: Readable, mdhd: Box) -> int:
    (head,) = fields(source, mdhd, _WORD)
    (timescale,) = fields(source, mdhd, _WORD, 20 if head >> 24 == 1 else 12)
    return timescale


def _read_trex(source: Readable, trex: Box, track_id: int) -> SampleDefaults:
    _, stated, _, duration, size, flags = fields(source, trex, _SIX_WORDS)
    if stated != track_id:
        raise bad_segment(f"trex is about track {stated}, not {track_id}")
    return SampleDefaults(duration, size, flags)


def _configuration(source: Readable, entry: Box, codec: Codec) -> Box:
    kind = _CONFIGURATIONS[codec]
    for found in boxes(source, entry.body + _VISUAL_ENTRY, entry.end, box_name(entry.kind)):
        if found.kind == kind:
            return found
    raise bad_segment(f"{box_name(entry.kind)} holds no {box_name(kind)}")


def _nal_length_size(source: Readable, configuration: Box, codec: Codec) -> int:
    at = 4 if codec == "h264" else 21
    (octet,) = fields(source, configuration, _OCTET, at)
    size = (octet & 3) + 1
    if size == 3:
        raise bad_segment(f"{box_name(configuration.kind)} has 3-byte NAL lengths")
    return size
