"""The storage of the API's tokens: only hashes, beside the other keys and outside the archive."""

from api.auth.holders import Makers
from api.auth.machines import Machines
from api.auth.tokens import TokenFile
from archive.model.token import TokenScope
from ops.wiring import Site

FIRST = "first"


def token_file(site: Site, makers: Makers | None = None) -> TokenFile:
    """The tokens of this installation; ``makers`` admits the tokens that accounts made."""
    return TokenFile(site.settings.keys_dir / "api-tokens.json", site.clock, makers)


def machines_of(site: Site, tokens: TokenFile | None = None) -> Machines:
    """The tokens of this installation, with the record of their changes."""
    return Machines(tokens or token_file(site), site.ledger, site.clock)


def first_token(site: Site) -> str | None:
    """Make the first token if there is none, and return it; it is never shown again."""
    tokens = token_file(site)
    return None if tokens.exists() else tokens.create(FIRST, site.clock)


def create_token(site: Site, name: str, scope: TokenScope, *, actor: str) -> str:
    """Make a token, and record that it was made. Raises as :class:`Machines`."""
    return machines_of(site).make(name, scope, actor=actor)


def revoke_token(site: Site, name: str, *, actor: str) -> None:
    """Revoke a token, and record it. Raises as :class:`Machines`."""
    machines_of(site).revoke(name, actor=actor)
