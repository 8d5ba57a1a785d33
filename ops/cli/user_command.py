"""``saksi user``: people who sign in, and their rights."""

import secrets
from typing import TYPE_CHECKING, Annotated

import typer

from archive.canonical import JsonObject
from archive.cases.people.listing import all_users
from archive.lifecycle.retention.answers import history_json
from archive.model.user import User, parse_role
from archive.timespan import format_instant, parse_instant
from ops.cli.options import Json, actor, district_codes, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.cli.times import time_text, zone_of_city
from ops.following import follow_once
from ops.wiring import Site

if TYPE_CHECKING:
    from api.auth.account_administration import AccountAdministration
    from api.auth.invitations import Invitation

app = typer.Typer(help="People who sign in: roles, districts, local passwords.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Appears in the custody record.")]
Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        metavar="ROLE",
        help="admin, war_room, kecamatan, police, satpol_pp, auditor. May be repeated.",
    ),
]
Districts = Annotated[
    list[str] | None,
    typer.Option(
        "--district",
        metavar="CODE",
        help="Kecamatan of the role kecamatan, by code or name. May be repeated.",
    ),
]
Agency = Annotated[str, typer.Option("--agency", metavar="TEXT", help="The agency whose grants they share.")]
Generate = Annotated[
    bool,
    typer.Option("--generate", help="Generate a password and print it once, instead of prompting for one."),
]
Invite = Annotated[
    bool, typer.Option("--invite", help="Print a code, once, with which the person chooses a password.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]
At = Annotated[str, typer.Option("--at", metavar="T", help="When; RFC 3339 with offset. Without it: now.")]
FootageAt = Annotated[
    str, typer.Option("--footage-at", metavar="T", help="Time of the footage. Without it: the same as --at.")
]


@app.command()
def add(
    name: Name,
    role: Roles,
    district: Districts = None,
    agency: Agency = "",
    full_name: Annotated[
        str, typer.Option("--full-name", metavar="TEXT", help="The person's full name.")
    ] = "",
    generate: Generate = False,
    invite: Invite = False,
    reason: Reason = "",
    json_: Json = False,
) -> None:
    """Add a local account; its password is prompted for, generated, or chosen by invitation."""
    user = User(
        id=name,
        name=full_name,
        roles=tuple(dict.fromkeys(parse_role(text) for text in role)),
        districts=district_codes(district or ()),
        agency=agency,
    )
    if invite:
        with open_site() as site:
            administration = _administration(site)
            added = administration.open_account(user, actor=actor().id, reason=reason)
            invitation = administration.invite(name, actor=actor().id)
        _note_proposed(added)
        _tell_invitation(site, invitation, json_)
        return
    password = _password(name, generate=generate)
    with open_site() as site:
        administration = _administration(site)
        administration.users.check_may_have_password(user, actor=actor().id)
        added = administration.open_account(user, actor=actor().id, reason=reason)
        administration.set_password(name, password, actor=actor().id)
    _tell(f"{name} can sign in", password if generate else "", added, json_)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List all people with roles and districts; roles in brackets wait for consent."""
    with open_site() as site:
        follow_once(site)
        page = all_users(site.index)
    found = [user for user, _ in page.items]
    if json_:
        print_json({"users": [_json(user) for user in found], "as_of": page.as_of_text})
        return
    print_table(
        ("NAME", "ROLES", "DISTRICTS", "AGENCY", "SIGNS IN", "STATE"),
        [
            (
                user.id,
                " ".join((*user.roles, *(f"({role})" for role in user.proposed))),
                " ".join(user.districts),
                user.agency,
                "here" if user.is_local else user.issuer,
                "enabled" if user.enabled else "disabled",
            )
            for user in found
        ],
    )


@app.command()
def show(name: Name, json_: Json = False) -> None:
    """Show one person, how they sign in, and the history of the account."""
    with open_site() as site:
        administration = _administration(site)
        head = administration.users.head(name)
        signs_in, history = administration.signs_in(head.user) or "none", administration.users.history(name)
    if json_:
        print_json({**_json(head.user), "signs_in": signs_in, "history": history_json(history)})
        return
    _note_proposed(head.user)
    state = "enabled" if head.user.enabled else "disabled"
    say(f"{name}  {' '.join(head.user.roles) or 'no role'}  {state}, signs in: {signs_in}")
    print_table(
        ("AT", "BY", "WHAT", "WHY"),
        [(time_text(one.at, zone_of_city(site)), one.actor, one.action, one.reason) for one in history],
    )


@app.command()
def invite(name: Name, reason: Reason = "", json_: Json = False) -> None:
    """Print the first half of a code with which a person chooses the password of their local account.

    Another person prints the second half: saksi user complete-invitation. The code works once, for three
    days; a newer code replaces it.
    """
    with open_site() as site:
        invitation = _administration(site).invite(name, actor=actor().id, reason=reason)
    _tell_invitation(site, invitation, json_)


@app.command("complete-invitation")
def complete_invitation(name: Name, reason: Reason = "", json_: Json = False) -> None:
    """Print the second half of a code, for a person who is not the one who has the first half."""
    with open_site() as site:
        invitation = _administration(site).complete_invitation(name, actor=actor().id, reason=reason)
    _tell_invitation(site, invitation, json_)


@app.command()
def consent(name: Name, reason: Reason = "") -> None:
    """Consent, as a second person, to roles that were proposed for an account."""
    with open_site() as site:
        after = _administration(site).consent(name, actor=actor().id, reason=reason)
    say(f"{name} has: {' '.join(after.roles)}")


@app.command()
def refuse(name: Name, reason: Reason = "") -> None:
    """Drop roles that were proposed for an account."""
    with open_site() as site:
        _administration(site).refuse(name, actor=actor().id, reason=reason)
    say(f"the roles proposed for {name} are dropped")


@app.command()
def link(
    name: Name,
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="The person's account on the host.")],
    reason: Reason = "",
) -> None:
    """Put on record under which name a person acts on the host; another person does it."""
    with open_site() as site:
        _administration(site).users.link(name, host, actor=actor().id, reason=reason)
    say(f"{host} on the host is {name}")


@app.command()
def change(
    name: Name, role: Roles, district: Districts = None, agency: Agency = "", reason: Reason = ""
) -> None:
    """Change roles and districts of a local account; the OpenID provider sets those of other accounts."""
    with open_site() as site:
        after = _administration(site).change(
            name,
            roles=tuple(dict.fromkeys(parse_role(text) for text in role)),
            districts=district_codes(district or ()),
            agency=agency,
            actor=actor().id,
            reason=reason,
        )
    say(f"{name} is changed; the change applies within seconds")
    _note_proposed(after)


@app.command()
def password(name: Name, generate: Generate = False, json_: Json = False) -> None:
    """Give a local account a new password; its sessions end."""
    with open_site() as site:
        administration = _administration(site)
        user = administration.require_local(name)
        administration.users.check_password_may_be_set(user)
        fresh = _password(name, generate=generate)
        administration.set_password(name, fresh, actor=actor().id)
    _tell(f"{name} has a new password", fresh if generate else "", user, json_)


@app.command()
def disable(name: Name, reason: Reason = "") -> None:
    """Disable a person's sign-in, local or OpenID; their sessions end and their tokens are revoked."""
    with open_site() as site:
        _, revoked = _administration(site).close_account(name, actor=actor().id, reason=reason)
    say(f"{name} is disabled" + (f"; revoked: {' '.join(revoked)}" if revoked else ""))


@app.command()
def enable(name: Name, reason: Reason = "") -> None:
    """Let a person sign in again; their earlier sessions and tokens stay ended."""
    with open_site() as site:
        after = _administration(site).reopen_account(name, actor=actor().id, reason=reason)
    say(f"{name} is enabled")
    _note_proposed(after)


@app.command("sign-out")
def sign_out(name: Name, reason: Reason = "") -> None:
    """End every session of a person; they may sign in again."""
    with open_site() as site:
        _administration(site).end_sessions(name, actor=actor().id, reason=reason)
    say(f"the sessions of {name} are ended")


@app.command()
def viewers(
    camera: Annotated[str, typer.Argument(metavar="CAMERA")],
    at: At = "",
    footage_at: FootageAt = "",
    json_: Json = False,
) -> None:
    """List who could see a camera's footage: by role, district, grant, or a token's scope."""
    from api.auth.viewers import who_could_see
    from ops.tokens import machines_of

    with open_site() as site:
        moment = parse_instant(at) if at else site.clock.now()
        found = who_could_see(
            site.ledger,
            site.registry.history(camera),
            machines_of(site).known(),
            camera=site.registry.camera(camera).id,
            at=moment,
            footage_at=parse_instant(footage_at) if footage_at else moment,
        )
        named = {"kecamatan_name": site.areas.name(found["kecamatan"])}
    if json_:
        print_json(found | named)
        return
    print_table(
        ("WHO", "ROLES", "AGENCY", "COULD", "BY"),
        [
            (
                one["who"],
                " ".join(one["roles"]),
                one["agency"],
                sight["action"],
                sight["grant"] or sight["by"],
            )
            for one in found["viewers"]
            for sight in one["sights"]
        ],
    )


def _administration(site: Site) -> "AccountAdministration":
    from ops.accounts import administration_of
    from ops.tokens import machines_of

    return administration_of(site, machines_of(site))


def _password(name: str, *, generate: bool) -> str:
    from api.auth.passwords import check_password

    if generate:
        return secrets.token_urlsafe(15)
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    check_password(name, asked)
    return asked


def _note_proposed(user: User) -> None:
    if user.proposed:
        roles = " ".join(user.proposed)
        note(f"These roles wait until another person consents: {roles}. saksi user consent {user.id}")


def _tell(sentence: str, password: str, user: User, json_: bool) -> None:
    if json_:
        print_json({**_json(user), **({"password": password} if password else {})})
        return
    note(sentence)
    _note_proposed(user)
    if password:
        note("The password, shown only now:")
        say(password)


def _tell_invitation(site: Site, invitation: "Invitation", json_: bool) -> None:
    from api.auth.invitations import FIRST, SECOND

    if json_:
        expires = format_instant(invitation.expires_at)
        print_json({"user": invitation.user, "code": invitation.code, "expires_at": expires})
        return
    until = time_text(invitation.expires_at, zone_of_city(site))
    note(f"{invitation.user} chooses a password with this code until {until}; it is shown only now.")
    if SECOND not in invitation.code:
        note(
            "It is the first half. Another person prints the second:"
            f" saksi user complete-invitation {invitation.user}"
        )
    elif FIRST not in invitation.code:
        note("It is the second half; it follows the first.")
    say(invitation.code)


def _json(user: User) -> JsonObject:
    return {
        "name": user.id,
        "full_name": user.name,
        "roles": [role.value for role in user.roles],
        "proposed": [role.value for role in user.proposed],
        "districts": list(user.districts),
        "agency": user.agency,
        "issuer": user.issuer,
        "hosts": list(user.hosts),
        "enabled": user.enabled,
    }
