"""Destroys a locked version with the store's root credential: only for break-glass, and not in the port.

The caller passes the credential for one operation; it is stored nowhere, and nothing here writes a log.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import boto3
from botocore.config import Config

from archive.errors import Malformed, NotFound, Refused
from archive.objects import checks as rules
from archive.objects.s3.connection import DEFAULT_REGION
from archive.objects.s3.locks import lock_of
from archive.objects.s3.repeat import repeated
from archive.objects.s3.trouble import translated
from archive.ports import LockMode

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class RootCredential:
    """An access key with the right to bypass GOVERNANCE locks; the secret is never shown."""

    access_key: str
    secret_key: str = field(repr=False)


class LockedDestroyer:
    """Destroys versions in one bucket even if they are locked in GOVERNANCE mode. Thread-safe."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    @classmethod
    def connect(
        cls, endpoint: str | None, region: str | None, bucket: str, credential: RootCredential
    ) -> Self:
        """Connect to the store itself: a proxy in front of it does not pass these requests.

        Raises:
            Malformed: ``bad_archive_url``.
        """
        try:
            with translated("connecting to the object store"):
                client = boto3.client(
                    "s3",
                    endpoint_url=endpoint,
                    region_name=region or DEFAULT_REGION,
                    aws_access_key_id=credential.access_key,
                    aws_secret_access_key=credential.secret_key,
                    config=Config(
                        s3={"addressing_style": "auto" if endpoint is None else "path"},
                        retries={"total_max_attempts": 1, "mode": "standard"},
                        connect_timeout=3.0,
                        read_timeout=20.0,
                        proxies=None if endpoint is None else {},
                        user_agent="saksi",
                    ),
                )
        except ValueError as error:
            raise Malformed(
                f"{endpoint!r} is not the address of an object store", code="bad_archive_url"
            ) from error
        return cls(client, bucket)

    def destroy(self, key: str, *, version: str) -> None:
        """Destroy one version in spite of a GOVERNANCE lock; idempotent when it is already gone.

        Raises:
            Refused: ``under_hold``; ``compliance_locked``: no credential can destroy it;
                ``store_access_denied``, ``store_credentials_wrong``: it is not the root credential.
            Unavailable: the result is unknown; the caller may repeat the call.
        """
        rules.check_object_key(key)
        rules.check_version(key, version)

        def ask() -> None:
            with translated(f"destroying {key}"):
                self._client.delete_object(
                    Bucket=self._bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
                )

        try:
            repeated(ask)
        except NotFound:
            return
        except Refused as error:
            if error.code == "store_locked":
                raise self._why(key, version, error) from error
            raise

    def _why(self, key: str, version: str, error: Refused) -> Refused:
        """Why the store refused even the root credential."""
        lock = lock_of(self._client, self._bucket, key, version)
        if lock is not None and lock.mode is LockMode.COMPLIANCE:
            return rules.compliance_locked(key)
        return Refused(f"{key} is under a legal hold", code="under_hold", hint="Release the hold first.")
