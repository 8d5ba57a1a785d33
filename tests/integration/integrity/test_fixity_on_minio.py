"""The scrub on a real MinIO finds changes by an intruder with root's key, even those readers cannot see."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.footage.cameras import Registry
from archive.integrity.check import Checker
from archive.integrity.fixity.job import Scrub
from archive.integrity.fixity.pace import Pace
from archive.objects.locations import open_stores, parse_archive_url
from archive.records.integrity_incidents import incidents
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, as_datetime
from archive.vault import FernetBox, new_key
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive, camera_form
from tests.support.servers import FreshBuckets


@pytest.fixture
def site(fresh_buckets: FreshBuckets, tmp_path: Path) -> Iterator[SmallArchive]:
    clock = ManualClock(SystemClock().now())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in fresh_buckets.server.environment(fresh_buckets.name).items():
            patch.setenv(name, value)
        stores = open_stores(parse_archive_url(fresh_buckets.archive_url), clock)
    index = open_sqlite(tmp_path / "index.sqlite")
    ledger = Ledger(stores.records, clock, lock_days=1)
    registry = Registry(ledger, FernetBox(new_key()), index, clock)
    made = SmallArchive(clock, stores, index, ledger, registry, begin=clock.now() // HOUR * HOUR - HOUR)
    made.register_recorder()
    registry.add(camera_form(), actor="os:tester")
    yield made
    index.close()


def test_what_an_intruder_did_is_found_named_and_on_record(
    site: SmallArchive, fresh_buckets: FreshBuckets
) -> None:
    content = [os.urandom(700_000) for _ in range(8)]
    segments = [site.keep(number, content=content[number]) for number in range(8)]
    site.write_journal(segments)
    site.clock.advance(5 * HOUR)
    client, bucket = fresh_buckets.server.client(), fresh_buckets.name
    versions = {one.key: one.version for one in site.stores.footage.list("segments/")}

    def scrub() -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        with ThreadPoolExecutor(4) as pool:
            walk = Scrub(
                site.stores,
                site.ledger,
                site.clock,
                Pace(None, site.clock, lambda seconds: None),
                every=30 * DAY,
                floor_days=30,
                pool=pool,
            )
            for step in walk.now():
                for finding in step.findings:
                    found.setdefault(finding.subject, set()).add(finding.code)
        return found

    assert scrub() == {}

    marked, shadowed, replaced, gone, unlocked, cut = (segment.key for segment in segments[:6])
    client.delete_object(Bucket=bucket, Key=marked)
    client.put_object(Bucket=bucket, Key=shadowed, Body=b"forged")
    meta = client.head_object(Bucket=bucket, Key=replaced)["Metadata"]
    bypass = {"BypassGovernanceRetention": True}
    client.delete_object(Bucket=bucket, Key=replaced, VersionId=versions[replaced], **bypass)
    client.put_object(Bucket=bucket, Key=replaced, Body=b"forged", Metadata=meta)
    client.delete_object(Bucket=bucket, Key=gone, VersionId=versions[gone], **bypass)
    client.put_object_retention(
        Bucket=bucket, Key=unlocked, VersionId=versions[unlocked], Retention={}, **bypass
    )
    client.put_object_retention(
        Bucket=bucket,
        Key=cut,
        VersionId=versions[cut],
        Retention={"Mode": "GOVERNANCE", "RetainUntilDate": as_datetime(SystemClock().now() + HOUR)},
        **bypass,
    )

    found = scrub()
    assert found[marked] == {"delete_marker"}
    assert found[shadowed] == {"second_version"}
    assert {"bytes_differ", "size_differs"} <= found[replaced]
    assert found[gone] == {"segment_missing"}
    assert found[unlocked] == {"lock_missing"}
    assert found[cut] == {"lock_short"}
    assert found.keys() == {marked, shadowed, replaced, gone, unlocked, cut}
    told = {(one.subject, one.code) for one in incidents(site.ledger)}
    assert told == {(subject, code) for subject, codes in found.items() for code in codes}

    report = Checker(site.stores, site.index, site.clock, floor_days=30).run()
    broken = {(one.invariant, one.object) for one in report.breaches}
    assert {("I9", f"footage:{marked}"), ("I9", f"footage:{shadowed}")} <= broken
    assert {("I1", gone), ("I1", replaced), ("I4", unlocked)} <= broken
