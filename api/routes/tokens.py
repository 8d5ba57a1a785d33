"""Tokens of machines: make one that reaches no further than its maker, list them, revoke one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from starlette.responses import JSONResponse, Response

from api import problems
from api.audit import Act
from api.auth.holders import Known
from api.parameters import instant
from api.places import district_codes
from api.preconditions import CHANGE, Version, decided_on, read_answer, tagged
from api.request_context import RequestContext, require
from api.routes.users import administration_of
from api.routing import add_json
from api.schemas.tokens import MadeTokenOut, TokenIn, TokenOut, TokenPage, TokenReason
from archive.canonical import JsonObject
from archive.errors import ArchiveError
from archive.ids import check_name
from archive.model.token import TokenScope
from archive.timespan import format_instant


def add_routes(router: APIRouter) -> None:
    """Add /v1/tokens and what is under it."""
    one, tag = "/v1/tokens/{name}", "people"
    add_json(router, "GET", "/v1/tokens", list_tokens, TokenPage, 404, tag=tag)
    add_json(router, "POST", "/v1/tokens", make_token, MadeTokenOut, 404, 409, 413, status=201, tag=tag)
    add_json(router, "GET", one, get_token, TokenOut, 304, 404, tag=tag)
    add_json(router, "POST", f"{one}/revoke", revoke_token, TokenOut, *CHANGE, tag=tag)


async def asked_token(name: Annotated[str, Path(description="The token's name.", max_length=63)]) -> str:
    """The name in the path. Raises Malformed ``bad_id``."""
    return check_name("token", name)


TokenName = Annotated[str, Depends(asked_token)]
Reader = Annotated[RequestContext, require("tokens.read")]
Maker = Annotated[RequestContext, require("tokens.edit")]


def list_tokens(context: Reader) -> JSONResponse:
    """Every token that was not revoked, in the order they were made; never the secret itself."""
    context.begin(Act.TOKEN_READ)
    now = context.services.clock.now()
    known = administration_of(context.services).machines.known()
    context.done(results=len(known))
    return JSONResponse({"tokens": [_token_json(one, now) for one in known]})


def get_token(context: Reader, request: Request, name: TokenName) -> Response:
    """One token; its ETag changes when the name is reused for another token."""
    context.begin(Act.TOKEN_READ, name)
    found = administration_of(context.services).machines.token(name)
    body = _token_json(found, context.services.clock.now())
    context.done()
    return read_answer(request, found.version, body)


def make_token(context: Maker, form: TokenIn) -> Response:
    """Make a token. It expires, may do nothing that its maker may not, and ends with its maker's account."""
    scope = TokenScope(
        actions=frozenset(form.actions),
        districts=None
        if form.districts is None
        else frozenset(district_codes(context.services.areas, form.districts)),
        expires_at=instant("expires_at", form.expires_at),
    )
    context.begin(
        Act.TOKEN_MAKE,
        check_name("token", form.name),
        details={"actions": ",".join(sorted(form.actions)), "until": form.expires_at},
    )
    machines = administration_of(context.services).machines
    token = machines.make_within(context.principal, form.name, scope, reason=form.reason)
    try:
        made = machines.token(form.name)
    except ArchiveError as error:
        # Not raised: raising would record a failure, but the token was made and is recorded as done.
        return problems.of_archive_error(error)
    context.done()
    return JSONResponse(
        _token_json(made, context.services.clock.now()) | {"token": token},
        status_code=201,
        headers={
            **tagged(made.version),
            "Location": f"{context.services.settings.base_path}/v1/tokens/{form.name}",
        },
    )


def revoke_token(context: Maker, name: TokenName, version: Version, form: TokenReason) -> JSONResponse:
    """Revoke a token; its next request is refused."""
    context.begin(Act.TOKEN_REVOKE, name)
    machines = administration_of(context.services).machines
    gone = machines.token(name)
    with decided_on():
        machines.revoke(name, actor=context.principal.id, reason=form.reason, version=version)
    context.done()
    return JSONResponse(_token_json(gone, context.services.clock.now()))


def _token_json(known: Known, now: int) -> JsonObject:
    scope = known.scope
    return {
        "name": known.name,
        "version": known.version,
        "made_at": known.made_at,
        "made_by": known.made_by,
        "actions": None if scope.actions is None else sorted(scope.actions),
        "districts": None if scope.districts is None else sorted(scope.districts),
        "expires_at": None if scope.expires_at is None else format_instant(scope.expires_at),
        "expired": scope.expires_at is not None and scope.expires_at <= now,
    }
