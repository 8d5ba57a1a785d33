"""The tamper matrix of the reference page, row by row, and all other changes that verification must find."""

import shutil
import zipfile
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from asn1crypto import cms
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from archive import canonical
from archive.clock import ManualClock
from archive.errors import Malformed, NotFound
from archive.evidence import bag, paths
from archive.evidence.verification import parse_at
from archive.evidence.verifier.findings import of
from archive.evidence.verifier.notebook import STEPS, Notebook
from archive.objects.filesystem import FilesystemStore
from archive.timespan import DAY, parse_instant
from archive.trust import certificates
from archive.trust.judge import Severity, Trust, load_trust
from archive.trust.timestamp import LocalAuthority
from ops import keys as installation
from tests.support.packages import World, make_world, sibling_signer, write_tags

YEAR = 365 * DAY


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    """One sealed and unpacked package; tests work on copies of the folder ``package``."""
    world = make_world(tmp_path_factory.mktemp("origin"))
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    copy = tmp_path / "package"
    shutil.copytree(origin.folder / "package", copy, copy_function=shutil.copyfile)
    return copy


def codes(result: Notebook) -> set[str]:
    return {finding.code for finding in result.findings if finding.severity == Severity.ERROR}


def failed(result: Notebook) -> set[str]:
    return {step for step, outcome in result.steps.items() if outcome == "failed"}


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def clip_of(package: Path) -> Path:
    return next((package / "data/derivative").iterdir())


def original_of(package: Path) -> Path:
    return sorted((package / "data/original/cam-1").iterdir())[1]


def test_nothing_changed(origin: World, package: Path) -> None:
    result = origin.verify(package)
    assert result.valid
    assert result.findings == []
    assert set(result.steps.values()) == {"passed"}
    assert list(result.to_json()["steps"]) == [step for step in STEPS if step != "records"]
    assert result.to_json()["originals"] == 3
    assert result.gen_time == origin.clock.now()


def test_one_byte_in_a_clip(origin: World, package: Path) -> None:
    flip(clip_of(package))
    result = origin.verify(package)
    assert not result.valid
    assert codes(result) == {"payload_altered", "statement_contradicts", "clip_not_derived"}
    assert all(finding.path == "data/derivative/clip-cam-1.mp4" for finding in result.findings)
    assert all("clip-cam-1.mp4" in finding.path for finding in result.findings)


def test_one_byte_in_an_original(origin: World, package: Path) -> None:
    flip(original_of(package))
    result = origin.verify(package)
    assert "payload_altered" in codes(result)
    assert "payload" in failed(result)


def test_a_clip_and_both_manifests_rewritten(origin: World, package: Path) -> None:
    clip = clip_of(package)
    flip(clip)
    write_tags(package)
    result = origin.verify(package)
    assert codes(result) == {"seal_content", "statement_contradicts", "clip_not_derived"}
    assert "seal" in failed(result)
    assert {"payload", "completeness", "stamp"}.isdisjoint(failed(result))


def test_an_extra_payload_part(origin: World, package: Path) -> None:
    (package / "data/original/cam-1/added.mp4").write_bytes(b"x")
    result = origin.verify(package)
    assert codes(result) == {"unlisted_part", "payload_oxum"}
    assert "added.mp4" in result.findings[-1].path


@pytest.mark.parametrize("name", ["BACA-SAYA.txt", "data2/x", "fetch.txt", "run-me.sh"])
def test_an_extra_part_beside_the_payload(origin: World, package: Path, name: str) -> None:
    (package / name).parent.mkdir(exist_ok=True)
    (package / name).write_bytes(b"x")
    assert codes(origin.verify(package)) == {"unlisted_part"}


def test_a_segment_removed(origin: World, package: Path) -> None:
    original_of(package).unlink()
    result = origin.verify(package)
    assert {"payload_missing", "payload_oxum"} <= codes(result)
    assert any("missing" in of(finding.code).english for finding in result.findings)


@pytest.mark.parametrize("pinned", [True, False])
def test_signed_again_with_another_certificate_of_the_same_root(
    origin: World, package: Path, pinned: bool
) -> None:
    """The row that chain validation alone does not catch: pin, statement and stamp do."""
    other = sibling_signer(origin)
    tags = (package / bag.TAG_MANIFEST).read_bytes()
    (package / paths.SEAL).write_bytes(other.sign_cms(tags))
    result = origin.verify(package, trust=origin.pinned() if pinned else origin.trust)
    assert "seal" not in failed(result), "the chain is good: that is the trap"
    assert "stamp_content" in codes(result)
    assert "signer_differs" in codes(result)
    assert ("signer_unexpected" in codes(result)) is pinned


def test_made_anew_with_another_certificate_of_the_same_root(origin: World, tmp_path: Path) -> None:
    """Everything is rewritten and stamped again: only the fingerprint from outside reveals it."""
    target = FilesystemStore(tmp_path / "forged", origin.clock)
    sealer = replace(origin.sealer, target=target, signer=sibling_signer(origin))
    forged = replace(origin, folder=tmp_path, target=target, sealer=sealer)
    out = forged.zip()
    assert codes(origin.verify(out)) == {"signer_unexpected"}
    loose = origin.verify(out, trust=origin.trust)
    assert loose.valid
    assert [finding.code for finding in loose.findings] == ["signer_not_pinned"]


def test_signed_again_with_a_rogue_certificate(origin: World, package: Path, tmp_path: Path) -> None:
    rogue = make_world(tmp_path / "rogue").sealer.signer
    (package / paths.SEAL).write_bytes(rogue.sign_cms((package / bag.TAG_MANIFEST).read_bytes()))
    result = origin.verify(package)
    assert {"chain_broken", "stamp_content", "signer_unexpected", "signer_differs"} == codes(result)


def test_ten_years_later(origin: World, package: Path) -> None:
    later = replace(origin, clock=ManualClock(origin.clock.now() + 10 * YEAR))
    result = later.verify(package, at="now")
    assert codes(result) == {"certificate_expired"}
    assert failed(result) == {"seal", "stamp"}
    assert all("--at stamp" in finding.detail for finding in result.findings)
    assert later.verify(package, at="stamp").valid
    assert later.verify(package, at="stamp").checked_at == origin.clock.now()
    assert later.verify(package, at=origin.clock.now() + DAY).valid


def test_before_the_certificates_were_valid(origin: World, package: Path) -> None:
    assert codes(origin.verify(package, at=origin.clock.now() - YEAR)) == {"certificate_expired"}


def test_the_token_of_another_seal(origin: World, package: Path) -> None:
    (package / paths.STAMP).write_bytes(origin.sealer.authority.stamp(b"something else"))
    result = origin.verify(package)
    assert codes(result) == {"stamp_content"}
    assert failed(result) == {"stamp"}
    assert codes(origin.verify(package, at="stamp")) == {"stamp_content"}


def test_the_token_of_an_unknown_authority(origin: World, package: Path, tmp_path: Path) -> None:
    rogue = make_world(tmp_path / "rogue").sealer.authority
    (package / paths.STAMP).write_bytes(rogue.stamp((package / paths.SEAL).read_bytes()))
    assert codes(origin.verify(package)) == {"chain_broken"}
    assert failed(origin.verify(package, at="stamp")) == {"stamp"}


def test_a_rogue_token_has_no_say_in_the_time(origin: World, package: Path, tmp_path: Path) -> None:
    """In ten years a rogue token must not make expired certificates look valid."""
    rogue = make_world(tmp_path / "rogue").sealer.authority
    (package / paths.STAMP).write_bytes(rogue.stamp((package / paths.SEAL).read_bytes()))
    later = replace(origin, clock=ManualClock(origin.clock.now() + 10 * YEAR))
    result = later.verify(package, at="stamp")
    assert result.checked_at == later.clock.now()
    assert {"seal", "stamp"} <= failed(result)


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (paths.SEAL, "seal_missing"),
        (paths.STAMP, "stamp_missing"),
        (bag.MANIFEST, "tag_missing"),
        (bag.TAG_MANIFEST, "tag_missing"),
        (bag.INFO, "tag_missing"),
        (paths.STATEMENT, "statement_missing"),
    ],
)
def test_a_missing_part_is_named(origin: World, package: Path, path: str, code: str) -> None:
    (package / path).unlink()
    result = origin.verify(package)
    assert code in codes(result)
    assert any(finding.path == path for finding in result.findings)


@pytest.mark.parametrize("path", [bag.DECLARATION, bag.INFO, bag.MANIFEST])
def test_a_changed_tag_file_is_named(origin: World, package: Path, path: str) -> None:
    data = (package / path).read_bytes()
    (package / path).write_bytes(data.replace(b"\n", b" \n", 1))
    result = origin.verify(package)
    assert "tag_altered" in codes(result)
    assert not result.valid


def test_a_tag_manifest_that_lists_less(origin: World, package: Path) -> None:
    lines = (package / bag.TAG_MANIFEST).read_bytes().splitlines(keepends=True)
    (package / bag.TAG_MANIFEST).write_bytes(b"".join(lines[:-1]))
    assert {"tag_manifest_incomplete", "seal_content"} <= codes(origin.verify(package))


def rewritten(origin: World, package: Path, change: Callable[[dict[str, object]], None]) -> set[str]:
    """Change the statement, repair every digest and seal again with the true key: the sealer itself lies."""
    value = canonical.decode((package / paths.STATEMENT).read_bytes())
    change(value)
    (package / paths.STATEMENT).write_bytes(canonical.encode(value))
    return resealed(origin, package)


def resealed(origin: World, package: Path) -> set[str]:
    write_tags(package)
    seal = origin.sealer.signer.sign_cms((package / bag.TAG_MANIFEST).read_bytes())
    (package / paths.SEAL).write_bytes(seal)
    (package / paths.STAMP).write_bytes(origin.sealer.authority.stamp(seal))
    return codes(origin.verify(package))


def test_a_sealed_lie_about_an_original(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["originals"][1]["from"] = "2026-11-24T06:00:10.000001Z"

    assert rewritten(origin, package, change) == {"leaf_mismatch", "unexplained_stretch"}


def test_a_sealed_exchange_of_an_original(origin: World, package: Path) -> None:
    original = original_of(package)
    flip(original)
    digest = sha256(original.read_bytes()).hexdigest()

    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["originals"][1]["sha256"] = digest

    assert rewritten(origin, package, change) == {"leaf_mismatch", "clip_not_derived"}


def test_a_sealed_clip_of_other_footage(origin: World, package: Path) -> None:
    clip = clip_of(package)
    flip(clip, -200)
    digest = sha256(clip.read_bytes()).hexdigest()

    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["derivatives"][0]["sha256"] = digest

    assert rewritten(origin, package, change) == {"clip_not_derived"}


def test_a_sealed_clip_with_moved_pieces(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["derivatives"][0]["pieces"][0]["original_offset"] += 1
        value["derivatives"][0]["pieces"][1]["clip_offset"] += 1

    assert rewritten(origin, package, change) == {"bad_pieces"}


def test_a_sealed_clip_of_an_original_that_is_not_here(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["derivatives"][0]["pieces"][-1]["original"] = "data/original/cam-1/x.mp4"

    assert rewritten(origin, package, change) == {"bad_pieces", "statement_contradicts"}


def test_a_sealed_original_the_statement_conceals(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["originals"].pop()
        value["derivatives"] = []

    clip_of(package).unlink()
    found = rewritten(origin, package, change)
    assert found == {"statement_contradicts", "original_left_out", "unexplained_stretch"}


def test_a_sealed_statement_about_another_package(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["evidence_id"] = "EVD-2026-ZZZZZZZZZZ"

    assert rewritten(origin, package, change) == {"statement_contradicts"}


def test_a_stretch_nobody_explains_is_an_error(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["gaps"] = []

    assert rewritten(origin, package, change) == {"unexplained_stretch"}
    assert "cam-1" in origin.verify(package).findings[0].detail


def test_a_sealed_journal_batch_that_was_changed(origin: World, package: Path) -> None:
    batch = next((package / "data/proofs/journal").iterdir())
    data = batch.read_bytes().replace(b'"frames":10', b'"frames":11', 1)
    batch.write_bytes(data)

    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["journals"][0]["sha256"] = sha256(data).hexdigest()

    found = rewritten(origin, package, change)
    assert found == {"journal_part_unsigned", "proof_left_out", "gap_not_signed"}


def test_a_leaf_no_journal_holds_is_an_error(origin: World, package: Path) -> None:
    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["journals"] = []

    assert rewritten(origin, package, change) == {
        "proof_left_out",
        "gap_not_signed",
        "statement_contradicts",
    }


def test_papers_of_a_handover_may_be_added_later(origin: World, package: Path) -> None:
    right, receipt = b'{"right":1}', b'{"receipt":1}'
    one, other = sha256(right).hexdigest()[:16], sha256(receipt).hexdigest()[:16]
    folder = package / "handover/1"
    folder.mkdir(parents=True)
    (folder / f"right-{one}.json").write_bytes(right)
    (folder / f"receipt-{other}.json").write_bytes(receipt)
    (folder / f"berita-acara-{one}.pdf").write_bytes(b"%PDF-1.7")
    (folder / f"berita-acara-{one}-{other}.pdf").write_bytes(b"%PDF-1.7")
    assert origin.verify(package).valid
    (folder / f"right-{one}.json").write_bytes(receipt)
    assert codes(origin.verify(package)) == {"handover_altered"}
    (folder / f"right-{one}.json").unlink()
    assert codes(origin.verify(package)) == {"handover_altered"}


@pytest.mark.parametrize(
    "name",
    [
        "handover/berita acara.pdf",
        "handover/1/berita-acara.pdf",
        "handover/1/x.pdf",
        "handover/01/right-0123456789abcdef.json",
        "handover/1/right-0123456789ABCDEF.json",
        "signatures/renewals/2031-001.sha512",
        "signatures/tagmanifest-sha256.txt.p7s.tsr2",
        "signatures/TAGMANIFEST-sha256.txt.p7m",
        "signatures/certs2/x.crl",
    ],
)
def test_nothing_else_may_lie_beside_the_seal(origin: World, package: Path, name: str) -> None:
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_bytes(b"%PDF-1.7")
    assert codes(origin.verify(package)) == {"unlisted_part"}


def test_without_a_fingerprint_the_reader_is_told_to_compare(origin: World, package: Path) -> None:
    result = origin.verify(package, trust=origin.trust)
    assert result.valid
    assert [(f.code, f.severity) for f in result.findings] == [("signer_not_pinned", Severity.WARNING)]
    assert result.signer_sha256 in result.findings[0].detail


def test_without_trust_nothing_is_believed(origin: World, package: Path) -> None:
    result = origin.verify(package, trust=Trust(roots=(), stamp_roots=()))
    assert codes(result) == {"no_trust", "checkpoint_signature_invalid", "checkpoint_stamp_invalid"}
    assert failed(result) == {"log", "seal", "stamp"}


def test_the_stamp_may_have_a_root_of_its_own(origin: World, package: Path, tmp_path: Path) -> None:
    foreign = make_world(tmp_path / "foreign")
    (package / paths.STAMP).write_bytes(foreign.sealer.authority.stamp((package / paths.SEAL).read_bytes()))
    trust = load_trust(
        [origin.keys / "root.pem"],
        [foreign.keys / "root.pem", origin.keys / "root.pem"],
        installation.show(origin.keys, tsa_url="").signer_sha256.upper(),
    )
    assert origin.verify(package, trust=trust).valid


def test_a_time_stamping_certificate_may_not_seal(origin: World, package: Path) -> None:
    local = installation.load_local_authority(origin.keys, clock=origin.clock)
    signer = replace(
        installation.load_signer(origin.keys, clock=origin.clock),
        key=local.key,
        certificate=local.certificate,
    )
    (package / paths.SEAL).write_bytes(signer.sign_cms((package / bag.TAG_MANIFEST).read_bytes()))
    assert "wrong_key_usage" in codes(origin.verify(package))


def test_a_sealing_certificate_may_not_stamp(origin: World, package: Path) -> None:
    signer = installation.load_signer(origin.keys, clock=origin.clock)
    authority = LocalAuthority(signer.key, signer.certificate, origin.clock)
    (package / paths.STAMP).write_bytes(authority.stamp((package / paths.SEAL).read_bytes()))
    assert codes(origin.verify(package)) == {"wrong_key_usage"}


def altered_seal(package: Path, name: str, value: bytes) -> None:
    """Write a value into the signature's bytes: ``signature`` itself, or a signed attribute."""
    info = cms.ContentInfo.load((package / paths.SEAL).read_bytes())
    signer = info["content"]["signer_infos"][0]
    if name == "signature":
        signer["signature"] = value
    else:
        for attribute in signer["signed_attrs"]:
            if attribute["type"].native == name:
                attribute["values"] = [value]
    (package / paths.SEAL).write_bytes(info.dump(force=True))


def test_a_signature_by_another_key_under_the_true_certificate(origin: World, package: Path) -> None:
    other = sibling_signer(origin).key
    altered_seal(package, "signature", other.sign(b"x", ec.ECDSA(hashes.SHA256())))  # type: ignore[call-arg, arg-type]
    assert codes(origin.verify(package)) == {"seal_signature", "stamp_content"}


def test_a_digest_rewritten_inside_the_true_signature(origin: World, package: Path) -> None:
    """The signed attributes name the forged manifest; the signature over them does not."""
    flip(clip_of(package))
    write_tags(package)
    altered_seal(package, "message_digest", sha256((package / bag.TAG_MANIFEST).read_bytes()).digest())
    result = origin.verify(package)
    assert {"seal_signature", "stamp_content", "clip_not_derived"} <= codes(result)
    assert "seal_content" not in codes(result)


def test_zip_and_folder_give_the_same_verdict(origin: World, package: Path) -> None:
    zipped = origin.verify(origin.folder / f"{origin.plan.evidence_id}.zip")
    assert zipped.to_json() == origin.verify(package).to_json()


def test_a_package_zipped_again_by_a_laboratory_is_verified_as_a_folder(
    origin: World, package: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(package.rglob("*")):
            out.write(path, f"kasus/{path.relative_to(package)}")
    assert codes(origin.verify(again)) == {"foreign_zip"}
    with zipfile.ZipFile(again) as unpacked:
        unpacked.extractall(tmp_path / "there")
    assert origin.verify(tmp_path / "there/kasus").valid


def test_the_verdict_as_json(origin: World, package: Path) -> None:
    verdict = origin.verify(package, trust=origin.trust).to_json()
    assert verdict["valid"] is True
    assert set(verdict["findings"][0]) == {
        "code", "severity", "step", "path", "message", "rests_on", "detail",
    }  # fmt: skip


def test_what_is_no_package_is_said(origin: World, tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        origin.verify(tmp_path / "nothing")
    with pytest.raises(Malformed) as caught:
        origin.verify(tmp_path)
    assert caught.value.code == "bad_package"
    (tmp_path / "text.zip").write_bytes(b"hello")
    with pytest.raises(Malformed):
        origin.verify(tmp_path / "text.zip")


@pytest.mark.parametrize("text", ["AB" * 32, ":".join(["ab"] * 32), " ".join(["Ab"] * 32)])
def test_fingerprints_are_read_as_people_write_them(text: str) -> None:
    assert certificates.read_fingerprint(text) == "ab" * 32


@pytest.mark.parametrize("text", ["", "ab" * 31, "zz" * 32, "ab" * 33])
def test_other_text_is_no_fingerprint(text: str) -> None:
    with pytest.raises(Malformed):
        certificates.read_fingerprint(text)


def test_the_time_to_judge_at_is_read() -> None:
    assert parse_at("now") == "now"
    assert parse_at("stamp") == "stamp"
    assert parse_at("2026-11-24T14:00:00+08:00") == parse_instant("2026-11-24T06:00:00Z")
    with pytest.raises(Malformed):
        parse_at("yesterday")
