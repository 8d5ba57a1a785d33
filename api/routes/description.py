"""The API's description of itself: OpenAPI for programs, metrics for Prometheus."""

from typing import Annotated

from fastapi import APIRouter, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from api.request_context import RequestContext, require
from api.routing import add_document, add_json
from api.schemas.health import AnyObject
from api.workers.figures import counted, merged


def add_routes(router: APIRouter) -> None:
    """Add /openapi.json and /metrics."""
    add_json(router, "GET", "/openapi.json", openapi, AnyObject, tag="operation")
    add_document(router, "/metrics", metrics, "text/plain", tag="operation")


def openapi(_visit: Annotated[RequestContext, require("api.describe")], request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    return Response(request.app.openapi_json(), media_type="application/json")


def metrics(context: Annotated[RequestContext, require("metrics.read")]) -> Response:
    """The metrics of this process in Prometheus' text format."""
    context.runtime.metrics.streams.set(context.runtime.slots.taken)
    text = generate_latest(context.services.metrics)
    workers = context.services.workers
    if workers is not None:
        others = workers.figures(counted(context.runtime.metrics))
        text = merged(text.decode("utf-8"), others).encode("utf-8")
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})
