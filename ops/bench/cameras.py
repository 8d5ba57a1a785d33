"""Recording at 1, 4, 16 and 32 cameras: the cost of each, the least that parts can cost, and a projection."""

import hashlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from ops.bench import loop
from ops.bench.bank import Bank
from ops.bench.figures import Figure, Findings, Spread, Table, short
from ops.bench.finalise import write_and_sync
from ops.bench.installation import record_raw
from ops.bench.recorders import Ffmpeg, Recorder, Saksi
from ops.bench.recording import Series, watch
from ops.bench.workbench import Workbench

SUBJECT = "cameras"
_COUNTS, _FEW = (1, 4, 16, 32), (1, 2)
_JUDGED = (16, 32)
_MOST, _MOST_PSS = 1.35, 20.0
_SEGMENT_S = 10
_ROUNDS = 20
_CITIES = (1_000, 10_000)
_HOST_CORES, _HOST_SHARE = 16, 0.5
"""A recorder's host in the projection: so many cores, of which recording may take so much."""


def measure(bench: Workbench) -> Findings:
    """Let plain FFmpeg and Saksi record 1, 4, 16 and 32 cameras at once, over MinIO and Elasticsearch."""
    began = time.monotonic()
    prepared = bench.loop()
    stores = bench.stores("cameras-stores")
    server = bench.mediamtx("cameras")
    found: dict[int, dict[str, Series]] = {}
    for count in _FEW if bench.scale.is_brief else _COUNTS:
        bench.say(f"cameras: {count}")
        recorders: list[Recorder] = [Ffmpeg(bench), Saksi(f"city-{count}", "Saksi", stores)]
        series = {recorder.name: Series() for recorder in recorders}
        with Bank(server, bench.ffmpeg, prepared, count) as bank:
            watch(bench, bank, recorders, series)
        found[count] = {"plain": series[recorders[0].name], "ours": series[recorders[1].name]}
    floors = _floors(bench, prepared)
    most = found[max(found)]
    return bench.findings(
        SUBJECT,
        "Recording 1 to 32 cameras",
        seconds=time.monotonic() - began,
        conditions=(
            f"Cameras as in the recording of 16 (1080p{loop.FPS}, {loop.BITS_PER_SECOND / 1e6:.0f} Mbit/s, "
            f"RTSP over TCP), into MinIO and Elasticsearch, segments of {_SEGMENT_S} s; plain FFmpeg records "
            "the same cameras beside it.",
            f"{bench.scale.windows} windows of {bench.scale.window_seconds} s for each number, medians. "
            "Processor time and PSS count the recorder's whole process tree, FFmpeg included.",
            "The least that a part costs is that part alone, once for each segment, in one thread.",
            f"The projection multiplies what {max(found)} cameras cost. A host has {_HOST_CORES} such cores, "
            f"of which recording takes {_HOST_SHARE:.0%}.",
        ),
        figures=_figures(found),
        tables=(_costs(found), _least(floors, most), _projection(most["ours"])),
    )


def _figures(found: Mapping[int, Mapping[str, Series]]) -> tuple[Figure, ...]:
    figures = []
    for count, series in found.items():
        ours, plain = series["ours"], series["plain"]
        is_judged = count in _JUDGED
        cpu = plain.median("cpu")
        figures += [
            Figure(name=f"{count} cameras: processor time per camera-hour", unit="CPU s",
                   ours=ours.median("cpu"), peer=cpu, peer_name="plain FFmpeg",
                   limit=_MOST * cpu if is_judged else None,
                   rule="≤ 1.35 × plain FFmpeg" if is_judged else ""),
            Figure(name=f"{count} cameras: memory per camera", unit="MiB PSS", ours=ours.median("pss"),
                   peer=plain.median("pss"), peer_name="plain FFmpeg", limit=_MOST_PSS if is_judged else None,
                   rule="≤ 20 MiB" if is_judged else ""),
        ]  # fmt: skip
    return tuple(figures)


def _costs(found: Mapping[int, Mapping[str, Series]]) -> Table:
    rows = [
        (
            str(count),
            short(series["plain"].median("cpu")),
            short(series["ours"].median("cpu") - series["ours"].median("own")),
            short(series["ours"].median("own")),
            short(series["ours"].median("stores")),
            short(series["ours"].median("pss")),
            f"{series['ours'].median('busy'):.0f} %",
        )
        for count, series in found.items()
    ]
    return Table(
        "CPU s per camera-hour",
        ("cameras", "plain FFmpeg", "our FFmpegs", "our own process", "the stores", "MiB PSS per camera",
         "machine busy"),
        tuple(rows),
    )  # fmt: skip


def _floors(bench: Workbench, prepared: Path) -> dict[str, float]:
    """Milliseconds of processor time that each part takes for one segment if it is all that is done."""
    folder = bench.scratch("cameras-floors")
    raw = record_raw(bench.ffmpeg.path, prepared, folder, 4 * _SEGMENT_S)
    source = max(raw, key=lambda path: path.stat().st_size)
    content = source.read_bytes()
    target, other = folder / "target", folder / "other"
    with _swallower() as line:
        works: dict[str, Callable[[], object]] = {
            "read what FFmpeg wrote": source.read_bytes,
            "SHA-256": partial(hashlib.sha256, content),
            "write and sync the segment": partial(write_and_sync, target, memoryview(content)),
            "read it for the store": source.read_bytes,
            "send it through a socket": partial(line.sendall, content),
            "remove both files": partial(_remove, target, other),
        }
        found: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(_ROUNDS):
            other.write_bytes(content)
            for name, work in works.items():
                before = time.thread_time()
                work()
                found[name].append(1000 * (time.thread_time() - before))
    return {name: Spread.of(samples).p50 for name, samples in found.items()}


@contextmanager
def _swallower() -> Iterator[socket.socket]:
    """A TCP connection on this machine whose other end reads everything and keeps nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with socket.create_connection(listening.getsockname()) as line:
            other, _ = listening.accept()
            reading = threading.Thread(target=_swallow, args=(other,))
            reading.start()
            yield line
        reading.join()


def _swallow(line: socket.socket) -> None:
    into = bytearray(1 << 20)
    with line:
        while line.recv_into(into):
            pass


def _remove(*paths: Path) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            os.unlink(path)


def _least(floors: Mapping[str, float], most: Mapping[str, Series]) -> Table:
    per_hour = 3600 / _SEGMENT_S / 1000
    rows = [(name, short(ms), short(ms * per_hour)) for name, ms in floors.items()]
    whole = sum(floors.values())
    rows.append(("together", short(whole), short(whole * per_hour)))
    own = most["ours"].median("own")
    rows.append(("our own process, for comparison", short(own / per_hour), short(own)))
    return Table(
        "The least that parts cost", ("part", "ms per segment", "CPU s per camera-hour"), tuple(rows)
    )


def _projection(ours: Series) -> Table:
    """What cities take at this cost, on processors like these."""
    bits = loop.BITS_PER_SECOND
    rows: list[tuple[str, ...]] = []
    columns = [
        _city(count, ours.median("cpu"), ours.median("stores"), ours.median("pss"), bits) for count in _CITIES
    ]
    for name in columns[0]:
        rows.append((name, *(column[name] for column in columns)))
    return Table("Projection", ("", *(f"{count:,} cameras" for count in _CITIES)), tuple(rows))


def _city(count: int, cpu: float, stores: float, pss: float, bits: int) -> dict[str, str]:
    cores = count * cpu / 3600
    hosts = max(1, -(-int(cores * 100) // int(_HOST_CORES * _HOST_SHARE * 100)))
    return {
        "cores that record": f"{cores:.1f}",
        f"hosts of {_HOST_CORES} cores at {_HOST_SHARE:.0%}": f"{hosts} and one to spare",
        "memory of recorders, GiB": f"{count * pss / 1024:.0f}",
        "network into recorders, and on to the store, Gbit/s each": f"{count * bits / 1e9:.1f}",
        "objects, leaves and index entries per second": f"{count / _SEGMENT_S:,.0f}",
        "cores of MinIO and Elasticsearch, one copy each": f"{count * stores / 3600:.1f}",
        "stored in a day, TB": f"{count * bits / 8 * 86400 / 1e12:.1f}",
        "stored in 30 days, TB": f"{count * bits / 8 * 86400 * 30 / 1e12:,.0f}",
    }
