"""Bearer tokens (RFC 6750) kept as hashes in a file outside the archive.

A token is 256 random bits, so a plain SHA-256 is as hard to invert as the token is to guess; a slow hash
would add its delay to every request and nothing else. The file is JSON, mode 0600::

    {"v":1,"tokens":[{"name":"first","sha256":"<hex>","made_at":"2026-11-24T06:00:00.000000Z"},
      {"name":"war-room","sha256":"<hex>","made_at":"…",
       "scope":{"actions":["footage.play"],"districts":["73.71.13"],"expires_at":"…"}}]}

A token without a scope does everything; what a scope leaves out is not limited, what it lists is all there
is. Removing a line revokes its token at once: the file is looked at again whenever it changed.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Container, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from api.auth.principal import Principal, unrestricted
from api.auth.private_files import replace_json, taking_turns
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Unavailable
from archive.ids import check_name, check_sha256
from archive.model.token import TokenScope, from_json, to_json
from archive.timespan import format_instant

VERSION = 1
PREFIX = "saksi_"
"""Every token begins so, which lets secret scanners and people recognise one that leaked."""

MAX_TOKEN_LENGTH = 512


@dataclass(frozen=True, slots=True)
class Known:
    """One token, but for the token itself."""

    name: str
    sha256: str = field(repr=False)
    made_at: str
    scope: TokenScope = field(default_factory=TokenScope)


class TokenFile:
    """The tokens of one installation. Thread-safe; writers take turns, in other processes too.

    Without a clock no token that expires is let in.
    """

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: tuple[Known, ...] = ()

    def exists(self) -> bool:
        """Whether any token was ever made here."""
        return self._path.exists()

    def create(self, name: str, clock: Clock, scope: TokenScope | None = None) -> str:
        """Make a token and return it: the only time it can be seen.

        The file is durable when this returns.

        Raises:
            Malformed: ``bad_id`` for a name that is none; ``bad_token_scope`` for one that is over already.
            Conflict: ``token_exists`` where the name is taken.
            Unavailable: ``tokens_unreadable`` where the file is there and cannot be read or written.
        """
        check_name("token", name)
        scope = scope or TokenScope()
        now = clock.now()
        if scope.expires_at is not None and scope.expires_at <= now:
            raise Malformed("the token would have expired", code="bad_token_scope", hint="Name a later time.")
        token = PREFIX + secrets.token_urlsafe(32)
        with self._changing():
            known = self._read() if self._path.exists() else ()
            if any(other.name == name for other in known):
                raise Conflict(
                    f"there is a token named {name}",
                    code="token_exists",
                    hint="Choose another name, or revoke that one first.",
                )
            self._write((*known, Known(name, _digest(token), format_instant(now), scope)))
        return token

    def revoke(self, name: str) -> None:
        """Forget a token; it stops working with the next request. Raises NotFound ``token_not_found``."""
        with self._changing():
            known = self._read()
            left = tuple(other for other in known if other.name != name)
            if len(left) == len(known):
                raise NotFound(f"there is no token named {name}", code="token_not_found")
            self._write(left)

    def names(self) -> list[str]:
        """The names of the tokens, in the order they were made."""
        return [known.name for known in self._current()]

    def known(self) -> tuple[Known, ...]:
        """The tokens with their scopes, in the order they were made; expired ones too."""
        return self._current()

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
            if hmac.compare_digest(known.sha256, digest) and not self._is_over(known.scope):
                found = _principal(known)
        return found

    def _is_over(self, scope: TokenScope) -> bool:
        if scope.expires_at is None:
            return False
        return self._clock is None or scope.expires_at <= self._clock.now()

    def _current(self) -> tuple[Known, ...]:
        try:
            stat = self._path.stat()
        except OSError as error:
            raise _unreadable(self._path) from error
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._seen:
            with self._guard:
                self._known, self._seen = self._read(), stamp
        return self._known

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """This thread's and this process's turn to change the file."""
        with ExitStack() as turn:
            turn.enter_context(self._guard)
            try:
                turn.enter_context(taking_turns(self._path))
            except OSError as error:
                raise _unreadable(self._path) from error
            yield

    def _read(self) -> tuple[Known, ...]:
        try:
            value = json.loads(self._path.read_bytes())
            if value["v"] != VERSION:
                raise ValueError("unknown version")
            return tuple(
                Known(
                    item["name"],
                    check_sha256(item["sha256"]),
                    item["made_at"],
                    from_json(item.get("scope", {})),
                )
                for item in value["tokens"]
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, Malformed) as error:
            raise _unreadable(self._path) from error

    def _write(self, known: tuple[Known, ...]) -> None:
        try:
            replace_json(self._path, {"v": VERSION, "tokens": [_item(one) for one in known]})
        except OSError as error:
            raise _unreadable(self._path) from error


def _principal(known: Known) -> Principal:
    whole = unrestricted(f"token:{known.name}")
    actions: Container[str] = whole.actions if known.scope.actions is None else known.scope.actions
    return Principal(whole.id, actions, districts=known.scope.districts)


def _item(known: Known) -> dict[str, Any]:
    written: dict[str, Any] = {"name": known.name, "sha256": known.sha256, "made_at": known.made_at}
    scope = to_json(known.scope)
    return {**written, "scope": scope} if scope else written


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _unreadable(path: Path) -> Unavailable:
    return Unavailable(
        f"the tokens in {path} cannot be read or written",
        code="tokens_unreadable",
        hint="Check that the file is there, whole, and belongs to the user the service runs as.",
    )
