"""Break-glass destroys exactly what two people ordered, nothing that is held, and survives any crash."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.errors import ArchiveError, Conflict, Malformed, Refused
from archive.integrity.fixity.job import Scrub
from archive.integrity.fixity.pace import Pace
from archive.lifecycle.breakglass import service as orders
from archive.lifecycle.breakglass.job import Execution
from archive.lifecycle.breakglass.service import KIND, Order, OrderStatus, to_state
from archive.lifecycle.disposition.listing import DoomedList
from archive.model import disposition as dispositions
from archive.model.disposition import Cause, Disposition, DispositionStatus
from archive.model.segment import Segment
from archive.objects.filesystem.bypass import LockedDestroyer
from archive.ports import Content, Lock, LockMode, Stores
from archive.records.integrity_incidents import incidents
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, SECOND, Timespan
from tests.support.dispositions import Disposal, Fuse, Stopped, disposal
from tests.support.leaves import T0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[Disposal]:
    made = disposal(tmp_path)
    made.site.register_recorder()
    yield made
    made.site.index.close()


def footage(world: Disposal, count: int = 6) -> list[Segment]:
    segments = [world.site.keep(number) for number in range(count)]
    world.site.write_journal(segments)
    world.site.clock.advance(HOUR)
    return segments


def ordered(world: Disposal, start: int = 1, end: int = 4) -> Order:
    return orders.place_order(
        world.site.ledger,
        world.site.clock,
        number="12/Pen.Pid/2026/PN Mks",
        authority="Pengadilan Negeri Makassar",
        basis="UU 27/2022 pasal 8",
        cameras=["cam-1"],
        span=Timespan(T0 + start * 10 * SECOND, T0 + end * 10 * SECOND),
        actor="os:ani",
    )


def approved(world: Disposal) -> Order:
    return orders.approve(
        world.site.ledger, world.site.clock, ordered(world).id, actor="os:budi", reason="read the order"
    )


def execution(world: Disposal, tmp_path: Path, fuse: Fuse | None = None) -> Execution:
    site = world.site
    guard = (lambda part: part) if fuse is None else fuse.guard
    stores = Stores(guard(site.stores.footage), guard(site.stores.records), site.stores.cache)
    return Execution(
        stores=stores,
        index=guard(site.index),
        ledger=Ledger(stores.records, site.clock),
        clock=site.clock,
        destroyer=guard(LockedDestroyer(tmp_path / "footage", site.clock)),
        closer=world.disposer(fuse),
    )


def refusal(world: Disposal, tmp_path: Path, order: Order) -> str:
    before = world.stored()
    with pytest.raises(ArchiveError) as caught:
        execution(world, tmp_path).execute(order.id, actor="os:budi")
    assert world.stored() == before
    return caught.value.code


def test_two_people_destroy_what_is_locked_and_nothing_else(world: Disposal, tmp_path: Path) -> None:
    segments = footage(world)
    done = execution(world, tmp_path).execute(approved(world).id, actor="os:budi")
    rest = {one.key for one in (segments[0], *segments[4:])}
    assert done.status is OrderStatus.EXECUTED
    assert world.stored() == rest
    assert world.indexed() == rest
    record = dispositions.from_state(
        done.disposition, world.site.ledger.head(dispositions.KIND, done.disposition).state
    )
    assert (record.cause, record.segments) == (Cause.BREAK_GLASS, 3)
    assert record.status is DispositionStatus.STAMPED
    assert record.outcome is not None
    assert (record.outcome.destroyed, record.outcome.kept) == (3, {})
    assert {act[2] for act in record.policies[0].acts} == {"os:ani", "os:budi"}
    assert "12/Pen.Pid/2026/PN Mks" in record.policies[0].basis


def test_what_was_destroyed_by_order_is_no_incident_and_a_gap_says_so(
    world: Disposal, tmp_path: Path
) -> None:
    footage(world)
    done = execution(world, tmp_path).execute(approved(world).id, actor="os:budi")
    (gap,) = world.site.index.gaps("cam-1", done.span)
    assert (gap.cause.value, gap.span) == ("disposed", done.span)
    world.site.clock.advance(5 * HOUR)
    clock = world.site.clock
    pace = Pace(None, clock, lambda seconds: None)
    scrub = Scrub(world.site.stores, world.site.ledger, clock, pace, every=30 * DAY, floor_days=30)
    assert [step.findings for step in scrub.now() if step.findings] == []
    assert list(incidents(world.site.ledger)) == []


def test_one_person_is_not_enough(world: Disposal, tmp_path: Path) -> None:
    footage(world)
    order = ordered(world)
    with pytest.raises(Refused) as caught:
        orders.approve(world.site.ledger, world.site.clock, order.id, actor="os:ani", reason="me again")
    assert caught.value.code == "same_person"
    assert refusal(world, tmp_path, order) == "order_not_approved"


def test_a_forged_state_does_not_pass_for_an_approval(world: Disposal, tmp_path: Path) -> None:
    footage(world)
    order = ordered(world)
    head = world.site.ledger.head(KIND, order.id)
    forged = replace(
        order,
        status=OrderStatus.APPROVED,
        approved_by="os:budi",
        approved_at=world.site.clock.now(),
        approved_digest=head.digest,
    )
    world.site.ledger.append(
        KIND, order.id, to_state(forged), expected=1, actor="os:ani", action="break_glass.approved"
    )
    assert refusal(world, tmp_path, order) == "same_person"


def test_an_order_that_grew_after_its_approval_is_refused(world: Disposal, tmp_path: Path) -> None:
    footage(world)
    order = approved(world)
    wider = replace(order, span=Timespan(T0, T0 + 60 * SECOND))
    world.site.ledger.append(
        KIND, order.id, to_state(wider), expected=2, actor="os:ani", action="break_glass.approved"
    )
    assert refusal(world, tmp_path, order) == "order_not_approved"


@pytest.mark.parametrize("flag", [True, False])
def test_a_held_segment_stops_the_whole_order(world: Disposal, tmp_path: Path, flag: bool) -> None:
    segments = footage(world)
    world.hold(segments[2:3], flag=flag)
    assert refusal(world, tmp_path, approved(world)) == "under_hold"


def test_a_flag_in_the_store_counts_without_a_hold_in_the_ledger(world: Disposal, tmp_path: Path) -> None:
    segments = footage(world)
    world.footage.place_hold(segments[2].key, version=segments[2].sha256)
    assert refusal(world, tmp_path, approved(world)) == "under_hold"


def test_compliance_cannot_be_destroyed_and_it_says_so(world: Disposal, tmp_path: Path) -> None:
    segments = footage(world)
    name = segments[2].key
    body = world.footage.get(name)
    metadata = world.footage.head(name).metadata
    destroyer = LockedDestroyer(tmp_path / "footage", world.site.clock)
    destroyer.destroy(name, version=segments[2].sha256)
    lock = Lock(LockMode.COMPLIANCE, T0 + 30 * DAY)
    world.footage.put(name, Content.of_bytes(body), metadata=metadata, lock=lock)
    assert refusal(world, tmp_path, approved(world)) == "compliance_locked"
    with pytest.raises(Refused) as caught:
        destroyer.destroy(name, version=segments[2].sha256)
    assert caught.value.code == "compliance_locked"
    assert name in world.stored()


def test_a_crash_at_any_call_is_finished_by_executing_again(tmp_path: Path) -> None:
    at = 0
    while True:
        at += 1
        folder = tmp_path / str(at)
        world = disposal(folder)
        world.site.register_recorder()
        segments = footage(world)
        order = approved(world)
        try:
            execution(world, folder, Fuse(left=at)).execute(order.id, actor="os:budi")
            finished = True
        except Stopped:
            finished = False
            world.disposer().resume()  # the ordinary disposition job skips an order's disposition
            done = execution(world, folder).execute(order.id, actor="os:budi")
            assert done.status is OrderStatus.EXECUTED
        assert world.stored() == world.indexed() == {one.key for one in (segments[0], *segments[4:])}
        (entry,) = world.site.ledger.heads(dispositions.KIND)
        outcome = dispositions.from_state(entry.id, entry.state).outcome
        assert outcome is not None
        assert outcome.destroyed == 3
        world.site.index.close()
        if finished:
            break
        at += 2
    assert at > 20


def no_findings(world: Disposal) -> bool:
    clock = world.site.clock
    clock.advance(5 * HOUR)
    pace = Pace(None, clock, lambda seconds: None)
    scrub = Scrub(world.site.stores, world.site.ledger, clock, pace, every=30 * DAY, floor_days=30)
    return not any(step.findings for step in scrub.now("cam-1"))


def test_what_an_order_in_work_destroyed_is_no_incident_either(world: Disposal, tmp_path: Path) -> None:
    segments = footage(world)
    order = approved(world)
    plain = execution(world, tmp_path)

    class Dying:
        def destroy(self, key: str, *, version: str) -> None:
            plain.destroyer.destroy(key, version=version)
            raise Stopped

    with pytest.raises(Stopped):
        replace(plain, destroyer=Dying()).execute(order.id, actor="os:budi")
    assert segments[1].key not in world.stored()
    assert no_findings(world)


def test_the_job_of_dispositions_does_not_close_an_order(world: Disposal, tmp_path: Path) -> None:
    footage(world)
    order = approved(world)
    plain = execution(world, tmp_path)
    disposer = world.disposer()

    class Dying:
        def close_ordered(self, found: Disposition, doomed: DoomedList, *, reason: str) -> Disposition:
            disposer._closing.append(found, 0, found.started_by, "disposition.started", reason)
            raise Stopped

    with pytest.raises(Stopped):
        replace(plain, closer=Dying()).execute(order.id, actor="os:budi")
    world.disposer().resume()
    done = plain.execute(order.id, actor="os:budi")
    entry = world.site.ledger.head(dispositions.KIND, done.disposition)
    outcome = dispositions.from_state(entry.id, entry.state).outcome
    assert outcome is not None
    assert (outcome.destroyed, outcome.kept) == (3, {})


def test_a_hold_placed_in_the_midst_keeps_what_is_left(
    world: Disposal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    segments = footage(world)
    monkeypatch.setattr("archive.lifecycle.disposition.listing.MAX_DELETIONS", 1)
    order = approved(world)
    plain = execution(world, tmp_path)

    class Slow:
        def destroy(self, key: str, *, version: str) -> None:
            plain.destroyer.destroy(key, version=version)
            if key == segments[1].key:
                world.hold(segments[3:4], flag=False)

    with pytest.raises(Refused) as caught:
        replace(plain, destroyer=Slow()).execute(order.id, actor="os:budi")
    assert caught.value.code == "under_hold"
    assert segments[3].key in world.stored()
    assert orders.find_order(world.site.ledger, order.id).status is OrderStatus.IN_WORK


@pytest.mark.parametrize("field", ["number", "authority", "basis"])
def test_an_order_without_its_basis_is_none(world: Disposal, field: str) -> None:
    texts = {"number": "1", "authority": "PN", "basis": "UU"} | {field: " "}
    with pytest.raises(Malformed) as caught:
        orders.place_order(
            world.site.ledger,
            world.site.clock,
            cameras=["cam-1"],
            span=Timespan(T0 - HOUR, T0 - 1),
            actor="os:ani",
            **texts,
        )
    assert caught.value.code == "bad_order"


def test_an_order_about_the_future_or_about_nothing_is_refused(world: Disposal, tmp_path: Path) -> None:
    with pytest.raises(Malformed):
        ordered(world)
    world.site.clock.advance(HOUR)
    assert refusal(world, tmp_path, approved(world)) == "order_empty"


def test_it_is_approved_once(world: Disposal) -> None:
    footage(world)
    order = approved(world)
    with pytest.raises(Conflict) as caught:
        orders.approve(world.site.ledger, world.site.clock, order.id, actor="os:citra", reason="too")
    assert caught.value.code == "order_approved"
