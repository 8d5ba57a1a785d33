"""Nobody decides alone: every decision, over HTTP and at the command line, by every role and relation.

``PROPOSALS`` has a row for each :class:`archive.separation.Decision`. Each route and each command that
changes something is one of those decisions, or is named as the act of one person. So a new one without the
rule fails a test here.
"""

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archive.cases.requests.stream import Filer
from archive.errors import ArchiveError
from archive.lifecycle.breakglass import service as breakglass
from archive.model.custody import Actor
from archive.model.retention import Scope, Terms
from archive.model.token import TokenScope, to_json
from archive.model.user import Role, User
from archive.separation import Decision
from archive.timespan import DAY, Timespan, format_instant
from ops.cli import build
from ops.reference import cli_commands
from ops.wiring import Site as Installation
from tests.support.api_site import CAMERA, T0, Site, open_site
from tests.support.people import add_account, caller, catch_up, users_of
from tests.support.requesting import urgent

DECIDERS = {Role.ADMIN: "d.admin", Role.WAR_ROOM: "d.room"}
SEPARATED = {
    "same_person", "own_account", "own_grant", "persons_tied", "person_unknown", "host_unlinked",
}  # fmt: skip
SPAN = Timespan(T0, T0 + 25_000_000)
WHY = {"reason": "x"}


@dataclass
class City:
    """A site with a decider of each deciding role, and people of every role in every relation to them."""

    site: Site
    home: Path
    asked: int = 0
    accounts: dict[str, Role] = field(default_factory=dict)

    def new(self, what: str) -> str:
        self.asked += 1
        return f"{what}.{self.asked}"

    def add(self, name: str, role: Role) -> str:
        add_account(users_of(self.site), User(id=name, name="", roles=(role,)))
        self.accounts[name] = role
        return f"user:{name}"


def peopled(site: Site, home: Path) -> City:
    """Each decider invited ``opened.R``, and was invited by ``inviter.R``; ``free.R`` is tied to nobody."""
    city, users = City(site, home), users_of(site)
    for role, name in DECIDERS.items():
        city.add(name, role)
        token(site, f"t.{name}", f"user:{name}")
        token(site, f"t2.{name}", f"token:t.{name}")
    for role in Role:
        short = role.value.replace("_", "-")
        for kind in ("opened", "inviter", "free"):
            city.add(f"{kind}.{short}", role)
        for name in DECIDERS.values():
            users.invited(f"opened.{short}", actor=f"user:{name}", reason="x")
            users.invited(name, actor=f"user:inviter.{short}", reason="x")
    catch_up(site)
    return city


def token(site: Site, name: str, maker: str) -> None:
    """Record that a token was made."""
    site.services.ledger.append(
        "token",
        name,
        {**to_json(TokenScope()), "revoked": 0},
        expected=0,
        actor=maker,
        action="token.created",
    )


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    home = tmp_path_factory.mktemp("separation") / "home"
    with open_site(home) as site:
        yield peopled(site, home)


@dataclass(frozen=True)
class Asked:
    """How to decide on something that was proposed: over HTTP and at the command line, if there is a way."""

    path: str = ""
    version: int | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"
    words: tuple[str, ...] = ()


# -- one row for each decision: who proposes what, and how it is decided --------------------------------


def a_shortening(city: City, by: str) -> Asked:
    policies, scope = city.site.services.policies, Scope.parse("default")
    longer = Terms(keep_days_min=60, keep_days_max=None, basis="Perwali", effective_from=0)
    if scope.id not in policies.heads():
        policies.propose(scope, longer, actor="os:x", reason="x")
    elif policies.record(scope).policy.proposal is not None:
        policies.reject(scope, actor="os:x", reason="x")
    shorter = Terms(keep_days_min=30, keep_days_max=60, basis="Perwali", effective_from=0)
    made = policies.propose(scope, shorter, actor=by, reason="x")
    return Asked(
        "/v1/retention/policies/default/approve", made.version, {},
        words=("retention", "approve", "default", "--version", str(made.version)),
    )  # fmt: skip


def a_release(city: City, by: str) -> Asked:
    holds = city.site.services.holds
    placed = holds.place(
        cameras=[CAMERA], span=SPAN, case="LP/1", owner="Polri", basis="KUHAP", actor="os:x",
        review_at=T0 + 30 * DAY,
    )  # fmt: skip
    made = holds.propose_release(placed.hold.id, actor=by, reason="x")
    path = f"/v1/holds/{placed.hold.id}/release/approve"
    return Asked(path, made.entry.version, {}, words=("hold", "approve-release", placed.hold.id))


def filed(city: City, by: str) -> str:
    form = urgent(start=format_instant(SPAN.start), end=format_instant(SPAN.end))
    filer = Filer(id=by, agency=city.new("agency"))
    return city.site.services.requests.filing.file(form, filer).request.id


def an_approval(city: City, by: str) -> Asked:
    name = filed(city, by)
    words = ("request", "approve", name, "--version", "1")
    return Asked(f"/v1/requests/{name}/approve", 1, WHY, words=words)


def a_rejection(city: City, by: str) -> Asked:
    name = filed(city, by)
    words = ("request", "reject", name, "--version", "1", "--reason", "x")
    return Asked(f"/v1/requests/{name}/reject", 1, WHY, words=words)


def a_limit(city: City, by: str) -> Asked:
    return Asked(f"/v1/requests/{filed(city, by)}/limit", 1, {"camera_hours": 900, **WHY})


def a_handover(city: City, by: str) -> Asked:
    return Asked(f"/v1/requests/{filed(city, by)}/handover", 1, {})


def a_closing(city: City, by: str) -> Asked:
    return Asked(f"/v1/requests/{filed(city, by)}/close", 1, {"hold": "release", **WHY})


def an_order(city: City, by: str) -> Asked:
    order = breakglass.place_order(
        city.site.services.ledger, city.site.clock, number="1", authority="PN", basis="UU", actor=by,
        cameras=[CAMERA], span=SPAN,
    )  # fmt: skip
    return Asked(words=("break-glass", "approve", order.id, "--reason", "x"))


def a_role(city: City, by: str) -> Asked:
    name = city.new("baru")
    users_of(city.site).add(User(id=name, name="", roles=(Role.WAR_ROOM,)), actor=by)
    return Asked(f"/v1/users/{name}/consent", 1, WHY, words=("user", "consent", name))


def an_invitation(city: City, by: str) -> Asked:
    name, administration = city.new("tamu"), city.site.services.administration
    assert administration is not None
    users_of(city.site).add(User(id=name, name="", roles=(Role.POLICE,)), actor="os:x")
    administration.invite(name, actor=by)
    words = ("user", "complete-invitation", name)
    return Asked("/v1/invitations/second-half", None, {"user": name, **WHY}, words=words)


def a_grant(city: City, by: str) -> Asked:
    """Here the person whom it favours stands for the proposer."""
    name = by.removeprefix("user:")
    until, basis = format_instant(city.site.clock.now() + DAY), "LP/1"
    span = {"from": format_instant(SPAN.start), "to": format_instant(SPAN.end)}
    body = {"person": name, "cameras": [CAMERA], "rights": ["view"], "until": until, "basis": basis, **span}
    words = ("grant", "give", "--person", name, "--camera", CAMERA, "--until", until, "--basis", basis)
    return Asked("/v1/grants", None, body, words=(*words, "--from", span["from"], "--to", span["to"]))


def a_change(city: City, by: str) -> Asked:
    name = by.removeprefix("user:")
    version = users_of(city.site).head(name).entry.version
    words = ("user", "change", name, "--role", "admin", "--role", "kecamatan", "--district", "73.71.01")
    return Asked(f"/v1/users/{name}", version, {"districts": ["73.71.01"], **WHY}, "PATCH", words)


def a_link(city: City, by: str) -> Asked:
    name = by.removeprefix("user:")
    return Asked(words=("user", "link", name, "--host", "other"))


def a_sound(city: City, by: str) -> Asked:
    registry = city.site.services.registry
    registry.end_sound(CAMERA, actor="os:x", reason="x")
    registry.propose_sound(CAMERA, actor=by, reason="x")
    version = registry.head(CAMERA).entry.version
    words = ("camera", "approve-audio", CAMERA, "--version", str(version))
    return Asked(f"/v1/cameras/{CAMERA}/audio/approve", version, {}, words=words)


Propose = Callable[[City, str], Asked]

PROPOSALS: Mapping[Decision, tuple[Role, Propose]] = {
    Decision.POLICY_APPROVE: (Role.ADMIN, a_shortening),
    Decision.HOLD_RELEASE: (Role.ADMIN, a_release),
    Decision.REQUEST_APPROVE: (Role.WAR_ROOM, an_approval),
    Decision.REQUEST_REJECT: (Role.WAR_ROOM, a_rejection),
    Decision.REQUEST_RAISE_LIMIT: (Role.WAR_ROOM, a_limit),
    Decision.REQUEST_HAND_OVER: (Role.WAR_ROOM, a_handover),
    Decision.REQUEST_CLOSE: (Role.WAR_ROOM, a_closing),
    Decision.BREAK_GLASS_APPROVE: (Role.ADMIN, an_order),
    Decision.ACCOUNT_CONSENT: (Role.ADMIN, a_role),
    Decision.ACCOUNT_CHANGE: (Role.ADMIN, a_change),
    Decision.ACCOUNT_LINK: (Role.ADMIN, a_link),
    Decision.INVITATION_COMPLETE: (Role.ADMIN, an_invitation),
    Decision.GRANT_GIVE: (Role.WAR_ROOM, a_grant),
    Decision.SOUND_ALLOW: (Role.ADMIN, a_sound),
}
ABOUT_ONESELF = {Decision.ACCOUNT_CHANGE, Decision.ACCOUNT_LINK}
NAMES_AN_ACCOUNT = {*ABOUT_ONESELF, Decision.GRANT_GIVE}


def tied_people(decision: Decision, decider: str) -> list[str]:
    """Everybody on whose proposal the decider may not decide."""
    names = [f"user:{decider}"]
    if decision not in NAMES_AN_ACCOUNT:
        names += [f"os:{decider}", f"os:root(login:{decider})", f"token:t.{decider}", f"token:t2.{decider}"]
    if decision in ABOUT_ONESELF:
        return names
    roles = [Role.POLICE, Role.SATPOL_PP] if decision is Decision.GRANT_GIVE else list(Role)
    return names + [
        f"user:{kind}.{role.value.replace('_', '-')}" for kind in ("opened", "inviter") for role in roles
    ]


def refusals(decision: Decision) -> set[str]:
    """The codes that keep somebody from deciding. Nobody who gives grants can receive one over HTTP."""
    return SEPARATED | {"bad_grant"} if decision is Decision.GRANT_GIVE else SEPARATED


def by_http(city: City, name: str, asked: Asked) -> str:
    """The code of the refusal; "" if the decision was taken."""
    headers = {} if asked.version is None else {"If-Match": f'"{asked.version}"'}
    answer = caller(city.site, name)(asked.method, asked.path, json=dict(asked.body), headers=headers)
    return "" if answer.is_success else str(answer.json()["code"])


def by_command(city: City, name: str, asked: Asked, monkeypatch: pytest.MonkeyPatch) -> str:
    """As :func:`by_http`, for the owner of the account, who signed in to the host and uses sudo."""
    who = Actor(id=f"os:root(login:{name})", address="local", role="host")
    monkeypatch.setenv("SAKSI_HOME", str(city.home))
    monkeypatch.setattr("ops.cli.options.host_actor", lambda *_: who)
    monkeypatch.setattr(
        "ops.cli.options.Site", lambda settings, memory: Installation(settings, city.site.clock)
    )
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            build()(args=list(asked.words), prog_name="saksi", standalone_mode=False)
    except ArchiveError as error:
        return error.code
    return ""


def test_every_decision_has_a_row() -> None:
    assert set(PROPOSALS) == set(Decision)


@pytest.mark.parametrize("decision", list(Decision))
def test_over_http_nobody_decides_alone(city: City, decision: Decision) -> None:
    role, propose = PROPOSALS[decision]
    name = DECIDERS[role]
    if not propose(city, f"user:{name}").path:
        return  # only the host has it
    asking = tied_people(decision, name)
    took = [by for by in asking if by_http(city, name, propose(city, by)) not in refusals(decision)]
    assert took == []


@pytest.mark.parametrize("decision", list(Decision))
def test_at_the_command_line_nobody_decides_alone(
    city: City, decision: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, propose = PROPOSALS[decision]
    name = DECIDERS[role]
    if not propose(city, f"user:{name}").words:
        return  # only the API has it
    asking = tied_people(decision, name)
    some = [*asking[:5], *(by for by in asking[5:] if by.endswith((".police", ".admin")))]
    took = [
        by for by in some if by_command(city, name, propose(city, by), monkeypatch) not in refusals(decision)
    ]
    assert took == []


@pytest.mark.parametrize("decision", sorted(set(Decision) - ABOUT_ONESELF))
def test_another_person_who_is_tied_to_nobody_decides(
    city: City, decision: Decision, monkeypatch: pytest.MonkeyPatch
) -> None:
    role, propose = PROPOSALS[decision]
    by = "user:free.police" if decision is Decision.GRANT_GIVE else "user:free.admin"
    asked = propose(city, by)
    if asked.path:
        assert by_http(city, DECIDERS[role], asked) not in SEPARATED
    if asked.words:
        assert by_command(city, DECIDERS[role], propose(city, by), monkeypatch) not in SEPARATED


# -- what one person may do ----------------------------------------------------------------------------

ROUTES: Mapping[str, Decision] = {
    "approve_policy": Decision.POLICY_APPROVE,
    "approve_release": Decision.HOLD_RELEASE,
    "approve_request": Decision.REQUEST_APPROVE,
    "reject_request": Decision.REQUEST_REJECT,
    "raise_limit": Decision.REQUEST_RAISE_LIMIT,
    "hand_over": Decision.REQUEST_HAND_OVER,
    "close_request": Decision.REQUEST_CLOSE,
    "consent": Decision.ACCOUNT_CONSENT,
    "change_user": Decision.ACCOUNT_CHANGE,
    "reopen_account": Decision.ACCOUNT_CHANGE,
    "complete_invitation": Decision.INVITATION_COMPLETE,
    "give_grant": Decision.GRANT_GIVE,
    "approve_audio": Decision.SOUND_ALLOW,
}
COMMANDS: Mapping[str, Decision] = {
    "retention approve": Decision.POLICY_APPROVE,
    "hold approve-release": Decision.HOLD_RELEASE,
    "request approve": Decision.REQUEST_APPROVE,
    "request reject": Decision.REQUEST_REJECT,
    "break-glass approve": Decision.BREAK_GLASS_APPROVE,
    "user consent": Decision.ACCOUNT_CONSENT,
    "user change": Decision.ACCOUNT_CHANGE,
    "user enable": Decision.ACCOUNT_CHANGE,
    "user link": Decision.ACCOUNT_LINK,
    "user complete-invitation": Decision.INVITATION_COMPLETE,
    "grant give": Decision.GRANT_GIVE,
    "camera approve-audio": Decision.SOUND_ALLOW,
}
ALONE_OVER_HTTP = frozenset(
    # A camera's facts; asking and searching; proposing for a second person; keeping footage longer; taking
    # back what was proposed; one's own session, request and receipt; access that is narrowed or ended; a
    # token that decides nothing; the end of an incident, which stays on record.
    """accept_invitation add_camera add_paper amend_request begin_download cancel_request change_export
    change_password order_export
    order_trial
    close_account close_integrity_incident comment_on_request confirm disable_camera edit_camera enable_camera
    end_sessions extend_hold file_request import_cameras invite make_token open_account place_hold
    plan_retention propose_policy propose_release refuse reject_policy request_evidence review_hold
    revoke_grant revoke_token search_by_form set_audio set_purpose sign_in sign_out upload_paper
    verify_evidence withdraw_policy withdraw_release""".split()
)


def test_every_route_that_changes_something_is_judged(city: City) -> None:
    found = {
        route.endpoint.__name__
        for route in city.site.app.routes
        if getattr(route, "methods", set()) & {"POST", "PUT", "PATCH", "DELETE"}
    }
    assert sorted(found - set(ROUTES) - ALONE_OVER_HTTP) == []
    assert sorted((set(ROUTES) | ALONE_OVER_HTTP) - found) == []


ALONE_ON_THE_HOST = frozenset(
    # The same, and: running, reading and checking the archive, its keys and its store. "break-glass execute"
    # judges the two people of an approved order again.
    {
        f"{group} {name}".strip()
        for group, names in {
            "": "activity backfill clip doctor import init proxy record recordings seal search serve spool"
            " timeline up verify verify-build work",
            "archive": "check orphans pressure",
            "break-glass": "execute order show",
            "camera": "add audio compliance disable discover edit enable export import list moves"
            " password show",
            "custody": "show",
            "evidence": "download list request show",
            "export": "cancel download follow list pause resume show start",
            "fixity": "run status",
            "grant": "list revoke show",
            "health": "cameras recorders",
            "hold": "extend list place release review show sweep tidy withdraw-release",
            "index": "rebuild status sync",
            "integrity-incident": "close list show",
            "keys": "complete csr discard import import-crl init list protect publish recorders renew-crl"
            " revoke rotate show",
            "log": "make prove show verify",
            "notice": "status test",
            "places": "list",
            "recorders": "districts drain list replaced undrain weight",
            "request": "cancel file handover-report list show",
            "retention": "apply dispositions explain plan policies propose record reject show withdraw",
            "stack": "down env status up",
            "store": "accounts canary provision proxy",
            "token": "create list revoke",
            "user": "add disable invite list password refuse show sign-out viewers",
        }.items()
        for name in names.split()
    }
)


def test_every_command_is_judged() -> None:
    found = {path.removeprefix("saksi ") for path, _ in cli_commands()}
    assert sorted(found - set(COMMANDS) - ALONE_ON_THE_HOST) == []
    assert sorted((set(COMMANDS) | ALONE_ON_THE_HOST) - found) == []


def test_every_decision_is_reached_by_a_route_or_a_command() -> None:
    assert set(ROUTES.values()) | set(COMMANDS.values()) == set(Decision)
