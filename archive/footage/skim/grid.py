"""Activity of a coarse grid: which cells changed from one keyframe to the next, whatever the light did.

A keyframe is seen as :data:`COLUMNS` × :data:`ROWS` cells, each the mean luma of its pixels, so that noise
and rain largely cancel out. A *step* compares two consecutive keyframes:

1. The difference of each cell. If a gain and an offset explain the differences better (exposure, dusk), the
   line that fits most cells is taken off.
2. The mean difference of the cell's surroundings is taken off: light that falls on a wide area, such as a
   headlight's, is no movement of something in the picture. What is left counts only as far as the cell itself
   changed: a cell beside somebody who walks by is not lit.
3. What is left is divided by its noise: the largest of :data:`FLOOR`, of what this cell does in the median
   step of its ten minutes, and of what most cells do in this step (its median, and all but the most restless
   of them: rain touches many cells, a person few).

So a *strength* counts multiples of the noise. If too many cells changed, the whole picture did (a camera that
was turned), and so it is with fewer cells if the light changed as well (a switch to infrared): that step is
not judged, and the answer says so. Pure: no I/O, no clock; the same cells give the same steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from operator import add, mul, sub

from archive.timespan import Timespan

COLUMNS, ROWS = 32, 18
CELLS = COLUMNS * ROWS

FLOOR = 1.0
"""The least noise of a cell, in levels of luma: rounding alone makes half of it."""

CHANGED = 5.0
"""Levels by which a cell that changed differs from what is around it."""

WHOLE, WHOLE_IN_NEW_LIGHT = 0.4, 0.1
"""With so many more cells changed than usual, as shares of all, the whole picture changed."""

NEW_LIGHT = 8
"""Levels by which the median cell changes in new light."""

UNIT = 4
"""Strengths are stored in quarters, up to 63.75."""

QUIET = 2.0
"""Strengths below this are stored as 0: they are noise."""

LEARNED = 20
"""With fewer steps than this nothing is learnt about the noise of single cells."""

_AROUND = 2  # cells to each side of a cell that are its surroundings
_MOST, _MOST_DEVIATIONS = 85, 1.44  # so many per cent of normal noise lie within so many deviations
_DEVIATION = 1.4826  # standard deviations in a median deviation, of normal noise


@dataclass(frozen=True, slots=True)
class Step:
    """What changed from the keyframe at ``span.start`` to the one at ``span.end``.

    ``cells`` has the strength of each cell, row by row, in quarters; empty if the whole picture changed.
    """

    span: Timespan
    cells: bytes

    @property
    def is_judged(self) -> bool:
        """Whether single cells could be judged: false if the whole picture changed."""
        return bool(self.cells)


def steps_of(pictures: Sequence[tuple[int, bytes]], is_joined: Callable[[Timespan], bool]) -> list[Step]:
    """The steps between consecutive pictures: (instant, luma of :data:`CELLS` cells), in order.

    ``is_joined`` says whether the time between two of them was recorded without a break; else there is no
    step.
    """
    spans: list[Timespan] = []
    changes: list[list[float]] = []
    lights: list[float] = []
    for (start, before), (end, after) in pairwise(pictures):
        if start < end and is_joined(Timespan(start, end)):
            spans.append(Timespan(start, end))
            changes.append(residual(before, after))
            lights.append(median_size(list(map(sub, after, before))))
    whole = _whole(changes, lights)
    noise = _noise([change for change, is_whole in zip(changes, whole, strict=True) if not is_whole])
    return [
        Step(span, b"" if is_whole else _strengths(change, noise, _common(change)))
        for span, change, is_whole in zip(spans, changes, whole, strict=True)
    ]


def residual(before: bytes, after: bytes) -> list[float]:
    """How each cell changed beyond what changed around it, in levels of luma, by rules 1 and 2."""
    changed = list(map(sub, after, before))
    middle = sorted(changed)[CELLS // 2]
    plain = _beyond_surroundings([value - middle for value in changed])
    levelled = _beyond_surroundings(_beyond_gain(before, changed))
    return levelled if median_size(levelled) < median_size(plain) else plain


def median_size(values: Sequence[float]) -> float:
    """The median of the absolute values."""
    return sorted(map(abs, values))[len(values) // 2]


def _beyond_gain(before: bytes, changed: Sequence[float]) -> list[float]:
    """The changes less the line through (cell, change) that fits most of them: fitted twice."""
    kept: Sequence[int] = range(len(before))
    left = list(changed)
    for _ in range(2):
        level, change = [before[index] for index in kept], [changed[index] for index in kept]
        count = len(level)
        mean, shift = sum(level) / count, sum(change) / count
        spread = sum(map(mul, level, level)) - count * mean * mean
        gain = (sum(map(mul, level, change)) - count * mean * shift) / spread if spread > count else 0.0
        left = [after - shift - gain * (cell - mean) for cell, after in zip(before, changed, strict=True)]
        most = 3 * max(median_size(left), 0.5)
        inliers = [index for index, value in enumerate(left) if abs(value) <= most]
        if 2 * len(inliers) < len(before):
            break
        kept = inliers
    return left


def _corners() -> list[tuple[int, int, int, int, int]]:
    """For each cell the places of its surroundings' corners in a table of sums, and their number of cells."""
    found = []
    for row in range(ROWS):
        top, bottom = max(0, row - _AROUND), min(ROWS, row + _AROUND + 1)
        for column in range(COLUMNS):
            left, right = max(0, column - _AROUND), min(COLUMNS, column + _AROUND + 1)
            width = COLUMNS + 1
            found.append(
                (
                    bottom * width + right,
                    top * width + right,
                    bottom * width + left,
                    top * width + left,
                    (bottom - top) * (right - left),
                )
            )
    return found


_CORNERS = tuple(_corners())


def _beyond_surroundings(changed: Sequence[float]) -> list[float]:
    """Each cell less the mean of its surroundings, itself included, or its own change if that is smaller.

    The means come from a table of sums over rectangles.
    """
    above: list[float] = [0] * (COLUMNS + 1)
    sums = list(above)
    for start in range(0, CELLS, COLUMNS):
        above = list(map(add, above, accumulate(changed[start : start + COLUMNS], initial=0)))
        sums += above
    found = []
    for value, (a, b, c, d, count) in zip(changed, _CORNERS, strict=True):
        beyond = value - (sums[a] - sums[b] - sums[c] + sums[d]) / count
        found.append(beyond if -abs(value) < beyond < abs(value) else value)
    return found


def _noise(changes: Sequence[Sequence[float]]) -> list[float]:
    """The noise of each cell over all steps: the median size of its changes, as a standard deviation."""
    if len(changes) < LEARNED:
        return [FLOOR] * CELLS
    return [max(FLOOR, _DEVIATION * median_size(cell)) for cell in zip(*changes, strict=True)]


def _whole(changes: Sequence[Sequence[float]], lights: Sequence[float]) -> list[bool]:
    """In which steps the whole picture changed; ``lights`` are how much their median cell did.

    In rain many cells change in every step, and nothing follows from that.
    """
    shares = [sum(abs(value) > CHANGED for value in change) / CELLS for change in changes]
    usual = sorted(shares)[len(shares) // 2] if len(shares) >= LEARNED else 0.0
    return [
        share - usual > (WHOLE_IN_NEW_LIGHT if light > NEW_LIGHT else WHOLE)
        for share, light in zip(shares, lights, strict=True)
    ]


def _common(change: Sequence[float]) -> float:
    """The noise of a step over its cells, as a standard deviation."""
    sizes = sorted(map(abs, change))
    return max(_DEVIATION * sizes[CELLS // 2], sizes[CELLS * _MOST // 100] / _MOST_DEVIATIONS)


def _strengths(change: Sequence[float], noise: Sequence[float], common: float) -> bytes:
    return bytes(
        _quarters(abs(value) / (own if own > common else common))
        for value, own in zip(change, noise, strict=True)
    )


def _quarters(strength: float) -> int:
    return 0 if strength < QUIET else min(255, int(strength * UNIT))
