"""A sealed package as one ZIP, streamed from its objects: stored, deterministic, its size known beforehand.

The same package gives the same bytes (until files are added to ``signatures/`` or ``handover/``), so that a
broken download of many gigabytes resumes where it stopped. Nothing is compressed and nothing is buffered: the
CRC-32 of the large parts was computed when the package was sealed. :mod:`archive.zips` has the records.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from archive import canonical, keys, zips
from archive.errors import IntegrityError, Malformed, NotFound, StoreFull, Unavailable
from archive.evidence import bag, paths
from archive.evidence.sealed import read_seal
from archive.evidence.sealing import Progress
from archive.ports import ObjectStore

_LIMIT32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry(zips.Entry):
    """One part of the ZIP, and its object."""

    key: str


@dataclass(frozen=True, slots=True)
class ZippedPackage:
    """The layout of one package's ZIP. ``etag`` changes when, and only when, its bytes do."""

    target: ObjectStore
    evidence_id: str
    entries: tuple[Entry, ...]
    tail: bytes
    size: int
    etag: str

    @property
    def file_name(self) -> str:
        """The file name of the download."""
        return f"{self.evidence_id}.zip"

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The bytes of the ZIP from ``start`` (to the end without ``length``), in pieces of at most 1 MiB.

        Raises:
            Malformed: ``bad_range`` beyond the end.
            IntegrityError: ``package_altered``, in mid-stream: a stored part is not the sealed one.
        """
        end = self.size if length is None else start + length
        if not 0 <= start <= end <= self.size:
            raise Malformed(f"bytes {start} to {end} of {self.size} do not exist", code="bad_range")
        return self._pieces(start, end)

    def _pieces(self, start: int, end: int) -> Iterator[bytes]:
        for entry in self.entries:
            header = entry.header
            body = entry.offset + len(header)
            if entry.offset < end and start < body:
                yield header[max(0, start - entry.offset) : end - entry.offset]
            low, high = max(start, body), min(end, body + entry.size)
            if low < high:
                yield from self._body(entry, low - body, high - low)
        tail = self.size - len(self.tail)
        if tail < end:
            yield self.tail[max(0, start - tail) : end - tail]

    def _body(self, entry: Entry, start: int, length: int) -> Iterator[bytes]:
        whole = length == entry.size
        crc = 0
        for chunk in self.target.stream(entry.key, start, length):
            if whole:
                crc = zlib.crc32(chunk, crc)
            yield chunk
        if whole and crc != entry.crc32:
            raise IntegrityError(
                f"{entry.key} is not what was sealed",
                code="package_altered",
                hint="Do not hand this package over; run saksi archive check.",
            )


def plan_zip(target: ObjectStore, evidence_id: str) -> ZippedPackage:
    """Lay out the ZIP of a sealed package: the parts its manifests list, then the parts outside them.

    Reads the small parts; the large ones only where no CRC-32 was stored.

    Raises:
        NotFound: ``package_not_found``.
        IntegrityError: ``package_altered``: a part is missing, or has another size than before.
    """
    prefix = keys.evidence_prefix(evidence_id)
    read_seal(target, evidence_id)
    tags = target.get(prefix + bag.TAG_MANIFEST)
    inside = [*bag.read_manifest(bag.TAG_MANIFEST, tags), bag.TAG_MANIFEST]
    inside += bag.read_manifest(bag.MANIFEST, target.get(prefix + bag.MANIFEST))
    listed = {item.key.removeprefix(prefix): item.size for item in target.list(prefix)}
    inside += [path for path in listed if path.startswith(paths.LATER)]
    known = _kept_checksums(target, evidence_id)
    entries: list[Entry] = []
    at = 0
    for path in sorted(inside):
        if path not in listed:
            raise IntegrityError(f"{prefix}{path} is missing from the store", code="package_altered")
        key, size = prefix + path, listed[path]
        crc = known.get(path) if path.startswith(("data/original/", "data/derivative/")) else None
        entry = Entry(f"{evidence_id}/{path}", size, _crc32(target, key) if crc is None else crc, at, key)
        entries.append(entry)
        at += len(entry.header) + size
    tail = zips.directory(entries, at)
    return ZippedPackage(
        target=target,
        evidence_id=evidence_id,
        entries=tuple(entries),
        tail=tail,
        size=at + len(tail),
        etag=sha256(tags + tail).hexdigest(),
    )


def stream_zip(target: ObjectStore, evidence_id: str) -> Iterator[bytes]:
    """The whole ZIP. Raises as :func:`plan_zip` and :meth:`ZippedPackage.stream` do."""
    return plan_zip(target, evidence_id).stream()


def write_zip(target: ObjectStore, evidence_id: str, path: Path, progress: Progress | None = None) -> int:
    """Write the ZIP to a path, whole or not at all, and return its size.

    Raises:
        StoreFull, Unavailable: ``output_unwritable``: the path cannot be written; a partial file is removed.
    """
    package = plan_zip(target, evidence_id)
    draft = path.with_name(f".{path.name}.part")
    done = 0
    try:
        with draft.open("wb") as writer:
            for chunk in package.stream():
                writer.write(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done, package.size)
        draft.replace(path)
    except OSError as error:
        kind = StoreFull if error.errno == 28 else Unavailable
        raise kind(f"{path} cannot be written: {error.strerror}", code="output_unwritable") from error
    finally:
        draft.unlink(missing_ok=True)
    return done


def _kept_checksums(target: ObjectStore, evidence_id: str) -> dict[str, int]:
    try:
        value = canonical.decode(target.get(keys.evidence_checksums_key(evidence_id)))["crc32"]
    except (NotFound, Malformed, KeyError):
        return {}
    return {path: crc for path, crc in value.items() if isinstance(crc, int) and 0 <= crc <= _LIMIT32}


def _crc32(target: ObjectStore, key: str) -> int:
    crc = 0
    for chunk in target.stream(key):
        crc = zlib.crc32(chunk, crc)
    return crc
