"""Passwords of local accounts: argon2id hashes (RFC 9106) in a file beside the keys, outside the archive.

The file is JSON, mode 0600: ``{"v":1,"passwords":{"citra":{"hash":"$argon2id$…","changed_at":"…"}}}``. The
ledger says who a person is and whether they may sign in; this file only holds what proves it.
"""

import threading
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from api.auth.private_files import Form, PrivateFile
from archive.clock import Clock
from archive.errors import Malformed, Unavailable
from archive.timespan import format_instant

SHORTEST, LONGEST = 12, 200
AT_ONCE = 2
"""Hashing takes 64 MiB; more at once would let unauthenticated clients exhaust the memory."""


class Passwords:
    """The local passwords of one installation. Thread-safe."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._file = PrivateFile(path, Form("passwords", _read, dict, _unreadable))
        self._clock = clock
        self._hasher = PasswordHasher()
        self._slots = threading.BoundedSemaphore(AT_ONCE)
        # Checked for an unknown name, so that the delay does not reveal which names exist.
        self._nobody: str | None = None

    def put(self, user: str, password: str) -> None:
        """Set a person's password; durable when this returns.

        Raises:
            Malformed: ``weak_password``.
            Unavailable: ``passwords_unreadable``.
        """
        check_password(user, password)
        with self._slots:
            made = self._hasher.hash(password)
        with self._file.turn():
            kept = self._file.read_or({})
            kept[user] = {"hash": made, "changed_at": format_instant(self._clock.now())}
            self._file.write(kept)

    def forget(self, user: str) -> None:
        """Delete a person's password. Raises as :meth:`put`."""
        with self._file.turn():
            kept = self._file.read_or({})
            if kept.pop(user, None) is not None:
                self._file.write(kept)

    def has(self, user: str) -> bool:
        """Whether a person has a password. Raises Unavailable ``passwords_unreadable``."""
        return user in self.owners()

    def owners(self) -> frozenset[str]:
        """Everybody who has a password. Raises Unavailable ``passwords_unreadable``."""
        return frozenset(self._file.read_or({}))

    def proves(self, user: str, password: str) -> bool:
        """Whether this is the person's password; as slow for an unknown name.

        Raises:
            Unavailable: ``passwords_unreadable``; ``busy`` if too many sign in at once.
        """
        entry = self._file.read_or({}).get(user)
        if not self._slots.acquire(timeout=1.0):
            raise Unavailable(
                "too many people are signing in at once", code="busy", hint="Try again in a few seconds."
            )
        try:
            if self._nobody is None:
                self._nobody = self._hasher.hash("nobody's password")
            known = entry["hash"] if entry is not None else self._nobody
            try:
                matched = self._hasher.verify(known, password[: LONGEST + 1])
            except (VerificationError, InvalidHashError):
                return False
            if entry is None:
                return False
            if self._hasher.check_needs_rehash(known):
                self._renew(user, known, password)
            return matched
        finally:
            self._slots.release()

    def _renew(self, user: str, known: str, password: str) -> None:
        """Hash a proved password with today's parameters; others take another time than unknown names."""
        made = self._hasher.hash(password)
        with self._file.turn():
            kept = self._file.read_or({})
            entry = kept.get(user)
            if entry is not None and entry["hash"] == known:
                kept[user] = {**entry, "hash": made}
                self._file.write(kept)


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


def _read(value: Any) -> dict[str, Any]:
    if not all(isinstance(entry["hash"], str) for entry in value.values()):
        raise ValueError("a hash is no text")
    return dict(value)


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        f"the passwords in {path} cannot be read or written",
        code="passwords_unreadable",
        hint="Check that the file is whole and belongs to the user the service runs as.",
    )
