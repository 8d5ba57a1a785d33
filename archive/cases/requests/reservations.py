"""Camera-hours that an account is about to keep: they make its limit hold for simultaneous filings.

The limit counts filed requests, and two processes that file at once do not see each other's request yet. So
each filing is announced first, in a row of its account in the cache bucket:

1. the row is listed, then the book read again: filed requests, and those announced and not filed yet;
2. the limit is checked over both together;
3. the announcement is put as the next of the row, if that place is free. If another filing took it, the
   procedure repeats from 1;
4. the row is listed again. If it holds a later announcement, the procedure repeats from 1, and this
   announcement stays meanwhile.

A filing that finds the place free and is the last then has read every announcement before it, so of any
number of filings as many pass as fit. The next filing removes earlier announcements that the book contains by
now, so that a row stays short however many are filed. A process that listed them still finds the request,
since the book is read after the row. A removed place is free again for a process that was held up since it
listed. But the last of a row stays, as the next is counted from it, and so step 4 shows that the process came
too late. An announcement that came to nothing counts for :data:`LASTS`; after that nothing can come of it. A
filing gives up long before.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from archive import canonical
from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, NotFound, Unavailable
from archive.ports import Content, ObjectStore, ObjectVersion, Stored
from archive.timespan import MINUTE, format_instant, parse_instant

LASTS = 10 * MINUTE
"""How long an announcement counts; a filing is done, or gave up, within half of it."""
PREFIX = "requests/filing/"
_MOST_TRIES = 200
_PAUSE_S = 0.05


@dataclass(frozen=True, slots=True)
class Announced:
    """One announcement: the request, and what it will keep in all (camera-µs)."""

    request_id: str
    held_us: int


class Reservations:
    """The announcements of one archive. Thread-safe; any number of processes may use it."""

    def __init__(
        self, cache: ObjectStore, clock: Clock, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._cache = cache
        self._clock = clock
        self._pause = pause

    def announce(
        self, account: str, wanted: Announced, judge: Callable[[dict[str, int]], Mapping[str, int]]
    ) -> None:
        """Announce a filing of an account, if ``judge`` accepts it beside what others announced.

        ``judge`` gets camera-µs by request id, without the request's own, and raises to refuse. It reads the
        filed requests again each time it is called, and returns them, in the same form.

        Raises:
            Unavailable: ``filing_busy``: too many filings for this account at once; or as the store.
            All errors of ``judge``.
        """
        row = f"{PREFIX}{sha256_hex(account.encode())[:32]}/"
        overtaken: list[Stored] = []
        try:
            for _ in range(_MOST_TRIES):
                listed = list(self._cache.list(row))
                standing = self._standing(listed)
                others = {
                    one.request_id: one.held_us
                    for one in standing.values()
                    if one.request_id != wanted.request_id
                }
                filed = judge(others)
                last = int(listed[-1].key.removeprefix(row)) if listed else 0
                mine = self._put(f"{row}{last + 1:010d}", wanted)
                if mine is not None:
                    if not list(self._cache.list(row, start_after=mine.key)):
                        self._sweep(listed[:-1], standing, filed)
                        return
                    overtaken.append(mine)
                self._pause(_PAUSE_S * random.random())  # noqa: S311 - spreads tries, guards nothing
        finally:
            # A later announcement of this filing replaces these; without one, nothing is filed.
            for one in overtaken:
                with suppress(Unavailable):  # then it counts until it expires
                    self._cache.delete_version(one.key, version=one.version)
        raise Unavailable(
            "too many requests of this agency are being filed at once",
            code="filing_busy",
            hint="Nothing was filed. File again in a minute; over HTTP with a new Idempotency-Key.",
        )

    def _put(self, key: str, wanted: Announced) -> Stored | None:
        """The stored announcement; None if the place is taken."""
        body = canonical.encode(
            {
                "at": format_instant(self._clock.now()),
                "held_us": wanted.held_us,
                "request": wanted.request_id,
                "try": random.getrandbits(52),
            }
        )
        try:
            stored = self._cache.put(key, Content.of_bytes(body))
        except AlreadyExists:
            return None
        # ``created`` may be False: an earlier attempt arrived and its answer was lost. Only this call
        # writes these bytes.
        return stored

    def _standing(self, listed: Sequence[ObjectVersion]) -> dict[str, Announced]:
        """Announcements that still count, by key, oldest first."""
        standing = {}
        for version in listed:
            if self._is_over(version):
                continue
            try:
                state = canonical.decode(self._cache.get(version.key, version=version.version))
                at, found = parse_instant(state["at"]), Announced(state["request"], state["held_us"])
            except NotFound:
                continue  # swept up this moment, since it no longer counted
            except (Malformed, KeyError, TypeError) as error:
                raise Unavailable(
                    "an announcement of a filing cannot be read",
                    code="filing_busy",
                    hint="It expires in ten minutes. Then file again; over HTTP with a new Idempotency-Key.",
                ) from error
            if self._clock.now() <= at + LASTS:
                standing[version.key] = found
        return standing

    def _is_over(self, version: ObjectVersion) -> bool:
        """Whether the store received it so long ago that it no longer counts; the margin is for clocks."""
        return self._clock.now() > version.stored_at + 2 * LASTS

    def _sweep(
        self, listed: Sequence[ObjectVersion], standing: Mapping[str, Announced], filed: Mapping[str, int]
    ) -> None:
        """Remove expired announcements, and those that the book contains with at least the same size."""
        for version in listed:
            known = standing.get(version.key)
            is_filed = known is not None and filed.get(known.request_id, -1) >= known.held_us
            if is_filed or self._is_over(version):
                self._cache.delete_version(version.key, version=version.version)
