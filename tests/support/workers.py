"""What the processes of one run share and what each has to itself; pytest-xdist starts one per processor.

Each has a home of its own, and what it names on a shared server begins with a name of its own
(:func:`own_name`). A test marked ``alone`` runs while no other test does.
"""

import fcntl
import gc
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

_SHARED = "saksi_shared_folder"


def own_name(kind: str) -> str:
    """A name for a bucket or an index that no other test, process or run has: ``kind-gw0-6f1c…``."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "one")
    return f"{kind}-{worker}-{secrets.token_hex(6)}"


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """``SAKSI_HOME`` for what a test starts without saying where: never the home of who runs the tests."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAKSI_HOME", str(home))
        yield home


class Turns:
    """Lets ordinary tests run side by side, and one marked ``alone`` when no other runs.

    One that wants to be alone closes the door first, so that the others' stream of tests ends. It is alone
    from the end of its setup to the beginning of its teardown: its fixtures are made beside the others.
    """

    def __init__(self, folder: Path) -> None:
        self._door, self._room = folder / "door", folder / "room"

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Hold an ordinary test's turn from its setup to the end of its teardown."""
        with nullcontext() if _is_alone(item) else self._turn(fcntl.LOCK_SH):
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """Set up beside the others."""
        with self._turn(fcntl.LOCK_SH) if _is_alone(item) else nullcontext():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Run alone."""
        with self._turn(fcntl.LOCK_EX) if _is_alone(item) else nullcontext():
            return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """Tear down beside the others."""
        with self._turn(fcntl.LOCK_SH) if _is_alone(item) else nullcontext():
            return (yield)

    @contextmanager
    def _turn(self, kind: int) -> Iterator[None]:
        with ExitStack() as room:
            with _held(self._door, kind):
                room.enter_context(_held(self._room, kind))
            yield


def _is_alone(item: pytest.Item) -> bool:
    return item.get_closest_marker("alone") is not None


@contextmanager
def _held(path: Path, kind: int) -> Iterator[None]:
    with path.open("ab") as file:
        fcntl.flock(file, kind)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)  # closing is not enough: a fork of the test may have it open


class Shared:
    """In the process that starts the workers: a folder for all of them, gone after the run."""

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="saksi-turns-")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where the folder is."""
        node.workerinput[_SHARED] = self._folder

    def pytest_unconfigure(self) -> None:
        """Remove it."""
        shutil.rmtree(self._folder, ignore_errors=True)


MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 8 << 30
"""Bytes; a whole run leaves about 2 GiB behind when nothing is removed before its end."""


def quick_folder(prefix: str) -> "tempfile.TemporaryDirectory[str]":
    """A folder for one example of a test that makes many: where pytest's own are, in memory if it can be.

    On a disk each of an archive's writes waits for it.
    """
    return tempfile.TemporaryDirectory(prefix=f"saksi-{prefix}-", dir=os.environ.get("PYTEST_DEBUG_TEMPROOT"))


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Put the tests' folders in memory if there is enough, and share the turns out; one process needs none.

    Every write of the archive waits for the disk, and on one disk the tests' processes wait for one another.
    """
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= ENOUGH_MEMORY and _available() >= ENOUGH_MEMORY:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(Turns(Path(config.workerinput[_SHARED])), "saksi-turns")
    elif config.getoption("numprocesses", None):
        config.pluginmanager.register(Shared(), "saksi-shared")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Read all tests without looking for garbage, and never look for any among what was read.

    There is none: modules stay. To look took half of the time that reading takes, again in each process.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """For ``-n auto``: four more than there are processors; tests wait for two thirds of their time."""
    return len(os.sched_getaffinity(0)) + 4


def _available() -> int:
    """Bytes of memory that programs can have without swapping; a file system in memory does not count it."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return int(amount.split()[0]) << 10
    return 0
