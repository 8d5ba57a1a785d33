"""The places of the cameras, drawn to scale without a map: north is up; numbers are those of the table."""

from collections.abc import Sequence
from decimal import Decimal
from math import cos, radians

from archive.documents.fonts import Font
from archive.documents.panel import Align, Panel, Shade

HEIGHT = 190.0

_METRES_A_DEGREE = 111_320.0
_LEAST = 400.0
"""The shortest side of the ground shown, in metres, so that a sketch of one camera still has a scale."""
_MARGIN = 26.0


def draw(panel: Panel, places: Sequence[tuple[str, Decimal, Decimal]]) -> None:
    """Numbered dots at (label, latitude, longitude), WGS 84 degrees."""
    panel.box((0, 0), panel.width, panel.height, fill=Shade.PALE, edge=Shade.RULE)
    if not places:
        return
    middle = radians(float(sum(lat for _, lat, _ in places)) / len(places))
    metres = [
        (label, float(lon) * _METRES_A_DEGREE * cos(middle), float(lat) * _METRES_A_DEGREE)
        for label, lat, lon in places
    ]
    xs, ys = [x for _, x, _ in metres], [y for _, _, y in metres]
    wide, high = max(max(xs) - min(xs), _LEAST), max(max(ys) - min(ys), _LEAST)
    scale = min((panel.width - 2 * _MARGIN) / wide, (panel.height - 2 * _MARGIN) / high)
    centre = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    for label, x, y in metres:
        at = panel.width / 2 + (x - centre[0]) * scale, panel.height / 2 - (y - centre[1]) * scale
        panel.dot(at, 2.6, fill=Shade.BLUE)
        panel.words((at[0] + 4, at[1] - 2), label, font=Font.BOLD, size=7)
    _north(panel)
    _ruler(panel, scale)


def _north(panel: Panel) -> None:
    x = panel.width - 14
    panel.line((x, 30), (x, 12))
    panel.line((x, 12), (x - 3, 18))
    panel.line((x, 12), (x + 3, 18))
    panel.words((x, 39), "U", font=Font.BOLD, size=7, align=Align.CENTRE)


def _ruler(panel: Panel, scale: float) -> None:
    """A bar of a round length of about a fifth of the width."""
    longest = panel.width / 4 / scale
    metres = max(
        (digit * 10**power for power in range(8) for digit in (1, 2, 5) if digit * 10**power <= longest),
        default=1,
    )
    y, left = panel.height - 9, 10.0
    right = left + metres * scale
    panel.line((left, y), (right, y), thick=1)
    for x in (left, right):
        panel.line((x, y - 3), (x, y + 3))
    shown = f"{metres // 1000} km" if metres >= 1000 else f"{metres} m"
    panel.words((right + 5, y + 2.5), shown, size=7)
