"""Put-if-absent: one request, and a check after an unclear answer or a refusal."""

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from archive.errors import ArchiveError, IntegrityError, NotFound, Refused, StoreFull, Unavailable
from archive.objects import checks as rules
from archive.objects.s3.body import SMALL, PromisedReader, small_body
from archive.objects.s3.listing import Listing
from archive.objects.s3.locks import default_lock
from archive.objects.s3.quick import QuickRequests, sha256_of
from archive.objects.s3.repeat import waits, worthwhile
from archive.objects.s3.trouble import Taken, translated
from archive.ports import Content, Lock, ObjectVersion, Stored
from archive.timespan import as_datetime

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef

UNVERSIONED = "null"
"""The version id of an object in a bucket without versions."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """The store's answer to a put: the version id, and the SHA-256 that the store checked, in hex."""

    version: str | None
    sha256: str | None


class ConditionalPuts:
    """Puts into one bucket. ``sha256_of_version`` returns the SHA-256 of a stored version."""

    def __init__(
        self,
        client: "S3Client",
        quick: QuickRequests | None,
        bucket: str,
        listing: Listing,
        sha256_of_version: Callable[[str, str], str],
    ) -> None:
        self._client = client
        self._quick = quick
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
                    f"the store refused {key} as taken, but holds no such key", code="store_unavailable"
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
                # A put with only a hold gets no retention, not even the bucket's default (measured).
                lock = default_lock(self._client, self._bucket)
        if lock is not None:
            request["ObjectLockMode"] = lock.mode.value
            request["ObjectLockRetainUntilDate"] = as_datetime(rules.whole_seconds(lock).until)
        return request

    def _send(self, key: str, content: Content, request: "PutObjectRequestTypeDef") -> _Answer:
        attempt = request.copy()
        if content.size <= SMALL:
            body = small_body(key, content)
            with translated(f"storing {key}"):
                if self._quick is not None:
                    headers = self._quick.put(self._bucket, key, body, _as_headers(request))
                    if headers is not None:
                        return _Answer(
                            headers.get("x-amz-version-id"), sha256_of(headers.get("x-amz-checksum-sha256"))
                        )
                attempt["Body"] = body
                answer = self._client.put_object(**attempt)
        else:
            with rules.opened(key, content) as reader, translated(f"storing {key}"):
                attempt["Body"] = cast("StreamingBody", PromisedReader(key, reader, content.size))
                answer = self._client.put_object(**attempt)
        return _Answer(answer.get("VersionId"), sha256_of(answer.get("ChecksumSHA256")))

    def _confirmed(self, key: str, content: Content, answer: _Answer) -> Stored:
        if answer.sha256 != content.sha256:
            raise IntegrityError(
                f"the store does not confirm the SHA-256 of {key}",
                code="checksum_unconfirmed",
                hint="This store does not check SHA-256; use one that does.",
            )
        version = answer.version or UNVERSIONED
        if version != UNVERSIONED and not rules.names_its_content(key, content.sha256):
            for pause in (*waits(), None):
                oldest = self._oldest_if_named(key)
                if oldest is None or oldest.version == version:
                    break
                earlier = self._compared(key, content, oldest.version)
                if earlier is not None:
                    return earlier
                if pause is None:
                    raise Unavailable(
                        f"an older version of {key} is listed but cannot be read",
                        code="store_unavailable",
                        hint="The store may be damaged; check its own health report.",
                    )
                time.sleep(pause)
        return Stored(key, version, content.sha256, created=True)

    def _oldest_if_named(self, key: str) -> ObjectVersion | None:
        try:
            return self._listing.oldest_version(key)
        except Refused:
            # An account that may only put; readers still take the oldest version.
            return None

    def _taken(self, key: str, content: Content) -> Stored | None:
        """The answer for a key that the store reports as taken; None if it is no longer there."""
        try:
            return self._present(key, content)
        except Refused:
            if rules.names_its_content(key, content.sha256):
                return Stored(key, "", content.sha256, created=False)
            raise

    def _arrived(self, key: str, content: Content) -> Stored | None:
        """The answer for a put whose answer was lost; None if it is not known to have arrived."""
        try:
            return self._present(key, content)
        except (Refused, Unavailable):
            return None

    def _present(self, key: str, content: Content) -> Stored | None:
        oldest = self._listing.oldest_version(key)
        return None if oldest is None else self._compared(key, content, oldest.version)

    def _compared(self, key: str, content: Content, version: str) -> Stored | None:
        """The answer for a version that existed a moment ago; None if it was removed since."""
        try:
            sha256 = self._sha256_of_version(key, version)
        except NotFound:
            return None
        if sha256 != content.sha256:
            raise rules.taken_by_other_bytes(key, sha256, content.sha256)
        return Stored(key, version, sha256, created=False)


def _as_headers(request: "PutObjectRequestTypeDef") -> dict[str, str]:
    """The parameters of a put as S3 headers."""
    headers = {
        "If-None-Match": request["IfNoneMatch"],
        "x-amz-checksum-sha256": request["ChecksumSHA256"],
        **{f"x-amz-meta-{name}": text for name, text in request["Metadata"].items()},
    }
    if "ObjectLockLegalHoldStatus" in request:
        headers["x-amz-object-lock-legal-hold"] = request["ObjectLockLegalHoldStatus"]
    if "ObjectLockMode" in request:
        until = cast(datetime, request["ObjectLockRetainUntilDate"])
        headers["x-amz-object-lock-mode"] = request["ObjectLockMode"]
        headers["x-amz-object-lock-retain-until-date"] = until.strftime("%Y-%m-%dT%H:%M:%SZ")
    return headers
