"""The limits and rounding common to all object stores, so that an archive can move from one to another.

The limits are the narrowest of those measured: a file system allows 255 bytes per name, MinIO allows 2 KB of
user metadata and strips white space at the ends of a header, S3 keeps lock times to the second.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from archive.errors import AlreadyExists, IntegrityError, Malformed, Refused, Unavailable
from archive.keys import check_key
from archive.ports import MAX_DELETIONS, Content, DoomedVersion, Lock
from archive.timespan import SECOND

PIECE = 1 << 19
"""The largest piece that is read or passed on at once, in bytes."""

MAX_PART_BYTES = 200
MAX_METADATA_BYTES = 2000
MAX_OBJECT_BYTES = 5 << 30

_NAME_OVERHEAD = len("x-amz-meta-")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?\Z", re.ASCII)
_VALUE = re.compile(r"(?:[!-~](?:[ -~]*[!-~])?)?\Z", re.ASCII)
_PREFIX = re.compile(r"[A-Za-z0-9._/-]*\Z", re.ASCII)


def check_object_key(key: str) -> str:
    """Accept a key that every store can keep: :func:`archive.keys.check_key`, no part above 200 bytes.

    Raises:
        Malformed: ``bad_key``.
    """
    check_key(key)
    if max(map(len, key.split("/"))) > MAX_PART_BYTES:
        raise Malformed(
            f"{key!r} has a part of more than {MAX_PART_BYTES} bytes",
            code="bad_key",
            hint="Shorten the name between two slashes.",
        )
    return key


def check_prefix(prefix: str) -> str:
    """The beginning of a key, or nothing. Raises Malformed ``bad_key``."""
    if _PREFIX.match(prefix) is None or f"/{prefix}".find("//") >= 0 or f"/{prefix}".find("/.") >= 0:
        raise Malformed(
            f"{prefix!r} is not the beginning of an object name",
            code="bad_key",
            hint="Use letters, digits, dots, underscores and hyphens in parts joined by single slashes.",
        )
    return prefix


def check_folder(folder: str) -> str:
    """Nothing, or the beginning of a key up to one of its slashes. Raises Malformed ``bad_key``."""
    if folder and not folder.endswith("/"):
        raise Malformed(f"{folder!r} is not a folder", code="bad_key", hint="End it in a slash.")
    return check_prefix(folder)


def check_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Accept user metadata that every store returns unchanged.

    Names are lower-case letters, digits and hyphens; values printable ASCII without white space at the
    ends; 2,000 bytes in all, counting 11 for each name's prefix on the wire. ``=?`` begins an encoded word
    (RFC 2047), which some stores decode.

    Raises:
        Malformed: ``bad_metadata``.
    """
    kept = dict(metadata or {})
    for name, value in kept.items():
        if _NAME.match(name) is None or _VALUE.match(value) is None or value.startswith("=?"):
            raise Malformed(
                f"metadata {name!r} would not come back unchanged",
                code="bad_metadata",
                hint="Use lower-case names and printable ASCII values without spaces at the ends.",
            )
    size = sum(_NAME_OVERHEAD + len(name) + len(value) for name, value in kept.items())
    if size > MAX_METADATA_BYTES:
        raise Malformed(
            f"the metadata takes {size} bytes, more than {MAX_METADATA_BYTES}",
            code="bad_metadata",
            hint="Keep the rest in a separate object.",
        )
    return kept


def check_size(key: str, size: int) -> None:
    """Refuse more than one S3 put can carry: 5 GiB. Raises Malformed ``object_too_large``."""
    if not 0 <= size <= MAX_OBJECT_BYTES:
        raise Malformed(
            f"{key} would have {size} bytes", code="object_too_large", hint="An object has at most 5 GiB."
        )


def check_version(key: str, version: str) -> str:
    """The version that a change is for; without it the change could hit another. Raises Malformed."""
    if not version:
        raise Malformed(
            f"the version of {key} is not given",
            code="bad_version",
            hint="Read it with head(); locks and deletions name their version.",
        )
    return version


def check_doomed(items: Sequence[DoomedVersion]) -> None:
    """Accept a batch of deletions, each with a key and a version.

    Raises:
        Malformed: ``too_many_deletions`` above 500, ``bad_key``, ``bad_version``.
    """
    if len(items) > MAX_DELETIONS:
        raise Malformed(
            f"{len(items)} versions are too many for one batch",
            code="too_many_deletions",
            hint=f"Name at most {MAX_DELETIONS} at a time.",
        )
    for item in items:
        check_object_key(item.key)
        check_version(item.key, item.version)


def whole_seconds(lock: Lock) -> Lock:
    """The lock with its end rounded up to a whole second, as stores keep it."""
    return Lock(lock.mode, -(-lock.until // SECOND) * SECOND)


def check_range(key: str, start: int, length: int | None) -> None:
    """Refuse a range that no object can have. Raises Malformed ``bad_range``."""
    if start < 0 or (length is not None and length < 1):
        raise bad_range(key, start, length)


def bad_range(key: str, start: int, length: int | None) -> Malformed:
    """The error for a range that is empty or reaches past the object's end."""
    asked = "to the end" if length is None else f"{length} bytes"
    return Malformed(
        f"{key} has no such range: {asked} from {start}",
        code="bad_range",
        hint="Read the object's size first; ranges are never shortened silently.",
    )


def past_lock(key: str) -> Malformed:
    """The error for a lock that would end before it begins."""
    return Malformed(
        f"the requested lock of {key} has already ended",
        code="lock_in_the_past",
        hint="Give no lock, or one that ends in the future; check the clocks of both machines.",
    )


def checksum_mismatch(key: str, detail: str) -> IntegrityError:
    """The error for bytes that differ from what :class:`archive.ports.Content` states."""
    return IntegrityError(
        f"{key} was not stored: {detail}",
        code="checksum_mismatch",
        hint="The source changed, or was damaged, after its SHA-256 was taken.",
    )


def refuse_weaker_lock(key: str, present: Lock | None, wanted: Lock) -> None:
    """Refuse a lock that is weaker than the present one.

    Raises:
        Refused: ``lock_shortened``; ``lock_mode_changed``, since stores change a mode only for accounts
            that may bypass it, and then in either direction.
    """
    if present is None:
        return
    if present.mode is not wanted.mode:
        raise Refused(
            f"{key} is locked in {present.mode} mode, which cannot change",
            code="lock_mode_changed",
            hint="Lengthen the lock in its present mode.",
        )
    if wanted.until < present.until:
        raise Refused(
            f"{key} is already locked for longer than that",
            code="lock_shortened",
            hint="A lock can be lengthened, never shortened.",
        )


@contextmanager
def opened(key: str, content: Content) -> Iterator[BinaryIO]:
    """The content's reader. Its own I/O errors become Unavailable ``content_unreadable``."""
    try:
        reader = content.open()
    except OSError as error:
        raise unreadable(key, error) from error
    with reader:
        yield reader


def read_piece(key: str, reader: BinaryIO, limit: int) -> bytes:
    """Up to ``limit`` bytes of a content's reader. Raises Unavailable ``content_unreadable``."""
    try:
        return reader.read(limit)
    except OSError as error:
        raise unreadable(key, error) from error


def names_its_content(key: str, sha256: str) -> bool:
    """Whether the last part of the key carries the SHA-256, or its first 16 hex digits."""
    return sha256[:16] in key.rpartition("/")[2]


def taken_by_other_bytes(key: str, present: str, wanted: str) -> AlreadyExists:
    """The error for a key that holds other bytes."""
    return AlreadyExists(
        f"{key} is taken: it holds the SHA-256 {present[:16]}…, not {wanted[:16]}…",
        hint="The stored object stays unchanged.",
    )


def unreadable(key: str, error: OSError) -> Unavailable:
    """The error for a source that cannot be read while it is being stored."""
    return Unavailable(
        f"the source for {key} cannot be read: {error.strerror or type(error).__name__}",
        code="content_unreadable",
        hint="Check the disk that holds the source; nothing was stored.",
    )


def compliance_locked(key: str) -> Refused:
    """The error for an object that nobody can destroy."""
    return Refused(
        f"{key} is locked in COMPLIANCE mode: nobody, not even root, can destroy it before its lock ends",
        code="compliance_locked",
        hint="Wait until its lock ends; only sealed packages and checkpoints have such locks.",
    )
