"""Translates the errors of botocore, urllib3 and S3 into the archive's own; the only place that does.

Messages are built from our own words and the store's error code; messages of libraries are left out, since
they may quote requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import urllib3
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    FlexibleChecksumError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)

from archive.errors import (
    ArchiveError,
    IntegrityError,
    Malformed,
    NotFound,
    Refused,
    StoreFull,
    Unavailable,
)

_NOT_FOUND = frozenset({"NoSuchKey", "NoSuchVersion", "404", "405", "MethodNotAllowed"})
_TAKEN = frozenset({"PreconditionFailed", "412"})
_CHECKSUM = frozenset(
    {"XAmzContentChecksumMismatch", "BadDigest", "XAmzContentSHA256Mismatch", "InvalidDigest"}
)
_FULL = frozenset(
    {"XMinioStorageFull", "StorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "507"}
)
_DENIED = frozenset({"AccessDenied", "AllAccessDisabled", "403"})
_CREDENTIALS = frozenset({"InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken"})
_BAD_KEY = frozenset({"KeyTooLongError", "XMinioInvalidObjectName"})
_BUSY = frozenset(
    {
        "ConditionalRequestConflict",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "SlowDownRead",
        "SlowDownWrite",
    }
)
_MISCONFIGURED = "Provision the buckets: they need versioning and Object Lock."


class Taken(Exception):
    """Used only inside this package: the store refused a put because the key exists."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn every error of boto3, botocore and urllib3 in the block into an error of :mod:`archive.errors`.

    A refused put-if-absent becomes :class:`Taken`.
    """
    try:
        yield
    except ClientError as error:
        if _code(error) in _TAKEN:
            raise Taken from error
        raise _answered(doing, error) from error
    except (ReadTimeoutError, ConnectTimeoutError) as error:
        raise Unavailable(
            f"{doing}: the store did not answer in time",
            code="store_timeout",
            hint="The store hangs or the network drops packets; nothing is known to be lost.",
        ) from error
    except HTTPClientError as error:
        raise _unreached(doing, error) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise Refused(
            f"{doing}: there are no credentials for the object store",
            code="store_credentials_missing",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        ) from error
    except ParamValidationError as error:
        raise Malformed(
            f"{doing}: the request has no valid form",
            code="bad_request",
            hint="Check the bucket's name and the endpoint.",
        ) from error
    except FlexibleChecksumError as error:
        raise altered(doing) from error
    except (BotoCoreError, urllib3.exceptions.HTTPError, OSError) as error:
        raise _unavailable(doing, type(error).__name__) from error


def altered(doing: str) -> IntegrityError:
    """The error for bytes that differ from the store's checksum."""
    return IntegrityError(
        f"{doing}: the received bytes differ from the store's checksum",
        code="object_altered",
        hint="Read it again; if the error stays, the object was altered in the store: an integrity incident.",
    )


def bucket_missing(doing: str) -> Unavailable:
    """The error for a missing bucket, as opposed to a missing object."""
    return Unavailable(f"{doing}: there is no such bucket", code="bucket_missing", hint=_MISCONFIGURED)


def is_lock_refusal(error: Refused) -> bool:
    """Whether a lock or a hold caused the refusal, or may have caused it."""
    return error.code in ("store_locked", "store_access_denied")


def check_item(doing: str, code: str) -> None:
    """Ignore a refusal of one item of a batch; raise an error that should stop the whole batch."""
    if code in _BUSY or code in ("InternalError", "ServiceUnavailable", "XMinioServerNotInitialized"):
        raise Unavailable(
            f"{doing}: the store answers {code}",
            code="store_unavailable",
            hint="The store is overloaded or starting.",
        )


def _unreached(doing: str, error: HTTPClientError) -> ArchiveError:
    inner = error.kwargs.get("error")
    if isinstance(inner, ArchiveError):
        # Raised by the content's own reader in the middle of a put.
        return inner
    return _unavailable(doing, type(error).__name__)


def _unavailable(doing: str, what: str) -> Unavailable:
    return Unavailable(
        f"{doing}: the store cannot be reached ({what})",
        code="store_unavailable",
        hint="Check that it runs and that the endpoint in SAKSI_ARCHIVE_URL is right.",
    )


def _code(error: ClientError) -> str:
    """The store's error code; a HEAD has no body, but MinIO names it in a header."""
    answer: Mapping[str, Any] = error.response
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return str(headers.get("x-minio-error-code") or answer.get("Error", {}).get("Code", ""))


def _answered(doing: str, error: ClientError) -> ArchiveError:
    answer: Mapping[str, Any] = error.response
    code = _code(error)
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    headers = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    says = str(headers.get("x-minio-error-desc") or answer.get("Error", {}).get("Message", "")).lower()
    message = f"{doing}: the store answers {code or status}"
    if code == "NoSuchBucket":
        return bucket_missing(doing)
    if code == "NoSuchObjectLockConfiguration":
        return NotFound(f"{doing}: it has no lock", code="no_lock")
    if code in _NOT_FOUND or (code == "InvalidArgument" and "version id" in says):
        return NotFound(f"{doing}: it is not in the store")
    if code in _CHECKSUM:
        return IntegrityError(
            message,
            code="checksum_mismatch",
            hint="The source changed, or was damaged, after its SHA-256 was taken; nothing was stored.",
        )
    if code in _FULL or status == 507:
        return StoreFull(
            f"{doing}: the store has no room",
            hint="Enlarge it, or dispose of footage as the rules permit; the put can be repeated.",
        )
    if code == "MetadataTooLarge":
        return Malformed(message, code="bad_metadata", hint="The store accepts less metadata than that.")
    if code == "EntityTooLarge":
        return Malformed(message, code="object_too_large", hint="An object has at most 5 GiB.")
    if code in ("InvalidRange", "416"):
        return Malformed(message, code="bad_range", hint="Read the object's size first.")
    if code in _BAD_KEY:
        return Malformed(message, code="bad_key", hint="The store cannot keep that name.")
    return _refused(doing, message, code, status, says)


def _refused(doing: str, message: str, code: str, status: int, says: str) -> ArchiveError:
    if "must be in the future" in says:
        return Malformed(
            f"{doing}: the requested lock has already ended",
            code="lock_in_the_past",
            hint="Give no lock, or one that ends in the future; check the clocks of both machines.",
        )
    if "objectlockconfiguration" in says or code == "ObjectLockConfigurationNotFoundError":
        return Refused(
            f"{doing}: the bucket has no Object Lock", code="bucket_without_lock", hint=_MISCONFIGURED
        )
    if code == "ObjectLocked" or "worm" in says:
        return Refused(message, code="store_locked", hint="A lock or a hold forbids it.")
    if code in _CREDENTIALS:
        return Refused(
            f"{doing}: the store does not accept these credentials",
            code="store_credentials_wrong",
            hint="Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    if code == "RequestTimeTooSkewed":
        return Unavailable(
            f"{doing}: the clocks of the store and of this machine differ too much",
            code="store_clock_skewed",
            hint="Synchronise both with NTP.",
        )
    if code in _DENIED or status == 403:
        return Refused(
            f"{doing}: the account may not do that",
            code="store_access_denied",
            hint="Check the account's policy in the store.",
        )
    if code in _BUSY or status >= 500 or status in (408, 409, 429):
        return Unavailable(message, code="store_unavailable", hint="The store is overloaded or starting.")
    return Refused(message, code="store_refused", hint="The store does not support the request.")
