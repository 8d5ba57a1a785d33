"""The story of one request over HTTP with six people, from a theft at night to the auditor's report.

Police file an urgent request; its hold is in force when the answer arrives, and set on the store soon after.
The letter follows, the War Room approves, the package is sealed, another officer hands it over, the recipient
confirms the receipt, the request is closed, and the auditor prints what everyone did. The log verifies. The
story runs once on the embedded default with local accounts, at three in the morning, and once on MinIO,
Elasticsearch and Keycloak, where jobs and log run as commands in their own processes.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from archive.model import leaf as leaves
from archive.model.segment import ClockStatement, Segment
from archive.ports import Content, IndexEntry, Lock, LockMode
from archive.timespan import DAY, HOUR, SECOND, Timespan
from ops.accounts import passwords_of
from ops.log import Log
from tests.support.api_site import CAMERA, T0, Caller, Site, camera_form, open_site, span
from tests.support.keycloak import KeycloakServer
from tests.support.people import PURPOSE, add_person, catch_up
from tests.support.real_city import PEOPLE, Browser, City, environ, real_city
from tests.support.requesting import PDF

__all__ = ["environ"]
PASSWORD = "pasar-terong-malam-42"
STREETS = ("jalan-1", "jalan-2", "jalan-3")
NIGHT = T0 + 13 * HOUR
"""2026-11-25T03:00:00+08:00."""


def archive_hours(site: Site, each: int) -> list[Segment]:
    """``each`` segments of ten seconds for each street, from T0; they cannot be played."""
    services, now = site.services, site.clock.now()
    for camera in STREETS:
        services.registry.add(camera_form(camera), actor="os:test")

    def keep(camera: str, seq: int) -> tuple[Segment, IndexEntry]:
        body = f"{camera}/{seq}".encode() * 20
        covered = Timespan(T0 + seq * 10 * SECOND, T0 + (seq + 1) * 10 * SECOND)
        segment = Segment(
            camera=camera,
            recorder="rec-1",
            run="6a15000000000077",
            seq=seq,
            span=covered,
            media_duration=900_000,
            sha256=sha256(body).hexdigest(),
            size=len(body),
            header_bytes=40,
            codec="h264",
            gop="closed",
            frames=150,
            clock=ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000),
            camera_time=None,
            ingested_at=covered.end + SECOND,
        )
        stored = services.stores.footage.put(
            segment.key,
            Content.of_bytes(body),
            metadata={"leaf": leaves.encode(segment).decode("ascii")},
            lock=Lock(LockMode.GOVERNANCE, now + DAY),
        )
        return segment, IndexEntry(leaf=segment, place=None, version=stored.version)

    with ThreadPoolExecutor(8) as pool:
        kept = [
            pair
            for camera in STREETS
            for pair in pool.map(keep, [camera] * each, range(each))
        ]  # fmt: skip
    services.index.add([entry for _, entry in kept])
    return [segment for segment, _ in kept]


def form(**changes: Any) -> dict[str, Any]:
    """The police's request, without its letter."""
    return {
        "requester": {
            "name": "Andi Baso", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-000000",
        },
        "urgent": True,
        "legal_basis": [{"kind": "lp", "number": PURPOSE, "article": "Pasal 363 KUHP"}],
        "case": PURPOSE,
        "purpose": "pencurian dengan pemberatan",
        **changes,
    }  # fmt: skip


def tell_the_story(city: City, streets: list[Segment]) -> str:
    """Run the whole story; returns the id of the request."""
    site = city.site
    city.enter()
    police, satpol, approver, officer, district, auditor = (city.who(name) for name in PEOPLE)

    # At night: the thief went through three streets within the hour.
    hours = len(streets) // len(STREETS) * 10
    answer = police("POST", "/v1/requests", json=form(cameras=list(STREETS), **span(0, hours)))
    assert answer.status_code == 201, answer.text
    request_id: str = answer.json()["id"]
    one = answer.headers["location"]
    hold = police.get(one).json()["hold"]
    assert (hold["in_force"], hold["progress"]) == (True, None)
    city.sweep()
    progress = police.get(one).json()["hold"]["progress"]
    assert progress["is_verified"]
    assert (progress["segments"], progress["verified"]) == (len(streets), len(streets))
    assert all(
        site.services.stores.footage.head(segment.key).held for segment in streets[:: len(streets) // 9]
    )

    # In the morning: the camera that saw it, and the letter. The held footage stays held.
    scan = police("POST", "/v1/requests/attachments", content=PDF).json()["sha256"]
    letter = {"number": "B/123/XI/2026/Reskrim", "date": "2026-11-24", "sha256": scan}
    asked = form(cameras=[CAMERA], letter=letter, **span(0, 20))
    amended = police.change(one, "amend", **asked, reason="kamera yang melihatnya")
    assert (amended["version"], amended["cameras"]) == (2, [CAMERA])
    city.sweep()
    assert site.services.stores.footage.head(site.first[0].key).held
    assert site.services.stores.footage.head(streets[0].key).held

    # No one else can decide, and no one outside the case can see the request.
    for stranger, status, code in (
        (satpol, 404, "request_not_found"),
        (district, 403, "not_permitted"),
    ):
        seen = stranger.get(one)
        assert (seen.status_code, seen.json()["code"]) == (status, code)
    for somebody in (police, satpol, district, auditor):
        assert somebody.refused(2, f"{one}/approve") == (403, "not_permitted")
    assert approver.refused(1, f"{one}/approve") == (412, "precondition_failed")
    approved = approver.change(one, "approve", reason="surat lengkap")
    decision = approved["decision"]
    assert (decision["by"], decision["without_letter"]) == ("user:warroom-1", False)
    assert decision["entry_sha256"] == police.get(one).json()["history"][1]["sha256"]

    # Sealed, and handed over by a person who neither requested nor decided.
    early = officer.refused(3, f"{one}/handover")
    assert early == (409, "not_sealed")
    city.seal()
    sealed = police.get(one).json()
    assert (sealed["status"], sealed["failure"]) == ("sealed", None)
    evidence_id = sealed["evidence_id"]
    package = f"/v1/evidence/{evidence_id}/package.zip"
    assert police.get(package).status_code == 403
    for somebody, code in (
        (approver, "same_person"),
        (police, "not_permitted"),
        (auditor, "not_permitted"),
    ):
        assert somebody.refused(sealed["version"], f"{one}/handover") == (403, code)
    given = officer.change(one, "handover", downloads=1, note="loket")
    assert given["recipient"]["person"] == "user:polisi"
    for somebody in (satpol, district, auditor, officer):
        assert somebody("POST", f"{one}/handover/downloads").status_code in {403, 404}

    # The recipient downloads the package, checks it, and confirms the receipt.
    begun = police("POST", f"{one}/handover/downloads")
    assert begun.status_code == 201, begun.text
    whole = police.get(begun.json()["url"])
    assert whole.status_code == 200, whole.text
    again = police("POST", f"{one}/handover/downloads")
    assert (again.status_code, again.json()["code"]) == (403, "downloads_used_up")
    with ZipFile(BytesIO(whole.content)) as received:
        assert received.testzip() is None
        tags = sha256(received.read(f"{evidence_id}/tagmanifest-sha256.txt")).hexdigest()
        statement = json.loads(received.read(f"{evidence_id}/data/metadata/evidence.json"))
    assert statement["request"]["id"] == request_id
    confirmed = police(
        "POST",
        f"{one}/handover/confirm",
        json={"tagmanifest_sha256": tags, "signer_sha256": given["signer_sha256"]},
    )
    assert confirmed.status_code == 200, confirmed.text
    for caller in (police, auditor):
        verdict = caller("POST", f"/v1/evidence/{evidence_id}/verify")
        assert (verdict.status_code, verdict.json()["valid"]) == (200, True), verdict.text

    closed = officer.change(one, "close", hold="release", reason="perkara diputus")
    assert closed["status"] == "closed"
    assert not police.get(one).json()["hold"]["in_force"]
    city.sweep()
    assert not any(site.services.stores.footage.head(key).held for key in (site.first[0].key, streets[0].key))

    audit(auditor, request_id)
    log = city.verify_log()
    assert (log["valid"], [one for one in log["findings"] if one["severity"] == "error"]) == (True, [])
    return request_id


ACTS = [
    ("request.file", "user:polisi", "done"),
    ("request.amend", "user:polisi", "done"),
    ("request.approve", "user:warroom-1", "done"),
    ("handover.give", "user:warroom-1", "refused"),
    ("handover.give", "user:warroom-2", "done"),
    ("handover.begin_download", "user:polisi", "done"),
    ("evidence.download.ended", "user:polisi", "done"),
    ("handover.begin_download", "user:polisi", "refused"),
    ("handover.confirm", "user:polisi", "done"),
    ("handover.close", "user:warroom-2", "done"),
]
"""What the auditor must find, each by whom and how it ended."""


def audit(auditor: Browser, request_id: str) -> None:
    """The auditor prints the custody of the request, on paper and as lines, and sees no footage."""
    report = auditor.get("/v1/custody/report.jsonl", item=request_id)
    assert report.status_code == 200, report.text
    *above, last = report.content.splitlines(keepends=True)
    end = json.loads(last)
    assert end == {"lines": len(above) - 1, "sha256": sha256(b"".join(above)).hexdigest()}
    acts = [json.loads(line) for line in above[1:]]
    told = [(act["type"], act["actor"]["id"], act["outcome"]) for act in acts]
    assert [act for act in ACTS if act not in told] == []
    in_order = [told.index(act) for act in ACTS]
    assert in_order == sorted(in_order)
    for act in acts:
        if act["source"] == "custody" and act["actor"]["id"].startswith("user:"):
            assert (act["actor"]["role"], act["actor"]["session"] != "") == (
                PEOPLE[act["actor"]["id"].removeprefix("user:")][0].value, True
            ), act  # fmt: skip
    paper = auditor.get("/v1/custody/report.pdf", item=request_id)
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    if shutil.which("pdftotext") is not None:
        text = subprocess.run(
            ["pdftotext", "-layout", "-", "-"], input=paper.content, capture_output=True, check=True
        ).stdout.decode()
        assert request_id in text
        assert all(name in text for name in ("polisi", "warroom-1", "warroom-2"))
    for path in ("frame.jpg", "playlist.m3u8", "clip.mp4"):
        assert auditor.get(f"/v1/cameras/{CAMERA}/{path}").status_code in {403, 422}


# -- the embedded default, local accounts, three in the morning ---------------------------------------


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[City]:
    with open_site(tmp_path) as site:
        wired = site.evidence.site
        passwords = passwords_of(wired)
        for name, (role, agency, district) in PEOPLE.items():
            add_person(site, name, role, agency=agency, districts=[district] if district else [])
            passwords.put(name, PASSWORD)
        site.clock.advance(NIGHT - site.clock.now())
        catch_up(site)
        sweeper = wired.hold_sweeper()

        def sign_in(name: str) -> Browser:
            body = {"name": name, "password": PASSWORD, "purpose": PURPOSE}
            return Browser(site, Caller(site.app)("POST", "/auth/local", json=body))

        def verify_log() -> dict[str, Any]:
            log = Log(wired)
            if not log.newest():
                assert log.maker.make() is not None
                log.maker.settle()
            report: dict[str, Any] = log.verify(trust=[tmp_path / "keys" / "root.pem"]).to_json()
            return report

        yield City(site, sign_in, lambda: _sealed(site.evidence.run_open_requests()), sweeper.run, verify_log)


def _sealed(count: int) -> None:
    assert count == 1


def test_the_story_with_local_accounts_on_the_embedded_default(embedded: City, tmp_path: Path) -> None:
    tell_the_story(embedded, archive_hours(embedded.site, 12))
    # A later change of one event, even with its metadata, is detected.
    acts = [path for path in (tmp_path / "archive").rglob("custody/**/*") if path.is_file()]
    target = next(path for path in sorted(acts) if b"handover.give" in path.read_bytes())
    assert embedded.verify_log()["valid"] is True
    rewrite(target, target.read_bytes().replace(b"user:warroom-2", b"user:warroom-1"))
    found = embedded.verify_log()
    assert found["valid"] is False
    assert "object_altered" in {one["code"] for one in found["findings"]}


def rewrite(target: Path, data: bytes) -> None:
    """Replace the bytes of an object."""
    target.chmod(0o600)
    target.write_bytes(data)


# -- MinIO, Elasticsearch, Keycloak -------------------------------------------------------------------


@pytest.fixture
def servers(tmp_path: Path, environ: dict[str, str], keycloak_server: KeycloakServer) -> Iterator[City]:
    with real_city(tmp_path, environ, keycloak_server, "http://saksi.test") as city:
        yield city


def test_the_story_with_keycloak_on_real_servers(servers: City) -> None:
    tell_the_story(servers, archive_hours(servers.site, 360))
