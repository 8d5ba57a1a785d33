"""Sound is recorded only where it is allowed, stays with its pictures, and never delays or stops them.

Cameras publish AAC and G.711 to a real MediaMTX. Scripted cameras, whose truth is known, send G.711: one as
it should be, one stops, one announces it and sends none, and one goes on when its pictures have stopped.
"""

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from archive.footage.mp4.header import SegmentHeader, parse_header
from archive.model.leaf import decode
from archive.model.segment import Segment, SoundStatement
from archive.timespan import SECOND
from ops.wiring import Site
from tests.support import lipsync, numbered
from tests.support.recording_site import RecordingSite
from tests.support.scripted_camera import BEEP, scripted_camera
from tests.support.scripts import material, script, stamped, steady
from tests.support.servers import MediamtxServer
from tests.support.sound import assert_sound, causes, segments_of
from tests.support.waiting import until

LONG, LONGEST = 150, 240
"""Seconds of the published and of the scripted sources: more than a busy machine takes for the segments."""
GOP = 15
LENGTH = 3
COUNT = 6
AAC_SAMPLES = 1024
"""How many samples of sound an AAC frame has (ISO/IEC 14496-3)."""
AAC = SoundStatement(codec="mp4a.40.2", channels=1, rate=16_000)
ALAW = SoundStatement(codec="mp4a.40.2", channels=1, rate=8_000, made_from="pcm_alaw")


@dataclass(frozen=True, slots=True)
class Recorded:
    """Segments of one camera in order: leaf, header and bytes.

    ``left_out`` has the lines of the recorder's log that say why a segment is without the sound that came: a
    camera that is held up for more than a second has times that cannot be trusted (``docs/design/sound.md``).
    """

    leaves: list[Segment]
    headers: list[SegmentHeader]
    stored: list[bytes]
    left_out: list[str]

    @property
    def played(self) -> bytes:
        """All of them in sequence, as a player receives them."""
        init = self.headers[0].init
        moving = zip(self.headers, self.stored, strict=True)
        return init + b"".join(data[len(header.init) :] for header, data in moving)

    @property
    def whole(self) -> list[tuple[Segment, SegmentHeader]]:
        """Leaves and headers, but for a last one that ended before a sound came.

        On a very busy machine the source is over before the recorder is stopped.
        """
        found = list(zip(self.leaves, self.headers, strict=True))
        return found[:-1] if found[-1][0].sound is None else found

    @property
    def heard(self) -> list[tuple[Segment, SegmentHeader]]:
        """The same where sound is encoded anew, but for a first one that ended before that began.

        FFmpeg writes no picture later because its encoder has given nothing yet.
        """
        return self.whole[1:] if self.leaves[0].sound is None else self.whole

    def latest_late(self, since: int) -> float:
        """How long (s) after its end the latest of the segments from ``since`` on was made."""
        return max(leaf.ingested_at - leaf.span.end for leaf in self.leaves[since:]) / SECOND


def recorded(site: Site, camera: str, log: str = "") -> Recorded:
    refs = segments_of(site, camera)
    leaves = [decode(site.stores.footage.head(one.key).metadata["leaf"].encode()) for one in refs]
    stored = [site.stores.footage.get(one.key) for one in refs]
    segments = [leaf for leaf in leaves if isinstance(leaf, Segment)]
    left_out = [line for line in log.splitlines() if "sound_left_out" in line and camera in line]
    return Recorded(segments, [parse_header(data) for data in stored], stored, left_out)


@pytest.fixture
def recording(tmp_path: Path) -> Iterator[RecordingSite]:
    site = RecordingSite(tmp_path, {"SAKSI_CAMERA_FOLDERS": str(tmp_path)})
    yield site
    if site.process is not None and site.process.poll() is None:
        site.kill()
    assert site.captures() == [], "an FFmpeg outlived its recorder"


@pytest.fixture(scope="module")
def cameras(mediamtx_server: MediamtxServer, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    """All of them recorded at once, with the distances of the sources under their sound's names."""
    folder = tmp_path_factory.mktemp("cameras")
    sources = {
        "aac": lipsync.make_flashing(folder / "aac.mkv", LONG),
        "alaw": lipsync.make_flashing(folder / "alaw.mkv", LONG, sound="pcm_alaw"),
    }
    site_folder = folder / "site"
    site_folder.mkdir()
    recording = RecordingSite(site_folder)
    with ExitStack() as stack:
        urls = {name: mediamtx_server.own_url(name) for name in sources}
        for name, path in sources.items():
            stack.enter_context(numbered.publish(path, urls[name], streams="0", loops=0))
        for name, url in {**urls, "not-allowed": urls["aac"]}.items():
            recording.add(name, url, segment_seconds=LENGTH)
            if name != "not-allowed":
                recording.allow_sound(name)
        recording.start()
        try:
            with recording.site() as site:
                until(
                    lambda: all(len(segments_of(site, one)) >= COUNT for one in [*urls, "not-allowed"]),
                    "each camera has its segments",
                )
                assert recording.stop() == 0
                assert_sound(site, *urls, "not-allowed")
                log = recording.log()
                found = {name: recorded(site, name, log) for name in [*urls, "not-allowed"]}
                assert {cause for name in found for cause in causes(site, name)} == {"connecting"}
        finally:
            if recording.process is not None and recording.process.poll() is None:
                recording.kill()
    return found


def test_a_camera_that_may_not_records_no_sound(cameras: dict[str, Recorded]) -> None:
    one = cameras["not-allowed"]
    assert {leaf.sound for leaf in one.leaves} == {None}
    assert not any(b"soun" in data for data in one.stored)


def test_the_leaf_states_the_sound_and_what_it_was_made_from(cameras: dict[str, Recorded]) -> None:
    for name, made, stated in (
        ("aac", cameras["aac"].whole, AAC),
        ("alaw", cameras["alaw"].heard, ALAW),
    ):
        sounds = [leaf.sound for leaf, _ in made]
        assert set(sounds) - {None} == {stated}
        # On a busy machine the camera itself is held up, and the recorder's log says what that cost.
        assert sounds.count(None) <= min(len(cameras[name].left_out), 1), cameras[name].left_out


def test_sound_goes_on_from_segment_to_segment(cameras: dict[str, Recorded]) -> None:
    for name in ("aac", "alaw"):
        sounds = [header.sound for header in cameras[name].headers]
        pairs = [(one, other) for one, other in itertools.pairwise(sounds) if one and other]
        assert pairs, name
        for before, after in pairs:
            # FFmpeg cannot know how long a file's last sample lasts, and guesses. Late packets, whose times
            # it corrects, make that guess wrong by up to a sample; clips and playlists go by ``tfdt``.
            assert before.times[-1] < after.tfdt, name
            assert abs(before.tfdt + sum(before.durations) - after.tfdt) <= AAC_SAMPLES, name


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recorded]:
    """Cameras whose truth is known; ``log`` is not one of them, but what the recorder said."""
    folder = tmp_path_factory.mktemp("scripted")
    site_folder = folder / "site"
    site_folder.mkdir()
    recording = RecordingSite(site_folder)
    steadily = {"captured": steady(15), "stamp": stamped(steady(15))}
    pictures = script(material("h264-closed", LONGEST, 15, folder, gop=GOP), **steadily)
    some = script(material("h264-nob", 9, 15, folder, gop=GOP), **steadily)
    scripts = {
        "speaks": replace(pictures, sound=(0, LONGEST)),
        "stops": replace(pictures, sound=(0, 8)),
        "mute": replace(pictures, sound=(0, 0)),
        "blind": replace(some, sound=(0, LONGEST)),
        "bare": pictures,
    }
    with ExitStack() as stack:
        for name, one in scripts.items():
            recording.add(name, stack.enter_context(scripted_camera(one)).url, segment_seconds=2)
            recording.allow_sound(name)
        recording.start()
        try:
            with recording.site() as site:
                until(
                    lambda: all(len(segments_of(site, one)) >= 8 for one in ("speaks", "stops", "bare")),
                    "three cameras have their segments",
                )
                until(lambda: len(segments_of(site, "mute")) >= 2, "the mute camera is recorded")
                until(lambda: "stalled" in causes(site, "blind"), "pictures that stopped are noticed")
                assert recording.stop() == 0
                assert_sound(site, *scripts)
                assert {cause for name in scripts for cause in causes(site, name)} == {
                    "connecting",
                    "stalled",
                }
                assert "stalled" not in causes(site, "speaks") + causes(site, "stops") + causes(site, "mute")
                assert "sound_announced_and_not_sent" in recording.log()
                return {name: recorded(site, name) for name in scripts}
        finally:
            if recording.process is not None and recording.process.poll() is None:
                recording.kill()


def test_beep_and_picture_keep_their_distance(scripted: dict[str, Recorded], tmp_path: Path) -> None:
    """Frame N was taken after N / 15 s of the script, and each second has its tone."""
    one = scripted["speaks"]
    assert {leaf.sound for leaf in one.leaves} == {ALAW}
    shown = numbered.read_numbers(one.played)
    begins = [float(frame.pts) - frame.number / 15 for frame in shown if frame.number is not None]
    zero = sorted(begins)[len(begins) // 2]
    assert max(abs(one - zero) for one in begins) < 0.01
    heard = lipsync.beeps(one.played)[:-1]
    assert len(heard) >= 12
    apart = [(beep - zero) % 1 - BEEP for beep in heard]
    assert max(map(abs, apart)) <= 0.040, apart


def test_sound_that_stops_leaves_the_pictures_as_they_are(scripted: dict[str, Recorded]) -> None:
    one, other = scripted["stops"], scripted["bare"]
    with_sound = [leaf.sound is not None for leaf in one.leaves]
    assert with_sound[0]
    assert not with_sound[-1]
    assert sorted(with_sound, reverse=True) == with_sound
    first = with_sound.index(False)
    assert one.latest_late(first) < other.latest_late(0) + 1
    assert not any(leaf.clock.flags for leaf in one.leaves)
    assert max(leaf.clock.uncertainty_us for leaf in one.leaves) < SECOND // 2
    for before, after in itertools.pairwise(one.leaves):
        assert before.span.end == after.span.start
    assert [leaf.frames % GOP for leaf in one.leaves[1:-1]] == [0] * (len(one.leaves) - 2), "whole groups"


def test_a_camera_that_announces_sound_and_sends_none_is_recorded_without(
    scripted: dict[str, Recorded],
) -> None:
    """FFmpeg's encoder would wait for the sound, and its file for the encoder."""
    assert {leaf.sound for leaf in scripted["mute"].leaves} == {None}
    assert {leaf.sound for leaf in scripted["bare"].leaves} == {None}


def test_pictures_that_stop_are_noticed_while_the_sound_goes_on(scripted: dict[str, Recorded]) -> None:
    one = scripted["blind"]
    assert one.leaves[0].sound == ALAW
    assert sum(leaf.frames for leaf in one.leaves) <= 9 * 15
    assert one.leaves[-1].span.end - one.leaves[0].span.start <= 9 * SECOND


def test_a_kill_costs_no_sound_that_was_written_and_turning_it_off_works_at_once(
    recording: RecordingSite, tmp_path: Path
) -> None:
    sample = lipsync.make_flashing(tmp_path / "sample.ts", 8)
    recording.add("kam-1", sample.as_uri())
    recording.allow_sound("kam-1")
    recording.start()
    with recording.site() as site:
        until(lambda: len(segments_of(site, "kam-1")) >= 2, "it is recorded")
        recording.kill()
        recording.start()
        before = {one.run for one in segments_of(site, "kam-1")}
        until(
            lambda: any(one.run not in before for one in segments_of(site, "kam-1")), "it is recorded again"
        )
        assert {leaf.sound for leaf in recorded(site, "kam-1").leaves} == {AAC}
        recording.allow_sound("kam-1", audio=False)
        until(lambda: recorded(site, "kam-1").leaves[-1].sound is None, "a segment is without sound")
        assert recording.stop() == 0
        sounds = [leaf.sound for leaf in recorded(site, "kam-1").leaves]
        first = sounds.index(None)
        assert set(sounds[:first]) == {AAC}
        assert set(sounds[first:]) == {None}
        assert_sound(site, "kam-1")
