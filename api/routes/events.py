"""Server-sent events: which of the reader's lists changed, so that a page reads it anew at once."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response, StreamingResponse

from api.audit import Act
from api.auth.authentication import Again
from api.auth.permissions import Reach
from api.changes.cursor import marks_in
from api.changes.stream import ChangeStream, Reading
from api.changes.subjects import Subject, scope_of, subjects_for
from api.changes.watching import EVERY_S, TRIALS_S
from api.request_context import RequestContext, require
from api.routing import add_document
from archive.errors import ArchiveError
from archive.timespan import MINUTE, SECOND, format_instant

KIND = "text/event-stream"
EVENT: Mapping[str, Any] = MappingProxyType(
    {
        "type": "object",
        "description": "One event of the stream.",
        "required": ["event", "id", "data"],
        "properties": {
            **{name: {"type": "string"} for name in ("event", "id", "data")},
            "retry": {"type": "integer"},
        },
    }
)
"""As OpenAPI 3.1 describes what it cannot: each event, by the names of its fields."""
_OF_PROVIDER = MINUTE
"""How long a stream lasts whose session an OpenID provider keeps: only a new request asks it again."""


def add_routes(router: APIRouter) -> None:
    """Add /v1/events."""
    add_document(router, "/v1/events", follow_changes, KIND, tag="session", schema=EVENT)


async def follow_changes(
    context: Annotated[RequestContext, require("session.read", Reach.OWN, Reach.MINE)],
    request: Request,
    about: Annotated[
        list[Subject] | None, Query(description="What to follow; everything that one may, without it.")
    ] = None,
    last_event_id: Annotated[
        str,
        Header(
            alias="Last-Event-ID", description="'id' of the last event: what changed since is told at once."
        ),
    ] = "",
) -> Response:
    """Be told which lists changed, as server-sent events; the lists themselves say how.

    An event has the name of a subject and a time, and nothing of the archive. The stream ends with the
    session, and after five minutes; open it again with `Last-Event-ID`, as browsers do.
    """
    context.begin(Act.ACCESS, details={"action": context.action})
    principal, watching = context.principal, context.runtime.watching
    subjects = subjects_for(principal, about or ())
    scopes = {subject: scope for subject in subjects if (scope := scope_of(principal, subject)) is not None}
    again: Again = request.scope["saksi.again"]

    async def stands() -> bool:
        try:
            now = await to_thread.run_sync(again.principal)
        except ArchiveError:
            return False  # nobody is admitted while it is not known who may be
        return now is not None and all(scope_of(now, one) == scope for one, scope in scopes.items())

    settings = context.services.settings
    life = min(settings.events_life, _OF_PROVIDER) if again.is_of_provider else settings.events_life
    reading = Reading(
        subjects=tuple(scopes),
        mark=lambda subject: watching.mark(subject, scopes[subject]),
        stands=stands,
        at=lambda: format_instant(context.services.clock.now()),
        now=watching.now,
        life_s=life / SECOND,
        tick_s=TRIALS_S if Subject.TRIALS in subjects else EVERY_S,
    )
    stream = ChangeStream(reading, watching.streams, marks_in(last_event_id) if last_event_id else None)
    await stream.begin()
    # nginx collects answers before it passes them on, unless this says that it must not.
    headers = {"X-Accel-Buffering": "no"}
    if request.method == "HEAD":
        return Response(media_type=KIND, headers=headers)
    return StreamingResponse(stream.lines(), media_type=KIND, headers=headers)
