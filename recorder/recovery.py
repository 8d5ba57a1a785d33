"""Start-up: finish what an earlier recorder left in the spool (design: durable procedures).

FFmpegs that outlived it are killed, torn segments are cut at their last whole fragment and kept, and every
camera's account continues from where it stood; from there on the gap is ``recorder_restart``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from archive.clock import Clock
from archive.durable import disk_errors
from archive.errors import ArchiveError, IntegrityError, Malformed, Unavailable
from archive.footage.ingest import SpooledLeaf, mark_journalled, read_ticket, ticket_paths
from archive.model.gap import GapCause, RunEnd
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.records.logbook import Logbook
from recorder.accounts import Accounts
from recorder.archiver import Log
from recorder.capture_session import CaptureSession
from recorder.facts import read_facts
from recorder.host_time import Host, exact
from recorder.spool import CaptureFolder, Spool


@dataclass(slots=True)
class Leftover:
    """A camera's sessions that the disk keeps from being finished, in order.

    ``since`` is when (µs) the recorder that recorded them last lived.
    """

    sessions: list[CaptureSession] = field(default_factory=list)
    since: int = 0


class Recovery:
    """One pass over the spool at start-up. Blocking; it runs before any other part works there."""

    def __init__(
        self,
        spool: Spool,
        accounts: Accounts,
        logbook: Logbook,
        clock: Clock,
        log: Log,
        host_time: Host = exact,
    ) -> None:
        self._spool = spool
        self._accounts = accounts
        self._logbook = logbook
        self._clock = clock
        self._log = log
        self._host_time = host_time
        self.spooled_leaves: list[SpooledLeaf] = []
        self.unfinished: dict[str, Leftover] = {}
        self.set_aside = 0

    def run(self) -> None:
        """Finish everything in the spool. :attr:`spooled_leaves` then has what the archive lacks.

        :attr:`unfinished` has, by camera, what the disk keeps from being finished, mostly as it is full: it
        goes on once the disk does, and meanwhile the archive takes what waits, which makes room.

        Raises:
            Unavailable: the disk cannot be read. Nothing was lost; a later start continues.
        """
        self._accounts.load()
        gaps = list(self._gaps())
        self.spooled_leaves += gaps
        self._account_for(self._logbook.leaves())
        self._account_for(spooled.leaf for spooled in gaps)
        for folder in self._spool.sessions():
            self._take_up(folder)

    def explain_absence(
        self, cameras: Iterable[str], disabled: Iterable[str], *, new: Iterable[str], now: int
    ) -> None:
        """Record why there is no footage since the last sign of life: no recorder was running.

        ``new`` cameras were registered after it: no recorder could have recorded them. Where footage is still
        unfinished its gap is recorded after it.
        """
        at = min(self._spool.last_alive() or now, now)
        off, fresh = set(disabled), set(new)
        for camera in cameras:
            if camera in self.unfinished:
                self.unfinished[camera].since = at
                continue
            if camera not in off:
                cause = GapCause.CONNECTING if camera in fresh else GapCause.RECORDER_RESTART
                try:
                    self._accounts.missing(camera, at, cause)
                except ArchiveError as error:
                    # The account is unchanged; it takes the cause as soon as the disk does.
                    self._log.warning("gap_waits", camera=camera, reason=error.message)

    def _take_up(self, folder: CaptureFolder) -> None:
        folder.acquire()
        try:
            facts = read_facts(folder)
        except Malformed as error:
            # Its first line was never synced, so no FFmpeg was started for it.
            if folder.raw_numbers():
                self._quarantine(folder, error)
            else:
                self._spool.remove(folder)
            return
        self._accounts.open(facts.camera, facts.place, since=facts.not_before)
        try:
            session = CaptureSession.resume(
                folder,
                spool=self._spool,
                accounts=self._accounts,
                clock=self._clock,
                host_time=self._host_time,
            )
            found = session.waiting()
        except (IntegrityError, Malformed) as error:
            self._quarantine(folder, error)
            return
        self._account_for(spooled.leaf for spooled in found)
        self.spooled_leaves += [spooled for spooled in found if not self._is_lost(spooled)]
        if session.is_closed:
            session.settle()
            return
        if (before := self.unfinished.get(facts.camera)) is not None:
            before.sessions.append(session)  # else a gap would be recorded over the footage before it
            return
        try:
            made = session.end(RunEnd.RECORDER_RESTART)
        except Malformed as error:
            # Its finished segments have tickets; the rest stays there for people, and no camera waits for it.
            self._log.error("session_unfinished", code=error.code, reason=error.message)
            self.spooled_leaves += session.fresh()
            folder.let_go()
            self.set_aside += 1
            return
        except Unavailable as error:
            self._log.error("session_waits", camera=facts.camera, code=error.code, reason=error.message)
            self.unfinished.setdefault(facts.camera, Leftover()).sessions.append(session)
            self._tell_quarantined(session)
            return
        self.spooled_leaves += made
        self._tell_quarantined(session)
        self._log.info("session_taken_up", camera=facts.camera, leaves=len(made))

    def _tell_quarantined(self, session: CaptureSession) -> None:
        for kept in session.quarantined:
            self._log.error("file_set_aside", camera=session.facts.camera, file=kept.name)
            self.set_aside += 1

    def _quarantine(self, folder: CaptureFolder, error: ArchiveError) -> None:
        self._log.error("session_damaged", code=error.code, reason=error.message)
        folder.let_go()
        self._spool.quarantine.keep(folder.path)
        self.set_aside += 1

    def _gaps(self) -> Iterator[SpooledLeaf]:
        """Tickets of gaps. One damaged ticket must not keep every camera from being recorded."""
        for path in ticket_paths(self._spool.root / "gaps"):
            try:
                yield read_ticket(path)
            except IntegrityError as error:
                self._log.error("ticket_set_aside", code=error.code, reason=error.message)
                self._spool.quarantine.keep(path)
                self.set_aside += 1

    def _is_lost(self, spooled: SpooledLeaf) -> bool:
        """A ticket whose segment is gone although the archive never had it: the disk lost the segment.

        False also where the disk does not take the record of that: the archiver makes it then.
        """
        segment = spooled.leaf
        if not isinstance(segment, Segment) or spooled.media is not None:
            return False
        try:
            give_up(spooled, self._spool, self._accounts)
        except Unavailable as error:
            # By the name of what is gone the archiver finds the same out, and records it once there is room.
            spooled.media = spooled.ticket.with_suffix(".mp4")
            self._spool.account_for(segment.size)  # until it is released
            self._log.warning("set_aside_waits", camera=segment.camera, code=error.code, reason=error.message)
            return False
        self._log.error("segment_lost", camera=segment.camera, ticket=str(spooled.ticket))
        return True

    def _account_for(self, leaves: Iterable[Leaf]) -> None:
        for leaf in leaves:
            self._accounts.open(leaf.camera, None, since=leaf.span.end)


def give_up(spooled: SpooledLeaf, spool: Spool, accounts: Accounts) -> None:
    """A segment whose bytes differ from its record: kept for people, and recorded as a gap."""
    _retire(spooled, spool, accounts, GapCause.UPLOAD_LOST)


def set_aside(spooled: SpooledLeaf, spool: Spool, accounts: Accounts) -> None:
    """An entry that the archive can never take because of its content: kept for people, recorded as a gap.

    A segment that is in the store stays there; any other stays in quarantine. For a refused run or gap the
    ticket stays in quarantine and no gap is made, which would be refused too.
    """
    _retire(spooled, spool, accounts, GapCause.SET_ASIDE)


def _retire(spooled: SpooledLeaf, spool: Spool, accounts: Accounts, cause: GapCause) -> None:
    """Record the gap first, so that a crash leaves no time unexplained; every step may be repeated.

    The session keeps the newest ticket for its timeline, so quarantine gets a copy.
    """
    with disk_errors(spooled.ticket.name):
        if isinstance(spooled.leaf, Segment):
            accounts.instead(spooled.leaf, cause)
        if spooled.ticket.exists():
            spool.quarantine.take_copy(spooled.ticket)
            if cause is GapCause.SET_ASIDE:
                # A later start must not think it lost. A lost segment has no line, so its mark comes last.
                mark_journalled(spooled)
        if spooled.media is not None and spooled.media.exists():
            if spooled.version:
                spooled.media.unlink(missing_ok=True)
            else:
                spool.quarantine.take_segment(spooled.media)
        mark_journalled(spooled)
        if spooled.on_release is not None:
            spooled.on_release(spooled)
        else:
            spooled.ticket.unlink(missing_ok=True)
