"""An invariant of retention: no one person can make any footage go sooner."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError
from archive.lifecycle.retention import changes
from archive.lifecycle.retention.book import PolicyBook, Ruling
from archive.lifecycle.retention.locks import LockHistory
from archive.lifecycle.retention.service import Policies
from archive.model.camera import OwnerKind, Place
from archive.model.retention import OnPressure, Policy, Scope, Terms, from_state
from archive.timespan import DAY, HOUR
from tests.support.archives import camera_form, small_archive
from tests.support.leaves import T0
from tests.support.workers import quick_folder

FLOOR = 3
DISTRICTS = ("73.71.01", "73.71.13")
OWNERS = (OwnerKind.PUBLIC, OwnerKind.WORSHIP)
PLACES = [
    Place(lat=Decimal(0), lon=Decimal(0), kecamatan=district, kelurahan=f"{district}.1001", owner=owner)
    for district in DISTRICTS
    for owner in OWNERS
]
CAMERAS = ("cam-1", "cam-2")
SCOPES = [
    Scope.parse(text)
    for text in (
        "default",
        *(f"owner:{owner.value}" for owner in OWNERS),
        *(f"kecamatan:{district}" for district in DISTRICTS),
        *(f"camera:{camera}" for camera in CAMERAS),
    )
]
FOREVER = 10**9


@st.composite
def some_terms(draw: st.DrawFn, *, earliest: int = -20, latest: int = 20) -> Terms:
    shortest = draw(st.integers(1, 12))
    start = T0 + draw(st.integers(earliest, latest)) * DAY
    lasts = draw(st.none() | st.integers(1, 30))
    return Terms(
        keep_days_min=shortest,
        keep_days_max=draw(st.none() | st.integers(shortest, 20)),
        basis="Perwali 4/2017",
        effective_from=start,
        effective_until=None if lasts is None else start + lasts * DAY,
        on_pressure=draw(st.sampled_from(OnPressure)),
    )


@st.composite
def some_policies(draw: st.DrawFn) -> list[Policy]:
    found = []
    for scope in draw(st.lists(st.sampled_from(SCOPES), unique=True)):
        policy = Policy(scope=scope, terms=())
        for terms in draw(st.lists(some_terms(), max_size=3)):
            policy = changes.adopted(policy, terms)
        found.append(policy)
    return found


def days_of(ruling: Ruling) -> tuple[int, int, int]:
    """Days until footage is unlocked, is due, and may go if the store is full."""
    due = FOREVER if ruling.keep_days_max is None else ruling.keep_days_max
    spare = ruling.spare_at(0)
    return ruling.keep_days_min, due, due if spare is None else spare // DAY


def goes_no_sooner(before: PolicyBook, after: PolicyBook) -> bool:
    """Whether at every instant from T0 on, all footage is kept at least as long as before."""
    instants = [T0, *(T0 + half * DAY // 2 for half in range(1, 110))]
    return all(
        new >= old
        for at in instants
        for camera in CAMERAS
        for place in PLACES
        for new, old in zip(
            days_of(after.ruling(camera, place, at)), days_of(before.ruling(camera, place, at)), strict=True
        )
    )


@settings(max_examples=150, deadline=None)
@given(some_policies(), st.sampled_from(SCOPES), st.data())
def test_what_is_no_shortening_lets_nothing_go_sooner(
    policies: list[Policy], scope: Scope, data: st.DataObject
) -> None:
    policy = next((one for one in policies if one.scope == scope), Policy(scope=scope, terms=()))
    if data.draw(st.booleans(), label="withdraws"):
        change = changes.withdrawn(policy, T0)
    else:
        change = changes.adopted(policy, data.draw(some_terms(earliest=0)))
    if not changes.shortens(policies, change, places=PLACES, floor_days=FLOOR, now=T0):
        before = PolicyBook(policies, floor_days=FLOOR)
        assert goes_no_sooner(before, PolicyBook(changes.put(policies, change), floor_days=FLOOR))


@settings(max_examples=100, deadline=None)
@given(some_policies(), st.sampled_from(SCOPES), some_terms(earliest=0))
def test_what_is_a_shortening_is_one(policies: list[Policy], scope: Scope, terms: Terms) -> None:
    """Checked as written (no floor) and with existing places, it shortens retention of some footage."""
    policy = next((one for one in policies if one.scope == scope), Policy(scope=scope, terms=()))
    change = changes.adopted(policy, terms)
    if changes.shortens(policies, change, places=PLACES, floor_days=1, now=T0):
        alone = [one for one in policies if not _more_specific(one.scope, scope)]
        before = PolicyBook(alone, floor_days=1)
        after = PolicyBook(changes.put(alone, change), floor_days=1)
        assert not goes_no_sooner_for(scope, before, after)


def goes_no_sooner_for(scope: Scope, before: PolicyBook, after: PolicyBook) -> bool:
    places = [replace(place, owner=owner) for place in PLACES for owner in OwnerKind] + [
        Place(lat=Decimal(0), lon=Decimal(0), kecamatan="73.71.99", kelurahan="73.71.99.1001", owner=owner)
        for owner in OwnerKind
    ]
    edges = sorted({T0, *(edge for edge in changes.edges((*before.policies, *after.policies)) if edge >= T0)})
    return all(
        new >= old
        for at in edges
        for camera in (*CAMERAS, "cam-3")
        for place in places
        for new, old in zip(
            days_of(after.ruling(camera, place, at)), days_of(before.ruling(camera, place, at)), strict=True
        )
    )


def _more_specific(one: Scope, other: Scope) -> bool:
    order = ["default", "owner", "kecamatan", "camera"]
    return order.index(one.kind.value) > order.index(other.kind.value)


acts = st.lists(
    st.tuples(
        st.sampled_from(["propose", "withdraw", "approve", "reject"]),
        st.sampled_from(SCOPES),
        some_terms(earliest=-5),
        st.integers(0, 72),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts, acts)
def test_whoever_alone_changes_policies_makes_nothing_go_sooner(
    together: list[tuple[str, Scope, Terms, int]], alone: list[tuple[str, Scope, Terms, int]]
) -> None:
    """Two people adopt any policies; then one person changes them for days, without any approval."""
    with quick_folder("policies") as folder:
        archive = small_archive(Path(folder))
        archive.clock.step(-60 * DAY)
        for camera, place in zip(CAMERAS, (PLACES[0], PLACES[3]), strict=True):
            form = camera_form(camera, kecamatan=place.kecamatan, owner=place.owner.value)
            archive.registry.add(form, actor="os:citra")
        stood = {"cam-1": [PLACES[0]], "cam-2": [PLACES[3]]}
        policies = Policies(
            archive.ledger,
            archive.stores.records,
            archive.index,
            archive.clock,
            floor_days=FLOOR,
            wait_hours=24,
        )
        for number, (act, scope, terms, hours) in enumerate(together):
            _try(policies, act, scope, terms, "os:ana" if number % 2 else "os:budi")
            archive.clock.advance(hours * HOUR)
        _reject_all(policies)  # Ana cannot put in force what waits for a second person
        began = archive.clock.now()
        before = policies.book()
        for act, scope, terms, hours in alone:
            _try(policies, act, scope, terms, "os:ana")
            archive.clock.advance(hours * HOUR)
        after = policies.book()
        for camera, places in stood.items():
            for place in places:
                for day in range(90):
                    at = began + day * DAY
                    new = days_of(after.ruling(camera, place, at))
                    old = days_of(before.ruling(camera, place, at))
                    assert all(later >= sooner for later, sooner in zip(new, old, strict=True))
        archive.index.close()


def _try(policies: Policies, act: str, scope: Scope, terms: Terms, actor: str) -> None:
    try:
        match act:
            case "propose":
                policies.propose(scope, terms, actor=actor, reason="Rapat 7")
            case "withdraw":
                policies.withdraw(scope, actor=actor, reason="Rapat 7")
            case "approve":
                policies.approve(scope, actor=actor)
            case "reject":
                policies.reject(scope, actor=actor, reason="Rapat 7")
    except ArchiveError:
        pass  # refused, as the rules demand


def _reject_all(policies: Policies) -> None:
    for entry in policies.heads().values():
        policy = from_state(entry.state)
        if policy.proposal is not None:
            policies.reject(policy.scope, actor="os:citra", reason="Rapat 7")


# Locks -----------------------------------------------------------------------------------------------

histories = st.dictionaries(
    st.sampled_from(SCOPES),
    st.lists(st.tuples(st.integers(-20, 20), some_terms()), min_size=1, max_size=3),
)


def _history(drawn: dict[Scope, list[tuple[int, Terms]]]) -> dict[Scope, list[tuple[int, Policy]]]:
    """Each scope's policy as of each entry: terms come into force no earlier than they were written."""
    made: dict[Scope, list[tuple[int, Policy]]] = {}
    for scope, entries in drawn.items():
        policy = Policy(scope=scope, terms=())
        for day, terms in sorted(entries, key=lambda one: one[0]):
            written = T0 + day * DAY
            policy = changes.adopted(policy, replace(terms, effective_until=None))
            made.setdefault(scope, []).append((written, policy))
    return made


@settings(max_examples=150, deadline=None)
@given(histories, st.sampled_from(CAMERAS), st.sampled_from(PLACES), st.integers(-20, 20), st.integers(0, 30))
def test_a_lock_is_the_longest_minimum_since_the_segment_was_recorded(
    drawn: dict[Scope, list[tuple[int, Terms]]], camera: str, place: Place, day: int, age: int
) -> None:
    made = _history(drawn)
    start = T0 + day * DAY + DAY // 3
    now = start + age * DAY
    naive = FLOOR
    for at in [start, *(start + half * DAY // 6 for half in range(age * 6 + 1))]:
        book = PolicyBook(
            (
                known
                for entries in made.values()
                for known in [next((policy for written, policy in reversed(entries) if written <= at), None)]
                if known is not None
            ),
            floor_days=FLOOR,
        )
        naive = max(naive, book.ruling(camera, place, at).keep_days_min)
    history = LockHistory(made, floor_days=FLOOR)
    assert history.expected_lock(camera, place, start, now) == start + naive * DAY


@settings(max_examples=100, deadline=None)
@given(histories, st.sampled_from(CAMERAS), st.sampled_from(PLACES), st.integers(-20, 20), st.data())
def test_time_and_changes_only_lengthen_a_lock(
    drawn: dict[Scope, list[tuple[int, Terms]]], camera: str, place: Place, day: int, data: st.DataObject
) -> None:
    history = LockHistory(_history(drawn), floor_days=FLOOR)
    start = T0 + day * DAY
    locks = [history.expected_lock(camera, place, start, start + after * DAY) for after in range(25)]
    assert locks == sorted(locks)
    assert locks[0] >= start + FLOOR * DAY
    now = start + 10 * DAY
    scope = data.draw(st.sampled_from(SCOPES))
    terms = replace(data.draw(some_terms()), effective_from=now, effective_until=None)
    changed = history.with_terms(scope, terms, now=now)
    for at in (now - 1, now):
        assert changed.expected_lock(camera, place, start, at) >= history.expected_lock(
            camera, place, start, at
        ) - (0 if at < now else _lost(history, camera, place, start, now))


def _lost(history: LockHistory, camera: str, place: Place, start: int, now: int) -> int:
    """Days lost: terms that apply only from ``now`` on may never apply if another change comes first."""
    return history.expected_lock(camera, place, start, now) - history.expected_lock(
        camera, place, start, now - 1
    )
