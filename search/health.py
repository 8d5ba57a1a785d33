"""The cameras' health from the index: heartbeats and hour coverage, for any number of cameras.

:mod:`archive.records.camera_health` judges; here is where its facts come from.
"""

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from archive.footage.cameras import KIND
from archive.model.camera import Camera, from_public_state
from archive.records.camera_health import CameraHealth, judge
from archive.timespan import DAY, HOUR, Timespan, as_datetime, from_datetime
from search.index import Index
from search.query import MAX_FILTER, SegmentQuery

_LOOK_BACK = 31 * DAY
_LONGEST = 366 * DAY


def camera_health(index: Index, now: int) -> list[CameraHealth]:
    """Every registered camera now, by id. Two queries. Raises as the index."""
    cameras = (from_public_state(document.state) for document in index.documents(KIND))
    return health_of(index, cameras, now)


def health_of(index: Index, cameras: Iterable[Camera], now: int) -> list[CameraHealth]:
    """These cameras now, in their order. Raises as the index."""
    known = tuple(cameras)
    return list(judge(known, index.heartbeats(), now))


def day_of(now: int, zone: ZoneInfo) -> Timespan:
    """The city's day up to ``now`` (µs): from midnight in its time zone."""
    midnight = as_datetime(now).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Timespan(from_datetime(midnight), now + 1)


def gaps_of_day(
    index: Index, found: Sequence[CameraHealth], day: Timespan
) -> Mapping[str, Mapping[str, int]]:
    """The gaps (µs, by cause) of each camera in a day, from its hour documents and its open gap.

    Hours are whole, so in a zone whose offset is no whole hour the day begins up to an hour earlier.
    """
    gaps: dict[str, dict[str, int]] = {one.camera.id: {} for one in found}
    names = tuple(gaps)
    for at in range(0, len(names), MAX_FILTER):
        query = SegmentQuery(span=day, cameras=names[at : at + MAX_FILTER])
        for hour in index.hours(query):
            for cause, length in hour.gaps.items():
                _add(gaps[hour.camera], cause.value, length)
    for one in found:
        if one.gap_cause and one.gap_from is not None and one.seen_at is not None:
            # The recorder writes an open gap when it is a minute old and then each full hour.
            _add(gaps[one.camera.id], one.gap_cause, one.seen_at - max(one.gap_from, day.start))
    return gaps


def newest_footage(index: Index, camera: str, now: int) -> int | None:
    """The end of a camera's newest footage (µs); None if it has none of the last 366 days.

    The last month's hours are looked at first. Raises as the index.
    """
    end = now + HOUR
    for back in (_LOOK_BACK, _LONGEST):
        hours = index.hours(SegmentQuery(span=Timespan(end - back, end), cameras=(camera,)))
        newest = max((one.hour for one in hours if one.segments), default=None)
        if newest is not None:
            segments = index.segments(camera, Timespan(newest, newest + HOUR))
            return max((one.span.end for one in segments), default=None)
    return None


def _add(gaps: dict[str, int], cause: str, length: int) -> None:
    if length > 0:
        gaps[cause] = gaps.get(cause, 0) + length
