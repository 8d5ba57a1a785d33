"""Cameras over each transport, and encrypted ones: on a MediaMTX, with the FFmpeg that records."""

import asyncio
import itertools
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.errors import Refused, Unavailable
from archive.footage.source_url import parse_source
from archive.footage.sources import SourceRule
from recorder.binary import find_ffmpeg
from recorder.command import record_command
from recorder.probe import diagnose
from recorder.reach import reach
from recorder.trial import Trial, try_source
from recorder.trust import proven
from tests.support import numbered
from tests.support.encrypted_media import Credential, OwnMedia, credential, own_media
from tests.support.recording_site import RecordingSite
from tests.support.sending import free_port, sending
from tests.support.waiting import until

HERE = ip_network("127.0.0.0/8")


@dataclass(frozen=True)
class Shown:
    """What a server shows, and whom we trust."""

    media: OwnMedia
    certificate: Credential
    authority: Credential


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("signed")
    authority = credential(folder, "Kota CA")
    shown = credential(folder, "cam", names=("localhost", "cam.lan"), signed_by=authority)
    with own_media(folder, shown) as media:
        yield Shown(media, shown, authority)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """A camera that signed its certificate itself, in its own words."""
    folder = tmp_path_factory.mktemp("own")
    shown = credential(folder, "IP Camera 7")
    with own_media(folder, shown) as media:
        yield Shown(media, shown, shown)


def tried(url: str, folder: Path, ca_file: Path | None = None, *, patience: float = 60) -> Trial:
    folder.mkdir(exist_ok=True)
    rule = SourceRule(networks=(HERE,), ca_file=ca_file)
    return asyncio.run(
        try_source(
            parse_source(url),
            rule=rule,
            binary=find_ffmpeg(),
            clock=SystemClock(),
            folder=folder,
            patience=60,
        )
    )


def follow_one_another(trial: Trial) -> bool:
    return are_in_order(numbered.numbers(numbered.read_numbers(trial.path)))


def are_in_order(found: Sequence[int | None]) -> bool:
    first = found[0] if found else None
    return first is not None and len(found) > 1 and list(found) == list(range(first, first + len(found)))


@pytest.mark.parametrize("transport", ["tcp", "udp", "multicast"])
def test_every_transport_gives_the_pictures(signed: Shown, transport: str, tmp_path: Path) -> None:
    seen = tried(f"rtsp://127.0.0.1:{signed.media.rtsp}/cam#transport={transport}", tmp_path / "t")
    assert follow_one_another(seen)


def test_a_camera_whose_certificate_the_citys_authority_signed_is_recorded(
    signed: Shown, tmp_path: Path
) -> None:
    url = f"rtsps://localhost:{signed.media.rtsps}/cam"
    assert follow_one_another(tried(url, tmp_path / "t", signed.authority.certificate))


@pytest.mark.parametrize(
    ("host", "says"),
    [("127.0.0.1", "IP address mismatch"), ("127.0.0.2", "")],
)
def test_a_certificate_for_another_name_is_refused(
    signed: Shown, host: str, says: str, tmp_path: Path
) -> None:
    with pytest.raises((Refused, Unavailable)) as caught:
        tried(f"rtsps://{host}:{signed.media.rtsps}/cam", tmp_path / "t", signed.authority.certificate)
    assert says in caught.value.message


def test_another_authority_is_refused(signed: Shown, tmp_path: Path) -> None:
    other = credential(tmp_path, "Other CA")
    with pytest.raises(Refused) as caught:
        tried(f"rtsps://localhost:{signed.media.rtsps}/cam", tmp_path / "t", other.certificate)
    assert caught.value.code == "camera_not_verified"
    assert "#certificate=" in caught.value.hint


def test_a_camera_is_known_by_the_certificate_that_was_registered(own: Shown, tmp_path: Path) -> None:
    url = f"rtsps://127.0.0.1:{own.media.rtsps}/cam#certificate={own.certificate.fingerprint}"
    assert follow_one_another(tried(url, tmp_path / "t"))


def test_nothing_is_sent_to_a_camera_that_nobody_has_verified(own: Shown, tmp_path: Path) -> None:
    """The refusal says which certificate it shows, and what to do."""
    url = f"rtsps://u:s3cr3t@127.0.0.1:{own.media.rtsps}/cam"
    with pytest.raises(Refused) as caught:
        tried(url, tmp_path / "t")
    assert own.certificate.fingerprint in caught.value.message
    assert "camera_ca_file" in caught.value.hint
    with pytest.raises(Refused, match="not the one that was registered"):
        tried(f"{url}#certificate={'ab' * 32}", tmp_path / "t")
    assert follow_one_another(tried(f"{url}#certificate=unverified", tmp_path / "t"))


def test_a_certificate_that_another_signed_cannot_be_registered(signed: Shown, tmp_path: Path) -> None:
    url = f"rtsps://127.0.0.1:{signed.media.rtsps}/cam#certificate={signed.certificate.fingerprint}"
    with pytest.raises(Refused, match="signed by another"):
        tried(url, tmp_path / "t")


def test_one_that_is_not_valid_any_more_is_refused_in_words(tmp_path: Path) -> None:
    shown = credential(tmp_path, "IPCAM-2016", days=-1)
    with own_media(tmp_path / "media", shown) as media:
        url = f"rtsps://127.0.0.1:{media.rtsps}/cam#certificate={shown.fingerprint}"
        with pytest.raises(Refused, match="not valid today"):
            tried(url, tmp_path / "t")


def test_ffmpeg_itself_refuses_a_camera_that_was_exchanged_after_our_look(tmp_path: Path) -> None:
    """What counts is the verification on the connection that carries the password and the pictures."""
    before, after = (credential(tmp_path, name) for name in ("camera", "intruder"))
    rule = SourceRule(networks=(HERE,), certificates=tmp_path / "certificates")
    with own_media(tmp_path / "after", after) as media:
        url = f"rtsps://127.0.0.1:{media.rtsps}/cam#certificate={after.fingerprint}"
        source = asyncio.run(reach(parse_source(url), rule, timeout=60))
        source = asyncio.run(proven(source, rule, timeout=60, now=SystemClock().now()))
        assert source.anchor is not None
        source.anchor.write_bytes(before.certificate.read_bytes())
        made = record_command(find_ffmpeg(), source, tmp_path, segment_seconds=2, timeout_us=20_000_000)
        ended = subprocess.run(made.argv, input=made.stdin, capture_output=True, timeout=120, check=False)
        assert ended.returncode != 0
        assert list(tmp_path.glob("*.raw.mp4")) == []
        assert asyncio.run(diagnose(source, timeout=60)) is not None, "nor does our own probe ask it"


def test_a_recorder_records_one_that_is_registered_and_not_one_that_is_not(
    own: Shown, tmp_path: Path
) -> None:
    site = RecordingSite(tmp_path)
    url = f"rtsps://127.0.0.1:{own.media.rtsps}/cam"
    site.add("kam-1", f"{url}#certificate={own.certificate.fingerprint}&timeout=20")
    site.add("kam-2", url)
    site.start()
    try:
        until(lambda: own.certificate.fingerprint in site.log(), "the log says what kam-2 shows")
        with site.site() as looking:
            shown = [camera.source for camera in looking.registry.cameras()]
            assert shown == [f"{url}#timeout=20&certificate={own.certificate.fingerprint}", url]
            until(lambda: list(looking.stores.footage.list("segments/kam-1/")), "kam-1 is archived")
            assert list(looking.stores.footage.list("segments/kam-2/")) == []
    finally:
        site.stop()


# MPEG-TS ---------------------------------------------------------------------------------------------------


def is_listening(port: int) -> bool:
    """By the kernel's own table: a connection would be the one that the sender waits for."""
    here = f"0100007F:{port:04X} 00000000:0000 0A"
    return here in Path("/proc/net/tcp").read_text("ascii")


def test_mpegts_over_udp_from_its_sender_alone(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    with sending(tmp_path, f"udp://127.0.0.1:{port}?pkt_size=1316"):
        assert follow_one_another(tried(f"udp://127.0.0.1:{port}", tmp_path / "t"))
        with pytest.raises(Unavailable) as caught:
            tried(f"udp://127.0.0.2:{port}#timeout=2", tmp_path / "other", patience=6)
        assert caught.value.code == "camera_gives_nothing"


def test_mpegts_over_http_whose_33_bits_wrap_is_recorded_without_a_jump(tmp_path: Path) -> None:
    port = free_port(socket.SOCK_STREAM)
    wraps_soon = ("-output_ts_offset", str((2**33) / 90_000 - 3))
    with sending(tmp_path, f"http://127.0.0.1:{port}/live.ts", *wraps_soon, "-listen", "1"):
        source = parse_source(f"http://127.0.0.1:{port}/live.ts")
        until(lambda: is_listening(port), "the sender listens")
        made = record_command(find_ffmpeg(), source, tmp_path, segment_seconds=300, timeout_us=20_000_000)
        with subprocess.Popen(made.argv, stdin=subprocess.PIPE) as recording:
            assert recording.stdin is not None
            recording.stdin.write(made.stdin)
            recording.stdin.close()
            raw = tmp_path / "000000.raw.mp4"
            until(lambda: raw.exists() and raw.stat().st_size > 200_000, "it has recorded a while")
            recording.terminate()
    shown = numbered.read_numbers(raw)
    assert are_in_order(numbered.numbers(shown))
    steps = {round(float(after.pts - before.pts) * 15, 2) for before, after in itertools.pairwise(shown)}
    assert steps == {1}
    assert len(shown) > 15 * 4, "the wrap is in it"
