"""Canonical JSON (RFC 8785): written canonically, read strictly.

Everything that is hashed or signed is encoded here, so that two programs that agree on a value agree on
its bytes. Numbers are integers below 2^53; any other number is written as a string. Floats are refused.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import rfc8785

from archive.errors import Malformed

JsonObject = dict[str, Any]
"""A JSON object as Python reads it."""

_PLAIN = json.JSONEncoder(sort_keys=True, separators=(",", ":"), check_circular=False)
"""Made once: ``json.dumps`` makes one for each call, which costs more than a small value."""


def encode(value: Mapping[str, Any]) -> bytes:
    """The canonical bytes of an object, without a newline.

    Raises:
        Malformed: ``not_canonical`` for floats, integers of 2^53 and more, and other types.
    """
    return encode_value(value if type(value) is dict else dict(value))


def encode_list(value: Sequence[Any]) -> bytes:
    """The canonical bytes of a list, without a newline. Raises as :func:`encode`."""
    return encode_value(list(value))


def encode_value(value: Any) -> bytes:
    """The canonical bytes of any one JSON value, without a newline. Raises as :func:`encode`."""
    if type(value) is str or _is_plain(value):
        text = _PLAIN.encode(value)
        if "\\" not in text:
            # No string needed an escape, so all are printable ASCII. There Python's json and RFC 8785 agree:
            # names in code point order, no white space (shown by tests/unit/kernel/test_canonical.py).
            return text.encode("ascii")
    _refuse_floats(value)
    try:
        return rfc8785.dumps(value)
    except rfc8785.CanonicalizationError as error:
        raise Malformed(f"the value has no canonical form: {error}", code="not_canonical") from error


def decode(data: bytes) -> JsonObject:
    """Read one JSON object; duplicate names, floats and constants such as NaN are refused.

    Raises:
        Malformed: ``bad_json``.
    """
    try:
        value = _STRICT.decode(data.decode(json.detect_encoding(data), "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise Malformed(f"not a JSON object: {error}", code="bad_json") from error
    if not isinstance(value, dict):
        raise Malformed("not a JSON object", code="bad_json")
    return value


def sha256_hex(data: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(data).hexdigest()


_LARGEST = 2**53 - 1


def _is_plain(value: Any) -> bool:
    """Whether a value consists only of JSON's built-in types, with integers in bounds."""
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return True
    if kind is int:
        return bool(-_LARGEST <= value <= _LARGEST)
    if kind is dict:
        for name, item in value.items():
            if type(name) is not str or (type(item) is not str and not _is_plain(item)):
                return False
        return True
    if kind is list or kind is tuple:
        for item in value:
            if type(item) is not str and not _is_plain(item):
                return False
        return True
    return False


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a name appears twice")
    return value


def _no_float(text: str) -> Any:
    raise ValueError(f"{text} is not an integer")


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float)
"""Made once, as :data:`_PLAIN`: ``json.loads`` makes one for each call that asks for more than it does."""


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise Malformed(f"{value} is a float; write it as a string", code="not_canonical")
    if isinstance(value, Mapping):
        for item in value.values():
            _refuse_floats(item)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse_floats(item)
