"""The assets of the pages: scripts, styles and pictures, served below ``/aset/`` under the hash of them all.

A page names its assets by that hash (``/aset/4f1d…/tile.js``), and a script imports its neighbours by
relative names. So an asset never changes under its address: browsers keep it for good, and a page never mixes
the scripts of two versions. They hold nothing of the archive and need no authentication.

``python -m ops.pages`` (``make setup``) fills the folder ``fetched``, which may be empty.
"""

import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from api.web.catalogue import Catalogue
from archive.errors import NotFound

FOLDER = Path(__file__).resolve().parent
OWN = FOLDER / "assets"
FETCHED = FOLDER / "fetched"
PLAYER = "hls.js"
"""The player, fetched from npm."""
EXPLORER, EXPLORER_STYLE = "swagger-ui.js", "swagger-ui.css"
"""The script and style that show the API's description, fetched from npm."""
MAP, MAP_STYLE = "leaflet.js", "leaflet.css"
"""The script and style of the map, fetched from npm."""
_PACKAGES = {
    PLAYER: "hls.js",
    EXPLORER: "swagger-ui-dist",
    EXPLORER_STYLE: "swagger-ui-dist",
    MAP: "leaflet",
    MAP_STYLE: "leaflet",
}
OUTLINES = "outlines.json"
"""The outlines of the map, if the installation has some."""

ASSETS = "/aset"
SIGN_IN = "/masuk"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".json": "application/geo+json",
}
_HASH = 16
_IMPORT = re.compile(rb"""^(?:import|export)\b(?:[^;"'()]*\bfrom)?\s*["']\./([\w.-]+)["']""", re.MULTILINE)
"""A static import of a neighbour; the dynamic ones are for what a page may never need."""


def fetched(name: str) -> Path:
    """Where an asset from npm is; it may not be there."""
    return FETCHED / _PACKAGES[name] / name


class Assets:
    """The assets of one process, read when it starts."""

    def __init__(self, catalogues: Mapping[str, Catalogue], *, outlines: bytes | None = None) -> None:
        found = {path.name: path for path in OWN.iterdir() if path.suffix in _TYPES}
        found |= {name: fetched(name) for name in _PACKAGES}
        contents = {name: path.read_bytes() for name, path in found.items() if path.is_file()}
        contents |= {f"words.{language}.js": one.script() for language, one in catalogues.items()}
        if outlines is not None:
            contents[OUTLINES] = outlines
        own_modules = [name for name in contents if name.endswith(".js") and name not in _PACKAGES]
        self._contents: Mapping[str, bytes] = MappingProxyType(contents)
        self.version = _version(contents)
        self._packed = lru_cache(maxsize=None)(lambda name: gzip.compress(contents[name], 9, mtime=0))
        self._imported: Mapping[str, tuple[str, ...]] = MappingProxyType(
            {name: tuple(_imported(content)) for name, content in contents.items() if name in own_modules}
        )

    @property
    def names(self) -> frozenset[str]:
        """The names of all assets that are installed."""
        return frozenset(self._contents)

    def path(self, name: str) -> str:
        """The path of an asset, below the installation's root. It may not be installed."""
        return f"{ASSETS}/{self.version}/{name}"

    def find(self, version: str, name: str) -> tuple[bytes, str]:
        """Bytes and media type of an asset.

        Raises:
            NotFound: ``no_such_file``: no such asset, one that is not installed, or one of another version.
        """
        if version == self.version and name in self._contents:
            return self._contents[name], _TYPES[Path(name).suffix]
        if name in _PACKAGES and name not in self._contents:
            raise NotFound(
                f"{name} is not installed here", code="no_such_file", hint="Run: python -m ops.pages"
            )
        raise NotFound("there is no such file", code="no_such_file", hint="Reload the page.")

    def modules(self, scripts: Iterable[str]) -> tuple[str, ...]:
        """These scripts and all that they import, and what that imports: what a page loads before it runs."""
        found: dict[str, None] = {}
        waiting = list(scripts)
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found[name] = None
                waiting += self._imported.get(name, ())
        return tuple(found)

    def packed(self, name: str) -> bytes:
        """An asset that there is, compressed with gzip: made at the first call."""
        return self._packed(name)


def _imported(content: bytes) -> Iterable[str]:
    return (found.decode() for found in _IMPORT.findall(content))


def _version(contents: Mapping[str, bytes]) -> str:
    sha256 = hashlib.sha256()
    for name, content in sorted(contents.items()):
        sha256.update(f"{name} {len(content)}\n".encode())
        sha256.update(content)
    return sha256.hexdigest()[:_HASH]
