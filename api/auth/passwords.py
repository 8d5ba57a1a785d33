"""Passwords of local accounts: argon2id hashes (RFC 9106) in a file beside the keys, outside the archive.

The file is JSON, mode 0600: ``{"v":1,"passwords":{"citra":{"hash":"$argon2id$…","changed_at":"…"}}}``. Who
a person is and whether they may come in stands in the ledger; here is only what proves it.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.private_files import replace_json, taking_turns
from archive.clock import Clock
from archive.errors import Malformed, Unavailable
from archive.timespan import format_instant

VERSION = 1
SHORTEST, LONGEST = 12, 200
AT_ONCE = 2
"""Hashing takes 64 MiB; more at once would let strangers take the memory."""


class Passwords:
    """The local passwords of one installation. Thread-safe."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._hasher = PasswordHasher()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        self._guard = threading.Lock()
        # Checked where nobody has the name, so that the delay does not tell who exists.
        self._nobody: str | None = None

    def put(self, user: str, password: str) -> None:
        """Give somebody a password; durable when this returns.

        Raises:
            Malformed: ``weak_password``.
            Unavailable: ``passwords_unreadable``.
        """
        check_password(user, password)
        with self._slots:
            made = self._hasher.hash(password)
        with self._changing():
            kept = self._read()
            kept[user] = {"hash": made, "changed_at": format_instant(self._clock.now())}
            self._write(kept)

    def forget(self, user: str) -> None:
        """Take somebody's password away. Raises as :meth:`put`."""
        with self._changing():
            kept = self._read()
            if kept.pop(user, None) is not None:
                self._write(kept)

    def has(self, user: str) -> bool:
        """Whether somebody has a password. Raises Unavailable ``passwords_unreadable``."""
        return user in self._read()

    def proves(self, user: str, password: str) -> bool:
        """Whether this is somebody's password; as slow for a name that nobody has.

        Raises:
            Unavailable: ``passwords_unreadable``; ``busy`` where too many ask at once.
        """
        entry = self._read().get(user)
        if not self._slots.acquire(timeout=1.0):
            raise Unavailable("too many sign in at once", code="busy", hint="Try again in some seconds.")
        try:
            if self._nobody is None:
                self._nobody = self._hasher.hash("nobody's password")
            known = entry["hash"] if entry is not None else self._nobody
            try:
                matched = self._hasher.verify(known, password[: LONGEST + 1])
            except (VerificationError, InvalidHashError):
                return False
            return matched and entry is not None
        finally:
            self._slots.release()

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
            kept: dict[str, Any] = value["passwords"]
            if not all(isinstance(entry["hash"], str) for entry in kept.values()):
                raise ValueError("a hash is no text")
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._unreadable() from error
        return kept

    def _write(self, kept: dict[str, Any]) -> None:
        try:
            replace_json(self._path, {"v": VERSION, "passwords": kept})
        except OSError as error:
            raise self._unreadable() from error

    def _unreadable(self) -> Unavailable:
        return Unavailable(
            f"the passwords in {self._path} cannot be read or written",
            code="passwords_unreadable",
            hint="Check that the file is whole and belongs to the user the service runs as.",
        )


def check_password(user: str, password: str) -> None:
    """Refuse a password that is easily guessed. Raises Malformed ``weak_password``."""
    if (
        not SHORTEST <= len(password) <= LONGEST
        or user.casefold() in password.casefold()
        or len(set(password)) < 5
    ):
        raise Malformed(
            "the password is too easily guessed",
            code="weak_password",
            hint=f"Use {SHORTEST} to {LONGEST} characters, not your name, not a few characters repeated.",
        )
