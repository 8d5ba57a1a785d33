"""Accounts: open, change, close, invite; and who could see a camera's footage."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api import problems
from api.audit import Act
from api.auth.account_administration import AccountAdministration, SignInMethods
from api.auth.invitations import Invitation
from api.auth.viewers import who_could_see
from api.list_pages import page_of
from api.parameters import CameraId, instant
from api.places import district_codes
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.request_context import RequestContext, require
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
from archive.canonical import JsonObject
from archive.cases.people.listing import all_users
from archive.errors import ArchiveError, NotFound
from archive.ids import check_name
from archive.lifecycle.retention.answers import history_json
from archive.model.user import Role, User
from archive.records.indexed.newest import Said
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
    add_json(router, "POST", f"{one}/consent", consent, UserOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/refuse", refuse, UserOut, *CHANGE, tag=tag)
    add_json(router, "POST", "/v1/invitations", invite, InvitationOut, 404, 409, 413, status=201, tag=tag)
    second = "/v1/invitations/second-half"
    add_json(router, "POST", second, complete_invitation, InvitationOut, 404, 409, 413, status=201, tag=tag)
    add_json(router, "GET", "/v1/cameras/{camera}/viewers", list_viewers, ViewersOut, 404, tag=tag)


async def asked_user(
    user_id: Annotated[str, Path(description="The account's id.", max_length=63)],
) -> str:
    """The id in the path. Raises Malformed ``bad_id``."""
    return check_name("user", user_id)


UserId = Annotated[str, Depends(asked_user)]
Reader = Annotated[RequestContext, require("users.read")]
Editor = Annotated[RequestContext, require("users.edit")]


def list_users(
    context: Reader,
    role: Annotated[Role | None, Query(description="Only accounts with this role.")] = None,
    enabled: Annotated[bool | None, Query(description="Only open accounts, or only closed ones.")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 100,
    cursor: Annotated[str, Query(max_length=63, description="'next' of the previous page.")] = "",
) -> JSONResponse:
    """Accounts, by id."""
    context.begin(Act.USER_READ)
    administration = administration_of(context.services)
    known = all_users(context.services.index)
    found = [
        (user, newest)
        for user, newest in known.items
        if role in {None, *user.roles} and enabled in {None, user.enabled}
    ]
    page, following = page_of(found, cursor, limit, lambda one: one[0].id)
    sign_in_methods = administration.sign_in_methods()
    listed = [_user_json(sign_in_methods, user, newest) for user, newest in page]
    context.done(results=len(page))
    return JSONResponse({"users": listed, "next": following, "as_of": known.as_of_text})


def get_user(context: Reader, request: Request, user_id: UserId) -> Response:
    """One account and its history."""
    context.begin(Act.USER_READ, user_id)
    administration = administration_of(context.services)
    head = administration.users.head(user_id)
    body = _user_json(administration.sign_in_methods(), head.user, head.entry) | {
        "second_part": _second_part(context, administration, user_id),
        "history": history_json(administration.users.history(user_id)),
    }
    context.done()
    return read_answer(request, head.entry.version, body)


def open_account(context: Editor, form: UserIn) -> JSONResponse:
    """Open a local account. It has no password: invite the person, who then chooses one.

    The roles ``admin``, ``war_room`` and ``auditor`` wait until another administrator consents.
    """
    context.begin(Act.USER_ADD, check_name("user", form.id), details={"roles": ",".join(sorted(form.roles))})
    administration = administration_of(context.services)
    administration.open_account(
        User(
            id=form.id,
            name=form.name,
            roles=tuple(dict.fromkeys(form.roles)),
            districts=district_codes(context.services.areas, form.districts),
            agency=form.agency,
        ),
        actor=context.principal.id,
        reason=form.reason,
    )
    where = f"{context.services.settings.base_path}/v1/users/{form.id}"
    return _answer(context, administration, form.id, status=201, headers={"Location": where})


def change_user(context: Editor, user_id: UserId, version: Version, form: UserChangeIn) -> JSONResponse:
    """Give a local account other roles, districts or agency; nobody may change their own.

    Roles that are added wait until another administrator consents.
    """
    context.begin(Act.USER_CHANGE, user_id)
    administration = administration_of(context.services)
    if form.roles is not None:
        context.details["roles"] = ",".join(sorted(form.roles))
    with decided_on():
        administration.change(
            user_id,
            roles=None if form.roles is None else tuple(dict.fromkeys(form.roles)),
            districts=None
            if form.districts is None
            else district_codes(context.services.areas, form.districts),
            agency=form.agency,
            actor=context.principal.id,
            reason=form.reason,
            expected=version,
        )
    return _answer(context, administration, user_id)


def close_account(context: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """Close an account: its sessions end within seconds, the tokens it made are revoked."""
    context.begin(Act.USER_DISABLE, user_id)
    administration = administration_of(context.services)
    with decided_on():
        _, revoked = administration.close_account(
            user_id, actor=context.principal.id, reason=form.reason, expected=version
        )
    context.details["tokens_revoked"] = len(revoked)
    return _answer(context, administration, user_id, more={"tokens_revoked": revoked})


def reopen_account(context: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """Reopen an account; its former sessions and the tokens it made stay ended.

    The roles ``admin``, ``war_room`` and ``auditor`` wait until another administrator consents.
    """
    context.begin(Act.USER_ENABLE, user_id)
    administration = administration_of(context.services)
    with decided_on():
        administration.reopen_account(
            user_id, actor=context.principal.id, reason=form.reason, expected=version
        )
    return _answer(context, administration, user_id)


def end_sessions(context: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """End every session of an account, in every process within seconds; the person may sign in again."""
    context.begin(Act.USER_SIGN_OUT, user_id)
    administration = administration_of(context.services)
    with decided_on():
        administration.end_sessions(user_id, actor=context.principal.id, reason=form.reason, expected=version)
    return _answer(context, administration, user_id)


def consent(context: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """Consent to the roles that another administrator, or the OpenID provider, proposed."""
    context.begin(Act.USER_CONSENT, user_id)
    administration = administration_of(context.services)
    with decided_on():
        after = administration.consent(
            user_id, actor=context.principal.id, reason=form.reason, expected=version
        )
    context.details["roles"] = ",".join(sorted(after.roles))
    return _answer(context, administration, user_id)


def refuse(context: Editor, user_id: UserId, version: Version, form: UserReason) -> JSONResponse:
    """Drop the roles that were proposed for an account."""
    context.begin(Act.USER_REFUSE, user_id)
    administration = administration_of(context.services)
    with decided_on():
        administration.refuse(user_id, actor=context.principal.id, reason=form.reason, expected=version)
    return _answer(context, administration, user_id)


def invite(context: Editor, form: InviteIn) -> JSONResponse:
    """Make the first half of a code with which a person chooses the password of a local account.

    Another administrator makes the second half. Each half is shown once, and the code is valid once.
    """
    context.begin(Act.USER_INVITE, check_name("user", form.user))
    made = administration_of(context.services).invite(
        form.user, actor=context.principal.id, reason=form.reason
    )
    return _invitation(context, made)


def complete_invitation(context: Editor, form: InviteIn) -> JSONResponse:
    """Make the second half of a code, whose first half another administrator has."""
    context.begin(Act.USER_COMPLETE_INVITATION, check_name("user", form.user))
    made = administration_of(context.services).complete_invitation(
        form.user, actor=context.principal.id, reason=form.reason
    )
    return _invitation(context, made)


def _invitation(context: RequestContext, made: Invitation) -> JSONResponse:
    context.done(expires_at=format_instant(made.expires_at))
    body = {
        "user": made.user,
        "code": made.code,
        "expires_at": format_instant(made.expires_at),
        "accept_at": f"{context.services.settings.base_path}/auth/invitation",
    }
    return JSONResponse(body, status_code=201)


def list_viewers(
    context: Reader,
    camera: CameraId,
    at: Annotated[str, Query(description="Access at this time: RFC 3339 with an offset; default now.")] = "",
    footage_at: Annotated[
        str, Query(description="Footage recorded at this time; default the same as 'at'.")
    ] = "",
) -> JSONResponse:
    """Who could see what a camera recorded: accounts by role, district and grant, and tokens by scope."""
    context.begin(Act.USER_READ, camera)
    services = context.services
    context.access.camera(camera)
    moment = instant("at", at) if at else services.clock.now()
    footage = instant("footage_at", footage_at) if footage_at else moment
    body = who_could_see(
        services.ledger,
        services.registry.history(camera),
        administration_of(services).machines.known(),
        camera=camera,
        at=moment,
        footage_at=footage,
    )
    context.done(at=body["at"], footage_at=body["footage_at"], results=len(body["viewers"]))
    return JSONResponse(body | {"kecamatan_name": services.areas.name(body["kecamatan"])})


def administration_of(services: Services) -> AccountAdministration:
    """The account administration. Raises NotFound ``no_such_sign_in`` if the installation has none."""
    if services.administration is None:
        raise NotFound(
            "this installation has no accounts",
            code="no_such_sign_in",
            hint="Use a token: saksi token create.",
        )
    return services.administration


def _answer(
    context: RequestContext,
    administration: AccountAdministration,
    user_id: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    more: JsonObject | None = None,
) -> JSONResponse:
    """The answer to a change that happened, or the problem if the account cannot be read for it."""
    try:
        head = administration.users.head(user_id)
        body = _user_json(administration.sign_in_methods(), head.user, head.entry) | (more or {})
    except ArchiveError as error:
        # Not raised: raising would record a failure, but the change happened and is recorded as done.
        return problems.of_archive_error(error)
    context.done(version=head.entry.version)
    return JSONResponse(body, status_code=status, headers={**tagged(head.entry.version), **(headers or {})})


def _second_part(context: RequestContext, administration: AccountAdministration, user_id: str) -> JsonObject:
    found = administration.second_part(user_id, actor=context.principal.id)
    bar = "" if context.principal.may("users.edit") else "not_permitted"
    return {
        "invited_by": found.invited_by,
        "consent": bar or found.consent,
        "second_half": bar or found.second_half,
    }


def _user_json(sign_in_methods: SignInMethods, user: User, newest: Said) -> JsonObject:
    return {
        "id": user.id,
        "version": newest.version,
        "name": user.name,
        "roles": sorted(role.value for role in user.roles),
        "proposed": sorted(role.value for role in user.proposed),
        "districts": list(user.districts),
        "agency": user.agency,
        "issuer": user.issuer,
        "hosts": list(user.hosts),
        "enabled": user.enabled,
        "signs_in": sign_in_methods.of(user) or "none",
        "changed_at": format_instant(newest.at),
        "changed_by": newest.actor,
        "reason": newest.reason,
    }
