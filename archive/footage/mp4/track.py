"""The description of a track (``moov``): read from FFmpeg's initialisation, written in our own form.

ISO/IEC 14496-12 and 14496-15. Our form always has the same boxes in the same order, without the writer's
name, without times of day and without an edit list. So one stream has one initialisation, and the same input
always gives the same bytes. The sample entry (``avc1``, ``hev1``) is copied whole. A second track may hold
sound (:mod:`archive.footage.mp4.sound`).
"""

import struct
from dataclasses import dataclass

from archive.errors import Malformed
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
from archive.footage.mp4.sound import SOUND_TRACK_ID, SoundTrack, check_rate, read_sound_entry
from archive.model.segment import TIMESCALE, Codec

TRACK_ID = 1
_CODECS: dict[bytes, Codec] = {b"avc1": "h264", b"avc3": "h264", b"hev1": "hevc", b"hvc1": "hevc"}
_OTHERS = {
    b"mp4v": "MJPEG or MPEG-4 Part 2",
    b"jpeg": "MJPEG",
    b"mjpg": "MJPEG",
    b"av01": "AV1",
    b"vp08": "VP8",
    b"vp09": "VP9",
}
CONFIGURATIONS = {"h264": b"avcC", "hevc": b"hvcC"}
VISUAL_ENTRY = 78
"""Bytes of a VisualSampleEntry's body before its boxes."""
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
    """Read the picture track; beside it there may be one of sound.

    Raises:
        Malformed: ``codec_not_recorded`` if its pictures are known to be of another codec than H.264 and
            H.265; ``bad_segment`` for anything else that no recorder writes.
    """
    trak, _ = _traks(source, moov)
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
    codec = _codec_of(entry)
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
        defaults=_read_trex(source, moov, track_id),
    )


def read_sound_track(source: Readable, moov: Box) -> SoundTrack | None:
    """Read the track beside the pictures; None if there is none.

    Raises:
        Malformed: ``bad_segment``, if it is anything but AAC or Opus. The pictures may be sound even then.
    """
    _, trak = _traks(source, moov)
    if trak is None:
        return None
    if _media_kind(source, trak) != b"soun":
        raise bad_segment("the second track is no sound")
    track_id, _ = _read_tkhd(source, child(source, trak, b"tkhd"))
    mdia = child(source, trak, b"mdia")
    timescale = check_rate(_read_timescale(source, child(source, mdia, b"mdhd")))
    entry, channels = read_sound_entry(source, child(source, mdia, b"minf", b"stbl", b"stsd"))
    return SoundTrack(track_id, entry, timescale, channels, _read_trex(source, moov, track_id))


def count_tracks(source: Readable, moov: Box) -> int:
    """How many tracks there are. Raises Malformed ``bad_segment``."""
    return sum(found.kind == b"trak" for found in boxes(source, moov.body, moov.end, "moov"))


def write_init(track: Track, sound: SoundTrack | None = None) -> bytes:
    """``ftyp`` and ``moov`` of a segment with this track: no samples, no edit list, room for one moof."""
    # flags 3: enabled and in the movie
    tkhd = full_box(b"tkhd", 0, 3, struct.pack(">IIIII", 0, 0, TRACK_ID, 0, 0), bytes(16), track.shape)
    media = full_box(b"vmhd", 0, 1, bytes(8))
    traks = [_write_trak(tkhd, b"vide", media, track.timescale, track.sample_entry)]
    trexes = [full_box(b"trex", 0, 0, struct.pack(">IIIII", TRACK_ID, 1, 0, 0, 0))]
    if sound is not None:
        head = struct.pack(">IIIII", 0, 0, SOUND_TRACK_ID, 0, 0)
        tkhd = full_box(b"tkhd", 0, 3, head, bytes(12), _SHORTS.pack(0x100, 0), _UNITY, bytes(8))
        media = full_box(b"smhd", 0, 0, bytes(4))
        traks.append(_write_trak(tkhd, b"soun", media, sound.timescale, sound.sample_entry))
        trexes.append(full_box(b"trex", 0, 0, struct.pack(">IIIII", SOUND_TRACK_ID, 1, 0, 0, 0)))
    mvhd = full_box(
        b"mvhd",
        0,
        0,
        struct.pack(">IIIIIH", 0, 0, track.timescale, 0, 0x10000, 0x100),
        bytes(10),
        _UNITY,
        bytes(24),
        _WORD.pack(TRACK_ID + len(traks)),
    )
    ftyp = box(b"ftyp", b"iso6", bytes(4), b"iso6iso5mp41")
    return ftyp + box(b"moov", mvhd, *traks, box(b"mvex", *trexes))


def _write_trak(tkhd: bytes, kind: bytes, media: bytes, timescale: int, sample_entry: bytes) -> bytes:
    stbl = box(
        b"stbl",
        full_box(b"stsd", 0, 0, _WORD.pack(1), sample_entry),
        full_box(b"stts", 0, 0, bytes(4)),
        full_box(b"stsc", 0, 0, bytes(4)),
        full_box(b"stsz", 0, 0, bytes(8)),
        full_box(b"stco", 0, 0, bytes(4)),
    )
    url = full_box(b"url ", 0, 1)
    minf = box(b"minf", media, box(b"dinf", full_box(b"dref", 0, 0, _WORD.pack(1), url)), stbl)
    mdia = box(
        b"mdia",
        full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0)),
        full_box(b"hdlr", 0, 0, bytes(4), kind, bytes(12), b"\0"),
        minf,
    )
    return box(b"trak", tkhd, mdia)


def entry_codec(source: Readable, entry: Box) -> tuple[Codec, int]:
    """Codec and NAL length size of a sample entry. Raises Malformed as :func:`read_track`."""
    codec = _codec_of(entry)
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


def _codec_of(entry: Box) -> Codec:
    codec = _CODECS.get(entry.kind)
    if codec is not None:
        return codec
    other = _OTHERS.get(entry.kind)
    if other is not None:
        raise Malformed(
            f"the pictures are {other} ({box_name(entry.kind)}), not H.264 or H.265",
            code="codec_not_recorded",
            hint="Set the camera's stream to H.264 or H.265, or choose another of its streams.",
        )
    raise bad_segment(f"the sample entry is {box_name(entry.kind)}; segments hold H.264 or H.265")


def _traks(source: Readable, moov: Box) -> tuple[Box, Box | None]:
    """The picture track, and the other one if there are two."""
    traks = [found for found in boxes(source, moov.body, moov.end, "moov") if found.kind == b"trak"]
    if len(traks) == 1:
        return traks[0], None
    pictures = [trak for trak in traks if _media_kind(source, trak) == b"vide"]
    if len(traks) != 2 or len(pictures) != 1:
        raise bad_segment(
            f"moov holds {len(traks)} tracks, {len(pictures)} of pictures; a segment has one of pictures"
            " and at most one of sound"
        )
    return pictures[0], traks[1] if traks[0] is pictures[0] else traks[0]


def _media_kind(source: Readable, trak: Box) -> bytes:
    """What a track is: ``vide``, ``soun``, another kind, or nothing if that cannot be read."""
    try:
        hdlr = child(source, trak, b"mdia", b"hdlr")
    except Malformed:
        return b""
    return bytes(source[hdlr.body + 8 : min(hdlr.body + 12, hdlr.end)])


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


def _read_trex(source: Readable, moov: Box, track_id: int) -> SampleDefaults:
    mvex = child(source, moov, b"mvex")
    for trex in (found for found in boxes(source, mvex.body, mvex.end, "mvex") if found.kind == b"trex"):
        _, stated, _, duration, size, flags = fields(source, trex, _SIX_WORDS)
        if stated == track_id:
            return SampleDefaults(duration, size, flags)
    raise bad_segment(f"mvex holds no trex of track {track_id}")


def _configuration(source: Readable, entry: Box, codec: Codec) -> Box:
    kind = CONFIGURATIONS[codec]
    for found in boxes(source, entry.body + VISUAL_ENTRY, entry.end, box_name(entry.kind)):
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
