"""The request context: who makes an authenticated request, for what purpose, and with what outcome.

Every route declares its action with :func:`require` and receives a :class:`RequestContext`. The error
handling of :mod:`api.app` records every refusal after :meth:`RequestContext.begin` as a refusal of that
operation, and :mod:`api.routing` records a change that succeeded if its route did not
(:meth:`RequestContext.settle`), so that no route can forget it. Every event names the objects in the path,
and those that the route adds.
"""

import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, cast

from fastapi import Depends, Header, Query, Request

from api.audit import Act, AuditEvent
from api.auth.access import Access
from api.auth.permissions import Reach
from api.auth.principal import Principal
from api.runtime import Runtime
from api.services import Services
from archive.attended import Abandoned
from archive.errors import ArchiveError, Malformed, Refused
from archive.model.custody import Actor, CustodyEvent, Outcome
from archive.timespan import Timespan

MAX_PURPOSE = 200
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z", re.ASCII)
_PARTS = frozenset({"run", "seq", "sha256", "number", "part"})
"""Path parameters that name a part of an object, not an object."""

Detail = str | int


@dataclass(slots=True)
class RequestContext:
    """The context of a request by a principal who may do ``action``. Only one thread may use it at a time.

    ``named`` are the objects that the path names; ``is_recorded`` says whether the audit trail has an event
    of this request yet.
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
    is_recorded: bool = False

    @property
    def services(self) -> Services:
        """The services of the API."""
        return self.runtime.services

    @property
    def access(self) -> Access:
        """The access rules for this action; the reason of a refusal is recorded, but not answered."""
        return self.access_for(self.action)

    def access_for(self, action: str) -> Access:
        """The access rules for another action, such as reading the object that is to be fetched."""

        def denied(why: str) -> None:
            self.details["denied"] = why

        return Access(self.services, self.principal, action, denied)

    def begin(self, act: Act, *objects: str, details: Mapping[str, Detail] | None = None) -> None:
        """Name the operation that is attempted, and its objects; from here on a refusal is recorded."""
        self.act, self.objects, self.details = act, objects, dict(details or {})

    def done(self, **details: Detail) -> CustodyEvent:
        """Record that the operation happened; durable when this returns. Raises as the custody record."""
        return self._write("", Outcome.DONE, details)

    def started(self, **details: Detail) -> CustodyEvent:
        """Record the start of an operation that lasts; durable when this returns, before the first byte."""
        return self._write(".started", Outcome.DONE, details)

    def ended(self, start: CustodyEvent, outcome: Outcome, **details: Detail) -> None:
        """Record how the operation ended, now or as soon as the custody store answers."""
        self.runtime.audit.write_late(self._event(".ended", outcome, {"start": start.id, **details}))

    def settle(self) -> None:
        """Record a change that succeeded, unless its route did: now or as soon as the custody store answers.

        The change itself is in the ledger with actor and reason; to answer with a failure would be false.
        """
        if self.is_recorded:
            return
        if self.act is None:
            self.begin(Act.ACCESS, details={"action": self.action})
        self.runtime.audit.write_late(self._event("", Outcome.DONE, {}))
        self.is_recorded = True

    def turned_away(self, error: ArchiveError, status: int) -> None:
        """Record a refusal (below 500) or a failure of the operation; do nothing if none was begun."""
        if self.act is None:
            return
        is_refused = status < 500 and not isinstance(error, Abandoned)
        outcome = Outcome.REFUSED if is_refused else Outcome.FAILED
        self._write("", outcome, {"code": error.code})

    def _write(self, phase: str, outcome: Outcome, details: dict[str, Detail]) -> CustodyEvent:
        event = self.runtime.audit.write(self._event(phase, outcome, details))
        self.is_recorded = True
        return event

    def _event(self, phase: str, outcome: Outcome, details: dict[str, Detail]) -> AuditEvent:
        if self.act is None:
            raise ValueError("no operation was begun")
        return AuditEvent(
            type=self.act.value + phase,
            actor=self.actor,
            objects=tuple(dict.fromkeys((*self.objects, *self.named))),
            purpose=self.purpose,
            outcome=outcome,
            details={**self.details, **details},
        )


class Requirement(Protocol):
    """A dependency that knows its action, and the reaches to which its route can limit callers."""

    action: str
    narrows: frozenset[Reach]

    def __call__(self, request: Request, purpose: str, saksi_purpose: str) -> Awaitable[RequestContext]:
        """The request context, or Refused."""
        ...


def require(action: str, *narrows: Reach) -> Any:
    """The dependency of a route that does ``action``: gives its :class:`RequestContext`, or refuses with 403.

    ``narrows`` are the reaches, below ``all``, that the route enforces with :attr:`RequestContext.access`. A
    caller who has only other reaches is refused: so a route that forgets to enforce a reach shows nobody too
    much.
    """

    async def context(
        request: Request,
        purpose: Annotated[
            str,
            Query(
                description="The purpose: a shift, an incident number. It is recorded with the request.",
                examples=["LP/B/123/XI/2026"],
            ),
        ] = "",
        saksi_purpose: Annotated[
            str, Header(alias="Saksi-Purpose", description="The purpose, as a header.")
        ] = "",
    ) -> RequestContext:
        principal: Principal = request.scope["saksi.principal"]
        runtime: Runtime = request.app.state.runtime
        address = request.client.host if request.client is not None else ""
        made = RequestContext(
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
                f"you do not have the permission {action}",
                code="not_permitted",
                hint="Ask an administrator for a role that includes it.",
            )
        made.purpose = check_purpose(purpose or header_text(saksi_purpose) or principal.purpose)
        if not made.purpose and principal.needs_purpose(action):
            made.begin(Act.ACCESS, request.url.path[:200], details={"action": action})
            raise Malformed(
                "a purpose is required to view or download footage",
                code="purpose_needed",
                hint="Give it in 'purpose', or once for the session: a shift, an incident number.",
            )
        return made

    requirement = cast(Requirement, context)
    requirement.action = action
    requirement.narrows = frozenset(narrows)
    return Depends(requirement)


def _named(request: Request) -> tuple[str, ...]:
    """The well-formed ids in the path; whether they exist is not known yet."""
    found = (str(value) for name, value in request.path_params.items() if name not in _PARTS)
    return tuple(value for value in found if _ID.match(value))


def span_details(span: Timespan) -> dict[str, Detail]:
    """A span in the form of custody events."""
    return {**span.to_json()}


def header_text(field: str) -> str:
    """The text of a header field: servers read its bytes as Latin-1, and most programs write UTF-8."""
    try:
        return field.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return field


def check_purpose(text: str) -> str:
    """Check a purpose, and return it trimmed. Raises Malformed ``bad_purpose``."""
    text = text.strip()
    if len(text) > MAX_PURPOSE or not text.isprintable():
        raise Malformed(
            "the purpose cannot be recorded",
            code="bad_purpose",
            hint=f"Use at most {MAX_PURPOSE} printable characters.",
        )
    return text
