import json
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.errors import Malformed
from archive.evidence import manifest
from archive.evidence.manifest import Layout
from archive.evidence.stating import ClipOutcome, evidence_json
from archive.evidence.verification import check_statement
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.statement import parse
from archive.trust import certificates
from tests.support.packages import World, make_world

SCHEMA = Path(manifest.__file__).with_name("evidence-package-2.schema.json")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return make_world(tmp_path)


@pytest.fixture
def body(world: World) -> dict[str, Any]:
    signer = certificates.load_der("signer", world.sealer.signer.certificate_der)
    layout = Layout.of(world.plan)
    clips = tuple(
        ClipOutcome("0" * 64, "h264", (None,) * len(clip.description["pieces"])) for clip in world.plan.clips
    )
    data = evidence_json(world.plan, layout, clips=clips, documents={}, signer=signer, tsa="local")
    return dict(canonical.decode(data))


def test_a_statement_holds_only_text_integers_lists_and_objects(body: dict[str, Any]) -> None:
    def walk(value: Any) -> None:
        assert isinstance(value, str | int | list | dict)
        assert not isinstance(value, bool)
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(item)

    walk(body)
    assert body["cameras"][0]["lat"] == "-5.1436"


def test_every_key_in_the_schema_that_is_required_must_be_there(body: dict[str, Any]) -> None:
    for name in json.loads(SCHEMA.read_bytes())["required"]:
        with pytest.raises(Malformed) as caught:
            check_statement({key: value for key, value in body.items() if key != name})
        assert caught.value.code == "bad_statement"
        assert name in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("schema", "urn:saksi:evidence-package:3"),
        ("evidence_id", "EVD-1"),
        ("prepared_at", "2026-11-24T06:00:00Z"),
        ("unknown", "x"),
        ("span", {"from": "2026-11-24T06:00:00.000000Z"}),
        ("originals", [{}]),
        ("custody", None),
    ],
)
def test_a_statement_with_a_bad_field_is_refused_by_name(body: dict[str, Any], name: str, value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        check_statement(body | {name: value})
    assert caught.value.code == "bad_statement"
    assert name in caught.value.message


@pytest.mark.parametrize("value", [True, None, {"deep": [1, {"x": None}]}])
def test_a_clips_account_may_not_hold_truth_values_or_nulls(body: dict[str, Any], value: Any) -> None:
    body["derivatives"][0]["about"]["odd"] = value
    with pytest.raises(Malformed):
        check_statement(body)


def test_bytes_that_are_not_canonical_are_refused(body: dict[str, Any]) -> None:
    with pytest.raises(Broken, match="canonical"):
        parse(json.dumps(body).encode())
