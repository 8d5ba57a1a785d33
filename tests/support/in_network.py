"""``python -m tests.support.in_network NAMESPACE MODULE WORDS…``: run a module as ``-m`` does, elsewhere.

"Elsewhere" is a network namespace: see :mod:`tests.support.links`.
"""

import ctypes
import os
import runpy
import sys
from pathlib import Path

_NEW_NETWORK = 0x40000000
"""CLONE_NEWNET of ``setns(2)``; Python has the call from 3.12 on."""


def enter(namespace: str) -> None:
    """Move the calling thread, and what it starts from now on, into a named network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    place = os.open(Path("/run/netns", namespace), os.O_RDONLY)
    try:
        if libc.setns(place, _NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), f"the network {namespace} cannot be entered")
    finally:
        os.close(place)


def main() -> None:
    """Run the module there."""
    _, namespace, module, *words = sys.argv
    enter(namespace)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
