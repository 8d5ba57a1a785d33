"""Where footage was destroyed: gap records of cause ``disposed``, from a disposition's list alone.

The index holds them beside the recorders' gaps, so that destroyed time answers with its cause instead of
``unknown``. They follow from the list and from the kept keys, both in the archive, so a rebuilt index has the
same ones (I5). No recorder may write this cause (:mod:`archive.records.journal` refuses it).
"""

from collections.abc import Collection, Iterator, Sequence

from archive.canonical import sha256_hex
from archive.lifecycle.disposition.listing import Doomed, batches, read_kept, read_list
from archive.model.disposition import KIND, Disposition, from_state
from archive.model.gap import Gap, GapCause
from archive.ports import ObjectStore
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import SpanSet

RECORDER = "disposition"
"""Takes the recorder's place in these gaps."""


def disposed_gaps(
    disposition: str, at: int, batch: Sequence[Doomed], kept: Collection[str] = ()
) -> tuple[Gap, ...]:
    """One record for each camera and unbroken stretch of a batch, without the keys that were kept.

    ``at`` is when the disposition was started. Ids follow from disposition, camera and start.
    """
    found: list[Gap] = []
    gone = [one for one in batch if one.key not in kept]
    for camera in sorted({one.camera for one in gone}):
        for span in SpanSet(one.span for one in gone if one.camera == camera):
            name = sha256_hex(f"{disposition}|{camera}|{span.start}".encode())[:16]
            found.append(
                Gap(
                    camera=camera,
                    recorder=RECORDER,
                    gap=name,
                    span=span,
                    cause=GapCause.DISPOSED,
                    ingested_at=at,
                )
            )
    return tuple(found)


def all_disposed(ledger: Ledger, records: ObjectStore) -> Iterator[Gap]:
    """The records of every closed disposition; an open one updates the index itself.

    Raises:
        Unavailable, IntegrityError, NotFound: a list is away, altered or lost.
    """
    for entry in StrictHeads(ledger, records, KIND).refresh().values():
        found = from_state(entry.id, entry.state)
        if found.outcome is not None:
            yield from gaps_of(records, found)


def gaps_of(records: ObjectStore, found: Disposition) -> Iterator[Gap]:
    """The records of one closed disposition. Raises as ``listing.read_list``."""
    kept = {one.key for one in read_kept(records, found)}
    for batch in batches(read_list(records, found).segments):
        yield from disposed_gaps(found.id, found.started_at, batch, kept)
