"""Fragmented sources, complete and truncated, and their finalised results."""

import hashlib
import random
import struct
from array import array
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import ArchiveError, Malformed, NotFound, Unavailable
from archive.footage.mp4.boxes import box, full_box
from archive.footage.mp4.finalise import finalise
from archive.footage.mp4.fragments import read_fragments
from archive.footage.mp4.header import parse_header
from tests.support import fragmented
from tests.support.fragmented import FRAME, Picture, sample

SLICE = b"\x41slice"
KEY = b"\x65key picture"


def _pictures(count: int, *, sync: bool = True) -> list[Picture]:
    return [
        Picture(sample((KEY if not at else SLICE) + bytes([at + 1])), sync and not at) for at in range(count)
    ]


def _finalise(tmp_path: Path, data: bytes, tfdt: int = 0):
    source = tmp_path / "source.mp4"
    source.write_bytes(data)
    return finalise(source, tmp_path / "target.mp4", tfdt=tfdt)


def test_fragments_become_one_moof(tmp_path):
    fragments = [_pictures(3), _pictures(2, sync=False), _pictures(4)]
    made = _finalise(tmp_path, fragmented.source(fragments), tfdt=777)
    stored = (tmp_path / "target.mp4").read_bytes()
    assert stored.count(b"moof") == stored.count(b"mdat") == 1
    assert made.sha256 == hashlib.sha256(stored).hexdigest()
    assert (made.size, made.frames, made.torn) == (len(stored), 9, False)
    assert parse_header(stored[: made.header_bytes]) == made.header
    assert made.header.tfdt == 777
    assert made.media_duration == 9 * FRAME
    assert made.header.syncs == [0, 5]
    payload = b"".join(picture.payload for pictures in fragments for picture in pictures)
    assert stored[made.header_bytes :] == payload
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source.mp4", "target.mp4"]


def test_the_same_source_gives_the_same_bytes(tmp_path):
    data = fragmented.source([_pictures(3)])
    first = _finalise(tmp_path, data, tfdt=5)
    assert _finalise(tmp_path, data, tfdt=5).sha256 == first.sha256
    assert _finalise(tmp_path, data, tfdt=6).sha256 != first.sha256


def test_a_torn_source_ends_at_its_last_whole_fragment(tmp_path):
    fragments = [_pictures(3), _pictures(2), _pictures(4)]
    data = fragmented.source(fragments, closing=b"")
    ends = [len(fragmented.source(fragments[:count], closing=b"")) for count in range(4)]
    for cut in range(len(data) + 1):
        whole = sum(cut >= end for end in ends[1:])
        if whole == 0:
            with pytest.raises(Malformed) as caught:
                _finalise(tmp_path, data[:cut])
            assert caught.value.code == "torn_segment"
            continue
        made = _finalise(tmp_path, data[:cut])
        assert made.torn
        assert made.frames == sum(len(pictures) for pictures in fragments[:whole])
        assert made.contiguous_end == made.frames * FRAME


def test_after_a_power_cut_the_tail_of_zeros_is_no_footage(tmp_path):
    fragments = [_pictures(3), _pictures(3)]
    kept = len(fragmented.source(fragments[:1], closing=b""))
    data = bytearray(fragmented.source(fragments, closing=b""))
    data[-20:] = bytes(20)
    assert _finalise(tmp_path, bytes(data)).frames == 3
    data[kept:] = bytes(len(data) - kept)
    assert _finalise(tmp_path, bytes(data)).frames == 3


def test_a_torn_source_whose_last_moof_is_nonsense_keeps_the_rest(tmp_path):
    data = bytearray(fragmented.source([_pictures(3), _pictures(3)], closing=b""))
    data[data.rindex(b"tfhd")] ^= 0xFF
    assert _finalise(tmp_path, bytes(data)).frames == 3


def test_damage_in_a_source_closed_in_order_is_refused_not_shortened(tmp_path):
    whole = fragmented.source([_pictures(3), _pictures(3), _pictures(3)])
    for name in (b"tfhd", b"moof", b"mdat"):
        data = bytearray(whole)
        at = data.index(name, data.index(name) + 1)
        data[at - 4 : at + 4] = bytes(8)
        with pytest.raises(Malformed) as caught:
            _finalise(tmp_path, bytes(data))
        assert caught.value.code == "bad_segment"


def test_a_sample_lasts_until_the_next_fragment(tmp_path):
    init = fragmented.source([], closing=b"")
    late = fragmented.fragment(_pictures(2), 3 * FRAME + 500)
    data = init + fragmented.fragment(_pictures(3), 0) + late + fragmented.mfra()
    assert (
        list(_finalise(tmp_path, data).header.samples.durations) == [FRAME] * 2 + [FRAME + 500] + [FRAME] * 2
    )
    backwards = fragmented.fragment(_pictures(2), FRAME)
    data = init + fragmented.fragment(_pictures(3), 0) + backwards + fragmented.mfra()
    assert list(_finalise(tmp_path, data).header.samples.durations) == [FRAME] * 5


def test_producer_reference_times_follow_the_samples(tmp_path):
    init = fragmented.source([], closing=b"")
    walls = [1_795_509_395_339_000, 1_795_509_396_339_123]
    data = init
    for index, wall in enumerate(walls):
        data += fragmented.prft(wall) + fragmented.fragment(_pictures(3), index * 3 * FRAME)
    made = _finalise(tmp_path, data + fragmented.mfra(), tfdt=1000)
    assert made.prft == [(walls[0], 1000), (walls[1], 1000 + 3 * FRAME)]


def test_samples_before_the_first_sync_are_kept_and_told(tmp_path):
    made = _finalise(tmp_path, fragmented.source([_pictures(2, sync=False), _pictures(3)]))
    assert (made.frames, made.undecodable, made.first_decodable_pts) == (5, 2, 2 * FRAME)
    made = _finalise(tmp_path, fragmented.source([_pictures(2, sync=False)]))
    assert (made.frames, made.undecodable, made.first_decodable_pts) == (2, 2, None)


_UNIT = st.builds(
    lambda kind, body: bytes([kind << 1, 1]) + body + b"\x80",
    st.sampled_from([1, 19, 32, 33, 39]),
    st.binary(max_size=12),
)


@given(
    samples=st.lists(
        st.lists(st.tuples(_UNIT, st.integers(0, 3)), min_size=1, max_size=4), min_size=1, max_size=8
    )
)
def test_zeros_after_hevc_units_are_stripped_and_nothing_else(tmp_path_factory, samples):
    folder = tmp_path_factory.mktemp("zeros")
    padded = [Picture(sample(*(unit + bytes(zeros) for unit, zeros in units)), True) for units in samples]
    clean = [Picture(sample(*(unit for unit, _ in units)), True) for units in samples]
    made = _finalise(folder, fragmented.source([padded], codec="hevc"))
    assert made.stripped == sum(zeros for units in samples for _, zeros in units)
    stored = (folder / "target.mp4").read_bytes()
    assert stored[made.header_bytes :] == b"".join(picture.payload for picture in clean)
    assert made.header.samples.sizes == array("I", [len(picture.payload) for picture in clean])
    assert made.sha256 == hashlib.sha256(stored).hexdigest()


def test_h264_bytes_are_never_touched(tmp_path):
    pictures = [Picture(sample(KEY + bytes(3)), True)]
    made = _finalise(tmp_path, fragmented.source([pictures]))
    assert made.stripped == 0
    assert (tmp_path / "target.mp4").read_bytes().endswith(pictures[0].payload)


def test_a_sample_that_is_no_nal_units_is_kept_as_it_came(tmp_path):
    odd = Picture(b"\0\0\1\0not units\0\0", True)
    made = _finalise(tmp_path, fragmented.source([[odd, *_pictures(2)]], codec="hevc"))
    assert made.frames == 3
    assert odd.payload in (tmp_path / "target.mp4").read_bytes()


def test_parameter_sets_are_told_when_they_change(tmp_path):
    def gop(size: bytes) -> list[Picture]:
        return [Picture(sample(b"\x67" + size, b"\x68pps", KEY), True), Picture(sample(SLICE))]

    made = _finalise(tmp_path, fragmented.source([gop(b"a"), gop(b"a"), gop(b"b"), gop(b"b")]))
    assert [pts for pts, _ in made.parameter_sets] == [0, 4 * FRAME]
    again = _finalise(tmp_path, fragmented.source([gop(b"b")]))
    assert again.parameter_sets[0][1] == made.parameter_sets[1][1]
    assert _finalise(tmp_path, fragmented.source([_pictures(3)])).parameter_sets == []


def test_damage_never_leaves_as_another_error():
    data = fragmented.source([_pictures(3), _pictures(3)])
    torn = fragmented.source([_pictures(3), _pictures(3)], closing=b"")
    chance = random.Random(20261124)  # noqa: S311
    refused = accepted = 0
    for _ in range(10_000):
        damaged = bytearray(chance.choice((data, torn)))
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(damaged))
            damaged[at] = chance.choice((0, 1, 0x7F, 0xFF, damaged[at] ^ 1 << chance.randrange(8)))
        if chance.random() < 0.3:
            del damaged[chance.randrange(len(damaged)) :]
        try:
            found = read_fragments(bytes(damaged))
        except Malformed as error:
            refused += error.code in ("bad_segment", "torn_segment")
        else:
            accepted += 1
            assert 0 < len(found.samples) <= 6
            assert all(piece.end <= len(damaged) for piece in found.pieces)
    assert refused + accepted == 10_000
    assert refused > 1_000


def test_a_count_without_bytes_is_bounded(tmp_path):
    """Per-sample fields may all be defaults, so that a count costs the forger nothing."""
    init = fragmented.source([], closing=b"")
    trun = full_box(b"trun", 0, 1, struct.pack(">Ii", 0xFFFF_FFFF, 8))
    traf = box(
        b"traf",
        full_box(b"tfhd", 0, 0x20000, struct.pack(">I", 1)),
        full_box(b"tfdt", 1, 0, bytes(8)),
        trun,
    )
    forged = init + box(b"moof", full_box(b"mfhd", 0, 0, bytes(4)), traf) + box(b"mdat") + fragmented.mfra()
    with pytest.raises(Malformed, match="counts 4294967295 samples"):
        _finalise(tmp_path, forged)


@pytest.mark.parametrize("tfdt", [-1, 1 << 62])
def test_impossible_decode_times_are_refused(tmp_path, tfdt):
    with pytest.raises(Malformed) as caught:
        _finalise(tmp_path, fragmented.source([_pictures(1)]), tfdt=tfdt)
    assert caught.value.code == "bad_tfdt"


def test_failures_of_the_disk_are_of_our_tree(tmp_path):
    with pytest.raises(NotFound):
        finalise(tmp_path / "absent.mp4", tmp_path / "target.mp4", tfdt=0)
    with pytest.raises(Unavailable):
        finalise(tmp_path, tmp_path / "target.mp4", tfdt=0)
    source = tmp_path / "source.mp4"
    source.write_bytes(fragmented.source([_pictures(3)]))
    with pytest.raises(Unavailable):
        finalise(source, tmp_path / "no-folder" / "target.mp4", tfdt=0)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ArchiveError):
        finalise(source, tmp_path / "folder", tfdt=0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "source.mp4"]
