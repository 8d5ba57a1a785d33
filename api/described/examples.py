"""Examples of bodies, put together from their schemas and :mod:`api.described.values`."""

from collections.abc import Mapping
from typing import Any

from api.described.values import VALUES

PREFIX = "#/components/schemas/"
UNKNOWN = "no example of"
"""Stands, with the name, where no value is known; a test sees to it that it stands nowhere."""

Schema = Mapping[str, Any]


def example_of(schema: Schema, schemas: Schema, within: str = "", name: str = "") -> Any:
    """A value that the schema admits.

    ``schemas`` are the document's components; ``within`` names the one that the schema is a part of, and
    ``name`` the field.
    """
    match schema:
        case {"$ref": str(ref)}:
            inner = ref.removeprefix(PREFIX)
            return example_of(schemas[inner], schemas, inner)
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [*choices]}:
            chosen = next((one for one in choices if one.get("type") != "null"), choices[0])
            return example_of(chosen, schemas, within, name)
        case {"type": "object"}:
            fields = schema.get("properties", {})
            return {key: _field(inner, schemas, within, key) for key, inner in fields.items()}
        case {"type": "array", "items": items}:
            return [example_of(items, schemas, within, name)]
        case _:
            unknown = False if schema.get("type") == "boolean" else f"{UNKNOWN} {within}.{name}"
            return schema.get("default", unknown)


def _field(schema: Schema, schemas: Schema, within: str, name: str) -> Any:
    """A field's value: by its name where that says what kind of value it is, else by its schema."""
    own = f"{within.rsplit('__', 1)[-1]}.{name}"
    if own in VALUES:
        return VALUES[own]
    if name in VALUES and _is_plain(schema):
        return VALUES[name]
    return example_of(schema, schemas, within, name)


def _is_plain(schema: Schema) -> bool:
    """Whether a schema says no more than that it is text, a number or a map; enums have their own values."""
    if "anyOf" in schema:
        return all(_is_plain(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return _is_plain(schema["items"])
    return not {"$ref", "properties", "enum", "const"} & set(schema) and schema.get("type") != "boolean"
