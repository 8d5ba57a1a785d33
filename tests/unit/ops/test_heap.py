"""Objects from start-up are excluded from later collections."""

import gc
from collections.abc import Iterator

import pytest

from ops.heap import settle, undisturbed


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_what_is_there_is_not_looked_through_again() -> None:
    settle()
    assert gc.get_freeze_count() > 1000
    assert gc.get_threshold()[0] == 10_000
    later = [[] for _ in range(10)]  # type: ignore[var-annotated]
    assert any(one is later for one in gc.get_objects())
    assert len(gc.get_objects()) < gc.get_freeze_count()


def test_nothing_is_looked_for_during_a_start_and_a_failed_one_leaves_it_as_it_was() -> None:
    with undisturbed():
        assert not gc.isenabled()
        with undisturbed():
            pass
        assert not gc.isenabled(), "the outer one has not ended"
    assert gc.isenabled()
    with pytest.raises(ImportError), undisturbed():
        raise ImportError
    assert gc.isenabled()
