"""The large tamper matrix: every part changed in every way, and the attacks of a lying sealer.

Each change is found, and the finding names the changed part.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.clock import ManualClock
from archive.evidence import bag, paths
from archive.evidence.verifier.notebook import Notebook
from archive.timespan import DAY
from archive.trust.judge import Severity
from tests.support.packages import World, a_request, make_world, write_tags

CHECKPOINT = "data/proofs/checkpoints/0000000001/checkpoint"
PAYLOAD = (
    "data/README.txt",
    "data/VERIFIKASI.txt",
    "data/original/cam-1/*_000001_*.mp4",
    "data/derivative/clip-cam-1.mp4",
    paths.STATEMENT,
    paths.CUSTODY,
    "data/proofs/leaves/cam-1.jsonl",
    "data/proofs/inclusion/cam-1.jsonl",
    CHECKPOINT,
    CHECKPOINT + ".p7s",
    CHECKPOINT + ".tsr",
    "data/proofs/journal/rec-1_0000000001.jsonl",
    "data/proofs/recorders/rec-1.pub.pem",
)
SEAL_CODES = {
    "bad_seal",
    "seal_broken",
    "seal_content",
    "seal_signature",
    "chain_broken",
    "signer_unexpected",
    "stamp_content",
}
STAMP_CODES = {
    "bad_stamp",
    "bad_timestamp",
    "stamp_broken",
    "stamp_content",
    "stamp_signature",
    "chain_broken",
}


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), cameras=("cam-1", "cam-2"), request=a_request())
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Another package of another archive, with its own footage."""
    world = make_world(tmp_path_factory.mktemp("other"), cameras=("cam-1", "cam-2"), seed="other")
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    copy = tmp_path / "package"
    shutil.copytree(origin.folder / "package", copy, copy_function=shutil.copyfile)
    return copy


def errors(result: Notebook) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for finding in result.findings:
        if finding.severity == Severity.ERROR:
            found.setdefault(finding.code, set()).add(finding.path)
    return found


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def empty(path: Path) -> None:
    path.write_bytes(b"")


CONTENT = (flip, truncate, extend, empty)


@pytest.mark.parametrize("change", CONTENT, ids=lambda change: change.__name__)
@pytest.mark.parametrize("pattern", PAYLOAD)
def test_a_changed_part_of_the_payload_is_named(
    origin: World, package: Path, pattern: str, change: Callable[[Path], None]
) -> None:
    (path,) = package.glob(pattern)
    change(path)
    assert str(path.relative_to(package)) in errors(origin.verify(package))["payload_altered"]


@pytest.mark.parametrize("pattern", PAYLOAD)
def test_a_removed_part_of_the_payload_is_named(origin: World, package: Path, pattern: str) -> None:
    (path,) = package.glob(pattern)
    path.unlink()
    assert errors(origin.verify(package))["payload_missing"] == {str(path.relative_to(package))}


@pytest.mark.parametrize("pattern", PAYLOAD)
def test_a_renamed_part_of_the_payload_is_named_twice(origin: World, package: Path, pattern: str) -> None:
    (path,) = package.glob(pattern)
    renamed = path.rename(path.with_name("renamed"))
    found = errors(origin.verify(package))
    assert found["payload_missing"] == {str(path.relative_to(package))}
    assert found["unlisted_part"] == {str(renamed.relative_to(package))}


@pytest.mark.parametrize("pattern", PAYLOAD)
def test_a_part_put_beside_another_is_named(origin: World, package: Path, pattern: str) -> None:
    (path,) = package.glob(pattern)
    added = path.with_name("added")
    shutil.copyfile(path, added)
    assert errors(origin.verify(package))["unlisted_part"] == {str(added.relative_to(package))}


@pytest.mark.parametrize("change", CONTENT, ids=lambda change: change.__name__)
@pytest.mark.parametrize("name", bag.TAG_FILES)
def test_a_changed_tag_file_is_named(
    origin: World, package: Path, name: str, change: Callable[[Path], None]
) -> None:
    change(package / name)
    assert errors(origin.verify(package))["tag_altered"] == {name}


@pytest.mark.parametrize("change", CONTENT, ids=lambda change: change.__name__)
def test_a_changed_tag_manifest_breaks_the_seal(
    origin: World, package: Path, change: Callable[[Path], None]
) -> None:
    change(package / bag.TAG_MANIFEST)
    assert "seal_content" in errors(origin.verify(package))


@pytest.mark.parametrize("change", CONTENT, ids=lambda change: change.__name__)
@pytest.mark.parametrize("path", [paths.SEAL, paths.STAMP])
def test_a_changed_seal_or_stamp_is_named(
    origin: World, package: Path, path: str, change: Callable[[Path], None]
) -> None:
    change(package / path)
    found = errors(origin.verify(package))
    assert found
    assert all(where == {path} or path == paths.SEAL for where in found.values()), found


@pytest.mark.parametrize(
    ("path", "code"),
    [
        *((name, "tag_missing") for name in (bag.INFO, bag.MANIFEST, bag.TAG_MANIFEST)),
        (paths.SEAL, "seal_missing"),
        (paths.STAMP, "stamp_missing"),
    ],
)
def test_a_tag_file_or_signature_that_is_gone_is_named(
    origin: World, package: Path, path: str, code: str
) -> None:
    (package / path).unlink()
    assert path in errors(origin.verify(package))[code]


@pytest.mark.parametrize("path", [paths.SEAL, paths.STAMP])
def test_signatures_of_another_package_are_caught(
    origin: World, other: World, package: Path, path: str
) -> None:
    shutil.copyfile(other.folder / "package" / path, package / path)
    assert errors(origin.verify(package)).keys() & (SEAL_CODES | STAMP_CODES)


def resealed(origin: World, package: Path) -> dict[str, set[str]]:
    """Repair every digest of the bag and seal it with the true key: the sealer itself lies."""
    write_tags(package)
    seal = origin.sealer.signer.sign_cms((package / bag.TAG_MANIFEST).read_bytes())
    (package / paths.SEAL).write_bytes(seal)
    (package / paths.STAMP).write_bytes(origin.sealer.authority.stamp(seal))
    return errors(origin.verify(package))


def restated(origin: World, package: Path, change: Callable[[dict[str, Any]], None]) -> dict[str, set[str]]:
    value = canonical.decode((package / paths.STATEMENT).read_bytes())
    change(value)
    (package / paths.STATEMENT).write_bytes(canonical.encode(value))
    return resealed(origin, package)


@pytest.mark.parametrize("part", ["", ".p7s", ".tsr"])
def test_a_checkpoint_of_another_log_is_caught(origin: World, other: World, package: Path, part: str) -> None:
    shutil.copyfile(other.folder / "package" / (CHECKPOINT + part), package / (CHECKPOINT + part))
    found = resealed(origin, package)
    code = {
        "": "checkpoint_differs",
        ".p7s": "checkpoint_signature_invalid",
        ".tsr": "checkpoint_stamp_invalid",
    }
    assert CHECKPOINT + part in found[code[part]]


def test_inclusion_proofs_of_another_package_are_caught(origin: World, other: World, package: Path) -> None:
    name = "data/proofs/inclusion/cam-1.jsonl"
    shutil.copyfile(other.folder / "package" / name, package / name)
    assert resealed(origin, package).keys() == {"not_included"}


def test_inclusion_proofs_of_another_camera_are_caught(origin: World, package: Path) -> None:
    name = "data/proofs/inclusion/cam-{}.jsonl"
    shutil.copyfile(package / name.format(2), package / name.format(1))
    assert resealed(origin, package).keys() == {"not_included"}


def test_a_missing_line_of_the_inclusion_proofs_is_caught(origin: World, package: Path) -> None:
    path = package / "data/proofs/inclusion/cam-1.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert resealed(origin, package).keys() == {"proof_missing"}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda v: v["originals"][0]["log"].update(index=1), "not_included"),
        (lambda v: v["originals"][0]["log"].update(size=99), "not_included"),
        (lambda v: v["originals"][0]["log"].update(checkpoint=2), "checkpoint_missing"),
        (lambda v: v["originals"][0]["log"].update(proof_line=2), "not_included"),
        (lambda v: v["originals"][0]["log"].update(proof_line=99), "proof_missing"),
        (lambda v: v["originals"][0]["log"].update(proof="data/proofs/none.jsonl"), "proof_missing"),
        (lambda v: v.pop("checkpoints"), "checkpoint_missing"),
        (lambda v: v["checkpoints"][0].update(root="00" * 32), "checkpoint_differs"),
        (lambda v: v["checkpoints"][0].update(at="2026-11-24T00:00:00.000000Z"), "checkpoint_differs"),
        (lambda v: v["checkpoints"][0].update(gen_time="2026-11-24T00:00:00.000000Z"), "checkpoint_differs"),
        (lambda v: v["checkpoints"][0].update(origin="another/log"), "checkpoint_differs"),
        (lambda v: v["checkpoints"].append(v["checkpoints"][0]), "checkpoint_differs"),
        (lambda v: v["checkpoints"][0].update(stamp="data/none.tsr"), "proof_missing"),
        (lambda v: v["checkpoints"][0].update(stamp=CHECKPOINT + ".p7s"), "checkpoint_stamp_invalid"),
        (lambda v: v["checkpoints"][0].update(seal=CHECKPOINT + ".tsr"), "checkpoint_signature_invalid"),
        (lambda v: v["clocks"][0].update(uncertainty_us=1), "statement_contradicts"),
        (lambda v: v["clocks"].pop(), "statement_contradicts"),
        (lambda v: v["approvals"][0].update(entry_sha256="00" * 32), "approval_differs"),
        (lambda v: v.pop("approvals"), "approval_missing"),
        (lambda v: v.pop("request"), "approval_differs"),
        (lambda v: v["request"].update(entry_sha256="00" * 32), "approval_differs"),
        (lambda v: v["derivatives"][0]["pieces"][0]["slices"].update(count=1), "slices_differ"),
        (lambda v: v["derivatives"][0]["pieces"][0]["slices"].update(first=1), "slices_differ"),
        (lambda v: v["derivatives"][0]["pieces"][0]["slices"].update(sha256="00" * 32), "slices_differ"),
        (lambda v: v["derivatives"][0]["pieces"][0].pop("slices"), "slices_differ"),
        (lambda v: v["derivatives"][0]["derivation"].update(slices=1), "slices_differ"),
        (lambda v: v["derivatives"][0]["derivation"].update(codec="hevc"), "slices_differ"),
        (lambda v: v["derivatives"][0]["pieces"].pop(), "bad_pieces"),
        (lambda v: v["custody"].update(sha256="00" * 32), "statement_contradicts"),
        (lambda v: v.update(kind="no_footage"), "bad_statement"),
        (lambda v: v.update(originals=[]), "bad_statement"),
        (lambda v: v.update(schema="urn:saksi:evidence-package:3"), "bad_statement"),
        (lambda v: v.update(schema="urn:saksi:evidence-package:1"), "old_version"),
        (lambda v: v.update(prepared_at="2026-13-24T00:00:00.000000Z"), "bad_statement"),
        (lambda v: v["seal"].update(signer_sha256="00" * 32), "signer_differs"),
        (lambda v: v["seal"].update(signer_subject="CN=Kejaksaan Negeri,C=ID"), "signer_differs"),
        (lambda v: v["originals"][0].update(frames=11), "leaf_mismatch"),
        (lambda v: v["originals"][0].update(camera="cam-2"), "leaf_mismatch"),
        (lambda v: v["originals"][0].update(leaf_line=2), "leaf_mismatch"),
        (lambda v: v["journals"][0].update(batch=2), "statement_contradicts"),
        (lambda v: v["journals"][0].update(sha256="00" * 32), "statement_contradicts"),
        (
            lambda v: v.update(
                documents=[{"path": "data/documents/x", "kind": "letter", "sha256": "00" * 32}]
            ),
            "statement_contradicts",
        ),
    ],
)
def test_a_lie_of_the_sealer_is_caught_by_its_finding(
    origin: World, package: Path, change: Callable[[dict[str, Any]], None], code: str
) -> None:
    assert code in restated(origin, package, change)


def test_a_name_that_reads_as_another_is_pointed_out(origin: World, package: Path) -> None:
    restated(origin, package, lambda v: v["cameras"][0].update(name="J\u0430lan Penghibur"))
    line = package / paths.CUSTODY
    line.write_bytes(line.read_bytes().replace(b'"type":"', '"type":"\u202e'.encode(), 1))

    def change(value: dict[str, Any]) -> None:
        value["custody"]["sha256"] = sha256(line.read_bytes()).hexdigest()

    assert "text_reads_as_another" not in restated(origin, package, change)  # it is no error
    found = [one for one in origin.verify(package).findings if one.code == "text_reads_as_another"]
    assert [one.severity for one in found] == [Severity.WARNING] * 2
    assert "cameras 1.name mixes Latin letters with U+0430" in found[0].detail
    assert "type has U+202E, which does not show" in found[1].detail


def test_a_gap_that_is_not_told_is_pointed_out(origin: World, package: Path) -> None:
    assert restated(origin, package, lambda v: v["gaps"].pop()).keys() == {"unexplained_stretch"}


def test_a_leaf_without_a_place_in_the_log_is_pointed_out(origin: World, package: Path) -> None:
    found = restated(origin, package, lambda v: v["originals"][0].pop("log")).keys()
    assert found == {"proof_left_out", "statement_contradicts"}


def test_the_clip_of_another_camera_is_caught(origin: World, package: Path) -> None:
    mine, theirs = (package / f"data/derivative/clip-cam-{number}.mp4" for number in (1, 2))
    shutil.copyfile(theirs, mine)

    def change(value: dict[str, Any]) -> None:
        value["derivatives"][0]["sha256"] = sha256(theirs.read_bytes()).hexdigest()

    assert restated(origin, package, change).keys() == {"clip_not_derived"}


def test_a_clip_with_other_pictures_is_caught(origin: World, package: Path) -> None:
    """Like a clip that was encoded again: whole samples have other bytes."""
    clip = package / "data/derivative/clip-cam-1.mp4"
    data = bytearray(clip.read_bytes())
    data[-60:] = bytes(60)
    clip.write_bytes(data)

    def change(value: dict[str, Any]) -> None:
        value["derivatives"][0]["sha256"] = sha256(data).hexdigest()

    assert restated(origin, package, change).keys() == {"clip_not_derived"}


def test_a_clip_whose_own_tables_tell_of_other_samples_is_caught(origin: World, package: Path) -> None:
    """The bytes are the originals'; the header cuts them elsewhere, and players show something else."""
    clip = package / "data/derivative/clip-cam-1.mp4"
    data = bytearray(clip.read_bytes())
    at = data.index(b"stsz") + 16
    first, second = (int.from_bytes(data[at + 4 * n : at + 4 * n + 4]) for n in (0, 1))
    data[at : at + 8] = (first + 1).to_bytes(4) + (second - 1).to_bytes(4)
    clip.write_bytes(data)

    def change(value: dict[str, Any]) -> None:
        value["derivatives"][0]["sha256"] = sha256(data).hexdigest()

    assert restated(origin, package, change).keys() == {"slices_differ", "clip_header_differs"}


def test_a_clip_that_is_stated_twice_with_other_pieces_is_caught(origin: World, package: Path) -> None:
    """Its originals are not NAL units, so no piece ends the comparison before the surplus one."""

    def twice(value: dict[str, Any]) -> None:
        part = value["derivatives"][0]
        clip = bytearray((package / part["path"]).read_bytes())
        for piece in part["pieces"]:
            del piece["slices"]
            original = bytearray((package / piece["original"]).read_bytes())
            for data, at in ((original, piece["original_offset"]), (clip, piece["clip_offset"])):
                data[at : at + 4] = bytes(4)
            (package / piece["original"]).write_bytes(original)
        (package / part["path"]).write_bytes(clip)
        last = part["pieces"][-1]
        half = last["length"] // 2
        rest = {name: last[name] + half for name in ("original_offset", "clip_offset")}
        halves = [{**last, "length": half}, {**last, **rest, "length": last["length"] - half}]
        value["derivatives"].insert(0, {**part, "pieces": [*part["pieces"][:-1], *halves]})

    assert "statement_contradicts" in restated(origin, package, twice)


def test_a_leaf_that_was_never_in_the_log_is_caught(origin: World, package: Path) -> None:
    """Leaf, journal and statement are changed alike: only the checkpoint reveals it."""
    path = package / "data/proofs/leaves/cam-1.jsonl"
    lines = path.read_bytes().replace(b'"uncertainty_us":40000', b'"uncertainty_us":40001', 1)
    path.write_bytes(lines)

    def change(value: dict[str, Any]) -> None:
        part = value["originals"][0]
        part["clock"]["uncertainty_us"] = 40001
        part["leaf_sha256"] = sha256(lines.split(b"\n")[0]).hexdigest()
        value["clocks"][0]["uncertainty_us"] = 40001
        value["journals"] = []

    assert restated(origin, package, change).keys() == {
        "not_included",
        "proof_left_out",
        "gap_not_signed",
        "statement_contradicts",
    }


def test_another_log_key_is_caught_where_it_is_pinned(origin: World, other: World, package: Path) -> None:
    trust = origin.pinned()
    result = origin.verify(package, trust=replace(trust, log_sha256=other.trust.log_sha256))
    assert errors(result).keys() == {"log_signer_unexpected"}
    loose = origin.verify(package, trust=replace(trust, log_sha256=None))
    assert loose.valid
    assert [finding.code for finding in loose.findings] == ["log_signer_not_pinned"]


@pytest.mark.parametrize("years", [-2, 10])
def test_a_certificate_out_of_its_time_is_caught(origin: World, package: Path, years: int) -> None:
    result = origin.verify(package, at=origin.clock.now() + years * 365 * DAY)
    assert errors(result).keys() == {"certificate_expired"}


def test_checkpoints_outlive_their_certificates(origin: World, package: Path) -> None:
    """They are checked at their own stamp's time, because footage is older than the package."""
    later = replace(origin, clock=ManualClock(origin.clock.now() + 3650 * DAY))
    assert later.verify(package, at="stamp").valid


def test_a_statement_of_absence_is_held_to_its_proofs(origin: World, tmp_path: Path) -> None:
    world = origin.of_nothing()
    package = world.unpacked(tmp_path / "nothing")
    assert world.verify(package).valid
    entry = package / "data/proofs/dispositions/DSP-2026-0123456789.json"
    flip(entry)
    assert "not_included" in resealed(world, package)
