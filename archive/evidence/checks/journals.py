"""Step 7: the recorders' signed journal batches, where the package holds them."""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from archive.canonical import sha256_hex
from archive.errors import IntegrityError, Malformed
from archive.evidence.findings import Inquiry, Step
from archive.evidence.parcel import read_small
from archive.evidence.statement import JournalPart
from archive.model import leaf as leaves
from archive.records import journal


def check(inquiry: Inquiry) -> None:
    """Each batch is its recorder's, and every original's leaf is in one of them."""
    stated = inquiry.statement
    if stated is None or not stated.journals:
        inquiry.skip(Step.JOURNAL)
        return
    inquiry.begin(Step.JOURNAL)
    signed: set[str] = set()
    for part in stated.journals:
        try:
            signed |= _leaves_of(inquiry, part)
        except (Malformed, IntegrityError) as error:
            inquiry.object_to(part.path, error)
    for original in stated.originals:
        if original.leaf_sha256 not in signed:
            inquiry.warn(
                "leaf_not_journalled",
                original.path,
                f"no journal batch in the package holds the leaf of {original.path}",
            )


def _leaves_of(inquiry: Inquiry, part: JournalPart) -> set[str]:
    data = read_small(inquiry.parcel, part.path)
    if sha256_hex(data) != part.sha256:
        raise IntegrityError(f"{part.path} is not what evidence.json says", code="statement_contradicts")
    batch = journal.verify(data, _public_key(inquiry, part))
    if (batch.recorder, batch.batch) != (part.recorder, part.batch):
        raise IntegrityError(
            f"{part.path} is batch {batch.batch} of {batch.recorder}, which is not what evidence.json says",
            code="statement_contradicts",
        )
    return {sha256_hex(leaves.encode(leaf)) for leaf in batch.leaves}


def _public_key(inquiry: Inquiry, part: JournalPart) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(read_small(inquiry.parcel, part.public_key))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise Malformed(f"{part.public_key} is not a public key in PEM form", code="bad_key_file") from error
    if not isinstance(key, Ed25519PublicKey):
        raise Malformed(f"{part.public_key} is not an Ed25519 key", code="bad_key_file")
    return key
