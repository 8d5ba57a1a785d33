"""The files that pages are made of: which there are, what they are, and where they lie.

Each is served under ``/aset/`` by name; what is not listed here is not served. ``fetched`` is filled by
``python -m ops.pages`` (``make setup``) and may be empty.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).resolve().parent
FETCHED = FOLDER / "fetched"
PLAYER = "hls.js"
"""The player, fetched from npm."""

ASSETS = "/aset"
SIGN_IN = "/masuk"

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"
_VIEW = (
    "tampilan.js", "calls.js", "clock.js", "footage.js", "stretches.js", "tile.js", "timeline.js", "wall.js",
)  # fmt: skip

OPEN_FILES: Mapping[str, str] = MappingProxyType(
    {"saksi.css": _STYLE, "saksi.svg": "image/svg+xml", "words.js": _SCRIPT, "masuk.js": _SCRIPT}
)
"""What the sign-in page needs; anybody may have it."""

OPEN_PAGES = frozenset({SIGN_IN, *(f"{ASSETS}/{name}" for name in OPEN_FILES)})
"""Addresses that answer before anybody signed in; they say nothing of anything in the archive."""

FILES: Mapping[str, str] = MappingProxyType(dict.fromkeys((*_VIEW, PLAYER), _SCRIPT))
"""What the view page needs besides; behind the gate."""


def path_of(name: str) -> Path:
    """Where a listed file lies; it may not be there (:data:`FETCHED`)."""
    return (FETCHED if name == PLAYER else FOLDER) / name
