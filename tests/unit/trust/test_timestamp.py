"""Time-stamping authorities: the local one, and one behind a real HTTP server on this machine."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx
import pytest
from asn1crypto import tsp

from archive.clock import ManualClock
from archive.errors import Malformed, Unavailable
from archive.evidence.verifier import cms
from archive.evidence.verifier.findings import Broken
from archive.timespan import DAY, SECOND
from archive.trust import certificates, token
from archive.trust.certificates import ChainBroken
from archive.trust.timestamp import HttpAuthority, LocalAuthority
from archive.trust.token import StampBroken
from ops import keys
from tests.support.packages import T0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    keys.init(made, clock=ManualClock(T0))
    return made


@pytest.fixture
def local(folder: Path) -> LocalAuthority:
    return keys.load_local_authority(folder, clock=ManualClock(T0 + DAY + 987_654))


def test_a_local_token_is_of_its_data_its_authority_and_its_time(local: LocalAuthority, folder: Path) -> None:
    roots = certificates.load_pem_files([folder / "root.pem"])
    found = token.decode("t", local.stamp(b"x"))
    assert found.gen_time == (T0 + DAY) // SECOND * SECOND
    token.check_imprint("t", found, b"x")
    token.check_authority("t", found, roots, found.gen_time)
    with pytest.raises(StampBroken) as caught:
        token.check_imprint("t", found, b"y")
    assert caught.value.code == "stamp_content"
    with pytest.raises(ChainBroken):
        token.check_authority("t", found, (), found.gen_time)


@pytest.mark.parametrize("last", [bytes.fromhex("862a0386"), bytes.fromhex("3d040303")])
def test_the_way_of_signing_is_the_one_that_was_used(local: LocalAuthority, last: bytes) -> None:
    """No signature covers that field, and OpenSSL ignores it: an unknown algorithm, and another hash."""
    stamped = local.stamp(b"x")
    name = bytes.fromhex("06082a8648ce3d040302")
    at = stamped.rindex(name)
    altered = stamped[: at + 6] + last + stamped[at + 10 :]
    assert cms.read_token(stamped).certificate is not None
    with pytest.raises(Malformed) as caught:
        token.decode("t", altered)
    assert caught.value.code == "bad_token"
    with pytest.raises(Broken) as broken:
        cms.read_token(altered)
    assert broken.value.code == "bad_token"


def test_serial_numbers_do_not_repeat(local: LocalAuthority) -> None:
    serials = set()
    for _ in range(20):
        answer = tsp.TimeStampResp.load(local.stamp(b"x"))
        info = answer["time_stamp_token"]["content"]["encap_content_info"]["content"].parsed
        serials.add(info["serial_number"].native)
        assert info["accuracy"]["seconds"].native == 1
    assert len(serials) == 20


def test_an_expired_authority_does_not_stamp(folder: Path) -> None:
    late = keys.load_local_authority(folder, clock=ManualClock(T0 + 731 * DAY))
    with pytest.raises(Unavailable) as caught:
        late.stamp(b"x")
    assert caught.value.code == "tsa_unavailable"


Answer = Callable[[bytes], tuple[int, bytes]]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer], str]]:
    """Start an HTTP server that answers posts with a function; returns its URL."""
    servers: list[HTTPServer] = []

    def start(answer: Answer) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/timestamp-query"
                status, body = answer(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/tsr"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def reject(_query: bytes) -> tuple[int, bytes]:
    return 200, tsp.TimeStampResp({"status": {"status": "rejection"}}).dump()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda query: (500, b""), id="error"),
        pytest.param(lambda query: (200, b""), id="empty"),
        pytest.param(lambda query: (200, b"<html>"), id="page"),
        pytest.param(lambda query: (200, b"\x30" * (2 << 20)), id="huge"),
        pytest.param(lambda query: (302, b""), id="redirect"),
        pytest.param(reject, id="refusal"),
    ],
)
def test_an_answer_that_is_no_token_is_unavailable(serve: Callable[[Answer], str], answer: Answer) -> None:
    with httpx.Client() as client, pytest.raises(Unavailable) as caught:
        HttpAuthority(serve(answer), client).stamp(b"x")
    assert caught.value.code == "tsa_unavailable"


def test_a_token_for_another_question_is_refused(
    serve: Callable[[Answer], str], local: LocalAuthority
) -> None:
    """A replayed token has the right form and a valid signature, but neither our nonce nor our hash."""
    for data in (b"something else", b"x"):
        with httpx.Client() as client, pytest.raises(Unavailable) as caught:
            HttpAuthority(serve(lambda query, data=data: (200, local.stamp(data))), client).stamp(b"x")  # type: ignore[misc]
        assert caught.value.code == "tsa_unavailable"


def test_nobody_answering_is_unavailable() -> None:
    with httpx.Client(timeout=1) as client, pytest.raises(Unavailable) as caught:
        HttpAuthority("http://127.0.0.1:9/tsr", client).stamp(b"x")
    assert caught.value.code == "tsa_unavailable"
    assert caught.value.retryable


@pytest.mark.parametrize("url", ["", "tsa.example", "file:///etc/passwd", "https://"])
def test_other_urls_are_refused(url: str) -> None:
    with httpx.Client() as client, pytest.raises(Malformed) as caught:
        HttpAuthority(url, client)
    assert caught.value.code == "bad_tsa_url"
