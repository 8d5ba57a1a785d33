"""Retention and legal hold of one version, as S3 requests. Each may be repeated."""

from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal

from archive.errors import NotFound
from archive.objects.s3.quick import QuickRequests
from archive.objects.s3.repeat import repeated
from archive.objects.s3.trouble import translated
from archive.ports import Lock, LockMode
from archive.timespan import as_datetime, from_datetime

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import GetObjectLockConfigurationOutputTypeDef

_DAYS_PER_YEAR = 365


def lock_of(client: "S3Client", bucket: str, key: str, version: str) -> Lock | None:
    """The version's retention, or None. Raises NotFound if the version is absent."""

    def ask() -> Lock:
        with translated(f"looking at the lock of {key}"):
            found = client.get_object_retention(Bucket=bucket, Key=key, VersionId=version)["Retention"]
        return Lock(LockMode(found["Mode"]), from_datetime(found["RetainUntilDate"]))

    try:
        return repeated(ask)
    except NotFound as error:
        if error.code != "no_lock":
            raise
        return None


def set_lock(client: "S3Client", bucket: str, key: str, version: str, lock: Lock) -> None:
    """Set the version's retention, without the right to bypass the present one."""

    def ask() -> None:
        with translated(f"lengthening the lock of {key}"):
            client.put_object_retention(
                Bucket=bucket,
                Key=key,
                VersionId=version,
                Retention={"Mode": lock.mode.value, "RetainUntilDate": as_datetime(lock.until)},
            )

    repeated(ask)


def set_hold(
    client: "S3Client",
    quick: QuickRequests | None,
    bucket: str,
    key: str,
    version: str,
    status: Literal["ON", "OFF"],
) -> None:
    """Set the version's legal hold flag."""

    def ask() -> None:
        with translated(f"setting the hold of {key}"):
            if quick is not None and quick.hold(bucket, key, version, status):
                return
            client.put_object_legal_hold(
                Bucket=bucket, Key=key, VersionId=version, LegalHold={"Status": status}
            )

    repeated(ask)


def default_lock(client: "S3Client", bucket: str) -> Lock | None:
    """The bucket's default retention, counted from the store's own time; None without one."""

    def ask() -> "GetObjectLockConfigurationOutputTypeDef":
        with translated("looking at the bucket's default retention"):
            return client.get_object_lock_configuration(Bucket=bucket)

    answer = repeated(ask)
    default = answer["ObjectLockConfiguration"].get("Rule", {}).get("DefaultRetention")
    if default is None:
        return None
    now = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
    days = default.get("Days") or _DAYS_PER_YEAR * default.get("Years", 0)
    # The minute covers the time until the put itself arrives.
    return Lock(LockMode(default["Mode"]), from_datetime(now + timedelta(days=days, minutes=1)))
