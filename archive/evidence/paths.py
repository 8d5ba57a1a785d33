"""The path of each part of a package. Every path satisfies :func:`archive.evidence.bag.check_path`."""

from collections.abc import Iterable

from archive.evidence import bag

STATEMENT = "data/metadata/evidence.json"
CUSTODY = "data/metadata/custody.jsonl"
README = "data/README.txt"
INSTRUCTIONS = "data/VERIFIKASI.txt"
ORIGINALS = "data/original/"
SEAL = "signatures/tagmanifest-sha256.txt.p7s"
STAMP = "signatures/tagmanifest-sha256.txt.p7s.tsr"
DOCUMENTS = "data/documents/"
CERTIFICATES = "signatures/certs/"
LATER = ("signatures/", "handover/")
"""Folders outside the tag manifest: the seal itself, and files added after sealing."""


def camera_folders(cameras: Iterable[str]) -> dict[str, str]:
    """A folder name for each camera id.

    It is the id itself, unless Windows could not tell it from another id or takes it for a device; then a
    suffix or prefix with an underscore, which no id contains, makes it different.
    """
    folders: dict[str, str] = {}
    taken: set[str] = set()
    for camera in sorted(set(cameras)):
        base = f"cam_{camera}" if bag.is_reserved(camera) else camera
        name, number = base, 1
        while name.lower() in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name.lower())
        folders[camera] = name
    return folders


def original(folder: str, key: str) -> str:
    """An original segment: its object's own name under its camera."""
    return f"{ORIGINALS}{folder}/{key.rsplit('/', 1)[-1]}"


def leaves(folder: str) -> str:
    """The leaves of a camera's originals, one line each in their order, as the recorder wrote them."""
    return f"data/proofs/leaves/{folder}.jsonl"


def clip(folder: str, part: int, parts: int) -> str:
    """A clip; numbered only where a camera has more than one."""
    return (
        f"data/derivative/clip-{folder}.mp4"
        if parts == 1
        else f"data/derivative/clip-{folder}_p{part:03d}.mp4"
    )


def journal(recorder: str, batch: int) -> str:
    """A recorder's signed journal batch."""
    return f"data/proofs/journal/{recorder}_{batch:010d}.jsonl"


def recorder_key(folder: str) -> str:
    """A recorder's public key (Ed25519, PEM)."""
    return f"data/proofs/recorders/{folder}.pub.pem"


def inclusion(folder: str) -> str:
    """The inclusion proofs of a camera's leaves, one line each."""
    return f"data/proofs/inclusion/{folder}.jsonl"


def checkpoint(number: int, part: str) -> str:
    """A part of a checkpoint of the log: its text, signature or time stamp."""
    return f"data/proofs/checkpoints/{number:010d}/{part}"


JOURNAL_PROOFS = "data/proofs/journal.jsonl"
"""The inclusion proofs of the journal batches, one line each."""


def disposition(disposition_id: str) -> str:
    """The line of the ledger entry of a recorded destruction."""
    return f"data/proofs/dispositions/{disposition_id}.json"


DISPOSITION_PROOFS = "data/proofs/dispositions/inclusion.jsonl"
"""The inclusion proofs of those entries, one line each."""


def entry(number: int, kind: str) -> str:
    """The line of a ledger entry: the ``number``-th (from 1) that the package encloses."""
    return f"data/metadata/ledger/{number:04d}_{kind}.json"


def opened(path: str) -> str:
    """The openings of an entry's fields, beside its line."""
    return f"{path.removesuffix('.json')}.opened.json"


ENTRY_PROOFS = "data/metadata/ledger/inclusion.jsonl"
"""The inclusion proofs of those lines, one line each."""


def document(name: str) -> str:
    """A document for people to read."""
    return DOCUMENTS + name
