"""The words that an archive may hold, found in the source in any module and under any name.

This module imports and names no product module: words are stored, the names of the code that writes them are
not.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("archive", "api", "ops", "recorder", "search")
_NOT_STORED = ("ops/bench/",)

_DOTTED = re.compile(r"[a-z_]+(?:\.[a-z_]+)+\Z")
_ROW = re.compile(r"^([a-z_]+(?:\.[a-z_]+)*) \| ", re.MULTILINE)
"""A row of the vocabulary of acts."""
_PREFIX = re.compile(r"([a-z]+/)")
_ENDINGS = frozenset("css html js json jsonl key log md mp4 pdf pem py sqlite svg toml txt zip".split())


@dataclass
class Found:
    """``sets`` are the words of every enumeration, literal collection and class with fields."""

    sets: set[frozenset[str]] = field(default_factory=set)
    dotted: set[str] = field(default_factory=set)
    metadata: set[str] = field(default_factory=set)
    prefixes: set[str] = field(default_factory=set)


def words_of_the_source(root: Path = ROOT) -> Found:
    """Read every module of the product."""
    found = Found()
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            if path.relative_to(root).as_posix().startswith(_NOT_STORED):
                continue
            source = path.read_text("utf-8")
            tree = ast.parse(source)
            names_objects = "def segment_key(" in source
            for node in ast.walk(tree):
                _look(node, found, names_objects=names_objects)
        for path in sorted((root / package).rglob("*.schema.json")):
            found.sets.update(_properties(json.loads(path.read_text("utf-8"))))
    return found


def _properties(schema: object) -> Iterator[frozenset[str]]:
    """The fields of every object that a JSON Schema describes."""
    if isinstance(schema, dict):
        if isinstance(schema.get("properties"), dict):
            yield frozenset(schema["properties"])
        for part in schema.values():
            yield from _properties(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from _properties(part)


def _look(node: ast.AST, found: Found, *, names_objects: bool) -> None:
    for words in literal_sets(node):
        found.sets.add(words)
    match node:
        case ast.Constant(value=str(text)):
            if _DOTTED.match(text) and text.rsplit(".", 1)[1] not in _ENDINGS:
                found.dotted.add(text)
            found.dotted.update(_ROW.findall(text))
            prefix = _PREFIX.match(text)
            if names_objects and prefix:
                found.prefixes.add(prefix[1])
        case ast.Call(keywords=keywords):
            for keyword in keywords:
                if keyword.arg == "metadata" and isinstance(keyword.value, ast.Dict):
                    found.metadata.update(_texts(keyword.value.keys))


def literal_sets(node: ast.AST) -> Iterator[frozenset[str]]:
    """The words that one node of the source contains together."""
    match node:
        case ast.Dict(keys=keys):
            yield frozenset(_texts(keys))
        case ast.Tuple(elts=members) | ast.List(elts=members) | ast.Set(elts=members):
            yield frozenset(_texts(members))
        case ast.ClassDef(body=body):
            yield frozenset(
                one.value.value
                for one in body
                if isinstance(one, ast.Assign)
                and isinstance(one.value, ast.Constant)
                and isinstance(one.value.value, str)
            )
            yield frozenset(_field(one) for one in body if isinstance(one, ast.AnnAssign))


def _field(one: ast.AnnAssign) -> str:
    """A field's stored name: its alias if it has one."""
    calls = [node for node in ast.walk(one) if isinstance(node, ast.Call)]
    for call in calls:
        for keyword in call.keywords:
            if keyword.arg == "alias" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
    return one.target.id if isinstance(one.target, ast.Name) else ""


def _texts(nodes: list[ast.expr] | list[ast.expr | None]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
