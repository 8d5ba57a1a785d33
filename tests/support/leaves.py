"""Leaves for tests: plausible values and hypothesis strategies."""

from dataclasses import replace
from hashlib import sha256

from hypothesis import strategies as st

from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import (
    MADE_FROM,
    PICTURES_MADE_FROM,
    ClockStatement,
    DeviceClock,
    Run,
    Segment,
    SoundStatement,
)
from archive.timespan import SECOND, Timespan

T0 = 1_795_500_000_000_000
"""2026-11-24T14:00:00+08:00."""

RUN = "6a15000000000001"


def segment(
    seq: int = 0,
    *,
    camera: str = "cam-1",
    run: str = RUN,
    start: int | None = None,
    seconds: int = 10,
    recorder: str = "rec-1",
) -> Segment:
    """One segment of a run that began at :data:`T0`."""
    begin = T0 + seq * seconds * SECOND if start is None else start
    return Segment(
        camera=camera,
        recorder=recorder,
        run=run,
        seq=seq,
        span=Timespan(begin, begin + seconds * SECOND),
        media_duration=seconds * 90_000,
        sha256=sha256(f"{camera}/{run}/{seq}/{begin}".encode()).hexdigest(),
        size=2_500_000,
        header_bytes=3_300,
        codec="h264",
        gop="closed",
        frames=seconds * 15,
        clock=ClockStatement(source="arrival", offset_us=1_200, uncertainty_us=40_000),
        camera_time=None,
        ingested_at=begin + seconds * SECOND + 50_000,
    )


def gap(
    start: int,
    end: int,
    *,
    camera: str = "cam-1",
    cause: GapCause = GapCause.UNREACHABLE,
    gap_id: str = "6a15000000000009",
    ingested_at: int | None = None,
) -> Gap:
    """One gap record."""
    return Gap(
        camera=camera,
        recorder="rec-1",
        gap=gap_id,
        span=Timespan(start, end),
        cause=cause,
        ingested_at=end if ingested_at is None else ingested_at,
    )


_NAME = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,10}[A-Za-z0-9])?", fullmatch=True)
_ID = st.from_regex(r"[0-9a-f]{16}", fullmatch=True)
_SHA = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
_INSTANT = st.integers(0, 4_102_444_800_000_000)
_COUNT = st.integers(0, 2**53 - 1)


@st.composite
def _spans(draw: st.DrawFn) -> Timespan:
    start = draw(_INSTANT)
    return Timespan(start, start + draw(st.integers(1, 10**12)))


_UNPAUSED = st.builds(
    Segment,
    camera=_NAME,
    recorder=_NAME,
    run=_ID,
    seq=st.integers(0, 10**7),
    span=_spans(),
    media_duration=_COUNT,
    sha256=_SHA,
    size=_COUNT,
    header_bytes=_COUNT,
    codec=st.sampled_from(["h264", "hevc"]),
    gop=st.sampled_from(["open", "closed"]),
    frames=_COUNT,
    clock=st.builds(
        ClockStatement,
        source=st.sampled_from(["arrival", "import"]),
        offset_us=st.integers(-(10**9), 10**9),
        uncertainty_us=_COUNT,
        flags=st.lists(st.sampled_from(["ambiguous", "timestamps_unreliable"]), max_size=2).map(tuple),
    ),
    camera_time=st.none() | _INSTANT,
    ingested_at=_INSTANT,
    sound=st.none()
    | st.builds(
        SoundStatement,
        codec=st.sampled_from(["mp4a.40.2", "mp4a.40.5", "mp4a.40.39", "opus"]),
        channels=st.integers(1, 8),
        rate=st.integers(1, 192_000),
        made_from=st.sampled_from(["", *MADE_FROM]),
    ),
    device_clock=st.none()
    | st.builds(
        DeviceClock,
        at=_INSTANT,
        offset_us=st.integers(-(10**14), 10**14),
        within_us=st.integers(0, 10**9),
    ),
    made_from=st.sampled_from(["", *PICTURES_MADE_FROM]),
)


@st.composite
def _segments(draw: st.DrawFn) -> Segment:
    segment = draw(_UNPAUSED)
    edges = sorted(draw(st.sets(st.integers(0, segment.span.duration), max_size=6)))
    step = draw(st.integers(1, 2))  # with and without pictures between two pauses that follow one another
    return replace(segment, pauses=tuple(zip(edges[::step], edges[1::step], strict=False)))


SEGMENTS = _segments()
GAPS = st.builds(
    Gap,
    camera=_NAME,
    recorder=_NAME,
    gap=_ID,
    span=_spans(),
    cause=st.sampled_from([one for one in GapCause if one is not GapCause.DISPOSED]),
    ingested_at=_INSTANT,
)
RUNS = st.builds(
    Run,
    camera=_NAME,
    recorder=_NAME,
    run=_ID,
    span=_spans(),
    segments=_COUNT,
    reason=st.sampled_from(RunEnd),
    ingested_at=_INSTANT,
    fills=st.lists(_ID, unique=True, max_size=3).map(tuple),
)
LEAVES = SEGMENTS | GAPS | RUNS
