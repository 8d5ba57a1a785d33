"""A mistyped home is no new archive: what may make an installation, and what refuses to."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.errors import Refused, Unavailable
from ops import installation
from ops.installation import State
from ops.settings import Settings
from tests.support import preloaded
from tests.support.command_line import Answer, CommandLine

SPAN = ("--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T15:00:00+08:00")
ADD = (
    "camera", "add", "alun-alun", "--source", "test://", "--name", "Alun-alun", "--lat", "-5.13", "--lon",
    "119.41", "--kecamatan", "73.71.05", "--kelurahan", "73.71.05.1001", "--owner", "public",
    "--view", "public",
)  # fmt: skip
READING = (
    ("recordings", *SPAN), ("camera", "list"), ("record", "--for", "1s"), ("serve",),
    ("work", "--once", "log"), ("doctor",), ("archive", "check"), ("log", "make"), ("keys", "init"),
    ("user", "list"), ADD,
    ("index", "rebuild"), ("hold", "list"), ("custody", "show"),
)  # fmt: skip


def run(home: Path, *words: str, **settings: str) -> Answer:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")}
    done = preloaded.run("ops", words, kept | {"SAKSI_HOME": str(home)} | settings, timeout=60)
    return Answer(done.code, done.out, done.err)


@pytest.mark.parametrize("words", READING, ids=lambda words: " ".join(words[:2]))
def test_a_home_that_is_not_there_is_refused_and_not_made(tmp_path: Path, words: tuple[str, ...]) -> None:
    home = tmp_path / "mistyped"
    refused = run(home, *words)
    assert (refused.code, refused.out) == (2, "")
    assert "[no_installation]" in refused.err
    assert "saksi init" in refused.err
    assert not home.exists()


def test_an_archive_that_was_named_and_is_not_there_is_refused(tmp_path: Path) -> None:
    home = CommandLine(tmp_path / "home").home
    refused = run(home, "camera", "list", SAKSI_ARCHIVE_URL=f"file://{tmp_path}/mistyped")
    assert refused.code == 2
    assert not (tmp_path / "mistyped").exists()


def test_init_makes_one_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert "saksi camera add" in run(home, "init").out
    assert run(home, "camera", "list", "--json").json == {"cameras": []}
    assert run(home, "init", "--json").json["is_new"] is False


@pytest.mark.parametrize("words", [("init",), ("up", "--port", "0"), ADD, ("camera", "list")])
def test_a_used_home_whose_archive_is_gone_gets_no_second_one(tmp_path: Path, words: tuple[str, ...]) -> None:
    home, disk = tmp_path / "home", tmp_path / "disk"
    (home / "index").mkdir(parents=True)
    (home / "index" / "index.sqlite").touch()
    disk.mkdir()  # the place where the archive's disk is mounted, without the disk
    refused = run(home, *words, SAKSI_ARCHIVE_URL=f"file://{disk}")
    assert refused.code == 3
    assert "[archive_lost]" in refused.err
    assert list(disk.iterdir()) == []


def test_a_home_on_s3_must_be_there(tmp_path: Path) -> None:
    settings = Settings.load({"SAKSI_HOME": str(tmp_path / "home"), "SAKSI_ARCHIVE_URL": "s3://saksi"})
    assert installation.state_of(settings) is State.NEW
    assert installation.make(settings, SystemClock())
    assert installation.state_of(settings) is State.THERE


def test_folders_that_were_prepared_for_it_do_not_stop_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "home" / "index").mkdir(parents=True)
    (tmp_path / "spool").mkdir()
    assert (
        run(tmp_path / "home", "init", "--json", SAKSI_SPOOL_DIR=f"{tmp_path}/spool").json["is_new"] is True
    )


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("step", ["settings", "state"])
def test_another_user_s_home_is_refused_with_a_sentence(tmp_path: Path, step: str) -> None:
    """Not with a traceback: it is the commonest mistake of the first hour."""
    home = CommandLine(tmp_path / "home").home
    home.chmod(0o700)
    environ = {
        "SAKSI_HOME": str(tmp_path if step == "state" else home),
        "SAKSI_ARCHIVE_URL": f"file://{home}",
    }
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    child = os.fork()
    if child == 0:
        try:
            os.setuid(65534)
            installation.require(Settings.load(environ))
        except Refused as error:
            os._exit(7 if error.code == "home_closed" and error.hint else 8)
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 7


def test_a_home_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(Unavailable, match="cannot be made") as caught:
        installation.make(Settings.load({"SAKSI_HOME": f"{tmp_path}/taken/home"}), SystemClock())
    assert caught.value.code == "home_unwritable"


@pytest.mark.parametrize(("answer", "code", "is_made"), [(b"y\n", 0, True), (b"n\n", 2, False)])
def test_the_first_camera_makes_one_after_a_question(
    tmp_path: Path, answer: bytes, code: int, is_made: bool
) -> None:
    home = tmp_path / "home"
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")}
    with subprocess.Popen(
        [sys.executable, "-m", "ops", *ADD],
        env=kept | {"SAKSI_HOME": str(home)}, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        os.write(ours, answer)
        _, said = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert process.returncode == code, said
    assert b"Make a new one there?" in said
    assert (home / "archive" / "records").is_dir() is is_made


def test_recording_nothing_for_a_while_is_refused(tmp_path: Path) -> None:
    saksi = CommandLine(tmp_path / "home")
    refused = saksi("record", "--for", "1s")
    assert (refused.code, "Recording" in refused.err) == (2, False)
    assert "[no_camera]" in refused.err
    saksi.add_camera("alun-alun", "test://?size=320x240")
    saksi.must("camera", "disable", "alun-alun", "--reason", "test")
    refused = saksi("record", "--for", "1s")
    assert "every camera is disabled" in refused.err
    assert "[no_camera]" in refused.err
