"""The header of a finalised segment: ``ftyp moov moof`` and the head of ``mdat``.

A segment is stored header-first (design §7): one ``moof`` holds the whole sample table, so that the first
``header_bytes`` bytes, a few KB, give each frame's byte range. This module writes that header and reads it
back; ``archive.footage.clip`` and the playlists need nothing else to cut from a segment. Sound, if there is
any, stands behind the last picture (:mod:`archive.footage.mp4.sound`).

Timeline: ``pts = tfdt + Σ durations before + offset``. ``tfdt`` is the running sum of decode durations of the
run, so presentation times of consecutive segments of a run continue without a seam.
"""

import struct
from dataclasses import dataclass, replace

from archive.footage.mp4.boxes import (
    Box,
    Readable,
    bad_segment,
    box,
    box_head,
    box_name,
    boxes,
    child,
    fields,
    full_box,
    whole_box_at,
)
from archive.footage.mp4.samples import SampleTable, read_trun, trun_size, write_trun
from archive.footage.mp4.sound import Sound, read_sound_run, write_sound_run
from archive.footage.mp4.track import Track, codec_string, read_sound_track, read_track, write_init
from archive.model.segment import Codec, GopKind

__all__ = ["SampleTable", "SegmentHeader", "Sound", "parse_header", "write_header"]

_TFHD_DEFAULT_BASE_IS_MOOF = 0x02_0000
_WORD = struct.Struct(">I")
_TWO_WORDS = struct.Struct(">II")
_WORD_AND_LONG = struct.Struct(">IQ")


@dataclass(frozen=True, slots=True)
class SegmentHeader:
    """All facts about a segment except its sample bytes.

    ``sample_entry`` is the whole ``avc1`` or ``hev1`` box, ``init`` the bytes of ``ftyp`` and ``moov``, and
    ``header_bytes`` the offset of the first sample byte. ``tfdt`` is the decode time of the first sample on
    the run's timeline, in ticks of ``1/timescale`` s. ``sound`` is None where the segment holds none.
    """

    codec: Codec
    sample_entry: bytes
    width: int
    height: int
    timescale: int
    nal_length_size: int
    tfdt: int
    samples: SampleTable
    init: bytes
    header_bytes: int
    sound: Sound | None = None

    @property
    def size(self) -> int:
        """The bytes of the whole segment."""
        pictures = self.header_bytes + sum(self.samples.sizes)
        return pictures if self.sound is None else pictures + sum(self.sound.sizes)

    @property
    def codec_string(self) -> str:
        """The pictures' codec as playlists and ``Content-Type`` name it (RFC 6381), H.265 as ``hvc1``."""
        return codec_string(self.sample_entry)

    @property
    def decode_times(self) -> list[int]:
        """Decode time of each sample on the run's timeline, in decode order."""
        return self.samples.decode_times(self.tfdt)

    @property
    def presentation_times(self) -> list[int]:
        """Presentation time of each sample on the run's timeline, in decode order."""
        return self.samples.presentation_times(self.tfdt)

    @property
    def decode_duration(self) -> int:
        """The sum of all decode durations: from here to the first sample of the run's next segment."""
        return sum(self.samples.durations)

    @property
    def first_pts(self) -> int:
        """The smallest presentation time; with open GOPs it is not that of the first sync."""
        return min(self.presentation_times)

    @property
    def syncs(self) -> list[int]:
        """Indices of the sync samples, in decode order."""
        return [index for index, sync in enumerate(self.samples.sync) if sync]

    def leading(self, sync_index: int) -> list[int]:
        """The leading pictures of a sync: samples after it, before the next sync, that are shown before it.

        They refer to pictures before the sync (H.264 open GOP, H.265 RASL) or may do so (RADL). So they are
        not reliable if decoding starts at this sync. ``sync_index`` is the sync's index in decode order.
        """
        following = self.samples.sync.find(1, sync_index + 1)
        end = len(self.samples) if following < 0 else following
        times = self.presentation_times
        return [index for index in range(sync_index + 1, end) if times[index] < times[sync_index]]

    @property
    def gop(self) -> GopKind:
        """``open`` if any sync has leading pictures, else ``closed``."""
        shown = 0
        is_open = False
        for sync, pts in zip(self.samples.sync, self.presentation_times, strict=True):
            if sync:
                shown = pts
            elif pts < shown:
                is_open = True
                break
        return "open" if is_open else "closed"


def write_header(track: Track, tfdt: int, samples: SampleTable, sound: Sound | None = None) -> bytes:
    """``ftyp moov moof`` and the head of ``mdat``; the sample bytes follow in decode order, then the sound's.

    ``sound.start`` is not read. Raises Malformed ``bad_segment`` if the sound stands too far behind to be
    addressed.
    """
    init = write_init(track, None if sound is None else sound.track)
    pictures = sum(samples.sizes)
    mdat = box_head(b"mdat", pictures + (0 if sound is None else sum(sound.sizes)))
    tfhd = full_box(b"tfhd", 0, _TFHD_DEFAULT_BASE_IS_MOOF, _WORD.pack(1))
    tfdt_box = full_box(b"tfdt", 1, 0, struct.pack(">Q", tfdt))
    mfhd = full_box(b"mfhd", 0, 0, _WORD.pack(1))
    moof_size = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt_box) + trun_size(len(samples))
    sound_run = b""
    if sound is not None:
        moof_size += len(write_sound_run(sound, 0))
        sound_run = write_sound_run(sound, moof_size + len(mdat) + pictures)
    trun = write_trun(samples, moof_size + len(mdat))
    return init + box(b"moof", mfhd, box(b"traf", tfhd, tfdt_box, trun), sound_run) + mdat


def parse_header(data: bytes) -> SegmentHeader:
    """Read a segment's header from its first ``header_bytes`` bytes, or from any longer prefix.

    Only the layout that :func:`write_header` writes is accepted.

    Raises:
        Malformed: ``bad_segment``, with a sentence that names the box and what is wrong.
    """
    ftyp = _expect(data, 0, b"ftyp")
    moov = _expect(data, ftyp.end, b"moov")
    moof = _expect(data, moov.end, b"moof")
    track = read_track(data, moov)
    sound_track = read_sound_track(data, moov)
    trafs = [found for found in boxes(data, moof.body, moof.end, "moof") if found.kind == b"traf"]
    if len(trafs) != (1 if sound_track is None else 2):
        raise bad_segment(f"moof holds {len(trafs)} trafs; a finalised segment has one for each track")
    traf = trafs[0]
    flags, track_id = fields(data, child(data, traf, b"tfhd"), _TWO_WORDS)
    if flags != _TFHD_DEFAULT_BASE_IS_MOOF or track_id != track.track_id:
        raise bad_segment("tfhd is not that of a finalised segment")
    version, tfdt = fields(data, child(data, traf, b"tfdt"), _WORD_AND_LONG)
    if version != 1 << 24 or tfdt >= 1 << 62:
        raise bad_segment("tfdt is not that of a finalised segment")
    runs = [found for found in boxes(data, traf.body, traf.end, "traf") if found.kind == b"trun"]
    if len(runs) != 1:
        raise bad_segment(f"traf holds {len(runs)} truns; a finalised segment has exactly one")
    data_offset, samples = read_trun(data, runs[0], track.defaults)
    if not len(samples):
        raise bad_segment("trun holds no samples")
    pictures = sum(samples.sizes)
    behind, sound = None, None
    if sound_track is not None:
        behind, sound = read_sound_run(data, sound_track, trafs[1])
    mdat = box_head(b"mdat", pictures + (0 if sound is None else sum(sound.sizes)))
    header_bytes = moof.end + len(mdat)
    if data[moof.end : header_bytes] != mdat:
        raise bad_segment("mdat is absent, or its length is not the sum of the sample sizes")
    if data_offset != header_bytes - moof.start:
        raise bad_segment("trun's data offset does not point at the first byte of mdat")
    if sound is not None:
        if behind != header_bytes - moof.start + pictures:
            raise bad_segment("the sound's data offset does not point behind the last picture")
        sound = replace(sound, start=header_bytes + pictures)
    return SegmentHeader(
        codec=track.codec,
        sample_entry=track.sample_entry,
        width=track.width,
        height=track.height,
        timescale=track.timescale,
        nal_length_size=track.nal_length_size,
        tfdt=tfdt,
        samples=samples,
        init=bytes(data[: moov.end]),
        header_bytes=header_bytes,
        sound=sound,
    )


def _expect(data: Readable, at: int, kind: bytes) -> Box:
    """The box of this kind at this place."""
    found = whole_box_at(data, at, len(data))
    if found is None:
        raise bad_segment(f"the header ends at byte {len(data)}, inside or before {box_name(kind)}")
    if found.kind != kind:
        raise bad_segment(f"{box_name(found.kind)} stands at byte {at}, where {box_name(kind)} must be")
    return found
