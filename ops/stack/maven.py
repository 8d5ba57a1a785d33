"""Fetches servers that are published as Maven artifacts, without Maven."""

import hashlib
import shutil
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import maven_artifact

from archive.errors import IntegrityError, Unavailable

_SIGN_OF_LIFE_SECONDS = 5.0


def fetch(coordinate: str, sha256: str, *, into: Path, progress: Callable[[str], None]) -> None:
    """Download a zip artifact, check its pinned hash, and unpack the contents of its single top folder.

    Raises ``Unavailable`` (``stack_download_failed``) if the download fails and ``IntegrityError``
    (``stack_download_altered``) if the hash differs; the caller must then discard ``into``.
    """
    artifact = maven_artifact.Artifact.parse(coordinate)
    archive = into / artifact.get_filename()
    try:
        # The library knows the repository; this module transfers, for timeouts, progress and the hash.
        found = _download(maven_artifact.Downloader().resolver.uri_for_artifact(artifact), archive, progress)
    except (httpx.HTTPError, maven_artifact.RequestException) as error:
        raise Unavailable(
            f"{coordinate} cannot be downloaded: {error or type(error).__name__}",
            code="stack_download_failed",
            hint="check the network (and the proxy variables), then run `saksi stack up` again",
        ) from error
    if found != sha256:
        raise IntegrityError(
            f"{coordinate} has SHA-256 {found}, but {sha256} is pinned",
            code="stack_download_altered",
            hint="it was altered in transit or at its source: do not run it; try from another network",
        )
    _unpack(archive, into)
    archive.unlink()


def _download(url: str, file: Path, progress: Callable[[str], None]) -> str:
    digest = hashlib.sha256()
    done = 0
    told = time.monotonic()
    timeout = httpx.Timeout(30)
    with (
        httpx.stream("GET", url, timeout=timeout, follow_redirects=True) as answer,
        file.open("wb") as output,
    ):
        answer.raise_for_status()
        total = int(answer.headers.get("content-length", 0))
        progress(f"downloading {file.name} ({total / 2**20:.0f} MiB)…")
        for chunk in answer.iter_bytes(2**18):
            output.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if time.monotonic() - told > _SIGN_OF_LIFE_SECONDS:
                told = time.monotonic()
                progress(f"downloading {file.name}… {done / 2**20:.0f} of {total / 2**20:.0f} MiB")
    return digest.hexdigest()


def _unpack(archive: Path, into: Path) -> None:
    """Unpack without the top folder, and keep permission bits (``ZipFile.extractall`` drops them)."""
    with zipfile.ZipFile(archive) as bundle:
        for item in bundle.infolist():
            inner = Path(item.filename).parts[1:]
            if not inner or item.is_dir():
                continue
            target = into.joinpath(*inner)
            target.parent.mkdir(parents=True, exist_ok=True)
            with bundle.open(item) as source, target.open("wb") as output:
                shutil.copyfileobj(source, output)
            executable = (item.external_attr >> 16) & stat.S_IXUSR
            target.chmod(0o755 if executable else 0o644)
        for folder in (folder for folder in into.rglob("*") if folder.is_dir()):
            folder.chmod(0o755)  # independent of the umask: another account reads it
