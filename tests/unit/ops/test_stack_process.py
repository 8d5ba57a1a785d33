import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import Unavailable
from ops.stack import process
from ops.stack.part import Launch
from ops.stack.process import Process
from tests.support.waiting import until

SLEEP = "import time; time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); " + SLEEP
)
LEADER = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
{SLEEP}
"""
HEADLESS = f"""
import ctypes, threading
threading.Thread(target=lambda: exec({SLEEP!r})).start()
print("headless", flush=True)
ctypes.CDLL(None).pthread_exit(None)
"""


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for one in processes:
        with suppress(Unavailable):
            one.kill()


def run(code: str, folder: Path, started: list[Process]) -> Process:
    launch = Launch([sys.executable, "-c", code], {"PATH": os.defpath}, folder)
    one = process.start(launch, folder / "log")
    started.append(one)
    return one


def first_line(log: Path) -> str:
    until(lambda: log.read_text().endswith("\n"), "it has written a line")
    return log.read_text().strip()


def test_started_process_leads_its_own_session(tmp_path: Path, started: list[Process]) -> None:
    one = run(SLEEP, tmp_path, started)
    assert one.alive()
    assert os.getsid(one.pid) == one.pid
    assert one.members() == [one.pid]


def test_stop_ends_it_and_leaves_no_zombie(tmp_path: Path, started: list[Process]) -> None:
    one = run(SLEEP, tmp_path, started)
    one.stop(grace=10)
    assert not one.alive()
    assert not Path("/proc", str(one.pid)).exists()


def test_stop_kills_what_ignores_it(tmp_path: Path, started: list[Process]) -> None:
    one = run(STUBBORN, tmp_path, started)
    assert first_line(tmp_path / "log") == "deaf"
    one.stop(grace=0.1)
    assert one.members() == []


def test_stopping_twice_is_nothing(tmp_path: Path, started: list[Process]) -> None:
    one = run("pass", tmp_path, started)
    one.stop(grace=10)
    one.stop(grace=10)
    one.kill()
    assert not one.alive()
    assert one.members() == []


def test_children_are_found_after_their_leader_died(tmp_path: Path, started: list[Process]) -> None:
    one = run(LEADER, tmp_path, started)
    child = int(first_line(tmp_path / "log"))
    os.kill(one.pid, signal.SIGKILL)
    until(lambda: not one.alive(), "the leader is dead")
    assert one.members() == [child]
    one.stop(grace=10)
    assert one.members() == []


def test_pid_of_another_process_is_not_ours(tmp_path: Path, started: list[Process]) -> None:
    one = run(SLEEP, tmp_path, started)
    predecessor = replace(one, start_ticks=one.start_ticks - 1)
    assert not predecessor.alive()
    assert predecessor.members() == []
    predecessor.kill()
    predecessor.stop(grace=0)
    assert one.alive()


def test_record_of_an_earlier_boot_is_not_ours(tmp_path: Path, started: list[Process]) -> None:
    one = run(SLEEP, tmp_path, started)
    earlier = replace(one, boot_id="00000000-0000-0000-0000-000000000000")
    assert not earlier.alive()
    earlier.kill()
    assert one.alive()


def test_output_goes_to_the_end_of_the_log(tmp_path: Path, started: list[Process]) -> None:
    log = tmp_path / "log"
    log.write_text("before ")
    run("print('after')", tmp_path, started)
    assert first_line(log) == "before after"


def test_overgrown_log_is_put_aside(
    tmp_path: Path, started: list[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_LOG_LIMIT", 3)
    log = tmp_path / "log"
    log.write_text("long\n")
    run("print('new')", tmp_path, started)
    assert first_line(log) == "new"
    assert (tmp_path / "log.log.1").read_text() == "long\n"


def test_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        process.start(Launch([str(tmp_path / "absent")], {}, tmp_path), tmp_path / "log")
    assert caught.value.code == "stack_start_failed"
    assert "absent" in caught.value.message


def test_process_whose_first_thread_ended_still_runs(tmp_path: Path, started: list[Process]) -> None:
    one = run(HEADLESS, tmp_path, started)
    assert first_line(tmp_path / "log") == "headless"
    status = Path("/proc", str(one.pid), "status")
    until(lambda: re.search(r"^State:\s+Z", status.read_text(), re.MULTILINE), "its first thread has ended")
    assert one.alive()
    assert one.members() == [one.pid]
    one.kill()
    assert one.members() == []
