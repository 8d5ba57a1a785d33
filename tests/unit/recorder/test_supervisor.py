"""What a full disk cut off is finished first, whatever became of the camera; its time is accounted for."""

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from archive.clock import ManualClock
from archive.errors import ArchiveError, StoreFull, Unavailable
from archive.footage.ingest import SpooledLeaf
from archive.model.gap import Gap, GapCause, RunEnd
from archive.timespan import HOUR, MINUTE, SECOND
from recorder.accounts import Accounts
from recorder.crew import Crew
from recorder.neighbours import Neighbours
from recorder.reach import pinned
from recorder.recovery import Leftover
from recorder.settings import RecorderSettings
from recorder.sources import parse_source
from recorder.spool import Spool
from recorder.supervisor import CameraSupervisor
from recorder.workshop import Workshop
from tests.support.leaves import segment
from tests.support.waiting import until_async
from tests.unit.recorder.placement.test_desk import CAMERAS

T0 = 1_795_000_000 * SECOND
CAMERA = CAMERAS[0]
CUT_OFF = T0 + 10 * SECOND
"""Up to here the session that was cut off has footage."""


@dataclass
class CutOff:
    """A session that a full disk interrupted: its footage counts once it is finished."""

    accounts: Accounts
    finished: list[RunEnd] = field(default_factory=list)
    failing: ArchiveError | None = None
    quarantined: list[Path] = field(default_factory=list)
    folder: Any = field(default_factory=lambda: SimpleNamespace(let_go=lambda: None))

    made: list[SpooledLeaf] = field(default_factory=list)

    def fresh(self) -> list[SpooledLeaf]:
        return self.made

    def retake(self) -> "CutOff":
        return self

    def end(self, reason: RunEnd) -> list[SpooledLeaf]:
        if self.failing is not None:
            raise self.failing
        self.finished.append(reason)
        self.accounts.footage_from(CAMERA.id, T0, GapCause.CONNECTING)
        self.accounts.covered(CAMERA.id, CUT_OFF)
        return []


class Stand:
    """A supervisor whose disk is full amid its first session."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock(T0 + MINUTE)
        self.spool = Spool(folder, self.clock, 1 << 30, 0)
        self.spool.open()
        self.delivered: list[SpooledLeaf] = []
        self.has_room = False
        self.told_of: list[tuple[str, str]] = []
        self.accounts = Accounts(self.spool, self.clock, "rec-1", self.delivered.extend)
        self.accounts.open(CAMERA.id, None, since=T0 - SECOND)

        def quiet(event: str, **facts: object) -> None:
            return None

        async def in_thread(call: Any, *arguments: object) -> Any:
            return call(*arguments)

        shop = SimpleNamespace(
            settings=RecorderSettings(), clock=self.clock, accounts=self.accounts, in_thread=in_thread,
            spool=SimpleNamespace(has_room=lambda: self.has_room), chance=lambda: 0.5, binary=None,
            neighbours=Neighbours(lambda: 0.5),
            archiver=SimpleNamespace(deliver=self.delivered.extend, counters=SimpleNamespace(set_aside=0)),
            log=SimpleNamespace(error=quiet, warning=quiet),
            tell_set_aside=lambda camera, files: self.told_of.extend((camera, one.name) for one in files),
        )  # fmt: skip
        self.shop = shop
        self.counters = shop.archiver.counters
        self.supervisor = CameraSupervisor(cast(Workshop, shop), CAMERA, GapCause.CONNECTING)
        self.session = CutOff(self.accounts)

    def turn(self) -> float:
        self.clock.advance(MINUTE)
        return asyncio.run(self.supervisor._turn())

    def cut_off(self) -> None:
        self.supervisor._unfinished.append((cast(Any, self.session), RunEnd.SPOOL_FULL))

    def told(self) -> list[tuple[GapCause, int, int]]:
        """The gaps on record, by their last lines."""
        gaps = {one.leaf.gap: one.leaf for one in self.delivered if isinstance(one.leaf, Gap)}
        return [(gap.cause, gap.span.start, gap.span.end) for gap in gaps.values()]


@pytest.fixture
def stand(tmp_path: Path) -> Iterator[Stand]:
    made = Stand(tmp_path)
    yield made
    made.spool.close()


def test_a_camera_that_was_disabled_has_its_footage_archived_all_the_same(stand: Stand) -> None:
    stand.cut_off()
    stand.turn()
    stand.supervisor.change(replace(CAMERA, disabled=True))
    stand.turn()
    disabled_at = stand.clock.now()
    stand.turn()
    assert stand.session.finished == []
    stand.has_room = True
    assert stand.turn() == 0
    assert stand.session.finished == [RunEnd.SPOOL_FULL]
    stand.turn()
    stand.supervisor.rewrite_gap()
    assert stand.told() == [
        (GapCause.CONNECTING, T0 - SECOND, T0),
        (GapCause.SPOOL_FULL, CUT_OFF, disabled_at),
        (GapCause.DISABLED, disabled_at, stand.clock.now()),
    ]


def test_no_gap_is_told_over_footage_that_waits_for_the_disk(stand: Stand) -> None:
    stand.accounts.missing(CAMERA.id, T0 - SECOND, GapCause.UNREACHABLE)
    stand.cut_off()
    stand.clock.advance(2 * HOUR)
    stand.supervisor.rewrite_gap()
    stand.has_room = True
    stand.supervisor.change(replace(CAMERA, disabled=True))
    stand.turn()
    assert (GapCause.UNREACHABLE, T0 - SECOND, T0) in stand.told()
    assert all(end <= T0 or start >= CUT_OFF for _, start, end in stand.told())


def test_a_session_that_finds_no_room_again_waits_on(stand: Stand) -> None:
    stand.cut_off()
    stand.has_room = True
    stand.session.failing = StoreFull("no room")
    for _ in range(20):
        assert stand.turn() > 0
    assert stand.accounts.open_gap(CAMERA.id) is None
    stand.session.failing = None
    stand.supervisor.change(replace(CAMERA, disabled=True))
    stand.turn()
    assert stand.session.finished == [RunEnd.SPOOL_FULL]


def test_a_session_that_the_disk_always_fails_keeps_its_camera_from_recording_only_for_a_while(
    stand: Stand,
) -> None:
    stand.cut_off()
    stand.has_room = True
    stand.supervisor.change(replace(CAMERA, disabled=True))
    stand.session.failing = Unavailable("a bad sector")
    made = SpooledLeaf(stand.spool.root / "000000.ticket", segment(0), None)
    stand.session.made = [made]
    assert stand.turn() > 0
    assert (len(stand.supervisor._unfinished), stand.counters.set_aside) == (1, 0)
    turns = 1
    while stand.supervisor._unfinished:
        stand.turn()
        turns += 1
        assert turns < 20
    assert (turns, stand.counters.set_aside) == (8, 1)
    assert stand.delivered == [made], "what was made of it waits for nobody"
    stand.turn()
    stand.supervisor.rewrite_gap()
    assert stand.told() == [(GapCause.DISABLED, T0 - SECOND, stand.clock.now())]


def test_a_file_that_was_set_aside_is_told(stand: Stand) -> None:
    stand.cut_off()
    stand.has_room = True
    stand.session.quarantined.append(Path("spool/quarantine/000003.raw.mp4"))
    stand.supervisor.change(replace(CAMERA, disabled=True))
    stand.turn()
    assert stand.told_of == [(CAMERA.id, "000003.raw.mp4")]


@pytest.mark.parametrize("failing", [None, Unavailable("it does not answer")])
def test_a_camera_that_is_left_leaves_nothing_unfinished(stand: Stand, failing: ArchiveError | None) -> None:
    """Another recorder takes it; this one may go on with others for months."""
    stand.cut_off()
    stand.turn()
    stand.has_room = True
    stand.session.failing = failing
    stand.supervisor.stop()
    asyncio.run(stand.supervisor.run())
    assert len(stand.session.finished) == (failing is None)
    gap = stand.accounts.open_gap(CAMERA.id)
    assert (gap is None) is (failing is not None)
    if gap is not None:
        assert (gap.cause, gap.start) == (GapCause.SPOOL_FULL, CUT_OFF)


@dataclass(slots=True)
class Asked(Neighbours):
    """Neighbours that are asked every so many seconds of their own accord."""

    seconds: float = 0.0
    times: int = 0

    def every(self, away: float, shortest: float) -> float:
        self.times += 1
        return self.seconds


def test_a_camera_that_answers_again_is_told_to_its_neighbours_and_these_are_asked(stand: Stand) -> None:
    seldom = Asked(lambda: 0.0, seconds=HOUR / SECOND)
    often = Asked(lambda: 0.0, seconds=0.01, _waiting=seldom._waiting)

    def waits(neighbours: Neighbours, port: int) -> "asyncio.Task[None]":
        shop = SimpleNamespace(**{**vars(stand.shop), "neighbours": neighbours})
        supervisor = CameraSupervisor(cast(Workshop, shop), CAMERA, GapCause.CONNECTING)
        supervisor._unanswered = pinned(parse_source(f"rtsp://127.0.0.1:{port}/"), "127.0.0.1")
        return asyncio.create_task(supervisor._pause(HOUR / SECOND))

    async def both_wait() -> None:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
            waiting = waits(seldom, port), waits(often, port)
            await until_async(lambda: seldom.times and often.times, "neither answers")
            listener.listen()
            await asyncio.gather(*waiting)

    asyncio.run(both_wait())
    assert seldom.times == 1


def test_a_question_that_fails_ends_no_supervision(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as a resolver's answer that nobody thought of."""
    stand.shop.settings = replace(stand.shop.settings, longest_retry=0)
    supervisor = stand.supervisor
    turns = 0

    async def unreachable() -> float:
        nonlocal turns
        turns += 1
        if turns == 2:
            supervisor.stop()
        supervisor._unanswered = pinned(parse_source("rtsp://127.0.0.1:1/"), "127.0.0.1")
        return MINUTE / SECOND

    async def strange(*_: object, **__: object) -> bool:
        raise ValueError("strange")

    monkeypatch.setattr(supervisor, "_turn", unreachable)
    monkeypatch.setattr("recorder.supervisor.answers", strange)
    asyncio.run(supervisor.run())
    assert (turns, supervisor.state.failures) == (2, 1)


@pytest.mark.parametrize("failing", [None, StoreFull("no room")])
def test_what_is_left_of_a_camera_that_another_recorder_has_is_finished_once_there_is_room(
    stand: Stand, failing: ArchiveError | None
) -> None:
    """A host with a full disk was away: its cameras went to others, and may never come back."""
    crew = Crew(lambda _: None, stand.clock, stand.shop.log)
    crew.know([CAMERA])
    crew.leftovers = {CAMERA.id: Leftover([cast(Any, stand.session)])}
    asyncio.run(crew.finish_leftovers(cast(Workshop, stand.shop)))
    assert (stand.session.finished, list(crew.leftovers)) == ([], [CAMERA.id])
    stand.has_room, stand.session.failing = True, failing
    asyncio.run(crew.finish_leftovers(cast(Workshop, stand.shop)))
    if failing is not None:
        assert crew.leftovers[CAMERA.id].sessions == [cast(Any, stand.session)]
        stand.session.failing = None
        asyncio.run(crew.finish_leftovers(cast(Workshop, stand.shop)))
    assert (stand.session.finished, crew.leftovers) == ([RunEnd.RECORDER_RESTART], {})
    assert stand.told() == [(GapCause.CONNECTING, T0 - SECOND, T0)], "what follows is the other's to tell"
    stand.accounts.open(CAMERA.id, None, since=0)
    assert (stand.accounts.covered_until(CAMERA.id), stand.accounts.open_gap(CAMERA.id)) == (CUT_OFF, None)
