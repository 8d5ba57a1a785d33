"""Objects from start-up are excluded from later collections."""

import gc
from collections.abc import Iterator

import pytest

from ops.heap import settle


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


def test_what_is_there_is_not_looked_through_again() -> None:
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] == 10_000
    later = [[] for _ in range(10)]  # type: ignore[var-annotated]
    assert any(one is later for one in gc.get_objects())
    assert len(gc.get_objects()) < gc.get_freeze_count()
