"""The typed client against a real server: the guide's examples, refusals, repetitions, broken transfers."""

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.client import Client, NoAnswer, ProblemAnswer, UnexpectedAnswer
from tests.integration.api.test_server import serving
from tests.support.api_site import CAMERA, CLIP, Site, open_site, span

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guide" / "client.md"
EXAMPLES = re.findall(
    r"^## (.+?)\n.*?```python\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def url(site: Site) -> Iterator[str]:
    with serving(site) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def client(site: Site, url: str) -> Iterator[Client]:
    with Client(url, site.token, purpose="LP/B/123/XI/2026", pause=lambda seconds: None) as made:
        yield made


class Breaking:
    """A carrier in front of a server, which breaks off answers after some bytes, as often as it is told."""

    def __init__(self, target: str) -> None:
        self._target = ("127.0.0.1", int(target.rpartition(":")[2]))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.breaks = 0
        self.after = 0
        self.heads: list[bytes] = []
        self.answers: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._target) as far:
            head = _request(near)
            if not head:
                return
            self.heads.append(head)
            far.sendall(head.replace(b"Connection: keep-alive", b"Connection: close"))
            left = self.after if self.breaks > 0 else None
            self.breaks -= 1
            first = True
            while piece := far.recv(65536):
                if first:
                    self.answers.append(piece.partition(b"\r\n")[0])
                    first = False
                if left is not None:
                    piece = piece[:left]
                    left -= len(piece)
                near.sendall(piece)
                if left == 0:
                    return

    def close(self) -> None:
        self._listener.close()


def _request(near: socket.socket) -> bytes:
    """A whole request: head and body may come one after the other. b"" where the client closed instead."""
    read = b""
    while True:
        head, end, body = read.partition(b"\r\n\r\n")
        if end and len(body) >= _body_size(head):
            return read
        if not (piece := near.recv(65536)):
            return b""
        read += piece


def _body_size(head: bytes) -> int:
    found = re.search(rb"^content-length: *([0-9]+)", head, re.MULTILINE | re.IGNORECASE)
    return 0 if found is None else int(found[1])


@pytest.fixture
def breaking(url: str) -> Iterator[Breaking]:
    made = Breaking(url)
    yield made
    made.close()


@pytest.mark.parametrize("text", [text for _, text in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_the_examples_of_the_guide_run_as_written(
    site: Site, url: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(text, str(GUIDE), "exec"), {"URL": url, "TOKEN": site.token})  # noqa: S102 - our own guide
    said = capsys.readouterr().out
    assert said.strip()
    if "download_clip" in text:
        saved = (tmp_path / "cam-1.mp4").read_bytes()
        assert said.split() == [str(len(saved)), hashlib.sha256(saved).hexdigest()]
    if "gaps" in text and "download_clip" not in text:
        assert "unreachable" in said
    if "edit_camera" in text:
        assert site.services.registry.camera("cam-2").name == said.strip()


def test_there_are_three_examples() -> None:
    assert len(EXAMPLES) == 3


def test_a_refusal_is_a_problem_with_its_code(client: Client) -> None:
    with pytest.raises(ProblemAnswer) as refused:
        client.cameras.get_camera("no-such")
    assert (refused.value.status, refused.value.code) == (404, "camera_not_found")
    with pytest.raises(ProblemAnswer) as naive:
        client.recordings.list_recordings(from_="2026-11-24T14:00:00", to="2026-11-24T14:02:00+08:00")
    assert naive.value.code == "naive_time"
    assert naive.value.hint


def test_ids_cannot_leave_their_place_in_the_path(client: Client) -> None:
    for hostile in ("../holds", "cam-1/clip", "cam-1?x=1", "cam-1#x", "%2e%2e"):
        with pytest.raises((ProblemAnswer, UnexpectedAnswer)) as refused:
            client.cameras.get_camera(hostile)
        assert "holds" not in str(getattr(refused.value, "problem", {}))


def test_a_change_on_an_old_version_is_refused_and_one_sent_twice_counts_once(
    client: Client, site: Site, breaking: Breaking
) -> None:
    before = client.cameras.get_camera(CAMERA)
    client.cameras.edit_camera(CAMERA, {"name": "Satu", "reason": "uji"}, if_match=before.etag)
    with pytest.raises(ProblemAnswer) as refused:
        client.cameras.edit_camera(CAMERA, {"name": "Dua", "reason": "uji"}, if_match=before.etag)
    assert refused.value.status == 412

    breaking.breaks, breaking.after = 1, 10  # the answer is lost, the change is made
    with Client(breaking.url, site.token, pause=lambda seconds: None) as carried:
        made = carried.holds.place_hold(
            {
                "cameras": [CAMERA],
                "from": span(0, 10)["from"],
                "to": span(0, 10)["to"],
                "case": "LP/1",
                "owner": "Polrestabes",
                "basis": "KUHAP",
                "review_at": "2027-01-01T00:00:00+08:00",
            }
        )
    assert made.status == 201
    ours = [one for one in site.services.holds.holds() if one.hold.case == "LP/1"]
    assert len(ours) == 1
    assert len(breaking.heads) == 2


def test_a_read_is_repeated_and_gives_up_in_the_end(site: Site, breaking: Breaking) -> None:
    breaking.breaks, breaking.after = 2, 5
    waits: list[float] = []
    with Client(breaking.url, site.token, pause=waits.append) as carried:
        assert carried.cameras.get_camera(CAMERA).body["id"] == CAMERA
        assert waits == [0.5, 1.0]
        breaking.breaks = 100
        with pytest.raises(NoAnswer):
            carried.cameras.get_camera(CAMERA)


def test_a_download_that_breaks_off_goes_on_where_it_stopped(
    site: Site, breaking: Breaking, tmp_path: Path
) -> None:
    whole = site.call.get(CLIP, params=span(0, 25)).content
    breaking.breaks, breaking.after = 3, 200_000
    with Client(breaking.url, site.token, pause=lambda seconds: None) as carried:
        wanted = span(0, 25)
        download = carried.clips.download_clip(CAMERA, from_=wanted["from"], to=wanted["to"])
        saved = download.save(tmp_path / "clip.mp4")
    assert saved.path.read_bytes() == whole
    assert saved.sha256 == hashlib.sha256(whole).hexdigest()
    assert [answer.split()[1] for answer in breaking.answers] == [b"200", b"206", b"206", b"206"]
    assert [one.name for one in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_download_that_fails_leaves_nothing_under_its_name(
    site: Site, breaking: Breaking, tmp_path: Path
) -> None:
    breaking.breaks, breaking.after = 100, 1000
    with Client(breaking.url, site.token, pause=lambda seconds: None) as carried:
        wanted = span(0, 25)
        with pytest.raises(NoAnswer):
            carried.clips.download_clip(CAMERA, from_=wanted["from"], to=wanted["to"]).save(
                tmp_path / "clip.mp4"
            )
    assert not (tmp_path / "clip.mp4").exists()


@contextmanager
def _answering(answer: bytes) -> Iterator[str]:
    """A server that answers every request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    near, _ = listener.accept()
                except OSError:
                    return
                with near:
                    near.recv(65536)
                    near.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\n\r\n{hell",
        b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello",
    ],
    ids=["html", "broken", "not-found"],
)
def test_another_program_at_the_address_is_said_so(answer: bytes) -> None:
    with (
        _answering(answer) as address,
        Client(address, "token", pause=lambda seconds: None) as lost,
        pytest.raises(UnexpectedAnswer),
    ):
        lost.cameras.get_camera(CAMERA)
