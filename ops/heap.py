"""The memory of a process that runs for months: Python's garbage collector, and the C library's heaps.

Once enough new containers exist, Python scans every live container. A Saksi process starts with 130,000 of
them: modules, schemas, routes. These are never garbage. Reading a page of segments from the index makes
thousands of new containers, so the collector took 1.6 of the 2.3 ms that a playlist's JSON needed (measured,
116 kB).

glibc gives threads heaps of their own, up to eight for each processor, and each heap keeps what was freed in
it. A recorder of 16 cameras had 24 MiB in them, of 125 (measured, 2 processors). Python's threads hardly ever
allocate at the same time, since one runs at a time: they lose nothing by sharing one heap.
"""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 10_000
"""New containers before the youngest generation is scanned; one answer makes more than Python's 700."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
"""``mallopt``'s numbers of settings (``malloc.h``)."""
_LARGE = 16 << 20
"""From this size on a block has pages of its own, which go back to the system when it is freed. For a whole
segment that costs a tenth of a recorder's processor time (measured: 600 faults), so these share the heap."""
_SPARE = 16 << 20
"""What may stay free at the end of the heap: the next segments take it."""


def share_heap() -> bool:
    """Let all threads of this process use one heap of the C library. Call it before the first thread starts.

    Very large blocks stay outside it. By itself glibc takes them into the heap once one was freed, where each
    leaves a hole that smaller blocks settle in.

    Returns whether they do; they do not where the C library is not glibc, or if it refuses.
    """
    library = _glibc()
    if library is None:
        return False
    settings = ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, _LARGE), (_M_TRIM_THRESHOLD, _SPARE))
    return all([library.mallopt(number, value) for number, value in settings])


@contextmanager
def undisturbed() -> Iterator[None]:
    """Do not look for garbage until the block ends: for imports, which leave none and make many containers.

    A fifth of the processor time of a start went into looking.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def as_if_absent(*libraries: str) -> Iterator[None]:
    """While the block runs, importing these libraries fails as if they were not installed.

    For libraries that another one imports only if it finds them. One that is imported already stays. The
    block is for a process that has one thread so far: others would not find the libraries either.
    """
    hidden = [name for name in libraries if name not in sys.modules]
    for name in hidden:
        sys.modules[name] = None  # type: ignore[assignment]  # the import system then says it is absent
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def settle() -> None:
    """Exclude all present objects from later collections. Call it once, at the end of a process's start.

    Later objects are freed as before: by their reference count, and in cycles by the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
    give_back()


def give_back() -> None:
    """Give the system the memory that the start freed: 8 MiB of a recorder's (measured).

    By itself glibc returns only what lies at the end of a heap. With another C library nothing happens.
    """
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library of this process, if it is glibc: others know neither ``mallopt`` nor ``malloc_trim``."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "gnu_get_libc_version") else None
