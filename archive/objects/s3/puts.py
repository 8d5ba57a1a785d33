"""Put-if-absent: one request, and the truth after an unclear answer or a refusal."""

import base64
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, cast

from archive.errors import ArchiveError, IntegrityError, Refused, StoreFull, Unavailable
from archive.objects import rules
from archive.objects.s3.body import SMALL, PromisedReader, small_body
from archive.objects.s3.listing import Listing
from archive.objects.s3.locks import default_lock
from archive.objects.s3.quick import sha256_of
from archive.objects.s3.repeat import waits, worthwhile
from archive.objects.s3.trouble import Taken, translated
from archive.ports import Content, Lock, Stored
from archive.timespan import as_datetime

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import PutObjectOutputTypeDef, PutObjectRequestTypeDef

UNVERSIONED = "null"
"""The version id of an object in a bucket without versions."""


class ConditionalPuts:
    """Puts into one bucket. ``sha256_of_version`` tells the SHA-256 of a stored version."""

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        listing: Listing,
        sha256_of_version: Callable[[str, str], str],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._listing = listing
        self._sha256_of_version = sha256_of_version

    def put(
        self, key: str, content: Content, *, metadata: Mapping[str, str], lock: Lock | None, hold: bool
    ) -> Stored:
        """See :meth:`archive.objects.s3.store.S3Store.put`."""
        request = self._request(key, content, metadata, lock, hold)
        pauses = waits()
        while True:
            failure: ArchiveError
            try:
                return self._confirmed(key, content, self._send(key, content, request))
            except Taken:
                settled = self._taken(key, content)
                failure = Unavailable(
                    f"{key} was refused as present, but is not there", code="store_unavailable"
                )
                again = True
            except Unavailable as error:
                if isinstance(error, StoreFull) or error.code == "content_unreadable":
                    raise
                settled = self._arrived(key, content)
                failure, again = error, worthwhile(error)
            if settled is not None:
                return settled
            pause = next(pauses, None) if again else None
            if pause is None:
                raise failure
            time.sleep(pause)

    def _request(
        self, key: str, content: Content, metadata: Mapping[str, str], lock: Lock | None, hold: bool
    ) -> "PutObjectRequestTypeDef":
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "ContentLength": content.size,
            "ChecksumSHA256": base64.b64encode(bytes.fromhex(content.sha256)).decode("ascii"),
            "IfNoneMatch": "*",
            "Metadata": metadata,
        }
        if hold:
            request["ObjectLockLegalHoldStatus"] = "ON"
            if lock is None:
                # A put with a hold alone gets no retention, not even the bucket's default (measured).
                lock = default_lock(self._client, self._bucket)
        if lock is not None:
            request["ObjectLockMode"] = lock.mode.value
            request["ObjectLockRetainUntilDate"] = as_datetime(rules.whole_seconds(lock).until)
        return request

    def _send(
        self, key: str, content: Content, request: "PutObjectRequestTypeDef"
    ) -> "PutObjectOutputTypeDef":
        attempt = request.copy()
        if content.size <= SMALL:
            attempt["Body"] = small_body(key, content)
            with translated(f"storing {key}"):
                return self._client.put_object(**attempt)
        with rules.opened(key, content) as reader, translated(f"storing {key}"):
            attempt["Body"] = cast("StreamingBody", PromisedReader(key, reader, content.size))
            return self._client.put_object(**attempt)

    def _confirmed(self, key: str, content: Content, answer: "PutObjectOutputTypeDef") -> Stored:
        if sha256_of(answer.get("ChecksumSHA256")) != content.sha256:
            raise IntegrityError(
                f"the store does not confirm the SHA-256 of {key}",
                code="checksum_unconfirmed",
                hint="This store does not check SHA-256; use one that does.",
            )
        version = answer.get("VersionId") or UNVERSIONED
        if version != UNVERSIONED and not rules.names_its_content(key, content.sha256):
            try:
                oldest = self._listing.oldest_version(key)
            except Refused:
                # An account that may only put; readers take the oldest version all the same.
                oldest = None
            if oldest is not None and oldest.version != version:
                return self._compared(key, content, oldest.version)
        return Stored(key, version, content.sha256, created=True)

    def _taken(self, key: str, content: Content) -> Stored | None:
        """The answer for a key the store calls taken; None if nothing is there any more."""
        try:
            return self._present(key, content)
        except Refused:
            if rules.names_its_content(key, content.sha256):
                return Stored(key, "", content.sha256, created=False)
            raise

    def _arrived(self, key: str, content: Content) -> Stored | None:
        """The answer for a put whose answer was lost; None where nothing is known to have arrived."""
        try:
            return self._present(key, content)
        except (Refused, Unavailable):
            return None

    def _present(self, key: str, content: Content) -> Stored | None:
        oldest = self._listing.oldest_version(key)
        return None if oldest is None else self._compared(key, content, oldest.version)

    def _compared(self, key: str, content: Content, version: str) -> Stored:
        sha256 = self._sha256_of_version(key, version)
        if sha256 != content.sha256:
            raise rules.taken_by_other_bytes(key, sha256, content.sha256)
        return Stored(key, version, sha256, created=False)
