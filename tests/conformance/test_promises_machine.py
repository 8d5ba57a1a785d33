"""After any operations in any order, with a crash at any call, the archive keeps I1 to I5 and I9."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from archive.clock import SystemClock
from archive.model.disposition import Cause
from archive.model.retention import Scope
from archive.objects.locations import open_stores, parse_archive_url
from archive.timespan import DAY, HOUR, SECOND, Timespan
from tests.support.promises import (
    CAMERAS,
    SCOPES,
    Death,
    Work,
    World,
    file_world,
    own_buckets,
    s3_world,
)
from tests.support.servers import MinioServer

DEATHS = st.none() | st.builds(Death, st.integers(0, 60), st.booleans())
CHOSEN = st.sets(st.sampled_from(CAMERAS), min_size=1)
SCOPE = st.sampled_from(SCOPES)
PEOPLE = ("os:ani", "os:budi")


class Promises(RuleBasedStateMachine):
    """People, recorders, jobs and time, in any order; :meth:`open_world` chooses the store."""

    def __init__(self) -> None:
        super().__init__()
        self._opened = self.open_world()
        self.world = self._opened.__enter__()

    def open_world(self) -> AbstractContextManager[World]:
        raise NotImplementedError

    @initialize(days=st.sampled_from([3, 8, 13]))
    def begin(self, days: int) -> None:
        """Begin with a policy, as most archives have, and some footage that becomes due."""
        self.change_policy("default", 2, days - 2, False, True, None)
        self.world.clock.advance(2 * DAY)
        self.arrive("cam-1", 30, 3, True, True)

    # Recorders ----------------------------------------------------------------------------------------

    @rule(
        camera=st.sampled_from(CAMERAS),
        ago=st.sampled_from([11, 30, 3600, 86_400, 5 * 86_400, 15 * 86_400]),
        number=st.integers(1, 4),
        indexed=st.booleans(),
        written=st.sampled_from([True, True, True, False]),
    )
    def arrive(self, camera: str, ago: int, number: int, indexed: bool, written: bool) -> None:
        for one in range(number):
            self.world.arrive(camera, ago + 10 * one, indexed=indexed, written=written)

    @rule()
    def upload(self) -> None:
        self.world.upload()

    # People -------------------------------------------------------------------------------------------

    @rule(
        scope=SCOPE,
        least=st.integers(2, 12),
        more=st.none() | st.integers(0, 10),
        is_relief=st.booleans(),
        is_approved=st.booleans(),
        death=DEATHS,
    )
    def change_policy(
        self,
        scope: str,
        least: int,
        more: int | None,
        is_relief: bool,
        is_approved: bool,
        death: Death | None,
    ) -> None:
        terms = self.world.terms(least, None if more is None else least + more, is_relief)
        parsed = Scope.parse(scope)

        def change(work: Work) -> None:
            record = work.policies.propose(parsed, terms, actor=PEOPLE[0], reason="Rapat 7")
            if record.policy.proposal is not None and is_approved:
                work.policies.approve(parsed, actor=PEOPLE[1])

        self.world.act(change, death)

    @rule(chosen=CHOSEN, ago=st.integers(0, 20), hours=st.integers(1, 24 * 20), death=DEATHS)
    def place_hold(self, chosen: set[str], ago: int, hours: int, death: Death | None) -> None:
        now = self.world.clock.now()
        span = Timespan(now - ago * DAY, now - ago * DAY + hours * HOUR)
        self.world.act(
            lambda work: work.holds.place(
                cameras=sorted(chosen), span=span, case="LP/B/1/2026", owner="Polrestabes", basis="KUHAP 39",
                review_at=now + 30 * DAY, actor=PEOPLE[0],
            ),
            death,
        )  # fmt: skip

    def in_force(self) -> list[Any]:
        """Holds in force."""
        return [head.hold for head in Work(self.world).holds.holds() if head.hold.in_force]

    @rule(which=st.integers(0, 9), chosen=CHOSEN, hours=st.integers(0, 200), death=DEATHS)
    def extend_hold(self, which: int, chosen: set[str], hours: int, death: Death | None) -> None:
        if holds := self.in_force():
            hold = holds[which % len(holds)]
            span = Timespan(hold.span.start - hours * HOUR, hold.span.end + hours * HOUR)
            self.world.act(
                lambda work: work.holds.extend(
                    hold.id, cameras=sorted(chosen), span=span, actor=PEOPLE[0], reason="More"
                ),
                death,
            )

    @rule(which=st.integers(0, 9), is_approved=st.booleans(), death=DEATHS)
    def release_hold(self, which: int, is_approved: bool, death: Death | None) -> None:
        if holds := self.in_force():
            hold = holds[which % len(holds)]

            def release(work: Work) -> None:
                if hold.release is None:
                    work.holds.propose_release(hold.id, actor=PEOPLE[0], reason="Closed")
                if is_approved:
                    work.holds.approve_release(hold.id, actor=PEOPLE[1])

            self.world.act(release, death)

    # Time and jobs ------------------------------------------------------------------------------------

    @rule(time=st.sampled_from([SECOND, 16 * SECOND, 11 * 60 * SECOND, HOUR, DAY, 4 * DAY, 9 * DAY]))
    def wait(self, time: int) -> None:
        self.world.clock.advance(time)

    @rule(death=DEATHS)
    def sweep(self, death: Death | None) -> None:
        self.world.act(lambda work: work.sweeper.run(), death)

    @rule(death=DEATHS)
    def follow_locks(self, death: Death | None) -> None:
        self.world.act(lambda work: work.locks.run(), death)

    @rule(
        cause=st.sampled_from([Cause.RETENTION, Cause.PRESSURE]), death=DEATHS, days=st.sampled_from([0, 5])
    )
    def dispose(self, cause: Cause, death: Death | None, days: int) -> None:
        self.world.clock.advance(days * DAY)
        self.world.act(partial(Work.dispose, cause=cause), death)

    @rule(days=st.sampled_from([0, 5]))
    def decide(self, days: int) -> None:
        """Record a disposition, and end its process before the first batch."""
        self.world.clock.advance(days * DAY)
        self.world.act(
            lambda work: work.disposer.begin(work.disposer.judge_everything(), actor="job:dispose")
        )

    @rule(death=DEATHS)
    def log(self, death: Death | None) -> None:
        self.world.look_on()
        self.world.clock.advance(HOUR)
        self.world.act(lambda work: work.maker.run_due(), death)

    @precondition(lambda self: self.world.segments)
    @rule(death=DEATHS)
    def sync(self, death: Death | None) -> None:
        self.world.act(lambda work: work.sync.run(), death)

    def teardown(self) -> None:
        try:
            self.world.come_to_rest()
            self.world.require_promises()
        finally:
            self._opened.__exit__(None, None, None)


class OverFolders(Promises):
    """The store of the embedded default."""

    def open_world(self) -> AbstractContextManager[World]:
        return file_world()


def assert_promises_hold(machine: Any, *, examples: int, steps: int) -> None:
    """Run a machine; it holds the promises after every step, and once more at the end."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def over_minio(server: MinioServer) -> type[Promises]:
    """The store of the city."""

    class OverMinio(Promises):
        def open_world(self) -> AbstractContextManager[World]:
            return _minio_world(server)

    return OverMinio


@contextmanager
def _minio_world(server: MinioServer) -> Iterator[World]:
    with own_buckets(server) as url:
        stores = open_stores(parse_archive_url(url), SystemClock(), pool_size=8)
        with s3_world(stores, days_ago=30) as world:
            yield world


@pytest.fixture
def server(minio_server: MinioServer, monkeypatch: pytest.MonkeyPatch) -> MinioServer:
    """MinIO, with its credentials where the adapter looks for them."""
    environment: Mapping[str, str] = minio_server.environment("any")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, environment[name])
    return minio_server


@pytest.mark.parametrize("kept_by", ["hold", "policy"])
def test_what_is_kept_between_decision_and_first_batch_stays(kept_by: str) -> None:
    """A case that the state machine rarely generates."""
    machine = OverFolders()
    try:
        machine.begin(3)
        machine.decide(5)
        if kept_by == "hold":
            machine.place_hold({"cam-1"}, 20, 24 * 20, None)
        else:
            machine.change_policy("camera:cam-1", 9, None, False, False, None)
        machine.dispose(Cause.RETENTION, None, 0)
        assert not machine.world.destroyed
    finally:
        machine.teardown()


def test_promises_hold_over_folders() -> None:
    assert_promises_hold(OverFolders, examples=20, steps=25)


def test_promises_hold_over_minio(server: MinioServer) -> None:
    assert_promises_hold(over_minio(server), examples=3, steps=15)


@pytest.mark.slow
def test_promises_hold_over_folders_for_long() -> None:
    assert_promises_hold(OverFolders, examples=int(os.environ.get("SAKSI_SOAK_EXAMPLES", "110")), steps=50)


@pytest.mark.slow
def test_promises_hold_over_minio_for_long(server: MinioServer) -> None:
    assert_promises_hold(
        over_minio(server), examples=int(os.environ.get("SAKSI_SOAK_EXAMPLES", "110")) // 10, steps=30
    )
