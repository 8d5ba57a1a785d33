"""When did anything happen in this box of the picture? The answer to it, and how honest it is.

A :class:`Looking` takes one hour after the other, in either direction, and knows at each moment what it has
found, what it has looked at, and why it has not looked at the rest. Pure: the caller skims.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.footage.reader import GapSpan
from archive.footage.skim.box import Box
from archive.footage.skim.grid import QUIET, UNIT
from archive.footage.skim.made import Activity
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan, format_instant, hour_of

JOIN = 5 * SECOND
"""Activity that begins within this (µs) after the last is the same interval."""

COARSE = 5 * SECOND
"""Keyframes further apart than this (µs) make an answer coarse, and it says so."""

LONGEST = 7 * DAY
"""The longest span of one question."""

DEFAULT_THRESHOLD = 8.0
HIGHEST_THRESHOLD = 255 / UNIT
DEFAULT_LIMIT, MOST = 500, 5000

LEFT, NOT_NEEDED, NOT_COMPARED, WHOLE_PICTURE, UNREADABLE = (
    "not_yet_looked", "not_needed", "nothing_to_compare", "whole_picture_changed", "unreadable",
)  # fmt: skip
"""Why a stretch was not looked at, beside the causes of gaps and ``pending``."""

NOTICE = {
    "id": "Hanya menunjukkan kapan sesuatu berubah dalam gambar; tidak mengenali siapa pun atau apa pun.",
    "en": "Only shows when something in the picture changed; recognises nobody and nothing.",
}


class Order(StrEnum):
    """From which end of the span the search begins."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One search. ``threshold`` counts multiples of the noise; ``limit`` is the most intervals wanted.

    Raises:
        Malformed: ``span_too_long``; ``bad_threshold``; ``bad_limit``.
    """

    camera: str
    span: Timespan
    box: Box = field(default_factory=Box)
    threshold: float = DEFAULT_THRESHOLD
    order: Order = Order.EARLIEST
    limit: int = DEFAULT_LIMIT

    def __post_init__(self) -> None:
        if self.span.duration > LONGEST:
            raise Malformed(
                f"{self.span} is longer than {LONGEST // DAY} days",
                code="span_too_long",
                hint=f"Request at most {LONGEST // DAY} days at a time.",
            )
        if not QUIET <= self.threshold <= HIGHEST_THRESHOLD:
            raise Malformed(
                f"{self.threshold:g} is not a threshold",
                code="bad_threshold",
                hint=f"Give {QUIET:g} to {HIGHEST_THRESHOLD:g}; {DEFAULT_THRESHOLD:g} is the usual one.",
            )
        if not 1 <= self.limit <= MOST:
            raise Malformed(
                f"{self.limit} is not a number of intervals", code="bad_limit", hint=f"Give 1 to {MOST}."
            )

    @property
    def hours(self) -> list[Timespan]:
        """The UTC hours of the span, clipped to it, in the order in which they are looked at."""
        span = self.span
        found = [
            Timespan(max(span.start, hour), min(span.end, hour + HOUR))
            for hour in range(hour_of(span.start), span.end, HOUR)
        ]
        return found if self.order is Order.EARLIEST else found[::-1]


@dataclass(frozen=True, slots=True)
class Interval:
    """Activity without a pause: ``at`` is the end of its strongest step, ``strength`` that step's."""

    span: Timespan
    at: int
    strength: float


def intervals_of(moved: Iterable[tuple[Timespan, float]], *, join: int = JOIN) -> list[Interval]:
    """Intervals from steps with their strengths, in order; those at most ``join`` µs apart become one."""
    found: list[Interval] = []
    for span, strength in moved:
        last = found[-1] if found else None
        if last is None or span.start - last.span.end > join:
            found.append(Interval(span, span.end, strength))
            continue
        at, most = (span.end, strength) if strength > last.strength else (last.at, last.strength)
        found[-1] = Interval(Timespan(last.span.start, max(last.span.end, span.end)), at, most)
    return found


@dataclass(slots=True)
class Looking:
    """A question and its answer so far. Not shared between threads."""

    question: Question
    _moved: dict[int, list[tuple[Timespan, float]]] = field(default_factory=dict)
    _looked: list[Timespan] = field(default_factory=list)
    _coarse: list[Timespan] = field(default_factory=list)
    _longest: int = 0
    _reasons: list[tuple[Timespan, str, str]] = field(default_factory=list)
    _left: list[Timespan] = field(default_factory=list)
    _taken: int = 0
    _frontier: int | None = None
    _undecodable: int = 0

    def take(self, hour: Timespan, made: Sequence[Activity], missing: Iterable[GapSpan]) -> None:
        """A stretch of one hour that was skimmed: the activity of its parts, and its gaps with causes.

        An hour of which a part is left as well is not done.
        """
        moved: list[tuple[Timespan, float]] = []
        for activity in made:
            for step in activity.steps:
                if step.span.start < self.question.span.start or step.span.end not in hour:
                    continue  # it compares with a keyframe outside the question, or of another hour
                if not step.is_judged:
                    self._reasons.append((step.span, WHOLE_PICTURE, ""))
                    continue
                self._looked.append(step.span)
                self._longest = max(self._longest, step.span.duration)
                if step.span.duration > COARSE:
                    self._coarse.append(step.span)
                strength = self.question.box.strongest_in(step)
                if strength >= self.question.threshold:
                    moved.append((step.span, strength))
            self._undecodable += sum(at in hour for at in activity.undecodable)
            for one in activity.damaged:
                inside = one.span.intersection(hour)
                if inside is not None:
                    self._reasons.append((inside, UNREADABLE, f"{one.key} [{one.code}]"))
        for gap in missing:
            inside = gap.span.intersection(hour)
            if inside is not None:
                self._reasons.append((inside, gap.cause, ""))
        self._moved[hour.start] = moved
        self._taken += 1
        self._frontier = hour.end if self.question.order is Order.EARLIEST else hour.start

    def leave(self, stretch: Timespan) -> None:
        """An hour, or the rest of one, for which there was no time. The same question goes on there."""
        self._left.append(stretch)

    def skip(self, hour: Timespan) -> None:
        """An hour that need not be looked at: enough was found before it."""
        self._reasons.append((hour, NOT_NEEDED, ""))

    @property
    def moved(self) -> list[tuple[Timespan, float]]:
        """The steps in which something moved, in order, with their strengths."""
        return [one for hour in sorted(self._moved) for one in self._moved[hour]]

    @property
    def intervals(self) -> list[Interval]:
        """What was found so far, in order of time: the first or last ones, by the question's limit."""
        found = intervals_of(self.moved)
        limit = self.question.limit
        return found[:limit] if self.question.order is Order.EARLIEST else found[-limit:]

    @property
    def has_enough(self) -> bool:
        """Whether no further hour can change the wanted intervals."""
        if self._left or self._frontier is None:
            return False
        found = intervals_of(self.moved)
        limit = self.question.limit
        if len(found) != limit:
            return len(found) > limit
        if self.question.order is Order.EARLIEST:
            return found[-1].span.end + JOIN < self._frontier
        return found[0].span.start - JOIN > self._frontier

    @property
    def is_complete(self) -> bool:
        """Whether the answer is final: every hour was looked at, or enough was found."""
        return not self._left

    def answer(self) -> JsonObject:
        """The answer as the API and the command line give it."""
        question = self.question
        hours = question.hours
        begun = sum(one not in hours for one in self._left)
        looked = SpanSet(self._looked)
        return {
            "camera": question.camera,
            **question.span.to_json(),
            "box": question.box.to_json(),
            "looked_box": question.box.looked_at.to_json(),
            "threshold": question.threshold,
            "notice": dict(NOTICE),
            "complete": self.is_complete,
            "hours": {"total": len(hours), "done": self._taken - begun, "left": len(self._left)},
            "intervals": [
                {
                    **one.span.to_json(),
                    "at": format_instant(one.at),
                    "strength": one.strength,
                }
                for one in self.intervals
            ],
            "looked_seconds": looked.within(question.span).duration / SECOND,
            "longest_step_seconds": self._longest / SECOND,
            "coarse": [
                {**span.to_json(), "longest_step_seconds": longest / SECOND}
                for span, longest in _stretches(self._coarse)
            ],
            "undecodable_keyframes": self._undecodable,
            "not_looked_at": self._not_looked_at(looked),
        }

    def _not_looked_at(self, looked: SpanSet) -> list[JsonObject]:
        """Every part of the span that was not looked at, in order, each instant with one reason."""
        rest = looked.gaps_within(self.question.span)
        left = [(span, LEFT, "") for span in self._left]
        found: list[tuple[Timespan, str, str]] = []
        for span, cause, what in (*left, *self._reasons, (self.question.span, NOT_COMPARED, "")):
            mine = rest & SpanSet((span,))
            found += ((part, cause, what) for part in mine)
            rest = rest - mine
        return [
            {**span.to_json(), "cause": cause, "what": what} for span, cause, what in _merged(sorted(found))
        ]


def _merged(found: Iterable[tuple[Timespan, str, str]]) -> list[tuple[Timespan, str, str]]:
    """Neighbours with one reason as one."""
    merged: list[tuple[Timespan, str, str]] = []
    for span, cause, what in found:
        if merged and merged[-1][0].end == span.start and merged[-1][1:] == (cause, what):
            merged[-1] = (Timespan(merged[-1][0].start, span.end), cause, what)
        else:
            merged.append((span, cause, what))
    return merged


def _stretches(steps: Iterable[Timespan]) -> list[tuple[Timespan, int]]:
    """Steps that follow one another as stretches, each with its longest step."""
    found: list[tuple[Timespan, int]] = []
    for step in sorted(steps):
        if found and found[-1][0].end >= step.start:
            span, longest = found[-1]
            found[-1] = (Timespan(span.start, max(span.end, step.end)), max(longest, step.duration))
        else:
            found.append((step, step.duration))
    return found
