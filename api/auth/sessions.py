"""Sessions: encrypted cookies; the server keeps nothing but the person's ``epoch`` in the ledger.

A cookie is a Fernet token (AES-128-CBC and HMAC-SHA-256) of a compressed JSON value under a key in a file
beside the other keys. It ends at the absolute limit, when unused for the idle limit, when the person is
disabled, and when their epoch goes up: by sign-out, by a new password, by an administrator.
"""

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from archive.clock import Clock
from archive.errors import Malformed
from archive.timespan import DAY, HOUR, MINUTE, SECOND

MAX_COOKIE = 8192
KNOWN_FOR = 180 * DAY
"""How long a browser is known after the last sign-in with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long sessions and sign-ins last, in µs.

    ``recheck`` is how old the answer of the OpenID provider may be; with the ``max_age`` of the roster it
    bounds how long a person who was disabled, or signed out elsewhere, is still admitted.
    """

    idle: int = 30 * MINUTE
    absolute: int = 12 * HOUR
    recheck: int = 25 * SECOND
    sign_in: int = 10 * MINUTE

    def are_passed(self, session: "Session", now: int) -> bool:
        """Whether a session is over at ``now``.

        A clock that stepped back makes no session younger than its beginning.
        """
        return now >= session.begun_at + self.absolute or now >= session.seen_at + self.idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One sign-in. ``refresh`` is the provider's refresh token; "" for a local account. Times in µs."""

    id: str
    user: str
    epoch: int
    begun_at: int
    seen_at: int
    checked_at: int
    purpose: str = ""
    refresh: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """A sign-in on its way through the provider, bound to one browser."""

    state: str
    nonce: str
    verifier: str
    next: str
    begun_at: int


class CookieBox:
    """Seals and opens cookies. The first key seals; any opens. Raises Malformed ``bad_key_file``."""

    def __init__(self, keys: Sequence[bytes], clock: Clock, limits: Limits) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise Malformed("the cookie key is not a valid key", code="bad_key_file") from error
        self._clock = clock
        self.limits = limits

    def seal(self, session: Session) -> str:
        """A session as a cookie's value."""
        return self._seal("session", asdict(session))

    def open(self, cookie: str) -> Session | None:
        """The session in a cookie; None if the cookie is not ours or the session is over."""
        value = self._open("session", cookie)
        if value is None:
            return None
        session = Session(**value)
        return None if self.limits.are_passed(session, self._clock.now()) else session

    def seal_pending(self, pending: Pending) -> str:
        """A pending sign-in as a cookie's value."""
        return self._seal("pending", asdict(pending))

    def open_pending(self, cookie: str) -> Pending | None:
        """The pending sign-in in a cookie; None if the cookie is not ours or too old."""
        value = self._open("pending", cookie)
        if value is None:
            return None
        pending = Pending(**value)
        return pending if self._clock.now() < pending.begun_at + self.limits.sign_in else None

    def seal_known(self, browsers: Mapping[str, str]) -> str:
        """The accounts that signed in with a browser, each with a random text, as a cookie's value."""
        return self._seal("known", {"at": self._clock.now(), "browsers": dict(browsers)})

    def open_known(self, cookie: str | None) -> dict[str, str]:
        """What :meth:`seal_known` sealed; empty if the cookie is missing, not ours or too old."""
        value = self._open("known", cookie) if cookie else None
        if value is None or self._clock.now() >= value["at"] + KNOWN_FOR:
            return {}
        return {str(user): str(text) for user, text in value["browsers"].items()}

    def _seal(self, kind: str, value: dict[str, object]) -> str:
        plain = zlib.compress(json.dumps([kind, value], separators=(",", ":")).encode(), 9)
        return self._fernet.encrypt(plain).decode("ascii")

    def _open(self, kind: str, cookie: str) -> dict[str, Any] | None:
        if len(cookie) > MAX_COOKIE or not cookie.isascii():
            return None
        try:
            packed = self._fernet.decrypt(cookie.encode("ascii"))
        except InvalidToken:
            return None
        found, value = json.loads(zlib.decompress(packed))
        return value if found == kind else None
