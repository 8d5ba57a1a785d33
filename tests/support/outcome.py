"""What became of a run, for a program to read: ``pytest --outcome FILE``.

The file is written when the run has come to its end, so a run that was killed leaves none.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import pytest

SLOWEST = 50


@dataclass
class Outcome:
    """A run: pytest's exit status, the tests by their end, the slowest of them, and the slowest files.

    A file is what one process takes: the seconds of all its tests are those of the process.
    ``unrun`` has tests that were chosen and never reported: their process died before it came to them.
    """

    exit: int = -1
    passed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    unrun: list[str] = field(default_factory=list)
    slowest: list[tuple[float, str]] = field(default_factory=list)
    files: list[tuple[float, str]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether every chosen test ran; anything but "passed" and "some failed" left tests unrun."""
        return self.exit in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED) and not self.unrun

    @classmethod
    def read(cls, path: Path) -> "Outcome":
        """The run that wrote the file; one that did not come to its end, where there is no file."""
        return cls(**json.loads(path.read_text("utf-8"))) if path.exists() else cls()


class Recorder:
    """Notes what the tests report and writes it down at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._worst: dict[str, str] = {}
        self._seconds: dict[str, float] = defaultdict(float)
        self._chosen: dict[str, None] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note the chosen tests of a run of one process."""
        self._chosen.update(dict.fromkeys(item.nodeid for item in session.items))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note the chosen tests of a run of several: each worker names all of them."""
        self._chosen.update(dict.fromkeys(ids))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test fails if any of its phases does; with a skip in one phase the others only pass."""
        self._seconds[report.nodeid] += report.duration
        if report.outcome != "passed" and self._worst.get(report.nodeid) != "failed":
            self._worst[report.nodeid] = report.outcome
        self._worst.setdefault(report.nodeid, "passed")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be read is a failure of that name."""
        if report.failed:
            self._worst[report.nodeid] = "failed"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, exitstatus: int) -> Iterator[None]:
        """Write the file once everything else has finished."""
        yield
        files: dict[str, float] = defaultdict(float)
        for name, seconds in self._seconds.items():
            files[name.partition("::")[0]] += seconds
        ends = (
            [name for name, end in self._worst.items() if end == word]
            for word in ("passed", "failed", "skipped")
        )
        unrun = [name for name in self._chosen if name not in self._worst]
        outcome = Outcome(
            int(exitstatus), *ends, unrun=unrun, slowest=_slowest(self._seconds), files=_slowest(files)
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(asdict(outcome), indent=1), "utf-8")


def _slowest(seconds: Mapping[str, float]) -> list[tuple[float, str]]:
    slowest = sorted(((took, name) for name, took in seconds.items()), reverse=True)
    return [(round(took, 2), name) for took, name in slowest[:SLOWEST]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--outcome FILE``."""
    parser.addoption("--outcome", type=Path, metavar="FILE", help="write what became of the run to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Only the process that gathers the reports writes; the workers of pytest-xdist do not."""
    path = config.getoption("--outcome")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(path.absolute()), "outcome-recorder")
