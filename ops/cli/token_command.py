"""``saksi token``: who may use the HTTP API."""

from typing import Annotated

import typer

from ops.cli.options import Json, open_site
from ops.cli.output import note, print_json, say
from ops.tokens import token_file

app = typer.Typer(help="Tokens of the HTTP API; only their hashes are kept.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Appears in the custody record.")]


@app.command()
def create(name: Name, json_: Json = False) -> None:
    """Make a token and print it: the only time it can be seen."""
    with open_site() as site:
        token = token_file(site).create(name, site.clock)
    if json_:
        print_json({"name": name, "token": token})
        return
    note("Keep it now: it cannot be shown again.")
    say(token)


@app.command("list")
def list_(json_: Json = False) -> None:
    """List the names of all tokens."""
    with open_site() as site:
        tokens = token_file(site)
        names = tokens.names() if tokens.exists() else []
    if json_:
        print_json({"tokens": names})
        return
    for name in names:
        say(name)


@app.command()
def revoke(name: Name) -> None:
    """Revoke a token; it stops working with the next request."""
    with open_site() as site:
        token_file(site).revoke(name)
    say(f"Token {name} is revoked")
