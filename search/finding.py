"""The question of an investigator in one call: a place and a time → cameras, with what is needed to choose.

Cameras come from stays (:mod:`search.where`), their coverage from the index, by camera and time. An answer is
a page: pages are cut in an order that never changes (view, distance, camera), so that none repeats or omits a
camera however much is recorded meanwhile. Inside a page, of sightings with the same view and distance the one
with more footage comes first.
"""

import base64
import binascii
import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive import canonical
from archive.errors import Malformed
from archive.footage.reader import GapSpan, check_span
from archive.ids import check_name
from archive.model.stay import Stay
from archive.timespan import DAY, SpanSet, Timespan
from search.index import Index
from search.paging import check_limit
from search.query import MAX_FILTER, RunCoverage, SegmentQuery
from search.tally import CameraState, Tally, by_hour, is_exact, read
from search.where import CameraFilter, Sighting, check_codes, sightings

LONGEST_EXACT = DAY


class Resolution(StrEnum):
    """How coverage was read: ``exact`` to the microsecond with intervals, or ``hours`` without intervals."""

    EXACT = "exact"
    HOURS = "hours"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundCamera:
    """One sighting with its coverage.

    ``coverage``, ``gaps`` and ``pending`` partition ``sighting.part``, and are None at the resolution
    ``hours``; ``tally`` has their lengths. ``uncertainty_us`` is the largest that the shown footage states;
    None if nothing bounds one of its times, if there is none, or at the resolution ``hours``. ``held`` is
    None for askers who may not know.
    """

    sighting: Sighting
    tally: Tally
    coverage: tuple[RunCoverage, ...] | None = None
    gaps: tuple[GapSpan, ...] | None = None
    pending: SpanSet | None = None
    uncertainty_us: int | None = None
    held: SpanSet | None = None

    @property
    def share(self) -> float:
        """How much of the part is recorded: 0 to 1."""
        return self.tally.covered / self.sighting.part.duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A page; ``total`` is the number of sightings on all pages, ``next`` the cursor of the next page."""

    cameras: tuple[FoundCamera, ...]
    resolution: Resolution
    total: int
    next: str | None


def find(
    index: Index,
    stays: Mapping[str, tuple[Stay, ...]],
    wanted: CameraFilter,
    span: Timespan,
    *,
    cameras: Mapping[str, CameraState],
    held: Mapping[str, SpanSet] | None,
    now: int,
    districts: Collection[str] | None = None,
    limit: int = 100,
    cursor: str | None = None,
) -> Found:
    """The cameras that may have seen a place in a span.

    ``cameras`` are the states of all cameras in ``stays``. With ``districts`` only stays there count. A
    camera that was registered after its part of the span is left out, unless the index has a record of it
    there: imported footage.

    Raises:
        Malformed: ``bad_limit`` unless 1 ≤ limit ≤ 1,000; ``bad_cursor``; ``unknown_area``;
            ``span_in_future``; ``span_too_long``; ``too_many_hours``.
    """
    check_span(span, now)
    check_limit(limit)
    after = None if cursor is None else _read_cursor(wanted, span, cursor)
    check_codes(stays, wanted, districts)
    known = present(index, sightings(stays, wanted, span, districts), cameras)
    left = known if after is None else [one for one in known if one.key > after]
    page = left[:limit]
    exact = span.duration <= LONGEST_EXACT and is_exact(min(limit, len(known)), span)
    found = _exact(index, page, span, cameras, now) if exact else _hourly(index, page, span, cameras, now)
    return Found(
        cameras=tuple(sorted((_held(one, held) for one in found), key=_order)),
        resolution=Resolution.EXACT if exact else Resolution.HOURS,
        total=len(known),
        next=_write_cursor(wanted, span, page[-1]) if len(left) > len(page) else None,
    )


def parts_of(found: Iterable[Sighting]) -> Mapping[str, SpanSet]:
    """By camera the time of its sightings."""
    parts: dict[str, list[Timespan]] = defaultdict(list)
    for one in found:
        parts[one.camera].append(one.part)
    return {camera: SpanSet(spans) for camera, spans in parts.items()}


def present(
    index: Index, found: Sequence[Sighting], cameras: Mapping[str, CameraState]
) -> Sequence[Sighting]:
    """Without sightings from before a camera was registered, unless the index has a record of it there."""
    late: dict[Timespan, set[str]] = defaultdict(set)
    for one in found:
        if cameras[one.camera].registered_at >= one.part.end:
            late[one.part].add(one.camera)
    absent: set[tuple[Timespan, str]] = set()
    for part, names in late.items():
        absent |= {(part, name) for name in names - _recorded(index, part, sorted(names))}
    return [one for one in found if (one.part, one.camera) not in absent] if absent else found


def _recorded(index: Index, span: Timespan, names: Sequence[str]) -> set[str]:
    """Those of the cameras that the index has a segment or gap of in the span."""
    recorded: set[str] = set()
    for at in range(0, len(names), MAX_FILTER):
        recorded |= set(index.cameras(SegmentQuery(span=span, cameras=tuple(names[at : at + MAX_FILTER]))))
    return recorded


def _exact(
    index: Index, page: Sequence[Sighting], span: Timespan, cameras: Mapping[str, CameraState], now: int
) -> list[FoundCamera]:
    parts = parts_of(page)
    if not parts:
        return []
    read_all = read(index, span, {name: cameras[name] for name in parts}, now)
    runs: dict[str, list[RunCoverage]] = defaultdict(list)
    gaps: dict[str, list[GapSpan]] = defaultdict(list)
    pending: dict[str, list[Timespan]] = defaultdict(list)
    for run in read_all.coverage:
        runs[run.camera].append(run)
    for gap in read_all.gaps:
        gaps[gap.camera].append(GapSpan(gap.span, gap.cause))
    for one in read_all.pending:
        pending[one.camera].append(one.span)
    found = []
    for sighting in page:
        camera, part = sighting.camera, sighting.part
        shown = tuple(
            RunCoverage(camera, run.run, cut, run.uncertainty_us)
            for run in runs[camera]
            if (cut := run.span.intersection(part)) is not None
        )
        missing = tuple(
            GapSpan(lost, gap.cause)
            for gap in gaps[camera]
            if (lost := gap.span.intersection(part)) is not None
        )
        rest = SpanSet(pending[camera]).within(part)
        found.append(
            FoundCamera(
                sighting=sighting,
                tally=_tally(shown, missing, rest),
                coverage=shown,
                gaps=missing,
                pending=rest,
                uncertainty_us=_worst(shown),
            )
        )
    return found


def _tally(shown: Iterable[RunCoverage], missing: Iterable[GapSpan], rest: SpanSet) -> Tally:
    tally = Tally(covered=sum(run.span.duration for run in shown), pending=rest.duration)
    for gap in missing:
        tally.miss(gap.cause, gap.span.duration)
    return tally


def _hourly(
    index: Index, page: Sequence[Sighting], span: Timespan, cameras: Mapping[str, CameraState], now: int
) -> list[FoundCamera]:
    """Of a camera with several sightings each is read for itself: their edges are no edges of an hour."""
    rounds: list[dict[str, Sighting]] = []
    for one in page:
        into = next((each for each in rounds if one.camera not in each), None)
        if into is None:
            into = {}
            rounds.append(into)
        into[one.camera] = one
    tallies: dict[tuple[str, int], Tally] = {}
    for each in rounds:
        parts = {camera: SpanSet((one.part,)) for camera, one in each.items()}
        made = by_hour(index, parts, (span.start, span.end), cameras, now)
        tallies |= {(camera, each[camera].part.start): one for camera, (one,) in made.items()}
    return [FoundCamera(sighting=one, tally=tallies[one.camera, one.part.start]) for one in page]


def _held(one: FoundCamera, held: Mapping[str, SpanSet] | None) -> FoundCamera:
    if held is None:
        return one
    spans = held.get(one.sighting.camera, SpanSet()).within(one.sighting.part)
    return FoundCamera(
        sighting=one.sighting,
        tally=one.tally,
        coverage=one.coverage,
        gaps=one.gaps,
        pending=one.pending,
        uncertainty_us=one.uncertainty_us,
        held=spans,
    )


def _order(one: FoundCamera) -> tuple[int, int, float, str, int]:
    rank, away, camera, start = one.sighting.key
    return rank, away, -one.share, camera, start


def _worst(runs: Iterable[RunCoverage]) -> int | None:
    found = [run.uncertainty_us for run in runs]
    known = [one for one in found if one is not None]
    return max(known) if known and len(known) == len(found) else None


def _write_cursor(wanted: CameraFilter, span: Timespan, last: Sighting) -> str:
    """The cursor that continues after ``last``: URL-safe ASCII."""
    text = "|".join((_fingerprint(wanted, span), *(str(part) for part in last.key)))
    return base64.urlsafe_b64encode(text.encode("ascii")).rstrip(b"=").decode("ascii")


def _read_cursor(wanted: CameraFilter, span: Timespan, cursor: str) -> tuple[int, int, str, int]:
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        fingerprint, rank, away, camera, start = raw.decode("ascii").split("|")
        key = int(rank), int(away), check_name("camera", camera), int(start)
    except (ValueError, binascii.Error, Malformed) as error:
        raise _bad_cursor("the cursor cannot be read") from error
    if fingerprint != _fingerprint(wanted, span):
        raise _bad_cursor("the cursor belongs to another question")
    return key


def _bad_cursor(message: str) -> Malformed:
    return Malformed(
        message,
        code="bad_cursor",
        hint="Pass the cursor of the last page with the same parameters, unchanged.",
    )


def _fingerprint(wanted: CameraFilter, span: Timespan) -> str:
    asked = {
        **wanted.written(),
        "cameras": None if wanted.cameras is None else sorted(wanted.cameras),
        "empty": [int(values == ()) for values in (wanted.kecamatan, wanted.kelurahan, wanted.owners)],
        "span": [span.start, span.end],
    }
    return hashlib.sha256(canonical.encode(asked)).hexdigest()[:12]
