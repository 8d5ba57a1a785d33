"""Locks are extended for longer policies, and only for those."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import Unavailable
from archive.lifecycle.retention.job import PREFIX, SETTLE, LockExtension, locks_followed_at
from archive.lifecycle.retention.service import Policies
from archive.model.retention import Scope, Terms
from archive.model.segment import Segment
from archive.objects.filesystem import FilesystemStore
from archive.ports import Lock, ObjectVersion, Stores
from archive.timespan import DAY, HOUR
from tests.support.archives import SmallArchive, camera_form, small_archive

DEFAULT = Scope.parse("default")
FLOOR = 30


class Watched(FilesystemStore):
    """A folder that counts its calls, and fails on demand."""

    listed: list[str]
    extended = 0
    fail_after = -1

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        self.listed = [*getattr(self, "listed", []), prefix]
        return super().list(prefix, start_after=start_after)

    def extend_lock(self, key: str, lock: Lock, *, version: str) -> None:
        if self.extended == self.fail_after:
            raise Unavailable("the store went away", code="store_unavailable")
        super().extend_lock(key, lock, version=version)
        self.extended += 1


@pytest.fixture
def archive(tmp_path: Path) -> SmallArchive:
    made = small_archive(tmp_path)
    watched = Watched(tmp_path / "footage", made.clock)
    made.stores = Stores(watched, made.stores.records, made.stores.cache)
    for camera in ("cam-1", "cam-2"):
        made.registry.add(camera_form(camera), actor="os:ana")
    return made


@pytest.fixture
def footage(archive: SmallArchive) -> Watched:
    assert isinstance(archive.stores.footage, Watched)
    return archive.stores.footage


@pytest.fixture
def policies(archive: SmallArchive) -> Policies:
    return Policies(
        archive.ledger,
        archive.stores.records,
        archive.index,
        archive.clock,
        floor_days=FLOOR,
        wait_hours=24,
    )


def job(archive: SmallArchive) -> LockExtension:
    return LockExtension(archive.stores, archive.ledger, archive.clock, floor_days=FLOOR)


def propose(policies: Policies, days: int, scope: Scope = DEFAULT, *, start: int = 0) -> None:
    terms = Terms(keep_days_min=days, keep_days_max=None, basis="Perwali 4/2017", effective_from=start)
    policies.propose(scope, terms, actor="os:ana", reason="Rapat 7")


def locked_days(archive: SmallArchive, segment: Segment) -> int:
    lock = archive.stores.footage.head(segment.key).lock
    assert lock is not None
    return (lock.until - segment.span.start) // DAY


def test_a_longer_policy_extends_the_locks_of_what_is_stored(
    archive: SmallArchive, policies: Policies
) -> None:
    kept = [archive.keep(number) for number in range(3)] + [archive.keep(0, camera="cam-2")]
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    assert job(archive).run() == 4
    assert [locked_days(archive, segment) for segment in kept] == [60] * 4


def test_a_change_settles_first(archive: SmallArchive, policies: Policies) -> None:
    """A recorder that has not read the change yet would lock a new segment behind the sweep's back."""
    segment = archive.keep(0)
    propose(policies, 60)
    archive.clock.advance(SETTLE - 1)
    locks = job(archive)
    assert locks.run() == 0
    assert locked_days(archive, segment) == FLOOR
    archive.clock.advance(1)
    assert locks.run() == 1


def test_a_shorter_policy_never_touches_a_lock(archive: SmallArchive, policies: Policies) -> None:
    segment = archive.keep(0)
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    job(archive).run()
    propose(policies, 40)
    policies.approve(DEFAULT, actor="os:budi")
    archive.clock.advance(25 * HOUR)
    assert job(archive).run() == 0
    assert locked_days(archive, segment) == 60


def test_nothing_changed_costs_no_look_at_the_footage(
    archive: SmallArchive, policies: Policies, footage: Watched
) -> None:
    archive.keep(0)
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    locks = job(archive)
    locks.run()
    footage.listed = []
    assert locks.run() == 0
    assert job(archive).run() == 0, "another process finds the mark"
    assert footage.listed == []


def test_cameras_whose_policy_did_not_get_longer_are_not_listed(
    archive: SmallArchive, policies: Policies, footage: Watched
) -> None:
    archive.keep(0)
    archive.keep(0, camera="cam-2")
    archive.clock.advance(SETTLE)
    job(archive).run()
    propose(policies, 60, Scope.parse("camera:cam-2"))
    archive.clock.advance(SETTLE)
    footage.listed = []
    assert job(archive).run() == 1
    assert "segments/cam-2/" in footage.listed
    assert "segments/cam-1/" not in footage.listed


def test_terms_that_begin_by_themselves_are_followed(archive: SmallArchive, policies: Policies) -> None:
    segment = archive.keep(0)
    propose(policies, 60, start=archive.clock.now() + 2 * DAY)
    locks = job(archive)
    archive.clock.advance(DAY)
    locks.run()
    assert locked_days(archive, segment) == FLOOR
    archive.clock.advance(DAY + SETTLE)
    assert locks.run() == 1
    assert locked_days(archive, segment) == 60


def test_a_job_that_dies_is_finished_by_the_next(
    archive: SmallArchive, policies: Policies, footage: Watched
) -> None:
    kept = [archive.keep(number) for number in range(3)]
    kept += [archive.keep(number, camera="cam-2") for number in range(3)]
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    for died_after in (0, 2, 3, 2):
        footage.extended, footage.fail_after = 0, died_after
        with pytest.raises(Unavailable):
            job(archive).run()
        assert locks_followed_at(archive.stores.cache) is None
    footage.fail_after = -1
    job(archive).run()
    assert [locked_days(archive, segment) for segment in kept] == [60] * 6
    assert locks_followed_at(archive.stores.cache) == archive.clock.now() - SETTLE


def test_a_camera_that_was_done_is_not_done_again(
    archive: SmallArchive, policies: Policies, footage: Watched
) -> None:
    archive.keep(0)
    archive.keep(0, camera="cam-2")
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    footage.fail_after = 1
    with pytest.raises(Unavailable):
        job(archive).run()
    footage.fail_after, footage.listed = -1, []
    assert job(archive).run() == 1
    assert "segments/cam-1/" not in footage.listed


def test_losing_the_marks_only_repeats_work(archive: SmallArchive, policies: Policies) -> None:
    segment = archive.keep(0)
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    job(archive).run()
    for listed in list(archive.stores.cache.list(PREFIX)):
        archive.stores.cache.delete_version(listed.key, version=listed.version)
    job(archive).run()
    assert locked_days(archive, segment) == 60
    assert locks_followed_at(archive.stores.cache) == archive.clock.now() - SETTLE


def test_one_mark_is_left_when_all_is_done(archive: SmallArchive, policies: Policies) -> None:
    archive.keep(0)
    for days in (60, 70, 80):
        propose(policies, days)
        archive.clock.advance(SETTLE)
        job(archive).run()
    assert [listed.key.endswith("/done") for listed in archive.stores.cache.list(PREFIX)] == [True]


def test_what_is_past_every_term_is_left_alone(archive: SmallArchive, policies: Policies) -> None:
    """No store accepts a lock that ends in the past."""
    archive.keep(0)
    archive.clock.advance(90 * DAY)
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    assert job(archive).run() == 0


def test_a_longer_lock_than_the_policies_stays(archive: SmallArchive, policies: Policies) -> None:
    segment = archive.keep(0)
    head = archive.stores.footage.head(segment.key)
    assert head.lock is not None
    longer = Lock(head.lock.mode, segment.span.start + 100 * DAY)
    archive.stores.footage.extend_lock(segment.key, longer, version=head.version)
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    assert job(archive).run() == 0
    assert locked_days(archive, segment) == 100


def test_a_turn_ends_in_time_and_the_next_goes_on(
    archive: SmallArchive, policies: Policies, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        archive.keep(number)
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    monkeypatch.setattr("archive.lifecycle.retention.job._BATCH", 2)
    monkeypatch.setattr("archive.lifecycle.retention.job.TURN", 0)
    locks = job(archive)
    assert [locks.run() for _ in range(5)] == [2, 2, 1, 0, 0]
    assert locks_followed_at(archive.stores.cache) == archive.clock.now() - SETTLE


def test_a_turn_that_failed_is_begun_again_by_the_same_process(
    archive: SmallArchive, policies: Policies, footage: Watched
) -> None:
    kept = [archive.keep(number) for number in range(3)]
    propose(policies, 60)
    archive.clock.advance(SETTLE)
    locks = job(archive)
    footage.fail_after = 1
    with pytest.raises(Unavailable):
        locks.run()
    footage.fail_after = -1
    locks.run()
    assert [locked_days(archive, segment) for segment in kept] == [60] * 3
