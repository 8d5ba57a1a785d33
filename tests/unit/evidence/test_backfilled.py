"""A package over a hole that was filled later is flagged: whichever came first, the run or the seal."""

import base64
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.canonical import sha256_hex
from archive.errors import IntegrityError, NotFound, Unavailable
from archive.evidence import jobs, paths
from archive.evidence.backfilled import JOB, LOOK_BACK, BackfillFlags, fillings_of
from archive.evidence.jobs import SealWorker, heads_of_jobs
from archive.evidence.plan import PackagePlan
from archive.model.backfill import FOUND, FilledPackage, Filling
from archive.model.evidence import EvidenceStatus, SealRequest
from archive.model.gap import Gap, GapCause, RunEnd
from archive.model.segment import Run
from archive.ports import Content
from archive.records import journal
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, SECOND, Timespan
from ops.jobs import all_jobs
from tests.support.packages import RECORDER_KEY, RUN, make_world


class Desk:
    """A world in which packages are asked for and sealed, and the job that flags them."""

    def __init__(self, folder: Path) -> None:
        self.world = make_world(folder, segments=2)
        self.ledger = Ledger(self.world.target, self.world.clock)
        end = self.world.plan.span.end
        self.hole = Timespan(end - 4 * SECOND, end - SECOND)
        self.register("rec-1-backfill", RECORDER_KEY)
        self.flags = BackfillFlags(self.ledger, self.world.target, cast("Any", self), self.world.clock)

    def gaps(self, camera: str, _span: Timespan) -> Sequence[Gap]:
        return [
            Gap(camera=camera, recorder="rec-1", gap="a" * 16, span=self.hole, cause=GapCause.UNREACHABLE,
                ingested_at=self.hole.end)
        ]  # fmt: skip

    def asked(self) -> str:
        span = self.world.plan.span
        job = jobs.request_seal(
            self.ledger, self.world.clock, cameras=("cam-1",), span=span, case="LP/B/1", actor="os:op"
        )
        return job.record.request.evidence_id

    def sealed(self) -> None:
        def prepare(request: SealRequest) -> PackagePlan:
            return replace(
                self.world.plan, evidence_id=request.evidence_id, case=request.case, actor=request.actor,
                prepared_at=request.asked_at,
            )  # fmt: skip

        heads = heads_of_jobs(self.ledger, self.world.target)
        done = SealWorker(self.ledger, heads, self.world.sealer, prepare, self.world.clock, "w1").run_once()
        assert done is not None
        assert done.record.status is EvidenceStatus.SEALED

    def register(self, recorder: str, key: Ed25519PrivateKey) -> None:
        raw = key.public_key().public_bytes_raw()
        state = {"public_key": base64.b64encode(raw).decode("ascii"), "key_sha256": sha256_hex(raw)}
        self.ledger.append(
            "recorder", recorder, state, expected=0, actor="os:t", action="recorder.registered"
        )

    def filled(
        self, run: str, batch: int = 1, *, at: int = 0, by: str = "rec-1-backfill", says: str = "",
        key: Ed25519PrivateKey = RECORDER_KEY, name: str = "",
    ) -> None:  # fmt: skip
        """A run that fills the hole: a line of ``says`` in a batch of ``by``, filed under ``name``."""
        now = self.world.clock.now()
        leaf = Run(
            camera="cam-1", recorder=says or by, run=run, span=self.hole, segments=1,
            reason=RunEnd.STOPPED, ingested_at=now, fills=("a" * 16,),
        )  # fmt: skip
        data = journal.encode(
            [leaf], recorder=by, batch=batch, prev=journal.GENESIS, at=now, key=key, origin="backfill"
        )
        stored = keys.journal_key(name or by, batch, now + at)
        self.world.target.put(stored, Content.of_bytes(data))

    def runs(self, evidence_id: str) -> list[str]:
        return [one.run for one in fillings_of(self.ledger, evidence_id)]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_package_that_is_sealed_after_the_run_came_is_flagged_too(desk: Desk) -> None:
    asked = desk.asked()
    desk.filled("1" * 16)
    assert desk.flags.run() == 0, "it is not sealed yet"
    desk.sealed()
    assert [desk.flags.run(), desk.flags.run()] == [1, 0]
    assert desk.runs(asked) == ["1" * 16]


def test_of_two_processes_that_flag_one_package_none_loses_its_run(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = desk.asked()
    desk.sealed()
    desk.filled("1" * 16)
    append = Ledger.append

    def overtaken(ledger: Ledger, kind: str, name: str, state: Any, **given: Any) -> Any:
        monkeypatch.setattr(Ledger, "append", append)
        other = Filling(camera="cam-1", run="2" * 16, gaps=("b" * 16,), span=desk.hole, came_at=0)
        first = FilledPackage(evidence_id=name, request_id="", fillings=(other,)).to_state()
        append(ledger, kind, name, first, expected=0, actor=JOB, action=FOUND)
        return append(ledger, kind, name, state, **given)

    monkeypatch.setattr(Ledger, "append", overtaken)
    assert [desk.flags.run() for _ in range(3)] == [0, 1, 0]
    assert desk.runs(asked) == ["2" * 16, "1" * 16]


def test_a_batch_that_comes_late_under_its_own_hour_is_read(desk: Desk) -> None:
    asked = desk.asked()
    desk.sealed()
    assert desk.flags.run() == 0
    desk.filled("1" * 16, at=-2 * HOUR)
    assert desk.flags.run() == 1
    assert desk.runs(asked) == ["1" * 16]


def test_a_batch_that_comes_under_an_hour_long_ago_is_read_within_a_day(desk: Desk) -> None:
    asked = desk.asked()
    desk.sealed()
    assert desk.flags.run() == 0
    desk.filled("1" * 16, at=-7 * DAY)  # a host whose clock is behind, or a journal that was restored
    assert desk.flags.run() == 0
    desk.world.clock.advance(DAY)
    assert [desk.flags.run(), desk.flags.run()] == [1, 0]
    assert desk.runs(asked) == ["1" * 16]


def test_what_is_damaged_keeps_nothing_beside_it_from_being_flagged(desk: Desk) -> None:
    asked = sorted([desk.asked(), desk.asked()])
    desk.sealed()
    desk.sealed()
    key = keys.journal_key("rec-0-backfill", 1, desk.world.clock.now())
    desk.world.target.put(key, Content.of_bytes(b"{}"))
    desk.world.target.put(f"ledger/backfill/{asked[0]}/00000001.json", Content.of_bytes(b"{}"))
    desk.filled("1" * 16)
    with pytest.raises(IntegrityError):
        desk.flags.run()
    assert desk.runs(asked[1]) == ["1" * 16]


def test_a_package_that_lacks_its_seal_keeps_no_other_from_being_flagged(desk: Desk, tmp_path: Path) -> None:
    asked = sorted([desk.asked(), desk.asked()])
    desk.sealed()
    desk.sealed()
    [seal] = tmp_path.rglob(f"{asked[0]}/{paths.SEAL}")
    seal.unlink()
    seal.with_name(f".{seal.name}.sidecar").unlink()
    desk.filled("1" * 16)
    for _ in range(2):
        with pytest.raises(NotFound, match=asked[0]):
            desk.flags.run()
    assert desk.runs(asked[1]) == ["1" * 16]


def test_while_the_index_is_not_whole_no_package_counts_as_compared(desk: Desk) -> None:
    """An index that was emptied knows no gap; then nothing follows for any package."""

    class NotWhole:
        def gaps(self, camera: str, span: Timespan) -> Sequence[Gap]:
            if not wholes:
                raise Unavailable("it lacks a batch", code="index_incomplete")
            return desk.gaps(camera, span)

    class Emptied:
        def gaps(self, _camera: str, _span: Timespan) -> Sequence[Gap]:
            return ()

    wholes: list[bool] = []
    stores = SimpleNamespace(records=desk.world.target)
    site = SimpleNamespace(
        ledger=desk.ledger, stores=stores, clock=desk.world.clock, index=NotWhole(), bare_index=Emptied()
    )
    run = all_jobs()["backfill"].begin(cast("Any", site))
    asked = desk.asked()
    desk.sealed()
    desk.filled("1" * 16)
    with pytest.raises(Unavailable):
        run()
    wholes.append(True)
    assert run() == 1
    assert desk.runs(asked) == ["1" * 16]


def test_a_gap_that_the_index_hears_of_late_flags_its_packages_then(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = desk.asked()
    desk.sealed()
    with monkeypatch.context() as patch:
        patch.setattr(Desk, "gaps", lambda _desk, _camera, _span: ())
        desk.filled("1" * 16)
        assert [desk.flags.run(), desk.flags.run()] == [0, 0]
    assert [desk.flags.run(), desk.flags.run()] == [1, 0]
    assert desk.runs(asked) == ["1" * 16]


def test_a_gap_that_never_comes_keeps_no_run_waiting_for_ever(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Desk, "gaps", lambda _desk, _camera, _span: ())
    desk.filled("1" * 16)
    assert desk.flags.run() == 0
    assert desk.flags._came
    desk.world.clock.advance(LOOK_BACK)
    assert desk.flags.run() == 0
    assert not desk.flags._came


OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"\5" * 32)


def test_a_batch_that_its_recorder_did_not_sign_flags_nothing_and_hides_nothing(desk: Desk) -> None:
    """Anyone who can put a journal object could say that a package lacks footage, or what it lacks."""
    asked = desk.asked()
    desk.sealed()
    desk.register("rec-2-backfill", OTHER_KEY)
    desk.filled("1" * 16, 1, key=OTHER_KEY)
    desk.filled("2" * 16, 2, key=OTHER_KEY, by="rec-2-backfill", name="rec-1-backfill")
    desk.filled("3" * 16, 3, by="rec-3-backfill")
    desk.filled("4" * 16, 4, says="rec-2-backfill")
    assert desk.flags.run() == 0
    assert desk.runs(asked) == []
    desk.filled("1" * 16, 5)
    assert desk.flags.run() == 1
    assert desk.runs(asked) == ["1" * 16]


def test_a_batch_under_the_name_of_another_of_its_recorder_says_nothing(desk: Desk) -> None:
    asked = desk.asked()
    desk.sealed()
    desk.filled("1" * 16, 1)
    good = next(iter(desk.world.target.list("journal/")))
    data = desk.world.target.get(good.key)
    now = desk.world.clock.now()
    desk.world.target.put(keys.journal_key("rec-1-backfill", 7, now), Content.of_bytes(data))
    assert desk.flags.run() == 1
    assert desk.runs(asked) == ["1" * 16]
    assert desk.flags._read == {good.key}


def test_a_package_that_was_sealed_while_the_run_came_in_is_flagged_for_the_rest(desk: Desk) -> None:
    """It has originals of the run, and states a gap where the others are now."""
    asked = desk.asked()
    desk.sealed()
    desk.hole = Timespan(desk.hole.start - 10 * SECOND, desk.hole.end)
    desk.filled(RUN)
    assert desk.flags.run() == 1
    [one] = fillings_of(desk.ledger, asked)
    assert (one.run, one.span) == (RUN, Timespan(desk.world.plan.gaps[0].span.start, desk.hole.end))


def test_a_package_that_has_footage_of_the_filled_time_is_not_flagged(desk: Desk) -> None:
    """The gap's record stays, though the package states no gap there."""
    desk.asked()
    desk.sealed()
    start = desk.world.plan.span.start
    desk.hole = Timespan(start + 2 * SECOND, start + 8 * SECOND)
    desk.filled("1" * 16)
    assert desk.flags.run() == 0
