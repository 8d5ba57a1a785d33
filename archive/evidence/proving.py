"""Finds the lines of a package in the tamper-evident log (docs/reference/log.md).

Sealing waits for the log. Where no checkpoint covers a line yet, a process that holds the log key makes one
at once. In other processes sealing waits, and the log job sees the waiting package and makes the checkpoint.
A line that a checkpoint made six hours after it still lacks (a recorder lost its journal) will be under none;
it is sealed without a proof, and the package states this. A verifier refuses such a package unless it is told
to accept it.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from archive.clock import Clock
from archive.errors import NotFound, Refused, Unavailable
from archive.evidence.plan import SealedCheckpoint
from archive.ports import ObjectStore
from archive.records.checkpoint import stored
from archive.records.checkpoint.prove import InclusionProof, Line, prove_lines
from archive.timespan import HOUR, Timespan

GRACE = 6 * HOUR
MAX_CHECKPOINTS = 1_000
_LATE = 2 * HOUR

MakeCheckpoint = Callable[[], None]
"""Makes a signed and stamped checkpoint now; for a process that holds the log key."""


class CheckpointPending(Unavailable):
    """A line that needs a proof is under no sealed checkpoint yet."""

    default_code = "checkpoint_pending"

    def __init__(self, message: str) -> None:
        super().__init__(
            message,
            hint="A recorder's lines arrive within a minute, and the next checkpoint covers them. Sealing"
            " then continues: saksi work --once log, then saksi work --once seal",
        )


@dataclass(frozen=True, slots=True)
class Prover:
    """Finds proofs in ``records``. ``make_checkpoint`` is None where another process keeps the log."""

    records: ObjectStore
    clock: Clock
    make_checkpoint: MakeCheckpoint | None = None

    def prove(self, lines: Sequence[Line], arrived: Collection[bytes]) -> "list[InclusionProof | None]":
        """A proof for each line; None for a line that never reached the log.

        ``arrived`` names the lines that are in the records bucket.

        Raises:
            CheckpointPending: a line, or the seal of a checkpoint, is still on its way.
            IntegrityError: ``checkpoint_altered``, ``leaves_altered``.
        """
        proofs = self._partial(lines)
        missing = [line for line, proof in zip(lines, proofs, strict=True) if proof is None]
        unsealed = any(proof is not None and not _is_sealed(proof) for proof in proofs)
        old = self.clock.now() - GRACE
        if unsealed or any(line.leaf in arrived or line.since <= old for line in missing):
            self._make()
            proofs = self._partial(lines)
        head = stored.newest(self.records)
        until = stored.read_note(self.records, head).at - GRACE if head else 0
        for line, proof in zip(lines, proofs, strict=True):
            if proof is None and line.since > until:
                raise CheckpointPending("a leaf of the package is under no checkpoint yet")
            if proof is not None and not _is_sealed(proof):
                raise CheckpointPending(f"checkpoint {proof.note.number} has no signature or time stamp yet")
        return proofs

    def over(self, span: Timespan, until: int) -> tuple[SealedCheckpoint, ...]:
        """The checkpoints from the span's start to two hours after its end, and the newest by ``until``.

        Of the former it gives the first 1,000.

        Raises:
            CheckpointPending: there is no checkpoint yet, or one of them is not sealed yet.
        """
        head = stored.newest(self.records)
        if not head:
            self._make()
            head = stored.newest(self.records)
        notes = [stored.read_note(self.records, number) for number in range(1, head + 1)]
        ended = [note.number for note in notes if note.at <= until]
        chosen = [note.number for note in notes if span.start <= note.at < span.end + _LATE]
        numbers = sorted({*chosen[:MAX_CHECKPOINTS], *ended[-1:]}) or [note.number for note in notes[:1]]
        if not numbers:
            raise CheckpointPending("the log has no checkpoint yet")
        return tuple(self._sealed(number) for number in numbers)

    def _sealed(self, number: int) -> SealedCheckpoint:
        text = stored.read_note(self.records, number).encode()
        signature, stamp = (
            stored.read_part(self.records, number, part) for part in (stored.SIGNATURE, stored.STAMP)
        )
        if signature is None or stamp is None:
            raise CheckpointPending(f"checkpoint {number} has no signature or time stamp yet")
        return SealedCheckpoint(text, signature, stamp)

    def _make(self) -> None:
        if self.make_checkpoint is None:
            return
        try:
            self.make_checkpoint()
        except (Refused, Unavailable):
            return  # the log job makes it, and sealing waits

    def _partial(self, lines: Sequence[Line]) -> "list[InclusionProof | None]":
        """Proofs of the covered lines: all in one call, or by halving where some line is not covered."""
        if not lines:
            return []
        try:
            return list(prove_lines(self.records, lines))
        except NotFound as error:
            if error.code != "not_covered":
                raise
        if len(lines) == 1:
            return [None]
        middle = len(lines) // 2
        return self._partial(lines[:middle]) + self._partial(lines[middle:])


def _is_sealed(proof: InclusionProof) -> bool:
    return proof.signature is not None and proof.stamp is not None
