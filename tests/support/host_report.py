"""The figures of scenarios of hosts as tables."""

from collections.abc import Iterable, Sequence
from statistics import median

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
        "| scenario | times | cameras struck | missed: median | p99 | most | allowed"
        " | missed by others | moved | allowed | twice | joined at a keyframe | not | frames repeated |",
        "| --- " * 14 + "|",
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
            _s(sum(one.twice_us for one in seen) / 1e6), sum(one.joined for one in seen),
            sum(one.unjoined for one in seen), sum(one.repeated for one in seen),
        )  # fmt: skip
        lines.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def _s(seconds: float) -> str:
    return f"{seconds:.1f} s"
