"""Cameras of a host that cannot be reached: how often each is asked, and who hears of it when one answers.

A question costs one packet and half a millisecond of processor time. One dead camera is asked every few
seconds. Where hundreds are dead, all of them together are asked so many times a second, and each more rarely.
Most often they are away together, behind one switch or one line: so the first that answers again is told to
the others of its network, and these are asked at once.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_ASKED_LEAST = 9.0
"""One camera that is away for long is asked every so many seconds."""
_A_SECOND = 15.0
"""So many questions a second are asked of all cameras together: 450 took 3 % of a core at 50 a second."""
_SPREAD = 0.2
_TOLD_WITHIN = 2.0
"""The neighbours are asked at random moments within so many seconds: they share a switch."""
_TOLD_AGAIN = 10.0
"""A network is told no sooner than so many seconds after the last time: one camera may come and go."""
_PREFIX = {4: 24, 6: 64}


def network_of(address: str) -> str:
    """The network of a camera's address (IPv4: 24 bits, IPv6: 64); "" where it is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    return str(ipaddress.ip_network((found.packed, _PREFIX[found.version]), strict=False))


@dataclass(slots=True)
class Neighbours:
    """The waiting cameras of one recorder. Used in the event loop's thread.

    ``chance`` gives a random number from 0 up to 1.
    """

    chance: Callable[[], float]
    _waiting: dict[str, set[asyncio.Event]] = field(default_factory=dict)
    _count: int = 0
    _told: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def waiting(self, network: str) -> Iterator[asyncio.Event]:
        """A camera waits until the block ends; the event is set when it should be asked at once."""
        heard = asyncio.Event()
        self._waiting.setdefault(network, set()).add(heard)
        self._count += 1
        try:
            yield heard
        finally:
            self._count -= 1
            self._waiting[network].discard(heard)
            if not self._waiting[network]:
                del self._waiting[network]

    def every(self, away: float, shortest: float) -> float:
        """Seconds until the next question to a camera that has been away for so many."""
        alone = max(shortest, min(_ASKED_LEAST, away / 10))
        return max(alone, self._count / _A_SECOND) * (1 + _SPREAD * (2 * self.chance() - 1))

    def answered(self, network: str) -> None:
        """A camera of the network answers again: the others that wait are asked within two seconds."""
        loop = asyncio.get_running_loop()
        others = self._waiting.get(network, ())
        if not network or not others or loop.time() < self._told.get(network, 0.0) + _TOLD_AGAIN:
            return
        self._told[network] = loop.time()
        for heard in others:
            loop.call_later(self.chance() * _TOLD_WITHIN, heard.set)
