"""Back-off after failed sign-ins, for each account and for each address.

The first failures cost nothing; from then on each doubles the time for which further attempts are refused
without a look at the password. A success forgets the account's failures.

With a folder the counts are shared by all processes that use it, and outlive them: whoever is locked out of
one server is locked out of all, and no restart lets a guesser begin anew. The folder holds :data:`SHARDS`
small files at most, of bounded size, changed under a lock. Names are kept as hashes alone, since people type
passwords where a name belongs.
"""

import fcntl
import hashlib
import json
import os
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
"""Failures that cost nothing; many people may share one address."""

LONGEST = 15 * MINUTE
SHARDS, MAX_IN_SHARD = 64, 256
_FORGET = HOUR
_BYTES = 64 * 1024

Kept = dict[str, list[int]]
"""``[count, last, until]`` of each key, in µs of wall time: elapsed time does not outlive a restart."""


class LockedOut(Refused):
    """Too many attempts failed; the next one may come in ``wait_s`` seconds."""

    wait_s = 1

    def after(self, seconds: int) -> Self:
        """The same, with the wait."""
        self.wait_s = seconds
        return self


class Lockout:
    """Counts failures. Thread-safe; with a ``folder`` safe between processes of one host, without in memory.

    Methods raise Unavailable ``lockout_unreadable`` where the folder cannot be used: nobody is let in.
    """

    def __init__(self, clock: Clock, folder: Path | None = None) -> None:
        self._clock = clock
        self._folder = folder
        self._guard = threading.Lock()
        self._memory: dict[str, Kept] = {}

    def check(self, account: str | None, address: str) -> None:
        """Let an attempt through; ``account`` is None where it names nobody, as with a code.

        Raises Refused ``sign_in_locked``: too many failed before.
        """
        now = self._clock.now()
        for key in (_of_account(account, address), _of_address(address)):
            with self._changing(key) as kept:
                _, last, until = kept.get(key, [0, 0, 0])
            # A clock that was set back makes nobody wait longer than the longest wait.
            until = min(until, now + LONGEST)
            if now < until and last - now < LONGEST:
                seconds = -(-(until - now) // SECOND)
                raise LockedOut(
                    "too many attempts failed", code="sign_in_locked", hint=f"Try again in {seconds} s."
                ).after(seconds)

    def failed(self, account: str | None, address: str) -> None:
        """An attempt failed."""
        self._count(_of_account(account, address), FREE_FOR_ACCOUNT)
        self._count(_of_address(address), FREE_FOR_ADDRESS)

    def succeeded(self, account: str) -> None:
        """An attempt succeeded: the account begins anew.

        The address does not, or one account of a guesser's own would open the others.
        """
        key = _of_account(account)
        with self._changing(key) as kept:
            kept.pop(key, None)

    def _count(self, key: str, free: int) -> None:
        now = self._clock.now()
        with self._changing(key) as kept:
            count, last, _ = kept.pop(key, [0, 0, 0])
            count = 1 if abs(now - last) > _FORGET else count + 1
            beyond = count - free
            until = now + min(LONGEST, SECOND << min(beyond, 20)) if beyond >= 0 else 0
            kept[key] = [count, now, until]
            while len(kept) > MAX_IN_SHARD:
                # Whoever waits is forgotten last, or many invented names would set a guesser free.
                del kept[min(kept, key=lambda one: (kept[one][2] > now, kept[one][1]))]

    @contextmanager
    def _changing(self, key: str) -> Iterator[Kept]:
        """The counts of the key's shard; what is changed in the block stays."""
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


def _of_account(account: str | None, address: str = "") -> str:
    """Attempts that name nobody are counted by address, under a key that no typed name can reach."""
    return _key("nobody", network_of(address)) if account is None else _key("account", account.casefold())


def _of_address(address: str) -> str:
    return _key("address", network_of(address))


def _key(kind: str, name: str) -> str:
    digest = hashlib.sha256(f"{kind}:{name}".encode()).hexdigest()
    return f"{int(digest[:4], 16) % SHARDS:02x}{digest[4:28]}"


def _decoded(data: bytes) -> Kept:
    """The counts of a file; none where a machine that lost power left it torn."""
    try:
        value = json.loads(data or b"{}")
        return {key: [int(count), int(last), int(until)] for key, (count, last, until) in value.items()}
    except (ValueError, TypeError, AttributeError):
        return {}
