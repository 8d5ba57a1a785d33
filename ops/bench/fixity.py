"""Checking stored segments against their hashes, beside hashlib over the same bytes."""

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

from archive import keys
from archive.integrity.fixity.hashing import hash_all
from archive.integrity.fixity.pace import Pace
from archive.objects.s3 import connect_client
from archive.ports import Content, ObjectStore, ObjectVersion
from archive.timespan import DAY, SECOND, hour_of
from ops.bench.figures import Figure, Findings, Table
from ops.bench.installation import embedded, on_stores
from ops.bench.peers import hash_plainly
from ops.bench.workbench import Workbench, seconds_of
from ops.wiring import Site

SUBJECT = "fixity"
_BUCKET = "bench-fixity"
_SIZE = 2_500_000
_MORE = 1.25
_THREADS = 2
_ROUNDS = 5


def measure(bench: Workbench) -> Findings:
    """Hash segments of full size in files and in MinIO."""
    began = time.monotonic()
    count = 8 if bench.scale.is_brief else 240
    figures: list[Figure] = []
    rows: list[tuple[str, ...]] = []
    files = embedded(bench.scratch("fixity-files"))
    bench.say(f"fixity: {count} segments in files")
    with files.site() as site:
        versions = _stored(site.stores.footage, count)
        paths = [files.home / "archive" / "footage" / one.key for one in versions]
        _compare(figures, rows, "files", "hashlib over the same files", site, versions, None,
                 lambda: _plain_files(paths))  # fmt: skip
    stores = bench.stores("fixity-stores")
    minio = on_stores(bench.scratch("fixity-minio"), stores, _BUCKET, index=False)
    bench.say(f"fixity: {count} segments in MinIO")
    client = connect_client(stores.env()["SAKSI_TEST_MINIO_URL"])

    def fetched(one: ObjectVersion) -> str:
        body = client.get_object(Bucket=_BUCKET, Key=one.key, VersionId=one.version)["Body"]
        return hashlib.sha256(body.read()).hexdigest()

    with minio.site() as site, ThreadPoolExecutor(_THREADS, "plain") as plain:
        versions = _stored(site.stores.footage, count)
        with ThreadPoolExecutor(_THREADS, "fixity") as pool:
            _compare(figures, rows, "MinIO", "boto3 and hashlib", site, versions, pool,
                     lambda: list(plain.map(fetched, versions)))  # fmt: skip
    return bench.findings(
        SUBJECT,
        "Fixity",
        seconds=time.monotonic() - began,
        conditions=(
            f"{count} segments of 2.5 MB, in the page cache; hashed as the scrub does, but without a budget "
            f"and without its records; the best of {_ROUNDS} rounds, in turns.",
            f"Files: both in one thread. MinIO: both in {_THREADS} threads; boto3 alone gets each version "
            "whole and hashes it.",
        ),
        figures=tuple(figures),
        tables=(Table("Hashing what is stored", ("work", "MB/s"), tuple(rows)),),
    )


def _compare(
    figures: list[Figure],
    rows: list[tuple[str, ...]],
    where: str,
    peer: str,
    site: Site,
    versions: Sequence[ObjectVersion],
    pool: ThreadPoolExecutor | None,
    plain: Callable[[], object],
) -> None:
    pace = Pace(None, site.clock, time.sleep)
    footage, size = site.stores.footage, len(versions) * _SIZE / 1e6
    ours, theirs = [], []
    for _ in range(_ROUNDS):
        theirs.append(seconds_of(plain))
        ours.append(seconds_of(lambda: list(hash_all(footage, versions, pace, pool))))
    limit = min(theirs) / size * 1e3 * _MORE
    figures.append(
        Figure(name=f"Fixity, {where}", unit="s per GB", ours=min(ours) / size * 1e3,
               peer=min(theirs) / size * 1e3, peer_name=peer, limit=limit, rule="≥ 0.8 × hashlib")
    )  # fmt: skip
    rows += [
        (f"fixity, {where}", f"{size / min(ours):.0f}"),
        (f"{peer}, {where}", f"{size / min(theirs):.0f}"),
    ]


def _stored(footage: ObjectStore, count: int) -> list[ObjectVersion]:
    start = hour_of(time.time_ns() // 1000) - DAY
    for number in range(count):
        content = os.urandom(_SIZE)
        digest = hashlib.sha256(content).hexdigest()
        key = keys.segment_key("cam-1", start + number * 10 * SECOND, "6a15000000000001", number, digest)
        footage.put(key, Content.of_bytes(content))
    return list(islice(footage.list("segments/"), count))


def _plain_files(paths: Sequence[Path]) -> None:
    for path in paths:
        hash_plainly(path)
