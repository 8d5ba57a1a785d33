"""Evidence packages of real recordings: numbered test cameras, their exact clips, and proofs in a log."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from archive.clock import ManualClock
from archive.evidence.plan import ClipPlan, GapStatement, Original
from archive.footage.clip.exact import plan_clip
from archive.footage.mp4.finalise import Finalised
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import ClockStatement, Segment, SegmentRef, SoundStatement
from archive.objects.filesystem import FilesystemStore
from archive.timespan import DAY, SECOND, SpanSet, Timespan
from tests.support.beeping import beeping_run
from tests.support.numbered import finalised_run, recorded_segments
from tests.support.packages import World, a_gap, a_log, make_world, with_entries
from tests.support.recordings import T0, archive_run, reading_of


def segment_of(ref: SegmentRef, frames: int) -> Segment:
    """The segment as its recorder would have recorded it."""
    return Segment(
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


def heard(segment: Segment, header: SegmentHeader) -> Segment:
    """The segment with its leaf's statement of the sound in it."""
    sound = header.sound
    if sound is None:
        return segment
    stated = SoundStatement(codec=sound.codec_string, channels=sound.channels, rate=sound.timescale)
    return replace(segment, sound=stated)


def real_world(
    variant: str,
    folder: Path,
    *,
    begin: int = 4 * SECOND + 12_345,
    end: int = 23 * SECOND,
    lost: frozenset[int] = frozenset(),
    now: int | None = None,
    with_sound: bool = False,
    made: Sequence[tuple[Path, Finalised]] = (),
) -> World:
    """20 s of one variant, and the plan of the span from ``begin`` to ``end`` (µs after its start).

    The segments numbered in ``lost`` were never recorded. With sound the camera beeps. ``made``
    are finalised segments to take instead of the variant's.
    """
    if made:
        pass
    elif with_sound:
        made = beeping_run(folder / "beeps", 20, variant=variant)
    else:
        made = finalised_run(recorded_segments(variant, 20, folder), folder / "finalised")
    store = FilesystemStore(folder / "real", ManualClock(T0))
    refs = archive_run(made, store)
    headers = {ref.key: result.header for ref, (_, result) in zip(refs, made, strict=True)}
    kept = [ref for ref in refs if ref.seq not in lost]
    world = make_world(folder / "world", segments=1, now=now)
    span = Timespan(T0 + begin, T0 + end)
    reading = reading_of(kept, span)
    first = reading.segments[0]
    earlier = None
    if first.gop == "open":
        earlier = next((ref for ref in kept if ref.seq == first.seq - 1), None)
    clip = plan_clip(reading, store, earlier=() if earlier is None else (earlier,))
    wanted = ([earlier] if earlier else []) + list(reading.segments)
    gaps = [a_gap(first.camera, gap) for gap in SpanSet(ref.span for ref in kept).gaps_within(span)]
    log = a_log(
        folder / "real-log",
        world.keys,
        world.clock,
        [*(heard(segment_of(ref, len(headers[ref.key].samples)), headers[ref.key]) for ref in wanted), *gaps],
        at=T0 + DAY // 2,
        cameras=("cam-1",),
    )
    plan = replace(
        world.plan,
        span=span,
        originals=tuple(
            Original(ref=ref, leaf=proof.leaf, proof=proof)
            for ref, proof in zip(wanted, log.proofs, strict=True)
        ),
        clips=(
            ClipPlan(
                camera=first.camera,
                description=clip.outline(),
                size=clip.size,
                stream=lambda: clip.stream(),
            ),
        ),
        gaps=tuple(GapStatement(camera=gap.camera, span=gap.span, cause=gap.cause.value) for gap in gaps),
        journals=(log.journal,),
    )
    plan = with_entries(plan, log, world.clock)
    return replace(world, footage=store, sealer=replace(world.sealer, footage=store), plan=plan)
