"""The sealing report inside a sealed package, with pictures made by the real FFmpeg."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

from archive.clock import ManualClock
from archive.evidence import paths
from archive.evidence.documents.compose import REPORT, Composer
from archive.evidence.documents.contact_sheet import ContactSheet
from archive.evidence.plan import Original
from archive.footage.derive import StillMaker
from archive.objects.filesystem import FilesystemStore
from archive.timespan import SECOND, Timespan
from tests.support import papers
from tests.support.numbered import DEFAULT_FFMPEG, finalised_run, recorded_segments
from tests.support.packages import make_world
from tests.support.recordings import T0, archive_run

VARIANT = "h264-closed"


def test_the_report_is_sealed_with_the_package_and_listed_in_it(tmp_path: Path) -> None:
    world = make_world(tmp_path, cameras=("cam-1", "cam-2"))
    world = replace(world, sealer=replace(world.sealer, compose=Composer()))
    package = world.unpacked(tmp_path / "case")
    assert world.verify(package).valid
    report = package / paths.document(REPORT)
    assert report.read_bytes().startswith(b"%PDF-")
    listed = json.loads((package / paths.STATEMENT).read_bytes())["documents"]
    assert {
        "kind": "sealing_report",
        "path": paths.document(REPORT),
        "sha256": hashlib.sha256(report.read_bytes()).hexdigest(),
    } in listed
    report.write_bytes(report.read_bytes() + b"\n")
    assert not world.verify(package).valid


def test_a_second_worker_writes_the_same_report(tmp_path: Path) -> None:
    """So it can finish another's sealing: a different report would cause a conflict or another manifest."""
    world = make_world(tmp_path, cameras=("cam-1", "cam-2"))
    sealer = replace(world.sealer, compose=Composer())
    first = sealer.seal(world.plan)
    assert sealer.seal(world.plan) == first
    elsewhere = FilesystemStore(tmp_path / "elsewhere", world.clock)
    again = replace(sealer, target=elsewhere).seal(world.plan)
    assert again.tagmanifest_sha256 == first.tagmanifest_sha256
    assert (
        replace(world.sealer, target=FilesystemStore(tmp_path / "without", world.clock))
        .seal(world.plan)
        .tagmanifest_sha256
        != first.tagmanifest_sha256
    )


def test_ffmpeg_makes_the_same_pictures_again_and_all_from_within_the_span(tmp_path: Path) -> None:
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    made = finalised_run(recorded_segments(VARIANT, 20, tmp_path), tmp_path / "finalised")
    refs = archive_run(made, store, camera="cam-0001")
    plan = replace(
        papers.plan(cameras=1),
        span=Timespan(refs[0].span.start + 3 * SECOND, refs[-1].span.end - SECOND),
        originals=tuple(Original(ref=ref, leaf=b"") for ref in refs),
    )
    sheet = ContactSheet(StillMaker(Path(DEFAULT_FFMPEG)), store)
    first, second = sheet.of(plan), sheet.of(plan)
    assert first == second
    stills = first["cam-0001"]
    assert len(stills) > 2
    assert all(still.jpeg.startswith(b"\xff\xd8") and still.instant in plan.span for still in stills)
    assert len({still.jpeg for still in stills}) == len(stills)
