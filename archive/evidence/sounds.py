"""What a package says about sound: which part of each camera's footage has it, of which kind, who allowed it.

The footage itself says whether it has sound: the recorder's signed leaf of each segment has a member
``sound``, or none. The camera's registration says who allowed it. Neither is taken from what is registered
today. A package without sound states nothing in ``evidence.json``; its texts for people say so.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import IntegrityError
from archive.evidence.plan import Original, PackagePlan
from archive.model.camera import Camera
from archive.timespan import Timespan, format_instant

_CODECS: Mapping[str, str] = {"mp4a": "AAC", "opus": "Opus"}
"""Names of codecs, by the first part of the leaf's codec string."""
_MEMBER = b'"sound":'
_SOURCES: Mapping[str, str] = {"pcm_alaw": "G.711 (A-law)", "pcm_mulaw": "G.711 (µ-law)"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """The sound of a segment: its codec string, channels and rate (Hz).

    ``made_from`` is the codec that the camera sent, where the recorder had to encode anew; "" for a copy.
    """

    codec: str
    channels: int
    rate: int
    made_from: str = ""

    def to_json(self) -> JsonObject:
        """As leaf and statement have it."""
        made = {"made_from": self.made_from} if self.made_from else {}
        return {"codec": self.codec, "channels": self.channels, "rate": self.rate} | made

    @property
    def name(self) -> str:
        """The codec as people call it."""
        return _CODECS.get(self.codec.partition(".")[0], self.codec)

    @property
    def source(self) -> str:
        """What the camera sent, as people call it; "" for a copy."""
        return _SOURCES.get(self.made_from, self.made_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A stretch of a camera's originals that touch one another and have the same sound."""

    camera: str
    span: Timespan
    sound: Sound

    def to_json(self) -> JsonObject:
        """A member of the statement's ``sound``."""
        when = {"from": format_instant(self.span.start), "to": format_instant(self.span.end)}
        return {"camera": self.camera} | when | self.sound.to_json()


def sound_of(item: Original) -> Sound | None:
    """The sound of an original by its leaf; None if it has none.

    Raises:
        IntegrityError: ``leaf_mismatch``: the leaf's ``sound`` cannot be read.
    """
    if _MEMBER not in item.leaf:  # as nearly all are; a camera cannot be named so
        return None
    found: Any = canonical.decode(item.leaf).get("sound")
    try:
        return None if found is None else Sound(**found)
    except TypeError as error:
        raise IntegrityError(
            f"the sound of {item.ref.key} is misnamed: {error}", code="leaf_mismatch"
        ) from error


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
