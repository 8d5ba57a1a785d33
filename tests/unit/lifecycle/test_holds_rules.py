"""The rules by which a recorder stores: how fresh they are, and what applies if they cannot be read."""

from pathlib import Path
from typing import Any

import pytest

from archive import keys
from archive.errors import Refused, Unavailable
from archive.model import retention
from archive.model.camera import parse_place
from archive.model.retention import Policy, Scope, Terms
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, MINUTE, SECOND
from recorder.spool import Spool
from recorder.storage_rules import StorageRules
from tests.support.holding import Holding, holding
from tests.support.leaves import T0, segment

PLACE = parse_place("-5.1477", "119.4327", "73.71.13", "73.71.13.1001", "business")


class Log:
    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **_: Any) -> None:
        self.events.append(event)

    warning = error = info


class Flaky:
    """A records bucket that is unavailable or refuses access, as a test sets it."""

    def __init__(self, real: Any) -> None:
        self._real, self.trouble, self.forbidden, self.lists = real, None, "", 0

    def list(self, prefix: str, *, start_after: str = "") -> Any:
        self.lists += 1
        if self.trouble is not None:
            raise self.trouble
        if self.forbidden and prefix.startswith(self.forbidden):
            raise Refused("not for recorders")
        return self._real.list(prefix, start_after=start_after)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


class Desk:
    """A recorder's desk: an archive, a spool, and the rules over both."""

    def __init__(self, folder: Path) -> None:
        self.site: Holding = holding(folder / "archive")
        self.clock = self.site.archive.clock
        self.records: Any = Flaky(self.site.archive.stores.records)
        self.spool = Spool(folder / "spool", self.clock, 1 << 30, 0)
        self.spool.open()
        self.log = Log()
        self.rules = self.start()

    def start(self) -> StorageRules:
        ledger = Ledger(self.records, self.clock)
        self.rules = StorageRules(
            ledger, self.records, self.spool, self.clock, self.log, floor_days=30, refresh_seconds=5
        )
        self.rules.remember()
        return self.rules

    def adopt(self, scope: str, days: int, *, since: int = 0, until: int | None = None) -> None:
        terms = Terms(
            keep_days_min=days, keep_days_max=None, basis="Perwali", effective_from=since,
            effective_until=until,
        )  # fmt: skip
        policy = Policy(scope=Scope.parse(scope), terms=(terms,))
        self.site.archive.ledger.append(
            "policy", policy.scope.id, retention.to_state(policy), expected=0, actor="os:t", action="x"
        )

    def damage(self, key: str) -> None:
        path = Path(self.site.archive.stores.records._root) / key  # type: ignore[attr-defined]
        body = path.read_bytes()
        path.chmod(0o640)
        path.write_bytes(b"?" * len(body))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_hold_counts_at_the_next_put_that_is_five_seconds_later(desk: Desk) -> None:
    probe = segment()
    assert not desk.rules.is_held(probe)
    desk.site.place(0, 10)
    assert not desk.rules.is_held(probe)  # the ledger is not read for every put
    desk.clock.advance(5 * SECOND)
    assert desk.rules.is_held(probe)
    assert not desk.rules.is_held(segment(1))


def test_the_most_specific_policy_locks_and_the_floor_is_least(desk: Desk) -> None:
    probe = segment()
    assert desk.rules.locked_until(probe, PLACE) == T0 + 30 * DAY
    desk.adopt("default", 10)
    desk.adopt("owner:business", 60)
    desk.clock.advance(5 * SECOND)
    assert desk.rules.locked_until(probe, PLACE) == T0 + 60 * DAY
    assert desk.rules.locked_until(probe, None) == T0 + 30 * DAY
    desk.adopt("camera:cam-1", 90)
    desk.clock.advance(5 * SECOND)
    assert desk.rules.locked_until(probe, PLACE) == T0 + 90 * DAY


def test_what_was_recorded_under_a_longer_policy_keeps_its_lock_when_it_comes_late(desk: Desk) -> None:
    desk.adopt("default", 90, until=T0 + MINUTE)
    desk.clock.advance(DAY)
    assert desk.rules.locked_until(segment(), PLACE) == T0 + 90 * DAY


def test_without_the_store_the_last_rules_go_on_also_after_a_restart(desk: Desk) -> None:
    desk.site.place(0, 10)
    desk.adopt("default", 90)
    desk.rules.refresh()
    desk.records.trouble = Unavailable("away")
    for rules in (desk.rules, desk.start()):
        desk.clock.advance(MINUTE)
        assert rules.is_held(segment())
        assert rules.locked_until(segment(), None) == T0 + 90 * DAY
    assert desk.log.events.count("rules_wait") == 4, "each trouble is told once, by each start"
    desk.records.trouble = None
    desk.site.place(20, 30)
    desk.clock.advance(MINUTE)
    assert desk.rules.is_held(segment(2))


def test_a_spool_that_comes_back_after_an_outage_looks_before_it_puts(desk: Desk) -> None:
    desk.rules.refresh()
    desk.records.trouble = Unavailable("away")
    desk.clock.advance(DAY)
    assert not desk.rules.is_held(segment())
    desk.records.trouble = None
    desk.site.place(0, 10)
    desk.clock.advance(5 * SECOND)
    assert desk.rules.is_held(segment())


def test_an_account_that_may_not_read_policies_still_learns_of_holds(desk: Desk) -> None:
    desk.records.forbidden = "ledger/policy/"
    desk.site.place(0, 10)
    assert desk.rules.is_held(segment())
    assert desk.rules.locked_until(segment(), None) == T0 + 30 * DAY
    assert "rules_wait" in desk.log.events


def test_a_hold_that_no_longer_reads_counts_as_it_last_did(desk: Desk) -> None:
    head = desk.site.place(0, 10)
    desk.rules.refresh()
    desk.site.holds.extend(head.hold.id, cameras=["cam-2"], actor="os:ani", reason="more")
    desk.damage(keys.ledger_key("hold", head.hold.id, 2))
    for is_forgotten in (False, True):
        if is_forgotten:
            (desk.spool.root / "rules.json").unlink()
        for rules in (desk.rules, desk.start()):
            desk.clock.advance(5 * SECOND)
            assert rules.is_held(segment())
            assert not rules.is_held(segment(5))
    assert "rules_unreadable" in desk.log.events


def test_a_hold_that_never_read_may_cover_anything(desk: Desk) -> None:
    head = desk.site.place(0, 10)
    desk.damage(keys.ledger_key("hold", head.hold.id, 1))
    assert desk.rules.is_held(segment(5, camera="cam-2"))
    desk.records.trouble = Unavailable("away")
    assert desk.start().is_held(segment(5, camera="cam-2"))


def test_a_policy_that_does_not_read_leaves_the_next_wider_one(desk: Desk) -> None:
    desk.adopt("default", 60)
    desk.adopt("camera:cam-1", 90)
    desk.damage(keys.ledger_key("policy", "camera-cam-1", 1))
    assert desk.rules.locked_until(segment(), None) == T0 + 60 * DAY
    assert "rules_unreadable" in desk.log.events


def test_a_memory_that_does_not_read_is_told_and_made_anew(desk: Desk) -> None:
    desk.site.place(0, 10)
    desk.rules.refresh()
    for content in (b"{", b"[]", b'{"policies":{},"holds":{"x":{}},"holds_all":false}'):
        (desk.spool.root / "rules.json").write_bytes(content)
        desk.log.events.clear()
        rules = desk.start()
        assert desk.log.events == ["rules_forgotten"]
        assert rules.is_held(segment())
        assert b"LP/B/123" in (desk.spool.root / "rules.json").read_bytes()
