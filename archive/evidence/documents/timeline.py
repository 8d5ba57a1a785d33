"""The timeline on paper: a bar for each camera, filled where there is footage, hatched in gaps."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from zoneinfo import ZoneInfo

from archive.documents.indonesian import clock_time, moment
from archive.documents.pages import Pages
from archive.documents.panel import Align, Panel, Shade
from archive.timespan import DAY, HOUR, MINUTE, SECOND, SpanSet, Timespan, as_datetime

_LABEL = 92.0
_ROW = 15.0
_BAR = 9.0
_AXIS = 24.0
_FEWEST = 5
"""A group of rows starts on a new page where the present one has no room for this many rows."""
_THINNEST = 1.0
_STEPS = (
    SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
    MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
    HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 28 * DAY,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One camera: its label, where it has footage, and where it has gaps."""

    label: str
    footage: SpanSet
    gaps: Sequence[Timespan]


def draw(pages: Pages, rows: Sequence[Row], span: Timespan, zone: ZoneInfo) -> None:
    """The bars of all cameras over one span, with the time of day along the top of each group."""
    left = list(rows)
    while left:
        pages.keep_together(_AXIS + _ROW * min(len(left), _FEWEST) + 4)
        fitting = max(1, int((pages.left_over - _AXIS - 4) / _ROW))
        group, left = left[:fitting], left[fitting:]
        height = _AXIS + _ROW * len(group) + 4
        pages.figure(height, partial(_group, rows=group, span=span, zone=zone))
    pages.figure(16, lambda panel: _legend(panel, span, zone))


def ticks(span: Timespan, zone: ZoneInfo, most: int = 8) -> Iterator[int]:
    """Round local times within the span, ``most`` of them at most."""
    step = next((one for one in _STEPS if span.duration // one < most), 28 * DAY)
    offset = as_datetime(span.start).astimezone(zone).utcoffset()
    shift = 0 if offset is None else round(offset.total_seconds()) * SECOND
    first = -(-(span.start + shift) // step) * step - shift
    for count in range(most):
        if first + count * step <= span.end:
            yield first + count * step


def _group(panel: Panel, rows: Sequence[Row], span: Timespan, zone: ZoneInfo) -> None:
    wide = panel.width - _LABEL

    def across(instant: int) -> float:
        return _LABEL + wide * (instant - span.start) / span.duration

    for tick in ticks(span, zone):
        x = across(tick)
        panel.line((x, _AXIS - 6), (x, _AXIS + _ROW * len(rows)), shade=Shade.RULE, thick=0.4)
        middle = min(max(x, _LABEL + 16), panel.width - 16)
        panel.words((middle, _AXIS - 9), _tick(tick, span, zone), size=7, align=Align.CENTRE)
    for number, row in enumerate(rows):
        top = _AXIS + number * _ROW
        panel.words((0, top + _BAR - 1.5), row.label, size=7.5)
        for part in row.footage.within(span):
            width = max(_THINNEST, across(part.end) - across(part.start))
            panel.box((across(part.start), top), width, _BAR, fill=Shade.BLUE, edge=None)
        for gap in row.gaps:
            width = max(_THINNEST, across(gap.end) - across(gap.start))
            panel.box((across(gap.start), top), width, _BAR, fill=Shade.WHITE, edge=None)
            panel.hatched((across(gap.start), top), width, _BAR)
        panel.box((_LABEL, top), wide, _BAR, edge=Shade.SOFT, thick=0.4)


def _tick(instant: int, span: Timespan, zone: ZoneInfo) -> str:
    """The time of day; with the day where the span is longer than one."""
    if span.duration > DAY:
        return f"{as_datetime(instant).astimezone(zone):%d-%m %H:%M}"
    return clock_time(instant, zone)


def _legend(panel: Panel, span: Timespan, zone: ZoneInfo) -> None:
    panel.box((0, 3), 14, 7, fill=Shade.BLUE, edge=None)
    panel.words((18, 9.5), "rekaman", size=7)
    panel.hatched((90, 3), 14, 7)
    panel.words((108, 9.5), "celah", size=7)
    whole = f"{moment(span.start, zone)} – {moment(span.end, zone)}"
    panel.words((panel.width, 9.5), whole, size=7, align=Align.RIGHT)
