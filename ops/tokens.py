"""Where the API's tokens lie: hashes only, beside the other keys and outside the archive."""

from api.auth.tokens import TokenFile
from ops.wiring import Site

FIRST = "first"


def token_file(site: Site) -> TokenFile:
    """The tokens of this installation."""
    return TokenFile(site.settings.keys_dir / "api-tokens.json")


def first_token(site: Site) -> str | None:
    """Make the first token where there is none, and give it: the only time anyone sees it."""
    tokens = token_file(site)
    return None if tokens.exists() else tokens.create(FIRST, site.clock)
