"""A run of the tests is judged by what became of each test: flaky ones are named, a broken-off run is red."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.order import in_order, table
from tests.support.outcome import Outcome
from tests.support.verdict import judge

ROOT = Path(__file__).resolve().parents[2]
SUITE = {
    "test_good.py": "def test_good():\n    assert True\n",
    "test_first.py": (
        "from pathlib import Path\n"
        "def test_passes_the_second_time():\n"
        "    mark = Path(__file__).with_name('mark')\n"
        "    was_there = mark.exists()\n"
        "    mark.touch()\n"
        "    assert was_there\n"
    ),
    "test_skips.py": "import pytest\n@pytest.mark.skip\ndef test_never():\n    assert False\n",
}
ALONE = (
    "import time, pytest\n"
    "from pathlib import Path\n"
    "HERE = Path(__file__).parent / 'running'\n"
    "@pytest.mark.parametrize('n', [1, 2, 3])\n"
    "{mark}\n"
    "def test_it(n):\n"
    "    HERE.mkdir(exist_ok=True)\n"
    "    mine = HERE / f'{{Path(__file__).stem}}-{{n}}'\n"
    "    mine.touch()\n"
    "    try:\n"
    "        for _ in range(30):\n"
    "            assert {alone} or not list(HERE.glob('*alone*'))\n"
    "            assert not {alone} or list(HERE.iterdir()) == [mine]\n"
    "            time.sleep(0.01)\n"  # the overlap is what is looked for
    "    finally:\n"
    "        mine.unlink()\n"
)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    for name, text in SUITE.items():
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    alone: as it says\n", "utf-8")
    return tmp_path


def run(suite: Path, *arguments: str, outcome: str = "outcome.json") -> tuple[Outcome, str]:
    """Pytest with our plugins in a process of its own; the outcome it left, and what it printed."""
    argv = [
        sys.executable, "-m", "pytest", "-c", str(suite / "pytest.ini"), "-p", "xdist",
        "-p", "pytest_timeout", "-p", "tests.support.outcome", "-p", "tests.support.workers",
        "-p", "tests.support.order",
        "--outcome", str(suite / outcome), *arguments, str(suite),
    ]  # fmt: skip
    environment = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # others' plugins take seconds to load
    done = subprocess.run(
        argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    return Outcome.read(suite / outcome), done.stdout + done.stderr


@pytest.mark.parametrize("processes", ["0", "2"])
def test_one_that_passes_alone_is_flaky_and_named_at_the_very_end(suite: Path, processes: str) -> None:
    first, printed = run(suite, "-n", processes, "--dist", "loadfile")
    assert first.exit == 1, printed
    assert [Path(name).name for name in first.failed] == ["test_first.py::test_passes_the_second_time"]
    assert (len(first.passed), len(first.skipped)) == (1, 1)
    again, printed = run(suite, "-n", "0", "--dist", "loadfile", "--last-failed", outcome="again.json")
    assert again.exit == 0, printed
    assert again.passed == first.failed
    good, lines = judge(first, again)
    assert good
    assert lines[-2:] == ["1 passed, 0 failed, 1 flaky, 1 skipped", f"FLAKY {first.failed[0]}"]
    assert {Path(name).name for _, name in first.files} == SUITE.keys()
    assert "The slowest 3 files:" in lines


def test_a_run_that_was_killed_is_red_whatever_the_second_says(suite: Path) -> None:
    (suite / "test_dies.py").write_text("import os\ndef test_dies():\n    os._exit(0)\n", "utf-8")
    first, _ = run(suite, "-n", "0")
    assert not first.ended
    good, lines = judge(first, Outcome(exit=0))
    assert not good
    assert "The run did not come to its end." in lines


def test_one_that_hangs_fails_with_its_name_and_the_others_run(suite: Path) -> None:
    text = "import threading\ndef test_hangs():\n    threading.Event().wait()\ndef test_after():\n    pass\n"
    (suite / "test_hangs.py").write_text(text, "utf-8")
    first, printed = run(suite, "-n", "2", "--dist", "loadfile", "--timeout", "5", "-k", "hangs or after")
    assert [Path(name).name for name in first.failed] == ["test_hangs.py::test_hangs"], printed
    assert [Path(name).name for name in first.passed] == ["test_hangs.py::test_after"]
    assert "threading.Event().wait()" in printed


def test_a_run_whose_process_died_is_red_for_the_tests_that_it_left(suite: Path) -> None:
    text = "import os\ndef test_dies():\n    os._exit(1)\ndef test_after():\n    pass\n"
    (suite / "test_dies.py").write_text(text, "utf-8")
    first, printed = run(
        suite, "-n", "1", "--dist", "loadfile", "-k", "dies or after", "--max-worker-restart=0"
    )
    assert [Path(name).name for name in first.unrun] == ["test_dies.py::test_after"], printed
    good, lines = judge(first, Outcome(exit=0, passed=first.failed))
    assert not good
    assert {"The run did not come to its end.", f"NOT RUN {first.unrun[0]}"} <= set(lines)


def test_a_run_that_stops_early_is_red(suite: Path) -> None:
    first, printed = run(suite, "-n", "2", "--maxfail", "1")
    assert first.exit == 2, printed
    assert not judge(first, Outcome(exit=0, passed=first.failed))[0]


def test_a_file_that_cannot_be_read_is_a_failure(suite: Path) -> None:
    (suite / "test_broken.py").write_text("import no_such_thing\n", "utf-8")
    first, printed = run(suite, "-n", "2")
    assert first.exit != 0, printed
    assert not judge(first, None)[0]


def of(exit: int, *, passed: int = 0, failed: int = 0) -> Outcome:
    return Outcome(exit, [f"p{n}" for n in range(passed)], [f"f{n}" for n in range(failed)])


def alone(exit: int, *, passed: int = 0, failed: int = 0) -> Outcome:
    """A second run of f0, f1, …: the first of them pass."""
    names = [f"f{n}" for n in range(passed + failed)]
    return Outcome(exit, names[:passed], names[passed:])


@pytest.mark.parametrize(
    ("first", "again", "is_good"),
    [
        (of(0, passed=9), None, True),
        (of(1, passed=9, failed=2), alone(0, passed=2), True),
        (of(1, passed=9, failed=3), alone(0, passed=3), False),
        (of(1, passed=9, failed=2), alone(1, passed=1, failed=1), False),
        (of(1, passed=9, failed=2), alone(0, passed=1), False),
        (of(1, passed=9, failed=1), None, False),
        (of(1, passed=9, failed=1), Outcome(), False),
        (of(1, passed=9, failed=1), alone(3, passed=1), False),
        (of(1, passed=9), alone(5), False),
        (of(5), None, False),
        (Outcome(), None, False),
    ],
    ids=[
        "all pass", "two flaky", "three flaky", "one still fails", "one was not run again", "no second run",
        "second run killed", "second run broke", "red without a failed test", "nothing ran", "killed",
    ],
)  # fmt: skip
def test_what_is_good(first: Outcome, again: Outcome | None, is_good: bool) -> None:
    assert judge(first, again)[0] is is_good


def test_one_marked_alone_runs_while_no_other_does(suite: Path) -> None:
    for name, mark in {"test_a.py": "", "test_alone.py": "@pytest.mark.alone", "test_c.py": ""}.items():
        text = ALONE.format(mark=mark or "# beside others", alone=bool(mark))
        (suite / name).write_text(text, "utf-8")
    outcome, printed = run(suite, "-n", "3", "--dist", "loadfile", "-k", "test_it")
    assert outcome.exit == 0, printed
    assert len(outcome.passed) == 9


def test_what_takes_longest_begins_first_and_what_runs_alone_before_all() -> None:
    seconds = {"b.py": 3.0, "c.py": 90.0, "gone.py": 200.0, "e.py": 1.0}
    files = ["a.py", "a.py", "b.py", "c.py", "d.py", "e.py", "a.py"]
    assert in_order(files, seconds, frozenset({"e.py"})) == ["e.py", "c.py", "b.py", "a.py", "d.py"]


def test_a_run_of_several_processes_takes_the_files_in_that_order(suite: Path) -> None:
    text = "import pytest\n@pytest.mark.alone\ndef test_waits_for_nobody():\n    pass\n"
    (suite / "test_zoo.py").write_text(text, "utf-8")
    order = ["test_first.py", "test_good.py", "test_skips.py"]
    for processes, expected in {"0": [*order, "test_zoo.py"], "1": ["test_zoo.py", *order]}.items():
        outcome, printed = run(suite, "-n", processes, "--dist", "loadfile", "--no-loadscope-reorder", "-v")
        told = [line for line in printed.splitlines() if "::" in line and "%]" in line]
        ran = [name for line in told for name in expected if name in line]
        assert ran == expected, printed
        assert not outcome.unrun


def test_every_file_that_is_known_to_take_long_is_there() -> None:
    assert table(), "the table is empty"
    assert [name for name in table() if not (ROOT / name).is_file()] == []
