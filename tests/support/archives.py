"""A small archive in a folder: real store, real index, a manual clock."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.canonical import sha256_hex
from archive.clock import ManualClock
from archive.footage.cameras import CameraForm, Registry
from archive.model import leaf as leaves
from archive.model.areas import NO_AREAS, Areas
from archive.model.leaf import Leaf
from archive.model.segment import ClockStatement, Segment
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content, IndexEntry, Lock, LockMode, Stores
from archive.records import journal
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, SECOND, Timespan
from archive.vault import FernetBox, new_key
from search.sqlite import SqliteIndex, open_sqlite
from tests.support.leaves import RUN, T0

RECORDER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def camera_form(camera_id: str = "cam-1", **changes: str) -> CameraForm:
    """A camera's registration."""
    fields = {
        "id": camera_id,
        "source": "rtsp://admin:s3cret@10.0.0.7:554/stream?token=abc",
        "name": "Jl. Metro Tanjung",
        "lat": "-5.147665",
        "lon": "119.432732",
        "kecamatan": "73.71.13",
        "kelurahan": "73.71.13.1001",
        "owner": "public",
        "view": "public",
        "segment_seconds": "10",
    }
    return CameraForm(**(fields | changes))


@dataclass
class SmallArchive:
    """Stores, index, ledger and registry of one test. ``begin`` is when its footage begins.

    Over a real server ``begin`` must follow the server's clock: no server accepts an expired lock. ``encode``
    writes its recorder's batches.
    """

    clock: ManualClock
    stores: Stores
    index: SqliteIndex
    ledger: Ledger
    registry: Registry
    batches: int = 0
    prev: str = journal.GENESIS
    begin: int = T0
    encode: Callable[..., bytes] = journal.encode

    def keep(
        self,
        number: int,
        *,
        camera: str = "cam-1",
        run: str = RUN,
        content: bytes | None = None,
        flags: tuple[str, ...] = (),
    ) -> Segment:
        """Store one segment as ingest does, but without the index and the journal."""
        body = content or f"{camera}/{run}/{number}".encode() * 50
        start = self.begin + number * 10 * SECOND
        segment = Segment(
            camera=camera,
            recorder="rec-1",
            run=run,
            seq=number,
            span=Timespan(start, start + 10 * SECOND),
            media_duration=900_000,
            sha256=sha256(body).hexdigest(),
            size=len(body),
            header_bytes=40,
            codec="h264",
            gop="closed",
            frames=150,
            clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000, flags=flags),
            camera_time=None,
            ingested_at=start + 11 * SECOND,
        )
        stored = self.stores.footage.put(
            segment.key,
            Content.of_bytes(body),
            metadata={"leaf": leaves.encode(segment).decode("ascii")},
            lock=Lock(LockMode.GOVERNANCE, start + 30 * DAY),
        )
        self.index.add([IndexEntry(leaf=segment, place=None, version=stored.version)])
        return segment

    def write_journal(self, lines: Sequence[Leaf]) -> str:
        """Upload the next signed batch; returns its key."""
        self.batches += 1
        data = self.encode(
            lines, recorder="rec-1", batch=self.batches, prev=self.prev, at=self.clock.now(), key=RECORDER_KEY
        )
        key = keys.journal_key("rec-1", self.batches, self.clock.now())
        self.stores.records.put(key, Content.of_bytes(data))
        self.prev = journal.digest_of(data)
        return key

    def register_recorder(self) -> None:
        """Put the recorder's public key into the ledger."""
        raw = RECORDER_KEY.public_key().public_bytes_raw()
        state = {"public_key": base64.b64encode(raw).decode("ascii"), "key_sha256": sha256_hex(raw)}
        self.ledger.append(
            "recorder", "rec-1", state, expected=0, actor="os:tester", action="recorder.registered"
        )


def small_archive(folder: Path, *, areas: Areas = NO_AREAS) -> SmallArchive:
    """An empty archive in ``folder``."""
    clock = ManualClock(T0)
    stores = Stores(*(FilesystemStore(folder / name, clock) for name in ("footage", "records", "cache")))
    index = open_sqlite(folder / "index.sqlite")
    ledger = Ledger(stores.records, clock)
    registry = Registry(ledger, FernetBox(new_key()), index, clock, areas=areas)
    return SmallArchive(clock, stores, index, ledger, registry)
