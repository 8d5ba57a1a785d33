"""Canonical JSON (RFC 8785) without fractions: objects of text, integers below 2^53, lists and objects."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

LARGEST = 2**53 - 1
_MAX_DEPTH = 100
_MAX_DIGITS = 16
_MARKS = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)


class BadJson(Exception):
    """The bytes are not a canonical JSON object; the text says why."""


def read(data: bytes) -> dict[str, Any]:
    """The object whose canonical form ``data`` is; null, true and false are accepted.

    Raises:
        BadJson: not a JSON object; a repeated name, a fraction, an integer beyond 2^53; not canonical.
    """
    _check_nesting(data)
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_refuse,
            parse_int=_integer,
            parse_constant=_refuse,
        )
        if not isinstance(value, dict):
            raise BadJson("it is not a JSON object")
        written = _write(value, 0).encode("utf-8")
    except ValueError as error:
        raise BadJson(f"it is not readable JSON: {str(error)[:200]}") from error
    if written != data:
        raise BadJson("it is not in canonical form (RFC 8785)")
    return value


def write(value: dict[str, Any]) -> bytes:
    """The canonical bytes of an object."""
    return _write(value, 0).encode("utf-8")


def sha256(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


def _check_nesting(data: bytes) -> None:
    """Limit the depth before parsing: a JSON parser goes one call deeper for each level."""
    if data.count(b"[") + data.count(b"{") <= _MAX_DEPTH:
        return
    depth, in_text = 0, False
    for found in _MARKS.finditer(data):
        mark = found[0]
        if mark == b'"':
            in_text = not in_text
        elif not in_text and len(mark) == 1:
            depth += 1 if mark in b"[{" else -1
            if depth > _MAX_DEPTH:
                raise BadJson("it is nested too deeply")


def _write(value: Any, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise BadJson("it is nested too deeply")
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # escapes exactly as RFC 8785 does
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "[" + ",".join(_write(item, depth + 1) for item in value) + "]"
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join(f"{_write(name, 0)}:{_write(value[name], depth + 1)}" for name in names) + "}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name appears twice")
    return found


def _refuse(text: str) -> Any:
    raise ValueError(f"{text[:40]} is not an integer")


def _integer(text: str) -> int:
    if len(text.lstrip("-")) > _MAX_DIGITS or abs(int(text)) > LARGEST:
        raise ValueError(f"{text[:40]} is beyond 2^53")
    return int(text)
