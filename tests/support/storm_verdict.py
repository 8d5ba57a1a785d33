"""The verdict on a storm: each picture is archived once, in a gap with its cause, or in a stated pause."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from archive.timespan import SECOND, Timespan
from tests.support.storm_camera import FPS, Footage, Mode
from tests.support.storm_frames import Picture
from tests.support.storm_plan import RIGHT_CAUSES, Fault, Trouble, causes_of

EDGE = 0.35
"""By how much (s) a gap's edge may be wrong, or by as much as the segment there states of its own time."""
NOTICED, RECOVERED = 6.0, 75.0
"""A gap may begin so long before its fault, and end so long after it (s). A recorder that is killed left
its last sign of life up to five seconds before. One gap may have several faults."""
UNWRITTEN = 1.5
"""What FFmpeg had not written when it was killed (s): a fragment of half a second, and what came late."""
UNNOTICED = 12.0
"""A camera that was silent for less (s) when the recorder was killed was not yet known to be: the gap's
first part is put down to the recorder too."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A gap of the archive: its span and its cause."""

    span: Timespan
    cause: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A segment: its span as the archive has it, the width in its header, and its pictures.

    ``uncertainty`` (µs) is what its leaf states against the recorder's clock, which here is the cameras' too.
    ``pauses`` are the stretches in which, as its leaf states, no new picture came.
    """

    span: Timespan
    uncertainty: int
    width: int
    pictures: Sequence[Picture]
    pauses: Sequence[Timespan] = ()

    def is_mislabelled(self, footage: Mapping[str, Footage]) -> bool:
        """Whether its header announces another width than its pictures have."""
        return any(
            picture.letter in footage and footage[picture.letter].width != self.width
            for picture in self.pictures
        )


@dataclass(slots=True)
class CameraVerdict:
    """What came of one camera's pictures. All lists are empty where everything is right."""

    camera: int
    taken: int = 0
    archived: int = 0
    in_gaps: int = 0
    in_pauses: int = 0
    """Pictures that are not archived and in no gap, but in a pause that a leaf states."""
    lost: list[int] = field(default_factory=list)
    """Pictures that are neither archived nor in a gap nor in a stated pause."""
    lost_at: list[str] = field(default_factory=list)
    """When the first of them was taken, and what is known around it, in words."""
    denied: list[int] = field(default_factory=list)
    """Pictures that are archived and in a gap all the same."""
    twice: list[int] = field(default_factory=list)
    altered: list[int] = field(default_factory=list)
    disordered: int = 0
    mislabelled: int = 0
    """Segments whose header announces another picture than they hold."""
    holes: Sequence[Hole] = ()
    """The gaps that the archive states."""
    decoded: int = 0
    misread: int = 0
    """Segments that were decoded, and those of them that do not show what was sent."""
    wrong_causes: list[Hole] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)
    """By how much the start of each segment is wrong (s), against when its first picture was taken."""
    unbounded: int = 0
    """Segments whose stated uncertainty does not cover that."""
    sent: int = 0
    sent_and_missing: int = 0
    """Pictures that were written to the recorder's connection and are not archived."""
    recovery: list[tuple[str, float]] = field(default_factory=list)
    """For each fault, how long after its end (s) the gap ended."""

    @property
    def complaints(self) -> list[str]:
        """What is wrong, in words."""
        said: dict[str, Sequence[object]] = {
            "neither archived nor in a gap or pause": self.lost, "twice": self.twice, "altered": self.altered,
            "gaps with a wrong cause": self.wrong_causes, "archived, and in a gap": self.denied,
        }  # fmt: skip
        found = [f"kam-{self.camera}: {what}: {list(which)[:20]}" for what, which in said.items() if which]
        found += self.lost_at
        if self.disordered:
            found.append(f"kam-{self.camera}: {self.disordered} times out of order")
        if self.unbounded:
            found.append(f"kam-{self.camera}: {self.unbounded} segments are off by more than they state")
        if self.misread:
            found.append(f"kam-{self.camera}: {self.misread} segments show other pictures")
        return found


@dataclass(frozen=True, slots=True)
class Truth:
    """What a camera did: when it took which picture (µs), what it sent to the recorder, and its faults.

    ``zero`` is when the storm began (µs), and ``span`` what is judged. ``late`` is how late a picture left
    its camera (µs): it counts as taken at any time from when it was due until then.
    """

    camera: int
    taken: Mapping[int, int]
    sent: frozenset[int]
    faults: Sequence[Fault]
    zero: int
    span: Timespan
    footage: Mapping[str, Footage]
    late: Mapping[int, int] = field(default_factory=dict)

    def when(self, number: int) -> tuple[int, int]:
        """From when to when a picture may have been taken."""
        return self.taken[number], self.taken[number] + self.late.get(number, 0)


def judge(truth: Truth, pieces: Sequence[Piece], holes: Sequence[Hole]) -> CameraVerdict:
    """Compare what a camera took with what the archive holds of it."""
    verdict = CameraVerdict(truth.camera, holes=holes)
    judged = {number for number, at in truth.taken.items() if truth.span.start <= at < truth.span.end}
    kept = Counter(picture.number for piece in pieces for picture in piece.pictures)
    missing = judged - kept.keys()
    covered = sorted(_within_doubt(hole.span, pieces) for hole in holes)
    shown_by_none = {number for number in missing if not _touches(truth.when(number), covered)}
    paused = sorted(_within_doubt(pause, pieces) for piece in pieces for pause in piece.pauses)
    verdict.lost = sorted(number for number in shown_by_none if not _touches(truth.when(number), paused))
    inner = sorted(_without_doubt(hole.span, pieces) for hole in holes)
    present = judged & kept.keys()
    verdict.denied = sorted(number for number in present if _is_inside(truth.when(number), inner))
    verdict.taken, verdict.archived = len(judged), len(judged & kept.keys())
    verdict.in_gaps = len(missing) - len(shown_by_none)
    verdict.in_pauses = len(shown_by_none) - len(verdict.lost)
    verdict.twice = sorted(number for number, count in kept.items() if count > 1)
    verdict.sent = len(truth.sent & judged)
    verdict.sent_and_missing = len(truth.sent & missing)
    for piece in pieces:
        _look_at(piece, truth, verdict)
    in_order = [
        (piece.pictures[0].number, piece.pictures[-1].number)
        for piece in sorted(pieces, key=lambda piece: piece.span.start)
        if piece.pictures
    ]
    verdict.disordered += sum(before[1] >= after[0] for before, after in pairwise(in_order))
    if verdict.lost:
        verdict.lost_at = [_around(truth, truth.taken[verdict.lost[0]], pieces, holes)]
    verdict.wrong_causes = [hole for hole in holes if not _is_right(hole, truth)]
    verdict.recovery = list(_recovered(truth, holes))
    return verdict


def _look_at(piece: Piece, truth: Truth, verdict: CameraVerdict) -> None:
    for picture in piece.pictures:
        footage = truth.footage.get(picture.letter)
        if picture.camera != truth.camera or footage is None or not picture.is_of(footage):
            verdict.altered.append(picture.number)
    numbers = [picture.number for picture in piece.pictures]
    verdict.disordered += sum(after <= before for before, after in pairwise(numbers))
    if not piece.pictures:
        return
    verdict.mislabelled += piece.is_mislabelled(truth.footage)
    if numbers[0] in truth.taken:
        due, left = truth.when(numbers[0])
        error = max(piece.span.start - left, 0) or min(piece.span.start - due, 0)
        verdict.errors.append(error / SECOND)
        if abs(error) > piece.uncertainty:
            verdict.unbounded += 1


def _within_doubt(span: Timespan, pieces: Sequence[Piece]) -> tuple[int, int]:
    """A gap's span, wider by how uncertain the segments at its edges are."""
    return span.start - _doubt(span.start, pieces), span.end + _doubt(span.end, pieces)


def _without_doubt(span: Timespan, pieces: Sequence[Piece]) -> tuple[int, int]:
    """The same, narrower by as much."""
    return span.start + _doubt(span.start, pieces), span.end - _doubt(span.end, pieces)


def _doubt(at: int, pieces: Sequence[Piece]) -> int:
    beside = [piece for piece in pieces if piece.span.start - 1000 <= at <= piece.span.end + 1000]
    return max([round(EDGE * SECOND), *(piece.uncertainty for piece in beside)])


def _around(truth: Truth, at: int, pieces: Sequence[Piece], holes: Sequence[Hole]) -> str:
    def seconds(moment: int) -> str:
        return f"{(moment - truth.zero) / SECOND:.2f}"

    known = sorted(
        [(piece.span.start, piece.span.end, _told(piece))
         for piece in pieces if piece.pictures]
        + [(hole.span.start, hole.span.end, hole.cause) for hole in holes]
    )  # fmt: skip
    near = [one for one in known if one[0] < at + 15 * SECOND and one[1] > at - 15 * SECOND]
    told = ", ".join(f"{seconds(start)}-{seconds(end)} {what}" for start, end, what in near)
    return f"kam-{truth.camera}: lost at {seconds(at)} s; around it: {told}"


def _told(piece: Piece) -> str:
    first, last = piece.pictures[0].number, piece.pictures[-1].number
    return f"#{first}-{last} ±{piece.uncertainty / SECOND:.2f} s"


def _touches(taken: tuple[int, int], covered: Iterable[tuple[int, int]]) -> bool:
    return any(start <= taken[1] and taken[0] <= end for start, end in covered)


def _is_inside(taken: tuple[int, int], covered: Iterable[tuple[int, int]]) -> bool:
    return any(start <= taken[0] and taken[1] <= end for start, end in covered)


def _is_right(hole: Hole, truth: Truth) -> bool:
    """Whether faults that may have this cause explain the whole gap."""
    start, end = ((at - truth.zero) / SECOND for at in (hole.span.start, hole.span.end))
    explained = start
    for fault in sorted(truth.faults):
        if hole.cause in causes_of(fault, start) and _earliest(fault, truth) <= explained:
            explained = max(explained, fault.end + RECOVERED)
    return explained >= end


def _earliest(fault: Fault, truth: Truth) -> float:
    """When a gap that the fault made may begin."""
    silent = [
        other.start - UNWRITTEN
        for other in truth.faults
        if fault.kind is Trouble.KILL and other.kind in (Mode.FROZEN, Mode.HUNG)
        and fault.start - UNNOTICED <= other.start <= fault.start
    ]  # fmt: skip
    return min([fault.start - NOTICED, *silent])


def _recovered(truth: Truth, holes: Sequence[Hole]) -> Iterator[tuple[str, float]]:
    """Per fault that no other one touches."""
    for fault in truth.faults:
        near = [
            other
            for other in truth.faults
            if other != fault and other.start < fault.end + 20 and other.end > fault.start - 20
            and RIGHT_CAUSES[other.kind]
        ]  # fmt: skip
        ends = [
            (hole.span.end - truth.zero) / SECOND - fault.end
            for hole in holes
            if hole.cause in RIGHT_CAUSES[fault.kind]
            and (hole.span.start - truth.zero) / SECOND < fault.end + 5
            and (hole.span.end - truth.zero) / SECOND > fault.start
        ]
        if not near and ends:
            yield fault.kind.value, max(ends)


def missed(truth: Truth, numbers: Iterable[int]) -> tuple[int, float, int]:
    """Of another recorder: pictures it lacks, the seconds they make, and of these the ones it was sent."""
    judged = {number for number, at in truth.taken.items() if truth.span.start <= at < truth.span.end}
    lacking = judged - set(numbers)
    return len(lacking), len(lacking) / FPS, len(lacking & truth.sent)
