"""Which run shows an instant that several runs cover.

Two recorders may record one camera: a planned move overlaps, a failover cannot know, and a clock that was set
back gives one stretch of wall time twice. Every answer shows one run at a time, chosen by this rule:

1. Less uncertainty wins. A run's uncertainty is the largest that one of its segments in the span states; it
   counts in steps of :data:`STEP`, rounded up, so that noise does not change the run. One that
   nothing bounds comes last.
2. Then the run with more footage in the span wins.
3. Then the run whose footage in the span begins first, then the smaller run id.

The best run shows all its footage, the next one shows what is left, and so on. What a run has and another
shows is not lost: every answer names it. ``docs/design/clips.md`` has the rule for people.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archive.model.segment import SegmentRef
from archive.timespan import SECOND, SpanSet, Timespan

STEP = SECOND // 10
"""Uncertainties (µs) that round up to the same multiple of this count as equal."""


@dataclass(frozen=True, slots=True)
class RunFootage:
    """One run's footage in a span, and the largest uncertainty (µs) that it states; None without a bound."""

    run: str
    footage: SpanSet
    uncertainty_us: int | None


@dataclass(frozen=True, slots=True, order=True)
class RunSpan:
    """A stretch of one run."""

    span: Timespan
    run: str


@dataclass(frozen=True, slots=True)
class Choice:
    """``shown`` covers every covered instant once, in order. ``others`` is what else there is, in order."""

    shown: tuple[RunSpan, ...]
    others: tuple[RunSpan, ...]


def choose(runs: Iterable[RunFootage]) -> Choice:
    """Choose by the rule above; the answer does not depend on the order of ``runs``."""
    ranked = sorted((one for one in runs if one.footage), key=_rank)
    ranks = {one.run: rank for rank, one in enumerate(ranked)}
    shown: list[RunSpan] = []
    others: list[RunSpan] = []
    for together in _overlapping(sorted(RunSpan(span, one.run) for one in ranked for span in one.footage)):
        taken = SpanSet()
        for one in sorted(together, key=lambda part: (ranks[part.run], part.span)):
            whole = SpanSet((one.span,))
            shown += (RunSpan(span, one.run) for span in whole - taken)
            others += (RunSpan(span, one.run) for span in whole & taken)
            taken |= whole
    return Choice(tuple(sorted(shown)), tuple(sorted(others)))


def _overlapping(spans: Iterable[RunSpan]) -> Iterator[list[RunSpan]]:
    """Spans in order, those that overlap one another together: nearly always one alone."""
    together: list[RunSpan] = []
    end = 0
    for one in spans:
        if together and one.span.start >= end:
            yield together
            together = []
        end = max(end, one.span.end) if together else one.span.end
        together.append(one)
    if together:
        yield together


def runs_of(segments: Iterable[SegmentRef], within: Timespan) -> list[RunFootage]:
    """The footage of each run in a span, from its segments."""
    found: dict[str, list[SegmentRef]] = defaultdict(list)
    for ref in segments:
        found[ref.run].append(ref)
    return [
        RunFootage(run, SpanSet(ref.span for ref in refs).within(within), _worst(refs))
        for run, refs in found.items()
    ]


def _worst(refs: Iterable[SegmentRef]) -> int | None:
    worst = 0
    for ref in refs:
        if ref.uncertainty_us is None:
            return None
        worst = max(worst, ref.uncertainty_us)
    return worst


def _rank(one: RunFootage) -> tuple[bool, int, int, int, str]:
    uncertainty = one.uncertainty_us
    steps = 0 if uncertainty is None else -(-uncertainty // STEP)
    return uncertainty is None, steps, -one.footage.duration, next(iter(one.footage)).start, one.run
