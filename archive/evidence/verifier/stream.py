"""Steps *payload* and *completeness*: one pass over the payload, each byte read once (clips' heads twice).

While the originals are read, the clips cut from them are read alongside and compared byte by byte
(:class:`archive.evidence.verifier.derived.Follower`), so that derivation needs no second pass. Memory is a
few pieces of 1 MiB for any size of package. SHA-256 is computed on threads, because it releases the
interpreter lock.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from archive.evidence.verifier import bag
from archive.evidence.verifier.container import LATER, Unreadable
from archive.evidence.verifier.derived import Clips
from archive.evidence.verifier.notebook import Notebook

ORIGINALS = "data/original/"
_THREADS = 3
_LARGER = 8 << 20
"""More than any piece of a part."""


class Digest:
    """A SHA-256 whose updates run on a thread, in order; at most one update waits."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._hash = hashlib.sha256()
        self._pending: Future[None] | None = None

    def update(self, chunk: bytes) -> None:
        """Take in bytes."""
        self._wait()
        self._pending = self._pool.submit(self._hash.update, chunk)

    def hexdigest(self) -> str:
        """The digest of everything taken in."""
        self._wait()
        return self._hash.hexdigest()

    def _wait(self) -> None:
        if self._pending is not None:
            self._pending.result()


def read_payload(notebook: Notebook) -> Clips:
    """Hash every listed part and compare; returns the clips with their results."""
    notebook.begin("payload")
    container = notebook.container
    total = sum(container.sizes.get(path, 0) for path in notebook.manifest)
    done = 0
    _keep_memory()
    with ThreadPoolExecutor(_THREADS) as pool:
        clips = Clips(container, _derivatives(notebook), lambda: Digest(pool), notebook.statement or {})
        for path in _order(notebook):
            if path not in container.sizes:
                notebook.find("payload_missing", path)
                continue
            original = clips.original(pool, path) if path.startswith(ORIGINALS) else None
            own = Digest(pool)
            try:
                digest = clips.finish(path)
                for chunk in container.chunks(path) if digest is None else ():
                    own.update(chunk)
                    done += len(chunk)
                    if original is not None:
                        done += original.feed(chunk)
                    notebook.progress(min(done, total), total)
            except Unreadable as error:
                notebook.find("unreadable_part", path, str(error))
                continue
            finally:
                if original is not None:
                    original.finish()
            digest = digest or own.hexdigest()
            notebook.actual[path] = digest
            if digest != notebook.manifest[path]:
                notebook.find("payload_altered", path)
    _check_complete(notebook)
    return clips


def _keep_memory() -> None:
    """Make the C library keep freed pieces of memory for reuse.

    glibc returns a large piece to the kernel when it is freed, and the kernel clears the next one: this took
    an eighth of all processor time here. glibc keeps pieces smaller than the largest one freed so far
    (mallopt(3), ``M_MMAP_THRESHOLD``). The piece freed here is never written to, so it costs nothing.
    """
    bytes(_LARGER)


def _check_complete(notebook: Notebook) -> None:
    notebook.begin("completeness")
    known = {*notebook.manifest, *bag.TAG_FILES, bag.TAG_MANIFEST}
    for path in sorted(set(notebook.container.sizes).difference(known)):
        if not path.startswith(LATER):  # those are checked by name
            notebook.find("unlisted_part", path)
    for path in notebook.manifest:
        if not path.startswith("data/"):
            notebook.find("bad_manifest", path, "it lists a part outside data/")


def _order(notebook: Notebook) -> list[str]:
    """Originals as the statement lists them, since clips name them in that order; then the rest."""
    stated = [part["path"] for part in notebook.fact("originals", [])]
    first = [path for path in dict.fromkeys(stated) if path in notebook.manifest]
    return [*first, *sorted(set(notebook.manifest).difference(first))]


def _derivatives(notebook: Notebook) -> list[dict[str, Any]]:
    """Clips that the manifest lists; another step reports the others as missing."""
    parts: list[dict[str, Any]] = notebook.fact("derivatives", [])
    return [part for part in parts if part["path"] in notebook.manifest]
