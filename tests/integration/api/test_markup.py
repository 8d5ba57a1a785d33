"""Typed text in every text field of every writing route stays text, wherever it is shown.

Each field gets markup, templates, terminal commands, reversed order, line breaks and formulas. Accepted text
comes back unchanged; other text is refused with a message. None is a server error.
"""

import copy
import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from archive.model.user import Role
from ops.cli.output import shown
from tests.support.api_site import CAMERA, Site, camera_json, instant, open_site, span
from tests.support.people import add_person, caller, catch_up

PRINTABLE = {
    "a script": "<script>alert(1)</script>",
    "an image": '"><img src=x onerror=alert(1)>',
    "a template": "{{7*7}}${7*7}<%= 7*7 %>",
    "a format": "%s%n{0.__class__}",
    "a formula": "=cmd|'/C calc'!A0",
    "another formula": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a plus": "+1+cmd|' /C calc'!A0",
    "a query": "' OR 1=1; DROP TABLE segments; --",
    "a link": "[klik](javascript:alert(1)) [link=https://evil.example]x[/link]",
    "an entity": "&lt;b&gt; <b>tebal</b> <!-- -->",
}
COMMANDS = {
    "a title of a terminal": "x\x1b]0;owned\x07",
    "a colour": "x\x1b[31mmerah",
    "C1": "x\x9b31m",
    "a turned order": "gambar\u202egpj.exe",
    "isolates": "a\u2066b\u2069",
    "no character": "a\0b",
    "a line": "a\r\nBcc: evil@evil.example",
    "a separator": "a\u2028b",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for name, role in (("ada", Role.ADMIN), ("citra", Role.WAR_ROOM), ("indra", Role.AUDITOR)):
            add_person(made, name, role)
        add_person(made, "dewi", Role.POLICE, agency="polrestabes")
        catch_up(made)
        yield made


# Every field, by the description of the API ---------------------------------------------------------------


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def example(document: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> Any:
    """A value of the schema, with every field of it."""
    schema = resolved(document, schema)
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return example(document, schema[choice][0], depth)
    if "const" in schema or "enum" in schema:
        return schema.get("const", (schema.get("enum") or [""])[0])
    kind = schema.get("type")
    if kind == "object":
        fields = schema.get("properties", {})
        return {name: example(document, inner, depth + 1) for name, inner in fields.items()}
    if kind == "array":
        return [example(document, schema.get("items", {}), depth + 1)]
    return {"string": "x", "integer": 1, "number": 1, "boolean": False}.get(kind or "")


def texts(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the texts are in a body."""
    if isinstance(value, str):
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield from texts(inner, (*path, name))


def put(body: Any, path: tuple[str | int, ...], text: str) -> Any:
    changed = inner = copy.deepcopy(body)
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = text
    return changed


def test_no_text_in_any_field_of_any_writing_route_is_a_fault(site: Site) -> None:
    document = site.call.get("/openapi.json").json()
    tried = 0
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if body is None or path.startswith("/auth/"):
                continue
            where = path.replace("{camera}", CAMERA).replace("{scope_id}", "default")
            where = where.replace("{", "").replace("}", "")
            base = example(document, body["schema"])
            for field in texts(base):
                for text in (*PRINTABLE.values(), *COMMANDS.values()):
                    answer = site.call(
                        method.upper(), where, json=put(base, field, text), headers={"If-Match": '"1"'}
                    )
                    assert answer.status_code < 500, (method, path, field, text, answer.text)
                    assert answer.headers["content-type"] in {"application/json", "application/problem+json"}
                    assert answer.headers["x-content-type-options"] == "nosniff"
                    json.loads(answer.content)
                    tried += 1
    assert tried > 1000


FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(1)", "\uff1d1+1", "'=1+1")


def test_no_cell_of_a_table_is_run_by_a_spreadsheet(site: Site) -> None:
    """Every route that answers CSV is tried here; a cell that a spreadsheet would run has an apostrophe."""
    document = site.call.get("/openapi.json").json()
    answered = {
        path
        for path, operations in document["paths"].items()
        for operation in operations.values()
        for response in operation["responses"].values()
        for media_type in response.get("content", {})
        if any(part in media_type for part in ("csv", "excel", "spreadsheet"))
    }
    assert answered == {"/v1/health/compliance.csv"}
    for number, text in enumerate(FORMULAS):
        form = camera_json(f"cam-formula-{number}") | {"name": text, "permit": text, "reason": "uji"}
        assert site.call("POST", "/v1/cameras", json=form).status_code == 201
    table = site.call.get("/v1/health/compliance.csv").text
    cells = [cell for row in csv.reader(io.StringIO(table)) for cell in row]
    for text in FORMULAS:
        assert cells.count(f"'{text}") == 2, text
    assert not [cell for cell in cells if cell[:1] in "=+@\uff1d" and cell]


# What is taken, to the letter -----------------------------------------------------------------------------


def requested(text: str) -> dict[str, Any]:
    return {
        "requester": {
            "name": text, "rank": text, "nrp_nip": "78010123", "agency_kind": "polri",
            "agency": text, "unit": text, "contact": text,
        },
        "urgent": True, "legal_basis": [{"kind": "lp", "number": text, "article": text}],
        "case": text, "purpose": text, "cameras": [CAMERA], **span(2, 12),
    }  # fmt: skip


@pytest.mark.parametrize("name", PRINTABLE)
def test_what_is_printable_is_kept_as_data_everywhere(site: Site, name: str) -> None:
    text = PRINTABLE[name]
    dewi, ada, indra = (caller(site, who, purpose=text) for who in ("dewi", "ada", "indra"))
    made = dewi("POST", "/v1/requests", json=requested(text))
    assert made.status_code == 201, made.text
    one = f"/v1/requests/{made.json()['id']}"
    tag = {"If-Match": made.headers["etag"]}
    assert dewi("POST", f"{one}/comments", json={"text": text}, headers=tag).status_code == 200
    read = dewi.get(one).json()
    for field in ("name", "rank", "agency", "unit", "contact"):
        assert read["requester"][field] == text
    assert (read["purpose"], read["case"], read["comments"][0]["text"]) == (text, text, text)
    assert (read["legal_basis"][0]["number"], read["legal_basis"][0]["article"]) == (text, text)

    camera = camera_json(f"cam-m{abs(hash(name)) % 10**8}") | {"name": text, "reason": text}
    assert ada("POST", "/v1/cameras", json=camera).status_code == 201
    assert ada.get(f"/v1/cameras/{camera['id']}").json()["name"] == text
    hold = {
        "cameras": [CAMERA], "from": instant(0), "to": instant(25), "case": text, "owner": text,
        "basis": text, "review_at": instant(30 * 86_400),
    }  # fmt: skip
    placed = ada("POST", "/v1/holds", json=hold)
    assert placed.status_code == 201, placed.text
    assert {placed.json()[field] for field in ("case", "owner", "basis")} == {text}

    # Custody: the purpose is in each line, as data; on paper it is text.
    lines = indra.get("/v1/custody/report.jsonl", params={"person": "user:dewi"})
    acts = [json.loads(line) for line in lines.content.splitlines()]
    assert text in {act.get("purpose") for act in acts}
    paper = indra.get("/v1/custody/report.pdf", params={"person": "user:dewi"})
    assert paper.status_code == 200
    assert paper.content.startswith(b"%PDF-")
    for name_ in (b"/JavaScript", b"/JS", b"/URI", b"/Launch", b"/OpenAction"):
        assert name_ not in paper.content
    # A terminal shows it unchanged: it contains no commands.
    assert shown(text) == text


@pytest.mark.parametrize("name", COMMANDS)
def test_what_a_terminal_or_a_mail_would_obey_is_refused_and_leaves_nothing(site: Site, name: str) -> None:
    text = COMMANDS[name]
    dewi, ada = (caller(site, who) for who in ("dewi", "ada"))
    before = [one.key for one in site.services.stores.records.list("ledger/")]
    sound = requested("LP/B/1")
    for field in texts(sound):
        if field[0] in ("from", "to", "cameras") or field[-1] in ("kind", "agency_kind"):
            continue
        answer = dewi("POST", "/v1/requests", json=put(sound, field, text))
        assert answer.status_code == 422, (field, answer.text)
        assert text not in answer.text
    camera = camera_json("cam-x") | {"name": text}
    assert ada("POST", "/v1/cameras", json=camera).status_code == 422
    for field_ in ("case", "owner", "basis"):
        hold = {
            "cameras": [CAMERA], "from": instant(0), "to": instant(25), "case": "x", "owner": "x",
            "basis": "x", "review_at": instant(30 * 86_400), field_: text,
        }  # fmt: skip
        assert ada("POST", "/v1/holds", json=hold).status_code == 422, field_
    camera = camera_json("cam-x") | {"reason": text}
    assert ada("POST", "/v1/cameras", json=camera).status_code == 422
    one = f"/v1/cameras/{CAMERA}"
    assert ada.change("POST", f"{one}/disable", of=one, json={"reason": text}).status_code == 422
    person = {"id": "erna", "name": "Erna", "roles": ["auditor"], "reason": "x"}
    for field_ in ("name", "agency", "reason"):
        assert ada("POST", "/v1/users", json=person | {field_: text}).status_code == 422, field_
    assert [one.key for one in site.services.stores.records.list("ledger/")] == before
    assert ada("PATCH", "/v1/session", json={"purpose": text}).status_code == 422
    assert ada.get("/v1/recordings", params={**span(0, 5), "purpose": text}).status_code == 422
