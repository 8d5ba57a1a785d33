"""A sealing worker for tests to kill: ``python -m tests.support.sealing_process FOLDER NOW``.

It prints ``ready`` on standard output when it is about to claim, and ``done`` when nothing is left to seal.
"""

import sys
from dataclasses import replace
from pathlib import Path
from random import Random

from archive.evidence import jobs
from archive.evidence.jobs import SealWorker, heads_of_jobs
from archive.model import leaf as leaves
from archive.ports import Content, IndexEntry
from archive.timespan import HOUR, SECOND, Timespan
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.checkpoints import LogSite
from tests.support.leaves import T0
from tests.support.packages import a_segment, segment_bytes
from tests.support.sealing import preparer_of, sealer_of

CAMERAS = ("cam-1", "cam-2")
SEGMENTS = 4


def lay_down(folder: Path, segment_size: int = 60_000) -> str:
    """Make an archive with footage, journal, checkpoint and one request; returns the evidence id."""
    site = LogSite(folder, small_archive(folder / "archive"))
    archive = site.archive
    random = Random("kill")  # noqa: S311 - the same bytes each time
    lines = []
    for number, camera in enumerate(CAMERAS):
        archive.registry.add(camera_form(camera), actor="os:tester")
        for seq in range(SEGMENTS):
            data, header = segment_bytes(random, segment_size, seq=seq)
            segment = replace(a_segment(camera, seq, data, header), run=f"6a1500000000000{number}")
            stored = archive.stores.footage.put(
                segment.key,
                Content.of_bytes(data),
                metadata={"leaf": leaves.encode(segment).decode("ascii")},
            )
            archive.index.add([IndexEntry(leaf=segment, place=None, version=stored.version)])
            lines.append(segment)
    archive.write_journal(lines)
    site.clock.advance(HOUR)
    site.checkpoint()
    begin = min(line.span.start for line in lines)
    span = Timespan(begin + 1_500_000, begin + SEGMENTS * 10 * SECOND - 1_500_000)
    job = jobs.request_seal(
        archive.ledger, site.clock, cameras=CAMERAS, span=span, case="LP/B/1", actor="os:tester"
    )
    return job.record.request.evidence_id


def a_worker(archive: SmallArchive, keys_dir: Path) -> SealWorker:
    """The worker of this process."""
    clock = archive.clock
    sealer = sealer_of(archive, keys_dir)
    prepare = preparer_of(archive)
    return SealWorker(
        archive.ledger,
        heads_of_jobs(archive.ledger, archive.stores.records),
        sealer,
        prepare,
        clock,
        f"w{clock.now() - T0}",
    )


def main(folder: Path, now: int) -> None:
    """Seal every open request."""
    archive = small_archive(folder / "archive")
    archive.clock.advance(now - archive.clock.now())
    worker = a_worker(archive, folder / "keys")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while worker.run_once() is not None:
        pass
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
