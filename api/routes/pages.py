"""Pages for people: sign-in, the view of recorded footage, and the API, with their scripts and style.

A page contains no personal data: it fetches what it shows from the API as any program would, with the
session's cookie and a purpose. Its markup is the same for everybody except for the city's time zone and
whether there is an OpenID provider. Scripts insert texts from the archive only with ``textContent``; the
policy (:data:`api.headers.PAGES`) allows no scripts but ours.
"""

import html
from collections.abc import Callable
from enum import Enum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from api.auth.permissions import Reach
from api.headers import EXPLORER_PAGE, PAGES
from api.history import VIEW
from api.parameters import none_given
from api.request_context import RequestContext, require
from api.runtime import Runtime
from api.web.files import ASSETS, FILES, FOLDER, OPEN_FILES, SIGN_IN, path_of
from archive.errors import NotFound

_HTML = "text/html; charset=utf-8"
_EXPLORER = "/antarmuka"


def add_routes(router: APIRouter) -> None:
    """Add the pages and their files."""
    _add(router, SIGN_IN, get_sign_in)
    for name in OPEN_FILES:
        _add(router, f"{ASSETS}/{name}", _open_file(name))
    _add(router, "/", get_start)
    _add(router, VIEW, get_view)
    _add(router, _EXPLORER, get_explorer)
    _add(router, f"{ASSETS}/{{name}}", get_file)


def get_sign_in(
    request: Request,
    following: Annotated[
        str, Query(alias="next", max_length=2000, description="The path to return to afterwards.")
    ] = "",
) -> Response:
    """The sign-in page: the provider's button, if there is a provider, and a form for local accounts."""
    runtime: Runtime = request.app.state.runtime
    people = runtime.services.people
    there = people is not None and people.has_provider
    return _page("masuk.html", provider="yes" if there else "no")


def get_start(context: Annotated[RequestContext, require("session.read", Reach.OWN, Reach.MINE)]) -> Response:
    """Redirect to the view page."""
    return RedirectResponse(f"{context.services.settings.base_path}{VIEW}", status_code=303)


def get_view(
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
    return _page("tampilan.html", zone=str(context.services.settings.zone))


def get_explorer(_visit: Annotated[RequestContext, require("api.describe")]) -> Response:
    """The page that shows the API's description, for reading."""
    return _page("antarmuka.html", EXPLORER_PAGE)


def get_file(
    context: Annotated[RequestContext, require("session.read", Reach.OWN, Reach.MINE)],
    name: Annotated[str, Path(max_length=63)],
) -> Response:
    """A script of the view page. The player may not be installed."""
    if name not in FILES:
        raise NotFound("there is no such file", code="no_such_file", hint="Reload the page.")
    return _file(name, FILES[name])


def _open_file(name: str) -> Callable[[], Response]:
    def get_open_file() -> Response:
        """A file of the sign-in page."""
        return _file(name, OPEN_FILES[name])

    return get_open_file


def _file(name: str, media_type: str) -> Response:
    try:
        content = path_of(name).read_bytes()
    except FileNotFoundError as error:
        raise NotFound(
            f"{name} is not installed here",
            code="no_such_file",
            hint="Run: python -m ops.pages",
        ) from error
    return Response(content, media_type=media_type)


def _page(name: str, policy: str = PAGES, **facts: str) -> Response:
    text = (FOLDER / name).read_text("utf-8")
    for fact, value in facts.items():
        text = text.replace(f"{{{{{fact}}}}}", html.escape(value))
    return Response(text, media_type=_HTML, headers={"Content-Security-Policy": policy})


def _add(router: APIRouter, path: str, endpoint: Callable[..., Any]) -> None:
    """Add GET and HEAD of a file for browsers; the API description leaves it out."""
    tags: list[str | Enum] = ["pages"]
    for method in ("GET", "HEAD"):
        router.add_api_route(
            path, endpoint, methods=[method], tags=tags, response_class=Response, include_in_schema=False
        )
