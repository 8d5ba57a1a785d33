"""The places of the city: its kecamatan and kelurahan, by official code and name."""

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import JSONResponse

from api.auth.permissions import Reach
from api.request_context import RequestContext, require
from api.routing import add_json
from api.schemas.places import PlacesOut
from archive.footage.area_table import area_tree


def add_routes(router: APIRouter) -> None:
    """Add /v1/places."""
    add_json(router, "GET", "/v1/places", list_places, PlacesOut, tag="cameras")


def list_places(
    context: Annotated[RequestContext, require("cameras.read", Reach.OWN, Reach.FACTS)],
) -> JSONResponse:
    """The city's areas as a tree, each with the number of cameras there that the caller may see."""
    access = context.access
    cameras = context.services.directory.cameras().values()
    places = [known.camera.place for known in cameras if access.admits(known.camera.place)]
    return JSONResponse(area_tree(context.services.areas, places))
