"""``S3Store``: the port's methods as S3 requests."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from archive.errors import NotFound, Refused
from archive.objects import checks as rules
from archive.objects.s3.body import BodyPieces
from archive.objects.s3.connection import Connection, connect
from archive.objects.s3.deletions import delete_batch
from archive.objects.s3.heads import head_of_answer, head_of_headers
from archive.objects.s3.listing import Listing
from archive.objects.s3.locks import lock_of, set_hold, set_lock
from archive.objects.s3.puts import ConditionalPuts
from archive.objects.s3.quick import Opened, sha256_of
from archive.objects.s3.repeat import repeated
from archive.objects.s3.trouble import altered, bucket_missing, is_lock_refusal, translated
from archive.ports import (
    Content,
    Deletion,
    DeletionOutcome,
    DoomedVersion,
    Lock,
    ObjectHead,
    ObjectVersion,
    Stored,
)

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import GetObjectRequestTypeDef

_WAIT = "Wait until it has expired."
_HELD = "It stays until the hold is released."


class S3Store:
    """An :class:`archive.ports.ObjectStore` in one bucket.

    The bucket must exist; footage and records need versioning and Object Lock. ``connection`` comes
    from :func:`archive.objects.s3.connect`; stores and threads may share it. Raises only errors of
    :mod:`archive.errors`.
    """

    def __init__(self, bucket: str, *, connection: Connection) -> None:
        self._bucket = bucket
        self._client = connection.client
        self._quick = connection.quick
        self._listing = Listing(connection.client, bucket, connection.quick)
        self._puts = ConditionalPuts(
            connection.client, connection.quick, bucket, self._listing, self._sha256_of_version
        )

    @classmethod
    def connect(
        cls,
        endpoint: str | None,
        region: str | None,
        bucket: str,
        *,
        pool_size: int = 32,
        connect_timeout: float = 3.0,
        read_timeout: float = 20.0,
    ) -> Self:
        """A store with its own connection; see :func:`archive.objects.s3.connect`."""
        connection = connect(
            endpoint, region, pool_size=pool_size, connect_timeout=connect_timeout, read_timeout=read_timeout
        )
        return cls(bucket, connection=connection)

    def put(
        self,
        key: str,
        content: Content,
        *,
        metadata: Mapping[str, str] | None = None,
        lock: Lock | None = None,
        hold: bool = False,
    ) -> Stored:
        """Store if absent; see the port. An existing object keeps its own lock, hold and metadata.

        After an unclear answer, or if the key is taken, the stored SHA-256 decides. An account that may
        put but not read gets the answer ``created=False`` with the version "" if the key carries the
        content's hash, and otherwise Refused ``store_access_denied``.
        """
        rules.check_object_key(key)
        rules.check_size(key, content.size)
        with self._locking():
            return self._puts.put(key, content, metadata=rules.check_metadata(metadata), lock=lock, hold=hold)

    def head(self, key: str, *, version: str | None = None) -> ObjectHead:
        """Facts of one version. ``stored_at`` is exact to the second."""
        found = self._version(key, version)
        try:
            return repeated(lambda: self._head(key, found))
        except NotFound:
            self._require_bucket()
            raise

    def get(self, key: str, *, version: str | None = None) -> bytes:
        """The whole object, checked by the store's checksum. Raises IntegrityError ``object_altered``."""
        found = self._version(key, version)

        def ask() -> bytes:
            opened = self._open(key, found, 0, None)
            with translated(f"reading {key}"):
                data = opened.body.read()
            if opened.sha256 not in (None, hashlib.sha256(data).hexdigest()):
                raise altered(f"reading {key}")
            return data

        return repeated(ask)

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        """Exactly ``length`` bytes from ``start``."""
        rules.check_range(key, start, length)
        found = self._version(key, version)

        def ask() -> bytes:
            opened = self._open(key, found, start, start + length)
            if opened.size != length:
                opened.body.close()
                raise rules.bad_range(key, start, length)
            with translated(f"reading {key}"):
                return opened.body.read()

        return repeated(ask)

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Iterator[bytes]:
        """The bytes from ``start``, in pieces of at most 1 MiB; a broken connection is resumed."""
        rules.check_range(key, start, length)
        found = self._version(key, version)
        end = None if length is None else start + length
        opened = repeated(lambda: self._open(key, found, start, end))
        if length is not None and opened.size != length:
            opened.body.close()
            raise rules.bad_range(key, start, length)
        last = start + opened.size
        return BodyPieces(key, opened.body, start, last, lambda at: self._open(key, found, at, last).body)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        """The oldest version of every key under ``prefix``, in key order."""
        rules.check_prefix(prefix)
        return self._oldest_in(prefix, start_after)

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Every version and delete marker under ``prefix``: by key, oldest first."""
        rules.check_prefix(prefix)
        groups = self._listing.keys_with_versions(prefix)
        return (version for group in groups for version in group)

    def common_prefixes(self, folder: str) -> Iterator[str]:
        """S3's common prefixes at the slash; also those of names hidden by delete markers."""
        rules.check_folder(folder)
        return self._listing.common_prefixes(folder)

    def extend_lock(self, key: str, lock: Lock, *, version: str) -> None:
        """Set or lengthen retention; see the port."""
        rules.check_object_key(key)
        rules.check_version(key, version)
        wanted = rules.whole_seconds(lock)
        with self._locking():
            present = lock_of(self._client, self._bucket, key, version)
            rules.refuse_weaker_lock(key, present, wanted)
            if present == wanted:
                return
            try:
                set_lock(self._client, self._bucket, key, version, wanted)
            except Refused as error:
                if error.code != "store_locked":
                    raise
                # Another process lengthened it meanwhile.
                raise Refused(error.message, code="lock_shortened", hint=error.hint) from error

    def place_hold(self, key: str, *, version: str) -> None:
        """Set the legal hold."""
        rules.check_object_key(key)
        rules.check_version(key, version)
        with self._locking():
            set_hold(self._client, self._quick, self._bucket, key, version, "ON")

    def release_hold(self, key: str, *, version: str) -> None:
        """Clear the legal hold."""
        rules.check_object_key(key)
        rules.check_version(key, version)
        with self._locking():
            set_hold(self._client, self._quick, self._bucket, key, version, "OFF")

    def delete_version(self, key: str, *, version: str) -> None:
        """Destroy one version unless hold or retention forbids it; never with the right to bypass them."""
        rules.check_object_key(key)
        rules.check_version(key, version)

        def ask() -> None:
            with translated(f"deleting {key}"):
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

        try:
            repeated(ask)
        except NotFound:
            return
        except Refused as error:
            if is_lock_refusal(error):
                raise self._why_kept(key, version, error) from error
            raise

    def delete_versions(self, items: Sequence[DoomedVersion]) -> Sequence[Deletion]:
        """Destroy a batch in one request; for each version that the store keeps, find out why."""
        rules.check_doomed(items)
        return delete_batch(self._client, self._bucket, items, self._kept)

    def _kept(self, item: DoomedVersion) -> Deletion:
        """Why a version is still there after the store refused to delete it."""
        try:
            head = self.head(item.key, version=item.version)
        except NotFound:
            return Deletion(item.key, item.version, DeletionOutcome.GONE)
        except Refused:
            return Deletion(item.key, item.version, DeletionOutcome.REFUSED)
        if head.held:
            return Deletion(item.key, item.version, DeletionOutcome.UNDER_HOLD)
        if head.lock is not None:
            return Deletion(item.key, item.version, DeletionOutcome.UNDER_RETENTION, head.lock.until)
        return Deletion(item.key, item.version, DeletionOutcome.REFUSED)

    def _sha256_of_version(self, key: str, version: str) -> str:
        """The store's own checksum; for an object without one, that of its bytes."""
        told = self.head(key, version=version).sha256
        if told is not None:
            return told
        digest = hashlib.sha256()
        for piece in self.stream(key, version=version):
            digest.update(piece)
        return digest.hexdigest()

    def _version(self, key: str, version: str | None) -> str:
        """The requested version, or else the oldest."""
        rules.check_object_key(key)
        if version:
            return version
        oldest = self._listing.oldest_version(key)
        if oldest is None:
            raise NotFound(f"{key} is not in the store")
        return oldest.version

    def _head(self, key: str, version: str) -> ObjectHead:
        with translated(f"looking at {key}"):
            if self._quick is not None:
                headers = self._quick.head(self._bucket, key, version)
                if headers is not None:
                    return head_of_headers(key, version, headers)
            answer = self._client.head_object(
                Bucket=self._bucket, Key=key, VersionId=version, ChecksumMode="ENABLED"
            )
        return head_of_answer(key, version, answer)

    @contextmanager
    def _locking(self) -> Iterator[None]:
        """MinIO reports a missing bucket, too, as one without Object Lock."""
        try:
            yield
        except Refused as error:
            if error.code == "bucket_without_lock":
                self._require_bucket()
            raise

    def _require_bucket(self) -> None:
        """Distinguish a missing bucket from a missing object, which a HEAD's answer does not."""
        try:
            with translated("looking at the bucket"):
                self._client.head_bucket(Bucket=self._bucket)
        except NotFound as error:
            raise bucket_missing("looking at the bucket") from error
        except Refused:
            # It exists, but this account may not read it.
            return

    def _open(self, key: str, version: str, start: int, end: int | None) -> Opened:
        """The bytes from ``start`` to ``end``. Without a range an empty object can be read too."""
        byte_range = None if not start and end is None else f"bytes={start}-{'' if end is None else end - 1}"
        with translated(f"reading {key}"):
            if self._quick is not None:
                opened = self._quick.open(self._bucket, key, version, byte_range)
                if opened is not None:
                    return opened
            request: GetObjectRequestTypeDef = {"Bucket": self._bucket, "Key": key, "VersionId": version}
            if byte_range is None:
                request["ChecksumMode"] = "ENABLED"
            else:
                request["Range"] = byte_range
            answer = self._client.get_object(**request)
            return Opened(answer["Body"], answer["ContentLength"], sha256_of(answer.get("ChecksumSHA256")))

    def _why_kept(self, key: str, version: str, error: Refused) -> Refused:
        """Whether lock or hold made the store refuse a deletion, as far as this account may see."""
        try:
            head = self.head(key, version=version)
        except Refused:
            if error.code == "store_access_denied":
                return error
            return Refused(f"{key} is locked or held", code="under_retention", hint=error.hint)
        if head.held:
            return Refused(f"{key} is under a legal hold", code="under_hold", hint=_HELD)
        if head.lock is not None:
            return Refused(
                f"{key} is under retention", code="under_retention", hint="Wait until it has expired."
            )
        return error

    def _oldest_in(self, prefix: str, start_after: str) -> Iterator[ObjectVersion]:
        for group in self._listing.keys_with_versions(prefix, start_after):
            oldest = next((version for version in group if not version.deleted), None)
            if oldest is not None:
                yield oldest
