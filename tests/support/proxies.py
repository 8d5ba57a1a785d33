"""An nginx as a city deploys it, in front of the tests' MinIO, and the accounts of one archive."""

import functools
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from botocore.config import Config

from archive.clock import SystemClock
from archive.objects.locations import S3Location, open_stores
from archive.ports import Stores
from ops.deploy import proxy_configuration
from ops.provision import ACCOUNTS, provision_accounts, recorder_account
from ops.stack import ports
from ops.stack.account import give, unprivileged
from ops.stack.proxy import configuration
from tests.support.programs import nginx
from tests.support.servers import REGION, FreshBuckets, MinioServer

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

RECORDER = "rec-1"


@contextmanager
def proxy_before(server: MinioServer, archive: str) -> Iterator[str]:
    """The URL of a separate proxy, while the block runs."""
    program = nginx()
    folder = Path(tempfile.mkdtemp(prefix="saksi-proxy-"))
    folder.chmod(0o755)
    port = ports.free()
    store = server.url.removeprefix("http://")
    (folder / "saksi-store.conf").write_text(
        proxy_configuration(archive, listen=f"127.0.0.1:{port}", store=store)
    )
    (folder / "nginx.conf").write_text(configuration(folder))
    account = unprivileged()
    if account is not None:
        give(account, folder)
    argv = [program, "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]
    url = f"http://127.0.0.1:{port}"
    log = (folder / "log").open("wb")
    process = subprocess.Popen(
        argv, stderr=log, user=account.uid if account else None, group=account.gid if account else None
    )
    try:
        deadline = time.monotonic() + 20
        with httpx.Client(trust_env=False) as client:
            while True:
                try:
                    if client.get(f"{url}/minio/health/live").status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                assert process.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, "the proxy did not come up"
                time.sleep(0.05)  # real time: a pause between two looks
        yield url
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)
        log.close()
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True)
class City:
    """A MinIO with the buckets and accounts of one archive, and the proxy in front of it."""

    buckets: FreshBuckets
    proxy_url: str
    accounts: dict[str, MinioServer]

    @property
    def names(self) -> list[str]:
        """Every account of the applications."""
        return list(self.accounts)

    def through(self, account: str, *, proxy: bool) -> MinioServer:
        """The store as an account reaches it."""
        return replace(self.accounts[account], url=self.proxy_url if proxy else self.buckets.server.url)

    def client(self, account: str, *, proxy: bool = True) -> "S3Client":
        """A bare client that tries once."""
        return _client_of(self.through(account, proxy=proxy))

    def stores(self, patch: pytest.MonkeyPatch, account: str, *, proxy: bool = True) -> Stores:
        """The archive's own adapters, with the account's credentials."""
        reached = self.through(account, proxy=proxy)
        patch.setenv("AWS_ACCESS_KEY_ID", reached.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", reached.secret_key)
        return open_stores(S3Location(self.buckets.name, reached.url, REGION), SystemClock(), pool_size=4)

    def root_stores(self, patch: pytest.MonkeyPatch) -> Stores:
        """The archive's own adapters as root."""
        server = self.buckets.server
        patch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
        patch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
        return open_stores(S3Location(self.buckets.name, server.url, REGION), SystemClock(), pool_size=4)

    def environment(self, account: str, *, proxy: bool = True) -> dict[str, str]:
        """The variables with which a program uses the archive with the account."""
        return self.through(account, proxy=proxy).environment(self.buckets.name)


@functools.cache
def _client_of(reached: MinioServer) -> "S3Client":
    """One client of each account: to make one takes longer than most requests do."""
    return reached.client(Config(retries={"total_max_attempts": 1, "mode": "standard"}))


@contextmanager
def city_of(buckets: FreshBuckets, keys_dir: Path) -> Iterator[City]:
    """Accounts and a proxy for existing buckets; the accounts are removed afterwards."""
    server = buckets.server
    made = provision_accounts(
        server.url, server.access_key, server.secret_key, buckets.name,
        [*ACCOUNTS, recorder_account(RECORDER)], keys_dir=keys_dir, region=REGION,
    )  # fmt: skip
    accounts: dict[str, MinioServer] = {}
    for one in made:
        lines = dict(line.split("=", 1) for line in one.environment.read_text().splitlines())
        accounts[one.account.name] = MinioServer(
            server.url, lines["AWS_ACCESS_KEY_ID"], lines["AWS_SECRET_ACCESS_KEY"]
        )
    try:
        with proxy_before(server, buckets.name) as url:
            yield City(buckets, url, accounts)
    finally:
        remove_accounts(server, [one.access_key for one in made])
        release_all(buckets)


def release_all(buckets: FreshBuckets) -> None:
    """Release every hold, so that the buckets can be removed."""
    client = buckets.server.client()
    for bucket in buckets.all_names[:2]:
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", []):
                client.put_object_legal_hold(
                    Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"], LegalHold={"Status": "OFF"}
                )


def remove_accounts(server: MinioServer, names: list[str]) -> None:
    """Remove the accounts and their policies from the store."""
    from ops.provision.connection import connect_admin

    admin = connect_admin(server.url, server.access_key, server.secret_key, REGION)
    for name in names:
        admin.user_remove(name)
        admin.policy_remove(name)
