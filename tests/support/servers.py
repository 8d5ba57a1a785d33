"""The real servers as fixtures: those the environment names, else those of a running ``saksi stack up``.

Without either, the tests that need them are skipped with a sentence that says how to get them. If ``CI`` is
set they fail, because a run that tests nothing must not look like a pass. ``disposable_stack`` gives a test
its own servers, which it may kill.
"""

import json
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from archive.errors import Unavailable
from ops.provision import provision
from ops.stack import Places, Stack
from tests.support.keycloak import KeycloakServer
from tests.support.programs import lacking
from tests.support.workers import own_name

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

REGION = "us-east-1"
_ARCHIVE_VARIABLES = ("SAKSI_TEST_MINIO_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
_ELASTIC_VARIABLES = ("SAKSI_TEST_ELASTIC_URL",)
_KEYCLOAK_VARIABLES = ("SAKSI_TEST_KEYCLOAK_URL", "SAKSI_TEST_KEYCLOAK_SECRETS")
_MEDIAMTX_VARIABLES = ("SAKSI_TEST_RTSP_URL", "SAKSI_TEST_MEDIAMTX_API", "SAKSI_TEST_MEDIAMTX_PLAYBACK")


@dataclass(frozen=True, slots=True)
class MinioServer:
    """A MinIO and its root credentials."""

    url: str
    access_key: str
    secret_key: str = field(repr=False)

    def archive_url(self, name: str) -> str:
        """The value of ``SAKSI_ARCHIVE_URL`` for the buckets of that name."""
        return f"s3://{name}?endpoint={self.url}&region={REGION}"

    def environment(self, name: str) -> dict[str, str]:
        """The variables that make a program use the buckets of that name."""
        return {
            "SAKSI_ARCHIVE_URL": self.archive_url(name),
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
        }

    def client(self, config: Config | None = None) -> "S3Client":
        """A bare boto3 client, for operations that our own adapter would not do; ``config`` adds to ours."""
        return boto3.client(
            "s3",
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(s3={"addressing_style": "path"}, proxies={}).merge(config or Config()),
        )


@dataclass(frozen=True, slots=True)
class ElasticServer:
    """An Elasticsearch without authentication."""

    url: str


@dataclass(frozen=True, slots=True)
class MediamtxServer:
    """A MediaMTX: the address for publishing and reading, its control API, and its playback server."""

    rtsp_url: str
    api_url: str
    playback_url: str

    def own_url(self, name: str) -> str:
        """An RTSP address that nothing else publishes to, in this run or in a parallel one."""
        return f"{self.rtsp_url}/{name}-{secrets.token_hex(4)}"


@dataclass(frozen=True, slots=True)
class FreshBuckets:
    """The three buckets of a new archive on a MinIO: ``name``, ``name-records``, ``name-cache``."""

    server: MinioServer
    name: str

    @property
    def archive_url(self) -> str:
        """The value of ``SAKSI_ARCHIVE_URL`` for them."""
        return self.server.archive_url(self.name)

    @property
    def all_names(self) -> tuple[str, str, str]:
        """Names of the buckets."""
        return self.name, f"{self.name}-records", f"{self.name}-cache"


@pytest.fixture(scope="session")
def stack_environment() -> dict[str, str]:
    """The variables of a stack that runs, under those that the process environment has for tests."""
    places = Places.from_environment()
    try:
        running = Stack(places.state_dir, places.cache_dir).env()
    except Unavailable:
        running = {}
    own = {name: value for name, value in os.environ.items() if name.startswith("SAKSI_TEST_")}
    if "SAKSI_TEST_MINIO_URL" in own:
        # Credentials belong to their server: never use the stack's with another server.
        own |= {name: os.environ.get(name, "") for name in _ARCHIVE_VARIABLES}
    return running | own


@pytest.fixture(scope="session")
def minio_server(stack_environment: Mapping[str, str]) -> MinioServer:
    """A real MinIO."""
    url, access_key, secret_key = _required(stack_environment, "MinIO", _ARCHIVE_VARIABLES)
    return MinioServer(url, access_key, secret_key)


@pytest.fixture(scope="session")
def elastic_server(stack_environment: Mapping[str, str]) -> ElasticServer:
    """A real Elasticsearch."""
    return ElasticServer(*_required(stack_environment, "Elasticsearch", _ELASTIC_VARIABLES))


@pytest.fixture(scope="session")
def mediamtx_server(stack_environment: Mapping[str, str]) -> MediamtxServer:
    """A real MediaMTX."""
    return MediamtxServer(*_required(stack_environment, "MediaMTX", _MEDIAMTX_VARIABLES))


@pytest.fixture(scope="session")
def keycloak_server(stack_environment: Mapping[str, str]) -> KeycloakServer:
    """A real Keycloak with the realm ``saksi``; an optional part of the stack."""
    command = "saksi stack up --with keycloak"
    url, kept = _required(stack_environment, "Keycloak", _KEYCLOAK_VARIABLES, command)
    return KeycloakServer(url, json.loads(kept))


@pytest.fixture(scope="module")
def fresh_buckets(minio_server: MinioServer) -> Iterator[FreshBuckets]:
    """New buckets for one test module, with default retentions of a day; removed as far as they let us."""
    buckets = FreshBuckets(minio_server, own_name("test"))
    provision(
        minio_server.url, minio_server.access_key, minio_server.secret_key, buckets.name,
        footage_floor_days=1, records_lock_days=1, region=REGION,
    )  # fmt: skip
    yield buckets
    client = minio_server.client()
    for name in buckets.all_names:
        remove_bucket(client, name)


@pytest.fixture
def fresh_index_prefix(elastic_server: ElasticServer) -> Iterator[str]:
    """A prefix that no index has, for one test; indices and templates under it are removed afterwards."""
    prefix = own_name("test")
    yield prefix
    with httpx.Client(base_url=elastic_server.url, trust_env=False, timeout=30) as client:
        found = client.get(f"/{prefix}*", params={"filter_path": "*.aliases", "expand_wildcards": "all"})
        for index in found.json():
            client.delete(f"/{index}")
        for kind in ("_index_template", "_component_template"):
            client.delete(f"/{kind}/{prefix}*")


@pytest.fixture
def disposable_stack() -> Iterator[Stack]:
    """The test's own stack, on free ports, with nothing started; killed and erased afterwards.

    Its folder is not ``tmp_path``: under root, Elasticsearch runs as a user that cannot enter that folder.
    """
    folder = Path(tempfile.mkdtemp(prefix="saksi-stack-"))
    folder.chmod(0o755)
    stack = Stack(folder / "state", Places.from_environment().cache_dir, ports=0)
    if not stack.fetched():
        shutil.rmtree(folder)
        absent("the servers' programs are not in the cache")
    try:
        yield stack
    finally:
        stack.erase()
        shutil.rmtree(folder)


def remove_bucket(client: "S3Client", name: str) -> None:
    """Remove a bucket with all versions, unless an object is held or locked in COMPLIANCE mode."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=name)
    for page in pages:
        doomed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if doomed:
            client.delete_objects(
                Bucket=name,
                Delete={
                    "Objects": [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in doomed],
                    "Quiet": True,
                },
                BypassGovernanceRetention=True,
            )
    try:
        client.delete_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketNotEmpty":
            raise


def _required(
    environment: Mapping[str, str], server: str, names: tuple[str, ...], command: str = "saksi stack up"
) -> list[str]:
    missing = [name for name in names if not environment.get(name)]
    if missing:
        absent(f"{server} is not running ({', '.join(missing)} not set)", command)
    return [environment[name] for name in names]


def absent(what: str, command: str = "saksi stack up") -> NoReturn:
    """Skip the test with a sentence that says how to get the server; fail where ``CI`` is set."""
    lacking(f"{what}; start it with: {command}")
