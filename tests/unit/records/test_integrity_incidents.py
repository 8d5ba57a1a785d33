"""Incidents: recorded once, closed by people with a reason, opened again by the same finding."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import Conflict, IntegrityError, Malformed, NotFound
from archive.records.integrity_incidents import (
    IntegrityIncidentStatus,
    close_integrity_incident,
    find_integrity_incident,
    incident_id,
    incidents,
    open_integrity_incident,
)
from archive.records.ledger.streams import Ledger
from tests.support.api_site import Site, open_site
from tests.support.archives import small_archive


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    made = small_archive(tmp_path)
    yield made.ledger
    made.index.close()


def tell(ledger: Ledger, subject: str = "segments/x") -> str:
    return open_integrity_incident(
        ledger, code="bytes_differ", subject=subject, message="they differ", found_by="job:fixity"
    ).id


def test_the_same_finding_is_one_incident(ledger: Ledger) -> None:
    assert tell(ledger) == tell(ledger) == incident_id("bytes_differ", "segments/x")
    assert tell(ledger, "segments/y") != tell(ledger)
    assert [one.version for one in incidents(ledger)] == [1, 1]


def test_closing_names_who_and_why_and_a_new_finding_opens_it_again(ledger: Ledger) -> None:
    name = tell(ledger)
    closed = close_integrity_incident(ledger, name, actor="os:ani", reason=" restored from backup ")
    assert (closed.status, closed.closed_by, closed.closed_reason) == (
        IntegrityIncidentStatus.CLOSED,
        "os:ani",
        "restored from backup",
    )
    assert list(incidents(ledger, IntegrityIncidentStatus.OPEN)) == []
    tell(ledger)
    again = find_integrity_incident(ledger, name)
    assert (again.status, again.closed_by, again.version) == (IntegrityIncidentStatus.OPEN, "", 3)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "a\nb"])
def test_closing_needs_a_reason_that_can_go_on_record(ledger: Ledger, reason: str) -> None:
    name = tell(ledger)
    with pytest.raises(Malformed):
        close_integrity_incident(ledger, name, actor="os:ani", reason=reason)
    assert find_integrity_incident(ledger, name).status is IntegrityIncidentStatus.OPEN


def test_it_is_closed_once(ledger: Ledger) -> None:
    name = tell(ledger)
    close_integrity_incident(ledger, name, actor="os:ani", reason="done")
    with pytest.raises(Conflict) as caught:
        close_integrity_incident(ledger, name, actor="os:budi", reason="done")
    assert caught.value.code == "incident_closed"
    with pytest.raises(NotFound):
        close_integrity_incident(ledger, "inc-none", actor="os:budi", reason="done")


def test_an_entry_that_is_no_incident_is_said_to_be_none(ledger: Ledger) -> None:
    ledger.append("integrity_incident", "inc-1", {"code": "x"}, expected=0, actor="x", action="x")
    with pytest.raises(IntegrityError) as caught:
        find_integrity_incident(ledger, "inc-1")
    assert caught.value.code == "bad_incident"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        yield made


def test_over_http_they_are_listed_looked_at_and_closed(site: Site) -> None:
    names = [tell(site.services.ledger, f"segments/{number}") for number in range(3)]
    first = site.call.get("/v1/integrity-incidents", params={"limit": "2"}).json()
    rest = site.call.get("/v1/integrity-incidents", params={"cursor": first["next"]}).json()
    assert {one["id"] for one in first["incidents"] + rest["incidents"]} == set(names)
    assert rest["next"] is None
    name = names[0]
    assert site.call.get(f"/v1/integrity-incidents/{name}").json()["status"] == "open"
    one, why = f"/v1/integrity-incidents/{name}", {"reason": "restored"}
    closed = site.call.change("POST", f"{one}/close", of=one, json=why)
    assert (closed.status_code, closed.json()["closed_by"]) == (200, "token:first")
    assert closed.headers["ETag"] == '"2"'
    stale = site.call("POST", f"{one}/close", json=why, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["code"]) == (412, "precondition_failed")
    again = site.call.change("POST", f"{one}/close", of=one, json=why)
    assert (again.status_code, again.json()["code"]) == (409, "incident_closed")
    assert site.events("incident.close")[-1].outcome.value == "refused"
    sample = site.services.metrics.get_sample_value
    assert sample("saksi_integrity_incidents_open", {"code": "bytes_differ"}) == 2
    only = site.call.get("/v1/integrity-incidents", params={"status": "open"}).json()
    assert {one["id"] for one in only["incidents"]} == set(names[1:])
    assert site.call.get("/v1/integrity-incidents/inc-none").status_code == 404
    assert site.call.get("/v1/integrity-incidents", params={"cursor": "inc-none"}).status_code == 422
    other = f"/v1/integrity-incidents/{names[1]}"
    assert site.call.change("POST", f"{other}/close", of=other, json={"reason": ""}).status_code == 422
