"""Feeds the retention plan from the index: hours of cameras, queried in parts."""

from collections.abc import Iterable

from archive.lifecycle.retention.basis import HourFacts, Hours
from archive.timespan import Timespan
from search.index import Index
from search.query import SegmentQuery


def hours_of(index: Index) -> Hours:
    """Stored hours as :func:`archive.lifecycle.retention.plan.make_plan` asks for them."""

    def hours(cameras: tuple[str, ...], span: Timespan) -> Iterable[HourFacts]:
        return index.hours(SegmentQuery(span=span, cameras=cameras))

    return hours
