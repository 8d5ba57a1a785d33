"""Fetches the pages' npm packages without node: ``python -m ops.pages``, a step of ``make setup``.

With ``--tools`` it also fetches what only tests use: the type checker of the scripts, the checker of access.

``package-lock.json`` names the versions and the hashes. The registry is the one npm uses on this machine
(``npm_config_registry``, an ``.npmrc``, or npm's own answer). An archive without the locked hash is never
unpacked. On a machine without a registry the setup continues, and the pages say what is missing.
"""

import base64
import binascii
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from api.web.files import EXPLORER, EXPLORER_STYLE, FETCHED, MAP, MAP_STYLE, PLAYER
from archive.errors import ArchiveError, IntegrityError, Malformed, Unavailable

ROOT = Path(__file__).resolve().parents[1]
PACKAGES: Mapping[str, Mapping[str, str]] = {
    "hls.js": {"package/dist/hls.light.min.mjs": PLAYER, "package/LICENSE": "LICENSE"},
    "swagger-ui-dist": {
        "package/swagger-ui-bundle.js": EXPLORER,
        "package/swagger-ui.css": EXPLORER_STYLE,
        "package/LICENSE": "LICENSE",
        "package/NOTICE": "NOTICE",
    },
    "leaflet": {
        "package/dist/leaflet-src.esm.js": MAP,
        "package/dist/leaflet.css": MAP_STYLE,
        "package/LICENSE": "LICENSE",
    },
}
"""By package, its files that are kept, and their names here. Each package has a folder of its own."""

TOOLS: Mapping[str, tuple[str, ...]] = {
    "axe-core": ("package/axe.min.js",),
    "typescript": ("package/lib/tsc.js", "package/lib/_tsc.js", "package/lib/lib."),
}
"""By package that only tests use, how the names of the kept files begin. They are served to nobody."""

TOOLS_FOLDER = ROOT / ".venv" / "npm"

MAX_BYTES = 64 << 20
_TIMEOUT_S = 60.0
_SETTING = re.compile(r"^\s*registry\s*=\s*[\"']?(https?://[^\s\"'$]+)", re.MULTILINE)
_ALGORITHMS = ("sha512", "sha384")


@dataclass(frozen=True, slots=True)
class Locked:
    """One package in the lock. ``integrity`` is a subresource integrity string."""

    name: str
    version: str
    integrity: str

    @property
    def path(self) -> str:
        """The path of the package's archive below a registry's address."""
        last = self.name.rpartition("/")[2]
        return f"{quote(self.name, safe='@/')}/-/{last}-{self.version}.tgz"


def locked(lock: Path, name: str) -> Locked:
    """A package of an npm lock (version 2 or 3). Raises Malformed ``bad_package_lock``."""
    try:
        found = json.loads(lock.read_text("utf-8"))["packages"][f"node_modules/{name}"]
        return Locked(name, str(found["version"]), str(found["integrity"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Malformed(
            f"{lock.name} does not lock {name}",
            code="bad_package_lock",
            hint="Use the package-lock.json of the source tree.",
        ) from error


def registry(environ: Mapping[str, str], files: Iterable[Path]) -> str:
    """The address of the npm registry of this machine, ending in a slash.

    Raises:
        Unavailable: ``npm_registry_unknown``.
    """
    for name, value in environ.items():
        if name.lower() == "npm_config_registry" and value:
            return _slashed(value)
    for file in files:
        try:
            found = _SETTING.search(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            continue
        if found is not None:
            return _slashed(found[1])
    if (npm := shutil.which("npm")) is not None:
        answer = subprocess.run(
            [npm, "config", "get", "registry"], capture_output=True, text=True, timeout=60, check=False
        )
        if answer.returncode == 0 and answer.stdout.strip().startswith("http"):
            return _slashed(answer.stdout.strip())
    raise Unavailable(
        "no npm registry is known on this machine",
        code="npm_registry_unknown",
        hint="Set npm_config_registry to the address of one, then run: python -m ops.pages",
    )


def _slashed(address: str) -> str:
    return address if address.endswith("/") else f"{address}/"


def settings_files() -> Iterator[Path]:
    """The files where npm looks for its settings, the nearest first."""
    yield Path.home() / ".npmrc"
    for prefix in (Path("/usr/local"), Path("/usr"), Path("/")):
        yield prefix / "etc" / "npmrc"


def fetch(package: Locked, address: str) -> bytes:
    """The package's archive, with the locked hash.

    Raises:
        Unavailable: ``npm_download_failed``.
        IntegrityError: ``npm_download_altered``.
        Malformed: ``bad_package_lock``.
    """
    found = io.BytesIO()
    try:
        with httpx.stream("GET", address + package.path, timeout=_TIMEOUT_S, follow_redirects=True) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(1 << 18):
                found.write(chunk)
                if found.tell() > MAX_BYTES:
                    break
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(
            f"{package.name} {package.version} cannot be downloaded: {type(error).__name__}",
            code="npm_download_failed",
            hint="Check the network and npm's registry setting, then run: python -m ops.pages",
        ) from error
    check(package, found.getvalue())
    return found.getvalue()


def check(package: Locked, content: bytes) -> None:
    """Compare an archive with the lock. Raises IntegrityError, Malformed, as :func:`fetch`."""
    algorithm, _, expected = package.integrity.partition("-")
    try:
        wanted = base64.b64decode(expected, validate=True)
    except binascii.Error:
        wanted = b""
    if algorithm not in _ALGORITHMS or len(wanted) != hashlib.new(algorithm).digest_size:
        raise Malformed(
            f"the lock has no usable hash for {package.name}",
            code="bad_package_lock",
            hint="Use the package-lock.json of the source tree.",
        )
    if hashlib.new(algorithm, content).digest() != wanted:
        raise IntegrityError(
            f"{package.name} {package.version} is not what the lock names",
            code="npm_download_altered",
            hint="It was altered in transit or at its source: do not use it; try from another network.",
        )


def unpack(content: bytes, folder: Path, package: Locked) -> None:
    """Put a package's kept files into a folder, all or none, with its hash beside them.

    Raises:
        Malformed: ``bad_package``: the archive lacks one of them.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".fetching-", dir=folder.parent))
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            for inner, name in _kept(package.name, archive).items():
                source = archive.extractfile(inner)
                if source is None:
                    raise KeyError(inner)
                (building / name).write_bytes(source.read())
        (building / "integrity").write_text(package.integrity + "\n", "utf-8")
        building.chmod(0o755)
        if folder.is_file():  # version 0.2.0 put the player's files here, without a folder for each package
            folder.unlink()
        shutil.rmtree(folder, ignore_errors=True)
        building.rename(folder)
    except (KeyError, tarfile.TarError) as error:
        raise Malformed(
            f"the archive of {package.name} lacks a file that is served",
            code="bad_package",
            hint="The version in package.json may have moved its files; see ops/pages.py.",
        ) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _kept(package: str, archive: tarfile.TarFile) -> Mapping[str, str]:
    """The names in a package's archive of the files that are kept, and their names here."""
    if package in PACKAGES:
        return PACKAGES[package]
    return {name: name.rpartition("/")[2] for name in archive.getnames() if name.startswith(TOOLS[package])}


def is_there(package: Locked, folder: Path) -> bool:
    """Whether the folder has the locked version already."""
    try:
        return (folder / "integrity").read_text("utf-8").strip() == package.integrity
    except OSError:
        return False


def main(
    folder: Path = FETCHED, lock: Path = ROOT / "package-lock.json", *, tools: Path | None = None
) -> int:
    """Fetch missing packages, each into its own folder below ``folder``; one that fails stops no other.

    ``tools`` is the folder of what only tests use; None leaves them out. Returns 0 even if the registry does
    not answer, because only parts of the pages need them.
    """
    wanted = [(name, folder / name) for name in PACKAGES]
    if tools is not None:
        wanted += [(name, tools / name) for name in TOOLS]
    return max(_fetched(name, place, lock) for name, place in wanted)


def _fetched(name: str, folder: Path, lock: Path) -> int:
    try:
        package = locked(lock, name)
        if is_there(package, folder):
            return 0
        content = fetch(package, registry(os.environ, settings_files()))
        unpack(content, folder, package)
    except ArchiveError as error:
        sys.stderr.write(f"pages: {error.message}. {error.hint}\n")
        return 0 if isinstance(error, Unavailable) else 1
    sys.stdout.write(f"pages: {package.name} {package.version} fetched\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(tools=TOOLS_FOLDER if "--tools" in sys.argv[1:] else None))
