"""Placing, growing and releasing holds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ArchiveError, Conflict, Malformed, NotFound, Refused, Unavailable
from archive.lifecycle.holds.service import Holds
from archive.model.hold import HoldStatus
from archive.timespan import DAY, HOUR, SECOND, Timespan
from tests.support.holding import Holding, holding, seconds
from tests.support.stores import in_threads


@pytest.fixture
def site(tmp_path: Path) -> Holding:
    return holding(tmp_path)


def code_of(act: Callable[[], object], kind: type[ArchiveError]) -> str:
    with pytest.raises(kind) as caught:
        act()
    return caught.value.code


def test_a_hold_is_in_force_from_its_first_entry_to_the_entry_that_approves_its_release(
    site: Holding,
) -> None:
    segment = site.arrive(0)
    assert not site.book().is_held(segment)
    head = site.place(0, 20)
    assert head.hold.id.startswith("hold-")
    assert len(head.hold.id) == len("hold-") + 32
    assert site.book().is_held(segment)
    site.holds.propose_release(head.hold.id, actor="os:ani", reason="closed")
    assert site.book().is_held(segment)
    site.holds.approve_release(head.hold.id, actor="os:budi")
    assert not site.book().is_held(segment)
    entries = list(site.archive.ledger.history("hold", head.hold.id))
    assert [entry.action for entry in entries] == ["hold.placed", "hold.release_proposed", "hold.released"]
    document = site.archive.index.document("hold", head.hold.id)
    assert document is not None
    assert (document.version, document.state["status"]) == (3, "released")


def test_who_proposes_a_release_cannot_approve_it(site: Holding) -> None:
    name = site.place(0, 20).hold.id
    site.holds.propose_release(name, actor="os:root(login:ani)", reason="closed")
    for actor in ("os:ani", "os:root(login:ani)", "os:www(login:ani)"):
        assert code_of(lambda a=actor: site.holds.approve_release(name, actor=a), Refused) == "same_person"
    assert site.holds.hold(name).hold.in_force
    stale = code_of(lambda: site.holds.approve_release(name, actor="os:budi", expected=1), Conflict)
    assert stale == "ledger_conflict"
    site.holds.approve_release(name, actor="os:root(login:budi)", expected=2)
    assert site.holds.hold(name).hold.status is HoldStatus.RELEASED


def test_of_many_approvals_at_once_one_is_written(site: Holding) -> None:
    name = site.place(0, 20).hold.id
    site.holds.propose_release(name, actor="os:ani", reason="closed")
    answers = in_threads(6, lambda n: site.holds.approve_release(name, actor=f"os:p{n}"))
    refused = [one for one in answers if isinstance(one, Conflict)]
    assert len(refused) == 5
    assert {one.code for one in refused} <= {"ledger_conflict", "hold_released"}
    assert len(list(site.archive.ledger.history("hold", name))) == 3


def test_who_acts_on_an_entry_that_is_no_longer_the_newest_must_read_again(
    site: Holding, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = site.place(0, 20).hold.id
    read = site.holds.propose_release(name, actor="os:ani", reason="closed")
    site.holds.extend(name, span=seconds(0, 30), actor="os:cici", reason="more")
    monkeypatch.setattr(site.holds, "_head", lambda _name, _expected: read)
    late = code_of(lambda: site.holds.approve_release(name, actor="os:budi"), Conflict)
    assert late == "ledger_conflict"
    assert site.book().is_held(site.arrive(25, 4))


def test_a_withdrawn_release_leaves_the_hold_and_takes_two_people_again(site: Holding) -> None:
    name = site.place(0, 20).hold.id
    assert code_of(lambda: site.holds.approve_release(name, actor="os:b"), Conflict) == "release_not_proposed"
    site.holds.propose_release(name, actor="os:ani", reason="closed")
    again = code_of(lambda: site.holds.propose_release(name, actor="os:b", reason="x"), Conflict)
    assert again == "release_proposed"
    site.holds.withdraw_release(name, actor="os:cici", reason="appeal")
    assert code_of(lambda: site.holds.approve_release(name, actor="os:b"), Conflict) == "release_not_proposed"
    assert site.holds.hold(name).hold.status is HoldStatus.ACTIVE


def test_a_hold_only_grows(site: Holding) -> None:
    name = site.place(10, 20).hold.id
    for span in (seconds(11, 20), seconds(10, 19), seconds(30, 40)):
        shrunk = code_of(lambda s=span: site.holds.extend(name, span=s, actor="os:ani", reason="x"), Refused)
        assert shrunk == "hold_shrinks"
    same: dict[str, Any] = {"cameras": ["cam-1"], "span": seconds(10, 20)}
    nothing = code_of(lambda: site.holds.extend(name, actor="os:ani", reason="x", **same), Malformed)
    assert nothing == "nothing_to_change"
    site.holds.propose_release(name, actor="os:ani", reason="closed")
    grown = site.holds.extend(name, cameras=["cam-2"], span=seconds(5, 20), actor="os:budi", reason="more")
    assert grown.hold.cameras == ("cam-1", "cam-2")
    assert grown.hold.span == seconds(5, 20)
    # The proposal was to release a smaller hold.
    assert grown.hold.status is HoldStatus.ACTIVE
    site.release(name)
    late = code_of(lambda: site.holds.extend(name, span=seconds(0, 20), actor="a", reason="x"), Conflict)
    assert late == "hold_released"


def test_what_cannot_be_held_is_refused(site: Holding) -> None:
    now = site.archive.clock.now()

    def placing(**changes: Any) -> Callable[[], object]:
        wanted: dict[str, Any] = {
            "cameras": ["cam-1"], "span": seconds(0, 10), "case": "LP/1", "owner": "o", "basis": "b",
            "review_at": now + DAY, "actor": "os:ani",
        }  # fmt: skip
        return lambda: site.holds.place(**{**wanted, **changes})

    assert code_of(placing(cameras=["cam-1", "cam-9"]), NotFound) == "camera_not_found"
    assert code_of(placing(cameras=[]), Malformed) == "bad_hold_request"
    for text in ("", " ", "x" * 201, "a\nb"):
        for name in ("case", "owner", "basis"):
            assert code_of(placing(**{name: text}), Malformed) == "bad_hold_request"
    assert code_of(placing(review_at=now), Malformed) == "bad_hold_request"
    far = Timespan(now, now + 366 * DAY + SECOND)
    assert code_of(placing(span=far), Malformed) == "hold_too_far"
    early = Timespan.parse("0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    assert code_of(placing(span=early), Malformed) == "bad_hold_request"
    assert list(site.archive.ledger.heads("hold")) == []
    placing(span=Timespan(now, now + 366 * DAY))()
    assert len(site.holds.holds()) == 1
    assert code_of(lambda: site.holds.hold("hold-none"), NotFound) == "hold_not_found"


def due(site: Holding) -> set[str]:
    now = site.archive.clock.now()
    return {head.hold.id for head in site.holds.holds() if head.hold.review_due(now)}


def test_reviews_come_due_and_are_put_off_with_a_reason(site: Holding) -> None:
    first, second = site.place(0, 10), site.place(0, 10)
    site.archive.clock.advance(30 * DAY - HOUR)
    assert due(site) == set()
    site.archive.clock.advance(HOUR)
    assert due(site) == {first.hold.id, second.hold.id}
    later = site.archive.clock.now() + DAY
    missing = code_of(
        lambda: site.holds.review(first.hold.id, review_at=later, actor="os:ani", reason=" "), Malformed
    )
    assert missing == "reason_missing"
    site.holds.review(first.hold.id, review_at=later, actor="os:ani", reason="the trial goes on")
    site.release(second.hold.id)
    assert due(site) == set()


def test_a_hold_is_in_force_though_the_index_is_away(site: Holding) -> None:
    class Away:
        def put_document(self, *_: object) -> None:
            raise Unavailable("the index is away")

    archive = site.archive
    holds = Holds(archive.ledger, archive.stores.records, Away(), archive.clock)
    segment = site.arrive(0)
    placed = holds.place(
        cameras=["cam-1"], span=seconds(0, 10), case="LP/1", owner="o", basis="b",
        review_at=archive.clock.now() + DAY, actor="os:ani",
    )  # fmt: skip
    assert site.book().is_held(segment)
    assert archive.index.document("hold", placed.hold.id) is None
    site.sweeper.run()
    assert archive.index.document("hold", placed.hold.id) is not None
