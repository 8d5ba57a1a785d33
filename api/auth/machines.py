"""Tokens of machines, as people make and revoke them: in the token file and in the ledger.

The file decides which tokens are accepted. The ledger has one ``token`` stream for each name: who made it,
with which scope, and who revoked it; never the token or its hash. The name of a revoked token can be reused.
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
"""How long a token made over HTTP may be valid, in µs."""


class Machines:
    """The tokens of one installation, with their ledger. As thread-safe as file and ledger are."""

    def __init__(self, tokens: TokenFile, ledger: Ledger, clock: Clock) -> None:
        self.tokens = tokens
        self._ledger = ledger
        self._clock = clock

    def known(self) -> tuple[Known, ...]:
        """Every token that was not revoked, in the order they were made; expired ones too."""
        return self.tokens.known() if self.tokens.exists() else ()

    def token(self, name: str) -> Known:
        """The token of that name. Raises NotFound ``token_not_found``."""
        found = next((one for one in self.known() if one.name == name), None)
        if found is None:
            raise NotFound(f"there is no token named {name}", code="token_not_found")
        return found

    def make(self, name: str, scope: TokenScope, *, actor: str, reason: str = "") -> str:
        """Make a token, and record it in the ledger. Raises as the file and the ledger.

        The entry comes last: a token without an entry can be revoked; an entry without a token is false.
        """
        token = self.tokens.create(name, self._clock, scope, made_by=actor)
        self._record(name, scope, action="token.created", actor=actor, reason=reason)
        return token

    def make_within(self, maker: Principal, name: str, scope: TokenScope, *, reason: str) -> str:
        """Make a token that expires and reaches no further than its maker.

        Raises:
            Malformed: ``bad_token_scope``: the scope lists no actions or unknown ones, has no end, or ends
                later than :data:`LONGEST` from now.
            Refused: ``token_too_wide``: an action is a decision that only a person may make, or the maker may
                not do it everywhere, or not in those districts, or the token would outlast the maker's own.
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
                hint=f"Leave out {wide[0]}, or name only your districts."
                if wide
                else "Let it end no later than your own token.",
            )
        return self.make(name, scope, actor=maker.id, reason=reason)

    def revoke(self, name: str, *, actor: str, reason: str = "", version: int | None = None) -> None:
        """Revoke a token, and record it in the ledger. Raises as the file and the ledger."""
        scope = self.token(name).scope
        self.tokens.revoke(name, version=version)
        self._record(name, scope, action="token.revoked", actor=actor, reason=reason)

    def revoke_those_of(self, maker: str, *, actor: str, reason: str) -> list[str]:
        """Revoke the tokens that an account made; return their names. Raises as :meth:`revoke`."""
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
