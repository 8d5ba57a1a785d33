"""A process that holds a key keeps its memory to itself."""

import ctypes

_PR_SET_DUMPABLE = 4


def shield() -> bool:
    """See that no process of the same account reads this one's memory or environment, and no core is written.

    From here on ``/proc`` shows them to root alone. Whether the kernel took it; only Linux has it.
    """
    return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
