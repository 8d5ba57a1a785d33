"""One segment against its leaf, its name, the store's checksum, its lock and its hold."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from archive import keys
from archive.errors import ArchiveError, IntegrityError, Malformed, NotFound
from archive.integrity.fixity.hashing import hash_object
from archive.integrity.fixity.locks import LockRules
from archive.integrity.fixity.pace import Pace
from archive.model import leaf as leaves
from archive.model.finding import Finding
from archive.model.segment import Segment
from archive.ports import ObjectHead, ObjectStore, ObjectVersion
from archive.timespan import Timespan


@dataclass(frozen=True, slots=True)
class Promise:
    """What a journal line states about a segment: SHA-256 and number of its bytes, and its span."""

    sha256: str
    size: int
    span: Timespan


@dataclass(frozen=True, slots=True)
class Examined:
    """One stored key after its check; ``size`` counts the bytes that were hashed."""

    key: str
    size: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Examiner:
    """Checks segments. Thread-safe."""

    footage: ObjectStore
    rules: LockRules
    pace: Pace

    def examine(self, versions: Sequence[ObjectVersion], promise: Promise | None) -> Examined:
        """Check one key, whose versions and delete markers are given oldest first.

        Raises:
            Unavailable, Refused: as the store; then nothing is known about the segment.
        """
        key = versions[0].key
        found = list(surplus(versions))
        oldest = next((version for version in versions if not version.deleted), None)
        size = 0
        if oldest is None:
            found.append(Finding("segment_missing", key, "only a delete marker is left"))
        else:
            try:
                size = self._bytes(oldest, promise, found)
            except NotFound:
                found.append(Finding("segment_missing", key, "it vanished during the check"))
            except IntegrityError as error:
                found.append(Finding(error.code, key, error.message))
        return Examined(key, size, tuple(found))

    def _bytes(self, version: ObjectVersion, promise: Promise | None, found: list[Finding]) -> int:
        key = version.key
        head = self.footage.head(key, version=version.version)
        try:
            name = keys.parse_segment_key(key)
        except Malformed as error:
            found.append(Finding("foreign_object", key, error.message))
            return 0
        own = _own_leaf(head)
        if own is None:
            found.append(Finding("leaf_missing", key, "its own metadata contains no leaf for it"))
        elif promise is not None and (own.sha256, own.size) != (promise.sha256, promise.size):
            found.append(Finding("leaf_differs", key, "its own leaf differs from the journal's"))
        stated = promise or (None if own is None else Promise(own.sha256, own.size, own.span))
        if head.sha256 is not None and not head.sha256.startswith(name.sha16):
            found.append(Finding("checksum_differs", key, "the store's checksum does not match the name"))
        digest = hash_object(self.footage, key, version.version, self.pace)
        found.extend(_compared(key, name.sha16, head, stated, digest.sha256, digest.size))
        if stated is not None:
            found.extend(self.rules.findings(name.camera, stated.span, head))
        return digest.size


def surplus(versions: Sequence[ObjectVersion]) -> Iterator[Finding]:
    """I9: versions and markers of one key beside its oldest version."""
    key = versions[0].key
    if any(version.deleted for version in versions):
        yield Finding("delete_marker", key, "it was deleted; readers still see the oldest version")
    count = sum(not version.deleted for version in versions)
    if count > 1:
        yield Finding("second_version", key, f"it has {count} versions; readers take the oldest")


def _compared(
    key: str, sha16: str, head: ObjectHead, stated: Promise | None, sha256: str, size: int
) -> Iterator[Finding]:
    wanted = sha16 if stated is None else stated.sha256
    facts = {"recorded_sha256": wanted, "found_sha256": sha256, "found_bytes": size}
    if stated is not None and (size != stated.size or head.size != stated.size):
        yield Finding("size_differs", key, f"it has {size} bytes, {stated.size} on record", facts)
    if not sha256.startswith(wanted):
        yield Finding("bytes_differ", key, "its bytes no longer have the recorded SHA-256", facts)
    elif head.sha256 is not None and head.sha256 != sha256:
        yield Finding("checksum_differs", key, "the store's checksum differs from its bytes", facts)


def _own_leaf(head: ObjectHead) -> Segment | None:
    try:
        leaf = leaves.decode(head.metadata.get("leaf", "").encode("ascii"))
    except (ArchiveError, UnicodeEncodeError):
        return None
    return leaf if isinstance(leaf, Segment) and leaf.key == head.key else None
