"""An upgrade on one host: the new process records before the old one stops, and no frame is missed."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.timespan import SECOND, Timespan
from ops.wiring import Site
from tests.support import numbered
from tests.support.command_line import CommandLine
from tests.support.recording_site import RecordingSite
from tests.support.scripted_camera import ScriptedCamera, scripted_camera
from tests.support.scripts import material, script, stamped, steady
from tests.support.sound import assert_sound, reading_of, segments_of
from tests.support.waiting import until

CAMERAS = ("kam-0", "kam-1")
FPS, GOP = 15, 30
SCRIPT_SECONDS = 240
PATIENCE = 180


@dataclass
class Host:
    """One host with two places for a recorder, ``rec-1a`` and ``rec-1b``."""

    places: dict[str, RecordingSite]
    cameras: dict[str, ScriptedCamera]
    site: Site
    saksi: CommandLine

    def runs(self) -> dict[str, str]:
        """The recorder of each run that is stored."""
        found = {}
        for listed in self.site.stores.footage.list("segments/"):
            leaf = self.site.stores.footage.head(listed.key).metadata["leaf"]
            found[listed.key] = leaf.partition('"recorder":"')[2].partition('"')[0]
        return found

    def has_footage(self, recorder: str, camera: str, *, since: int) -> bool:
        """Whether a recorder stored footage of a camera that begins after an instant."""
        names = self.runs()
        return any(
            ref.span.start >= since and names.get(ref.key) == recorder
            for ref in segments_of(self.site, camera)
        )

    def start(self, recorder: str) -> int:
        """Start a recorder; returns when."""
        now = self.site.clock.now()
        self.places[recorder].start()
        return now

    def replace(self, old: str, new: str) -> None:
        """As docs/guide/upgrading.md says: start the new one, wait until it has all, stop the old one."""
        began = self.start(new)
        told = self.saksi("recorders", "replaced", old, "--by", new, "--within", str(PATIENCE), "--json")
        assert (told.code, told.json) == (0, {"replaced": True, "missing": []}), told.err
        for camera in CAMERAS:
            # It is on the new one's disk then, and reaches the store and the index a moment later.
            until(
                lambda camera=camera: self.has_footage(new, camera, since=began),
                f"footage of {camera} by {new}, which was said to have some", seconds=15,
            )  # fmt: skip
        assert self.places[old].stop() == 0, self.places[old].log()
        self.places[old].process = None

    def frames(self, camera: str) -> set[int]:
        """The numbers of all frames that are stored."""
        found: set[int] = set()
        for ref in segments_of(self.site, camera):
            shown = numbered.numbers(numbered.read_numbers(self.site.stores.footage.get(ref.key)))
            found.update(number for number in shown if number is not None)
        return found


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = material("h264-nob", SCRIPT_SECONDS, FPS, tmp_path, gop=GOP)
    made = script(found, captured=steady(FPS), stamp=stamped(steady(FPS)))
    shared = {
        "SAKSI_ARCHIVE_URL": f"file://{tmp_path / 'archive'}",
        "SAKSI_INDEX_URL": f"sqlite:///{tmp_path / 'index' / 'index.sqlite'}",
        "SAKSI_KEYS_DIR": str(tmp_path / "keys"),
    }
    with ExitStack() as stack:
        places = {
            name: RecordingSite(tmp_path / name, {**shared, "SAKSI_RECORDER": name})
            for name in ("rec-1a", "rec-1b")
        }
        cameras = {}
        for one in places.values():
            one.folder.mkdir()
            stack.callback(lambda one=one: one.process is not None and one.kill())
        for name in CAMERAS:
            cameras[name] = stack.enter_context(scripted_camera(made))
            places["rec-1a"].add(name, cameras[name].url)
        site = stack.enter_context(places["rec-1a"].site())
        yield Host(places, cameras, site, CommandLine(tmp_path / "people", shared))


def test_no_frame_is_missed_from_one_version_to_the_next_and_back(host: Host) -> None:
    began = host.start("rec-1a")
    for camera in CAMERAS:
        until(
            lambda camera=camera: host.has_footage("rec-1a", camera, since=began),
            f"{camera} is recorded", seconds=PATIENCE,
        )  # fmt: skip
    host.replace("rec-1a", "rec-1b")
    alone = host.site.clock.now()
    for camera in CAMERAS:
        until(
            lambda camera=camera: host.has_footage("rec-1b", camera, since=alone + 4 * SECOND),
            f"{camera} is recorded by the new one", seconds=PATIENCE,
        )  # fmt: skip
    host.replace("rec-1b", "rec-1a")
    back = host.site.clock.now()
    for camera in CAMERAS:
        until(
            lambda camera=camera: host.has_footage("rec-1a", camera, since=back),
            f"{camera} is recorded by the first again", seconds=PATIENCE,
        )  # fmt: skip
    assert host.places["rec-1a"].stop() == 0
    host.places["rec-1a"].process = None

    for camera in CAMERAS:
        frames = host.frames(camera)
        missed = set(range(min(frames), max(frames) + 1)) - frames
        assert missed == set(), f"{camera}: goal is {GOP} at most"
        first = segments_of(host.site, camera)[0].span.start
        assert [gap for gap in reading_of(host.site, camera).gaps if gap.span.start > first] == []
        off = Timespan(alone, back)
        stated = [gap.span for gap in host.site.index.gaps(camera, off) if gap.recorder == "rec-1a"]
        assert all(span.start > alone for span in stated), "it says nothing of the time it was off"
    assert_sound(host.site, *CAMERAS)
    doctor = host.saksi("health", "recorders", "--json")
    assert all(one["troubles"] == [] for one in doctor.json["recorders"]), "who was stopped is in no trouble"
