"""The papers of handovers, and the newest handover of a request.

The name of a paper's object carries its hash. A paper counts only if an entry of the request names it.
"""

from dataclasses import dataclass

from archive import canonical, keys
from archive.canonical import JsonObject, sha256_hex
from archive.cases.handover.fetching import Fetching, Fetchings
from archive.cases.handover.requests import Named, RequestFile
from archive.errors import IntegrityError, NotFound
from archive.evidence.sealed import package_lock
from archive.model.handover import Receipt, Right, receipt_from_state, right_from_state
from archive.ports import Content, Lock, LockMode, ObjectStore


@dataclass(frozen=True, slots=True)
class Handover:
    """One handover of a request: the right, the downloads under it, and the receipt."""

    file: RequestFile
    right: Right
    right_sha256: str
    fetched: tuple[Fetching, ...]
    receipt: Receipt | None
    receipt_sha256: str

    @property
    def remaining(self) -> int:
        """How many downloads may still begin."""
        return self.right.downloads - len(self.fetched)


class Shelf:
    """Puts and reads papers, in the records bucket. Thread-safe as its store is."""

    def __init__(self, records: ObjectStore, fetchings: Fetchings) -> None:
        self._records = records
        self._fetchings = fetchings

    def newest(self, file: RequestFile) -> Handover:
        """The newest. Raises NotFound ``handover_not_found``, IntegrityError ``handover_altered``."""
        if not file.given:
            raise NotFound(
                f"{file.request.id} was not handed over",
                code="handover_not_found",
                hint="An officer of the War Room hands the sealed package over.",
            )
        return self._handover(file, file.given[-1])

    def numbered(self, file: RequestFile, number: int) -> Handover:
        """The one with this number. Raises as :meth:`newest`, and NotFound."""
        for named in file.given:
            if named.number == number:
                return self._handover(file, named)
        raise NotFound(
            f"{file.request.id} has no handover {number}",
            code="handover_not_found",
            hint=f"It was handed over {len(file.given)} times; numbers start at 1.",
        )

    def _handover(self, file: RequestFile, named: Named) -> Handover:
        right = right_from_state(self.read(file, named, "right"))
        received = file.received.get(named.number)
        receipt = None if received is None else receipt_from_state(self.read(file, received, "receipt"))
        return Handover(
            file=file,
            right=right,
            right_sha256=named.sha256,
            fetched=tuple(self._fetchings.begun(right)),
            receipt=receipt,
            receipt_sha256="" if received is None else received.sha256,
        )

    def put(self, right: Right, kind: str, state: JsonObject) -> str:
        """Put a paper; returns its SHA-256. It is locked as long as the package."""
        data = canonical.encode(state)
        digest = sha256_hex(data)
        package = package_lock(self._records, right.evidence_id)
        self._records.put(
            paper_key(right.evidence_id, right.number, kind, digest),
            Content.of_bytes(data),
            lock=None if package is None else Lock(LockMode.GOVERNANCE, package.until),
        )
        return digest

    def read(self, file: RequestFile, named: Named, kind: str) -> JsonObject:
        """A paper that an entry names. Raises IntegrityError ``handover_altered``."""
        key = paper_key(file.request.evidence_id, named.number, kind, named.sha256)
        data = self._records.get(key)
        if sha256_hex(data) != named.sha256:
            raise IntegrityError(
                f"{key} is not the paper that the request names",
                code="handover_altered",
                hint="Run saksi archive check and call the auditor.",
            )
        return canonical.decode(data)


def paper_key(evidence_id: str, number: int, kind: str, digest: str) -> str:
    """The object of a handover's paper; its name carries its hash."""
    return f"{keys.handover_prefix(evidence_id, number)}{kind}-{digest[:16]}.json"
