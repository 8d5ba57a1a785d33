"""Finalising: how long the recorder's worker takes for one closed segment."""

import hashlib
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from archive.footage.mp4.finalise import finalise
from archive.footage.mp4.fragments import Fragmented, read_fragments
from archive.footage.mp4.header import parse_header, write_header
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.installation import record_raw
from ops.bench.workbench import Workbench

SUBJECT = "finalise"
_SEGMENTS = 18
_ROUNDS = 4
_LIMIT_MS = 3.0
_READ, _PARSED, _BUILT = "read", "parse the fragments", "build the header and read it back"
_HASHED, _WRITTEN = "SHA-256", "the same bytes written and synced alone"


def measure(bench: Workbench) -> Findings:
    """Finalise the segments of the loop repeatedly, and time the whole and its parts."""
    began = time.monotonic()
    folder = bench.scratch("finalise")
    raw = record_raw(bench.ffmpeg.path, bench.loop(), folder, 10 * _SEGMENTS)
    sources = [path for path in raw if path.stat().st_size > 1_000_000]
    target = folder / "target.mp4"
    bench.say(f"finalise: {len(sources)} segments × {_ROUNDS}")
    whole = [_rewritten(source, target) for source in sources * _ROUNDS]
    memory = Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 (not on disk)
    quiet = []
    if memory is not None:
        quick = memory / f"saksi-bench-{os.getpid()}.mp4"
        try:
            quiet = [_rewritten(source, quick) for source in sources * _ROUNDS]
        finally:
            quick.unlink(missing_ok=True)
    parts = _parts(sources, folder)
    wall, cpu = Spread.of([w for w, _ in whole]), Spread.of([c for _, c in whole])
    in_memory = Spread.of([w for w, _ in quiet]) if quiet else None
    rows = [("finalise, all of it", wall), ("of that, CPU", cpu), *parts.items()]
    if in_memory is not None:
        rows.insert(2, ("finalise into memory: no disk to wait for", in_memory))
    name = "finalise a 10 s segment"
    figures = [
        Figure(name=f"{name}: processor time, p50", unit="ms", ours=cpu.p50, limit=_LIMIT_MS, rule="≤ 3 ms"),
        Figure(name=f"{name}: wall time with two syncs to disk, p50", unit="ms", ours=wall.p50,
               peer=parts[_WRITTEN].p50, peer_name="write + fsync alone"),
    ]  # fmt: skip
    if in_memory is not None:
        figures.insert(
            1,
            Figure(name=f"{name}: wall time without the disk, p50", unit="ms", ours=in_memory.p50,
                   limit=_LIMIT_MS, rule="≤ 3 ms"),
        )  # fmt: skip
    size = sum(path.stat().st_size for path in sources) / len(sources) / 1e6
    return bench.findings(
        SUBJECT,
        "Finalising a segment",
        seconds=time.monotonic() - began,
        conditions=(
            f"{len(sources)} different segments of 10 s, 150 frames and {size:.1f} MB, as FFmpeg leaves "
            "them, "
            f"{_ROUNDS} times each; in the page cache.",
            "Finalising reads the fragments, builds one header, writes and hashes the segment, and syncs "
            "file "
            "and folder. Parts are measured one by one and do not add up to the whole exactly.",
        ),
        figures=tuple(figures),
        tables=(
            Table(
                "Milliseconds per segment",
                ("step", "p50", "p95"),
                tuple((name, short(one.p50), short(one.p95)) for name, one in rows),
            ),
        ),
    )


def _rewritten(source: Path, target: Path) -> tuple[float, float]:
    """Wall and processor time in ms; the target does not exist beforehand, as in normal operation."""
    target.unlink(missing_ok=True)
    return _timed(lambda: finalise(source, target, tfdt=0))


def _timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time in ms."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3


def _parts(sources: list[Path], folder: Path) -> dict[str, Spread]:
    found: dict[str, list[float]] = {name: [] for name in (_READ, _PARSED, _BUILT, _HASHED, _WRITTEN)}
    plain = folder / "plain.mp4"
    for source in sources * _ROUNDS:
        content = memoryview(source.read_bytes())
        parsed = read_fragments(content)
        works: dict[str, Callable[[], object]] = {
            _READ: source.read_bytes,
            _PARSED: partial(read_fragments, content),
            _BUILT: partial(_header, parsed),
            _HASHED: partial(hashlib.sha256, content),
            _WRITTEN: partial(write_and_sync, plain, content),
        }
        for name, work in works.items():
            plain.unlink(missing_ok=True)
            found[name].append(_timed(work)[0])
    return {name: Spread.of(samples) for name, samples in found.items()}


def _header(parsed: Fragmented) -> None:
    parse_header(write_header(parsed.track, 0, parsed.samples))


def write_and_sync(path: Path, content: memoryview) -> None:
    """The same bytes, written and synced alone."""
    with path.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
