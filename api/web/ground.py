"""The ground of the map: nothing from anywhere, or the tiles and outlines that an installation sets.

A tile server learns which part of the city somebody looks at, so it should be the city's own. Pages may load
pictures from its origin only (:func:`origin_of`).
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from archive.errors import Malformed

MAKASSAR = ("-5.27", "118.98", "-4.72", "119.57")
CLOSEST = 19
"""The zoom of the most detailed tiles that common servers have."""

_MOST_BYTES = 8 << 20
_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?")
_PLACES = ("{z}", "{x}", "{y}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What the map stands on. ``box`` is the city: south, west, north, east.

    ``tiles`` is a template with ``{z}``, ``{x}`` and ``{y}``, "" for none; ``outlines`` is GeoJSON.
    """

    box: tuple[str, str, str, str] = MAKASSAR
    tiles: str = ""
    attribution: str = ""
    closest: int = CLOSEST
    outlines: bytes | None = None

    def __post_init__(self) -> None:
        if self.tiles:
            origin_of(self.tiles)


def origin_of(tiles: str) -> str:
    """The origin that tiles come from, for a page's policy; "" for our own.

    Raises:
        Malformed: ``bad_setting``: not such a template, or an address with a user or a placeholder in it.
    """
    try:
        parts = urlsplit(tiles)
        host = parts.netloc
    except ValueError:
        raise _bad(tiles) from None
    is_ours = not parts.scheme and not host and tiles.startswith("/")
    is_theirs = parts.scheme in {"http", "https"} and _HOST.fullmatch(host) is not None
    if not (is_ours or is_theirs) or not all(one in tiles for one in _PLACES) or not tiles.isprintable():
        raise _bad(tiles)
    return "" if is_ours else f"{parts.scheme}://{host}"


def read_outlines(path: Path) -> bytes:
    """A GeoJSON file of outlines, checked and without blanks.

    Raises:
        Malformed: ``bad_setting``: it cannot be read, or it is no FeatureCollection.
    """
    try:
        content = path.read_bytes()
        found = json.loads(content) if len(content) <= _MOST_BYTES else None
    except (OSError, ValueError):
        found = None
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        raise Malformed(
            f"{path.name} has no outlines for the map",
            code="bad_setting",
            hint="Set map_outlines_file to a GeoJSON FeatureCollection of at most 8 MiB, in WGS 84.",
        )
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode()


def _bad(tiles: str) -> Malformed:
    return Malformed(
        f"{tiles[:100]!r} is no address of map tiles",
        code="bad_setting",
        hint="Set map_tiles_url to one such as https://tiles.example/{z}/{x}/{y}.png, or leave it out.",
    )
