"""The gate under a manual clock: waiting at the gate advances the clock."""

from archive.clock import ManualClock
from archive.lifecycle.gate import Gate
from archive.ports import Stores
from archive.timespan import SECOND


def manual_gate(stores: Stores, clock: ManualClock) -> Gate:
    """A gate whose waiting advances the clock, three seconds for each check."""
    return Gate(stores.cache, clock, pause=lambda _seconds: clock.advance(3 * SECOND))
