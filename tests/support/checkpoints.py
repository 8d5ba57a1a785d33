"""A small archive with a log: recorder, custody and ledger write; checkpoints are made and verified."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archive.canonical import sha256_hex
from archive.clock import ManualClock
from archive.keys import checkpoint_key
from archive.model.custody import Actor
from archive.model.segment import Segment
from archive.objects.filesystem.sidecar import Sidecar, sidecar_name
from archive.ports import Stores
from archive.records.checkpoint import stored
from archive.records.checkpoint.findings import LogReport
from archive.records.checkpoint.job import CheckpointMaker
from archive.records.checkpoint.note import Note
from archive.records.checkpoint.verify import verify_log
from archive.records.custody import CustodyWriter
from archive.timespan import DAY, HOUR, MINUTE, Timespan
from archive.trust.judge import load_trust
from ops import keys
from tests.support.archives import SmallArchive, small_archive

ORIGIN = "saksi.test/log"
LOCK_DAYS = 30


@dataclass
class LogSite:
    """One archive, its keys and its log; ``segments`` are those whose lines were journalled."""

    folder: Path
    archive: SmallArchive
    segments: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        keys.init(self.keys_dir, clock=self.clock)
        self.archive.register_recorder()
        self.custody = CustodyWriter(self.stores.records, self.clock, writer="api-1")

    @property
    def keys_dir(self) -> Path:
        """The development keys."""
        return self.folder / "keys"

    @property
    def clock(self) -> ManualClock:
        """The archive's clock."""
        return self.archive.clock

    @property
    def stores(self) -> Stores:
        """The archive's stores."""
        return self.archive.stores

    def maker(self, stores: Stores | None = None) -> CheckpointMaker:
        """A log job in its state at the start of its process."""
        from archive.records.ledger.streams import Ledger

        used = stores or self.stores
        return CheckpointMaker(
            stores=used,
            ledger=Ledger(used.records, self.clock),
            clock=self.clock,
            signer=keys.load_log_signer(self.keys_dir, clock=self.clock),
            authority=keys.load_local_authority(self.keys_dir, clock=self.clock),
            origin=ORIGIN,
            lock_days=LOCK_DAYS,
        )

    def record(self, segments: int = 2) -> str:
        """A small hour of records: segments and their journal batch, a custody event, a ledger entry."""
        first = len(self.segments)
        new = [self.archive.keep(first + number) for number in range(segments)]
        self.segments += new
        name = self.archive.write_journal(new)
        self.custody.record("clip.download", actor=Actor(id="token:t"), objects=("cam-1",), purpose="shift")
        self.archive.ledger.append(
            "camera", f"cam-{first}", {"n": first}, expected=0, actor="os:t", action="camera.added"
        )
        return name

    def checkpoint(self, maker: CheckpointMaker | None = None) -> Note:
        """Make one checkpoint, sealed."""
        used = maker or self.maker()
        made = used.make()
        assert made is not None
        used.settle()
        assert not used.troubles
        return made.note

    def hours(self, count: int) -> None:
        """Record and make a checkpoint ``count`` times, one hour apart."""
        for _ in range(count):
            self.record()
            self.clock.advance(HOUR)
            self.checkpoint()

    def verify(
        self, span: Timespan | None = None, signer: str | None = None, crls: Sequence[Path] = ()
    ) -> LogReport:
        """The whole check, an hour after whatever happened last."""
        trust = load_trust([self.keys_dir / "root.pem"], [], signer, crls=crls)
        return verify_log(self.stores, self.clock, trust=trust, interval=HOUR, span=span)

    def note(self, number: int) -> Note:
        """One checkpoint."""
        return stored.read_note(self.stores.records, number)

    def part(self, number: int, part: str = stored.CHECKPOINT) -> str:
        """The key of one part; ``leaves`` is the list that the checkpoint names."""
        if part == "leaves":
            part = stored.leaves_part(self.note(number).leaves)
        return checkpoint_key(number, part)

    def path(self, key: str) -> Path:
        """The path of an object of the records bucket in a folder store."""
        return self.folder / "records" / key

    def forge(self, key: str, content: bytes) -> None:
        """Replace an object's bytes on disk and its sidecar to match, as root on the host can."""
        path = self.path(key)
        beside = path.with_name(sidecar_name(path.name))
        facts = Sidecar.decode(key, beside.read_bytes())
        os.chmod(path, 0o640)
        path.write_bytes(content)
        changed = Sidecar(
            key, sha256_hex(content), len(content), facts.stored_at, facts.lock, facts.held, facts.metadata
        )
        os.chmod(beside, 0o640)
        beside.write_bytes(changed.encode())

    def remove(self, key: str) -> None:
        """Remove an object from the disk."""
        path = self.path(key)
        path.unlink()
        path.with_name(sidecar_name(path.name)).unlink()


def log_site(folder: Path) -> LogSite:
    """An empty site in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return LogSite(folder, small_archive(folder))


__all__ = ["DAY", "HOUR", "LOCK_DAYS", "MINUTE", "ORIGIN", "LogSite", "log_site"]
