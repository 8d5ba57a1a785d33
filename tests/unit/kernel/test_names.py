"""Ids and object names: which are valid, and that both directions agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import ids, keys
from archive.errors import Malformed

NAMES = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,20}[A-Za-z0-9])?", fullmatch=True)
INSTANTS = st.integers(min_value=0, max_value=4_102_444_800_000_000)
RUN = st.from_regex(r"[0-9a-f]{16}", fullmatch=True)
SHA = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)


@given(NAMES, INSTANTS, RUN, st.integers(0, 10**7), SHA)
def test_a_segment_key_says_what_it_was_made_of(
    camera: str, start: int, run: str, seq: int, sha: str
) -> None:
    key = keys.segment_key(camera, start, run, seq, sha)
    assert keys.parse_segment_key(key) == keys.SegmentName(camera, start, run, seq, sha[:16])
    assert keys.check_key(key) == key
    assert key.startswith(keys.segment_prefix(camera, start))


@given(NAMES, st.lists(st.tuples(INSTANTS, RUN, st.integers(0, 999_999)), min_size=2, max_size=5), SHA)
def test_segment_keys_of_a_camera_sort_by_time_run_and_number(
    camera: str, parts: list[tuple[int, str, int]], sha: str
) -> None:
    by_key = sorted(parts, key=lambda p: keys.segment_key(camera, p[0], p[1], p[2], sha))
    assert by_key == sorted(parts)


@given(NAMES, st.integers(1, 10**10 - 1), INSTANTS)
def test_batch_keys_both_ways(writer: str, number: int, at: int) -> None:
    assert keys.parse_batch_key(keys.journal_key(writer, number, at)) == (writer, number)
    assert keys.parse_batch_key(keys.custody_key(writer, number, at)) == (writer, number)


@given(NAMES, st.integers(1, 10**8 - 1))
def test_ledger_keys_both_ways(entity: str, version: int) -> None:
    assert keys.parse_ledger_key(keys.ledger_key("camera", entity, version)) == ("camera", entity, version)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/./b",
        ".hidden",
        "a/.b",
        "a b",
        "a\nb",
        "é",
        "a\\b",
        "x" * 513,
    ],
)
def test_odd_keys_are_refused(key: str) -> None:
    with pytest.raises(Malformed) as caught:
        keys.check_key(key)
    assert caught.value.code == "bad_key"


@pytest.mark.parametrize("name", ["", "a_b", "-a", "a-", ".a", "a/b", "a b", "é", "x" * 64, "a\n"])
def test_odd_ids_are_refused(name: str) -> None:
    with pytest.raises(Malformed) as caught:
        ids.check_name("camera", name)
    assert caught.value.code == "bad_id"
    assert "letters" in caught.value.hint


def test_a_segment_in_the_wrong_hour_is_refused() -> None:
    key = keys.segment_key("cam-1", 0, "0" * 16, 0, "0" * 64)
    with pytest.raises(Malformed):
        keys.parse_segment_key(key.replace("/00/", "/01/", 1))


def test_new_ids_are_accepted_and_differ() -> None:
    now = 1_795_500_000_000_000
    assert ids.check_run(ids.new_run_id(now)) != ids.new_run_id(now)
    assert ids.check_evidence_id(ids.new_evidence_id(now)).startswith("EVD-2026-")
    assert ids.new_run_id(now) < ids.new_run_id(now + 1_000_000)
