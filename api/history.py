"""Playable history of many cameras: their facts at the time, their coverage, and where to play it.

One answer serves one question of the War Room's software: facts as they were then, coverage, gaps with
causes, what is pending, what is held, and URLs of a playlist, a still and the page that shows it. Everything
comes from the index, and from the ledger for cameras that were changed; no footage is read.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from api.services import ApiSettings, Services
from archive.canonical import JsonObject
from archive.model.areas import Areas
from archive.model.camera import Camera, Place, area_names, from_state
from archive.model.sound_permission import audio_of
from archive.timespan import SECOND, SpanSet, Timespan, format_instant
from search.coverage import CameraGap, Recordings

VIEW = "/tinjau"
"""The page that shows cameras side by side; see :mod:`api.routes.pages`."""

MAX_VIEWED = 16
"""Cameras that one view page shows at most."""

STILL_WIDTH = 320


@dataclass(frozen=True, slots=True)
class Facts:
    """A camera's facts from an instant on: until its next facts, or the end of the window."""

    since: int
    camera: Camera

    def to_json(self, areas: Areas) -> JsonObject:
        """The facts as answers give them; never with the device's address."""
        place = self.camera.place
        return {
            "from": format_instant(self.since),
            "name": self.camera.name,
            "lat": float(place.lat),
            "lon": float(place.lon),
            "kecamatan": place.kecamatan,
            "kelurahan": place.kelurahan,
            "owner": place.owner.value,
            "disabled": self.camera.disabled,
            "audio": audio_of(is_kept=self.camera.audio).value,
            **area_names(place, areas),
        }


def facts_then(
    services: Services, camera: str, window: Timespan, admits: Callable[[Place], bool]
) -> tuple[Facts, ...]:
    """A camera's facts during a window, oldest first; facts at places that are not admitted are left out.

    Before its registration a camera has no facts. The ledger is read only for cameras that were ever changed.
    """
    known = services.directory.cameras().get(camera)
    if known is not None and known.is_unmoved:
        entries: Iterable[tuple[int, Camera]] = [(known.camera.registered_at, known.camera)]
    else:
        entries = [(entry.at, from_state(entry.state)) for entry in services.registry.history(camera)]
    found: list[Facts] = []
    for at, state in entries:
        if at >= window.end:
            break
        if at <= window.start:
            found = [Facts(window.start, state)]
        else:
            found.append(Facts(at, state))
    return tuple(facts for facts in found if admits(facts.camera.place))


@dataclass(frozen=True, slots=True)
class Addresses:
    """URLs: whole ones if the installation has a public URL, else paths from our root.

    ``purpose`` is put into URLs that need one, for players that send no header; "" leaves it out.
    """

    settings: ApiSettings
    window: Timespan
    purpose: str

    def playlist(self, camera: str) -> str:
        """The window of one camera as HLS."""
        return self._footage(f"/v1/cameras/{camera}/playlist.m3u8", **self._span())

    def still(self, camera: str, at: int) -> str:
        """A small picture of one camera."""
        place = f"/v1/cameras/{camera}/frame.jpg"
        return self._footage(place, at=format_instant(at), width=str(STILL_WIDTH))

    def view(self, cameras: Sequence[str]) -> str:
        """The page that shows these cameras, :data:`MAX_VIEWED` at most; it asks for the purpose itself."""
        asked = [("camera", camera) for camera in cameras[:MAX_VIEWED]]
        return self._whole(f"{VIEW}?{urlencode([*asked, *self._span().items()])}")

    def _footage(self, path: str, **query: str) -> str:
        more = {"purpose": self.purpose} if self.purpose else {}
        return self._whole(f"{path}?{urlencode({**query, **more})}")

    def _span(self) -> dict[str, str]:
        return {"from": format_instant(self.window.start), "to": format_instant(self.window.end)}

    def _whole(self, path: str) -> str:
        parts = urlsplit(self.settings.public_url)
        origin = f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
        return f"{origin}{self.settings.base_path}{path}"


def camera_json(
    camera: str,
    *,
    facts: Sequence[Facts],
    found: Recordings,
    held: SpanSet | None,
    addresses: Addresses,
    areas: Areas,
    may_play: bool,
) -> JsonObject:
    """One camera's history. It has no playlist if there is no footage, or if some of it may not be played."""
    runs = [run for run in found.coverage if run.camera == camera]
    covered = SpanSet(run.span for run in runs)
    first = next(iter(covered), None)
    plays = may_play and first is not None
    return {
        "camera": camera,
        "facts": [one.to_json(areas) for one in facts],
        "coverage": [
            {**run.span.to_json(), "run": run.run, "uncertainty_us": run.uncertainty_us} for run in runs
        ],
        "recorded_seconds": covered.duration / SECOND,
        "gaps": [_gap(gap) for gap in found.gaps if gap.camera == camera],
        "pending": [one.span.to_json() for one in found.pending if one.camera == camera],
        "pauses": [one.span.to_json() for one in found.pauses if one.camera == camera],
        "held": None if held is None else [span.to_json() for span in held],
        "playlist": addresses.playlist(camera) if plays else None,
        "still": addresses.still(camera, first.start) if plays and first is not None else None,
        "view": addresses.view([camera]),
    }


def _gap(gap: CameraGap) -> JsonObject:
    return {**gap.span.to_json(), "cause": gap.cause}
