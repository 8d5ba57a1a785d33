"""Footage that was recorded elsewhere comes in frame for frame, once, with its stated clock."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import structlog

from archive.clock import ManualClock
from archive.errors import ArchiveError, Conflict, Malformed, Unavailable
from archive.footage.ingest import Ingest, SpooledLeaf
from archive.footage.mp4.header import parse_header
from archive.integrity.check import Checker, Depth
from archive.lifecycle.holds.journals import JournalMarks
from archive.model.custody import Actor
from archive.model.leaf import decode
from archive.model.segment import UNSYNCHRONISED, Segment, SegmentRef
from archive.records import journal
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant
from ops.importing import ImportWish, import_files, start_in_name
from ops.recording import recorder_of
from ops.settings import Settings
from ops.wiring import Site
from recorder import bringing as recorder_bringing
from recorder.importing import Imported
from tests.support import numbered
from tests.support.command_line import CommandLine
from tests.support.recording_site import form
from tests.support.sound import reading_of

T0 = 1_795_500_000 * SECOND
START = T0 + HOUR
ACTOR = Actor(id="os:tester")
FORMATS = {"mp4": "mp4", "mkv": "matroska", "ts": "mpegts"}


@dataclass
class Desk:
    """A site whose camera was registered a day ago."""

    folder: Path
    clock: ManualClock

    def site(self, settings: Mapping[str, str] | None = None) -> Site:
        return Site(Settings.load({"SAKSI_HOME": str(self.folder), **(settings or {})}), self.clock)

    def bring(
        self, *paths: Path, start: int | None = START, uncertainty: int | None = 2 * SECOND
    ) -> list[Imported]:
        wish = ImportWish(
            camera="kam-1",
            paths=paths,
            start=start,
            uncertainty=uncertainty,
            actor=ACTOR,
            reason="NVR diganti",
        )
        with self.site() as site:
            return list(
                import_files(site, structlog.get_logger("test"), wish, progress=lambda name, done, of: None)
            )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    made = Desk(tmp_path / "site", ManualClock(T0))
    made.folder.mkdir()
    with made.site() as site:
        site.registry.add(form("kam-1", "rtsp://10.0.0.1/a"), actor="os:tester")
    made.clock.advance(DAY)
    return made


def segments(site: Site) -> list[SegmentRef]:
    return list(site.index.segments("kam-1", Timespan(T0, T0 + 2 * DAY)))


def leaves_of(site: Site) -> list[Segment]:
    found = [decode(site.stores.footage.head(one.key).metadata["leaf"].encode()) for one in segments(site)]
    return [one for one in found if isinstance(one, Segment)]


def allow_sound(desk: Desk) -> None:
    with desk.site() as site:
        site.registry.propose_sound("kam-1", actor="os:ana", reason="loket")
        site.registry.allow_sound("kam-1", actor="os:budi")


def made_file(folder: Path, variant: str, suffix: str, *, sound: str = "", seconds: int = 10) -> Path:
    """A file as an NVR leaves it."""
    plain = numbered.make_numbered(variant, seconds, folder / f"{variant}.mp4")
    path = folder / f"nvr-{variant}-{sound}.{suffix}"
    heard = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000"] if sound else []
    codec = ["-c:a", sound, "-map", "0:v", "-map", "1:a", "-shortest"] if sound else []
    subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-y", "-nostdin", "-loglevel", "error", "-i", str(plain), *heard,
         "-c:v", "copy", *codec, "-f", FORMATS[suffix], str(path)],
        check=True, timeout=60,
    )  # fmt: skip
    return path


def frames_of(source: Path) -> list[str]:
    """The MD5 of each decoded picture, in order (FFmpeg's ``framemd5``)."""
    told = subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-i", str(source), "-map", "0:v",
         "-f", "framemd5", "pipe:1"],
        capture_output=True, check=True, timeout=120, text=True,
    ).stdout  # fmt: skip
    return [line.split(",")[-1].strip() for line in told.splitlines() if line and line[0] != "#"]


def stored_frames(site: Site, folder: Path) -> list[str]:
    """The same of what the archive has, its segments joined."""
    joined = folder / "joined.mp4"
    content = [site.stores.footage.get(one.key) for one in segments(site)]
    joined.write_bytes(
        b"".join(one[0 if not at else len(parse_header(one).init) :] for at, one in enumerate(content))
    )
    return frames_of(joined)


def acts(site: Site) -> list[dict[str, Any]]:
    """Every custody event that is stored."""
    found = [site.stores.records.get(one.key) for one in site.stores.records.list("custody/")]
    lines = [json.loads(line) for content in found for line in content.splitlines()]
    return [line for line in lines if "type" in line]


def assert_clean(site: Site) -> None:
    report = Checker(site.stores, site.index, site.clock, depth=Depth.BYTES).run()
    assert report.breaches == []


@pytest.mark.parametrize(
    ("variant", "suffix", "sound"),
    [
        ("h264-closed", "mp4", ""),
        ("h264-open-b", "mkv", "aac"),
        ("h264-nob", "ts", "aac"),
        ("hevc-closed", "ts", ""),
        ("hevc-closed", "mp4", "aac"),
        ("hevc-open", "mkv", ""),
    ],
)
def test_every_frame_of_a_file_comes_in(
    desk: Desk, tmp_path: Path, variant: str, suffix: str, sound: str
) -> None:
    allow_sound(desk)
    desk.clock.advance(HOUR)
    path = made_file(tmp_path, variant, suffix, sound=sound)
    [one] = desk.bring(path, start=T0 + DAY + MINUTE)
    assert (one.is_new, one.sound) == (True, sound)
    with desk.site() as site:
        assert stored_frames(site, tmp_path) == frames_of(path)
        leaves = leaves_of(site)
        assert len(leaves) >= 4, "it is cut at keyframes, every two seconds"
        assert all((leaf.sound is not None) == bool(sound) for leaf in leaves)
        assert_clean(site)


def test_what_a_leaf_and_the_journal_say(desk: Desk, tmp_path: Path) -> None:
    path = made_file(tmp_path, "h264-closed", "mp4", sound="aac")
    [one] = desk.bring(path)
    assert one.span == Timespan(START, START + 10 * SECOND)
    assert (one.facts.sound, one.sound) == ("aac", ""), "this camera may not record sound"
    with desk.site() as site:
        leaves = leaves_of(site)
        assert [leaf.seq for leaf in leaves] == list(range(one.segments))
        assert {leaf.run for leaf in leaves} == {one.run}
        assert leaves[0].span.start == START
        assert all(after.span.start == leaf.span.end for leaf, after in pairwise(leaves))
        clocks = {leaf.clock for leaf in leaves}
        assert {(clock.source, clock.uncertainty_us, clock.flags) for clock in clocks} == {
            ("import", 2 * SECOND, ())
        }
        recorder = f"{site.settings.recorder}-import"
        assert {leaf.recorder for leaf in leaves} == {recorder}
        batches = [
            journal.decode(site.stores.records.get(listed.key))
            for listed in site.stores.records.list("journal/")
        ]
        assert {(batch.recorder, batch.origin) for batch in batches} == {(recorder, "import")}
        [act] = [one for one in acts(site) if one["type"] == "import.ordered"]
        assert (act["purpose"], act["objects"]) == ("NVR diganti", ["kam-1"])
        assert act["details"]["sha256"] == one.facts.sha256
        record = site.index.run(one.run)
        assert record is not None
        assert record.segments == one.segments


def test_without_an_uncertainty_nothing_bounds_the_error(desk: Desk, tmp_path: Path) -> None:
    desk.bring(made_file(tmp_path, "h264-nob", "mp4", seconds=4), uncertainty=None)
    with desk.site() as site:
        assert {leaf.clock.flags for leaf in leaves_of(site)} == {(UNSYNCHRONISED,)}
        assert {one.uncertainty_us for one in segments(site)} == {None}


def test_the_time_before_it_is_a_gap_and_nothing_is_unexplained(desk: Desk, tmp_path: Path) -> None:
    path = made_file(tmp_path, "h264-nob", "mp4", seconds=4)
    desk.bring(path)
    desk.bring(made_file(tmp_path, "h264-closed", "mp4", seconds=4), start=START - HOUR // 2)
    with desk.site() as site:
        known = reading_of(site, "kam-1")
        assert {gap.cause for gap in known.gaps} == {"recorder_restart"}
        assert sum(span.duration for span in known.coverage) == 8 * SECOND
        assert_clean(site)


def test_further_files_follow_without_a_gap(desk: Desk, tmp_path: Path) -> None:
    first = made_file(tmp_path, "h264-nob", "mp4", seconds=4)
    second = made_file(tmp_path, "hevc-closed", "ts", seconds=4)
    one, two = desk.bring(first, second)
    assert two.span.start == one.span.end
    assert one.run != two.run


def test_a_folder_of_an_nvr_whose_names_have_the_time(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "nvr"
    folder.mkdir()
    zone = ZoneInfo("Asia/Makassar")
    for minute in (0, 1):
        made = made_file(tmp_path, "h264-nob", "mp4", seconds=4)
        at = datetime.fromtimestamp(START // SECOND + 60 * minute, zone)
        made.rename(folder / f"ch01_{at:%Y%m%d%H%M%S}.mp4")
    (folder / "index.txt").write_text("not footage")
    found = desk.bring(folder, start=None)
    assert [one.span.start for one in found] == [START, START + MINUTE]
    with pytest.raises(Malformed) as caught:
        start_in_name(Path("kamera.mp4"), zone)
    assert caught.value.code == "no_start_in_name"


def test_what_the_archive_has_is_not_imported_over(desk: Desk, tmp_path: Path) -> None:
    desk.bring(made_file(tmp_path, "h264-closed", "mp4"))
    with desk.site() as site:
        before = [one.key for one in site.stores.footage.versions("segments/")]
    other = made_file(tmp_path, "h264-nob", "mp4")
    with pytest.raises(Conflict) as caught:
        desk.bring(other, start=START + 8 * SECOND)
    assert caught.value.code == "import_overlaps"
    assert str(Timespan(START + 8 * SECOND, START + 10 * SECOND)) in caught.value.message
    with desk.site() as site:
        assert [one.key for one in site.stores.footage.versions("segments/")] == before
        assert_clean(site)
    assert not [*(desk.folder / "spool-import" / "cameras" / "kam-1").iterdir()], "nothing is left behind"


def test_the_same_import_again_is_no_second_one(desk: Desk, tmp_path: Path) -> None:
    path = made_file(tmp_path, "h264-closed", "mp4")
    [one] = desk.bring(path)
    [again] = desk.bring(path)
    assert (again.is_new, again.run, again.span) == (False, one.run, one.span)
    with desk.site() as site:
        assert len(segments(site)) == one.segments
        assert_clean(site)


@pytest.mark.parametrize("spool_is_lost", [False, True])
@pytest.mark.parametrize("after", [0, 2, 6])
def test_an_interrupted_import_goes_on_and_nothing_is_there_twice(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int, spool_is_lost: bool
) -> None:
    """It ends inside step 4; steps are those of the store and of the index, one segment at a time."""
    path = made_file(tmp_path, "h264-closed", "mp4")
    done = 0
    store = Ingest.store

    def failing(self: Ingest, spooled: SpooledLeaf) -> None:
        nonlocal done
        if done == after:
            raise Unavailable("the store went away", code="store_unavailable")
        done += 1
        store(self, spooled)

    with monkeypatch.context() as patch:
        patch.setattr(recorder_bringing, "AT_ONCE", 1)
        patch.setattr(Ingest, "store", failing)
        with pytest.raises(Unavailable):
            desk.bring(path)
    desk.clock.advance(MINUTE)
    if spool_is_lost:
        shutil.rmtree(desk.folder / "spool-import")
    [one] = desk.bring(path)
    assert one.is_new
    with desk.site() as site:
        assert len(segments(site)) == one.segments == 5
        assert stored_frames(site, tmp_path) == frames_of(path)
        assert_clean(site)


def test_a_try_that_ended_before_its_lines_were_sent_sends_them_the_next_time(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made_file(tmp_path, "h264-nob", "mp4", seconds=4)

    def fails(self: Ingest) -> int:
        raise Unavailable("the store went away", code="store_unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(Ingest, "upload", fails)
        with pytest.raises(Unavailable):
            desk.bring(path)
    [one] = desk.bring(path)
    assert not one.is_new
    with desk.site() as site:
        assert [*site.stores.records.list("journal/")]
        assert_clean(site)


def encoded(path: Path, *options: str) -> Path:
    subprocess.run(
        [numbered.DEFAULT_FFMPEG, "-y", "-nostdin", "-loglevel", "error", "-f", "lavfi",
         "-i", "testsrc2=size=160x120:rate=15", *options, str(path)],
        check=True, timeout=60,
    )  # fmt: skip
    return path


def refusal(desk: Desk, path: Path, start: int = START) -> ArchiveError:
    with pytest.raises(ArchiveError) as caught:
        desk.bring(path, start=start)
    with desk.site() as site:
        assert segments(site) == []
        assert [*site.stores.footage.versions("segments/")] == []
    return caught.value


def test_what_cannot_be_archived_is_told(desk: Desk, tmp_path: Path) -> None:
    mjpeg = encoded(tmp_path / "mjpeg.mkv", "-t", "2", "-c:v", "mjpeg")
    found = refusal(desk, mjpeg)
    assert (found.code, "mjpeg" in found.message) == ("codec_not_recorded", True)
    text = tmp_path / "text.mp4"
    text.write_text("not footage")
    assert refusal(desk, text).code == "import_unreadable"
    assert refusal(desk, tmp_path / "absent.mp4").code == "no_import_file"
    jumping = encoded(
        tmp_path / "jump.mp4", "-frames:v", "60", "-c:v", "libx264", "-bf", "0", "-g", "15",
        "-vf", "setpts=PTS+if(gte(N\\,30)\\,60/TB\\,0)", "-fps_mode", "passthrough",
    )  # fmt: skip
    assert refusal(desk, jumping).code == "import_times_jump"


@pytest.mark.parametrize("start", [T0 - MINUTE, T0 + DAY - SECOND, T0 + 2 * DAY])
def test_before_the_registration_and_after_now_there_is_nothing(
    desk: Desk, tmp_path: Path, start: int
) -> None:
    path = made_file(tmp_path, "h264-nob", "mp4", seconds=4)
    assert refusal(desk, path, start).code == "import_outside"


def test_no_hold_waits_for_an_import_that_does_not_go_on(desk: Desk, tmp_path: Path) -> None:
    desk.bring(made_file(tmp_path, "h264-nob", "mp4", seconds=4))
    with desk.site() as site:
        assert [*site.stores.records.list("ledger/recorder/")]
        marks = JournalMarks(site.stores.records)
        desk.clock.advance(DAY)
        marks.look(desk.clock.now())
        assert marks.behind(desk.clock.now()) == ()


def test_no_recorder_takes_the_id_of_imports(desk: Desk) -> None:
    with desk.site({"SAKSI_RECORDER": "rec-1-import"}) as site, pytest.raises(Malformed) as caught:
        recorder_of(site, structlog.get_logger("test"), None)
    assert caught.value.code == "recorder_id_reserved"


def test_the_command(desk: Desk, tmp_path: Path) -> None:
    saksi = CommandLine(tmp_path / "home")
    with Site(Settings.load(saksi.environment()), ManualClock(T0)) as site:
        site.registry.add(form("kam-1", "rtsp://10.0.0.1/a"), actor="os:tester")
    path = made_file(tmp_path, "h264-nob", "mp4", seconds=4)
    words = [
        "import",
        "--camera",
        "kam-1",
        "--start",
        format_instant(START),
        "--reason",
        "NVR diganti",
        str(path),
    ]
    told = saksi(*words, "--uncertainty", "2s")
    assert told.code == 0, told.err
    assert "60 pictures" in told.out
    again = saksi(*words, "--json").json["files"]
    assert [one["is_new"] for one in again] == [False]
    other = made_file(tmp_path, "h264-closed", "mp4", seconds=4)
    refused = saksi(*words[:-1], str(other), "--json")
    assert (refused.code, refused.problem["code"]) == (2, "import_overlaps")


def test_a_package_over_it_verifies_and_says_that_it_was_imported(tmp_path: Path) -> None:
    saksi = CommandLine(tmp_path / "home")
    assert saksi("keys", "init").code == 0
    with Site(Settings.load(saksi.environment()), ManualClock(T0)) as site:
        site.registry.add(form("kam-1", "rtsp://10.0.0.1/a"), actor="os:tester")
    path = made_file(tmp_path, "h264-nob", "mp4", seconds=4)
    start, end = format_instant(START), format_instant(START + 4 * SECOND)
    given = ["--camera", "kam-1", "--start", start, "--reason", "NVR diganti", "--uncertainty", "2s"]
    brought = saksi("import", *given, str(path))
    assert brought.code == 0, brought.err
    sealed = saksi("log", "make")
    assert sealed.code == 0, sealed.err
    package = tmp_path / "bukti.zip"
    made = saksi(
        "seal", "--camera", "kam-1", "--from", start, "--to", end, "--case", "LP/1", "-o", str(package)
    )
    assert made.code == 0, made.err
    keys = saksi("keys", "show", "--json").json
    trust = ["--trust", keys["trust_root"], "--signer", keys["signer_sha256"]]
    verified = saksi("verify", str(package), *trust, "--json")
    assert (verified.code, verified.json["valid"]) == (0, True), verified.err
    with zipfile.ZipFile(package) as bag:
        [readme] = [name for name in bag.namelist() if name.endswith("data/README.txt")]
        assert "imported from a file; times as stated at the import, to ± 2 s" in bag.read(readme).decode()
