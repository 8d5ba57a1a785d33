"""A package of two of a recorder's five cameras shows nothing of the others and hides nothing of the two."""

import re
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from archive import canonical
from archive.evidence.verifier import findings
from archive.evidence.verifier.openssl import Openssl
from archive.model import leaf as leaves
from archive.model.gap import GapCause
from archive.records import journal
from tests.support.archives import RECORDER_KEY
from tests.support.insider import (
    FIVE,
    Change,
    Forgery,
    InsiderSite,
    each,
    insider_site,
    sliced_site,
)
from tests.support.journals import encode_1
from tests.support.verifying import AskedOnce, verified

OWN, OTHERS = tuple(FIVE)[:2], tuple(FIVE)[2:]


@pytest.fixture(scope="module")
def program() -> Iterator[Openssl]:
    made = AskedOnce()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    return sliced_site(tmp_path_factory.mktemp("sliced"))


def whole_batches(site: InsiderSite) -> list[bytes]:
    """The recorder's batches as the archive has them."""
    records = site.log.stores.records
    return [records.get(one.key) for one in records.list("journal/")]


def found(site: InsiderSite, package: Path, program: Openssl) -> set[str]:
    notebook = verified(site.world, package, site.world.pinned(), "now", program, frozenset())
    return {one.code for one in notebook.findings if one.severity == findings.ERROR}


def test_the_package_is_valid(site: InsiderSite, program: Openssl) -> None:
    assert found(site, site.package, program) == set()


def test_the_package_shows_nothing_of_the_other_cameras(site: InsiderSite) -> None:
    """Not a line, an id, a hash of footage or a tag key; and both of its own cameras are whole."""
    secrets: set[bytes] = set()
    for data in whole_batches(site):
        batch = journal.verify(data, RECORDER_KEY.public_key())
        assert {leaf.camera for leaf in batch.leaves} == set(FIVE)
        for camera in OTHERS:
            secrets |= {
                camera.encode(),
                FIVE[camera].encode(),
                batch.tag_keys[camera],
                batch.tag_keys[camera].hex().encode(),
            }
        for leaf in batch.leaves:
            line = leaves.encode(leaf)
            fields = canonical.decode(line)
            if leaf.camera in OTHERS:
                secrets |= {line, sha256(line).hexdigest().encode()}
                secrets |= {fields[name].encode() for name in ("sha256", "key", "gap") if name in fields}
    shown = [path.read_bytes() for path in site.package.rglob("*") if path.is_file()]
    for data in shown:
        assert not [secret for secret in secrets if secret in data]
    lines = {line for data in shown for line in data.split(b"\n")}
    for data in whole_batches(site):
        own = [leaves.encode(leaf) for leaf in journal.decode(data).leaves if leaf.camera in OWN]
        assert len(own) in (2, 4)
        assert lines.issuperset(own)


def test_batches_of_version_1_stay_whole(program: Openssl, tmp_path: Path) -> None:
    old = insider_site(tmp_path, encode=encode_1)
    assert found(old, old.package, program) == set()
    enclosed = [path.read_bytes() for path in (old.package / "data/proofs/journal").glob("*.jsonl")]
    assert sorted(enclosed) == sorted(whole_batches(old))


# What an insider does --------------------------------------------------------------------------------


def rewritten(number: int, change: Callable[[bytes], bytes]) -> Change:
    """Change a batch in the package, and its SHA-256 in the statement."""

    def made(forgery: Forgery) -> None:
        (part,) = (one for one in forgery.stated["journals"] if one["batch"] == number)
        path = forgery.package / part["path"]
        before = path.read_bytes()
        data = change(before)
        assert data != before
        path.write_bytes(data)
        part["sha256"] = sha256(data).hexdigest()

    return made


def part_of(data: bytes, camera: str) -> bytes:
    (found,) = re.findall(
        rb'\{"camera":"%s","lines":(?:.*\n(?!\{"camera":"[^"]*","lines":|\{"key"))*.*\n'
        % (re.escape(camera.encode())),
        data,
    )
    return bytes(found)


def without(camera: str) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(part_of(data, camera), b"")


def hidden(seq: int, *changes: Change) -> Change:
    """Leave out an original of ``cam-2`` and tell a gap in its place."""

    def made(forgery: Forgery) -> None:
        (one,) = (one for one in forgery.originals("cam-2", FIVE["cam-2"]) if one["seq"] == seq)
        forgery.leave_out(one)
        forgery.state_gap("cam-2", 10 * seq, 10 * seq + 10, GapCause.UNREACHABLE)
        for change in changes:
            change(forgery)

    return made


def segment_line(data: bytes, camera: str) -> bytes:
    return next(line + b"\n" for line in part_of(data, camera).split(b"\n") if b'"type":"segment"' in line)


def without_its_line(data: bytes) -> bytes:
    return data.replace(segment_line(data, "cam-2"), b"")


def without_its_line_and_counted(data: bytes) -> bytes:
    data = data.replace(segment_line(data, "cam-2"), b"")
    return data.replace(b'{"camera":"cam-2","lines":2', b'{"camera":"cam-2","lines":1')


def other_tag_key(data: bytes) -> bytes:
    part = part_of(data, "cam-2")
    return data.replace(part, re.sub(rb'"tag_key":"[0-9a-f]{8}', b'"tag_key":"00000000', part))


def not_named(data: bytes) -> bytes:
    """The part and its name in the header are gone."""
    part = part_of(data, "cam-2")
    digest = sha256(part).hexdigest()
    head, _, rest = data.partition(b"\n")
    header = canonical.decode(head)
    header["parts"] = [one for one in header["parts"] if one["sha256"] != digest]
    header["lines"] -= 1
    return canonical.encode(header) + b"\n" + rest.replace(part, b"")


def other_count(data: bytes) -> bytes:
    return re.sub(rb'"lines":\d+,"origin"', b'"lines":3,"origin"', data, count=1)


INSIDER: list[tuple[str, Change, str]] = [
    ("the part of one batch is left out", rewritten(1, without("cam-2")), "journal_part_left_out"),
    ("and its original too", hidden(1, rewritten(2, without("cam-2"))), "journal_part_left_out"),
    (
        "of all batches but one",
        each(rewritten(1, without("cam-2")), rewritten(2, without("cam-2"))),
        "journal_part_left_out",
    ),
    (
        "of all batches",
        each(*(rewritten(number, without("cam-2")) for number in (1, 2, 3))),
        "proof_left_out",
    ),
    ("a line is left out", hidden(2, rewritten(3, without_its_line)), "journal_form"),
    ("and counted", hidden(2, rewritten(3, without_its_line_and_counted)), "journal_part_unsigned"),
    (
        "a part without its tag key, so that others can be left out",
        hidden(1, rewritten(2, without("cam-2")), rewritten(1, other_tag_key), rewritten(3, other_tag_key)),
        "journal_part_unsigned",
    ),
    ("the header does not name it any more", hidden(1, rewritten(2, not_named)), "journal_signature"),
    ("the header counts other lines", rewritten(1, other_count), "journal_form"),
    (
        "the line in another gap's words",
        rewritten(3, lambda data: data.replace(b'"cause":"unreachable"', b'"cause":"disabled"', 1)),
        "journal_part_unsigned",
    ),
]


@pytest.mark.parametrize(("change", "code"), [pytest.param(*one[1:], id=one[0]) for one in INSIDER])
def test_whoever_has_the_seal_key_hides_nothing(
    site: InsiderSite, program: Openssl, tmp_path: Path, change: Change, code: str
) -> None:
    forgery = Forgery(site, tmp_path / "package")
    change(forgery)
    forgery.seal()
    assert code in found(site, forgery.package, program)


def test_parts_of_two_batches_are_not_exchanged(site: InsiderSite, program: Openssl, tmp_path: Path) -> None:
    forgery = Forgery(site, tmp_path / "package")
    other = part_of(whole_batches(site)[1], "cam-2")
    rewritten(1, lambda data: data.replace(part_of(data, "cam-2"), other))(forgery)
    forgery.seal()
    assert "journal_part_unsigned" in found(site, forgery.package, program)


def test_a_whole_batch_shows_others_and_is_refused(
    site: InsiderSite, program: Openssl, tmp_path: Path
) -> None:
    """A batch of version 2 has no reason to show a camera that the package is not about."""
    forgery = Forgery(site, tmp_path / "package")
    rewritten(1, lambda _slice: whole_batches(site)[0])(forgery)
    forgery.seal()
    assert "journal_other_camera" in found(site, forgery.package, program)
