"""Counts the rooms of ``archive``, the arrows between them, and cycles.

``python -m tests.architecture.rooms [FOLDER]`` prints a table of the ``archive`` in this tree, or in another
folder, such as a checkout of an earlier version.

A room is a module or a package; its siblings are those in the same package. An arrow leads from one sibling
to another that it imports; it counts once, however many import statements there are. Rooms are in a cycle
when they import one another in a circle.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP = "archive"


@dataclass(slots=True)
class Level:
    """The rooms of one package and the arrows between them."""

    rooms: set[str] = field(default_factory=set)
    arrows: set[tuple[str, str]] = field(default_factory=set)

    def in_cycles(self) -> list[str]:
        """The rooms that reach themselves."""
        return sorted(room for room in self.rooms if room in self._reached(room))

    def _reached(self, room: str) -> set[str]:
        found: set[str] = set()
        waiting = [room]
        while waiting:
            at = waiting.pop()
            following = {target for source, target in self.arrows if source == at} - found
            found |= following
            waiting.extend(following)
        return found


def levels(root: Path) -> dict[str, Level]:
    """Every package of ``archive`` with its level, by dotted name."""
    modules = dict(_modules(root))
    found: dict[str, Level] = {}
    for name in modules:
        package, _, room = name.rpartition(".")
        if package:
            found.setdefault(package, Level()).rooms.add(room)
    for name, path in modules.items():
        for target in _imported(ast.parse(path.read_text("utf-8")), modules):
            _draw(found, name.split("."), target.split("."))
    return found


def _draw(found: dict[str, Level], source: list[str], target: list[str]) -> None:
    shared = 0
    while shared < min(len(source), len(target)) and source[shared] == target[shared]:
        shared += 1
    if shared < min(len(source), len(target)):
        found[".".join(source[:shared])].arrows.add((source[shared], target[shared]))


def _modules(root: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted((root / TOP).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _imported(tree: ast.Module, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            whole = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [one if one in modules else node.module for one in whole]
        else:
            continue
        yield from (name for name in names if name in modules and name != TOP)


def lines(root: Path) -> int:
    """Lines of ``archive``."""
    return sum(len(path.read_text("utf-8").splitlines()) for _, path in _modules(root))


def table(root: Path) -> str:
    """A Markdown table of all levels, largest first, with their sum."""
    found = {name: level for name, level in levels(root).items() if level.rooms}
    rows = ["| package | rooms | arrows | in cycles |", "| --- | --- | --- | --- |"]
    for name in sorted(found, key=lambda name: (name != TOP, name)):
        level = found[name]
        rows.append(f"| `{name}` | {len(level.rooms)} | {len(level.arrows)} | {_named(level.in_cycles())} |")
    rooms, arrows = (sum(len(getattr(one, kind)) for one in found.values()) for kind in ("rooms", "arrows"))
    cycles = sum(len(level.in_cycles()) for level in found.values())
    rows += [f"| all | {rooms} | {arrows} | {cycles} |", "", f"{lines(root)} lines."]
    return "\n".join(rows) + "\n"


def _named(rooms: list[str]) -> str:
    return ", ".join(f"`{room}`" for room in rooms) or "–"


if __name__ == "__main__":
    sys.stdout.write(table(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT))
