"""The tutorial from a request to the court, run exactly as on its page: every block, in one shell."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.indexes import free_port
from tests.support.programs import required

PAGE = Path(__file__).resolve().parents[2] / "docs" / "tutorial" / "request-to-court.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
LONGEST = 540


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the shell printed."""
    for program in ("bash", "curl", "jq", "openssl", "unzip", "sha256sum"):
        required(program)
    home = tmp_path_factory.mktemp("tutorial")
    script = "set -euo pipefail\ntrap 'kill ${UP:-} 2>/dev/null || true' EXIT\n"
    script += "\n".join(BLOCK.findall(PAGE.read_text("utf-8")))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")}
    environ |= {"PATH": path, "SAKSI_HOME": str(home), "SAKSI_PORT": str(free_port()), "no_proxy": "*"}
    done = subprocess.run(
        ["bash", "-c", script],
        env=environ, cwd=home, capture_output=True, text=True, timeout=LONGEST, check=False,
    )  # fmt: skip
    log = home / "up.log"
    tail = log.read_text()[-2000:] if log.exists() else ""
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}\n{tail}"
    return done.stdout


def test_the_way_ends_where_the_page_says(told: str) -> None:
    lines = told.splitlines()
    for line in (
        '{"id":"user:dewi","roles":["police"]}',
        "not_granted",
        "not_permitted",
        "session_ended",
        '{"id":"citra","enabled":false}',
    ):
        assert line in lines, told
    assert '"in_force":true' in told
    assert '"hold":"release"' in told


def test_the_record_of_it_names_everybody(told: str) -> None:
    acts = {tuple(line.split("\t")[1:]) for line in told.splitlines() if line.count("\t") == 3}
    assert {
        ("user:dewi", "request.file", "done"),
        ("user:citra", "request.approve", "done"),
        ("user:budi", "handover.give", "done"),
        ("user:dewi", "handover.confirm", "done"),
        ("user:budi", "handover.close", "done"),
    } <= acts
    viewers = {tuple(line.split("\t")) for line in told.splitlines() if line.count("\t") == 2}
    assert ("user:citra", "footage.play", "role") in viewers
    assert not any(who == "user:indra" for who, *_ in viewers)
