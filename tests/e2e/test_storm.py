"""A storm: every picture that a camera took is archived once, or lies in a gap with the right cause.

Cameras are cut off, freeze, hang, refuse the password and change their picture; MinIO and Elasticsearch go
away, the recorder is killed, and its disk fills up. What is judged is the footage that the archive gives
back, against what the cameras did.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.provision import provision
from ops.stack import Places, Stack
from tests.support import storm_plan
from tests.support.recording_site import RecordingSite
from tests.support.servers import ElasticServer, FreshBuckets, absent
from tests.support.sound import assert_sound
from tests.support.storm import (
    PEER,
    CommandSite,
    Door,
    OwnServers,
    Peer,
    SharedServers,
    Storm,
    footage,
    small_disk,
)
from tests.support.storm_camera import Fleet, Footage
from tests.support.storm_plan import Trouble
from tests.support.storm_report import write


def _host(url: str) -> tuple[str, int]:
    name, _, port = url.rpartition("/")[2].partition(":")
    return name, int(port)


@pytest.fixture
def doors(fresh_buckets: FreshBuckets, elastic_server: ElasticServer) -> Iterator[dict[Trouble, Door]]:
    made = {
        Trouble.STORE: Door(_host(fresh_buckets.server.url)),
        Trouble.INDEX: Door(_host(elastic_server.url)),
    }
    yield made
    for door in made.values():
        door.close()


@pytest.fixture
def peer_stack(tmp_path: Path) -> Iterator[Stack]:
    """A MediaMTX of its own, which is killed; its stack has a lock of its own."""
    stack = Stack(tmp_path / "peer-stack", Places.from_environment().cache_dir, ports=0)
    if not stack.fetched(["mediamtx"]):
        absent("MediaMTX is not in the cache")
    yield stack
    stack.erase()


@pytest.fixture
def seen(tmp_path: Path) -> tuple[Footage, Footage]:
    """What each camera shows first, and after its picture has changed."""
    return (
        footage("A", 360, seconds=20, kbits=500, folder=tmp_path),
        footage("B", 180, seconds=20, kbits=500, folder=tmp_path),
    )


@pytest.mark.alone
def test_a_short_storm(
    fresh_buckets: FreshBuckets,
    fresh_index_prefix: str,
    doors: dict[Trouble, Door],
    peer_stack: Stack,
    seen: tuple[Footage, Footage],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = fresh_buckets.server
    for name, value in server.environment(fresh_buckets.name).items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    recording = RecordingSite(
        tmp_path / "home",
        {
            "SAKSI_ARCHIVE_URL": fresh_buckets.archive_url.replace(server.url, doors[Trouble.STORE].url),
            "SAKSI_INDEX_URL": doors[Trouble.INDEX].url,
            "SAKSI_INDEX_PREFIX": fresh_index_prefix,
        },
    )
    with small_disk(tmp_path / "home" / "spool", "256m") as disk, Fleet(3, *seen) as fleet:
        peer = Peer(
            peer_stack, {camera.name: camera.url(PEER) for camera in fleet.cameras}, tmp_path / "peer"
        )
        plan = storm_plan.each_once(with_disk=disk is not None)
        storm = Storm(plan, fleet, recording, SharedServers(doors), peer, disk)
        _weather(storm)
        assert all(storm.peer_missed(camera)[0] > 0 for camera in fleet.cameras)


@pytest.mark.slow
def test_a_long_storm(
    disposable_stack: Stack, peer_stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = float(os.environ.get("SAKSI_STORM_SECONDS", "1800"))
    cameras = int(os.environ.get("SAKSI_STORM_CAMERAS", "16"))
    seed = int(os.environ.get("SAKSI_STORM_SEED", "17"))
    plan = storm_plan.drawn(
        seed, seconds=seconds, cameras=cameras, down=seconds / 6, kills=max(2, round(seconds / 180))
    )
    disposable_stack.up(["minio", "elasticsearch"])
    servers = disposable_stack.env()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, servers[name])
    provision(
        servers["SAKSI_TEST_MINIO_URL"], servers["AWS_ACCESS_KEY_ID"], servers["AWS_SECRET_ACCESS_KEY"],
        "storm", footage_floor_days=1, records_lock_days=1,
    )  # fmt: skip
    recording = CommandSite(
        tmp_path / "home",
        {
            "SAKSI_ARCHIVE_URL": f"s3://storm?endpoint={servers['SAKSI_TEST_MINIO_URL']}&region=us-east-1",
            "SAKSI_INDEX_URL": servers["SAKSI_TEST_ELASTIC_URL"],
        },
    )
    one = footage("A", 1080, seconds=60, kbits=2000, folder=tmp_path)
    two = footage("B", 720, seconds=60, kbits=2000, folder=tmp_path)
    with small_disk(tmp_path / "home" / "spool", "3g") as disk, Fleet(cameras, one, two) as fleet:
        assert disk is not None, "the long storm fills a disk: run it as root"
        peer = Peer(
            peer_stack, {camera.name: camera.url(PEER) for camera in fleet.cameras}, tmp_path / "peer"
        )
        storm = Storm(plan, fleet, recording, OwnServers(disposable_stack), peer, disk)
        _weather(storm, seed)


def _weather(storm: Storm, seed: int | None = None) -> None:
    try:
        storm.blow()
        verdicts = storm.verdicts()
    finally:
        process = storm.recording.process
        if process is not None and process.poll() is None:
            storm.recording.kill()
    report = os.environ.get("SAKSI_STORM_REPORT")
    if report and seed is not None:
        write(Path(report), storm, verdicts, seed)
    assert not storm.problems, storm.problems
    complaints = [complaint for verdict in verdicts for complaint in verdict.complaints]
    assert not complaints, "\n".join(complaints)
    with storm.recording.site() as site:
        assert_sound(site, *(camera.name for camera in storm.fleet.cameras))
