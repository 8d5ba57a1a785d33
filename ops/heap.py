"""The garbage collector of a process that runs for months.

Once enough new containers exist, Python scans every live container. A Saksi process starts with 130,000 of
them: modules, schemas, routes. These are never garbage. Reading a page of segments from the index makes
thousands of new containers, so the collector took 1.6 of the 2.3 ms that a playlist's JSON needed (measured,
116 kB).
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG = 10_000
"""New containers before the youngest generation is scanned; one answer makes more than Python's 700."""


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


def settle() -> None:
    """Exclude all present objects from later collections. Call it once, at the end of a process's start.

    Later objects are freed as before: by their reference count, and in cycles by the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
