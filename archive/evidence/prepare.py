"""From a request to a plan: everything a package will hold, as of the moment of the request.

The same request over the same archive gives the same plan, so that a worker that takes over from a dead one
makes the same package. Anything that arrives after the request (late segments, later custody) stays out. The
custody event of the request itself is recorded before the request, so it is included.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial

from archive import canonical
from archive.canonical import JsonObject
from archive.evidence.absence import check_absence, destructions
from archive.evidence.enclosing import Enclosed, enclose, in_accord
from archive.evidence.journalled import Journals, WantedGap
from archive.evidence.plan import (
    CameraChange,
    ClipPlan,
    Document,
    GapStatement,
    Original,
    PackagePlan,
    RequestFacts,
)
from archive.evidence.proving import Prover
from archive.evidence.recorded import Recorded
from archive.evidence.sounds import cameras_with_sound
from archive.evidence.stating import check_accord
from archive.footage import reader
from archive.footage.cameras import Registry
from archive.footage.choice import RunSpan
from archive.footage.clip.exact import (
    LONGEST,
    SHORTEST,
    NoFootage,
    NotJoinable,
    earlier_segments,
    others_json,
    plan_clip,
)
from archive.footage.download.originals import originals_in
from archive.footage.reader import Reading, part_of
from archive.model import custody as events
from archive.model.camera import Camera, from_state
from archive.model.disposition import Disposition
from archive.model.evidence import PackageKind, SealRequest
from archive.model.gap import GapCause
from archive.model.segment import SegmentRef
from archive.objects.checks import MAX_OBJECT_BYTES
from archive.ports import SegmentIndex, Stores
from archive.records import custody
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY, Timespan

LONGEST_CUSTODY = 90 * DAY

FactsOf = Callable[[SealRequest], RequestFacts | None]
"""The approved request that a package answers; None where an operator requested it on the host."""

AttachmentsOf = Callable[[SealRequest], Mapping[str, Document]]
"""The documents that came with the request (letter, approval), by name under ``data/documents/``."""


def _no_facts(_request: SealRequest) -> RequestFacts | None:
    return None


def _no_attachments(_request: SealRequest) -> Mapping[str, Document]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparer:
    """Makes plans; :data:`archive.evidence.plan.Prepare` is its :meth:`__call__`.

    ``system`` holds facts about this installation; ``lock_days`` is the term of the package's lock. ``pool``
    queries a store behind a network about many originals at once; the clips of a plan are read with it too.
    """

    stores: Stores
    index: SegmentIndex
    registry: Registry
    ledger: Ledger
    system: Mapping[str, str]
    organization: str
    tz_display: str
    lock_days: int
    prover: Prover
    facts_of: FactsOf = _no_facts
    attachments_of: AttachmentsOf = _no_attachments
    pool: Executor | None = None

    def __call__(self, request: SealRequest) -> PackagePlan:
        """The plan of a request.

        Raises:
            NoFootage: no camera of the request has footage in the span.
            Refused: ``footage_exists``, ``footage_pending``: a statement of absence would not be true.
            NotFound: ``camera_not_found``.
            IntegrityError: a segment's object does not carry the leaf that the index says it has.
            CheckpointPending: ``checkpoint_pending``: the log does not have every line yet.
            Unavailable: ``plan_contradicts``: the recorders' lines say something else than index and store.
        """
        cameras = tuple(self.registry.as_of(name, request.span.start) for name in request.cameras)
        readings = [self._reading(camera, request) for camera in cameras]
        facts = self.facts_of(request)
        plan = PackagePlan(
            evidence_id=request.evidence_id,
            case=request.case,
            actor=request.actor,
            span=request.span,
            prepared_at=request.asked_at,
            lock_until=request.asked_at + self.lock_days * DAY,
            kind=request.kind,
            cameras=cameras,
            changes=tuple(self._changes(request, frozenset())),
            originals=(),
            gaps=tuple(_gaps(readings)),
            custody=tuple(self._custody(request, facts)),
            system=self.system,
            organization=self.organization,
            tz_display=self.tz_display,
            request=facts,
            documents=self.attachments_of(request),
        )
        made = (
            self._of_nothing(plan, readings, request)
            if request.kind is PackageKind.NO_FOOTAGE
            else self._of_footage(plan, readings, request)
        )
        made = in_accord(made)
        check_accord(made)
        return made

    def _of_footage(self, plan: PackagePlan, readings: list[Reading], request: SealRequest) -> PackagePlan:
        if not any(reading.segments for reading in readings):
            raise NoFootage(
                f"none of {', '.join(request.cameras)} has footage in {request.span}",
                [gap for reading in readings for gap in reading.gaps],
            )
        before = {reading.camera: earlier_segments(reading, self.index) for reading in readings}
        segments = [one for reading in readings for one in originals_in(reading, before[reading.camera])]
        looked_at = map if self.pool is None else self.pool.map
        originals = tuple(looked_at(self._original, segments))
        enclosed = self._enclosed(originals, readings)
        planned = replace(
            plan,
            journals=enclosed.journals,
            originals=tuple(
                replace(one, proof=proof) for one, proof in zip(originals, enclosed.proofs, strict=True)
            ),
            clips=tuple(self._clips(readings)),
        )
        heard = cameras_with_sound(planned)
        if heard:
            planned = replace(planned, changes=tuple(self._changes(request, heard)))
        return self._recorded(planned, list(self._destructions(readings, request)))

    def _of_nothing(self, plan: PackagePlan, readings: list[Reading], request: SealRequest) -> PackagePlan:
        check_absence(self.stores, readings)
        gone = list(destructions(self.ledger, self.stores.records, readings, request.asked_at))
        planned = replace(
            plan,
            journals=self._enclosed((), readings).journals,
            checkpoints=self.prover.over(request.span, request.asked_at),
        )
        return self._recorded(planned, gone)

    def _recorded(self, plan: PackagePlan, gone: Sequence[tuple[Disposition, Entry]]) -> PackagePlan:
        """The plan with the ledger's entries."""
        return Recorded(self.ledger, self.stores.records, self.prover).enclosed(plan, gone)

    def _destructions(
        self, readings: list[Reading], request: SealRequest
    ) -> Iterator[tuple[Disposition, Entry]]:
        """The destructions behind the gaps of a package with footage."""
        touched = [one for one in readings if any(gap.cause == GapCause.DISPOSED for gap in one.gaps)]
        if touched:
            yield from destructions(self.ledger, self.stores.records, touched, request.asked_at)

    def _enclosed(self, originals: Sequence[Original], readings: Sequence[Reading]) -> Enclosed:
        gaps = [
            WantedGap.of(gap, reading.span)
            for reading in readings
            for gap in self.index.gaps(reading.camera, reading.span)
            if gap.cause is not GapCause.DISPOSED
        ]
        return enclose(
            Journals(self.stores.records, self.ledger),
            self.prover,
            originals=[one.leaf for one in originals],
            gaps=gaps,
            cameras={reading.camera for reading in readings},
        )

    def _changes(self, request: SealRequest, heard: Collection[str]) -> Iterator[CameraChange]:
        """The changes of the cameras' registrations within the span, as far as a package states them.

        Of the cameras in ``heard``, whose originals have sound, it states who allowed that, too.
        """
        for name in request.cameras:
            stated = partial(_stated, with_sound=name in heard)
            last: Camera | None = None
            for entry in self.registry.history(name):
                camera = from_state(entry.state)
                inside = request.span.start < entry.at < request.span.end
                if last is not None and inside and stated(camera) != stated(last):
                    yield CameraChange(at=entry.at, camera=camera)
                last = camera

    def _reading(self, camera: Camera, request: SealRequest) -> Reading:
        return reader.read(
            self.index,
            camera.id,
            request.span,
            registered_at=camera.registered_at,
            now=request.asked_at,
            is_disabled=self.registry.as_of(camera.id, request.asked_at).disabled,
        )

    def _original(self, segment: SegmentRef) -> Original:
        head = self.stores.footage.head(segment.key, version=segment.version or None)
        return Original(ref=segment, leaf=reader.leaf_of(head, segment), lock=head.lock)

    def _clips(self, readings: Iterable[Reading]) -> Iterator[ClipPlan]:
        """One clip per camera where possible, else one for each part; the originals are always whole.

        Where several runs cover an instant, their originals are all there, and each clip is of one run.

        A clip is a convenience. Where a clip is impossible (a span that is too short or too long, no frame
        that can be shown) it is left out; that never stops the sealing.
        """
        for reading in readings:
            if not reading.segments or reading.span.duration > LONGEST:
                continue
            spans = deque([one.span for one in reading.portions] if reading.others else [reading.span])
            while spans:
                span = spans.popleft()
                if span.duration < SHORTEST:
                    continue
                part = reading if span == reading.span else part_of(reading, span)
                if part.others and len(part.portions) > 1:
                    spans.extendleft(one.span for one in reversed(part.portions))
                    continue  # a clip of a package is of one run where several have footage
                try:
                    earlier = earlier_segments(part, self.index)
                    clip = plan_clip(part, self.stores.footage, pool=self.pool, earlier=earlier)
                except NotJoinable as refusal:
                    spans.extendleft(one for one in reversed(refusal.spans) if one.duration < span.duration)
                    continue
                except NoFootage:
                    continue  # segments touch the span, but none of their frames falls into it
                if clip.size > MAX_OBJECT_BYTES:
                    middle = span.start + span.duration // 2
                    spans.extendleft((Timespan(middle, span.end), Timespan(span.start, middle)))
                    continue
                yield ClipPlan(
                    camera=reading.camera,
                    # its digest is taken from the originals while copying
                    description={**clip.outline(), "others": _others(reading, span)},
                    size=clip.size,
                    stream=clip.stream,
                )

    def _custody(self, request: SealRequest, facts: RequestFacts | None) -> Iterator[bytes]:
        """Events that name the package, its request or its hold.

        They start one day before the filing of the request, at most 90 days before the package was requested;
        without an approved request, they start one day before the package was requested.
        """
        names = {request.evidence_id, request.request_id} | ({facts.hold_id} if facts else set())
        names.discard("")
        start = request.asked_at - DAY
        if facts is not None:
            start = max(min(start, facts.filed_at - DAY), request.asked_at - LONGEST_CUSTODY)
        for event in custody.read(self.stores.records, Timespan(start, request.asked_at + 1)):
            if not names.isdisjoint(event.objects):
                yield canonical.encode(events.to_json(event))


def _stated(camera: Camera, *, with_sound: bool) -> tuple[object, ...]:
    audio = (camera.audio, camera.sound.permission) if with_sound else ()
    return camera.name, camera.place, camera.segment_seconds, *audio


def _others(reading: Reading, span: Timespan) -> list[JsonObject]:
    """The footage of other runs where a clip of the span shows one run."""
    parts = ((one.span.intersection(span), one.run) for one in reading.others)
    return others_json([RunSpan(part, run) for part, run in parts if part is not None])


def _gaps(readings: Iterable[Reading]) -> Iterator[GapStatement]:
    for reading in readings:
        found = [*((gap.span, gap.cause) for gap in reading.gaps)]
        found += [(span, "pending") for span in reading.pending]
        for span, cause in sorted(found):
            yield GapStatement(camera=reading.camera, span=span, cause=cause)
