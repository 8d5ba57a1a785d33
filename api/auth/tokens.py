"""Bearer tokens (RFC 6750) kept as hashes in a file outside the archive.

A token is 256 random bits, so a plain SHA-256 is as hard to invert as the token is to guess; a slow hash
would add its delay to every request and nothing else. The file is JSON, mode 0600::

    {"v":1,"tokens":[{"name":"first","sha256":"<hex>","made_at":"2026-11-24T06:00:00.000000Z"},
      {"name":"war-room","sha256":"<hex>","made_at":"…",
       "made_by":"user:kominfo",
       "scope":{"actions":["footage.play"],"districts":["73.71.13"],"expires_at":"…"}}]}

A token without a scope does everything; what a scope leaves out is not limited, what it lists is all there
is. Removing a line revokes its token at once: the file is looked at again whenever it changed.

A token that somebody made over HTTP reaches no further than its maker does when it is used: it stops with
their account, with the token they made it with, and with each role they lose.
"""

import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Container, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from api.auth.permissions import Reach, reach_of
from api.auth.principal import Principal, unrestricted
from api.auth.private_files import replace_json, taking_turns
from archive.clock import Clock
from archive.errors import Conflict, Malformed, NotFound, Unavailable
from archive.ids import check_name, check_sha256
from archive.model.token import TokenScope, from_json, to_json
from archive.model.user import User
from archive.timespan import format_instant

VERSION = 1
PREFIX = "saksi_"
"""Every token begins so, which lets secret scanners and people recognise one that leaked."""

MAX_TOKEN_LENGTH = 512

Makers = Callable[[str], User | None]
"""Tells who has an account, by id. May raise Unavailable: then nobody is let in."""


@dataclass(frozen=True, slots=True)
class Known:
    """One token, but for the token itself."""

    name: str
    sha256: str = field(repr=False)
    made_at: str
    scope: TokenScope = field(default_factory=TokenScope)
    made_by: str = ""

    @property
    def version(self) -> int:
        """What tells this token from a later one of its name: a number up to eight digits."""
        return int(self.sha256[:6], 16) + 1


class TokenFile:
    """The tokens of one installation. Thread-safe; writers take turns, in other processes too.

    Without a clock no token that expires is let in, without ``makers`` none that an account made.
    """

    def __init__(self, path: Path, clock: Clock | None = None, makers: Makers | None = None) -> None:
        self._path = path
        self._clock = clock
        self._makers = makers
        self._guard = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._known: tuple[Known, ...] = ()

    def exists(self) -> bool:
        """Whether any token was ever made here."""
        return self._path.exists()

    def create(self, name: str, clock: Clock, scope: TokenScope | None = None, *, made_by: str = "") -> str:
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
            self._write((*known, Known(name, _digest(token), format_instant(now), scope, made_by)))
        return token

    def revoke(self, name: str, *, version: int | None = None) -> None:
        """Forget a token; it stops working with the next request.

        Raises:
            NotFound: ``token_not_found``.
            Conflict: ``ledger_conflict``: the name belongs to another token than that ``version`` by now.
        """
        with self._changing():
            known = self._read()
            gone = next((other for other in known if other.name == name), None)
            if gone is None:
                raise NotFound(f"there is no token named {name}", code="token_not_found")
            if version not in {None, gone.version}:
                raise Conflict(
                    f"the name {name} belongs to another token by now",
                    code="ledger_conflict",
                    hint="Read it again and repeat the change if it still makes sense.",
                )
            self._write(tuple(other for other in known if other is not gone))

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
            Unavailable: ``tokens_unreadable``; the record of people cannot be read.
        """
        if len(token) > MAX_TOKEN_LENGTH:
            return None
        digest = _digest(token)
        found: Known | None = None
        for known in self._current():
            if hmac.compare_digest(known.sha256, digest) and not self._is_over(known.scope):
                found = known
        return None if found is None else self._held_to_maker(found, frozenset())

    def _held_to_maker(self, known: Known, seen: frozenset[str]) -> Principal | None:
        """The holder, who reaches no further than the maker does now; None where the maker is gone."""
        made = _principal(known)
        kind, _, maker = known.made_by.partition(":")
        if kind == "user":
            person = self._makers(maker) if self._makers is not None else None
            return None if person is None or not person.enabled else _within(made, person)
        if kind == "token":
            other = next((one for one in self._current() if one.name == maker), None)
            if other is None or maker in seen or self._is_over(other.scope):
                return None
            if other.made_at > known.made_at:  # another token, which took the maker's name over
                return None
            return made if self._held_to_maker(other, seen | {known.name}) is not None else None
        return made

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
                    str(item.get("made_by", "")),
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
    return Principal(whole.id, actions, districts=known.scope.districts, expires_at=known.scope.expires_at)


def _within(made: Principal, maker: User) -> Principal:
    """What a token may do of what it was made for, by what its maker may do everywhere, or in districts."""
    asked = made.actions if isinstance(made.actions, frozenset) else frozenset[str]()
    roles, own = frozenset(maker.roles), frozenset(maker.districts)
    actions = frozenset(action for action in asked if covers(reach_of(roles, action), own, made.districts))
    return replace(made, actions=actions)


def covers(reach: frozenset[Reach], own: frozenset[str] | None, districts: frozenset[str] | None) -> bool:
    """Whether somebody who reaches so far with an action may hand it on for some districts (None: all).

    What is theirs by name alone (``mine``, ``granted``, ``facts``) is handed on to no machine.
    """
    if Reach.ALL in reach:
        return True
    return Reach.OWN in reach and districts is not None and own is not None and districts <= own


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
