"""The header of a segment: written values are read back, and damage gets an error code."""

import hashlib
import random
import struct
from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.mp4.boxes import Box
from archive.footage.mp4.header import SampleTable, parse_header, write_header
from archive.footage.mp4.samples import MAX_SAMPLES
from archive.footage.mp4.sound import sound_entry
from tests.support import fragmented
from tests.support.fragmented import FRAME, Picture

_WORD = st.integers(0, 0xFFFF_FFFF)
_SAMPLE = st.tuples(_WORD, _WORD, st.integers(-(2**31), 2**31 - 1), st.booleans())


def _table(samples: list[tuple[int, int, int, bool]]) -> SampleTable:
    return SampleTable(
        array("I", [duration for duration, *_ in samples]),
        array("I", [size for _, size, *_ in samples]),
        array("i", [offset for _, _, offset, _ in samples]),
        bytes([sync for *_, sync in samples]),
    )


def _gop(*offsets: int, syncs: tuple[int, ...] = (0,)) -> bytes:
    """A header of samples with these composition offsets, in frames."""
    pictures = [Picture(b"x", index in syncs, offset) for index, offset in enumerate(offsets)]
    return write_header(fragmented.track(), 0, fragmented.table(pictures))


@given(
    samples=st.lists(_SAMPLE, min_size=1, max_size=40),
    tfdt=st.integers(0, (1 << 62) - 1),
    codec=st.sampled_from(["h264", "hevc"]),
    more=st.binary(max_size=20),
)
def test_what_is_written_is_read_back(samples, tfdt, codec, more):
    track = fragmented.track(codec)
    table = _table(samples)
    data = write_header(track, tfdt, table)
    header = parse_header(data + more)
    assert header.samples == table
    assert (header.tfdt, header.header_bytes, header.codec) == (tfdt, len(data), codec)
    assert (header.sample_entry, header.width, header.height) == (track.sample_entry, 320, 192)
    assert data.startswith(header.init)
    assert header.decode_duration == sum(table.durations)
    assert header.first_pts == min(header.presentation_times)


def test_the_whole_header_is_needed():
    data = _gop(0, 2, 0, 0)
    for length in range(len(data)):
        with pytest.raises(Malformed) as caught:
            parse_header(data[:length])
        assert caught.value.code == "bad_segment"


@given(
    samples=st.lists(_SAMPLE, min_size=1, max_size=12),
    sounds=st.lists(st.tuples(_WORD, st.integers(1, 1 << 20)), min_size=1, max_size=40),
    even=st.booleans(),
    tfdts=st.tuples(st.integers(0, (1 << 62) - 1), st.integers(0, (1 << 62) - 1)),
    codec=st.sampled_from(["aac", "opus"]),
)
def test_sound_is_read_back_and_moves_no_picture(samples, sounds, even, tfdts, codec):
    table = _table([(duration, size >> 13, offset, sync) for duration, size, offset, sync in samples])
    lasts = [sounds[0][0] if even else one for one, _ in sounds]
    entry = fragmented.sound([], codec=codec)
    sizes = array("I", [size for _, size in sounds])
    sound = replace(entry, tfdt=tfdts[1], durations=array("I", lasts), sizes=sizes)
    data = write_header(fragmented.track(), tfdts[0], table, sound)
    header = parse_header(data)
    behind = len(data) + sum(table.sizes)
    assert header.sound == replace(sound, start=behind)
    assert (header.header_bytes, header.size) == (len(data), behind + sum(sizes))
    assert (header.samples, header.tfdt) == (table, tfdts[0])
    assert header.codec_string == "avc1.64001F"
    assert (header.sound.codec, header.sound.codec_string, header.sound.channels) == (
        ("aac", "mp4a.40.2", 1) if codec == "aac" else ("opus", "opus", 2)
    )
    assert header.sound.times == [tfdts[1] + sum(lasts[:index]) for index in range(len(lasts))]


def test_a_segment_without_sound_has_the_bytes_it_always_had():
    """The digest was taken before segments could hold sound."""
    data = _gop(2, 4, 1, 1, 2, 4, 0, 1, syncs=(0, 4))
    assert parse_header(data).sound is None
    assert hashlib.sha256(data).hexdigest() == (
        "de7124fe08d581df5d8063622e1272bfa27ed0773ecaa7fd5bac705db953f3ff"
    )


def test_sound_that_nothing_describes_is_refused():
    sound = fragmented.sound([b"one", b"two"])
    data = write_header(fragmented.track(), 0, fragmented.table([Picture(b"x", True)]), sound)
    at = data.index(b"trun", data.index(b"trun") + 4) + 12
    moved = bytearray(data)
    moved[at : at + 4] = struct.pack(">i", struct.unpack(">i", data[at : at + 4])[0] + 1)
    with pytest.raises(Malformed, match="sound's data offset"):
        parse_header(bytes(moved))
    for old, new, names in (
        (b"soun", b"text", "no sound"),
        (b"mp4a", b"ac-3", "AAC or Opus"),
        (b"\x40\x15", b"\x6b\x15", "object type 6b"),
        (b"esds", b"xxxx", "esds"),
        (b"\x05\x02\x15\x88", b"\x05\x02\x15\x80", "channels"),
        (b"\x05\x02\x15\x88", b"\x05\x7f\x15\x88", "cut"),
    ):
        assert data.count(old) == 1
        with pytest.raises(Malformed, match=names) as caught:
            parse_header(data.replace(old, new))
        assert caught.value.code == "bad_segment"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("1190", ("mp4a.40.2", 2)),  # LC, 48,000 Hz
        ("2b8a0800", ("mp4a.40.5", 1)),  # HE, its core at 22,050 Hz
        ("178000fa08", ("mp4a.40.2", 1)),  # a rate written out
        ("f8e85000", ("mp4a.40.39", 2)),  # ER AAC ELD: a long object type
    ],
)
def test_what_sound_is_called(config, told):
    entry = fragmented.sound_entry(config=config)
    assert sound_entry(entry, Box(b"mp4a", 0, 8, len(entry))) == told


@pytest.mark.parametrize("with_sound", [False, True])
def test_damage_never_leaves_as_another_error(with_sound):
    data = _gop(2, 4, 1, 1, 2, 4, 0, 1, syncs=(0, 4))
    if with_sound:
        pictures = [Picture(b"x", not index % 4, offset) for index, offset in enumerate((2, 4, 1, 1))]
        sound = fragmented.sound([b"one", b"two", b"six"], durations=(1024, 1024, 900))
        data = write_header(fragmented.track(), 0, fragmented.table(pictures), sound)
    chance = random.Random(20261124)  # noqa: S311
    refused = accepted = 0
    for _ in range(10_000):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(damaged))
            damaged[at] = chance.choice((0, 1, 0x7F, 0xFF, damaged[at] ^ 1 << chance.randrange(8)))
        if chance.random() < 0.3:
            del damaged[chance.randrange(len(damaged)) :]
        read = None
        try:
            read = parse_header(bytes(damaged))
        except Malformed as error:
            refused += error.code in ("bad_segment", "codec_not_recorded") and bool(error.message)
        if read is not None:
            accepted += 1
            assert read.gop in ("open", "closed")
            assert read.codec_string
            assert len(read.presentation_times) == len(read.samples)
            assert read.sound is None or (read.sound.codec_string and read.sound.times)
    assert refused + accepted == 10_000
    assert refused > 5_000


@given(st.binary(max_size=200))
def test_noise_is_refused(noise):
    with pytest.raises(Malformed, match=r"ftyp|header"):
        parse_header(noise)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        (b"moof", b"free", "moof"),
        (b"tfdt", b"xxxx", "tfdt"),
        (b"trun", b"xxxx", "trun"),
        (b"mvex", b"xxxx", "mvex"),
        (b"avcC", b"xxxx", "avcC"),
        (b"avc1", b"drac", "drac"),
        (b"mdat", b"xxxx", "mdat"),
        (b"stsd", b"xxxx", "stsd"),
        (struct.pack(">I", 90_000) + bytes(4) + b"\x55\xc4", bytes(8) + b"\x55\xc4", "mdhd"),
    ],
)
def test_the_sentence_names_the_box(old, new, names):
    data = _gop(0, 0)
    assert old in data
    with pytest.raises(Malformed, match=names):
        parse_header(data.replace(old, new))


@pytest.mark.parametrize(
    ("kind", "name"),
    [(b"mp4v", "MJPEG"), (b"jpeg", "MJPEG"), (b"av01", "AV1"), (b"vp09", "VP9"), (b"vp08", "VP8")],
)
def test_another_codec_has_a_code_of_its_own(kind, name):
    with pytest.raises(Malformed, match=name) as caught:
        parse_header(_gop(0, 0).replace(b"avc1", kind))
    assert caught.value.code == "codec_not_recorded"


def test_a_forged_count_allocates_nothing():
    data = bytearray(_gop(0, 0))
    at = data.index(b"trun") + 8
    for count in (3, MAX_SAMPLES + 1, 0xFFFF_FFFF):
        data[at : at + 4] = struct.pack(">I", count)
        with pytest.raises(Malformed, match="trun"):
            parse_header(bytes(data))


def test_samples_start_where_the_header_ends():
    data = bytearray(_gop(0, 0))
    at = data.index(b"trun") + 12
    data[at : at + 4] = struct.pack(">i", struct.unpack(">i", data[at : at + 4])[0] + 1)
    with pytest.raises(Malformed, match="data offset"):
        parse_header(bytes(data))


def test_offsets_are_signed():
    assert list(parse_header(_gop(0, -1)).samples.offsets) == [0, -FRAME]


def test_leading_pictures_are_those_shown_before_their_sync():
    #            decode: I  P  B  I2 b  b  P
    header = parse_header(_gop(1, 3, 0, 3, 0, 0, 1, syncs=(0, 3)))
    assert header.presentation_times == [pts * FRAME for pts in (1, 4, 2, 6, 4, 5, 7)]
    assert header.leading(0) == []
    assert header.leading(3) == [4, 5]
    assert header.syncs == [0, 3]
    assert header.gop == "open"
    assert header.first_pts == FRAME


def test_reordering_inside_a_gop_is_not_open():
    header = parse_header(_gop(1, 3, 0, 0, 1, 3, 0, 0, syncs=(0, 4)))
    assert header.leading(0) == header.leading(4) == []
    assert header.gop == "closed"


@pytest.mark.parametrize(("codec", "name"), [("h264", "avc1.64001F"), ("hevc", "hvc1.1.6.L90.90")])
def test_codec_string(codec, name):
    pictures = [Picture(b"x", True)]
    assert (
        parse_header(write_header(fragmented.track(codec), 0, fragmented.table(pictures))).codec_string
        == name
    )


def test_a_segment_beyond_4_gib_is_addressed():
    samples = _table([(FRAME, 0xF000_0000, 0, True), (FRAME, 0xF000_0000, 0, False)])
    data = write_header(fragmented.track(), 0, samples)
    header = parse_header(data)
    assert header.header_bytes == len(data)
    assert data[-16:-8] == b"\0\0\0\1mdat"
