"""Packages of real recordings: every kind of coded stream, its exact clip, sealed and verified."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.clip.exact import plan_clip
from archive.clock import ManualClock
from archive.evidence.plan import ClipPlan, GapStatement, Original
from archive.model import leaf as leaves
from archive.model.segment import ClockStatement, Segment, SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.timespan import DAY, SECOND, SpanSet, Timespan
from tests.support.numbered import VARIANTS, finalised_run, recorded_segments
from tests.support.packages import World, make_world
from tests.support.recordings import T0, archive_run, reading_of


def leaf_of(ref: SegmentRef, frames: int) -> bytes:
    """The leaf a recorder would have made of the segment."""
    segment = Segment(
        camera=ref.camera,
        recorder="rec-1",
        run=ref.run,
        seq=ref.seq,
        span=ref.span,
        media_duration=ref.media_duration,
        sha256=ref.sha256,
        size=ref.size,
        header_bytes=ref.header_bytes,
        codec=ref.codec,
        gop=ref.gop,
        frames=frames,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
        camera_time=None,
        ingested_at=ref.span.end,
    )
    return leaves.encode(segment)


@pytest.fixture(params=sorted(VARIANTS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """A recording of one variant, and the plan of a span amid it that begins and ends between frames."""
    made = finalised_run(recorded_segments(request.param, 20, tmp_path), tmp_path / "finalised")
    store = FilesystemStore(tmp_path / "real", ManualClock(T0))
    refs = archive_run(made, store)
    world = make_world(tmp_path / "world", segments=1, stores=None)
    span = Timespan(T0 + 4 * SECOND + 12_345, refs[-1].span.end + 3 * SECOND)
    reading = reading_of(refs, span)
    first = reading.segments[0]
    earlier = refs[first.seq - 1] if first.gop == "open" and first.seq else None
    clip = plan_clip(reading, store, earlier=earlier)
    frames = {ref.key: len(result.header.samples.sizes) for ref, (_, result) in zip(refs, made, strict=True)}
    wanted = ([earlier] if earlier else []) + list(reading.segments)
    plan = replace(
        world.plan,
        span=span,
        prepared_at=T0 + DAY,
        originals=tuple(Original(ref=ref, leaf=leaf_of(ref, frames[ref.key])) for ref in wanted),
        clips=(
            ClipPlan(
                camera=first.camera, description=clip.outline(), size=clip.size, stream=lambda: clip.stream()
            ),
        ),
        gaps=tuple(
            GapStatement(camera=first.camera, span=gap, cause="unreachable")
            for gap in SpanSet(ref.span for ref in refs).gaps_within(span)
        ),
        journals=(),
    )
    return replace(world, footage=store, sealer=replace(world.sealer, footage=store), plan=plan)


def test_a_real_clip_is_sealed_with_its_originals_and_verified(world: World, tmp_path: Path) -> None:
    package = world.unpacked(tmp_path / "case")
    result = world.verify(package)
    assert result.valid, result.findings
    assert result.findings == ()
    clip = next((package / "data/derivative").iterdir())
    data = bytearray(clip.read_bytes())
    assert bytes(data) == b"".join(world.plan.clips[0].stream())
    data[-1] ^= 1
    clip.write_bytes(data)
    tampered = world.verify(package)
    assert {"payload_altered", "clip_not_derived"} <= {finding.code for finding in tampered.findings}
