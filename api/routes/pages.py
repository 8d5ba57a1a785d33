"""Pages for people, and the assets that they load.

A page is rendered in the reader's language with the bar of what they may use; what it shows of the archive it
fetches from the API as any program would, with the session's cookie and a purpose. Scripts insert texts from
the archive only with ``textContent``; the policy (:data:`api.headers.PAGES`) allows no scripts but ours.
"""

from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.permissions import Reach
from api.headers import EXPLORER_PAGE
from api.history import VIEW
from api.parameters import none_given
from api.request_context import RequestContext, require
from api.runtime import Runtime
from api.web.files import ASSETS, SIGN_IN
from api.web.navigation import PLACES

EXPLORER = "/antarmuka"
_FOR_EVER = "private, max-age=31536000, immutable"


def add_routes(router: APIRouter) -> None:
    """Add the pages and their assets."""
    _add(router, SIGN_IN, get_sign_in)
    _add(router, f"{ASSETS}/{{version}}/{{name}}", get_asset)
    _add(router, "/", get_start)
    _add(router, VIEW, get_view)
    _add(router, EXPLORER, get_explorer)
    _add(router, "/bagian", get_parts)


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
    may = context.principal.may
    first = next((place.path for place in PLACES if may(place.action)), VIEW)
    return RedirectResponse(f"{context.services.settings.base_path}{first}", status_code=303)


def get_view(
    request: Request,
    context: Annotated[RequestContext, require("session.read", Reach.OWN, Reach.MINE)],
    camera: Annotated[
        list[str],
        Query(default_factory=none_given, description="One to nine camera ids; none shows a choice."),
    ],
    start: Annotated[str, Query(alias="from", max_length=64, description="RFC 3339 with an offset.")] = "",
    end: Annotated[str, Query(alias="to", max_length=64, description="RFC 3339 with an offset.")] = "",
    at: Annotated[str, Query(max_length=64, description="Where to begin; default the start.")] = "",
) -> Response:
    """The view page: cameras side by side by wall time. Its script reads the URL and reports errors in it."""
    return context.runtime.pages.render(request, "view", reader=context.principal)


def get_explorer(request: Request, context: Annotated[RequestContext, require("api.describe")]) -> Response:
    """The page that shows the API's description, for reading."""
    return context.runtime.pages.render(request, "explorer", reader=context.principal, policy=EXPLORER_PAGE)


def get_parts(request: Request, context: Annotated[RequestContext, require("api.describe")]) -> Response:
    """The page of all parts, for whoever designs the next page. Its examples are made up."""
    return context.runtime.pages.render(request, "parts", reader=context.principal)


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
    if "gzip" in request.headers.get("accept-encoding", ""):
        content = assets.packed(name)
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=media_type, headers=headers)


def _add(router: APIRouter, path: str, endpoint: Callable[..., Any]) -> None:
    """Add GET and HEAD of a file for browsers; the API description leaves it out."""
    tags: list[str | Enum] = ["pages"]
    for method in ("GET", "HEAD"):
        router.add_api_route(
            path, endpoint, methods=[method], tags=tags, response_class=Response, include_in_schema=False
        )
