"""Whether this machine's clock follows a time server, as the kernel reports."""

import ctypes

_STA_UNSYNC = 0x0040
_TIMEX_BYTES = 512  # more than struct timex takes on any architecture


def is_synchronised() -> bool:
    """Whether adjtimex(2) reports a clock that is not STA_UNSYNC."""
    timex = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(timex)
    # struct timex begins: int modes, padding, long offset, freq, maxerror, esterror, int status
    status = ctypes.c_int.from_buffer(timex, 8 + 4 * ctypes.sizeof(ctypes.c_long)).value
    return bool(state >= 0 and not status & _STA_UNSYNC)
