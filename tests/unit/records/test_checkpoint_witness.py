"""A second party receives checkpoints; its silence never delays one."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from archive.clock import ManualClock
from archive.errors import Malformed, Unavailable
from archive.records.checkpoint import stored
from archive.records.checkpoint.job import CheckpointMaker
from archive.records.checkpoint.witness import Witness
from archive.timespan import HOUR
from tests.support.checkpoints import LogSite, log_site


@dataclass
class Inspectorate:
    """A real HTTP server that keeps what it receives."""

    status: int = 201
    answer: bytes = b"received\n"
    kept: list[bytes] = field(default_factory=list)
    port: int = 0


@pytest.fixture
def inspectorate() -> Iterator[Inspectorate]:
    party = Inspectorate()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            party.kept.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(party.status)
            self.send_header("Content-Length", str(len(party.answer)))
            self.end_headers()
            self.wfile.write(party.answer)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    party.port = server.server_port
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield party
    server.shutdown()
    server.server_close()


@pytest.fixture
def site(tmp_path: Path) -> LogSite:
    return log_site(tmp_path / "site")


@pytest.fixture
def maker(site: LogSite, inspectorate: Inspectorate) -> Iterator[CheckpointMaker]:
    with httpx.Client(trust_env=False, timeout=5) as client:
        made = site.maker()
        made.witnesses = [Witness(f"http://127.0.0.1:{inspectorate.port}/saksi", client, site.clock)]
        yield made


def test_a_witness_gets_the_text_and_its_answer_is_kept(
    site: LogSite, maker: CheckpointMaker, inspectorate: Inspectorate
) -> None:
    site.record()
    assert maker.run_due() == 1
    text = site.stores.records.get(site.part(1))
    assert inspectorate.kept == [text]
    maker.run_due()
    assert inspectorate.kept == [text]
    assert stored.read_state(site.stores.records, 1).receipts == 1
    (part,) = [part for part in stored.read_state(site.stores.records, 1).parts if "witness" in part]
    receipt = json.loads(site.stores.records.get(site.part(1, part)))
    assert base64.b64decode(receipt["answer"]) == b"received\n"
    assert receipt["status"] == 201
    report = site.verify()
    assert report.valid
    assert report.witnesses == {f"127.0.0.1:{inspectorate.port}/saksi"}


@pytest.mark.parametrize(("status", "answer"), [(500, b""), (302, b""), (200, b"x" * 70_000)])
def test_a_witness_that_does_not_answer_is_asked_again(
    site: LogSite, maker: CheckpointMaker, inspectorate: Inspectorate, status: int, answer: bytes
) -> None:
    site.record()
    good, inspectorate.status, inspectorate.answer = inspectorate.answer, status, answer
    with pytest.raises(Unavailable) as caught:
        maker.run_due()
    assert caught.value.code == "witness_unavailable"
    state = stored.read_state(site.stores.records, 1)
    assert (state.signed, state.stamped, state.receipts) == (True, True, 0)
    site.clock.advance(HOUR)
    with pytest.raises(Unavailable):
        maker.run_due()
    assert stored.newest(site.stores.records) == 2
    inspectorate.status, inspectorate.answer = 200, good
    maker.run_due()
    assert [stored.read_state(site.stores.records, number).receipts for number in (1, 2)] == [1, 1]


def test_a_receipt_for_another_checkpoint_is_named(site: LogSite, maker: CheckpointMaker) -> None:
    site.record()
    maker.run_due()
    site.clock.advance(HOUR)
    maker.run_due()
    (part,) = [part for part in stored.read_state(site.stores.records, 1).parts if "witness" in part]
    site.forge(site.part(1, part), site.stores.records.get(site.part(2, part)))
    assert [(f.code, f.object) for f in site.verify().findings] == [("receipt_invalid", site.part(1, part))]


@pytest.mark.parametrize(
    "url",
    ["http://inspektorat.example/x", "ftp://127.0.0.1/x", "https://", "witness", "http://127.0.0.1.example/"],
)
def test_a_witness_is_reached_over_https_alone(url: str) -> None:
    with httpx.Client() as client, pytest.raises(Malformed) as caught:
        Witness(url, client, ManualClock(0))
    assert caught.value.code == "bad_witness_url"


def test_credentials_in_an_address_are_not_kept() -> None:
    with httpx.Client() as client:
        shown = Witness(
            "https://user:secret@inspektorat.example:8443/saksi?token=abc", client, ManualClock(0)
        )
    assert shown.name == "inspektorat.example:8443/saksi"
