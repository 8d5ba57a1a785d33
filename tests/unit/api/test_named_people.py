"""Names come with answers: of actors alone, and never of what somebody wrote."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.named_people import with_people
from api.request_context import RequestContext

NAMES = {"citra": "Citra Lestari", "tono": "Tono Wijaya", "tanpa": ""}


def context(people: object) -> RequestContext:
    return cast(RequestContext, SimpleNamespace(services=SimpleNamespace(people=people)))


KNOWN = context(SimpleNamespace(name_of=lambda user_id: NAMES.get(user_id, "")))


@pytest.mark.parametrize(
    ("answer", "people"),
    [
        ({"placed_by": "user:citra"}, {"user:citra": "Citra Lestari"}),
        ({"history": [{"actor": "user:tono"}, {"actor": "user:tono"}]}, {"user:tono": "Tono Wijaya"}),
        ({"release": {"proposed_by": "user:citra", "approved_by": ""}}, {"user:citra": "Citra Lestari"}),
        ({"reason": "user:citra", "case": "user:tono", "owner": "user:tono"}, {}),
        ({"comments": [{"by": "user:baru", "text": "user:citra"}]}, {}),
        ({"actor": "user:tanpa"}, {}),
        ({"actor": "os:citra", "by": "token:citra", "changed_by": "job:seal"}, {}),
        ({"cameras": ["user:citra"], "version": 1, "hold": None}, {}),
    ],
)
def test_who_did_something_is_named_and_nobody_else(answer: dict[str, Any], people: dict[str, str]) -> None:
    assert with_people(KNOWN, answer) == {**answer, "people": people}


def test_without_accounts_there_are_no_names() -> None:
    assert with_people(context(None), {"actor": "user:citra"})["people"] == {}
