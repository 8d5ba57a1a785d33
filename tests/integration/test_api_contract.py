"""The interface keeps its own description: whatever a program sends, only documented answers come back."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.support.api_site import CAMERA, Caller, Site, open_site, span

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


def send(site: Site, case: schemathesis.Case) -> Any:
    """The answer to a generated case, by our own caller."""
    prepared = requests.Request(**case.as_transport_kwargs(base_url="http://saksi.test")).prepare()
    ours = {"content-length", "authorization"}
    headers = {name: value for name, value in prepared.headers.items() if name.lower() not in ours}
    assert prepared.url is not None
    return site.call(case.method, prepared.url, content=prepared.body or b"", headers=headers)


def operations(site: Site) -> list[schemathesis.APIOperation]:
    schema = schemathesis.openapi.from_dict(site.call.get("/openapi.json").json())
    return [found.ok() for found in schema.get_all_operations()]


def fill_in(data: st.DataObject, case: schemathesis.Case) -> None:
    """Half of the time, values that lead past the first check."""
    true = {
        "camera": CAMERA,
        "run": "6b05180000000001",
        "seq": 1,
        "at": span(3, 4)["from"],
        **span(3, 14),
    }
    for values in (case.path_parameters, case.query):
        for name in list(values or ()):
            if name in true and data.draw(st.booleans(), label=f"true {name}"):
                values[name] = true[name]


def probe(site: Site, operation: schemathesis.APIOperation, seen: set[int]) -> None:
    """Send some generated requests of one operation."""

    @settings(
        max_examples=10,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def conforms(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy())
        fill_in(data, case)
        answer = send(site, case)
        seen.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    conforms()


def test_only_documented_answers(site: Site) -> None:
    seen: set[int] = set()
    for operation in operations(site):
        probe(site, operation, seen)
    assert {200, 404, 422} <= seen


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
