"""Lists from the index are those of the ledger, page by page, and show nothing that the ledger does not."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from archive import keys
from archive.canonical import JsonObject
from archive.cases.people.listing import all_users
from archive.errors import IntegrityError, Malformed
from archive.integrity.rebuild.follow import Follower
from archive.lifecycle.holds.answers import hold_json
from archive.lifecycle.holds.listing import Wanted, list_holds
from archive.lifecycle.retention.listing import all_policies
from archive.model import hold as holds
from archive.model import retention
from archive.model import user as users
from archive.model.hold import Hold, HoldStatus
from archive.model.retention import Policy, Scope, Terms
from archive.model.user import Role, User
from archive.ports import Content, Record, RecordIndex, RecordQuery
from archive.records.indexed.own_writes import OwnEntries
from archive.records.indexed.pages import Page, every
from archive.records.integrity_incident_list import list_incidents
from archive.records.integrity_incidents import (
    IntegrityIncidentStatus,
    close_integrity_incident,
    incidents,
    open_integrity_incident,
)
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, Timespan
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, small_archive
from tests.support.leaves import T0

CAMERAS = (("cam-1",), ("cam-1", "cam-2"), ("cam-3",))
PLACED_BY = ("user:budi", "user:citra", "os:root(login:budi)")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    """An archive whose ledger indexes its own entries."""
    made = small_archive(tmp_path)
    own = OwnEntries(lambda: made.index, lambda: made.ledger)
    made.ledger = Ledger(made.stores.records, made.clock, on_append=own.appended)
    yield made
    made.index.close()


def put(archive: SmallArchive, kind: str, name: str, *states: JsonObject) -> None:
    """A stream with these states, by different people for different reasons."""
    for version, state in enumerate(states):
        archive.clock.advance(MINUTE)
        archive.ledger.append(
            kind, name, state, expected=version, actor=f"user:p{version}", action="x", reason=f"why {version}"
        )


def fill_holds(archive: SmallArchive) -> None:
    for number, (status, cameras, by) in enumerate(product(HoldStatus, CAMERAS, PLACED_BY)):
        now = archive.clock.now()
        first = Hold(
            id=f"hold-{number:032x}", cameras=cameras, span=Timespan(T0, T0 + MINUTE), case="LP/1",
            owner="Polrestabes", basis="KUHAP", review_at=T0 + DAY * (number % 3), placed_by=by,
            placed_at=now, status=HoldStatus.ACTIVE, release=None,
        )  # fmt: skip
        changed = () if status is HoldStatus.ACTIVE else (holds.to_state(replace(first, status=status)),)
        put(archive, "hold", first.id, holds.to_state(first), *changed)


def holds_of_ledger(archive: SmallArchive, wanted: Wanted) -> list[JsonObject]:
    now = archive.clock.now()
    found = [(holds.from_state(entry.id, entry.state), entry) for entry in archive.ledger.heads("hold")]
    found.sort(key=lambda one: -one[0].placed_at)
    return [
        hold_json(hold, entry, now)
        for hold, entry in found
        if wanted.status in (None, hold.status)
        and wanted.camera in ("", *hold.cameras)
        and wanted.placed_by in ("", hold.placed_by)
        and (hold.in_force or not wanted.in_force)
        and ((hold.in_force and hold.review_at <= now) or not wanted.due)
    ]


def test_every_list_of_holds_is_that_of_the_ledger(archive: SmallArchive) -> None:
    fill_holds(archive)
    archive.clock.advance(DAY + MINUTE)
    now, asked = archive.clock.now(), 0
    for status, camera, by, in_force, due in product(
        (None, *HoldStatus), ("", "cam-1", "cam-9"), ("", *PLACED_BY[1:]), (False, True), (False, True)
    ):
        wanted = Wanted(status=status, camera=camera, placed_by=by, in_force=in_force, due=due)

        def page(cursor: str, wanted: Wanted = wanted) -> Page[JsonObject]:
            return list_holds(archive.index, wanted, now, limit=4, cursor=cursor)

        assert every(page).items == holds_of_ledger(archive, wanted), wanted
        asked += 1
    assert asked == 144


def test_a_page_of_holds_has_only_what_the_reader_may_see(archive: SmallArchive) -> None:
    fill_holds(archive)

    def page(cursor: str) -> Page[JsonObject]:
        return list_holds(
            archive.index, Wanted(), T0, limit=2, cursor=cursor, is_shown=lambda hold: "cam-2" in hold.cameras
        )

    assert len(page("").items) == 2
    assert {tuple(one["cameras"]) for one in every(page).items} == {("cam-1", "cam-2")}
    assert len(every(page).items) == 9


def account(name: str, **changed: Any) -> User:
    known = User(
        id=name, name=f"Nama {name}", roles=(Role.POLICE,), agency="polsek", issuer="https://sso.kota.example",
        subject="9f-subject-of-the-provider", epoch=77, hosts=("h1",),
    )  # fmt: skip
    return replace(known, **changed)


def test_accounts_are_those_of_the_ledger_and_no_secret_of_theirs_is_kept(archive: SmallArchive) -> None:
    for name in ("zul", "ani", "Budi"):
        put(
            archive, "user", name, users.to_state(account(name)), users.to_state(account(name, enabled=False))
        )
    first = account("first", issuer="", subject="", hosts=(), roles=(Role.ADMIN,), agency="", founder=True)
    put(archive, "user", "first", users.to_state(first))
    page = all_users(archive.index)
    kept = {"subject": "", "epoch": 0, "founder": False}
    assert [user for user, _ in page.items] == [
        replace(users.from_state(entry.id, entry.state), **kept) for entry in archive.ledger.heads("user")
    ]
    assert [(one.version, one.at, one.actor, one.reason) for _, one in page.items] == [
        (entry.version, entry.at, entry.actor, entry.reason) for entry in archive.ledger.heads("user")
    ]
    text = json.dumps([one.body for one in archive.index.find_records(RecordQuery(kind="user"), limit=10)])
    assert "9f-subject" not in text
    assert "epoch" not in text


def test_policies_are_those_of_the_ledger(archive: SmallArchive) -> None:
    for number, scope in enumerate(("kecamatan:73.71.01", "default", "camera:cam-1")):
        terms = Terms(keep_days_min=30 + number, keep_days_max=None, basis="Perwali", effective_from=T0)
        policy = Policy(scope=Scope.parse(scope), terms=(terms,))
        put(archive, "policy", policy.scope.id, *[retention.to_state(policy)] * (number + 1))
    page = all_policies(archive.index)
    assert [(one.policy, one.version, one.changed_at, one.changed_by, one.reason) for one in page.items] == [
        (retention.from_state(entry.state), entry.version, entry.at, entry.actor, entry.reason)
        for entry in archive.ledger.heads("policy")
    ]


def test_incidents_are_those_of_the_ledger_the_newest_first(archive: SmallArchive) -> None:
    opened = []
    for number in range(5):
        archive.clock.advance(MINUTE)
        opened.append(
            open_integrity_incident(
                archive.ledger,
                code="bytes_differ",
                subject=f"segments/{number}",
                message="m",
                found_by="fixity",
                details={"n": number},
            ).id
        )
    for name in opened[:2]:
        archive.clock.advance(MINUTE)
        close_integrity_incident(archive.ledger, name, actor="user:ani", reason="restored")
    for status in (None, *IntegrityIncidentStatus):

        def page(cursor: str, status: IntegrityIncidentStatus | None = status) -> Page[Any]:
            return list_incidents(archive.index, status, limit=2, cursor=cursor)

        listed = every(page).items
        assert {one.id: one for one in listed} == {one.id: one for one in incidents(archive.ledger, status)}
        assert [one.id for one in listed] == [
            name for name in reversed(opened) if name in {i.id for i in listed}
        ]
    with pytest.raises(Malformed):
        list_incidents(archive.index, None, limit=2, cursor=opened[0])


def test_a_follower_and_a_rebuild_list_what_the_writer_lists(archive: SmallArchive, tmp_path: Path) -> None:
    fill_holds(archive)
    put(archive, "user", "ani", users.to_state(account("ani")))
    asked: tuple[Callable[[RecordIndex], Page[Any]], ...] = (
        lambda index: list_holds(index, Wanted(), T0, limit=1000),
        all_users,
        all_policies,
    )
    own = [ask(archive.index).items for ask in asked]
    other = open_sqlite(tmp_path / "another.sqlite")
    Follower(archive.stores.records, other, archive.clock).run()
    found = [ask(other) for ask in asked]
    assert [one.items for one in found] == own
    assert {one.as_of for one in found} == {archive.clock.now()}
    rebuild_index(archive.stores, other)
    assert [ask(other).items for ask in asked] == own
    other.close()


def test_a_missing_entry_changes_a_list_only_if_it_is_the_newest_or_the_first(
    archive: SmallArchive, tmp_path: Path
) -> None:
    states = [users.to_state(replace(account("ani"), name=f"Ani {number}")) for number in range(3)]
    put(archive, "user", "ani", *states)
    put(archive, "user", "budi", users.to_state(account("budi")))
    listed = all_users(archive.index).items
    records = archive.stores.records
    archive.clock.advance(4000 * DAY)
    for number, is_listed in ((2, True), (3, False), (1, False)):
        key = keys.ledger_key("user", "ani", number)
        data = records.get(key)
        records.delete_version(key, version=records.head(key).version)
        if number == 3:
            records.put(key, Content.of_bytes(data[:-2]))
        other = open_sqlite(tmp_path / f"without-{number}.sqlite")
        Follower(records, other, archive.clock).run()
        if is_listed:
            assert all_users(other).items == listed
        else:
            with pytest.raises(IntegrityError) as caught:
                all_users(other)
            assert "user/ani" in caught.value.message
        other.close()
        for spoilt in list(records.list(key)):
            records.delete_version(key, version=spoilt.version)
        records.put(key, Content.of_bytes(data))


def test_a_record_of_an_older_form_is_said_to_be_one(archive: SmallArchive) -> None:
    put(archive, "user", "ani", users.to_state(account("ani")))
    record = archive.index.record("user", "ani")
    assert record is not None
    body = {name: value for name, value in record.body.items() if name != "reason"}
    archive.index.put_records([Record(kind="user", id="ani", version=1, at=record.at, body=body)])
    with pytest.raises(IntegrityError) as caught:
        all_users(archive.index)
    assert (caught.value.code, "rebuild" in caught.value.hint) == ("index_damaged", True)


def test_an_entry_that_no_version_can_read_is_said_aloud(archive: SmallArchive) -> None:
    put(archive, "user", "ani", {"name": "A", "roles": ["god"]})
    with pytest.raises(IntegrityError) as caught:
        all_users(archive.index)
    assert caught.value.code == "bad_user_record"
