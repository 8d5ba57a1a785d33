"""What a package says about sound: which part of each camera's footage has it, of which kind, who allowed it.

The footage itself says whether it has sound: the recorder's signed leaf of each segment has a member
``sound``, or none. The camera's registration says who allowed it. Neither is taken from what is registered
today. A package without sound states nothing in ``evidence.json``; its texts for people say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.evidence.plan import Original, PackagePlan
from archive.footage.heard import sound_of_leaf
from archive.model.camera import Camera
from archive.model.leaf import sound_json
from archive.model.segment import SoundStatement
from archive.timespan import Timespan, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a camera's originals that touch one another and have the same sound."""

    camera: str
    span: Timespan
    sound: SoundStatement

    def to_json(self) -> JsonObject:
        """A member of the statement's ``sound``."""
        when = {"from": format_instant(self.span.start), "to": format_instant(self.span.end)}
        return {"camera": self.camera} | when | sound_json(self.sound)


def sound_of(item: Original) -> SoundStatement | None:
    """The sound of an original; None if it has none. Raises Malformed ``bad_leaf``."""
    return sound_of_leaf(item.leaf)


def stretches(plan: PackagePlan) -> list[Stretch]:
    """Where the originals of a plan have sound, in their order."""
    found: list[Stretch] = []
    for item in plan.originals:
        sound, span = sound_of(item), item.ref.span
        if sound is None:
            continue
        last = found[-1] if found else None
        touches = last is not None and last.camera == item.ref.camera and last.span.end >= span.start
        if last is not None and touches and last.sound == sound:
            span = Timespan(last.span.start, max(last.span.end, span.end))
            found.pop()
        found.append(Stretch(camera=item.ref.camera, span=span, sound=sound))
    return found


def cameras_with_sound(plan: PackagePlan) -> frozenset[str]:
    """The cameras of a plan whose originals have sound somewhere."""
    return frozenset(item.ref.camera for item in plan.originals if sound_of(item) is not None)


def permission_json(camera: Camera) -> JsonObject:
    """Whether sound was allowed by a registration, and by whom: the statement's ``audio`` of a camera."""
    allowed = camera.sound.permission
    found: JsonObject = {"kept": int(camera.audio)}
    if allowed is not None:
        found |= {
            "proposed_by": allowed.proposed_by,
            "allowed_by": allowed.allowed_by,
            "reason": allowed.reason,
            "since": format_instant(allowed.since),
        }
    return found


def registrations(plan: PackagePlan, camera: str) -> Iterator[Camera]:
    """A camera as it was registered when the span began, and after each change within it."""
    yield from (one for one in plan.cameras if one.id == camera)
    yield from (change.camera for change in plan.changes if change.camera.id == camera)
