"""Journal batches of a recorder whose segments state what a camera said of its clock."""

import base64
from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.canonical import sha256_hex
from archive.model.segment import ClockStatement, DeviceClock, Segment
from archive.ports import Content, ObjectStore
from archive.records import journal
from archive.records.ledger.streams import Ledger
from archive.timespan import SECOND, Timespan

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)


def witness(
    start: int,
    *,
    device: DeviceClock | None = None,
    reports: float | None = None,
    recorder: str = "rec-live",
    camera: str = "kam-1",
) -> Segment:
    """A recorded segment of ten seconds; by RTCP its camera is ``reports`` seconds ahead."""
    return Segment(
        camera=camera, recorder=recorder, run="1" * 16, seq=0, span=Timespan(start, start + 10 * SECOND),
        media_duration=900_000, sha256="0" * 64, size=1, header_bytes=1, codec="h264", gop="closed", frames=1,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=SECOND // 10),
        camera_time=None if reports is None else start + round(reports * SECOND),
        ingested_at=start + 10 * SECOND, device_clock=device,
    )  # fmt: skip


def register(ledger: Ledger, recorder: str = "rec-live") -> None:
    """Put the recorder's key on record."""
    raw = KEY.public_key().public_bytes_raw()
    state = {"public_key": base64.b64encode(raw).decode("ascii"), "key_sha256": sha256_hex(raw)}
    ledger.append("recorder", recorder, state, expected=0, actor="os:t", action="recorder.registered")


def journalled(
    records: ObjectStore,
    segments: Sequence[Segment],
    *,
    number: int,
    at: int,
    recorder: str = "rec-live",
    key: Ed25519PrivateKey = KEY,
) -> str:
    """Store a batch with these segments; returns its name."""
    data = journal.encode(segments, recorder=recorder, batch=number, prev=journal.GENESIS, at=at, key=key)
    name = keys.journal_key(recorder, number, at)
    records.put(name, Content.of_bytes(data))
    return name
