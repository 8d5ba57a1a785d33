"""Objects from start-up are excluded from later collections, and unneeded memory is not kept."""

import gc
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest

from ops import heap
from ops.heap import as_if_absent, give_back, settle, share_heap, undisturbed

HAS_GLIBC = platform.libc_ver()[0] == "glibc"
THREADS = """
import ctypes, threading
from ops.heap import share_heap
{before}
barrier = threading.Barrier(5)
def allocate():
    kept = bytes(100_000)
    barrier.wait(60)
    barrier.wait(60)
threads = [threading.Thread(target=allocate) for _ in range(4)]
for one in threads: one.start()
barrier.wait(60)
ctypes.CDLL(None).malloc_stats()
barrier.wait(60)
"""
"""Four threads that hold memory at the same time, while glibc lists its heaps on standard error."""

BLOCKS = """
from pathlib import Path
from ops.heap import share_heap
{before}
bytes({size} << 20)
kept = bytes({size} << 20)
(heap,) = [line.split()[0] for line in Path("/proc/self/maps").read_text().splitlines() if "[heap]" in line]
start, _, end = heap.partition("-")
print(int(start, 16) <= id(kept) < int(end, 16))
"""
"""A large block is freed, and another one made: whether it lies in the heap."""


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_what_is_there_is_not_looked_through_again() -> None:
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] == 10_000
    later = [[] for _ in range(10)]  # type: ignore[var-annotated]
    assert any(one is later for one in gc.get_objects())
    assert len(gc.get_objects()) < gc.get_freeze_count()


def test_nothing_is_looked_for_during_a_start_and_a_failed_one_leaves_it_as_it_was() -> None:
    with undisturbed():
        assert not gc.isenabled()
        with undisturbed():
            pass
        assert not gc.isenabled(), "the outer one has not ended"
    assert gc.isenabled()
    with pytest.raises(ImportError), undisturbed():
        raise ImportError
    assert gc.isenabled()


def heaps(before: str) -> int:
    """How many heaps glibc makes for four threads."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS.format(before=before)], capture_output=True, text=True, check=True
    )
    return done.stderr.count("Arena ")


@pytest.mark.skipif(not HAS_GLIBC, reason="other C libraries have no heaps for single threads")
def test_all_threads_share_one_heap_if_that_is_asked_before_they_start() -> None:
    assert heaps("assert share_heap()") == 1
    assert heaps("") > 1


@pytest.mark.skipif(not HAS_GLIBC, reason="other C libraries place large blocks by rules of their own")
@pytest.mark.parametrize(
    ("size", "before", "inside"), [(3, "share_heap()", True), (20, "share_heap()", False), (20, "", True)]
)
def test_a_segment_has_its_place_in_the_heap_and_a_very_large_block_makes_no_hole_there(
    size: int, before: str, inside: bool
) -> None:
    code = BLOCKS.format(before=before, size=size)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(inside)


@pytest.mark.skipif(not HAS_GLIBC, reason="other C libraries give memory back by rules of their own")
def test_what_a_start_freed_goes_back_to_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    library = SimpleNamespace(gnu_get_libc_version=None, malloc_trim=calls.append)
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda _name: library)
    give_back()
    settle()
    assert calls == [0, 0]


def test_another_c_library_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap.ctypes, "CDLL", lambda _name: SimpleNamespace())
    assert not share_heap()
    give_back()


def test_a_library_seems_absent_only_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "this", raising=False)
    with as_if_absent("this"), pytest.raises(ImportError):
        import_module("this")
    assert "this" not in sys.modules
    with pytest.raises(ZeroDivisionError), as_if_absent("this"):
        raise ZeroDivisionError
    assert "this" not in sys.modules


def test_a_library_that_is_there_already_stays() -> None:
    with as_if_absent("gc"):
        assert import_module("gc") is gc
    assert sys.modules["gc"] is gc
