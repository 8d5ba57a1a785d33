"""Counting downloads, with the store as the judge.

A download is an object ``<n>/<k>/begun.json`` put if absent, so of any number of racing callers exactly as
many begin as the right allows. The bytes go in *parts*. Each part is recorded before its first byte, with the
requested range, and again when it ends, with the number of bytes that were really sent. A broken download
goes on by Range under the same id and is not counted twice. Once everything was sent, the download is over; a
client that wants the package again begins another one, which counts. A part whose end is missing counts as
wholly sent. No part begins once all parts together have sent twice the package's size, so one counted
download cannot be used without limit.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from archive import canonical, keys
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import AlreadyExists, IntegrityError, Malformed, NotFound, Refused
from archive.model.handover import Right
from archive.ports import Content, Lock, LockMode, ObjectStore
from archive.timespan import DAY, SpanSet, Timespan, format_instant, parse_instant

MAX_PARTS = 1000
_VERSION = 2
"""Of ``begun.json``; version 1 had no ``v`` and no ``session``."""
_ID = re.compile(r"(\d{1,4})-(\d{1,4})-([0-9a-f]{32})\Z", re.ASCII)
_PART = re.compile(r"(\d{1,4})/(\d{4})(-end)?\.json\Z", re.ASCII)
_BEGUN = re.compile(r"(\d{1,4})/begun\.json\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """One counted download: its handover, its number, when it began and from which address.

    ``session`` is the sign-in that began it, "" for a token; None in records of version 1, which did not say.
    """

    number: int
    count: int
    secret: str
    at: int
    address: str
    session: str | None = None

    @property
    def id(self) -> str:
        """The id in the address of the ZIP. It cannot be guessed."""
        return f"{self.number}-{self.count}-{self.secret}"


@dataclass(frozen=True, slots=True)
class Part:
    """One answer under a download: its range, and how many bytes were sent (None while unknown)."""

    offset: int
    length: int
    sent: int | None


class Fetchings:
    """The downloads of all handovers. Thread-safe as its store is; objects are locked for ``lock_days``."""

    def __init__(self, records: ObjectStore, clock: Clock, *, lock_days: int = 3650) -> None:
        self._records = records
        self._clock = clock
        self._lock_days = lock_days

    def begun(self, right: Right) -> list[Fetching]:
        """The downloads that were begun, in order."""
        prefix = keys.handover_prefix(right.evidence_id, right.number)
        names = [listed.key for listed in self._records.list(prefix)]
        return [
            self._read(right, int(match[1]))
            for name in names
            if (match := _BEGUN.match(name.removeprefix(prefix))) is not None
        ]

    def begin(self, right: Right, *, secret: str, address: str, session: str) -> Fetching:
        """Count one more download. Raises Refused ``downloads_used_up``, ``handover_expired``."""
        now = self._clock.now()
        check_time(right, now)
        for count in range(1, right.downloads + 1):
            made = Fetching(
                number=right.number, count=count, secret=secret, at=now, address=address, session=session
            )
            if self._put(right, f"{count}/begun.json", _begun_state(made)):
                return made
        raise Refused(
            f"all {right.downloads} downloads of {right.evidence_id} are used up",
            code="downloads_used_up",
            hint="Ask the War Room to hand the package over again.",
        )

    def find(self, right: Right, download: str) -> Fetching:
        """The download that an address names. Raises NotFound ``download_not_found``."""
        match = _ID.match(download)
        if match is not None and int(match[1]) == right.number and int(match[2]) <= right.downloads:
            try:
                found = self._read(right, int(match[2]))
            except NotFound:
                found = None
            if found is not None and found.secret == match[3]:
                return found
        raise NotFound(
            f"there is no such download of {right.evidence_id}",
            code="download_not_found",
            hint="Begin a download, and use the address in the answer.",
        )

    def open_part(self, right: Right, fetching: Fetching, offset: int, length: int, size: int) -> int:
        """Record a part before its first byte; returns the number that ends it.

        Raises:
            Refused: ``handover_expired``; ``download_complete``: everything was sent already;
                ``download_used_up``: broken off too often.
        """
        while True:
            now = self._clock.now()
            check_time(right, now)
            parts = self._parts(right, fetching)
            _check_room(parts, size, right)
            state: JsonObject = {"at": format_instant(now), "offset": offset, "length": length}
            number = len(parts) + 1
            if self._put(right, f"{fetching.count}/{number:04d}.json", state):
                return number

    def end_part(self, right: Right, fetching: Fetching, number: int, sent: int, ending: str) -> None:
        """Record how many bytes of a part were really sent; only the first record counts."""
        state: JsonObject = {"at": format_instant(self._clock.now()), "sent": sent, "ending": ending}
        self._put(right, f"{fetching.count}/{number:04d}-end.json", state)

    def parts(self, right: Right, fetching: Fetching) -> list[Part]:
        """The parts of a download."""
        return list(self._parts(right, fetching).values())

    def _parts(self, right: Right, fetching: Fetching) -> dict[int, Part]:
        prefix = keys.handover_prefix(right.evidence_id, right.number)
        parts: dict[int, Part] = {}
        for number, is_end, state in self._states(prefix, fetching.count):
            if is_end:
                began = parts[number]
                parts[number] = Part(began.offset, began.length, state["sent"])
            else:
                parts[number] = Part(state["offset"], state["length"], None)
        return parts

    def _states(self, prefix: str, count: int) -> Iterator[tuple[int, bool, JsonObject]]:
        """The states of a download's parts, each beginning before its end."""
        found = []
        for listed in self._records.list(f"{prefix}{count}/"):
            match = _PART.match(listed.key.removeprefix(prefix))
            if match is not None:
                found.append((int(match[2]), match[3] is not None, listed.key))
        for number, is_end, key in sorted(found):
            yield number, is_end, canonical.decode(self._records.get(key))

    def _read(self, right: Right, count: int) -> Fetching:
        key = f"{keys.handover_prefix(right.evidence_id, right.number)}{count}/begun.json"
        try:
            state = canonical.decode(self._records.get(key))
            return Fetching(
                number=right.number,
                count=count,
                secret=state["secret"],
                at=parse_instant(state["at"]),
                address=state["address"],
                session=str(state["session"]) if state.get("v", 1) >= _VERSION else None,
            )
        except (Malformed, KeyError, TypeError) as error:
            raise IntegrityError(f"{key} cannot be read: {error}", code="bad_download") from error

    def _put(self, right: Right, name: str, state: JsonObject) -> bool:
        key = keys.handover_prefix(right.evidence_id, right.number) + name
        lock = Lock(LockMode.GOVERNANCE, self._clock.now() + self._lock_days * DAY)
        try:
            return self._records.put(key, Content.of_bytes(canonical.encode(state)), lock=lock).created
        except AlreadyExists:
            return False


def check_time(right: Right, now: int) -> None:
    """Raises Refused ``handover_expired`` once the right has run out."""
    if now >= right.until:
        raise Refused(
            f"the right to fetch {right.evidence_id} ended at {format_instant(right.until)}",
            code="handover_expired",
            hint="Ask the War Room to hand the package over again.",
        )


def check_session(fetching: Fetching, session: str) -> None:
    """Raises Refused ``other_session`` if the download was begun in another session."""
    if fetching.session is not None and fetching.session != session:
        raise Refused(
            "this download was begun in another session",
            code="other_session",
            hint="Go on in the session that began it, or begin another download; each one counts.",
        )


def _check_room(parts: dict[int, Part], size: int, right: Right) -> None:
    sent = [(part.offset, part.length if part.sent is None else part.sent) for part in parts.values()]
    had = SpanSet(Timespan(part.offset, part.offset + part.sent) for part in parts.values() if part.sent)
    if not had.gaps_within(Timespan(0, size)):
        raise Refused(
            f"this download of {right.evidence_id} is complete",
            code="download_complete",
            hint="Begin another download; each one counts.",
        )
    if sum(length for _, length in sent) >= 2 * size or len(parts) >= MAX_PARTS:
        raise Refused(
            f"this download of {right.evidence_id} was broken off too often",
            code="download_used_up",
            hint="Begin another download; each one counts.",
        )


def _begun_state(fetching: Fetching) -> JsonObject:
    return {
        "v": _VERSION,
        "session": fetching.session,
        "at": format_instant(fetching.at),
        "count": fetching.count,
        "secret": fetching.secret,
        "address": fetching.address,
    }
