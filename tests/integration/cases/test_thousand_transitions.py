"""A thousand transitions of one request at once, a thousand repetitions of one change: one effect each."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from archive.cases.requests.service import Requests
from archive.clock import ManualClock
from archive.errors import ArchiveError
from ops.settings import Settings
from ops.wiring import Site
from tests.support.api_site import CAMERA, Caller, instant, open_site
from tests.support.requesting import OFFICER, POLICE, Requesting, form, requesting
from tests.support.servers import FreshBuckets

THREADS = 40
EACH = 200
"""Attempts at each of five steps: a thousand in all."""


@pytest.fixture(params=["folders", "minio"])
def environ(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    if request.param == "folders":
        return {}
    buckets: FreshBuckets = request.getfixturevalue("fresh_buckets")
    for name, value in buckets.server.environment(buckets.name).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return {"SAKSI_ARCHIVE_URL": buckets.archive_url}


@pytest.fixture
def city(environ: dict[str, str], tmp_path: Path) -> Iterator[Requesting]:
    with requesting(tmp_path, environ) as made:
        yield made


def test_of_a_thousand_at_once_each_step_has_one_winner(
    city: Requesting, environ: dict[str, str], tmp_path: Path
) -> None:
    name = city.file().request.id
    clock = ManualClock(city.clock.now())
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path), **environ}), clock) as second:
        both = (city.requests, second.requests)
        told: Counter[str] = Counter()
        for version in range(1, 6):
            told += step(both, name, version, city.scan)
        history = second.requests.stream.history(name)
    assert [entry.version for entry in history] == [1, 2, 3, 4, 5, 6]
    assert [entry.prev for entry in history[1:]] == [entry.digest for entry in history[:-1]]
    assert len({entry.entry_id for entry in history}) == 6
    assert sum(told.values()) == 5 * EACH
    assert told["won"] == 5
    assert set(told) <= {"won", "ledger_conflict"}
    # Whichever transition won, the package was requested once or not at all.
    assert len(list(city.site.ledger.heads("evidence"))) <= 1


def step(both: tuple[Requests, Requests], name: str, version: int, scan: str) -> Counter[str]:
    """Run every transition that a version permits, at once, in two installations over one archive."""
    start = threading.Barrier(THREADS, timeout=120)

    def acts(requests: Requests) -> list[Callable[[], Any]]:
        saying = [lambda: requests.stream.comment(name, text="x", by=OFFICER, expected=version)]
        if version < 4:
            again = form(letter_sha256=scan)
            return [
                *saying,
                lambda: requests.filing.amend(name, again, POLICE, expected=version, reason="x"),
                lambda: requests.deciding.raise_limit(
                    name, camera_hours=60, by=OFFICER, expected=version, reason="x"
                ),
            ]
        if version == 4:
            given = {"by": OFFICER, "name": "Citra", "expected": version}
            return [lambda: requests.deciding.approve(name, **given)]
        return saying

    def attempt(number: int) -> str:
        if number < THREADS:
            start.wait()
        choice = acts(both[number % 2])
        try:
            choice[number // 2 % len(choice)]()
        except ArchiveError as lost:
            return lost.code
        return "won"

    with ThreadPoolExecutor(THREADS) as pool:
        told = Counter(pool.map(attempt, range(EACH)))
    assert told["won"] == 1, (version, told)
    return told


def test_a_change_that_is_sent_a_thousand_times_has_one_effect(tmp_path: Path) -> None:
    with open_site(tmp_path, variant=None) as site:
        apps = [Caller(site.remade(), site.headers) for _ in range(3)]
        body = {
            "cameras": [CAMERA], "from": instant(0), "to": instant(60), "case": "LP/B/1", "owner": "Reskrim",
            "basis": "LP/B/1", "review_at": instant(30 * 86_400),
        }  # fmt: skip
        key = {"Idempotency-Key": "6f1d6d0e-7a0c-4f0e-8e3c-1c7b0f6b2a11"}

        async def send(number: int) -> tuple[int, bytes]:
            answer = await apps[number % 3].send("POST", "/v1/holds", json=body, headers=key)
            return answer.status_code, answer.content

        async def send_thousand() -> list[tuple[int, bytes]]:
            few = asyncio.Semaphore(16)

            async def send_one(number: int) -> tuple[int, bytes]:
                async with few:
                    return await send(number)

            return await asyncio.gather(*map(send_one, range(1000)))

        told = asyncio.run(send_thousand())
        statuses = Counter(status for status, _ in told)
        assert set(statuses) <= {201, 409, 429}, "done, under way, or too many of one account's at once"
        assert len({content for status, content in told if status == 201}) == 1
        assert asyncio.run(send(0)) in told
        assert asyncio.run(send(0))[0] == 201, "whoever asks once there is an answer is sent it"
        assert len(site.call.get("/v1/holds").json()["holds"]) == 1
        assert len(site.events("hold.place")) == 1
