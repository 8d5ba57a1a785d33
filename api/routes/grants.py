"""Grants: footage opened for a time to a person or agency outside the War Room."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api import problems
from api.audit import Act
from api.auth.catching_up import catch_up
from api.auth.permissions import RIGHT_OF, Reach, reach_of
from api.named_people import with_people
from api.parameters import camera_ids, instant
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.request_context import RequestContext, require, span_details
from api.routes.users import administration_of
from api.routing import add_json
from api.schemas.grants import GivenOut, GrantIn, GrantPage, GrantReason, OneGivenOut
from archive.canonical import JsonObject
from archive.cases.people.grant_list import Wanted
from archive.cases.people.grant_list import list_grants as listed
from archive.cases.people.grants import MAX_CAMERAS, Grants
from archive.errors import ArchiveError, Malformed, NotFound
from archive.ids import check_name
from archive.lifecycle.retention.answers import history_json
from archive.model.grant import Grant, to_state
from archive.timespan import Timespan, format_instant

MAX_PAGE = 1000


def add_routes(router: APIRouter) -> None:
    """Add /v1/grants and its subpaths."""
    one, tag = "/v1/grants/{grant_id}", "people"
    add_json(router, "GET", "/v1/grants", list_grants, GrantPage, tag=tag)
    add_json(router, "POST", "/v1/grants", give_grant, GivenOut, 404, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_grant, OneGivenOut, 304, 404, tag=tag)
    add_json(router, "POST", f"{one}/revoke", revoke_grant, GivenOut, *CHANGE, tag=tag)


async def asked_grant(
    grant_id: Annotated[str, Path(description="GRT-<16 hex digits>", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("grant", grant_id)


GrantId = Annotated[str, Depends(asked_grant)]
Reader = Annotated[RequestContext, require("grants.read", Reach.MINE)]
Giver = Annotated[RequestContext, require("grants.edit")]


def list_grants(
    context: Reader,
    person: Annotated[str, Query(max_length=63, description="Only grants to this account by name.")] = "",
    agency: Annotated[str, Query(max_length=200, description="Only grants to this agency.")] = "",
    camera: Annotated[str, Query(max_length=63, description="Only grants of this camera.")] = "",
    in_force: Annotated[
        bool | None, Query(description="Only grants that are in force now, or only those that are not.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Grants, the newest first; people outside the War Room see their own and their agency's."""
    context.begin(Act.GRANT_READ)
    now = context.services.clock.now()
    page = listed(
        context.services.index,
        Wanted(person=person, agency=agency, camera=camera, in_force=in_force),
        now,
        limit=limit,
        cursor=cursor,
        is_shown=lambda grant: _is_theirs(context, grant),
    )
    context.done(results=len(page.items))
    grants = [_grant_json(grant, newest.version, now) for grant, newest in page.items]
    found = {"grants": grants, "next": page.next, "as_of": page.as_of_text}
    return JSONResponse(with_people(context, found))


def get_grant(context: Reader, request: Request, grant_id: GrantId) -> Response:
    """One grant and its history."""
    context.begin(Act.GRANT_READ, grant_id)
    grants = _grants(context)
    head = grants.head(grant_id)
    if not _is_theirs(context, head.grant):
        context.details["denied"] = "grant"
        raise NotFound(f"there is no grant {grant_id}", code="grant_not_found")
    body = _grant_json(head.grant, head.entry.version, context.services.clock.now()) | {
        "history": history_json(grants.history(grant_id))
    }
    context.done()
    return read_answer(request, head.entry.version, with_people(context, body))


def give_grant(context: Giver, form: GrantIn) -> JSONResponse:
    """Open footage to a person or an agency; in force in this process at once, in others within seconds."""
    cameras = camera_ids(form.cameras, MAX_CAMERAS)
    span = Timespan(instant("from", form.start), instant("to", form.end))
    until = instant("until", form.until)
    context.begin(
        Act.GRANT_GIVE,
        *cameras,
        details={
            **span_details(span),
            "to_whom": form.person or form.agency,
            "rights": ",".join(sorted(form.rights)),
            "until": format_instant(until),
            "basis": form.basis,
        },
    )
    for camera in cameras:
        context.access.camera(camera)
    if form.person:
        _require_openable(context, form.person)
    given = _grants(context).give(
        person=form.person,
        agency=form.agency,
        cameras=cameras,
        span=span,
        rights=form.rights,
        until=until,
        basis=form.basis,
        actor=context.principal.id,
    )
    context.objects = (given.id, *cameras)
    where = f"{context.services.settings.base_path}/v1/grants/{given.id}"
    return _answer(context, given.id, status=201, headers={"Location": where})


def revoke_grant(context: Giver, grant_id: GrantId, version: Version, form: GrantReason) -> JSONResponse:
    """Revoke a grant before its end; it ends in this process at once, in others within seconds."""
    context.begin(Act.GRANT_REVOKE, grant_id)
    with decided_on():
        revoked = _grants(context).revoke(
            grant_id, actor=context.principal.id, reason=form.reason, expected=version
        )
    context.objects = (grant_id, *revoked.cameras)
    return _answer(context, grant_id)


def _require_openable(context: RequestContext, person: str) -> None:
    """Check that a grant would open footage to the person: an open account with a role that grants apply to.

    Raises:
        NotFound: ``user_not_found``. Malformed: ``bad_id``, ``bad_grant``.
    """
    user = administration_of(context.services).users.user(person)
    granted = any(Reach.GRANTED in reach_of(frozenset(user.roles), action) for action in RIGHT_OF)
    if not user.enabled or not granted:
        raise Malformed(
            f"a grant would open nothing to {person}",
            code="bad_grant",
            hint="Name an open account of the police or of Satpol PP.",
        )


def _grants(context: RequestContext) -> Grants:
    return Grants(context.services.ledger, context.services.clock)


def _is_theirs(context: RequestContext, grant: Grant) -> bool:
    """Whether the principal reaches all grants, or this one is to them or their agency."""
    principal = context.principal
    reach = principal.reach(context.action)
    if Reach.ALL in reach:
        return True
    kind, _, person = principal.id.partition(":")
    return Reach.MINE in reach and kind == "user" and grant.is_for(person, principal.agency)


def _answer(
    context: RequestContext, grant_id: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> JSONResponse:
    """The answer to a change that happened, or the problem if the grant cannot be read for it."""
    catch_up(context.services.people)
    try:
        head = _grants(context).head(grant_id)
    except ArchiveError as error:
        # Not raised: raising would record a failure, but the change happened and is recorded as done.
        return problems.of_archive_error(error)
    context.done(version=head.entry.version)
    return JSONResponse(
        _grant_json(head.grant, head.entry.version, context.services.clock.now()),
        status_code=status,
        headers={**tagged(head.entry.version), **(headers or {})},
    )


def _grant_json(grant: Grant, version: int, now: int) -> JsonObject:
    return to_state(grant) | {
        "id": grant.id,
        "version": version,
        "revoked": grant.revoked,
        "in_force": grant.in_force(now),
    }
