"""The canary's raw requests on one S3 bucket, with this process's own credentials."""

import re
from typing import TYPE_CHECKING

import botocore.session

from archive.errors import Conflict, Refused
from archive.objects.attacks import Bypass
from archive.objects.s3.trouble import Taken, translated
from archive.ports import Content
from archive.timespan import as_datetime

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.literals import ObjectLockRetentionModeType


class S3Attacks:
    """:class:`archive.integrity.canary.Attacks` as S3 requests; none is repeated."""

    def __init__(self, client: "S3Client", bucket: str, account: str) -> None:
        self._client = client
        self._bucket = bucket
        self._account = account

    @property
    def account(self) -> str:
        """The access key id."""
        return self._account

    def delete(self, key: str, version: str, bypass: Bypass) -> None:
        """DELETE with a version."""
        with translated(f"deleting {key}"):
            if bypass is Bypass.CLAIMED:
                self._client.delete_object(
                    Bucket=self._bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
                )
            else:
                self._client.delete_object(Bucket=self._bucket, Key=key, VersionId=version)

    def shorten_lock(self, key: str, version: str, until: int, bypass: Bypass) -> None:
        """PUT ?retention, GOVERNANCE."""
        self._retain(key, version, "GOVERNANCE", until, bypass)

    def clear_lock(self, key: str, version: str, bypass: Bypass) -> None:
        """PUT ?retention with an empty body."""
        with translated(f"clearing the lock of {key}"):
            if bypass is Bypass.CLAIMED:
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=key,
                    VersionId=version,
                    Retention={},
                    BypassGovernanceRetention=True,
                )
            else:
                self._client.put_object_retention(
                    Bucket=self._bucket, Key=key, VersionId=version, Retention={}
                )

    def harden_lock(self, key: str, version: str, until: int, bypass: Bypass) -> None:
        """PUT ?retention, COMPLIANCE."""
        self._retain(key, version, "COMPLIANCE", until, bypass)

    def overwrite(self, key: str, content: Content) -> None:
        """PUT without a condition."""
        with content.open() as reader:
            body = reader.read()
        try:
            with translated(f"overwriting {key}"):
                self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
        except Taken as error:
            raise Conflict(f"{key} is taken", code="already_exists") from error

    def hide(self, key: str) -> None:
        """DELETE without a version."""
        with translated(f"hiding {key}"):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def _retain(
        self, key: str, version: str, mode: "ObjectLockRetentionModeType", until: int, bypass: Bypass
    ) -> None:
        moment = as_datetime(until)
        with translated(f"changing the lock of {key}"):
            if bypass is Bypass.CLAIMED:
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=key,
                    VersionId=version,
                    Retention={"Mode": mode, "RetainUntilDate": moment},
                    BypassGovernanceRetention=True,
                )
            else:
                self._client.put_object_retention(
                    Bucket=self._bucket,
                    Key=key,
                    VersionId=version,
                    Retention={"Mode": mode, "RetainUntilDate": moment},
                )


def account_name() -> str:
    """The access key id of this process, which is not secret, as a valid id.

    Raises Refused ``store_credentials_missing``.
    """
    with translated("looking for the store's credentials"):
        credentials = botocore.session.get_session().get_credentials()
    if credentials is None:
        raise Refused(
            "there are no credentials for the object store",
            code="store_credentials_missing",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    plain = re.sub(r"[^A-Za-z0-9.-]", "-", str(credentials.access_key))
    return plain[:63].strip(".-") or "account"
