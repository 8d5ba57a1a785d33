"""Disposition: from what is due to a signed record of its destruction (design: durable procedures).

1. Decide which segments are due (:mod:`archive.lifecycle.disposition.decide`).
2. Put the list of keys, then the ledger entry ``started`` with the list's hash, its counts, and the policies
   that order it. The list alone orders nothing.
3. For each batch of at most 500, in one turn at :mod:`archive.lifecycle.gate`: read holds and policies again,
   leave out what one of them keeps now, and have the store delete the other versions. No hold's entry is
   written meanwhile. The store refuses what is locked or held, and nothing ever bypasses it.
4. Record in the index that this time was disposed of, then remove the segments from the index, and from the
   cache what was made of them.
5. After the last batch: put the keys that were kept, the record, its signature and its PDF, each if absent,
   then the closing ledger entry ``done``.
6. Put the time stamp over the signature and the entry ``stamped``. If the authority is away, a later run does
   it.

The leaf stays in the journal. Every step is idempotent: after a crash :meth:`Disposer.resume` begins an open
disposition at its first batch again and finds the earlier deletions done. If two processes carry out one
disposition, each deletes at most what is on the list, the first one's objects stay, and one closing entry is
written. If a hold's entry overtakes a batch all the same (the gate was out of reach), the next look at the
holds notices it, and an integrity incident names the keys for which the hold came too late.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from archive.canonical import sha256_hex
from archive.clock import Clock
from archive.errors import Conflict
from archive.footage.places import PlaceHistory
from archive.lifecycle.disposition import listing
from archive.lifecycle.disposition.closing import Closing
from archive.lifecycle.disposition.copies import forget_copies
from archive.lifecycle.disposition.decide import Decision, Judge, Progress, spared_keys
from archive.lifecycle.disposition.due import Rule
from archive.lifecycle.disposition.gaps import disposed_gaps
from archive.lifecycle.disposition.listing import Doomed, DoomedList, Kept, batches, disposition_id
from archive.lifecycle.disposition.record import Organization
from archive.lifecycle.gate import Gate
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention.book import PolicyBook
from archive.model.disposition import (
    KIND,
    Cause,
    Disposition,
    DispositionStatus,
    OrderingPolicy,
    from_state,
)
from archive.model.finding import Finding
from archive.model.hold import KIND as HOLD
from archive.model.retention import KIND as POLICY
from archive.model.retention import Scope
from archive.model.segment import SegmentRef
from archive.ports import (
    IndexEntry,
    SegmentIndex,
    Signer,
    Stores,
    TimestampAuthority,
)
from archive.records.integrity_incidents import KIND as INCIDENT
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import hour_of

POLICY_CHANGED = "policy_changed"
_ACTS = 8


class DisposableIndex(SegmentIndex, Protocol):
    """What disposition needs of an index beyond recording and retrieval."""

    def remove(self, segments: Iterable[SegmentRef]) -> None:
        """Forget segments; idempotent."""
        ...


@dataclass
class Disposer:
    """Carries dispositions out for one archive. Not shared between threads.

    ``floor_days`` is what every policy keeps at least; ``lock_days`` is how long records are locked. Without
    ``gate`` the disposer uses the archive's own.
    """

    stores: Stores
    index: DisposableIndex
    ledger: Ledger
    signer: Signer
    authority: TimestampAuthority
    clock: Clock
    organization: Organization
    floor_days: int
    lock_days: int = 3650
    gate: Gate | None = None
    _holds: StrictHeads = field(init=False)
    _policies: StrictHeads = field(init=False)
    _own: StrictHeads = field(init=False)
    _incidents: StrictHeads = field(init=False)
    _gate: Gate = field(init=False)

    def __post_init__(self) -> None:
        records = self.stores.records
        self._holds = StrictHeads(self.ledger, records, HOLD)
        self._policies = StrictHeads(self.ledger, records, POLICY)
        self._own = StrictHeads(self.ledger, records, KIND)
        self._incidents = StrictHeads(self.ledger, records, INCIDENT)
        self._gate = self.gate or Gate(self.stores.cache, self.clock)

    # Step 1 ------------------------------------------------------------------------------------------

    def rule(self, cause: Cause, cutoff: int, places: PlaceHistory | None = None) -> Rule:
        """What is due at ``cutoff`` by the policies of now. Raises Unavailable, IntegrityError, Malformed."""
        book = PolicyBook.of_entries(self._policies.refresh().values(), floor_days=self.floor_days)
        known = places or PlaceHistory.read(self.ledger, self.stores.records)
        return Rule(cause, book, known, max(cutoff, self.clock.now()), cutoff)

    def judge(self, cause: Cause, progress: Progress | None = None) -> Judge:
        """The judge, with the holds, policies and refusals of now; up to the last full hour."""
        cutoff = hour_of(self.clock.now())
        spared = spared_keys(self.stores.records, self.dispositions(), cutoff)
        return Judge(
            footage=self.stores.footage,
            index=self.index,
            rule=self.rule(cause, cutoff),
            holds=HoldBook.of_entries(self._holds.refresh().values()),
            spared=spared,
            incidents=self._incidents.refresh().keys(),
            progress=progress or (lambda step, seen: None),
        )

    def judge_everything(self, progress: Progress | None = None) -> Decision:
        """What the policies order to be destroyed by now, over the whole archive."""
        return self.judge(Cause.RETENTION, progress).everything()

    def dispositions(self) -> tuple[Disposition, ...]:
        """Every disposition with its newest ledger state, by id."""
        entries = self._own.refresh()
        return tuple(from_state(name, entries[name].state) for name in sorted(entries))

    # Step 2 ------------------------------------------------------------------------------------------

    def begin(self, decision: Decision, *, actor: str, reason: str = "") -> Disposition | None:
        """Record a decision; None if nothing is due. A decision already on record is returned.

        Each unsound key becomes an integrity incident.
        """
        for finding in decision.findings:
            self._closing.incident(finding)
        doomed = decision.doomed
        if not doomed.segments:
            return None
        data = doomed.encode()
        digest = sha256_hex(data)
        name = disposition_id(digest)
        self._closing.put(name, listing.LIST, data)
        found = Disposition(
            id=name,
            cause=doomed.cause,
            status=DispositionStatus.STARTED,
            started_at=self.clock.now(),
            started_by=actor,
            span=doomed.span,
            segments=len(doomed.segments),
            bytes=doomed.bytes,
            list_sha256=digest,
            policies=self._ordering(doomed),
        )
        try:
            self._closing.append(found, 0, actor, "disposition.started", reason)
        except Conflict:
            return self.find(name)
        return found

    def find(self, disposition: str) -> Disposition:
        """One disposition. Raises NotFound ``disposition_not_found``."""
        return from_state(disposition, self.ledger.head(KIND, disposition).state)

    def _ordering(self, doomed: DoomedList) -> tuple[OrderingPolicy, ...]:
        counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for one in doomed.segments:
            counts[one.policy][0] += 1
            counts[one.policy][1] += one.size
        entries = self._policies.refresh()
        book = PolicyBook.of_entries(entries.values(), floor_days=self.floor_days)
        now = self.clock.now()
        ordering: list[OrderingPolicy] = []
        for scope, (segments, size) in sorted(counts.items()):
            stream = Scope.parse(scope).id
            policy = next(policy for policy in book.policies if str(policy.scope) == scope)
            terms = policy.in_force(now) or policy.terms[-1]
            history = list(self.ledger.history(POLICY, stream))[-_ACTS:]
            ordering.append(
                OrderingPolicy(
                    scope=scope,
                    version=entries[stream].version,
                    keep_days_min=terms.keep_days_min,
                    keep_days_max=terms.keep_days_max,
                    basis=terms.basis,
                    segments=segments,
                    bytes=size,
                    acts=tuple((e.version, e.at, e.actor, e.action) for e in history),
                )
            )
        return tuple(ordering)

    # Steps 3 and 4 -----------------------------------------------------------------------------------

    def resume(self, progress: Progress | None = None) -> int:
        """Finish every open disposition, and stamp those that wait for a stamp; returns how many advanced.

        Raises:
            Unavailable: the store or the index is away; the next call goes on.
            IntegrityError: ``disposition_list``: a list is not the one that was ordered.
        """
        moved = 0
        for found in self.dispositions():
            if found.status is DispositionStatus.STARTED:
                if found.cause is Cause.BREAK_GLASS:
                    continue  # the execution of the order closes it (archive.lifecycle.breakglass)
                self.carry_out(found, progress)
                moved += 1
            elif found.status is DispositionStatus.DONE and self._closing.stamp(found).stamped_at is not None:
                moved += 1
        return moved

    def close_ordered(self, found: Disposition, doomed: DoomedList, *, reason: str) -> Disposition:
        """Steps 2, 5 and 6 for a break-glass order that has destroyed all of its list; idempotent."""
        try:
            self._closing.append(found, 0, found.started_by, "disposition.started", reason)
        except Conflict:
            found = self.find(found.id)
        return self._closing.stamp(
            found if found.outcome is not None else self._closing.close(found, doomed, ())
        )

    def carry_out(self, found: Disposition, progress: Progress | None = None) -> Disposition:
        """Steps 3 to 6 for an open disposition; a closed one is returned unchanged."""
        if found.outcome is not None:
            return found
        tell = progress or (lambda step, seen: None)
        doomed = listing.read_list(self.stores.records, found)
        places = PlaceHistory.read(self.ledger, self.stores.records)
        kept: list[Kept] = []
        last: tuple[Doomed, ...] = ()
        done = 0
        for batch in batches(doomed.segments):
            with self._gate.deleting() as turn:
                holds = self._look(found.id, last)
                rule = self.rule(found.cause, doomed.cutoff, places)
                staying, going = _sorted_out(batch, holds, rule)
                turn.check()
                last, refused = self._delete(going)
            staying = [one for one in staying if self._closing.is_there(one.key)]
            kept += staying + refused
            self._tell_index(found, batch, {one.key for one in staying + refused}, places)
            done += len(batch)
            tell("destroyed", done)
        self._look(found.id, last)
        return self._closing.stamp(self._closing.close(found, doomed, kept))

    def _delete(self, going: Sequence[Doomed]) -> tuple[tuple[Doomed, ...], list[Kept]]:
        """The segments that the store destroyed, and those that it kept, with the reason."""
        if not going:
            return (), []
        answers = self.stores.footage.delete_versions([one.item for one in going])
        gone = tuple(one for one, answer in zip(going, answers, strict=True) if not answer.kept)
        return gone, [
            Kept(answer.key, answer.outcome.value, answer.until) for answer in answers if answer.kept
        ]

    def _tell_index(
        self, found: Disposition, batch: Sequence[Doomed], kept: set[str], places: PlaceHistory
    ) -> None:
        gaps = disposed_gaps(found.id, found.started_at, batch, kept)
        if gaps:
            self.index.add(
                [IndexEntry(leaf=gap, place=places.place(gap.camera, gap.span.start)) for gap in gaps]
            )
        gone = [one for one in batch if one.key not in kept]
        self.index.remove([one.ref for one in gone])
        forget_copies(self.stores.cache, gone)

    def _look(self, disposition: str, destroyed: Sequence[Doomed]) -> HoldBook:
        """The holds of now. A hold that is new since the last look came too late for ``destroyed``."""
        before = {name: entry.version for name, entry in self._holds.known.items()}
        entries = self._holds.refresh()
        fresh = HoldBook.of_entries(e for name, e in entries.items() if before.get(name, 0) != e.version)
        for one in destroyed:
            for hold in fresh.covering(one.camera, one.span):
                if before.get(hold.id, 0) == 0:
                    self._closing.incident(
                        Finding(
                            "destroyed_as_held",
                            one.key,
                            f"hold {hold.id} was placed while disposition {disposition} destroyed it",
                        )
                    )
        return HoldBook.of_entries(entries.values())

    @property
    def _closing(self) -> Closing:
        return Closing(
            footage=self.stores.footage,
            records=self.stores.records,
            index=self.index,
            ledger=self.ledger,
            signer=self.signer,
            authority=self.authority,
            clock=self.clock,
            organization=self.organization,
            lock_days=self.lock_days,
        )


def _sorted_out(batch: Sequence[Doomed], holds: HoldBook, rule: Rule) -> tuple[list[Kept], list[Doomed]]:
    """Those that a hold or a changed policy keeps now, and the rest."""
    staying: list[Kept] = []
    going: list[Doomed] = []
    for one in batch:
        if holds.covering(one.camera, one.span):
            staying.append(Kept(one.key, "under_hold"))
        elif rule.ordering(one.camera, one.span.start) is None:
            staying.append(Kept(one.key, POLICY_CHANGED))
        else:
            going.append(one)
    return staying, going
