"""Tokens of machines as people make and revoke them: the file that lets in, and the ledger that remembers.

The file decides who is let in. Beside it the ledger has one ``token`` stream a name: who made it, with which
scope, and who revoked it; never the token or its hash. A token's name can be used anew after it was revoked.
"""

from api.auth.holders import Known, covers
from api.auth.permissions import DECISIONS, PERMISSIONS
from api.auth.principal import Principal
from api.auth.tokens import TokenFile
from archive.clock import Clock
from archive.errors import Malformed, NotFound, Refused
from archive.model.token import KIND, TokenScope, to_json
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY

LONGEST = 366 * DAY
"""How long a token that is made over HTTP may last, in µs."""


class Machines:
    """The tokens of one installation, with their record. Thread-safe as file and ledger are."""

    def __init__(self, tokens: TokenFile, ledger: Ledger, clock: Clock) -> None:
        self.tokens = tokens
        self._ledger = ledger
        self._clock = clock

    def known(self) -> tuple[Known, ...]:
        """Every token that was not revoked, in the order they were made; expired ones too."""
        return self.tokens.known() if self.tokens.exists() else ()

    def token(self, name: str) -> Known:
        """One of them. Raises NotFound ``token_not_found``."""
        found = next((one for one in self.known() if one.name == name), None)
        if found is None:
            raise NotFound(f"there is no token named {name}", code="token_not_found")
        return found

    def make(self, name: str, scope: TokenScope, *, actor: str, reason: str = "") -> str:
        """Make a token, and put on record that it was made. Raises as the file and the ledger.

        The record comes last: a token without one can be revoked, a record without one would be a lie.
        """
        token = self.tokens.create(name, self._clock, scope, made_by=actor)
        self._record(name, scope, action="token.created", actor=actor, reason=reason)
        return token

    def make_within(self, maker: Principal, name: str, scope: TokenScope, *, reason: str) -> str:
        """Make a token that reaches no further than its maker, and ends.

        Raises:
            Malformed: ``bad_token_scope``: without actions, with unknown ones, without an end, or with one
                that is further than :data:`LONGEST`.
            Refused: ``token_too_wide``: it is a person's to decide, or the maker may not do it everywhere, or
                not in those districts, or not for so long.
        """
        self._check_scope(scope)
        until = maker.expires_at
        own = maker.districts
        wide = [
            action
            for action in sorted(scope.actions or ())
            if action in DECISIONS or not covers(maker.reach(action), own, scope.districts)
        ]
        if wide or (until is not None and (scope.expires_at is None or scope.expires_at > until)):
            raise Refused(
                "the token would reach further than you do",
                code="token_too_wide",
                hint=f"Leave out {wide[0]}, or name districts of yours."
                if wide
                else "Let it end before yours.",
            )
        return self.make(name, scope, actor=maker.id, reason=reason)

    def revoke(self, name: str, *, actor: str, reason: str = "", version: int | None = None) -> None:
        """Revoke a token, and put it on record. Raises as the file and the ledger."""
        scope = self.token(name).scope
        self.tokens.revoke(name, version=version)
        self._record(name, scope, action="token.revoked", actor=actor, reason=reason)

    def revoke_those_of(self, maker: str, *, actor: str, reason: str) -> list[str]:
        """Revoke what somebody made; the names. Raises as :meth:`revoke`."""
        theirs = [one.name for one in self.known() if one.made_by == maker]
        for name in theirs:
            self.revoke(name, actor=actor, reason=reason)
        return theirs

    def _check_scope(self, scope: TokenScope) -> None:
        unknown = sorted((scope.actions or frozenset()) - set(PERMISSIONS))
        for holds, sentence in (
            (bool(scope.actions), "name the actions it is for"),
            (not unknown, "use actions of docs/reference/permissions.md"),
            (scope.expires_at is not None, "say when it ends"),
            (
                scope.expires_at is None or scope.expires_at <= self._clock.now() + LONGEST,
                f"let it end within {LONGEST // DAY} days",
            ),
        ):
            if not holds:
                raise Malformed(
                    "a token cannot have that scope", code="bad_token_scope", hint=f"Please {sentence}."
                )

    def _record(self, name: str, scope: TokenScope, *, action: str, actor: str, reason: str) -> None:
        try:
            version = self._ledger.head(KIND, name).version
        except NotFound:
            version = 0
        state = {**to_json(scope), "revoked": int(action == "token.revoked")}
        self._ledger.append(KIND, name, state, expected=version, actor=actor, action=action, reason=reason)
