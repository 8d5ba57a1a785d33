"""JSON Schema (2020-12), as far as ``evidence-package-2.schema.json`` uses it.

The schema itself is the published file in the folder above; loading it fails on a keyword that this module
does not know, so no keyword is ever ignored.
"""

from __future__ import annotations

import json
import pkgutil
import re
from collections.abc import Callable
from typing import Any

from archive.evidence.verifier import times

Schema = dict[str, Any]

_NOTES = {"$schema", "$id", "$defs", "title", "description"}
_TYPES: dict[str, type] = {"object": dict, "array": list, "string": str, "integer": int}
_MAX_DEPTH = 60
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z$"
"""The form of every time in ``evidence.json``; the day must also exist."""


class Mismatch(Exception):
    """The schema refuses a value; the text begins with the field."""


def load() -> Schema:
    """The published schema of ``evidence.json``."""
    data = pkgutil.get_data("archive.evidence", "evidence-package-2.schema.json")
    if data is None:
        raise FileNotFoundError("evidence-package-2.schema.json")
    schema: Schema = json.loads(data)
    return schema


def check(schema: Schema, value: Any) -> None:
    """Check a value against the schema. Raises Mismatch with the first problem."""
    _check(schema, schema, value, "", 0)


def unknown_keywords(schema: Any) -> set[str]:
    """Keywords of a schema that :func:`check` does not know."""
    found: set[str] = set()
    if isinstance(schema, dict):
        for name, part in schema.items():
            if name in ("properties", "$defs"):
                for inner in part.values():
                    found |= unknown_keywords(inner)
            elif name in _NESTED:
                found |= unknown_keywords(part)
            elif name not in _KEYWORDS and name not in _NOTES:
                found.add(name)
    return found


def _check(root: Schema, schema: Any, value: Any, where: str, depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise Mismatch(f"{where}: nested too deeply")
    if schema is True or schema is False:
        if not schema:
            raise Mismatch(f"{where or 'the whole'}: not allowed")
        return
    if "$ref" in schema:
        _check(root, _resolve(root, schema["$ref"]), value, where, depth + 1)
    for name, argument in schema.items():
        rule = _KEYWORDS.get(name)
        if rule is not None:
            problem = rule(argument, value)
            if problem:
                raise Mismatch(f"{where or 'the whole'}: {problem}")
    _check_inside(root, schema, value, where, depth)
    if "if" in schema:
        branch = "then" if _fits(root, schema["if"], value, depth) else "else"
        if branch in schema:
            _check(root, schema[branch], value, where, depth + 1)


def _check_inside(root: Schema, schema: Schema, value: Any, where: str, depth: int) -> None:
    if isinstance(value, dict):
        known = schema.get("properties", {})
        for name, item in value.items():
            inner = f"{where}.{name[:60]}" if where else name[:60]
            if name in known:
                _check(root, known[name], item, inner, depth + 1)
            elif "additionalProperties" in schema:
                _check(root, schema["additionalProperties"], item, inner, depth + 1)
    if isinstance(value, list) and "items" in schema:
        for number, item in enumerate(value):
            _check(root, schema["items"], item, f"{where}.{number}", depth + 1)


def _fits(root: Schema, schema: Any, value: Any, depth: int) -> bool:
    try:
        _check(root, schema, value, "", depth + 1)
    except Mismatch:
        return False
    return True


def _resolve(root: Schema, reference: str) -> Any:
    found: Any = root
    for part in reference[2:].split("/"):  # "#/$defs/Name"
        found = found[part]
    return found


def _is_type(name: str, value: Any) -> str:
    good = isinstance(value, _TYPES[name]) and not isinstance(value, bool)
    return "" if good else f"is not of type {name}"


def _pattern(pattern: str, value: Any) -> str:
    if not isinstance(value, str):
        return ""
    strict = pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern  # "$" would allow a final LF
    if not re.search(strict, value):
        return f"does not match {pattern}"
    return "" if pattern != _TIME or _is_real(value) else "is a time that does not exist in the calendar"


def _is_real(text: str) -> bool:
    try:
        times.parse(text)
    except ValueError:
        return False
    return True


def _required(names: list[str], value: Any) -> str:
    missing = [name for name in names if name not in value] if isinstance(value, dict) else []
    return f"lacks {missing[0]}" if missing else ""


def _bound(
    compare: Callable[[int, int], bool], kind: type, size: Callable[[Any], int]
) -> Callable[[Any, Any], str]:
    def rule(limit: Any, value: Any) -> str:
        if not isinstance(value, kind) or compare(size(value), limit):
            return ""
        return f"is beyond the limit {limit}"

    return rule


def _same(value: Any) -> Any:
    return value


_KEYWORDS: dict[str, Callable[[Any, Any], str]] = {
    "type": _is_type,
    "pattern": _pattern,
    "required": _required,
    "const": lambda wanted, value: (
        "" if value == wanted and type(value) is type(wanted) else f"is not {wanted!r}"
    ),
    "enum": lambda wanted, value: "" if value in wanted else f"is not one of {wanted}",
    "minLength": _bound(lambda size, limit: size >= limit, str, len),
    "maxLength": _bound(lambda size, limit: size <= limit, str, len),
    "minItems": _bound(lambda size, limit: size >= limit, list, len),
    "maxItems": _bound(lambda size, limit: size <= limit, list, len),
    "minimum": _bound(lambda size, limit: size >= limit, int, _same),
    "maximum": _bound(lambda size, limit: size <= limit, int, _same),
    "exclusiveMinimum": _bound(lambda size, limit: size > limit, int, _same),
    "exclusiveMaximum": _bound(lambda size, limit: size < limit, int, _same),
    "$ref": lambda _reference, _value: "",
}
_NESTED = ("items", "additionalProperties", "if", "then", "else", "properties")
