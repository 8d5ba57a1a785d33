"""Originals, gaps and destructions as stated, held against the lines that recorders signed.

What a package must say about a camera's span follows from its originals and from the recorders' lines in its
batches. This module works it out and reports what differs. docs/reference/verification.md, *Accord*, has the
rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from archive.evidence.verifier import spans, times
from archive.evidence.verifier.spans import Span

Part = dict[str, Any]
Report = Callable[[str, str], None]
"""Gets a finding's code and its details."""

COMPUTED = ("disposed", "not_yet", "not_registered", "unknown", "pending")
"""Causes that no recorder states."""
_UPLOAD = 60 * times.MINUTE
_SET_ASIDE = "set_aside"
_ABSENT = (_SET_ASIDE, "upload_lost")
"""Causes of a gap that a recorder signs in the place of one segment."""


class Line(NamedTuple):
    """What a recorder's line in an accepted batch says, as far as it is needed here.

    ``kind`` is ``segment``, ``run`` or ``gap``; ``name`` is the run's or the gap's. A segment has ``seq`` and
    ``key``, a gap has ``cause``.
    """

    kind: str
    camera: str
    recorder: str
    span: Span
    name: str
    seq: int
    key: str
    cause: str


def line_of(kind: str, fields: Part) -> Line:
    """From a recorder's line in its required form."""
    return Line(
        kind,
        fields["camera"],
        fields["recorder"],
        spans.of(fields, "start", "end"),
        fields["gap"] if kind == "gap" else fields["run"],
        fields.get("seq", 0),
        fields.get("key", ""),
        fields.get("cause", ""),
    )


@dataclass(frozen=True)
class Cause:
    """What a stretch must be stated as: one of ``allowed``. ``signed`` if a recorder's line says so."""

    span: Span
    allowed: tuple[str, ...]
    signed: bool


def partition(stated: Part, report: Report) -> bool:
    """Check that originals and gaps partition each camera's span; False where their times cannot be read."""
    try:
        whole = spans.of(stated["span"])
        footage: dict[str, list[Span]] = {camera["id"]: [] for camera in stated["cameras"]}
        gaps: dict[str, list[Span]] = {camera["id"]: [] for camera in stated["cameras"]}
        for parts, into in ((stated["originals"], footage), (stated["gaps"], gaps)):
            for part in parts:
                into[part["camera"]].append(spans.of(part))
    except (ValueError, KeyError) as error:
        report("bad_statement", f"an impossible time or camera: {error}")
        return False
    if len(gaps) != len(stated["cameras"]):
        report("statement_contradicts", "a camera is named twice")
    for camera, found in gaps.items():
        last = whole[0]
        for start, end in sorted(found):
            if start < last or end > whole[1]:
                report("gap_out_of_place", f"{camera}: {spans.show((start, end))}")
            last = max(last, end)
        for span in spans.both(found, footage[camera]):
            report("gap_over_footage", f"{camera}: {spans.show(span)}")
        for span in spans.without([whole], [*found, *footage[camera]]):
            report("unexplained_stretch", f"{camera}: {spans.show(span)}")
    return True


def check(stated: Part, lines: Iterable[Line], report: Report) -> None:
    """Compare a statement whose times can be read with recorders' lines about its cameras."""
    of_camera: dict[str, list[Line]] = {camera["id"]: [] for camera in stated["cameras"]}
    for line in lines:
        if line.camera in of_camera:
            of_camera[line.camera].append(line)
    superseded: list[Part] = []
    for camera in stated["cameras"]:
        one = _Camera(stated, camera, of_camera[camera["id"]], report)
        one.check()
        superseded += one.superseded()
    if _sorted(superseded) != _sorted(stated.get("superseded", ())):
        report("superseded_differs", f"{len(superseded)} follow from the recorders' lines")


class _Camera:
    """One camera of a package."""

    def __init__(self, stated: Part, camera: Part, lines: list[Line], report: Report) -> None:
        self.id: str = camera["id"]
        self.report = report
        self.whole = spans.of(stated["span"])
        self.registered = times.parse(camera["registered_at"])
        self.prepared = times.parse(stated["prepared_at"])
        self.originals = [part for part in stated["originals"] if part["camera"] == self.id]
        self.footage = spans.union(spans.of(part) for part in self.originals)
        self.gaps = [(spans.of(part), part["cause"]) for part in stated["gaps"] if part["camera"] == self.id]
        self.destroyed = spans.union(spans.of(part) for part in stated.get("dispositions", ()))
        self.lines = lines
        self.records = _newest(line for line in lines if line.kind == "gap")
        self.absent = {line.name for line in self.records}

    def check(self) -> None:
        self._check_left_out()
        self._check_runs()
        self._check_unexplained()
        causes = sorted(self._causes(), key=lambda cause: cause.span)
        gaps = sorted(self.gaps)
        for gap, cause, stretch in spans.meeting([one[0] for one in gaps], [one.span for one in causes]):
            if gaps[gap][1] not in causes[cause].allowed:
                self._differs(gaps[gap][1], causes[cause], stretch)

    def superseded(self) -> Iterator[Part]:
        """Each signed gap's stretches under footage, as the statement must name them."""
        for line in self.records:
            for start, end in spans.both(spans.both([line.span], [self.whole]), self.footage):
                yield {
                    "camera": self.id,
                    "cause": line.cause,
                    "from": times.show(start),
                    "to": times.show(end),
                }

    def _check_left_out(self) -> None:
        """Each segment that a recorder signed is an original, was destroyed, or was never kept."""
        there = {part["key"] for part in self.originals}
        accounted = [*self.footage, *(span for span, said in self.gaps if said == "disposed")]
        accounted += [line.span for line in self.records]
        for line in self.lines:
            if line.kind != "segment" or line.key in there:
                continue
            inside = spans.both([line.span], [self.whole])
            if not spans.without(inside, spans.both(accounted, self.destroyed)):
                continue
            # A segment with a line was stored, or set aside: only before its line can it have been lost.
            if _place(_SET_ASIDE, line.name, line.seq) in self.absent:
                continue
            there.add(line.key)
            self.report("original_left_out", line.key)

    def _check_runs(self) -> None:
        """Inside a run no number is missing, except those that a recorder or a destruction accounts for."""
        runs: dict[str, dict[int, Span]] = {}
        for part in self.originals:
            runs.setdefault(part["run"], {})[part["seq"]] = spans.of(part)
        accounted = [*self.destroyed, *(span for span, said in self.gaps if said in _ABSENT)]
        for run, found in sorted(runs.items()):
            numbers = sorted(found)
            for before, after in zip(numbers, numbers[1:]):
                missing = (n for n in range(before + 1, after) if not self._is_absent(run, n))
                number = next(missing, None)
                if number is None:
                    continue
                between = found[before][1], found[after][0]
                if between[0] >= between[1] or spans.without([between], accounted):
                    self.report("run_incomplete", f"{self.id}: number {number} of run {run}")

    def _is_absent(self, run: str, number: int) -> bool:
        return any(_place(cause, run, number) in self.absent for cause in _ABSENT)

    def _causes(self) -> Iterator[Cause]:
        """What each stretch without footage must be stated as."""
        left = spans.without([self.whole], self.footage)
        signed: list[tuple[Span, str]] = []
        until = 0
        for line in self.records:  # the one that began first keeps what two of them share
            start, end = max(line.span[0], until), line.span[1]
            if start < end:
                signed.append(((start, end), line.cause))
                until = end
        owned = [span for span, _ in signed]
        for _, number, span in spans.meeting(left, owned):
            yield Cause(span, (signed[number][1],), True)
        left = spans.without(left, owned)
        disposed = spans.both((span for span, said in self.gaps if said == "disposed"), left)
        for span in spans.without(disposed, self.destroyed):
            yield Cause(span, tuple(one for one in COMPUTED if one != "disposed"), False)
        left = spans.without(left, disposed)
        for span, cause in (
            ((self.prepared, self.whole[1]), "not_yet"),
            ((self.whole[0], self.registered), "not_registered"),
        ):
            for stretch in spans.both(left, [span]):
                yield Cause(stretch, (cause,), False)
            left = spans.without(left, [span])
        known = max((line.span[1] for line in self.lines), default=self.registered)
        for span in spans.both(left, [(self.whole[0], known)]):
            yield Cause(span, ("unknown",), False)
        for span in spans.without(left, [(self.whole[0], known)]):
            yield Cause(span, ("unknown", "pending"), False)

    def _check_unexplained(self) -> None:
        """A gap whose cause no record states, for longer than a recorder needs to upload one."""
        for span, said in self.gaps:
            if said == "unknown" or (said == "pending" and self.prepared - span[0] > _UPLOAD):
                self.report("gap_not_signed", f"{self.id}: {spans.show(span)}: {said}")

    def _differs(self, said: str, cause: Cause, stretch: Span) -> None:
        words = f"{self.id}: {spans.show(stretch)}: {said}, not {' or '.join(cause.allowed)}"
        if cause.signed:
            self.report("gap_left_out" if said in COMPUTED else "gap_cause_differs", words)
        else:
            self.report("gap_impossible" if said in COMPUTED else "gap_not_signed", words)


def _newest(lines: Iterable[Line]) -> list[Line]:
    """Of each gap the line with the latest end, by start and id."""
    found: dict[str, Line] = {}
    for line in lines:
        known = found.get(line.name)
        if known is None or line.span[1] > known.span[1]:
            found[line.name] = line
    return sorted(found.values(), key=lambda line: (line.span[0], line.name))


def _place(cause: str, run: str, number: int) -> str:
    """The id of the gap that a recorder signs in the place of a segment."""
    return hashlib.sha256(f"{cause}|{run}|{number}".encode("ascii")).hexdigest()[:16]


def _sorted(parts: Iterable[Part]) -> list[tuple[tuple[str, str], ...]]:
    return sorted(tuple(sorted(part.items())) for part in parts)
