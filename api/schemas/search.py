"""Questions about places and times, and their answers, as JSON."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.parameters import camera_ids
from api.schemas.examples import FILED, FROM, TO
from api.schemas.problem import GapOut
from api.schemas.war_room import RunOut, StretchOut
from archive.model.areas import Areas, Level
from archive.model.camera import OwnerKind
from search.areas import Near, box, one_area, polygon, route
from search.asking import DEFAULT_BUFFER_M, DEFAULT_RADIUS_M
from search.finding import Resolution
from search.query import MAX_FILTER, MAX_PAGE
from search.where import CameraFilter, InView, View, words_of

Degrees = Annotated[float, Field(allow_inf_nan=False)]
Metres = Annotated[float, Field(allow_inf_nan=False)]
Code = Annotated[str, StringConstraints(max_length=64)]
Time = Annotated[str, StringConstraints(max_length=64)]


class PointIn(BaseModel):
    """A point, WGS 84."""

    model_config = ConfigDict(extra="forbid")

    lat: Degrees = Field(examples=[-5.1477])
    lon: Degrees = Field(examples=[119.4327])


class NearIn(PointIn):
    """A point, and metres around it: above 0 and up to 20,000."""

    radius_m: Metres = Field(DEFAULT_RADIUS_M, examples=[300])


class BoxIn(BaseModel):
    """Two parallels and two meridians; ``west`` greater than ``east`` crosses the 180th meridian."""

    model_config = ConfigDict(extra="forbid")

    south: Degrees = Field(examples=[-5.16])
    west: Degrees = Field(examples=[119.40])
    north: Degrees = Field(examples=[-5.12])
    east: Degrees = Field(examples=[119.45])


class RouteIn(BaseModel):
    """2 to 200 points along a line, and 1 to 500 metres to each side of it."""

    model_config = ConfigDict(extra="forbid")

    points: list[PointIn]
    buffer_m: Metres = Field(DEFAULT_BUFFER_M, examples=[25])


class SearchIn(BaseModel):
    """A time, and filters that must all match; one of ``near``, ``box``, ``polygon``, ``route`` at most."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[Time, Field(alias="from")] = Field(examples=["2026-11-24T14:00:00+08:00"])
    end: Annotated[Time, Field(alias="to")] = Field(examples=["2026-11-24T14:30:00+08:00"])
    near: NearIn | None = None
    box: BoxIn | None = Field(None, examples=[None])
    polygon: list[PointIn] | None = Field(None, examples=[None])
    route: RouteIn | None = Field(None, examples=[None])
    kecamatan: Annotated[list[Code], Field(min_length=1)] | None = Field(None, examples=[["73.71.01"]])
    kelurahan: Annotated[list[Code], Field(min_length=1)] | None = Field(None, examples=[None])
    owner: Annotated[list[OwnerKind], Field(min_length=1)] | None = Field(None, examples=[["public"]])
    camera: Annotated[list[Code], Field(min_length=1)] | None = Field(None, examples=[None])
    text: str | None = Field(None, examples=["pettarani"])
    in_view: InView = Field(InView.ANY, examples=["any"])
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = Field(100, examples=[100])
    cursor: Annotated[str, StringConstraints(max_length=1000)] | None = Field(None, examples=[None])
    format: Literal["json", "geojson"] = Field("json", examples=["json"])

    def wanted(self, areas: Areas) -> CameraFilter:
        """The filters. Raises Malformed as :mod:`search.areas`, :mod:`search.where` and ``areas.codes``."""
        edges = self.box
        line = self.route
        area = one_area(
            None if self.near is None else Near(self.near.lat, self.near.lon, self.near.radius_m),
            None if edges is None else box(edges.south, edges.west, edges.north, edges.east),
            None if self.polygon is None else polygon([(one.lat, one.lon) for one in self.polygon]),
            None if line is None else route([(one.lat, one.lon) for one in line.points], line.buffer_m),
        )
        return CameraFilter(
            area=area,
            kecamatan=None if self.kecamatan is None else areas.codes(Level.KECAMATAN, self.kecamatan),
            kelurahan=None if self.kelurahan is None else areas.codes(Level.KELURAHAN, self.kelurahan),
            owners=None if self.owner is None else tuple(self.owner),
            cameras=None if self.camera is None else camera_ids(self.camera, MAX_FILTER),
            words=() if self.text is None else words_of(self.text),
            in_view=self.in_view,
        )


class CameraSightOut(BaseModel):
    """The sector that the camera saw: degrees clockwise from north, and metres."""

    bearing: int = Field(examples=[90])
    field_of_view: int = Field(examples=[80])
    reach_m: int = Field(examples=[60])


class FoundCameraOut(StretchOut):
    """A camera as it stood from ``from`` to ``to``; one that moved within the span comes once for each place.

    ``in_view`` says whether it saw the area: ``unknown`` if nobody stated where it looks; null without an
    area. ``stands_in`` is false for a camera that only looks into the area. ``distance_m`` and ``bearing``
    lead from the camera to the point, or to the route; null for other areas. ``coverage``, ``gaps`` and
    ``pending`` make up the time from ``from`` to ``to``; they are null at the resolution ``hours``.
    ``uncertainty_us`` is the largest of the coverage, null where nothing bounds it. ``held`` is null for
    callers who may not read every hold.
    """

    camera: str = Field(examples=["cam-1"])
    name: str = Field(examples=["Simpang Pettarani"])
    address: str = Field(examples=["Jl. A. P. Pettarani 7"])
    lat: float = Field(examples=[-5.1477])
    lon: float = Field(examples=[119.4327])
    kecamatan: str = Field(examples=["73.71.01"])
    kecamatan_name: str = Field(examples=["Mariso"])
    kelurahan: str = Field(examples=["73.71.01.1001"])
    kelurahan_name: str = Field(examples=["Bontorannu"])
    owner: OwnerKind = Field(examples=["public"])
    sight: CameraSightOut | None
    in_view: View | None = Field(examples=["yes"])
    stands_in: bool = Field(examples=[True])
    distance_m: float | None = Field(examples=[41.3])
    bearing: int | None = Field(examples=[87])
    asked_seconds: float = Field(examples=[600.0])
    recorded_seconds: float = Field(examples=[590.0])
    coverage_percent: float = Field(examples=[98.33])
    gap_seconds: dict[str, float] = Field(examples=[{"stalled": 10.0}])
    pending_seconds: float = Field(examples=[0.0])
    coverage: list[RunOut] | None
    gaps: list[GapOut] | None
    pending: list[StretchOut] | None
    uncertainty_us: int | None = Field(examples=[40000])
    held: list[StretchOut] | None


class SearchOut(StretchOut):
    """Cameras: in view first, then unknown, then not in view; then the nearest, then the best covered.

    ``resolution`` is ``exact`` up to a day, else ``hours``: lengths without intervals. ``total`` counts all
    pages.
    """

    asked_at: str = Field(examples=[FILED])
    resolution: Resolution = Field(examples=["exact"])
    total: int = Field(examples=[1])
    cameras: list[FoundCameraOut]
    next: str | None = Field(examples=[None])


class CameraTimelineOut(BaseModel):
    """One number for each bucket. Recorded, gaps, pending and elsewhere add up to the bucket's seconds.

    ``elsewhere_seconds`` is time in which the camera stood where the caller may not look. ``held_seconds`` is
    null for callers who may not read every hold.
    """

    camera: str = Field(examples=["cam-1"])
    recorded_seconds: list[float] = Field(examples=[[290.0, 300.0]])
    gap_seconds: dict[str, list[float]] = Field(examples=[{"stalled": [10.0, 0.0]}])
    pending_seconds: list[float] = Field(examples=[[0.0, 0.0]])
    elsewhere_seconds: list[float] = Field(examples=[[0.0, 0.0]])
    held_seconds: list[float] | None = Field(examples=[[0.0, 0.0]])


class TimelineOut(StretchOut):
    """Buckets of some cameras; ``edges`` are their bounds, one more than there are buckets."""

    step: str = Field(examples=["5m"])
    zone: str = Field(examples=["Asia/Makassar"])
    edges: list[str] = Field(examples=[[FROM, "2026-11-24T06:05:00.000000Z", TO]])
    cameras: list[CameraTimelineOut]


class CoveredCameraOut(BaseModel):
    """One row of the matrix: recorded seconds in each hour or day."""

    camera: str = Field(examples=["cam-1"])
    name: str = Field(examples=["Simpang Pettarani"])
    kecamatan: str = Field(examples=["73.71.01"])
    kelurahan: str = Field(examples=["73.71.01.1001"])
    recorded_seconds: list[float] = Field(examples=[[86390.0]])


class CalendarOut(BaseModel):
    """One hour or day of the cameras of this answer: how many have footage in it, and how much together."""

    cameras: int = Field(examples=[1])
    recorded_seconds: float = Field(examples=[86390.0])


class CoverageMatrixOut(StretchOut):
    """A matrix of cameras × hours or days; ``edges`` as in a timeline, and a calendar of the same columns."""

    step: str = Field(examples=["1d"])
    zone: str = Field(examples=["Asia/Makassar"])
    edges: list[str] = Field(examples=[["2026-11-23T16:00:00.000000Z", "2026-11-24T16:00:00.000000Z"]])
    cameras: list[CoveredCameraOut]
    calendar: list[CalendarOut]
    total: int = Field(examples=[1])
    next: str | None = Field(examples=[None])


GEOJSON = "application/geo+json"
FEATURES: dict[str, Any] = {
    "type": "object",
    "description": "A FeatureCollection (RFC 7946): a point for each camera, with its fields as properties.",
    "examples": [
        {
            "type": "FeatureCollection",
            "from": FROM,
            "to": TO,
            "asked_at": FILED,
            "resolution": "exact",
            "total": 1,
            "next": None,
            "features": [
                {
                    "type": "Feature",
                    "id": f"cam-1@{FROM}",
                    "geometry": {"type": "Point", "coordinates": [119.4327, -5.1477]},
                    "properties": {"camera": "cam-1", "in_view": "yes", "distance_m": 41.3},
                }
            ],
        }
    ],
}
"""The schema of a page as GeoJSON, with an example."""
