"""Invitations: a code with which somebody chooses the password of their local account, once.

So no administrator ever knows a password. A code is 192 random bits; only its SHA-256 is kept, in a file
beside the keys, mode 0600: ``{"v":1,"invitations":{"citra":{"sha256":"…","expires_at":"…","made_by":"…"}}}``.
There is one a person: a newer one makes the older worthless. It ends after :data:`LASTING`, when it was used,
and when the account is closed.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.auth.private_files import replace_json, taking_turns
from archive.clock import Clock
from archive.errors import Unavailable
from archive.ids import check_name
from archive.timespan import DAY, format_instant, parse_instant

VERSION = 1
PREFIX = "undangan_"
LASTING = 3 * DAY
"""How long a code is good, in µs: long enough for a letter within the city."""

MAX_CODE = 200


@dataclass(frozen=True, slots=True)
class Invitation:
    """A code for one person, as it is shown once. ``expires_at`` in µs."""

    user: str
    code: str = field(repr=False)
    expires_at: int


class Invitations:
    """The invitations of one installation. Thread-safe; writers take turns, in other processes too."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._guard = threading.Lock()

    def make(self, user: str, *, made_by: str) -> Invitation:
        """A new code for somebody; the one they had is worthless. Durable when this returns.

        Raises:
            Malformed: ``bad_id``. Unavailable: ``invitations_unreadable``.
        """
        code = PREFIX + secrets.token_urlsafe(24)
        made = Invitation(check_name("user", user), code, self._clock.now() + LASTING)
        with self._changing():
            kept = self._read()
            kept[user] = {
                "sha256": _digest(code),
                "expires_at": format_instant(made.expires_at),
                "made_by": made_by,
            }
            self._write(kept)
        return made

    def whose(self, code: str) -> str | None:
        """Whom a code invites, or None for one that is unknown, used or over. Nothing is used up.

        Raises:
            Unavailable: ``invitations_unreadable``.
        """
        return self._found(self._read(), code)

    def take(self, code: str) -> str | None:
        """Use a code up: whom it invited, for exactly one of any number who bring it; else None."""
        with self._changing():
            kept = self._read()
            user = self._found(kept, code)
            if user is not None:
                del kept[user]
                self._write(kept)
        return user

    def withdraw(self, user: str) -> None:
        """Make somebody's code worthless, where there is one."""
        with self._changing():
            kept = self._read()
            if kept.pop(user, None) is not None:
                self._write(kept)

    def is_open(self, user: str) -> bool:
        """Whether somebody has a code that is still good. Raises Unavailable ``invitations_unreadable``."""
        entry = self._read().get(user)
        return entry is not None and self._clock.now() < parse_instant(entry["expires_at"])

    def _found(self, kept: dict[str, Any], code: str) -> str | None:
        digest, now = _digest(code[:MAX_CODE]), self._clock.now()
        found: str | None = None
        for user, entry in kept.items():  # every hash is compared, each in constant time
            if hmac.compare_digest(entry["sha256"], digest) and now < parse_instant(entry["expires_at"]):
                found = user
        return found

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with ExitStack() as turn:
            turn.enter_context(self._guard)
            try:
                turn.enter_context(taking_turns(self._path))
            except OSError as error:
                raise self._unreadable() from error
            yield

    def _read(self) -> dict[str, Any]:
        try:
            value = json.loads(self._path.read_bytes())
            if value["v"] != VERSION:
                raise ValueError("unknown version")
            kept: dict[str, Any] = value["invitations"]
            for entry in kept.values():
                if not isinstance(entry["sha256"], str) or not isinstance(entry["expires_at"], str):
                    raise TypeError("an invitation is no pair of texts")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unreadable() from error
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        now = self._clock.now()
        good = {user: entry for user, entry in kept.items() if now < parse_instant(entry["expires_at"])}
        try:
            replace_json(self._path, {"v": VERSION, "invitations": good})
        except OSError as error:
            raise self._unreadable() from error

    def _unreadable(self) -> Unavailable:
        return Unavailable(
            f"the invitations in {self._path} cannot be read or written",
            code="invitations_unreadable",
            hint="Check that the file is whole and belongs to the user the service runs as.",
        )


def _digest(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
