"""Bearer tokens (RFC 6750) kept as hashes in a file outside the archive.

A token is 256 random bits, so a plain SHA-256 is as hard to invert as the token is to guess; a slow hash
would add its delay to every request and nothing else. The file is JSON, mode 0600::

    {"v":1,"tokens":[{"name":"first","sha256":"<hex>","made_at":"2026-11-24T06:00:00.000000Z"},
      {"name":"war-room","sha256":"<hex>","made_at":"…",
       "made_by":"user:kominfo",
       "scope":{"actions":["footage.play"],"districts":["73.71.13"],"expires_at":"…"}}]}

A token without a scope may do everything. A field that a scope leaves out limits nothing; a field that it has
lists everything that is allowed. Removing a line revokes its token at once: the file is read again whenever
it changed.

A token made over HTTP reaches no further than its maker does when it is used (:mod:`api.auth.holders`).
"""

import hashlib
import hmac
import secrets
import threading
from pathlib import Path
from typing import Any

from api.auth.holders import Known, Makers, holder_of, is_over
from api.auth.principal import Principal
from api.auth.private_files import Form, PrivateFile
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Unavailable
from archive.ids import check_name, check_sha256
from archive.model.token import TokenScope, from_json, to_json
from archive.timespan import format_instant

PREFIX = "saksi_"
"""Every token begins with this, so that secret scanners and people recognise one that leaked."""

MAX_TOKEN_LENGTH = 512


class TokenFile:
    """The tokens of one installation. Thread-safe; a lock serialises writers of all processes.

    Without a clock no token that can expire is accepted, without ``makers`` none that an account made.
    """

    def __init__(self, path: Path, clock: Clock | None = None, makers: Makers | None = None) -> None:
        self._file = PrivateFile(path, _FORM)
        self._clock = clock
        self._makers = makers
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: tuple[Known, ...] = ()

    def exists(self) -> bool:
        """Whether any token was ever made here."""
        return self._file.path.exists()

    def create(self, name: str, clock: Clock, scope: TokenScope | None = None, *, made_by: str = "") -> str:
        """Make a token and return it: it cannot be shown again.

        The file is durable when this returns.

        Raises:
            Malformed: ``bad_id``: the name is not valid; ``bad_token_scope``: the scope has ended already.
            Conflict: ``token_exists``: the name is taken.
            Unavailable: ``tokens_unreadable``: the file exists but cannot be read or written.
        """
        check_name("token", name)
        scope = scope or TokenScope()
        now = clock.now()
        if scope.expires_at is not None and scope.expires_at <= now:
            raise Malformed("the token would have expired", code="bad_token_scope", hint="Name a later time.")
        token = PREFIX + secrets.token_urlsafe(32)
        with self._file.turn():
            known = self._file.read_or(())
            if any(other.name == name for other in known):
                raise Conflict(
                    f"there is a token named {name}",
                    code="token_exists",
                    hint="Choose another name, or revoke that one first.",
                )
            self._file.write((*known, Known(name, _digest(token), format_instant(now), scope, made_by)))
        return token

    def revoke(self, name: str, *, version: int | None = None) -> None:
        """Delete a token; the next request with it is refused.

        Raises:
            NotFound: ``token_not_found``.
            Conflict: ``ledger_conflict``: the name now belongs to another token than that of ``version``.
        """
        with self._file.turn():
            known = self._file.read()
            gone = next((other for other in known if other.name == name), None)
            if gone is None:
                raise NotFound(f"there is no token named {name}", code="token_not_found")
            if version not in {None, gone.version}:
                raise Conflict(
                    f"the name {name} now belongs to another token",
                    code="ledger_conflict",
                    hint="Read it again and repeat the change if it still makes sense.",
                )
            self._file.write(tuple(other for other in known if other is not gone))

    def names(self) -> list[str]:
        """The names of the tokens, in the order they were made."""
        return [known.name for known in self._current()]

    def known(self) -> tuple[Known, ...]:
        """The tokens with their scopes, in the order they were made; expired ones too."""
        return self._current()

    def principal_of(self, token: str) -> Principal | None:
        """The holder of the token, or None.

        Every known hash is compared, each in constant time, so the answer's delay reveals nothing.

        Raises:
            Unavailable: ``tokens_unreadable``; or the accounts cannot be read.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        digest = _digest(token)
        now = self._clock.now() if self._clock is not None else None
        current = self._current()
        found: Known | None = None
        for known in current:
            if hmac.compare_digest(known.sha256, digest) and not is_over(known.scope, now):
                found = known
        if found is None:
            return None
        standing = {one.name: one for one in current}
        return holder_of(found, standing, makers=self._makers, now=now)

    def _current(self) -> tuple[Known, ...]:
        try:
            stat = self._file.path.stat()
        except OSError as error:
            raise _unreadable(self._file.path) from error
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._seen:
            with self._guard:
                self._known, self._seen = self._file.read(), stamp
        return self._known


def _read(value: Any) -> tuple[Known, ...]:
    return tuple(
        Known(
            item["name"],
            check_sha256(item["sha256"]),
            item["made_at"],
            from_json(item.get("scope", {})),
            str(item.get("made_by", "")),
        )
        for item in value
    )


def _written(known: tuple[Known, ...]) -> list[dict[str, Any]]:
    return [_item(one) for one in known]


def _item(known: Known) -> dict[str, Any]:
    written: dict[str, Any] = {"name": known.name, "sha256": known.sha256, "made_at": known.made_at}
    if known.made_by:
        written["made_by"] = known.made_by
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


_FORM = Form("tokens", _read, _written, _unreadable)
