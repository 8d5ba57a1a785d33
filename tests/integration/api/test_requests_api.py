"""Requests over HTTP: six people, papers, versions, and the view of each."""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from api.auth.principal import Principal
from archive.errors import IntegrityError
from archive.model.user import Role
from archive.records.ledger.streams import Entry
from archive.timespan import DAY, HOUR, MINUTE, format_instant
from search.sqlite import open_sqlite
from search.whole import WholeIndex
from search.wholeness import Wholeness
from tests.support.api_site import CAMERA, EMPTY_CAMERA, T0, Caller, Site, instant, open_site
from tests.support.people import add_person, caller, catch_up
from tests.support.requesting import JPEG, PDF, PNG, pdf_of

URL = "/v1/requests"
UPLOADS = f"{URL}/attachments"
PEOPLE: tuple[tuple[str, Role, str], ...] = (
    ("kominfo", Role.ADMIN, ""),
    ("citra", Role.WAR_ROOM, ""),
    ("budi", Role.WAR_ROOM, ""),
    ("erna", Role.KECAMATAN, ""),
    ("dewi", Role.POLICE, "polrestabes"),
    ("dodi", Role.POLICE, "polrestabes"),
    ("gani", Role.POLICE, "polda"),
    ("sari", Role.SATPOL_PP, "satpolpp"),
    ("indra", Role.AUDITOR, ""),
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as made:
        for name, role, agency in PEOPLE:
            add_person(made, name, role, agency=agency, districts=["73.71.01"])
        catch_up(made)
        yield made


def form(site: Site, person: str, **changes: Any) -> dict[str, Any]:
    """A valid form, with the uploaded scan of its letter."""
    sha256 = caller(site, person)("POST", UPLOADS, content=PDF).json()["sha256"]
    return {
        "requester": {
            "name": "Dewi Lestari", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-000000",
        },
        "letter": {"number": "B/123/XI/2026", "date": "2026-11-20", "sha256": sha256},
        "legal_basis": [{"kind": "lp", "number": "LP/B/123/XI/2026", "article": "Pasal 363"}],
        "case": "LP/B/123/XI/2026",
        "purpose": "pencurian",
        "cameras": [CAMERA],
        "from": instant(2),
        "to": instant(12),
        **changes,
    }  # fmt: skip


def filed(site: Site, person: str = "dewi", **changes: Any) -> dict[str, Any]:
    answer = caller(site, person)("POST", URL, json=form(site, person, **changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def at(version: int) -> dict[str, str]:
    return {"If-Match": f'"{version}"'}


def post(call: Caller, path: str, version: int, **body: Any) -> Any:
    return call("POST", path, json=body, headers=at(version))


def test_from_filing_to_a_sealed_package_by_two_people(site: Site) -> None:
    dewi, citra, indra = (caller(site, name) for name in ("dewi", "citra", "indra"))
    urgent = form(site, "dewi", urgent=True)
    scan = urgent.pop("letter")["sha256"]
    answer = dewi("POST", URL, json=urgent)
    assert answer.status_code == 201, answer.text
    request = answer.json()
    one = f"{URL}/{request['id']}"
    assert (answer.headers["location"], answer.headers["etag"]) == (one, '"1"')
    assert (request["status"], request["letter_overdue"]) == ("submitted", False)
    shown = dewi.get(one).json()
    assert (shown["hold"]["in_force"], shown["hold"]["progress"]) == (True, None)
    site.evidence.site.hold_sweeper().run()
    progress = dewi.get(one).json()["hold"]["progress"]
    assert progress["is_verified"]
    assert progress["segments"] == progress["verified"] > 0
    assert site.services.stores.footage.head(site.first[0].key).held

    own = post(dewi, f"{one}/approve", 1)
    assert (own.status_code, own.json()["code"]) == (403, "not_permitted")
    said = post(citra, f"{one}/comments", 1, text="Surat menyusul?")
    assert (said.status_code, said.headers["etag"]) == (200, '"2"')
    approved = post(citra, f"{one}/approve", 2, reason="mendesak")
    assert approved.status_code == 200, approved.text
    decision = approved.json()["decision"]
    assert (decision["by"], decision["name"], decision["without_letter"]) == ("user:citra", "Citra", True)
    entries = dewi.get(one).json()["history"]
    assert decision["entry_sha256"] == entries[1]["sha256"]
    letter = post(dewi, f"{one}/attachments", 3, sha256=scan, kind="letter", number="B/9", date="2026-11-24")
    assert (letter.status_code, letter.json()["status"]) == (200, "approved"), letter.text

    package = site.services.evidence.record(approved.json()["evidence_id"])
    assert (package.request.request_id, package.request.request_entry) == (
        request["id"], decision["entry_sha256"]
    )  # fmt: skip
    site.clock.advance(3 * MINUTE)
    assert site.evidence.run_open_requests() == 1
    sealed = dewi.get(one).json()
    assert (sealed["status"], sealed["failure"]) == ("sealed", None)
    for name in ("user:dewi", "user:citra"):
        assert name in str([(event.actor.id, event.type) for event in site.events()])
    told = {(event.type, event.actor.id, event.outcome.value) for event in site.events()}
    assert {
        ("attachment.upload", "user:dewi", "done"),
        ("request.file", "user:dewi", "done"),
        ("request.comment", "user:citra", "done"),
        ("request.approve", "user:citra", "done"),
        ("request.attach", "user:dewi", "done"),
        ("request.read", "user:dewi", "done"),
    } <= told
    seen = indra.get(one).json()
    assert [entry["action"] for entry in seen["history"]] == [
        "request.filed", "request.commented", "request.approved", "request.letter_added"
    ]  # fmt: skip


def test_every_fault_of_a_form_is_told_at_once_and_in_indonesian(site: Site) -> None:
    call = caller(site, "dewi")
    answer = call("POST", URL, json={"cameras": ["cam-77"], "requester": {"agency_kind": "satpol_pp"}})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_form")
    errors = {error["field"]: error for error in answer.json()["errors"]}
    assert errors["cameras.0"]["code"] == "unknown"
    assert errors["requester.agency_kind"]["code"] == "not_yours"
    assert errors["letter.sha256"]["message"] == ("letter.sha256: wajib diisi. / letter.sha256 is required.")
    assert {"requester.name", "requester.nrp_nip", "legal_basis", "from", "to", "purpose"} <= set(errors)
    assert {error["in"] for error in errors.values()} == {"body"}
    (event,) = site.events("request.file")
    assert (event.outcome.value, event.details["code"]) == ("refused", "bad_form")


def test_what_is_too_large_is_told_with_what_would_fit(site: Site) -> None:
    body = form(site, "dewi", **{"from": format_instant(T0 - 3 * DAY)})
    answer = caller(site, "dewi")("POST", URL, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "request_too_large")
    assert answer.json()["fits"] == {"camera_hours": 48, "minutes": 2880, "cameras": 0}
    request = filed(site)
    raised = post(
        caller(site, "citra"), f"{URL}/{request['id']}/limit", 1, camera_hours=80, reason="kebakaran"
    )
    assert (raised.status_code, raised.json()["limit_camera_hours"]) == (200, 80)
    amended = post(caller(site, "dewi"), f"{URL}/{request['id']}/amend", 2, **body, reason="lebih awal")
    assert (amended.status_code, amended.json()["version"]) == (200, 3), amended.text


def test_a_change_names_the_version_that_it_was_decided_on(site: Site) -> None:
    one = f"{URL}/{filed(site)['id']}"
    dewi, citra = caller(site, "dewi"), caller(site, "citra")
    for call, path, body in (
        (dewi, "amend", form(site, "dewi", reason="x")),
        (dewi, "comments", {"text": "x"}),
        (dewi, "attachments", {"sha256": "a" * 64, "name": "x"}),
        (dewi, "cancel", {"reason": "x"}),
        (citra, "approve", {}),
        (citra, "reject", {"reason": "x"}),
        (citra, "limit", {"camera_hours": 99, "reason": "x"}),
    ):
        bare = call("POST", f"{one}/{path}", json=body)
        assert (bare.status_code, bare.json()["code"]) == (428, "precondition_required"), path
        for etag in ('"7"', "*", 'W/"1"', "1", '"x"', '"0"'):
            stale = call("POST", f"{one}/{path}", json=body, headers={"If-Match": etag})
            assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed"), (path, etag)
    assert dewi.get(one).json()["version"] == 1


def test_an_amendment_voids_what_was_approved(site: Site) -> None:
    one = f"{URL}/{filed(site)['id']}"
    assert post(caller(site, "citra"), f"{one}/approve", 1).status_code == 200
    amended = post(
        caller(site, "dewi"), f"{one}/amend", 2, **form(site, "dewi", purpose="lain"), reason="salah"
    )
    assert (amended.json()["status"], amended.json()["decision"]) == ("submitted", None)


# -- who sees what ------------------------------------------------------------------------------------


def test_police_see_the_requests_of_their_own_agency_and_no_other(site: Site) -> None:
    request = filed(site)
    one = f"{URL}/{request['id']}"
    sees = {"citra", "budi", "dewi", "dodi", "indra"}
    for name, role, _ in PEOPLE:
        call = caller(site, name)
        answer, listed = call.get(one), call.get(URL)
        paper = call.get(f"{one}/attachments/{request['letter']['sha256']}")
        if name in sees:
            assert (answer.status_code, paper.status_code) == (200, 200), name
            assert [found["id"] for found in listed.json()["requests"]] == [request["id"]]
        elif role in {Role.POLICE, Role.SATPOL_PP}:
            assert (answer.status_code, paper.status_code) == (404, 404), name
            assert listed.json()["requests"] == []
            missing = call.get(f"{URL}/REQ-2026-0123456789")
            assert answer.text.replace(request["id"], "X") == missing.text.replace("REQ-2026-0123456789", "X")
            cursor = call.get(URL, params={"cursor": request["id"]})
            assert cursor.json()["code"] == "bad_cursor"
        else:
            assert {answer.status_code, listed.status_code, paper.status_code} == {403}, name


def test_what_is_broken_tells_those_nothing_whose_it_is_not(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = f"{URL}/{filed(site)['id']}"

    def broken(request_id: str) -> list[Entry]:
        raise IntegrityError(f"request {request_id} is broken at version 1", code="ledger_broken")

    monkeypatch.setattr(site.services.requests.stream, "history", broken)
    theirs, nobodys = caller(site, "dewi").get(one), caller(site, "gani").get(one)
    assert (theirs.status_code, theirs.json()["code"]) == (500, "ledger_broken")
    assert (nobodys.status_code, nobodys.json()["code"]) == (404, "request_not_found")


def test_who_may_do_what(site: Site) -> None:
    request = filed(site)
    one = f"{URL}/{request['id']}"
    bodies: dict[str, dict[str, Any]] = {
        "amend": form(site, "dewi", reason="x"),
        "comments": {"text": "x"},
        "attachments": {"sha256": "a" * 64, "name": "x"},
        "approve": {},
        "reject": {"reason": "x"},
        "cancel": {"reason": "x"},
        "limit": {"camera_hours": 99, "reason": "x"},
    }
    asking, deciding = {"amend", "comments", "attachments", "cancel"}, {"approve", "reject", "limit"}
    for name, role, agency in PEOPLE:
        may = {
            Role.POLICE: asking, Role.SATPOL_PP: asking, Role.WAR_ROOM: deciding | {"comments"}
        }.get(role, set())  # fmt: skip
        for path, body in bodies.items():
            answer = caller(site, name)("POST", f"{one}/{path}", json=body, headers=at(9))
            if path not in may:
                expected = (403, "not_permitted")
            elif role in {Role.POLICE, Role.SATPOL_PP} and agency != "polrestabes":
                expected = (404, "request_not_found")
            else:
                expected = (412, "precondition_failed")
            assert (answer.status_code, answer.json()["code"]) == expected, (name, path)
        for path, body in ((URL, form(site, "dewi")), (UPLOADS, None)):
            if role not in {Role.POLICE, Role.SATPOL_PP}:
                refused = caller(site, name)("POST", path, json=body)
                assert (refused.status_code, refused.json()["code"]) == (403, "not_permitted"), name
    assert caller(site, "citra").get(one).json()["version"] == 1


def test_satpol_pp_asks_by_an_article_of_a_city_regulation(site: Site) -> None:
    body = form(site, "sari")
    wrong = caller(site, "sari")("POST", URL, json=body)
    assert [(e["field"], e["code"]) for e in wrong.json()["errors"]] == [
        ("requester.agency_kind", "not_yours")
    ]
    body["requester"]["agency_kind"] = "satpol_pp"
    wrong = caller(site, "sari")("POST", URL, json=body)
    assert [(e["field"], e["code"]) for e in wrong.json()["errors"]] == [
        ("legal_basis.0.kind", "not_allowed")
    ]
    body["legal_basis"] = [{"kind": "perda", "number": "Perda 7/2021", "article": "Pasal 12"}]
    assert caller(site, "sari")("POST", URL, json=body).status_code == 201


def test_another_request_for_the_same_place_and_time_is_shown_to_who_may_see_it(site: Site) -> None:
    ours = filed(site)
    theirs = filed(site, "gani")
    filed(site, "gani", cameras=[EMPTY_CAMERA])
    filed(site, "gani", **{"from": instant(12), "to": instant(20)})

    def related(name: str) -> list[str]:
        answer = caller(site, name).get(f"{URL}/{ours['id']}").json()
        return [one["id"] for one in answer["related"]]

    assert related("citra") == [theirs["id"]]
    assert related("dewi") == []


def test_a_request_and_its_neighbours_can_be_read_while_the_index_waits_for_its_rebuild(
    site: Site, tmp_path: Path
) -> None:
    ours, theirs = filed(site), filed(site, "gani")
    services, emptied = site.services, open_sqlite(tmp_path / "another.sqlite")
    index = WholeIndex(emptied, Wholeness(emptied, services.stores, services.ledger, site.clock))
    again = replace(site, app=site.remade(index=index))
    assert caller(again, "citra").get(URL).json()["code"] == "index_incomplete"
    answer = caller(again, "citra").get(f"{URL}/{ours['id']}")
    assert (answer.status_code, [one["id"] for one in answer.json()["related"]]) == (200, [theirs["id"]])
    assert caller(again, "dewi").get(f"{URL}/{ours['id']}").json()["related"] == []
    emptied.close()


def test_requests_are_listed_by_page_status_agency_camera_and_overdue_letter(site: Site) -> None:
    ids = []
    for number in range(3):
        body = form(site, "dewi", urgent=number == 2, cameras=[EMPTY_CAMERA if number == 1 else CAMERA])
        if number == 2:
            del body["letter"]
        ids.append(caller(site, "dewi")("POST", URL, json=body).json()["id"])
        site.clock.advance(1_000_000)
    post(caller(site, "citra"), f"{URL}/{ids[0]}/reject", 1, reason="tanpa dasar")
    ids.reverse()
    call = caller(site, "citra")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = call.get(URL, params={"limit": "2", "cursor": cursor}).json()
        seen += [one["id"] for one in page["requests"]]
        cursor = page["next"]
    assert seen == ids

    def listed(**query: str) -> list[str]:
        return [one["id"] for one in caller(site, "citra").get(URL, params=query).json()["requests"]]

    assert listed(status="rejected") == [ids[2]]
    assert listed(camera=EMPTY_CAMERA) == [ids[1]]
    assert listed(agency="polrestabes") == listed(agency="Polrestabes Makassar") == ids
    assert listed(agency="polda") == listed(overdue="true") == []
    site.clock.advance(2 * HOUR)
    assert listed(overdue="true") == []
    site.clock.advance(22 * HOUR)
    assert listed(overdue="true") == [ids[0]]


# -- papers -------------------------------------------------------------------------------------------


def test_a_paper_comes_back_to_be_saved_and_never_shown(site: Site) -> None:
    request = filed(site)
    one = f"{URL}/{request['id']}/attachments/{request['letter']['sha256']}"
    answer = caller(site, "citra").get(one)
    assert answer.content == PDF
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('attachment; filename="REQ-')
    part = caller(site, "citra").get(one, headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"%PDF")
    started = site.events("attachment.download.started")
    assert [event.actor.id for event in started] == ["user:citra", "user:citra"]
    assert started[0].details["sha256"] == request["letter"]["sha256"]


def test_a_zip_named_pdf_is_refused_and_nothing_is_kept(site: Site) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("surat.pdf", "x")
    call = caller(site, "dewi")
    for content in (made.getvalue(), PDF + made.getvalue(), b"<svg onload=alert(1)>", b""):
        answer = call("POST", UPLOADS, content=content, headers={"Content-Type": "application/pdf"})
        assert (answer.status_code, answer.json()["code"]) == (415, "attachment_type")
    assert list(site.services.stores.records.list("attachments/")) == []
    for content, kind in ((PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")):
        answer = call("POST", UPLOADS, content=content, headers={"Content-Type": "text/html"})
        assert (answer.status_code, answer.json()["media_type"]) == (201, kind)


def test_a_paper_beyond_the_limit_is_refused_and_other_bodies_stay_small(site: Site) -> None:
    call = caller(site, "dewi")
    large = call("POST", UPLOADS, content=b"%PDF-1.7" + b"x" * (20 << 20))
    assert large.status_code == 413
    large_enough = pdf_of(b"<</Length %d>>\nstream\n%s\nendstream" % (1 << 20, b"%" * (1 << 20)))
    fits = call("POST", UPLOADS, content=large_enough)
    assert fits.status_code == 201
    assert call("POST", URL, content=b"x" * (300 << 10)).status_code == 413


def test_a_hash_of_another_agency_opens_nothing(site: Site) -> None:
    theirs = filed(site)["letter"]["sha256"]
    body = form(site, "dewi")
    answer = caller(site, "gani")("POST", URL, json=body)
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("letter.sha256", "not_uploaded")]
    own = filed(site, "sari", **_satpol(site))
    assert caller(site, "sari").get(f"{URL}/{own['id']}/attachments/{'b' * 64}").status_code == 404
    attached = post(caller(site, "sari"), f"{URL}/{own['id']}/attachments", 1, sha256="c" * 64, name="x")
    assert (attached.status_code, attached.json()["code"]) == (404, "attachment_not_found")
    assert theirs


def _satpol(site: Site) -> dict[str, Any]:
    body = form(site, "sari")
    return {
        "requester": {**body["requester"], "agency_kind": "satpol_pp"},
        "legal_basis": [{"kind": "perda", "number": "Perda 7/2021", "article": "Pasal 12"}],
    }


def test_stored_markup_comes_back_as_json_and_as_typed(site: Site) -> None:
    text = "<script>alert('x')</script>=cmd|' /C calc'!A0"
    request = filed(site, purpose=text)
    answer = caller(site, "citra").get(f"{URL}/{request['id']}")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["purpose"] == text


def test_a_principal_without_an_agency_sees_what_they_filed_alone(site: Site) -> None:
    add_person(site, "tono", Role.POLICE)
    add_person(site, "tuti", Role.POLICE)
    catch_up(site)
    request = filed(site, "tono")
    assert caller(site, "tono").get(f"{URL}/{request['id']}").status_code == 200
    assert caller(site, "tuti").get(f"{URL}/{request['id']}").status_code == 404
    assert not Principal("user:x").agency
