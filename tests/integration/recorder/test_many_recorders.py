"""Three recorders and three etcd nodes: one is killed, comes back, another is drained, etcd goes away."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive.model.gap import GapCause
from ops.wiring import Site
from recorder.placement import fleet
from tests.support.etcd_cluster import EtcdCluster, etcd_cluster
from tests.support.recording_site import RecordingSite
from tests.support.sound import assert_sound, reading_of, segments_of
from tests.support.waiting import until

NAMES = ("rec-a", "rec-b", "rec-c")
CAMERAS = tuple(f"kam-{number}" for number in range(6))
PATIENCE = 300


@dataclass
class Town:
    """Recorders of one archive, each with a folder of its own."""

    etcd: EtcdCluster
    recorders: dict[str, RecordingSite]
    site: Site
    started: dict[str, int] = field(default_factory=dict)

    def start(self, name: str) -> None:
        """Start a recorder; what it said before does not count any more."""
        self.started[name] = self.site.clock.now()
        self.recorders[name].start()

    def hosts(self) -> dict[str, set[str]]:
        """Who has footage of each camera, by heartbeats of recorders that run."""
        beats = {
            beat.recorder: beat.state.get("cameras", {})
            for beat in self.site.index.heartbeats()
            if beat.at > self.started.get(beat.recorder, 0)
        }
        return {
            camera: {
                name
                for name, one in self.recorders.items()
                if one.process is not None and beats.get(name, {}).get(camera, {}).get("kept") == 1
            }
            for camera in CAMERAS
        }

    def of(self, name: str) -> set[str]:
        """The cameras that a recorder has footage of."""
        return {camera for camera, hosts in self.hosts().items() if name in hosts}

    def settled(self, names: set[str]) -> dict[str, set[str]]:
        """Wait until each camera is recorded by one of these, and by no other; returns which one.

        Each of them has cameras, and the index has footage of each camera.
        """

        def is_so() -> bool:
            found = self.hosts()
            alone = all(len(hosts) == 1 for hosts in found.values())
            return (
                alone
                and set().union(*found.values()) == names
                and all(segments_of(self.site, camera) for camera in CAMERAS)
            )

        until(is_so, f"{sorted(names)} share the cameras", seconds=PATIENCE, every=0.3)
        return self.hosts()

    def kill(self, name: str) -> int:
        """SIGKILL of a recorder with its FFmpegs; returns when."""
        one = self.recorders[name]
        one.kill()
        one.process = None
        killed = self.site.clock.now()
        until(lambda: not one.captures(), "its FFmpegs ended with it")
        return killed


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    shared = {
        "SAKSI_ARCHIVE_URL": f"file://{tmp_path / 'archive'}",
        "SAKSI_INDEX_URL": f"sqlite:///{tmp_path / 'index' / 'index.sqlite'}",
        "SAKSI_KEYS_DIR": str(tmp_path / "keys"),
    }
    with ExitStack() as stack:
        cluster = stack.enter_context(etcd_cluster())
        shared["SAKSI_ETCD_URLS"] = ",".join(cluster.urls)
        recorders = {
            name: RecordingSite(tmp_path / name, {**shared, "SAKSI_RECORDER": name}) for name in NAMES
        }
        for one in recorders.values():
            one.folder.mkdir()
        for camera in CAMERAS:
            recorders["rec-a"].add(camera, "test://?size=160x120&fps=10&gop=10")
        for one in recorders.values():
            one.start()
            stack.callback(lambda one=one: one.process is not None and one.kill())
        yield Town(cluster, recorders, stack.enter_context(recorders["rec-a"].site()))


def test_a_killed_one_a_drained_one_and_no_etcd(town: Town) -> None:
    before = town.settled(set(NAMES))
    dead = next(name for name in NAMES if town.of(name))
    its = town.of(dead)

    killed = town.kill(dead)
    after = town.settled(set(NAMES) - {dead})
    assert {camera for camera in CAMERAS if after[camera] != before[camera]} == its
    for camera in its:
        until(
            lambda camera=camera: [g for g in reading_of(town.site, camera).gaps if g.span.end > killed],
            f"{camera} has the gap that its successor's first footage ends", seconds=PATIENCE, every=0.3,
        )  # fmt: skip
        (gap,) = [one for one in reading_of(town.site, camera).gaps if one.span.end > killed]
        assert gap.cause == GapCause.RECORDER_RESTART

    town.start(dead)
    assert town.settled(set(NAMES)) == before
    for camera in its:
        gaps = [one for one in reading_of(town.site, camera).gaps if one.span.end > killed]
        assert len(gaps) == 1, "it came back without a second gap"

    drained = next(name for name in NAMES if name != dead and town.of(name))
    began = town.site.clock.now()
    moving = town.of(drained)
    fleet.drain(town.site.ledger, drained, actor="os:tester", reason="a new disk")
    town.settled(set(NAMES) - {drained})
    assert town.recorders[drained].stop() == 0
    town.recorders[drained].process = None
    for camera in moving:
        assert [one for one in reading_of(town.site, camera).gaps if one.span.end > began] == []

    others = town.settled(set(NAMES) - {drained})
    for node in town.etcd.nodes:
        node.kill()
    away = town.site.clock.now()
    for camera in CAMERAS:
        until(
            lambda camera=camera: segments_of(town.site, camera)[-1].span.start > away,
            f"{camera} is recorded without etcd", seconds=PATIENCE,
        )  # fmt: skip
    assert town.hosts() == others
    for one in town.recorders.values():
        if one.process is not None:
            assert one.stop() == 0, one.log()
            one.process = None
    assert_sound(town.site, *CAMERAS)
