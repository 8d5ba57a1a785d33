"""NAL units: found, named, and refused if their lengths do not add up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.mp4.nal import (
    NalKind,
    NalUnit,
    is_sequence_parameter_set,
    nal_kind,
    nal_units,
    trailing_zeros,
)
from tests.support.fragmented import sample


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=8), st.sampled_from([1, 2, 4]))
def test_units_come_back_in_order(units, length_size):
    if length_size == 1:
        units = [unit[:255] for unit in units]
    joined = b"".join(len(unit).to_bytes(length_size, "big") + unit for unit in units)
    framed = b"before" + joined + b"after"
    found = list(nal_units(framed, 6, 6 + len(joined), length_size))
    assert [framed[unit.start : unit.end] for unit in found] == units


@pytest.mark.parametrize("damaged", ["00000000", "0000000511", "000001", "00000001aa00", "ffffffffaa"])
def test_lengths_that_do_not_add_up(damaged):
    data = bytes.fromhex(damaged)
    with pytest.raises(Malformed) as caught:
        list(nal_units(data + b"more", 0, len(data), 4))
    assert caught.value.code == "bad_nal"


@given(st.binary(max_size=200))
def test_noise_raises_only_malformed(noise):
    try:
        for unit in nal_units(noise, 0, len(noise), 4):
            assert 0 < unit.start < unit.end <= len(noise)
    except Malformed:
        pass


@pytest.mark.parametrize(
    ("codec", "first", "kind"),
    [
        ("h264", 0x65, NalKind.SLICE),
        ("h264", 0x41, NalKind.SLICE),
        ("h264", 0x67, NalKind.PARAMETER_SET),
        ("h264", 0x68, NalKind.PARAMETER_SET),
        ("h264", 0x06, NalKind.SEI),
        ("h264", 0x09, NalKind.DELIMITER),
        ("h264", 0x0C, NalKind.OTHER),
        ("hevc", 0x26, NalKind.SLICE),
        ("hevc", 0x2A, NalKind.SLICE),
        ("hevc", 0x40, NalKind.PARAMETER_SET),
        ("hevc", 0x42, NalKind.PARAMETER_SET),
        ("hevc", 0x44, NalKind.PARAMETER_SET),
        ("hevc", 0x46, NalKind.DELIMITER),
        ("hevc", 0x4E, NalKind.SEI),
        ("hevc", 0x50, NalKind.SEI),
    ],
)
def test_kinds(codec, first, kind):
    assert nal_kind(codec, first) is kind
    assert is_sequence_parameter_set(codec, first) == ((codec, first) in {("h264", 0x67), ("hevc", 0x42)})


@given(st.binary(min_size=2, max_size=50), st.integers(0, 5))
def test_trailing_zeros_are_counted_and_the_header_is_kept(unit, zeros):
    body = unit.rstrip(b"\0")
    data = sample(unit + bytes(zeros))
    count = trailing_zeros(data, NalUnit(4, len(data)), "hevc")
    assert count == len(unit) + zeros - max(len(body), 2)
