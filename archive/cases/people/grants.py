"""Giving and revoking grants. Each is one ``grant`` stream: given, perhaps revoked, never changed."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace

from archive.clock import Clock
from archive.errors import Malformed
from archive.ids import check_name
from archive.model import user as users
from archive.model.grant import KIND, MAX_TERM, Grant, Right, from_state, to_state
from archive.records.ledger.streams import Entry, Ledger
from archive.records.relations import Separation
from archive.separation import Decision
from archive.timespan import DAY, Timespan

MAX_CAMERAS = 500
MAX_SPAN = 31 * DAY
MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class GrantHead:
    """A grant, and its newest entry."""

    grant: Grant
    entry: Entry


class Grants:
    """The grants of one archive. Thread-safe as its ledger is."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._separation = Separation(ledger, clock)

    def give(
        self,
        *,
        person: str = "",
        agency: str = "",
        cameras: Iterable[str],
        span: Timespan,
        rights: Iterable[Right],
        until: int,
        basis: str,
        actor: str,
        request: str = "",
    ) -> Grant:
        """Open footage to a person or an agency until a time; in force when this returns.

        Raises:
            Malformed: ``bad_id``; ``bad_grant`` if it names no receiver or both a person and an agency, no
                camera, no right, no basis, a span longer than 31 days, an end that has passed, or one
                beyond 366 days.
            Refused: ``own_grant``: nobody opens footage to themselves or to their own agency;
                ``persons_tied``: nor to a person, or to an agency with a member, whose account they opened,
                invited or raised.
        """
        now = self._clock.now()
        named = tuple(dict.fromkeys(check_name("camera", camera) for camera in cameras))
        given = frozenset(rights)
        if person:
            check_name("user", person)
        for holds, sentence in (
            (bool(person) != bool(agency), "name one person or one agency"),
            (0 < len(named) <= MAX_CAMERAS, f"name 1 to {MAX_CAMERAS} cameras"),
            (bool(given), "name a right: view, download"),
            (
                0 < len(basis.strip()) <= MAX_TEXT and basis.isprintable(),
                "name the paper that the grant rests on",
            ),
            (len(agency) <= MAX_TEXT and agency.isprintable(), "give the agency in printable characters"),
            (span.duration <= MAX_SPAN, "grant at most 31 days of footage at a time"),
            (until > now, "set an end in the future"),
            (until <= now + MAX_TERM, "set an end within 366 days"),
        ):
            if not holds:
                raise Malformed(
                    "the grant is incomplete or not allowed", code="bad_grant", hint=f"Please {sentence}."
                )
        favoured = (person,) if person else self._members_of(agency)
        self._separation.check(Decision.GRANT_GIVE, actor, [f"user:{one}" for one in favoured])
        grant = Grant(
            id=f"GRT-{secrets.token_hex(8)}",
            person=person,
            agency=agency,
            cameras=named,
            span=span,
            rights=given,
            until=until,
            basis=basis.strip(),
            request=request,
            given_by=actor,
            given_at=now,
        )
        self._ledger.append(
            KIND, grant.id, to_state(grant), expected=0, actor=actor, action="grant.given", reason=grant.basis
        )
        return grant

    def _members_of(self, agency: str) -> tuple[str, ...]:
        """The accounts of an agency; closed ones too, since they may be reopened during the grant."""
        heads = self._ledger.heads(users.KIND)
        return tuple(one.id for one in heads if users.from_state(one.id, one.state).agency == agency)

    def revoke(self, grant_id: str, *, actor: str, reason: str, expected: int | None = None) -> Grant:
        """End a grant before its time. Does nothing if it is revoked already.

        Raises:
            NotFound: ``grant_not_found``. Malformed: ``bad_id``.
            Conflict: ``ledger_conflict``: the grant changed since ``expected``.
        """
        head = self._ledger.head_at(KIND, check_name(KIND, grant_id), expected)
        grant = from_state(grant_id, head.state)
        if grant.revoked:
            return grant
        closed = replace(grant, revoked=True)
        self._ledger.append(
            KIND,
            grant_id,
            to_state(closed),
            expected=head.version,
            actor=actor,
            action="grant.revoked",
            reason=reason,
        )
        return closed

    def head(self, grant_id: str) -> GrantHead:
        """One grant with its newest entry. Raises NotFound ``grant_not_found``, Malformed ``bad_id``."""
        entry = self._ledger.head(KIND, check_name(KIND, grant_id))
        return GrantHead(from_state(grant_id, entry.state), entry)

    def history(self, grant_id: str) -> list[Entry]:
        """Every entry about a grant, oldest first. Raises Malformed ``bad_id``."""
        return list(self._ledger.history(KIND, check_name(KIND, grant_id)))
