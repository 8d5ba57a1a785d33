"""Checkpoints: each arriving object is under exactly one, in order, during any concurrent operations."""

import gzip
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.canonical import sha256_hex
from archive.errors import AlreadyExists, Refused, Unavailable
from archive.ports import Content, LockMode
from archive.records import journal, merkle
from archive.records.checkpoint import stored
from archive.records.checkpoint.leaves import ObjectLeaves, lines_of
from archive.records.checkpoint.uncovered import uncovered
from archive.timespan import DAY, HOUR, MINUTE
from ops import keys as key_set
from tests.support.archives import RECORDER_KEY
from tests.support.checkpoints import LogSite, log_site


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    return log_site(tmp_path / "site")


def listed(site: LogSite, number: int) -> list[ObjectLeaves]:
    entries = stored.read_leaves(site.stores.records, site.note(number))
    return [entry for entry in entries if isinstance(entry, ObjectLeaves)]


def incidents(site: LogSite) -> set[str]:
    return {str(entry.state["code"]) for entry in site.archive.ledger.heads("integrity_incident")}


def test_every_line_of_every_object_is_a_leaf_in_the_order_of_keys(site: LogSite) -> None:
    site.record()
    note = site.checkpoint()
    prefixes = ("custody/", "journal/", "ledger/")
    every = [found.key for prefix in prefixes for found in site.stores.records.list(prefix)]
    entries = listed(site, 1)
    assert [entry.key for entry in entries] == every
    hashes = []
    first = site.stores.records.get(site.part(1, "leaves")).split(b"\n")[0]
    hashes.append(merkle.leaf_hash(first))
    for entry in entries:
        data = site.stores.records.get(entry.key)
        own = [merkle.leaf_hash(line) for line in lines_of(data)]
        assert list(entry.hashes) == own
        assert (entry.sha256, entry.size) == (sha256_hex(data), len(data))
        hashes += own
    assert (note.size, note.root) == (len(hashes), merkle.root(hashes))
    assert json.loads(first) == {
        "v": 1, "type": "checkpoint", "origin": "saksi.test/log", "number": 1,
        "prev": "0" * 64, "at": "2026-11-24T06:00:00.000000Z",
    }  # fmt: skip


def test_checkpoints_are_chained_and_nothing_is_listed_twice(site: LogSite) -> None:
    site.hours(4)
    notes = [site.note(number) for number in range(1, 5)]
    for before, after in pairwise(notes):
        assert after.prev == sha256_hex(site.stores.records.get(site.part(before.number)))
    every = [entry.key for number in range(1, 5) for entry in listed(site, number)]
    assert len(every) == len(set(every))
    assert site.verify().valid


def test_a_log_keeps_its_name(site: LogSite) -> None:
    site.hours(1)
    renamed = replace(site.maker(), origin="saksi.other/log")
    with pytest.raises(Refused) as told:
        renamed.make()
    assert told.value.code == "log_origin_changed"
    site.hours(1)
    assert site.verify().valid


def test_a_checkpoint_is_locked_in_compliance_mode(site: LogSite) -> None:
    site.hours(1)
    parts = list(site.stores.records.list("checkpoints/"))
    assert len(parts) == 4
    for part in parts:
        lock = site.stores.records.head(part.key).lock
        assert lock is not None
        assert lock.mode is LockMode.COMPLIANCE


def test_an_hour_without_news_still_has_its_checkpoint(site: LogSite) -> None:
    maker = site.maker()
    assert maker.run_due() == 1
    assert maker.run_due() == 0
    site.clock.advance(59 * MINUTE)
    assert maker.run_due() == 0
    site.clock.advance(MINUTE)
    assert maker.run_due() == 1
    assert site.note(2).size == 1
    assert site.verify().valid


def test_without_its_memory_the_job_finds_the_same_from_the_archive(site: LogSite) -> None:
    site.hours(3)
    for kept in list(site.stores.cache.list("log/")):
        site.stores.cache.delete_version(kept.key, version=kept.version)
    site.hours(1)
    assert {entry.key for entry in listed(site, 4)}.isdisjoint(
        entry.key for number in (1, 2, 3) for entry in listed(site, number)
    )
    assert site.verify().valid


def test_a_forged_memory_hides_nothing(site: LogSite) -> None:
    site.hours(1)
    name = site.record()
    (kept, signature) = list(site.stores.cache.list("log/"))
    data = site.stores.cache.get(kept.key)
    forged = json.loads(gzip.decompress(data))
    forged["others"].append(name)
    body = gzip.compress(json.dumps(forged).encode())
    for one in (kept, signature):
        old = site.stores.cache.get(one.key)
        site.stores.cache.delete_version(one.key, version=one.version)
        site.stores.cache.put(one.key, Content.of_bytes(body if one is kept else old))
    site.checkpoint()
    assert name in {entry.key for entry in listed(site, 2)}


def test_what_lands_in_an_old_hour_is_found_the_same_day_or_the_next(site: LogSite) -> None:
    site.hours(1)
    late = site.archive.write_journal([site.archive.keep(50)])
    data = site.stores.records.get(late)
    site.remove(late)
    old = keys.journal_key("rec-1", site.archive.batches, site.clock.now() - 9 * HOUR)
    site.stores.records.put(old, Content.of_bytes(data))
    site.clock.advance(HOUR)
    site.checkpoint()
    assert old not in {entry.key for entry in listed(site, 2)}
    site.clock.advance(DAY)
    site.checkpoint()
    assert old in {entry.key for entry in listed(site, 3)}
    assert not [finding for finding in site.verify().findings if finding.code == "uncovered"]


def forged_batch(site: LogSite, *, key: Ed25519PrivateKey, prev: str | None = None) -> str:
    number = site.archive.batches + 1
    data = journal.encode(
        [site.archive.keep(70)],
        recorder="rec-1",
        batch=number,
        prev=prev or site.archive.prev,
        at=site.clock.now(),
        key=key,
    )
    name = keys.journal_key("rec-1", number, site.clock.now())
    site.stores.records.put(name, Content.of_bytes(data))
    return name


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("stranger", "journal_unknown_key"),
        ("altered", "journal_signature"),
        ("unsigned", "journal_form"),
        ("fork", "journal_chain"),
        ("misfiled", "journal_misfiled"),
        ("foreign", "foreign_object"),
    ],
)
def test_a_bad_batch_is_named_and_nothing_in_it_is_proven(site: LogSite, how: str, code: str) -> None:
    site.record()
    name = forged_batch(
        site,
        key=Ed25519PrivateKey.generate() if how == "stranger" else RECORDER_KEY,
        prev="1" * 64 if how == "fork" else None,
    )
    data = site.stores.records.get(name)
    if how == "altered":
        site.forge(name, data.replace(b'"seq":70', b'"seq":71').replace(b"_000070_", b"_000071_"))
    if how == "unsigned":
        site.forge(name, b"".join(line + b"\n" for line in data.split(b"\n")[:-2]))
    if how in ("misfiled", "foreign"):
        site.remove(name)
        name = name.replace("rec-1_", "rec_2_" if how == "foreign" else "rec-1_1")
        name = name if how == "foreign" else keys.journal_key("rec-1", 9, site.clock.now())
        site.stores.records.put(name, Content.of_bytes(data))
    site.checkpoint()
    entry = next(entry for entry in listed(site, 1) if entry.key == name)
    assert entry.refused == code
    line = lines_of(site.stores.records.get(name))[0]
    assert merkle.leaf_hash(line) not in {found for one in listed(site, 1) for found in one.hashes}
    assert incidents(site) == {code}
    found = [(f.code, f.object) for f in site.verify().findings]
    assert found == [("batch_refused", name)]


def test_a_forged_batch_does_not_keep_the_recorders_own_out(site: LogSite) -> None:
    site.record()
    forged = forged_batch(site, key=Ed25519PrivateKey.generate())
    site.checkpoint()
    site.clock.advance(HOUR)
    site.hours(2)
    refused = [entry.key for number in (1, 2, 3) for entry in listed(site, number) if entry.refused]
    assert refused == [forged]


def test_a_missing_batch_is_an_incident_and_the_next_one_counts(site: LogSite) -> None:
    gone = site.record()
    site.remove(gone)
    after = site.record()
    site.checkpoint()
    assert incidents(site) == {"batch_missing"}
    assert next(entry for entry in listed(site, 1) if entry.key == after).refused == ""
    assert [(f.code, f.object) for f in site.verify().findings] == [("link_missing", after)]


def test_an_object_that_the_store_does_not_give_is_named_all_the_same(site: LogSite) -> None:
    name = site.record()
    path = site.path(name)
    path.chmod(0o640)
    path.write_bytes(path.read_bytes().replace(b"cam-1", b"cam-2", 1))
    site.checkpoint()
    assert next(entry for entry in listed(site, 1) if entry.key == name).refused == "object_altered"
    assert incidents(site) == {"object_altered"}


def test_without_an_authority_the_checkpoint_stands_and_is_stamped_later(site: LogSite) -> None:
    class Down:
        name = "down"

        def stamp(self, data: bytes) -> bytes:
            raise Unavailable("no answer", code="tsa_unavailable")

    site.record()
    maker = site.maker()
    up, maker.authority = maker.authority, Down()
    with pytest.raises(Unavailable) as caught:
        maker.run_due()
    assert caught.value.code == "tsa_unavailable"
    assert stored.read_state(site.stores.records, 1).signed
    site.clock.advance(HOUR)
    with pytest.raises(Unavailable):
        maker.run_due()
    assert not stored.read_state(site.stores.records, 2).stamped
    site.clock.advance(20 * MINUTE)
    assert {f.code for f in site.verify().findings} == {"stamp_missing"}
    maker.authority = up
    maker.run_due()
    assert all(stored.read_state(site.stores.records, number).stamped for number in (1, 2))
    assert site.verify().valid


def test_what_no_checkpoint_has_in_time_is_told(site: LogSite) -> None:
    site.hours(1)
    name = site.record()
    assert list(uncovered(site.stores, site.clock, HOUR)) == []
    site.clock.advance(71 * MINUTE)
    assert name in {one.key for one in uncovered(site.stores, site.clock, HOUR)}
    assert {f.code for f in site.verify().findings} == {"uncovered"}
    site.checkpoint()
    assert list(uncovered(site.stores, site.clock, HOUR)) == []


def test_an_older_set_of_keys_is_completed_and_never_overwritten(site: LogSite) -> None:
    kept = [path for path in site.keys_dir.iterdir() if path.is_file() and path.stem != "log"]
    before = {path: path.read_bytes() for path in kept}
    (site.keys_dir / "log.key").unlink()
    (site.keys_dir / "log.pem").unlink()
    assert key_set.show(site.keys_dir, tsa_url="").log_sha256 == ""
    made = key_set.complete(site.keys_dir, clock=site.clock)
    assert len(made.log_sha256) == 64
    assert made.log_sha256 != made.signer_sha256
    assert {path: path.read_bytes() for path in before} == before
    site.hours(1)
    assert site.verify(signer=made.log_sha256).valid
    assert {f.code for f in site.verify(signer="0" * 64).findings} == {"signer_unexpected"}
    with pytest.raises(AlreadyExists, match="has a log key already"):
        key_set.complete(site.keys_dir, clock=site.clock)
