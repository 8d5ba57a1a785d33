"""The walls stand: packages, layers, and who may import which library."""

import ast
import importlib
import importlib.metadata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("recorder", "archive", "search", "api", "ops")
HARD_LIMIT = 450
NAMES_FOR_NOTHING = {"util", "utils", "common", "helper", "helpers", "misc", "manager", "data", "handler"}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


@pytest.mark.parametrize("name", PACKAGES)
def test_each_package_is_ours_alone(name: str) -> None:
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert Path(module.__file__).resolve().is_relative_to(ROOT)
    owners = set(importlib.metadata.packages_distributions().get(name, ["saksi"]))
    assert owners == {"saksi"}
    assert module.__doc__, f"{name} has no docstring that says what it is for"


def test_sqlite_is_imported_by_its_adapter_alone() -> None:
    """import-linter keeps the other libraries (``protected``); it does not see the standard library."""
    outside = [
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if any(name.split(".")[0] == "sqlite3" for name in imported(parsed(path)))
        and not path.relative_to(ROOT).as_posix().startswith("search/sqlite")
    ]
    assert outside == []


def test_ffmpeg_python_only_builds_argv() -> None:
    for path in sources():
        text = path.read_text("utf-8")
        if "import ffmpeg" in text:
            for refused in ("ffmpeg.run(", "run_async(", "ffmpeg.probe(", "output().run("):
                assert refused not in text, f"{path.name} uses {refused}"


def test_modules_are_short_and_named_for_something() -> None:
    for path in sources():
        assert len(path.read_text("utf-8").splitlines()) <= HARD_LIMIT, f"{path} is two modules"
        assert path.stem not in NAMES_FOR_NOTHING, f"{path} is named for nothing"


def test_no_module_does_anything_when_it_is_imported() -> None:
    """Only definitions, constants and imports at the top; no clock, no store, no connection."""
    allowed = (
        ast.FunctionDef,
        ast.AsyncFunctionDef,
        ast.ClassDef,
        ast.Import,
        ast.ImportFrom,
        ast.Assign,
        ast.AnnAssign,
        ast.If,
        ast.TypeAlias if hasattr(ast, "TypeAlias") else ast.Assign,
    )
    for path in sources():
        for node in parsed(path).body:
            is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            assert is_text or isinstance(node, allowed), f"{path}:{node.lineno} runs at import"


def test_broad_excepts_are_the_supervisors_alone() -> None:
    for path in sources():
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.ExceptHandler):
                name = getattr(node.type, "id", "" if node.type else "bare")
                if name in {"bare", "Exception", "BaseException"}:
                    assert path.relative_to(ROOT).as_posix() in {"recorder/supervisor.py"}, (
                        f"{path}:{node.lineno}"
                    )
