"""No personal data outlives its entry in the index; what vanished before its term stays and is named."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive import keys
from archive.errors import ArchiveError, Unavailable
from archive.integrity.check.indexed import IndexedCheck
from archive.integrity.check.report import CheckReport
from archive.integrity.rebuild.follow import Follower
from archive.model.custody import Actor
from archive.ports import Content
from archive.records.custody import CustodyWriter
from archive.records.indexed.unread import UNREAD, refuse_unread_heads
from archive.records.ledger.streams import KINDS, Ledger
from archive.timespan import DAY, HOUR
from search.rebuilding import rebuild_index
from tests.support.archives import SmallArchive, small_archive
from tests.unit.integrity.test_follow import Dying, everything

TERM = 3650 * DAY
ANDI, OTHER = "user:andi", "user:budi"
STATE = {
    "name": "Andi Baharuddin", "person": "andi", "owner": "Andi Baharuddin", "case": "andi", "basis": "andi",
    "agency": "andi", "actor": ANDI, "placed_by": ANDI, "given_by": ANDI, "ordered_by": ANDI,
    "started_by": ANDI, "found_by": ANDI, "message": "andi", "requester": {"name": "Andi Baharuddin"},
    "status": "x",
}  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    yield made
    made.index.close()


def follower(archive: SmallArchive) -> Follower:
    return Follower(archive.stores.records, archive.index, archive.clock, term=TERM)


def put(archive: SmallArchive, kind: str, name: str, actor: str, *, versions: int = 2) -> None:
    """A stream, and the document that a sync makes of it."""
    state = {**STATE, "number": 1} if actor == ANDI else {"name": "B"}
    for version in range(versions):
        archive.ledger.append(kind, name, state, expected=version, actor=actor, action="x", reason=actor)
    archive.index.put_document(kind, name, versions, state)


def act(archive: SmallArchive, writer: str, actor: str) -> None:
    chain = CustodyWriter(archive.stores.records, archive.clock, writer=writer)
    for number in range(3):
        chain.record("clip.describe", actor=Actor(id=actor), objects=("cam-1",), details={"n": number})


def dispose(archive: SmallArchive, *prefixes: str) -> None:
    """What the person does who may delete, after the locks have ended."""
    for prefix in prefixes:
        for listed in list(archive.stores.records.list(prefix)):
            archive.stores.records.delete_version(listed.key, version=listed.version)


def text_of(archive: SmallArchive) -> str:
    """Everything that questions can find, as one text."""
    found = [repr(one) for records in everything(archive).values() for one in records]
    documents = [
        json.dumps([one.id, one.state])
        for kind in (*KINDS, "camera_stay")
        for one in archive.index.documents(kind)
    ]
    return "\n".join([*found, *documents]).casefold()


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_leaves_with_its_acts_and_its_document(archive: SmallArchive, kind: str) -> None:
    put(archive, kind, "one", ANDI)
    put(archive, kind, "two", OTHER)
    if kind == "camera":
        archive.index.put_document("camera_stay", "one", 2, {"name": "Andi Baharuddin"})
    follower(archive).run()
    assert "andi" in text_of(archive)
    archive.clock.advance(TERM + HOUR)
    put(archive, kind, "new", OTHER)
    assert follower(archive).run().forgotten == 0, "it is still stored"
    assert "andi" in text_of(archive)
    dispose(archive, keys.ledger_prefix(kind, "one"))
    report = follower(archive).run()
    assert (report.forgotten, report.left_out) == (2, [])
    assert "andi" not in text_of(archive)
    assert follower(archive).run().forgotten == 0
    found = everything(archive)
    assert {one.id for one in found[kind]} == {"two", "new"}
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found
    assert "andi" not in text_of(archive)


def test_events_leave_with_their_object(archive: SmallArchive) -> None:
    act(archive, "api-1", ANDI)
    act(archive, "api-2", OTHER)
    archive.clock.advance(5 * HOUR)
    act(archive, "api-1", ANDI)
    archive.clock.advance(2 * DAY)
    act(archive, "api-3", OTHER)
    begun = archive.clock.now()
    follower(archive).run()
    archive.clock.advance(TERM + HOUR)
    act(archive, "api-4", OTHER)
    assert follower(archive).run().forgotten == 0
    gone = [one.key for one in archive.stores.records.list("custody/") if "/api-1_" in one.key]
    assert len(gone) == 6
    dispose(archive, *gone)
    assert follower(archive).run().forgotten == 6
    assert "andi" not in text_of(archive)
    assert follower(archive).run().forgotten == 0
    found = everything(archive)
    assert len(found["act"]) == 9
    rebuild_index(archive.stores, archive.index)
    assert everything(archive) == found
    dispose(archive, f"custody/{keys.hour_folder(begun)}/")
    assert follower(archive).run().forgotten == 3


def test_what_could_not_be_read_stops_no_answer_once_it_is_disposed_of(archive: SmallArchive) -> None:
    bad = keys.custody_key("api-0", 1, archive.clock.now())
    archive.stores.records.put(bad, Content.of_bytes(b"x\n"))
    archive.stores.records.put(keys.ledger_key("user", "one", 1), Content.of_bytes(b"x"))
    put(archive, "user", "two", OTHER)
    follower(archive).run()
    assert len(everything(archive)[UNREAD]) == 2
    archive.clock.advance(TERM + HOUR)
    follower(archive).run()
    with pytest.raises(ArchiveError):
        refuse_unread_heads(archive.index, ["user"])
    dispose(archive, bad, keys.ledger_prefix("user", "one"))
    follower(archive).run()
    assert everything(archive)[UNREAD] == []
    refuse_unread_heads(archive.index, ["user"])


def test_what_vanished_before_its_term_stays_and_is_named(archive: SmallArchive) -> None:
    archive.ledger = Ledger(archive.stores.records, archive.clock, lock_days=1)
    put(archive, "user", "one", ANDI)
    CustodyWriter(archive.stores.records, archive.clock, writer="api-1", lock_days=1).record(
        "clip.describe", actor=Actor(id=ANDI), objects=("cam-1",)
    )
    follower(archive).run()
    archive.clock.advance(2 * DAY)
    dispose(archive, "ledger/", "custody/")
    assert follower(archive).run().forgotten == 0
    assert len(everything(archive)["act"]) == 3
    report = CheckReport()
    IndexedCheck(archive.stores.records, archive.index, archive.clock, report, lambda *_: None).run()
    assert [one.code for one in report.breaches] == ["act_not_stored"] * 3


def test_a_stream_with_a_younger_act_stays(archive: SmallArchive) -> None:
    archive.ledger = Ledger(archive.stores.records, archive.clock, lock_days=1)
    put(archive, "user", "one", ANDI)
    archive.clock.advance(TERM - DAY)
    archive.ledger.append("user", "one", {}, expected=2, actor=ANDI, action="x")
    follower(archive).run()
    archive.clock.advance(3 * DAY)
    dispose(archive, "ledger/")
    assert follower(archive).run().forgotten == 0, "its newest entry vanished before its term"
    archive.clock.advance(TERM)
    assert follower(archive).run().forgotten == 3


def test_without_a_term_nothing_leaves(archive: SmallArchive) -> None:
    put(archive, "user", "one", ANDI)
    Follower(archive.stores.records, archive.index, archive.clock).run()
    archive.clock.advance(2 * TERM)
    dispose(archive, "ledger/")
    Follower(archive.stores.records, archive.index, archive.clock).run()
    assert len(everything(archive)["act"]) == 2


@pytest.mark.parametrize("after", [False, True])
def test_one_that_is_killed_between_any_two_steps_is_repeated(tmp_path: Path, after: bool) -> None:
    steps, ended = 0, False
    while not ended:
        archive = small_archive(tmp_path / f"{steps}")
        put(archive, "user", "one", ANDI)
        put(archive, "hold", "two", OTHER)
        act(archive, "api-1", ANDI)
        act(archive, "api-2", OTHER)
        follower(archive).run()
        archive.clock.advance(TERM + HOUR)
        gone = [one.key for one in archive.stores.records.list("custody/") if "/api-1_" in one.key]
        dispose(archive, keys.ledger_prefix("user"), *gone)
        steps += 1
        dying = Dying(archive.index, steps, after=after)
        try:
            Follower(archive.stores.records, dying, archive.clock, term=TERM).run()
            ended = True
        except Unavailable:
            follower(archive).run()
        assert "andi" not in text_of(archive)
        assert {one.id for one in everything(archive)["hold"]} == {"two"}
        assert everything(archive)[UNREAD] == []
        archive.index.close()
    assert steps > 4
