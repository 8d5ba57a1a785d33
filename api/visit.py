"""One request of somebody who is known: who, why, and what came of it.

Every route declares its action with :func:`require` and is given a :class:`Visit`. Whatever is refused after
:meth:`Visit.begin` is recorded as a refusal of that act by :mod:`api.app`'s error handling, and a change that
succeeded is recorded by :mod:`api.routing` where its route did not (:meth:`Visit.settle`), so that no route
can forget it. Every event names what the path names, beside what the route adds.
"""

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Header, Query, Request

from api.acts import Act, Told
from api.auth.access import Access
from api.auth.permissions import Reach
from api.auth.principal import Principal
from api.runtime import Runtime
from api.services import Services
from archive.errors import ArchiveError, Malformed, Refused
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.timespan import Timespan, format_instant

MAX_PURPOSE = 200
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z", re.ASCII)
_PARTS = frozenset({"run", "seq", "sha256", "number"})
"""Path parameters that name a part of an object, and no object of their own."""

Detail = str | int


@dataclass(slots=True)
class Visit:
    """A request by a principal who may do ``action``. Not shared between threads at once.

    ``named`` are the objects that the path names; ``is_told`` whether anything of it is on record yet.
    """

    runtime: Runtime
    principal: Principal
    actor: Actor
    purpose: str
    action: str
    act: Act | None = None
    objects: tuple[str, ...] = ()
    details: dict[str, Detail] = field(default_factory=dict)
    named: tuple[str, ...] = ()
    is_told: bool = False

    @property
    def services(self) -> Services:
        """The parts of the API."""
        return self.runtime.services

    @property
    def access(self) -> Access:
        """What the principal may see for this action; why not goes on record, not into the answer."""
        return self.access_for(self.action)

    def access_for(self, action: str) -> Access:
        """The same for another action, such as knowing of what is asked for."""

        def denied(why: str) -> None:
            self.details["denied"] = why

        return Access(self.services, self.principal, action, denied)

    def begin(self, act: Act, *objects: str, details: Mapping[str, Detail] | None = None) -> None:
        """Name what is attempted, on what; a refusal from here on is put on record."""
        self.act, self.objects, self.details = act, objects, dict(details or {})

    def done(self, **details: Detail) -> CustodyEvent:
        """Record that the act happened; durable when this returns. Raises as the custody record."""
        return self._tell("", Outcome.DONE, details)

    def started(self, **details: Detail) -> CustodyEvent:
        """Record that something that lasts begins; durable before its first byte."""
        return self._tell(".started", Outcome.DONE, details)

    def ended(self, start: CustodyEvent, outcome: Outcome, **details: Detail) -> None:
        """Record how it ended, now or as soon as the record answers."""
        self.runtime.trace.tell_late(self._told(".ended", outcome, {"start": start.id, **details}))

    def settle(self) -> None:
        """A change succeeded: put it on record, now or as soon as the record answers, if its route did not.

        The change itself is in the ledger with who and why; to call it a failure would be false.
        """
        if self.is_told:
            return
        if self.act is None:
            self.begin(Act.ACCESS, details={"action": self.action})
        self.runtime.trace.tell_late(self._told("", Outcome.DONE, {}))
        self.is_told = True

    def turned_away(self, error: ArchiveError, status: int) -> None:
        """Record a refusal (below 500) or a failure of the act. Nothing where no act was begun."""
        if self.act is None:
            return
        outcome = Outcome.REFUSED if status < 500 else Outcome.FAILED
        self._tell("", outcome, {"code": error.code})

    def _tell(self, phase: str, outcome: Outcome, details: dict[str, Detail]) -> CustodyEvent:
        event = self.runtime.trace.tell(self._told(phase, outcome, details))
        self.is_told = True
        return event

    def _told(self, phase: str, outcome: Outcome, details: dict[str, Detail]) -> Told:
        if self.act is None:
            raise ValueError("nothing was begun")
        return Told(
            type=self.act.value + phase,
            actor=self.actor,
            objects=tuple(dict.fromkeys((*self.objects, *self.named))),
            purpose=self.purpose,
            outcome=outcome,
            details={**self.details, **details},
        )


class Requirement(Protocol):
    """A dependency that knows which action it stands for, and how far it can hold people back."""

    action: str
    narrows: frozenset[Reach]

    def __call__(self, request: Request, purpose: str, saksi_purpose: str) -> Awaitable[Visit]:
        """The visit, or Refused."""
        ...


def require(action: str, *narrows: Reach) -> Any:
    """The dependency of a route that does ``action``: gives its :class:`Visit`, or refuses with 403.

    ``narrows`` are the reaches short of everything that the route holds people to, by :attr:`Visit.access`.
    Whoever reaches no further than what it does not know of is refused: a route that somebody forgets to
    narrow shows nobody too much.
    """

    async def visit(
        request: Request,
        purpose: Annotated[
            str,
            Query(
                description="Why: a shift, an incident number. It goes on record with who and what.",
                examples=["LP/B/123/XI/2026"],
            ),
        ] = "",
        saksi_purpose: Annotated[
            str, Header(alias="Saksi-Purpose", description="The same, for clients that prefer a header.")
        ] = "",
    ) -> Visit:
        principal: Principal = request.scope["saksi.principal"]
        runtime: Runtime = request.app.state.runtime
        address = request.client.host if request.client is not None else ""
        made = Visit(
            runtime=runtime,
            principal=principal,
            actor=Actor(
                id=principal.id,
                address=address,
                session=principal.session,
                role=principal.role,
                agency=principal.agency,
            ),
            purpose="",
            action=action,
            named=_named(request),
        )
        request.scope["saksi.visit"] = made
        if not principal.reach(action) & {Reach.ALL, *narrows}:
            made.begin(Act.ACCESS, request.url.path[:200], details={"action": action})
            raise Refused(
                f"{action} is not yours to do",
                code="not_permitted",
                hint="Ask an administrator for a role that includes it.",
            )
        made.purpose = check_purpose(purpose or saksi_purpose or principal.purpose)
        if not made.purpose and principal.needs_purpose(action):
            made.begin(Act.ACCESS, request.url.path[:200], details={"action": action})
            raise Malformed(
                "footage is shown and given for a purpose alone",
                code="purpose_needed",
                hint="Say why in 'purpose', or once for the session: a shift, an incident number.",
            )
        return made

    requirement = cast(Requirement, visit)
    requirement.action = action
    requirement.narrows = frozenset(narrows)
    return Depends(requirement)


def _named(request: Request) -> tuple[str, ...]:
    """The ids in the path, as far as they can be ids at all: whether they exist is not known yet."""
    found = (str(value) for name, value in request.path_params.items() if name not in _PARTS)
    return tuple(value for value in found if _ID.match(value))


def span_details(span: Timespan) -> dict[str, Detail]:
    """A span as custody events write it."""
    return {"from": format_instant(span.start), "to": format_instant(span.end)}


def check_purpose(text: str) -> str:
    """Accept a purpose for the record, and return it trimmed. Raises Malformed ``bad_purpose``."""
    text = text.strip()
    if len(text) > MAX_PURPOSE or not text.isprintable():
        raise Malformed(
            "the purpose cannot go on record as it is",
            code="bad_purpose",
            hint=f"Use at most {MAX_PURPOSE} printable characters.",
        )
    return text
