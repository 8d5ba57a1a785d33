"""The keys that recorders were ever registered with, to be published outside the archive.

The log proves that a key stands in the ledger. Who compares it with a published list need not believe that
nobody registered one more.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.canonical import JsonObject
from archive.errors import NotFound
from archive.ports import ObjectStore
from archive.records.journal import public_key_sha256, registered_key
from archive.records.ledger.listed import ids_of
from archive.records.ledger.streams import Ledger
from archive.timespan import format_instant

KIND = "recorder"


@dataclass(frozen=True, slots=True)
class RegisteredKey:
    """One key: its recorder, when it was registered (µs), its fingerprint, and the key in PEM form."""

    recorder: str
    registered_at: int
    sha256: str
    pem: str

    def to_json(self) -> JsonObject:
        """The key as ``--json`` prints it."""
        return {
            "recorder": self.recorder,
            "registered_at": format_instant(self.registered_at),
            "sha256": self.sha256,
            "pem": self.pem,
        }


def registered_names(records: ObjectStore) -> frozenset[str]:
    """The ids of all recorders in the ledger. Raises as the store."""
    return ids_of(records, KIND)


def keys_of(ledger: Ledger, recorder: str) -> Mapping[str, Ed25519PublicKey]:
    """Every key that a recorder was ever registered with, by fingerprint; empty for an unknown recorder.

    Raises:
        IntegrityError, Malformed: as :func:`registered_keys_of`.
    """
    try:
        public = [registered_key(recorder, entry.state) for entry in ledger.history(KIND, recorder)]
    except NotFound:
        return {}
    return {public_key_sha256(key): key for key in public}


def registered_keys_of(ledger: Ledger) -> Iterator[RegisteredKey]:
    """Every key of every recorder, by recorder and time: batches of an earlier key stay valid.

    Raises:
        IntegrityError: ``ledger_broken``, ``bad_entry``. Malformed: ``bad_recorder_key``.
    """
    for head in ledger.heads(KIND):
        seen: set[str] = set()
        for entry in ledger.history(KIND, head.id):
            key = registered_key(head.id, entry.state)
            digest = public_key_sha256(key)
            if digest not in seen:
                seen.add(digest)
                pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
                yield RegisteredKey(head.id, entry.at, digest, pem)
