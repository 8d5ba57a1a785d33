"""The objects of recorders' batches in the records bucket, by recorder and hour of upload."""

from collections.abc import Iterator

from archive import keys
from archive.errors import Malformed
from archive.ports import ObjectStore, ObjectVersion


def batches_of(records: ObjectStore, recorder: str, hour: int) -> Iterator[ObjectVersion]:
    """A recorder's batches in the folder of that hour (µs), by name. Raises as the store.

    What lies there and is no batch is left out: the check of the archive names it, and it stops nothing else.
    """
    for listed in records.list(f"journal/{keys.hour_folder(hour)}/{recorder}_"):
        try:
            keys.parse_batch_key(listed.key)
        except Malformed:
            continue
        yield listed
