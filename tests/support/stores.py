"""Object stores to test against, and ways to disturb them: a proxy that loses answers, a full disk."""

import hashlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from io import RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from urllib.parse import urlsplit

import pytest
from minio import MinioAdmin
from minio.credentials.providers import StaticProvider

from archive.clock import SystemClock
from archive.errors import ArchiveError
from archive.objects.filesystem import FilesystemStore
from archive.objects.s3 import S3Store
from archive.ports import Content, Lock, LockMode, ObjectStore
from tests.support.programs import lacking
from tests.support.servers import REGION, MinioServer, remove_bucket
from tests.support.workers import own_name

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class StoreUnderTest:
    """A store, empty under :attr:`prefix`, and the properties of its kind that the suite needs."""

    kind: str
    store: ObjectStore
    prefix: str
    raw: "RawBucket | None" = None

    def key(self, name: str) -> str:
        """A key that only this test uses."""
        return f"{self.prefix}/{name}"

    @property
    def bucket(self) -> "RawBucket":
        """The bucket below, for a store that has one."""
        assert self.raw is not None
        return self.raw


@dataclass(frozen=True, slots=True)
class RawBucket:
    """A bucket and a bare client for it, for operations that our adapter would never do."""

    server: MinioServer
    client: "S3Client"
    name: str


@pytest.fixture(scope="session")
def locking_bucket(minio_server: MinioServer) -> Iterator[RawBucket]:
    """A bucket with versioning and Object Lock, and no default retention."""
    bucket = RawBucket(minio_server, minio_server.client(), own_name("objects"))
    bucket.client.create_bucket(Bucket=bucket.name, ObjectLockEnabledForBucket=True)
    yield bucket
    erase(bucket)


@pytest.fixture(scope="session")
def store_credentials(minio_server: MinioServer) -> Iterator[None]:
    """The MinIO's credentials in the environment, where the adapter looks for them."""
    with pytest.MonkeyPatch.context() as patch:
        use_credentials(patch, minio_server)
        yield


@pytest.fixture(params=["filesystem", "s3"])
def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreUnderTest]:
    """Each kind of store in turn."""
    prefix = f"t-{secrets.token_hex(6)}"
    if request.param == "filesystem":
        yield StoreUnderTest("filesystem", FilesystemStore(tmp_path / "store", SystemClock()), prefix)
        return
    request.getfixturevalue("store_credentials")
    bucket: RawBucket = request.getfixturevalue("locking_bucket")
    yield StoreUnderTest("s3", s3_store(bucket), prefix, bucket)


@pytest.fixture
def on_s3(locking_bucket: RawBucket, store_credentials: None) -> StoreUnderTest:
    """Only S3, with a bare client beside our adapter."""
    return StoreUnderTest("s3", s3_store(locking_bucket), f"t-{secrets.token_hex(6)}", locking_bucket)


def s3_store(bucket: RawBucket, *, url: str | None = None, read_timeout: float = 20.0) -> S3Store:
    """Our adapter on that bucket, at another address if one is given."""
    return S3Store.connect(
        url or bucket.server.url, REGION, bucket.name, connect_timeout=2, read_timeout=read_timeout
    )


def use_credentials(patch: pytest.MonkeyPatch, server: MinioServer) -> None:
    """Put a server's credentials into the environment."""
    patch.setenv("AWS_ACCESS_KEY_ID", server.access_key)
    patch.setenv("AWS_SECRET_ACCESS_KEY", server.secret_key)
    patch.delenv("AWS_SESSION_TOKEN", raising=False)


def erase(bucket: RawBucket) -> None:
    """Release all holds, then remove the bucket as far as its locks permit."""
    for page in bucket.client.get_paginator("list_object_versions").paginate(Bucket=bucket.name):
        for one in page.get("Versions", []):
            if "/held" in one["Key"]:
                bucket.client.put_object_legal_hold(
                    Bucket=bucket.name,
                    Key=one["Key"],
                    VersionId=one["VersionId"],
                    LegalHold={"Status": "OFF"},
                )
    remove_bucket(bucket.client, bucket.name)


def now() -> int:
    """The wall clock, in µs, which real stores use."""
    return SystemClock().now()


def governance(microseconds: int) -> Lock:
    """A GOVERNANCE lock from now on."""
    return Lock(LockMode.GOVERNANCE, now() + microseconds)


def refused_with(kind: type[ArchiveError], code: str, act: Callable[[], object]) -> ArchiveError:
    """Assert that ``act`` raises an error of that kind and code, and return it."""
    with pytest.raises(kind) as caught:
        act()
    assert caught.value.code == code
    return caught.value


def wait_until(instant: int) -> None:
    """Let wall time pass ``instant`` (µs) by a second, for stores that keep whole seconds."""
    while (left := instant - now() + 1_100_000) > 0:
        time.sleep(left / 1_000_000)  # real time: what is waited for is a moment


class _Pattern(RawIOBase):
    """``size`` bytes of a repeated block, made as they are read."""

    def __init__(self, block: bytes, size: int) -> None:
        self._block, self._size, self._at = block, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = (0, self._at, self._size)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        length = min(len(view), self._size - self._at, len(self._block) - self._at % len(self._block))
        inside = self._at % len(self._block)
        view[:length] = self._block[inside : inside + length]
        self._at += length
        return length


def patterned(size: int, block: bytes = bytes(range(251)) * 521) -> Content:
    """Large content that needs no memory."""
    digest = hashlib.sha256()
    reader = _Pattern(block, size)
    while piece := reader.read(1 << 20):
        digest.update(piece)
    return Content(size, digest.hexdigest(), lambda: cast(BinaryIO, _Pattern(block, size)))


@dataclass(slots=True)
class LossyProxy:
    """A TCP proxy in front of a server; it can lose answers after the server has received the request.

    ``lose`` names requests by their first bytes (such as ``b"PUT /bucket/key"``), each lost once;
    ``cut`` ends the connection, once, after that number of bytes of the answer to such a request.
    """

    upstream: tuple[str, int]
    lose: list[bytes] = field(default_factory=list)
    cut: list[tuple[bytes, int]] = field(default_factory=list)
    seen: list[bytes] = field(default_factory=list)
    _listener: socket.socket = field(init=False)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """The proxy's own address."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        """Stop listening."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self.upstream) as server:
            fate: list[int | None] = [None]
            back = threading.Thread(target=self._answer, args=(server, client, fate), daemon=True)
            back.start()
            while sent := client.recv(1 << 16):
                line = sent.split(b"\r\n", 1)[0]
                if line.endswith(b" HTTP/1.1"):
                    self.seen.append(line)
                    fate[0] = self._fate_of(line)
                server.sendall(sent)
            back.join(1)

    def _fate_of(self, line: bytes) -> int | None:
        for lost in self.lose:
            if line.startswith(lost):
                self.lose.remove(lost)
                return 0
        for cut in self.cut:
            if line.startswith(cut[0]):
                self.cut.remove(cut)
                return cut[1]
        return None

    def _answer(self, server: socket.socket, client: socket.socket, fate: list[int | None]) -> None:
        with suppress(OSError):
            while answer := server.recv(1 << 16):
                left = fate[0]
                if left is None or answer.startswith(b"HTTP/1.1 100"):
                    client.sendall(answer)
                    continue
                client.sendall(answer[:left])
                fate[0] = left - len(answer[:left])
                if not fate[0]:
                    break
        for end in (client, server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def lossy_proxy(url: str) -> Iterator[LossyProxy]:
    """A :class:`LossyProxy` in front of the server at ``url``."""
    parts = urlsplit(url)
    proxy = LossyProxy((parts.hostname or "127.0.0.1", parts.port or 80))
    try:
        yield proxy
    finally:
        proxy.close()


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A separate file system of 1 MiB; only root may mount one."""
    if os.geteuid() != 0:
        lacking("a small file system can be mounted by root alone; run this test as root")
    folder = Path(tempfile.mkdtemp(prefix="saksi-small-disk-"))
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
        shutil.rmtree(folder)


def in_threads(count: int, act: Callable[[int], object]) -> list[object]:
    """What ``act(0) … act(count-1)`` returned or raised, all started at the same moment."""
    results: list[object] = [None] * count
    start = threading.Barrier(count)

    def run(number: int) -> None:
        start.wait()
        try:
            results[number] = act(number)
        except Exception as error:  # noqa: BLE001  # any outcome of the race is returned
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def child_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a Python child that imports the packages and the tests of this checkout."""
    places = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(places), **(extra or {})}


@contextmanager
def account(bucket: RawBucket, actions: Mapping[str, Sequence[str]]) -> Iterator[S3Store]:
    """A store used by an account that may do only ``actions``: lists of S3 actions by key prefix.

    The prefix "" means the bucket itself.
    """
    server = bucket.server
    name, secret = own_name("test"), secrets.token_hex(20)
    admin = minio_admin(server)
    statements = [
        {
            "Effect": "Allow",
            "Action": list(allowed),
            "Resource": [f"arn:aws:s3:::{bucket.name}" + (f"/{prefix}*" if prefix else "")],
        }
        for prefix, allowed in actions.items()
    ]
    admin.policy_add(name, policy={"Version": "2012-10-17", "Statement": statements})
    admin.user_add(name, secret)
    admin.policy_set(name, user=name)
    try:
        with pytest.MonkeyPatch.context() as patch:
            use_credentials(patch, replace(server, access_key=name, secret_key=secret))
            yield s3_store(bucket)
    finally:
        admin.user_remove(name)
        admin.policy_remove(name)


def minio_admin(server: MinioServer) -> MinioAdmin:
    """The administrator's client of a MinIO."""
    parts = urlsplit(server.url)
    provider = StaticProvider(server.access_key, server.secret_key)
    return MinioAdmin(endpoint=parts.netloc, credentials=provider, secure=parts.scheme == "https")
