"""Buckets: limits on bursts and on requests a minute, with fixed memory for any number of keys."""

import tracemalloc

import pytest

from api.limits.buckets import MAX_KEYS, Buckets, Rate
from api.limits.rates import Kind, Rates, kind_of
from archive.clock import ManualClock
from archive.timespan import MINUTE, SECOND


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_795_500_000_000_000)


def test_a_burst_then_the_rate(clock: ManualClock) -> None:
    buckets = Buckets(Rate(per_minute=60, burst=5), clock)
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1]
    assert buckets.take("b") == 0
    clock.advance(SECOND - 1)
    assert buckets.take("a") == 1
    clock.advance(1)
    assert buckets.take("a") == 0
    assert buckets.take("a") == 1
    clock.advance(MINUTE)
    assert [buckets.take("a") for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_the_wait_that_is_told_is_enough_and_not_too_much(clock: ManualClock) -> None:
    for rate in (Rate(1, 1), Rate(7, 3), Rate(59, 1), Rate(240, 120)):
        buckets = Buckets(rate, clock)
        while not (wait := buckets.take("a")):
            pass
        clock.advance(wait * SECOND)
        assert buckets.take("a") == 0
        assert wait <= 60 // rate.per_minute + 1


def test_over_an_hour_no_more_than_the_rate_passes(clock: ManualClock) -> None:
    buckets = Buckets(Rate(per_minute=60, burst=10), clock)
    passed = 0
    for _ in range(3600 * 5):
        clock.advance(SECOND // 5)
        passed += buckets.take("a") == 0
    assert 3600 <= passed <= 3600 + 10


def test_the_wall_clock_is_of_no_matter(clock: ManualClock) -> None:
    buckets = Buckets(Rate(per_minute=60, burst=1), clock)
    buckets.take("a")
    clock.step(3600 * SECOND)
    assert buckets.take("a") == 1


def test_without_a_rate_nothing_is_bounded_nor_remembered(clock: ManualClock) -> None:
    buckets = Buckets(Rates(search=0).of(Kind.SEARCH), clock)
    assert {buckets.take(str(n)) for n in range(1000)} == {0}
    assert len(buckets) == 0


def test_a_hundred_thousand_addresses_take_no_more_than_a_fixed_memory(clock: ManualClock) -> None:
    buckets = Buckets(Rate(per_minute=60, burst=5), clock)
    for number in range(MAX_KEYS):
        buckets.take(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(100_000):
        buckets.take(f"11.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(buckets) == MAX_KEYS
    # The traced memory is for the kept keys only: 20,000, not 100,000.
    assert after - before < 8 << 20


def test_who_asks_is_not_forgotten_for_those_who_came_once(clock: ManualClock) -> None:
    buckets = Buckets(Rate(per_minute=1, burst=1), clock, max_keys=10)
    buckets.take("guesser")
    for number in range(100):
        buckets.take(str(number))
        assert buckets.take("guesser") > 0


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/v1/recordings", Kind.SEARCH),
        ("GET", "/v1/cameras/a/clip", Kind.SEARCH),
        ("HEAD", "/v1/cameras/a/clip.mp4", Kind.MEDIA),
        ("GET", "/v1/cameras/a/segments/r/1/media.m4s", Kind.MEDIA),
        ("GET", "/v1/cameras/a/segments/r/1/copy.ts", Kind.MEDIA),
        ("GET", "/v1/cameras/a/frame.jpg", Kind.MEDIA),
        ("GET", "/v1/cameras/a/playlist.m3u8", Kind.MEDIA),
        ("GET", "/v1/evidence/e/package.zip", Kind.MEDIA),
        ("POST", "/v1/search", Kind.SEARCH),
        ("POST", "/v1/requests", Kind.WRITE),
        ("PATCH", "/v1/session", Kind.WRITE),
        ("TRACE", "/v1/cameras/a/clip.mp4", Kind.WRITE),
    ],
)
def test_kinds_are_told_by_method_and_path(method: str, path: str, kind: Kind) -> None:
    assert kind_of(method, path) is kind
