"""Looking cameras up for the routes: in the index, whose documents mirror the ledger."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from api.places import Where
from api.services import Services
from archive.model.camera import Camera, from_public_state
from search.query import Document, SegmentQuery


def camera_facts(services: Services, camera: str) -> Camera:
    """A camera from the index, or from the ledger if the index does not know it yet; without sealed source.

    Raises:
        NotFound: ``camera_not_found``.
    """
    return facts_of(services, camera, services.index.document("camera", camera))


def facts_of(services: Services, camera: str, document: Document | None) -> Camera:
    """As :func:`camera_facts`, from the index's document of the camera, if there is one. Raises NotFound."""
    if document is not None:
        return from_public_state(document.state)
    return services.registry.camera(camera)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The cameras that a search may be about, each with the time of its registration.

    ``asked`` are named, or now stand where the filters look; ``passing`` stand elsewhere, but may have stood
    there; ``unmoved`` never stood anywhere else, as far as the index knows.
    """

    asked: Mapping[str, int]
    passing: Mapping[str, int]
    unmoved: Collection[str]


def candidates(services: Services, query: SegmentQuery, where: Where) -> Candidates:
    """The cameras that a search may be about; named ones must exist.

    Raises:
        NotFound: ``camera_not_found``.
    """
    if query.cameras is not None:
        return Candidates(_named(services, query.cameras), {}, ())
    asked: dict[str, int] = {}
    passing: dict[str, int] = {}
    unmoved: set[str] = set()
    for name, known in services.directory.cameras().items():
        if where.admits(known.camera.place):
            asked[name] = known.camera.registered_at
            # An index rounds points: it may place a camera at the edge outside the area.
            if known.is_unmoved and where.near is None and where.box is None:
                unmoved.add(name)
        else:
            passing[name] = known.camera.registered_at
    return Candidates(asked, passing, unmoved)


def registered_cameras(services: Services, query: SegmentQuery, where: Where) -> Mapping[str, int]:
    """The cameras that a search is about, each with the time of its registration.

    Named cameras must exist. If none is named, all cameras that stand where the filters look, or stood there
    within the span.

    Raises:
        NotFound: ``camera_not_found``.
    """
    known = candidates(services, query, where)
    if query.cameras is not None or where.everywhere:
        return known.asked
    stood = {name: known.passing[name] for name in services.index.cameras(query) if name in known.passing}
    return {**known.asked, **stood}


def disabled_cameras(services: Services) -> frozenset[str]:
    """The cameras that are not recorded now."""
    return frozenset(name for name, known in services.directory.cameras().items() if known.camera.disabled)


def _named(services: Services, cameras: Iterable[str]) -> dict[str, int]:
    """When each was registered, from the directory or else the ledger. Raises NotFound."""
    known = services.directory.cameras()
    return {
        name: (known[name].camera if name in known else camera_facts(services, name)).registered_at
        for name in cameras
    }
