"""The chart of curves: how each quantity grows, both axes logarithmic. Plain SVG, pure code."""

import math
from collections.abc import Sequence
from html import escape

from ops.bench.figures import Curve

_PANEL_W, _PANEL_H, _ACROSS = 330, 190, 3
_LEFT, _BOTTOM, _TOP, _RIGHT = 46, 30, 34, 12
_HEAD = 56
_COLOURS = ("#1f5fa8", "#c0621b", "#2a7f4f", "#7a3f9d")


def chart(title: str, curves: Sequence[Curve]) -> str:
    """An SVG document: one panel for each name, one line for each group; all panels have the same axes."""
    names = list(dict.fromkeys(one.name for one in curves if one.points))
    groups = list(dict.fromkeys(one.group for one in curves if one.points))
    colours = {group: _COLOURS[number % len(_COLOURS)] for number, group in enumerate(groups)}
    axes = _Axes([point for one in curves for point in one.points])
    rows = math.ceil(len(names) / _ACROSS)
    width, height = _PANEL_W * _ACROSS, _HEAD + _PANEL_H * rows
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="11">',
        f"<title>{escape(title)}: p95 in ms over the number of segments</title>",
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="22" font-size="15" font-weight="600">{escape(title)}: '
        "p95 in ms over segments in the index</text>",
    ]
    for number, group in enumerate(groups):
        x = 12 + 150 * number
        parts.append(f'<rect x="{x}" y="34" width="14" height="4" fill="{colours[group]}"/>')
        parts.append(f'<text x="{x + 20}" y="40">{escape(group)}</text>')
    for number, name in enumerate(names):
        left, top = number % _ACROSS * _PANEL_W, _HEAD + number // _ACROSS * _PANEL_H
        parts += axes.frame(left, top, name)
        parts += [axes.line(left, top, one, colours[one.group]) for one in curves if one.name == name]
    return "\n".join([*parts, "</svg>", ""])


class _Axes:
    """Powers of ten that hold all points, and where they lie in a panel."""

    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        across, up = zip(*points, strict=True) if points else ((1.0,), (1.0,))
        self._x = _decades(across)
        self._y = _decades(up)

    def frame(self, left: int, top: int, name: str) -> list[str]:
        """The panel's name, its grid, and the numbers at the grid."""
        parts = [f'<text x="{left + _LEFT}" y="{top + _TOP - 10}" font-weight="600">{escape(name)}</text>']
        bottom, right = top + _PANEL_H - _BOTTOM, left + _PANEL_W - _RIGHT
        for power in range(self._x[0], self._x[1] + 1):
            x = self._across(left, 10.0**power)
            parts.append(_rule(x, x, top + _TOP, bottom))
            parts.append(f'<text x="{x:.1f}" y="{bottom + 14}" text-anchor="middle">{_power(power)}</text>')
        for power in range(self._y[0], self._y[1] + 1):
            y = self._up(top, 10.0**power)
            parts.append(_rule(left + _LEFT, right, y, y))
            parts.append(
                f'<text x="{left + _LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{10.0**power:g}</text>'
            )
        return parts

    def line(self, left: int, top: int, curve: Curve, colour: str) -> str:
        """The curve through its points, each of them marked."""
        places = [(self._across(left, x), self._up(top, y)) for x, y in curve.points]
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in places)
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.8"/>{dots}'

    def _across(self, left: int, value: float) -> float:
        return left + _LEFT + _share(self._x, value) * (_PANEL_W - _LEFT - _RIGHT)

    def _up(self, top: int, value: float) -> float:
        return top + _PANEL_H - _BOTTOM - _share(self._y, value) * (_PANEL_H - _TOP - _BOTTOM)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = math.floor(math.log10(min(values)))
    return low, max(low + 1, math.ceil(math.log10(max(values))))


def _share(decades: tuple[int, int], value: float) -> float:
    return (math.log10(value) - decades[0]) / (decades[1] - decades[0])


def _power(power: int) -> str:
    return {3: "1 k", 4: "10 k", 5: "100 k", 6: "1 M", 7: "10 M", 8: "100 M"}.get(power, f"{10.0**power:g}")


def _rule(x1: float, x2: float, y1: float, y2: float) -> str:
    return (
        f'<line x1="{x1:.1f}" x2="{x2:.1f}" y1="{y1:.1f}" y2="{y2:.1f}" stroke="#d5dae1" stroke-width="0.7"/>'
    )
