"""How far the store follows a hold, as a small object in the cache bucket.

``holds/<id>/<written at>.json``: the newest counts, older ones are removed. Losing them only repeats work.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import IntegrityError, Malformed, NotFound
from archive.ids import check_name
from archive.ports import Content, ObjectStore
from archive.timespan import format_instant, parse_instant

_PREFIX = "holds/"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldProgress:
    """The result of a hold's last sweep.

    ``entry_version`` is the ledger entry that the sweep carried out. ``segments`` counts the covered object
    versions, ``bytes`` their sizes (0 if an earlier release swept). ``verified`` counts those that the store
    itself reported as held (or, after a release, as free, or without a hold left to clear). ``kept`` counts
    those that stay held by another hold after a release. ``waits_for`` names what must pass before the hold
    counts as ``settled``: recorder ids, or ``span_end``.
    """

    hold: str
    entry_version: int
    in_force: bool
    swept_at: int
    segments: int
    verified: int
    kept: int
    troubles: int
    settled: bool
    waits_for: tuple[str, ...]
    bytes: int = 0

    @property
    def is_verified(self) -> bool:
        """Whether all work is done and verified."""
        return self.troubles == 0 and self.segments == self.verified + self.kept

    def to_json(self) -> JsonObject:
        """As the command line, the API and the cache write it."""
        return {**asdict(self), "swept_at": format_instant(self.swept_at), "waits_for": list(self.waits_for)}


class ProgressBoard:
    """Keeps and shows the progress of holds."""

    def __init__(self, cache: ObjectStore) -> None:
        self._cache = cache

    def keep(self, progress: HoldProgress) -> None:
        """Put the newest state, then remove the older ones. Raises as the store."""
        prefix = f"{_PREFIX}{check_name('hold', progress.hold)}/"
        older = list(self._cache.list(prefix))
        name = f"{prefix}{progress.swept_at:020d}-{progress.entry_version:08d}.json"
        body = json.dumps(progress.to_json(), separators=(",", ":"), sort_keys=True).encode("ascii")
        if any(one.key == name for one in older):
            self._remove(name)
        self._cache.put(name, Content.of_bytes(body))
        for one in older:
            if one.key < name:  # a later one comes from another worker and is newer than this one
                self._remove(one.key)

    def progress(self, hold_id: str) -> HoldProgress | None:
        """The newest state of one hold; None if it was not swept yet, or the cached state cannot be read."""
        written = list(self._cache.list(f"{_PREFIX}{check_name('hold', hold_id)}/"))
        if not written:
            return None
        newest = written[-1]
        try:
            return _read(canonical.decode(self._cache.get(newest.key, version=newest.version)))
        except (NotFound, IntegrityError, Malformed, KeyError, TypeError):
            return None  # a cache may lose or corrupt its objects; the next sweep writes the state again

    def _remove(self, key: str) -> None:
        for version in self._cache.versions(key):
            if version.key == key:
                self._cache.delete_version(key, version=version.version)


def _read(value: Mapping[str, Any]) -> HoldProgress:
    return HoldProgress(
        **{**value, "swept_at": parse_instant(value["swept_at"]), "waits_for": tuple(value["waits_for"])}
    )
