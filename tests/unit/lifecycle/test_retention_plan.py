"""The plan shows in advance what would be destroyed, what stays and why, and the store's future size."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from archive import canonical
from archive.footage.places import PlaceHistory
from archive.lifecycle.holds.book import HoldBook
from archive.lifecycle.retention import changes
from archive.lifecycle.retention.basis import Change, Hours, PlanBasis, basis_with
from archive.lifecycle.retention.book import PolicyBook
from archive.lifecycle.retention.locks import LockHistory
from archive.lifecycle.retention.plan import Fate, Plan, make_plan
from archive.model.camera import OwnerKind, Place
from archive.model.hold import Hold
from archive.model.retention import Policy, Scope, Terms
from archive.model.segment import Segment
from archive.timespan import DAY, HOUR, MINUTE, Timespan, as_datetime, hour_of
from search.query import HourCoverage
from tests.support.leaves import T0, segment

WITA = ZoneInfo("Asia/Makassar")
DEFAULT = Scope.parse("default")
FLOOR = 1
NORTH = Place(
    lat=Decimal(0), lon=Decimal(0), kecamatan="73.71.13", kelurahan="73.71.13.1001", owner=OwnerKind.PUBLIC
)
SOUTH = replace(NORTH, kecamatan="73.71.01", kelurahan="73.71.01.1001")
MIDNIGHT = T0 + 10 * HOUR
"""2026-11-25T00:00:00+08:00."""


def terms(shortest: int, longest: int | None, *, start: int = 0, end: int | None = None) -> Terms:
    return Terms(
        keep_days_min=shortest,
        keep_days_max=longest,
        basis="Perwali 4/2017",
        effective_from=start,
        effective_until=end,
    )


def hold(start: int, end: int, *, camera: str = "cam-1", name: str = "hold-1") -> Hold:
    return Hold(
        id=name,
        cameras=(camera,),
        span=Timespan(start, end),
        case="LP/B/1/XI/2026",
        owner="os:ana",
        basis="KUHAP",
        review_at=end + DAY,
        placed_by="os:ana",
        placed_at=start,
    )


def basis(
    policies: dict[Scope, list[Terms]] | None = None,
    *,
    holds: Iterable[Hold] = (),
    places: dict[str, list[tuple[int, Place]]] | None = None,
) -> PlanBasis:
    made = []
    for scope, every in (policies or {}).items():
        policy = Policy(scope=scope, terms=())
        for one in every:
            policy = changes.adopted(policy, one)
        made.append(policy)
    return PlanBasis(
        book=PolicyBook(made, floor_days=FLOOR),
        locks=LockHistory({policy.scope: [(0, policy)] for policy in made}, floor_days=FLOOR),
        places=PlaceHistory({"cam-1": [(0, NORTH)]} if places is None else places),
        holds=HoldBook(holds),
        versions={policy.scope.id: 1 for policy in made},
    )


def hours_of(segments: Iterable[Segment]) -> Hours:
    """An index's hour coverage of these segments."""
    sums: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
    for one in segments:
        total = sums[one.camera, hour_of(one.span.start)]
        total[0] += 1
        total[1] += one.size
    facts = [
        HourCoverage(camera=camera, hour=hour, covered=0, bytes=size, segments=count, held=0)
        for (camera, hour), (count, size) in sorted(sums.items())
    ]

    def hours(cameras: tuple[str, ...], span: Timespan) -> list[HourCoverage]:
        return [one for one in facts if one.camera in cameras and one.hour in span]

    return hours


def recorded(start: int, end: int, *, camera: str = "cam-1", every: int = 10 * MINUTE) -> list[Segment]:
    return [
        segment(number, camera=camera, start=at, seconds=every // 1_000_000)
        for number, at in enumerate(range(start, end, every))
    ]


def planned(
    rules: PlanBasis, segments: Iterable[Segment], *, at: int | None = None, now: int = MIDNIGHT
) -> Plan:
    return make_plan(rules, hours_of(segments), now=now, zone=WITA, at=at)


def counts(plan: Plan) -> dict[str, int]:
    return {fate.value: plan.total.of(fate).segments for fate in Fate}


def test_without_a_policy_nothing_goes() -> None:
    plan = planned(basis(), recorded(MIDNIGHT - 300 * DAY, MIDNIGHT - 299 * DAY))
    assert plan.days == ()
    assert plan.stored.segments == 144


def test_what_is_past_its_term_goes_by_camera_and_day_of_the_city() -> None:
    segments = recorded(MIDNIGHT - 12 * DAY, MIDNIGHT - 8 * DAY)
    plan = planned(basis({DEFAULT: [terms(1, 10)]}), segments)
    assert [(one.camera, one.day, one.share.goes.segments) for one in plan.days] == [
        ("cam-1", "2026-11-13", 144),
        ("cam-1", "2026-11-14", 144),
        ("cam-1", "2026-11-15", 0),
    ]
    # The segment that starts exactly at the term's instant is past it, but its hour is not.
    assert counts(plan) == {"goes": 288, "held": 0, "locked": 0, "edge": 6}
    assert plan.total.goes.bytes == 288 * segments[0].size


def test_a_hold_keeps_its_hours_and_the_hours_at_its_edge_are_told_apart() -> None:
    day = MIDNIGHT - 20 * DAY
    held = hold(day + 4 * HOUR, day + 6 * HOUR)
    plan = planned(basis({DEFAULT: [terms(1, 10)]}, holds=[held]), recorded(day, day + DAY))
    # An hour-long segment of the hour before may reach into the hold.
    assert counts(plan) == {"goes": 21 * 6, "held": 12, "locked": 0, "edge": 6}
    assert plan.days[0].share.to_json()["approximate"] is True


def test_a_longer_lock_of_the_past_keeps_what_the_policy_of_today_would_not() -> None:
    rules = basis({DEFAULT: [terms(40, 40), terms(5, 10, start=MIDNIGHT - 2 * DAY)]})
    plan = planned(rules, recorded(MIDNIGHT - 20 * DAY, MIDNIGHT - 19 * DAY))
    assert counts(plan) == {"goes": 0, "held": 0, "locked": 144, "edge": 0}


def test_each_place_follows_its_own_policy() -> None:
    moved = MIDNIGHT - 15 * DAY + 30 * MINUTE
    rules = basis(
        {DEFAULT: [terms(1, 10)], Scope.parse("kecamatan:73.71.13"): [terms(1, 30)]},
        places={"cam-1": [(0, NORTH), (moved, SOUTH)]},
    )
    plan = planned(rules, recorded(MIDNIGHT - 16 * DAY, MIDNIGHT - 14 * DAY))
    assert [(one.day, one.share.goes.segments, one.share.edge.segments) for one in plan.days] == [
        ("2026-11-10", 138, 6)
    ]


def test_what_if_changes_nothing_but_the_plan() -> None:
    rules = basis({DEFAULT: [terms(1, 30)]})
    segments = recorded(MIDNIGHT - 20 * DAY, MIDNIGHT - 19 * DAY)
    assert planned(rules, segments).days == ()
    what_if = basis_with(rules, Change(DEFAULT, terms(1, 10, start=MIDNIGHT)), floor_days=FLOOR, now=MIDNIGHT)
    assert counts(planned(what_if, segments))["goes"] == 144
    assert planned(rules, segments).days == ()


def test_what_would_go_later_is_told_for_that_instant() -> None:
    rules = basis({DEFAULT: [terms(1, 30)]})
    segments = recorded(MIDNIGHT - 20 * DAY, MIDNIGHT - 19 * DAY)
    assert counts(planned(rules, segments, at=MIDNIGHT + 11 * DAY))["goes"] == 144


def test_the_digest_names_what_would_go_and_why() -> None:
    segments = recorded(MIDNIGHT - 20 * DAY, MIDNIGHT - 19 * DAY)
    rules = basis({DEFAULT: [terms(1, 10)]})
    plan = planned(rules, segments)
    assert planned(rules, segments).digest == plan.digest
    later = recorded(MIDNIGHT - 5 * DAY, MIDNIGHT)
    assert planned(rules, [*segments, *later]).digest == plan.digest, "footage that stays is not its matter"
    assert planned(rules, segments[1:]).digest != plan.digest
    assert planned(replace(rules, versions={"default": 2}), segments).digest != plan.digest
    assert planned(rules, segments, at=MIDNIGHT + 1).digest != plan.digest
    assert plan.id == f"plan-{plan.digest[:16]}"
    canonical.encode(plan.to_json())


def test_the_size_to_come_is_that_of_a_store_that_fills_and_is_emptied() -> None:
    """Ten days of even footage with a term of ten days: the size stays constant."""
    segments = recorded(MIDNIGHT - 10 * DAY, MIDNIGHT)
    a_day = 144 * segments[0].size
    steady = planned(basis({DEFAULT: [terms(1, 10)]}), segments)
    assert len(steady.projected) == 90
    assert steady.projected[0][0] == "2026-11-26"
    for _, size in steady.projected:
        assert abs(size - 10 * a_day) <= a_day // 24
    growing = planned(basis(), segments)
    assert [size for _, size in growing.projected] == [(10 + day) * a_day for day in range(1, 91)]


def test_a_hold_and_a_policy_to_come_are_in_the_size_to_come() -> None:
    segments = recorded(MIDNIGHT - 40 * DAY, MIDNIGHT - 30 * DAY)
    size = segments[0].size
    coming = {DEFAULT: [terms(1, 60), terms(1, 45, start=MIDNIGHT + 5 * DAY)]}
    held = hold(MIDNIGHT - 40 * DAY, MIDNIGHT - 39 * DAY)
    sizes = [one for _, one in planned(basis(coming, holds=[held]), segments).projected]
    assert sizes[3] == 1440 * size
    assert sizes[19] == 144 * size, "all but what is held is past 45 days"
    assert sizes[-1] == 144 * size


def test_what_goes_on_each_day_to_come_adds_up_and_shows_what_a_hold_keeps() -> None:
    segments = recorded(MIDNIGHT - 40 * DAY, MIDNIGHT - 30 * DAY)
    a_day = 144 * segments[0].size
    held = hold(MIDNIGHT - 40 * DAY, MIDNIGHT - 39 * DAY)
    plan = planned(basis({DEFAULT: [terms(1, 45)]}, holds=[held]), segments)
    assert len(plan.due) == len(plan.projected) == 90
    for day, (goes, kept) in enumerate(plan.due, start=1):
        assert (goes, kept) == (a_day if 7 <= day <= 15 else 0, a_day if day == 6 else 0), day
    overdue = planned(basis({DEFAULT: [terms(1, 35)]}, holds=[held]), segments)
    assert overdue.due[0] == (5 * a_day, a_day), "the first day has all that is due by its end"


# Compared with a decision segment by segment ---------------------------------------------------------

CAMERAS = ("cam-1", "cam-2")
short_terms = st.builds(
    lambda shortest, more, start: terms(shortest, None if more is None else shortest + more, start=start),
    st.integers(1, 6),
    st.none() | st.integers(0, 6),
    st.integers(-12 * 24, 3 * 24).map(lambda hours: T0 + hours * HOUR + 13 * MINUTE),
)
some_policies = st.dictionaries(
    st.sampled_from(
        [Scope.parse(text) for text in ("default", "kecamatan:73.71.13", "owner:public", "camera:cam-2")]
    ),
    st.lists(short_terms, min_size=1, max_size=3),
)
some_holds = st.lists(
    st.builds(
        lambda camera, start, hours: hold(
            T0 + start * 20 * MINUTE, T0 + start * 20 * MINUTE + hours * HOUR, camera=camera
        ),
        st.sampled_from(CAMERAS),
        st.integers(-12 * 72, 0),
        st.integers(1, 60),
    ),
    max_size=4,
)


@settings(max_examples=60, deadline=None)
@given(some_policies, some_holds, st.integers(-10 * 48, 0), st.integers(0, 6 * 48))
def test_the_plan_encloses_what_a_decision_by_segment_would_destroy(
    policies: dict[Scope, list[Terms]], holds: list[Hold], moved: int, ahead: int
) -> None:
    at = T0 + ahead * HOUR // 2 + 7 * MINUTE
    places = {"cam-1": [(0, NORTH), (T0 + moved * HOUR // 2 + MINUTE, SOUTH)], "cam-2": [(0, SOUTH)]}
    rules = basis(policies, holds=holds, places=places)
    segments = [
        one for camera in CAMERAS for one in recorded(T0 - 10 * DAY, T0, camera=camera, every=25 * MINUTE)
    ]
    plan = planned(rules, segments, at=at, now=T0)
    exact: dict[tuple[str, str], int] = defaultdict(int)
    for one in segments:
        place = rules.places.place(one.camera, one.span.start)
        due = rules.book.ruling(one.camera, place, at).due_at(one.span.start)
        locked = rules.locks.expected_lock(one.camera, place, one.span.start, at)
        if due is not None and due <= at and locked <= at and not rules.holds.is_held(one):
            day = as_datetime(hour_of(one.span.start)).astimezone(WITA).date().isoformat()
            exact[one.camera, day] += 1
    shares = {(one.camera, one.day): one.share for one in plan.days}
    for key in {*exact, *shares}:
        share = shares.get(key)
        certain, possible = (0, 0) if share is None else (share.goes.segments, share.edge.segments)
        assert certain <= exact[key] <= certain + possible, key
