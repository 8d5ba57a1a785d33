"""Cameras behind HTTPS and on multicast, from the registration through a whole recorder into the archive."""

import socket
from pathlib import Path

import pytest

from archive.model.leaf import decode
from archive.model.segment import Segment
from ops.wiring import Site
from tests.integration.recorder.test_connections import are_in_order
from tests.support import numbered
from tests.support.encrypted_media import credential, own_media
from tests.support.https_camera import PATH, https_camera
from tests.support.recording_site import RecordingSite
from tests.support.sending import free_port, sending
from tests.support.waiting import until


def archived(site: Site, camera: str) -> list[str]:
    return sorted(one.key for one in site.stores.footage.list(f"segments/{camera}/"))


def assert_archived(site: Site, camera: str, folder: Path) -> None:
    """Its first segment holds the frames that were sent, one after the other, and its leaf counts them."""
    key = archived(site, camera)[0]
    stored = site.stores.footage.head(key)
    path = folder / "stored.mp4"
    path.write_bytes(site.stores.footage.read(key, 0, stored.size))
    leaf = decode(stored.metadata["leaf"].encode())
    assert isinstance(leaf, Segment)
    found = numbered.numbers(numbered.read_numbers(path))
    assert are_in_order(found)
    assert len(found) == leaf.frames


def test_a_verified_https_camera_is_archived_and_one_with_another_name_is_sent_nothing(
    tmp_path: Path,
) -> None:
    authority = credential(tmp_path, "Kota CA")
    shown = credential(tmp_path, "cam", names=("localhost",), signed_by=authority)
    recording = RecordingSite(tmp_path / "site", {"SAKSI_CAMERA_CA_FILE": str(authority.certificate)})
    with https_camera(tmp_path, shown) as camera:
        recording.add("kam-1", f"https://viewer:lihat@localhost:{camera.port}{PATH}")
        recording.add("kam-2", f"https://viewer:lihat@127.0.0.1:{camera.port}/other.ts")
        recording.start()
        try:
            with recording.site() as site:
                until(lambda: archived(site, "kam-1"), "kam-1 is archived")
                until(lambda: "camera_lost" in recording.log(), "kam-2 is refused")
                assert_archived(site, "kam-1", tmp_path)
                assert archived(site, "kam-2") == []
        finally:
            recording.stop()
        assert {path for path, _ in camera.asked} == {PATH}, "kam-2 was never asked for anything"


def test_an_https_camera_that_nobody_can_verify_gets_no_request(tmp_path: Path) -> None:
    shown = credential(tmp_path, "IP Camera 7")
    recording = RecordingSite(tmp_path / "site")
    with https_camera(tmp_path, shown) as camera:
        recording.add("kam-1", f"https://viewer:lihat@127.0.0.1:{camera.port}{PATH}")
        recording.start()
        try:
            until(lambda: shown.fingerprint in recording.log(), "the log says what it shows")
        finally:
            recording.stop()
        assert camera.asked == []


@pytest.mark.parametrize("way", ["rtsp", "mpegts"])
def test_a_multicast_camera_is_archived(tmp_path: Path, way: str) -> None:
    networks = {"SAKSI_CAMERA_NETWORKS": "127.0.0.0/8,239.255.0.0/16"}
    recording = RecordingSite(tmp_path / "site", networks)
    port = free_port(socket.SOCK_DGRAM)
    group = f"udp://239.255.77.{1 + port % 200}:{port}"
    sender = (
        own_media(tmp_path / "media", credential(tmp_path, "camera"))
        if way == "rtsp"
        else sending(tmp_path, f"{group}?pkt_size=1316&ttl=0")
    )
    with sender as media:
        url = group if media is None else f"rtsp://127.0.0.1:{media.rtsp}/cam#transport=multicast"
        recording.add("kam-1", url)
        recording.start()
        try:
            with recording.site() as site:
                until(lambda: archived(site, "kam-1"), "it is archived")
                assert_archived(site, "kam-1", tmp_path)
        finally:
            recording.stop()
