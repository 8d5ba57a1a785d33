"""Papers with false types, in process and on a socket: refused with a message, and nothing is stored."""

import glob
import http.client
import json
import socket
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from archive.cases.requests.active import MAX_INFLATED, active_name
from archive.cases.requests.sniffing import MAX_PIXELS
from archive.model.custody import Outcome
from archive.model.user import Role
from tests.support.api_server import ApiServer, api_server, new_token
from tests.support.api_site import Site, open_site
from tests.support.people import add_person, caller, catch_up
from tests.support.requesting import JPEG, PDF, PNG, _chunk, pdf_of

UPLOADS = "/v1/requests/attachments"


def zipped(name: str = "surat.pdf") -> bytes:
    made = BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr(name, PDF)
    return made.getvalue()


def pdf_with(objects: bytes) -> bytes:
    return pdf_of(objects)


def packed_for_real(objects: bytes) -> bytes:
    """A PDF whose table of objects is a stream, and whose object 5 lies in an object stream."""
    head, _, _ = pdf_of(b"<<>>").partition(b"xref\n")
    head = head[: head.index(b"4 0 obj")]
    head += b"4 0 obj\n<</Type/ObjStm/N 1/First 4" + deflated(b"5 0 " + objects)
    places = [*(head.index(b"%d 0 obj" % number) for number in range(1, 5)), len(head)]
    rows = [b"\1" + struct.pack(">H", place) + b"\0" for place in places]
    rows = [b"\0\0\0\xff", *rows[:4], b"\2\0\4\0", rows[4]]
    table = b"6 0 obj\n<</Type/XRef/Size 7/Root 1 0 R/W[1 2 1]" + deflated(b"".join(rows))
    return head + table + b"startxref\n%d\n%%%%EOF\n" % len(head)


def deflated(content: bytes) -> bytes:
    body = zlib.compress(content)
    return b"/Filter/FlateDecode/Length %d>>\nstream\n%s\nendstream\nendobj\n" % (len(body), body)


def packed(objects: bytes, kind: bytes = b"/ObjStm") -> bytes:
    body = zlib.compress(objects)
    stream = b"<< /Type %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream" % (
        kind,
        len(body),
        body,
    )
    return pdf_with(stream)


def png_of(width: int, height: int) -> bytes:
    header = struct.pack(">II", width, height) + b"\x08\x00\x00\x00\x00"
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(b"\0"))
        + _chunk(b"IEND", b"")
    )


def jpeg_of(width: int, height: int) -> bytes:
    return JPEG.replace(b"\x08\x00\x10\x00\x10", b"\x08" + struct.pack(">HH", height, width))


BAD = {
    "nothing": b"",
    "a ZIP that is called a PDF": zipped(),
    "a PDF and a ZIP": PDF + zipped(),
    "a picture and a ZIP": PNG[:-12] + zipped() + PNG[-12:],
    "a JPEG and a PDF": JPEG[:2] + b"\xff\xfe" + struct.pack(">H", len(PDF) + 2) + PDF + JPEG[2:],
    "a PNG and a PDF": PNG[:33] + _chunk(b"tEXt", b"x\0" + PDF) + PNG[33:],
    "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "an SVG behind an XML head": b'<?xml version="1.0"?><svg onload="alert(1)"/>',
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a page and a PDF": b"<script>alert(1)</script>" + PDF,
    "a program": b"MZ" + bytes(200),
    "a PDF that is cut short": PDF[:-30],
    "a PDF with a script": pdf_with(b"<< /S /JavaScript /JS (app.alert(1)) >>"),
    "a PDF with a script in a name in disguise": pdf_with(b"<< /S /J#61vaScr#69pt /JS (x) >>"),
    "a PDF with a script behind a comment that looks like a stream": pdf_with(
        b"<< >>\n% >>stream\n<< /S /JavaScript /JS (x) >>\n% endstream"
    ),
    "a PDF with a script in packed objects": packed(b"1 0 << /S /JavaScript /JS (app.alert(1)) >>"),
    "a PDF with a script in packed objects in disguise": packed(b"1 0 << /S /JavaScript >>", b"/Obj#53tm"),
    "a PDF with a script in objects that are packed otherwise": pdf_with(
        b"<< /Type /ObjStm /Filter /ASCIIHexDecode >>\nstream\n%s>\nendstream"
        % b"/S /JavaScript".hex().encode()
    ),
    "a PDF with objects that are packed twice": pdf_with(
        b"<< /Type /ObjStm /Filter [/FlateDecode /AHx] >>\nstream\n%s\nendstream" % zlib.compress(b"2f4a53>")
    ),
    "a PDF with objects that are locked": pdf_with(
        b"<< /Type /ObjStm /Filter /FlateDecode >>\nstream\n%s\nendstream" % (b"\x07locked" * 9)
    ),
    "a PDF with packed objects behind a long comment": packed(
        b"/S /JavaScript", b"/ObjStm % " + b"x" * 5000 + b"\n"
    ),
    "a PDF that starts a program": pdf_with(b"<< /S /Launch /F (cmd.exe) >>"),
    "a PDF with a file inside": pdf_with(b"<< /Type /EmbeddedFile >>"),
    "a PDF with a form of scripts": pdf_with(b"<< /AcroForm << /XFA [1 0 R] >> >>"),
    "a PDF that acts when its page is opened": pdf_with(b"<</AA<</O<</S/GoTo/D[3 0 R/Fit]>>>>>>"),
    "a PDF with a link": pdf_with(b"<</Type/Annot/Subtype/Link/A<</S/URI/URI(https://example.org/)>>>>"),
    "a PDF with a link in disguise": pdf_of(b"<</S 5 0 R>>", b"/U#52I"),
    "a PDF that opens another": pdf_with(b"<</S/GoToR/F(surat.pdf)/D[0/Fit]>>"),
    "a PDF that opens one inside": pdf_with(b"<</S/GoToE/T<</R/C>>>>"),
    "a PDF that asks a server for a file": pdf_with(b"<</X<</F(\\\\\\\\192.0.2.1\\\\x)>>>>"),
    "a PDF whose picture is elsewhere": pdf_with(b"<</Length 0/F(//192.0.2.1/x)>>\nstream\n\nendstream"),
    "a PDF that prints when it is opened": pdf_of(root=b"/OpenAction<</S/Named/N/Print>>"),
    "a PDF with a link in packed objects": packed_for_real(b"<</S/URI/URI(x)>>"),
    "a PDF that was changed and still holds the link": pdf_with(b"<</S/URI/URI(x)>>") + pdf_with(b"<<>>"),
    "a PDF whose objects nobody finds": PDF.replace(b"startxref\n", b"startxref\n1"),
    "a PDF with a password": PDF.replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt<</Filter/Standard/V 1/R 2>>"),
    "a PDF that unpacks without end": packed(bytes(MAX_INFLATED + 2)),
    "a picture of four thousand million pixels": png_of(65_535, 65_535),
    "another": jpeg_of(65_535, 65_535),
    "a picture one pixel too large": png_of(MAX_PIXELS // 10_000 + 1, 10_000),
    "a GIF": b"GIF89a" + bytes(40),
    "a RIFF": b"RIFF\0\0\0\0WEBP" + bytes(40),
}

GOOD = {
    "a PDF that opens at its page": (pdf_of(root=b"/OpenAction[3 0 R/Fit]"), "application/pdf"),
    "a PDF with a place to go to": (pdf_with(b"<</S/GoTo/D[3 0 R/Fit]>>"), "application/pdf"),
    "a PDF with really packed objects": (packed_for_real(b"<</Type/Annot/F 4>>"), "application/pdf"),
    "a plain PDF": (PDF, "application/pdf"),
    "a PDF with packed objects": (packed(b"1 0 << /Type /Catalog >>"), "application/pdf"),
    "a PDF that talks of scripts": (pdf_with(b"(JavaScript / Launch)"), "application/pdf"),
    "a PDF with a picture of random bytes": (
        pdf_with(b"<< /Length 5120 >>\nstream\n" + bytes(range(256)) * 20 + b"\nendstream"),
        "application/pdf",
    ),
    "a sheet at six hundred dots": (png_of(7_016, 9_921), "image/png"),
    "a photograph": (jpeg_of(8_000, 6_000), "image/jpeg"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with (
        open_site(tmp_path_factory.mktemp("site"), variant=None) as made,
        pytest.MonkeyPatch.context() as own,
    ):
        own.setattr(
            tempfile, "tempdir", str(tmp_path_factory.mktemp("temporary"))
        )  # nobody else leaves files here
        add_person(made, "dewi", Role.POLICE, agency="polrestabes")
        catch_up(made)
        yield made


def stored(site: Site) -> list[str]:
    stores = site.services.stores
    return [one.key for one in stores.records.list("attachments/")] + [
        one.key for one in stores.cache.list("requests/uploads/")
    ]


def leftovers() -> list[str]:
    return glob.glob(f"{tempfile.gettempdir()}/saksi-attachment-*")


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("said", ["application/pdf", "image/png", "text/html"])
def test_what_is_no_paper_is_refused_whatever_it_is_called(site: Site, name: str, said: str) -> None:
    before, lying = stored(site), leftovers()
    headers = {"Content-Type": said, "Content-Disposition": 'attachment; filename="../../surat.pdf"'}
    answer = caller(site, "dewi")("POST", UPLOADS, content=BAD[name], headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "attachment_type"), answer.text
    assert "Berkas ditolak" in answer.json()["detail"]
    assert stored(site) == before
    assert leftovers() == lying
    told = site.events("attachment.upload")[-1]
    assert (told.outcome, told.details["code"]) == (Outcome.REFUSED, "attachment_type")


@pytest.mark.parametrize("name", GOOD)
def test_what_is_a_paper_is_taken_whatever_it_is_called(site: Site, name: str) -> None:
    content, media_type = GOOD[name]
    answer = caller(site, "dewi")("POST", UPLOADS, content=content, headers={"Content-Type": "text/html"})
    assert (answer.status_code, answer.json()["media_type"]) == (201, media_type), answer.text


def test_many_small_packed_objects_take_no_long_look() -> None:
    one = b"1 0 obj<</Type/ObjStm/Filter/FlateDecode>>stream\n" + zlib.compress(b"1") + b"endstream "
    before = time.process_time()
    assert active_name(b"%PDF-1.5\n" + one * 50_000) == ""
    assert time.process_time() - before < 10, "each of them was looked at with all that follows"


# On a real socket -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with api_server(tmp_path_factory.mktemp("home"), {"SAKSI_ATTACHMENT_MAX_MIB": "1"}) as made:
        yield made


@pytest.fixture(scope="module")
def token(server: ApiServer) -> str:
    return new_token(server.line)


def kept(server: ApiServer) -> list[Path]:
    home = server.line.home
    return [path for path in home.rglob("*") if path.is_file() and "attachments" in path.parts]


def head(token: str, *lines: str) -> bytes:
    every = [f"POST {UPLOADS} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", *lines, "", ""]
    return "\r\n".join(every).encode()


def answer_of(data: bytes) -> tuple[int, str]:
    top, _, body = data.partition(b"\r\n\r\n")
    return int(top.split()[1]), str(json.loads(body)["code"])


def test_two_gigabytes_that_are_announced_are_refused_before_they_come(server: ApiServer, token: str) -> None:
    before = time.monotonic()
    data = server.exchange(head(token, f"Content-Length: {2 << 30}") + PDF, seconds=10)
    assert answer_of(data)[0] == 413
    assert time.monotonic() - before < 9, "it was waited for"
    assert kept(server) == []


def test_a_stream_without_a_length_is_cut_at_the_limit(server: ApiServer, token: str) -> None:
    piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
    sent = 0
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as client:
        client.sendall(head(token, "Transfer-Encoding: chunked"))
        try:
            for _ in range(2048):  # 128 MiB
                client.sendall(piece)
                sent += 0x10000
        except (ConnectionError, TimeoutError):
            pass
        try:
            data = client.recv(65536)
        except ConnectionError:
            data = b""
    assert not data or answer_of(data)[0] in {413, 422}
    assert sent < 2048 * 0x10000, "all of it was taken"
    assert kept(server) == []
    assert server.memory_mib() < 600


def test_a_paper_that_breaks_off_is_not_kept(server: ApiServer, token: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as client:
        client.sendall(head(token, f"Content-Length: {len(PDF) + 10}") + PDF)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass  # until the server has closed too: it has seen the end
    assert kept(server) == []
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("POST", UPLOADS, body=PDF, headers={"Authorization": f"Bearer {token}"})
    assert connection.getresponse().status == 201
    connection.close()
    assert len(kept(server)) >= 1
