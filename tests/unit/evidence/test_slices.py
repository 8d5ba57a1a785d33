"""The slice NAL units of a run of bytes, found as bytes pass by."""

from array import array
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.evidence.derivation import Piece
from archive.evidence.slices import ClipSlices, OriginalSlices, Samples, Slices, SliceWalk
from archive.evidence.verification import clip_codec
from archive.footage.mp4.header import write_header
from archive.footage.mp4.samples import SampleTable
from tests.support.fragmented import sample, track

SLICE = {"h264": b"\x65", "hevc": b"\x26\1"}
OTHER = {"h264": b"\x06", "hevc": b"\x4e\1"}
START = 100


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, list[list[tuple[bool, bytes]]]]:
    """A codec, and samples of NAL units: whether each is a slice, and its bytes."""
    codec = draw(st.sampled_from(["h264", "hevc"]))
    unit = st.tuples(st.booleans(), st.binary(max_size=12))
    samples = draw(st.lists(st.lists(unit, min_size=1, max_size=3), min_size=1, max_size=6))
    return codec, [
        [(is_slice, (SLICE if is_slice else OTHER)[codec] + body) for is_slice, body in units]
        for units in samples
    ]


def laid_out(codec: str, stream: list[list[tuple[bool, bytes]]]) -> tuple[bytes, Samples]:
    data = [sample(*(body for _, body in units)) for units in stream]
    ends, at = [], START
    for one in data:
        at += len(one)
        ends.append(at)
    return bytes(START) + b"".join(data), Samples(codec, START, ends, b"\4" * len(ends))  # type: ignore[arg-type]


def expected(stream: list[list[tuple[bool, bytes]]], first: int, last: int) -> Slices:
    """The slices by definition: each slice's length in four bytes, and its bytes."""
    before = sum(is_slice for units in stream[:first] for is_slice, _ in units)
    inside = [body for units in stream[first:last] for is_slice, body in units if is_slice]
    digest = sha256(b"".join(len(body).to_bytes(4, "big") + body for body in inside))
    return Slices(before, len(inside), digest.hexdigest())


@given(streams(), st.integers(1, 30), st.data())
def test_slices_are_found_whatever_the_chunks(
    made: tuple[str, list[list[tuple[bool, bytes]]]], chunk: int, data: st.DataObject
) -> None:
    codec, stream = made
    whole, samples = laid_out(codec, stream)
    edges = [START, *samples.ends]
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), min_size=2, max_size=4)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    walk = SliceWalk(samples, [(edges[a], edges[b]) for a, b in pairs])
    for at in range(0, len(whole), chunk):
        walk.feed(at, whole[at : at + chunk])
    assert walk.found == [expected(stream, a, b) for a, b in pairs]


@given(streams(), st.data())
def test_an_edge_within_a_sample_is_damage(
    made: tuple[str, list[list[tuple[bool, bytes]]]], data: st.DataObject
) -> None:
    codec, stream = made
    whole, samples = laid_out(codec, stream)
    edge = data.draw(st.integers(START + 1, len(whole) - 1).filter(lambda n: n not in samples.ends))
    for wrong in ((START, edge), (edge, len(whole))):
        walk = SliceWalk(samples, [wrong])
        walk.feed(0, whole)
        assert walk.found == []


@given(st.binary(max_size=60), st.data())
def test_no_bytes_make_it_raise(body: bytes, data: st.DataObject) -> None:
    ends = sorted(data.draw(st.lists(st.integers(START, START + 60), min_size=1, max_size=5)))
    samples = Samples("h264", START, ends, bytes(data.draw(st.sampled_from([1, 2, 4])) for _ in ends))
    walk = SliceWalk(samples, [(START, START + 30), (START + 30, START + 60)])
    walk.feed(START, body)
    assert len(walk.found) <= 2


def a_segment(*payloads: bytes) -> tuple[bytes, int]:
    count = len(payloads)
    table = SampleTable(
        array("I", [90_000] * count), array("I", map(len, payloads)), array("i", [0] * count), b"\1" * count
    )
    header = write_header(track("h264"), 0, table)
    return header + b"".join(payloads), len(header)


@given(st.integers(1, 2000))
def test_an_original_tells_its_slices_by_its_own_header(chunk: int) -> None:
    first, second = sample(b"\x06sei", b"\x65one"), sample(b"\x41two")
    data, header = a_segment(first, second)
    found = OriginalSlices([(header + len(first), len(data))])
    for at in range(0, len(data), chunk):
        found.feed(at, data[at : at + chunk])
    assert found.found == [Slices(1, 1, sha256(b"\0\0\0\4\x41two").hexdigest())]


def test_pieces_of_damaged_originals_have_no_slices() -> None:
    good, bad = sample(b"\x65one"), b"\0\0\0\x7fshort"
    data, header = a_segment(good, bad)
    pieces = [
        Piece("a", header, 0, len(good)),
        Piece("a", header + len(good), len(good), len(bad)),
        Piece("b", 0, len(good) + len(bad), 10),
    ]
    clip = ClipSlices(pieces)
    clip.feed("a", 0, data)
    clip.feed("b", 0, b"no segment at all" * 9)
    one, two, three = clip.of_pieces()
    assert one == Slices(0, 1, sha256(b"\0\0\0\4\x65one").hexdigest())
    assert two is None
    assert three is None


@pytest.mark.parametrize("header", [b"", b"\0\0\0\x08moov", bytes(64), b"\0\0\0\x10ftypisom\0\0\0\0"])
def test_a_clip_without_tables_is_said(header: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        clip_codec("clip", header, 100)
    assert caught.value.code == "bad_clip"


def test_very_many_slices_need_no_memory_of_their_own() -> None:
    codec, stream = "h264", [[(True, SLICE["h264"])] * 60_000]
    whole, samples = laid_out(codec, stream)
    found = []
    for step in (len(whole), 50_001):
        walk = SliceWalk(samples, [(START, len(whole))])
        for at in range(0, len(whole), step):
            walk.feed(at, whole[at : at + step])
            assert all(
                not isinstance(one, (list, bytearray)) or len(one) < 100 for one in vars(walk).values()
            )
        found += walk.found
    assert found == [expected(stream, 0, 1)] * 2
