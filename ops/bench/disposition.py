"""Disposing of due segments on MinIO, beside MinIO's own client deleting as many versions."""

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from minio import Minio
from minio.deleteobjects import DeleteObject

from archive.errors import Unavailable
from archive.model import leaf as leaves
from archive.model.camera import parse_place
from archive.model.retention import KIND as POLICY
from archive.model.retention import Policy, Scope, Terms, to_state
from archive.model.segment import ClockStatement, Segment
from archive.ports import Content, IndexEntry, Lock, LockMode
from archive.timespan import DAY, HOUR, SECOND, Timespan, hour_of
from ops.bench.figures import Figure, Findings, Table, short
from ops.bench.installation import PLACE, Installation, add_camera, on_stores
from ops.bench.workbench import Workbench
from ops.disposition import Dispositions
from ops.wiring import Site

SUBJECT = "disposition"
_BUCKET = "bench-disposition"
_CAMERAS = 10
_NOMINAL = 10 * SECOND
_BYTES = 2048
_THREADS = 8
_TARGET_MS = 1.0
_MORE = 1.25
_LOCK_SECONDS = 15


def measure(bench: Workbench) -> Findings:
    """Make two sets of the same size: Saksi disposes of one, MinIO's client deletes the other."""
    began = time.monotonic()
    count = 200 if bench.scale.is_brief else 10_000
    stores = bench.stores("disposition-stores")
    ours = on_stores(bench.scratch("disposition"), stores, _BUCKET, index=False)
    plain = on_stores(bench.scratch("disposition-plain"), stores, f"{_BUCKET}-plain", index=False)
    bench.say(f"disposition: putting 2 × {count} objects")
    with plain.site() as site:
        doomed = _stored(site, count)
    with ours.site() as site:
        site.index.add(_entries(_stored(site, count)))
        time.sleep(_LOCK_SECONDS)
        bench.say("disposition: carrying it out")
        decided, took, destroyed = _dispose(site)
    bench.say("disposition: MinIO's own client")
    plainly = _delete(plain, f"{_BUCKET}-plain", doomed)
    each, plain_each = took / destroyed * 1e3, plainly / count * 1e3
    return bench.findings(
        SUBJECT,
        "Disposition",
        seconds=time.monotonic() - began,
        conditions=(
            f"{count} objects of {_BYTES} bytes of {_CAMERAS} cameras on MinIO, SQLite as the index, locks "
            "that have expired. The time covers the disposition from its list to its signed and stamped "
            "record: for each batch it takes the gate and reads holds and policies again; it deletes "
            "versions, updates the index, and stores the list of what stayed, record, signature, PDF and "
            "time stamp.",
            "MinIO's client: remove_objects of minio-py with the versions of as many objects in another "
            "bucket of the same kind, nothing else.",
        ),
        figures=(
            Figure(
                name="Destroy what is due, MinIO", unit="ms per object", ours=each, peer=plain_each,
                peer_name="minio-py remove_objects", limit=max(_TARGET_MS, plain_each * _MORE),
                rule="≥ 1,000 objects/s or ≥ 0.8 × minio-py",
            ),
        ),
        tables=(
            Table(
                "Objects per second",
                ("work", "objects/s", "s"),
                (
                    ("disposition, list to stamped record", f"{1e3 / each:.0f}", short(took)),
                    ("minio-py remove_objects", f"{1e3 / plain_each:.0f}", short(plainly)),
                    ("deciding what is due and putting the list", f"{count / decided:.0f}", short(decided)),
                ),
            ),
        ),
    )  # fmt: skip


def _stored(site: Site, count: int) -> list[Segment]:
    """Segments past their retention, whose short locks expire soon, and a policy that allows destruction."""
    now = site.clock.now()
    for number in range(_CAMERAS):
        add_camera(site, f"cam-{number}", "rtsp://192.0.2.1/stream")
    scope = Scope.parse("default")
    terms = Terms(keep_days_min=30, keep_days_max=60, basis="bench", effective_from=now - 1)
    state = to_state(Policy(scope=scope, terms=(terms,)))
    site.ledger.append(
        POLICY, scope.id, state, expected=0, actor="os:bench", action="policy.approved"
    )  # fmt: skip
    first = hour_of(now) - 70 * DAY - count // _CAMERAS // 360 * HOUR
    made = [
        _segment(number % _CAMERAS, number // _CAMERAS, first, now)
        for number in range(count)
    ]  # fmt: skip

    def put(one: Segment) -> None:
        # The shortest lock that lasts until all objects are stored.
        lock = Lock(LockMode.GOVERNANCE, site.clock.now() + (_LOCK_SECONDS - 2) * SECOND)
        text = leaves.encode(one).decode("ascii")
        site.stores.footage.put(
            one.key, Content.of_bytes(_bytes(one.seq, one.camera)), metadata={"leaf": text}, lock=lock
        )

    with ThreadPoolExecutor(_THREADS) as pool:
        list(pool.map(put, made))
    return made


def _segment(camera: int, seq: int, first: int, now: int) -> Segment:
    start = first + seq * _NOMINAL
    name = f"cam-{camera}"
    return Segment(
        camera=name, recorder="rec-bench", run=f"6a15{camera:012x}", seq=seq,
        span=Timespan(start, start + _NOMINAL), media_duration=900_000,
        sha256=hashlib.sha256(_bytes(seq, name)).hexdigest(), size=_BYTES, header_bytes=900, codec="h264",
        gop="closed", frames=150, camera_time=None,
        clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000), ingested_at=now,
    )  # fmt: skip


def _bytes(seq: int, camera: str) -> bytes:
    return f"{camera}/{seq}/".encode().ljust(_BYTES, b"x")


def _entries(segments: Sequence[Segment]) -> list[IndexEntry]:
    place = parse_place(*PLACE)
    return [IndexEntry(leaf=one, place=place) for one in segments]


def _dispose(site: Site) -> tuple[float, float, int]:
    """Seconds to decide and begin, seconds to execute, and how many segments were destroyed."""
    dispositions = Dispositions(site)
    at = time.perf_counter()
    begun = dispositions.disposer.begin(dispositions.due(), actor="os:bench")
    decided = time.perf_counter() - at
    if begun is None:
        raise Unavailable("nothing was due", code="bench_failed")
    at = time.perf_counter()
    done = dispositions.disposer.carry_out(begun)
    took = time.perf_counter() - at
    if done.outcome is None or not done.outcome.destroyed:
        raise Unavailable(f"nothing was destroyed: {done}", code="bench_failed")
    return decided, took, done.outcome.destroyed


def _delete(made: Installation, bucket: str, doomed: Sequence[Segment]) -> float:
    """Delete the oldest version of each object with minio-py; returns the seconds taken."""
    endpoint = urlsplit(made.environ["SAKSI_ARCHIVE_URL"].partition("endpoint=")[2].partition("&")[0])
    client = Minio(
        endpoint.netloc, access_key=made.environ["AWS_ACCESS_KEY_ID"],
        secret_key=made.environ["AWS_SECRET_ACCESS_KEY"], secure=False, region="us-east-1",
    )  # fmt: skip
    listed = client.list_objects(bucket, prefix="segments/", recursive=True, include_version=True)
    versions = [DeleteObject(str(one.object_name), one.version_id) for one in listed]
    if len(versions) != len(doomed):
        raise Unavailable(f"{len(versions)} versions instead of {len(doomed)}", code="bench_failed")
    at = time.perf_counter()
    errors = list(client.remove_objects(bucket, versions))
    took = time.perf_counter() - at
    if errors:
        raise Unavailable(f"minio-py did not delete everything: {errors[0]}", code="bench_failed")
    return took
