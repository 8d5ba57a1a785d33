"""What is known of this machine's own clock, for the uncertainty of what it dates."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HostTime:
    """``bound_us`` bounds the clock's error against true time, as ``source`` states it; None: nothing does.

    ``source`` is ``chrony``, ``timesyncd``, ``kernel`` or ``none``.
    """

    source: str
    bound_us: int | None


Host = Callable[[], HostTime]
"""What is known now; called once for each segment, from any thread."""

UNBOUNDED = HostTime("none", None)
EXACT = HostTime("kernel", 0)


def exact() -> HostTime:
    """A clock that is right: for recorders to which nobody gave a host's."""
    return EXACT
