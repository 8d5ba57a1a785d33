"""Every test that the threat model names is there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_each_measure_names_a_test_that_exists() -> None:
    known = {
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef)
    }
    text = (ROOT / "docs" / "design" / "threat-model.md").read_text("utf-8")
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", text))
    assert len(named) > 20
    assert named <= known, sorted(named - known)
