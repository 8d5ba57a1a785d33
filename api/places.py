"""Filters on place: districts, owners, a circle, a box; one dependency for every route that searches."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request

from api.parameters import asked_box, asked_circle, asked_owners, none_given
from archive.model.areas import Areas, Level
from archive.model.camera import OwnerKind, Place
from archive.timespan import Timespan
from search.geo import Box, Circle
from search.query import MAX_FILTER, SegmentQuery


@dataclass(frozen=True, slots=True)
class Where:
    """Filters on place; None admits everything. A place must pass every filter given."""

    kecamatan: tuple[str, ...] | None
    owners: tuple[OwnerKind, ...] | None
    near: Circle | None
    box: Box | None

    @property
    def everywhere(self) -> bool:
        """Whether no filter is given."""
        return self.kecamatan is None and self.owners is None and self.near is None and self.box is None

    def admits(self, place: Place) -> bool:
        """Whether a place passes the filters."""
        point = (float(place.lat), float(place.lon))
        return (
            (self.kecamatan is None or place.kecamatan in self.kecamatan)
            and (self.owners is None or place.owner in self.owners)
            and (self.near is None or point in self.near)
            and (self.box is None or point in self.box)
        )

    def query(self, span: Timespan, cameras: tuple[str, ...]) -> SegmentQuery:
        """A query for segments of these cameras (all if none is named) in ``span`` and at such places."""
        return SegmentQuery(
            span=span,
            cameras=cameras or None,
            kecamatan=self.kecamatan,
            owners=self.owners,
            near=self.near,
            box=self.box,
        )

    def details(self) -> dict[str, str]:
        """The given filters in the form of custody events."""
        near, box = self.near, self.box
        written = {
            "kecamatan": ",".join(self.kecamatan or ()),
            "owner": ",".join(self.owners or ()),
            "near": "" if near is None else f"{near.lat},{near.lon} {near.radius_m} m",
            "box": "" if box is None else f"{box.south},{box.west},{box.north},{box.east}",
        }
        return {name: text for name, text in written.items() if text}


async def asked_where(
    request: Request,
    owners: Annotated[tuple[OwnerKind, ...] | None, Depends(asked_owners)],
    near: Annotated[Circle | None, Depends(asked_circle)],
    box: Annotated[Box | None, Depends(asked_box)],
    kecamatan: Annotated[
        list[str],
        Query(
            default_factory=none_given,
            description="Districts by code or name; may be repeated.",
            max_length=MAX_FILTER,
            examples=[["73.71.01", "Ujung Pandang"]],
        ),
    ],
) -> Where:
    """The filters of a request. Raises Malformed ``bad_place``, ``bad_filter``, ``ambiguous_area``."""
    areas: Areas = request.app.state.runtime.services.areas
    return Where(areas.codes(Level.KECAMATAN, kecamatan) or None, owners, near, box)


def district_codes(areas: Areas, texts: Iterable[str]) -> tuple[str, ...]:
    """The codes of districts given by code or name, each once.

    Raises Malformed ``bad_place``, ``ambiguous_area``.
    """
    return tuple(dict.fromkeys(areas.kecamatan(text) for text in texts))


WhereAsked = Annotated[Where, Depends(asked_where)]
