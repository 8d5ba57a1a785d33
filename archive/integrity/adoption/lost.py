"""Numbers of a run that were never stored, and the gap that stands in the place of each.

The gap ``upload_lost`` is a signed statement, so nothing that accounts for a number may be overlooked: a
line, also one of a far older batch; an object in the archive; the index, which had it from its recorder; a
gap that stands in its place already; a destruction on record. Where it cannot be known, no gap is signed, and
the check of the archive goes on to name the hole.
"""

from array import array
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from archive import keys
from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound
from archive.integrity.adoption.lines import Said
from archive.integrity.fixity.disposed import Disposed
from archive.lifecycle.disposition.walk import own_leaf
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Segment, SegmentRef
from archive.ports import ObjectStore
from archive.records.set_aside import GapSource
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, hour_of

LONGEST = 10 * MINUTE
"""Longer than any segment: one may begin in an hour before that in which it was stored."""
_SHORTEST = SECOND // 10
"""No segment is shorter, so that an invented number does not become millions of gaps."""
_IN_ITS_PLACE = (GapCause.UPLOAD_LOST, GapCause.SET_ASIDE)
"""Causes of a gap that a recorder signs in the place of one segment."""

_KINDS = (b'"type":"segment"', b'"type":"gap"')

Accounts = dict[int, Timespan | None]
"""The numbers of a run that something accounts for, each with its stretch; None if that is not known."""


class Index(GapSource, Protocol):
    """The part of an index that knows what was recorded."""

    def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
        """Segments overlapping ``span``."""
        ...


@dataclass(frozen=True, slots=True)
class Lost:
    """Finds lost numbers of runs of one camera of a silent recorder.

    ``floor`` (µs) is how long all footage is locked: what is older may have been destroyed, so it is not
    called lost.
    """

    footage: ObjectStore
    index: Index
    said: Said
    disposed: Disposed
    clock: Clock
    floor: int

    def gaps(
        self,
        signer: str,
        found: Sequence[Segment],
        runs: Collection[str],
        said: Sequence["Named"],
        until: int,
    ) -> Iterator[Gap]:
        """A gap by ``signer`` for each lost number of ``runs``, in the order of run and number.

        ``found`` are the recorder's stored segments without a line, and ``said`` what its last batches and
        adopters named; ``until`` (µs) is when the newest of these batches came.

        Raises:
            IntegrityError, Malformed, NotFound: a destruction on record, or a batch of the recorder, cannot
                be read; no gap may be signed.
            ArchiveError: as the stores and the index.
        """
        camera, recorder = found[0].camera, found[0].recorder
        gaps = {name: span for one in said for name, span in one.gaps(camera).items()}
        for run in sorted(runs):
            accounts: Accounts = {seq: span for one in said for seq, span in one.segments(camera, run)}
            accounts |= {leaf.seq: leaf.span for leaf in found if leaf.run == run}
            _put_gaps(run, gaps, accounts)
            holes = tuple(_holes(accounts))
            if holes:
                around = Timespan(holes[0].span.start - LONGEST, holes[-1].span.end + LONGEST)
                self._account(camera, recorder, run, around, until, accounts)
            for seq, span in lost(accounts):
                if self.clock.now() - span.start < self.floor:
                    yield Gap(
                        camera=camera, recorder=signer, gap=id_for_segment(GapCause.UPLOAD_LOST, run, seq),
                        span=span, cause=GapCause.UPLOAD_LOST, ingested_at=self.clock.now(),
                    )  # fmt: skip

    def _account(
        self, camera: str, recorder: str, run: str, around: Timespan, until: int, accounts: Accounts
    ) -> None:
        """Add what else accounts for numbers. Destructions are read after the store was listed."""
        _put(accounts, self._stored(camera, run, around, accounts))
        _put(accounts, ((o.seq, o.span) for o in self.index.segments(camera, around) if o.run == run))
        lines = self.said.lines(recorder, camera, around.start, max(until, around.end + HOUR))
        older = Named(lines, {(camera, run)})
        _put(accounts, older.segments(camera, run))
        for one in self.disposed.over(camera, around):
            name = keys.parse_segment_key(one.key)
            if name.run == run:
                _put(accounts, [(name.seq, one.span)])
        _put_gaps(run, older.gaps(camera), accounts)
        _put_gaps(run, {gap.gap: gap.span for gap in self.index.gaps(camera, around)}, accounts)

    def _stored(
        self, camera: str, run: str, around: Timespan, accounts: Accounts
    ) -> Iterator[tuple[int, Timespan | None]]:
        """The run's objects that start in the hours of the span and are not accounted for."""
        for hour in range(hour_of(around.start), around.end, HOUR):
            for listed in self.footage.list(keys.segment_prefix(camera, hour)):
                try:
                    name = keys.parse_segment_key(listed.key)
                except Malformed:
                    continue  # archive check reports a foreign object
                if name.run == run and name.seq not in accounts:
                    try:
                        yield name.seq, own_leaf(self.footage, listed).span
                    except (IntegrityError, NotFound):
                        yield name.seq, None


@dataclass(frozen=True, slots=True)
class _Hole:
    """Numbers between two that are accounted for, and the stretch between those."""

    numbers: range
    span: Timespan


def lost(accounts: Mapping[int, Timespan | None]) -> Iterator[tuple[int, Timespan]]:
    """The numbers between those that are accounted for, each with an equal part of its hole. Pure.

    Together they fill each hole exactly. None where the hole's bounds are not known, where so many were never
    between them, or where the times of the run's numbers are out of order.
    """
    for hole in _holes(accounts):
        count, start = len(hole.numbers), hole.span.start
        edges = [start + hole.span.duration * part // count for part in range(count + 1)]
        yield from zip(hole.numbers, map(Timespan, edges, edges[1:]), strict=True)


def _holes(accounts: Mapping[int, Timespan | None]) -> Iterator[_Hole]:
    numbers = sorted(accounts)
    first_after = _starts_after(numbers, accounts)
    ended = 0
    for before, after in pairwise(numbers):
        left, right = accounts[before], accounts[after]
        ended = max(ended, 0 if left is None else left.end)
        count = after - before - 1
        if not count or left is None or right is None:
            continue
        start, end = left.end, right.start
        if ended <= start and first_after[after] >= end and count <= (end - start) // _SHORTEST:
            yield _Hole(range(before + 1, after), Timespan(start, end))


def _starts_after(numbers: Sequence[int], accounts: Mapping[int, Timespan | None]) -> dict[int, int]:
    """For each number the earliest start from it on."""
    found, earliest = dict[int, int](), 1 << 62
    for number in reversed(numbers):
        span = accounts[number]
        earliest = min(earliest, earliest if span is None else span.start)
        found[number] = earliest
    return found


def _put(accounts: Accounts, found: Iterable[tuple[int, Timespan | None]]) -> None:
    """Account for numbers between those that are accounted for."""
    first, last = min(accounts), max(accounts)
    for seq, span in found:
        if first < seq < last and accounts.get(seq) is None:
            accounts[seq] = span


def _put_gaps(run: str, known: Mapping[str, Timespan], accounts: Accounts) -> None:
    """Account for numbers in whose place a gap stands."""
    for hole in tuple(_holes(accounts)) if known else ():
        for seq in hole.numbers:
            for cause in _IN_ITS_PLACE:
                span = known.get(id_for_segment(cause, run, seq))
                if span is not None:
                    accounts[seq] = span


class Named:
    """What lines name: the segments of some runs, each given with its camera, and the gaps of their cameras.

    A segment takes 24 bytes here.
    """

    def __init__(self, lines: Iterable[bytes], runs: Collection[tuple[str, str]]) -> None:
        self._segments = {one: array("q") for one in runs}
        self._gaps: dict[str, dict[str, Timespan]] = {camera: {} for camera, _ in runs}
        for line in lines:
            if not any(kind in line for kind in _KINDS):
                continue
            leaf = leaves.decode(line)
            if isinstance(leaf, Segment):
                numbers = self._segments.get((leaf.camera, leaf.run))
                if numbers is not None:
                    numbers.extend((leaf.seq, leaf.span.start, leaf.span.end))
            elif isinstance(leaf, Gap) and leaf.camera in self._gaps:
                self._gaps[leaf.camera][leaf.gap] = leaf.span

    def segments(self, camera: str, run: str) -> Iterator[tuple[int, Timespan]]:
        """Number and span of each of the run's segments."""
        numbers = self._segments.get((camera, run), ())
        for at in range(0, len(numbers), 3):
            yield numbers[at], Timespan(numbers[at + 1], numbers[at + 2])

    def gaps(self, camera: str) -> Mapping[str, Timespan]:
        """The camera's gaps, by id."""
        return self._gaps.get(camera, {})
