"""Segment lines read in one step: one pattern checks both the canonical form and every field.

Archives hold hundreds of millions of segment lines. Parsing each as JSON, checking its fields and encoding
it again to see that it was canonical costs forty times as much as matching it. A line that matches is the
canonical JSON (RFC 8785) of a valid segment leaf: names in order, no white space, plain ASCII without an
escape, integers below 10^15. A line that does not match may still be valid: :mod:`archive.model.leaf` reads
it the long way and says what is wrong with it, if anything.
"""

import re
from functools import lru_cache
from typing import NamedTuple, cast

from archive.errors import Malformed
from archive.model.segment import (
    MADE_FROM,
    PICTURES_MADE_FROM,
    UNSYNCHRONISED,
    ClockStatement,
    Codec,
    DeviceClock,
    GopKind,
    Segment,
    SoundStatement,
    check_pauses,
)
from archive.timespan import MINUTE, SECOND, Timespan, parse_instant

_NAME = r"([A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?)"
_INSTANT = r"(\d{4}-\d\d-\d\dT\d\d:[0-5]\d:[0-5]\d\.\d{6}Z)"
_COUNT = r"(0|[1-9]\d{0,14})"
_SOUND = (
    r'\{"channels":([1-9]\d{0,14}),"codec":"(mp4a\.40\.[1-9]\d?|opus)"'
    rf'(?:,"made_from":"({"|".join(MADE_FROM)})")?,"rate":([1-9]\d{{0,14}})\}}'
)
_DEVICE_CLOCK = rf'\{{"asked_at":"{_INSTANT}","offset_us":(0|-?[1-9]\d{{0,14}}),"uncertainty_us":{_COUNT}\}}'
_PAUSES = rf"\[(\[{_COUNT},{_COUNT}\](?:,\[{_COUNT},{_COUNT}\])*)\]".replace("(0|", "(?:0|")
_MADE_FROM = f'"({"|".join(PICTURES_MADE_FROM)})"'
_WORD = r"[ !#-\[\]-~]*"

_LINE = re.compile(
    rf'\{{"camera":"{_NAME}",'
    rf'"camera_time":(?:null|"{_INSTANT}"),'
    rf'"clock":\{{"flags":\[((?:"{_WORD}"(?:,"{_WORD}")*)?)\],"offset_us":(0|-?[1-9]\d{{0,14}}),'
    rf'"source":"({_WORD})","uncertainty_us":{_COUNT}\}},'
    rf'"codec":"(h264|hevc)",(?:"device_clock":{_DEVICE_CLOCK},)?"end":"{_INSTANT}","frames":{_COUNT},"gop":"(closed|open)",'
    rf'"header_bytes":{_COUNT},"ingested_at":"{_INSTANT}","key":"([!#-\[\]-~]+)",'
    rf'(?:"made_from":{_MADE_FROM},)?"media_duration":{_COUNT},(?:"pauses":{_PAUSES},)?"recorder":"{_NAME}","run":"([0-9a-f]{{16}})","seq":{_COUNT},'
    rf'"sha256":"([0-9a-f]{{64}})","size":{_COUNT},(?:"sound":{_SOUND},)?"start":"{_INSTANT}","type":"segment","v":1\}}\Z',
    re.ASCII,
)


class SegmentLine(NamedTuple):
    """A segment leaf's fields as its line has them; times in µs, ``clock`` and the rest as text."""

    camera: str
    recorder: str
    run: str
    seq: int
    start: int
    end: int
    media_duration: int
    sha256: str
    size: int
    header_bytes: int
    codec: str
    gop: str
    key: str
    frames: int
    ingested_at: str
    camera_time: str | None
    clock_source: str
    clock_offset: int
    clock_uncertainty: int
    clock_flags: str
    sound: SoundStatement | None = None
    device_clock: DeviceClock | None = None
    pauses: tuple[tuple[int, int], ...] = ()
    made_from: str = ""

    @property
    def clock_bound(self) -> int | None:
        """As :attr:`archive.model.segment.ClockStatement.bound_us`."""
        return None if f'"{UNSYNCHRONISED}"' in self.clock_flags else self.clock_uncertainty

    def segment(self) -> Segment:
        """The leaf."""
        return Segment(
            camera=self.camera,
            recorder=self.recorder,
            run=self.run,
            seq=self.seq,
            span=Timespan(self.start, self.end),
            media_duration=self.media_duration,
            sha256=self.sha256,
            size=self.size,
            header_bytes=self.header_bytes,
            codec=cast(Codec, self.codec),
            gop=cast(GopKind, self.gop),
            frames=self.frames,
            clock=ClockStatement(
                source=self.clock_source,
                offset_us=self.clock_offset,
                uncertainty_us=self.clock_uncertainty,
                flags=tuple(self.clock_flags[1:-1].split('","')) if self.clock_flags else (),
            ),
            camera_time=None if self.camera_time is None else _instant(self.camera_time),
            ingested_at=_instant(self.ingested_at),
            sound=self.sound,
            device_clock=self.device_clock,
            pauses=self.pauses,
            made_from=self.made_from,
        )


def read_line(line: bytes) -> SegmentLine | None:
    """The fields of a segment's line, or None if it must be read the long way."""
    try:
        match = _LINE.match(line.decode("ascii"))
        if match is None:
            return None
        (
            camera, camera_time, flags, offset, source, uncertainty, codec, asked_at, ahead, within, until,
            frames, gop, header_bytes, ingested_at, key, made_from, media_duration, paused, recorder, run,
            seq, sha256, size, channels, sound_codec, sound_made_from, rate, since,
        ) = match.groups()  # fmt: skip
        start, end = _instant(since), _instant(until)
        _instant(ingested_at)
        if camera_time is not None:
            _instant(camera_time)
        device_clock = None
        if asked_at is not None:
            device_clock = DeviceClock(at=_instant(asked_at), offset_us=int(ahead), within_us=int(within))
        pauses = () if paused is None else _pauses_of(paused, end - start)
    except ValueError:  # not ASCII, no such day, or pauses out of order
        return None
    stamp = f"{since[:4]}{since[5:7]}{since[8:13]}{since[14:16]}{since[17:]}"
    folder = f"{since[:4]}/{since[5:7]}/{since[8:10]}/{since[11:13]}"
    if start >= end or key != f"segments/{camera}/{folder}/{stamp}_{run}_{int(seq):06d}_{sha256[:16]}.mp4":
        return None
    sound = None
    if channels is not None:
        sound = SoundStatement(
            codec=sound_codec, channels=int(channels), rate=int(rate), made_from=sound_made_from or ""
        )
    return SegmentLine(
        camera, recorder, run, int(seq), start, end, int(media_duration), sha256, int(size),
        int(header_bytes), codec, gop, key, int(frames), ingested_at, camera_time, source, int(offset),
        int(uncertainty), flags, sound, device_clock, pauses, made_from or "",
    )  # fmt: skip


def _pauses_of(text: str, lasts: int) -> tuple[tuple[int, int], ...]:
    """``[SINCE,UNTIL],…``. Raises ValueError if they do not follow one another, or one is too late."""
    edges = [int(edge) for edge in re.findall(r"\d+", text)]
    found = tuple(zip(edges[::2], edges[1::2], strict=True))
    check_pauses(found)
    if found[-1][1] > lasts:
        raise ValueError(text)
    return found


def _instant(text: str) -> int:
    """``YYYY-MM-DDTHH:MM:SS.ffffffZ`` in µs. Raises ValueError if there is no such day or hour."""
    hour = _hour(text[:13])
    if hour is None:
        raise ValueError(text)
    return hour + int(text[14:16]) * MINUTE + int(text[17:19]) * SECOND + int(text[20:26])


@lru_cache(maxsize=4096)
def _hour(text: str) -> int | None:
    try:
        return parse_instant(f"{text}:00:00Z")
    except Malformed:
        return None
