"""The report of a storm: what happened, what the archive holds of it, and a timeline of every camera."""

import math
import statistics
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from archive.timespan import SECOND
from ops.bench import machine
from recorder.binary import find_ffmpeg
from tests.support.storm import Sample, Storm
from tests.support.storm_camera import FPS, Mode
from tests.support.storm_plan import Trouble
from tests.support.storm_verdict import CameraVerdict, Hole

_LEFT, _ROW, _WIDE = 70, 20, 1100
_FAULTS = {
    Mode.CUT: "#d62728", Mode.FROZEN: "#1f77b4", Mode.HUNG: "#17becf", Mode.PASSWORD: "#9467bd",
    Mode.CHANGED: "#2ca02c",
}  # fmt: skip
_TROUBLES = {Trouble.STORE: "#ffe9b3", Trouble.INDEX: "#dde8c8", Trouble.DISK: "#f5c6c6"}


def write(page: Path, storm: Storm, verdicts: Sequence[CameraVerdict], seed: int) -> None:
    """Write the report, and its timeline beside it."""
    timeline = page.with_suffix(".svg")
    timeline.write_text(_timeline(storm, verdicts), "utf-8")
    page.write_text(_page(storm, verdicts, seed, timeline.name), "utf-8")


def slope(samples: Iterable[tuple[float, float]]) -> float:
    """The slope of the line that fits best, in units per hour."""
    points = list(samples)
    if len(points) < 3:
        return 0.0
    return statistics.linear_regression(*zip(*points, strict=True)).slope * 3600


def _page(storm: Storm, verdicts: Sequence[CameraVerdict], seed: int, timeline: str) -> str:
    plan, facts = storm.plan, machine.facts(find_ffmpeg())
    peer = [storm.peer_missed(camera) for camera in storm.fleet.cameras]
    lost_by_peer = sum(frames for frames, _, _ in peer)
    missing = sum(one.taken - one.archived for one in verdicts)
    errors = sorted(abs(error) for one in verdicts for error in one.errors)
    lines = [
        "# A storm over sixteen cameras"
        if len(verdicts) == 16
        else f"# A storm over {len(verdicts)} cameras",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {facts['processor']}, {facts['memory']}, {facts['system']}, FFmpeg"
        f" {facts['ffmpeg']}, MediaMTX v1.14.0. The command is the report's source:"
        f" `make soak-storm`, here with seed {seed}, {plan.seconds:.0f} s, {len(verdicts)} cameras.",
        "",
        "Each camera takes 15 pictures a second (1080p, H.264 at 2 Mbit/s, a keyframe every 2 s), "
        "numbered in the stream, and "
        "fails as the plan says: cut off, frozen, hung, refusing its password, or with another picture "
        "(720p, in the same "
        "connection). A picture that is taken while nobody can be sent it has a number too. `saksi "
        "record` records into a MinIO and an "
        "Elasticsearch of their own, with the times of a city; the spool is on a tmpfs of 3 GiB. "
        "MediaMTX records the same "
        "cameras; it is killed and started in the same moments as the recorder, and is spared the full disk.",
        "",
        "| what befell | times |",
        "| --- | --- |",
        *(
            f"| {kind.value} | {_times(storm, kind)} |"
            for kind in (*Mode, *Trouble)
            if any(fault.kind is kind for fault in plan.faults)
        ),
        "",
        "## Pictures",
        "",
        "| | Saksi | MediaMTX |",
        "| --- | --- | --- |",
        f"| pictures taken | {sum(one.taken for one in verdicts):,} | the same |",
        f"| kept | {sum(one.archived for one in verdicts):,} | "
        f"{sum(one.taken for one in verdicts) - lost_by_peer:,} |",
        f"| not kept | {missing:,} | {lost_by_peer:,} |",
        f"| seconds missed | {missing / FPS:,.1f} | {sum(seconds for _, seconds, _ in peer):,.1f} |",
        f"| written to its connection and not kept | {sum(one.sent_and_missing for one in verdicts):,} |"
        f" {sum(sent for _, _, sent in peer):,} |",
        f"| not kept, and in no gap, but in a stated pause | {sum(one.in_pauses for one in verdicts):,} "
        "| it states no pauses |",
        "| not kept, and in no gap or stated pause | "
        f"{sum(len(one.lost) for one in verdicts):,} | it states no gaps |",
        f"| kept twice | {sum(len(one.twice) for one in verdicts):,} | {_twice(storm):,} |",
        f"| bytes of a picture altered | {sum(len(one.altered) for one in verdicts):,} | – |",
        f"| gaps with a cause that no fault explains | {sum(len(one.wrong_causes) for one in verdicts):,} "
        "| – |",
        "| segments whose header announces another width than some of its pictures have | "
        f"{sum(one.mislabelled for one in verdicts):,} | – |",
        "",
        f"Of {sum(one.decoded for one in verdicts)} segments that FFmpeg decoded, those with such headers "
        "among them, "
        f"{sum(one.decoded - one.misread for one in verdicts)} show the barcodes of exactly the pictures "
        "sent.",
        "",
        "The start of each segment against the moment when its first picture was taken: "
        f"{len(errors):,} segments, off by {_ms(errors, 0.5)} ms (median), {_ms(errors, 0.99)} ms (p99), "
        f"{_ms(errors, 1)} ms (most); the stated uncertainty does not cover "
        f"{sum(one.unbounded for one in verdicts)}. Other work kept the machine busy: a picture left "
        f"its camera {max(camera.latest for camera in storm.fleet.cameras):.2f} s late at most, and "
        "counts from when it was due.",
        "",
        "## Back after a fault",
        "",
        "From the end of a fault, which no other one touches, to the end of its gap, in seconds; a "
        "keyframe comes every 2 s.",
        "",
        "| fault | counted | median | most |",
        "| --- | --- | --- | --- |",
        *_recoveries(verdicts),
        "",
        "## Memory",
        "",
        _memory(storm),
        "",
        f"![Faults and gaps of every camera]({timeline})",
        "",
        "Above each line: the camera's faults. Below: the archive's gaps. Bands are servers that were "
        "away and the full disk; upright "
        "lines are kills.",
        "",
    ]
    complaints = [*storm.problems, *(complaint for verdict in verdicts for complaint in verdict.complaints)]
    if complaints:
        lines += ["## Complaints", "", *(f"- {complaint}" for complaint in complaints), ""]
    return "\n".join(lines)


def _times(storm: Storm, kind: Mode | Trouble) -> str:
    faults = [fault for fault in storm.plan.faults if fault.kind is kind]
    if kind is Trouble.KILL:
        return f"{len(faults)}"
    lasted = sum(fault.end - fault.start for fault in faults)
    return f"{len(faults)}, together {lasted:,.0f} s"


def _twice(storm: Storm) -> int:
    found = 0
    for camera in storm.fleet.cameras:
        numbers = storm.peer.numbers(camera.name)
        found += len(numbers) - len(set(numbers))
    return found


def _ms(errors: Sequence[float], share: float) -> str:
    if not errors:
        return "–"
    return f"{errors[min(len(errors) - 1, math.ceil(share * len(errors)) - 1)] * 1000:.0f}"


def _recoveries(verdicts: Sequence[CameraVerdict]) -> list[str]:
    found: dict[str, list[float]] = {}
    for verdict in verdicts:
        for kind, seconds in verdict.recovery:
            found.setdefault(kind, []).append(seconds)
    return [
        f"| {kind} | {len(took)} | {statistics.median(took):.1f} | {max(took):.1f} |"
        for kind, took in sorted(found.items())
    ]


def _memory(storm: Storm) -> str:
    settled = storm.settled()
    if not settled:
        return "The storm was too short to say anything about memory."

    def said(samples: Sequence[Sample], of: str) -> str:
        values = [getattr(sample, of) for sample in samples]
        rises = slope((sample.at, getattr(sample, of)) for sample in samples)
        return (
            f"{statistics.mean(values):.0f} MiB ({min(values):.0f} to {max(values):.0f}), slope "
            f"{rises:+.1f} MiB an hour"
        )

    span = f"{(settled[-1].at - settled[0].at) / 60:.0f} minutes"
    return (
        "PSS of the recorder with all its FFmpegs, in its last life from a minute after its start on "
        f"({span}, "
        f"{len(settled)} samples): {said(settled, 'ours')}. Cameras that fail end their FFmpegs, so this "
        f"goes up and down with them. Its own process alone, private memory: {said(settled, 'own')}. "
        "MediaMTX in the same time: "
        f"{said(settled, 'peer')}. "
        f"Over the whole storm the recorder took {max(sample.ours for sample in storm.samples):.0f} MiB "
        "at most."
    )


def _timeline(storm: Storm, verdicts: Sequence[CameraVerdict]) -> str:
    scale = _WIDE / storm.plan.seconds
    height = _ROW * (len(verdicts) + 2)

    def x(at: float) -> float:
        return _LEFT + min(max(at, 0), storm.plan.seconds) * scale

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDE + 10} {height + 30}" role="img"'
        ' font-family="sans-serif" font-size="11">',
        "<title>Faults and gaps of every camera</title>",
        f'<rect width="{_LEFT + _WIDE + 10}" height="{height + 30}" fill="#fff"/>',
    ]

    def bar(start: float, end: float, top: float, tall: float, colour: str, title: str) -> None:
        parts.append(
            f'<rect x="{x(start):.1f}" y="{top:.1f}" width="{max(0.8, x(end) - x(start)):.1f}"'
            f' height="{tall}" fill="{colour}"><title>{title}</title></rect>'
        )

    for fault in storm.plan.faults:
        if isinstance(fault.kind, Trouble) and fault.kind in _TROUBLES:
            bar(fault.start, fault.end, _ROW, height - 2 * _ROW, _TROUBLES[fault.kind], fault.kind.value)
            parts.append(f'<text x="{x(fault.start):.1f}" y="14">{fault.kind.value}</text>')
    for fault in storm.plan.faults:
        if fault.kind is Trouble.KILL:
            bar(fault.start, fault.start, _ROW, height - 2 * _ROW, "#000", "recorder killed")
    for row, verdict in enumerate(verdicts):
        top = _ROW * (row + 1)
        parts.append(f'<text x="4" y="{top + 13}">kam-{verdict.camera}</text>')
        for fault in storm.plan.of(verdict.camera):
            if isinstance(fault.kind, Mode):
                bar(fault.start, fault.end, top + 3, 6, _FAULTS[fault.kind], fault.kind.value)
        for hole in verdict.holes:
            start, end = _seconds(hole, storm.zero)
            bar(start, end, top + 11, 5, "#555", hole.cause)
    for minute in range(0, int(storm.plan.seconds / 60) + 1, 5):
        parts.append(f'<text x="{x(minute * 60):.1f}" y="{height + 2}">{minute} min</text>')
    at = float(_LEFT)
    for kind, colour in (*_FAULTS.items(), ("gap in the archive", "#555")):
        parts.append(f'<rect x="{at}" y="{height + 12}" width="10" height="8" fill="{colour}"/>')
        parts.append(f'<text x="{at + 14}" y="{height + 20}">{kind}</text>')
        at += 150
    return "\n".join([*parts, "</svg>", ""])


def _seconds(hole: Hole, zero: int) -> tuple[float, float]:
    return (hole.span.start - zero) / SECOND, (hole.span.end - zero) / SECOND
