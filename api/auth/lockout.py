"""Back-off after failed sign-ins, so that a guesser waits and the owner does not.

The first failures have no effect; each later one doubles the time during which further attempts are refused
without checking the password. A success resets the failures of the one who succeeded. Counted apart are

- a *known browser*, one in which the account signed in before (OWASP, device cookies): it waits only for its
  own failures, whatever others tried elsewhere or from the same address;
- an account at an address, and an address with whatever accounts: what fails at one address makes nobody wait
  at another. If an account's failures at all addresses are many, each address has fewer without effect.

With a folder the counts are shared by all processes that use it, and outlive them: a client locked out by one
server is locked out by all, and a restart does not reset a guesser's count. The folder holds :data:`SHARDS`
small files at most, of bounded size, changed under a lock. Names are stored only as hashes, since people
sometimes type a password in place of the name.
"""

import fcntl
import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from api.limits.peers import network_of
from archive.clock import Clock
from archive.errors import Refused, Unavailable
from archive.timespan import HOUR, MINUTE, SECOND

FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS = 5, 20
"""Failures without effect: of an account at one address or in one known browser; and of an address, which
many people may share."""

MANY = 50
"""Failures of one account, without an hour's pause, after which each address has only one without effect."""

LONGEST = 15 * MINUTE
SHARDS, MAX_IN_SHARD = 64, 256
_FORGET = HOUR
_BYTES = 64 * 1024

Kept = dict[str, list[int]]
"""``[count, last, until]`` of each key, in µs of wall time: elapsed time does not outlive a restart."""


class LockedOut(Refused):
    """Too many attempts failed; the next one is allowed in ``wait_s`` seconds."""

    wait_s = 1

    def after(self, seconds: int) -> Self:
        """Set the wait, and return this error."""
        self.wait_s = seconds
        return self


class Lockout:
    """Counts failures: in memory, or in a ``folder`` that processes of one host may share. Thread-safe.

    Methods raise Unavailable ``lockout_unreadable`` if the folder cannot be used: then nobody can sign in.
    """

    def __init__(self, clock: Clock, folder: Path | None = None) -> None:
        self._clock = clock
        self._folder = folder
        self._guard = threading.Lock()
        self._memory: dict[str, Kept] = {}

    def check(self, account: str | None, address: str, *, browser: str = "") -> None:
        """Check that an attempt is allowed; ``account`` is None if it names no account, as with a code.

        ``browser`` is what a known browser proved to be, "" for any other client.

        Raises Refused ``sign_in_locked``: too many attempts failed before.
        """
        now = self._clock.now()
        for key in _keys(account, address, browser):
            with self._changing(key) as kept:
                _, last, until = kept.get(key, [0, 0, 0])
            # Even after the clock was set back, nobody waits longer than the longest wait.
            until = min(until, now + LONGEST)
            if now < until and last - now < LONGEST:
                seconds = -(-(until - now) // SECOND)
                raise LockedOut(
                    "too many attempts failed", code="sign_in_locked", hint=f"Try again in {seconds} s."
                ).after(seconds)

    def failed(self, account: str | None, address: str, *, browser: str = "") -> None:
        """Count a failed attempt."""
        if browser:
            self._count(_of_browser(browser), FREE_FOR_ACCOUNT)
            return
        everywhere = 0 if account is None else self._count(_everywhere(account), sys.maxsize)
        self._count(_of_account(account, address), 1 if everywhere > MANY else FREE_FOR_ACCOUNT)
        self._count(_of_address(address), FREE_FOR_ADDRESS)

    def succeeded(self, account: str, address: str, *, browser: str = "") -> None:
        """Reset the failures of the account at this address, or in this browser, after a success.

        The address keeps its own count: otherwise a guesser could reset it by signing in to an own account.
        """
        key = _of_browser(browser) if browser else _of_account(account, address)
        with self._changing(key) as kept:
            kept.pop(key, None)

    def _count(self, key: str, free: int) -> int:
        """Count a failure under a key; returns how many there are now."""
        now = self._clock.now()
        with self._changing(key) as kept:
            count, last, _ = kept.pop(key, [0, 0, 0])
            count = 1 if abs(now - last) > _FORGET else count + 1
            beyond = count - free
            until = now + min(LONGEST, SECOND << min(beyond, 20)) if beyond >= 0 else 0
            kept[key] = [count, now, until]
            while len(kept) > MAX_IN_SHARD:
                # Waiting entries are dropped last: otherwise many invented names would free a guesser.
                del kept[min(kept, key=lambda one: (kept[one][2] > now, kept[one][1]))]
        return count

    @contextmanager
    def _changing(self, key: str) -> Iterator[Kept]:
        """The counts of the key's shard; changes made in the block are stored."""
        shard = key[:2]
        with self._guard:
            if self._folder is None:
                yield self._memory.setdefault(shard, {})
                return
            try:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self._folder / f"{shard}.json", os.O_RDWR | os.O_CREAT, 0o600)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
                    before = os.pread(descriptor, _BYTES, 0)
                    kept = _decoded(before)
                    yield kept
                    after = json.dumps(kept, separators=(",", ":")).encode("ascii")
                    if after != before:
                        os.pwrite(descriptor, after, 0)
                        os.ftruncate(descriptor, len(after))
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise Unavailable(
                    f"failed sign-ins cannot be counted in {self._folder}",
                    code="lockout_unreadable",
                    hint="Check that the folder belongs to the service's user, and that the disk has room.",
                ) from error


def _keys(account: str | None, address: str, browser: str) -> tuple[str, ...]:
    """What an attempt waits for."""
    return (_of_browser(browser),) if browser else (_of_account(account, address), _of_address(address))


def _of_browser(browser: str) -> str:
    return _key("browser", browser)


def _of_account(account: str | None, address: str) -> str:
    """Attempts that name no account are counted by address, under a key that no typed name can produce."""
    if account is None:
        return _key("nobody", network_of(address))
    return _key("account", f"{network_of(address)} {account.casefold()}")


def _everywhere(account: str) -> str:
    return _key("everywhere", account.casefold())


def _of_address(address: str) -> str:
    return _key("address", network_of(address))


def _key(kind: str, name: str) -> str:
    digest = hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()
    return f"{int(digest[:4], 16) % SHARDS:02x}{digest[4:28]}"


def _decoded(data: bytes) -> Kept:
    """The counts of a file; empty if a power failure left it damaged."""
    try:
        value = json.loads(data or b"{}")
        return {key: [int(count), int(last), int(until)] for key, (count, last, until) in value.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
