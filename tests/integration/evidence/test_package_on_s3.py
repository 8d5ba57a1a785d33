"""Sealing on a real MinIO: locks, and the attacks that the right to put does not permit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive import keys
from archive.clock import SystemClock
from archive.errors import Refused
from archive.evidence import paths
from archive.evidence.sealed import StoredContainer
from archive.evidence.verification import verify_container
from archive.evidence.zipped import stream_zip
from archive.objects.locations import open_stores, parse_archive_url
from archive.ports import LockMode
from archive.timespan import SECOND
from tests.support.packages import EVIDENCE_ID, World, make_world
from tests.support.servers import FreshBuckets
from tests.support.stores import use_credentials

PREFIX = keys.evidence_prefix(EVIDENCE_ID)


@pytest.fixture(scope="module")
def world(fresh_buckets: FreshBuckets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A sealed package on MinIO, locked for as long as the tests take."""
    clock = SystemClock()
    with pytest.MonkeyPatch.context() as patch:
        use_credentials(patch, fresh_buckets.server)
        stores = open_stores(parse_archive_url(fresh_buckets.archive_url), clock)
        made = make_world(
            tmp_path_factory.mktemp("s3"),
            now=clock.now(),
            stores=(stores.footage, stores.records),
            lock_for=60 * SECOND,
        )
        made.seal()
        yield made


def test_every_part_is_locked_in_compliance_mode_for_the_packages_term(world: World) -> None:
    listed = list(world.target.list(PREFIX))
    assert len(listed) > 10
    for item in listed:
        head = world.target.head(item.key)
        assert head.lock is not None
        assert (head.lock.mode, head.lock.until) == (LockMode.COMPLIANCE, world.plan.lock_until)
        with pytest.raises(Refused):
            world.target.delete_version(item.key, version=head.version)


def test_zip_folder_and_store_are_the_same_package(world: World) -> None:
    from_zip = world.verify(world.zip())
    assert from_zip.valid, from_zip.findings
    stored = verify_container(
        StoredContainer(world.target, EVIDENCE_ID), trust=world.pinned(), at="now", clock=world.clock
    )
    assert replace(stored, container=from_zip.container) == from_zip


def test_a_later_version_over_a_sealed_part_fools_nobody(world: World, fresh_buckets: FreshBuckets) -> None:
    """A plain put adds a version even over a locked one (measured); readers take the oldest (I9)."""
    before = b"".join(stream_zip(world.target, EVIDENCE_ID))
    client = fresh_buckets.server.client()
    bucket = fresh_buckets.all_names[1]
    for path in (paths.STATEMENT, paths.SEAL):
        client.put_object(Bucket=bucket, Key=PREFIX + path, Body=b"forged")
        client.delete_object(Bucket=bucket, Key=PREFIX + path)
    assert b"".join(stream_zip(world.target, EVIDENCE_ID)) == before
    assert world.verify(world.zip()).valid


def test_a_later_version_over_a_segment_is_not_what_is_sealed(
    fresh_buckets: FreshBuckets, world: World, tmp_path: Path
) -> None:
    """Sealing reads the ingested version, even after later puts over it."""
    original = world.plan.originals[0].ref
    client = fresh_buckets.server.client()
    client.put_object(Bucket=fresh_buckets.all_names[0], Key=original.key, Body=b"other footage")
    assert world.seal().gen_time is not None
    assert world.verify(world.zip()).valid
