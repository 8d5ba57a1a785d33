"""The segments around a hole are found in the journal, in few reads, and only what is signed counts."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.clock import ManualClock
from archive.errors import Refused
from archive.model.segment import DeviceClock
from archive.objects.filesystem.store import FilesystemStore
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from recorder.backfill.witnesses import Witnesses
from tests.support.camera_clocks import journalled, register, witness

T0 = 1_795_500_000 * SECOND // HOUR * HOUR
HOLE = Timespan(T0 + 20 * MINUTE, T0 + 30 * MINUTE)
EARLY = DeviceClock(at=T0, offset_us=1, within_us=1)
LATE = DeviceClock(at=T0 + 3 * HOUR, offset_us=2, within_us=1)


class Counting(FilesystemStore):
    """Counts what is read of the journal; ``closed`` are recorders whose batches it refuses."""

    closed: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    def get(self, key: str, *, version: str | None = None) -> bytes:
        if key.startswith("journal/"):
            self.reads = (*self.reads, key)
            if any(f"/{one}_" in key for one in self.closed):
                raise Refused("no", code="store_access_denied")
        return super().get(key, version=version)


@dataclass
class Journal:
    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(T0 + 5 * HOUR))
    store: Counting = field(init=False)
    ledger: Ledger = field(init=False)

    def __post_init__(self) -> None:
        self.store = Counting(self.folder, self.clock)
        self.ledger = Ledger(self.store, self.clock)

    def found(self) -> list[tuple[int, DeviceClock | None]]:
        """Minutes from T0 at which the segments begin, and what they state."""
        told = Witnesses(self.store, self.ledger, self.clock).around("kam-1", HOLE)
        return [((one.span.start - T0) // MINUTE, one.device_clock) for one in told]


@pytest.fixture
def kept(tmp_path: Path) -> Journal:
    return Journal(tmp_path)


def minutes(kept: Journal, recorder: str, camera: str) -> None:
    """Five hours of a recorder that writes a batch a minute."""
    register(kept.ledger, recorder)
    for minute in range(300):
        at = T0 + minute * MINUTE
        if HOLE.start <= at < HOLE.end:
            continue
        one = witness(at, device=LATE if at > LATE.at else EARLY, recorder=recorder, camera=camera)
        journalled(kept.store, [one], number=minute + 1, at=at + 15 * SECOND, recorder=recorder)


def test_the_last_before_it_and_those_after_it_up_to_an_answer_are_found_in_few_reads(kept: Journal) -> None:
    minutes(kept, "rec-1", "kam-1")
    minutes(kept, "rec-2", "kam-2")
    assert kept.found() == [(19, EARLY), (30, EARLY), (60, EARLY), (120, EARLY), (180, EARLY), (240, LATE)]
    assert len(kept.store.reads) < 150


def test_the_batches_of_a_recorder_that_may_not_be_read_say_nothing_and_are_asked_for_once(
    kept: Journal,
) -> None:
    minutes(kept, "rec-1", "kam-1")
    minutes(kept, "rec-2", "kam-2")
    kept.store.closed = ("rec-2",)
    assert kept.found()[0] == (19, EARLY)
    assert sum("/rec-2_" in key for key in kept.store.reads) == 1


def test_what_its_recorder_did_not_sign_and_what_is_no_recording_say_nothing(kept: Journal) -> None:
    register(kept.ledger, "rec-1")
    one = witness(T0, device=EARLY, recorder="rec-1")
    forged = Ed25519PrivateKey.from_private_bytes(b"f" * 32)
    journalled(kept.store, [one], number=1, at=T0 + MINUTE, recorder="rec-1", key=forged)
    other = witness(T0, device=EARLY, recorder="rec-9")
    journalled(kept.store, [other], number=2, at=T0 + MINUTE, recorder="rec-1")
    register(kept.ledger, "rec-1-backfill")
    fetched = witness(T0, device=EARLY, recorder="rec-1-backfill")
    journalled(kept.store, [fetched], number=1, at=T0 + MINUTE, recorder="rec-1-backfill")
    assert kept.found() == []


def test_a_long_journal_of_others_is_not_read_to_its_end(kept: Journal) -> None:
    for number in range(3):
        minutes(kept, f"rec-{number}", "kam-9")
    assert kept.found() == []
    assert len(kept.store.reads) <= 600


@pytest.mark.parametrize("starts", [20, 40])
def test_what_many_recorders_wrote_beside_it_hides_no_segment_around_a_hole(
    kept: Journal, starts: int
) -> None:
    """Each batch of theirs is read at its turn, and there are more of them than are read."""
    hole = Timespan(T0 + starts * MINUTE, T0 + (starts + 5) * MINUTE)
    for recorder in range(12):
        register(kept.ledger, f"rec-{recorder}")
    for minute in range(80):
        at = T0 + minute * MINUTE
        kept.clock.step(at + 15 * SECOND - kept.clock.now())
        for recorder in range(12):
            silent = recorder == 11 and hole.start <= at < hole.end
            one = witness(at, device=EARLY, recorder=f"rec-{recorder}", camera=f"kam-{recorder + silent}")
            journalled(kept.store, [one], number=minute + 1, at=kept.clock.now(), recorder=f"rec-{recorder}")
    told = Witnesses(kept.store, kept.ledger, kept.clock).around("kam-11", hole)
    assert [(one.span.start - T0) // MINUTE for one in told] == [starts - 1, starts + 5, 60]
    assert len(kept.store.reads) < 100
