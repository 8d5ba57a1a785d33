"""An agency's limit under concurrent filings in two processes: exactly the requests that fit are filed."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.cases.requests.limits import TooLarge
from archive.cases.requests.reservations import PREFIX
from archive.clock import ManualClock
from archive.timespan import HOUR, MINUTE, format_instant
from ops.settings import Settings
from ops.wiring import Site
from tests.support.leaves import T0
from tests.support.requesting import POLICE, form, requesting
from tests.support.servers import FreshBuckets

LIMIT_HOURS = 2
SPAN = 20 * MINUTE
FIT = LIMIT_HOURS * HOUR // SPAN
PROCESSES, THREADS, EACH = 2, 8, 2


def file_many(scan: str) -> list[str]:
    """Runs in its own process: file as fast as possible, once the other process has started."""
    with Site(Settings.load(), ManualClock(T0 + HOUR)) as site:
        filing = site.requests.filing
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()

        def file(_: int) -> str:
            asked = form(letter_sha256=scan, start=format_instant(T0), end=format_instant(T0 + SPAN))
            try:
                return filing.file(asked, POLICE).request.id
            except TooLarge as refused:
                return refused.code

        with ThreadPoolExecutor(THREADS) as pool:
            return list(pool.map(file, range(THREADS * EACH)))


@pytest.fixture(params=["folders", "minio"])
def environ(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    chosen = {"SAKSI_HOME": str(tmp_path), "SAKSI_AGENCY_MAX_OPEN_CAMERA_HOURS": str(LIMIT_HOURS)}
    if request.param == "minio":
        buckets: FreshBuckets = request.getfixturevalue("fresh_buckets")
        chosen |= {"SAKSI_ARCHIVE_URL": buckets.archive_url}
        credentials = buckets.server.environment(buckets.name)
        for name, value in credentials.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("SAKSI_ARCHIVE_URL")
        chosen |= {name: value for name, value in credentials.items() if name.startswith("AWS_")}
    return chosen


def processes(environ: Mapping[str, str], scan: str) -> list[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAKSI_")}
    argv = [sys.executable, "-m", "tests.integration.cases.test_filing_race", scan]
    started = [
        subprocess.Popen(
            argv,
            env=kept | dict(environ),
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    try:
        for one in started:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in started:
            assert one.stdin is not None
            one.stdin.write("go\n")
            one.stdin.flush()
        told: list[str] = []
        for one in started:
            out, _ = one.communicate(timeout=300)
            assert one.returncode == 0
            told += json.loads(out)
    finally:
        for one in started:
            one.kill()
            one.wait()
    return told


def test_of_filings_at_one_moment_exactly_those_that_fit_are_filed(
    environ: dict[str, str], tmp_path: Path
) -> None:
    with requesting(tmp_path, environ) as city:
        told = processes(environ, city.scan)
        assert len(told) == PROCESSES * THREADS * EACH
        refused = Counter(one for one in told if not one.startswith("REQ-"))
        filed = {head.request.id for head in city.requests.book.newest()}
        assert filed == {one for one in told if one.startswith("REQ-")}
        assert len(filed) == FIT
        assert refused == {"request_too_large": len(told) - FIT}
        # No hold remains of a refused request.
        assert {head.hold.case for head in city.site.holds.holds()} == filed


def test_what_is_filed_is_announced_no_more(tmp_path: Path) -> None:
    """Otherwise each filing of a busy agency would read all announcements of the last minutes."""
    with requesting(tmp_path, {"SAKSI_HOME": str(tmp_path)}) as city:
        for _ in range(6):
            asked = form(letter_sha256=city.scan, start=format_instant(T0), end=format_instant(T0 + MINUTE))
            city.requests.filing.file(asked, POLICE)
        left = list(city.site.stores.cache.list(PREFIX))
    assert len(left) == 2, "the last of the row, and the one that was under way when it was put"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(file_many(sys.argv[1])))
