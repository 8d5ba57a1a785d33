"""One recorder's chain with batches of both versions: the log, the checks and the recorder follow it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys
from archive.canonical import sha256_hex
from archive.integrity.check import Checker
from archive.integrity.rebuild.sync import Sync
from archive.model import leaf as leaves
from archive.ports import Content
from archive.records import journal, journal_parts
from archive.records.checkpoint.leaves import ObjectLeaves, decode_object, leaves_of
from archive.records.logbook import Logbook
from archive.timespan import HOUR
from tests.support.archives import RECORDER_KEY, camera_form
from tests.support.checkpoints import LogSite, log_site
from tests.support.journals import encode_1, signed
from tests.support.leaves import T0, segment


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    """A recorder whose second batch is the last of version 1, one checkpoint per batch."""
    made = log_site(tmp_path)
    made.archive.registry.add(camera_form(), actor="os:tester")
    for number in range(5):
        made.archive.encode = encode_1 if number < 2 else journal.encode
        made.archive.write_journal([made.archive.keep(number)])
        if number != 3:
            made.clock.advance(HOUR)
            made.checkpoint()
    return made


def batches(site: LogSite) -> list[bytes]:
    records = site.stores.records
    return [records.get(listed.key) for listed in records.list("journal/")]


def test_the_log_and_the_checks_follow_a_chain_of_both_versions(site: LogSite) -> None:
    found = [journal.decode(data) for data in batches(site)]
    assert [bool(one.tag_keys) for one in found] == [False, False, True, True, True]
    assert [one.prev for one in found[1:]] == [one.digest for one in found[:-1]]
    assert site.verify().findings == []
    assert [one for one in Checker(site.stores, site.archive.index, site.clock).run().breaches] == []
    report = Sync(site.stores, site.archive.index, site.clock).run()
    assert (report.batches, report.left_out) == (5, [])


def test_a_list_of_leaves_states_the_digest_where_it_is_not_the_sha256(site: LogSite) -> None:
    for data in batches(site):
        key = keys.journal_key("rec-1", journal.name_of(data)[1], T0)
        entry = leaves_of(key, data)
        assert decode_object(entry.encode()) == entry
        assert entry.digest == journal.digest_of(data)
        assert (b'"digest"' in entry.encode()) == (entry.digest != sha256_hex(data))
    assert isinstance(entry, ObjectLeaves)


@pytest.mark.parametrize("fresh", [True, False])
def test_a_batch_that_names_the_bytes_and_not_the_digest_is_refused(site: LogSite, fresh: bool) -> None:
    """``fresh``: the log job remembers the batch before only from its checkpoints."""
    maker = None if fresh else site.maker()
    last = batches(site)[-1]
    assert site.archive.prev == journal.digest_of(last) != sha256_hex(last)
    site.archive.prev = sha256_hex(last)
    site.archive.write_journal([site.archive.keep(5)])
    site.clock.advance(HOUR)
    (maker or site.maker()).make()
    assert "batch_refused" in {one.code for one in site.verify().findings}


def test_a_batch_that_arrives_after_its_successor_is_held_against_the_one_before_it(site: LogSite) -> None:
    for number in (5, 6, 7):
        key = site.archive.write_journal([site.archive.keep(number)])
        if number == 6:
            late, data = key, site.stores.records.get(key)
            site.remove(key)
    site.clock.advance(HOUR)
    site.checkpoint()
    site.stores.records.put(late, Content.of_bytes(data))
    site.clock.advance(HOUR)
    site.checkpoint()
    assert "batch_refused" not in {one.code for one in site.verify().findings}


def test_a_recorder_continues_its_old_chain_on_its_own_disk_and_after_losing_it(
    site: LogSite, tmp_path: Path
) -> None:
    old = batches(site)[1]
    book = tmp_path / "book"
    book.mkdir()
    (book / "sent-0000000002.jsonl").write_bytes(old)
    logbook = Logbook(book, "rec-1", RECORDER_KEY, site.clock)
    logbook.append([segment(9)])
    assert logbook.seal() == 3
    sealed = (book / "sealed-0000000003.jsonl").read_bytes()
    assert journal.verify(sealed, RECORDER_KEY.public_key(), prev=sha256_hex(old)).batch == 3
    again = Logbook(book, "rec-1", RECORDER_KEY, site.clock)
    again.append([segment(10)])
    assert again.seal() == 4
    found = journal.decode((book / "sealed-0000000004.jsonl").read_bytes())
    assert found.prev == journal.digest_of(sealed) != sha256_hex(sealed)


def test_a_recorder_that_changes_a_tag_key_is_named(site: LogSite) -> None:
    """A package with both would be refused, so that the check says it first."""
    other = Ed25519PrivateKey.generate().private_bytes_raw()
    one = site.archive.keep(5)
    named, body = journal_parts.write_parts(
        {"cam-1": [leaves.encode(one)]}, secret=other, recorder="rec-1", batch=6
    )
    data = signed(named, body, RECORDER_KEY, batch=6, prev=site.archive.prev)
    key = keys.journal_key("rec-1", 6, site.clock.now())
    site.stores.records.put(key, Content.of_bytes(data))
    breaches = Checker(site.stores, site.archive.index, site.clock).run().breaches
    assert [(one.code, one.object) for one in breaches] == [("journal_tag_key", key)]
