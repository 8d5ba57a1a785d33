"""Back-off after failed sign-ins, for each account and for each address.

The first failures cost nothing; from then on each doubles the time for which further attempts are refused
without a look at the password. A success forgets the account's failures. Counts live in the process.
"""

import threading
from collections import OrderedDict
from dataclasses import dataclass

from archive.clock import Clock
from archive.errors import Refused
from archive.timespan import HOUR, MINUTE, SECOND

FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS = 5, 20
"""Failures that cost nothing; many people may share one address."""

LONGEST = 15 * MINUTE
_FORGET = HOUR
_MAX_KEPT = 10_000


@dataclass(slots=True)
class _Failures:
    count: int = 0
    last: int = 0
    until: int = 0


class Lockout:
    """Counts failures. Thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._kept: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def check(self, account: str, address: str) -> None:
        """Let an attempt through. Raises Refused ``sign_in_locked``: too many failed before."""
        now = self._clock.monotonic()
        with self._guard:
            for key in (("account", account.casefold()), ("address", address)):
                failures = self._kept.get(key)
                if failures is not None and now < failures.until:
                    seconds = -(-(failures.until - now) // SECOND)
                    raise Refused(
                        "too many attempts failed",
                        code="sign_in_locked",
                        hint=f"Try again in {seconds} s.",
                    )

    def failed(self, account: str, address: str) -> None:
        """An attempt failed."""
        now = self._clock.monotonic()
        with self._guard:
            self._count(("account", account.casefold()), FREE_FOR_ACCOUNT, now)
            self._count(("address", address), FREE_FOR_ADDRESS, now)

    def succeeded(self, account: str) -> None:
        """An attempt succeeded: the account begins anew.

        The address does not, or one account of a guesser's own would open the others.
        """
        with self._guard:
            self._kept.pop(("account", account.casefold()), None)

    def _count(self, key: tuple[str, str], free: int, now: int) -> None:
        failures = self._kept.setdefault(key, _Failures())
        self._kept.move_to_end(key)
        if now - failures.last > _FORGET:
            failures.count = 0
        failures.count += 1
        failures.last = now
        beyond = failures.count - free
        if beyond >= 0:
            failures.until = now + min(LONGEST, SECOND << min(beyond, 20))
        while len(self._kept) > _MAX_KEPT:
            self._kept.popitem(last=False)
