"""Activity and thumbnails of footage: a limited number of makers at once, and answers in parts.

A search that needs much footage looked at answers after a while with what it has; the same request again goes
on, since every part that was made is kept. So there is no state between two requests, and no place is held.
"""

from dataclasses import dataclass, replace

from api.clips import Clips
from api.limits.programs import Program, Programs, await_place, place_for
from api.services import Services
from archive.canonical import JsonObject
from archive.errors import Malformed, Unavailable
from archive.footage.reader import Reading, check_span
from archive.footage.skim.looking import Looking, Question
from archive.footage.skim.made import Activity, Sheet
from archive.footage.skim.parts import Part, parts_of
from archive.footage.skim.searching import look, reach_of
from archive.footage.skim.skimmer import Skimmer
from archive.prefetch import in_order
from archive.timespan import HOUR, SECOND, Timespan, format_instant
from search.tally import shared
from search.timeline import bucket_edges, step_of

PATIENCE_S = 5.0
LONGEST_SPRITES = HOUR


@dataclass(frozen=True, slots=True)
class Skims:
    """Skims for the routes. Thread-safe."""

    services: Services
    clips: Clips
    programs: Programs

    def look(self, question: Question, *, wait: int) -> Looking:
        """Search, and make what is missing for at most ``wait`` µs and one part.

        Raises:
            Malformed, NotFound: as :meth:`api.clips.Clips.reading`.
            Unavailable: ``ffmpeg_missing`` and others of :class:`archive.footage.skim.skimmer.Skimmer`.
        """
        skimmer, clock = self._skimmer(), self.services.clock
        until = clock.monotonic() + wait

        def make(part: Part) -> Activity | None:
            left = until - clock.monotonic()
            if left <= 0 or not await_place(self.programs, Program.SKIM, left / SECOND):
                return None
            try:
                return skimmer.activity(part)
            finally:
                self.programs.give_back(Program.SKIM)

        return look(
            question,
            lambda span: self.clips.reading(question.camera, span),
            lambda parts: in_order(skimmer.cached, parts, self.services.pool),
            make,
            now=clock.now(),
        )

    def sheets(self, reading: Reading, span: Timespan, *, most: int) -> list[tuple[Part, Sheet | None]]:
        """The parts of a span with their sheets, from a reading of :func:`~.searching.reach_of` it.

        At most ``most`` sheets are made, the first ones together; those that are left are None.

        Raises:
            Unavailable: ``busy``; as :meth:`look`.
        """
        skimmer = self._skimmer()
        parts = parts_of(reading.camera, span, reading.segments)
        found = skimmer.cached_sheets(parts)
        missing = [part for part in parts if part.start not in found][:most]
        if missing:
            with place_for(self.programs, Program.SKIM, PATIENCE_S):
                found |= {sheet.start: sheet for sheet in skimmer.make_sheets(missing)}
        return [(part, found.get(part.start)) for part in parts]

    def reading(self, camera: str, span: Timespan) -> Reading:
        """What the sheets of a span are made of. Raises as :meth:`api.clips.Clips.reading`."""
        return self.clips.reading(camera, reach_of(span))

    def _skimmer(self) -> Skimmer:
        if self.services.skimmer is None:
            raise Unavailable(
                "this process has no FFmpeg to make frames with",
                code="ffmpeg_missing",
                hint="Install FFmpeg 5 or later, or set its path in the settings.",
            )
        return replace(self.services.skimmer, headers=self.clips.headers)


def check_sprites_span(span: Timespan) -> Timespan:
    """Refuse a span that is too long for one answer. Raises Malformed ``span_too_long``."""
    if span.duration > LONGEST_SPRITES:
        raise Malformed(
            f"{span} is longer than an hour", code="span_too_long", hint="Request at most an hour at a time."
        )
    return span


def check_step(services: Services, span: Timespan, step: str) -> None:
    """Refuse buckets that cannot be made.

    Raises:
        Malformed: ``span_in_future``; as :func:`buckets_json`.
    """
    check_span(span, services.clock.now())
    bucket_edges(span, step_of(step), services.settings.zone)


def buckets_json(services: Services, looking: Looking, step: str) -> list[JsonObject]:
    """The activity of each bucket of a question's span: how long, and how strong at most.

    Raises:
        Malformed: ``bad_step``, ``too_many_buckets``, ``bad_zone``.
    """
    edges = bucket_edges(looking.question.span, step_of(step), services.settings.zone)
    lengths, strengths = [0] * (len(edges) - 1), [0.0] * (len(edges) - 1)
    for span, strength in looking.moved:
        for number, length in shared(span, edges):
            lengths[number] += length
            strengths[number] = max(strengths[number], strength)
    return [
        {
            "from": format_instant(edges[number]),
            "to": format_instant(edges[number + 1]),
            "activity_seconds": lengths[number] / SECOND,
            "strength": strengths[number],
        }
        for number in range(len(edges) - 1)
    ]
