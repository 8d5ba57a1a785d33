"""Leaves: the canonical JSON line about a segment, a run or a gap, written and read.

A leaf holds only strings and integers below 2^53, and no personal data, so that the log may outlive the
footage. ``docs/reference/leaf.md`` describes each field.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast, get_args

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_name, check_run, check_sha256
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.line import read_line
from archive.model.segment import (
    MADE_FROM,
    PICTURES_MADE_FROM,
    SOUND_CODEC,
    ClockStatement,
    Codec,
    DeviceClock,
    GopKind,
    Run,
    Segment,
    SoundStatement,
    check_pauses,
)
from archive.timespan import Timespan, format_instant, parse_instant

Leaf = Segment | Run | Gap

VERSION = 1


def to_json(leaf: Leaf) -> JsonObject:
    """The leaf as a JSON object."""
    head: JsonObject = {
        "v": VERSION,
        "camera": leaf.camera,
        "recorder": leaf.recorder,
        "start": format_instant(leaf.span.start),
        "end": format_instant(leaf.span.end),
        "ingested_at": format_instant(leaf.ingested_at),
    }
    match leaf:
        case Gap():
            return head | {"type": "gap", "gap": leaf.gap, "cause": leaf.cause.value}
        case Run():
            return head | {
                "type": "run",
                "run": leaf.run,
                "segments": leaf.segments,
                "reason": leaf.reason.value,
                **({"fills": list(leaf.fills)} if leaf.fills else {}),
            }
        case Segment():
            return head | {
                "type": "segment",
                "run": leaf.run,
                "seq": leaf.seq,
                "media_duration": leaf.media_duration,
                "sha256": leaf.sha256,
                "size": leaf.size,
                "header_bytes": leaf.header_bytes,
                "key": leaf.key,
                "codec": leaf.codec,
                "gop": leaf.gop,
                "frames": leaf.frames,
                "clock": {
                    "source": leaf.clock.source,
                    "offset_us": leaf.clock.offset_us,
                    "uncertainty_us": leaf.clock.uncertainty_us,
                    "flags": list(leaf.clock.flags),
                },
                "camera_time": None if leaf.camera_time is None else format_instant(leaf.camera_time),
                **({} if leaf.device_clock is None else {"device_clock": _device_json(leaf.device_clock)}),
                **({"made_from": leaf.made_from} if leaf.made_from else {}),
                **({"pauses": [list(one) for one in leaf.pauses]} if leaf.pauses else {}),
                **({} if leaf.sound is None else {"sound": sound_json(leaf.sound)}),
            }


def sound_json(sound: SoundStatement) -> JsonObject:
    """The leaf's member ``sound``. A line without sound stays as it was before segments could hold any."""
    stated: JsonObject = {"codec": sound.codec, "channels": sound.channels, "rate": sound.rate}
    return stated | ({"made_from": sound.made_from} if sound.made_from else {})


def _device_json(clock: DeviceClock) -> JsonObject:
    """The leaf's member ``device_clock``. A line without it stays as it was before cameras were asked."""
    return {
        "asked_at": format_instant(clock.at),
        "offset_us": clock.offset_us,
        "uncertainty_us": clock.within_us,
    }


def encode(leaf: Leaf) -> bytes:
    """The canonical bytes (RFC 8785) of the leaf, without a newline."""
    return canonical.encode(to_json(leaf))


def decode(line: bytes) -> Leaf:
    """Read one leaf line. Raises Malformed ``bad_leaf``, which says what is wrong."""
    found = read_line(line)
    return from_json(canonical.decode(line)) if found is None else found.segment()


def from_json(value: Mapping[str, Any]) -> Leaf:
    """Read a leaf from its JSON object.

    Unknown fields are refused: a signed field must be understood. Raises Malformed ``bad_leaf``.
    """
    fields = dict(value)
    try:
        if fields.pop("v") != VERSION:
            raise Malformed("unknown leaf version", code="bad_leaf")
        kind = fields.pop("type")
        leaf = _READERS[kind](fields)
    except KeyError as error:
        raise Malformed(f"the leaf lacks or misnames {error}", code="bad_leaf") from error
    except (TypeError, ValueError) as error:
        raise Malformed(f"the leaf has a bad field: {error}", code="bad_leaf") from error
    if fields:
        raise Malformed(f"the leaf has unknown fields {sorted(fields)}", code="bad_leaf")
    return leaf


def _text(fields: JsonObject, name: str) -> str:
    value = fields.pop(name)
    if not isinstance(value, str):
        raise TypeError(f"{name} must be text")
    return value


def _count(fields: JsonObject, name: str) -> int:
    value = fields.pop(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError(f"{name} must be a non-negative integer")
    return value


def _integer(fields: JsonObject, name: str) -> int:
    value = fields.pop(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{name} must be an integer")
    return value


def _span(fields: JsonObject) -> Timespan:
    return Timespan(parse_instant(_text(fields, "start")), parse_instant(_text(fields, "end")))


def _gap(fields: JsonObject) -> Gap:
    return Gap(
        camera=check_name("camera", _text(fields, "camera")),
        recorder=check_name("recorder", _text(fields, "recorder")),
        gap=check_run(_text(fields, "gap")),
        span=_span(fields),
        cause=GapCause(_text(fields, "cause")),
        ingested_at=parse_instant(_text(fields, "ingested_at")),
    )


def _run(fields: JsonObject) -> Run:
    return Run(
        camera=check_name("camera", _text(fields, "camera")),
        recorder=check_name("recorder", _text(fields, "recorder")),
        run=check_run(_text(fields, "run")),
        span=_span(fields),
        segments=_count(fields, "segments"),
        reason=RunEnd(_text(fields, "reason")),
        ingested_at=parse_instant(_text(fields, "ingested_at")),
        fills=_fills(fields.pop("fills")) if "fills" in fields else (),
    )


def _fills(stated: Any) -> tuple[str, ...]:
    if not isinstance(stated, list) or not stated or len(set(map(str, stated))) != len(stated):
        raise ValueError("fills is no list of different gaps")
    return tuple(check_run(str(one)) for one in stated)


def _segment(fields: JsonObject) -> Segment:
    stated_key = _text(fields, "key")
    clock = dict(fields.pop("clock"))
    camera_time = fields.pop("camera_time")
    codec, gop = _text(fields, "codec"), _text(fields, "gop")
    if codec not in get_args(Codec) or gop not in get_args(GopKind):
        raise ValueError(f"codec {codec} or gop {gop} is unknown")
    segment = Segment(
        camera=check_name("camera", _text(fields, "camera")),
        recorder=check_name("recorder", _text(fields, "recorder")),
        run=check_run(_text(fields, "run")),
        seq=_count(fields, "seq"),
        span=_span(fields),
        media_duration=_count(fields, "media_duration"),
        sha256=check_sha256(_text(fields, "sha256")),
        size=_count(fields, "size"),
        header_bytes=_count(fields, "header_bytes"),
        codec=cast(Codec, codec),
        gop=cast(GopKind, gop),
        frames=_count(fields, "frames"),
        clock=ClockStatement(
            source=_text(clock, "source"),
            offset_us=_integer(clock, "offset_us"),
            uncertainty_us=_count(clock, "uncertainty_us"),
            flags=tuple(str(flag) for flag in clock.pop("flags")),
        ),
        camera_time=None if camera_time is None else parse_instant(camera_time),
        ingested_at=parse_instant(_text(fields, "ingested_at")),
        sound=_sound(fields.pop("sound")) if "sound" in fields else None,
        device_clock=_device_clock(fields.pop("device_clock")) if "device_clock" in fields else None,
        pauses=_pauses(fields.pop("pauses")) if "pauses" in fields else (),
        made_from=_pictures(fields) if "made_from" in fields else "",
    )
    if segment.pauses and segment.pauses[-1][1] > segment.span.duration:
        raise ValueError("it pauses after its end")
    if clock:
        raise ValueError(f"clock has unknown fields {sorted(clock)}")
    if segment.key != stated_key:
        raise ValueError(f"key {stated_key} does not follow from the other fields")
    return segment


def _pictures(fields: JsonObject) -> str:
    """The leaf's member ``made_from``. A line without it is as before pictures were ever encoded."""
    made_from = _text(fields, "made_from")
    if made_from not in PICTURES_MADE_FROM:
        raise ValueError(f"pictures made from {made_from!r} are unknown")
    return made_from


def _device_clock(stated: Mapping[str, Any]) -> DeviceClock:
    fields = dict(stated)
    clock = DeviceClock(
        at=parse_instant(_text(fields, "asked_at")),
        offset_us=_integer(fields, "offset_us"),
        within_us=_count(fields, "uncertainty_us"),
    )
    if fields:
        raise ValueError(f"device_clock has unknown fields {sorted(fields)}")
    return clock


def _pauses(stated: Any) -> tuple[tuple[int, int], ...]:
    """The leaf's member ``pauses``. A line without it stays as it was before pauses were stated."""
    if not isinstance(stated, list) or not stated:
        raise ValueError("pauses is no list of stretches")
    edges = [edge for pause in stated for edge in pause]
    if any(not isinstance(edge, int) or isinstance(edge, bool) for edge in edges):
        raise TypeError("pauses must be integers")
    found = tuple((int(since), int(until)) for since, until in stated)
    check_pauses(found)
    return found


def _sound(stated: Mapping[str, Any]) -> SoundStatement:
    fields = dict(stated)
    sound = SoundStatement(
        codec=_text(fields, "codec"),
        channels=_count(fields, "channels"),
        rate=_count(fields, "rate"),
        made_from=_text(fields, "made_from") if "made_from" in fields else "",
    )
    if fields:
        raise ValueError(f"sound has unknown fields {sorted(fields)}")
    if SOUND_CODEC.match(sound.codec) is None or not sound.channels or not sound.rate:
        raise ValueError("sound names no codec, channels or rate")
    if "made_from" in stated and sound.made_from not in MADE_FROM:
        raise ValueError(f"sound made from {sound.made_from!r} is unknown")
    return sound


_READERS: dict[str, Callable[[JsonObject], Leaf]] = {"segment": _segment, "run": _run, "gap": _gap}
