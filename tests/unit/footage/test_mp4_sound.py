"""Sound in fragmented sources: it is finalised behind its pictures, and never costs one of them."""

import random
import struct
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.footage.mp4.finalise import Finalised, finalise
from archive.footage.mp4.fragments import read_fragments
from archive.footage.mp4.growing import Growing
from archive.footage.mp4.header import parse_header
from archive.footage.mp4.opening import read_opening
from tests.support import fragmented
from tests.support.fragmented import FRAME, Heard, Picture, mixed, mixed_init, sample

RATE = 8000
SECOND = 15 * FRAME
ONE = b"\x65picture"


def _pictures(count: int = 15) -> list[Picture]:
    return [Picture(sample(ONE + bytes([at + 1])), not at) for at in range(count)]


def _heard(number: int, tfdt: int, count: int = 8, lasts: int = 1024) -> Heard:
    return Heard([b"heard %d %d" % (number, at) for at in range(count)], tfdt, lasts)


def _finalise(tmp_path: Path, data: bytes, tfdt: int = 0, **options: object) -> tuple[Finalised, bytes]:
    source = tmp_path / "source.mp4"
    source.write_bytes(data)
    made = finalise(source, tmp_path / "target.mp4", tfdt=tfdt, **options)  # type: ignore[arg-type]
    return made, (tmp_path / "target.mp4").read_bytes()


def _source(fragments: int = 3, **options: bool | int) -> bytes:
    """A source of so many seconds: 15 pictures and eight samples of sound in each."""
    parts = [
        mixed(_pictures(), at * SECOND, _heard(at, at * 8192), **options)  # type: ignore[arg-type]
        for at in range(fragments)
    ]
    return mixed_init() + b"".join(parts) + fragmented.mfra()


@given(
    counts=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), min_size=1, max_size=5),
    runs=st.integers(1, 3),
    sound_first=st.booleans(),
    ahead=st.integers(-RATE // 2, RATE // 2),
    moved=st.integers(0, 1 << 40),
)
def test_sound_stands_behind_the_pictures_in_any_order_of_the_source(
    tmp_path_factory: pytest.TempPathFactory,
    counts: list[tuple[int, int]],
    runs: int,
    sound_first: bool,
    ahead: int,
    moved: int,
) -> None:
    counts = [(max(1, counts[0][0]), counts[0][1]), *counts[1:]]
    data, tfdt, sound_tfdt = mixed_init(), 0, ahead
    pictures, sounds = b"", []
    for number, (shown, spoken) in enumerate(counts):
        part, heard = _pictures(shown), _heard(number, sound_tfdt, spoken, lasts=100)
        if not shown and not spoken:
            continue
        data += mixed(part, tfdt, heard if spoken else None, sound_first=sound_first, runs=runs)
        tfdt += shown * FRAME
        pictures += b"".join(one.payload for one in part)
        sounds += [(sound_tfdt + at * 100, payload) for at, payload in enumerate(heard.payloads)]
        sound_tfdt += spoken * 100
    made, stored = _finalise(tmp_path_factory.mktemp("mixed"), data + fragmented.mfra(), moved)
    shift = round(moved * RATE / 90_000)
    kept = [(time + shift, payload) for time, payload in sounds if time + shift >= 0]
    behind = made.header_bytes + len(pictures)
    assert stored[made.header_bytes : behind] == pictures
    assert stored[behind:] == b"".join(payload for _, payload in kept)
    assert parse_header(stored) == made.header
    assert made.size == len(stored)
    if made.header.sound is not None:
        assert made.header.sound.times == [time for time, _ in kept]
        assert made.header.sound.start == behind
        assert made.sound_left_out == ""
    else:
        assert not kept


def test_without_sound_in_the_source_nothing_is_left_out(tmp_path):
    made, _ = _finalise(tmp_path, fragmented.source([_pictures()]))
    assert (made.header.sound, made.sound_left_out) == (None, "")


def test_a_camera_whose_sound_stops_and_comes_again_leaves_a_hole_in_the_sound_alone(tmp_path):
    parts = [
        mixed(_pictures(), 0, _heard(0, 0)),
        mixed(_pictures(), SECOND, None),
        mixed(_pictures(), 2 * SECOND, _heard(2, 2 * RATE)),
        mixed([], 0, _heard(3, 2 * RATE + 8192, 2)),
    ]
    made, _ = _finalise(tmp_path, mixed_init() + b"".join(parts) + fragmented.mfra())
    assert made.frames == 45
    sound = made.header.sound
    assert sound is not None
    assert sound.times == [*(at * 1024 for at in range(8)), *(2 * RATE + at * 1024 for at in range(10))]


PICTURES = b"".join(picture.payload for _ in range(3) for picture in _pictures())


def _changed(data: bytes, old: bytes, new: bytes, *, last: bool = True) -> bytes:
    at = data.rindex(old) if last else data.index(old)
    return data[:at] + new + data[at + len(old) :]


def _with_sound_tfdt(data: bytes, tfdt: int) -> bytes:
    at = data.rindex(b"tfdt") + 8
    return data[:at] + struct.pack(">q", tfdt) + data[at + 8 :]


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: _changed(data, b"mp4a", b"ac-3"), "AAC or Opus"),
        (lambda data: _changed(data, b"esds", b"xxxx"), "esds"),
        (lambda data: _changed(data, b"\x40\x15", b"\x6b\x15"), "object type 6b"),
        (lambda data: _changed(data, b"soun", b"meta"), "no sound"),
        (lambda data: _changed(data, b"hdlr", b"xxxx"), "no sound"),
        (lambda data: _changed(data, b"mdhd", b"xxxx"), "mdhd"),
        (
            lambda data: _changed(
                data, struct.pack(">I", RATE) + bytes(4) + b"\x55\xc4", bytes(8) + b"\x55\xc4"
            ),
            "0 ticks",
        ),
        (lambda data: _changed(data, b"smhd", b"xxxx"), ""),
        (lambda data: _with_sound_tfdt(data, 3600 * RATE), "do not fit"),
        (lambda data: _with_sound_tfdt(data, -3600 * RATE), "go back"),
        (lambda data: _with_sound_tfdt(data, 8191), "go back"),
    ],
)
def test_strange_sound_is_left_out_with_a_reason_and_costs_no_picture(tmp_path, damage, reason):
    made, stored = _finalise(tmp_path, damage(_source()))
    assert stored[made.header_bytes : made.header_bytes + len(PICTURES)] == PICTURES
    assert made.frames == 45
    assert reason in made.sound_left_out
    assert (made.header.sound is None) == bool(reason)
    assert bool(made.sound_left_out) == bool(reason)


def test_any_damage_to_the_boxes_of_the_sound_costs_no_picture(tmp_path):
    """Every byte of the second ``trak`` and ``traf``, but for their own lengths."""
    data = _source()
    chance = random.Random(20261129)  # noqa: S311
    trak = data.rindex(b"trak") + 4, data.index(b"mvex") - 4
    traf = data.rindex(b"traf") + 4, data.rindex(b"mdat") - 4
    silent = 0
    for at in [*range(*trak), *range(*traf)]:
        damaged = bytearray(data)
        damaged[at] ^= 1 << chance.randrange(8)
        found = read_fragments(bytes(damaged))
        assert len(found.samples) == 45, at
        silent += found.sound.track is None
    assert silent > 20


def test_sound_that_points_outside_its_fragment_or_is_too_large_is_left_out(tmp_path):
    data = _source()
    at = data.rindex(b"trun") + 12
    for offset in (0, 0x7FFF_FFFF, -5):
        damaged = data[:at] + struct.pack(">i", offset) + data[at + 4 :]
        made, stored = _finalise(tmp_path, damaged)
        assert "outside the mdat" in made.sound_left_out
        assert stored.endswith(PICTURES)
    for size, reason in ((0, "0 bytes"), (1 << 17, "outside")):
        damaged = data[: at + 8] + struct.pack(">I", size) + data[at + 12 :]
        made, stored = _finalise(tmp_path, damaged)
        assert reason in made.sound_left_out
        assert stored.endswith(PICTURES)


def test_more_sound_than_any_camera_sends_is_left_out(tmp_path):
    heard = Heard([b"x"] * ((1 << 17) + 1), 0, 1)
    made, stored = _finalise(tmp_path, mixed_init() + mixed(_pictures(), 0, heard) + fragmented.mfra())
    assert "too much sound" in made.sound_left_out
    assert stored.endswith(_pictures()[-1].payload)


def test_where_the_pictures_times_were_repaired_or_invented_there_is_no_sound(tmp_path):
    data = _source()
    whole, _ = _finalise(tmp_path, data)
    made, stored = _finalise(tmp_path, data, durations=whole.header.samples.durations)
    assert "repaired" in made.sound_left_out
    assert stored.endswith(PICTURES)
    squeezed = [Picture(sample(ONE), not at, duration=1 if 2 < at < 9 else FRAME) for at in range(15)]
    made, _ = _finalise(tmp_path, mixed_init() + mixed(squeezed, 0, _heard(0, 0)) + fragmented.mfra())
    assert "invented" in made.sound_left_out
    one = [Picture(sample(ONE), not at, duration=1 if at == 3 else FRAME) for at in range(15)]
    made, _ = _finalise(tmp_path, mixed_init() + mixed(one, 0, _heard(0, 0)) + fragmented.mfra())
    assert made.sound_left_out == ""


def test_a_jump_of_the_pictures_alone_is_told_from_a_long_pause_in_which_sound_went_on(tmp_path):
    def parts(second: int, *heard: Heard) -> bytes:
        more = b"".join(mixed([], 0, one) for one in heard)
        first = mixed(_pictures(), 0, _heard(0, 0))
        last = mixed(_pictures(), second * SECOND, None)
        return mixed_init() + first + more + last + fragmented.mfra()

    made, _ = _finalise(tmp_path, parts(4))
    assert "jumped" in made.sound_left_out
    made, _ = _finalise(tmp_path, parts(4, *(_heard(at, at * 8192) for at in range(1, 4))))
    assert made.sound_left_out == ""


def test_a_source_torn_anywhere_keeps_the_sound_of_its_whole_fragments(tmp_path):
    data = _source().removesuffix(fragmented.mfra())
    part = len(mixed(_pictures(), 0, _heard(0, 0)))
    for cut in range(len(mixed_init()), len(data) + 1, 41):
        whole = (cut - len(mixed_init())) // part
        if not whole:
            continue
        made, _ = _finalise(tmp_path, data[:cut])
        assert made.torn
        assert made.frames == 15 * whole
        assert made.header.sound is not None
        assert len(made.header.sound.sizes) == 8 * whole


def test_after_a_power_cut_sound_of_zeros_is_no_sound(tmp_path):
    data = bytearray(_source().removesuffix(fragmented.mfra()))
    data[-20:] = bytes(20)
    made, _ = _finalise(tmp_path, bytes(data))
    assert made.frames == 45
    assert made.header.sound is not None
    assert 20 <= len(made.header.sound.sizes) < 24


@pytest.mark.parametrize("torn", [False, True])
def test_damage_never_leaves_as_another_error(torn):
    data = _source(sound_first=True, runs=2)
    data = data.removesuffix(fragmented.mfra()) if torn else data
    chance = random.Random(20261129)  # noqa: S311
    refused = accepted = 0
    for _ in range(4_000):
        damaged = bytearray(data)
        for _ in range(chance.choice((1, 1, 2, 8))):
            at = chance.randrange(len(damaged))
            damaged[at] = chance.choice((0, 1, 0x7F, 0xFF, damaged[at] ^ 1 << chance.randrange(8)))
        if chance.random() < 0.2:
            del damaged[chance.randrange(len(damaged)) :]
        try:
            found = read_fragments(bytes(damaged))
        except Malformed as error:
            refused += error.code in ("bad_segment", "torn_segment", "codec_not_recorded")
        else:
            accepted += 1
            assert 0 < len(found.samples) <= 45
            assert all(one.start + one.size <= len(damaged) for one in found.sound.samples)
            assert all(one.time < other.time for one, other in pairwise(found.sound.samples))
    assert refused + accepted == 4_000
    assert accepted > 500


def test_the_opening_of_a_file_is_that_of_its_pictures(tmp_path):
    path = tmp_path / "next.mp4"
    path.write_bytes(
        mixed_init() + mixed([], 0, _heard(0, 77)) + mixed(_pictures(), 90_000, _heard(1, 9000), runs=3)
    )
    opening = read_opening(path)
    assert opening is not None
    assert opening.tfdt == 90_000
    assert opening.shown == tuple(90_000 + at * FRAME for at in range(15))


def test_sound_alone_is_no_growth(tmp_path):
    path = tmp_path / "growing.mp4"
    path.write_bytes(mixed_init())
    growing = Growing(path)
    seen = []
    for part in (
        mixed(_pictures(), 0, _heard(0, 0)),
        mixed([], 0, _heard(1, 8192)),
        mixed([], 0, _heard(2, 16384)),
        mixed(_pictures(), SECOND, None),
    ):
        with path.open("ab") as more:
            more.write(part[:30])
            more.flush()
            growing.look()
            more.write(part[30:])
        growing.look()
        seen.append(growing.fragments)
    assert seen == [1, 1, 1, 2]
    with pytest.raises(OSError, match="absent"):
        Growing(tmp_path / "absent").look()
