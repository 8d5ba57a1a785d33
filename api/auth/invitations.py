"""Invitations: one-time codes with which people choose the password of their local account.

So no administrator ever knows a password. A code has two halves, of 144 random bits each. The person who
invites is given the first half, and another person the second; each gives theirs to the invited person. So
neither of the two can use the account. Only the SHA-256 of each half is kept, in a file beside the keys, mode
0600::

    {"v":1,"invitations":{"citra":{"sha256":"…","expires_at":"…","made_by":"user:kominfo",
      "second_sha256":"…","completed_by":"user:diskominfo"}}}

A person has one code at most: a newer first half invalidates the older code. A code ends after
:data:`LASTING`, when it is used, and when the account is closed. A code of version 0.1.0 had no second half,
and is not accepted.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.auth.private_files import Form, PrivateFile
from archive.clock import Clock
from archive.errors import NotFound, Unavailable
from archive.ids import check_name
from archive.timespan import DAY, format_instant, parse_instant

FIRST, SECOND = "undangan_", "lanjutan_"
"""How each half begins. Keep the two together, the first one first, with or without a space."""
LASTING = 3 * DAY
"""How long a code is valid, in µs: long enough for a letter within the city."""

MAX_CODE = 200
_CODE = re.compile(rf"\s*({FIRST}[\w-]{{24}})\s*({SECOND}[\w-]{{24}})\s*\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code for one person, or a half of it, which is shown only once. ``expires_at`` in µs."""

    user: str
    code: str = field(repr=False)
    expires_at: int


class Invitations:
    """The invitations of one installation. Thread-safe; a lock serialises writers of all processes."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = PrivateFile(path, Form("invitations", _read, self._good, _unreadable))
        self._clock = clock

    def make(self, user: str, *, made_by: str) -> Invitation:
        """Make the first half of a code and invalidate the code they had. Durable when this returns.

        Raises:
            Malformed: ``bad_id``. Unavailable: ``invitations_unreadable``.
        """
        code = FIRST + secrets.token_urlsafe(18)
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

    def made_by(self, user: str) -> str:
        """Who has the first half of a person's code.

        Raises:
            NotFound: ``not_invited``: no code waits for its second half. Unavailable:
                ``invitations_unreadable``.
        """
        return str(self._waiting(self._file.read_or({}), user)["made_by"])

    def complete(self, user: str, *, made_by: str, completed_by: str) -> Invitation:
        """Make the second half of the code whose first half ``made_by`` has.

        Raises:
            NotFound: ``not_invited``: that code is not there any more, or has its second half.
            Unavailable: ``invitations_unreadable``.
        """
        code = SECOND + secrets.token_urlsafe(18)
        with self._file.turn():
            kept = self._file.read_or({})
            entry = self._waiting(kept, user)
            if entry["made_by"] != made_by:
                raise _not_waiting(user)
            kept[user] = {**entry, "second_sha256": _digest(code), "completed_by": completed_by}
            self._file.write(kept)
        return Invitation(user, code, parse_instant(entry["expires_at"]))

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
        halves = _CODE.match(code[:MAX_CODE])
        first, second = ("", "") if halves is None else (halves[1], halves[2])
        digests, now = (_digest(first), _digest(second)), self._clock.now()
        found: str | None = None
        for user, entry in kept.items():  # every hash is compared, each in constant time
            both = (entry["sha256"], entry.get("second_sha256", ""))
            equal = [hmac.compare_digest(one, other) for one, other in zip(both, digests, strict=True)]
            if all(equal) and now < parse_instant(entry["expires_at"]):
                found = user
        return found

    def _waiting(self, kept: dict[str, Any], user: str) -> dict[str, Any]:
        entry = self._good(kept).get(user)
        if entry is None or "second_sha256" in entry:
            raise _not_waiting(user)
        return dict(entry)

    def _good(self, kept: dict[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        return {user: entry for user, entry in kept.items() if now < parse_instant(entry["expires_at"])}


def _read(value: Any) -> dict[str, Any]:
    for entry in value.values():
        texts = ("sha256", "expires_at", *(name for name in ("second_sha256", "made_by") if name in entry))
        if not all(isinstance(entry[name], str) for name in texts):
            raise TypeError("an invitation has a field that is not text")
        parse_instant(entry["expires_at"])
    return dict(value)


def _not_waiting(user: str) -> NotFound:
    return NotFound(
        f"no code for {user} waits for its second half",
        code="not_invited",
        hint="Undang dahulu: saksi user invite. / Invite them first: saksi user invite.",
    )


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        f"the invitations in {path} cannot be read or written",
        code="invitations_unreadable",
        hint="Check that the file is whole and belongs to the user the service runs as.",
    )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
