"""The list of a disposition, and the list of the keys it kept: canonical JSON lines in the records bucket.

``dispositions/<id>/list.jsonl``::

    {"cause":"retention","cutoff":"<instant>","segments":N,"v":1}
    {"camera":…,"from":…,"key":…,"policy":"default","sha256":…,"size":…,"to":…,"version":…} × N

Lines are in order of key. The id follows from the list's own SHA-256, so that two processes that decide the
same at the same time work on one disposition. ``kept.jsonl`` has one line for each key that was not
destroyed: ``{"key":…,"reason":…,"until":<instant or null>}``.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from archive import canonical, keys
from archive.canonical import JsonObject, sha256_hex
from archive.errors import IntegrityError, Malformed
from archive.ids import check_sha256
from archive.model.disposition import Cause, Disposition
from archive.model.segment import SegmentRef
from archive.ports import MAX_DELETIONS, DoomedVersion, ObjectStore
from archive.timespan import Timespan, format_instant, parse_instant

VERSION = 1
LIST, KEPT = "list.jsonl", "kept.jsonl"
RECORD, SIGNATURE, STAMP, PDF = "record.json", "record.json.p7s", "record.json.p7s.tsr", "record.pdf"

MAX_SEGMENTS = 200_000
"""A longer list becomes several dispositions: a list is held in memory, and done again after a crash."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """One segment that is to be destroyed, and the scope of the policy that orders it."""

    camera: str
    span: Timespan
    key: str
    version: str
    size: int
    sha256: str
    policy: str

    @property
    def item(self) -> DoomedVersion:
        """The version for the store."""
        return DoomedVersion(self.key, self.version)

    @property
    def ref(self) -> SegmentRef:
        """The segment for the index to remove, by run, number and start; media fields are placeholders."""
        name = keys.parse_segment_key(self.key)
        return SegmentRef(
            camera=self.camera,
            run=name.run,
            seq=name.seq,
            span=self.span,
            media_duration=0,
            sha256=self.sha256,
            size=self.size,
            header_bytes=0,
            codec="h264",
            gop="closed",
            version=self.version,
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """One key of a list that was not destroyed. ``until`` (µs) is the end of its lock, if known."""

    key: str
    reason: str
    until: int | None = None


@dataclass(frozen=True, slots=True)
class DoomedList:
    """A whole list: why, what was due up to which instant, and the segments in order of key."""

    cause: Cause
    cutoff: int
    segments: tuple[Doomed, ...]

    def encode(self) -> bytes:
        """The canonical lines."""
        head = {
            "v": VERSION,
            "cause": self.cause.value,
            "cutoff": format_instant(self.cutoff),
            "segments": len(self.segments),
        }
        return _lines((head, *(_doomed_to_json(one) for one in self.segments)))

    @property
    def bytes(self) -> int:
        """Size of all segments."""
        return sum(one.size for one in self.segments)

    @property
    def span(self) -> Timespan:
        """From the first start to the last end. The list must not be empty."""
        return Timespan(
            min(one.span.start for one in self.segments), max(one.span.end for one in self.segments)
        )


def disposition_id(list_sha256: str) -> str:
    """``dsp-`` and 24 hex digits of the list's own hash."""
    return f"dsp-{check_sha256(list_sha256)[:24]}"


def batches(segments: Sequence[Doomed]) -> Iterator[tuple[Doomed, ...]]:
    """The list in batches of at most 500; always the same batches."""
    for first in range(0, len(segments), MAX_DELETIONS):
        yield tuple(segments[first : first + MAX_DELETIONS])


def read_list(records: ObjectStore, found: Disposition) -> DoomedList:
    """The list of a disposition, checked against the hash in the ledger.

    Raises:
        NotFound: the list is not there.
        IntegrityError: ``disposition_list``: it is another list, or cannot be read.
    """
    data = records.get(keys.disposition_prefix(found.id) + LIST)
    _same(found.id, LIST, data, found.list_sha256)
    return decode_list(found.id, data)


def decode_list(disposition: str, data: bytes) -> DoomedList:
    """Read a list. Raises IntegrityError ``disposition_list``."""
    try:
        head, *lines = [canonical.decode(line) for line in data.splitlines()]
        if head["v"] != VERSION or head["segments"] != len(lines):
            raise Malformed("its head does not fit its lines", code="bad_list")
        segments = tuple(_doomed(line) for line in lines)
        return DoomedList(Cause(head["cause"]), parse_instant(head["cutoff"]), segments)
    except (KeyError, TypeError, ValueError, Malformed) as error:
        raise _unreadable(disposition, LIST, str(error)) from error


def encode_kept(kept: Iterable[Kept]) -> bytes:
    """The canonical lines of the kept keys, by key; empty if none was kept."""
    return _lines(
        {
            "key": one.key,
            "reason": one.reason,
            "until": None if one.until is None else format_instant(one.until),
        }
        for one in sorted(kept, key=lambda one: one.key)
    )


def read_kept(records: ObjectStore, found: Disposition) -> tuple[Kept, ...]:
    """The kept keys of a closed disposition, checked against the hash in the ledger; empty for an open one.

    Raises:
        NotFound, IntegrityError: as :func:`read_list`.
    """
    if found.outcome is None:
        return ()
    data = records.get(keys.disposition_prefix(found.id) + KEPT)
    _same(found.id, KEPT, data, found.outcome.kept_sha256)
    return decode_kept(found.id, data)


def decode_kept(disposition: str, data: bytes) -> tuple[Kept, ...]:
    """Read the kept keys. Raises IntegrityError ``disposition_list``."""
    try:
        return tuple(_kept(canonical.decode(line)) for line in data.splitlines())
    except (KeyError, TypeError, ValueError, Malformed) as error:
        raise _unreadable(disposition, KEPT, str(error)) from error


def _lines(values: Iterable[JsonObject]) -> bytes:
    return b"".join(canonical.encode(value) + b"\n" for value in values)


def _same(disposition: str, name: str, data: bytes, expected: str) -> None:
    if sha256_hex(data) != expected:
        raise _unreadable(disposition, name, "its SHA-256 is not the one in the ledger")


def _unreadable(disposition: str, name: str, why: str) -> IntegrityError:
    return IntegrityError(
        f"{name} of disposition {disposition} is not what was ordered: {why}",
        code="disposition_list",
        hint="This disposition destroys nothing more. Keep the records bucket as it is; call the auditor.",
    )


def _doomed_to_json(one: Doomed) -> JsonObject:
    return {
        "camera": one.camera,
        "from": format_instant(one.span.start),
        "to": format_instant(one.span.end),
        "key": one.key,
        "version": one.version,
        "size": one.size,
        "sha256": one.sha256,
        "policy": one.policy,
    }


def _doomed(line: dict[str, Any]) -> Doomed:
    return Doomed(
        camera=line["camera"],
        span=Timespan.parse(line["from"], line["to"]),
        key=line["key"],
        version=line["version"],
        size=line["size"],
        sha256=check_sha256(line["sha256"]),
        policy=line["policy"],
    )


def _kept(line: dict[str, Any]) -> Kept:
    until = line["until"]
    return Kept(line["key"], line["reason"], None if until is None else parse_instant(until))
