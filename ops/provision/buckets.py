"""Makes the three buckets of an archive, and checks that they lock.

It runs with an administrator's credentials, once per archive; Saksi's own accounts have no right to make
buckets. Object Lock can be turned on only when a bucket is made, so an existing bucket without it is refused,
never repaired.
"""

from dataclasses import dataclass

from minio import Minio
from minio.commonconfig import ENABLED, GOVERNANCE
from minio.error import S3Error
from minio.objectlockconfig import DAYS, YEARS, ObjectLockConfig

from archive.errors import Malformed, Refused
from ops.provision.connection import connect, translated

_DAYS_PER_YEAR = 365
_NO_LOCK = "ObjectLockConfigurationNotFoundError"
_EXISTS = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket as read back after provisioning; ``floor_days`` is None if the bucket does not lock."""

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

    Idempotent. The default retention is GOVERNANCE, because footage that the law orders destroyed must stay
    destroyable. A longer existing default stays; a shorter one is raised. The returned buckets were read back
    from the store.

    Raises ``Malformed`` (``bucket_name_invalid``, ``store_endpoint_invalid``, ``lock_days_invalid``),
    ``Refused`` (``bucket_without_lock``, ``bucket_default_compliance``, ``bucket_not_versioned``,
    ``bucket_lock_not_kept``, ``cache_bucket_locked``, ``store_access_denied``,
    ``store_credentials_wrong``) and ``Unavailable`` (``store_unavailable``).
    """
    if footage_floor_days < 1 or records_lock_days < 1:
        raise Malformed("a lock must last at least one day", code="lock_days_invalid")
    client = connect(endpoint, access_key, secret_key, region)
    return (
        _locking(client, name, footage_floor_days),
        _locking(client, f"{name}-records", records_lock_days),
        _plain(client, f"{name}-cache"),
    )


def _locking(client: Minio, name: str, days: int) -> Bucket:
    with translated(f"making bucket {name}"):
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
                hint="set its default retention to GOVERNANCE; each sealed package gets a COMPLIANCE lock",
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
    with translated(f"making bucket {name}"):
        _make(client, name, lock=False)
        if _lock_of(client, name) is not None:
            raise Refused(
                f"bucket {name} has Object Lock, so cached objects could not be deleted",
                code="cache_bucket_locked",
                hint="remove that bucket; provisioning makes it again without Object Lock",
            )
    return Bucket(name, None)


def _make(client: Minio, name: str, *, lock: bool) -> None:
    # No check with a HEAD first: its refusal has no body, so it would not give the reason.
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
