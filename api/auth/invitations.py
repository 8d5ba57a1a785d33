"""Invitations: one-time codes with which people choose the password of their local account.

So no administrator ever knows a password. A code is 192 random bits; only its SHA-256 is kept, in a file
beside the keys, mode 0600: ``{"v":1,"invitations":{"citra":{"sha256":"…","expires_at":"…","made_by":"…"}}}``.
A person has one at most: a newer code invalidates the older. A code ends after :data:`LASTING`, when it is
used, and when the account is closed.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.auth.private_files import Form, PrivateFile
from archive.clock import Clock
from archive.errors import Unavailable
from archive.ids import check_name
from archive.timespan import DAY, format_instant, parse_instant

PREFIX = "undangan_"
LASTING = 3 * DAY
"""How long a code is valid, in µs: long enough for a letter within the city."""

MAX_CODE = 200


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code for one person, which is shown only once. ``expires_at`` in µs."""

    user: str
    code: str = field(repr=False)
    expires_at: int


class Invitations:
    """The invitations of one installation. Thread-safe; a lock serialises writers of all processes."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = PrivateFile(path, Form("invitations", _read, self._good, _unreadable))
        self._clock = clock

    def make(self, user: str, *, made_by: str) -> Invitation:
        """Make a new code for a person and invalidate the one they had. Durable when this returns.

        Raises:
            Malformed: ``bad_id``. Unavailable: ``invitations_unreadable``.
        """
        code = PREFIX + secrets.token_urlsafe(24)
        made = Invitation(check_name("user", user), code, self._clock.now() + LASTING)
        with self._file.turn():
            kept = self._file.read_or({})
            kept[user] = {
                "sha256": _digest(code),
                "expires_at": format_instant(made.expires_at),
                "made_by": made_by,
            }
            self._file.write(kept)
        return made

    def whose(self, code: str) -> str | None:
        """Whom a code invites, or None if it is unknown, used or expired. Does not use it up.

        Raises:
            Unavailable: ``invitations_unreadable``.
        """
        return self._found(self._file.read_or({}), code)

    def take(self, code: str) -> str | None:
        """Use a code up and return whom it invites: to exactly one of several callers; to the others None."""
        with self._file.turn():
            kept = self._file.read_or({})
            user = self._found(kept, code)
            if user is not None:
                del kept[user]
                self._file.write(kept)
        return user

    def withdraw(self, user: str) -> None:
        """Invalidate a person's code, if there is one."""
        with self._file.turn():
            kept = self._file.read_or({})
            if kept.pop(user, None) is not None:
                self._file.write(kept)

    def invited(self) -> frozenset[str]:
        """Everybody whose code is still valid. Raises Unavailable ``invitations_unreadable``."""
        return frozenset(self._good(self._file.read_or({})))

    def _found(self, kept: dict[str, Any], code: str) -> str | None:
        digest, now = _digest(code[:MAX_CODE]), self._clock.now()
        found: str | None = None
        for user, entry in kept.items():  # every hash is compared, each in constant time
            if hmac.compare_digest(entry["sha256"], digest) and now < parse_instant(entry["expires_at"]):
                found = user
        return found

    def _good(self, kept: dict[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        return {user: entry for user, entry in kept.items() if now < parse_instant(entry["expires_at"])}


def _read(value: Any) -> dict[str, Any]:
    for entry in value.values():
        if not isinstance(entry["sha256"], str) or not isinstance(entry["expires_at"], str):
            raise TypeError("an invitation is no pair of texts")
        parse_instant(entry["expires_at"])
    return dict(value)


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        f"the invitations in {path} cannot be read or written",
        code="invitations_unreadable",
        hint="Check that the file is whole and belongs to the user the service runs as.",
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
