"""``kill -9`` at each step of hold, disposition, checkpoint and rebuild: the next start finishes it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from archive.clock import SystemClock
from archive.ports import ObjectStore
from archive.timespan import DAY, HOUR, SECOND
from search.index import Index
from tests.support.archives import camera_form
from tests.support.checkpoints import ORIGIN, log_site
from tests.support.dispositions import FLOOR_DAYS, MAX_DAYS, Disposal
from tests.support.leaves import T0
from tests.support.promises import keys_folder, own_buckets
from tests.support.servers import MinioServer
from tests.support.stepping import READS, SWITCH, WRITES, Kind, method_of
from tests.support.stores import child_environment

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # syncs cost nothing there


@pytest.fixture(scope="module")
def template() -> Iterator[Path]:
    """An archive of four segments, one held, all past their maximum, with two checkpoints."""
    with TemporaryDirectory(prefix="saksi-kills-", dir=MEMORY) as folder:
        root = Path(folder) / "archive"
        site = log_site(root)
        archive = site.archive
        for camera in ("cam-1", "cam-2"):
            archive.registry.add(camera_form(camera), actor="os:tester")
        kept = [
            archive.keep(number, camera=camera, run=f"6a1500000000000{camera[-1]}")
            for camera in ("cam-1", "cam-2")
            for number in range(2)
        ]
        archive.write_journal(kept)
        site.checkpoint()
        site.clock.advance((MAX_DAYS + 1) * DAY)
        disposal = Disposal(archive, site.keys_dir)
        disposal.policy(least=FLOOR_DAYS, longest=MAX_DAYS)
        disposal.hold(kept[3:], flag=False)
        site.checkpoint()
        site.clock.advance(2 * HOUR)
        archive.index.settle_hours()
        archive.index.close()
        facts = {
            "now": site.clock.now(), "held": [T0, T0 + 15 * SECOND], "origin": ORIGIN,
            "floor_days": FLOOR_DAYS, "lock_days": 30, "interval": 2 * HOUR,
        }  # fmt: skip
        (root / "facts.json").write_text(json.dumps(facts))
        yield root


JOBS = {"hold": 30, "dispose": 25, "checkpoint": 10, "rebuild": 30}
"""The jobs, and how many kills of each there are at least."""

KILLS_OVER_MINIO = 3


def ends_of(
    template: Path,
    job: str,
    *options: str,
    runner: str = "tests.support.stepping",
    environment: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The runner's lines: first for the undisturbed process, then for each killed process."""
    done = subprocess.run(
        [sys.executable, "-m", runner, template, job, *options],
        env=child_environment({"TMPDIR": str(template.parent), **(environment or {})}),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def require_right(job: str, first: dict[str, Any]) -> None:
    """The undisturbed process ended as it must."""
    assert first["ended"] == 0
    before, left = first["before"], first["left"]
    assert left["incidents"] == []
    assert left["log"][1:] == [True, []], "the log verifies, with nothing to say"
    if job == "hold":
        assert len(left["held"]) == 3  # two of the new hold, one of the old, whose flag was not set yet
        assert [key for key, is_held in left["indexed"] if is_held] == left["held"]
    elif job == "dispose":
        actions = ["disposition.started", "disposition.done", "disposition.stamped"]
        assert left["dispositions"] == [[3, "stamped", 3, actions]]
        assert len(left["stored"]) == len(left["indexed"]) == 1
        assert left["gaps"]
    elif job == "checkpoint":
        assert left["checkpoints"] == left["log"][0] == before["checkpoints"] + 1
    else:
        assert left["indexed"]
        assert left == before, "a rebuilt index answers as the one that was told step by step"


def require_same(job: str, undisturbed: dict[str, Any], killed: list[dict[str, Any]]) -> None:
    """After a kill at any step, the next process ended like the undisturbed one."""
    for one in killed:
        where = f"{job}, killed {'after' if one['kind'] == Kind.WRITTEN else 'before'} {one['due']}"
        assert one["ended"] == -signal.SIGKILL, where
        assert method_of(one["call"]) == one["due"] or one["kind"] == Kind.CALL, where
        assert one["again"] == 0, where
        chain, is_valid, findings = one["left"]["log"]
        assert is_valid, (where, findings)
        assert set(findings) <= {"orphaned_leaves"}, where  # the killed attempt left these leaves
        assert {**one["left"], "log": chain} == {**undisturbed["left"], "log": chain}, where
        assert chain == undisturbed["left"]["log"][0], where


def test_of_every_call_it_is_known_whether_it_writes() -> None:
    """A write that counted as a read would be left out; a read that counted as a write costs time."""
    methods = {
        name
        for part in (*ObjectStore.__mro__, *Index.__mro__)
        for name, member in vars(part).items()
        if part.__module__.startswith(("archive.", "search."))
        and not name.startswith("_")
        and callable(member)
    }
    assert methods | {SWITCH} == READS | WRITES
    assert READS.isdisjoint(WRITES)


@pytest.mark.parametrize("job", JOBS)
def test_killed_at_any_write_the_next_start_ends_where_an_undisturbed_one_does(
    template: Path, job: str
) -> None:
    undisturbed, *killed = ends_of(template, job)
    require_right(job, undisturbed)
    assert len(killed) >= JOBS[job]
    require_same(job, undisturbed, killed)


@pytest.mark.parametrize("job", ["hold", "dispose", "checkpoint"])
def test_killed_over_minio_the_next_start_ends_where_an_undisturbed_one_does(
    minio_server: MinioServer, job: str
) -> None:
    begun = SystemClock().now() - 30 * DAY
    begun -= begun % HOUR
    with TemporaryDirectory(prefix="saksi-kills-", dir=MEMORY) as folder, ExitStack() as buckets:
        urls = [buckets.enter_context(own_buckets(minio_server)) for _ in range(1 + KILLS_OVER_MINIO)]
        place = Path(folder) / "archives"
        copytree(keys_folder(begun), place / "keys")
        undisturbed, *killed = ends_of(
            place, job, str(begun), *urls,
            runner="tests.support.stepping_minio", environment=minio_server.environment("any"),
        )  # fmt: skip
    require_right(job, undisturbed)
    assert len(killed) == KILLS_OVER_MINIO
    require_same(job, undisturbed, killed)


@pytest.mark.slow
@pytest.mark.parametrize("job", JOBS)
def test_killed_at_any_call_the_next_start_ends_where_an_undisturbed_one_does(
    template: Path, job: str
) -> None:
    undisturbed, *killed = ends_of(template, job, "every")
    require_right(job, undisturbed)
    require_same(job, undisturbed, killed)
