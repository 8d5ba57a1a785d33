"""A recorder's lines: segments, runs and gaps, read strictly (docs/reference/evidence-package.md)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from archive.evidence.verifier import canonical, times
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.findings import Broken

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,61}[A-Za-z0-9])?\Z", re.ASCII)
_RUN = re.compile(r"[0-9a-f]{16}\Z", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}\Z", re.ASCII)
_SOUND = re.compile(r"(?:mp4a\.40\.[1-9]\d?|opus)\Z", re.ASCII)
_MADE_FROM = ("pcm_alaw", "pcm_mulaw", "pcm_s16be", "adpcm_g726")
_PICTURES_MADE_FROM = {"mjpeg"}
_CAUSES = {
    "unreachable", "auth_failed", "stream_error", "stalled", "no_keyframe", "recorder_restart",
    "recorder_overload", "spool_full", "upload_lost", "disabled", "clock_step", "set_aside",
    "connecting",
}  # fmt: skip
_ENDS = (_CAUSES - {"set_aside", "connecting"}) | {"parameter_change", "stopped", "timestamps"}


@dataclass(frozen=True)
class Leaf:
    """A parsed line; ``fields`` are those of its JSON object."""

    kind: str
    fields: dict[str, Any]


def read(line: bytes) -> Leaf:
    """One line. Raises Broken ``bad_json`` or ``bad_leaf``."""
    try:
        fields = canonical.read(line)
    except BadJson as error:
        raise Broken("bad_json", str(error)) from error
    kind = fields.get("type")
    rules = dict(_RULES.get(kind, {})) if isinstance(kind, str) else {}
    if kind == "segment" and "sound" in fields:
        rules["sound"] = _is_sound
    if kind == "segment" and "device_clock" in fields:
        rules["device_clock"] = _is_device_clock
    if kind == "segment" and "made_from" in fields:
        rules["made_from"] = _one_of(_PICTURES_MADE_FROM)
    if kind == "segment" and "pauses" in fields:
        rules["pauses"] = _are_pauses
    if kind == "run" and "fills" in fields:
        rules["fills"] = _are_gaps
    if not rules or fields.get("v") != 1 or set(fields) != {*rules, "v", "type"}:
        raise Broken("bad_leaf", "it does not have the members of a segment, a run or a gap")
    for name, rule in rules.items():
        if not rule(fields[name]):
            raise Broken("bad_leaf", f"its {name} does not have the required form")
    if times.parse(fields["start"]) >= times.parse(fields["end"]):
        raise Broken("bad_leaf", "it ends before it begins")
    if "pauses" in rules and fields["pauses"][-1][1] > (
        times.parse(fields["end"]) - times.parse(fields["start"])
    ):
        raise Broken("bad_leaf", "it pauses after its end")
    if kind == "segment" and fields["key"] != _key(fields):
        raise Broken("bad_leaf", "its key does not follow from its other members")
    return Leaf(str(kind), fields)


def is_name(value: Any) -> bool:
    """Whether it can name a camera or a recorder."""
    return isinstance(value, str) and _NAME.match(value) is not None


def is_sha256(value: Any) -> bool:
    """Whether it is a SHA-256 in lower-case hex."""
    return isinstance(value, str) and _SHA256.match(value) is not None


def is_time(value: Any) -> bool:
    """Whether it is a time in the form used inside packages."""
    try:
        times.parse(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def is_count(value: Any) -> bool:
    """Whether it is an integer, 0 or greater."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_run(value: Any) -> bool:
    return isinstance(value, str) and _RUN.match(value) is not None


def _are_gaps(value: Any) -> bool:
    return (
        isinstance(value, list) and value != [] and all(map(_is_run, value)) and len(set(value)) == len(value)
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_clock(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"source", "offset_us", "uncertainty_us", "flags"}
        and _is_text(value["source"])
        and isinstance(value["offset_us"], int)
        and not isinstance(value["offset_us"], bool)
        and is_count(value["uncertainty_us"])
        and isinstance(value["flags"], list)
        and all(_is_text(flag) for flag in value["flags"])
    )


def _is_device_clock(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == {"asked_at", "offset_us", "uncertainty_us"}
        and is_time(value["asked_at"])
        and isinstance(value["offset_us"], int)
        and not isinstance(value["offset_us"], bool)
        and is_count(value["uncertainty_us"])
    )


def _are_pauses(value: Any) -> bool:
    """Pairs of µs from the segment's start, at least one, that follow one another."""
    if not isinstance(value, list) or not value:
        return False
    reached = 0
    for one in value:
        if not (isinstance(one, list) and len(one) == 2 and all(map(is_count, one))):
            return False
        if not reached <= one[0] < one[1]:
            return False
        reached = one[1]
    return True


def _is_sound(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) - {"made_from"} == {"codec", "channels", "rate"}
        and isinstance(value["codec"], str)
        and _SOUND.match(value["codec"]) is not None
        and all(is_count(value[name]) and value[name] > 0 for name in ("channels", "rate"))
        and value.get("made_from", "pcm_alaw") in _MADE_FROM
    )


def _one_of(allowed: set[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in allowed


def _key(fields: dict[str, Any]) -> str:
    start = fields["start"]
    stamp = start[:19].replace("-", "").replace(":", "") + start[19:]
    folder = f"{start[:4]}/{start[5:7]}/{start[8:10]}/{start[11:13]}"
    name = f"{stamp}_{fields['run']}_{fields['seq']:06d}_{fields['sha256'][:16]}.mp4"
    return f"segments/{fields['camera']}/{folder}/{name}"


_HEAD: dict[str, Callable[[Any], bool]] = {
    "camera": is_name,
    "recorder": is_name,
    "start": is_time,
    "end": is_time,
    "ingested_at": is_time,
}
_RULES: dict[str, dict[str, Callable[[Any], bool]]] = {
    "gap": {**_HEAD, "gap": _is_run, "cause": _one_of(_CAUSES)},
    "run": {**_HEAD, "run": _is_run, "segments": is_count, "reason": _one_of(_ENDS)},
    "segment": {
        **_HEAD,
        "run": _is_run,
        "seq": is_count,
        "media_duration": is_count,
        "sha256": is_sha256,
        "size": is_count,
        "header_bytes": is_count,
        "key": _is_text,
        "codec": _one_of({"h264", "hevc"}),
        "gop": _one_of({"closed", "open"}),
        "frames": is_count,
        "clock": _is_clock,
        "camera_time": lambda value: value is None or is_time(value),
    },
}
