"""The chart of ratios: one bar per figure, Saksi's as a multiple of the peer's. Plain SVG, pure code."""

from collections.abc import Sequence
from html import escape

from ops.bench.figures import Figure, Findings, short

_WIDTH, _LABEL, _BAR, _ROW = 1040, 550, 360, 26
_MOST = 2.0
"""Bars are cut off at this multiple; their label states the true ratio."""

_COLOURS = {True: "#2a7f4f", False: "#c0392b", None: "#6b7a8f"}


def ratios(findings: Sequence[Findings]) -> str:
    """An SVG document; readable on light and dark backgrounds."""
    figures = [figure for one in findings for figure in one.figures if figure.ratio is not None]
    height = 64 + _ROW * len(figures)
    scale = _BAR / _MOST
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="13">',
        "<title>Ours as a multiple of the peer's; less is better</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        '<text x="12" y="24" font-size="15" font-weight="600">Ours ÷ peer, less is better; green meets its '
        "target (black mark), red misses it, grey has no target</text>",
    ]
    for number, figure in enumerate(figures):
        parts += _bar(figure, 44 + number * _ROW, scale)
    for multiple, dash in ((0.5, "2 4"), (1.0, "none"), (1.5, "2 4")):
        x = _LABEL + multiple * scale
        parts.append(
            f'<line x1="{x:.0f}" x2="{x:.0f}" y1="38" y2="{height - 14}" stroke="#333" '
            f'stroke-dasharray="{dash}" stroke-width="0.7"/>'
        )
    return "\n".join([*parts, "</svg>", ""])


def _bar(figure: Figure, top: int, scale: float) -> list[str]:
    ratio = figure.ratio or 0.0
    width = min(ratio, _MOST) * scale
    name = escape(f"{figure.name} : {figure.peer_name}")
    target = figure.limit / figure.peer * scale if figure.limit is not None and figure.peer else None
    if target is not None and target > _MOST * scale:
        target = None
    text = max(width, target or 0.0) + 6
    lines = [
        f'<text x="{_LABEL - 8}" y="{top + 14}" text-anchor="end" font-size="11">{name}</text>',
        f'<rect x="{_LABEL}" y="{top + 2}" width="{width:.1f}" height="{_ROW - 10}" '
        f'fill="{_COLOURS[figure.met]}"/>',
        f'<text x="{_LABEL + text:.1f}" y="{top + 15}">{short(ratio)}</text>',
    ]
    if target is not None:
        x = _LABEL + target
        lines.append(f'<rect x="{x - 1:.1f}" y="{top - 1}" width="2" height="{_ROW - 4}" fill="#111"/>')
    return lines
