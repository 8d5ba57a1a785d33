"""People, grants and tokens in the ledger, and one process's view of them."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.cases.people.grants import Grants
from archive.cases.people.roster import Roster
from archive.cases.people.users import Users
from archive.clock import ManualClock
from archive.errors import Conflict, Malformed, NotFound, Refused
from archive.model import grant as grant_model
from archive.model import token as token_model
from archive.model import user as user_model
from archive.model.grant import Grant, Right
from archive.model.token import TokenScope
from archive.model.user import Role, User
from archive.objects.filesystem import FilesystemStore
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, SECOND, Timespan
from tests.support.people import add_account

T0 = 1_795_500_000_000_000
SPAN = Timespan(T0, T0 + 60 * SECOND)
CITRA = User(id="citra", name="Citra", roles=(Role.WAR_ROOM,))
ANDI = User(
    id="andi",
    name="Andi",
    roles=(Role.POLICE,),
    agency="polrestabes",
    issuer="https://id.example",
    subject="1234",
)


class Place:
    """A ledger in a folder, and the services over it."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(T0)
        self.records = FilesystemStore(folder, self.clock)
        self.ledger = Ledger(self.records, self.clock)
        self.users = Users(self.ledger, self.clock)
        self.grants = Grants(self.ledger, self.clock)

    def roster(self) -> Roster:
        return Roster(self.ledger, self.records, self.clock, max_age=5 * SECOND)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_person_is_added_once_and_changed_on_record(place: Place) -> None:
    place.users.add(CITRA, actor="os:root", reason="new")
    with pytest.raises(Conflict) as taken:
        place.users.add(User(id="CITRA", name="", roles=()), actor="os:root")
    assert taken.value.code == "user_exists"
    place.users.change(
        "citra", roles=(Role.AUDITOR,), districts=(), agency="", actor="os:root", reason="moved"
    )
    disabled = place.users.disable("citra", actor="os:root", reason="left")
    assert (disabled.enabled, disabled.epoch) == (False, 1)
    assert place.users.disable("citra", actor="os:root", reason="again") == disabled
    assert place.users.enable("citra", actor="os:root", reason="back").epoch == 1
    history = [(entry.action, entry.actor) for entry in place.ledger.history("user", "citra")]
    assert [action for action, _ in history] == [
        "user.added", "user.changed", "user.disabled", "user.enabled",
    ]  # fmt: skip
    assert {actor for _, actor in history} == {"os:root"}
    with pytest.raises(NotFound) as nobody:
        place.users.user("nobody")
    assert nobody.value.code == "user_not_found"


def test_no_secret_is_in_a_persons_record() -> None:
    assert set(user_model.to_state(CITRA)) == {
        "name", "roles", "districts", "agency", "issuer", "subject", "enabled", "epoch",
    }  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [{"id": "a b"}, {"id": "a_b"}, {"name": "x" * 201}, {"agency": "a\nb"}, {"districts": ("",)},
     {"districts": ("73.71.13\n",)}, {"districts": ("x",) * 101}],
)  # fmt: skip
def test_a_record_that_cannot_be_read_aloud_is_refused(place: Place, changes: dict[str, Any]) -> None:
    from dataclasses import replace

    with pytest.raises(Malformed):
        place.users.add(replace(CITRA, **changes), actor="os:root")
    assert place.users.users() == []


def test_what_the_provider_says_is_taken_over_once(place: Place) -> None:
    from dataclasses import replace

    assert place.users.seen(ANDI, actor="user:andi") == ANDI
    assert place.users.seen(ANDI, actor="user:andi") == ANDI
    promoted = replace(ANDI, roles=(Role.ADMIN,), agency="")
    place.users.disable("andi", actor="os:root", reason="left")
    seen = place.users.seen(promoted, actor="user:andi")
    assert (seen.roles, seen.proposed) == ((), (Role.ADMIN,)), "an administrator has to consent"
    assert not seen.enabled, "the provider enables nobody"
    assert len(list(place.ledger.history("user", "andi"))) == 3


@pytest.mark.parametrize(
    "other", [{"subject": "9"}, {"issuer": "https://evil.example"}, {"issuer": "", "subject": ""}]
)
def test_a_name_is_not_taken_over_by_another_account(place: Place, other: dict[str, str]) -> None:
    from dataclasses import replace

    place.users.seen(ANDI, actor="user:andi")
    with pytest.raises(Refused) as refusal:
        place.users.seen(replace(ANDI, **other), actor="user:andi")
    assert refusal.value.code == "identity_conflict"


def test_a_process_sees_a_change_within_the_age(place: Place) -> None:
    citra = add_account(place.users, CITRA)
    roster = place.roster()
    assert roster.person("citra") == citra
    place.users.disable("citra", actor="os:root", reason="left")
    place.clock.advance(5 * SECOND - 1)
    assert roster.person("citra") == citra
    place.clock.advance(1)
    found = roster.person("citra")
    assert found is not None
    assert not found.enabled
    assert roster.person("nobody") is None


def test_a_record_that_does_not_read_lets_nobody_in(place: Place) -> None:
    place.users.add(CITRA, actor="os:root")
    place.ledger.append("user", "dewi", {"roles": ["god"]}, expected=0, actor="os:root", action="user.added")
    with pytest.raises(Malformed) as unreadable:
        place.roster().person("citra")
    assert unreadable.value.code == "bad_user_record"


def give(place: Place, **changes: Any) -> Grant:
    fields: dict[str, Any] = {
        "person": "andi",
        "cameras": ["cam-1", "cam-1"],
        "span": SPAN,
        "rights": [Right.VIEW],
        "until": T0 + DAY,
        "basis": "LP/B/1",
        "actor": "user:citra",
        **changes,
    }
    return place.grants.give(**fields)


def test_a_grant_is_given_seen_and_revoked(place: Place) -> None:
    roster = place.roster()
    given = give(place)
    assert given.cameras == ("cam-1",)
    assert roster.grants_of("andi", "") == (given,)
    assert roster.grants_of("baso", "") == roster.grants_of("", "") == ()
    place.grants.revoke(given.id, actor="user:citra", reason="error")
    assert place.grants.revoke(given.id, actor="user:citra", reason="again").revoked
    place.clock.advance(5 * SECOND)
    assert roster.grants_of("andi", "") == ()
    assert [entry.action for entry in place.ledger.history("grant", given.id)] == [
        "grant.given", "grant.revoked",
    ]  # fmt: skip


def test_a_grant_ends_by_itself_though_nothing_is_read_anew(place: Place) -> None:
    roster = Roster(place.ledger, place.records, place.clock, max_age=10 * DAY)
    give(place, until=T0 + SECOND)
    assert len(roster.grants_of("andi", "")) == 1
    place.clock.advance(SECOND)
    assert roster.grants_of("andi", "") == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"person": ""},
        {"agency": "polda"},
        {"cameras": []},
        {"cameras": ["a b"]},
        {"rights": []},
        {"until": T0},
        {"basis": "  "},
        {"basis": "a\nb"},
        {"span": Timespan(T0, T0 + 32 * DAY)},
    ],
)
def test_a_grant_that_says_too_little_or_too_much_is_none(place: Place, changes: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        give(place, **changes)
    assert list(place.ledger.heads("grant")) == []


NAMES = st.text("abcdefghij-.0123456789", min_size=1, max_size=20)


@given(
    st.builds(
        TokenScope,
        actions=st.none() | st.frozensets(NAMES),
        districts=st.none() | st.frozensets(NAMES),
        expires_at=st.none() | st.integers(0, 4_000_000_000_000_000),
    )
)
def test_the_scope_of_a_token_reads_back(scope: TokenScope) -> None:
    assert token_model.from_json(token_model.to_json(scope)) == scope


@pytest.mark.parametrize(
    "value", [{"actions": "all"}, {"districts": [1]}, {"expires_at": "soon"}, {"expires_at": 7}, 3]
)
def test_a_scope_that_does_not_read_opens_nothing(value: Any) -> None:
    with pytest.raises(Malformed) as unreadable:
        token_model.from_json(value)
    assert unreadable.value.code == "bad_token_scope"


def test_people_and_grants_read_back(place: Place) -> None:
    for user in (CITRA, ANDI):
        assert user_model.from_state(user.id, user_model.to_state(user)) == user
    given = give(place, rights=[Right.VIEW, Right.DOWNLOAD], request="REQ-1")
    assert grant_model.from_state(given.id, grant_model.to_state(given)) == given
