"""The same kills over real buckets: ``python -m tests.support.stepping_minio FOLDER JOB BEGUN URL...``.

Each URL names three empty buckets for one archive: the first is for the process that is not killed, each
other one for one kill, spread evenly over the job's writes. The servers' credentials are in the environment,
the keys under ``keys`` in FOLDER. The archives begin at BEGUN (µs), long enough ago that no lock is in force
now.
"""

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from archive.clock import Clock, ManualClock, SystemClock
from archive.model.retention import Scope
from archive.objects.locations import open_stores, parse_archive_url
from archive.ports import Stores
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from tests.support.promises import FLOOR_DAYS, LOCK_DAYS, ORIGIN, World, bridged
from tests.support.stepping import Moment, Stepping, at_writes


def open_buckets(folder: Path, clock: Clock) -> Stores:
    """The stores whose address is in the folder; each process has its own connections."""
    location = parse_archive_url((folder / "url").read_text())
    return bridged(open_stores(location, SystemClock(), pool_size=8), clock)


def make_archive(folder: Path, url: str, begun: int, keys_dir: Path) -> None:
    """Make four segments past their maximum, one of them held, and a log over all but the last hour."""
    folder.mkdir()
    (folder / "url").write_text(url)
    shutil.copytree(keys_dir, folder / "keys")
    clock = ManualClock(begun)
    world = World(folder, clock, open_buckets(folder, clock), folder / "keys", SystemClock().now)
    work = world.work
    work.maker.run_due()
    default = Scope.parse("default")
    terms = world.terms(FLOOR_DAYS, FLOOR_DAYS + 1, is_relief=False)
    if work.policies.propose(default, terms, actor="os:ani", reason="Rapat 7").policy.proposal is not None:
        work.policies.approve(default, actor="os:budi")
    clock.advance(HOUR)
    work.maker.run_due()
    clock.advance(2 * DAY)
    recorded = clock.now()
    for camera in ("cam-1", "cam-2"):
        for ago in (40, 30):
            world.arrive(camera, ago, indexed=True, written=True)
    world.upload()
    clock.advance(HOUR)
    work.maker.run_due()
    clock.advance(5 * DAY)
    work.holds.place(
        cameras=["cam-2"], span=Timespan(recorded - 30 * SECOND, recorded), case="LP/B/1/2026", owner="Polda",
        basis="KUHAP 39", review_at=clock.now() + 30 * DAY, actor="os:ani",
    )  # fmt: skip
    clock.advance(MINUTE)
    work.maker.run_due()
    world.look_on()
    clock.advance(HOUR)
    world.index.settle_hours()
    world.index.close()
    facts = {
        "now": clock.now(), "held": [recorded - HOUR, recorded], "origin": ORIGIN,
        "floor_days": FLOOR_DAYS, "lock_days": LOCK_DAYS, "interval": HOUR,
    }  # fmt: skip
    (folder / "facts.json").write_text(json.dumps(facts))


def main() -> None:
    """Run over archives made for this job."""
    place, job, begun, urls = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4:]
    kills = len(urls) - 1

    def spread(calls: Sequence[str]) -> Iterable[tuple[Moment, str]]:
        found = list(at_writes(calls))
        return (found[(len(found) - 1) * number // max(1, kills - 1)] for number in range(kills))

    def prepare(folder: Path, step: int) -> None:
        make_archive(folder, urls[step], begun, place / "keys")

    Stepping(prepare, place, job, open_buckets).run(spread)


if __name__ == "__main__":
    main()
