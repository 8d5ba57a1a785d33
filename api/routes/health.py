"""Health: whether the process runs and its parts answer. Both routes need no authentication."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from api.auth.principal import Principal
from api.runtime import Runtime
from api.schemas.health import Alive, Ready
from api.schemas.problem import PROBLEM
from archive.canonical import JsonObject


def add_routes(router: APIRouter) -> None:
    """Add /healthz and /readyz."""
    _add_open(router, "/healthz", alive, {200: {"model": Alive}})
    _add_open(
        router,
        "/readyz",
        ready,
        {200: {"model": Ready}, 503: {"model": Ready, "description": "A part does not answer."}},
    )


def _add_open(
    router: APIRouter, path: str, endpoint: Callable[..., Any], responses: dict[int | str, dict[str, Any]]
) -> None:
    documented = {**responses, 422: PROBLEM}
    router.add_api_route(path, endpoint, methods=["GET"], tags=["health"], responses=documented)
    router.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)


async def alive() -> JSONResponse:
    """Whether the process runs."""
    return JSONResponse({"status": "ok"})


async def ready(request: Request) -> JSONResponse:
    """Whether stores and index answer. The parts are named to those who may read the metrics."""
    runtime: Runtime = request.app.state.runtime
    principal: Principal | None = request.scope.get("saksi.principal")
    answer = await runtime.readiness.answer()
    told: JsonObject = {"status": "ok" if answer.ready else "not_ready"}
    if principal is not None and principal.may("metrics.read"):
        told["parts"] = dict(answer.parts)
    return JSONResponse(told, status_code=200 if answer.ready else 503)
