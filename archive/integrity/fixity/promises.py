"""The segments that the journals promise, by hour and camera, from signed batches alone."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from archive import keys
from archive.errors import ArchiveError, IntegrityError, Unavailable
from archive.integrity.fixity.locks import Finding
from archive.integrity.fixity.pace import Pace
from archive.integrity.fixity.segments import Promise
from archive.model.segment import Segment
from archive.ports import ObjectStore
from archive.records import journal
from archive.records.ledger.streams import Ledger
from archive.timespan import hour_of

_KEPT = 2
"""Upload folders whose leaves are kept: hours are checked in order, so each is read about once."""


class CameraHour(NamedTuple):
    """One UTC hour of one camera."""

    camera: str
    hour: int


Folder = Mapping[CameraHour, Mapping[str, Promise]]
"""The leaves of one upload folder: camera and hour, then the segment's key."""


class Promises:
    """Reads journals by upload folder. Not thread-safe."""

    def __init__(
        self, records: ObjectStore, ledger: Ledger, pace: Pace, tell: Callable[[Finding], None]
    ) -> None:
        self._records = records
        self._ledger = ledger
        self._pace = pace
        self._tell = tell
        self._kept: OrderedDict[str, Folder] = OrderedDict()
        self._signers: dict[tuple[str, str], Ed25519PublicKey] = {}

    def folders(self, after: str = "") -> Iterator[str]:
        """Upload folders (``YYYY/MM/DD/HH``) later than ``after``, in order. Raises as the store."""
        marker = f"journal/{after}/~" if after else ""
        while (first := next(self._records.list("journal/", start_after=marker), None)) is not None:
            folder = "/".join(first.key.split("/")[1:5])
            yield folder
            marker = f"journal/{folder}/~"

    def forget(self) -> None:
        """Read every folder again from here on."""
        self._kept.clear()

    def folder(self, name: str) -> Folder:
        """The leaves of an upload folder; a batch that cannot be trusted is reported and left out.

        Raises:
            Unavailable, Refused: as the store.
        """
        kept = self._kept.pop(name, None)
        if kept is None:
            kept = self._read(name)
            if len(self._kept) >= _KEPT:
                self._kept.popitem(last=False)
        self._kept[name] = kept
        return kept

    def of(self, unit: CameraHour, folders: list[str]) -> dict[str, Promise]:
        """The segments of one hour of one camera, by key. Raises as :meth:`folder`."""
        found: dict[str, Promise] = {}
        for name in folders:
            found.update(self.folder(name).get(unit, {}))
        return found

    def _read(self, name: str) -> Folder:
        found: dict[CameraHour, dict[str, Promise]] = defaultdict(dict)
        for listed in self._records.list(f"journal/{name}/"):
            self._pace.spend(listed.size)
            try:
                batch = self._batch(listed.key)
            except Unavailable:
                raise
            except ArchiveError as error:
                self._tell(Finding(error.code, listed.key, error.message))
                continue
            for leaf in batch.leaves:
                if isinstance(leaf, Segment):
                    unit = CameraHour(leaf.camera, hour_of(leaf.span.start))
                    found[unit][leaf.key] = Promise(leaf.sha256, leaf.size, leaf.span)
        return found

    def _batch(self, key: str) -> journal.Batch:
        recorder, number = keys.parse_batch_key(key)
        raw = self._records.get(key)
        stated = journal.decode(raw)
        if (stated.recorder, stated.batch) != (recorder, number):
            raise IntegrityError(f"{key} holds another batch", code="journal_form")
        return journal.verify(raw, self._signer(key, recorder, stated.key_sha256))

    def _signer(self, key: str, recorder: str, fingerprint: str) -> Ed25519PublicKey:
        known = self._signers.get((recorder, fingerprint))
        if known is None:
            for entry in self._ledger.history("recorder", recorder):
                public = journal.registered_key(recorder, entry.state)
                self._signers[recorder, journal.public_key_sha256(public)] = public
            known = self._signers.get((recorder, fingerprint))
        if known is None:
            raise IntegrityError(
                f"{key} is signed by a key that the ledger does not know", code="journal_unknown_key"
            )
        return known
