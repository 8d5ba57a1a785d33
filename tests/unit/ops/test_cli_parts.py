"""The command line makes the part of its tree that a command needs, and that part is as in the whole."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from archive.clock import SystemClock
from ops import installation
from ops.cli import build, top_level, tree
from ops.cli.speaking import Language, every
from ops.settings import Settings

LOADED = "import sys; from ops.cli import build; build({only!r}); {more}; print(*sys.modules)"
RECORDING = "import ops.recording, ops.telemetry, ops.heap"
"""What ``saksi record`` imports when it runs."""

TRIED = """
import sys
from ops.cli import main
sys.argv = ["saksi", "record", "--for", "1s"]
try:
    main()
except SystemExit:
    print(*sys.modules)
"""
"""The command itself, which ends at once where no camera is registered."""

OF_OTHERS = {
    "fastapi", "starlette", "uvicorn", "jinja2", "reportlab", "pyhanko", "prometheus_client", "minio",
    "boto3", "elasticsearch", "etcd3gw", "segno",
}  # fmt: skip
"""Libraries of the API, of sealing and of other commands; and of stores that a site may not have."""


def helps(command: Any, name: str) -> list[tuple[str, str]]:
    """The help of a command and of all under it, by name."""
    found = []
    for one in every(command):
        with typer.Context(one, info_name=one.name or name) as context:
            found.append((one.name, one.get_help(context)))
    return found


@pytest.mark.parametrize("language", list(Language))
def test_every_part_is_as_it_is_in_the_whole(language: Language) -> None:
    whole = tree(language)
    assert set(whole.commands) == top_level()
    for name in top_level():
        part = tree(language, name)
        assert name in part.commands
        assert helps(part.commands[name], name) == helps(whole.commands[name], name)


def loaded(only: str, more: str = "pass") -> set[str]:
    """The modules of an interpreter that made a part of the tree, and ran more."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(only=only, more=more)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_a_command_waits_for_no_other_commands_modules() -> None:
    ours = {f"ops.cli.{name}" for name in ("health_command", "record", "run", "camera", "evidence")}
    few = loaded("health")
    assert ours & few == {"ops.cli.health_command"}
    assert build("health").registered_groups[0].name == "health"
    assert ours <= loaded("")


def test_a_recorder_keeps_no_library_in_memory_that_it_does_not_use() -> None:
    assert loaded("record", RECORDING) & OF_OTHERS == set()


def test_elasticsearchs_client_brings_the_recorder_no_way_of_sending_that_it_does_not_use(
    tmp_path: Path,
) -> None:
    chosen = {"SAKSI_HOME": str(tmp_path), "SAKSI_INDEX_URL": "http://127.0.0.1:9"}
    installation.make(Settings.load(chosen), SystemClock())
    done = subprocess.run(
        [sys.executable, "-c", TRIED], env=os.environ | chosen, capture_output=True, text=True, check=True
    )
    modules = set(done.stdout.split())
    assert "no_camera" in done.stderr
    assert "elasticsearch" in modules
    assert {"aiohttp", "requests", *OF_OTHERS} & modules == {"elasticsearch"}
