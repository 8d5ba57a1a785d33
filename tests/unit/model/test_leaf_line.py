"""The fast parser of segment lines gives the same as the full parser, or nothing."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive import canonical
from archive.errors import ArchiveError
from archive.evidence.verifier import leaf as verifier_leaf
from archive.evidence.verifier.findings import Broken
from archive.model import leaf as leaves
from archive.model.line import read_line
from archive.model.segment import DeviceClock, Segment, SoundStatement
from archive.timespan import HOUR
from tests.support.leaves import SEGMENTS, T0, segment

PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=12)


def long_reading(line: bytes) -> Segment:
    """The same without a pattern, including the check of canonical form."""
    value = canonical.decode(line)
    assert canonical.encode(value) == line, "not canonical"
    found = leaves.from_json(value)
    assert isinstance(found, Segment)
    return found


@given(SEGMENTS, PLAIN, st.lists(PLAIN, max_size=3))
def test_every_plain_segment_is_read_fast_and_alike(leaf: Segment, source: str, flags: list[str]) -> None:
    leaf = replace(leaf, clock=replace(leaf.clock, source=source, flags=tuple(flags)))
    line = leaves.encode(leaf)
    found = read_line(line)
    if max(leaf.seq, leaf.size, leaf.frames, leaf.media_duration, leaf.header_bytes) < 10**15 and all(
        abs(n) < 10**15 for n in (leaf.clock.offset_us, leaf.clock.uncertainty_us)
    ):
        assert found is not None
    assert found is None or found.segment() == leaf == long_reading(line)


@given(st.data())
def test_a_changed_line_is_read_alike_or_not_at_all(data: st.DataObject) -> None:
    """Replace, remove or insert one to three bytes: a line that still parses fast parses correctly."""
    line = bytearray(leaves.encode(segment(data.draw(st.integers(0, 9)))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(line) - 1))
        new = data.draw(st.sampled_from([*b'09aZ"\\,:{}[] .-+eE_', 0, 127, 200, 10]))
        match data.draw(st.sampled_from("rid")):
            case "r":
                line[at] = new
            case "i":
                line.insert(at, new)
            case _:
                del line[at]
    found = read_line(bytes(line))
    if found is not None:
        assert found.segment() == long_reading(bytes(line))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"seq":0', b'"seq":00'),
        (b'"seq":0', b'"seq":-0'),
        (b'"seq":0', b'"seq":0.0'),
        (b'"seq":0,', b'"seq":0,"seq":0,'),
        (b'"size":2500000', b'"size":9007199254740993'),
        (b'"v":1}', b'"v":1} '),
        (b'"v":1}', b'"v":1}\n'),
        (b'"v":1}', b'"v":2}'),
        (b'"camera":"cam-1"', b'"camera": "cam-1"'),
        (b'"camera":"cam-1"', b'"camera":"cam-2"'),
        (b'"start":"2026-11-24T06', b'"start":"2026-11-24T25'),
        (b'"start":"2026-11', b'"start":"2026-13'),
        (b'"source":"arrival"', b'"source":"arr\\u0069val"'),
        (b'"source":"arrival"', b'"source":"arr\xc3\xadval"'),
        (b'"flags":[]', b'"flags":[1]'),
        (b'"codec":"h264"', b'"codec":"av1"'),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_long_reading(old: bytes, new: bytes) -> None:
    line = leaves.encode(segment(0))
    assert line.count(old) == 1
    assert read_line(line.replace(old, new)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"channels":1', b'"channels":0'),
        (b'"mp4a.40.2"', b'"mp4a.40.0"'),
        (b'"mp4a.40.2"', b'"mp3"'),
        (b'"rate":8000', b'"rate":0'),
        (b'"rate":8000', b'"rate":8000,"volume":1'),
        (b'"made_from":"pcm_alaw"', b'"made_from":""'),
        (b'"made_from":"pcm_alaw"', b'"made_from":"a tape"'),
    ],
)
def test_sound_that_cannot_be_meant_is_refused_by_every_reader(old: bytes, new: bytes) -> None:
    sound = SoundStatement(codec="mp4a.40.2", channels=1, rate=8000, made_from="pcm_alaw")
    line = leaves.encode(replace(segment(0), sound=sound))
    found = read_line(line)
    assert found is not None
    assert found.segment().sound == sound
    assert verifier_leaf.read(line).fields["sound"] == json.loads(line)["sound"]
    changed = line.replace(old, new)
    assert changed != line
    assert read_line(changed) is None
    with pytest.raises(ArchiveError):
        leaves.decode(changed)
    with pytest.raises(Broken):
        verifier_leaf.read(changed)


def test_a_line_without_sound_is_as_it_always_was() -> None:
    assert b"sound" not in leaves.encode(segment(0))
    with pytest.raises(ArchiveError):
        leaves.decode(leaves.encode(segment(0)).replace(b'"start"', b'"sound":null,"start"'))


def test_pictures_that_were_encoded_are_stated_and_read_by_every_reader() -> None:
    line = leaves.encode(replace(segment(0), made_from="mjpeg"))
    assert b',"made_from":"mjpeg","media_duration":' in line
    found = read_line(line)
    assert found is not None
    assert found.segment() == long_reading(line) == replace(segment(0), made_from="mjpeg")
    assert verifier_leaf.read(line).fields["made_from"] == "mjpeg"


@pytest.mark.parametrize("stated", [b'""', b'"h264"', b'"a film"', b"null", b'["mjpeg"]'])
def test_pictures_made_from_what_cannot_be_meant_are_refused_by_every_reader(stated: bytes) -> None:
    changed = leaves.encode(replace(segment(0), made_from="mjpeg")).replace(b'"mjpeg"', stated)
    assert read_line(changed) is None
    with pytest.raises(ArchiveError):
        leaves.decode(changed)
    with pytest.raises(Broken):
        verifier_leaf.read(changed)


def test_a_line_of_the_cameras_own_pictures_is_as_it_always_was() -> None:
    assert b"made_from" not in leaves.encode(segment(0))


ANSWER = DeviceClock(at=T0 - HOUR, offset_us=-61_000_000, within_us=500_123)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"asked_at":"2026-11-24T05', b'"asked_at":"2026-13-24T05'),
        (b'"asked_at":"2026-11-24T05:00:00.000000Z",', b""),
        (b'"offset_us":-61000000', b'"offset_us":-61000000.5'),
        (b'"offset_us":-61000000', b'"offset_us":true'),
        (b'"uncertainty_us":500123', b'"uncertainty_us":-1'),
        (b'"uncertainty_us":500123', b'"uncertainty_us":500123,"zone":8'),
    ],
)
def test_a_cameras_clock_is_read_by_every_reader_and_refused_where_it_cannot_be_meant(
    old: bytes, new: bytes
) -> None:
    line = leaves.encode(replace(segment(0), device_clock=ANSWER))
    found = read_line(line)
    assert found is not None
    assert found.segment().device_clock == ANSWER
    assert verifier_leaf.read(line).fields["device_clock"] == {
        "asked_at": "2026-11-24T05:00:00.000000Z", "offset_us": -61_000_000, "uncertainty_us": 500_123,
    }  # fmt: skip
    changed = line.replace(old, new)
    assert changed != line
    assert read_line(changed) is None
    with pytest.raises(ArchiveError):
        leaves.decode(changed)
    with pytest.raises(Broken):
        verifier_leaf.read(changed)


def test_a_line_of_a_camera_that_was_never_asked_is_as_it_always_was() -> None:
    assert b"device_clock" not in leaves.encode(segment(0))
    with pytest.raises(ArchiveError):
        leaves.decode(leaves.encode(segment(0)).replace(b'"end"', b'"device_clock":null,"end"'))


PAUSES = ((1_000_000, 5_000_000), (5_000_000, 9_999_999))


@pytest.mark.parametrize(
    "said",
    [
        b"[]",
        b"null",
        b"[[]]",
        b"[1000000,5000000]",
        b'[["1000000","5000000"]]',
        b"[[1000000,5000000.5]]",
        b"[[false,true]]",
        b"[[1000000,5000000,6000000]]",
        b"[[1000000]]",
        b"[[-1,5000000]]",
        b"[[5000000,1000000]]",
        b"[[1000000,1000000]]",
        b"[[1000000,5000000],[4999999,6000000]]",
        b"[[6000000,7000000],[1000000,5000000]]",
        b"[[1000000,10000001]]",
        b'[{"from":1000000,"to":5000000}]',
    ],
)
def test_pauses_are_read_by_every_reader_and_refused_where_they_cannot_be_meant(said: bytes) -> None:
    line = leaves.encode(replace(segment(0), pauses=PAUSES))
    found = read_line(line)
    assert found is not None
    assert found.segment().pauses == PAUSES
    assert verifier_leaf.read(line).fields["pauses"] == [list(one) for one in PAUSES]
    changed = line.replace(b"[[1000000,5000000],[5000000,9999999]]", said)
    assert changed != line
    assert read_line(changed) is None
    with pytest.raises(ArchiveError):
        leaves.decode(changed)
    with pytest.raises(Broken):
        verifier_leaf.read(changed)


def test_a_line_without_pauses_is_as_it_always_was() -> None:
    assert b"pauses" not in leaves.encode(segment(0))
    whole = leaves.encode(replace(segment(0), pauses=((0, 10_000_000),)))
    assert leaves.decode(whole) == replace(segment(0), pauses=((0, 10_000_000),)), "it may reach both edges"


def test_pauses_in_wall_time_are_counted_from_the_segments_start() -> None:
    [one, _] = replace(segment(0), pauses=PAUSES).paused
    assert (one.start - T0, one.end - T0) == PAUSES[0]


def test_a_segment_that_ends_before_it_begins_is_refused_with_its_reason() -> None:
    line = leaves.encode(segment(0)).replace(b'"end":"2026-11-24T06:00:10', b'"end":"2026-11-24T05:00:10')
    assert read_line(line) is None
    with pytest.raises(ArchiveError):
        leaves.decode(line)
