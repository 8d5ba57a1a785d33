"""What the ledger knows about people: which ids are one person, and who gave whose account life or rights."""

from pathlib import Path

import pytest

from archive.cases.people.grants import Grants
from archive.cases.people.users import Users
from archive.clock import ManualClock
from archive.errors import Conflict, Refused
from archive.model.grant import Right
from archive.model.user import Role, User, from_state, in_force
from archive.objects.filesystem import FilesystemStore
from archive.records.ledger.streams import Ledger
from archive.records.relations import Separation, relations_of
from archive.separation import WINDOW, Decision
from archive.timespan import DAY, Timespan

T0 = 1_795_500_000_000_000


class City:
    """The ledger of an archive with its two founders, and ``citra`` of the police."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(T0)
        self.ledger = Ledger(FilesystemStore(folder, self.clock), self.clock)
        self.passwords: set[str] = set()
        self.users = Users(self.ledger, self.clock, lambda user: user.id in self.passwords)
        for name in ("ada", "budi"):
            self.add(name, Role.ADMIN, by="os:tari")
        self.add("citra", Role.POLICE, by="os:x")
        self.passwords |= {"ada", "budi"}
        self.clock.advance(WINDOW)

    def add(self, name: str, *roles: Role, by: str) -> User:
        return self.users.add(User(id=name, name="", roles=roles), actor=by)

    def code(self, decision: Decision, decider: str, proposer: str) -> str:
        try:
            Separation(self.ledger, self.clock).check(decision, decider, (proposer,))
        except Refused as refused:
            return refused.code
        return ""

    def token(self, name: str, maker: str, version: int = 0) -> None:
        self.ledger.append(
            "token", name, {"revoked": 0}, expected=version, actor=maker, action="token.created"
        )


@pytest.fixture
def city(tmp_path: Path) -> City:
    return City(tmp_path)


def roles(user: User) -> tuple[set[str], set[str]]:
    return {role.value for role in user.roles}, {role.value for role in user.proposed}


def refusal(city: City, name: str, by: str) -> str:
    try:
        city.users.consent(name, actor=by, reason="x")
    except (Refused, Conflict) as error:
        return error.code
    return ""


def test_each_act_that_gives_life_or_rights_ties_for_thirty_days_and_no_other(city: City) -> None:
    users, why = city.users, {"actor": "user:ada", "reason": "x"}

    def again(name: str) -> None:
        users.disable(name, actor="os:x", reason="x")
        users.enable(name, **why)

    def consents(name: str) -> None:
        users.change(name, roles=(Role.KECAMATAN,), districts=(), agency="", actor="user:budi", reason="x")
        users.consent(name, **why)

    def completes(name: str) -> None:
        users.invitation_completed(name, invited_by="user:budi", **why)

    acts = {
        "opened": lambda name: None,
        "invited": lambda name: users.invited(name, **why),
        "completed": completes,
        "password": lambda name: users.password_set(name, **why),
        "role": lambda name: users.change(name, roles=(Role.KECAMATAN,), districts=(), agency="", **why),
        "district": lambda name: users.change(name, roles=(), districts=("1",), agency="", **why),
        "agency": lambda name: users.change(name, roles=(), districts=(), agency="a", **why),
        "consented": consents,
        "reopened": again,
    }
    for name, act in acts.items():
        city.add(name, by="user:ada" if name == "opened" else "os:x")
        act(name)
    for name in acts:
        for one, other in (("user:ada", f"user:{name}"), (f"user:{name}", "user:ada")):
            assert city.code(Decision.POLICY_APPROVE, one, other) == "persons_tied", name
    city.clock.advance(WINDOW)
    for name in acts:
        assert city.code(Decision.POLICY_APPROVE, "user:ada", f"user:{name}") == "", name
    city.add("free", by="os:x")
    users.end_sessions("free", **why)
    users.disable("free", **why)
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:free") == ""


def test_founders_decide_with_one_another_whoever_made_them(city: City) -> None:
    city.users.link("ada", "tari", actor="user:budi", reason="x")
    city.add("eko", by="os:tari")
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:budi") == ""
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:eko") == "persons_tied", "ada is tari"
    city.users.invited("budi", actor="user:ada", reason="x")
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:budi") == "persons_tied"


def test_who_is_whom(city: City) -> None:
    city.users.link("citra", "cw", actor="user:ada", reason="x")
    for host in ("os:citra", "os:root(login:citra)", "os:Citra", "os:MKS\\citra", "os:citra@mks.id", "os:cw"):
        assert city.code(Decision.POLICY_APPROVE, "user:citra", host) == "same_person", host
        assert city.code(Decision.POLICY_APPROVE, host, "user:citra") == "same_person", host
        assert city.code(Decision.POLICY_APPROVE, host, "user:ada") == ""
    assert city.code(Decision.POLICY_APPROVE, "os:citra", "os:cw") == "same_person"
    assert city.code(Decision.POLICY_APPROVE, "os:other", "user:ada") == "host_unlinked"
    with pytest.raises(Refused):
        city.users.link("citra", "elsewhere", actor="os:root(login:cw)", reason="x")
    with pytest.raises(Refused):
        city.users.link("ada", "cw", actor="os:cw", reason="x")


def test_a_token_is_its_maker_whoever_of_them_made_it(city: City) -> None:
    city.token("wall", "user:citra")
    city.token("screen", "token:wall")
    city.token("loop", "token:loop")
    assert city.code(Decision.POLICY_APPROVE, "token:screen", "user:citra") == "same_person"
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "token:screen") == ""
    city.token("wall", "user:ada", 1)
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "token:screen") == "same_person"
    for nobody in ("token:first", "token:loop"):
        assert city.code(Decision.POLICY_APPROVE, "user:ada", nobody) == "person_unknown"
    city.users.invited("citra", actor="token:screen", reason="x")
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:citra") == "persons_tied"


def test_a_decision_is_judged_later_by_what_tied_them_then(city: City) -> None:
    before = city.clock.now()
    city.clock.advance(DAY)
    city.users.invited("citra", actor="user:ada", reason="x")
    asked, now = ("user:ada", "user:citra"), city.clock.now()
    assert relations_of(city.ledger, asked, until=before).tie(*asked, now) is None
    assert relations_of(city.ledger, asked).tie(*asked, now) is not None


def test_nobody_opens_footage_to_an_agency_whose_member_they_let_in(city: City) -> None:
    grants = Grants(city.ledger, city.clock)

    def give(actor: str) -> str:
        try:
            grants.give(
                agency="polri", cameras=["cam-1"], span=Timespan(T0, T0 + DAY), rights=[Right.VIEW],
                until=city.clock.now() + DAY, basis="LP/1", actor=actor,
            )  # fmt: skip
        except Refused as refused:
            return refused.code
        return ""

    member = User(id="eko", name="", roles=(Role.POLICE,), agency="polri")
    city.users.add(member, actor="os:tari")
    assert give("os:tari") == "persons_tied"
    assert (give("user:eko"), give("token:none"), give("user:ada")) == ("own_grant", "", "")
    city.clock.advance(WINDOW)
    assert give("os:tari") == ""


def test_a_change_of_districts_keeps_what_is_proposed(city: City) -> None:
    city.add("eko", Role.KECAMATAN, Role.WAR_ROOM, by="user:ada")
    user = city.users.user("eko")
    every = (*user.roles, *user.proposed)
    changed = city.users.change(
        "eko", roles=every, districts=("1",), agency="", actor="user:budi", reason="x"
    )
    assert roles(changed) == ({"kecamatan"}, {"war_room"})
    assert refusal(city, "eko", "user:budi") == "", "ada alone proposed the role"


def test_a_privileged_account_takes_two_people(city: City) -> None:
    for role in (Role.ADMIN, Role.WAR_ROOM, Role.AUDITOR):
        name = role.value.replace("_", "-")
        assert roles(city.add(name, role, by="user:ada")) == (set(), {role.value})
        assert refusal(city, name, "user:ada") == "same_person"
        assert refusal(city, name, f"user:{name}") == "same_person"
        assert refusal(city, name, "os:root") == "person_unknown"
        assert refusal(city, name, "os:tari") == "host_unlinked"
        assert refusal(city, name, "user:budi") == ""
        assert roles(city.users.user(name)) == ({role.value}, set())
        assert refusal(city, name, "user:budi") == "nothing_proposed"
    # Whom ada opened does not consent to what ada proposes.
    city.add("eko", Role.WAR_ROOM, by="user:ada")
    assert refusal(city, "eko", "user:admin") == "persons_tied"
    city.clock.advance(WINDOW)
    assert refusal(city, "eko", "user:admin") == ""


def test_a_role_that_is_added_takes_two_people_and_one_that_is_taken_away_does_not(city: City) -> None:
    def change(*wanted: Role, by: str = "user:ada") -> tuple[set[str], set[str]]:
        return roles(city.users.change("citra", roles=wanted, districts=(), agency="", actor=by, reason="x"))

    assert change(Role.KECAMATAN) == (set(), {"kecamatan"})
    assert change(Role.KECAMATAN, Role.POLICE, by="user:budi") == (set(), {"kecamatan", "police"})
    assert refusal(city, "citra", "user:ada") == "same_person", "both proposed it"
    assert refusal(city, "citra", "user:budi") == "same_person"
    city.users.refuse("citra", actor="user:ada", reason="x")
    assert change(Role.POLICE) == (set(), {"police"})
    assert refusal(city, "citra", "user:budi") == ""
    assert change() == (set(), set())


def test_the_host_makes_two_administrators_and_no_third(city: City) -> None:
    assert [city.users.user(name).founder for name in ("ada", "budi")] == [True, True]
    assert roles(city.add("eko", Role.ADMIN, by="os:tari")) == (set(), {"admin"})
    city.users.disable("ada", actor="user:budi", reason="x")
    assert roles(city.add("fani", Role.ADMIN, by="os:tari")) == (set(), {"admin"}), "for ever"
    assert roles(city.users.enable("ada", actor="user:budi", reason="x")) == (set(), {"admin"})
    assert refusal(city, "ada", "user:budi") == "same_person"


def test_the_provider_proposes_and_an_administrator_consents(city: City) -> None:
    def seen(*claimed: Role) -> tuple[set[str], set[str]]:
        who = User(id="gani", name="", roles=claimed, issuer="https://id.example", subject="7")
        return roles(city.users.seen(who, actor="user:gani"))

    assert seen(Role.KECAMATAN, Role.WAR_ROOM) == ({"kecamatan"}, {"war_room"})
    assert refusal(city, "gani", "user:gani") == "same_person"
    assert refusal(city, "gani", "user:ada") == ""
    assert seen(Role.KECAMATAN, Role.WAR_ROOM) == ({"kecamatan", "war_room"}, set())
    assert city.code(Decision.POLICY_APPROVE, "user:gani", "user:ada") == "persons_tied", "ada raised gani"
    assert seen(Role.KECAMATAN) == ({"kecamatan"}, set())
    assert seen(Role.KECAMATAN, Role.WAR_ROOM) == ({"kecamatan"}, {"war_room"}), "consent ends with the claim"
    with pytest.raises(Refused) as refused:
        seen(Role.ADMIN, Role.WAR_ROOM)
    assert refused.value.code == "roles_exclude"


EXCLUDED = {(Role.ADMIN, other) for other in (Role.WAR_ROOM, Role.POLICE, Role.SATPOL_PP, Role.AUDITOR)}
EXCLUDED |= {(Role.AUDITOR, Role.WAR_ROOM)}


@pytest.mark.parametrize("one", list(Role))
@pytest.mark.parametrize("other", list(Role))
def test_roles_that_exclude_one_another(city: City, one: Role, other: Role) -> None:
    excluded = {(one, other), (other, one)} & EXCLUDED
    user = User(id="x", name="", roles=tuple({one, other}))
    assert in_force(user) == (() if excluded else user.roles)
    if not excluded:
        city.users.add(user, actor="user:ada")
        return
    for act in (
        lambda: city.users.add(user, actor="user:ada"),
        lambda: city.users.change(
            "citra", roles=user.roles, districts=(), agency="", actor="user:ada", reason="x"
        ),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert refused.value.code == "roles_exclude"


def test_an_administrator_belongs_to_no_agency(city: City) -> None:
    with pytest.raises(Refused) as refused:
        city.users.change(
            "ada", roles=(Role.ADMIN,), districts=(), agency="polri", actor="user:budi", reason="x"
        )
    assert refused.value.code == "roles_exclude"


def test_no_other_person_knows_the_password_of_a_privileged_account(city: City) -> None:
    users = city.users
    users.password_set("citra", actor="os:x", reason="password set")
    users.change("citra", roles=(Role.WAR_ROOM,), districts=(), agency="", actor="user:ada", reason="x")
    users.end_sessions("citra", actor="os:x", reason="invitation accepted")
    assert refusal(city, "citra", "user:budi") == "invitation_needed"
    users.end_sessions("citra", actor="user:citra", reason="invitation accepted")
    assert refusal(city, "citra", "user:budi") == ""
    for name in ("citra", "ada"):
        with pytest.raises(Refused):
            users.check_password_may_be_set(users.user(name))
    city.passwords.clear()
    users.check_password_may_be_set(users.user("ada"))


def test_a_record_of_the_first_version_is_read(city: City) -> None:
    old = {
        "name": "", "roles": ["admin", "war_room"], "districts": [], "agency": "", "issuer": "",
        "subject": "", "enabled": 1, "epoch": 0,
    }  # fmt: skip
    user = from_state("old", old)
    assert (user.roles, user.proposed, user.hosts, user.founder) == (
        (Role.ADMIN, Role.WAR_ROOM), (), (), False
    )  # fmt: skip
    assert in_force(user) == ()
    city.ledger.append("user", "old", old, expected=0, actor="user:ada", action="user.added")
    entry = {"expected": 1, "actor": "os:ada", "action": "user.sessions_ended", "reason": "password set"}
    city.clock.advance(WINDOW)
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:old") == ""
    city.ledger.append("user", "old", old, **entry)
    assert city.code(Decision.POLICY_APPROVE, "user:ada", "user:old") == "persons_tied"
