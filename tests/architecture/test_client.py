"""The typed client is what the API's description says, and needs nothing else of this project."""

import ast
from pathlib import Path

from ops.api_document import api_document
from ops.client_code import write

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "api" / "client"
BY_HAND = {"__init__.py", "connection.py", "models/__init__.py"}


def test_the_modules_are_those_of_the_description(tmp_path: Path) -> None:
    written = write(tmp_path / "made", api_document(tmp_path / "home"), ROOT / "pyproject.toml")
    made = {str(path.relative_to(tmp_path / "made")): path.read_text("utf-8") for path in written}
    found = {
        str(path.relative_to(FOLDER)): path.read_text("utf-8")
        for path in FOLDER.rglob("*.py")
        if str(path.relative_to(FOLDER)) not in BY_HAND
    }
    assert sorted(found) == sorted(made), "run make client"
    assert [name for name in made if made[name] != found[name]] == [], "run make client"


def test_it_imports_httpx_the_standard_library_and_itself() -> None:
    import sys

    for path in FOLDER.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [str(node.module)]
            for name in names:
                root = name.partition(".")[0]
                assert root in sys.stdlib_module_names or root == "httpx" or name.startswith("api.client"), (
                    f"{path.name} imports {name}"
                )
