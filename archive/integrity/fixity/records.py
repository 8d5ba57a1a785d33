"""The records bucket: objects against the store's checksum and their names, packages against manifests.

The unit is a ledger kind, a day of journals or custody, a package, or otherwise a whole folder.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from archive import keys
from archive.errors import ArchiveError, IntegrityError, NotFound, Unavailable
from archive.evidence import bag, paths
from archive.ids import check_sha256
from archive.integrity.fixity.hashing import hash_object
from archive.integrity.fixity.locks import Finding
from archive.integrity.fixity.pace import Pace
from archive.integrity.fixity.segments import Examined, surplus
from archive.ports import ObjectStore, ObjectVersion

_DEPTH = {"ledger": 2, "journal": 4, "custody": 4, "evidence": 2}
_PACKAGES = "evidence/"
_ATTACHMENTS = "attachments/"


def record_units(records: ObjectStore) -> Iterator[str]:
    """All units, in order of their names. Raises as the store."""
    after = ""
    while (first := next(records.list("", start_after=after), None)) is not None:
        parts = first.key.split("/")
        if first.key.startswith(keys.CANARY):
            after = f"{keys.CANARY}~"  # attacked on purpose: these have markers and second versions
            continue
        depth = _DEPTH.get(parts[0], 1)
        unit = "/".join([*parts[: depth - 1], parts[depth - 1].partition(".")[0]])
        yield unit
        after = f"{unit}/~"


@dataclass(frozen=True, slots=True)
class RecordsExaminer:
    """Checks the objects of one unit."""

    records: ObjectStore
    pace: Pace

    def examine(self, unit: str) -> Iterator[Examined]:
        """Each object of the unit.

        Raises:
            Unavailable, Refused: as the store.
        """
        promised: dict[str, str] = {}
        if unit.startswith(_PACKAGES):
            promised, damage = self._package(unit)
            if damage is not None:
                yield damage
        seen: set[str] = set()
        mine = (v for v in self.records.versions(unit) if v.key[len(unit) :][:1] in ("/", ".", ""))
        for key, versions in groupby(mine, key=lambda version: version.key):
            if promised:
                seen.add(key)
            yield self._one(key, list(versions), promised.get(key))
        for key in sorted(promised.keys() - seen):
            finding = Finding(
                "package_part_missing", key, "its package's manifest names it, and it does not exist"
            )
            yield Examined(key, 0, (finding,))

    def _one(self, key: str, versions: list[ObjectVersion], promised: str | None) -> Examined:
        found = list(surplus(versions))
        oldest = next((version for version in versions if not version.deleted), None)
        size = 0
        if oldest is None:
            found.append(Finding("record_missing", key, "only a delete marker is left"))
            return Examined(key, 0, tuple(found))
        if key.startswith(_ATTACHMENTS):
            promised = key.rpartition("/")[2]
        try:
            head = self.records.head(key, version=oldest.version)
            digest = hash_object(self.records, key, oldest.version, self.pace)
            size = digest.size
            facts = {"found_sha256": digest.sha256}
            if promised is not None and digest.sha256 != check_sha256(promised):
                found.append(Finding("bytes_differ", key, "its bytes differ from the record", facts))
            elif head.sha256 is not None and head.sha256 != digest.sha256:
                found.append(
                    Finding("checksum_differs", key, "the store's checksum differs from its bytes", facts)
                )
        except NotFound:
            found.append(Finding("record_missing", key, "it vanished during the check"))
        except Unavailable:
            raise
        except IntegrityError as error:
            found.append(Finding(error.code, key, error.message))
        return Examined(key, size, tuple(found))

    def _package(self, unit: str) -> tuple[dict[str, str], Examined | None]:
        """The SHA-256 of each part that the manifests of a sealed package name; empty for an unsealed one."""
        prefix = f"{unit}/"
        try:
            self.records.head(prefix + paths.SEAL)
        except NotFound:
            return {}, None
        try:
            tags = bag.read_manifest(bag.TAG_MANIFEST, self.records.get(prefix + bag.TAG_MANIFEST))
            parts = bag.read_manifest(bag.MANIFEST, self.records.get(prefix + bag.MANIFEST))
        except Unavailable:
            raise
        except ArchiveError as error:
            finding = Finding("package_unreadable", prefix, error.message)
            return {}, Examined(prefix, 0, (finding,))
        return {prefix + path: digest for path, digest in {**parts, **tags}.items()}, None
