"""What of a camera's own clock a segment's leaf can state."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.model.leaf import decode, encode
from archive.model.segment import DeviceClock
from archive.timespan import SECOND
from recorder.segments import stated_clock
from tests.support.leaves import T0, segment


def clock_that_says(year: int) -> DeviceClock:
    shown = round(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    return DeviceClock(at=T0, offset_us=shown - T0, within_us=600_000)


@pytest.mark.parametrize(("year", "is_stated"), [(1, False), (1970, True), (2038, True), (9999, False)])
def test_a_clock_that_is_off_by_centuries_keeps_no_leaf_from_being_written(
    year: int, is_stated: bool
) -> None:
    """A leaf holds no such number, and without a leaf nothing of the camera would be kept."""
    said = clock_that_says(year)
    leaf = replace(segment(), device_clock=stated_clock(said))
    assert decode(encode(leaf)) == leaf
    assert leaf.device_clock == (said if is_stated else None)


def test_a_camera_that_was_never_asked_has_none() -> None:
    assert stated_clock(None) is None
