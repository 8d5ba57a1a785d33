"""The handover of a sealed package over HTTP: officer, recipient, officer, and no one else."""

import base64
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from archive import keys
from archive.canonical import sha256_hex
from archive.cases.handover.fetching import Fetchings
from archive.cases.handover.papers import Papers
from archive.cases.handover.reading import Handover, Shelf
from archive.cases.handover.requests import RequestFiles
from archive.footage.reader import recorded_leaf
from archive.model import leaf as leaves
from archive.model.custody import Outcome
from archive.model.evidence import EvidenceStatus
from archive.model.user import Role
from archive.ports import Content, LockMode
from archive.records import journal
from archive.timespan import DAY, HOUR, format_instant
from tests.support.api_site import CAMERA, Caller, Site, open_site, span
from tests.support.archives import RECORDER_KEY
from tests.support.people import add_person, caller, catch_up

HANDOVER = "/v1/requests/{}/handover"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, role, agency in (
            ("budi", Role.POLICE, "polrestabes"),
            ("rekan", Role.POLICE, "polrestabes"),
            ("lain", Role.POLICE, "polda"),
            ("citra", Role.WAR_ROOM, ""),
            ("dewi", Role.WAR_ROOM, ""),
            ("ani", Role.AUDITOR, ""),
        ):
            add_person(made, name, role, agency=agency)
        catch_up(made)
        journalled(made)
        yield made


def journalled(site: Site) -> None:
    """Put the footage into its recorder's journal, as sealing requires."""
    services, now = site.services, site.clock.now()
    records = services.stores.records
    if any(True for _ in records.list("journal/")):
        return
    raw = RECORDER_KEY.public_key().public_bytes_raw()
    services.ledger.append(
        "recorder",
        "rec-1",
        {"public_key": base64.b64encode(raw).decode("ascii"), "key_sha256": sha256_hex(raw)},
        expected=0,
        actor="os:tester",
        action="recorder.registered",
    )
    lines = [
        leaves.decode(recorded_leaf(services.stores.footage, ref)) for ref in (*site.first, *site.second)
    ]
    batch = journal.encode(lines, recorder="rec-1", batch=1, prev=journal.GENESIS, at=now, key=RECORDER_KEY)
    records.put(keys.journal_key("rec-1", 1, now), Content.of_bytes(batch))


def filed() -> dict[str, Any]:
    return {
        "requester": {
            "name": "Budi Santoso",
            "rank": "Iptu",
            "nrp_nip": "84010123",
            "agency_kind": "polri",
            "agency": "Polrestabes Makassar",
            "unit": "Satreskrim",
            "contact": "0811-000-000",
        },
        "urgent": True,
        "case": "LP/B/123/XI/2026",
        "purpose": "Pencurian dengan pemberatan",
        "legal_basis": [{"kind": "lp", "number": "LP/B/123/XI/2026", "article": "363 KUHP"}],
        "cameras": [CAMERA],
        **span(0, 20),
    }


class Case:
    """One request and its package."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._callers: dict[str, Caller] = {}
        answer = self.call("budi")("POST", "/v1/requests", json=filed())
        assert answer.status_code == 201, answer.text
        self.id: str = answer.json()["id"]
        approved = self.change("citra", f"/v1/requests/{self.id}/approve", {"reason": "lengkap"})
        assert approved.status_code == 200, approved.text
        self.evidence_id: str = approved.json()["evidence_id"]
        site.evidence.run_open_requests()
        assert site.evidence.record(self.evidence_id).status is EvidenceStatus.SEALED

    def call(self, name: str) -> Caller:
        """A person in the one session that they have in this case."""
        return self._callers.setdefault(name, caller(self.site, name))

    def change(self, name: str, path: str, form: dict[str, Any]) -> Any:
        etag = self.call("citra").get(f"/v1/requests/{self.id}").headers["etag"]
        return self.call(name)("POST", path, json=form, headers={"If-Match": etag})

    def give(self, name: str = "dewi", **form: Any) -> Any:
        return self.change(name, HANDOVER.format(self.id), form)

    def begin(self, name: str = "budi") -> Any:
        return self.call(name)("POST", f"{HANDOVER.format(self.id)}/downloads")

    def confirm(self, tags: str, signer: str, name: str = "budi") -> Any:
        form = {"tagmanifest_sha256": tags, "signer_sha256": signer}
        return self.call(name)("POST", f"{HANDOVER.format(self.id)}/confirm", json=form)

    def close(self, name: str = "dewi", **form: Any) -> Any:
        return self.change(name, f"/v1/requests/{self.id}/close", form)


@pytest.fixture
def case(site: Site) -> Case:
    return Case(site)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_the_whole_way(case: Case) -> None:
    site = case.site
    before = {event.id for event in site.events()}
    given = case.give(note="loket")
    assert given.status_code == 201, given.text
    told = given.json()
    assert (told["status"], told["remaining"], told["recipient"]["person"]) == ("handed_over", 3, "user:budi")
    begun = case.begin()
    assert begun.status_code == 201, begun.text
    url = begun.json()["url"]
    whole = case.call("budi").get(url)
    assert whole.status_code == 200
    with ZipFile(BytesIO(whole.content)) as package:
        tags = package.read(f"{case.evidence_id}/tagmanifest-sha256.txt")
    assert sha256(tags).hexdigest() == told["tagmanifest_sha256"]
    wrong = case.confirm("00" * 32, told["signer_sha256"])
    assert code(wrong) == (403, "confirmation_differs")
    right = case.confirm(sha256(tags).hexdigest().upper(), " ".join(told["signer_sha256"]))
    assert right.status_code == 200, right.text
    assert right.json()["receipt"]["confirmed_by"] == "user:budi"
    closed = case.close(hold="release", reason="perkara diputus")
    assert closed.status_code == 200, closed.text
    hold = case.call("citra").get(f"/v1/requests/{case.id}").json()["hold_id"]
    assert not site.services.holds.hold(hold).hold.in_force
    new = [event for event in site.events() if event.id not in before]
    acts = [event for event in new if event.type.startswith(("handover", "evidence"))]
    assert sorted((event.type, event.actor.id, event.outcome) for event in acts) == sorted(
        [
            ("handover.give", "user:dewi", Outcome.DONE),
            ("handover.begin_download", "user:budi", Outcome.DONE),
            ("evidence.download.started", "user:budi", Outcome.DONE),
            ("evidence.download.ended", "user:budi", Outcome.DONE),
            ("handover.confirm", "user:budi", Outcome.REFUSED),
            ("handover.confirm", "user:budi", Outcome.DONE),
            ("handover.close", "user:dewi", Outcome.DONE),
        ]
    )
    for event in acts:
        assert event.actor.role == ("police" if event.actor.id == "user:budi" else "war_room")
        assert event.actor.address == "192.0.2.99"
        assert event.actor.session
        assert case.id in event.objects


def test_a_download_goes_on_by_range_and_counts_once(case: Case) -> None:
    case.give(downloads=1)
    url = case.begin().json()["url"]
    call = case.call("budi")
    size = int(call("HEAD", url).headers["content-length"])
    first = call.get(url, headers={"Range": "bytes=0-999"})
    etag = first.headers["etag"]
    rest = call.get(url, headers={"Range": "bytes=1000-", "If-Range": etag})
    assert (first.status_code, rest.status_code) == (206, 206)
    assert len(first.content) + len(rest.content) == size
    assert code(call.get(url)) == (403, "download_complete")
    assert code(case.begin()) == (403, "downloads_used_up")
    again = case.give(downloads=1)
    assert again.json()["number"] == 2
    assert case.begin().status_code == 201


def test_a_download_works_in_the_session_that_began_it_alone(case: Case) -> None:
    case.give(downloads=2)
    url = case.begin().json()["url"]
    elsewhere = caller(case.site, "budi")  # the same person, signed in on another machine
    before = len(case.site.events("evidence.download.started"))
    for method in ("GET", "HEAD"):
        assert elsewhere(method, url).status_code == 403
    assert code(elsewhere.get(url)) == (403, "other_session")
    assert len(case.site.events("evidence.download.started")) == before
    assert case.call("budi").get(url, headers={"Range": "bytes=0-9"}).status_code == 206
    own = elsewhere("POST", f"{HANDOVER.format(case.id)}/downloads").json()["url"]
    assert elsewhere.get(own, headers={"Range": "bytes=0-9"}).status_code == 206
    assert code(case.call("budi").get(own)) == (403, "other_session")


def test_nobody_else_fetches_it(case: Case) -> None:
    path = f"/v1/evidence/{case.evidence_id}/package.zip"
    assert code(case.begin()) == (404, "handover_not_found")
    assert code(case.call("budi").get(path)) == (403, "download_needed")
    case.give()
    url = case.begin().json()["url"]
    assert code(case.call("budi").get(path)) == (403, "download_needed")
    assert code(case.begin("rekan")) == (403, "not_recipient")
    assert code(case.call("rekan").get(url)) == (403, "not_recipient")
    assert code(case.confirm("00" * 32, "00" * 32, "rekan")) == (403, "not_recipient")
    # For another agency, the request and the package do not exist.
    assert code(case.begin("lain")) == (404, "request_not_found")
    assert code(case.call("lain").get(url)) == (404, "evidence_not_found")
    assert code(case.confirm("00" * 32, "00" * 32, "lain")) == (404, "request_not_found")
    assert code(case.call("ani").get(url)) == (403, "not_permitted")
    assert code(case.call("budi").get(f"{path}?download=1-1-{'0' * 32}")) == (404, "download_not_found")
    assert case.call("rekan").get(HANDOVER.format(case.id)).status_code == 200
    assert code(case.call("lain").get(HANDOVER.format(case.id))) == (404, "request_not_found")


@pytest.mark.parametrize("name", ["citra", "budi", "ani"])
def test_whoever_asked_decided_or_watches_hands_nothing_over(case: Case, name: str) -> None:
    expected = "same_person" if name == "citra" else "not_permitted"
    before = {event.id for event in case.site.events()}
    assert code(case.give(name)) == (403, expected)
    new = [event for event in case.site.events() if event.id not in before]
    assert [(event.actor.id, event.outcome) for event in new if event.outcome is Outcome.REFUSED] == [
        (f"user:{name}", Outcome.REFUSED)
    ]


def test_a_right_ends_with_its_time(case: Case) -> None:
    case.give(hours=1)
    url = case.begin().json()["url"]
    case.site.clock.advance(HOUR)
    assert code(caller(case.site, "budi").get(url)) == (403, "handover_expired")
    assert code(case.begin()) == (403, "handover_expired")


def test_a_change_is_decided_on_the_newest_version(case: Case) -> None:
    stale = case.call("dewi")("POST", HANDOVER.format(case.id), json={}, headers={"If-Match": '"1"'})
    assert code(stale) == (412, "precondition_failed")
    blind = case.call("dewi")("POST", HANDOVER.format(case.id), json={})
    assert code(blind) == (428, "precondition_required")


def test_a_kept_hold_has_a_review_to_come(case: Case) -> None:
    case.give(downloads=0)
    told = case.call("dewi").get(HANDOVER.format(case.id)).json()
    assert case.confirm(told["tagmanifest_sha256"], told["signer_sha256"]).status_code == 200
    assert code(case.close(hold="keep", reason="banding")) == (422, "bad_handover_request")
    review = format_instant(case.site.clock.now() + 100 * DAY)
    assert case.close(hold="keep", reason="banding", review_at=review).json()["review_at"] == review


def test_papers_lie_in_the_package_and_harm_no_verification(case: Case) -> None:
    site = case.site
    case.give()
    records = site.services.stores.records
    assert Papers(RequestFiles(site.services.ledger, records, site.services.index), records).shelve() >= 1
    verdict = case.call("ani")("POST", f"/v1/evidence/{case.evidence_id}/verify").json()
    assert verdict["valid"] is True
    whole = case.call("budi").get(case.begin().json()["url"]).content
    with ZipFile(BytesIO(whole)) as package:
        assert any(name.startswith(f"{case.evidence_id}/handover/1/right-") for name in package.namelist())


REPORT = HANDOVER + "/{}/berita-acara.pdf"


def shelve(site: Site) -> int:
    """The second half of the job that seals: papers and signed reports."""
    services = site.services
    records = services.stores.records

    def keep(found: Handover) -> int:
        return services.handover_reports.keep(found, site.evidence.worker.sealer.signer, site.clock.now())

    files = RequestFiles(services.ledger, records, services.index)
    return Papers(files, records, Shelf(records, Fetchings(records, site.clock)), keep).shelve()


def words(pdf: bytes) -> str:
    """The text of a PDF, with every run of white space as one space."""
    done = subprocess.run(["pdftotext", "-layout", "-", "-"], input=pdf, capture_output=True, check=True)
    return " ".join(done.stdout.decode().split())


def test_the_report_is_printed_for_both_and_sealed_into_the_package(case: Case, tmp_path: Path) -> None:
    site = case.site
    officer = {"nip": "198001012005011001", "position": "Kepala Seksi War Room"}
    given = case.give(officer=officer).json()
    assert given["officer"] == {"name": "Dewi", **officer}
    open_one = case.call("budi").get(REPORT.format(case.id, 1))
    assert (open_one.status_code, open_one.headers["content-type"]) == (200, "application/pdf")
    assert open_one.headers["saksi-signed"] == "?0"
    said = words(open_one.content)
    digits = "".join(said.split())
    for fact in (case.evidence_id, "Dewi", officer["nip"], officer["position"], "Iptu Budi Santoso",
                 "84010123", "Polrestabes Makassar", "WITA", "LP/B/123/XI/2026", "Kamera"):  # fmt: skip
        assert fact in said
    assert given["tagmanifest_sha256"] in digits
    assert given["signer_sha256"] in digits
    assert "Belum dikonfirmasi dalam sistem" in said
    case.begin()
    assert case.call("budi").get(REPORT.format(case.id, 1)).content == open_one.content, "downloads change it"

    assert shelve(site) >= 2
    sealed = case.call("dewi").get(REPORT.format(case.id, 1))
    assert sealed.headers["saksi-signed"] == "?1"
    assert sealed.content.startswith(open_one.content), "what was printed is what is sealed"
    paper = tmp_path / "berita-acara.pdf"
    paper.write_bytes(sealed.content)
    told = subprocess.run(["pdfsig", "-nocert", paper], capture_output=True, text=True, check=False).stdout
    assert "Signature is Valid." in told
    assert "Total document signed" in told
    assert case.confirm(given["tagmanifest_sha256"], given["signer_sha256"]).status_code == 200
    unsigned = case.call("rekan").get(REPORT.format(case.id, 1))
    assert unsigned.headers["saksi-signed"] == "?0"
    assert "kedua nilai sama dengan di atas" in words(unsigned.content)
    assert shelve(site) == 2, "the receipt, and the report with it"
    assert shelve(site) == 0
    confirmed = case.call("budi").get(REPORT.format(case.id, 1))
    assert confirmed.content.startswith(unsigned.content)
    again = case.give()
    assert again.json()["number"] == 2
    assert case.call("budi").get(REPORT.format(case.id, 1)).content == confirmed.content
    assert "/ 2" in words(case.call("budi").get(REPORT.format(case.id, 2)).content)
    verdict = case.call("ani")("POST", f"/v1/evidence/{case.evidence_id}/verify").json()
    assert verdict["valid"] is True
    records = site.services.stores.records
    prefix = keys.package_papers_prefix(case.evidence_id, 1)
    locked = [records.head(one.key).lock for one in records.list(prefix) if one.key.endswith(".pdf")]
    assert [None if lock is None else lock.mode for lock in locked] == [LockMode.COMPLIANCE] * 2


def test_the_report_is_for_whoever_sees_the_handover_and_each_look_is_on_record(case: Case) -> None:
    path = REPORT.format(case.id, 1)
    assert code(case.call("budi").get(path)) == (404, "handover_not_found")
    case.give()
    before = {event.id for event in case.site.events()}
    answer = case.call("rekan").get(path)
    assert answer.status_code == 200
    assert code(case.call("lain").get(path)) == (404, "request_not_found")
    assert code(case.call("budi").get(REPORT.format(case.id, 2))) == (404, "handover_not_found")
    assert case.call("budi").get(REPORT.format(case.id, 0)).status_code == 422
    new = [event for event in case.site.events() if event.id not in before]
    read = [event for event in new if event.type == "handover.read" and event.outcome is Outcome.DONE]
    assert [(event.actor.id, event.details["number"]) for event in read] == [("user:rekan", 1)]
    assert read[0].details["sha256"] == sha256(answer.content).hexdigest()
    assert case.evidence_id in read[0].objects
    refused = [event.actor.id for event in new if event.outcome is Outcome.REFUSED]
    assert "user:lain" in refused


def test_what_an_officer_says_of_themselves_is_one_printable_line(case: Case) -> None:
    for wrong in ({"name": "a\nb"}, {"nip": "\x1b[31m"}, {"position": "x" * 201}, {"rank": "x"}):
        assert case.give(officer=wrong).status_code == 422


def test_an_officer_fetches_as_before_and_it_is_on_record(case: Case, tmp_path: Path) -> None:
    before = len(case.site.events("evidence.download.started"))
    answer = case.call("citra").get(f"/v1/evidence/{case.evidence_id}/package.zip")
    assert answer.status_code == 200
    assert len(case.site.events("evidence.download.started")) == before + 1


def test_custody_of_the_package_is_shown_to_whoever_may_see_it(case: Case) -> None:
    case.give()
    case.begin()
    params = {"item": case.evidence_id}
    auditor = case.call("ani").get("/v1/custody", params=params).json()["acts"]
    seen = {act["type"] for act in auditor}
    assert {"request.file", "request.filed", "request.approved", "evidence.sealed", "handover.give"} <= seen
    assert any(act["actor"]["address"] for act in auditor)
    police = case.call("rekan").get("/v1/custody", params=params).json()["acts"]
    assert {act["id"] for act in auditor} <= {act["id"] for act in police}
    assert not any(act["actor"]["address"] or act["actor"]["session"] for act in police)
    assert case.call("lain").get("/v1/custody", params=params).json()["acts"] == []
    officer = case.call("dewi").get("/v1/custody", params=params).json()["acts"]
    assert {act["actor"]["id"] for act in officer} == {"user:dewi"}
    assert {act["type"] for act in officer} == {"handover.give", "request.handed_over"}
    assert code(case.call("dewi").get("/v1/custody", params={"person": "user:budi"})) == (
        403,
        "not_permitted",
    )
