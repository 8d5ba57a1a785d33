"""The few things the archive needs from outside, as small protocols.

Adapters do not inherit from these; mypy and the conformance suites hold them to the contract. Every method
raises only :mod:`archive.errors`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Protocol, Self

from archive.canonical import JsonObject, sha256_hex
from archive.model.camera import Place
from archive.model.gap import Gap
from archive.model.leaf import Leaf
from archive.model.segment import SegmentRef
from archive.timespan import Timespan


@dataclass(frozen=True, slots=True)
class Content:
    """Bytes to store, with their size and SHA-256 known beforehand.

    ``open`` gives a fresh reader from the first byte each time, so that a retry can start over and nothing
    large is held in memory.
    """

    size: int
    sha256: str
    open: Callable[[], BinaryIO]

    @classmethod
    def of_bytes(cls, data: bytes) -> Self:
        """Content that is already in memory."""
        return cls(len(data), sha256_hex(data), lambda: BytesIO(data))

    @classmethod
    def of_file(cls, path: Path, *, sha256: str) -> Self:
        """A file whose SHA-256 was taken when it was closed; the store compares."""
        return cls(path.stat().st_size, sha256, lambda: path.open("rb"))


class LockMode(StrEnum):
    """Object Lock modes: GOVERNANCE for footage and records, COMPLIANCE for checkpoints and evidence."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True, slots=True)
class Lock:
    """Retention of one object version: not to be deleted before ``until`` (µs)."""

    mode: LockMode
    until: int


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One listed version of an object. ``deleted`` marks a delete marker (I9: an integrity incident)."""

    key: str
    version: str
    size: int
    stored_at: int
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ObjectHead:
    """What the store says about one version; ``sha256`` is its own checksum, None where it has none."""

    key: str
    version: str
    size: int
    stored_at: int
    sha256: str | None
    lock: Lock | None
    held: bool
    metadata: Mapping[str, str] = field(default_factory=dict)


MAX_DELETIONS = 500
"""The most versions that one batch of deletions names."""


@dataclass(frozen=True, slots=True)
class DoomedVersion:
    """One version that is to be destroyed."""

    key: str
    version: str


class DeletionOutcome(StrEnum):
    """What became of one doomed version; the last three mean that it stays."""

    DELETED = "deleted"
    GONE = "gone"
    UNDER_HOLD = "under_hold"
    UNDER_RETENTION = "under_retention"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The outcome for one version. ``until`` is its lock's end (µs), if retention kept it.

    Stores that do not tell a version they destroyed from one that was not there say ``deleted`` for both.
    """

    key: str
    version: str
    outcome: DeletionOutcome
    until: int | None = None

    @property
    def kept(self) -> bool:
        """Whether the version is still there."""
        return self.outcome not in (DeletionOutcome.DELETED, DeletionOutcome.GONE)


@dataclass(frozen=True, slots=True)
class Stored:
    """The store's own answer to a put. ``created`` is False when the same bytes were there already."""

    key: str
    version: str
    sha256: str
    created: bool


class ObjectStore(Protocol):
    """One bucket of immutable, versioned objects. Thread-safe; synchronous.

    Keys pass :func:`archive.keys.check_key`. Where a key has more than one version (which nothing of ours
    makes: I9), the *oldest* is the object and readers are never fooled by later ones or by delete markers.
    """

    def put(
        self,
        key: str,
        content: Content,
        *,
        metadata: Mapping[str, str] | None = None,
        lock: Lock | None = None,
        hold: bool = False,
    ) -> Stored:
        """Store if absent, durably, and have the store check the SHA-256.

        Idempotent: the same bytes under the same key answer with the version already there, so a retry
        after a lost answer is safe.

        Raises:
            AlreadyExists: the key holds other bytes, which stay.
            IntegrityError: ``checksum_mismatch``: the bytes are not what ``content`` promised; none is kept.
            Malformed: ``bad_key``, ``bad_metadata``.
            StoreFull, Unavailable: nothing is known to be stored; try again.
        """
        ...

    def head(self, key: str, *, version: str | None = None) -> ObjectHead:
        """Facts of one version (the oldest without ``version``). Raises NotFound."""
        ...

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """The whole object in memory; for small ones. Raises NotFound."""
        ...

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        """Exactly ``length`` bytes from ``start``.

        Raises:
            NotFound: no such key or version.
            Malformed: ``bad_range``: the range is empty or passes the object's end.
        """
        ...

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        """The bytes from ``start`` (to the end without ``length``) in pieces of at most 1 MiB.

        The object is opened, and its absence noticed, before this returns; closing the iterator ends the
        read. The same errors as :meth:`read`; ``Unavailable`` in the midst of it.
        """
        ...

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """The oldest version of every key under ``prefix``, in key order, after ``start_after``.

        Keys that are hidden by a delete marker are listed all the same.
        """
        ...

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version and delete marker under ``prefix``: by key, oldest first within a key."""
        ...

    def common_prefixes(self, folder: str) -> Iterator[str]:
        """What the names under ``folder`` go on with up to their next slash: each once, in order, whole.

        ``folder`` is empty or ends in a slash, and so do they. One whose objects are all gone may be named.
        """
        ...

    def extend_lock(self, key: str, lock: Lock, *, version: str) -> None:
        """Set or lengthen retention. Raises Refused ``lock_shortened`` for less than there is."""
        ...

    def place_hold(self, key: str, *, version: str) -> None:
        """Set the legal hold flag; idempotent."""
        ...

    def release_hold(self, key: str, *, version: str) -> None:
        """Clear the legal hold flag; idempotent."""
        ...

    def delete_version(self, key: str, *, version: str) -> None:
        """Destroy one version; idempotent when it is already gone.

        Raises:
            Refused: ``under_retention`` or ``under_hold``.
        """
        ...

    def delete_versions(self, items: Sequence[DoomedVersion]) -> Sequence[Deletion]:
        """Destroy up to 500 versions and tell of each, in the order given; idempotent.

        What a hold, a lock or the store itself keeps is reported and harms no other item. Nothing is ever
        bypassed. After an error any part may be done, and the same call may be repeated.

        Raises:
            Malformed: ``too_many_deletions``, ``bad_key``, ``bad_version``: nothing was deleted.
            Unavailable, Refused ``store_access_denied``: the store did not do the batch, or not all of it.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stores:
    """The three buckets of one archive."""

    footage: ObjectStore
    records: ObjectStore
    cache: ObjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexEntry:
    """A leaf on its way into the index, with the camera's place as it was then (cameras move)."""

    leaf: Leaf
    place: Place | None
    version: str = ""
    held: bool = False


class SegmentIndex(Protocol):
    """What recording and retrieval need of an index; ``search.index.Index`` is the whole of it."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent by (run, seq) or gap id; visible to queries when this returns."""
        ...

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, then run and seq."""
        ...

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """Gap records overlapping ``span``, ordered by start."""
        ...

    def high_water(self, camera: str) -> int | None:
        """The latest end of any segment or gap of the camera; None where nothing is known."""
        ...

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream; an older version than the one kept changes nothing."""
        ...


class Signer(Protocol):
    """A private key that signs and never leaves its holder: CMS and journal signatures."""

    @property
    def certificate_der(self) -> bytes:
        """The signer's X.509 certificate."""
        ...

    @property
    def chain_der(self) -> Sequence[bytes]:
        """Intermediate and root certificates, nearest first."""
        ...

    def sign_cms(self, data: bytes) -> bytes:
        """Detached CAdES-BES CMS (DER) over ``data``: ECDSA P-256 or RSA, SHA-256."""
        ...


class TimestampAuthority(Protocol):
    """An RFC 3161 time-stamping authority."""

    @property
    def name(self) -> str:
        """What packages call it; ``local`` for the one on this machine."""
        ...

    def stamp(self, data: bytes) -> bytes:
        """A DER TimeStampResp over SHA-256 of ``data``. Raises Unavailable ``tsa_unavailable``."""
        ...


class SecretBox(Protocol):
    """Encrypts the secrets of camera URLs with a key kept outside the archive."""

    def seal(self, plain: str) -> str:
        """An opaque ASCII token."""
        ...

    def open(self, token: str) -> str:
        """The plain text. Raises IntegrityError ``secret_unreadable`` for a wrong key or altered token."""
        ...
