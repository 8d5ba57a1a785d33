"""The parts of the verifier against those of the archive, and against published forms."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from archive import canonical as ours
from archive import ids, timespan
from archive.errors import Malformed
from archive.evidence.verifier import batches, canonical, certificate, log, mp4, schema, times
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.leaf import Leaf
from archive.records import merkle
from archive.records.checkpoint.note import Note
from archive.trust import certificates
from tests.support.packages import make_world

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
INTEGER = st.integers(-(2**53) + 1, 2**53 - 1)
VALUE = st.recursive(
    TEXT | INTEGER, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)


@given(st.dictionaries(TEXT, VALUE, max_size=4))
def test_canonical_json_is_that_of_rfc_8785(value: dict[str, object]) -> None:
    data = ours.encode(value)
    assert canonical.write(value) == data
    assert canonical.read(data) == value


@pytest.mark.parametrize(
    "data",
    [
        b"", b"[]", b'{"a":1.0}', b'{"a":1e3}', b'{"a":NaN}', b'{"a":1,"a":1}', b'{"b":1,"a":1}', b'{ "a":1}',
        b'{"a":9007199254740992}', b'{"a":"\\u0061"}', b'{"a":"\\ud800"}', b'{"a":"\xff"}', b'{"a":-0}',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"a":1}\n', b"\xef\xbb\xbf{}",
    ],
)  # fmt: skip
def test_what_is_not_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(canonical.BadJson):
        canonical.read(data)


@given(st.integers(-(10**15), 10**17))
def test_times_are_written_and_read_alike(instant: int) -> None:
    assert times.show(instant) == timespan.format_instant(instant)
    assert times.parse(times.show(instant)) == instant


@given(st.datetimes(), st.integers(-14 * 60, 14 * 60))
def test_times_with_an_offset_are_read_alike(moment: object, minutes: int) -> None:
    sign, rest = ("-", -minutes) if minutes < 0 else ("+", minutes)
    text = f"{moment.isoformat()}{sign}{rest // 60:02d}:{rest % 60:02d}"  # type: ignore[attr-defined]
    assert times.parse_loose(text) == timespan.parse_instant(text)


@given(st.integers(1, 300), st.randoms(use_true_random=False))
def test_inclusion_proofs_lead_to_the_same_root(size: int, random: Random) -> None:
    hashes = [merkle.leaf_hash(str(number).encode()) for number in range(size)]
    tree = merkle.Tree(hashes)
    index = random.randrange(size)
    proof = list(tree.proof(index))
    assert log.root_from_proof(hashes[index], index, size, proof) == tree.root()
    if size > 1:
        other = (index + 1) % size
        assert log.root_from_proof(hashes[index], other, size, proof) != tree.root()
        proof[random.randrange(len(proof))] = b"\0" * 32
        assert log.root_from_proof(hashes[index], index, size, proof) != tree.root()


def test_checkpoints_are_read_alike_and_in_one_form_only() -> None:
    note = Note(origin="a/b", number=7, size=12, root=b"\5" * 32, prev="0" * 64, at=1, leaves="f" * 64)
    text = note.encode()
    found = log.read_checkpoint(text)
    assert (found.origin, found.number, found.size, found.root, found.at) == ("a/b", 7, 12, b"\5" * 32, 1)
    for at in range(len(text)):
        damaged = text[:at] + bytes([text[at] ^ 1]) + text[at + 1 :]
        try:
            theirs: Note | None = Note.decode(damaged)
        except Malformed:
            theirs = None
        try:
            mine: log.Checkpoint | None = log.read_checkpoint(damaged)
        except Broken:
            mine = None
        assert (theirs is None) == (mine is None), damaged


def test_certificates_are_read_alike(tmp_path: Path) -> None:
    world = make_world(tmp_path, segments=1, clips=False)
    for path in world.keys.rglob("*.pem"):
        data = path.read_bytes()
        if b"BEGIN CERTIFICATE-" not in data:
            continue
        for mine, theirs in zip(
            certificate.read_pem(data), x509.load_pem_x509_certificates(data), strict=True
        ):
            assert mine.fingerprint == certificates.fingerprint(theirs)
            assert mine.subject_text == certificates.subject(theirs)
            assert mine.serial == theirs.serial_number
            assert mine.pem == theirs.public_bytes(certificates.Encoding.PEM)
            assert times.show(mine.not_after)[:19] == f"{theirs.not_valid_after_utc:%Y-%m-%dT%H:%M:%S}"


_FREE = [
    x509.NameOID.COMMON_NAME, x509.NameOID.ORGANIZATION_NAME, x509.NameOID.TITLE, x509.NameOID.USER_ID,
    x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"),
]  # fmt: skip
_SIGNS = st.sampled_from('Dewi #,+"\\<>;=\u00e9\u0430\U0001d403')
_ATTRIBUTES = st.builds(
    x509.NameAttribute, st.sampled_from(_FREE), st.text(_SIGNS, min_size=1, max_size=12)
) | st.builds(
    x509.NameAttribute,
    st.sampled_from([x509.NameOID.SERIAL_NUMBER, x509.NameOID.EMAIL_ADDRESS]),
    st.text(st.sampled_from("Dewi7 ,+"), min_size=1, max_size=12),
)
_KEY = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)
_NAMES = st.lists(
    st.lists(_ATTRIBUTES, min_size=1, max_size=3, unique_by=lambda one: one.oid).map(
        x509.RelativeDistinguishedName
    ),
    max_size=4,
).map(x509.Name)


@given(_NAMES)
def test_names_of_certificates_are_written_alike(name: x509.Name) -> None:
    start = datetime(2026, 11, 24, tzinfo=UTC)
    theirs = x509.CertificateBuilder(name, name, _KEY.public_key(), 7, start, start + timedelta(days=1)).sign(
        _KEY, None
    )
    mine = certificate.read(theirs.public_bytes(certificates.Encoding.DER))
    assert mine.subject_text == certificates.subject(theirs)


def test_the_schema_uses_known_keywords_only() -> None:
    published = schema.load()
    assert schema.unknown_keywords(published) == set()
    assert schema.unknown_keywords({"properties": {"a": {"format": "x"}}}) == {"format"}


@pytest.mark.parametrize(
    ("rules", "good", "bad"),
    [
        ({"type": "integer"}, 1, True),
        ({"type": "object", "additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, {"b": 1}),
        ({"required": ["a"]}, {"a": 1}, {}),
        ({"pattern": "^[0-9]$"}, "1", "1\n"),
        ({"maxLength": 2}, "ab", "abc"),
        ({"enum": ["a"]}, "a", "b"),
        ({"const": "a"}, "a", "b"),
        ({"minItems": 1}, [1], []),
        ({"maxItems": 0}, [], [1]),
        ({"minimum": 0}, 0, -1),
        ({"exclusiveMaximum": 3}, 2, 3),
        ({"items": {"type": "string"}}, ["a"], [1]),
        ({"if": {"const": 1}, "then": {"enum": [2]}, "else": {"enum": [3]}}, 3, 1),
        ({"$ref": "#/$defs/A", "$defs": {"A": {"const": 1}}}, 1, 2),
    ],
)
def test_each_keyword_of_the_schema_refuses_something(
    rules: dict[str, object], good: object, bad: object
) -> None:
    schema.check(rules, good)
    with pytest.raises(schema.Mismatch):
        schema.check(rules, bad)


@pytest.mark.parametrize("field", ["prepared_at", "package_until"])
def test_a_time_that_no_calendar_has_is_refused(field: str) -> None:
    with pytest.raises(schema.Mismatch, match="calendar"):
        schema.check(
            {"properties": {field: {"$ref": "#/$defs/T"}}, "$defs": {"T": {"pattern": schema._TIME}}},
            {field: "2026-02-30T00:00:00.000000Z"},
        )
    assert schema._TIME in json.dumps(schema.load()).replace("\\\\", "\\")


def tables(*, stsz: bytes, stsc: bytes, co64: bytes, entries: int = 1) -> bytes:
    """The head of a clip with these tables."""

    def box(kind: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return (8 + len(body)).to_bytes(4, "big") + kind + body

    entry = box(b"avc1", bytes(78), box(b"avcC", b"\1\0\0\0\xff"))
    stsd = box(b"stsd", bytes(4), entries.to_bytes(4, "big"), entry)
    stbl = box(b"stbl", stsd, box(b"stsz", stsz), box(b"stsc", stsc), box(b"co64", co64))
    return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", stbl))))


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in numbers)


GOOD = {"stsz": words(0, 0, 2, 10, 20), "stsc": words(0, 1, 1, 2, 1), "co64": words(0, 1, 0, 500)}


def test_tables_in_order_are_read() -> None:
    (found,) = mp4.clip_samples(tables(**GOOD))  # type: ignore[arg-type]
    assert (found.start, list(found.sizes), found.codec, found.length_size) == (500, [10, 20], "h264", 4)


@pytest.mark.parametrize(
    "changed",
    [
        {"stsz": words(0, 15, 2)},
        {"stsz": words(0, 15, 2, 10, 20)},
        {"stsz": words(0, 0, 2, 10, 20, 30)},
        {"stsz": words(0, 0, 2, 10)},
        {"stsz": words(0, 0, 2**31, 10, 20)},
        {"stsc": words(0, 1, 2, 2, 1)},
        {"stsc": words(0, 1, 1, 2, 2)},
        {"stsc": words(0, 1, 1, 0, 1)},
        {"stsc": words(0, 0)},
        {"stsc": words(0, 2, 1, 2, 1, 1, 2, 1)},
        {"stsc": words(0, 2, 1, 2, 1, 2, 2, 1)},
        {"stsc": words(0, 1, 1, 2, 1, 9)},
        {"co64": words(0, 1, 0, 500, 0)},
        {"co64": words(0, 0)},
        {"entries": 2},
    ],
)
def test_tables_that_say_two_things_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(mp4.BadMp4):
        mp4.clip_samples(tables(**{**GOOD, **changed}))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("writer", "origin", "kind", "counts"),
    [
        ("rec-1", "recorder", "segment", True), ("rec-1", "recorder", "gap", True),
        ("rec-2-adopted", "adopted", "segment", True), ("rec-2-adopted", "adopted", "gap", False),
        ("rec-2-adopted", "recorder", "segment", False), ("rec-2", "recorder", "segment", False),
        ("rec-2", "adopted", "segment", False),
    ],
)  # fmt: skip
def test_only_an_adopter_may_speak_for_another(writer: str, origin: str, kind: str, counts: bool) -> None:
    facts = batches.Facts(writer, 1, "", 0, origin, "", "", b"", {})
    assert facts.may_say(Leaf(kind, {"recorder": "rec-1"})) is counts
    assert ids.is_adopter("x" + batches.ADOPTER)
