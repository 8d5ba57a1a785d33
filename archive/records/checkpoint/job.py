"""Making a checkpoint (design: checkpoint n).

1. The newest checkpoint is found by listing; the SHA-256 of its text is the new one's ``prev``.
2. Objects that no checkpoint covers are read and judged in key order
   (:mod:`archive.records.checkpoint.arrived`), hashed, and listed in a temporary file on the local disk.
3. Every objection becomes an integrity incident in the ledger.
4. ``leaves-<sha16>.jsonl`` is put. Its name carries its hash, so a list left by an earlier attempt does no
   harm.
5. ``checkpoint`` is put if absent: **from this moment it exists**. Of two processes that make the same
   number one wins; the other's list stays, unused.
6. ``checkpoint.p7s``, the signature by the log key, is put if absent.
7. ``checkpoint.tsr``, the time stamp over the text, is put if absent.
8. The checkpoint is sent to the witnesses, and their receipts are put if absent.

After a crash before step 5 there is no checkpoint, and the next turn makes it. After a later crash the
checkpoint lacks steps 6 to 8, which each turn catches up. A failure in 6 to 8 never delays the next one.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive import keys
from archive.clock import Clock
from archive.errors import AlreadyExists, ArchiveError, IntegrityError, Refused
from archive.ports import Content, Lock, LockMode, Signer, Stores, TimestampAuthority
from archive.records.checkpoint import memory, stored
from archive.records.checkpoint.arrived import Arrivals, Objection, scanned_prefixes
from archive.records.checkpoint.covered import Covered
from archive.records.checkpoint.draft import Draft
from archive.records.checkpoint.leaves import Opening
from archive.records.checkpoint.note import GENESIS, Note, check_origin
from archive.records.checkpoint.witness import Witness
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR
from archive.trust import certificates

ACTOR = "job:log"
WITNESSED = 24
"""How many of the newest checkpoints are sent to witnesses that have not answered yet."""

Progress = Callable[[str, int], None]
"""Called with the step's name and the number of objects seen."""


def _silent(_step: str, _seen: int) -> None:
    return


@dataclass(frozen=True, slots=True)
class Made:
    """A new checkpoint: its text, the number of objects under it, and how many of them are ``refused``."""

    note: Note
    objects: int
    refused: int


@dataclass(slots=True)
class CheckpointMaker:
    """Makes the checkpoints of one archive. Not thread-safe; any number of processes may have one.

    ``lock_days`` is the COMPLIANCE lock of what it puts, ``interval`` (µs) the pause between two checkpoints.
    """

    stores: Stores
    ledger: Ledger
    clock: Clock
    signer: Signer
    authority: TimestampAuthority
    origin: str
    lock_days: int
    interval: int = HOUR
    witnesses: Sequence[Witness] = ()
    _covered: Covered | None = None
    _settled: int = 0
    _troubles: list[ArchiveError] = field(default_factory=list)

    def __post_init__(self) -> None:
        check_origin(self.origin)

    def run_due(self) -> int:
        """One turn of the job: make a checkpoint if one is due, and complete older ones.

        Returns:
            The number of checkpoints made: 0 or 1.

        Raises:
            ArchiveError: the first error; every step that did not depend on it was done.
        """
        self._troubles = []
        head = stored.newest(self.stores.records, known=self._settled)
        made = self._make(_silent, after=head) if self._is_due(head) else None
        self.settle()
        if self._troubles:
            raise self._troubles[0]
        return 0 if made is None else 1

    def make(self, progress: Progress = _silent) -> Made | None:
        """Make the next checkpoint now: steps 1 to 5. None if another process made it first.

        Raises:
            IntegrityError: ``second_version``: its name already held another object; the checkpoint does not
                count. ``checkpoint_altered``: the previous one cannot be read.
            Refused: ``log_origin_changed``: the log had another name; under a new one it would not verify.
            Unavailable, StoreFull: no checkpoint was made; try again.
        """
        return self._make(progress, after=self._known().number)

    def _make(self, progress: Progress, *, after: int) -> Made | None:
        """The checkpoint after that number. None if it is there already: the next one is not due yet."""
        covered = self._known()
        if covered.number != after:
            return None
        head = stored.read_note(self.stores.records, covered.number) if covered.number else None
        if head is not None and head.origin != self.origin:
            raise Refused(
                f"this log is named {head.origin}, not {self.origin}",
                code="log_origin_changed",
                hint=f"Set log_origin back to {head.origin}: a log never changes its name.",
            )
        now = self.clock.now()
        opening = Opening(self.origin, covered.number + 1, GENESIS if head is None else head.digest, now)
        arrivals = Arrivals(self.stores.records, self.ledger, covered)
        prefixes = scanned_prefixes(now, None if head is None else head.at)
        with tempfile.TemporaryDirectory(prefix="saksi-log-") as folder:
            draft = Draft(Path(folder) / "leaves.jsonl", opening)
            for count in draft.write(arrivals.objects(prefixes)):
                progress("objects", count)
            self._report(arrivals.objections)
            note = draft.note()
            won = self._commit(note, Content.of_file(draft.path, sha256=note.leaves))
        if not won:
            return None
        self._remember()
        return Made(note, draft.objects, draft.refused)

    def settle(self) -> None:
        """Steps 6 to 8 for every checkpoint that lacks one. Errors are kept for :meth:`run_due`."""
        head = stored.newest(self.stores.records, known=self._settled)
        complete = True
        for number, parts in list(stored.parts_after(self.stores.records, self._settled)):
            if stored.CHECKPOINT not in parts:
                continue
            whole = self._settle_one(number, parts, head)
            complete = complete and whole
            if complete:
                self._settled = number

    def _settle_one(self, number: int, parts: set[str], head: int) -> bool:
        steps: list[tuple[str, Callable[[bytes], bytes]]] = [
            (stored.SIGNATURE, self._sign),
            (stored.STAMP, self.authority.stamp),
        ]
        if number > head - WITNESSED:
            steps += [(witness.part, witness.show) for witness in self.witnesses]
        steps = [step for step in steps if step[0] not in parts]
        if not steps:
            return True
        checkpoint = self.stores.records.get(keys.checkpoint_key(number, stored.CHECKPOINT))
        whole = True
        for part, make in steps:
            try:
                self._put(number, part, Content.of_bytes(make(checkpoint)))
            except AlreadyExists:
                continue  # another process was first: its signature, stamp or receipt counts
            except ArchiveError as error:
                self._troubles.append(error)
                whole = False
        return whole

    @property
    def troubles(self) -> Sequence[ArchiveError]:
        """The errors since the last turn began."""
        return tuple(self._troubles)

    def _is_due(self, head: int) -> bool:
        if not head:
            return True
        last = stored.read_note(self.stores.records, head).at
        return not last <= self.clock.now() < last + self.interval

    def _known(self) -> Covered:
        """The objects under the checkpoints so far; first read from the cache or from the archive alone."""
        known = self._covered
        head = stored.newest(self.stores.records, known=0 if known is None else known.number)
        if known is None:
            known, objections = memory.load(self.stores, self.signer, head)
        else:
            self._covered = None  # after a failed read the state is partial: forget it
            objections = memory.follow(self.stores.records, known, head)
        self._report(objections)
        self._covered = known
        return known

    def _remember(self) -> None:
        """Add the new checkpoint, and store the memory; without a cache the job is only slower."""
        covered = self._known()
        try:
            memory.keep(self.stores.cache, covered, self.signer)
        except ArchiveError as error:
            self._troubles.append(error)

    def _report(self, objections: Sequence[Objection]) -> None:
        for one in objections:
            open_integrity_incident(
                self.ledger, code=one.code, subject=one.subject, message=one.message, found_by=ACTOR
            )

    def _commit(self, note: Note, leaves: Content) -> bool:
        """Steps 4 and 5; whether this attempt's checkpoint is the one that counts."""
        self._put(note.number, stored.leaves_part(note.leaves), leaves)
        try:
            key = self._put(note.number, stored.CHECKPOINT, Content.of_bytes(note.encode()))
        except AlreadyExists:
            return False
        # Put-if-absent succeeds over a delete marker, so its success is not proof.
        found = [one for one in self.stores.records.versions(key) if one.key == key]
        if len(found) != 1:
            message = f"{key} has {len(found)} versions"
            self._report([Objection("second_version", key, message)])
            raise IntegrityError(
                message, code="second_version", hint="Call the auditor: saksi log verify --all"
            )
        return True

    def _put(self, number: int, part: str, content: Content) -> str:
        key = keys.checkpoint_key(number, part)
        lock = Lock(LockMode.COMPLIANCE, self.clock.now() + self.lock_days * DAY)
        self.stores.records.put(key, content, lock=lock)
        return key

    def _sign(self, checkpoint: bytes) -> bytes:
        certificate = certificates.load_der("the log's signer", self.signer.certificate_der)
        certificates.check_valid(certificate, self.clock.now())
        return self.signer.sign_cms(checkpoint)
