"""Sign-in, sign-out and sessions: pages use a session, programs send a token."""

import hmac
import secrets
from itertools import islice
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.audit import Act, AuditEvent
from api.auth.cookies import safe_path
from api.auth.people import People
from api.auth.permissions import Reach
from api.auth.principal import Principal
from api.auth.sessions import Session
from api.request_context import RequestContext, check_purpose, require
from api.routing import add_json
from api.runtime import Runtime
from api.schemas.problem import problem_responses
from api.schemas.session import PasswordIn, PurposeIn, SessionOut, SignedOut, SignIn
from api.schemas.users import AcceptIn
from archive.canonical import JsonObject
from archive.errors import NotFound, Refused
from archive.model.custody import Actor, Outcome
from archive.timespan import format_instant

MAX_KNOWN = 12
"""People who share a browser, such as the shifts of a control room, and are known in it."""


def add_routes(router: APIRouter) -> None:
    """Add /auth/… and /v1/session."""
    tag = "session"
    for path, endpoint in (("/auth/login", begin), ("/auth/callback", come_back)):
        router.add_api_route(
            path,
            endpoint,
            methods=["GET"],
            tags=[tag],
            status_code=303,
            response_class=Response,
            responses={303: {"description": "The browser continues there."}, **problem_responses(404)},
        )
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    add_json(router, "POST", "/auth/local", sign_in, SessionOut, 404, 413, 429, tag=tag)
    add_json(router, "POST", "/auth/invitation", accept_invitation, SessionOut, 404, 413, 429, tag=tag)
    add_json(router, "POST", "/auth/logout", sign_out, SignedOut, 409, 413, tag=tag)
    add_json(router, "POST", "/auth/password", change_password, SessionOut, 409, 413, 429, tag=tag)
    add_json(router, "GET", "/v1/session", get_session, SessionOut, tag=tag)
    add_json(router, "PATCH", "/v1/session", set_purpose, SessionOut, 409, 413, tag=tag)


async def begin(
    request: Request,
    following: Annotated[
        str, Query(alias="next", max_length=2000, description="The path to return to afterwards.")
    ] = "/",
) -> Response:
    """Send the browser to the OpenID provider; it comes back to /auth/callback."""
    runtime, people = _parts(request)
    address, pending = await to_thread.run_sync(people.begin_at_provider, safe_path(following))
    response = RedirectResponse(address, status_code=303)
    runtime.cookies.put_pending(response, people.cookies.seal_pending(pending))
    return response


async def come_back(
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
    error_description: Annotated[str, Query(max_length=2000)] = "",
    session_state: Annotated[str, Query(max_length=200)] = "",
    iss: Annotated[str, Query(max_length=500)] = "",
) -> Response:
    """Open a new session for the browser that returns from the provider."""
    runtime, people = _parts(request)
    brought = runtime.cookies.read(request.scope, runtime.cookies.pending)
    try:
        pending = people.cookies.open_pending(brought) if brought else None
        if pending is None or error or not code or not _same(state, pending.state):
            raise Refused(
                "the sign-in did not begin here, took too long, or was refused",
                code="sign_in_refused",
                hint="Sign in again.",
            )
        session = await to_thread.run_sync(people.finish_at_provider, pending, code)
    except Refused:
        await to_thread.run_sync(runtime.unauthenticated.turned_away, _address(request))
        raise
    response = RedirectResponse(f"{runtime.services.settings.base_path}{pending.next}", status_code=303)
    await to_thread.run_sync(_tell_sign_in, runtime, session, _address(request))
    runtime.cookies.put(response, people.cookies.seal(session))
    runtime.cookies.drop(response, runtime.cookies.pending)
    return response


def sign_in(request: Request, form: SignIn) -> Response:
    """Open a session with a local account."""
    runtime, people = _parts(request)
    runtime.cookies.check_origin(request.scope)
    purpose = check_purpose(form.purpose)
    address = _address(request)
    known = people.cookies.open_known(runtime.cookies.read(request.scope, runtime.cookies.known))
    browser = known.pop(form.name, "")
    try:
        session = people.sign_in(form.name, form.password, address=address, purpose=purpose, browser=browser)
    except Refused:
        runtime.unauthenticated.turned_away(address, form.name if people.has_account(form.name) else "")
        raise
    _tell_sign_in(runtime, session, address)
    response = _with_session(runtime, people, session)
    newest = dict(islice(known.items(), MAX_KNOWN - 1))
    runtime.cookies.put_known(
        response, people.cookies.seal_known({form.name: browser or secrets.token_urlsafe(12), **newest})
    )
    return response


def accept_invitation(request: Request, form: AcceptIn) -> Response:
    """Choose the password of a local account with the code of an invitation, and open a session."""
    runtime, people = _parts(request)
    runtime.cookies.check_origin(request.scope)
    address = _address(request)
    try:
        session = people.accept(form.code, form.password, address=address)
    except Refused:
        runtime.unauthenticated.turned_away(address)
        raise
    _tell_sign_in(runtime, session, address, how="invitation")
    return _with_session(runtime, people, session)


def sign_out(
    context: Annotated[RequestContext, require("session.edit", Reach.OWN, Reach.MINE)], request: Request
) -> Response:
    """End every session of the caller, in this process at once and in others within seconds."""
    context.begin(Act.SIGN_OUT)
    people, session = _own_session(context, request)
    context.done()
    where = people.sign_out(session, return_to=context.services.settings.public_url or str(request.base_url))
    response = JSONResponse({"location": where})
    cookies = context.runtime.cookies
    cookies.drop(response, cookies.session)
    return response


def change_password(
    context: Annotated[RequestContext, require("session.edit", Reach.OWN, Reach.MINE)],
    request: Request,
    form: PasswordIn,
) -> Response:
    """Give a local account a new password; its other sessions end."""
    context.begin(Act.PASSWORD_CHANGE)
    people, session = _own_session(context, request)
    after = people.change_password(session, form.old, form.new, address=context.actor.address)
    context.done()
    return _with_session(context.runtime, people, after)


def get_session(
    context: Annotated[RequestContext, require("session.read", Reach.OWN, Reach.MINE)], request: Request
) -> JSONResponse:
    """The caller, their purpose, and their grants."""
    session: Session | None = request.scope.get("saksi.session")
    return JSONResponse(_session_json(context.runtime, context.principal, session))


def set_purpose(
    context: Annotated[RequestContext, require("session.edit", Reach.OWN, Reach.MINE)],
    request: Request,
    form: PurposeIn,
) -> Response:
    """Set the purpose of the session; it applies to every act until it is changed."""
    people, session = _own_session(context, request)
    context.purpose = check_purpose(form.purpose)
    context.begin(Act.PURPOSE_CHANGE)
    context.done()
    return _with_session(context.runtime, people, people.with_purpose(session, context.purpose))


def _parts(request: Request) -> tuple[Runtime, People]:
    runtime: Runtime = request.app.state.runtime
    people = runtime.services.people
    if people is None:
        raise NotFound(
            "this installation has no sign-in",
            code="no_such_sign_in",
            hint="Use a token: saksi token create.",
        )
    return runtime, people


def _own_session(context: RequestContext, request: Request) -> tuple[People, Session]:
    session: Session | None = request.scope.get("saksi.session")
    _, people = _parts(request)
    if session is None:
        raise Refused(
            "this route needs a session",
            code="no_session",
            hint="A program with a token has no session: it names its purpose with each request.",
        )
    return people, session


def _with_session(runtime: Runtime, people: People, session: Session) -> Response:
    cookie = people.cookies.seal(session)
    present = people.present(cookie)
    response = JSONResponse(_session_json(runtime, present.principal, session))
    runtime.cookies.put(response, cookie)
    return response


def _session_json(runtime: Runtime, principal: Principal, session: Session | None) -> JsonObject:
    people = runtime.services.people
    ends_at = None
    if session is not None and people is not None:
        limits = people.cookies.limits
        ends_at = format_instant(min(session.begun_at + limits.absolute, session.seen_at + limits.idle))
    return {
        "id": principal.id,
        "roles": sorted(role.value for role in principal.roles),
        "districts": None if principal.districts is None else sorted(principal.districts),
        "agency": principal.agency,
        "purpose": principal.purpose,
        "ends_at": ends_at,
        "grants": [
            {
                "id": grant.id,
                "cameras": list(grant.cameras),
                "from": format_instant(grant.span.start),
                "to": format_instant(grant.span.end),
                "rights": sorted(right.value for right in grant.rights),
                "until": format_instant(grant.ends_at),
            }
            for grant in principal.grants
        ],
    }


def _tell_sign_in(runtime: Runtime, session: Session, address: str, *, how: str = "") -> None:
    runtime.audit.write(
        AuditEvent(
            type=Act.SIGN_IN.value,
            actor=Actor(id=f"user:{session.user}", address=address, session=session.id),
            objects=(),
            purpose=session.purpose,
            outcome=Outcome.DONE,
            details={"how": how or ("openid" if session.refresh else "password")},
        )
    )


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
