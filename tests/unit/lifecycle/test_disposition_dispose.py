"""Disposition destroys what is due, all of it, nothing else, and leaves a record."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from archive import keys as names
from archive.errors import IntegrityError, Malformed, NotFound
from archive.footage.reader import read
from archive.footage.skim.parts import PART, stamp_of
from archive.lifecycle.disposition.decide import RETRY
from archive.lifecycle.disposition.listing import (
    KEPT,
    LIST,
    PDF,
    RECORD,
    SIGNATURE,
    STAMP,
    read_kept,
    read_list,
)
from archive.lifecycle.disposition.record import verify_record
from archive.lifecycle.disposition.stored_paper import own_name, read_paper
from archive.model.disposition import DispositionStatus
from archive.model.gap import GapCause
from archive.ports import Content
from archive.timespan import DAY, SECOND, Timespan, hour_of
from archive.trust import certificates
from tests.support.dispositions import MAX_DAYS, AwayAuthority, Disposal, disposal
from tests.support.leaves import T0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Disposal]:
    made = disposal(tmp_path)
    yield made
    made.site.index.close()


def past_maximum(site: Disposal) -> None:
    site.site.clock.advance((MAX_DAYS + 1) * DAY)


def incidents(site: Disposal) -> set[tuple[str, str]]:
    return {(e.state["code"], e.state["subject"]) for e in site.site.ledger.heads("integrity_incident")}


def test_what_is_due_goes_from_store_and_index_and_leaves_a_closed_record(site: Disposal) -> None:
    segments = [site.site.keep(number) for number in range(4)]
    site.policy()
    past_maximum(site)
    young = site.site.keep(MAX_DAYS * 8640)
    done = site.dispose()
    assert done is not None
    assert done.status is DispositionStatus.STAMPED
    assert done.outcome is not None
    assert (done.outcome.destroyed, dict(done.outcome.kept)) == (4, {})
    assert done.outcome.destroyed_bytes == sum(segment.size for segment in segments)
    assert site.stored() == site.indexed() == {young.key}
    listed = read_list(site.site.stores.records, done)
    assert [one.key for one in listed.segments] == [segment.key for segment in segments]
    actions = [entry.action for entry in site.site.ledger.history("disposition", done.id)]
    assert actions == ["disposition.started", "disposition.done", "disposition.stamped"]
    assert done.policies[0].acts[-1][2:] == ("os:kadis", "policy.approved")


def test_what_was_made_of_footage_goes_with_it(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.policy()
    past_maximum(site)
    young = site.site.keep(MAX_DAYS * 8640)
    cache = site.site.stores.cache
    for one in (segment, young):
        stamp = stamp_of(one.span.start - one.span.start % PART)
        cache.put(f"skim/copies/{one.camera}/{stamp}/{'0' * 32}.sheet", Content.of_bytes(b"picture"))
    assert site.dispose() is not None
    (left,) = cache.list("skim/copies/")
    assert stamp_of(young.span.start - young.span.start % PART) in left.key


def test_the_packed_headers_of_what_is_destroyed_go_too(site: Disposal) -> None:
    cache = site.site.stores.cache
    gone, young = site.site.keep(0), site.site.keep(MAX_DAYS * 8640)
    packs = [names.headers_prefix("cam-1", hour_of(one.span.start)) + "a.pack" for one in (gone, young)]
    for one in packs:
        cache.put(one, Content.of_bytes(b"a pack"))
    site.policy()
    past_maximum(site)
    assert site.dispose() is not None
    assert site.stored() == {young.key}
    assert [one.key for one in cache.list("headers/")] == packs[1:]


def test_nothing_goes_without_a_policy_that_says_so(site: Disposal) -> None:
    site.site.keep(0)
    past_maximum(site)
    assert site.dispose() is None
    site.policy(longest=None)
    assert site.dispose() is None
    assert len(site.stored()) == 1


def test_nothing_goes_before_its_time(site: Disposal) -> None:
    kept = site.site.keep(0)
    site.policy()
    site.site.clock.advance(MAX_DAYS * DAY - 3600 * SECOND)
    assert site.dispose() is None
    assert site.stored() == {kept.key}


def test_an_object_that_the_index_lost_goes_too(site: Disposal) -> None:
    lost = site.site.keep(0)
    site.site.index.remove([lost.ref()])
    site.policy()
    past_maximum(site)
    done = site.dispose()
    assert done is not None
    assert site.stored() == set()
    assert read_list(site.site.stores.records, done).segments[0].span == lost.span


def test_held_footage_is_not_on_the_list(site: Disposal) -> None:
    segments = [site.site.keep(number) for number in range(3)]
    site.policy()
    past_maximum(site)
    site.hold(segments[1:2], flag=False)
    done = site.dispose()
    assert done is not None
    assert site.stored() == site.indexed() == {segments[1].key}
    assert done.segments == 2


def test_a_hold_placed_after_the_decision_is_obeyed(site: Disposal) -> None:
    segments = [site.site.keep(number) for number in range(3)]
    site.policy()
    past_maximum(site)
    disposer = site.disposer()
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    site.hold(segments[1:2], flag=False)
    done = disposer.carry_out(begun)
    assert done.outcome is not None
    assert dict(done.outcome.kept) == {"under_hold": 1}
    assert site.stored() == site.indexed() == {segments[1].key}


def test_a_policy_lengthened_after_the_decision_is_obeyed(site: Disposal) -> None:
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    disposer = site.disposer()
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    site.policy(longest=365)
    done = disposer.carry_out(begun)
    assert done.outcome is not None
    assert dict(done.outcome.kept) == {"policy_changed": 1}
    assert len(site.stored()) == 1


def test_a_policy_lengthened_this_very_hour_counts(site: Disposal) -> None:
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    site.site.clock.advance(600 * SECOND)
    site.policy(longest=365)
    assert site.dispose() is None


def test_what_is_still_locked_stays_and_is_not_tried_each_hour(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.policy()
    past_maximum(site)
    head = site.footage.head(segment.key)
    assert head.lock is not None
    longer = type(head.lock)(head.lock.mode, site.site.clock.now() + 10 * DAY)
    site.footage.extend_lock(segment.key, longer, version=head.version)
    done = site.dispose()
    assert done is not None
    assert done.outcome is not None
    assert dict(done.outcome.kept) == {"under_retention": 1}
    assert read_kept(site.site.stores.records, done)[0].until is not None
    assert site.stored() == site.indexed() == {segment.key}
    site.site.clock.advance(9 * DAY)
    assert site.dispose() is None
    site.site.clock.advance(2 * DAY)
    assert site.dispose() is not None
    assert site.stored() == set()


def test_what_the_store_holds_alone_is_tried_again_the_day_after(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.policy()
    past_maximum(site)
    version = site.footage.head(segment.key).version
    site.footage.place_hold(segment.key, version=version)
    first = site.dispose()
    assert first is not None
    assert first.outcome is not None
    assert dict(first.outcome.kept) == {"under_hold": 1}
    site.site.clock.advance(RETRY - 2 * 3600 * SECOND)
    assert site.dispose() is None
    site.footage.release_hold(segment.key, version=version)
    site.site.clock.advance(4 * 3600 * SECOND)
    assert site.dispose() is not None
    assert site.stored() == set()


def test_destroyed_time_reads_as_disposed(site: Disposal) -> None:
    segments = [site.site.keep(number) for number in range(5)]
    site.policy()
    past_maximum(site)
    site.hold(segments[2:3], flag=False)
    site.dispose()
    span = Timespan(segments[0].span.start, segments[-1].span.end)
    reading = read(site.site.index, "cam-1", span, registered_at=T0, now=site.site.clock.now())
    assert [(gap.cause, gap.span) for gap in reading.gaps] == [
        (GapCause.DISPOSED.value, Timespan(segments[0].span.start, segments[1].span.end)),
        (GapCause.DISPOSED.value, Timespan(segments[3].span.start, segments[4].span.end)),
    ]
    assert list(reading.coverage) == [segments[2].span]


def test_a_size_that_differs_is_an_incident_and_stays(site: Disposal) -> None:
    segment = site.site.keep(0)
    other = site.site.keep(1)
    site.policy()
    past_maximum(site)
    site.site.index.remove([segment.ref()])
    site.footage.delete_version(segment.key, version=site.footage.head(segment.key).version)
    site.footage.put(segment.key, Content.of_bytes(b"nobody's leaf"))
    site.dispose()
    assert site.stored() == {segment.key}
    assert incidents(site) == {("leaf_missing", f"footage:{segment.key}")}
    assert other.key not in site.indexed()


def test_the_same_list_is_one_disposition(site: Disposal) -> None:
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    one, two = site.disposer(), site.disposer()
    first = one.begin(one.judge_everything(), actor="os:one")
    second = two.begin(two.judge_everything(), actor="os:two")
    assert first == second
    assert first is not None
    assert two.carry_out(first) == one.carry_out(first)
    assert len(list(site.site.ledger.history("disposition", first.id))) == 3


def test_the_stamp_is_fetched_when_the_authority_answers_again(site: Disposal) -> None:
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    disposer = site.disposer(authority=AwayAuthority())
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    done = disposer.carry_out(begun)
    assert done.status is DispositionStatus.DONE
    with pytest.raises(NotFound):
        site.site.stores.records.get(names.disposition_prefix(done.id) + STAMP)
    assert disposer.resume() == 0
    assert site.disposer().resume() == 1
    assert site.disposer().find(done.id).status is DispositionStatus.STAMPED
    assert site.disposer().resume() == 0


def test_a_list_that_was_altered_destroys_nothing_more(site: Disposal, tmp_path: Path) -> None:
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    disposer = site.disposer()
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    path = tmp_path / "records" / (names.disposition_prefix(begun.id) + LIST)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"cam-1", b"cam-2"))
    with pytest.raises(IntegrityError):
        site.disposer().resume()
    assert len(site.stored()) == 1


def test_a_hold_that_came_too_late_is_named(site: Disposal) -> None:
    segment = site.site.keep(0)
    site.policy()
    past_maximum(site)
    disposer = site.disposer()
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    inner = disposer.stores.footage.delete_versions

    class Late:
        """A hold is written while the store deletes."""

        def __getattr__(self, name: str) -> object:
            return getattr(site.footage, name)

        def delete_versions(self, items: object) -> object:
            answer = inner(items)  # type: ignore[arg-type]
            site.hold([segment], flag=False)
            return answer

    disposer.stores = type(disposer.stores)(Late(), site.site.stores.records, site.site.stores.cache)  # type: ignore[arg-type]
    disposer.carry_out(begun)
    assert incidents(site) == {("destroyed_as_held", f"footage:{segment.key}")}


def test_the_record_verifies_and_every_alteration_is_named(site: Disposal, tmp_path: Path) -> None:
    for number in range(3):
        site.site.keep(number)
    site.policy()
    past_maximum(site)
    done = site.dispose()
    assert done is not None
    roots = certificates.load_pem_files([site.keys_dir / "root.pem"])
    records = site.site.stores.records
    verdict = verify_record(records, done, roots=roots, stamp_roots=roots)
    assert verdict.findings == ()
    assert verdict.valid
    assert verdict.stamped_at is not None
    assert done.outcome is not None
    assert verdict.signer_sha256 == done.outcome.signer_sha256
    folder = tmp_path / "records" / names.disposition_prefix(done.id)
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or not path.read_bytes():
            continue
        whole = path.read_bytes()
        path.chmod(0o600)
        path.write_bytes(whole[:-20] + bytes([whole[-20] ^ 1]) + whole[-19:])
        broken = verify_record(records, done, roots=roots, stamp_roots=roots)
        assert not broken.valid, path.name
        assert any(finding.object.endswith(path.name) for finding in broken.findings)
        path.write_bytes(whole)
    assert verify_record(records, done, roots=roots, stamp_roots=roots).valid


@pytest.mark.parametrize("name", [RECORD, KEPT, SIGNATURE])
def test_what_somebody_planted_is_never_signed(site: Disposal, name: str) -> None:
    segment = site.site.keep(0)
    site.policy()
    past_maximum(site)
    site.footage.place_hold(segment.key, version=site.footage.head(segment.key).version)
    disposer = site.disposer()
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    planted = b"" if name == KEPT else b'{"v":1}'
    site.site.stores.records.put(names.disposition_prefix(begun.id) + name, Content.of_bytes(planted))
    with pytest.raises((IntegrityError, Malformed)):
        disposer.carry_out(begun)
    assert site.disposer().find(begun.id).status is DispositionStatus.STARTED


def test_another_page_in_its_place_keeps_no_disposition_open_and_passes_for_nothing(
    site: Disposal,
) -> None:
    """Closing printed its page, was killed, and continues after an upgrade; or an intruder planted a page."""
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    disposer = site.disposer()
    begun = disposer.begin(disposer.judge_everything(), actor="os:tester")
    assert begun is not None
    records, prefix = site.site.stores.records, names.disposition_prefix(begun.id)
    older = b"%PDF-1.4 the same page by another version"
    records.put(prefix + PDF, Content.of_bytes(older))
    done = disposer.carry_out(begun)
    assert done.outcome is not None
    assert records.get(prefix + PDF) == older
    name, page = read_paper(records, done, done.outcome.pdf_sha256)
    assert (name, sha256(page).hexdigest()) == (own_name(page), done.outcome.pdf_sha256)
    assert page.startswith(b"%PDF")
    assert page != older
    roots = certificates.load_pem_files([site.keys_dir / "root.pem"])
    assert verify_record(records, done, roots=roots, stamp_roots=roots).valid
    assert incidents(site) == {("disposition_paper", f"disposition:{begun.id}")}
    with pytest.raises(IntegrityError):
        read_paper(records, done, sha256(b"planted").hexdigest())


def test_a_record_whose_counts_do_not_follow_from_the_list_is_named(site: Disposal) -> None:
    site.site.keep(0)
    site.policy()
    past_maximum(site)
    done = site.dispose()
    assert done is not None
    roots = certificates.load_pem_files([site.keys_dir / "root.pem"])
    lying = replace(done, segments=done.segments + 1)
    verdict = verify_record(site.site.stores.records, lying, roots=roots, stamp_roots=roots)
    assert {finding.code for finding in verdict.findings} == {"record_differs"}
