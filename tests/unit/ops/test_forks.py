"""A fork of a process that has imported everything is to its test what a process of its own would be."""

import signal
import subprocess
from pathlib import Path

import pytest

from tests.support import preloaded
from tests.support.waiting import until

LASTING = ("http.server", ["0", "--bind", "127.0.0.1"])
"""A module that runs until it is signalled, and its words."""


def started(folder: Path) -> preloaded.Forked:
    module, words = LASTING
    made = preloaded.start(module, words, {"PYTHONUNBUFFERED": "1"}, cwd=folder, log=folder / "log")
    until(lambda: (folder / "log").read_text().count("Serving HTTP") or made.poll() is not None, "it runs")
    return made


def test_it_gets_its_words_writes_to_its_log_and_its_end_is_known(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("before\n")
    made = preloaded.start("tests.support.recording_site", ["--for", "soon"], {}, cwd=tmp_path, log=log)
    assert made.wait(60) == 2, log.read_text()
    assert log.read_text().startswith("before\nusage: ")
    assert "invalid float value: 'soon'" in log.read_text()
    assert (made.poll(), made.returncode) == (2, 2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_ends_it_as_it_would_end_another(tmp_path: Path, number: signal.Signals) -> None:
    made = started(tmp_path)
    assert made.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        made.wait(0.01)
    made.send_signal(number)
    assert made.wait(60) == -number
    assert not Path(f"/proc/{made.pid}").exists()
    made.kill()  # it has ended: nothing happens
