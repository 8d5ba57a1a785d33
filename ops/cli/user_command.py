"""``saksi user``: people who sign in, and what is granted to them."""

import secrets
from typing import Annotated

import typer

from archive.canonical import JsonObject
from archive.errors import Refused
from archive.model.user import User, parse_role
from ops.cli.options import Json, actor, open_site
from ops.cli.output import note, print_json, print_table, say
from ops.wiring import Site

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
    typer.Option("--district", metavar="CODE", help="Kecamatan of the role kecamatan. May be repeated."),
]
Agency = Annotated[str, typer.Option("--agency", metavar="TEXT", help="Whose grants they share.")]
Generate = Annotated[
    bool, typer.Option("--generate", help="Draw a password and print it once, instead of asking for one.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why, for the record.")]


@app.command()
def add(
    name: Name,
    role: Roles,
    district: Districts = None,
    agency: Agency = "",
    full_name: Annotated[str, typer.Option("--full-name", metavar="TEXT", help="As people call them.")] = "",
    generate: Generate = False,
    reason: Reason = "",
    json_: Json = False,
) -> None:
    """Add a local account; its password is asked for or drawn, and never shown again."""
    from ops.accounts import passwords_of, users_of

    user = User(
        id=name,
        name=full_name,
        roles=tuple(dict.fromkeys(parse_role(text) for text in role)),
        districts=tuple(dict.fromkeys(district or ())),
        agency=agency,
    )
    password = _password(name, generate=generate)
    with open_site() as site:
        users_of(site).add(user, actor=actor().id, reason=reason)
        passwords_of(site).put(name, password)
    _tell(f"{name} can sign in", password if generate else "", user, json_)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List everybody with roles and districts."""
    from ops.accounts import users_of

    with open_site() as site:
        found = users_of(site).users()
    if json_:
        print_json({"users": [_json(user) for user in found]})
        return
    print_table(
        ("NAME", "ROLES", "DISTRICTS", "AGENCY", "SIGNS IN", "STATE"),
        [
            (
                user.id,
                " ".join(user.roles),
                " ".join(user.districts),
                user.agency,
                "here" if user.is_local else user.issuer,
                "enabled" if user.enabled else "disabled",
            )
            for user in found
        ],
    )


@app.command()
def change(
    name: Name, role: Roles, district: Districts = None, agency: Agency = "", reason: Reason = ""
) -> None:
    """Give a local account other roles and districts; for all others the OpenID provider says them."""
    from ops.accounts import users_of

    with open_site() as site:
        _require_local(site, name)
        users_of(site).change(
            name,
            roles=tuple(dict.fromkeys(parse_role(text) for text in role)),
            districts=tuple(dict.fromkeys(district or ())),
            agency=agency,
            actor=actor().id,
            reason=reason,
        )
    say(f"{name} is changed; it holds within seconds")


@app.command()
def password(name: Name, generate: Generate = False, json_: Json = False) -> None:
    """Give a local account a new password; its sessions end."""
    from ops.accounts import passwords_of, users_of

    with open_site() as site:
        user = _require_local(site, name)
        fresh = _password(name, generate=generate)
        passwords_of(site).put(name, fresh)
        users_of(site).end_sessions(name, actor=actor().id, reason="password set")
    _tell(f"{name} has a new password", fresh if generate else "", user, json_)


@app.command()
def disable(name: Name, reason: Reason = "") -> None:
    """Let somebody in no more, whoever keeps their password; their sessions end within seconds."""
    from ops.accounts import users_of

    with open_site() as site:
        users_of(site).disable(name, actor=actor().id, reason=reason)
    say(f"{name} is disabled")


@app.command()
def enable(name: Name, reason: Reason = "") -> None:
    """Let somebody in again."""
    from ops.accounts import users_of

    with open_site() as site:
        users_of(site).enable(name, actor=actor().id, reason=reason)
    say(f"{name} is enabled")


def _require_local(site: Site, name: str) -> User:
    from ops.accounts import users_of

    user = users_of(site).user(name)
    if not user.is_local:
        raise Refused(
            f"{name} signs in through {user.issuer}",
            code="no_password_here",
            hint="Change roles and password there.",
        )
    return user


def _password(name: str, *, generate: bool) -> str:
    from api.auth.passwords import check_password

    if generate:
        return secrets.token_urlsafe(15)
    asked: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    check_password(name, asked)
    return asked


def _tell(sentence: str, password: str, user: User, json_: bool) -> None:
    if json_:
        print_json({**_json(user), **({"password": password} if password else {})})
        return
    note(sentence)
    if password:
        note("The password, shown this once:")
        say(password)


def _json(user: User) -> JsonObject:
    return {
        "name": user.id,
        "full_name": user.name,
        "roles": [role.value for role in user.roles],
        "districts": list(user.districts),
        "agency": user.agency,
        "issuer": user.issuer,
        "enabled": user.enabled,
    }
