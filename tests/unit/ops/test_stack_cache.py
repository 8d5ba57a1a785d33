import os
import threading
from pathlib import Path

import pytest

from ops.stack.cache import Cache
from tests.support.waiting import until


def silent(line: str) -> None:
    """Say nothing."""


def test_made_once_and_then_found(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    calls: list[Path] = []

    def make(folder: Path) -> None:
        calls.append(folder)
        (folder / "program").write_text("x")

    assert not cache.holds("server", "v1")
    first = cache.get("server", "v1", make, silent)
    assert cache.get("server", "v1", make, silent) == first
    assert cache.holds("server", "v1")
    assert (first / "program").read_text() == "x"
    assert len(calls) == 1
    assert first.stat().st_mode & 0o777 == 0o755


def test_others_can_enter_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        place = Cache(tmp_path / "a/b").get("server", "v1", lambda folder: None, silent)
    finally:
        os.umask(before)
    for folder in (place, place.parent, tmp_path / "a/b", tmp_path / "a"):
        assert folder.stat().st_mode & 0o777 == 0o755


def test_failure_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    cache = Cache(tmp_path)

    def make(folder: Path) -> None:
        (folder / "closed").mkdir(mode=0o500)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.get("server", "v1", make, silent)
    assert not cache.holds("server", "v1")
    assert list((tmp_path / "server").iterdir()) == []


def test_leftovers_of_a_killed_build_are_removed(tmp_path: Path) -> None:
    leftover = tmp_path / "server/.building-abc"
    leftover.mkdir(parents=True)
    Cache(tmp_path).get("server", "v1", lambda folder: None, silent)
    assert not leftover.exists()


def test_two_at_once_build_once(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    calls: list[Path] = []
    said: list[str] = []
    building = threading.Event()

    def make(folder: Path) -> None:
        calls.append(folder)
        building.set()
        until(lambda: said, "the other says that it waits")

    other = threading.Thread(target=cache.get, args=("server", "v1", make, silent))
    other.start()
    building.wait()
    cache.get("server", "v1", make, said.append)
    other.join()
    assert len(calls) == 1
    assert said == ["server: another process is fetching it; waiting"]
