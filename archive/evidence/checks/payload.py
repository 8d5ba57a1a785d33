"""Steps 2 and 3: every part of the payload is what the manifest says, and nothing was added.

The payload is read once. While the originals pass, the digest of each clip and the slices of its pieces are
computed from their bytes; while a clip passes, its slices from its own. Step 6 compares them
(:mod:`archive.evidence.derivation`, :mod:`archive.evidence.slices`).
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from archive.errors import Malformed
from archive.evidence import bag, derivation, paths
from archive.evidence.derivation import Piece
from archive.evidence.findings import Derived, Inquiry, Step
from archive.evidence.slices import ClipRun, SliceWalk
from archive.evidence.statement import DerivativePart

HELPERS = 2
"""Threads that look at bytes beside the one that hashes them."""

Feed = Callable[[str, int, bytes], None]


def check(inquiry: Inquiry) -> None:
    """Hash the payload, then compare what is there with what is listed."""
    parcel = inquiry.parcel
    clips = _clips(inquiry)
    total = sum(parcel.sizes.get(path, 0) for path in inquiry.manifest)
    done = 0
    with ThreadPoolExecutor(HELPERS) as helpers:
        for path in _order(inquiry):
            if path not in parcel.sizes:
                inquiry.error("payload_missing", path, f"{path} is listed in {bag.MANIFEST} and is missing")
                continue
            digest = hashlib.sha256()
            offset = 0
            feeds = _feeds(path, clips)
            try:
                for chunk in parcel.chunks(path):
                    fed = [helpers.submit(feed, path, offset, chunk) for feed in feeds]
                    digest.update(chunk)  # beside the helpers: hashing lets go of the interpreter
                    for one in fed:
                        one.result()
                    offset += len(chunk)
                    done += len(chunk)
                    inquiry.progress(done, total)
            except Malformed as error:
                inquiry.object_to(path, error)
                continue
            inquiry.actual[path] = digest.hexdigest()
            if inquiry.actual[path] != inquiry.manifest[path]:
                inquiry.error(
                    "payload_altered",
                    path,
                    f"{path} is not what {bag.MANIFEST} says; it was changed after sealing",
                )
    inquiry.derived = {
        path: Derived(run.digest.hexdigest(), tuple(run.slices.of_pieces()), tuple(walk.found))
        for path, (run, walk) in clips.items()
        if run.digest.complete
    }
    _check_complete(inquiry)


def _feeds(path: str, clips: "dict[str, tuple[ClipRun, SliceWalk]]") -> list[Feed]:
    """Who wants to see a part's bytes pass by; each is independent of the others."""
    if path.startswith(paths.ORIGINALS):
        runs = [run for run, _ in clips.values() if run.names(path)]
        return [feed for run in runs for feed in (run.digest.feed, run.slices.feed)]
    if path in clips:
        walk = clips[path][1]
        return [lambda _, offset, chunk: walk.feed(offset, chunk)]
    return []


def _check_complete(inquiry: Inquiry) -> None:
    inquiry.begin(Step.COMPLETENESS)
    known = {*inquiry.manifest, *bag.TAG_FILES, bag.TAG_MANIFEST}
    for path in inquiry.parcel.sizes:
        if path in known or path.startswith(paths.LATER):
            continue
        where = "data/" if path.startswith("data/") else "the package"
        inquiry.error("unlisted_part", path, f"{path} was added to {where}; no manifest lists it")
    for path in inquiry.manifest:
        if not path.startswith("data/"):
            inquiry.error("bad_manifest", path, f"{bag.MANIFEST} lists {path}, which is outside data/")


def _order(inquiry: Inquiry) -> Iterable[str]:
    """Originals as the statement lists them, since clips name them in that order; then the rest."""
    first: list[str] = inquiry.fact(lambda s: [part.path for part in s.originals], [])
    listed = [path for path in dict.fromkeys(first) if path in inquiry.manifest]
    return [*listed, *sorted(set(inquiry.manifest).difference(listed))]


def _clips(inquiry: Inquiry) -> "dict[str, tuple[ClipRun, SliceWalk]]":
    """What to take of each clip whose account of itself can be followed; the others wait for step 6."""
    clips: dict[str, tuple[ClipRun, SliceWalk]] = {}
    parts: tuple[DerivativePart, ...] = inquiry.fact(lambda s: s.derivatives, ())
    for part in parts:
        try:
            run = clip_run(inquiry, part)
        except Malformed:
            continue
        ranges = [(piece.clip_offset, piece.clip_offset + piece.length) for piece in part.pieces]
        clips[part.path] = run, SliceWalk(run.samples, ranges)
    return clips


def clip_run(inquiry: Inquiry, part: DerivativePart) -> ClipRun:
    """Read a clip's header. Raises Malformed ``bad_clip``, ``bad_pieces``, ``unreadable_part``."""
    size = inquiry.parcel.sizes.get(part.path, 0)
    head = derivation.read_header(part.path, inquiry.parcel.chunks(part.path), size)
    pieces = [
        Piece(piece.original, piece.original_offset, piece.clip_offset, piece.length) for piece in part.pieces
    ]
    return ClipRun.begin(part.path, head, size, pieces)
