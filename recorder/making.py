"""Makes one segment of a file that FFmpeg closed, and measures it for the timeline."""

from dataclasses import replace
from itertools import pairwise
from statistics import median_low

from archive.footage.mp4.bridge import SQUEEZED, bridge, even_step
from archive.footage.mp4.finalise import Finalised, finalise
from archive.footage.mp4.opening import read_opening
from archive.footage.mp4.parameters import Sets
from archive.footage.mp4.pauses import PAUSE
from archive.model.segment import TIMESCALE
from archive.timespan import SECOND
from recorder.current import CurrentRun, Made
from recorder.facts import CaptureFacts
from recorder.growth import Growth
from recorder.spool import CaptureFolder
from recorder.timing import Piece

_STILL = 3
"""So many squeezed pictures at a segment's end: FFmpeg still waits for the camera to reach its old time."""


def make(folder: CaptureFolder, number: int, run: CurrentRun, noticed_by: int, sets: Sets) -> Made:
    """Finalise raw segment ``number`` as the next one of ``run``, whose state moves on.

    ``sets`` are those of the connection's previous segment (:attr:`Finalised.sets`).

    The next file, if it has begun, tells how long the last picture lasts, where the next segment's first
    picture is shown, and which of its pictures announced its arrival: ``noticed_by`` after the first one.

    Raises:
        Malformed, StoreFull, Unavailable: as :func:`archive.footage.mp4.finalise.finalise`.
    """
    opening = read_opening(folder.raw(number + 1))
    made = finalise(
        folder.raw(number),
        folder.final(number),
        tfdt=run.ticks,
        continues_at=run.continues_at,
        next_starts_at=None if opening is None else opening.tfdt,
        sets=sets,
    )
    duration = made.media_duration
    next_lead = _usual_lead(made, noticed_by)
    if opening is not None:
        if len(opening.shown) > noticed_by:
            next_lead = max(opening.shown[: noticed_by + 1]) - opening.first_pts
            if next_lead == noticed_by * SQUEEZED:  # invented times
                next_lead = noticed_by * even_step(made.header.samples)
        if opening.tfdt - made.starts_at == made.media_duration:
            shown = run.ticks + opening.first_pts - made.starts_at - made.header.first_pts
            duration = shown if shown > 0 else duration
    run.ticks += made.media_duration
    run.continues_at = made.header.first_pts + duration
    usual, held = run.usual, run.held
    run.usual, run.held = distances = _distances(made)
    return Made(number, made, duration, next_lead, sets, usual, held, distances)


def _distances(made: Finalised) -> tuple[int, int]:
    """The usual and the longest distance of a segment's pictures, in ticks."""
    return even_step(made.header.samples), max(made.header.samples.durations)


def make_bridged(folder: CaptureFolder, made: Made, lasts: int) -> tuple[Made, int | None]:
    """Finalise a segment anew inside which the camera's timestamps jumped, and which lasted ``lasts`` ticks.

    Returns:
        The segment, and by how many ticks its new durations are strange; as it was, and None, where they
        cannot be told.

    Raises:
        Malformed, StoreFull, Unavailable: as :func:`archive.footage.mp4.finalise.finalise`.
    """
    before = made.finalised.header
    found = bridge(before.samples, lasts)
    if found is None:
        return made, None
    finalised = finalise(
        folder.raw(made.number),
        folder.final(made.number),
        tfdt=before.tfdt,
        durations=found.durations,
        sets=made.sets,
    )
    return replace(made, finalised=finalised, duration=lasts, distances=_distances(finalised)), found.strange


def piece_of(made: Made, growth: Growth, facts: CaptureFacts) -> Piece:
    """The segment on the media timeline; only a connection's first one has further observations.

    After a pause longer than three quarters of FFmpeg's time-out it may have lost the time of the next
    picture, which then stands at the other side of the pause: the segment is uncertain by that. If sound is
    recorded too, a picture may have waited for the next packet: for one picture at most. So may one that was
    encoded. Pictures whose times are those of their arrival may have been held up for as long as the longest
    pause between two of them or of the segment before: a segment's first one may have ended a pause of that.
    """
    noticed_by, longest_pause = facts.noticed_by, facts.doubt * TIMESCALE // (4 * SECOND)
    found = made.finalised
    first = found.header.first_pts
    shown = found.header.presentation_times
    in_order = sorted({*shown, first + made.duration})
    nominal = median_low(found.header.samples.durations)
    latest = first
    depth = 0
    for pts in shown:
        latest = max(latest, pts)
        depth = max(depth, latest - pts)
    squeezed = _squeezed(found)
    step = max((after - before for before, after in pairwise(in_order)), default=0)
    waits = squeezed + (facts.sound != "") + (facts.pictures != "")
    held_up = step if step > longest_pause else 0
    if facts.is_by_arrival:
        held_up = max(step, made.held)
    return Piece(
        first,
        made.duration,
        lead=_lead(found, noticed_by),
        next_lead=made.next_lead,
        step=step,
        squeezed=squeezed,
        pictures=len(shown),
        begins_squeezed=found.header.samples.durations[0] == SQUEEZED,
        blur=depth + waits * nominal + held_up,
        sightings=growth.sightings(found, noticed_by) if made.number == 0 else (),
    )


def notice_of(made: Made, noticed_by: int) -> int:
    """How much later (µs) than its last picture a torn file was written; 0 for one that was closed."""
    if not made.finalised.torn:
        return 0
    return noticed_by * median_low(made.finalised.header.samples.durations) * SECOND // TIMESCALE


def is_stuck(found: Finalised) -> bool:
    """Whether FFmpeg invented most times of a segment, up to its end, since the camera's went back far.

    It goes on until the camera reaches its old time, which can be hours; only a new connection ends that.
    After a step of seconds it ends by itself, which costs less footage than a new connection.
    """
    lasts = found.header.samples.durations
    return 2 * _squeezed(found) > len(lasts) and all(one == SQUEEZED for one in lasts[-1 - _STILL : -1])


def is_squeezed(found: Finalised) -> bool:
    """Whether the times went back inside a segment: FFmpeg invented more than one or two of them."""
    return _squeezed(found) >= _STILL


def _squeezed(found: Finalised) -> int:
    """How many pictures have a time that FFmpeg invented: one tick after the one before, as it must be."""
    return found.header.samples.durations.count(SQUEEZED)


def _usual_lead(found: Finalised, noticed_by: int) -> int:
    """The lead to expect of the next segment: as of this one, without a pause among its first pictures."""
    lead, even = _lead(found, noticed_by), noticed_by * even_step(found.header.samples)
    return even if lead - even > PAUSE else lead


def _lead(found: Finalised, noticed_by: int) -> int:
    return max(found.header.presentation_times[: noticed_by + 1]) - found.header.first_pts
