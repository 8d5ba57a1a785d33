"""Cameras as the routes look them up: in the index, whose documents are a view of the ledger."""

from collections.abc import Iterator, Mapping

from api.places import Where
from api.services import Services
from archive.model.camera import Camera, from_state
from search.index import Index
from search.query import Document, SegmentQuery


def camera_facts(services: Services, camera: str) -> Camera:
    """A camera by the index, or where that does not know it yet by the ledger; without its sealed source.

    Raises:
        NotFound: ``camera_not_found``.
    """
    return facts_of(services, camera, services.index.document("camera", camera))


def facts_of(services: Services, camera: str, document: Document | None) -> Camera:
    """The same, by the document that the index has of the camera, if any. Raises NotFound."""
    if document is not None:
        return from_state({**document.state, "sealed_source": ""})
    return services.registry.camera(camera)


def all_cameras(index: Index) -> Iterator[Camera]:
    """Every camera that the index knows, by id; without sealed sources."""
    for document in index.documents("camera"):
        yield from_state({**document.state, "sealed_source": ""})


def registered_cameras(services: Services, query: SegmentQuery, where: Where) -> Mapping[str, int]:
    """The cameras that a question is about, each with the time of its registration.

    Those that are named must exist. Otherwise all that stand, or within the span stood, where the question
    looks.

    Raises:
        NotFound: ``camera_not_found``.
    """
    if query.cameras is not None:
        return {camera: camera_facts(services, camera).registered_at for camera in query.cameras}
    stood = set() if where.everywhere else set(services.index.cameras(query))
    return {
        camera.id: camera.registered_at
        for camera in all_cameras(services.index)
        if where.admits(camera.place) or camera.id in stood
    }
