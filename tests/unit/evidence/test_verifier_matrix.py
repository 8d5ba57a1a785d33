"""The verifier over one tamper matrix: each change is caught by the right finding."""

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from archive import canonical
from archive.evidence import bag, paths
from archive.evidence.verifier import command, findings
from archive.evidence.verifier.certificate import read_pem
from archive.evidence.verifier.container import FolderContainer
from archive.evidence.verifier.notebook import NOT_CHECKED, STEPS
from archive.evidence.verifier.openssl import NoOpenssl, Openssl
from archive.evidence.verifier.trust import Trust as AloneTrust
from archive.evidence.verifier.verify import verify
from archive.timespan import DAY
from archive.trust.judge import Trust
from ops import keys as installation
from tests.support import verifying
from tests.support.packages import World, a_request, make_world, sibling_signer, write_tags
from tests.support.verifying import (
    opinion,
    verified,
)

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")

Change = Callable[[World, World, Path], None]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A package with a request; tests change copies of its folder ``package``."""
    world = make_world(tmp_path_factory.mktemp("origin"), request=a_request(), cameras=("cam-1", "cam-2"))
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


@pytest.fixture(scope="module")
def foreign(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A package of another authority, to take parts from."""
    world = make_world(tmp_path_factory.mktemp("foreign"), seed="other")
    world.unpacked(world.folder / "unpacked").rename(world.folder / "package")
    return world


program = verifying.program


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    copy = tmp_path / "package"
    shutil.copytree(origin.folder / "package", copy, copy_function=shutil.copyfile)
    return copy


def flip(path: Path, at: int = -1) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def one(package: Path, pattern: str) -> Path:
    return sorted(package.glob(pattern))[0]


def restate(package: Path, change: Callable[[dict], None]) -> None:  # type: ignore[type-arg]
    """Change ``evidence.json`` and the manifests, as an insider at the sealer would."""
    path = package / paths.STATEMENT
    value = canonical.decode(path.read_bytes())
    change(value)
    path.write_bytes(canonical.encode(value))
    write_tags(package)


def reseal(world: World, package: Path) -> None:
    """Sign and stamp again with the world's own keys, so that only the contents reveal the change."""
    signer = installation.load_signer(world.keys, clock=world.clock)
    seal = signer.sign_cms((package / bag.TAG_MANIFEST).read_bytes())
    (package / paths.SEAL).write_bytes(seal)
    authority = installation.load_local_authority(world.keys, clock=world.clock)
    (package / paths.STAMP).write_bytes(authority.stamp(seal))


def insider(change: Callable[[dict], None]) -> Change:  # type: ignore[type-arg]
    def made(world: World, _foreign: World, package: Path) -> None:
        restate(package, change)
        reseal(world, package)

    return made


def swap(path: str) -> Change:
    def made(_world: World, foreign: World, package: Path) -> None:
        source, target = one(foreign.folder / "package", path), one(package, path)
        target.write_bytes(source.read_bytes())

    return made


def at_path(pattern: str, change: Callable[[Path], None]) -> Change:
    return lambda _world, _foreign, package: change(one(package, pattern))


def resealed(pattern: str, change: Callable[[Path], None]) -> Change:
    def made(world: World, _foreign: World, package: Path) -> None:
        change(one(package, pattern))
        write_tags(package)
        reseal(world, package)

    return made


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def extend(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"\0")


def crlf(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))


def starred(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"  ", b" *"))


def sibling(world: World, _foreign: World, package: Path) -> None:
    (package / paths.SEAL).write_bytes(
        sibling_signer(world).sign_cms((package / bag.TAG_MANIFEST).read_bytes())
    )


def sealed_by_tsa(world: World, _foreign: World, package: Path) -> None:
    shutil.copyfile(package / paths.STAMP, package / paths.SEAL)


def stamped_otherwise(world: World, _foreign: World, package: Path) -> None:
    authority = installation.load_local_authority(world.keys, clock=world.clock)
    (package / paths.STAMP).write_bytes(authority.stamp(b"another seal"))


def add(name: str) -> Change:
    def made(_world: World, _foreign: World, package: Path) -> None:
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_bytes(b"x")

    return made


def link(_world: World, _foreign: World, package: Path) -> None:
    (package / "handover").symlink_to("/etc")


def rename_original(_world: World, _foreign: World, package: Path) -> None:
    path = one(package, "data/original/cam-1/*.mp4")
    path.rename(path.with_name("x.mp4"))


def edit_checkpoint(value: dict) -> None:  # type: ignore[type-arg]
    value["checkpoints"][0]["size"] += 1


def edit(*names: str | int, value: object) -> Callable[[dict], None]:  # type: ignore[type-arg]
    def change(stated: dict) -> None:  # type: ignore[type-arg]
        for name in names[:-1]:
            stated = stated[name]
        stated[names[-1]] = value

    return change


def drop(*names: str | int) -> Callable[[dict], None]:  # type: ignore[type-arg]
    def change(stated: dict) -> None:  # type: ignore[type-arg]
        for name in names[:-1]:
            stated = stated[name]
        del stated[names[-1]]

    return change


def other_codec(value: dict) -> None:  # type: ignore[type-arg]
    value["derivatives"][0]["derivation"]["codec"] = "hevc"


def fewer_slices(value: dict) -> None:  # type: ignore[type-arg]
    value["derivatives"][0]["pieces"][1]["slices"]["count"] -= 1


def moved_piece(value: dict) -> None:  # type: ignore[type-arg]
    value["derivatives"][0]["pieces"][0]["original_offset"] += 1


def foreign_piece(value: dict) -> None:  # type: ignore[type-arg]
    value["derivatives"][0]["pieces"][0]["original"] = "data/original/cam-1/x.mp4"


def swapped_clip(world: World, _foreign: World, package: Path) -> None:
    """Put another camera's clip under this one's name, with a matching statement."""
    clip, other = (
        one(package, "data/derivative/clip-cam-1.mp4"),
        one(package, "data/derivative/clip-cam-2.mp4"),
    )
    clip.write_bytes(other.read_bytes())

    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["derivatives"][0]["sha256"] = sha256(clip.read_bytes()).hexdigest()

    restate(package, change)
    reseal(world, package)


def lying_tables(world: World, _foreign: World, package: Path) -> None:
    """Keep the originals' bytes in a clip, but change its tables, so that they cut the samples elsewhere."""
    clip = one(package, "data/derivative/clip-cam-1.mp4")
    data = bytearray(clip.read_bytes())
    at = data.index(b"stsz") + 16
    first, second = int.from_bytes(data[at : at + 4]), int.from_bytes(data[at + 4 : at + 8])
    data[at : at + 8] = (first - 1).to_bytes(4) + (second + 1).to_bytes(4)
    clip.write_bytes(data)

    def change(value: dict) -> None:  # type: ignore[type-arg]
        value["derivatives"][0]["sha256"] = sha256(data).hexdigest()

    restate(package, change)
    reseal(world, package)


def journal_edited(world: World, _foreign: World, package: Path) -> None:
    batch = one(package, "data/proofs/journal/*")
    batch.write_bytes(batch.read_bytes().replace(b'"frames":10', b'"frames":11', 1))
    restate(package, edit("journals", 0, "sha256", value=sha256(batch.read_bytes()).hexdigest()))
    reseal(world, package)


def step_changed(path: Path) -> None:
    """The first hash of the first inclusion proof."""
    data = bytearray(path.read_bytes())
    at = data.index(b'"proof":["') + 10
    data[at] = ord("0") if data[at] != ord("0") else ord("1")
    path.write_bytes(data)


def line_repeated(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], *lines]))


def lines_swapped(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(reversed(lines)))


CHECKPOINT = "data/proofs/checkpoints/*/checkpoint"
INCLUSION = "data/proofs/inclusion/cam-1.jsonl"
ORIGINAL, CLIP = "data/original/cam-1/*.mp4", "data/derivative/clip-cam-1.mp4"

MATRIX: list[tuple[str, Change, str]] = [
    ("flip original", at_path(ORIGINAL, flip), "payload_altered"),
    ("flip header of original", at_path(ORIGINAL, lambda p: flip(p, 40)), "payload_altered"),
    ("truncate original", at_path(ORIGINAL, truncate), "payload_altered"),
    ("extend original", at_path(ORIGINAL, extend), "payload_altered"),
    ("remove original", at_path(ORIGINAL, Path.unlink), "payload_missing"),
    ("rename original", rename_original, "unlisted_part"),
    ("flip clip", at_path(CLIP, flip), "clip_not_derived"),
    ("flip head of clip", at_path(CLIP, lambda p: flip(p, 5)), "payload_altered"),
    ("truncate clip", at_path(CLIP, truncate), "payload_altered"),
    ("extend clip", at_path(CLIP, extend), "payload_altered"),
    ("remove clip", at_path(CLIP, Path.unlink), "payload_missing"),
    ("clip of another package", swap(CLIP), "payload_altered"),
    ("clip of another camera, sealed", swapped_clip, "clip_not_derived"),
    ("clip with lying tables, sealed", lying_tables, "slices_differ"),
    ("fewer slices, sealed", insider(fewer_slices), "slices_differ"),
    ("other codec, sealed", insider(other_codec), "slices_differ"),
    ("no slices, sealed", insider(drop("derivatives", 0, "pieces", 0, "slices")), "slices_differ"),
    ("piece moved, sealed", insider(moved_piece), "bad_pieces"),
    ("piece of no original, sealed", insider(foreign_piece), "bad_pieces"),
    ("piece longer, sealed", insider(edit("derivatives", 0, "pieces", 0, "length", value=5)), "bad_pieces"),
    ("flip leaf", at_path("data/proofs/leaves/cam-1.jsonl", lambda p: flip(p, 60)), "payload_altered"),
    ("leaf line cut, sealed", resealed("data/proofs/leaves/cam-1.jsonl", truncate), "bad_json"),
    ("original altered, sealed", resealed(ORIGINAL, flip), "statement_contradicts"),
    ("wrong clock, sealed", insider(edit("originals", 0, "clock", "offset_us", value=9)), "leaf_mismatch"),
    ("wrong span, sealed", insider(edit("originals", 0, "from", value="2026-11-24T05:00:00.000000Z")),
     "leaf_mismatch"),
    ("original concealed, sealed", insider(drop("originals", 0)), "statement_contradicts"),
    ("clocks do not follow, sealed", insider(edit("clocks", 0, "uncertainty_us", value=1)),
     "statement_contradicts"),
    ("gaps left out, sealed", insider(edit("gaps", value=[])), "unexplained_stretch"),
    ("unknown member, sealed", insider(edit("more", value="x")), "bad_statement"),
    ("truth value, sealed", insider(edit("derivatives", 0, "about", "x", value=True)), "bad_statement"),
    ("other id, sealed", insider(edit("evidence_id", value="EVD-2026-ZZZZZZZZZZ")), "statement_contradicts"),
    ("approval of another request, sealed", insider(edit("approvals", 0, "entry_sha256", value="0" * 64)),
     "approval_differs"),
    ("no approval, sealed", insider(drop("approvals")), "approval_missing"),
    ("impossible day, sealed", insider(edit("span", "from", value="2026-02-30T00:00:00.000000Z")),
     "bad_statement"),
    ("statement not canonical, sealed",
     resealed(paths.STATEMENT, lambda p: p.write_bytes(p.read_bytes() + b"\n") and None), "bad_statement"),
    ("remove statement", at_path(paths.STATEMENT, Path.unlink), "statement_missing"),
    ("flip statement", at_path(paths.STATEMENT, lambda p: flip(p, 9)), "bad_statement"),
    ("flip custody", at_path(paths.CUSTODY, flip), "statement_contradicts"),
    ("journal edited, sealed", journal_edited, "journal_part_unsigned"),
    ("journal of another package", swap("data/proofs/journal/*"), "payload_altered"),
    ("flip recorder key, sealed", resealed("data/proofs/recorders/*", lambda p: flip(p, 60)),
     "journal_signature"),
    ("recorder key unreadable, sealed", resealed("data/proofs/recorders/*", lambda p: flip(p, 3)),
     "bad_key_file"),
    ("no journals, sealed", insider(edit("journals", value=[])), "proof_left_out"),
    ("flip checkpoint", at_path(CHECKPOINT, lambda p: flip(p, 20)), "payload_altered"),
    ("checkpoint size, sealed", insider(edit_checkpoint), "checkpoint_differs"),
    ("checkpoint of another log, sealed",
     lambda w, f, p: (swap(CHECKPOINT)(w, f, p), write_tags(p), reseal(w, p)) and None, "checkpoint_differs"),
    ("checkpoint signature of another log, sealed",
     lambda w, f, p: (swap(CHECKPOINT + ".p7s")(w, f, p), write_tags(p), reseal(w, p)) and None,
     "checkpoint_signature_invalid"),
    ("checkpoint stamp of another log, sealed",
     lambda w, f, p: (swap(CHECKPOINT + ".tsr")(w, f, p), write_tags(p), reseal(w, p)) and None,
     "checkpoint_stamp_invalid"),
    ("proofs of another package, sealed",
     lambda w, f, p: (swap(INCLUSION)(w, f, p), write_tags(p), reseal(w, p)) and None, "not_included"),
    ("step of a proof, sealed", resealed(INCLUSION, step_changed), "not_included"),
    ("proof line cut, sealed", resealed(INCLUSION, truncate), "proof_missing"),
    ("proof removed, sealed", resealed(INCLUSION, Path.unlink), "proof_missing"),
    ("other place in the log, sealed", insider(edit("originals", 0, "log", "index", value=0)),
     "not_included"),
    ("checkpoint not there, sealed", insider(edit("originals", 0, "log", "checkpoint", value=9)),
     "checkpoint_missing"),
    ("not logged, sealed", insider(drop("originals", 0, "log")), "proof_left_out"),
    ("bagit.txt", at_path("bagit.txt", lambda p: p.write_bytes(b"BagIt-Version: 0.97\n") and None),
     "bad_bag"),
    ("bag-info.txt", at_path("bag-info.txt", flip), "bad_bag_info"),
    ("manifest with CR LF", at_path(bag.MANIFEST, crlf), "bad_manifest"),
    ("manifest with stars", at_path(bag.MANIFEST, starred), "bad_manifest"),
    ("tag manifest with CR LF", at_path(bag.TAG_MANIFEST, crlf), "bad_manifest"),
    ("manifest line twice", at_path(bag.MANIFEST, line_repeated), "bad_manifest"),
    ("manifest out of order", at_path(bag.MANIFEST, lines_swapped), "bad_manifest"),
    ("manifest cut", at_path(bag.MANIFEST, truncate), "bad_manifest"),
    ("manifest removed", at_path(bag.MANIFEST, Path.unlink), "tag_missing"),
    ("tag manifest removed", at_path(bag.TAG_MANIFEST, Path.unlink), "tag_missing"),
    ("digest in manifest", at_path(bag.MANIFEST, lambda p: flip(p, 0)), "tag_altered"),
    ("part added", add("data/original/cam-1/added.mp4"), "unlisted_part"),
    ("part beside", add("README.md"), "unlisted_part"),
    ("paper added later", add(f"handover/1/right-{sha256(b'x').hexdigest()[:16]}.json"), ""),
    ("paper of another name", add("handover/1/right-0123456789abcdef.json"), "handover_altered"),
    ("paper of no handover", add("handover/1/berita-acara.pdf"), "unlisted_part"),
    ("link", link, "unsafe_entry"),
    ("name in other case", add("data/readme.TXT"), "unsafe_entry"),
    ("seal removed", at_path(paths.SEAL, Path.unlink), "seal_missing"),
    ("seal cut", at_path(paths.SEAL, truncate), "bad_cms"),
    ("seal flipped at its end", at_path(paths.SEAL, flip), "seal_signature"),
    ("seal of another package", swap(paths.SEAL), "seal_content"),
    ("seal is a stamp", sealed_by_tsa, "bad_cms"),
    ("sealed by a sibling", sibling, "signer_differs"),
    ("stamp removed", at_path(paths.STAMP, Path.unlink), "stamp_missing"),
    ("stamp cut", at_path(paths.STAMP, truncate), "bad_token"),
    ("stamp flipped at its end", at_path(paths.STAMP, flip), "stamp_signature"),
    ("stamp of another package", swap(paths.STAMP), "stamp_content"),
    ("stamp of another thing", stamped_otherwise, "stamp_content"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in MATRIX], ids=[row[0] for row in MATRIX])
def test_each_change_is_caught_by_the_right_finding(
    origin: World, foreign: World, package: Path, program: Openssl, change: Change, code: str
) -> None:
    change(origin, foreign, package)
    trust = origin.pinned()
    mine, notebook = opinion(origin, package, trust, "now", program)
    if not code:
        assert mine.valid
        return
    assert code in mine.codes, sorted(mine.codes)
    assert mine.valid == (findings.of(code).severity == findings.WARNING)
    assert notebook is not None
    assert all(findings.of(finding.code).step for finding in notebook.findings)


def test_nothing_changed(origin: World, package: Path, program: Openssl) -> None:
    notebook = verified(origin, package, origin.pinned(), "now", program)
    assert (notebook.verdict, notebook.findings) == ("valid", [])
    assert list(notebook.to_json()["steps"]) == [step for step in STEPS if step != "records"]
    assert set(notebook.steps.values()) == {"passed"}


def test_zip_and_folder_give_the_same_verdict(origin: World, package: Path, program: Openssl) -> None:
    zipped = origin.folder / f"{origin.plan.evidence_id}.zip"
    one_ = verified(origin, zipped, origin.pinned(), "now", program).to_json()
    assert one_ == verified(origin, package, origin.pinned(), "now", program).to_json()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_both_codecs_are_proven(tmp_path: Path, program: Openssl, codec: str) -> None:
    world = make_world(tmp_path, codec=codec)  # type: ignore[arg-type]
    assert verified(world, world.zip(), world.pinned(), "now", program).findings == []


def test_ten_years_later_only_the_time_of_the_stamp_helps(
    origin: World, package: Path, program: Openssl
) -> None:
    later = origin.clock.now() + 3652 * DAY
    for at, valid in ((later, False), ("stamp", True)):
        mine, _ = opinion(origin, package, origin.pinned(), at, program)  # type: ignore[arg-type]
        assert mine.valid is valid
    assert "certificate_expired" in opinion(origin, package, origin.pinned(), later, program)[0].codes


def test_without_trust_nothing_is_believed(origin: World, package: Path, program: Openssl) -> None:
    trust = Trust(roots=(), stamp_roots=())
    mine, _ = opinion(origin, package, trust, "now", program)
    assert "no_trust" in mine.codes


def test_a_root_of_somebody_else_is_no_trust(
    origin: World, foreign: World, package: Path, program: Openssl
) -> None:
    mine, _ = opinion(foreign, package, foreign.trust, "now", program)
    assert {"chain_broken", "log_signer_unexpected"} & mine.codes


def test_without_fingerprints_the_reader_is_told_to_compare(
    origin: World, package: Path, program: Openssl
) -> None:
    trust = Trust(roots=origin.trust.roots, stamp_roots=origin.trust.roots)
    mine, _ = opinion(origin, package, trust, "now", program)
    assert mine.valid
    assert mine.codes == {"signer_not_pinned", "log_signer_not_pinned"}


def test_without_openssl_a_package_is_never_valid(origin: World, package: Path) -> None:
    notebook = verified(origin, package, origin.pinned(), "now", None)
    assert notebook.verdict == NOT_CHECKED
    assert {finding.code for finding in notebook.findings} == {"signature_not_checked"}
    assert notebook.steps["seal"] == notebook.steps["stamp"] == notebook.steps["journal"] == "unchecked"
    flip(one(package, ORIGINAL))
    assert verified(origin, package, origin.pinned(), "now", None).verdict == "not_valid"


def test_the_system_s_own_certificates_are_not_trusted(
    origin: World, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenSSL also reads its own certificate folder besides -CAfile, unless an option forbids it."""
    store = tmp_path / "certs"
    store.mkdir()
    (store / "root.pem").write_bytes((origin.keys / "root.pem").read_bytes())
    subprocess.run(["openssl", "rehash", str(store)], check=True)
    monkeypatch.setenv("SSL_CERT_DIR", str(store))
    wrapper = tmp_path / "openssl"
    wrapper.write_text(f'#!/bin/sh\nSSL_CERT_DIR={store} exec {shutil.which("openssl")} "$@"\n')
    wrapper.chmod(0o755)
    other = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "9"]
    other += ["-subj", "/CN=Somebody", "-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "other.pem")]
    subprocess.run(["openssl", *other], check=True, capture_output=True)
    roots = tuple(read_pem((tmp_path / "other.pem").read_bytes()))
    at = origin.clock.now() + DAY
    for program in (Openssl(), Openssl(str(wrapper))):
        notebook = verify(FolderContainer(str(package)), AloneTrust(roots, roots, openssl=program), at)
        assert "chain_broken" in {finding.code for finding in notebook.findings if finding.path == paths.SEAL}
        program.close()


@pytest.mark.parametrize("name", ["data/con.txt", "handover/aux", "handover/LPT1.pdf", "data/nul"])
def test_device_names_are_refused(origin: World, package: Path, program: Openssl, name: str) -> None:
    add(name)(origin, origin, package)
    assert opinion(origin, package, origin.pinned(), "now", program)[0].codes == {"unsafe_entry"}


def test_an_old_or_missing_openssl_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NoOpenssl):
        Openssl("no-such-program")
    old = tmp_path / "openssl"
    old.write_text("#!/bin/sh\necho 'LibreSSL 3.3.6'\n")
    old.chmod(0o755)
    with pytest.raises(NoOpenssl, match="LibreSSL"):
        Openssl(str(old))


def test_the_command_line(origin: World, package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = str(origin.keys / "root.pem")
    assert command.main([str(package), "--trust", root, "--at", "stamp", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["valid"] is True
    assert {finding["code"] for finding in told["findings"]} == {"signer_not_pinned", "log_signer_not_pinned"}
    assert set(told["findings"][0]["message"]) == {"id", "en"}
    assert command.main([str(package), "--trust", root, "--at", "stamp", "--lang", "id"]) == 0
    text = capsys.readouterr().out
    assert "SAH" in text
    assert "VALID" not in text
    assert command.main([str(package), "--trust", root, "--at", "2026-11-26T00:00:00Z", "--no-openssl"]) == 3
    assert "BELUM" in capsys.readouterr().out
    flip(one(package, ORIGINAL))
    assert command.main([str(package), "--trust", root, "--at", "stamp"]) == 1
    out = capsys.readouterr().out
    assert out.index("Isi bagian ini berubah") < out.index("This part was changed")
    assert "TIDAK TERBUKTI" in out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nowhere.zip"],
        ["/dev/null"],
        [".", "--at", "yesterday"],
        [".", "--signer", "xyz"],
        [".", "--trust", "no"],
    ],
)
def test_bad_input_has_its_own_exit_code(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command.main(arguments) == 2


def test_a_package_zipped_again_by_a_laboratory_is_verified_as_a_folder(
    origin: World, package: Path, program: Openssl, tmp_path: Path
) -> None:
    again = tmp_path / "again.zip"
    with zipfile.ZipFile(again, "w", zipfile.ZIP_DEFLATED) as out:
        for path in sorted(package.rglob("*")):
            out.write(path, f"kasus/{path.relative_to(package)}")
    (finding,) = verified(origin, again, origin.pinned(), "now", program).findings
    assert finding.code == "foreign_zip"
    with zipfile.ZipFile(again) as unpacked:
        unpacked.extractall(tmp_path / "there")
    assert verified(origin, tmp_path / "there/kasus", origin.pinned(), "now", program).findings == []
