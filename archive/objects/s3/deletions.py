"""Deletes versions in batches: one request for up to 500, with an answer for each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from archive.objects.s3.repeat import repeated
from archive.objects.s3.trouble import check_item, translated
from archive.ports import Deletion, DeletionOutcome, DoomedVersion

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ErrorTypeDef

_NOT_THERE = frozenset({"NoSuchKey", "NoSuchVersion"})

WhyKept = Callable[[DoomedVersion], Deletion]
"""Finds out why the store did not delete a version."""


def delete_batch(
    client: "S3Client", bucket: str, items: Sequence[DoomedVersion], why_kept: WhyKept
) -> list[Deletion]:
    """Destroy the versions, never with the right to bypass a lock; outcomes in the order of ``items``.

    MinIO answers "deleted" for a version that was absent, as AWS does.

    Raises:
        Unavailable, Refused: the request failed, or an item failed because of the store and not of the item.
    """
    if not items:
        return []

    def ask() -> dict[tuple[str, str], str]:
        with translated("deleting a batch of versions"):
            answer = client.delete_objects(
                Bucket=bucket,
                Delete={
                    "Objects": [{"Key": item.key, "VersionId": item.version} for item in items],
                    "Quiet": True,
                },
            )
        return {_item(error): _code(error) for error in answer.get("Errors", [])}

    refused = repeated(ask)
    return [_outcome(item, refused.get((item.key, item.version)), why_kept) for item in items]


def _outcome(item: DoomedVersion, code: str | None, why_kept: WhyKept) -> Deletion:
    if code is None:
        return Deletion(item.key, item.version, DeletionOutcome.DELETED)
    if code in _NOT_THERE:
        return Deletion(item.key, item.version, DeletionOutcome.GONE)
    return why_kept(item)


def _item(error: "ErrorTypeDef") -> tuple[str, str]:
    return error.get("Key", ""), error.get("VersionId", "")


def _code(error: "ErrorTypeDef") -> str:
    code = error.get("Code", "")
    check_item(f"deleting {error.get('Key', 'a version')}", code)
    return code
