"""The notices of one site: the job, the test, and the state of the channels."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

from archive.cases.notices.job import Channel, Courier, QuietHours, Target
from archive.cases.notices.memory import Delivered, Memory
from archive.cases.notices.notice import Event, Notice
from archive.cases.notices.running_out import WARNED
from archive.cases.notices.watching import Watch
from archive.errors import ArchiveError, NotFound
from archive.records.indexed.marks import turn_at
from ops.disposition import pressure_of
from ops.exports import board_of
from ops.notices.mail import MailChannel
from ops.notices.recipients import clock_times
from ops.notices.webhooks import WebhookChannel
from ops.wiring import Site
from search.health import camera_health

PATIENCE_S = 3.0
"""How long a turn waits for its channels; a slower channel continues during the next turns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelState:
    """One channel, what it has delivered, and how many deliveries wait."""

    channel: Channel
    told: Delivered
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The result of one test delivery; ``error`` is None if it was accepted."""

    channel: str
    target: str
    error: ArchiveError | None


@dataclass
class Notices:
    """The notices of a site. Not shared between threads; each channel has its own thread."""

    site: Site
    _busy: dict[str, "Future[int]"] = field(default_factory=dict)

    def run(self) -> int:
        """One turn: find the notices to send, and send them on every channel. Returns the number accepted.

        The turn skips a channel that is still busy with an earlier turn, so that a hanging channel delays no
        other.

        Raises:
            Unavailable: the archive does not answer. NotFound, Malformed: a channel lacks its secret.
        """
        if not self.couriers:
            return 0
        notices = self.watch.notices()
        sent = self._deliver(notices)
        self.watch.measure()  # last: an index that does not answer must not stop the other notices
        known = {one.id for one in notices}
        fresh = tuple(one for one in self.watch.measured if one.id not in known)
        return sent + (self._deliver((*notices, *fresh)) if fresh else 0)

    def _deliver(self, notices: Sequence[Notice]) -> int:
        """Let every channel that is not busy deliver; returns how many it accepted in :data:`PATIENCE_S`."""
        for courier in self.couriers:
            name = courier.channel.name
            if name not in self._busy:
                self._busy[name] = self._pool.submit(courier.run, notices)
        done, _ = wait(self._busy.values(), PATIENCE_S)
        ended = [name for name, one in self._busy.items() if one in done]
        results = [self._busy.pop(name) for name in ended]
        trouble = [error for error in (one.exception() for one in results) if error is not None]
        if trouble:
            raise trouble[0]
        return sum(one.result() for one in results)

    def test(self) -> list[Trial]:
        """Send a test notice to every target, and return the results."""
        now = self.site.clock.now()
        notice = Notice(event=Event.TEST, subject="test", mark=str(now), at=now, urgent=True)
        return [
            Trial(channel=channel.name, target=target.name, error=_tried(channel, notice, target))
            for channel in self.channels
            for target in channel.targets
        ]

    def states(self) -> Iterator[ChannelState]:
        """Every channel, with what it delivered and what waits; changes nothing. Raises Unavailable."""
        notices = self.watch.notices()
        for courier in self.couriers:
            told, waiting = courier.waiting(notices)
            yield ChannelState(channel=courier.channel, told=told, waiting=waiting)

    @cached_property
    def watch(self) -> Watch:
        """The watch, which finds the notices to send."""
        exports = board_of(self.site)
        return Watch(
            self.site.ledger,
            self.site.stores.records,
            self.site.clock,
            pressure=lambda: pressure_of(self.site).level,
            beats=lambda: self.site.index.heartbeats(),
            cameras=lambda: camera_health(self.site.index, self.site.clock.now()),
            turn=lambda: turn_at(self.site.bare_index),
            rules=lambda: self.site.policies.due_dates(within=WARNED),
            exports=exports.everybodys,
        )

    @cached_property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that the settings name."""
        site, table = self.site, self.site.settings.notices
        zone, address = ZoneInfo(site.settings.time_zone), self._address()
        found: list[Channel] = []
        if table.smtp is not None and table.mail:
            targets = tuple(
                Target(
                    name=one.to,
                    address=one.to,
                    events=one.wanted | {Event.TEST},
                    agency=one.agency,
                    quiet=self._quiet(one.quiet_hours, zone),
                )
                for one in table.mail
            )
            found.append(
                MailChannel(
                    server=table.smtp,
                    targets=targets,
                    keys_dir=site.settings.keys_dir,
                    zone=zone,
                    address=address,
                )
            )
        for hook in table.webhooks:
            target = Target(
                name=hook.name,
                address=hook.url,
                events=hook.events | {Event.TEST},
                quiet=self._quiet(hook.quiet_hours, zone),
            )
            found.append(
                WebhookChannel(
                    hook=hook,
                    target=target,
                    keys_dir=site.settings.keys_dir,
                    clock=site.clock,
                    zone=zone,
                    address=address,
                )
            )
        return tuple(found)

    @cached_property
    def couriers(self) -> tuple[Courier, ...]:
        """One courier for each channel."""
        site = self.site
        return tuple(
            Courier(one, Memory(site.stores.cache, one.name), site.ledger, site.clock)
            for one in self.channels
        )

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        pool = ThreadPoolExecutor(max_workers=len(self.couriers), thread_name_prefix="notices")
        self.site.closing(pool.shutdown)
        return pool

    def _address(self) -> str:
        settings = self.site.settings
        return (settings.public_url or f"http://{settings.host}:{settings.port}").rstrip("/")

    def _quiet(self, own: str | None, zone: ZoneInfo) -> QuietHours | None:
        times = clock_times(self.site.settings.notices.quiet_hours if own is None else own)
        return None if times is None else QuietHours(start=times[0], end=times[1], zone=zone)


def running(site: Site) -> Callable[[], int]:
    """One turn of the job, for one thread."""
    return Notices(site).run


def require_channels(notices: Notices) -> None:
    """Check that the settings name a recipient. Raises NotFound ``no_notice_channel``."""
    if not notices.channels:
        raise NotFound(
            "no recipients of notices are set",
            code="no_notice_channel",
            hint="Name recipients in the table notices of saksi.toml; see docs/guide/notices.md.",
        )


def _tried(channel: Channel, notice: Notice, target: Target) -> ArchiveError | None:
    try:
        channel.deliver(notice, target)
    except ArchiveError as error:
        return error
    return None
