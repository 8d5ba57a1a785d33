"""What is written down, as the store lists it: custody objects by hour, ledger entries by stream."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from archive import keys
from archive.errors import Malformed
from archive.ports import ObjectStore, ObjectVersion
from archive.records.ledger.listed import entries_of, name_of
from archive.records.ledger.streams import KINDS
from archive.timespan import parse_instant

CUSTODY, LEDGER = "custody/", "ledger/"


@dataclass(frozen=True, slots=True)
class Hour:
    """The custody objects in one hour's folder, by name. ``start`` is None for objects that lie elsewhere."""

    start: int | None
    objects: tuple[ObjectVersion, ...]


@dataclass(frozen=True, slots=True)
class Stream:
    """The listed entries of one ledger stream, by version; never empty."""

    kind: str
    id: str
    entries: Mapping[int, ObjectVersion] = field(default_factory=dict)

    @property
    def newest(self) -> int:
        """The greatest version."""
        return max(self.entries)


def custody_hours(records: ObjectStore, since: int | None) -> Iterator[Hour]:
    """Custody by hour from that of ``since`` (µs) on, without it all. Raises as the store."""
    after = "" if since is None else f"{CUSTODY}{keys.hour_folder(since)}/"
    listed = records.list(CUSTODY, start_after=after)
    for folder, found in groupby(listed, key=lambda one: one.key.rpartition("/")[0]):
        yield Hour(_hour_of(folder), tuple(found))


def ledger_streams(records: ObjectStore) -> Iterator[Stream | ObjectVersion]:
    """Every stream of the ledger, and every object there with a name that no entry can have."""
    kept: tuple[str, str] | None = None
    entries: dict[int, ObjectVersion] = {}
    for listed in records.list(LEDGER):
        try:
            kind, entity, version = name_of(listed.key)
        except Malformed:
            yield listed
            continue
        if kind not in KINDS:
            yield listed
            continue
        if kept != (kind, entity):
            if kept is not None:
                yield Stream(*kept, entries)
            kept, entries = (kind, entity), {}
        entries[version] = listed
    if kept is not None:
        yield Stream(*kept, entries)


def stream_of(records: ObjectStore, kind: str, entity: str) -> Stream | None:
    """One stream as it is listed now. Raises as the store, and Malformed ``bad_id``."""
    found = {one.version: one.found for one in entries_of(records, kind, entity)}
    return Stream(kind, entity, found) if found else None


def _hour_of(folder: str) -> int | None:
    try:
        _, year, month, day, hour = folder.split("/")
        start = parse_instant(f"{year}-{month}-{day}T{hour}:00:00Z")
    except (ValueError, Malformed):
        return None
    return start if keys.hour_folder(start) == f"{year}/{month}/{day}/{hour}" else None
