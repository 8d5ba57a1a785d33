"""A MediaMTX of a test's own: RTSP over TCP, UDP and multicast, and RTSPS with a given certificate.

Certificates are made here: an authority's, one that it signed, and ones that sign themselves as cameras' do.
"""

import datetime
import hashlib
import ipaddress
import json
import socket
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from ops.stack.cache import Cache
from ops.stack.mediamtx import Mediamtx
from ops.stack.places import Places
from tests.support import numbered
from tests.support.waiting import until

_STARTS = 5


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate with its key, in PEM files."""

    certificate: Path
    key: Path

    @property
    def fingerprint(self) -> str:
        """The SHA-256 that a registration pins."""
        found = x509.load_pem_x509_certificate(self.certificate.read_bytes())
        return hashlib.sha256(found.public_bytes(Encoding.DER)).hexdigest()


def credential(
    folder: Path,
    name: str,
    *,
    names: tuple[str, ...] = (),
    signed_by: Credential | None = None,
    days: int = 9,
) -> Credential:
    """A new one for ``name``, good until ``days`` from now; ``names`` are alternative names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = subject, key
    if signed_by is not None:
        issuer = x509.load_pem_x509_certificate(signed_by.certificate.read_bytes()).subject
        signing = _key(signed_by.key)
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=20))
        .not_valid_after(now + datetime.timedelta(days=days))
    )
    if names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_alternative(one) for one in names]), critical=False
        )
    else:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    made = Credential(folder / f"{name.replace(' ', '-')}.crt", folder / f"{name.replace(' ', '-')}.key")
    made.certificate.write_bytes(builder.sign(signing, hashes.SHA256()).public_bytes(Encoding.PEM))
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


@dataclass(frozen=True, slots=True)
class OwnMedia:
    """Its ports on 127.0.0.1."""

    rtsp: int
    rtsps: int


@contextmanager
def own_media(folder: Path, shown: Credential, path: str = "cam") -> Iterator[OwnMedia]:
    """Run it with numbered frames on ``path``. Its program is the one of the stack."""
    folder.mkdir(parents=True, exist_ok=True)
    program = Mediamtx().fetch(Cache(Places.from_environment().cache_dir), print)
    frames = numbered.make_numbered("h264-nob", 60, folder / "frames.mp4")
    with (folder / "media.log").open("wb") as log:
        sender = None
        server, api, media = _started(program, folder, shown, log)
        try:
            sender = subprocess.Popen(
                [numbered.DEFAULT_FFMPEG, "-loglevel", "error", "-re", "-stream_loop", "-1", "-i", frames,
                 "-c", "copy", "-f", "rtsp", "-rtsp_transport", "tcp", f"rtsp://127.0.0.1:{media.rtsp}/{path}"],
                stdout=log, stderr=log,
            )  # fmt: skip
            until(lambda: f'"{path}"' in (_answers(api) or ""), "the camera sends")
            yield media
        finally:
            for one in (sender, server):
                if one is not None:
                    one.kill()
                    one.wait()


def _started(
    program: Path, folder: Path, shown: Credential, log: IO[bytes]
) -> tuple[subprocess.Popen[bytes], int, OwnMedia]:
    """A server that answers, the port of its own API, and its ports.

    It ends at once where one of its ports was taken since: others are tried then.
    """
    for _ in range(_STARTS):
        ports = _pairs(7)
        api, media = ports[0], OwnMedia(ports[2], ports[4])
        config = folder / "mediamtx.yml"
        config.write_text(json.dumps(_configuration(ports, shown)), "utf-8")
        server = subprocess.Popen([program, config], stdout=log, stderr=log, cwd=folder)
        try:
            until(
                lambda: server.poll() is not None or _answers(api) is not None,  # noqa: B023
                "MediaMTX answers or ends",
            )
            if server.poll() is None:
                return server, api, media
        except BaseException:
            server.kill()
            server.wait()
            raise
    raise AssertionError(f"MediaMTX ended {_STARTS} times: {(folder / 'media.log').read_text()[-2000:]}")


def _configuration(ports: dict[int, int], shown: Credential) -> dict[str, object]:
    return {
        "logLevel": "warn", "api": True, "apiAddress": f"127.0.0.1:{ports[0]}",
        "rtsp": True, "rtspTransports": ["tcp", "udp", "multicast"], "rtspEncryption": "optional",
        "rtspAddress": f"127.0.0.1:{ports[2]}", "rtspsAddress": f"127.0.0.1:{ports[4]}",
        "rtpAddress": f"127.0.0.1:{ports[6]}", "rtcpAddress": f"127.0.0.1:{ports[6] + 1}",
        "srtpAddress": f"127.0.0.1:{ports[8]}", "srtcpAddress": f"127.0.0.1:{ports[8] + 1}",
        "multicastIPRange": "239.83.75.0/24",
        "multicastRTPPort": ports[10], "multicastRTCPPort": ports[10] + 1,
        "multicastSRTPPort": ports[12], "multicastSRTCPPort": ports[12] + 1,
        "rtspServerCert": str(shown.certificate), "rtspServerKey": str(shown.key),
        "rtmp": False, "hls": False, "webrtc": False, "srt": False, "paths": {"all_others": {}},
    }  # fmt: skip


def _answers(port: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v3/paths/list", timeout=5) as answer:
            return str(answer.read().decode())
    except (OSError, urllib.error.URLError):
        return None


def _pairs(count: int) -> dict[int, int]:
    """Free ports, each with the next one free too, the first one even, as RTP needs them."""
    found: dict[int, int] = {}
    while len(found) < count:
        with socket.socket() as first:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1] & ~1
        if port not in found.values():
            found[2 * len(found)] = port
    return found


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _key(path: Path) -> ec.EllipticCurvePrivateKey:
    found = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found
