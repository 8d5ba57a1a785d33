"""A terminal picture of coverage and gaps: one line per camera, one character per slice of time."""

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from archive.timespan import SECOND, SpanSet, Timespan, as_datetime
from ops.cli.times import bound_text
from search.coverage import CameraGap, Recordings
from search.query import RunCoverage

FULL, PART, PENDING, GAP = "█", "▌", "·", "─"
DOUBTFUL = SECOND // 2


def draw(found: Recordings, span: Timespan, cameras: Sequence[str], zone: ZoneInfo, width: int) -> list[str]:
    """Returns lines of text: a time axis, a bar for each camera, gaps with causes, pauses, doubtful times.

    ``█`` is covered, ``▌`` partly covered, ``─`` a gap, ``·`` not known yet. Times are doubtful if they may
    be wrong by :data:`DOUBTFUL` or more.
    """
    if not cameras:
        return ["(no cameras)"]
    label = max(len(camera) for camera in cameras)
    cells = max(20, width - label - 3)
    lines = [f"{'':{label}}  {_axis(span, zone, cells)}"]
    for camera in cameras:
        coverage = SpanSet(one.span for one in found.coverage if one.camera == camera)
        gaps = SpanSet(one.span for one in found.gaps if one.camera == camera)
        lines.append(f"{camera:{label}}  {_bar(span, coverage, gaps, cells)}")
    for gap in found.gaps:
        lines.append(f"{'':{label}}  {gap.camera}: {_gap(gap, zone)}")
    for one in found.pauses:
        lines.append(f"{'':{label}}  {one.camera}: {_pause(one.span, zone)}")
    for run in found.coverage:
        if run.uncertainty_us is None or run.uncertainty_us >= DOUBTFUL:
            lines.append(f"{'':{label}}  {run.camera}: {_doubt(run, zone)}")
    return lines


def _axis(span: Timespan, zone: ZoneInfo, cells: int) -> str:
    start = as_datetime(span.start).astimezone(zone)
    end = as_datetime(span.end).astimezone(zone)
    left, right = start.strftime("%d %b %H:%M:%S"), end.strftime("%H:%M:%S %Z")
    return left + " " * max(1, cells - len(left) - len(right)) + right


def _bar(span: Timespan, coverage: SpanSet, gaps: SpanSet, cells: int) -> str:
    edges = [span.start + span.duration * cell // cells for cell in range(cells + 1)]
    return "".join(_cell(Timespan(a, b), coverage, gaps) if a < b else " " for a, b in pairwise(edges))


def _cell(cell: Timespan, coverage: SpanSet, gaps: SpanSet) -> str:
    covered = coverage.within(cell).duration
    if covered == cell.duration:
        return FULL
    if covered:
        return PART
    return GAP if 2 * gaps.within(cell).duration >= cell.duration else PENDING


def _gap(gap: CameraGap, zone: ZoneInfo) -> str:
    return f"gap {_edges(gap.span, zone)} ({gap.span.duration / 1e6:.3f} s): {gap.cause}"


def _pause(span: Timespan, zone: ZoneInfo) -> str:
    return f"pause {_edges(span, zone)} ({span.duration / 1e6:.3f} s): recorded, no new picture"


def _doubt(run: RunCoverage, zone: ZoneInfo) -> str:
    return f"times {_edges(run.span, zone)}: {bound_text(run.uncertainty_us)}"


def _edges(span: Timespan, zone: ZoneInfo) -> str:
    return " – ".join(
        as_datetime(edge).astimezone(zone).strftime("%H:%M:%S.%f")[:-3] for edge in (span.start, span.end)
    )
