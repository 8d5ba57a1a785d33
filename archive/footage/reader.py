"""Reads a span of one camera as ordered segments and explicit gaps.

The rules (design: coverage is computed):

1. Footage beats gap: a gap record keeps only what no segment covers.
2. Up to the camera's high-water mark every instant is covered or in a gap. Where no record says why,
   the cause is ``unknown``; that is a breach of I6, which ``archive check`` reports.
3. From the high-water mark to now the answer is *pending*: footage may still arrive.
4. One run shows an instant that several cover: :mod:`archive.footage.choice` has the rule.
5. Time after now is a gap of cause ``not_yet``; time before the camera was registered has the cause
   ``not_registered``.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from archive.errors import IntegrityError, Malformed
from archive.footage.choice import Choice, RunSpan, choose, runs_of
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause
from archive.model.segment import Segment, SegmentRef
from archive.ports import ObjectHead, ObjectStore, SegmentIndex
from archive.timespan import DAY, SpanSet, Timespan

NOT_YET = "not_yet"
NOT_REGISTERED = "not_registered"
UNKNOWN = "unknown"

MAX_SPAN = 366 * DAY
"""Longer spans are refused: nobody reads such an answer, and it slows down everyone else's."""


@dataclass(frozen=True, slots=True)
class GapSpan:
    """A stretch without footage and its cause: a recorder's, or one of this module's three."""

    span: Timespan
    cause: str


@dataclass(frozen=True, slots=True)
class Portion:
    """A stretch in which one run alone is shown, and the segments of that run which overlap it, in order.

    The run may have a hole inside the stretch; then nothing else is shown there.
    """

    span: Timespan
    segments: tuple[SegmentRef, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """The facts about one camera in one span; ``coverage``, ``gaps`` and ``pending`` partition the span.

    ``segments`` are all that overlap the span, of every run. ``portions`` are what is shown: one run at a
    time, in order. ``others`` is the footage of runs where another run is shown.
    """

    camera: str
    span: Timespan
    segments: tuple[SegmentRef, ...]
    coverage: SpanSet
    gaps: tuple[GapSpan, ...]
    pending: SpanSet
    portions: tuple[Portion, ...] = field(init=False, repr=False, compare=False)
    others: tuple[RunSpan, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        choice = choose(runs_of(self.segments, self.span))
        object.__setattr__(self, "portions", tuple(_portions(self.segments, choice)))
        object.__setattr__(self, "others", choice.others)

    @property
    def shown(self) -> tuple[SegmentRef, ...]:
        """The segments of the portions, each once: in the order in which they are first shown."""
        return tuple(dict.fromkeys(ref for portion in self.portions for ref in portion.segments))


def check_span(span: Timespan, now: int) -> Timespan:
    """Refuse spans that have no answer.

    Raises:
        Malformed: ``span_in_future`` when it starts after ``now``, ``span_too_long`` beyond 366 days.
    """
    if span.start >= now:
        raise Malformed(
            f"{span} has not happened yet",
            code="span_in_future",
            hint="Request a time in the past; check the offset (+08:00 in Makassar).",
        )
    if span.duration > MAX_SPAN:
        raise Malformed(
            f"{span} is longer than 366 days",
            code="span_too_long",
            hint="Request at most 366 days at a time.",
        )
    return span


def read(
    index: SegmentIndex,
    camera: str,
    span: Timespan,
    *,
    registered_at: int,
    now: int,
    is_disabled: bool = False,
) -> Reading:
    """All segments and gaps of ``span``, in order. ``is_disabled``: the camera is not recorded now.

    Raises:
        Malformed: as :func:`check_span`.
    """
    check_span(span, now)
    # Read the mark first: writers make segments visible before they raise it, so none below it is missed.
    high_water = index.high_water(camera)
    records = (
        *index.gaps(camera, span),
        *said_last(index, camera, span, high_water=high_water, is_disabled=is_disabled),
    )
    segments = tuple(index.segments(camera, span))
    return reading_of(
        camera,
        span,
        high_water=high_water,
        records=records,
        segments=segments,
        registered_at=registered_at,
        now=now,
        is_disabled=is_disabled,
    )


def reading_of(
    camera: str,
    span: Timespan,
    *,
    high_water: int | None,
    records: Iterable[Gap],
    segments: tuple[SegmentRef, ...],
    registered_at: int,
    now: int,
    is_disabled: bool = False,
) -> Reading:
    """The reading from these answers of an index; the caller must have read ``high_water`` first."""
    coverage = SpanSet(segment.span for segment in segments).within(span)
    gaps, pending = explain(
        span,
        coverage,
        records,
        registered_at=registered_at,
        high_water=high_water,
        now=now,
        is_disabled=is_disabled,
    )
    return Reading(camera, span, segments, coverage, gaps, pending)


def said_last(
    index: SegmentIndex, camera: str, span: Timespan, *, high_water: int | None, is_disabled: bool
) -> Sequence[Gap]:
    """The gap records before a span that :func:`explain` needs: those at the mark of a disabled camera."""
    if not is_disabled or high_water is None or span.start < high_water:
        return ()
    return index.gaps(camera, Timespan(high_water - 1, high_water))


def explain(
    span: Timespan,
    coverage: SpanSet,
    records: Iterable[Gap],
    *,
    registered_at: int,
    high_water: int | None,
    now: int,
    is_disabled: bool = False,
) -> tuple[tuple[GapSpan, ...], SpanSet]:
    """Give a cause to every instant of ``span`` outside ``coverage``.

    If the camera is disabled now and its last record says so, that holds until now: recorders repeat it each
    hour only. ``records`` then includes :func:`said_last`. Of two overlapping gap records the one that began
    first keeps the overlap, so each instant has one cause.

    Returns:
        The gaps in order, with touching gaps of one cause joined, and the pending rest.
    """
    found: list[GapSpan] = []
    left = coverage.gaps_within(span)

    def take(cause: str, part: SpanSet) -> None:
        nonlocal left
        found.extend(GapSpan(piece, cause) for piece in left & part)
        left = left - part

    for record in sorted(records, key=lambda gap: (gap.span.start, gap.gap)):
        told = record.span
        if is_disabled and record.cause is GapCause.DISABLED and told.end == high_water:
            told = Timespan(told.start, max(told.end, now))
        take(record.cause.value, SpanSet((told,)))
    if span.end > now:
        take(NOT_YET, SpanSet((Timespan(max(span.start, now), span.end),)))
    if span.start < registered_at:
        take(NOT_REGISTERED, SpanSet((Timespan(span.start, min(span.end, registered_at)),)))
    known_until = registered_at if high_water is None else high_water
    if span.start < known_until:
        take(UNKNOWN, SpanSet((Timespan(span.start, min(span.end, known_until)),)))
    return tuple(_join(sorted(found, key=lambda gap: gap.span))), left


def part_of(reading: Reading, span: Timespan) -> Reading:
    """A part of a reading's span, with only the segments that the reading shows there."""
    shown = (ref for one in reading.portions if one.span.overlaps(span) for ref in one.segments)
    return Reading(
        reading.camera,
        span,
        tuple(dict.fromkeys(ref for ref in shown if ref.span.overlaps(span))),
        reading.coverage.within(span),
        tuple(
            GapSpan(part, gap.cause)
            for gap in reading.gaps
            if (part := gap.span.intersection(span)) is not None
        ),
        reading.pending.within(span),
    )


def _portions(segments: Iterable[SegmentRef], choice: Choice) -> Iterator[Portion]:
    """The chosen stretches with their segments; inside a run segments follow one another."""
    by_run: dict[str, list[SegmentRef]] = defaultdict(list)
    for ref in segments:
        by_run[ref.run].append(ref)
    for run, spans in groupby(choice.shown, key=lambda one: one.run):
        parts = [one.span for one in spans]
        span = Timespan(parts[0].start, parts[-1].end)
        refs = by_run[run]
        first = bisect_right(refs, span.start, key=lambda ref: ref.span.end)
        end = bisect_left(refs, span.end, key=lambda ref: ref.span.start)
        yield Portion(span, tuple(refs[first:end]))


def _join(gaps: Iterable[GapSpan]) -> Iterable[GapSpan]:
    last: GapSpan | None = None
    for gap in gaps:
        if last is not None and last.cause == gap.cause and last.span.end == gap.span.start:
            last = GapSpan(Timespan(last.span.start, gap.span.end), last.cause)
            continue
        if last is not None:
            yield last
        last = gap
    if last is not None:
        yield last


def recorded_leaf(store: ObjectStore, segment: SegmentRef) -> bytes:
    """The leaf kept with a segment's object, as canonical bytes.

    Raises:
        IntegrityError: ``leaf_missing`` or ``leaf_differs``: the object has no leaf, or another segment's.
    """
    return leaf_of(store.head(segment.key, version=segment.version or None), segment)


def leaf_of(head: ObjectHead, segment: SegmentRef) -> bytes:
    """The leaf in the metadata of a segment's object. Raises as :func:`recorded_leaf`."""
    text = head.metadata.get("leaf")
    if text is None:
        raise IntegrityError(f"{segment.key} carries no leaf", code="leaf_missing")
    found = leaves.decode(text.encode("ascii"))
    if not isinstance(found, Segment) or found.key != segment.key or found.sha256 != segment.sha256:
        raise IntegrityError(f"the leaf of {segment.key} is another segment's", code="leaf_differs")
    return leaves.encode(found)
