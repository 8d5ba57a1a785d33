"""API tokens as the ledger records them: the machine, its rights and the end. Never the token itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.timespan import format_instant, parse_instant

KIND = "token"
"""The ledger kind of API tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScope:
    """What a token may do. A field of None means no limit. Times are in µs of UTC.

    An empty set allows nothing.
    """

    actions: frozenset[str] | None = None
    districts: frozenset[str] | None = None
    expires_at: int | None = None


def to_json(scope: TokenScope) -> JsonObject:
    """The scope as the ledger and the token file hold it; fields of None are left out."""
    written: JsonObject = {}
    if scope.actions is not None:
        written["actions"] = sorted(scope.actions)
    if scope.districts is not None:
        written["districts"] = sorted(scope.districts)
    if scope.expires_at is not None:
        written["expires_at"] = format_instant(scope.expires_at)
    return written


def from_json(value: Mapping[str, Any]) -> TokenScope:
    """Read a scope back. Raises Malformed ``bad_token_scope``: an unreadable scope allows nothing."""
    try:
        return TokenScope(
            actions=_names(value, "actions"),
            districts=_names(value, "districts"),
            expires_at=parse_instant(value["expires_at"]) if "expires_at" in value else None,
        )
    except (TypeError, AttributeError, Malformed) as error:
        raise Malformed(f"the scope of a token cannot be read: {error}", code="bad_token_scope") from error


def _names(value: Mapping[str, Any], field: str) -> frozenset[str] | None:
    if field not in value:
        return None
    names = value[field]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{field} is not a list of names")
    return frozenset(names)
