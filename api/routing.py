"""Routes that refuse unknown query parameters.

If a misspelt ``fron=`` were ignored, the answer would silently be to a wider question. So every query
parameter must be declared, and one that is not a list may be given only once.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.routing import Route

from api.schemas.problem import problem_responses
from archive.errors import Malformed

TEXT: Mapping[str, str] = MappingProxyType({"type": "string"})
BINARY: Mapping[str, str] = MappingProxyType({"type": "string", "format": "binary"})


class StrictRoute(APIRoute):
    """A route that answers 422 ``unknown_parameter`` and ``repeated_parameter``.

    A change that succeeded is recorded before it is answered, even if the route's function did not record it.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with the check in front of it."""
        inner = super().get_route_handler()
        known, lists = _query_parameters(self.dependant)

        async def strict(request: Request) -> Response:
            given = Counter(name for name, _ in request.query_params.multi_items())
            for name, times in given.items():
                if name not in known:
                    raise Malformed(
                        f"there is no parameter {name[:40]!r} here",
                        code="unknown_parameter",
                        hint=f"Known parameters: {', '.join(sorted(known)) or 'none'}.",
                    )
                if times > 1 and name not in lists:
                    raise Malformed(
                        f"the parameter {name!r} is given {times} times",
                        code="repeated_parameter",
                        hint="Give it once.",
                    )
            answer = await inner(request)
            context = request.scope.get("saksi.visit")
            if context is not None and request.method not in ("GET", "HEAD"):
                await to_thread.run_sync(context.settle)
            return answer

        return strict


def add_json(
    router: APIRouter,
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    model: type[BaseModel],
    *problems: int,
    tag: str,
    status: int = 200,
) -> None:
    """Add an authenticated route that answers JSON of ``model`` or a problem; with GET also HEAD."""
    tags: list[str | Enum] = [tag]
    router.add_api_route(
        path,
        endpoint,
        methods=[method],
        tags=tags,
        status_code=status,
        responses={status: {"model": model}, **problem_responses(*problems)},
    )
    if method == "GET":
        router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)


def add_document(
    router: APIRouter,
    path: str,
    endpoint: Callable[..., Any],
    media_type: str,
    *problems: int,
    tag: str,
    schema: Mapping[str, Any] = TEXT,
) -> None:
    """Add an authenticated GET (and HEAD) of a small document that is not JSON."""
    tags: list[str | Enum] = [tag]
    responses: dict[int | str, dict[str, Any]] = {
        200: {"content": {media_type: {"schema": dict(schema)}}},
        **problem_responses(*problems),
    }
    router.add_api_route(
        path, endpoint, methods=["GET"], tags=tags, responses=responses, response_class=Response
    )
    router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)


def add_bytes(
    router: APIRouter, path: str, endpoint: Callable[..., Any], *media_types: str, tag: str
) -> None:
    """Add GET and HEAD of bytes, with support for ranges and conditions."""
    tags: list[str | Enum] = [tag]
    content = {media_type: {"schema": dict(BINARY)} for media_type in media_types}
    responses: dict[int | str, dict[str, Any]] = {
        200: {"content": content, "description": "All of the bytes."},
        206: {"content": content, "description": "The part that Range asks for."},
        304: {"description": "The client has it already."},
        **problem_responses(404, 409, 412, 416),
    }
    for method in ("GET", "HEAD"):
        router.add_api_route(
            path,
            endpoint,
            methods=[method],
            operation_id=endpoint.__name__ if method == "GET" else f"head_{endpoint.__name__}",
            tags=tags,
            responses=responses,
            response_class=Response,
        )


def allowed_methods(routes: list[Any], path: str, may: Callable[[str], bool]) -> list[str]:
    """The methods that answer this path for a caller, for the Allow header of a 405.

    ``may`` tells whether the caller may do an action. A path that is written out in a route belongs to that
    route alone, even if a template of another route would fit it.
    """
    fitting = [route for route in routes if isinstance(route, Route) and route.path_regex.match(path)]
    exact = [route for route in fitting if route.path == path]
    found: set[str] = set()
    for route in exact or fitting:
        action = action_of(route) if isinstance(route, APIRoute) else None
        if action is None or may(action):
            found |= route.methods or set()
    return sorted(found)


def action_of(route: APIRoute) -> str | None:
    """The action a route declares with ``require``; None for routes without authentication."""
    for dependency in route.dependant.dependencies:
        action = getattr(dependency.call, "action", None)
        if isinstance(action, str):
            return action
    return None


def _query_parameters(dependant: Dependant) -> tuple[set[str], set[str]]:
    """The names that a route and its dependencies read from the query, and those that may be repeated."""
    known = {field.alias for field in dependant.query_params}
    lists = {field.alias for field in dependant.query_params if _is_list(field.field_info.annotation)}
    for inner in dependant.dependencies:
        more, more_lists = _query_parameters(inner)
        known |= more
        lists |= more_lists
    return known, lists


def _is_list(annotation: Any) -> bool:
    return getattr(annotation, "__origin__", annotation) in (list, tuple) or any(
        _is_list(part) for part in getattr(annotation, "__args__", ())
    )
