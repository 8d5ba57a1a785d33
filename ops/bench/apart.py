"""Runs a job in a separate process, so that its memory and processor time can be measured alone.

``python -m ops.bench.apart JOB ARGUMENTS`` does one job in the installation that the environment names, and
prints one JSON object. :func:`run` starts it and reads that object.
"""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from archive.clock import SystemClock
from archive.errors import Unavailable
from archive.evidence.verification import verify
from archive.evidence.zipped import write_zip
from archive.footage import reader
from archive.footage.clip.exact import Clip, plan_clip
from archive.timespan import SECOND, Timespan
from archive.trust.judge import load_trust
from ops.bench import processes
from ops.evidence import Evidence
from ops.settings import Settings
from ops.wiring import Site, build_facts


def run(environ: Mapping[str, str], job: str, **arguments: Any) -> dict[str, Any]:
    """Run a job in another process, and return its result. Raises Unavailable ``bench_failed``."""
    argv = [sys.executable, "-m", "ops.bench.apart", job, json.dumps(arguments)]
    done = subprocess.run(argv, env=dict(environ), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"{job} failed: {done.stderr[-2000:]}", code="bench_failed")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _measured(work: Callable[[], object]) -> dict[str, Any]:
    """Seconds, CPU seconds, and the peak memory above the memory before the work, in MiB."""
    pid = os.getpid()
    processes.forget_peak(pid)
    before, cpu, at = processes.rss(pid), time.process_time(), time.perf_counter()
    work()
    took = time.perf_counter() - at
    return {
        "seconds": took,
        "cpu": time.process_time() - cpu,
        "memory": processes.peak_rss(pid) - before,
        "before": before,
    }


def _seal(cameras: list[str], start: int, end: int, target: str) -> dict[str, Any]:
    """Seal a package, then write it as a ZIP."""
    with Site(Settings.load()) as site:
        evidence = Evidence(site, build_facts())
        _ = evidence.worker
        record = evidence.request(cameras=cameras, span=Timespan(start, end), case="BENCH", actor="os:bench")
        evidence_id = record.request.evidence_id
        sealed = _measured(lambda: evidence.seal_now(evidence_id, lambda _done, _total: None))
        zipped = _measured(lambda: write_zip(site.stores.records, evidence_id, Path(target)))
        return {"sealed": sealed, "zipped": zipped, "evidence_id": evidence_id}


def _verify(package: str, trust: str) -> dict[str, Any]:
    """Verify a ZIP."""
    roots = load_trust([Path(trust)], [], None)
    answers = []
    measured = _measured(
        lambda: answers.append(verify(Path(package), trust=roots, at="now", clock=SystemClock()))
    )
    found = answers[0]
    return measured | {"valid": found.valid, "findings": [one.to_json() for one in found.findings]}


def _clip_memory(camera: str, start: int, seconds: list[int]) -> dict[str, Any]:
    """The peak memory Python held for one clip, planned and read to its end, for each length."""
    with Site(Settings.load()) as site:

        def read(first: int, length: int) -> Clip:
            span = Timespan(first, first + length * SECOND)
            reading = reader.read(site.index, camera, span, registered_at=0, now=site.clock.now())
            clip = plan_clip(reading, site.stores.footage)
            for _ in clip.stream():
                pass
            return clip

        read(start + 1, 10)  # objects made once per process do not count for the clip
        found = []
        tracemalloc.start()
        for length in seconds:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            clip = read(start + 12345, length)
            peak = tracemalloc.get_traced_memory()[1]
            found.append(
                {"seconds": length, "frames": clip.frames + clip.hidden_frames, "bytes": peak - before}
            )
            del clip
        return {"clips": found}


_JOBS: dict[str, Callable[..., dict[str, Any]]] = {
    "seal": _seal, "verify": _verify, "clip-memory": _clip_memory,
}  # fmt: skip


def main() -> None:
    """Do the job named on the command line."""
    job, arguments = sys.argv[1:3]
    sys.stdout.write(json.dumps(_JOBS[job](**json.loads(arguments))) + "\n")


if __name__ == "__main__":
    main()
