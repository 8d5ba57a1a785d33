"""A timeline on a terminal: one character for each bucket of time, as high as much of it is recorded."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from archive.timespan import SECOND, as_datetime
from search.shown import percent
from search.tally import Tally
from search.timeline import STEPS, Timeline

LEVELS = "▁▂▃▄▅▆▇█"
GAP, PENDING, ELSEWHERE = "░", "·", " "
LEGEND = f"{LEVELS} recorded   {GAP} gap   {PENDING} not known yet   (blank) elsewhere"
_LEAST_CELLS = 20


def draw(found: Timeline, names: Sequence[str], zone: ZoneInfo, width: int) -> list[str]:
    """Returns lines of text: axis and bars, wrapped to the width, and then the sum of each camera.

    A full block is a bucket that is recorded wholly; anything less is at most ``▇``.
    """
    if not names:
        return ["(no cameras)"]
    label = max(len(name) for name in names)
    cells = cells_of(names, width)
    lines = []
    for first in range(0, len(found.edges) - 1, cells):
        last = min(first + cells, len(found.edges) - 1)
        lines.append(f"{'':{label}}  {_axis(found.edges[first], found.edges[last], zone, last - first)}")
        for name in names:
            bar = "".join(
                cell(found.cameras[name][n], found.edges[n + 1] - found.edges[n]) for n in range(first, last)
            )
            lines.append(f"{name:{label}}  {bar}")
    lines.append(f"{'':{label}}  {LEGEND}")
    return [*lines, *(f"{name:{label}}  {_sum(found, name)}" for name in names)]


def cells_of(names: Sequence[str], width: int) -> int:
    """How many buckets fit on one line."""
    return max(_LEAST_CELLS, width - max((len(name) for name in names), default=0) - 3)


def fitting_step(duration: int, cells: int) -> str:
    """The shortest step with which a span of ``duration`` µs fits on one line; the longest if none does."""
    return next((name for name, step in STEPS.items() if duration <= step * cells), "1d")


def cell(tally: Tally, length: int) -> str:
    """The character of one bucket of ``length`` µs."""
    if tally.covered >= length:
        return LEVELS[-1]
    if tally.covered:
        return LEVELS[min(len(LEVELS) - 2, tally.covered * len(LEVELS) // length)]
    if tally.gaps:
        return GAP
    return PENDING if tally.pending else ELSEWHERE


def _axis(start: int, end: int, zone: ZoneInfo, cells: int) -> str:
    left = f"{as_datetime(start).astimezone(zone):%d %b %H:%M:%S}"
    right = f"{as_datetime(end).astimezone(zone):%d %b %H:%M:%S %Z}"
    return left + " " * max(1, cells - len(left) - len(right)) + right


def _sum(found: Timeline, name: str) -> str:
    whole = Tally()
    for tally in found.cameras[name]:
        whole.add(tally)
    if not whole.total:
        return "elsewhere all the time"
    parts = [f"recorded {percent(whole.covered, whole.total):.2f} %"]
    parts += [f"{cause} {_seconds(length)}" for cause, length in sorted(whole.gaps.items())]
    if whole.pending:
        parts.append(f"not known yet {_seconds(whole.pending)}")
    held = 0 if found.held is None else sum(found.held[name])
    if held:
        parts.append(f"held {_seconds(held)}")
    return ", ".join(parts)


def _seconds(length: int) -> str:
    seconds, rest = divmod(length, SECOND)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    text = f"{hours}:{minutes:02}:{seconds % 60:02}"
    return text if not rest else f"{text}.{rest // 1000:03}"
