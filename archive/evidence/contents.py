"""What is inside a sealed package: each file with its size, SHA-256 and meaning, read without the package.

Sizes come from the store's listing, digests from the package's own two manifests. The few files outside them,
the seal and what a handover adds, are small and are read.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from archive import keys
from archive.errors import IntegrityError
from archive.evidence import bag, paths
from archive.evidence.sealed import read_seal
from archive.ports import ObjectStore


class FileKind(StrEnum):
    """What a file of a package is."""

    ORIGINAL = "original"
    CLIP = "clip"
    STATEMENT = "statement"
    CUSTODY = "custody"
    DECISION = "decision"
    PROOF = "proof"
    DOCUMENT = "document"
    INSTRUCTIONS = "instructions"
    MANIFEST = "manifest"
    SEAL = "seal"
    HANDOVER = "handover"
    OTHER = "other"


_KINDS = (
    (paths.ORIGINALS, FileKind.ORIGINAL),
    ("data/derivative/", FileKind.CLIP),
    (paths.STATEMENT, FileKind.STATEMENT),
    (paths.CUSTODY, FileKind.CUSTODY),
    ("data/metadata/ledger/", FileKind.DECISION),
    ("data/proofs/", FileKind.PROOF),
    (paths.DOCUMENTS, FileKind.DOCUMENT),
    (paths.README, FileKind.INSTRUCTIONS),
    (paths.INSTRUCTIONS, FileKind.INSTRUCTIONS),
    ("signatures/", FileKind.SEAL),
    ("handover/", FileKind.HANDOVER),
)


@dataclass(frozen=True, slots=True)
class PackagedFile:
    """One file: its path in the package, size in bytes, SHA-256 (hex), and whether the seal covers it."""

    path: str
    size: int
    sha256: str
    is_sealed: bool

    @property
    def kind(self) -> FileKind:
        """What it is, by its place in the package."""
        if self.path in (*bag.TAG_FILES, bag.TAG_MANIFEST):
            return FileKind.MANIFEST
        return next((kind for start, kind in _KINDS if self.path.startswith(start)), FileKind.OTHER)


def files_of(target: ObjectStore, evidence_id: str) -> tuple[PackagedFile, ...]:
    """The files of a sealed package, by path.

    Raises:
        NotFound: ``package_not_found``.
        IntegrityError: ``package_altered``: a file that a manifest lists is missing.
    """
    prefix = keys.evidence_prefix(evidence_id)
    read_seal(target, evidence_id)
    tags = target.get(prefix + bag.TAG_MANIFEST)
    digests = {
        **bag.read_manifest(bag.TAG_MANIFEST, tags),
        **bag.read_manifest(bag.MANIFEST, target.get(prefix + bag.MANIFEST)),
        bag.TAG_MANIFEST: sha256(tags).hexdigest(),  # what the seal signs
    }
    sizes = {item.key.removeprefix(prefix): item.size for item in target.list(prefix)}
    missing = sorted(digests.keys() - sizes.keys())
    if missing:
        raise IntegrityError(f"{prefix}{missing[0]} is missing from the store", code="package_altered")
    later = [path for path in sizes if path.startswith(paths.LATER) and path not in digests]
    added = {path: sha256(target.get(prefix + path)).hexdigest() for path in later}
    found = [PackagedFile(path, sizes[path], digest, True) for path, digest in digests.items()]
    found += [PackagedFile(path, sizes[path], digest, False) for path, digest in added.items()]
    return tuple(sorted(found, key=lambda one: one.path))
