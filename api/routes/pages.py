"""Pages for people, and the assets that they load.

A page is rendered in the reader's language with the bar of what they may use; what it shows of the archive it
fetches from the API as any program would, with the session's cookie and a purpose. Scripts insert texts from
the archive only with ``textContent``; the policy (:data:`api.headers.PAGES`) allows no scripts but ours.
"""

import re
from collections.abc import Callable
from enum import Enum
from inspect import Parameter, Signature
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.permissions import Reach
from api.compression import accepts_gzip
from api.headers import EXPLORER_PAGE
from api.parameters import none_given
from api.request_context import RequestContext, require
from api.runtime import Runtime
from api.web.files import ASSETS, SIGN_IN
from api.web.guides import GUIDES_PATH
from api.web.navigation import MOVED, SHELLS, Shell, places_of

EXPLORER = "/antarmuka"
_LONGEST = 200
"""Characters of one name in a page's address."""
_LONG = 2000
"""Characters of a long one."""
_FOR_EVER = "private, max-age=31536000, immutable"


def add_routes(router: APIRouter) -> None:
    """Add the pages and their assets."""
    _add(router, SIGN_IN, get_sign_in)
    _add(router, f"{ASSETS}/{{version}}/{{name}}", get_asset)
    _add(router, f"{GUIDES_PATH}/{{version}}/{{name}}", get_guide)
    _add(router, "/", get_start)
    _add(router, EXPLORER, get_explorer)
    for shell in SHELLS:
        _add(router, shell.path, shell_of(shell))
        for former in (one for one, now in MOVED.items() if now == shell.path):
            _add(router, former, moved_to(shell))


def get_sign_in(
    request: Request,
    following: Annotated[
        str, Query(alias="next", max_length=2000, description="The path to return to afterwards.")
    ] = "",
) -> Response:
    """The sign-in page: the provider's button, if there is a provider, and a form for local accounts."""
    runtime: Runtime = request.app.state.runtime
    people = runtime.services.people
    return runtime.pages.render(request, "sign_in", has_provider=people is not None and people.has_provider)


def get_start(
    context: Annotated[RequestContext, require("session.read", Reach.OWN, Reach.MINE)],
) -> Response:
    """Redirect to the first place that the reader may use."""
    first = next((place.path for place in places_of(context.principal)), EXPLORER)
    return RedirectResponse(f"{context.services.settings.base_path}{first}", status_code=303)


def get_explorer(request: Request, context: Annotated[RequestContext, require("api.describe")]) -> Response:
    """The page that shows the API's description, for reading."""
    return context.runtime.pages.render(request, "explorer", reader=context.principal, policy=EXPLORER_PAGE)


def shell_of(shell: Shell) -> Callable[..., Response]:
    """The endpoint of a page, with the names of its address declared, for readers who may do its action."""

    def get_page(request: Request, context: RequestContext, **_address: object) -> Response:
        return context.runtime.pages.render(request, shell.template, reader=context.principal)

    return _declared(get_page, shell)


def moved_to(shell: Shell) -> Callable[..., Response]:
    """The endpoint of a page's former address: it leads to the page, with the query that it was given."""

    def get_moved(request: Request, context: RequestContext, **_address: object) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        where = f"{context.services.settings.base_path}{shell.path}{query}"
        return RedirectResponse(where, status_code=303)

    return _declared(get_moved, shell)


def _declared(endpoint: Callable[..., Response], shell: Shell) -> Callable[..., Response]:
    keyword = Parameter.KEYWORD_ONLY
    admitted = require(shell.action, *Reach)
    names = [
        Parameter("request", keyword, annotation=Request),
        Parameter("context", keyword, annotation=Annotated[RequestContext, admitted]),
    ]
    for name in re.findall(r"{(\w+)}", shell.path):
        names.append(Parameter(name, keyword, annotation=Annotated[str, Path(max_length=_LONGEST)]))
    for name in (*shell.query, *shell.long):
        asked = Query(alias=name, max_length=_LONG if name in shell.long else _LONGEST)
        names.append(Parameter(f"asked_{name}", keyword, annotation=Annotated[str, asked], default=""))
    for name in shell.lists:
        several = Annotated[list[str], Query(alias=name, default_factory=none_given)]
        names.append(Parameter(f"asked_{name}", keyword, annotation=several))
    endpoint.__signature__ = Signature(names)  # type: ignore[attr-defined]  # FastAPI reads it
    endpoint.__name__ = f"{endpoint.__name__}_{shell.template}"
    return endpoint


def get_asset(
    request: Request,
    version: Annotated[str, Path(max_length=64)],
    name: Annotated[str, Path(max_length=63)],
) -> Response:
    """An asset of the pages, kept by browsers for good; compressed for those that read gzip."""
    runtime: Runtime = request.app.state.runtime
    assets = runtime.pages.assets
    content, media_type = assets.find(version, name)
    headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding", "ETag": f'"{version}"'}
    if accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
        content = assets.packed(name)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)


def get_guide(
    context: Annotated[RequestContext, require("session.read", *Reach)],
    version: Annotated[str, Path(max_length=64)],
    name: Annotated[str, Path(max_length=63)],
) -> Response:
    """A one-page guide as a PDF, kept by the reader's browser for good."""
    content = context.runtime.pages.guides.find(version, name)
    headers = {
        "Cache-Control": _FOR_EVER,
        "ETag": f'"{version}"',
        "Content-Disposition": f'inline; filename="{name}"',
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _add(router: APIRouter, path: str, endpoint: Callable[..., Any]) -> None:
    """Add GET and HEAD of a file for browsers; the API description leaves it out."""
    tags: list[str | Enum] = ["pages"]
    for method in ("GET", "HEAD"):
        router.add_api_route(
            path, endpoint, methods=[method], tags=tags, response_class=Response, include_in_schema=False
        )
