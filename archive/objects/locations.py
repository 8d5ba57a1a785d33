"""The archive's address: reading ``SAKSI_ARCHIVE_URL``, and opening its three stores.

``file://DIR`` means the folders ``footage``, ``records`` and ``cache`` in DIR;
``s3://NAME?endpoint=URL&region=REGION`` means the buckets ``NAME``, ``NAME-records`` and ``NAME-cache``.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from archive.clock import Clock
from archive.errors import Malformed
from archive.objects.attacks import Bucket
from archive.objects.filesystem import FilesystemStore
from archive.objects.filesystem.attacks import FolderAttacks
from archive.ports import Stores

_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,52}[a-z0-9]\Z", re.ASCII)
_LEFT_TO_RECORDS = 256 << 20
_SHARE_OF_RECORDS = 64
"""On disks smaller than 16 GiB footage leaves this fraction (one part in this many) free."""
_REGION = re.compile(r"[a-z0-9-]{1,40}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class FileLocation:
    """An archive in a folder of this machine."""

    folder: Path


@dataclass(frozen=True, slots=True)
class S3Location:
    """An archive in three buckets. ``endpoint`` is None for AWS itself; credentials are never part of it."""

    name: str
    endpoint: str | None
    region: str | None


def parse_archive_url(url: str) -> FileLocation | S3Location:
    """Read an archive's address.

    Raises:
        Malformed: ``bad_archive_url``; the message never repeats a password.
    """
    try:
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query))
    except ValueError as error:
        raise _bad("it cannot be read") from error
    if parts.fragment:
        raise _bad("it has a fragment (#)")
    match parts.scheme:
        case "file":
            return _file(parts.netloc, parts.path, pairs)
        case "s3":
            return _s3(parts.netloc, parts.path, pairs)
    raise _bad(f"its scheme is {parts.scheme!r}")


def open_stores(location: FileLocation | S3Location, clock: Clock, *, pool_size: int = 32) -> Stores:
    """The three stores of an archive. Missing folders are made; buckets must exist.

    ``clock`` decides when retention ends on a file system; S3 has its own clock. ``pool_size`` is the number
    of connections to S3 that are kept: as many as threads use the stores.

    Raises:
        Refused: ``store_credentials_missing``, ``store_access_denied``.
        Unavailable: the folder cannot be made.
    """
    if isinstance(location, FileLocation):
        return Stores(
            footage=FilesystemStore(
                location.folder / "footage", clock, keep_free=_left_to_records(location.folder)
            ),
            records=FilesystemStore(location.folder / "records", clock),
            cache=FilesystemStore(location.folder / "cache", clock),
        )
    # Importing boto3 takes a quarter of a second, which an archive in a folder can save.
    from archive.objects.s3 import S3Store, connect

    connection = connect(location.endpoint, location.region, pool_size=pool_size)
    return Stores(
        footage=S3Store(location.name, connection=connection),
        records=S3Store(f"{location.name}-records", connection=connection),
        cache=S3Store(f"{location.name}-cache", connection=connection),
    )


def _left_to_records(folder: Path) -> int:
    """Bytes that footage leaves free: a full disk still takes a hold and a disposition's record."""
    while not folder.exists():
        folder = folder.parent
    disk = os.statvfs(folder)
    return min(_LEFT_TO_RECORDS, disk.f_blocks * disk.f_frsize // _SHARE_OF_RECORDS)


def open_attacks(location: FileLocation | S3Location, stores: Stores) -> Sequence[Bucket]:
    """The two buckets that must keep their objects, with the raw requests of the canary's attacks.

    Raises:
        Refused: ``store_credentials_missing``.
    """
    if isinstance(location, FileLocation):
        return tuple(
            Bucket(name, store, FolderAttacks(store))
            for name, store in (("footage", stores.footage), ("records", stores.records))
        )
    from archive.objects.s3.attacks import S3Attacks, account_name
    from archive.objects.s3.connection import connect_client

    client, account = connect_client(location.endpoint, location.region), account_name()
    return (
        Bucket("footage", stores.footage, S3Attacks(client, location.name, account)),
        Bucket("records", stores.records, S3Attacks(client, f"{location.name}-records", account)),
    )


def _file(host: str, path: str, pairs: list[tuple[str, str]]) -> FileLocation:
    folder = unquote(path)
    if host or pairs or not folder.startswith("/") or "\0" in folder or ".." in folder.split("/"):
        raise _bad("a folder needs an absolute path")
    return FileLocation(Path(folder))


def _s3(name: str, path: str, pairs: list[tuple[str, str]]) -> S3Location:
    options = dict(pairs)
    if len(options) != len(pairs) or not options.keys() <= {"endpoint", "region"}:
        raise _bad("it may have the parameters endpoint and region, once each")
    if _BUCKET.match(name) is None or path.strip("/"):
        raise _bad("NAME has 3 to 54 lower-case letters, digits and hyphens; the parameters follow it")
    region = options.get("region")
    if region is not None and _REGION.match(region) is None:
        raise _bad("its region is not valid")
    endpoint = options.get("endpoint")
    return S3Location(name, None if endpoint is None else _endpoint(endpoint), region)


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _bad("its endpoint cannot be read") from error
    if parts.username is not None or parts.password is not None:
        raise _bad("credentials do not belong in it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _bad("its endpoint is not an http or https address")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise _bad("its endpoint must have only scheme, host and port")
    return f"{parts.scheme}://{parts.netloc}"


def _bad(why: str) -> Malformed:
    return Malformed(
        f"the archive's address is not valid: {why}",
        code="bad_archive_url",
        hint="Write file:///path/to/folder or s3://NAME?endpoint=http://host:9000&region=us-east-1.",
    )
