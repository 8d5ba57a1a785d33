"""The commands of the page on upgrading, over an archive that 0.1.0 wrote."""

import json
import re
import shlex
import sqlite3
from pathlib import Path

from tests.support.commands_at import CommandsAt
from tests.vectors.archive_0_1_0.answers import instant_of, unpack

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "guide" / "upgrading.md"
ARCHIVE = ROOT / "tests" / "vectors" / "archive_0_1_0" / "archive.tar.xz"
EXPECTED = ROOT / "tests" / "vectors" / "archive_0_1_0" / "expected.json"


def test_the_page_s_commands_bring_an_archive_of_0_1_0_up_to_date(tmp_path: Path) -> None:
    unpack(ARCHIVE, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*.mp4")}
    now = instant_of(json.loads(EXPECTED.read_bytes())["now"])
    saksi = CommandsAt(tmp_path, lambda: now)
    saksi.must("index", "rebuild")
    _of_another_format(tmp_path / "index" / "index.sqlite")
    lines = [
        shlex.split(line)
        for block in re.findall(r"^```sh\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    assert ["saksi", "index", "rebuild"] in lines
    for program, *words in lines:
        assert program == "saksi"
        saksi.must(*words)
    assert saksi.must("camera", "list", "--json").out.count('"id"') >= 3
    assert before
    assert {path: path.stat().st_mtime_ns for path in before} == before, "footage is not touched"


def _of_another_format(index: Path) -> None:
    """An embedded index as another version left it."""
    connection = sqlite3.connect(index.resolve())
    connection.execute("PRAGMA user_version = 4")
    connection.close()
