"""Protects the memory of a process that holds a key."""

import ctypes

_PR_SET_DUMPABLE = 4


def shield() -> bool:
    """Keep other processes of this account from reading this one's memory or environment; no core dump.

    From then on only root sees them in ``/proc``. Returns whether the kernel agreed; only Linux can.
    """
    return bool(ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) == 0)
