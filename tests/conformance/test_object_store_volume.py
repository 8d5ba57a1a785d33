"""Many keys and large objects, the same on every object store."""

import subprocess
import sys
import time

import pytest

from archive.ports import Content
from tests.support import stores
from tests.support.stores import (
    StoreUnderTest,
    child_environment,
    in_threads,
)

locking_bucket = stores.locking_bucket
store_credentials = stores.store_credentials
under_test = stores.under_test


_LARGE = """
import hashlib, resource, sys
from tests.support.stores import patterned
from archive.clock import SystemClock
from archive.objects.locations import open_stores, parse_archive_url
from archive.objects.s3 import S3Store
from archive.objects.filesystem import FilesystemStore
from pathlib import Path
kind, where, key = sys.argv[1:]
if kind == "filesystem":
    store = FilesystemStore(Path(where), SystemClock())
else:
    url, bucket = where.rsplit("/", 1)
    store = S3Store.connect(url, None, bucket)
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
def through(content, key):
    version = store.put(key, content).version
    digest = hashlib.sha256()
    for piece in store.stream(key, version=version):
        digest.update(piece)
    assert digest.hexdigest() == content.sha256
    store.delete_version(key, version=version)
through(patterned(9 << 20), key + "-first")
before = peak()
through(patterned(200 << 20), key)
print(peak() - before)
"""


class TestVolume:
    def test_200_mib_with_little_memory(self, under_test: StoreUnderTest, tmp_path: object) -> None:
        raw = under_test.raw
        where = f"{tmp_path}/large" if raw is None else f"{raw.server.url}/{raw.name}"
        grown = subprocess.run(
            [sys.executable, "-c", _LARGE, under_test.kind, where, under_test.key("large.bin")],
            env=child_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert grown.returncode == 0, grown.stderr
        assert int(grown.stdout) < 16 * 1024, "KiB"

    @pytest.mark.parametrize(
        "count", [1_200, pytest.param(10_000, marks=pytest.mark.slow)], ids=["pages", "ten-thousand"]
    )
    def test_many_keys(self, under_test: StoreUnderTest, count: int) -> None:
        store = under_test.store
        keys = [under_test.key(f"{n % 7}/{n:06d}") for n in range(count)]
        share = -(-count // 8)

        def fill(number: int) -> None:
            for key in keys[number * share : (number + 1) * share]:
                store.put(key, Content.of_bytes(b""))

        assert in_threads(8, fill) == [None] * 8
        keys.sort()
        started = time.process_time()  # a busy machine takes longer, but not more work
        assert [one.key for one in store.list(under_test.prefix)] == keys
        assert time.process_time() - started < 10
        middle = keys[count // 2]
        rest = store.list(under_test.prefix, start_after=middle)
        assert next(rest).key == keys[count // 2 + 1]
        assert sum(1 for _ in rest) == count - count // 2 - 2
