"""The gate under a clock that moves only when told to: whoever waits there lets time pass."""

from archive.clock import ManualClock
from archive.lifecycle.gate import Gate
from archive.ports import Stores
from archive.timespan import SECOND


def manual_gate(stores: Stores, clock: ManualClock) -> Gate:
    """A gate whose waiting advances the clock, three seconds a look."""
    return Gate(stores.cache, clock, pause=lambda _seconds: clock.advance(3 * SECOND))
