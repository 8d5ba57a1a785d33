"""What administrators say of recorders, in their ledger streams."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.clock import SystemClock
from archive.errors import Conflict, Malformed, NotFound
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectStore
from archive.records.journal import public_key_sha256
from archive.records.ledger.streams import Ledger
from archive.records.recorder_keys import registered_keys_of
from recorder import identity
from recorder.placement import fleet
from recorder.placement.assignment import DEFAULT_WEIGHT, Host

SAID = {"actor": "os:tester", "reason": "a new disk"}


@pytest.fixture
def records(tmp_path: Path) -> ObjectStore:
    return FilesystemStore(tmp_path, SystemClock())


@pytest.fixture
def ledger(records: ObjectStore) -> Ledger:
    made = Ledger(records, SystemClock())
    identity.register(made, "rec-a", Ed25519PrivateKey.generate().public_key())
    return made


def hosts(ledger: Ledger, records: ObjectStore) -> list[Host]:
    return fleet.Fleet(ledger, records).hosts()


def test_a_recorder_that_registered_itself_counts_as_any_other(ledger: Ledger, records: ObjectStore) -> None:
    assert hosts(ledger, records) == [Host("rec-a", DEFAULT_WEIGHT)]


def test_all_that_is_said_of_it_counts_together(ledger: Ledger, records: ObjectStore) -> None:
    fleet.weigh(ledger, "rec-a", 250, **SAID)
    fleet.assign_districts(ledger, "rec-a", ["73.71.13", "73.71.01"], **SAID)
    said = fleet.drain(ledger, "rec-a", **SAID)
    assert said == Host("rec-a", 250, frozenset({"73.71.01", "73.71.13"}), is_drained=True)
    assert hosts(ledger, records) == [said]
    assert fleet.undrain(ledger, "rec-a", **SAID) == Host("rec-a", 250, frozenset({"73.71.01", "73.71.13"}))
    assert [entry.action for entry in ledger.history("recorder", "rec-a")] == [
        "recorder.registered",
        "recorder.weighed",
        "recorder.districts_set",
        "recorder.drained",
        "recorder.undrained",
    ]


def test_a_fleet_that_is_kept_sees_what_is_new(ledger: Ledger, records: ObjectStore) -> None:
    kept = fleet.Fleet(ledger, records)
    kept.hosts()
    fleet.drain(ledger, "rec-a", **SAID)
    assert kept.hosts()[0].is_drained


def test_the_key_stays_and_a_new_key_carries_on_what_was_said(ledger: Ledger, records: ObjectStore) -> None:
    fleet.weigh(ledger, "rec-a", 250, **SAID)
    assert len(list(registered_keys_of(ledger))) == 1
    key = Ed25519PrivateKey.generate().public_key()
    identity.register(ledger, "rec-a", key)
    assert hosts(ledger, records) == [Host("rec-a", 250)]
    assert [one.sha256 for one in registered_keys_of(ledger)][-1] == public_key_sha256(key)


def test_what_is_refused(ledger: Ledger) -> None:
    with pytest.raises(Conflict) as refused:
        fleet.undrain(ledger, "rec-a", **SAID)
    assert refused.value.code == "recorder_not_drained"
    fleet.drain(ledger, "rec-a", **SAID)
    with pytest.raises(Conflict) as refused:
        fleet.drain(ledger, "rec-a", **SAID)
    assert refused.value.code == "recorder_drained_already"
    for weight in (-1, fleet.HEAVIEST + 1):
        with pytest.raises(Malformed) as bad:
            fleet.weigh(ledger, "rec-a", weight, **SAID)
        assert bad.value.code == "bad_weight"
    with pytest.raises(Malformed) as bad:
        fleet.assign_districts(ledger, "rec-a", ["Rappocini"], **SAID)
    assert bad.value.code == "bad_place"
    with pytest.raises(Malformed) as bad:
        fleet.weigh(ledger, "rec-a", 1, actor="os:tester", reason=" ")
    assert bad.value.code == "reason_missing"
    with pytest.raises(NotFound) as unknown:
        fleet.drain(ledger, "rec-z", **SAID)
    assert unknown.value.code == "recorder_not_found"


@pytest.mark.parametrize(
    "state", [{"weight": "much"}, {"weight": -1}, {"weight": 10**6}, {"districts": "73.71.13"}]
)
def test_a_record_that_makes_no_sense_is_none(state: dict[str, object]) -> None:
    with pytest.raises(Malformed) as bad:
        fleet.host_of("rec-a", state)
    assert bad.value.code == "bad_recorder"
