"""Delivers notices to the targets of one channel, each at least once.

For each delivery (a notice to one target) that is due and not done

1. the channel gets it, and returns when the other side has accepted it;
2. the channel's memory, with this delivery done, is put in the store.

A crash between 1 and 2 sends that one delivery again, with the same id. A channel that does not answer is
left alone for a growing pause; so is a delivery that the other side refuses. A delivery that failed for a day
is given up, and an integrity incident records that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time
from typing import Protocol
from zoneinfo import ZoneInfo

from archive.canonical import sha256_hex
from archive.cases.notices.memory import GIVE_UP, Delivered, Memory, Trouble
from archive.cases.notices.notice import Event, Notice
from archive.cases.notices.watching import HORIZON
from archive.clock import Clock
from archive.errors import AlreadyExists, Refused, Unavailable
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.streams import Ledger
from archive.timespan import as_datetime

FINDER = "job:notices"


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``start`` to ``end`` in local time of ``zone``, across midnight too."""

    start: time
    end: time
    zone: ZoneInfo

    def cover(self, instant: int) -> bool:
        """Whether it is quiet then."""
        local = as_datetime(instant).astimezone(self.zone).time()
        if self.start <= self.end:
            return self.start <= local < self.end
        return local >= self.start or local < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A mail address or a URL. With ``agency`` "" it gets all notices, else only those of its agency."""

    name: str
    address: str
    events: frozenset[Event]
    agency: str = ""
    quiet: QuietHours | None = None

    def wants(self, notice: Notice) -> bool:
        """Whether this notice is for this target."""
        return notice.event in self.events and self.agency in ("", notice.agency)

    def hears(self, notice: Notice, now: int) -> bool:
        """Whether the notice may be delivered now; urgent ones may at any hour."""
        return notice.urgent or self.quiet is None or not self.quiet.cover(now)

    def delivery(self, notice: Notice) -> str:
        """The id of the notice's delivery to this target."""
        return f"{notice.id}.{sha256_hex(self.address.encode())[:16]}"


class Channel(Protocol):
    """One way to reach people."""

    @property
    def name(self) -> str:
        """The name of its memory and in its incidents."""
        ...

    @property
    def targets(self) -> Sequence[Target]:
        """Its receivers."""
        ...

    def deliver(self, notice: Notice, target: Target) -> None:
        """Deliver a notice; return when the other side has accepted it.

        Raises:
            Unavailable: the channel does not answer; it reaches nobody at the moment.
            Refused: the other side refuses this delivery; it may accept others.
        """
        ...


class Courier:
    """One channel with its memory. Not shared between threads."""

    def __init__(self, channel: Channel, memory: Memory, ledger: Ledger, clock: Clock) -> None:
        self.channel = channel
        self._memory = memory
        self._ledger = ledger
        self._clock = clock

    def run(self, notices: Sequence[Notice]) -> int:
        """Deliver what is due now; returns how many deliveries were accepted.

        Raises:
            Unavailable: the archive does not answer. Errors of the channel are kept, not raised.
        """
        now = self._clock.now()
        told = self._memory.load(now)
        pending = list(self._pending(told, notices, now))
        if told.trouble is not None and now < told.trouble.next_at:
            # New urgent notices are tried although the channel failed a moment ago.
            pending = [one for one in pending if one[1].urgent and one[0] not in told.failing]
        sent = 0
        try:
            for number, (delivery, notice, target) in enumerate(pending):
                try:
                    self.channel.deliver(notice, target)
                except Refused as error:
                    told = self._keep(self._failed(told, delivery, notice, error.code))
                except Unavailable as error:
                    for same, waiting, _ in pending[number:]:
                        told = self._failed(told, same, waiting, error.code)
                    self._keep(replace(told, trouble=_worse(told.trouble, self._clock.now(), error.code)))
                    return sent
                else:
                    told = self._keep(self._arrived(told, delivery, notice))
                    sent += 1
        except AlreadyExists:
            pass  # another worker delivers the rest; the next turn reads again what it did not deliver
        return sent

    def waiting(self, notices: Sequence[Notice]) -> tuple[Delivered, int]:
        """The channel's state, and how many deliveries are not done; changes nothing."""
        told = self._memory.load(self._clock.now())
        count = sum(
            target.wants(notice) and notice.at >= told.since and target.delivery(notice) not in told.done
            for notice in notices
            for target in self.channel.targets
        )
        return told, count

    def _pending(
        self, told: Delivered, notices: Sequence[Notice], now: int
    ) -> Iterator[tuple[str, Notice, Target]]:
        for notice in sorted(notices, key=lambda one: (not one.urgent, one.at)):
            if notice.at < told.since:
                continue
            for target in self.channel.targets:
                delivery = target.delivery(notice)
                trouble = told.failing.get(delivery)
                if (
                    target.wants(notice)
                    and delivery not in told.done
                    and target.hears(notice, now)
                    and (trouble is None or now >= trouble.next_at)
                ):
                    yield delivery, notice, target

    def _arrived(self, told: Delivered, delivery: str, notice: Notice) -> Delivered:
        return replace(
            told,
            done={**told.done, delivery: notice.at},
            failing={name: one for name, one in told.failing.items() if name != delivery},
            trouble=None,
            sent=told.sent + 1,
            last_at=self._clock.now(),
        )

    def _failed(self, told: Delivered, delivery: str, notice: Notice, code: str) -> Delivered:
        trouble = _worse(told.failing.get(delivery), self._clock.now(), code)
        if self._clock.now() - trouble.since < GIVE_UP:
            return replace(told, failing={**told.failing, delivery: trouble})
        open_integrity_incident(
            self._ledger,
            code="notice_undelivered",
            subject=self.channel.name,
            message=f"notices by {self.channel.name} could not be delivered for a day ({code})",
            found_by=FINDER,
            details={"notice": notice.id, "event": notice.event.value, "code": code},
        )
        return replace(
            told,
            done={**told.done, delivery: notice.at},
            failing={name: one for name, one in told.failing.items() if name != delivery},
            given_up=told.given_up + 1,
        )

    def _keep(self, told: Delivered) -> Delivered:
        oldest = self._clock.now() - HORIZON
        told = replace(
            told,
            since=max(told.since, oldest),
            done={name: at for name, at in told.done.items() if at >= oldest},
        )
        self._memory.keep(told)
        return told


def _worse(trouble: Trouble | None, now: int, code: str) -> Trouble:
    return Trouble.first(now, code) if trouble is None else trouble.again(now, code)
