"""Run a program that gets SIGTERM when its parent dies.

``python leash.py PARENT_PID PROGRAM ARGS…`` is a script between the recorder and FFmpeg, since an FFmpeg
that survives its recorder would record for ever. It is a program of its own because Python must not
run between fork and exec in a process with threads. The kernel sends the signal when the *thread* that
forked ends: captures are started from the thread of the event loop, which lives as long as its recorder.
SIGTERM and not SIGKILL: FFmpeg then closes the segment, and nothing is lost.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Request the signal, check that the parent still lives, and become the program."""
    parent, program = int(argv[1]), argv[2:]
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0) != 0:
        sys.exit("the kernel refused the parent-death signal")
    if os.getppid() != parent:
        sys.exit("the recorder is gone")
    os.execv(program[0], program)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv)
