"""Batches of version 2: a slice shows nothing of other cameras and hides nothing of its own."""

import hmac
import re
from collections.abc import Callable
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import canonical
from archive.errors import IntegrityError, Malformed
from archive.evidence.verifier import batches, journals
from archive.evidence.verifier.batches import Facts
from archive.evidence.verifier.findings import Broken
from archive.model import leaf as leaves
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.records import journal, journal_parts
from tests.support.journals import encode_1, resigned, signed, signed_parts
from tests.support.leaves import T0, gap, segment

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CAMERAS = ("cam-1", "cam-2", "Terminal.3", "x", "hotel-4")


def lines_of(*cameras: str, number: int = 1) -> list[Leaf]:
    """Two segments and a gap of each camera, interleaved as a recorder writes them."""
    found: list[Leaf] = []
    for seq in range(2):
        found += [segment(10 * number + seq, camera=camera) for camera in cameras]
    return [*found, *(gap(T0 + number, T0 + number + 5, camera=camera) for camera in cameras)]


def batch(*cameras: str, number: int = 1, prev: str = journal.GENESIS) -> bytes:
    return journal.encode(
        lines_of(*cameras, number=number), recorder="rec-1", batch=number, prev=prev, at=T0, key=KEY
    )


def part_of(data: bytes, camera: str) -> bytes:
    """A camera's part in a batch."""
    pattern = rb'\{"camera":"' + re.escape(camera.encode()) + rb'","lines":3,"tag_key".*\n.*\n.*\n.*\n'
    (found,) = re.findall(pattern, data)
    return bytes(found)


def problems(*slices: bytes, cameras: tuple[str, ...] = CAMERAS) -> set[str]:
    """The codes of what a verifier finds in slices, whose signatures are good."""
    found: set[str] = set()
    read: list[tuple[str, Facts]] = []
    for one in slices:
        try:
            enclosed = batches.read(one, cameras)
        except Broken as error:
            found.add(error.code)
            continue
        KEY.public_key().verify(enclosed.signature, enclosed.signed)
        read.append(("", enclosed.facts))
    journals.check_parts(read, lambda code, _path, _detail: found.add(code))
    return found


MIXED = st.lists(
    st.tuples(st.sampled_from(CAMERAS), st.integers(0, 50), st.booleans()), unique=True, max_size=12
)


@settings(max_examples=25)
@given(MIXED, st.sets(st.sampled_from(CAMERAS)), st.integers(1, 10**9))
def test_any_slice_verifies_and_has_nothing_of_other_cameras(
    mixed: list[tuple[str, int, bool]], asked: set[str], number: int
) -> None:
    lines: list[Leaf] = [
        segment(seq, camera=camera) if whole else gap(T0 + seq, T0 + seq + 1, camera=camera)
        for camera, seq, whole in mixed
    ]
    data = journal.encode(lines, recorder="rec-1", batch=number, prev=journal.GENESIS, at=T0, key=KEY)
    whole = journal.verify(data, KEY.public_key())
    part = journal.slice_of(data, asked)
    assert journal.digest_of(part) == journal.digest_of(data) == whole.digest
    assert journal.name_of(part) == ("rec-1", number)
    read = batches.read(part, asked)
    KEY.public_key().verify(read.signature, read.signed)
    assert read.facts.digest == whole.digest
    own = [leaves.encode(leaf) for leaf in whole.leaves if leaf.camera in asked]
    assert [line for line, _ in read.lines] == own
    absent = {leaf.camera for leaf in whole.leaves} - asked
    for camera in absent:
        assert f'"{camera}"'.encode() not in part
        assert whole.tag_keys[camera].hex().encode() not in part
    for leaf in whole.leaves:
        if leaf.camera in absent:
            assert leaves.encode(leaf) not in part
            if isinstance(leaf, Segment):
                assert leaf.sha256.encode() not in part
    with_all = asked >= {leaf.camera for leaf in whole.leaves}
    assert (part == data) == with_all
    if not with_all:
        with pytest.raises(Malformed):
            journal.decode(part)


def test_who_guesses_cameras_and_lines_learns_nothing_from_a_header() -> None:
    """Neither a tag nor a part's SHA-256 follows from what an outsider can know or guess."""
    data = batch(*CAMERAS)
    part = journal.slice_of(data, {"cam-1"})
    header = canonical.decode(part.partition(b"\n")[0])
    public = KEY.public_key().public_bytes_raw()
    known = bytes.fromhex(canonical.decode(part.split(b"\n")[1])["tag_key"])
    guesses = set()
    for camera in CAMERAS[1:]:
        for secret in (b"", bytes(32), public, known, sha256(public).digest(), camera.encode()):
            tag_key = journal_parts.tag_key_of(secret, camera)
            guesses.add(journal_parts.tag_of(tag_key, "rec-1", 1))
            guesses.add(journal_parts.tag_of(secret, "rec-1", 1))
            lines = [leaves.encode(leaf) for leaf in lines_of(camera)]
            _, body = journal_parts.write_parts({camera: lines}, secret=secret, recorder="rec-1", batch=1)
            guesses.update((sha256(body).hexdigest(), sha256(body.partition(b"\n")[2]).hexdigest()))
        guesses.add(hmac.digest(public, camera.encode(), "sha256").hex())
    own = next(one for one in header["parts"] if one["tag"] == journal_parts.tag_of(known, "rec-1", 1))
    others = {value for one in header["parts"] if one is not own for value in one.values()}
    assert len(others) == 8
    assert guesses.isdisjoint(others)


def test_the_same_camera_has_another_tag_in_each_batch_and_the_order_tells_nothing() -> None:
    seen: set[str] = set()
    first: set[str] = set()
    for number in range(1, 9):
        data = batch(*CAMERAS, number=number)
        seen.update(one["tag"] for one in canonical.decode(data.partition(b"\n")[0])["parts"])
        first.add(canonical.decode(data.split(b"\n")[1])["camera"])
    assert len(seen) == 8 * len(CAMERAS)
    assert len(first) > 1


Edit = Callable[[bytes], bytes]


def without_part(data: bytes) -> bytes:
    return data.replace(part_of(data, "cam-2"), b"")


def without_line(data: bytes) -> bytes:
    line = leaves.encode(segment(10, camera="cam-2")) + b"\n"
    assert line in data
    return data.replace(line, b"")


def twice(data: bytes) -> bytes:
    part = part_of(data, "cam-2")
    return data.replace(part, part + part)


def moved_line(data: bytes) -> bytes:
    first, second = (leaves.encode(segment(seq, camera="cam-2")) + b"\n" for seq in (10, 11))
    assert first + second in data
    return data.replace(first + second, second + first)


def moved_part(data: bytes) -> bytes:
    head, trailer = data.partition(b"\n")[0], data.split(b"\n")[-2]
    parts = [part_of(data, camera) for camera in ("cam-1", "cam-2")]
    parts.sort(key=data.index)
    return b"".join((head, b"\n", parts[1], parts[0], trailer, b"\n"))


def of_another_batch(data: bytes) -> bytes:
    return data.replace(part_of(data, "cam-2"), part_of(batch("cam-1", "cam-2", number=2), "cam-2"))


def forged_tag_key(data: bytes) -> bytes:
    part = part_of(data, "cam-2")
    return data.replace(part, re.sub(rb'"tag_key":"..', b'"tag_key":"00', part))


def changed_line(data: bytes) -> bytes:
    return data.replace(b'"cause":"unreachable"', b'"cause":"disabled"')


def other_camera_in_the_head(data: bytes) -> bytes:
    return data.replace(b'{"camera":"cam-2","lines"', b'{"camera":"cam-3","lines"')


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (without_line, "journal_form"),
        (twice, "journal_form"),
        (moved_line, "journal_part_unsigned"),
        (moved_part, "journal_form"),
        (of_another_batch, "journal_part_unsigned"),
        (forged_tag_key, "journal_part_unsigned"),
        (changed_line, "journal_part_unsigned"),
        (other_camera_in_the_head, "journal_form"),
        (without_part, "journal_part_left_out"),
    ],
)
def test_every_change_of_a_part_is_found_in_the_archive_and_in_a_package(edit: Edit, code: str) -> None:
    data = batch("cam-1", "cam-2")
    beside = journal.slice_of(batch("cam-1", "cam-2", number=3), {"cam-2"})
    assert problems(data) == set()
    edited = edit(data)
    assert edited != data
    with pytest.raises(IntegrityError):
        journal.verify(edited, KEY.public_key())
    assert problems(edited, beside) == {code}


def test_a_part_may_be_left_out_only_where_nothing_tells_of_it() -> None:
    """The limit that is stated in the threat model: no batch in the package has a line of that camera."""
    one, two = batch("cam-1", "cam-2"), batch("cam-1", "cam-2", number=2)
    own = [journal.slice_of(data, {"cam-1"}) for data in (one, two)]
    assert problems(*own) == set()
    assert problems(own[0], two) == {"journal_part_left_out"}
    assert problems(one, own[1]) == {"journal_part_left_out"}
    assert problems(one, two, cameras=("cam-1",)) == {"journal_other_camera"}


# What a dishonest recorder might sign ----------------------------------------------------------------

HONEST = {camera: [leaves.encode(segment(camera=camera))] for camera in ("cam-1", "cam-2")}
NAMED, BODY = journal_parts.write_parts(HONEST, secret=KEY.private_bytes_raw(), recorder="rec-1", batch=1)
REVERSED = b"".join(
    sorted(re.findall(rb'\{"camera":"[^"]+","lines":1.*\n.*\n', BODY), key=BODY.index, reverse=True)
)


def other_key(camera: str = "cam-1") -> tuple[list[dict[str, str]], bytes]:
    return journal_parts.write_parts(
        {camera: [leaves.encode(segment(1, camera=camera))]}, secret=b"other", recorder="rec-1", batch=1
    )


def both(one: tuple[list[dict[str, str]], bytes], body: bytes) -> bytes:
    named = sorted([*NAMED, *one[0]], key=lambda part: part["tag"])
    order = [part["sha256"] for part in named]
    parts = [part + b"\n" for part in re.findall(rb'\{"camera":"[^"]+","lines":1.*\n.*', BODY + body)]
    parts.sort(key=lambda part: order.index(sha256(part).hexdigest()))
    return signed(named, b"".join(parts), KEY, lines=3)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(signed(NAMED, BODY, KEY, lines=3), id="it counts more lines"),
        pytest.param(signed(NAMED, BODY, KEY, lines=1), id="it counts fewer lines"),
        pytest.param(signed(NAMED[::-1], BODY, KEY, lines=2), id="parts out of order"),
        pytest.param(signed(NAMED[::-1], REVERSED, KEY, lines=2), id="header and parts out of order"),
        pytest.param(signed([NAMED[0], NAMED[0]], BODY, KEY, lines=2), id="a part named twice"),
        pytest.param(
            signed([{**NAMED[0], "tag": "00" * 32}, NAMED[1]], BODY, KEY, lines=2), id="another tag"
        ),
        pytest.param(
            signed([{**one, "more": "x"} for one in NAMED], BODY, KEY, lines=2), id="a strange member"
        ),
        pytest.param(signed(NAMED, BODY, KEY, lines=2, more=1), id="a strange member of the header"),
        pytest.param(both(other_key(), other_key()[1]), id="two parts of one camera"),
        pytest.param(signed_parts({"cam-1": HONEST["cam-2"]}, KEY), id="a line of another camera"),
        pytest.param(signed_parts({"cam-1": []}, KEY), id="an empty part"),
        pytest.param(signed_parts(HONEST, KEY, v=3), id="version 3"),
        pytest.param(signed_parts(HONEST, KEY, v=True), id="a version that is no number"),
        pytest.param(signed_parts(HONEST, KEY, parts=None), id="no list of parts"),
        pytest.param(signed(NAMED, BODY, KEY, lines=2, batch=2), id="tags of another number"),
    ],
)
def test_no_batch_of_a_dishonest_form_is_accepted(data: bytes) -> None:
    with pytest.raises(IntegrityError):
        journal.verify(data, KEY.public_key())
    assert problems(data) <= {"journal_form", "journal_part_unsigned"}
    assert problems(data)


def test_two_tag_keys_of_one_camera_are_found() -> None:
    named, body = journal_parts.write_parts(
        {"cam-1": [leaves.encode(segment(5))]}, secret=b"other", recorder="rec-1", batch=2
    )
    second = signed(named, body, KEY, batch=2)
    assert journal.verify(second, KEY.public_key()).batch == 2
    assert problems(batch("cam-1"), second) == {"journal_tag_key"}


# Both versions ----------------------------------------------------------------------------------------


def test_version_1_is_read_and_stays_whole_and_version_2_continues_its_chain() -> None:
    lines = lines_of("cam-1", "cam-2")
    old = encode_1(lines, recorder="rec-1", batch=1, prev=journal.GENESIS, at=T0, key=KEY)
    found = journal.verify(old, KEY.public_key(), prev=journal.GENESIS)
    assert found.leaves == tuple(lines)
    assert found.digest == journal.digest_of(old) == sha256(old).hexdigest()
    assert journal.slice_of(old, {"cam-1"}) == old
    assert journal.name_of(old) == ("rec-1", 1)
    new = batch("cam-1", "cam-2", number=2, prev=found.digest)
    assert journal.verify(new, KEY.public_key(), prev=found.digest).prev == found.digest
    assert problems(old, journal.slice_of(new, {"cam-1"}), cameras=("cam-1",)) == set()
    head, _, rest = new.partition(b"\n")
    last = rest[rest.rindex(b"\n", 0, -1) + 1 :]
    assert journal.digest_of(new) == sha256(head + b"\n" + last).hexdigest()


def test_a_signature_of_one_version_is_none_of_the_other() -> None:
    old = encode_1(lines_of("cam-1"), recorder="rec-1", batch=1, prev=journal.GENESIS, at=T0, key=KEY)
    head, _, rest = old.partition(b"\n")
    body = rest[: rest.rindex(b"\n", 0, -1) + 1]
    only_the_header = resigned(head + b"\n", body, KEY)
    with pytest.raises(IntegrityError):
        journal.verify(only_the_header, KEY.public_key())


def test_a_signature_has_one_spelling() -> None:
    """The trailer is in the digest: surplus bits in the base64 would make a second batch of one content."""
    good = batch("cam-1")
    at = good.rindex(b'=="}')
    letter = good[at - 1 : at].decode()
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    other = alphabet[alphabet.index(letter) ^ 1]
    bad = good[: at - 1] + other.encode() + good[at:]
    with pytest.raises(IntegrityError):
        journal.verify(bad, KEY.public_key())
    assert problems(bad) == {"journal_form"}
