"""The retention policies: one ledger stream of kind ``policy`` for each scope.

A change that lets no footage go sooner takes effect at once, or from the instant it names. A change that
*shortens* is only proposed. A second person approves it, and it begins after a waiting time at the earliest,
so that a person whom it surprises can still stop it. No person alone can make a segment unlocked or
destroyable earlier than before (:func:`archive.lifecycle.retention.changes.shortens`).
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Refused
from archive.footage.places import KIND as CAMERA
from archive.footage.places import PlaceHistory
from archive.lifecycle.retention import changes
from archive.lifecycle.retention.book import PolicyBook, Ruling, scopes_of
from archive.model import camera as cameras
from archive.model.camera import Place
from archive.model.retention import KIND, Policy, Proposal, Scope, ScopeKind, Terms, from_state, to_state
from archive.ports import ObjectStore
from archive.records.indexed.newest import Said
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Entry, Ledger, changed
from archive.records.relations import Separation
from archive.separation import Decision
from archive.timespan import HOUR

MAX_TEXT = 500


class DocumentIndex(Protocol):
    """Where readers find the newest state of a stream."""

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state; an older version than the one kept changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRecord:
    """A policy with its newest entry; an approval may be bound to ``version``."""

    policy: Policy
    version: int
    changed_at: int
    changed_by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why footage that a camera records at ``at`` is kept as long as it is.

    ``scopes`` are all scopes that admit it, most specific first, each with its terms in force, if any. The
    first with terms is ``ruling.scope``.
    """

    camera: str
    place: Place | None
    at: int
    ruling: Ruling
    scopes: tuple[tuple[Scope, Terms | None], ...]


class Policies:
    """Proposes, approves, rejects, withdraws and reads policies. Thread-safe.

    Each change is one ledger entry and one index document. The document is a view: if writing it fails, the
    entry stands, and the next sync or rebuild writes the document. If two people change one policy at once,
    one gets Conflict ``ledger_conflict``. ``expected`` of a change is the version that its author has read
    (0: there was no policy), None the newest.

    Footage is kept for ``floor_days`` at least, whatever policies say. ``wait_hours`` must pass between the
    approval of a shortening and its beginning.
    """

    def __init__(
        self,
        ledger: Ledger,
        records: ObjectStore,
        index: DocumentIndex,
        clock: Clock,
        *,
        floor_days: int,
        wait_hours: int,
    ) -> None:
        self._ledger = ledger
        self._index = index
        self._clock = clock
        self._floor_days = floor_days
        self._wait = wait_hours * HOUR
        self._heads = StrictHeads(ledger, records, KIND)
        self._separation = Separation(ledger, clock)
        self._guard = threading.Lock()

    # Reading -----------------------------------------------------------------------------------------

    def heads(self) -> Mapping[str, Entry]:
        """The newest entry of every policy in the ledger now, by scope id. Raises as the ledger."""
        with self._guard:
            return dict(self._heads.refresh())

    def book(self) -> PolicyBook:
        """What every policy rules, including decided terms that have not begun. Raises as the ledger."""
        return PolicyBook.of_entries(self.heads().values(), floor_days=self._floor_days)

    def record(self, scope: Scope) -> PolicyRecord:
        """One policy. Raises NotFound ``policy_not_found``."""
        return _record(self._head(scope, None))

    def history(self, scope: Scope) -> Iterator[Entry]:
        """Every entry of one policy, oldest first."""
        return self._ledger.history(KIND, scope.id)

    def explain(self, camera: str, at: int | None = None) -> Explanation:
        """Which scope wins for footage the camera records at ``at`` (default: now), and which others apply.

        Raises:
            NotFound: ``camera_not_found``.
        """
        instant = self._clock.now() if at is None else at
        history = self._places(camera)
        place = PlaceHistory({camera: history}).place(camera, instant)
        book = self.book()
        by_scope = {policy.scope: policy for policy in book.policies}
        scopes = scopes_of(camera, place)
        return Explanation(
            camera=camera,
            place=place,
            at=instant,
            ruling=book.ruling_for(scopes, instant),
            scopes=tuple(
                (scope, by_scope[scope].in_force(instant) if scope in by_scope else None) for scope in scopes
            ),
        )

    def due_at(self, camera: str, start: int, *, within: int) -> int | None:
        """When footage of ``start`` must be gone, by the policies of now or until ``within`` from now.

        The sooner counts: a shortening that is decided and has not begun may destroy it before then. None if
        no policy destroys it.

        Raises:
            NotFound: ``camera_not_found``.
        """
        return self.due_dates(within=within)(camera, start)

    def due_dates(self, *, within: int) -> Callable[[str, int], int | None]:
        """:meth:`due_at` for many questions at one time: policies and a camera's places are read once."""
        book, now = self.book(), self._clock.now()
        places: dict[str, PlaceHistory] = {}

        def due_at(camera: str, start: int) -> int | None:
            if camera not in places:
                places[camera] = PlaceHistory({camera: self._places(camera)})
            scopes = scopes_of(camera, places[camera].place(camera, start))
            begins = {
                terms.effective_from
                for policy in book.policies
                if policy.scope in scopes
                for terms in policy.terms
                if now < terms.effective_from <= now + within
            }
            found = (book.ruling_for(scopes, at).due_at(start) for at in (now, *begins))
            return min((due for due in found if due is not None), default=None)

        return due_at

    @property
    def floor_days(self) -> int:
        """How long everything is kept, whatever policies say."""
        return self._floor_days

    @property
    def wait_hours(self) -> int:
        """How long after its approval a shortening begins at the earliest."""
        return self._wait // HOUR

    def shortens(self, scope: Scope, terms: Terms) -> bool:
        """Whether :meth:`propose` would wait for a second person. Raises NotFound ``camera_not_found``."""
        now, entries = self._clock.now(), self.heads()
        head = entries.get(scope.id)
        policy = Policy(scope=scope, terms=()) if head is None else from_state(head.state)
        adopted = changes.adopted(policy, replace(terms, effective_from=max(terms.effective_from, now)))
        return self._shortens(entries, adopted, now)

    # Changing ----------------------------------------------------------------------------------------

    def propose(
        self, scope: Scope, terms: Terms, *, actor: str, reason: str, expected: int | None = None
    ) -> PolicyRecord:
        """Propose terms; they begin at ``effective_from``, or now if that is past.

        Terms that let nothing go sooner take effect by this alone. Otherwise the record carries them as its
        ``proposal``, for a second person.

        Raises:
            Malformed: ``reason_missing``, ``basis_missing``, ``bad_terms``.
            NotFound: ``camera_not_found`` for the scope of a camera that was never registered.
            Conflict: ``proposal_pending`` if a shortening already waits; ``ledger_conflict``.
            Refused: ``person_unknown``: a second person must approve, and the actor is not a known person.
        """
        _check_reason(reason)
        _check_basis(terms.basis)
        now = self._clock.now()
        terms = replace(terms, effective_from=max(terms.effective_from, now))
        entries = self.heads()
        head = entries.get(scope.id)
        if expected not in (None, 0 if head is None else head.version):
            raise changed(KIND, scope.id)
        policy = Policy(scope=scope, terms=()) if head is None else from_state(head.state)
        change = changes.adopted(policy, terms)
        if self._shortens(entries, change, now):
            return self._put_forward(policy, terms, head, actor=actor, reason=reason, now=now)
        return self._decide(entries, change, head, actor=actor, action="policy.changed", reason=reason)

    def withdraw(self, scope: Scope, *, actor: str, reason: str, expected: int | None = None) -> PolicyRecord:
        """Let the less specific scopes rule again: at once, or as a proposal if that shortens.

        Raises:
            Malformed: ``reason_missing``.
            NotFound: ``policy_not_found``.
            Conflict: ``nothing_to_withdraw``, ``proposal_pending``, ``ledger_conflict``.
            Refused: ``person_unknown``, as :meth:`propose`.
        """
        _check_reason(reason)
        now = self._clock.now()
        head = self._head(scope, expected)
        policy = from_state(head.state)
        change = changes.withdrawn(policy, now)
        if change.terms == policy.terms:
            raise Conflict(f"the policy {scope} is not in force", code="nothing_to_withdraw")
        entries = {**self.heads(), scope.id: head}
        if self._shortens(entries, change, now):
            return self._put_forward(policy, None, head, actor=actor, reason=reason, now=now)
        return self._decide(entries, change, head, actor=actor, action="policy.withdrawn", reason=reason)

    def approve(
        self, scope: Scope, *, actor: str, reason: str = "", expected: int | None = None
    ) -> PolicyRecord:
        """Let a proposed shortening begin, after the waiting time at the earliest.

        Raises:
            NotFound: ``policy_not_found``.
            Conflict: ``no_proposal``; ``ledger_conflict``; ``proposal_expired`` if the terms would end before
                they begin.
            Refused: ``same_person``: the actor proposed it; ``person_unknown``, ``persons_tied``,
                ``host_unlinked``: as :func:`archive.separation.check_separation`.
        """
        self._separation.check_known(actor)
        now = self._clock.now()
        head = self._head(scope, expected)
        policy = from_state(head.state)
        proposal = policy.proposal
        if proposal is None:
            raise _no_proposal(scope)
        self._separation.check(Decision.POLICY_APPROVE, actor, (proposal.by,))
        settled = replace(policy, proposal=None)
        begins = now + self._wait
        if proposal.terms is None:
            change = changes.withdrawn(settled, begins)
        else:
            begins = max(begins, proposal.terms.effective_from)
            until = proposal.terms.effective_until
            if until is not None and until <= begins:
                raise Conflict(
                    "the proposed terms would end before they begin",
                    code="proposal_expired",
                    hint="Reject the proposal and make a new one.",
                )
            change = changes.adopted(settled, replace(proposal.terms, effective_from=begins))
        return _record(self._append(change, head, actor=actor, action="policy.approved", reason=reason))

    def reject(self, scope: Scope, *, actor: str, reason: str, expected: int | None = None) -> PolicyRecord:
        """Drop the proposal or, if there is none, stop approved terms that have not begun.

        One person is enough, even the proposer: nothing goes sooner by it.

        Raises:
            Malformed: ``reason_missing``.
            NotFound: ``policy_not_found``.
            Conflict: ``no_proposal``: nothing is proposed and nothing waits to begin; ``ledger_conflict``.
            Refused: ``would_shorten``: the terms that wait to begin keep footage longer.
        """
        _check_reason(reason)
        now = self._clock.now()
        head = self._head(scope, expected)
        policy = from_state(head.state)
        if policy.proposal is not None:
            change = replace(policy, proposal=None)
            return _record(self._append(change, head, actor=actor, action="policy.rejected", reason=reason))
        if not changes.waiting(policy, now):
            raise _no_proposal(scope)
        change = changes.without_waiting(policy, now)
        entries = {**self.heads(), scope.id: head}
        if self._shortens(entries, change, now):
            raise Refused(
                f"the terms that wait to begin for {scope} keep footage longer",
                code="would_shorten",
                hint="Propose the terms that you want instead; a second person must approve them.",
            )
        return self._decide(entries, change, head, actor=actor, action="policy.stopped", reason=reason)

    # -------------------------------------------------------------------------------------------------

    def _put_forward(
        self, policy: Policy, terms: Terms | None, head: Entry | None, *, actor: str, reason: str, now: int
    ) -> PolicyRecord:
        if policy.proposal is not None:
            raise Conflict(
                f"a shortening of {policy.scope} already waits for a second admin",
                code="proposal_pending",
                hint="Approve or reject that proposal first.",
            )
        self._separation.check_known(actor)
        proposed = replace(policy, proposal=Proposal(terms=terms, by=actor, at=now))
        return _record(self._append(proposed, head, actor=actor, action="policy.proposed", reason=reason))

    def _decide(
        self,
        judged: Mapping[str, Entry],
        change: Policy,
        head: Entry | None,
        *,
        actor: str,
        action: str,
        reason: str,
    ) -> PolicyRecord:
        """Append a change that one person may decide alone, as judged by the entries ``judged``.

        Each stream has its own appends, so two people may have shortened another policy since this change was
        judged. The check follows the append: a change to the other policy that is appended after the check
        has been judged with this change.

        Raises:
            Conflict: ``policies_changed``: with the other policy's new terms the change shortens; it was
                taken back.
        """
        entry = self._append(change, head, actor=actor, action=action, reason=reason)
        entries = {name: other for name, other in self.heads().items() if name != entry.id}
        if entries != {name: other for name, other in judged.items() if name != entry.id}:
            before = entries if head is None else {**entries, entry.id: head}
            if self._shortens(before, change, entry.at):
                was = Policy(scope=change.scope, terms=()) if head is None else from_state(head.state)
                why = "Another policy changed at the same moment."
                self._append(was, entry, actor=actor, action="policy.restored", reason=why)
                raise Conflict(
                    f"another policy changed while {change.scope} did",
                    code="policies_changed",
                    hint="Read the policies again, and repeat the change if it still makes sense.",
                )
        return _record(entry)

    def _shortens(self, entries: Mapping[str, Entry], change: Policy, now: int) -> bool:
        scope = change.scope
        places: tuple[Place, ...] = ()
        if scope.kind is ScopeKind.CAMERA:
            places = tuple(dict.fromkeys(place for _, place in self._places(scope.value)))
        return changes.shortens(
            [from_state(entry.state) for entry in entries.values()],
            change,
            places=places,
            floor_days=self._floor_days,
            now=now,
        )

    def _places(self, camera: str) -> list[tuple[int, Place]]:
        """Where the camera stood, and from when. Raises NotFound ``camera_not_found``."""
        entries = self._ledger.history(CAMERA, camera)
        found = [(entry.at, cameras.from_state(entry.state).place) for entry in entries]
        if not found:
            raise NotFound(f"there is no camera {camera}", code="camera_not_found")
        return found

    def _head(self, scope: Scope, expected: int | None) -> Entry:
        return self._ledger.head_at(KIND, scope.id, expected)

    def _append(self, policy: Policy, head: Entry | None, *, actor: str, action: str, reason: str) -> Entry:
        entry = self._ledger.append(
            KIND,
            policy.scope.id,
            to_state(policy),
            expected=0 if head is None else head.version,
            actor=actor,
            action=action,
            reason=reason.strip(),
        )
        self._index.put_document(KIND, policy.scope.id, entry.version, entry.state)
        return entry


def scope_of(text: str) -> Scope:
    """A scope from either of its forms, ``kecamatan:73.71.13`` or ``kecamatan-73.71.13``.

    Raises:
        Malformed: ``bad_scope``.
    """
    kind, _, value = text.partition(":" if ":" in text else "-")
    return Scope.parse(f"{kind}:{value}" if value else kind)


def _record(entry: Entry) -> PolicyRecord:
    return record_of(from_state(entry.state), entry)


def record_of(policy: Policy, newest: Said) -> PolicyRecord:
    """A policy with what its newest entry says."""
    return PolicyRecord(
        policy=policy,
        version=newest.version,
        changed_at=newest.at,
        changed_by=newest.actor,
        reason=newest.reason,
    )


def _no_proposal(scope: Scope) -> Conflict:
    return Conflict(
        f"nothing is proposed for {scope}",
        code="no_proposal",
        hint="See the policy in force with: saksi retention show SCOPE",
    )


def _check_reason(reason: str) -> None:
    if not _fits_the_record(reason):
        raise Malformed(
            "a reason is needed",
            code="reason_missing",
            hint=f"Say why, in at most {MAX_TEXT} printable characters.",
        )


def _check_basis(basis: str) -> None:
    if not _fits_the_record(basis):
        raise Malformed(
            "a legal basis is needed",
            code="basis_missing",
            hint=f"Name the regulation or decision, in at most {MAX_TEXT} printable characters.",
        )


def _fits_the_record(text: str) -> bool:
    return bool(text.strip()) and len(text) <= MAX_TEXT and text.isprintable()
