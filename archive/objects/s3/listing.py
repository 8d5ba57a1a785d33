"""Versions of objects, in order, from S3's listing of versions.

S3 lists by key and, within a key, newest first; versions and delete markers come apart. A page is held at a
time, and the versions of one key.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from archive.objects.s3.repeat import repeated
from archive.objects.s3.trouble import translated
from archive.ports import ObjectVersion

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef

_PAGE = 1000
_FEW = 8
_MILLION = 1_000_000


def microseconds(moment: datetime) -> int:
    """An aware time in microseconds since the epoch."""
    return int(moment.timestamp()) * _MILLION + moment.microsecond


def oldest_version(client: "S3Client", bucket: str, key: str) -> ObjectVersion | None:
    """The oldest version of ``key`` that is an object; None where there is none."""
    found: ObjectVersion | None = None
    for page in _pages(client, bucket, key, "", _FEW):
        for version in _entries(page):
            if version.key != key:
                return found
            if not version.deleted:
                found = version
    return found


def keys_with_versions(
    client: "S3Client", bucket: str, prefix: str, start_after: str = ""
) -> Iterator[list[ObjectVersion]]:
    """For each key under ``prefix`` after ``start_after``: its versions and delete markers, oldest first."""
    marker = start_after
    if not start_after.startswith(prefix):
        # MinIO refuses a marker outside the prefix.
        if start_after > prefix:
            return
        marker = ""
    group: list[ObjectVersion] = []
    for page in _pages(client, bucket, prefix, marker, _PAGE):
        for version in _entries(page):
            if version.key <= start_after:
                continue
            if group and group[-1].key != version.key:
                yield group[::-1]
                group = []
            group.append(version)
    if group:
        yield group[::-1]


def _pages(
    client: "S3Client", bucket: str, prefix: str, key_marker: str, size: int
) -> Iterator["ListObjectVersionsOutputTypeDef"]:
    version_marker = ""
    while True:
        page = repeated(partial(_page, client, bucket, prefix, key_marker, version_marker, size))
        yield page
        if not page.get("IsTruncated"):
            return
        key_marker, version_marker = page["NextKeyMarker"], page.get("NextVersionIdMarker", "")


def _page(
    client: "S3Client", bucket: str, prefix: str, key_marker: str, version_marker: str, size: int
) -> "ListObjectVersionsOutputTypeDef":
    with translated(f"listing {prefix or 'the bucket'}"):
        if version_marker:
            return client.list_object_versions(
                Bucket=bucket,
                Prefix=prefix,
                KeyMarker=key_marker,
                VersionIdMarker=version_marker,
                MaxKeys=size,
            )
        return client.list_object_versions(Bucket=bucket, Prefix=prefix, KeyMarker=key_marker, MaxKeys=size)


def _entries(page: "ListObjectVersionsOutputTypeDef") -> list[ObjectVersion]:
    """A page's versions and delete markers: by key, newest first.

    Each kind comes in that order already and the sort is stable. A tie between the kinds, at the store's
    resolution of time, is settled by ``IsLatest``, else the marker counts as the later.
    """
    entries = [
        (
            one["Key"],
            not one["IsLatest"],
            -microseconds(one["LastModified"]),
            not deleted,
            ObjectVersion(
                one["Key"],
                one["VersionId"],
                0 if deleted else one["Size"],  # type: ignore[typeddict-item]
                microseconds(one["LastModified"]),
                deleted,
            ),
        )
        for deleted, kind in ((False, page.get("Versions", [])), (True, page.get("DeleteMarkers", [])))
        for one in kind
    ]
    entries.sort(key=lambda entry: entry[:4])
    return [entry[4] for entry in entries]
