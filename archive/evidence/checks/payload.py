"""Steps 2 and 3: every part of the payload is what the manifest says, and nothing was added.

The payload is read once. While the originals pass, the digest of each clip is computed from their bytes,
which step 6 compares (:mod:`archive.evidence.derivation`).
"""

import hashlib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from archive.errors import Malformed
from archive.evidence import bag, derivation, paths
from archive.evidence.derivation import ClipDigest, Piece
from archive.evidence.findings import Inquiry, Step
from archive.evidence.statement import DerivativePart


def check(inquiry: Inquiry) -> None:
    """Hash the payload, then compare what is there with what is listed."""
    parcel = inquiry.parcel
    clips = _clips(inquiry)
    total = sum(parcel.sizes.get(path, 0) for path in inquiry.manifest)
    done = 0
    with ThreadPoolExecutor(1) as helper:
        for path in _order(inquiry):
            if path not in parcel.sizes:
                inquiry.error("payload_missing", path, f"{path} is listed in {bag.MANIFEST} and is missing")
                continue
            digest = hashlib.sha256()
            offset = 0
            named = list(clips.values()) if path.startswith(paths.ORIGINALS) else []
            try:
                for chunk in parcel.chunks(path):
                    fed = helper.submit(_feed, named, path, offset, chunk) if named else None
                    digest.update(chunk)  # beside the helper: hashing lets go of the interpreter
                    if fed is not None:
                        fed.result()
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
    inquiry.derived = {path: clip.hexdigest() for path, clip in clips.items() if clip.complete}
    _check_complete(inquiry)


def _feed(clips: list[ClipDigest], path: str, offset: int, chunk: bytes) -> None:
    for clip in clips:
        clip.feed(path, offset, chunk)


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


def _clips(inquiry: Inquiry) -> dict[str, ClipDigest]:
    """A running digest for each clip whose account of itself can be followed; the others wait for step 6."""
    clips: dict[str, ClipDigest] = {}
    parts: tuple[DerivativePart, ...] = inquiry.fact(lambda s: s.derivatives, ())
    for part in parts:
        try:
            clips[part.path] = clip_digest(inquiry, part)
        except Malformed:
            continue
    return clips


def clip_digest(inquiry: Inquiry, part: DerivativePart) -> ClipDigest:
    """Read a clip's header. Raises Malformed ``bad_clip``, ``bad_pieces``, ``unreadable_part``."""
    size = inquiry.parcel.sizes.get(part.path, 0)
    head = derivation.read_header(part.path, inquiry.parcel.chunks(part.path), size)
    pieces = [
        Piece(piece.original, piece.original_offset, piece.clip_offset, piece.length) for piece in part.pieces
    ]
    return ClipDigest(part.path, head, size, pieces)
