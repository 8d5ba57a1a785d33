"""The bar: the places that a reader may use, in the order of their work."""

from dataclasses import dataclass

from api.auth.principal import Principal
from api.history import VIEW


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the bar: its word (a key of the catalogue), its path, and the action that it needs."""

    word: str
    path: str
    action: str


PLACES = (
    Place("place.view", VIEW, "footage.play"),
    Place("place.explorer", "/antarmuka", "api.describe"),
)
"""All places, in order. At most six fit into the bar of any role."""


def places_of(reader: Principal, path: str) -> tuple[tuple[Place, bool], ...]:
    """The places that this reader may use, each with whether ``path`` is there."""
    return tuple(
        (place, path == place.path or path.startswith(f"{place.path}/"))
        for place in PLACES
        if reader.reach(place.action)
    )
