"""``archive check`` compares the index with custody and ledger, in both directions."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive import keys
from archive.integrity.check.indexed import YOUNG, IndexedCheck
from archive.integrity.check.report import CheckReport
from archive.integrity.rebuild.follow import Follower
from archive.model.custody import Actor
from archive.ports import Content, RecordQuery
from archive.records.custody import CustodyWriter
from archive.records.indexed.events import ACT
from archive.timespan import DAY
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    """Two custody objects and two entries, all in the index."""
    made = small_archive(tmp_path)
    chain = CustodyWriter(made.stores.records, made.clock, writer="api-1")
    for _ in range(2):
        chain.record("clip.describe", actor=Actor(id="user:citra"), objects=("cam-1",))
    made.registry.add(camera_form(), actor="os:ani")
    made.registry.edit("cam-1", {"name": "B"}, actor="os:ani")
    Follower(made.stores.records, made.index, made.clock).run()
    made.clock.advance(2 * YOUNG)
    yield made
    made.index.close()


def breaches(site: SmallArchive) -> set[tuple[str, str]]:
    report = CheckReport()
    IndexedCheck(site.stores.records, site.index, site.clock, report, lambda *_: None).run()
    assert {one.invariant for one in report.breaches} <= {"I5"}
    return {(one.code, one.object) for one in report.breaches}


def first_event(site: SmallArchive) -> str:
    return keys.custody_key("api-1", 1, T0)


def act_of(site: SmallArchive, proof: str) -> str:
    found = site.index.find_records(RecordQuery(kind=ACT), limit=100)
    (name,) = [one.id for one in found if one.body["proof"] == proof]
    return name


def test_an_index_that_was_followed_is_that_of_the_archive(site: SmallArchive) -> None:
    assert breaches(site) == set()


def test_an_event_that_is_stored_and_not_indexed(site: SmallArchive) -> None:
    site.index.remove_records(ACT, [act_of(site, f"{first_event(site)}#2")])
    entry = keys.ledger_key("camera", "cam-1", 2)
    site.index.remove_records(ACT, [act_of(site, entry)])
    site.index.remove_records("camera", ["cam-1"])
    assert breaches(site) == {
        ("act_not_indexed", first_event(site)),
        ("act_not_indexed", entry),
        ("stream_differs", "ledger/camera/cam-1"),
    }


def test_an_event_that_is_indexed_and_not_stored(site: SmallArchive) -> None:
    records = site.stores.records
    gone = (first_event(site), keys.ledger_key("camera", "cam-1", 2))
    found = site.index.record(ACT, act_of(site, f"{gone[0]}#2"))
    assert found is not None
    invented = replace(found, id="00" * 16)
    site.index.put_records([invented])
    assert breaches(site) == {("act_not_stored", f"{gone[0]}#2")}
    site.index.remove_records(ACT, [invented.id])
    site.clock.advance(4000 * DAY)
    for key in gone:
        records.delete_version(key, version=records.head(key).version)
    codes = breaches(site)
    assert {("act_not_stored", f"{gone[0]}#2"), ("act_not_stored", gone[1])} <= codes


def test_an_event_that_was_altered_in_the_index(site: SmallArchive) -> None:
    name = act_of(site, f"{first_event(site)}#2")
    found = site.index.record(ACT, name)
    assert found is not None
    body = {**found.body, "actor": {**found.body["actor"], "id": "user:other"}}
    site.index.put_records([replace(found, body=body, terms=frozenset({"person:user:other"}))])
    assert breaches(site) == {("act_differs", first_event(site))}


def test_an_event_whose_id_another_object_repeats(site: SmallArchive) -> None:
    records = site.stores.records
    data = records.get(first_event(site))
    copied = keys.custody_key("api-9", 1, T0)
    records.put(copied, Content.of_bytes(data))
    site.clock.advance(2 * YOUNG)
    Follower(records, site.index, site.clock).run()
    assert ("act_twice", copied) in breaches(site)


def test_what_is_young_may_be_on_its_way(site: SmallArchive) -> None:
    chain = CustodyWriter(site.stores.records, site.clock, writer="api-2")
    chain.record("clip.describe", actor=Actor(id="user:citra"))
    assert breaches(site) == set()
    site.clock.advance(YOUNG)
    assert {code for code, _ in breaches(site)} == {"act_not_indexed"}
