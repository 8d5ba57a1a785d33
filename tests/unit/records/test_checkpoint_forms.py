"""Checkpoints and lists of leaves have one written form each, and are read back unchanged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.records import merkle
from archive.records.checkpoint.arrived import PREFIXES, scanned_prefixes
from archive.records.checkpoint.covered import Covered
from archive.records.checkpoint.leaves import (
    ObjectLeaves,
    Opening,
    decode_object,
    decode_opening,
    leaves_of,
    lines_of,
    split_lines,
)
from archive.records.checkpoint.note import Note, check_origin
from archive.timespan import DAY, HOUR, MINUTE
from tests.support.leaves import T0

HEX = st.from_regex(r"[0-9a-f]{64}", fullmatch=True)
NOTES = st.builds(
    Note,
    origin=st.from_regex(r"[a-z]([a-z0-9./-]{0,20}[a-z])?", fullmatch=True),
    number=st.integers(1, 10**10 - 1),
    size=st.integers(1, 2**40),
    root=st.binary(min_size=32, max_size=32),
    prev=HEX,
    at=st.integers(0, 4_102_444_800_000_000),
    leaves=HEX,
)
NOTE = Note(origin="saksi.test/log", number=2, size=3, root=b"\1" * 32, prev="1" * 64, at=T0, leaves="2" * 64)


@given(NOTES)
def test_a_checkpoint_reads_back_as_it_was(note: Note) -> None:
    assert Note.decode(note.encode()) == note


def test_a_checkpoint_is_a_c2sp_checkpoint() -> None:
    origin, size, root, *extensions = NOTE.encode().decode().removesuffix("\n").split("\n")
    assert (origin, size, root) == (
        "saksi.test/log/0000000002",
        "3",
        "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    )
    assert all(extensions)
    assert not NOTE.encode().endswith(b"\n\n")


@pytest.mark.parametrize(
    "harm",
    [
        lambda text: text[:-1],
        lambda text: text + b"\n",
        lambda text: text.replace(b"\n3\n", b"\n03\n"),
        lambda text: text.replace(b"\n3\n", b"\n 3\n"),
        lambda text: text.replace(b"\n3\n", b"\n-3\n"),
        lambda text: text.replace(b"prev ", b"prev  "),
        lambda text: text.replace(b"prev ", b""),
        lambda text: text.replace(b"leaves ", b"Leaves "),
        lambda text: text.replace(b".000000Z", b"Z"),
        lambda text: text.replace(b"Z\n", b"+00:00\n"),
        lambda text: text.replace(b"AQE=", b"AQF="),
        lambda text: text.replace(b"/0000000002", b"/2"),
        lambda text: text.replace(b"/0000000002", b"/0000000000"),
        lambda text: text.replace(b"saksi", b"sak\xc3\xadsi"),
        lambda text: b"",
    ],
)
def test_there_is_one_way_to_write_a_checkpoint(harm: object) -> None:
    assert callable(harm)
    with pytest.raises(Malformed) as caught:
        Note.decode(harm(NOTE.encode()))
    assert caught.value.code == "bad_checkpoint"


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "/a", "a/", "x" * 201, "é"])
def test_a_name_that_would_break_the_form_is_refused(name: str) -> None:
    with pytest.raises(Malformed):
        check_origin(name)


@given(st.binary(max_size=60))
def test_lines_and_size_give_back_the_objects_bytes(data: bytes) -> None:
    lines = lines_of(data)
    assert lines
    assert not any(b"\n" in line for line in lines)
    joined = b"\n".join(lines)
    assert data in (joined, joined + b"\n")


@given(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line)), st.integers(1, 7))
def test_streamed_lines_are_the_lines_however_the_pieces_fall(lines: list[bytes], step: int) -> None:
    body = b"".join(line + b"\n" for line in lines)
    pieces = [body[at : at + step] for at in range(0, len(body), step)]
    assert list(split_lines(pieces)) == lines


@given(st.binary(max_size=99), st.sampled_from(["", "journal_signature"]))
def test_an_objects_line_reads_back_as_it_was(data: bytes, refused: str) -> None:
    entry = leaves_of("journal/2026/11/24/06/rec-1_0000000001.jsonl", data, refused)
    assert decode_object(entry.encode()) == entry
    if refused:
        assert len(entry.hashes) == 1
        assert entry.hashes[0] not in {merkle.leaf_hash(line) for line in lines_of(data)}


def test_leaf_0_reads_back_as_it_was() -> None:
    opening = Opening("saksi.test/log", 7, "0" * 64, T0)
    assert decode_opening(opening.encode()) == opening
    for harm in (opening.encode() + b" ", b"{}", b"[]", opening.encode().replace(b'"v":1', b'"v":2')):
        with pytest.raises(Malformed):
            decode_opening(harm)
    for harm in (b"{}", b"[1]", b'{"key":"x","leaves":[],"sha256":"' + b"0" * 64 + b'","size":1}'):
        with pytest.raises(Malformed):
            decode_object(harm)
    assert isinstance(leaves_of("custody/x", b""), ObjectLeaves)


KEYS = st.one_of(
    st.builds(
        "journal/2026/11/24/{:02d}/rec-{}_{:010d}.jsonl".format,
        st.integers(0, 3), st.integers(1, 2), st.integers(1, 12),
    ),
    st.builds("custody/2026/11/24/00/api-{}_{:010d}.jsonl".format, st.integers(1, 2), st.integers(1, 12)),
    st.builds("ledger/hold/h-{}/{:08d}.json".format, st.integers(1, 2), st.integers(1, 12)),
    st.sampled_from(["journal/odd", "ledger/hold/x", "journal/2026/11/24/00/rec-1_0000000001.json"]),
)  # fmt: skip


@given(st.lists(KEYS), st.lists(KEYS))
def test_ranges_hold_just_the_names_that_were_put_in(added: list[str], asked: list[str]) -> None:
    covered = Covered(3, "d")
    for key in added:
        covered.add(key)
    again = Covered.from_json(covered.to_json())
    for key in (*added, *asked):
        assert (key in covered) == (key in again) == (key in added)


def test_a_refused_batch_is_covered_and_takes_no_number() -> None:
    covered = Covered()
    covered.add_refused("journal/2026/11/24/00/rec-1_0000000005.jsonl")
    assert "journal/2026/11/24/00/rec-1_0000000005.jsonl" in covered
    assert list(covered.batches("rec-1", 5)) == []
    covered.add("journal/2026/11/24/01/rec-1_0000000005.jsonl")
    assert list(covered.batches("rec-1", 5)) == ["journal/2026/11/24/01/rec-1_0000000005.jsonl"]


def test_at_least_three_hours_are_looked_at_and_everything_once_a_day() -> None:
    noon = T0 - T0 % DAY + 12 * HOUR
    soon = scanned_prefixes(noon + HOUR, noon)
    assert [prefix for prefix in soon if prefix.startswith("journal/")] == [
        f"journal/2026/11/24/{hour:02d}/" for hour in (10, 11, 12, 13, 14)
    ]
    assert list(soon) == sorted(soon)
    assert soon[-1] == "ledger/"
    assert scanned_prefixes(noon, None) == PREFIXES
    assert scanned_prefixes(noon + 12 * HOUR, noon) == PREFIXES
    assert scanned_prefixes(noon - MINUTE, noon) == PREFIXES
