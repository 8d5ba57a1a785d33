"""The canary on folders, and its reports about stores that give way to each attack."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from archive.clock import ManualClock
from archive.errors import IntegrityError, Refused
from archive.integrity.canary import AttackOutcome, Canary, Watch
from archive.integrity.canary.watch import EVERY
from archive.objects.attacks import Bucket, Bypass, NotOffered
from archive.objects.filesystem import FilesystemStore
from archive.objects.filesystem.attacks import FolderAttacks
from archive.objects.locations import FileLocation, open_attacks, open_stores
from archive.ports import Content
from archive.records.integrity_incidents import close_integrity_incident, incidents
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY
from tests.support.leaves import T0


class Weak(FolderAttacks):
    """A store that gives way to one attack, which changes the folder directly and bypasses the adapter."""

    def __init__(self, store: FilesystemStore, root: Path, way: str, clock: ManualClock) -> None:
        super().__init__(store)
        self.store, self.root, self.way, self.clock = store, root, way, clock

    def _after(self, act: Callable[[], None]) -> None:
        """Run ``act`` while no lock is in force: the adapter trusts the clock."""
        self.clock.step(400 * DAY)
        try:
            act()
        finally:
            self.clock.step(-400 * DAY)

    def delete(self, key: str, version: str, bypass: Bypass) -> None:
        if self.way == "delete" or (self.way == "bypass" and bypass is Bypass.CLAIMED):
            self._after(lambda: self.store.delete_version(key, version=version))
            return
        super().delete(key, version, bypass)

    def hide(self, key: str) -> None:
        if self.way != "hide":
            raise NotOffered("no markers")
        self._after(lambda: self.store.delete_version(key, version=self.store.head(key).version))

    def overwrite(self, key: str, content: Content) -> None:
        if self.way != "overwrite":
            super().overwrite(key, content)
            return
        self._after(lambda: self.store.delete_version(key, version=self.store.head(key).version))
        self.store.put(key, content)


def flying(tmp_path: Path, way: str = "") -> tuple[Canary, Ledger, Watch, ManualClock]:
    clock = ManualClock(T0)
    location = FileLocation(tmp_path / "archive")
    stores = open_stores(location, clock)
    ledger = Ledger(stores.records, clock)
    buckets = open_attacks(location, stores)
    if way:
        footage = Weak(FilesystemStore(tmp_path / "archive" / "footage", clock), tmp_path, way, clock)
        buckets = [Bucket("footage", stores.footage, footage), buckets[1]]
    return Canary(buckets, ledger, clock), ledger, Watch(ledger, stores.records, clock), clock


def test_folders_keep_every_promise_at_the_level_of_the_adapter(tmp_path: Path) -> None:
    canary, ledger, watch, _ = flying(tmp_path)
    report = canary.fly()
    assert report.broken == []
    assert {one.outcome for one in report.findings} == {AttackOutcome.REFUSED, AttackOutcome.NOT_OFFERED}
    assert {(one.attack, one.bypass) for one in report.findings if one.outcome is AttackOutcome.REFUSED} >= {
        ("delete a locked version", Bypass.NO),
        ("shorten a lock", Bypass.NO),
        ("turn a lock into COMPLIANCE", Bypass.NO),
        ("delete a held version", Bypass.NO),
        ("put other bytes over a locked object", Bypass.NO),
    }
    assert list(incidents(ledger)) == []
    watch.check()


@pytest.mark.parametrize(
    ("way", "code", "bypass"),
    [
        ("delete", "canary_deleted", Bypass.NO),
        ("bypass", "canary_deleted", Bypass.CLAIMED),
        ("overwrite", "canary_overwritten", Bypass.NO),
        ("hide", "canary_reader_fooled", Bypass.NO),
    ],
)
def test_what_gives_way_is_named_and_on_record(tmp_path: Path, way: str, code: str, bypass: Bypass) -> None:
    canary, ledger, _, _ = flying(tmp_path, way)
    report = canary.fly()
    assert (code, bypass) in {(one.code, one.bypass) for one in report.broken}
    assert {one.bucket for one in report.broken} == {"footage"}
    recorded = [one for one in incidents(ledger) if one.code == code]
    assert recorded
    assert recorded[0].found_by == f"canary:{report.account}"
    assert "footage" in recorded[0].message


def test_one_attack_that_works_does_not_hide_what_the_others_find(tmp_path: Path) -> None:
    canary, _, _, _ = flying(tmp_path, "delete")
    outcomes = {(one.bucket, one.code, one.bypass): one.outcome for one in canary.fly().findings}
    assert outcomes["footage", "canary_deleted", Bypass.NO] is AttackOutcome.BROKEN
    assert outcomes["footage", "canary_lock_shortened", Bypass.NO] is AttackOutcome.REFUSED
    assert outcomes["footage", "canary_held_deleted", Bypass.NO] is AttackOutcome.REFUSED


def test_a_look_puts_nothing_on_record(tmp_path: Path) -> None:
    canary, ledger, _, _ = flying(tmp_path, "delete")
    assert canary.look().broken
    assert list(incidents(ledger)) == []


def test_the_archive_is_red_until_a_person_closes_what_was_found(tmp_path: Path) -> None:
    canary, ledger, watch, clock = flying(tmp_path, "delete")
    canary.fly()
    with pytest.raises(IntegrityError) as caught:
        watch.check()
    assert (caught.value.code, watch.last) == ("archive_not_protected", watch.codes())
    for one in incidents(ledger):
        close_integrity_incident(ledger, one.id, actor="os:root", reason="the proxy is in its place")
    with pytest.raises(IntegrityError):
        watch.check()
    clock.advance(EVERY)
    watch.check()
    canary.fly()
    clock.advance(EVERY)
    with pytest.raises(IntegrityError):
        watch.check()


def test_incidents_of_others_do_not_make_the_locks_red(tmp_path: Path) -> None:
    from archive.records.integrity_incidents import open_integrity_incident

    _, ledger, watch, clock = flying(tmp_path)
    open_integrity_incident(ledger, code="fixity_mismatch", subject="x", message="y", found_by="fixity")
    clock.advance(EVERY)
    watch.check()
    assert watch.last == ()


def test_an_account_that_may_put_nothing_is_told_so(tmp_path: Path) -> None:
    clock = ManualClock(T0)
    stores = open_stores(FileLocation(tmp_path), clock)

    class Closed(FilesystemStore):
        def put(self, *args: object, **kwargs: object) -> object:
            raise Refused("no", code="store_access_denied")

    closed = Closed(tmp_path / "closed", clock)
    canary = Canary([Bucket("footage", closed, FolderAttacks(closed))], Ledger(stores.records, clock), clock)
    with pytest.raises(Refused):
        canary.fly()


def test_readyz_is_red_and_names_the_locks(tmp_path: Path) -> None:
    """The API reads only the ledger: a broken promise found by any process turns it red."""
    from archive.records.integrity_incidents import open_integrity_incident
    from tests.support.api_site import open_site

    with open_site(tmp_path) as site:
        assert site.call.get("/readyz").json()["parts"]["locks"] == "ok"
        open_integrity_incident(
            site.services.ledger,
            code="canary_lock_cleared",
            subject="footage as saksi-api, bypass claimed",
            message="cleared",
            found_by="canary:saksi-api",
        )
        site.clock.advance(EVERY)
        answer = site.call.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["parts"]["locks"] == "archive_not_protected"
        text = generate_latest(site.services.metrics).decode()
        assert "saksi_canary_open_findings 1.0" in text
