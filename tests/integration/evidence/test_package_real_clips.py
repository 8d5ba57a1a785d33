"""Packages of real recordings: every kind of coded stream, its exact clip, sealed and verified."""

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.evidence import prepare
from archive.evidence.plan import PackagePlan, read_leaf
from archive.evidence.verifier.notebook import Notebook
from archive.model import leaf as leaves
from archive.model.evidence import SealRequest
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry
from archive.timespan import HOUR, SECOND, SpanSet, Timespan
from archive.trust.judge import load_trust
from tests.support.archives import camera_form
from tests.support.checkpoints import LogSite, log_site
from tests.support.numbered import VARIANTS, finalised_run, recorded_segments
from tests.support.packages import EVIDENCE_ID, World, make_world
from tests.support.real_packages import real_world, segment_of
from tests.support.recordings import OTHER_RUN, RUN, T0, archive_run
from tests.support.sealing import preparer_of


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


def test_a_real_clip_with_sound_is_sealed_verified_and_by_hand_its_originals_bytes(tmp_path: Path) -> None:
    """The package says what sound its clip has; replaced sound is found, also with nothing but coreutils."""
    world = real_world("h264-open-b", tmp_path, with_sound=True)
    package = world.unpacked(tmp_path / "case")
    result = world.verify(package)
    assert result.valid, result.findings
    assert result.findings == []
    stated = json.loads((package / "data/metadata/evidence.json").read_bytes())
    assert stated["clip_layout"] == 2
    (part,) = stated["derivatives"]
    assert 0 < part["hidden"]["sound_us"] < 200_000
    clip = package / part["path"]
    for piece in part["pieces"]:
        assert by_hand(package, clip, piece), piece
    data = bytearray(clip.read_bytes())
    piece = next(piece for piece in part["pieces"] if piece.get("track") == "sound")
    data[piece["clip_offset"] + 100] ^= 1
    clip.write_bytes(data)
    assert not by_hand(package, clip, piece)
    assert {"payload_altered", "clip_not_derived"} <= {one.code for one in world.verify(package).findings}


def by_hand(package: Path, clip: Path, piece: dict[str, Any]) -> bool:
    """The command of docs/reference/evidence-package.md, *Pieces*."""
    line = (
        f"tail -c +{piece['original_offset'] + 1} {package / piece['original']} | head -c {piece['length']}"
        f" | cmp -s - <(tail -c +{piece['clip_offset'] + 1} {clip} | head -c {piece['length']})"
    )
    return subprocess.run(["/bin/bash", "-c", line], check=False, timeout=60).returncode == 0


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    """One camera with a real recording of 20 s, journalled and under a checkpoint."""
    site = log_site(tmp_path / "archive")
    site.archive.registry.add(camera_form(), actor="os:tester")
    keep_run(site, tmp_path, start=T0 + SECOND)
    return site


def keep_run(site: LogSite, folder: Path, *, start: int, run: str = RUN) -> None:
    """Archive, index and journal one run of 20 s, and make the checkpoint that covers it."""
    small, segments = site.archive, []
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
        segments.append(segment)
    small.clock.advance(HOUR // 2)
    small.write_journal(segments)
    site.checkpoint()


@pytest.mark.parametrize("largest", [5 << 30, 300_000])
def test_a_clip_too_large_for_one_object_becomes_several(
    site: LogSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, largest: int
) -> None:
    """A worker's whole path from a request to a verified package."""
    span = Timespan(T0 + 3 * SECOND + 321, T0 + 17 * SECOND + 123)
    monkeypatch.setattr(prepare, "MAX_OBJECT_BYTES", largest)
    plan = planned(site, span)
    assert all(clip.size <= largest for clip in plan.clips)
    assert (len(plan.clips) > 1) is (largest < 1 << 30)
    asked = SpanSet(
        Timespan.parse(c.description["asked"]["from"], c.description["asked"]["to"]) for c in plan.clips
    )
    assert asked == SpanSet((span,))
    package, result = sealed(site, plan, tmp_path)
    assert result.valid, result.findings
    names = sorted(path.name for path in (package / "data/derivative").iterdir())
    expected = [f"clip-cam-1_p{number + 1:03d}.mp4" for number in range(len(plan.clips))]
    assert names == (expected if len(expected) > 1 else ["clip-cam-1.mp4"])


def test_a_package_over_two_recorders_holds_the_originals_of_both_and_a_clip_for_each_run(
    site: LogSite, tmp_path: Path
) -> None:
    keep_run(site, tmp_path, start=T0 + 4 * SECOND + 300_000, run=OTHER_RUN)
    span = Timespan(T0 + 3 * SECOND, T0 + 23 * SECOND)
    plan = planned(site, span)
    assert {read_leaf(original).run for original in plan.originals} == {RUN, OTHER_RUN}
    inside = site.archive.index.segments("cam-1", span)
    assert {original.ref.key for original in plan.originals} >= {ref.key for ref in inside}
    runs = [{piece["run"] for piece in clip.description["pieces"]} for clip in plan.clips]
    assert sorted(map(len, runs)) == [1, 1]
    asked = [Timespan.parse(c.description["asked"]["from"], c.description["asked"]["to"]) for c in plan.clips]
    assert asked[0].end == asked[1].start
    assert SpanSet(asked) == SpanSet((span,))
    _, result = sealed(site, plan, tmp_path)
    assert result.valid, result.findings


def sealed(site: LogSite, plan: PackagePlan, folder: Path) -> tuple[Path, Notebook]:
    """The package of a plan, and what the verifier says of it."""
    stores = site.archive.stores
    world = make_world(folder / "world", segments=1, stores=(stores.footage, stores.records))
    package = replace(world, plan=plan).unpacked(folder / "case")
    roots = load_trust([world.keys / "root.pem", site.keys_dir / "root.pem"], [], None)
    return package, world.verify(package, trust=roots)


def planned(site: LogSite, span: Timespan) -> PackagePlan:
    """The plan that a worker makes."""
    small = site.archive
    return preparer_of(small)(
        SealRequest(
            evidence_id=EVIDENCE_ID,
            cameras=("cam-1",),
            span=span,
            case="LP/B/1",
            actor="os:tester",
            asked_at=small.clock.now(),
        )
    )
