"""I6: up to a camera's high-water mark each instant is covered, or lies in a gap; one recorder gives one.

Two recorders may record one camera. Where neither has footage, each says why, and that is no breach.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from archive.integrity.check.report import CheckReport
from archive.ports import SegmentIndex
from archive.timespan import DAY, SpanSet, Timespan

_WINDOW = DAY


@dataclass(frozen=True, slots=True)
class ExplanationCheck:
    """Reads the index in windows of a day, so that memory does not grow with the span."""

    index: SegmentIndex
    report: CheckReport

    def camera(self, camera: str, *, registered_at: int, span: Timespan) -> None:
        """Check one camera from its registration to its high-water mark, inside the span.

        Raises:
            Unavailable: as the index.
        """
        # The mark first: writers make segments visible before they raise the mark.
        mark = self.index.high_water(camera)
        self.report.cameras += 1
        start, end = max(registered_at, span.start), min(span.end, registered_at if mark is None else mark)
        if start >= end:
            return
        missing: list[Timespan] = []
        doubled: list[Timespan] = []
        for window in _windows(Timespan(start, end)):
            covered = SpanSet(one.span for one in self.index.segments(camera, window)).within(window)
            left = covered.gaps_within(window)
            gaps = sorted(self.index.gaps(camera, window), key=lambda gap: gap.span)
            missing.extend(left - SpanSet(gap.span for gap in gaps))
            for recorder in sorted({gap.recorder for gap in gaps}):
                mine = [gap.span for gap in gaps if gap.recorder == recorder]
                doubled.extend(_twice(mine) & left)
        for piece in SpanSet(missing):
            self.report.breach("I6", "unexplained", camera, f"{piece} has neither footage nor a gap")
        for piece in SpanSet(doubled):
            self.report.breach(
                "I6", "gaps_overlap", camera, f"{piece} lies in more than one gap of one recorder"
            )


def _windows(whole: Timespan) -> Iterator[Timespan]:
    at = whole.start
    while at < whole.end:
        end = min(at - at % _WINDOW + _WINDOW, whole.end)
        yield Timespan(at, end)
        at = end


def _twice(spans: list[Timespan]) -> SpanSet:
    """The time that lies in more than one of the spans, which are in order."""
    found: list[Timespan] = []
    reach: int | None = None
    for span in spans:
        if reach is not None and span.start < reach:
            found.append(Timespan(span.start, min(reach, span.end)))
        reach = span.end if reach is None else max(reach, span.end)
    return SpanSet(found)
