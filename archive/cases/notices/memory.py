"""What one channel has delivered already, as a small object in the cache bucket.

``notices/<channel>/<turn>.json``: each state is put if absent under the next number, and earlier states are
removed, so that of two workers one goes on and the other reads again. Delivery ids are hashes: the archive
stores no address. If the memory is lost, the events of the last day are delivered again: better twice than
never.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import AlreadyExists, IntegrityError, Malformed, NotFound
from archive.ids import check_name
from archive.ports import Content, ObjectStore
from archive.timespan import DAY, MINUTE, SECOND, format_instant, parse_instant

PREFIX = "notices/"
FIRST_PAUSE = 5 * SECOND
LONGEST_PAUSE = 10 * MINUTE
GIVE_UP = DAY
"""How long a failing delivery is tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A failing delivery, or a failing channel: since when, how often, and when it is tried next (µs)."""

    since: int
    tries: int
    next_at: int
    code: str

    def again(self, now: int, code: str) -> Self:
        """The state after one more failure; pauses double up to ten minutes."""
        pause = min(FIRST_PAUSE << min(self.tries, 20), LONGEST_PAUSE)
        return replace(self, tries=self.tries + 1, next_at=now + pause, code=code)

    @classmethod
    def first(cls, now: int, code: str) -> Self:
        """The state after the first failure."""
        return cls(since=now, tries=1, next_at=now + FIRST_PAUSE, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One channel's state. Events before ``since`` are not delivered.

    ``done`` holds deliveries that arrived or were given up, with the time of their event; ``failing`` those
    that are tried again; ``trouble`` is set while the channel as a whole does not answer.
    """

    since: int
    done: Mapping[str, int] = field(default_factory=dict)
    failing: Mapping[str, Trouble] = field(default_factory=dict)
    trouble: Trouble | None = None
    sent: int = 0
    given_up: int = 0
    last_at: int | None = None

    def to_json(self) -> JsonObject:
        """The stored form."""
        return {
            "v": 1,
            "since": format_instant(self.since),
            "done": {name: format_instant(at) for name, at in self.done.items()},
            "failing": {name: _trouble_json(one) for name, one in self.failing.items()},
            "trouble": None if self.trouble is None else _trouble_json(self.trouble),
            "sent": self.sent,
            "given_up": self.given_up,
            "last_at": None if self.last_at is None else format_instant(self.last_at),
        }


class Memory:
    """The state of one channel in the store. Not shared between threads."""

    def __init__(self, cache: ObjectStore, channel: str) -> None:
        self._cache = cache
        self._prefix = f"{PREFIX}{check_name('channel', channel)}/"
        self._turn = 0

    def load(self, now: int) -> Delivered:
        """The newest state; if none can be read, the events of the last day are still to be delivered.

        Raises:
            Unavailable: the store does not answer.
        """
        newest = ""
        for listed in self._cache.list(self._prefix):
            newest = listed.key
        if not newest:
            return Delivered(since=now - DAY)
        self._turn = int(newest.removeprefix(self._prefix).removesuffix(".json"))
        try:
            return _read(canonical.decode(self._cache.get(newest)))
        except (NotFound, IntegrityError, Malformed, KeyError, TypeError, ValueError, AttributeError):
            return Delivered(since=now - DAY)  # a cache may lose or corrupt its objects

    def keep(self, told: Delivered) -> None:
        """Put the state, durable when this returns; then remove the earlier ones.

        Raises:
            AlreadyExists: another worker was first; load again.
            Unavailable: the store does not answer.
        """
        older = list(self._cache.list(self._prefix))
        name = f"{self._prefix}{self._turn + 1:020d}.json"
        if any(one.key >= name for one in older):  # the store would accept a removed name again
            raise AlreadyExists(f"{name} was written by another worker", code="notices_told_elsewhere")
        self._cache.put(name, Content.of_bytes(canonical.encode(told.to_json())))
        self._turn += 1
        for one in older:
            if one.key < name:
                self._cache.delete_version(one.key, version=one.version)


def _read(value: Mapping[str, Any]) -> Delivered:
    trouble, last_at = value["trouble"], value["last_at"]
    return Delivered(
        since=parse_instant(value["since"]),
        done={name: parse_instant(at) for name, at in value["done"].items()},
        failing={name: _trouble(one) for name, one in value["failing"].items()},
        trouble=None if trouble is None else _trouble(trouble),
        sent=int(value["sent"]),
        given_up=int(value["given_up"]),
        last_at=None if last_at is None else parse_instant(last_at),
    )


def _trouble(value: Mapping[str, Any]) -> Trouble:
    return Trouble(
        since=parse_instant(value["since"]),
        tries=int(value["tries"]),
        next_at=parse_instant(value["next_at"]),
        code=str(value["code"]),
    )


def _trouble_json(trouble: Trouble) -> JsonObject:
    return {
        "since": format_instant(trouble.since),
        "tries": trouble.tries,
        "next_at": format_instant(trouble.next_at),
        "code": trouble.code,
    }
