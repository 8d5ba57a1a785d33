"""Durations of a segment with a jump inside it."""

from array import array

from hypothesis import given
from hypothesis import strategies as st

from archive.footage.mp4.bridge import bridge
from archive.footage.mp4.samples import SampleTable

EVEN = 6_000


def table(durations: list[int], offsets: list[int] | None = None) -> SampleTable:
    count = len(durations)
    return SampleTable(
        array("I", durations), array("I", [9] * count), array("i", offsets or [0] * count), bytes(count)
    )


@given(st.integers(0, 58), st.integers(EVEN, 3600 * 90_000), st.integers(-900, 900))
def test_a_step_forward_gets_what_remains(place: int, jump: int, late: int) -> None:
    durations = [EVEN] * 60
    durations[place] += jump
    made = bridge(table(durations), 60 * EVEN + late)
    assert made is not None
    assert sum(made.durations) == 60 * EVEN + late
    assert [one for index, one in enumerate(made.durations) if index != place] == [EVEN] * 59
    assert made.strange == abs(late)


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 900))
def test_squeezed_pictures_share_what_is_missing(place: int, count: int, late: int) -> None:
    durations = [EVEN] * place + [1] * count + [EVEN] * 10
    whole = EVEN * len(durations)
    made = bridge(table(durations), whole + late)
    assert made is not None
    assert sum(made.durations) == whole + late
    assert max(made.durations[place : place + count]) - min(made.durations[place : place + count]) <= 1
    assert list(made.durations[:place]) == [EVEN] * place
    assert late - count <= made.strange <= late


def test_the_last_duration_is_a_guess_after_squeezed_pictures() -> None:
    made = bridge(table([EVEN] * 45 + [1] * 14 + [EVEN * 16]), EVEN * 60)
    assert made is not None
    assert list(made.durations) == [EVEN] * 60


def test_a_pause_beside_the_jump_is_strange() -> None:
    made = bridge(table([EVEN] * 30 + [EVEN * 500] + [EVEN] * 29), EVEN * 90)
    assert made is not None
    assert made.strange == EVEN * 30


def test_what_the_table_does_not_tell_stays_unknown() -> None:
    reordered = table([EVEN, EVEN * 500, EVEN], [0, EVEN, -EVEN])
    assert bridge(reordered, 3 * EVEN) is None
    assert bridge(table([EVEN] * 60), 61 * EVEN) is None
    assert bridge(table([EVEN] * 60), EVEN) is None
