"""The names of indices of records: one per kind, and one per month for acts."""

import pytest

from archive.timespan import DAY
from search.elastic import names
from tests.support.leaves import T0


def test_records_of_acts_are_filed_by_month() -> None:
    assert names.records_of("act", T0) == "records-act-2026.11"
    assert names.records_of("act", 0) == "records-act-1970.01"
    assert names.records_of("request", T0) == "records-request"


@pytest.mark.parametrize(
    ("what", "groups", "is_written"),
    [
        ("segments-2026.11", ["segments"], True),
        ("documents-camera", ["documents"], True),
        ("records-request", ["records"], True),
        ("records-act-2026.11", ["records", "records-act"], True),
        ("state", [], True),
        ("records-act", ["records"], False),
        ("records", [], False),
        ("segments", [], False),
    ],
)
def test_each_index_is_behind_the_aliases_of_its_groups(
    what: str, groups: list[str], is_written: bool
) -> None:
    assert names.groups_of(what) == groups
    assert names.is_written(what) is is_written


def test_a_question_names_the_months_that_it_can_match() -> None:
    assert names.records_within("act", T0, T0 + 40 * DAY) == [
        "records-act-2026.11", "records-act-2026.12", "records-act-2027.01",
    ]  # fmt: skip
    assert names.records_within("act", 0, 2**53 - 1) == ["records-act"]
    assert names.records_within("hold", T0, T0) == ["records-hold"]


def test_kinds_are_those_of_a_group_without_its_months() -> None:
    whats = ["records", "records-act", "records-act-2026.11", "records-hold", "documents-camera", "state"]
    assert names.kinds_in("records", whats) == ["act", "hold"]
    assert names.kinds_in("documents", whats) == ["camera"]
