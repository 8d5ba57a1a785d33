"""Examples of bodies, composed from the examples of the fields in their schemas."""

from collections.abc import Mapping
from typing import Any

PREFIX = "#/components/schemas/"
UNKNOWN = "no example of"
"""Marks, with the name, a field without an example; a test checks that it appears nowhere."""

Schema = Mapping[str, Any]


def example_of(schema: Schema, schemas: Schema, within: str = "", name: str = "") -> Any:
    """A value that the schema admits.

    ``schemas`` are the document's components; ``within`` names the component that contains the schema, and
    ``name`` the field.
    """
    match schema:
        case {"examples": [value, *_]}:
            return value
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
            return {key: example_of(inner, schemas, within, key) for key, inner in fields.items()}
        case {"type": "array", "items": items}:
            return [example_of(items, schemas, within, name)]
        case _:
            unknown = False if schema.get("type") == "boolean" else f"{UNKNOWN} {within}.{name}"
            return schema.get("default", unknown)
