"""A real recorder and holds: a segment that arrives while a hold is in force is held from its put on."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.errors import Unavailable
from archive.ports import Stores
from archive.timespan import DAY, HOUR, Timespan
from ops.wiring import Site
from recorder.recorder import Recorder
from tests.support.recording_site import RecordingSite, parts_of
from tests.support.sound import assert_sound, segments_of
from tests.support.waiting import PATIENCE_S, until, until_async

PATTERN = "test://?size=160x120&fps=10&gop=10"


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    site = RecordingSite(tmp_path)
    yield site
    if site.process is not None and site.process.poll() is None:
        site.kill()
    assert site.captures() == [], "an FFmpeg outlived its recorder"


def place(site: Site, *cameras: str) -> str:
    now = site.clock.now()
    head = site.holds.place(
        cameras=cameras, span=Timespan(now - HOUR, now + HOUR), case="LP/1", owner="Polrestabes",
        basis="KUHAP 39", review_at=now + DAY, actor="os:ani",
    )  # fmt: skip
    return head.hold.id


def flags(site: Site, camera: str) -> list[tuple[bool, bool]]:
    """For each segment: the flag in the store, and the flag in the index."""
    return [(site.stores.footage.head(one.key).held, one.held) for one in segments_of(site, camera)]


def test_a_hold_into_the_future_is_taken_up_by_a_running_recorder(recording: RecordingSite) -> None:
    recording.add("kam-1", PATTERN)
    recording.add("kam-2", PATTERN)
    recording.start()
    with recording.site() as site:
        until(lambda: segments_of(site, "kam-1"), "kam-1 is recorded")
        before = len(segments_of(site, "kam-1"))
        name = place(site, "kam-1")
        until(lambda: (True, True) in flags(site, "kam-1"), "a segment is put held")
        assert recording.stop() == 0
        assert not any(flags(site, "kam-1")[0]), "what came before is the sweep's"
        assert flags(site, "kam-1")[-1] == (True, True)
        assert {flag for flag in flags(site, "kam-2")} == {(False, False)}
        progress = site.hold_sweeper().sweep(name)
        assert progress.segments == progress.verified == len(segments_of(site, "kam-1")) > before
        assert set(flags(site, "kam-1")) == {(True, True)}
        assert_sound(site, "kam-1", "kam-2")


class Away:
    """A store that can be away; it knows what was asked of it while it was there."""

    is_away = False

    def __init__(self, real: Any) -> None:
        self._real = real
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if self.is_away:
            raise Unavailable("it is away", code="store_unavailable")
        found = getattr(self._real, name)

        def call(*arguments: Any, **options: Any) -> Any:
            given = found(*arguments, **options)
            self.asked += [argument for argument in arguments if isinstance(argument, str)]
            return given

        return call if callable(found) else found


def test_what_waited_in_the_spool_while_a_hold_was_placed_is_held_at_its_put(
    recording: RecordingSite,
) -> None:
    recording.add("kam-1", PATTERN)
    with recording.site() as site:
        parts = parts_of(site)
        footage, records = Away(site.stores.footage), Away(site.stores.records)
        stores = Stores(footage, records, site.stores.cache)
        parts = replace(parts, stores=stores, ledger=type(site.ledger)(records, site.clock))
        footage.is_away = records.is_away = True

        async def story() -> None:
            recorder = Recorder(parts)
            running = asyncio.create_task(recorder.run())
            spool = recording.folder / "spool" / "cameras"
            await until_async(lambda: len(list(spool.rglob("??????.mp4"))) >= 2, "two wait for the store")
            await asyncio.to_thread(place, site, "kam-1")
            records.is_away = False
            await until_async(
                lambda: any(one.startswith("ledger/hold/") for one in records.asked), "the hold is read"
            )
            footage.is_away = False
            recorder.stop()
            await running

        # A first start, so that the recorder knows its camera though the store is away.
        assert recording.start("--for", "3").wait(PATIENCE_S) == 0
        first = {one.run for one in segments_of(site, "kam-1")}
        asyncio.run(story())
        late = [one for one in segments_of(site, "kam-1") if one.run not in first]
        assert len(late) >= 2
        assert all(site.stores.footage.head(one.key).held and one.held for one in late)
        assert_sound(site, "kam-1")
