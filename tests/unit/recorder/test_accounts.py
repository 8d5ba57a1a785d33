"""What a camera's account says of a time in which the disk took nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from archive.canonical import JsonObject
from archive.clock import ManualClock
from archive.errors import StoreFull
from archive.footage.ingest import SpooledLeaf
from archive.model.gap import Gap, GapCause
from archive.timespan import SECOND
from recorder.accounts import Accounts
from recorder.spool import Spool

T0 = 1_800_000_000 * SECOND


@dataclass
class SmallSpool(Spool):
    """A spool whose disk can be full."""

    is_out: bool = False

    def keep(self, name: str, value: JsonObject) -> None:
        if self.is_out:
            raise StoreFull("no room", code="spool_full")
        super().keep(name, value)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SmallSpool]:
    made = SmallSpool(tmp_path / "spool", ManualClock(T0 + 100 * SECOND), 1 << 30, 0)
    made.open()
    yield made
    made.close()


def gaps_of(delivered: list[SpooledLeaf]) -> list[tuple[int, int, str]]:
    """The newest record of each gap, in seconds."""
    newest = {one.leaf.gap: one.leaf for one in delivered if isinstance(one.leaf, Gap)}
    return [
        ((gap.span.start - T0) // SECOND, (gap.span.end - T0) // SECOND, gap.cause.value)
        for gap in newest.values()
    ]


@pytest.mark.parametrize("was_open", [True, False])
def test_a_cause_that_a_full_disk_did_not_take_is_recorded_before_the_next_footage(
    spool: SmallSpool, was_open: bool
) -> None:
    """Else a time without room would be put down to whatever came before it."""
    delivered: list[SpooledLeaf] = []
    accounts = Accounts(spool, spool.clock, "rec-1", delivered.extend)
    accounts.open("kam-1", None, since=T0)
    spool.is_out = not was_open
    told = [(1, GapCause.STREAM_ERROR), (2, GapCause.SPOOL_FULL), (9, GapCause.SPOOL_FULL)]
    for at, cause in told:
        if spool.is_out:
            with pytest.raises(StoreFull):
                accounts.missing("kam-1", T0 + at * SECOND, cause)
        else:
            accounts.missing("kam-1", T0 + at * SECOND, cause)
        spool.is_out = True
    assert delivered == []
    with pytest.raises(StoreFull):
        accounts.footage_from("kam-1", T0 + 30 * SECOND, GapCause.SPOOL_FULL)
    spool.is_out = False
    accounts.footage_from("kam-1", T0 + 30 * SECOND, GapCause.SPOOL_FULL)
    assert gaps_of(delivered) == [(0, 2, "stream_error"), (2, 30, "spool_full")]
