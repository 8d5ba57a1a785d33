"""What was made of parts, in the cache bucket: found by the footage it was made of, and gone with it.

``skim/copies/<camera>/<part>/<name>.<kind>``: the name is that of the part
(:mod:`archive.footage.skim.parts`), so a copy that was made of other footage is never found. It is also
removed: by the disposition that destroys the footage (:func:`forget`), when a newer one is stored, and by the
job ``skim``, which looks at all of them in turn.

``skim/used/<day>/<camera>/<hour>`` marks which hours were asked for on a day, so that the copies that nobody
used for longest go first.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, NotFound
from archive.footage.skim.made import (
    Activity,
    Sheet,
    decode_activity,
    decode_sheet,
    encode_activity,
    encode_sheet,
)
from archive.footage.skim.parts import LEAD, Part, stamp_of, start_of, starts_in
from archive.ids import check_name
from archive.ports import Content, ObjectStore, ObjectVersion
from archive.timespan import DAY, Timespan, as_datetime, hour_of

_COPIES = "skim/copies/"
_USED = "skim/used/"
_NAMED = re.compile(r"skim/copies/(?P<camera>[^/]+)/(?P<stamp>\d{8}T\d\d[0-5]0Z)/[^/]+\Z", re.ASCII)
_MARKED = re.compile(r"skim/used/(?P<day>\d{8})/(?P<camera>[^/]+)/(?P<stamp>\d{8}T\d\d00Z)\Z", re.ASCII)
MARKS_KEPT = 62 * DAY
"""How long it is remembered on which days an hour was asked for."""


class Kind(StrEnum):
    """What is made of a part."""

    ACTIVITY = "activity"
    SHEET = "sheet"


@dataclass(slots=True)
class StoredPart:
    """All copies of one part: their versions, bytes, and when the newest was stored (µs)."""

    camera: str
    start: int
    versions: list[ObjectVersion] = field(default_factory=list)

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(one.size for one in self.versions)

    @property
    def stored_at(self) -> int:
        """When the newest of them was stored."""
        return max(one.stored_at for one in self.versions)

    @property
    def names(self) -> frozenset[str]:
        """The names of the parts they were made of: one, unless a newer copy was just stored."""
        return frozenset(one.key.rpartition("/")[2].partition(".")[0] for one in self.versions)


class SkimCache:
    """Finds and stores what was made of parts. Thread-safe as its store is."""

    def __init__(self, store: ObjectStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._marked: set[str] = set()

    def activity(self, part: Part) -> Activity | None:
        """The activity of a part, if it is stored and can be read."""
        data = self._read(part, Kind.ACTIVITY)
        if data is None:
            return None
        try:
            return decode_activity(data)
        except Malformed:
            self.drop(part.camera, part.start)  # a cache may corrupt its objects; it is made again
            return None

    def sheet(self, part: Part) -> Sheet | None:
        """The sheet of a part, if it is stored and can be read."""
        data = self._read(part, Kind.SHEET)
        if data is None:
            return None
        try:
            return decode_sheet(data)
        except Malformed:
            self.drop(part.camera, part.start)
            return None

    def has(self, part: Part, kind: Kind) -> bool:
        """Whether it is stored; nothing is read."""
        try:
            self._store.head(_key(part, kind))
        except NotFound:
            return False
        return True

    def keep_activity(self, part: Part, made: Activity) -> None:
        """Store the activity of a part. Raises as the store."""
        self._keep(part, Kind.ACTIVITY, encode_activity(made))

    def keep_sheet(self, part: Part, made: Sheet) -> None:
        """Store the sheet of a part. Raises as the store."""
        self._keep(part, Kind.SHEET, encode_sheet(made))

    def drop(self, camera: str, start: int) -> None:
        """Remove all copies of a part; idempotent."""
        for version in list(self._store.versions(_folder(camera, start))):
            self._store.delete_version(version.key, version=version.version)

    def mark_used(self, camera: str, at: int) -> None:
        """Remember that footage of this hour was asked for today."""
        day = as_datetime(self._clock.now()).strftime("%Y%m%d")
        key = f"{_USED}{day}/{check_name('camera', camera)}/{stamp_of(hour_of(at))}"
        if key in self._marked:
            return
        try:
            self._store.put(key, Content.of_bytes(b"1"))
        except AlreadyExists:
            pass  # another process marked it with other bytes; the name is what counts
        self._marked = {one for one in self._marked if one.startswith(f"{_USED}{day}/")} | {key}

    def stored(self) -> Iterator[StoredPart]:
        """Every part with copies, by camera and start."""
        part: StoredPart | None = None
        for version in self._store.versions(_COPIES):
            named = _NAMED.match(version.key)
            if named is None:
                continue  # nothing of ours, and nothing that anybody finds
            camera, start = named["camera"], start_of(named["stamp"])
            if part is None or (part.camera, part.start) != (camera, start):
                if part is not None:
                    yield part
                part = StoredPart(camera, start)
            part.versions.append(version)
        if part is not None:
            yield part

    def trim(self, budget: int) -> int:
        """Remove parts until their copies are ``budget`` bytes at most; returns how many were removed.

        Those whose hour nobody asked for longest go first; among equals those that were stored first. Old
        marks are removed too.
        """
        used = self._used()
        parts = list(self.stored())
        size = sum(one.size for one in parts)
        removed = 0

        def last_used(one: StoredPart) -> tuple[int, int]:
            stored = one.stored_at
            return max(used.get((one.camera, hour_of(one.start)), 0), stored - stored % DAY), stored

        for one in sorted(parts, key=last_used):
            if size <= budget:
                break
            self.drop(one.camera, one.start)
            size -= one.size
            removed += 1
        return removed

    def _used(self) -> dict[tuple[str, int], int]:
        """The last day (µs) on which each hour of a camera was asked for. Marks that are too old go."""
        found: dict[tuple[str, int], int] = defaultdict(int)
        oldest = self._clock.now() - MARKS_KEPT
        for version in list(self._store.versions(_USED)):
            marked = _MARKED.match(version.key)
            at = start_of(f"{marked['day']}T0000Z") if marked is not None else 0
            if marked is None or at < oldest:
                self._store.delete_version(version.key, version=version.version)
                continue
            hour = marked["camera"], start_of(marked["stamp"])
            found[hour] = max(found[hour], at)
        return found

    def _read(self, part: Part, kind: Kind) -> bytes | None:
        try:
            return self._store.get(_key(part, kind))
        except NotFound:
            return None

    def _keep(self, part: Part, kind: Kind, data: bytes) -> None:
        try:
            self._store.put(_key(part, kind), Content.of_bytes(data))
        except AlreadyExists:
            pass  # another process made it of the same footage
        for version in list(self._store.versions(_folder(part.camera, part.start))):
            if not version.key.startswith(f"{_folder(part.camera, part.start)}{part.name}."):
                self._store.delete_version(version.key, version=version.version)


def forget(store: ObjectStore, camera: str, span: Timespan) -> None:
    """Remove every copy that may have been made of footage of a camera in a span; idempotent.

    Disposition calls it after the index no longer has the footage, so that a copy made meanwhile either is
    removed here or finds the footage gone (:mod:`archive.footage.skim.skimmer`). Raises as the store.
    """
    for start in starts_in(Timespan(span.start, span.end + LEAD)):
        for version in list(store.versions(_folder(camera, start))):
            store.delete_version(version.key, version=version.version)


def _folder(camera: str, start: int) -> str:
    return f"{_COPIES}{check_name('camera', camera)}/{stamp_of(start)}/"


def _key(part: Part, kind: Kind) -> str:
    return f"{_folder(part.camera, part.start)}{part.name}.{kind.value}"
