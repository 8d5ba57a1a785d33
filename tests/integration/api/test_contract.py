"""The API matches its own description: any request gets only documented answers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.auth.tokens import TokenFile
from archive.model.grant import Right
from archive.model.user import Role
from archive.records.integrity_incidents import incident_id, open_integrity_incident
from archive.timespan import DAY, Timespan
from tests.support.api_site import CAMERA, T0, Caller, Site, instant, open_site, span
from tests.support.people import add_person, caller, catch_up, grant
from tests.support.requesting import PDF

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]


EXAMPLES = 3
"""Requests of each operation and each caller; each run draws others."""

PEOPLE: tuple[tuple[str, Role, str], ...] = (
    ("kominfo", Role.ADMIN, ""),
    ("citra", Role.WAR_ROOM, ""),
    ("erna", Role.KECAMATAN, ""),
    ("dewi", Role.POLICE, "polrestabes"),
    ("sari", Role.SATPOL_PP, "satpolpp"),
    ("indra", Role.AUDITOR, ""),
)
EVERYBODY = ("nobody", "token", *(name for name, _, _ in PEOPLE))

Send = Callable[..., Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, role, agency in PEOPLE:
            add_person(made, name, role, agency=agency, districts=["73.71.01"])
        # An account and a token that tests may change and delete, because nothing else needs them.
        add_person(made, "tomo", Role.WAR_ROOM)
        assert isinstance(made.services.tokens, TokenFile)
        made.services.tokens.create("spare", made.clock)
        for name in ("dewi", "sari"):
            grant(made, name, [CAMERA], Timespan(T0, T0 + DAY), Right.VIEW, Right.DOWNLOAD)
        catch_up(made)
        # Other tests check the rate limits; these tests send far more requests.
        made.app = made.remade(settings=replace(made.services.settings, rates=None))
        yield made


@pytest.fixture(scope="module")
def true(site: Site) -> dict[str, Any]:
    """Values that pass the first check, by the name of a parameter or a field."""
    paper = caller(site, "dewi")("POST", "/v1/requests/attachments", content=PDF).json()["sha256"]
    form: dict[str, Any] = {
        "requester": {
            "name": "Dewi Lestari", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-000000",
        },
        "letter": {"number": "B/123/XI/2026", "date": "2026-11-20", "sha256": paper},
        "legal_basis": [{"kind": "lp", "number": "LP/B/123/XI/2026", "article": "Pasal 363"}],
        "case": "LP/B/123/XI/2026",
        "purpose": "pencurian",
        "cameras": [CAMERA],
        "from": instant(2),
        "to": instant(12),
    }  # fmt: skip
    filed = caller(site, "dewi")("POST", "/v1/requests", json=form).json()
    one = f"/v1/requests/{filed['id']}"
    approved = caller(site, "citra")(
        "POST", f"{one}/approve", json={"reason": "lengkap"}, headers={"If-Match": '"1"'}
    ).json()
    assert site.evidence.run_open_requests() == 1
    open_integrity_incident(
        site.services.ledger, code="sha256_mismatch", subject="cam-1", message="altered", found_by="fixity"
    )
    ordered = caller(site, "citra")(
        "POST", "/v1/exports", json={"cameras": [CAMERA], "from": instant(2), "to": instant(12)}
    ).json()
    return {
        **form,
        "camera": CAMERA,
        "run": "6b05180000000001",
        "seq": 1,
        "part": "20261124T0600Z",
        "at": span(3, 4)["from"],
        "request_id": filed["id"],
        "hold_id": filed["hold_id"],
        "evidence_id": approved["evidence_id"],
        "export_id": ordered["export_id"],
        "incident_id": incident_id("sha256_mismatch", "cam-1"),
        "scope_id": "default",
        "sha256": paper,
        "reason": "lengkap",
        "item": filed["id"],
        "person": "user:dewi",
        "user_id": "tomo",
        "name": "spare",
        "number": 1,
        "footage_from": instant(2),
        "footage_to": instant(12),
        "cursor": "",
    }


def sender(site: Site, who: str) -> Send:
    """Calls as one caller; a person signs in again for each call, because a call may sign them out."""
    if who == "nobody":
        return Caller(site.app)
    if who == "token":
        return site.call

    def signed_in(method: str, path: str, **options: Any) -> Any:
        return caller(site, who)(method, path, **options)

    return signed_in


def send(call: Send, case: schemathesis.Case) -> Any:
    """The answer to a generated case, sent with our own caller."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://saksi.test")).prepare()
    ours = {"content-length", "authorization", "cookie"}
    headers = {name: value for name, value in prepared.headers.items() if name.lower() not in ours}
    assert prepared.url is not None
    return call(case.method, prepared.url, content=prepared.body or b"", headers=headers)


@pytest.fixture(scope="module")
def operations(site: Site) -> list[schemathesis.APIOperation]:
    """All operations, read once: each keeps what it has made to generate its requests."""
    schema = schemathesis.openapi.from_dict(site.call.get("/openapi.json").json())
    return [found.ok() for found in schema.get_all_operations()]


def fill_in(data: st.DataObject, case: schemathesis.Case, true: dict[str, Any]) -> None:
    """Usually fill in values that pass the first check."""
    body = case.body if isinstance(case.body, dict) else {}
    for values in (case.path_parameters, case.query, body):
        for name in list(values or ()):
            if name in true and data.draw(st.integers(0, 3), label=f"true {name}"):
                values[name] = true[name]
    if "If-Match" in (case.headers or {}) and data.draw(st.booleans(), label="a version"):
        case.headers["If-Match"] = f'"{data.draw(st.integers(1, 9))}"'


def probe(
    operation: schemathesis.APIOperation, call: Send, true: dict[str, Any], seen: set[int], examples: int
) -> None:
    """Send some generated requests of one operation."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def conforms(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy())
        fill_in(data, case, true)
        answer = send(call, case)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    conforms()


@pytest.mark.parametrize("who", EVERYBODY)
def test_only_documented_answers(
    site: Site, true: dict[str, Any], operations: list[schemathesis.APIOperation], who: str
) -> None:
    seen: set[int] = set()
    call = sender(site, who)
    for operation in operations:
        probe(operation, call, true, seen, EXAMPLES)
    assert ({200, 401} if who == "nobody" else {200, 404, 422}) <= seen


def test_every_operation_says_what_it_does_and_needs(site: Site) -> None:
    document = site.call.get("/openapi.json").json()
    ids = []
    for path, item in document["paths"].items():
        for operation in item.values():
            ids.append(operation["operationId"])
            assert operation["description"], path
            assert operation["tags"], path
            if operation["security"]:
                assert operation["x-saksi-action"].count(".") == 1
                assert "401" in operation["responses"]
            assert "HTTPValidationError" not in str(operation)
    assert len(set(ids)) == len(ids)


def test_the_description_is_made_once_and_is_the_same_for_all(site: Site) -> None:
    first = Caller(site.app, site.headers).get("/openapi.json").content
    assert first == Caller(site.remade(), site.headers).get("/openapi.json").content
