"""The services that the archive needs from outside, as small protocols.

Adapters do not inherit from these; mypy and the conformance suites hold them to the contract. Every method
raises only errors of :mod:`archive.errors`.
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

    Each call of ``open`` gives a fresh reader from the first byte. A retry can start over, and nothing large
    is held in memory.
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
        """A file whose SHA-256 was taken when it was closed; the store compares it."""
        return cls(path.stat().st_size, sha256, lambda: path.open("rb"))


class LockMode(StrEnum):
    """Object Lock modes: GOVERNANCE for footage and records, COMPLIANCE for checkpoints and evidence."""

    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True, slots=True)
class Lock:
    """Retention of one object version: it must not be deleted before ``until`` (µs)."""

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
    """The store's facts about one version; ``sha256`` is the store's own checksum, None without one."""

    key: str
    version: str
    size: int
    stored_at: int
    sha256: str | None
    lock: Lock | None
    held: bool
    metadata: Mapping[str, str] = field(default_factory=dict)


MAX_DELETIONS = 500
"""The most versions in one batch of deletions."""


@dataclass(frozen=True, slots=True)
class DoomedVersion:
    """One version that must be destroyed."""

    key: str
    version: str


class DeletionOutcome(StrEnum):
    """What happened to one doomed version; the last three mean that it stays."""

    DELETED = "deleted"
    GONE = "gone"
    UNDER_HOLD = "under_hold"
    UNDER_RETENTION = "under_retention"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Deletion:
    """The outcome for one version. ``until`` is its lock's end (µs), if retention kept it.

    Some stores cannot distinguish a version they destroyed from one that was absent; they report
    ``deleted`` for both.
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
    """The store's answer to a put. ``created`` is False when the same bytes were already there."""

    key: str
    version: str
    sha256: str
    created: bool


class ObjectStore(Protocol):
    """One bucket of immutable, versioned objects. Thread-safe; synchronous.

    Keys pass :func:`archive.keys.check_key`. Saksi never gives a key a second version (I9). If a key has
    several, the *oldest* is the object: later versions and delete markers never mislead readers.
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
        """Store durably if absent; the store checks the SHA-256.

        Idempotent: for the same bytes under the same key it returns the version already there, so a retry
        after a lost answer is safe.

        Raises:
            AlreadyExists: the key holds other bytes, which stay.
            IntegrityError: ``checksum_mismatch``: the bytes differ from ``content``'s hash; none are kept.
            Malformed: ``bad_key``, ``bad_metadata``.
            StoreFull, Unavailable: it is unknown whether the bytes were stored; try again.
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
            Malformed: ``bad_range``: the range is empty or reaches past the object's end.
        """
        ...

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        """The bytes from ``start`` (without ``length`` up to the end) in pieces of at most 1 MiB.

        The object is opened before this returns, so NotFound is raised here. Closing the iterator ends the
        read. Errors as :meth:`read`; ``Unavailable`` may also come in the middle of the iteration.
        """
        ...

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """The oldest version of every key under ``prefix``, in key order, after ``start_after``.

        Keys hidden by a delete marker are listed too.
        """
        ...

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version and delete marker under ``prefix``: by key, oldest first within a key."""
        ...

    def common_prefixes(self, folder: str) -> Iterator[str]:
        """The subfolders directly under ``folder``: each once, in order, with its whole name.

        ``folder`` is empty or ends in a slash; each subfolder ends in a slash. A subfolder whose objects are
        all gone may still be listed.
        """
        ...

    def extend_lock(self, key: str, lock: Lock, *, version: str) -> None:
        """Set or lengthen retention. Raises Refused ``lock_shortened`` if the lock would end earlier."""
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
        """Destroy up to 500 versions and report on each, in the order given; idempotent.

        A version that a hold, a lock or the store itself keeps is reported; the other items are not
        affected. No lock is ever bypassed. After an error any part of the batch may be done, and the caller
        may repeat the same call.

        Raises:
            Malformed: ``too_many_deletions``, ``bad_key``, ``bad_version``: nothing was deleted.
            Unavailable, Refused ``store_access_denied``: the store did not finish the batch.
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
    """The part of the index that recording and retrieval need; ``search.index.Index`` is the whole index."""

    def add(self, entries: Sequence[IndexEntry]) -> None:
        """Index leaves; idempotent by (run, seq) or gap id. Queries see them when this returns."""
        ...

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``, ordered by start, then run and seq."""
        ...

    def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
        """Gap records overlapping ``span``, ordered by start."""
        ...

    def high_water(self, camera: str) -> int | None:
        """The latest end of any segment or gap of the camera; None if the index has none."""
        ...

    def put_document(self, kind: str, entity: str, version: int, state: JsonObject) -> None:
        """Keep the newest state of a ledger stream; a version older than the kept one changes nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Something that is written down, as the index finds it: a custody event, a request, a hold.

    ``at`` (µs) and then ``id`` order the records of a kind; ``at`` never changes for an id, which has at
    most 128 characters. ``terms`` are the exact words it is found by, such as ``person:user:citra``: at most
    300 of at most 600 characters.
    ``touches`` is the footage that it is about; None if that is not known, and then it cannot be ruled out.
    ``body`` is what a list shows.
    """

    kind: str
    id: str
    version: int
    at: int
    terms: frozenset[str] = frozenset()
    touches: Timespan | None = None
    body: JsonObject = field(default_factory=dict)

    @property
    def position(self) -> tuple[int, str]:
        """Its place among the records of its kind."""
        return self.at, self.id


class RecordOrder(StrEnum):
    """The order of an answer: by ``at``, then by id."""

    OLDEST_FIRST = "oldest_first"
    NEWEST_FIRST = "newest_first"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordQuery:
    """Records of one kind that pass every filter given.

    A record has all of ``terms``, and one of each set in ``any_of``: a set that is empty admits nothing. Its
    ``at`` lies in ``span``, and it touches ``touching`` or does not say what it touches. ``after`` is the
    position of the last record of the previous page.
    """

    kind: str
    terms: tuple[str, ...] = ()
    any_of: tuple[frozenset[str], ...] = ()
    span: Timespan | None = None
    touching: Timespan | None = None
    order: RecordOrder = RecordOrder.OLDEST_FIRST
    after: tuple[int, str] | None = None


class RecordIndex(Protocol):
    """The part of the index that finds what is written down; ``search.index.Index`` is the whole index."""

    def put_records(self, records: Sequence[Record]) -> None:
        """Index records; idempotent by (kind, id). A version older than the kept one changes nothing.

        Every query sees them when this returns. After an error any part may be written.

        Raises:
            Malformed: ``bad_record``: a kind, id, term or body that cannot be indexed; none is written.
        """
        ...

    def remove_records(self, kind: str, ids: Sequence[str]) -> None:
        """Remove records, whose entries were disposed of; idempotent. They are not put again."""
        ...

    def remove_streams(self, kind: str, ids: Sequence[str]) -> None:
        """Remove ledger streams that were disposed of: their records, and their documents; idempotent.

        The acts of their entries are records of their own, which :meth:`remove_records` removes.
        """
        ...

    def find_records(self, query: RecordQuery, *, limit: int) -> Sequence[Record]:
        """The first ``limit`` matches in the query's order.

        Raises:
            Malformed: ``bad_limit`` unless 1 ≤ limit ≤ 1,000; ``bad_filter`` for more than 1,000 words in
                ``terms`` or in a set; ``bad_cursor`` for a position that no record has; ``bad_record`` for a
                kind.
        """
        ...

    def count_records(self, query: RecordQuery, *, most: int) -> int:
        """How many records match, counted up to ``most``; the query's order and ``after`` do not matter.

        It costs what it counts, however many records there are, and reads none of their bodies.

        Raises:
            Malformed: as :meth:`find_records`; ``bad_limit`` unless 1 ≤ most ≤ 100,000.
        """
        ...

    def record(self, kind: str, name: str) -> Record | None:
        """One record by its id, or None."""
        ...

    def record_marks(self, name: str) -> Mapping[str, int]:
        """The numbers kept under a name by :meth:`keep_record_marks`; empty if there are none."""
        ...

    def keep_record_marks(self, name: str, marks: Mapping[str, int]) -> None:
        """Keep numbers under a name, by key; a smaller number than the kept one changes nothing.

        The follower keeps here, for each hour of custody, how many objects are wholly in the index.
        """
        ...


class Signer(Protocol):
    """A private key for CMS and journal signatures. The key never leaves its holder."""

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
        """The name that packages use for it; ``local`` for the authority on this machine."""
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
