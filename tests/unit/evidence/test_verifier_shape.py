"""The verifier stands alone: standard library, Python 3.9, and reproducible as one file."""

import ast
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import archive.evidence.verifier
from ops import pyz

FOLDER = Path(archive.evidence.verifier.__file__).parent
MODULES = sorted(FOLDER.glob("*.py"))
NEWER = {
    ("datetime", "UTC"), ("typing", "Self"), ("enum", "StrEnum"), ("itertools", "pairwise"),
    ("itertools", "batched"), ("types", "NoneType"), ("typing", "ParamSpec"), ("typing", "TypeAlias"),
    ("typing", "assert_never"), ("typing", "override"),
}  # fmt: skip
"""Names of the standard library that Python 3.9 has not got."""
NEWER_ARGUMENTS = {"zip": {"strict"}, "dataclass": {"slots", "kw_only"}}


def test_every_module_is_python_3_9() -> None:
    for module in MODULES:
        assert (
            ast.parse(module.read_text("utf-8"), feature_version=(3, 9)).body or module.name == "__init__.py"
        )


def test_every_module_imports_the_standard_library_and_its_neighbours_only() -> None:
    for module in MODULES:
        for node in ast.walk(ast.parse(module.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names or name.startswith("archive.evidence.verifier"), (
                    f"{module.name} imports {name}"
                )


def test_nothing_newer_than_python_3_9_is_used() -> None:
    for module in MODULES:
        tree = ast.parse(module.read_text("utf-8"))
        assert any(
            isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body
        ) or not any(isinstance(node, ast.FunctionDef) for node in ast.walk(tree)), module.name
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                used = {(node.module, alias.name) for alias in node.names}
                assert not used & NEWER, f"{module.name} uses {used & NEWER}"
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                given = {keyword.arg for keyword in node.keywords}
                assert not given & NEWER_ARGUMENTS.get(name, set()), f"{module.name}: {name}"
                if name == "from_bytes":  # its byte order has a default only from 3.11 on
                    assert len(node.args) > 1, f"{module.name}, line {node.lineno}"
                if name == "to_bytes":
                    assert len(node.args) > 1, f"{module.name}, line {node.lineno}"


def test_the_single_file_is_the_same_each_time_and_holds_nothing_else() -> None:
    data = pyz.build()
    assert data == pyz.build()
    with zipfile.ZipFile(BytesIO(data)) as packed:
        names = packed.namelist()
        assert {info.date_time for info in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert names == sorted(names)
    assert {name for name in names if "verifier/" in name} == {
        f"archive/evidence/verifier/{module.name}" for module in MODULES
    }
    assert len(names) == len(MODULES) + 4
