"""Work beside the recording: it fails, is told, and begins again; it never ends what is beside it."""

import asyncio
from typing import Any

from recorder.beside import beside
from tests.support.waiting import until_async


class Told:
    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        raise AssertionError(event)

    warning = info

    def error(self, event: str, **fields: Any) -> None:
        self.errors.append({"event": event, **fields})


def test_work_that_fails_begins_again_and_says_no_secret() -> None:
    told, begun = Told(), 0

    async def work() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise IndexError("rtsp://admin:rahasia@10.0.0.1/")

    asyncio.run(beside("devices", work, told, pause=0))
    assert begun == 3
    assert [(one["event"], one["what"], one["error"]) for one in told.errors] == [
        ("side_work_failed", "devices", "IndexError")
    ] * 2
    assert "rahasia" not in str(told.errors)
    assert "test_beside:" in told.errors[0]["at"]


def test_it_is_cancelled_with_its_work() -> None:
    told, begun, ended = Told(), False, False

    async def work() -> None:
        nonlocal begun, ended
        begun = True
        try:
            await asyncio.Event().wait()
        finally:
            ended = True

    async def cancelled() -> None:
        task = asyncio.create_task(beside("devices", work, told))
        await until_async(lambda: begun, "the work has begun")
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await until_async(lambda: ended, "the work has ended")
        assert task.cancelled()

    asyncio.run(cancelled())
    assert told.errors == []
