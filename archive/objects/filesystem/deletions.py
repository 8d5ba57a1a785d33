"""Deletes objects in batches, with two syncs per folder instead of two per object.

1. Under each key's lock: check hold and retention, then remove the object's name.
2. Sync the folder: from here on a crash cannot bring an object back without its sidecar.
3. Under each key's lock again: remove the sidecar, unless another process put the object again meanwhile.
4. Sync the folder; remove folders that are empty.

A crash after 1 leaves sidecars without objects, which no reader sees; the next call removes them.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from archive.errors import IntegrityError, NotFound
from archive.objects.filesystem import durable
from archive.objects.filesystem.folders import folder_of, remove_empty_folders
from archive.objects.filesystem.reading import exists, read_sidecar
from archive.objects.filesystem.sidecar import sidecar_name
from archive.objects.filesystem.trouble import translated
from archive.ports import Deletion, DeletionOutcome, DoomedVersion


def delete(root: str, items: Sequence[DoomedVersion], now: int) -> list[Deletion]:
    """Destroy objects that neither hold nor retention keeps at ``now`` (µs), in the order of ``items``.

    An object whose sidecar is missing or unreadable is kept as ``refused``: its protection is unknown.
    """
    folders: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        folders[item.key.rpartition("/")[0]].append(number)
    outcomes: dict[int, Deletion] = {}
    for numbers in folders.values():
        with translated(f"deleting {len(numbers)} objects beside {items[numbers[0]].key}"):
            outcomes.update(_in_folder(root, {number: items[number] for number in numbers}, now))
    return [outcomes[number] for number in range(len(items))]


def _in_folder(root: str, doomed: dict[int, DoomedVersion], now: int) -> dict[int, Deletion]:
    found: dict[int, Deletion] = {}
    leftovers: list[str] = []
    first = next(iter(doomed.values())).key
    try:
        with folder_of(root, first) as (folder, _):
            for number, item in doomed.items():
                with durable.key_lock(root, item.key):
                    found[number], has_sidecar = _unlink(folder, item, now)
                if has_sidecar:
                    leftovers.append(item.key)
            if leftovers:
                os.fsync(folder)
                _remove_sidecars(root, folder, leftovers)
                os.fsync(folder)
    except NotFound:
        return {n: Deletion(d.key, d.version, DeletionOutcome.GONE) for n, d in doomed.items()}
    remove_empty_folders(root, first)
    return found


def _unlink(folder: int, item: DoomedVersion, now: int) -> tuple[Deletion, bool]:
    """Step 1 for one object: its outcome, and whether a sidecar is left to remove."""
    name = item.key.rpartition("/")[2]

    def outcome(kind: DeletionOutcome, until: int | None = None) -> Deletion:
        return Deletion(item.key, item.version, kind, until)

    there = exists(folder, name)
    try:
        facts = read_sidecar(folder, name, item.key)
    except IntegrityError:
        return outcome(DeletionOutcome.REFUSED), False
    if facts is None:
        return outcome(DeletionOutcome.REFUSED if there else DeletionOutcome.GONE), False
    if facts.sha256 != item.version:
        return outcome(DeletionOutcome.GONE), False
    if not there:
        return outcome(DeletionOutcome.GONE), True
    if facts.held:
        return outcome(DeletionOutcome.UNDER_HOLD), False
    if facts.lock is not None and facts.lock.until > now:
        return outcome(DeletionOutcome.UNDER_RETENTION, facts.lock.until), False
    os.unlink(name, dir_fd=folder)
    return outcome(DeletionOutcome.DELETED), True


def _remove_sidecars(root: str, folder: int, doomed: Sequence[str]) -> None:
    for key in doomed:
        name = key.rpartition("/")[2]
        with durable.key_lock(root, key), suppress(FileNotFoundError):
            if not exists(folder, name):
                os.unlink(sidecar_name(name), dir_fd=folder)
