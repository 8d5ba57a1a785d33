"""People of a city at a test installation, each with a session cookie as a browser would send it."""

import secrets
from collections.abc import Iterable
from pathlib import Path

from api.auth.people import People
from api.auth.sessions import Session
from archive.cases.people.grants import Grants
from archive.cases.people.users import Users
from archive.model.grant import Grant, Right
from archive.model.user import Role, User
from archive.timespan import DAY, Timespan
from ops import accounts
from ops.settings import Settings
from ops.wiring import Site as Installation
from tests.support.api_site import Caller, Site

PURPOSE = "LP/B/123/XI/2026"
OURS = {"Saksi-Request": "1"}
"""What a page of ours sends with a change."""


def people(site: Site) -> People:
    """The site's sign-in."""
    assert site.services.people is not None
    return site.services.people


def users_of(site: Site) -> Users:
    """The site's accounts in the ledger."""
    return Users(site.services.ledger, site.clock)


def add_account(users: Users, user: User) -> User:
    """Add an account whose roles are in force: one person of the host opens it, another consents."""
    added = users.add(user, actor="os:test")
    return users.consent(user.id, actor="os:second", reason="x") if added.proposed else added


def add_person(site: Site, name: str, *roles: Role, districts: Iterable[str] = (), agency: str = "") -> User:
    """Add a person with roles to the ledger."""
    user = User(id=name, name=name.title(), roles=roles, districts=tuple(districts), agency=agency)
    return add_account(users_of(site), user)


def code_for(name: str, one: Caller, other: Caller) -> str:
    """The code of an invitation, whose two halves two administrators are given."""
    first = one("POST", "/v1/invitations", json={"user": name, "reason": "baru"})
    assert first.status_code == 201, first.text
    second = other("POST", "/v1/invitations/second-half", json={"user": name, "reason": "baru"})
    assert second.status_code == 201, second.text
    return f"{first.json()['code']} {second.json()['code']}"


def account_in(home: Path, name: str, role: Role) -> str:
    """Add an account with a role that is in force to an installation; returns its password."""
    with Installation(Settings.load({"SAKSI_HOME": str(home)})) as site:
        add_account(accounts.users_of(site), User(id=name, name="", roles=(role,)))
        password = secrets.token_urlsafe(15)
        accounts.passwords_of(site).put(name, password)
    return password


def cookie_of(site: Site, name: str, purpose: str = PURPOSE) -> str:
    """A person's session, as the value of ``Cookie``."""
    user = users_of(site).user(name)
    now = site.clock.now()
    session = Session(
        id=secrets.token_urlsafe(8),
        user=name,
        epoch=user.epoch,
        begun_at=now,
        seen_at=now,
        checked_at=now,
        purpose=purpose,
    )
    return f"saksi={people(site).cookies.seal(session)}"


def caller(site: Site, name: str, purpose: str = PURPOSE) -> Caller:
    """A caller of the site with a person's session."""
    return Caller(site.app, {"Cookie": cookie_of(site, name, purpose), **OURS})


def grant(
    site: Site,
    person: str,
    cameras: Iterable[str],
    span: Timespan,
    *rights: Right,
    until: int | None = None,
    agency: str = "",
) -> Grant:
    """Open footage to a person, by default for a day; in force at once."""
    given = Grants(site.services.ledger, site.clock).give(
        person=person,
        agency=agency,
        cameras=cameras,
        span=span,
        rights=rights,
        until=site.clock.now() + DAY if until is None else until,
        basis="LP/B/123/XI/2026",
        actor="user:citra",
    )
    catch_up(site)
    return given


def catch_up(site: Site) -> None:
    """Make the site read new people and grants now, as it would within seconds."""
    people(site)._roster.refresh()
