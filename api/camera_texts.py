"""The JSON of cameras as lists show them, made once for each version of a camera.

To write 2,000 cameras anew for each list took 75 ms of a processor (measured), and every page of the console
asks for the list. Who may know of a camera is decided for each answer, never here.
"""

import json

from api.auth.access import Access
from archive.model.areas import Areas
from archive.model.camera import Camera, public_json


class CameraTexts:
    """The texts of one process. Thread-safe: threads that miss at the same time write the same text."""

    def __init__(self, areas: Areas) -> None:
        self._areas = areas
        self._kept: dict[tuple[str, bool], tuple[Camera, bytes]] = {}

    def of(self, camera: Camera, access: Access) -> bytes:
        """A camera that the caller may know of, as they may see it."""
        key = camera.id, access.sees_more_than_facts
        kept = self._kept.get(key)
        if kept is not None and kept[0] is camera:
            return kept[1]
        shown = public_json(access.shown(camera), self._areas)
        text = json.dumps(shown, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
        self._kept[key] = camera, text
        return text
