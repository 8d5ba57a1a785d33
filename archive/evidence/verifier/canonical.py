"""Canonical JSON (RFC 8785) without fractions: objects of text, integers below 2^53, lists and objects."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

LARGEST = 2**53 - 1
MAX_VALUES = 1_400_000
MAX_CONTAINERS = 400_000
"""The most values, and lists and objects among them. Each needs memory that its few bytes do not show: an
object 30 times its own."""
MAX_TEXT = 64 << 10
"""The most bytes of one text. A character beyond U+FFFF makes all others of its text four times as large."""
_MAX_DEPTH = 100
_MAX_DIGITS = 16
_ASTRAL = re.compile(rb"[\xf0-\xf4]")
_TOGETHER = 1000
"""Pieces of text that are compared at a time."""
_MARKS = re.compile(rb'\\.|["\[\]{}]', re.DOTALL)


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode
"""Python's own form of text and numbers is that of RFC 8785."""


class BadJson(Exception):
    """The bytes are not a canonical JSON object; the text says why."""


def read(data: bytes) -> dict[str, Any]:
    """The object whose canonical form ``data`` is; null, true and false are accepted.

    Raises:
        BadJson: not a JSON object; a repeated name, a fraction, an integer beyond 2^53; not canonical; more
            values than :data:`MAX_VALUES`, or a text of more than :data:`MAX_TEXT` bytes.
    """
    _check_count(data)
    _check_marks(data)
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
        _Comparison(data).check(value)
    except ValueError as error:
        raise BadJson(f"it is not readable JSON: {str(error)[:200]}") from error
    return value


def write(value: dict[str, Any] | list[Any]) -> bytes:
    """The canonical bytes of an object or a list."""
    return "".join(_written(value, 0, _Order())).encode("utf-8")


def sha256(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


class _Comparison:
    """Compares bytes with a canonical form as it is written, without a copy of the whole."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def check(self, value: Any) -> None:
        """Raises BadJson unless the bytes are the canonical form of the value."""
        waiting: list[str] = []
        for text in _written(value, 0, _Order(self._data)):
            waiting.append(text)
            if len(waiting) >= _TOGETHER:
                self._take(waiting)
        self._take(waiting)
        if self._at != len(self._data):
            raise BadJson("it is not in canonical form (RFC 8785)")

    def _take(self, texts: list[str]) -> None:
        expected = "".join(texts).encode("utf-8")
        if not self._data.startswith(expected, self._at):
            raise BadJson("it is not in canonical form (RFC 8785)")
        self._at += len(expected)
        texts.clear()


def _check_count(data: bytes) -> None:
    """Limit the values before parsing. Marks inside text count too, so this errs on the safe side."""
    containers = data.count(b"[") + data.count(b"{")
    if containers > MAX_CONTAINERS or containers + data.count(b",") > MAX_VALUES:
        raise BadJson(f"it has more than {MAX_VALUES} values, or {MAX_CONTAINERS} lists and objects")


def _check_marks(data: bytes) -> None:
    """Limit depth and texts before parsing: a JSON parser goes one call deeper for each level."""
    if data.count(b"[") + data.count(b"{") <= _MAX_DEPTH and len(data) <= MAX_TEXT:
        return
    depth, opened = 0, -1
    for found in _MARKS.finditer(data):
        mark = found[0]
        if mark == b'"':
            if opened >= 0 and found.start() - opened > MAX_TEXT:
                break
            opened = found.start() if opened < 0 else -1
        elif opened < 0 and len(mark) == 1:
            depth += 1 if mark in b"[{" else -1
            if depth > _MAX_DEPTH:
                raise BadJson("it is nested too deeply")
    if opened >= 0:
        raise BadJson("it has a text that is too long or does not end")


class _Order:
    """How names are sorted: by UTF-16 (RFC 8785, 3.2.3), which differs from Python only beyond U+FFFF."""

    def __init__(self, data: bytes | None = None) -> None:
        self._plain = data is not None and _ASTRAL.search(data) is None
        self.whole = 2 if self._plain else _MAX_DEPTH + 1
        """So many levels deep a value is written as one piece."""

    def sorted(self, names: Iterable[str]) -> list[str]:
        """The names in their order."""
        return sorted(names) if self._plain else sorted(names, key=lambda name: name.encode("utf-16-be"))


def _written(value: Any, depth: int, order: _Order) -> Iterator[str]:
    """The canonical form in pieces."""
    if depth > _MAX_DEPTH:
        raise BadJson("it is nested too deeply")
    if depth >= order.whole or not isinstance(value, (dict, list)):
        yield _encode(value)
    elif isinstance(value, dict):
        mark = "{"
        for name in order.sorted(value):
            yield f"{mark}{_encode(name)}:"
            yield from _written(value[name], depth + 1, order)
            mark = ","
        yield "}" if value else "{}"
    else:
        mark = "["
        for item in value:
            yield mark
            yield from _written(item, depth + 1, order)
            mark = ","
        yield "]" if value else "[]"


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
