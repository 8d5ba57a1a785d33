"""Accounts: open, change, close, invite; and who could see a camera's footage."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api import problems
from api.acts import Act
from api.auth.office import Office, WaysIn
from api.auth.viewers import who_could_see
from api.list_pages import page_of
from api.parameters import CameraId, instant
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.routing import add_json
from api.schemas.users import (
    ClosedAccountOut,
    InvitationOut,
    InviteIn,
    OneUserOut,
    UserChangeIn,
    UserIn,
    UserOut,
    UserPage,
    UserReason,
    ViewersOut,
)
from api.services import Services
from api.visit import Visit, require
from archive.canonical import JsonObject
from archive.cases.people.users import UserHead
from archive.errors import ArchiveError, NotFound
from archive.ids import check_name
from archive.lifecycle.retention.answers import history_json
from archive.model.user import Role, User
from archive.timespan import format_instant

MAX_PAGE = 1000


def add_routes(router: APIRouter) -> None:
    """Add /v1/users, /v1/invitations and /v1/cameras/{camera}/viewers."""
    one, tag = "/v1/users/{user_id}", "people"
    add_json(router, "GET", "/v1/users", list_users, UserPage, 404, tag=tag)
    add_json(router, "POST", "/v1/users", open_account, UserOut, 404, 409, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_user, OneUserOut, 304, 404, tag=tag)
    add_json(router, "PATCH", one, change_user, UserOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/disable", close_account, ClosedAccountOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/enable", reopen_account, UserOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/sign-out", end_sessions, UserOut, *CHANGE, tag=tag)
    add_json(router, "POST", "/v1/invitations", invite, InvitationOut, 404, 409, 413, status=201, tag=tag)
    add_json(router, "GET", "/v1/cameras/{camera}/viewers", list_viewers, ViewersOut, 404, tag=tag)


async def asked_user(
    user_id: Annotated[str, Path(description="The account's id.", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("user", user_id)


UserId = Annotated[str, Depends(asked_user)]
Reader = Annotated[Visit, require("users.read")]
Editor = Annotated[Visit, require("users.edit")]


def list_users(
    visit: Reader,
    role: Annotated[Role | None, Query(description="Only accounts with this role.")] = None,
    enabled: Annotated[bool | None, Query(description="Only open accounts, or only closed ones.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Accounts, by id."""
    visit.begin(Act.USER_READ)
    office = office_of(visit.services)
    found = [
        head
        for head in office.users.heads()
        if role in {None, *head.user.roles} and enabled in {None, head.user.enabled}
    ]
    page, following = page_of(found, cursor, limit, lambda head: head.user.id)
    ways_in = office.ways_in()
    body = {"users": [_user_json(ways_in, head) for head in page], "next": following}
    visit.done(results=len(page))
    return JSONResponse(body)


def get_user(visit: Reader, request: Request, user_id: UserId) -> Response:
    """One account and its history."""
    visit.begin(Act.USER_READ, user_id)
    office = office_of(visit.services)
    head = office.users.head(user_id)
    body = _user_json(office.ways_in(), head) | {"history": history_json(office.users.history(user_id))}
    visit.done()
    return read_answer(request, head.entry.version, body)


def open_account(visit: Editor, form: UserIn) -> JSONResponse:
    """Open a local account. It has no password: invite the person, who then chooses one."""
    visit.begin(Act.USER_ADD, check_name("user", form.id), details={"roles": ",".join(sorted(form.roles))})
    office = office_of(visit.services)
    office.open_account(
        User(
            id=form.id,
            name=form.name,
            roles=tuple(dict.fromkeys(form.roles)),
            districts=tuple(dict.fromkeys(form.districts)),
            agency=form.agency,
        ),
        actor=visit.principal.id,
        reason=form.reason,
    )
    where = f"{visit.services.settings.base_path}/v1/users/{form.id}"
    return _answer(visit, office, form.id, status=201, headers={"Location": where})


def change_user(visit: Editor, user_id: UserId, version: Version, form: UserChangeIn) -> JSONResponse:
    """Give a local account other roles, districts or agency; nobody may change their own."""
    visit.begin(Act.USER_CHANGE, user_id)
    office = office_of(visit.services)
    if form.roles is not None:
        visit.details["roles"] = ",".join(sorted(form.roles))
    with decided_on():
        office.change(
            user_id,
            roles=None if form.roles is None else tuple(dict.fromkeys(form.roles)),
            districts=None if form.districts is None else tuple(dict.fromkeys(form.districts)),
            agency=form.agency,
            actor=visit.principal.id,
            reason=form.reason,
            expected=version,
        )
    return _answer(visit, office, user_id)


def close_account(visit: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """Close an account: its sessions end within seconds, the tokens it made are revoked."""
    visit.begin(Act.USER_DISABLE, user_id)
    office = office_of(visit.services)
    with decided_on():
        _, revoked = office.close_account(
            user_id, actor=visit.principal.id, reason=form.reason, expected=version
        )
    visit.details["tokens_revoked"] = len(revoked)
    return _answer(visit, office, user_id, more={"tokens_revoked": revoked})


def reopen_account(visit: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """Reopen an account; its former sessions and the tokens it made stay ended."""
    visit.begin(Act.USER_ENABLE, user_id)
    office = office_of(visit.services)
    with decided_on():
        office.reopen_account(user_id, actor=visit.principal.id, reason=form.reason, expected=version)
    return _answer(visit, office, user_id)


def end_sessions(visit: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """End every session of an account, in every process within seconds; the person may sign in again."""
    visit.begin(Act.USER_SIGN_OUT, user_id)
    office = office_of(visit.services)
    with decided_on():
        office.end_sessions(user_id, actor=visit.principal.id, reason=form.reason, expected=version)
    return _answer(visit, office, user_id)


def invite(visit: Editor, form: InviteIn) -> JSONResponse:
    """Make a code with which a person chooses the password of a local account; shown once, valid once."""
    visit.begin(Act.USER_INVITE, check_name("user", form.user))
    made = office_of(visit.services).invite(form.user, actor=visit.principal.id, reason=form.reason)
    visit.done(expires_at=format_instant(made.expires_at))
    body = {
        "user": made.user,
        "code": made.code,
        "expires_at": format_instant(made.expires_at),
        "accept_at": f"{visit.services.settings.base_path}/auth/invitation",
    }
    return JSONResponse(body, status_code=201)


def list_viewers(
    visit: Reader,
    camera: CameraId,
    at: Annotated[str, Query(description="Access at this time: RFC 3339 with an offset; default now.")] = "",
    footage_at: Annotated[
        str, Query(description="Footage recorded at this time; default the same as 'at'.")
    ] = "",
) -> JSONResponse:
    """Who could see what a camera recorded: accounts by role, district and grant, and tokens by scope."""
    visit.begin(Act.USER_READ, camera)
    services = visit.services
    visit.access.camera(camera)
    moment = instant("at", at) if at else services.clock.now()
    footage = instant("footage_at", footage_at) if footage_at else moment
    body = who_could_see(
        services.ledger,
        services.registry.history(camera),
        office_of(services).machines.known(),
        camera=camera,
        at=moment,
        footage_at=footage,
    )
    visit.done(at=body["at"], footage_at=body["footage_at"], results=len(body["viewers"]))
    return JSONResponse(body)


def office_of(services: Services) -> Office:
    """The account administration. Raises NotFound ``no_such_sign_in`` if the installation has none."""
    if services.office is None:
        raise NotFound(
            "this installation has no accounts",
            code="no_such_sign_in",
            hint="Use a token: saksi token create.",
        )
    return services.office


def _answer(
    visit: Visit,
    office: Office,
    user_id: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    more: JsonObject | None = None,
) -> JSONResponse:
    """The answer to a change that happened, or the problem if the account cannot be read for it."""
    try:
        head = office.users.head(user_id)
        body = _user_json(office.ways_in(), head) | (more or {})
    except ArchiveError as error:
        # Not raised: raising would record a failure, but the change happened and is recorded as done.
        return problems.of_archive_error(error)
    visit.done(version=head.entry.version)
    return JSONResponse(body, status_code=status, headers={**tagged(head.entry.version), **(headers or {})})


def _user_json(ways_in: WaysIn, head: UserHead) -> JsonObject:
    user, entry = head.user, head.entry
    return {
        "id": user.id,
        "version": entry.version,
        "name": user.name,
        "roles": sorted(role.value for role in user.roles),
        "districts": list(user.districts),
        "agency": user.agency,
        "issuer": user.issuer,
        "enabled": user.enabled,
        "signs_in": ways_in.of(user) or "none",
        "changed_at": format_instant(entry.at),
        "changed_by": entry.actor,
        "reason": entry.reason,
    }
