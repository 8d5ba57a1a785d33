"""Rates for each kind of request: by address before authentication, by person or machine after it."""

from dataclasses import dataclass
from enum import StrEnum

from api.limits.buckets import Rate

_MEDIA = (".mp4", ".m4s", ".ts", ".m3u8", ".jpg", ".png", ".zip")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SEARCH = "/v1/search"
"""A POST there changes nothing: its body is a question."""
_SIGN_IN = frozenset({"/auth/login", "/auth/callback", "/auth/local", "/auth/password", "/auth/invitation"})


class Kind(StrEnum):
    """What is counted together. The first three are counted by address, the others by principal."""

    ADDRESS = "address"
    SIGN_IN = "sign_in"
    STRANGER = "stranger"
    SEARCH = "search"
    MEDIA = "media"
    WRITE = "write"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Requests a minute of each kind; half of them may come at once. 0 means no limit.

    ``address`` counts every request from an address and only stops a flood: many people may share one.
    ``stranger`` counts requests answered 401. ``media`` is playlists, segments, clips, frames, packages;
    ``search`` every other read, ``write`` every request that may change something.
    """

    address: int = 30_000
    sign_in: int = 120
    stranger: int = 120
    search: int = 1_200
    media: int = 6_000
    write: int = 240

    def of(self, kind: Kind) -> Rate:
        """The rate of one kind."""
        per_minute: int = getattr(self, kind.value)
        return Rate(per_minute, max(1, per_minute // 2))


def is_sign_in(path: str) -> bool:
    """Whether a request to this path is a sign-in attempt."""
    return path in _SIGN_IN


def kind_of(method: str, path: str) -> Kind:
    """The kind of an authenticated request."""
    if method not in _SAFE and path != _SEARCH:
        return Kind.WRITE
    return Kind.MEDIA if path.endswith(_MEDIA) else Kind.SEARCH
