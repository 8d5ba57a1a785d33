"""The log on a real MinIO: verification names every change by root or by an account that may put."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from archive.clock import ManualClock, SystemClock
from archive.errors import IntegrityError
from archive.footage.cameras import Registry
from archive.model.custody import Actor
from archive.objects.locations import open_stores, parse_archive_url
from archive.records.checkpoint import stored
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR
from archive.vault import FernetBox, new_key
from ops.provision import provision
from search.sqlite import open_sqlite
from tests.support.archives import SmallArchive
from tests.support.checkpoints import LogSite
from tests.support.servers import REGION, MinioServer
from tests.support.stores import use_credentials
from tests.support.workers import own_name

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


_ACTOR = Actor(id="token:t")


@dataclass
class OnS3:
    """A healthy log of two hours on MinIO, and the store's root beside it."""

    site: LogSite
    root: "S3Client"
    bucket: str

    def first(self, prefix: str) -> str:
        """The first object under a prefix."""
        return next(iter(self.site.stores.records.list(prefix))).key

    def found(self) -> set[tuple[str, str]]:
        """Codes and objects of a verification now."""
        return {(f.code, f.object) for f in self.site.verify().findings}

    def destroy(self, key: str) -> None:
        """Root deletes the version, past its GOVERNANCE lock."""
        version = self.site.stores.records.head(key).version
        self.root.delete_object(
            Bucket=self.bucket, Key=key, VersionId=version, BypassGovernanceRetention=True
        )


@pytest.fixture
def on_s3(minio_server: MinioServer, tmp_path: Path) -> Iterator[OnS3]:
    name = own_name("log")
    provision(
        minio_server.url, minio_server.access_key, minio_server.secret_key, name,
        footage_floor_days=1, records_lock_days=1, region=REGION,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        use_credentials(patch, minio_server)
        clock = ManualClock(SystemClock().now())
        stores = open_stores(parse_archive_url(minio_server.archive_url(name)), clock)
        index = open_sqlite(tmp_path / "index.sqlite")
        ledger = Ledger(stores.records, clock)
        registry = Registry(ledger, FernetBox(new_key()), index, clock)
        site = LogSite(tmp_path, SmallArchive(clock, stores, index, ledger, registry))
        # The store's clock is the real one: the log's must not run ahead of it by more than the grace.
        for _ in range(2):
            site.archive.ledger.append(
                "camera", f"cam-{secrets.token_hex(3)}", {}, expected=0, actor="os:t", action="camera.added"
            )
            site.archive.write_journal([])
            site.custody.record("clip.read", actor=_ACTOR)
            site.checkpoint()
        assert site.verify().valid
        yield OnS3(site, minio_server.client(), f"{name}-records")


def test_a_second_version_or_a_delete_marker_fools_nobody_and_is_named(on_s3: OnS3) -> None:
    keys = [
        on_s3.first("journal/"),
        on_s3.first("custody/"),
        on_s3.first("ledger/"),
        *(on_s3.site.part(1, part) for part in ("leaves", stored.CHECKPOINT, stored.SIGNATURE, stored.STAMP)),
    ]
    for key in keys:
        on_s3.root.put_object(Bucket=on_s3.bucket, Key=key, Body=b"forged")
    assert on_s3.found() == {("second_version", key) for key in keys}
    for key in keys:
        on_s3.root.delete_object(Bucket=on_s3.bucket, Key=key)
    assert on_s3.found() == {(code, key) for key in keys for code in ("second_version", "delete_marker")}


@pytest.mark.parametrize("prefix", ["journal/", "custody/", "ledger/camera/"])
def test_what_root_destroys_is_named(on_s3: OnS3, prefix: str) -> None:
    key = on_s3.first(prefix)
    on_s3.destroy(key)
    assert ("object_missing", key) in on_s3.found()
    on_s3.root.put_object(Bucket=on_s3.bucket, Key=key, Body=b'{"forged":"entry"}')
    assert ("object_altered", key) in on_s3.found()


def test_not_even_root_destroys_a_checkpoint(on_s3: OnS3) -> None:
    for part in ("leaves", stored.CHECKPOINT, stored.SIGNATURE, stored.STAMP):
        with pytest.raises(ClientError):
            on_s3.destroy(on_s3.site.part(2, part))
    assert on_s3.found() == set()


def test_a_checkpoint_put_over_a_delete_marker_does_not_pass_for_the_first(on_s3: OnS3) -> None:
    """Put-if-absent succeeds there (measured); the log job must notice that it was not the first."""
    key = stored.PREFIX + "0000000003/checkpoint"
    put = on_s3.root.put_object(Bucket=on_s3.bucket, Key=key, Body=b"bait")
    on_s3.root.delete_object(Bucket=on_s3.bucket, Key=key)
    on_s3.root.delete_object(
        Bucket=on_s3.bucket, Key=key, VersionId=put["VersionId"], BypassGovernanceRetention=True
    )
    with pytest.raises(IntegrityError) as caught:
        on_s3.site.maker().make()
    assert caught.value.code == "second_version"
    heads = on_s3.site.archive.ledger.heads("integrity_incident")
    assert [entry.state["code"] for entry in heads] == ["second_version"]
    assert ("delete_marker", key) in on_s3.found()


def test_an_hour_on_s3_is_proven_and_followed(on_s3: OnS3) -> None:
    on_s3.site.clock.advance(HOUR // 2)
    assert on_s3.site.maker().run_due() == 0
    assert on_s3.site.verify().valid
