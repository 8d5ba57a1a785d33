"""What a change makes of a policy, and whether it lets any footage go sooner. Pure: no store, no clock.

Terms that were ever in force stay in the policy, so that its newest entry shows what applied when. If several
terms are in force at once, the last in the policy's order counts
(:meth:`archive.model.retention.Policy.in_force`). So new terms go behind those that begin at the same time or
before, and terms that begin later still take effect.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from archive.lifecycle.retention.book import PolicyBook, Ruling, scopes_of
from archive.model.camera import OwnerKind, Place
from archive.model.retention import OnPressure, Policy, Scope, ScopeKind, Terms


def adopted(policy: Policy, terms: Terms) -> Policy:
    """The policy with further terms."""
    before = tuple(one for one in policy.terms if one.effective_from <= terms.effective_from)
    after = tuple(one for one in policy.terms if one.effective_from > terms.effective_from)
    return replace(policy, terms=(*before, terms, *after))


def withdrawn(policy: Policy, at: int) -> Policy:
    """The policy with no terms in force from ``at`` on."""
    return replace(
        policy,
        terms=tuple(
            terms
            if terms.effective_until is not None and terms.effective_until <= at
            else replace(terms, effective_until=at)
            for terms in policy.terms
            if terms.effective_from < at
        ),
    )


def waiting(policy: Policy, now: int) -> tuple[Terms, ...]:
    """Terms that are decided and have not begun."""
    return tuple(terms for terms in policy.terms if terms.effective_from > now)


def without_waiting(policy: Policy, now: int) -> Policy:
    """The policy without terms that have not begun."""
    return replace(policy, terms=tuple(terms for terms in policy.terms if terms.effective_from <= now))


def put(policies: Iterable[Policy], policy: Policy) -> tuple[Policy, ...]:
    """The policies with one of them replaced or added."""
    return (*(other for other in policies if other.scope != policy.scope), policy)


def shortens(
    policies: Sequence[Policy], change: Policy, *, places: Sequence[Place], floor_days: int, now: int
) -> bool:
    """Whether footage could go sooner, now or at any later instant, with ``change`` among the policies.

    The comparison covers every instant at which the rules change. It compares with what would rule otherwise:
    the scope's own terms or, while it has none, those of the less specific scopes. ``places`` are all places
    at which the camera of a camera's scope ever stood. Terms below the floor are also compared as written,
    since the floor is a setting of the host and may change.
    """
    instants = _instants((*policies, change), now)
    before = PolicyBook(policies, floor_days=floor_days), PolicyBook(policies, floor_days=1)
    changed = put(policies, change)
    after = PolicyBook(changed, floor_days=floor_days), PolicyBook(changed, floor_days=1)
    return any(
        is_shorter(_ruling(new, scopes, at, floor_days), _ruling(old, scopes, at, floor_days))
        for scopes in _admitted(change.scope, places)
        for at in instants
        for new, old in zip(after, before, strict=True)
    )


def _ruling(book: PolicyBook, scopes: Iterable[Scope], at: int, floor_days: int) -> Ruling:
    """The book's ruling; where no policy is in force, the floor, even for a book made without the floor."""
    found = book.ruling_for(scopes, at)
    return found if found.scope is not None else replace(found, keep_days_min=floor_days)


def is_shorter(ruling: Ruling, other: Ruling) -> bool:
    """Whether footage may be unlocked, may go or must be gone sooner by ``ruling`` than by ``other``."""
    return any(
        mine is not None and (its is None or mine < its)
        for mine, its in zip(_terms_of(ruling), _terms_of(other), strict=True)
    )


def _terms_of(ruling: Ruling) -> tuple[int | None, int | None, int | None]:
    """Days until footage is unlocked, must be gone, and may go at the soonest; None for never."""
    longest = ruling.keep_days_max
    spare = ruling.on_pressure is OnPressure.DISPOSE_PAST_MINIMUM
    return ruling.keep_days_min, longest, ruling.keep_days_min if spare else longest


def edges(policies: Iterable[Policy]) -> set[int]:
    """Every instant at which terms begin or end."""
    found: set[int] = set()
    for policy in policies:
        for terms in policy.terms:
            found.add(terms.effective_from)
            if terms.effective_until is not None:
                found.add(terms.effective_until)
    return found


def _instants(policies: Iterable[Policy], now: int) -> list[int]:
    """Now, and every later instant at which terms begin or end."""
    return [now, *sorted(edge for edge in edges(policies) if edge > now)]


def _admitted(scope: Scope, places: Sequence[Place]) -> list[tuple[Scope, ...]]:
    """The scopes of every kind of footage that ``scope`` may rule, most specific first, from itself on.

    More specific scopes are left out: while one of them rules, the change has no effect, and while none
    rules, they make no difference.
    """
    default = Scope(ScopeKind.DEFAULT)
    match scope.kind:
        case ScopeKind.DEFAULT:
            return [(default,)]
        case ScopeKind.OWNER:
            return [(scope, default)]
        case ScopeKind.KECAMATAN:
            return [(scope, Scope(ScopeKind.OWNER, owner.value), default) for owner in OwnerKind]
        case ScopeKind.CAMERA:
            return [scopes_of(scope.value, place) for place in places]
