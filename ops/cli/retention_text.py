"""Retention as text for a terminal: short terms, sizes, and a plot of the store's size."""

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from archive.lifecycle.retention.plan import Amount
from ops.cli.times import time_text

_ROWS = 8
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")


def size_text(size: int) -> str:
    """Bytes with a unit of 1024, rounded down to a tenth."""
    tenths, unit = size * 10, 0
    while tenths >= 10_240 and unit < len(_UNITS) - 1:
        tenths //= 1024
        unit += 1
    return f"{size} B" if unit == 0 else f"{tenths // 10}.{tenths % 10} {_UNITS[unit]}"


def amount(found: Amount) -> str:
    """``360 segments, 900.0 MiB``; a dash for no segments."""
    return f"{found.segments} segments, {size_text(found.bytes)}" if found.segments else "–"


def terms_text(terms: Mapping[str, Any] | None, zone: ZoneInfo) -> str:
    """``30 to 90 days from 2026-…``; a dash for no terms."""
    if terms is None:
        return "–"
    longest = terms["keep_days_max"]
    kept = (
        f"{terms['keep_days_min']} days, then for ever"
        if longest is None
        else (f"{terms['keep_days_min']} to {longest} days")
    )
    if terms["on_pressure"] != "keep":
        kept += " (may be destroyed past the minimum when the store is full)"
    until = terms["effective_until"]
    ends = "" if until is None else f" until {time_text(until, zone)}"
    return f"{kept}, from {time_text(terms['effective_from'], zone)}{ends}"


def plot(today: int, projected: Sequence[tuple[str, int]]) -> list[str]:
    """The projected sizes as columns of blocks, one per day, with the scale on the left."""
    if not projected:
        return []
    sizes = [today, *(size for _, size in projected)]
    top = max(sizes)
    if top == 0:
        return [f"The store stays empty until {projected[-1][0]}."]
    scale = len(size_text(top))
    lines = []
    for row in range(_ROWS, 0, -1):
        filled = "".join("█" if size * _ROWS > top * (row - 1) else " " for size in sizes)
        lines.append(f"{size_text(top * row // _ROWS):>{scale + 2}} │{filled.rstrip()}")
    lines.append(f"{'0':>{scale + 2}} └{'─' * len(sizes)}")
    first, last = f"today {size_text(today)}", f"{projected[-1][0]} {size_text(projected[-1][1])}"
    lines.append(f"{'':{scale + 3}} {first}{last:>{max(len(sizes) - len(first), len(last) + 1)}}")
    return lines
