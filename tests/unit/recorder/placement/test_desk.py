"""Three hosts at their desks, in one process: deaths, moves, and an etcd that is away."""

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import pytest

from archive.canonical import JsonObject
from archive.errors import Unavailable
from archive.model.camera import Camera, OwnerKind, Place
from archive.timespan import SECOND
from recorder.placement.assignment import Assigner, Host
from recorder.placement.desk import Desk, Everything
from recorder.placement.sight import SETTLING
from tests.support.waiting import PATIENCE_S

NAMES = ("rec-a", "rec-b", "rec-c")
PLACE = Place(
    lat=Decimal("-5.1"), lon=Decimal("119.4"), kecamatan="73.71.01", kelurahan="73.71.01.1001",
    owner=OwnerKind.GOVERNMENT,
)  # fmt: skip
CAMERAS = [
    Camera(
        id=f"cam-{number:02d}", name="x", source="test://", sealed_source="", place=PLACE,
        segment_seconds=10, registered_at=0,
    )
    for number in range(12)
]  # fmt: skip
ALL = {camera.id for camera in CAMERAS}


@dataclass
class Time:
    at: int = 1_800_000_000 * SECOND

    def now(self) -> int:
        return self.at

    def monotonic(self) -> int:
        return self.at


@dataclass(frozen=True)
class Said:
    recorder: str
    at: int
    state: dict[str, Any]


@dataclass
class Town:
    """The world of all hosts: etcd's members, the ledger's hosts, and the index's heartbeats."""

    clock: Time = field(default_factory=Time)
    members: set[str] = field(default_factory=set)
    etcd_is_away: bool = False
    hosts: dict[str, Host] = field(default_factory=lambda: {name: Host(name) for name in NAMES})
    ledger_is_away: bool = False
    recorders: "dict[str, Recorder]" = field(default_factory=dict)
    index_is_away: bool = False
    warnings: list[str] = field(default_factory=list)

    def warning(self, event: str, **facts: object) -> None:
        self.warnings.append(event)

    def read_hosts(self) -> list[Host]:
        self.refuse(self.ledger_is_away)
        return list(self.hosts.values())

    def beats(self) -> list[Said]:
        self.refuse(self.index_is_away)
        return [one.said for one in self.recorders.values()]

    def refuse(self, is_away: bool) -> None:
        if is_away:
            raise Unavailable("away", code="membership_unreachable")

    def round(self, *names: str, seconds: float = 1.0) -> None:
        """One turn of these hosts (all that live, if none is named), and some time."""
        self.clock.at += round(seconds * SECOND)
        for name in names or tuple(self.recorders):
            if self.recorders[name].lives:
                self.recorders[name].turn()

    def settle(self) -> None:
        for _ in range(2 * SETTLING // SECOND):
            self.round()

    @property
    def recorded(self) -> dict[str, set[str]]:
        """Who records each camera."""
        return {
            camera: {name for name, one in self.recorders.items() if one.lives and camera in one.recording}
            for camera in sorted(ALL)
        }


class Recorder:
    """A host that records what its desk says, and has footage one turn later."""

    def __init__(self, town: Town, name: str, kept: dict[str, JsonObject] | None = None) -> None:
        self.town, self.name = town, name
        self.disk = {} if kept is None else kept
        self.lives = True
        self.recording: dict[str, bool] = {}
        self.gets_pictures = True
        self.said = Said(name, 0, {})
        self.desk = Desk(
            name, self, hosts=town.read_hosts, beats=town.beats, keeper=self, clock=town.clock, log=town
        )

    def turn(self) -> None:
        self.desk.beat()
        found = self.desk.look(CAMERAS, self.recording)
        self.recording = {camera: self.gets_pictures and camera in self.recording for camera in found.record}
        facts = {camera: {"capturing": 1, "kept": int(has)} for camera, has in self.recording.items()}
        if not self.town.index_is_away:
            self.said = Said(self.name, self.town.clock.now(), {"cameras": facts})

    def die(self) -> None:
        """The process is gone, and its lease has run out."""
        self.lives = False
        self.town.members.discard(self.name)

    # The membership and the spool of this host.

    def join(self) -> None:
        self.beat()

    def beat(self) -> None:
        self.town.refuse(self.town.etcd_is_away)
        self.town.members.add(self.name)

    def members(self) -> frozenset[str]:
        self.town.refuse(self.town.etcd_is_away)
        return frozenset(self.town.members)

    def leave(self) -> None:
        self.town.refuse(self.town.etcd_is_away)
        self.town.members.discard(self.name)

    def keep(self, name: str, value: JsonObject) -> None:
        self.disk[name] = value

    def kept(self, name: str) -> JsonObject | None:
        return self.disk.get(name)


@pytest.fixture
def town() -> Town:
    """Three hosts that share all cameras."""
    made = Town()
    for name in NAMES:
        made.recorders[name] = Recorder(made, name)
    made.settle()
    return made


def share(town: Town, live: Collection[str]) -> dict[str, set[str]]:
    hosts = Assigner().assign(town.hosts.values(), live, {camera.id: PLACE.kecamatan for camera in CAMERAS})
    return {camera: {hosts[camera]} for camera in sorted(ALL)}


def test_each_camera_has_one_host(town: Town) -> None:
    assert town.recorded == share(town, NAMES)


def test_hosts_that_start_together_do_not_take_one_anothers_cameras() -> None:
    new = Town()
    for name in NAMES:
        new.recorders[name] = Recorder(new, name)
    new.round("rec-a")
    assert {camera for camera, hosts in new.recorded.items() if hosts} < ALL
    new.round()
    assert new.recorded == share(new, NAMES)


def test_a_dead_hosts_cameras_are_taken_at_the_next_look(town: Town) -> None:
    town.recorders["rec-b"].die()
    town.round()
    assert town.recorded == share(town, {"rec-a", "rec-c"})


def test_a_glance_tells_when_another_died_or_came(town: Town) -> None:
    desk = town.recorders["rec-a"].desk
    assert not desk.has_moved()
    town.recorders["rec-b"].die()
    assert desk.has_moved()
    town.round()
    assert not desk.has_moved()
    town.members.add("rec-b")
    assert desk.has_moved()


def test_a_glance_while_etcd_is_away_moves_nothing(town: Town) -> None:
    desk = town.recorders["rec-a"].desk
    town.etcd_is_away = True
    assert not desk.has_moved()
    town.recorders["rec-b"].die()
    town.etcd_is_away = False
    assert not desk.has_moved(), "a look finds etcd again"
    town.round("rec-a")
    town.members.add("rec-c2")
    assert desk.has_moved()


def test_it_gets_them_back_without_a_moment_that_nobody_records(town: Town) -> None:
    town.recorders["rec-b"].die()
    town.settle()
    town.recorders["rec-b"] = Recorder(town, "rec-b", town.recorders["rec-b"].disk)
    for _ in range(2 * SETTLING // SECOND):
        town.round()
        assert all(town.recorded.values())
    assert town.recorded == share(town, NAMES)


def test_what_a_host_said_before_it_died_confirms_nothing_when_it_is_back(town: Town) -> None:
    dead = town.recorders["rec-b"]
    its = set(dead.recording)
    dead.die()
    town.round()
    town.round()
    back = town.recorders["rec-b"] = Recorder(town, "rec-b", dead.disk)
    back.said = dead.said  # the index still has it, and it is only seconds old
    back.desk.beat()
    for _ in range(3):
        town.round("rec-a", "rec-c")
        assert all(town.recorded[camera] for camera in its)


def test_what_a_drained_host_records_is_taken_while_it_goes_on(town: Town) -> None:
    its = set(town.recorders["rec-b"].recording)
    town.hosts["rec-b"] = Host("rec-b", is_drained=True)
    town.round("rec-a", "rec-c")
    taken = {camera for camera, hosts in town.recorded.items() if len(hosts) == 2}
    assert taken == its


def test_a_drained_host_leaves_only_what_another_has_footage_of(town: Town) -> None:
    its = set(town.recorders["rec-b"].recording)
    town.hosts["rec-b"] = Host("rec-b", is_drained=True)
    for name in ("rec-a", "rec-c"):
        town.recorders[name].gets_pictures = False
    for _ in range(5):
        town.round()
    assert town.recorders["rec-b"].recording.keys() == its
    for name in ("rec-a", "rec-c"):
        town.recorders[name].gets_pictures = True
    for _ in range(4):
        town.round()
        assert all(town.recorded.values())
    assert not town.recorders["rec-b"].recording


def test_without_etcd_everything_goes_on(town: Town) -> None:
    before = town.recorded
    town.etcd_is_away = True
    for _ in range(100):
        town.round()
    assert town.recorded == before
    assert town.warnings == ["membership_away"] * 3  # once each


def test_when_etcd_is_back_and_forgot_all_nobody_takes_what_others_record(town: Town) -> None:
    before = town.recorded
    town.etcd_is_away = True
    town.round()
    town.etcd_is_away, town.members = False, set()
    town.round("rec-a")
    assert town.recorded == before
    town.settle()
    assert town.recorded == before


def test_a_host_that_died_while_etcd_was_away_is_replaced_after_it_is_back(town: Town) -> None:
    town.etcd_is_away = True
    town.round()
    town.recorders["rec-b"].die()
    town.etcd_is_away = False
    town.settle()
    assert town.recorded == share(town, {"rec-a", "rec-c"})


def test_a_start_without_etcd_ledger_and_index_records_what_it_did_before(town: Town) -> None:
    before = set(town.recorders["rec-a"].recording)
    town.etcd_is_away = town.ledger_is_away = town.index_is_away = True
    again = town.recorders["rec-a"] = Recorder(town, "rec-a", town.recorders["rec-a"].disk)
    town.round("rec-a")
    assert set(again.recording) == before
    assert "hosts_from_memory" in town.warnings


def test_without_the_index_nothing_is_left(town: Town) -> None:
    town.index_is_away = True
    town.hosts["rec-b"] = Host("rec-b", is_drained=True)
    town.settle()
    assert "rec-b" in {name for hosts in town.recorded.values() for name in hosts}
    assert "heartbeats_unread" in town.warnings


def test_a_host_that_the_ledger_does_not_know_yet_counts_itself() -> None:
    new = Town(hosts={})
    new.recorders["rec-a"] = Recorder(new, "rec-a")
    new.round()
    assert new.recorders["rec-a"].recording.keys() == ALL


def test_who_leaves_in_order_is_replaced_at_once(town: Town) -> None:
    town.recorders["rec-b"].desk.leave()
    town.recorders["rec-b"].lives = False
    town.round()
    assert town.recorded == share(town, {"rec-a", "rec-c"})


def test_a_beat_that_was_on_its_way_does_not_bring_back_who_left(town: Town) -> None:
    """Its thread may run for a moment longer; others would wait for the lease of a recorder that ends."""
    town.recorders["rec-b"].desk.leave()
    town.recorders["rec-b"].desk.beat()
    assert town.members == {"rec-a", "rec-c"}


def test_to_leave_without_etcd_is_no_error(town: Town) -> None:
    town.etcd_is_away = True
    town.recorders["rec-b"].desk.leave()
    assert town.warnings == ["membership_away"]


def test_a_host_alone_records_everything() -> None:
    assert Everything().look(CAMERAS, ()).record == ALL


class Hanging:
    """A membership whose servers hang while they are asked for the members."""

    def __init__(self) -> None:
        self.asked, self.answers, self.beaten = threading.Event(), threading.Event(), threading.Event()

    def members(self) -> frozenset[str]:
        self.asked.set()
        self.answers.wait()
        return frozenset(NAMES)

    def join(self) -> None:
        raise NotImplementedError

    def beat(self) -> None:
        self.beaten.set()

    def leave(self) -> None:
        raise NotImplementedError


def test_a_look_that_hangs_delays_no_beat(town: Town) -> None:
    """A lease lasts as long as three beats: servers that hang until a time-out must not end it."""
    hanging = Hanging()
    host = Recorder(town, "rec-a")
    desk = Desk(
        "rec-a", hanging, hosts=town.read_hosts, beats=town.beats, keeper=host, clock=town.clock, log=town
    )
    looking = threading.Thread(target=desk.look, args=(CAMERAS, ()))
    looking.start()
    beating = threading.Thread(target=desk.beat)
    try:
        assert hanging.asked.wait(PATIENCE_S)
        beating.start()
        assert hanging.beaten.wait(PATIENCE_S / 6)
    finally:
        hanging.answers.set()
        looking.join()
        beating.join()
