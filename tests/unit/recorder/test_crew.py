"""The cameras of a recorder: which are taken, and in which order."""

import asyncio
from collections.abc import Collection, Sequence
from types import SimpleNamespace
from typing import Any, cast

from archive.clock import ManualClock
from archive.model.camera import Camera
from archive.timespan import HOUR
from recorder.crew import Crew
from recorder.placement.desk import Everything
from recorder.workshop import Workshop
from tests.unit.recorder.placement.test_desk import CAMERAS


class Noting(Crew):
    """Notes what happens to cameras; supervises none."""

    def __init__(self, noted: list[str]) -> None:
        super().__init__(
            self.asked, ManualClock(2 * HOUR), cast(Any, SimpleNamespace(info=lambda *_, **__: None))
        )
        self.noted = noted

    def asked(self, camera: str) -> int | None:
        self.noted.append(f"asked {camera}")
        return None

    def staff(self, cameras: Sequence[Camera], shop: Workshop) -> None:
        self.noted += [f"staffed {camera.id}" for camera in cameras]


class Nothing:
    """Accounts that know nothing."""

    def knows(self, camera: str) -> bool:
        return False

    def open(self, *facts: object, **others: object) -> None:
        return None


def test_a_camera_that_was_taken_waits_for_no_other() -> None:
    noted: list[str] = []
    crew = Noting(noted)

    async def place(cameras: Collection[Camera]) -> None:
        crew.know(list(cameras))
        await crew.place(cast(Any, SimpleNamespace(accounts=Nothing())), Everything())

    asyncio.run(place(CAMERAS[:2]))
    assert noted == ["asked cam-00", "staffed cam-00", "asked cam-01", "staffed cam-01"]
