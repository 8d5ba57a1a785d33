"""``saksi keys``: the keys of an installation."""

from typing import TYPE_CHECKING

import typer

from archive.timespan import format_instant
from ops.cli.options import Json, open_site
from ops.cli.output import note, print_json, say

if TYPE_CHECKING:
    from ops.keys import KeySet

app = typer.Typer(help="Make and show the keys of this installation.", no_args_is_help=True)


@app.command()
def init(json_: Json = False) -> None:
    """Make a DEVELOPMENT authority, seal key and local timestamp authority."""
    from ops import keys

    with open_site() as site:
        made = keys.init(site.settings.keys_dir, clock=site.clock)
    _print(made, json_=json_)


@app.command()
def complete(json_: Json = False) -> None:
    """Add the log key to a DEVELOPMENT set that was made before there was one."""
    from ops import keys

    with open_site() as site:
        made = keys.complete(site.settings.keys_dir, clock=site.clock)
    _print(made, json_=json_)


@app.command()
def show(json_: Json = False) -> None:
    """Name the trust root, the signer's fingerprint and the timestamp authority."""
    from ops import keys

    with open_site() as site:
        found = keys.show(site.settings.keys_dir, tsa_url=site.settings.tsa_url)
    _print(found, json_=json_)


def _print(found: "KeySet", *, json_: bool) -> None:
    if found.development:
        note("These are DEVELOPMENT keys, made on this machine: evidence sealed with them is not for court.")
    facts = {
        "trust_root": str(found.trust_root),
        "trust_root_sha256": found.root_sha256,
        "signer_subject": found.signer_subject,
        "signer_sha256": found.signer_sha256,
        "signer_not_after": format_instant(int(found.signer_not_after.timestamp()) * 1_000_000),
        "log_sha256": found.log_sha256,
        "log_not_after": None
        if found.log_not_after is None
        else format_instant(int(found.log_not_after.timestamp()) * 1_000_000),
        "tsa": found.tsa,
        "development": found.development,
    }
    if json_:
        print_json(facts)
        return
    for name, value in facts.items():
        say(f"{name:18} {value}")
