"""Filters on cameras for the routes that look in memory over stays: areas, codes, owners, text, view."""

from typing import Annotated

from fastapi import Depends, Query, Request

from api.parameters import asked_owners, camera_ids, none_given
from archive.model.areas import Areas, Level
from archive.model.camera import OwnerKind
from search.areas import Area
from search.asking import DEFAULT_BUFFER_M, DEFAULT_RADIUS_M, area_of
from search.query import MAX_FILTER
from search.where import CameraFilter, InView, words_of


async def asked_area(
    near: Annotated[str, Query(description="lat,lon in degrees.", examples=["-5.1477,119.4327"])] = "",
    radius_m: Annotated[
        str,
        Query(
            description=f"Metres around 'near', up to 20000; default {DEFAULT_RADIUS_M:g}.", examples=["300"]
        ),
    ] = "",
    box_: Annotated[
        str,
        Query(
            alias="box",
            description="south,west,north,east in degrees, edges included; west > east crosses 180°.",
        ),
    ] = "",
    polygon_: Annotated[
        str, Query(alias="polygon", description="3 to 500 corners in order: lat,lon;lat,lon;…")
    ] = "",
    route_: Annotated[
        str, Query(alias="route", description="2 to 200 points along a line: lat,lon;lat,lon;…")
    ] = "",
    buffer_m: Annotated[
        str, Query(description=f"Metres to each side of 'route', 1 to 500; default {DEFAULT_BUFFER_M:g}.")
    ] = "",
) -> Area | None:
    """The area to look in.

    Raises:
        Malformed: ``several_areas``; ``bad_place``; the errors of :mod:`search.areas`.
    """
    return area_of(
        near=near, radius_m=radius_m, box_=box_, polygon_=polygon_, route_=route_, buffer_m=buffer_m
    )


async def asked_cameras(
    request: Request,
    area: Annotated[Area | None, Depends(asked_area)],
    owners: Annotated[tuple[OwnerKind, ...] | None, Depends(asked_owners)],
    camera: Annotated[
        list[str],
        Query(
            default_factory=none_given,
            description=f"Camera ids, up to {MAX_FILTER}; may be repeated. Default all.",
        ),
    ],
    kecamatan: Annotated[
        list[str],
        Query(
            default_factory=none_given,
            description="Districts by code or name; may be repeated.",
            examples=[["73.71.01", "Ujung Pandang"]],
        ),
    ],
    kelurahan: Annotated[
        list[str],
        Query(
            default_factory=none_given,
            description="Kelurahan by code or name; may be repeated.",
            examples=[["73.71.01.1001"]],
        ),
    ],
    text: Annotated[
        str, Query(description="Words of the name or the address; case and accents do not count.")
    ] = "",
    in_view: Annotated[
        InView,
        Query(description="'only' cameras that have the area in view; 'possible' keeps those unknown too."),
    ] = InView.ANY,
) -> CameraFilter:
    """The filters of a request.

    Raises Malformed as :class:`search.where.CameraFilter`, ``words_of`` and :meth:`Areas.codes`.
    """
    areas: Areas = request.app.state.runtime.services.areas
    return CameraFilter(
        area=area,
        kecamatan=areas.codes(Level.KECAMATAN, kecamatan) or None,
        kelurahan=areas.codes(Level.KELURAHAN, kelurahan) or None,
        owners=owners,
        cameras=camera_ids(camera, MAX_FILTER) or None,
        words=words_of(text) if text else (),
        in_view=in_view,
    )


WantedCameras = Annotated[CameraFilter, Depends(asked_cameras)]
