"""``archive check`` names every kind of damage, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.check import Breach, Checker
from archive.model.gap import RunEnd
from archive.model.segment import Run
from archive.timespan import HOUR, SECOND, Timespan
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import RUN, T0


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.register_recorder()
    made.registry.add(camera_form(), actor="os:tester")
    yield made
    made.index.close()


def check(site: SmallArchive, **options: bool) -> list[Breach]:
    return Checker(site.stores, site.index, site.clock, **options).run().breaches


def found(breaches: list[Breach]) -> set[tuple[str, str]]:
    return {(breach.invariant, breach.code) for breach in breaches}


def stored_file(tmp_path: Path, content: bytes) -> Path:
    return next(
        p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".sqlite" and content in p.read_bytes()
    )


def test_a_whole_archive_has_no_breach(site: SmallArchive) -> None:
    site.write_journal([site.keep(0), site.keep(1)])
    site.write_journal([site.keep(2)])
    report = Checker(site.stores, site.index, site.clock, hash_segments=True).run()
    assert report.breaches == []
    assert (report.segments, report.batches, report.entries) == (3, 2, 2)
    assert report.bytes_hashed > 0


def test_a_lost_object_and_an_unindexed_one(site: SmallArchive) -> None:
    lost, kept = site.keep(0), site.keep(1)
    site.clock.advance(40 * 24 * HOUR)
    head = site.stores.footage.head(lost.key)
    site.stores.footage.delete_version(lost.key, version=head.version)
    site.index.remove([kept.ref()])
    site.write_journal([lost, kept])
    breaches = check(site)
    assert found(breaches) == {("I1", "object_missing"), ("I1", "not_indexed")}
    assert {breach.object for breach in breaches} == {lost.key, kept.key}


def test_a_young_object_may_still_be_on_its_way(site: SmallArchive) -> None:
    young = site.keep(0)
    site.index.remove([young.ref()])
    assert check(site) == []


def test_altered_bytes_are_found_by_reading(site: SmallArchive, tmp_path: Path) -> None:
    segment = site.keep(0, content=b"precious footage " * 10)
    path = stored_file(tmp_path / "footage", b"precious footage")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"footage", b"forgery", 1))
    path.chmod(0o440)
    breaches = check(site, hash_segments=True)
    assert found(breaches) <= {("I1", "bytes_differ"), ("I1", "object_altered")}
    assert [breach.object for breach in breaches] == [segment.key]


def test_a_missing_batch_and_a_hole_in_a_run(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(3)]
    site.write_journal(segments[:1])
    first_prev, first_count = site.prev, site.batches
    site.prev, site.batches = "f" * 64, first_count + 1  # as if batch 2 had been there and vanished
    site.write_journal(segments[2:])
    assert found(check(site)) == {("I2", "batch_missing"), ("I2", "run_has_holes")}
    assert first_prev != site.prev


def test_a_run_that_closed_with_more_segments_than_are_on_record(site: SmallArchive) -> None:
    end = Run(
        camera="cam-1",
        recorder="rec-1",
        run=RUN,
        span=Timespan(T0, T0 + 30 * SECOND),
        segments=3,
        reason=RunEnd.STOPPED,
        ingested_at=T0 + 31 * SECOND,
    )
    site.write_journal([site.keep(0), site.keep(1), end])
    assert found(check(site)) == {("I2", "run_has_holes")}


def test_a_batch_by_an_unregistered_key(tmp_path: Path) -> None:
    site = small_archive(tmp_path)
    site.write_journal([site.keep(0)])
    assert found(check(site)) == {("I2", "journal_unknown_key")}
    site.index.close()


def test_only_the_asked_span_is_walked(site: SmallArchive) -> None:
    for number in range(4):
        site.keep(number)
    report = Checker(site.stores, site.index, site.clock).run(Timespan(T0 + 10 * SECOND, T0 + 30 * SECOND))
    assert report.segments == 2
