"""The arithmetic of the activity grid: what counts as a change of one cell, and what does not."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.skim.box import Box, box_of
from archive.footage.skim.grid import (
    CELLS,
    COLUMNS,
    LEARNED,
    QUIET,
    ROWS,
    UNIT,
    Step,
    residual,
    steps_of,
)
from archive.timespan import SECOND, Timespan

THRESHOLD = 6 * UNIT


def scene(seed: int = 1) -> list[int]:
    """Cells of a street: no two neighbours alike, none near black or white."""
    chance = random.Random(seed)  # noqa: S311 - a picture, no secret
    return [chance.randrange(40, 160) for _ in range(CELLS)]


def noisy(cells: list[int], chance: random.Random, spread: int = 1) -> bytes:
    return bytes(max(0, min(255, cell + chance.randint(-spread, spread))) for cell in cells)


def cells_at(column: int, row: int, width: int, height: int) -> list[int]:
    return [(row + y) * COLUMNS + column + x for y in range(height) for x in range(width)]


def steps(pictures: list[bytes]) -> list[Step]:
    return steps_of([(n * 2 * SECOND, one) for n, one in enumerate(pictures)], lambda _: True)


def lit(step: Step) -> set[int]:
    return {index for index, strength in enumerate(step.cells) if strength >= THRESHOLD}


def test_noise_lights_nothing() -> None:
    chance = random.Random(3)  # noqa: S311
    street = scene()
    found = steps([noisy(street, chance, 2) for _ in range(60)])
    assert len(found) == 59
    assert all(one.is_judged and not lit(one) for one in found)


def test_somebody_who_walks_by_lights_where_they_are_and_were() -> None:
    chance = random.Random(3)  # noqa: S311
    street = scene()
    pictures = [noisy(street, chance) for _ in range(30)]
    for number in range(10, 16):
        walked = list(street)
        for cell in cells_at(2 * number - 8, 9, 1, 3):
            walked[cell] = 200
        pictures[number] = noisy(walked, chance)
    found = steps(pictures)
    busy = [number for number, one in enumerate(found) if lit(one)]
    assert busy == list(range(9, 16))
    for number in range(10, 15):
        here = set(cells_at(2 * (number + 1) - 8, 9, 1, 3))
        before = set(cells_at(2 * number - 8, 9, 1, 3))
        assert here | before >= lit(found[number]) >= here


@pytest.mark.parametrize(("gain", "offset"), [(1.0, 25), (0.75, 0), (1.25, -10), (0.5, 40)])
def test_exposure_lights_nothing(gain: float, offset: int) -> None:
    street = scene()
    brighter = [min(255, max(0, round(gain * cell + offset))) for cell in street]
    chance = random.Random(5)  # noqa: S311
    pictures = [noisy(street, chance) for _ in range(12)] + [noisy(brighter, chance) for _ in range(12)]
    found = steps(pictures)
    assert all(one.is_judged and not lit(one) for one in found)


def test_somebody_who_comes_as_the_exposure_changes_is_seen() -> None:
    street = scene()
    brighter = [round(1.2 * cell + 8) for cell in street]
    there = cells_at(20, 8, 2, 4)
    for cell in there:
        brighter[cell] = 30 if street[cell] > 100 else 230
    (found,) = steps([bytes(street), bytes(brighter)])
    assert lit(found) >= set(there)
    assert len(lit(found) - set(there)) <= 4


def test_another_picture_is_judged_nowhere_and_says_so() -> None:
    """A switch to infrared, or a camera that was turned: every cell changes, each in its own way."""
    chance = random.Random(7)  # noqa: S311
    before, after = scene(1), scene(2)
    pictures = [noisy(before, chance) for _ in range(10)] + [noisy(after, chance) for _ in range(10)]
    found = steps(pictures)
    assert [number for number, one in enumerate(found) if not one.is_judged] == [9]
    assert not any(lit(one) for one in found)


def test_wide_light_is_no_movement() -> None:
    street = scene()
    glow = [
        cell + round(50 / (1 + ((index % COLUMNS - 12) / 7) ** 2 + ((index // COLUMNS - 9) / 7) ** 2))
        for index, cell in enumerate(street)
    ]
    chance = random.Random(9)  # noqa: S311
    found = steps([noisy(street, chance), noisy(glow, chance), noisy(street, chance)])
    assert not any(lit(one) for one in found)


def test_a_restless_cell_needs_more() -> None:
    """A tree in the wind: its cells move in every step, and only they lose sensitivity."""
    chance = random.Random(11)  # noqa: S311
    street, tree = scene(), cells_at(3, 3, 2, 2)

    def picture(person: bool) -> bytes:
        cells = list(street)
        for cell in tree:
            cells[cell] += chance.choice((-12, -6, 6, 12))
        for cell in cells_at(24, 10, 1, 2) if person else ():
            cells[cell] = 220
        return noisy(cells, chance)

    found = steps([picture(number == 20) for number in range(LEARNED + 20)])
    assert [number for number, one in enumerate(found) if lit(one)] == [19, 20]
    assert not any(lit(one) & set(tree) for one in found)


def test_a_break_makes_no_step() -> None:
    pictures = [(n * 2 * SECOND, bytes(scene())) for n in range(4)]
    found = steps_of(pictures, lambda span: span.start != 2 * SECOND)
    assert [one.span for one in found] == [
        Timespan(0, 2 * SECOND),
        Timespan(4 * SECOND, 6 * SECOND),
    ]


@given(st.binary(min_size=CELLS, max_size=CELLS), st.binary(min_size=CELLS, max_size=CELLS))
def test_every_picture_has_a_residual_and_none_is_its_own(before: bytes, after: bytes) -> None:
    assert len(residual(before, after)) == CELLS
    assert all(abs(value) < 1e-6 for value in residual(before, before))


@given(
    st.lists(st.binary(min_size=CELLS, max_size=CELLS), min_size=2, max_size=5),
)
def test_strengths_are_quiet_or_above(pictures: list[bytes]) -> None:
    for one in steps(pictures):
        assert len(one.cells) in (0, CELLS)
        assert all(strength == 0 or strength >= QUIET * UNIT for strength in one.cells)


fractions = st.floats(0, 1, allow_nan=False)


@given(fractions, fractions, fractions, fractions)
def test_a_box_means_at_least_one_cell_and_only_cells_near_it(
    x0: float, y0: float, x1: float, y1: float
) -> None:
    if not (x0 < x1 and y0 < y1):
        with pytest.raises(Malformed):
            Box(x0, y0, x1, y1)
        return
    box = Box(x0, y0, x1, y1)
    looked = box.looked_at
    assert looked.x0 < looked.x1
    assert looked.y0 < looked.y1
    assert looked.x0 >= x0 - 1 / COLUMNS - 1e-9
    assert looked.x1 <= x1 + 1 / COLUMNS + 1e-9
    assert looked.y0 >= y0 - 1 / ROWS - 1e-9
    assert looked.y1 <= y1 + 1 / ROWS + 1e-9


@given(st.integers(0, COLUMNS - 1), st.integers(0, ROWS - 1))
def test_the_strongest_cell_counts_only_if_it_is_in_the_box(column: int, row: int) -> None:
    cells = bytearray(CELLS)
    cells[row * COLUMNS + column] = 10 * UNIT
    step = Step(Timespan(0, 1), bytes(cells))
    box = Box(0.25, 0.5, 0.5, 1.0)
    is_in = 8 <= column < 16 and row >= 9
    assert box.strongest_in(step) == (10.0 if is_in else 0.0)
    assert Box().strongest_in(step) == 10.0


@pytest.mark.parametrize(
    "text",
    ["1", "0,0,1", "0,0,0,1", "0.5,0,0.4,1", "-0.1,0,1,1", "0,0,1,1.1", "a,b,c,d", "nan,0,1,1", "0,0,1,inf"],
)
def test_what_is_no_box_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        box_of(text)
    assert caught.value.code == "bad_box"


def test_no_box_is_the_whole_picture() -> None:
    assert box_of("") == Box(0, 0, 1, 1)
    assert str(box_of("0.2,0.5,0.4,0.9")) == "0.2,0.5,0.4,0.9"
