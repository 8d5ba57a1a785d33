"""The table of invariants in ``docs/design/overview.md``, read from the source of ``archive check``."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import archive

_CHECK = "archive/integrity/check"
_LOCKS = "archive/integrity/fixity/locks.py"
_OF_THE_READ = "the error code of the failed read"
_STATED = re.compile(r"I\d  ")


def invariants_table(root: Path) -> str:
    """One row for each invariant: its text, and the codes and modules of ``archive check`` that check it."""
    found = _checked(root)
    rows = ["| invariant | `saksi archive check` reports | found in |", "| --- | --- | --- |"]
    texts = stated()
    texts |= {name: "The chain of its entries is whole." for name in sorted(found.keys() - texts.keys())}
    for name, text in texts.items():
        codes = sorted({code for _, code in found.get(name, ())}, key=lambda code: (" " in code, code))
        modules = sorted({module for module, _ in found.get(name, ())})
        rows.append(f"| **{name}** {text} | {_list(codes)} | {_list(modules)} |")
    return "\n".join(rows) + "\n"


def stated() -> dict[str, str]:
    """The invariants as the docstring of ``archive`` states them, each on one line."""
    found: dict[str, str] = {}
    for paragraph in _paragraphs((archive.__doc__ or "").splitlines()):
        name, _, text = paragraph.partition("  ")
        found[name] = text.replace("``", "`")
    return found


def _paragraphs(lines: list[str]) -> Iterator[str]:
    held = ""
    for line in lines:
        if _STATED.match(line):
            if held:
                yield held
            held = line
        elif held and line.startswith("    "):
            held += " " + line.strip()
        elif held:
            yield held
            held = ""


def _checked(root: Path) -> dict[str, set[tuple[str, str]]]:
    """Module and code of every breach that a check reports, by invariant."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for path in sorted((root / _CHECK).glob("*.py")):
        module = f"{_CHECK}/{path.name}"
        for call in _calls(path, "Breach", "breach"):
            if len(call.args) > 1 and isinstance(call.args[0], ast.Constant):
                found[str(call.args[0].value)] |= {(module, code) for code in _codes(call.args[1], root)}
    return found


def _codes(given: ast.expr, root: Path) -> Iterator[str]:
    if isinstance(given, ast.Constant):
        yield str(given.value)
    elif ast.unparse(given) == "finding.code":
        for call in _calls(root / _LOCKS, "Finding"):
            yield from _codes(call.args[0], root)
    else:
        yield _OF_THE_READ


def _calls(path: Path, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in names:
                yield node


def _list(names: list[str]) -> str:
    return ", ".join(name if " " in name else f"`{name}`" for name in names) or "–"
