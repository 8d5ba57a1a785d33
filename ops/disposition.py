"""Disposition on an installation: the job, the commands, and the pressure of a full store."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import structlog

from archive.canonical import sha256_hex
from archive.errors import Conflict
from archive.lifecycle.disposition.decide import Decision, Progress
from archive.lifecycle.disposition.due import Rule
from archive.lifecycle.disposition.job import Disposer
from archive.lifecycle.disposition.orphans import OrphanSweep
from archive.lifecycle.disposition.pressure import Level, Pressure, Relief, permitted_hours, propose
from archive.lifecycle.disposition.record import Organization, Verdict, verify_record
from archive.lifecycle.holds.book import HoldBook
from archive.model.camera import OwnerKind
from archive.model.disposition import KIND, Cause, Disposition, from_state
from archive.model.hold import KIND as HOLD
from archive.records.ledger.heads import StrictHeads
from archive.timespan import Timespan, hour_of
from archive.trust import certificates
from ops import keys
from ops.authority import authority_of
from ops.settings import Settings
from ops.wiring import Site
from search.planning import hours_of
from search.query import HourCoverage, SegmentQuery

ACTOR = "job:dispose"


@dataclass
class Dispositions:
    """The dispositions of one site. Not shared between threads."""

    site: Site

    @cached_property
    def disposer(self) -> Disposer:
        """The disposer. Only it reads the log key. Raises NotFound ``keys_not_found``."""
        site, settings = self.site, self.site.settings
        return Disposer(
            stores=site.stores,
            index=site.index,
            ledger=site.ledger,
            signer=keys.load_log_signer(
                settings.keys_dir, clock=site.clock, passphrases=settings.passphrase_dir
            ),
            authority=authority_of(self.site),
            clock=site.clock,
            organization=Organization(organization=settings.organization, time_zone=settings.time_zone),
            floor_days=settings.retention_floor_days,
            lock_days=settings.records_lock_days,
        )

    # Retention ---------------------------------------------------------------------------------------

    def due(self, progress: Progress | None = None) -> Decision:
        """The footage that policies order destroyed by now, at most one list; changes nothing."""
        return self.disposer.judge_everything(progress)

    def apply(
        self,
        *,
        actor: str,
        reason: str = "",
        approve: Callable[[Decision], None] = lambda decision: None,
        lists: int | None = None,
        progress: Progress | None = None,
    ) -> list[Disposition]:
        """Finish open dispositions, then destroy all that is due, list by list.

        ``approve`` receives each decision before any part of it is recorded, and may raise. ``lists`` is the
        largest number of lists to make.
        """
        self.disposer.resume(progress)
        done: list[Disposition] = []
        while True:
            decision = self.due(progress)
            approve(decision)
            begun = self.disposer.begin(decision, actor=actor, reason=reason)
            if begun is None:
                return done
            done.append(self.disposer.carry_out(begun, progress))
            if not decision.full or len(done) == lists:
                return done

    def run(self) -> int:
        """One turn of the job: open dispositions, what is due, and permitted relief of a full store."""
        done = self.apply(actor=ACTOR)
        relieved = self.relieve(actor=ACTOR)
        return len(done) + (relieved is not None)

    # Records -----------------------------------------------------------------------------------------

    def find(self, disposition: str) -> Disposition:
        """One disposition; needs no key. Raises NotFound ``disposition_not_found``."""
        return from_state(disposition, self.site.ledger.head(KIND, disposition).state)

    def verify(self, found: Disposition) -> Verdict:
        """Check a record's signature, its list and the ledger, with this installation's trust root."""
        trust = keys.show(self.site.settings.keys_dir, tsa_url=self.site.settings.tsa_url).trust_root
        roots = certificates.load_pem_files([trust])
        return verify_record(self.site.stores.records, found, roots=roots, stamp_roots=roots)

    def sweep(self, progress: Progress | None = None) -> OrphanSweep:
        """The orphan sweep of the site."""
        site = self.site
        return OrphanSweep(
            site.stores, site.index, site.ledger, site.clock, progress or (lambda step, seen: None)
        )

    # Pressure ----------------------------------------------------------------------------------------

    def relief(self, pressure: Pressure) -> Relief:
        """What could be destroyed to return to the amber mark; changes nothing."""
        return propose(self._hours(), *self._by_pressure(), pressure.excess)

    def relieve(self, *, actor: str) -> Disposition | None:
        """Above the red mark, destroy footage past its minimum where policies permit it; else do nothing."""
        pressure = pressure_of(self.site)
        if pressure.level is not Level.RED:
            return None
        log = structlog.stdlib.get_logger("ops.disposition")
        log.warning("store is full", used=pressure.used, quota=pressure.quota, excess=pressure.excess)
        hours = permitted_hours(self._hours(), *self._by_pressure(), pressure.excess)
        judge = self.disposer.judge(Cause.PRESSURE)
        begun = self.disposer.begin(
            judge.hours(hours, enough=pressure.excess),
            actor=actor,
            reason=f"{pressure.used} of {pressure.quota} bytes are used",
        )
        return None if begun is None else self.disposer.carry_out(begun)

    def _by_pressure(self) -> tuple[Rule, HoldBook, Sequence[OwnerKind]]:
        cutoff = hour_of(self.site.clock.now())
        heads = StrictHeads(self.site.ledger, self.site.stores.records, HOLD).refresh()
        return (
            self.disposer.rule(Cause.PRESSURE, cutoff),
            HoldBook.of_entries(heads.values()),
            self.site.settings.pressure_owners,
        )

    def _hours(self) -> tuple[HourCoverage, ...]:
        return stored_hours(self.site)


def stored_hours(site: Site) -> tuple[HourCoverage, ...]:
    """Every hour for which the index holds footage."""
    status = site.index.status()
    if status.first is None or status.last is None:
        return ()
    return site.index.hours(SegmentQuery(span=Timespan(status.first, status.last + 1)))


def pressure_of(site: Site) -> Pressure:
    """How full the store is: by the quota if one is set, else by the disk of an archive in a folder."""
    settings: Settings = site.settings
    folder = site.archive_folder
    if settings.archive_quota_gib:
        used, quota = sum(one.bytes for one in stored_hours(site)), settings.archive_quota_gib << 30
    elif folder is not None and folder.exists():
        usage = shutil.disk_usage(folder)
        used, quota = usage.total - usage.free, usage.total
    else:
        used, quota = sum(one.bytes for one in stored_hours(site)), 0
    return Pressure(
        used=used,
        quota=quota,
        amber_percent=settings.archive_amber_percent,
        red_percent=settings.archive_red_percent,
    )


def require_plan(site: Site, plan: str, at: int) -> None:
    """Check that planning again for the instant ``at`` gives the same plan.

    Raises:
        Conflict: ``plan_changed``: a policy, a hold or the stored footage has changed since.
    """
    made = site.planner.plan(hours_of(site.index), at=at)
    if plan not in (made.digest, made.id):
        raise _changed(made.id)


def require_list(plan: str, decision: Decision) -> None:
    """Check that what is due has the SHA-256 the caller was shown. Raises Conflict ``plan_changed``."""
    digest = list_digest(decision)
    if plan != digest:
        raise _changed(digest)


def list_digest(decision: Decision) -> str:
    """The SHA-256 of the list that a decision would record."""
    return sha256_hex(decision.doomed.encode())


def _changed(now: str) -> Conflict:
    return Conflict(
        f"the plan has changed since it was shown; it is {now} now",
        code="plan_changed",
        hint="Look again, with saksi retention plan or saksi retention apply --dry-run.",
    )
