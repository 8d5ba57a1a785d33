"""The scripts of the pages use each other and the browser as they are; TypeScript checks them."""

import subprocess
from pathlib import Path

import playwright

from ops.pages import TOOLS_FOLDER
from tests.support.programs import lacking

ROOT = Path(__file__).resolve().parents[2]
CHECKER = TOOLS_FOLDER / "typescript" / "tsc.js"


def test_scripts_fit_each_other_and_the_browser() -> None:
    if not CHECKER.is_file():
        lacking("TypeScript is not there; fetch it with: python -m ops.pages --tools")
    node = Path(playwright.__file__).parent / "driver" / "node"  # the one that Playwright brings
    done = subprocess.run(
        [node, CHECKER, "--project", ROOT / "api" / "web" / "tsconfig.json"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.splitlines() == []
    assert done.returncode == 0
