"""Memory of one clip request: the memory Python holds for it, and the growth of the API process."""

import time
from urllib.parse import quote

from archive.timespan import SECOND, format_instant
from ops.bench import apart, processes
from ops.bench.clips import CAMERA, lay_down_camera
from ops.bench.fetching import Fetcher
from ops.bench.figures import Figure, Findings, Table, short
from ops.bench.installation import embedded, serving
from ops.bench.workbench import Workbench

SUBJECT = "memory"
_FIXED, _PER_FRAME = 2 << 20, 16
_MIB = 1 << 20


def limit(frames: int) -> float:
    """The most memory a clip of ``frames`` may take, in MiB."""
    return (_FIXED + _PER_FRAME * frames) / _MIB


def measure(bench: Workbench) -> Findings:
    """Plan and read clips in a bare process, then request them from a fresh API process."""
    began = time.monotonic()
    bench.say("memory: of clip requests")
    made = embedded(bench.scratch("memory"))
    prepared = bench.loop()
    span = lay_down_camera(bench, made, prepared, bench.scale.recorded_seconds)
    held = apart.run(
        made.environ, "clip-memory", camera=CAMERA, start=span.start, seconds=list(bench.scale.clip_seconds)
    )["clips"]
    figures, rows = [], []
    with serving(made) as served:
        fetcher = Fetcher(served.url, served.headers)

        def ask(offset: int, seconds: int) -> None:
            edges = (span.start + offset, span.start + offset + seconds * SECOND)
            start, end = (quote(format_instant(edge)) for edge in edges)
            fetcher.fetch(f"/v1/cameras/{CAMERA}/clip.mp4?from={start}&to={end}&purpose=benchmark")

        for offset in (1, 2, 3):
            ask(offset, bench.scale.clip_seconds[0])
        idle = processes.rss(served.pid)
        for one in held:
            seconds, frames = one["seconds"], one["frames"]
            before = processes.rss(served.pid)
            processes.forget_peak(served.pid)
            ask(4_567, seconds)
            grown = processes.peak_rss(served.pid) - before
            most = limit(frames)
            figures.append(
                Figure(name=f"memory Python holds for a clip of {seconds} s, at most", unit="MiB",
                       ours=one["bytes"] / _MIB, limit=most, rule="≤ 2 MiB + 16 B per frame")
            )  # fmt: skip
            figures.append(
                Figure(name=f"growth of the API process by a clip of {seconds} s, at most", unit="MiB RSS",
                       ours=grown, limit=most, rule="≤ 2 MiB + 16 B per frame")
            )  # fmt: skip
            rows.append((f"{seconds} s", str(frames), short(one["bytes"] / _MIB), short(grown), short(most)))
        fetcher.close()
    return bench.findings(
        SUBJECT,
        "Memory of a clip request",
        seconds=time.monotonic() - began,
        conditions=(
            "From files, one request at a time. What Python holds is the peak that tracemalloc saw from "
            "planning to the last byte. The API process had answered three clips before; its "
            "growth is "
            "the peak of resident memory above the memory before.",
            f"The API process used {idle:.0f} MiB before.",
        ),
        figures=tuple(figures),
        tables=(
            Table("MiB", ("clip", "frames", "held by Python", "growth of the process", "limit"), tuple(rows)),
        ),
    )
