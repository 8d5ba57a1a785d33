"""A terminal picture of coverage and gaps: one line a camera, one character a slice of time."""

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from archive.reader import GapSpan, Reading
from archive.timespan import SpanSet, Timespan, as_datetime

FULL, PART, PENDING, GAP = "█", "▌", "·", "─"


def draw(readings: Sequence[Reading], zone: ZoneInfo, width: int) -> list[str]:
    """Lines of text: a time axis, a bar for each camera, and each gap with its cause.

    ``█`` is covered, ``▌`` partly, ``─`` a gap, ``·`` not known yet.
    """
    if not readings:
        return ["(no cameras)"]
    span = readings[0].span
    label = max(len(reading.camera) for reading in readings)
    cells = max(20, width - label - 3)
    lines = [f"{'':{label}}  {_axis(span, zone, cells)}"]
    for reading in readings:
        lines.append(f"{reading.camera:{label}}  {_bar(reading, cells)}")
    for reading in readings:
        for gap in reading.gaps:
            lines.append(f"{'':{label}}  {reading.camera}: {_gap(gap, zone)}")
    return lines


def _axis(span: Timespan, zone: ZoneInfo, cells: int) -> str:
    start = as_datetime(span.start).astimezone(zone)
    end = as_datetime(span.end).astimezone(zone)
    left, right = start.strftime("%d %b %H:%M:%S"), end.strftime("%H:%M:%S %Z")
    return left + " " * max(1, cells - len(left) - len(right)) + right


def _bar(reading: Reading, cells: int) -> str:
    span = reading.span
    edges = [span.start + span.duration * cell // cells for cell in range(cells + 1)]
    gaps = SpanSet(gap.span for gap in reading.gaps)
    return "".join(_cell(Timespan(a, b), reading, gaps) if a < b else " " for a, b in pairwise(edges))


def _cell(cell: Timespan, reading: Reading, gaps: SpanSet) -> str:
    covered = reading.coverage.within(cell).duration
    if covered == cell.duration:
        return FULL
    if covered:
        return PART
    return GAP if gaps.within(cell).duration >= reading.pending.within(cell).duration else PENDING


def _gap(gap: GapSpan, zone: ZoneInfo) -> str:
    start, end = (
        as_datetime(edge).astimezone(zone).strftime("%H:%M:%S.%f")[:-3] for edge in _edges(gap.span)
    )
    return f"gap {start} – {end} ({gap.span.duration / 1e6:.3f} s): {gap.cause}"


def _edges(span: Timespan) -> tuple[int, int]:
    return span.start, span.end
