"""The command line makes the part of its tree that a command needs, and that part is as in the whole."""

import subprocess
import sys
from typing import Any

import pytest
import typer

from ops.cli import build, top_level, tree
from ops.cli.speaking import Language, every

LOADED = "import sys; from ops.cli import build; build({only!r}); print(*sys.modules)"


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


def loaded(only: str) -> set[str]:
    """The modules of an interpreter that made a part of the tree."""
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(only=only)], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_a_command_waits_for_no_other_commands_modules() -> None:
    ours = {f"ops.cli.{name}" for name in ("health_command", "record", "run", "camera", "evidence")}
    few = loaded("health")
    assert ours & few == {"ops.cli.health_command"}
    assert build("health").registered_groups[0].name == "health"
    assert ours <= loaded("")
