"""Where a camera stood and looked, from when until when, and who moved it: from its stream of the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from archive.model.camera import Camera, from_state, has_moved
from archive.records.ledger.streams import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """A camera's stay at one point of one kelurahan, looking one way.

    ``since`` is when the entry was written; ``until`` is when the next stay began, None for the present one.
    ``camera`` is as that entry registered it. ``actor`` and ``reason`` are those of the entry.
    """

    since: int
    until: int | None
    camera: Camera
    version: int
    actor: str
    reason: str


def stays_of(history: Iterable[Entry]) -> tuple[Stay, ...]:
    """The stays of one camera, oldest first; an entry by which it did not move begins none.

    A sight that is stated for the first time belongs to the stay: it says where the camera looked all along.
    Raises as the ledger.
    """
    found: list[Stay] = []
    for entry in history:
        camera = from_state(entry.state)
        if found and not _stands_anew(found[-1].camera, camera):
            if found[-1].camera.sight is None and camera.sight is not None:
                known = replace(found[-1].camera, sight=camera.sight)
                found[-1] = replace(found[-1], camera=known)
            continue
        if found:
            found[-1] = replace(found[-1], until=entry.at)
        found.append(
            Stay(
                since=entry.at,
                until=None,
                camera=camera,
                version=entry.version,
                actor=entry.actor,
                reason=entry.reason,
            )
        )
    return tuple(found)


def _stands_anew(before: Camera, after: Camera) -> bool:
    def area(camera: Camera) -> tuple[str, str]:
        return camera.place.kecamatan, camera.place.kelurahan

    return has_moved(before, after) or area(before) != area(after)
