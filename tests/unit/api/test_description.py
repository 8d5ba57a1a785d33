"""``/openapi.json`` is complete: names, texts, examples, headers and statuses of every operation."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import jsonschema_rs
import pytest
import schemathesis
from fastapi.routing import APIRoute

from api.auth.authentication import OPEN
from api.described.examples import UNKNOWN, example_of
from api.described.statuses import MEANINGS, name_of
from api.described.words import TAGS
from api.openapi import MADE, UNTAGGED, WITHOUT_KEY
from api.problems import MEDIA_TYPE
from tests.support.api_site import Site, open_site

TEXT = re.compile(r"text/|application/(?:jsonl|vnd\.apple\.mpegurl)")


class Operation(NamedTuple):
    """One operation with its path and method."""

    method: str
    path: str
    said: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.said["operationId"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site"), variant=None) as made:
        yield made


@pytest.fixture(scope="module")
def document(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.call.get("/openapi.json").json()
    return found


@pytest.fixture(scope="module")
def operations(document: dict[str, Any]) -> list[Operation]:
    return [
        Operation(method, path, said)
        for path, item in document["paths"].items()
        for method, said in item.items()
    ]


def whole(document: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
    """A response, or the shared one that it refers to."""
    ref = response.get("$ref")
    if ref is None:
        return response
    found: dict[str, Any] = document["components"]["responses"][ref.rsplit("/", 1)[1]]
    return found


def bodies(document: dict[str, Any], one: Operation) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every body of an operation: its place, its media type, and its description."""
    for kind, body in one.said.get("requestBody", {}).get("content", {}).items():
        yield "request", kind, body
    for status, response in one.said["responses"].items():
        for kind, body in whole(document, response).get("content", {}).items():
            yield status, kind, body


def alone(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with those of the shared ones that it needs: to compile them all takes fifty times as long."""
    needed: dict[str, Any] = {}
    open_ones = [schema]
    while open_ones:
        for name in re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(open_ones.pop())):
            if name not in needed:
                needed[name] = document["components"]["schemas"][name]
                open_ones.append(needed[name])
    return {**schema, "components": {"schemas": needed}}


def test_it_is_a_document_of_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    schemathesis.openapi.from_dict(document).validate()
    assert [name for name in document["components"]["schemas"] if "__" in name] == [], "one name, one schema"
    refs = set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)))
    for ref in refs:
        at: Any = document
        for part in ref.split("/"):
            at = at[part]


def test_it_has_every_route(site: Site, operations: list[Operation]) -> None:
    routes = {
        (method.lower(), route.path)
        for route in site.app.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods
    }
    assert {(one.method, one.path) for one in operations} == routes


def test_every_operation_has_its_name_and_words(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    names = [one.name for one in operations]
    assert len(set(names)) == len(names)
    assert [tag["name"] for tag in document["tags"]] == list(TAGS)
    assert {tag for one in operations for tag in one.said["tags"]} <= set(TAGS)
    for one in operations:
        assert re.fullmatch(r"[a-z][a-z0-9_]+", one.name)
        assert len(one.said["tags"]) == 1, one.name
        assert 8 <= len(one.said["summary"]) <= 120, (one.name, one.said["summary"])
        assert not one.said["summary"].endswith("."), one.name
        assert "``" not in one.said["description"], one.name
        for parameter in one.said["parameters"]:
            assert {"name", "in", "schema"} <= set(parameter), one.name
            if parameter["in"] == "path":
                assert "example" in parameter or "examples" in {*parameter, *parameter["schema"]}, (
                    one.name,
                    parameter["name"],
                )


def test_who_may_ask_is_said(document: dict[str, Any], operations: list[Operation]) -> None:
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    for one in operations:
        assert one.said["security"] == ([] if one.path in OPEN else [{"token": []}, {"session": []}])
        assert ("401" in one.said["responses"]) or one.path in {"/healthz", "/readyz"}


def test_examples_are_what_their_schemas_admit(document: dict[str, Any], operations: list[Operation]) -> None:
    seen, unnamed = 0, set[str]()
    for one in operations:
        for where, kind, body in bodies(document, one):
            if kind in {"application/json", MEDIA_TYPE}:
                schema = alone(document, body["schema"])
                faults = list(jsonschema_rs.validator_for(schema).iter_errors(body["example"]))
                assert faults == [], (one.name, where, [fault.message for fault in faults])
                unnamed |= set(re.findall(rf"{UNKNOWN} ([\w.]*)", json.dumps(body["example"])))
                seen += 1
            elif TEXT.match(kind):
                assert body["example"], (one.name, kind)
    assert unnamed == set(), "give each field its examples"
    assert seen > 500


def test_an_example_of_a_field_that_nobody_named_is_found_out() -> None:
    schema = {
        "type": "object",
        "properties": {"camera": {"type": "string", "examples": ["cam-1"]}, "colour": {"type": "string"}},
    }
    assert example_of(schema, {}, "Paint") == {"camera": "cam-1", "colour": f"{UNKNOWN} Paint.colour"}


def test_every_status_has_its_meaning_and_what_stands_in_front_is_said(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    assert set(document["components"]["responses"]) == {name_of(status) for status in MEANINGS}
    for one in operations:
        said = one.said["responses"]
        assert {"400", "405", "414", "421", "429", "431", "500"} <= set(said), one.name
        for status, response in said.items():
            body = whole(document, response)
            if MEDIA_TYPE in body.get("content", {}):
                assert response == {"$ref": f"#/components/responses/{name_of(int(status))}"}
                assert body["content"][MEDIA_TYPE]["example"]["status"] == int(status)
            assert body["description"], (one.name, status)
        if "requestBody" in one.said:
            assert {"408", "413", "422"} <= set(said), one.name
        if one.path not in {"/healthz", "/readyz"}:
            assert "503" in said, one.name


def test_conditions_and_their_headers_go_together(
    document: dict[str, Any], operations: list[Operation]
) -> None:
    for one in operations:
        said = one.said["responses"]
        asked = {parameter["name"] for parameter in one.said["parameters"] if parameter["in"] == "header"}
        given = {
            status: set(whole(document, response).get("headers", {})) for status, response in said.items()
        }
        best = min(said)
        if "304" in said:
            assert "If-None-Match" in asked, one.name
            assert "ETag" in given["304"] & given["200"], one.name
        if "428" in said:
            assert "412" in said, one.name
            assert "409" in said, one.name
            assert "If-Match" in asked, one.name
            assert ("ETag" in given[best]) == (one.name not in UNTAGGED), one.name
        if "206" in said:
            assert {"Range", "If-Range", "If-Match", "If-None-Match"} <= asked, one.name
            assert {"ETag", "Accept-Ranges", "Content-Range"} <= given["206"], one.name
            assert "Content-Range" in given["416"], one.name
        has_key = one.method == "post" and one.path.startswith("/v1/") and one.path not in WITHOUT_KEY
        assert ("Idempotency-Key" in asked) == has_key, one.name
        assert ("Idempotency-Replayed" in given[best]) == has_key, one.name
        assert ("Location" in given[best]) == (one.name in MADE), one.name
        for status in {"429", "503"} & set(said):
            if MEDIA_TYPE in whole(document, said[status])["content"]:
                assert "Retry-After" in given[status], one.name
    names = {one.name for one in operations}
    assert names >= MADE | UNTAGGED


def test_what_takes_a_version_says_that_it_must(operations: list[Operation]) -> None:
    for one in operations:
        if "428" in one.said["responses"] and one.name != "propose_policy":
            (condition,) = (
                parameter for parameter in one.said["parameters"] if parameter["name"] == "If-Match"
            )
            assert condition["required"], one.name
            assert condition["schema"]["examples"] == ['"1"'], one.name
