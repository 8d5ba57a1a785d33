"""Leaves and journal batches: each content has one form, and unsigned batches are refused."""

import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from archive import canonical
from archive.errors import IntegrityError, Malformed
from archive.evidence.verifier import leaf as verifier_leaf
from archive.evidence.verifier.findings import Broken
from archive.footage.mp4.pauses import MOST
from archive.model import leaf as leaves
from archive.model.gap import GapCause, RunEnd
from archive.model.leaf import Leaf
from archive.model.segment import DeviceClock, Run
from archive.records import journal
from archive.timespan import Timespan
from tests.support.journals import encode_1, signed_parts
from tests.support.leaves import LEAVES, T0, gap, segment

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


@given(LEAVES)
def test_a_leaf_survives_both_directions(leaf: Leaf) -> None:
    line = leaves.encode(leaf)
    assert leaves.decode(line) == leaf
    assert b"\n" not in line
    assert line.isascii()


def test_the_leaf_of_a_segment_is_what_the_reference_says() -> None:
    assert json.loads(leaves.encode(segment())) == {
        "v": 1,
        "type": "segment",
        "camera": "cam-1",
        "recorder": "rec-1",
        "run": "6a15000000000001",
        "seq": 0,
        "start": "2026-11-24T06:00:00.000000Z",
        "end": "2026-11-24T06:00:10.000000Z",
        "media_duration": 900_000,
        "sha256": segment().sha256,
        "size": 2_500_000,
        "header_bytes": 3_300,
        "key": segment().key,
        "codec": "h264",
        "gop": "closed",
        "frames": 150,
        "clock": {"source": "arrival", "offset_us": 1200, "uncertainty_us": 40000, "flags": []},
        "camera_time": None,
        "ingested_at": "2026-11-24T06:00:10.050000Z",
    }


def test_a_leaf_fits_into_object_metadata() -> None:
    clock = DeviceClock(at=T0, offset_us=-(10**14), within_us=10**9)
    told = replace(segment(seq=999_999), device_clock=clock)
    assert len(leaves.encode(told)) < 1_000  # S3 keeps about 2 KB of user metadata
    lasts = MOST * 3_000_000_000
    pauses = tuple((lasts + at * 3_000_000, lasts + (at + 1) * 3_000_000) for at in range(MOST))
    assert len(leaves.encode(replace(told, pauses=pauses))) < 1_600


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("v", 2),
        ("type", "video"),
        ("seq", -1),
        ("seq", True),
        ("size", "1"),
        ("sha256", "0" * 64),
        ("key", "segments/other"),
        ("codec", "mpeg4"),
        ("surprise", 1),
        ("start", "2026-11-24T06:00:00"),
        ("clock", None),
    ],
)
def test_a_leaf_that_cannot_be_meant_is_refused(field: str, value: object) -> None:
    changed = leaves.to_json(segment()) | {field: value}
    with pytest.raises(Malformed):
        leaves.from_json(changed)


def test_a_run_may_name_the_gaps_that_it_fills() -> None:
    plain = Run(
        camera="kam-1", recorder="rec-1", run="0" * 16, span=Timespan(T0, T0 + 1), segments=1,
        reason=RunEnd.STOPPED, ingested_at=T0,
    )  # fmt: skip
    assert b"fills" not in leaves.encode(plain), "lines stay as they were"
    filling = replace(plain, fills=("1" * 16, "2" * 16))
    assert leaves.decode(leaves.encode(filling)) == filling
    assert verifier_leaf.read(leaves.encode(filling)).fields["fills"] == ["1" * 16, "2" * 16]
    for wrong in ([], ["1" * 16, "1" * 16], ["x"], "1" * 16, None, [1]):
        changed = leaves.to_json(filling) | {"fills": wrong}
        with pytest.raises(Malformed):
            leaves.from_json(changed)
        with pytest.raises(Broken):
            verifier_leaf.read(canonical.encode(changed))


def test_floats_and_twice_given_names_have_no_canonical_form() -> None:
    with pytest.raises(Malformed):
        canonical.encode({"a": 1.5})
    with pytest.raises(Malformed):
        canonical.encode({"a": 2**53})
    with pytest.raises(Malformed):
        canonical.decode(b'{"a":1,"a":2}')
    with pytest.raises(Malformed):
        canonical.decode(b'{"a":NaN}')


def batch(lines: list[Leaf], number: int = 1, prev: str = journal.GENESIS) -> bytes:
    return journal.encode(lines, recorder="rec-1", batch=number, prev=prev, at=T0, key=KEY)


@given(st.lists(LEAVES, max_size=4))
def test_a_signed_batch_verifies_and_says_what_it_holds(lines: list[Leaf]) -> None:
    found = journal.verify(batch(lines), KEY.public_key(), prev=journal.GENESIS)
    order = [one.camera for one in found.leaves]
    assert list(found.leaves) == sorted(found.leaves, key=lambda leaf: order.index(leaf.camera))
    for camera in {line.camera for line in lines}:
        own = [line for line in lines if line.camera == camera]
        assert [leaf for leaf in found.leaves if leaf.camera == camera] == own
    assert len(found.leaves) == len(lines)
    assert (found.recorder, found.batch, found.at) == ("rec-1", 1, T0)


@given(st.data())
def test_any_flipped_byte_of_a_batch_is_noticed(data: st.DataObject) -> None:
    good = batch([segment(0), segment(1)])
    at = data.draw(st.integers(0, len(good) - 1))
    bit = data.draw(st.integers(0, 7))
    bad = good[:at] + bytes([good[at] ^ (1 << bit)]) + good[at + 1 :]
    with pytest.raises(IntegrityError):
        journal.verify(bad, KEY.public_key(), prev=journal.GENESIS)


@given(st.integers(0, 700))
def test_a_cut_off_batch_is_noticed(length: int) -> None:
    with pytest.raises(IntegrityError):
        journal.verify(batch([segment()])[:length], KEY.public_key())


def test_another_key_another_chain() -> None:
    first = batch([segment(0)])
    second = batch([segment(1)], 2, journal.digest_of(first))
    assert journal.verify(second, KEY.public_key(), prev=journal.digest_of(first)).batch == 2
    with pytest.raises(IntegrityError) as caught:
        journal.verify(second, KEY.public_key(), prev=journal.GENESIS)
    assert caught.value.code == "journal_chain"
    with pytest.raises(IntegrityError) as caught:
        journal.verify(first, OTHER.public_key())
    assert caught.value.code == "journal_signature"


def test_no_recorder_may_say_that_footage_was_disposed_of() -> None:
    disposed = gap(T0, T0 + 1, cause=GapCause.DISPOSED)
    with pytest.raises(Malformed):
        batch([disposed])
    for forged in (
        encode_1([disposed], recorder="rec-1", batch=1, prev=journal.GENESIS, at=T0, key=KEY),
        signed_parts({"cam-1": [leaves.encode(disposed)]}, KEY),
    ):
        with pytest.raises(IntegrityError) as caught:
            journal.verify(forged, KEY.public_key())
        assert caught.value.code == "journal_form"
