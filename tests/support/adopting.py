"""An archive whose recorder is gone, and adopters for it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.clock import ManualClock
from archive.errors import ArchiveError
from archive.ids import adopter_of
from archive.integrity.adoption import Adoption, Signer
from archive.integrity.check import Checker, CheckReport, Depth
from archive.model import leaf as leaves
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.records import journal
from archive.records.custody import CustodyWriter, new_writer_id
from archive.records.logbook import Logbook
from archive.timespan import DAY, MINUTE, SECOND
from recorder import identity
from tests.support.archives import SmallArchive

BOUND = 60 * MINUTE
FLOOR = 30 * DAY
SKEWED = 15 * MINUTE
"""How far a clock may be off before an S3 store refuses its requests (as MinIO does)."""


def accept(_leaf: Segment, _content: Iterable[bytes]) -> None:
    """Invented bytes are a whole segment here."""


@dataclass
class Bereft:
    """A small archive; its recorder ``rec-1`` is gone from ``now`` on. ``told`` has what was not adopted."""

    archive: SmallArchive
    folder: Path
    now: int
    examine: Callable[[Segment, Iterable[bytes]], None] = accept
    told: list[tuple[str, str]] = field(default_factory=list)
    clock: ManualClock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = ManualClock(self.now + BOUND + MINUTE)

    def beat(self, **state: object) -> None:
        """The recorder's last heartbeat."""
        self.archive.index.put_heartbeat("rec-1", self.now, {"cameras": {"cam-1": {}}, **state})

    def key(self, name: str) -> Ed25519PrivateKey:
        """An adopter's key: the same each time."""
        return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")[:32])

    def signer(self, host: str = "rec-2") -> Signer:
        """A new process of a host's adopter."""
        name, archive = adopter_of(host), self.archive
        logbook = Logbook(
            self.folder / name, name, self.key(name), self.clock, lock_days=1, origin=journal.ADOPTED
        )
        identity.register(archive.ledger, name, self.key(name).public_key())
        return Signer(name, logbook, archive.stores.footage, archive.stores.records, archive.index)

    def job(self, host: str = "rec-2") -> Adoption:
        """A new process of the job, which has watched for long enough."""
        custody = CustodyWriter(
            self.archive.stores.records, self.clock, writer=new_writer_id("host"), lock_days=1
        )

        def tell(name: str, error: ArchiveError) -> None:
            self.told.append((name, error.code))

        made = Adoption(
            self.archive.stores,
            self.archive.index,
            self.clock,
            beats=self.archive.index.heartbeats,
            signer=lambda: self.signer(host),
            record=custody.record,
            tell=tell,
            bound=BOUND,
            floor=FLOOR,
            examine=self.examine,
        )
        assert made.run() == 0, "it has not watched yet"
        self.clock.advance(MINUTE)
        return made

    def adopt(self, host: str = "rec-2") -> int:
        """What one process of the job adopts."""
        return self.job(host).run()

    def batches(self) -> list[journal.Batch]:
        """Every batch in the archive, checked against its registered key."""
        records = self.archive.stores.records
        found = []
        for listed in records.list("journal/"):
            data = records.get(listed.key)
            batch = journal.decode(data)
            state = self.archive.ledger.head("recorder", batch.recorder).state
            found.append(journal.verify(data, journal.registered_key(batch.recorder, state)))
        return found

    def lines(self) -> dict[tuple[str, int], list[tuple[str, bytes]]]:
        """By run and number, who signed which line."""
        found: dict[tuple[str, int], list[tuple[str, bytes]]] = {}
        for batch in self.batches():
            for leaf in batch.leaves:
                if isinstance(leaf, Segment):
                    found.setdefault((leaf.run, leaf.seq), []).append((batch.origin, leaves.encode(leaf)))
        return found

    def check(self) -> CheckReport:
        """The whole check of the archive."""
        archive = self.archive
        return Checker(archive.stores, archive.index, self.clock, depth=Depth.BYTES).run()

    def returns(self, lines: Iterable[Leaf]) -> None:
        """The recorder is back, and signs the lines that its spool still has."""
        self.archive.clock.wall = self.clock.now() + SECOND
        self.archive.write_journal(tuple(lines))
