"""Steps 2 and 3: every part of the payload is what the manifest says, and nothing was added.

Each byte of the payload is read once. While the originals pass, the clips made of them are read beside them
and compared (:mod:`archive.evidence.checks.alongside`), so that step 6 costs no pass of its own. Hashing the
originals, hashing the clips and following NAL units have a lane each; memory is a few pieces of 1 MiB,
whatever the package's size.
"""

import hashlib
from collections.abc import Iterable

from archive.errors import Malformed
from archive.evidence import bag, derivation, paths
from archive.evidence.checks.alongside import Alongside
from archive.evidence.derivation import Piece
from archive.evidence.findings import Inquiry, Step
from archive.evidence.lanes import Lane
from archive.evidence.slices import ClipRun
from archive.evidence.statement import DerivativePart

_LARGER = 8 << 20
"""More than any piece of a part."""


def check(inquiry: Inquiry) -> None:
    """Hash the payload, then compare what is there with what is listed."""
    _keep_memory()
    with Lane() as own, Lane() as clips, Lane() as walking:
        _read(inquiry, own, _clips(inquiry, clips, walking))
    _check_complete(inquiry)


def _read(inquiry: Inquiry, lane: Lane, clips: dict[str, Alongside]) -> None:
    parcel = inquiry.parcel
    total = sum(parcel.sizes.get(path, 0) for path in inquiry.manifest)
    done = 0
    for path in _order(inquiry):
        if path not in parcel.sizes:
            inquiry.error("payload_missing", path, f"{path} is listed in {bag.MANIFEST} and is missing")
            continue
        try:
            if path in clips:
                inquiry.actual[path] = clips[path].finish()
            else:
                beside = [clip for clip in clips.values() if clip.names(path)]
                digest = hashlib.sha256()
                offset = 0
                for chunk in parcel.chunks(path):
                    lane.do(digest.update, chunk)
                    done += len(chunk) + sum(clip.feed(path, offset, chunk) for clip in beside)
                    offset += len(chunk)
                    inquiry.progress(min(done, total), total)
                lane.settle()
                inquiry.actual[path] = digest.hexdigest()
        except Malformed as error:
            inquiry.object_to(path, error)
            continue
        if inquiry.actual[path] != inquiry.manifest[path]:
            inquiry.error(
                "payload_altered",
                path,
                f"{path} is not what {bag.MANIFEST} says; it was changed after sealing",
            )
    for path, clip in clips.items():
        derived = clip.derived()
        if derived is not None:
            inquiry.derived[path] = derived
    inquiry.progress(total, total)


def _keep_memory() -> None:
    """Have the C library keep pieces that are freed, for those to come.

    glibc gives a large piece of memory back as it is freed, and the kernel clears it anew for the next: an
    eighth of all processor time here. It keeps pieces smaller than the largest one it saw freed
    (mallopt(3), ``M_MMAP_THRESHOLD``). This one is never written to, so it costs nothing.
    """
    bytes(_LARGER)


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


def _clips(inquiry: Inquiry, hashing: Lane, walking: Lane) -> dict[str, Alongside]:
    """The clips whose account of themselves can be followed; the others wait for step 6."""
    clips: dict[str, Alongside] = {}
    parts: tuple[DerivativePart, ...] = inquiry.fact(lambda s: s.derivatives, ())
    for part in parts:
        if part.path not in inquiry.manifest or part.path.startswith(paths.ORIGINALS):
            continue
        try:
            header, pieces = _account(inquiry, part)
            clips[part.path] = Alongside(inquiry.parcel, part.path, header, pieces, hashing, walking)
        except Malformed:
            continue
    return clips


def clip_run(inquiry: Inquiry, part: DerivativePart) -> ClipRun:
    """Read a clip's header. Raises Malformed ``bad_clip``, ``bad_pieces``, ``unreadable_part``."""
    header, pieces = _account(inquiry, part)
    return ClipRun.begin(part.path, header, inquiry.parcel.sizes.get(part.path, 0), pieces)


def _account(inquiry: Inquiry, part: DerivativePart) -> tuple[bytes, list[Piece]]:
    size = inquiry.parcel.sizes.get(part.path, 0)
    header = derivation.read_header(part.path, inquiry.parcel.chunks(part.path), size)
    pieces = [
        Piece(piece.original, piece.original_offset, piece.clip_offset, piece.length) for piece in part.pieces
    ]
    return header, pieces
