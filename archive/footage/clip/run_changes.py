"""Where a clip goes from one run to another that recorded the same stream: at a keyframe that both have.

Two recorders hear one camera at slightly different times, so one frame has two wall times, and a change at an
instant repeats or misses frames. Where both runs cover the change, and both hold a keyframe near it whose
bytes are the same, the earlier run is shown up to that keyframe, and the later one from it on: each frame is
shown once. Keyframes are the same if the sizes of what follows them agree and their own bytes do, and if
their wall times differ by no more than the uncertainties of both.

A run is shown further than before only as far as it has no hole: another run may have what it lacks.

Where there is none, the change stays at its instant, and frames may repeat or miss within the uncertainty.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from archive.canonical import JsonObject
from archive.footage.clip.footage import FootageRange, HeaderSource, read_range
from archive.footage.clip.wall import WallLine
from archive.footage.mp4.header import SegmentHeader
from archive.footage.reader import Portion
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore
from archive.timespan import SECOND, SpanSet, Timespan, format_instant

_FOLLOWERS = 8
"""So many samples after a keyframe must have the same sizes, as far as both segments reach."""
_LEAST = SECOND // 10
"""µs by which two observations of one frame may always differ."""
_UNBOUNDED = 2 * SECOND
"""The same where nothing bounds a run's times."""
_TRIES = 8


@dataclass(frozen=True, slots=True)
class RunChange:
    """A change from one run to another while both have footage.

    ``sha256`` is that of the keyframe at which they join, None where they do so at an instant: then frames
    may repeat or miss within ``uncertainty_us``, which is None where nothing bounds it.
    """

    at: int
    run: str
    next_run: str
    sha256: str | None
    uncertainty_us: int | None

    def to_json(self) -> JsonObject:
        """As descriptions of clips state it."""
        return {
            "at": format_instant(self.at),
            "run": self.run,
            "next_run": self.next_run,
            "keyframe": self.sha256,
            "uncertainty_us": self.uncertainty_us,
        }


@dataclass(frozen=True, slots=True)
class _Keyframe:
    at: int
    range: FootageRange
    sizes: tuple[int, ...]


def at_keyframes(
    portions: Sequence[Portion], segments: Sequence[SegmentRef], headers: HeaderSource, footage: ObjectStore
) -> tuple[list[Portion], list[RunChange]]:
    """The portions with their edges moved to keyframes that both runs have, and what was found at each edge.

    ``segments`` are all of every run. Nothing is read where no two runs cover a change.

    Raises:
        IntegrityError, Unavailable: as :func:`archive.footage.clip.footage.read_header`.
    """
    moved, found = list(portions), []
    for number, (one, other) in enumerate(pairwise(portions)):
        change = _Change(one, other, segments, headers, footage)
        if not change.is_covered_twice:
            continue
        same = change.keyframe()
        before = moved[number]
        # Both of its times lie within what the two portions show: nothing is shown that was not asked for.
        if same is not None and before.span.start < min(same[:2]) and max(same[:2]) < other.span.end:
            ends, begins, digest = same
            moved[number] = _portion(Timespan(before.span.start, ends), change.first, segments)
            moved[number + 1] = _portion(Timespan(begins, other.span.end), change.second, segments)
            found.append(RunChange(begins, change.first, change.second, digest, change.uncertainty_us))
        else:
            at = other.span.start
            found.append(RunChange(at, change.first, change.second, None, change.uncertainty_us))
    return moved, found


class _Change:
    """The edge between two portions."""

    def __init__(
        self,
        one: Portion,
        other: Portion,
        segments: Sequence[SegmentRef],
        headers: HeaderSource,
        footage: ObjectStore,
    ) -> None:
        self.first, self.second = one.segments[0].run, other.segments[0].run
        self._at = other.span.start
        self._headers = headers
        self._footage = footage
        is_edge = one.span.end == other.span.start and self.first != self.second
        near = [ref for ref in segments if ref.run in (self.first, self.second)] if is_edge else []
        self._near = near

    @property
    def is_covered_twice(self) -> bool:
        """Whether the run before goes on after the change, or the run after it began before."""
        return any(
            ref.span.start <= self._at < ref.span.end
            if ref.run == self.first
            else ref.span.start < self._at <= ref.span.end
            for ref in self._near
        )

    @property
    def uncertainty_us(self) -> int | None:
        """What the times of both runs may differ by; None where nothing bounds it."""
        total = 0
        for run in (self.first, self.second):
            bounds = [
                ref.uncertainty_us
                for ref in self._near
                if ref.run == run and self._overlaps(ref, self._at - SECOND)
            ]
            known = [one for one in bounds if one is not None]
            if len(known) < len(bounds):
                return None
            total += max(known, default=0)
        return total

    def keyframe(self) -> tuple[int, int, str] | None:
        """When each run has the keyframe of both that is nearest to the change, and its SHA-256."""
        bound = self.uncertainty_us
        slack = _UNBOUNDED if bound is None else max(bound, _LEAST)
        ones = self._keyframes(self.first, self._at - slack, slack)
        since = min((one.at for one in ones), default=self._at) - slack
        pairs = [
            (abs(other.at - self._at), abs(other.at - one.at), one, other)
            for other in self._keyframes(self.second, since, slack)
            for one in ones
            if abs(other.at - one.at) <= slack and _same_sizes(one.sizes, other.sizes)
            if self._reaches(self.first, one.at) and self._reaches(self.second, other.at)
        ]
        for _, _, one, other in sorted(pairs, key=lambda pair: pair[:2])[:_TRIES]:
            left, right = (read_range(each.range, self._footage) for each in (one, other))
            if left == right:
                return one.at, other.at, hashlib.sha256(left).hexdigest()
        return None

    def _reaches(self, run: str, keyframe: int) -> bool:
        """Whether the run has footage all the way that it is to show between the change and a keyframe."""
        start, end = (self._at, keyframe) if run == self.first else (keyframe, self._at)
        if start >= end:
            return True  # it shows less than before
        way = Timespan(start, end)
        footage = SpanSet(ref.span for ref in self._near if ref.run == run and ref.span.overlaps(way))
        return not footage.gaps_within(way)

    def _overlaps(self, ref: SegmentRef, since: int, slack: int = SECOND) -> bool:
        return ref.span.start <= self._at + slack and ref.span.end >= since

    def _keyframes(self, run: str, since: int, slack: int) -> list[_Keyframe]:
        """Those of the run's segments from ``since`` until shortly after the change."""
        found: list[_Keyframe] = []
        for ref in self._near:
            if ref.run == run and self._overlaps(ref, since, slack):
                found += _keyframes_of(ref, self._headers.read(ref))
        return found


def _keyframes_of(ref: SegmentRef, header: SegmentHeader) -> Iterator[_Keyframe]:
    samples, times = header.samples, header.presentation_times
    line = WallLine.of(ref, min(times))
    starts = list(accumulate(samples.sizes, initial=header.header_bytes))
    for number in header.syncs:
        size = samples.sizes[number]
        followed = tuple(samples.sizes[number : number + 1 + _FOLLOWERS])
        yield _Keyframe(line.instant_of(times[number]), FootageRange(ref, starts[number], size), followed)


def _same_sizes(one: Sequence[int], other: Sequence[int]) -> bool:
    """As far as both reach: a segment may end after a keyframe."""
    return all(left == right for left, right in zip(one, other, strict=False))


def _portion(span: Timespan, run: str, segments: Sequence[SegmentRef]) -> Portion:
    return Portion(span, tuple(ref for ref in segments if ref.run == run and ref.span.overlaps(span)))
