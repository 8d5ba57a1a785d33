"""Step 1 of a disposition: which segments are due, and which of them must stay.

The judge walks the bucket, not the index: an object that the index lost must go too when its time has come.
The index supplies what the listing lacks (hash and end); for an object without an entry they come from its
own leaf. The judge does not ask for locks, since the store itself refuses to delete what is locked. A refused
key is remembered and left alone until its lock ends (:func:`spared_keys`).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from archive import keys
from archive.errors import IntegrityError, Malformed, NotFound
from archive.footage.stored_cameras import stored_cameras
from archive.ids import check_name
from archive.lifecycle.disposition.due import Rule
from archive.lifecycle.disposition.listing import MAX_SEGMENTS, Doomed, DoomedList, read_kept
from archive.lifecycle.disposition.walk import Found, own_leaf, side_by_side, start_of
from archive.lifecycle.holds.book import HoldBook
from archive.model.disposition import Disposition
from archive.model.finding import Finding
from archive.model.segment import Segment, SegmentRef
from archive.ports import ObjectStore, SegmentIndex
from archive.records.set_aside import incident_of, is_set_aside
from archive.timespan import DAY, HOUR, Timespan

RETRY = DAY
"""How long a key is left alone if it was kept for a reason other than a lock."""

Progress = Callable[[str, int], None]
"""Called with the step's name and the number of segments it has seen."""


@dataclass(slots=True)
class Decision:
    """What is due. ``full`` means that more is due than one list holds.

    ``stays`` counts by reason (``under_hold``, ``spared``, ``unsound``) the due segments that are left alone.
    ``findings`` are the defects of those that are unsound.
    """

    doomed: DoomedList
    full: bool = False
    stays: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Judge:
    """Decides over the segments of an archive by one rule, its holds, and recent refusals.

    ``incidents`` are the ids of all integrity incidents: those of segments set aside protect these from an
    index that lacks their gaps.
    """

    footage: ObjectStore
    index: SegmentIndex
    rule: Rule
    holds: HoldBook
    spared: Mapping[str, int] = field(default_factory=dict)
    incidents: Collection[str] = ()
    progress: Progress = lambda step, seen: None
    limit: int = MAX_SEGMENTS

    def everything(self) -> Decision:
        """Every camera, from its first segment to the last that can be due."""
        return self._decide(
            (camera, Timespan(0, horizon + 1), keys.segment_prefix(camera))
            for camera in stored_cameras(self.footage)
            if _is_camera(camera) and (horizon := self.rule.horizon(camera)) is not None and horizon >= 0
        )

    def hours(self, hours: Iterable[tuple[str, int]], *, enough: int) -> Decision:
        """Only those hours of those cameras, in that order, until ``enough`` bytes are due."""
        return self._decide(
            (
                (camera, Timespan(hour, hour + HOUR), keys.segment_prefix(camera, hour))
                for camera, hour in hours
            ),
            enough=enough,
        )

    def _decide(
        self, stretches: Iterable[tuple[str, Timespan, str]], *, enough: int | None = None
    ) -> Decision:
        decision = Decision(DoomedList(self.rule.cause, self.rule.cutoff, ()))
        chosen: list[Doomed] = []
        chosen_bytes = 0
        for seen, (one, stays) in enumerate(self._judged(stretches, decision), 1):
            self.progress("segments", seen)
            if stays:
                decision.stays[stays] += 1
                continue
            if len(chosen) >= self.limit:
                decision.full = True
                break
            if enough is not None and chosen_bytes >= enough:
                break
            chosen.append(one)
            chosen_bytes += one.size
        chosen.sort(key=lambda doomed: doomed.key)
        decision.doomed = DoomedList(self.rule.cause, self.rule.cutoff, tuple(chosen))
        return decision

    def _judged(
        self, stretches: Iterable[tuple[str, Timespan, str]], decision: Decision
    ) -> Iterator[tuple[Doomed, str]]:
        """Every segment that is due, and why it stays nevertheless ("" if it does not)."""
        for camera, span, prefix in stretches:
            for found in side_by_side(self.footage, self.index, camera, span, prefix):
                start = start_of(found.key)
                if start is None or not found.versions:
                    continue  # not a segment, or no object: the orphan sweep reports both
                ruling = self.rule.ordering(camera, start)
                if ruling is None:
                    continue
                try:
                    known = self._known(found)
                except IntegrityError as error:
                    decision.findings.append(Finding(error.code, found.key, error.message))
                    decision.stays["unsound"] += 1
                    continue
                except NotFound:
                    continue  # another run was faster
                version = found.versions[0]
                doomed = Doomed(
                    camera=camera,
                    span=known.span,
                    key=found.key,
                    version=version.version,
                    size=version.size,
                    sha256=known.sha256,
                    policy=str(ruling.scope),
                )
                if found.segment is None and self._is_set_aside(found.key):
                    yield doomed, "set_aside"  # it stays until a person decides
                    continue
                yield doomed, self._stays(doomed, known)

    def _is_set_aside(self, key: str) -> bool:
        return incident_of(key) in self.incidents or is_set_aside(self.index, key)

    def _stays(self, doomed: Doomed, known: Segment | SegmentRef) -> str:
        if self.holds.is_held(known):
            return "under_hold"
        return "spared" if self.spared.get(doomed.key, 0) > self.rule.cutoff else ""

    def _known(self, found: Found) -> Segment | SegmentRef:
        """What is known of a sound key. Raises IntegrityError, NotFound."""
        if not found.sound:
            marked = any(version.deleted for version in found.versions)
            raise IntegrityError(
                f"{found.key} has {len(found.versions)} versions and markers where one is right",
                code="delete_marker" if marked else "second_version",
            )
        version = found.versions[0]
        if not version.version:
            raise IntegrityError(f"the sidecar of {found.key} cannot be read", code="sidecar_damaged")
        known = own_leaf(self.footage, version) if found.segment is None else found.segment
        if known.size != version.size:
            raise IntegrityError(
                f"{found.key} has {version.size} bytes, {known.size} on record", code="size_differs"
            )
        return known


def spared_keys(records: ObjectStore, dispositions: Iterable[Disposition], now: int) -> dict[str, int]:
    """Keys that earlier dispositions could not destroy, and until when (µs) they are left alone.

    Raises:
        Unavailable, IntegrityError, NotFound: a list of kept keys is away, altered or lost.
    """
    spared: dict[str, int] = {}
    for found in dispositions:
        outcome = found.outcome
        if outcome is None or not outcome.kept or outcome.retry_at <= now:
            continue
        for kept in read_kept(records, found):
            until = outcome.ended_at + RETRY if kept.until is None else kept.until
            spared[kept.key] = max(until, spared.get(kept.key, 0))
    return spared


def _is_camera(text: str) -> bool:
    try:
        check_name("camera", text)
    except Malformed:
        return False
    return True
