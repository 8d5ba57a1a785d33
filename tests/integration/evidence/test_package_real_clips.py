"""Packages of real recordings: every kind of coded stream, its exact clip, sealed and verified."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.evidence import prepare
from archive.evidence.plan import PackagePlan, read_leaf
from archive.evidence.proving import GRACE, Prover
from archive.model import leaf as leaves
from archive.model.evidence import SealRequest
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry
from archive.timespan import HOUR, SECOND, SpanSet, Timespan
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.numbered import VARIANTS, finalised_run, recorded_segments
from tests.support.packages import EVIDENCE_ID, World, make_world
from tests.support.real_packages import real_world, segment_of
from tests.support.recordings import OTHER_RUN, RUN, T0, archive_run


@pytest.fixture(params=sorted(VARIANTS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A recording of one variant, and the plan of a span inside it that begins and ends between frames."""
    return real_world(request.param, tmp_path)


def test_a_real_clip_is_sealed_with_its_originals_and_verified(world: World, tmp_path: Path) -> None:
    package = world.unpacked(tmp_path / "case")
    result = world.verify(package)
    assert result.valid, result.findings
    assert result.findings == []
    clip = next((package / "data/derivative").iterdir())
    data = bytearray(clip.read_bytes())
    assert bytes(data) == b"".join(world.plan.clips[0].stream())
    data[-1] ^= 1
    clip.write_bytes(data)
    tampered = world.verify(package)
    assert {"payload_altered", "clip_not_derived"} <= {finding.code for finding in tampered.findings}


@pytest.fixture
def archive_with_footage(tmp_path: Path) -> SmallArchive:
    """One camera with a real recording of 20 s, leaves and index entries included."""
    small = small_archive(tmp_path / "archive")
    small.registry.add(camera_form(), actor="os:tester")
    keep_run(small, tmp_path, start=T0 + SECOND)
    small.clock.advance(GRACE + HOUR)  # no recorder wrote a journal for it
    return small


def keep_run(small: SmallArchive, folder: Path, *, start: int, run: str = RUN) -> None:
    """Archive and index one run of 20 s."""
    made = finalised_run(recorded_segments("h264-open-b", 20, folder), folder / f"finalised-{run}")
    scratch = FilesystemStore(folder / "scratch", small.clock)
    for ref, (path, result) in zip(archive_run(made, scratch, start=start, run=run), made, strict=True):
        segment = segment_of(ref, len(result.header.samples.sizes))
        stored = small.stores.footage.put(
            segment.key,
            Content.of_file(path, sha256=ref.sha256),
            metadata={"leaf": leaves.encode(segment).decode("ascii")},
        )
        small.index.add([IndexEntry(leaf=segment, place=None, version=stored.version)])


@pytest.mark.parametrize("largest", [5 << 30, 300_000])
def test_a_clip_too_large_for_one_object_becomes_several(
    archive_with_footage: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    """A worker's whole path from a request to a verified package."""
    small, span = archive_with_footage, Timespan(T0 + 3 * SECOND + 321, T0 + 17 * SECOND + 123)
    monkeypatch.setattr(prepare, "MAX_OBJECT_BYTES", largest)
    plan = planned(small, span)
    assert all(clip.size <= largest for clip in plan.clips)
    assert (len(plan.clips) > 1) is (largest < 1 << 30)
    asked = SpanSet(
        Timespan.parse(c.description["asked"]["from"], c.description["asked"]["to"]) for c in plan.clips
    )
    assert asked == SpanSet((span,))
    world = make_world(tmp_path / "world", segments=1, stores=(small.stores.footage, small.stores.records))
    package = replace(world, plan=plan).unpacked(tmp_path / "case")
    result = world.verify(package)
    assert result.valid, result.findings
    names = sorted(path.name for path in (package / "data/derivative").iterdir())
    expected = [f"clip-cam-1_p{number + 1:03d}.mp4" for number in range(len(plan.clips))]
    assert names == (expected if len(expected) > 1 else ["clip-cam-1.mp4"])


def test_a_package_over_two_recorders_holds_the_originals_of_both_and_a_clip_for_each_run(
    archive_with_footage: SmallArchive, tmp_path: Path
) -> None:
    small = archive_with_footage
    keep_run(small, tmp_path, start=T0 + 4 * SECOND + 300_000, run=OTHER_RUN)
    span = Timespan(T0 + 3 * SECOND, T0 + 23 * SECOND)
    plan = planned(small, span)
    assert {read_leaf(original).run for original in plan.originals} == {RUN, OTHER_RUN}
    inside = small.index.segments("cam-1", span)
    assert {original.ref.key for original in plan.originals} >= {ref.key for ref in inside}
    runs = [{piece["run"] for piece in clip.description["pieces"]} for clip in plan.clips]
    assert sorted(map(len, runs)) == [1, 1]
    asked = [Timespan.parse(c.description["asked"]["from"], c.description["asked"]["to"]) for c in plan.clips]
    assert asked[0].end == asked[1].start
    assert SpanSet(asked) == SpanSet((span,))
    world = make_world(tmp_path / "world", segments=1, stores=(small.stores.footage, small.stores.records))
    result = world.verify(replace(world, plan=plan).unpacked(tmp_path / "case"))
    assert result.valid, result.findings


def planned(small: SmallArchive, span: Timespan) -> PackagePlan:
    """The plan that a worker makes."""
    preparer = prepare.Preparer(
        stores=small.stores,
        index=small.index,
        registry=small.registry,
        ledger=small.ledger,
        system={"name": "saksi"},
        organization="Dinas Kominfo",
        tz_display="Asia/Makassar",
        lock_days=3650,
        prover=Prover(small.stores.records, small.clock),
    )
    request = SealRequest(
        evidence_id=EVIDENCE_ID,
        cameras=("cam-1",),
        span=span,
        case="LP/B/1",
        actor="os:tester",
        asked_at=small.clock.now(),
    )
    return preparer(request)
