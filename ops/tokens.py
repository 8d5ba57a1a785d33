"""The storage of the API's tokens: only hashes, beside the other keys and outside the archive."""

import os
from pathlib import Path

from api.auth.holders import Makers
from api.auth.machines import Machines
from api.auth.tokens import TokenFile
from archive.errors import Unavailable
from archive.model.token import TokenScope
from ops.wiring import Site

FIRST = "first"


def token_file(site: Site, makers: Makers | None = None) -> TokenFile:
    """The tokens of this installation; ``makers`` admits the tokens that accounts made."""
    return TokenFile(site.settings.keys_dir / "api-tokens.json", site.clock, makers)


def machines_of(site: Site, tokens: TokenFile | None = None) -> Machines:
    """The tokens of this installation, with the record of their changes."""
    return Machines(tokens or token_file(site), site.ledger, site.clock)


def first_token(site: Site) -> Path | None:
    """Make the first token if there is none; return the file that holds it, which only the owner can read.

    The token stands nowhere else: what a service prints goes to logs, which others read and which are kept.

    Raises:
        Unavailable: ``first_token_unwritable``: the file cannot be written; no token was made.
    """
    tokens = token_file(site)
    if tokens.exists():
        return None
    path = site.settings.home / "first-token"
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(tokens.create(FIRST, site.clock) + "\n")
    except OSError as error:
        raise Unavailable(
            f"the first token cannot be written to {path}",
            code="first_token_unwritable",
            hint="Check that the folder belongs to the service's user, and that the disk has room.",
        ) from error
    return path


def create_token(site: Site, name: str, scope: TokenScope, *, actor: str) -> str:
    """Make a token, and record that it was made. Raises as :class:`Machines`."""
    return machines_of(site).make(name, scope, actor=actor)


def revoke_token(site: Site, name: str, *, actor: str) -> None:
    """Revoke a token, and record it. Raises as :class:`Machines`."""
    machines_of(site).revoke(name, actor=actor)
