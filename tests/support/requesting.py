"""Requests in tests: one site with cameras and footage, papers, and valid forms."""

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.cases.requests.book import RequestHead
from archive.cases.requests.form import BasisForm, RequestForm
from archive.cases.requests.service import Requests
from archive.cases.requests.stream import Filer
from archive.clock import ManualClock
from archive.ports import Lock, LockMode
from archive.timespan import DAY, HOUR, MINUTE, format_instant
from ops.settings import Settings
from ops.wiring import Site
from tests.support.archives import SmallArchive, camera_form
from tests.support.holding import Holding, over
from tests.support.leaves import T0

POLICE = Filer(id="user:dewi", agency="polrestabes")
OFFICER = "user:citra"


def pdf_of(*objects: bytes, root: bytes = b"") -> bytes:
    """A PDF of one empty page and these objects, numbered from 4; ``root`` is added to its catalogue."""
    every = (
        b"<</Type/Catalog/Pages 2 0 R%s>>" % root,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
        *objects,
    )
    made, table = b"%PDF-1.7\n", b"0000000000 65535 f \n"
    for number, one in enumerate(every, 1):
        table += b"%010d 00000 n \n" % len(made)
        made += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    size = len(every) + 1
    return made + b"xref\n0 %d\n%strailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        size,
        table,
        size,
        len(made),
    )


PDF = pdf_of(b"<<>>")
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00\x55\xff\xd9"
)


def _chunk(name: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


PNG = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", b"\x00\x00\x00\x01\x00\x00\x00\x01\x08\x00\x00\x00\x00")
    + _chunk(b"IDAT", zlib.compress(b"\x00\x00"))
    + _chunk(b"IEND", b"")
)


@dataclass
class Requesting:
    """One site, an hour after T0; camera ``cam-1`` has a minute of footage from T0, ``cam-2`` has none."""

    site: Site
    clock: ManualClock
    holding: Holding
    scan: str

    @property
    def requests(self) -> Requests:
        return self.site.requests

    def file(self, by: Filer = POLICE, **changes: Any) -> RequestHead:
        return self.requests.filing.file(form(letter_sha256=self.upload(by), **changes), by)

    def upload(self, by: Filer = POLICE, content: bytes = PDF) -> str:
        with self.requests.attachments.incoming() as incoming:
            incoming.write(content)
            return self.requests.attachments.keep(incoming, account=by.account).sha256

    def approve(self, head: RequestHead, by: str = OFFICER) -> RequestHead:
        return self.requests.deciding.approve(
            head.request.id, by=by, name="Citra", expected=head.entry.version
        )

    def reject(self, head: RequestHead, by: str = OFFICER) -> RequestHead:
        return self.requests.deciding.reject(
            head.request.id, by=by, name="Citra", expected=head.entry.version, reason="no basis"
        )

    def hold_in_force(self, head: RequestHead) -> bool:
        return self.site.holds.hold(head.request.hold_id).hold.in_force


@contextmanager
def requesting(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Requesting]:
    """A site in a folder, or on the servers that ``environ`` names."""
    clock = ManualClock(T0 - MINUTE)
    with Site(Settings.load({"SAKSI_HOME": str(folder), **(environ or {})}), clock) as site:
        for camera in ("cam-1", "cam-2"):
            site.registry.add(camera_form(camera), actor="os:tester")
        archive = SmallArchive(clock, site.stores, site.index, site.ledger, site.registry)  # type: ignore[arg-type]
        held = over(archive)
        # The site's clock stands still; a real server uses today's date and accepts no expired lock.
        lock = Lock(LockMode.GOVERNANCE, T0 + 3650 * DAY)
        for number in range(6):
            held.arrive(number * 10, lock=lock)
        clock.step(T0 + HOUR - clock.now())
        made = Requesting(site, clock, held, "")
        made.scan = made.upload()
        yield made


def form(**changes: Any) -> RequestForm:
    """A form that is complete except for the scan's hash."""
    fields: dict[str, Any] = {
        "requester_name": "Dewi Lestari",
        "requester_rank": "AIPTU",
        "requester_nrp_nip": "78010123",
        "requester_agency_kind": "polri",
        "requester_agency": "Polrestabes Makassar",
        "requester_unit": "Satreskrim",
        "requester_contact": "0411-000000",
        "letter_number": "B/123/XI/2026/Reskrim",
        "letter_date": "2026-11-20",
        "letter_sha256": "",
        "legal_basis": (BasisForm(kind="lp", number="LP/B/123/XI/2026", article="Pasal 363 KUHP"),),
        "case": "LP/B/123/XI/2026",
        "purpose": "pencurian sepeda motor",
        "cameras": ("cam-1",),
        "start": format_instant(T0),
        "end": format_instant(T0 + MINUTE),
        "urgent": False,
    }
    return RequestForm(**(fields | changes))


def urgent(**changes: Any) -> RequestForm:
    """An urgent form without its letter."""
    return form(urgent=True, letter_number="", letter_date="", letter_sha256="", **changes)
