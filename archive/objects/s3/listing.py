"""Versions of objects, in order, from S3's listing of versions.

S3 lists by key and, within a key, newest first; versions and delete markers come in separate lists. Only one
page, and the versions of one key, are in memory at a time.
"""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from archive.objects.s3.quick import QuickRequests
from archive.objects.s3.repeat import repeated
from archive.objects.s3.trouble import translated
from archive.ports import ObjectVersion
from archive.timespan import from_datetime

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PAGE = 1000
_FEW = 8


@dataclass(frozen=True, slots=True)
class _Page:
    """Entries by key, newest first; common prefixes; where the next page begins, None for the last."""

    entries: list[ObjectVersion]
    prefixes: list[str]
    following: tuple[str, str] | None


class Listing:
    """The versions in one bucket. Thread-safe. ``quick``, if given, makes requests at half the cost."""

    def __init__(self, client: "S3Client", bucket: str, quick: QuickRequests | None) -> None:
        self._client = client
        self._bucket = bucket
        self._quick = quick

    def oldest_version(self, key: str) -> ObjectVersion | None:
        """The oldest version of ``key`` that is an object; None without any."""
        found: ObjectVersion | None = None
        for page in self._pages(key, "", _FEW):
            for version in page.entries:
                if version.key != key:
                    return found
                if not version.deleted:
                    found = version
        return found

    def keys_with_versions(self, prefix: str, start_after: str = "") -> Iterator[list[ObjectVersion]]:
        """For each key under ``prefix`` after ``start_after``: its versions and markers, oldest first."""
        marker = start_after
        if not start_after.startswith(prefix):
            # MinIO refuses a marker outside the prefix.
            if start_after > prefix:
                return
            marker = ""
        group: list[ObjectVersion] = []
        for page in self._pages(prefix, marker, _PAGE):
            for version in page.entries:
                if version.key <= start_after:
                    continue
                if group and group[-1].key != version.key:
                    yield group[::-1]
                    group = []
                group.append(version)
        if group:
            yield group[::-1]

    def common_prefixes(self, prefix: str) -> Iterator[str]:
        """The common prefixes of keys under ``prefix``, up to the next slash."""
        for page in self._pages(prefix, "", _PAGE, delimiter="/"):
            yield from page.prefixes

    def _pages(self, prefix: str, key_marker: str, size: int, *, delimiter: str = "") -> Iterator[_Page]:
        at: tuple[str, str] | None = (key_marker, "")
        while at is not None:
            asked = {"Prefix": prefix, "KeyMarker": at[0], "VersionIdMarker": at[1], "Delimiter": delimiter}
            if not at[1]:
                del asked["VersionIdMarker"]
            if not delimiter:
                del asked["Delimiter"]
            page = repeated(partial(self._page, asked, size))
            yield page
            at = page.following

    def _page(self, asked: dict[str, str], size: int) -> _Page:
        with translated(f"listing {asked['Prefix'] or 'the bucket'}"):
            if self._quick is not None:
                text = self._quick.page(self._bucket, _as_query(asked, size))
                page = None if text is None else _read(text)
                if page is not None:
                    return page
            answer = self._client.list_object_versions(
                Bucket=self._bucket,
                MaxKeys=size,
                **asked,  # type: ignore[arg-type]
            )
        found = [
            _Found(one["Key"], one["VersionId"], one["IsLatest"], one["LastModified"], one["Size"], False)
            for one in answer.get("Versions", [])
        ]
        found += [
            _Found(one["Key"], one["VersionId"], one["IsLatest"], one["LastModified"], 0, True)
            for one in answer.get("DeleteMarkers", [])
        ]
        following = None
        if answer.get("IsTruncated"):
            following = (answer["NextKeyMarker"], answer.get("NextVersionIdMarker", ""))
        prefixes = [one["Prefix"] for one in answer.get("CommonPrefixes", [])]
        return _Page(_in_order(found), prefixes, following)


@dataclass(frozen=True, slots=True)
class _Found:
    """A version or a delete marker in the store's listing."""

    key: str
    version: str
    is_latest: bool
    at: datetime
    size: int
    deleted: bool


def _in_order(found: list[_Found]) -> list[ObjectVersion]:
    """A page's versions and delete markers: by key, newest first.

    Each kind already comes in that order, and the sort is stable. A tie between the kinds, at the store's
    resolution of time, is decided by ``IsLatest``; otherwise the marker counts as the later.
    """
    found.sort(key=lambda one: (one.key, not one.is_latest, -from_datetime(one.at), not one.deleted))
    return [
        ObjectVersion(one.key, one.version, one.size, from_datetime(one.at), one.deleted) for one in found
    ]


_NAMES = {
    "Prefix": "prefix",
    "KeyMarker": "key-marker",
    "VersionIdMarker": "version-id-marker",
    "Delimiter": "delimiter",
}
_KINDS = {"Version": False, "DeleteMarker": True}


def _as_query(asked: dict[str, str], size: int) -> dict[str, str]:
    named = {_NAMES[name]: text for name, text in asked.items()}
    return {**named, "max-keys": str(size), "encoding-type": "url"}


def _read(text: bytes) -> _Page | None:
    """A page of XML; None for one that does not follow S3's description: boto3 then reports the error."""
    try:
        root = ET.fromstring(text)  # noqa: S314 - from the store, which boto3 reads with the same parser
        top = {_plain(part.tag): part.text or "" for part in root}
        if top["EncodingType"] != "url":
            return None
        found = [
            _found({_plain(part.tag): part.text or "" for part in one}, deleted)
            for one in root
            if (deleted := _KINDS.get(_plain(one.tag))) is not None
        ]
        prefixes = [unquote_plus(one[0].text or "") for one in root if _plain(one.tag) == "CommonPrefixes"]
        following = None
        if top["IsTruncated"] == "true":
            following = (unquote_plus(top["NextKeyMarker"]), top.get("NextVersionIdMarker", ""))
    except (ET.ParseError, KeyError, ValueError, IndexError):
        return None
    return _Page(_in_order(found), prefixes, following)


def _found(facts: dict[str, str], deleted: bool) -> _Found:
    return _Found(
        unquote_plus(facts["Key"]),
        facts["VersionId"],
        facts["IsLatest"] == "true",
        datetime.fromisoformat(facts["LastModified"]),
        0 if deleted else int(facts["Size"]),
        deleted,
    )


def _plain(tag: str) -> str:
    """A tag without its namespace."""
    return tag.rpartition("}")[2]
