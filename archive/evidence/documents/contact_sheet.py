"""Pictures for the report: some keyframes of each camera, spread over its footage within the span.

They are decoded and scaled down, so they are an illustration, never the exhibit. All of them are from within
the authorised span.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from archive.errors import NotFound
from archive.evidence.plan import PackagePlan
from archive.footage.derive import Still
from archive.model.segment import SegmentRef
from archive.ports import ObjectStore
from archive.timespan import SpanSet, Timespan

MOST = 60
"""About how many pictures a report has in total; each camera has at least one."""
MOST_EACH = 6
WIDTH = 360

Sheet = Mapping[str, Sequence[Still]]
"""The pictures of each camera, in order of time."""


class Stills(Protocol):
    """Makes pictures (:class:`archive.footage.derive.StillMaker`); the same footage gives the same bytes."""

    def keyframe(self, ref: SegmentRef, footage: ObjectStore, instant: int, *, width: int) -> Still:
        """The last keyframe at or before the instant, else the segment's first."""
        ...


@dataclass(frozen=True, slots=True)
class ContactSheet:
    """Makes the pictures of a plan from the footage that is being sealed."""

    stills: Stills
    footage: ObjectStore

    def of(self, plan: PackagePlan) -> Sheet:
        """The pictures of every camera that has footage; a keyframe that cannot be decoded is left out.

        Raises:
            IntegrityError: a segment is missing or contradicts its header.
            Unavailable: the store, or FFmpeg, does not answer; seal again.
        """
        segments: dict[str, list[SegmentRef]] = {}
        for item in plan.originals:
            segments.setdefault(item.ref.camera, []).append(item.ref)
        each = max(1, min(MOST_EACH, MOST // max(1, len(segments))))
        return {camera: self._of_camera(refs, plan.span, each) for camera, refs in segments.items()}

    def _of_camera(self, refs: Sequence[SegmentRef], span: Timespan, count: int) -> list[Still]:
        found: dict[int, Still] = {}
        for instant in spread(SpanSet(ref.span for ref in refs).within(span), count):
            ref = next(ref for ref in reversed(refs) if instant in ref.span)
            try:
                still = self.stills.keyframe(ref, self.footage, instant, width=WIDTH)
            except NotFound as error:
                if error.code != "no_picture":
                    raise
                continue
            if still.instant in span:
                found[still.instant] = still
        return [found[instant] for instant in sorted(found)]


def spread(footage: SpanSet, count: int) -> list[int]:
    """Instants in the middle of ``count`` equally long parts of the footage; gaps do not count."""
    wanted = [footage.duration * (2 * number + 1) // (2 * count) for number in range(count)]
    instants: list[int] = []
    before = 0
    for span in footage:
        instants += [span.start + at - before for at in wanted if before <= at < before + span.duration]
        before += span.duration
    return instants
