from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from archive.evidence.derivation import ClipDigest, Piece, check_tiling
from archive.evidence.verification import clip_head
from archive.footage.mp4.boxes import box

HEADER = b"the clip's own header"


@st.composite
def cuttings(draw: st.DrawFn) -> tuple[list[bytes], list[Piece], bytes]:
    """Some originals, pieces of them in order, and the clip they make."""
    originals = draw(st.lists(st.binary(min_size=2, max_size=60), min_size=1, max_size=4))
    pieces: list[Piece] = []
    clip = HEADER
    for number, data in enumerate(originals):
        cuts = sorted(draw(st.sets(st.integers(0, len(data)), max_size=6)))
        for start, end in list(pairwise(cuts))[:: draw(st.integers(1, 2))]:
            pieces.append(Piece(str(number), start, len(clip), end - start))
            clip += data[start:end]
    return originals, pieces, clip


@given(cuttings(), st.integers(1, 20))
def test_the_digest_follows_from_the_originals_whatever_their_chunks(
    cutting: tuple[list[bytes], list[Piece], bytes], chunk: int
) -> None:
    originals, pieces, clip = cutting
    digest = ClipDigest("clip", HEADER, len(clip), pieces)
    for number, data in enumerate(originals):
        for at in range(0, len(data), chunk):
            digest.feed(str(number), at, data[at : at + chunk])
    assert digest.complete
    assert digest.hexdigest() == sha256(clip).hexdigest()


@given(cuttings(), st.data())
def test_another_byte_in_a_named_place_gives_another_digest(
    cutting: tuple[list[bytes], list[Piece], bytes], data: st.DataObject
) -> None:
    originals, pieces, clip = cutting
    if not pieces:
        return
    piece = data.draw(st.sampled_from(pieces))
    at = piece.original_offset + data.draw(st.integers(0, piece.length - 1))
    digest = ClipDigest("clip", HEADER, len(clip), pieces)
    for number, original in enumerate(originals):
        changed = bytearray(original)
        if str(number) == piece.original:
            changed[at] ^= 1
        digest.feed(str(number), 0, bytes(changed))
    assert digest.hexdigest() != sha256(clip).hexdigest()


def test_an_original_that_is_too_short_or_never_comes_is_noticed() -> None:
    digest = ClipDigest("clip", b"", 10, [Piece("a", 0, 0, 10)])
    digest.feed("a", 0, b"12345")
    digest.feed("b", 0, b"1234567890")
    with pytest.raises(Malformed, match="bytes of a that do not exist"):
        digest.hexdigest()


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece("a", 0, 0, 9)],
        [Piece("a", 0, 0, 11)],
        [Piece("a", 0, 1, 10)],
        [Piece("a", 0, 0, 5), Piece("a", 9, 6, 4)],
        [Piece("a", 0, 0, 5), Piece("a", 4, 5, 5)],
        [Piece("a", 0, 0, 5), Piece("b", 0, 5, 2), Piece("a", 5, 7, 3)],
        [Piece("a", -1, 0, 10)],
        [Piece("a", 0, 0, 0), Piece("a", 0, 0, 10)],
        [],
    ],
)
def test_pieces_that_do_not_tile_the_clip_are_refused(pieces: list[Piece]) -> None:
    with pytest.raises(Malformed) as caught:
        check_tiling("clip", 0, 10, pieces)
    assert caught.value.code == "bad_pieces"


def test_the_header_ends_behind_the_head_of_mdat() -> None:
    head = box(b"ftyp", b"isom") + box(b"moov", b"x" * 50)
    clip = head + box(b"mdat", b"the samples")
    large = head + (1).to_bytes(4) + b"mdat" + (16 + 11).to_bytes(8) + b"the samples"
    assert clip_head("clip", iter([large]), len(large)) == large[: len(head) + 16]
    for chunk in (1, 7, 1000):
        chunks = (clip[at : at + chunk] for at in range(0, len(clip), chunk))
        assert clip_head("clip", chunks, len(clip)) == clip[: len(head) + 8]


@pytest.mark.parametrize(
    "clip",
    [
        b"",
        box(b"moov", b""),
        box(b"ftyp", b"isom") + box(b"mdat", b""),
        box(b"ftyp", b"isom") + box(b"moov", b"") + box(b"mdat", b"x") + box(b"free", b""),
        box(b"ftyp", b"isom") + box(b"moov", b"") + b"\0\0\0\3mdat",
        box(b"ftyp", b"isom") + (2**31).to_bytes(4) + b"moov",
    ],
)
def test_a_clip_of_another_shape_is_refused(clip: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        clip_head("clip", iter([clip]), len(clip))
    assert caught.value.code == "bad_clip"
