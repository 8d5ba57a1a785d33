"""``kill -9`` between any two steps, and two concurrent log jobs: the chain is right afterwards."""

import threading
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest

from archive.errors import AlreadyExists, ArchiveError
from archive.records.checkpoint import stored
from archive.records.checkpoint.leaves import ObjectLeaves
from archive.timespan import HOUR, MINUTE
from archive.trust.judge import Severity
from tests.support.checkpoints import LogSite, log_site
from tests.support.crashing import Countdown, ProcessDied, crashing


def is_right(site: LogSite, checkpoints: int) -> None:
    """Verification finds no fault, and each object is under exactly one of the ``checkpoints``."""
    site.clock.advance(MINUTE)
    report = site.verify()
    assert report.valid, [finding.to_json() for finding in report.findings]
    assert {f.code for f in report.findings} <= {"orphaned_leaves"}
    assert report.chain == checkpoints
    under = [
        entry.key
        for number in range(1, checkpoints + 1)
        for entry in stored.read_leaves(site.stores.records, site.note(number))
        if isinstance(entry, ObjectLeaves)
    ]
    assert len(under) == len(set(under))
    for number in range(1, checkpoints + 1):
        state = stored.read_state(site.stores.records, number)
        assert (state.signed, state.stamped) == (True, True)


def test_a_log_job_that_dies_between_any_two_calls_is_finished_by_the_next(tmp_path: Path) -> None:
    site = log_site(tmp_path / "site")
    site.hours(1)
    for calls in count():
        countdown = Countdown(calls, done_first=True)
        site.record(segments=1)
        site.clock.advance(HOUR)
        try:
            site.maker(crashing(site.stores, countdown)).run_due()
        except ProcessDied:
            site.record(segments=1)  # recorders, people and the API continue meanwhile
            site.maker().run_due()
            site.clock.advance(HOUR)
            site.maker().run_due()
        else:
            break
    assert calls > 20, countdown.seen
    site.maker().run_due()
    is_right(site, stored.newest(site.stores.records))


def test_an_incident_is_on_record_before_its_checkpoint_is(tmp_path: Path) -> None:
    """A crash at the checkpoint's own put must not lose the finding."""
    site = log_site(tmp_path / "site")
    site.remove(site.record())
    site.record()
    for calls in count():
        countdown = Countdown(calls, done_first=True)
        try:
            site.maker(crashing(site.stores, countdown)).make()
        except ProcessDied:
            if not stored.newest(site.stores.records):
                continue
        break
    assert [entry.state["code"] for entry in site.archive.ledger.heads("integrity_incident")] == [
        "batch_missing"
    ]


def test_one_that_is_made_while_a_job_decides_is_not_followed_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = log_site(tmp_path / "site")
    site.record()
    slow, quick = site.maker(), site.maker()
    read = slow.clock.now

    def others_are_faster() -> int:
        monkeypatch.undo()
        assert quick.run_due() == 1
        return read()

    assert slow.run_due() == 1
    site.record(segments=1)
    site.clock.advance(HOUR)
    monkeypatch.setattr(slow, "clock", SimpleNamespace(now=others_are_faster))
    assert slow.run_due() == 0
    assert stored.newest(site.stores.records) == 2


def test_of_two_log_jobs_one_wins_and_the_chain_is_whole(tmp_path: Path) -> None:
    site = log_site(tmp_path / "site")
    for _ in range(5):
        site.record(segments=1)
        site.clock.advance(HOUR)
        start = threading.Barrier(4)
        wins: list[int] = []

        def work(start: threading.Barrier = start, wins: list[int] = wins) -> None:
            maker = site.maker()
            start.wait()
            try:
                wins.append(maker.run_due())
            except AlreadyExists:
                wins.append(0)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(wins) == 4
    head = stored.newest(site.stores.records)
    assert head == 5
    is_right(site, head)


def test_writers_at_work_are_under_this_checkpoint_or_the_next(tmp_path: Path) -> None:
    site = log_site(tmp_path / "site")
    stop = threading.Event()
    troubles: list[ArchiveError] = []

    def write() -> None:
        try:
            while not stop.is_set():
                site.record(segments=1)
        except ArchiveError as error:
            troubles.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    maker = site.maker()
    try:
        for _ in range(6):
            site.checkpoint(maker)
    finally:
        stop.set()
        writer.join()
    site.checkpoint(maker)
    assert not troubles
    is_right(site, 7)
    assert not [f for f in site.verify().findings if f.severity is Severity.ERROR]
