"""Where the API's tokens lie: hashes only, beside the other keys and outside the archive.

The file decides who is let in. Beside it the ledger has one ``token`` stream a name: who made it, with which
scope, and who revoked it; never the token or its hash. A token's name can be used anew after it was revoked.
"""

from api.auth.tokens import TokenFile
from archive.errors import NotFound
from archive.model.token import KIND, TokenScope, to_json
from ops.wiring import Site

FIRST = "first"


def token_file(site: Site) -> TokenFile:
    """The tokens of this installation."""
    return TokenFile(site.settings.keys_dir / "api-tokens.json", site.clock)


def first_token(site: Site) -> str | None:
    """Make the first token where there is none, and give it: the only time anyone sees it."""
    tokens = token_file(site)
    return None if tokens.exists() else tokens.create(FIRST, site.clock)


def create_token(site: Site, name: str, scope: TokenScope, *, actor: str) -> str:
    """Make a token, and put on record that it was made. Raises as the file and the ledger.

    The record comes last: a token without one can be revoked, a record without one would be a lie.
    """
    token = token_file(site).create(name, site.clock, scope)
    _record(site, name, scope, action="token.created", actor=actor)
    return token


def revoke_token(site: Site, name: str, *, actor: str) -> None:
    """Revoke a token, and put it on record. Raises as the file and the ledger."""
    scope = next((one.scope for one in token_file(site).known() if one.name == name), TokenScope())
    token_file(site).revoke(name)
    _record(site, name, scope, action="token.revoked", actor=actor)


def _record(site: Site, name: str, scope: TokenScope, *, action: str, actor: str) -> None:
    try:
        version = site.ledger.head(KIND, name).version
    except NotFound:
        version = 0
    state = {**to_json(scope), "revoked": int(action == "token.revoked")}
    site.ledger.append(KIND, name, state, expected=version, actor=actor, action=action)
