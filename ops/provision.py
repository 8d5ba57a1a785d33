"""Making the three buckets of an archive, and making sure that they lock.

It runs with an administrator's credentials, once per archive; the accounts that Saksi works with have no
right to make buckets. Object Lock can be turned on only when a bucket is made, so a bucket that is there
without it is refused, never repaired. The only module that imports ``minio``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3
from minio import Minio
from minio.commonconfig import ENABLED, GOVERNANCE
from minio.error import MinioException, S3Error
from minio.objectlockconfig import DAYS, YEARS, ObjectLockConfig

from archive.errors import ArchiveError, Malformed, Refused, Unavailable

_DAYS_PER_YEAR = 365
_NO_LOCK = "ObjectLockConfigurationNotFoundError"
_EXISTS = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")
_WRONG_CREDENTIALS = ("InvalidAccessKeyId", "SignatureDoesNotMatch")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as it was found after provisioning; ``floor_days`` is None where nothing is locked."""

    name: str
    floor_days: int | None


def provision(
    endpoint: str,
    access_key: str,
    secret_key: str,
    name: str,
    *,
    footage_floor_days: int,
    records_lock_days: int,
    region: str | None = None,
) -> tuple[Bucket, Bucket, Bucket]:
    """Make ``name``, ``name-records`` (both versioned and locking) and ``name-cache`` (neither).

    Idempotent. The default retention is GOVERNANCE: what the law obliges us to destroy must stay
    destroyable. A longer default that is there already stays; a shorter one is raised. What is returned
    was read back from the store.

    Raises ``Malformed`` (``bucket_name_invalid``, ``store_endpoint_invalid``, ``lock_days_invalid``),
    ``Refused`` (``bucket_without_lock``, ``bucket_default_compliance``, ``bucket_not_versioned``,
    ``bucket_lock_not_kept``, ``cache_bucket_locked``, ``store_access_denied``,
    ``store_credentials_wrong``) and ``Unavailable`` (``store_unavailable``).
    """
    if footage_floor_days < 1 or records_lock_days < 1:
        raise Malformed("a lock lasts at least one day", code="lock_days_invalid")
    client = _connect(endpoint, access_key, secret_key, region)
    return (
        _locking(client, name, footage_floor_days),
        _locking(client, f"{name}-records", records_lock_days),
        _plain(client, f"{name}-cache"),
    )


def _connect(endpoint: str, access_key: str, secret_key: str, region: str | None) -> Minio:
    parts = urlsplit(endpoint)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path.strip("/"):
        raise Malformed(
            f"{endpoint!r} is no endpoint of a store",
            code="store_endpoint_invalid",
            hint="give scheme, host and port alone, as in http://127.0.0.1:19000",
        )
    # The library's own client waits five minutes for an answer. A MinIO that is still starting asks for a
    # minute's patience (Retry-After) and is ready after a second.
    transport = urllib3.PoolManager(
        timeout=urllib3.Timeout(connect=5, read=30),
        retries=urllib3.Retry(
            total=6,
            connect=1,
            backoff_factor=0.2,
            status_forcelist=[502, 503, 504],
            allowed_methods=None,
            respect_retry_after_header=False,
        ),
    )
    return Minio(
        parts.netloc, access_key, secret_key,
        secure=parts.scheme == "https", region=region, http_client=transport,
    )  # fmt: skip


def _locking(client: Minio, name: str, days: int) -> Bucket:
    with _translated(f"making bucket {name}"):
        _make(client, name, lock=True)
        found = _lock_of(client, name)
        if found is None:
            raise Refused(
                f"bucket {name} exists without Object Lock, which cannot be turned on later",
                code="bucket_without_lock",
                hint="remove that bucket, if it is empty, or choose another name in SAKSI_ARCHIVE_URL",
            )
        if found.mode not in (None, GOVERNANCE):
            raise Refused(
                f"bucket {name} locks everything in {found.mode} mode, which nobody could ever undo",
                code="bucket_default_compliance",
                hint="set its default retention to GOVERNANCE; evidence is locked harder one by one",
            )
        if (_days(found) or 0) < days:
            client.set_object_lock_config(name, ObjectLockConfig(GOVERNANCE, days, DAYS))
            found = _lock_of(client, name)
        floor = None if found is None else _days(found)
        if floor is None or floor < days:
            raise Refused(
                f"the store accepted a default retention of {days} days for {name} but does not keep it",
                code="bucket_lock_not_kept",
                hint="this store does not implement Object Lock; use one that does",
            )
        if client.get_bucket_versioning(name).status != ENABLED:
            raise Refused(
                f"bucket {name} is not versioned, so a second put would destroy the first",
                code="bucket_not_versioned",
                hint="turn versioning on for it, or use a store that keeps it on under Object Lock",
            )
    return Bucket(name, floor)


def _plain(client: Minio, name: str) -> Bucket:
    with _translated(f"making bucket {name}"):
        _make(client, name, lock=False)
        if _lock_of(client, name) is not None:
            raise Refused(
                f"bucket {name} has Object Lock, so what is cached there could not be thrown away",
                code="cache_bucket_locked",
                hint="remove that bucket; it is made again without",
            )
    return Bucket(name, None)


def _make(client: Minio, name: str, *, lock: bool) -> None:
    # Not asked first whether it exists: a HEAD has no body, so its refusal would not say why.
    try:
        client.make_bucket(name, object_lock=lock)
    except S3Error as error:
        if error.code not in _EXISTS:
            raise


def _lock_of(client: Minio, name: str) -> ObjectLockConfig | None:
    try:
        return client.get_object_lock_config(name)
    except S3Error as error:
        if error.code == _NO_LOCK:
            return None
        raise


def _days(lock: ObjectLockConfig) -> int | None:
    if lock.duration is None:
        return None
    return lock.duration * (_DAYS_PER_YEAR if lock.duration_unit == YEARS else 1)


@contextmanager
def _translated(doing: str) -> Iterator[None]:
    """The one place where errors of minio-py, and of urllib3 below it, become ours."""
    try:
        yield
    except S3Error as error:
        raise _translate(doing, error) from error
    except (MinioException, urllib3.exceptions.HTTPError) as error:
        raise Unavailable(
            f"{doing}: the store does not answer ({error})",
            code="store_unavailable",
            hint="check that it runs and that the endpoint is right",
        ) from error
    except ValueError as error:
        # Raised by the library before anything is sent.
        raise Malformed(f"{doing}: {error}", code="bucket_name_invalid") from error


def _translate(doing: str, error: S3Error) -> ArchiveError:
    if error.code in _WRONG_CREDENTIALS:
        return Refused(
            f"{doing}: the store does not know these credentials",
            code="store_credentials_wrong",
            hint="check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        )
    if error.code == "AccessDenied":
        return Refused(
            f"{doing}: the credentials do not permit it",
            code="store_access_denied",
            hint="provision with an administrator's credentials",
        )
    return Unavailable(f"{doing}: {error.code}: {error.message}", code="store_unavailable")
