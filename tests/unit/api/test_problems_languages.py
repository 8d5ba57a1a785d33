"""Every problem that the API can give speaks Indonesian first and English second."""

import json
from pathlib import Path

import pytest
from fastapi.exceptions import RequestValidationError

from api import problems
from api.described.languages import BETWEEN, in_both, indonesian, of_field
from archive.footage.clip.exact import NoFootage
from archive.footage.reader import GapSpan
from archive.timespan import Timespan
from ops.error_codes import ROOTS, ErrorUse, HttpCode, error_uses, http_codes
from ops.wire import _ANSWERS, _refusal

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def uses() -> list[ErrorUse]:
    return list(error_uses(ROOT))


@pytest.fixture(scope="module")
def only_http() -> list[HttpCode]:
    return list(http_codes(ROOT))


def test_every_code_of_the_product_has_its_sentence_in_indonesian(
    uses: list[ErrorUse], only_http: list[HttpCode]
) -> None:
    codes = {use.code for use in uses} | {one.code for one in only_http}
    assert codes - set(indonesian()) == set()


def test_every_hint_has_its_counterpart(uses: list[ErrorUse], only_http: list[HttpCode]) -> None:
    """A code without an Indonesian hint has no English one either, or one in both languages already."""
    alone = {
        use.code
        for use in (*uses, *only_http)
        if use.hint and BETWEEN not in use.hint and not indonesian()[use.code][1]
    }
    assert alone == set()


def test_every_error_of_the_tree_is_told_in_both_languages(uses: list[ErrorUse]) -> None:
    for use in uses:
        error = ROOTS[use.kind](use.sentence or "x", code=use.code, hint=use.hint)
        body = json.loads(bytes(problems.of_archive_error(error).body))
        assert BETWEEN in body["detail"], use
        assert BETWEEN in body["hint"] or not body["hint"], use


def test_what_the_framework_and_the_wire_refuse_is_told_in_both_languages(only_http: list[HttpCode]) -> None:
    for one in only_http:
        body = json.loads(bytes(problems.problem(one.status, one.code, one.sentence, hint=one.hint).body))
        assert BETWEEN in body["detail"], one
        assert BETWEEN in body["hint"] or not body["hint"], one
    for status in _ANSWERS:
        body = json.loads(_refusal(status).partition(b"\r\n\r\n")[2])
        assert BETWEEN in body["detail"], status
    assert BETWEEN in json.loads(bytes(problems.of_unexpected(ValueError()).body))["detail"]


@pytest.mark.parametrize("kind", ["missing", "extra_forbidden", "json_invalid", "never_heard_of"])
def test_what_is_wrong_with_a_field_is_told_in_both_languages(kind: str) -> None:
    wrong = RequestValidationError(
        [{"type": kind, "loc": ("body", "name"), "msg": "Wrong here", "input": ""}]
    )
    body = json.loads(bytes(problems.of_validation(wrong).body))
    assert BETWEEN in body["detail"]
    assert body["errors"][0]["message"] == of_field(kind, "Wrong here")
    assert body["errors"][0]["message"].endswith("/ Wrong here")


def test_members_stay_and_a_text_in_both_languages_is_not_doubled() -> None:
    gap = GapSpan(Timespan(0, 10), "stalled")
    body = json.loads(bytes(problems.of_archive_error(NoFootage("x", [gap])).body))
    assert body["gaps"][0]["cause"] == "stalled"
    assert in_both("satu", "dua / two") == "dua / two"
    assert in_both("satu", "") == ""
    assert in_both("", "one") == "one"
