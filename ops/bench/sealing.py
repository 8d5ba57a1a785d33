"""Sealing and verifying packages, beside plain GET, SHA-256 and PUT, and beside hashlib."""

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from archive.timespan import SECOND, Timespan
from ops.bench import apart
from ops.bench.figures import Figure, Findings, Table, short
from ops.bench.installation import Installation, add_camera, embedded, lay_down, on_stores, record_raw
from ops.bench.peers import Boto, copy_plainly, hash_plainly
from ops.bench.workbench import Workbench
from ops.pyz import write as write_pyz

SUBJECT = "sealing"
_CAMERAS = ("cam1", "cam2", "cam3", "cam4")
_ROUNDS = 3
_LONG_ROUNDS = 2
"""Rounds with an hour of each camera: each round leaves the bytes of two packages on the disk."""

_BUCKET = "bench-sealing"
_SEAL_SHARE, _VERIFY_SHARE = 0.7, 0.8
_MOST_MEMORY = 128


def measure(bench: Workbench) -> Findings:
    """Seal four cameras from files and from MinIO, and verify the packages."""
    began = time.monotonic()
    seconds = bench.scale.sealed_seconds
    raw = record_raw(bench.ffmpeg.path, bench.loop(), bench.scratch("sealing-raw"), seconds)
    files = embedded(bench.scratch("sealing-files"))
    stores = bench.stores("sealing-stores")
    minio = on_stores(bench.scratch("sealing-minio"), stores, _BUCKET, index=True)
    boto = Boto(stores.env()["SAKSI_TEST_MINIO_URL"])
    rounds = _LONG_ROUNDS if seconds >= 3600 else 1 if bench.scale.is_brief else _ROUNDS
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    for made, where in ((files, "files"), (minio, "MinIO")):
        bench.say(f"sealing: four cameras × {seconds} s in {where}")
        span, keys = _lay_down(bench, made, raw)
        target = bench.scratch(f"sealing-target-{where}")

        sealed: list[dict[str, Any]] = []
        copied: list[tuple[float, int]] = []
        package = target / "package.zip"
        for _ in range(rounds):
            at = time.perf_counter()
            if made is minio:
                copied_bytes = boto.copy(_BUCKET, keys, f"{_BUCKET}-cache")
            else:
                footage = made.home / "archive" / "footage"
                copied_bytes = copy_plainly((footage / key for key in keys), target)
            copied.append((time.perf_counter() - at, copied_bytes))
            arguments = {"cameras": _CAMERAS, "start": span.start, "end": span.end, "target": str(package)}
            sealed.append(apart.run(made.environ, "seal", **arguments))
        originals = copied[0][1] / 1e6
        best = min(sealed, key=lambda one: one["sealed"]["seconds"])
        took, bare_took = best["sealed"]["seconds"], min(took for took, _ in copied)
        size = package.stat().st_size / 1e6
        bare = bare_took / originals * 1e3
        held_to = made is minio
        figures.append(
            Figure(name=f"seal four cameras × {seconds} s, {where}", unit="s per GB of package",
                   ours=took / size * 1e3, peer=bare, peer_name="bare GET + SHA-256 + PUT",
limit=bare / _SEAL_SHARE if held_to else None,
                   rule=f"≥ {_SEAL_SHARE} × the bare loop" if held_to else "")
        )  # fmt: skip
        figures.append(
            Figure(name=f"memory of sealing, {where}", unit="MiB above idle",
                   ours=max(one["sealed"]["memory"] for one in sealed), limit=_MOST_MEMORY,
                   rule=f"≤ {_MOST_MEMORY} MiB")
        )  # fmt: skip
        rows += [
            _row(f"seal, {where}", took, size, best["sealed"]["cpu"], best["sealed"]["memory"]),
            _row(f"bare GET + SHA-256 + PUT of the originals, {where}", bare_took, originals, None, None),
            _row(f"write the package as a ZIP, {where}", best["zipped"]["seconds"], size,
                 best["zipped"]["cpu"], best["zipped"]["memory"]),
        ]  # fmt: skip
        if where == "files":
            figure, more = _verify(bench, made, package)
            figures.append(figure)
            rows += more
            shutil.rmtree(made.home)
        shutil.rmtree(target)
    return bench.findings(
        SUBJECT,
        "Sealing and verifying",
        seconds=time.monotonic() - began,
        conditions=(
            f"Four cameras × {seconds} s at 2 Mbit/s; the best of {rounds} rounds, the bare loop and "
            "sealing "
            "in turns, each sealing in a fresh process. A package holds the untouched originals and one "
            "exact "
            "clip of each camera, which is about as large again; MB are those of the package for Saksi, "
            "of the "
            "originals for the bare loop.",
            "Sealing looks up every original, hashes it again against its leaf, proves that each clip "
            "consists of the originals, writes the report with its pictures, stores everything under a "
            "COMPLIANCE lock, signs and stamps: the time includes all of it. The bare loop does one object "
            "after the other, without a lock. The comparison with it is per byte stored; the table has it "
            "for the originals alone.",
            "Verifying reads the whole ZIP offline: completeness, every hash, signature, time stamp, "
            "journals, the proof of each original in the log, and each clip against the originals: its "
            "bytes, and the slices of its pictures by either side's own tables. That is three hashes of the "
            "footage, and a comparison, where the peers take two hashes.",
            "Memory is the peak above the memory that the process used before.",
        ),
        figures=tuple(figures),
        tables=(
            Table("Seal and verify", ("work", "s", "MB/s", "MB", "CPU s", "MiB above idle"), tuple(rows)),
        ),
    )


def _lay_down(bench: Workbench, made: Installation, raw: list[Path]) -> tuple[Timespan, list[str]]:
    keys = []
    with made.site() as site:
        start = site.clock.now() - 3600 * SECOND
        spans = []
        for camera in _CAMERAS:
            add_camera(site, camera, "rtsp://192.0.2.1/stream")
            spans.append(lay_down(site, camera, raw, start, bench.scratch(f"lay-{made.home.name}-{camera}")))
            keys += [ref.key for ref in site.index.segments(camera, spans[-1])]
        # Inside the first and last segment, as real requests are.
        return Timespan(start + 1_234_567, min(span.end for span in spans) - 1_234_567), keys


def _verify(bench: Workbench, made: Installation, package: Path) -> tuple[Figure, list[tuple[str, ...]]]:
    trust = made.home / "keys" / "root.pem"
    answers, hashed = [], []
    for _ in range(_ROUNDS):
        answers.append(apart.run(made.environ, "verify", package=str(package), trust=str(trust)))
        at = time.perf_counter()
        size = hash_plainly(package) / 1e6
        hashed.append(time.perf_counter() - at)
    best = min(answers, key=lambda one: one["seconds"])
    if not best["valid"]:
        bench.say(f"sealing: the package is NOT VALID: {best['findings']}")
    figure = Figure(
        name="verify a package, ZIP", unit="s per GB", ours=best["seconds"] / size * 1e3,
        peer=min(hashed) / size * 1e3, peer_name="hashlib over the same ZIP",
        limit=min(hashed) / size * 1e3 / _VERIFY_SHARE, rule=f"≥ {_VERIFY_SHARE} × hashlib",
    )  # fmt: skip
    rows = [
        _row("verify, ZIP", best["seconds"], size, best["cpu"], best["memory"]),
        _row("hashlib.file_digest over the same ZIP", min(hashed), size, None, None),
    ]
    pyz = package.with_name("saksi-verify.pyz")
    write_pyz(pyz)
    alone = [sys.executable, str(pyz), "--trust", str(trust), str(package)]
    rows.append(_row("saksi-verify.pyz, its start too", _timed(alone), size, None, None))
    for command in (["sha256sum"], ["openssl", "dgst", "-sha256"]):
        if shutil.which(command[0]) is not None:
            took = min(_timed([*command, str(package)]) for _ in range(_ROUNDS))
            rows.append(_row(f"{' '.join(command)} of the same ZIP", took, size, None, None))
    return figure, rows


def _timed(command: list[str]) -> float:
    """The seconds that a program takes."""
    at = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - at


def _row(name: str, seconds: float, size: float, cpu: float | None, memory: float | None) -> tuple[str, ...]:
    more = ["–" if value is None else short(value) for value in (cpu, memory)]
    return (name, short(seconds), f"{size / seconds:.0f}", f"{size:.0f}", *more)
