"""The garbage collector of a process that runs for months.

Python looks through every container that is alive once enough new ones were made, and a process of ours
begins with 130,000 of them: modules, schemas, routes. None of it is ever garbage. Reading a page of segments
from the index makes thousands of new ones, so the collector took 1.6 of the 2.3 ms that a playlist's JSON
needed (measured, 116 kB).
"""

import gc

_YOUNG = 10_000
"""New containers before the youngest are looked through; Python's own 700 are less than one answer's."""


def settle() -> None:
    """Leave all that there is now out of later collections. For the end of a process's start, once.

    What dies afterwards is freed as before: by its count of references, and in cycles by the collector.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
