"""Bearer tokens (RFC 6750) kept as hashes in a file outside the archive.

A token is 256 random bits, so a plain SHA-256 is as hard to invert as the token is to guess; a slow hash
would add its delay to every request and nothing else. The file is JSON, mode 0600::

    {"v":1,"tokens":[{"name":"first","sha256":"<hex>","made_at":"2026-11-24T06:00:00.000000Z"}]}

Removing a line revokes its token at once: the file is looked at again whenever it changed.
"""

import hashlib
import hmac
import json
import os
import secrets
import threading
from dataclasses import dataclass
from pathlib import Path

from api.auth.principal import Principal, unrestricted
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Unavailable
from archive.ids import check_name, check_sha256
from archive.timespan import format_instant

VERSION = 1
PREFIX = "saksi_"
"""Every token begins so, which lets secret scanners and people recognise one that leaked."""

MAX_TOKEN_LENGTH = 512


@dataclass(frozen=True, slots=True)
class _Known:
    name: str
    sha256: str
    made_at: str


class TokenFile:
    """The tokens of one installation. Thread-safe for reading; writers take turns by replacing the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: tuple[_Known, ...] = ()

    def exists(self) -> bool:
        """Whether any token was ever made here."""
        return self._path.exists()

    def create(self, name: str, clock: Clock) -> str:
        """Make a token and return it: the only time it can be seen.

        The file is durable when this returns.

        Raises:
            Malformed: ``bad_id`` for a name that is none.
            Conflict: ``token_exists`` where the name is taken.
            Unavailable: ``tokens_unreadable`` where the file is there and cannot be read or written.
        """
        check_name("token", name)
        token = PREFIX + secrets.token_urlsafe(32)
        with self._guard:
            known = self._read() if self._path.exists() else ()
            if any(other.name == name for other in known):
                raise Conflict(
                    f"there is a token named {name}",
                    code="token_exists",
                    hint="Choose another name, or revoke that one first.",
                )
            self._write((*known, _Known(name, _digest(token), format_instant(clock.now()))))
        return token

    def revoke(self, name: str) -> None:
        """Forget a token; it stops working with the next request. Raises NotFound ``token_not_found``."""
        with self._guard:
            known = self._read()
            left = tuple(other for other in known if other.name != name)
            if len(left) == len(known):
                raise NotFound(f"there is no token named {name}", code="token_not_found")
            self._write(left)

    def names(self) -> list[str]:
        """The names of the tokens, in the order they were made."""
        return [known.name for known in self._current()]

    def principal_of(self, token: str) -> Principal | None:
        """The holder of the token, or None.

        Every known hash is compared, each in constant time, so the answer's delay tells nothing.

        Raises:
            Unavailable: ``tokens_unreadable``.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        digest = _digest(token)
        found: Principal | None = None
        for known in self._current():
            if hmac.compare_digest(known.sha256, digest):
                found = unrestricted(f"token:{known.name}")
        return found

    def _current(self) -> tuple[_Known, ...]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise _unreadable(self._path) from error
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._seen:
            with self._guard:
                self._known, self._seen = self._read(), stamp
        return self._known

    def _read(self) -> tuple[_Known, ...]:
        try:
            value = json.loads(self._path.read_bytes())
            if value["v"] != VERSION:
                raise ValueError("unknown version")
            return tuple(
                _Known(item["name"], check_sha256(item["sha256"]), item["made_at"])
                for item in value["tokens"]
            )
        except (OSError, ValueError, KeyError, TypeError, Malformed) as error:
            raise _unreadable(self._path) from error

    def _write(self, known: tuple[_Known, ...]) -> None:
        body = {
            "v": VERSION,
            "tokens": [{"name": k.name, "sha256": k.sha256, "made_at": k.made_at} for k in known],
        }
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as out:
                out.write(json.dumps(body, indent=1).encode("ascii") + b"\n")
                out.flush()
                os.fsync(out.fileno())
            os.replace(beside, self._path)
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            beside.unlink(missing_ok=True)
            raise _unreadable(self._path) from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        f"the tokens in {path} cannot be read or written",
        code="tokens_unreadable",
        hint="Check that the file is there, whole, and belongs to the user the service runs as.",
    )
