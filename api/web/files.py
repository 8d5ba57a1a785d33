"""The files of the pages: their names, media types and folders.

Each is served under ``/aset/`` by name; other files are not served. ``python -m ops.pages`` (``make setup``)
fills the folder ``fetched``, which may be empty.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).resolve().parent
FETCHED = FOLDER / "fetched"
PLAYER = "hls.js"
"""The player, fetched from npm."""
EXPLORER, EXPLORER_STYLE = "swagger-ui.js", "swagger-ui.css"
"""The script and style that show the API's description, fetched from npm."""
_PACKAGES = {PLAYER: "hls.js", EXPLORER: "swagger-ui-dist", EXPLORER_STYLE: "swagger-ui-dist"}

ASSETS = "/aset"
SIGN_IN = "/masuk"

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"
_VIEW = (
    "tampilan.js", "calls.js", "certainty.js", "clock.js", "footage.js", "history.js", "patience.js",
    "stretches.js", "tile.js", "timeline.js", "wall.js", "watchdog.js",
)  # fmt: skip

_PICTURE = "image/svg+xml"

OPEN_FILES: Mapping[str, str] = MappingProxyType(
    {
        "saksi.css": _STYLE,
        "saksi.svg": _PICTURE,
        "gembok.svg": _PICTURE,
        "words.js": _SCRIPT,
        "masuk.js": _SCRIPT,
    }
)
"""Files of the sign-in page; they need no authentication."""

OPEN_PAGES = frozenset({SIGN_IN, *(f"{ASSETS}/{name}" for name in OPEN_FILES)})
"""Paths that need no authentication; they reveal nothing of the archive."""

FILES: Mapping[str, str] = MappingProxyType(
    {**dict.fromkeys((*_VIEW, "antarmuka.js", PLAYER, EXPLORER), _SCRIPT), EXPLORER_STYLE: _STYLE}
)
"""Further files of the pages; they need authentication."""


def path_of(name: str) -> Path:
    """The path of a listed file; the file may not exist (:data:`FETCHED`)."""
    package = _PACKAGES.get(name)
    return FOLDER / name if package is None else FETCHED / package / name
