"""The tests themselves: each says what comes out, and none sleeps and hopes."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tests").rglob("*.py"))
WAITING = ROOT / "tests/support/waiting.py"
TELLS = ("assert_", "check_", "expect_", "refused_with", "to_be_", "to_contain_", "to_have_", "not_to_")
RAISES = {"raises", "warns", "fail"}
REASON = "# real time: "
Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


@cache
def functions(path: Path) -> dict[str, Function]:
    """Every function and method that a file defines, by name."""
    return {node.name: node for node in ast.walk(tree(path)) if isinstance(node, Function)}


@cache
def taken(path: Path) -> dict[str, tuple[Path, str]]:
    """What a file takes from other files of the tests: its name here, the file, its name there."""
    found = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests."):
            source = ROOT / (node.module.replace(".", "/") + ".py")
            if source.exists():
                found |= {alias.asname or alias.name: (source, alias.name) for alias in node.names}
    return found


@cache
def told(path: Path, name: str) -> tuple[bool, frozenset[str]]:
    """Whether a function itself would fail if something were wrong, and the functions that it calls."""
    called = set()
    for node in ast.walk(functions(path)[name]):
        if isinstance(node, ast.Assert):
            return True, frozenset()
        if isinstance(node, ast.Raise) and "AssertionError" in ast.unparse(node):
            return True, frozenset()
        if isinstance(node, ast.Call):
            one = _called(node)
            if one in RAISES or one.startswith(TELLS):
                return True, frozenset()
            of_self = isinstance(node.func, ast.Attribute) and getattr(node.func.value, "id", "") == "self"
            if isinstance(node.func, ast.Name) or of_self:
                called.add(one)
    return False, frozenset(called)


def asserts(path: Path, name: str, seen: frozenset[tuple[Path, str]] = frozenset()) -> bool:
    """Whether the function, or a function of the tests that it calls, would fail if something were wrong."""
    if (path, name) in seen:
        return False
    seen |= {(path, name)}
    if name in taken(path):
        return asserts(*taken(path)[name], seen)
    if name not in functions(path):
        return False
    tells, called = told(path, name)
    return tells or any(asserts(path, one, seen) for one in called)


def _called(node: ast.Call) -> str:
    """The last part of the name that is called."""
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))


def sleeps(path: Path) -> Iterator[int]:
    """Lines that call a function named ``sleep``."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and _called(node) in {"sleep", "wait_for_timeout"}:
            yield node.lineno


def test_every_test_says_what_comes_out() -> None:
    silent = [
        f"{path.relative_to(ROOT)}::{name}"
        for path in FILES
        for name in functions(path)
        if name.startswith("test_") and not asserts(path, name)
    ]
    assert silent == [], "that nothing is raised is no outcome"


def test_a_sleep_has_its_reason() -> None:
    """A wait for a state is ``tests.support.waiting``; where time itself is the subject, the line says so."""
    hoping = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in FILES
        if path != WAITING
        for line in sleeps(path)
        if REASON not in path.read_text("utf-8").splitlines()[line - 1]
    ]
    assert hoping == []


def test_no_example_has_a_deadline() -> None:
    """A busy machine takes longer for one, and that says nothing about the code."""
    assert settings.default is not None
    assert settings.default.deadline is None
    assert HealthCheck.too_slow in settings.default.suppress_health_check
    timed = [
        f"{path.relative_to(ROOT)}:{node.value.lineno}"
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.keyword) and node.arg == "deadline" and ast.unparse(node.value) != "None"
    ]
    assert timed == []


@pytest.mark.parametrize(
    ("body", "is_told"),
    [
        ("act()", False),
        ("assert act()", True),
        ("with pytest.raises(ValueError):\n        act()", True),
        ("check_all(1)", True),
        ("same(1)", True),
        ("loop()", False),
    ],
)
def test_what_counts_as_an_outcome(body: str, is_told: bool, tmp_path: Path) -> None:
    path = tmp_path / "test_x.py"
    helpers = "def same(n):\n    assert n\n\ndef loop():\n    loop()\n\n"
    path.write_text(f"{helpers}def test_it():\n    {body}\n", "utf-8")
    assert asserts(path, "test_it") is is_told
