"""The figures of scenarios of hosts as tables."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from statistics import median

from archive.timespan import SECOND
from tests.support.host_bed import FPS
from tests.support.host_scenarios import Window


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of them do not exceed; 0 of none."""
    ordered = sorted(values)
    if not ordered:
        return 0
    return ordered[max(0, -(-round(share * len(ordered) * 1000) // 1000) - 1)]


def table(windows: Iterable[Window]) -> str:
    """One line for each scenario, over all its repeats."""
    scenarios: dict[str, list[Window]] = {}
    for window in windows:
        scenarios.setdefault(window.scenario, []).append(window)
    lines = [
        "| scenario | times | cameras struck | missed: median | p99 | most | allowed | missed by others"
        " | moved | allowed | recorded twice | joined at a keyframe | not | frames repeated | load |",
        "| --- " * 15 + "|",
    ]
    for name, found in scenarios.items():
        struck = [one.missed / FPS for window in found for one in window.seen if one.camera in window.struck]
        others = [
            one.missed / FPS for window in found for one in window.seen if one.camera not in window.struck
        ]
        seen = [one for window in found for one in window.seen]
        cells = (
            name, len(found), len(struck), _s(median(struck) if struck else 0), _s(percentile(struck, 0.99)),
            _s(max(struck, default=0)), _s(max(window.allowed_s for window in found)),
            _s(max(others, default=0)),
            "/".join(str(window.moved) for window in found),
            "/".join(f"{window.allowed_moves:g}" for window in found),
            _s(sum(one.twice_us for one in seen) / SECOND), sum(one.joined for one in seen),
            sum(one.unjoined for one in seen), sum(one.repeated for one in seen),
            "/".join(f"{window.load:.0f}" for window in found),
        )  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"


def page(windows: Sequence[Window], invariants: Sequence[str]) -> str:
    """The whole report: what ran, the table, and what the archive said of itself at the end."""
    machine = f"{os.cpu_count()} processors, {platform.system()} {platform.release()}"
    return "\n".join(
        (
            "# Recorder hosts that die, stand still, are cut off and updated",
            "",
            f"`make soak-hosts` on {datetime.now(UTC):%Y-%m-%d}: {machine}.",
            "",
            table(windows),
            "",
            *(invariants or ("`archive check` at the end: no breach; each instant is explained (I6).",)),
            "",
        )
    )
