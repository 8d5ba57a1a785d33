"""``saksi token``: which machines may use the HTTP API: actions, districts and expiry."""

from typing import Annotated

import typer

from archive.errors import Malformed
from archive.model.token import TokenScope, to_json
from archive.timespan import parse_instant
from ops.cli.options import Json, actor, district_codes, open_site
from ops.cli.output import note, print_json, say
from ops.cli.times import value_text, zone_of_city
from ops.tokens import create_token, revoke_token, token_file

app = typer.Typer(help="Tokens of the HTTP API; only their hashes are kept.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Appears in the custody record.")]
Actions = Annotated[
    list[str] | None,
    typer.Option("--action", metavar="ACTION", help="A permitted action; may be repeated. Without it: all."),
]
Districts = Annotated[
    list[str] | None,
    typer.Option(
        "--district",
        metavar="CODE",
        help="A permitted district, by code or name; may be repeated. Without it: all.",
    ),
]
Expires = Annotated[
    str, typer.Option("--expires", metavar="T", help="RFC 3339 with offset. Without it: never.")
]


@app.command()
def create(
    name: Name, action: Actions = None, district: Districts = None, expires: Expires = "", json_: Json = False
) -> None:
    """Make a token and print it; it is never shown again."""
    scope = TokenScope(
        actions=_checked(action) if action else None,
        districts=frozenset(district_codes(district)) if district else None,
        expires_at=parse_instant(expires) if expires else None,
    )
    with open_site() as site:
        token = create_token(site, name, scope, actor=actor().id)
    if json_:
        print_json({"name": name, "token": token, **to_json(scope)})
        return
    note("Keep it now: it cannot be shown again.")
    say(token)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List all tokens, each with its limits, if any."""
    with open_site() as site:
        tokens = token_file(site)
        known = tokens.known() if tokens.exists() else ()
    if json_:
        scopes = {one.name: to_json(one.scope) for one in known}
        print_json({"tokens": [one.name for one in known], "scopes": scopes})
        return
    zone = zone_of_city(site)
    for one in known:
        limits = "; ".join(f"{key}: {value_text(value, zone)}" for key, value in to_json(one.scope).items())
        say(f"{one.name}  ({limits})" if limits else one.name)


@app.command()
def revoke(name: Name) -> None:
    """Revoke a token; its next request is refused."""
    with open_site() as site:
        revoke_token(site, name, actor=actor().id)
    say(f"Token {name} is revoked")


def _checked(actions: list[str]) -> frozenset[str]:
    from api.auth.permissions import PERMISSIONS

    unknown = sorted(set(actions) - set(PERMISSIONS))
    if unknown:
        raise Malformed(
            f"there is no action {unknown[0][:40]!r}",
            code="bad_token_scope",
            hint="docs/reference/permissions.md lists them.",
        )
    return frozenset(actions)
