"""Recording: processor time and memory for one hour of one camera, beside FFmpeg and MediaMTX.

All recorders record the same cameras of the bank at the same time, so that other load on the machine, and a
shared processor, affects all of them equally. Their recordings are compared with the loop frame by frame,
because a recorder that drops frames is cheap.
"""

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from archive.errors import Unavailable
from ops.bench import loop, processes
from ops.bench.bank import Bank
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.loop import Continuity, Mark
from ops.bench.machine import BusyTime
from ops.bench.recorders import Ffmpeg, Mediamtx, Recorder, Saksi, Watched
from ops.bench.workbench import Workbench

SUBJECT = "recording"
_MOST = 1.35
_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Window:
    """Per camera-hour: CPU seconds of the recorder, of its first processes alone, and of its stores.

    It also has MiB per camera, processes, and the machine's load in per cent.
    """

    cpu: float
    own: float
    stores: float
    pss: float
    processes: int
    busy: float


@dataclass(frozen=True, slots=True)
class _Reading:
    """CPU seconds so far, as in :class:`Window`, and when they were read."""

    at: float
    cpu: float
    own: float
    stores: float

    @classmethod
    def of(cls, watched: Watched) -> Self:
        """Read them now."""
        return cls(
            time.monotonic(),
            processes.cpu_seconds(watched.recorder),
            processes.own_cpu_seconds(watched.recorder),
            processes.cpu_seconds(watched.stores),
        )


@dataclass(slots=True)
class Series:
    """What was measured of one recorder."""

    windows: list[Window] = field(default_factory=list)
    frames: list[Continuity] = field(default_factory=list)

    def median(self, name: str) -> float:
        """The median over the windows of one of their fields."""
        return Spread.of([getattr(window, name) for window in self.windows]).p50


def measure(bench: Workbench) -> Findings:
    """Let all recorders record the bank at once, and measure them over some windows."""
    began = time.monotonic()
    scale = bench.scale
    prepared = bench.loop()
    marks = loop.marks(bench.ffmpeg, prepared)
    stores = bench.stores("recording-stores")
    city = Saksi("city", "Saksi: MinIO with lock, journal, Elasticsearch", stores)
    recorders: list[Recorder] = [
        Ffmpeg(bench), Mediamtx(bench), city, Saksi("embedded", "Saksi: files, journal, SQLite"),
    ]  # fmt: skip
    server = bench.mediamtx("bank")
    for attempt in range(_ATTEMPTS):
        found = {recorder.name: Series() for recorder in recorders}
        try:
            with Bank(server, bench.ffmpeg, prepared, scale.cameras) as bank:
                _record(bench, bank, recorders, found, marks)
            break
        except Unavailable as error:
            # Other load starved the cameras; that says nothing about the recorders.
            if error.code != "bench_failed" or attempt == _ATTEMPTS - 1:
                raise
            bench.say(f"recording: started again: {error.message}")
    return bench.findings(
        SUBJECT,
        f"Recording {scale.cameras} cameras",
        seconds=time.monotonic() - began,
        conditions=(
            f"{scale.cameras} cameras, 1080p{loop.FPS} H.264 at {loop.BITS_PER_SECOND / 1e6:.0f} Mbit/s, GOP "
            f"{loop.GOP}, RTSP over TCP on the loopback interface, sent by a MediaMTX of their own; segments "
            "of 10 s.",
            f"All recorders record all cameras at once, so that whatever else the machine does meets all "
            "alike; "
            f"{scale.windows} windows of {scale.window_seconds} s after {scale.warm_up} s, medians.",
            "Processor time is that of the recorder's whole process tree; the time that MinIO and "
            "Elasticsearch "
            "take to store is shown beside it and is not part of the comparison.",
            "Saksi finalises, hashes, journals and indexes, and uploads under Object Lock where there is "
            "MinIO. "
            "FFmpeg and MediaMTX only write files.",
            "Memory is PSS: shared memory counts once.",
            "Every recorded frame was compared with the frames sent; the table shows whether any was missed.",
        ),
        figures=_figures(found),
        tables=(_table(recorders, found),),
    )


def _record(
    bench: Workbench,
    bank: Bank,
    recorders: Sequence[Recorder],
    found: dict[str, Series],
    marks: Sequence[tuple[Mark, bool]],
) -> None:
    folders = watch(bench, bank, recorders, found)
    for recorder in recorders:
        bench.say(f"recording: comparing the frames of {recorder.title}")
        found[recorder.name].frames += _frames(bench, bank, recorder, folders[recorder.name], marks)


def watch(
    bench: Workbench, bank: Bank, recorders: Sequence[Recorder], found: dict[str, Series]
) -> dict[str, Path]:
    """Let them record the bank at once; ``found`` gets what each window shows. Returns their folders."""
    scale, cameras = bench.scale, len(bank.names)
    folders = {
        recorder.name: bench.scratch(f"{recorder.name}-{time.monotonic_ns()}") for recorder in recorders
    }
    with ExitStack() as opened:
        watched = {
            recorder.name: opened.enter_context(recorder.running(bank, folders[recorder.name]))
            for recorder in recorders
        }
        time.sleep(scale.warm_up)
        for number in range(scale.windows):
            bench.say(
                f"recording: {len(recorders)} recorders at once, window {number + 1} of {scale.windows}"
            )
            meter = BusyTime()
            before = {name: _Reading.of(one) for name, one in watched.items()}
            time.sleep(scale.window_seconds)
            after = {name: _Reading.of(one) for name, one in watched.items()}
            busy = meter.read()
            bank.check()
            for name, one in watched.items():
                now = processes.cost(one.recorder)
                hours = (after[name].at - before[name].at) / 3600 * cameras
                found[name].windows.append(
                    Window(
                        cpu=(after[name].cpu - before[name].cpu) / hours,
                        own=(after[name].own - before[name].own) / hours,
                        stores=(after[name].stores - before[name].stores) / hours,
                        pss=now.pss / cameras,
                        processes=now.processes,
                        busy=busy,
                    )
                )
    return folders


def _frames(
    bench: Workbench, bank: Bank, recorder: Recorder, folder: Path, marks: Sequence[tuple[Mark, bool]]
) -> list[Continuity]:
    found = []
    for segments in recorder.segments(bank, folder):
        recorded = [mark for segment in segments for mark in loop.marks(bench.ffmpeg, segment)]
        found.append(loop.compare(marks, recorded))
    return found


def _figures(found: dict[str, Series]) -> tuple[Figure, ...]:
    ffmpeg, mediamtx = found["ffmpeg"].median("cpu"), found["mediamtx"].median("cpu")
    figures = []
    for name, how in (("city", "MinIO, Elasticsearch"), ("embedded", "files, SQLite")):
        ours = found[name].median("cpu")
        figures += [
            Figure(name=f"processor time per camera-hour, {how}", unit="CPU s", ours=ours, peer=ffmpeg,
                   peer_name="plain FFmpeg", limit=_MOST * ffmpeg, rule="≤ 1.35 × plain FFmpeg"),
            Figure(name=f"processor time per camera-hour, {how}", unit="CPU s", ours=ours, peer=mediamtx,
                   peer_name="MediaMTX", limit=mediamtx, rule="≤ MediaMTX"),
            Figure(name=f"memory per camera, {how}", unit="MiB PSS", ours=found[name].median("pss"),
                   peer=found["ffmpeg"].median("pss"), peer_name="plain FFmpeg"),
        ]  # fmt: skip
    return tuple(figures)


def _table(recorders: Sequence[Recorder], found: dict[str, Series]) -> Table:
    rows = []
    for recorder in recorders:
        series = found[recorder.name]
        unsound = sum(not one.sound for one in series.frames)
        frames = sum(one.frames for one in series.frames)
        rows.append(
            (
                recorder.title,
                short(series.median("cpu")),
                short(series.median("own")) if isinstance(recorder, Saksi) else "–",
                " ".join(short(window.cpu) for window in series.windows),
                short(series.median("stores")) if series.median("stores") else "–",
                short(series.median("pss")),
                f"{series.median('processes'):.0f}",
                f"{frames}, none missed" if not unsound else f"{frames}, missed in {unsound} recordings",
                f"{series.median('busy'):.0f} %",
            )
        )
    return Table(
        "Per camera-hour",
        ("recorder", "CPU s", "without its FFmpegs", "each window", "CPU s of the stores",
         "MiB PSS per camera", "processes", "frames", "machine busy"),
        tuple(rows),
    )  # fmt: skip
