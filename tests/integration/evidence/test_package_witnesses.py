"""Packages checked by independent witnesses: coreutils, OpenSSL, bagit-python.

The commands are taken from the ``VERIFIKASI.txt`` inside the package and run exactly as written.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from archive import canonical
from archive.clock import SystemClock
from archive.evidence import bag, paths
from archive.evidence.entries_by_hand import NUMBER
from archive.evidence.verification import verify
from archive.timespan import DAY
from archive.trust import certificates
from archive.trust.judge import Trust
from archive.trust.seal import FileSigner, load_private_key
from ops import keys as installation
from tests.support.packages import World, make_world, sibling_signer, write_tags
from tests.support.programs import required

TAGS, SEAL, WHO, WHEN, LATER, BAG = range(1, 7)
"""The numbered steps of ``VERIFIKASI.txt``."""


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    required("openssl")
    required("sha256sum")


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A sealed package, and in ``case`` the trust that its reader got from another source."""
    world = make_world(
        tmp_path_factory.mktemp("witness"), cameras=("cam-1", "CAM-1"), now=SystemClock().now()
    )
    case = world.folder / "case"
    world.unpacked(case)
    for name in ("trust.pem", "tsa-trust.pem"):
        shutil.copyfile(world.keys / "root.pem", case / name)
    return world


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    """A copy of the package's folder, to be tampered with."""
    shutil.copytree(origin.folder / "case", tmp_path / "case", copy_function=shutil.copyfile)
    return tmp_path / "case" / origin.plan.evidence_id


def steps_of(package: Path) -> dict[int, list[str]]:
    """The commands of each numbered step of the instructions, continued lines joined."""
    found: dict[int, list[str]] = {}
    step = 0
    text = (package / paths.INSTRUCTIONS).read_text().partition("=" * 40)[0].replace("\\\n", "")
    for line in text.splitlines():
        number = re.match(r"(\d+)\. ", line)
        if number is not None:
            step = int(number[1])
        if line.startswith("    "):
            found.setdefault(step, []).append(line.strip())
    return found


def run(package: Path, commands: list[str]) -> subprocess.CompletedProcess[str]:
    """Run commands one after the other in one shell, as a reader would type them."""
    bin_folder = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}", "LC_ALL": "C", "TZ": "UTC"}
    script = "set -e -o pipefail\n" + "\n".join(commands)
    return subprocess.run(
        ["bash", "-c", script],
        cwd=package,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def verdicts(package: Path, steps: tuple[int, ...]) -> dict[int, bool]:
    """Which steps pass; a step that prints anything although it must not fails."""
    commands = steps_of(package)
    passed = {}
    for step in steps:
        done = run(package, commands[step])
        passed[step] = done.returncode == 0 and (step != TAGS or done.stdout + done.stderr == "")
    return passed


def test_every_step_of_the_instructions_is_found(package: Path) -> None:
    commands = steps_of(package)
    assert sorted(commands) == list(range(1, NUMBER + 1))  # 7 to 9, 11, 12: test_documents_instructions.py
    assert [len(commands[step]) for step in range(TAGS, BAG + 1)] == [4, 1, 2, 2, 3, 1]


def test_the_instructions_hold_as_they_stand(origin: World, package: Path) -> None:
    commands = steps_of(package)
    quiet = run(package, commands[TAGS])
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    sealed = run(package, commands[SEAL])
    assert sealed.returncode == 0, sealed.stderr
    assert "CAdES Verification successful" in sealed.stderr
    who = run(package, commands[WHO]).stdout
    shown = installation.show(origin.keys, tsa_url="")
    assert shown.signer_sha256 in who.replace(":", "").lower()
    assert origin.verify(package).tagmanifest_sha256 in who
    when = run(package, commands[WHEN])
    assert when.returncode == 0, when.stderr
    assert "Verification: OK" in when.stdout + when.stderr
    assert f"{datetime.fromtimestamp(origin.clock.now() / 1e6, UTC):%b %e %H:%M:%S %Y} GMT" in when.stdout
    later = run(package, commands[LATER])
    assert later.returncode == 0, later.stderr
    valid = run(package, commands[BAG])
    assert valid.returncode == 0, valid.stderr


def test_ten_years_later_only_the_time_of_the_stamp_helps(origin: World, package: Path) -> None:
    commands = steps_of(package)
    future = (origin.clock.now() + 10 * 365 * DAY) // 1_000_000
    for step in (SEAL, WHEN):
        command = commands[step][0].replace("-verify", f"-verify -attime {future}")
        late = run(package, [command])
        assert late.returncode != 0
        assert "expired" in late.stderr + late.stdout
    assert run(package, commands[LATER]).returncode == 0


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def nothing(world: World, package: Path) -> None:
    return


def byte_in_clip(world: World, package: Path) -> None:
    flip(next((package / "data/derivative").iterdir()))


def clip_and_manifests(world: World, package: Path) -> None:
    byte_in_clip(world, package)
    write_tags(package)


def extra_part(world: World, package: Path) -> None:
    (package / "data/original/added.mp4").write_bytes(b"x")


def segment_removed(world: World, package: Path) -> None:
    next((package / "data/original").rglob("*.mp4")).unlink()


def signed_by_sibling(world: World, package: Path) -> None:
    seal = sibling_signer(world).sign_cms((package / bag.TAG_MANIFEST).read_bytes())
    (package / paths.SEAL).write_bytes(seal)


def signed_by_rogue(world: World, package: Path) -> None:
    rogue = make_world(package.parent.parent / "rogue", segments=1, now=SystemClock().now()).sealer.signer
    (package / paths.SEAL).write_bytes(rogue.sign_cms((package / bag.TAG_MANIFEST).read_bytes()))


def other_token(world: World, package: Path) -> None:
    (package / paths.STAMP).write_bytes(world.sealer.authority.stamp(b"something else"))


@pytest.mark.parametrize(
    ("tamper", "tags", "seal", "when"),
    [
        (nothing, True, True, True),
        (byte_in_clip, False, True, True),
        (clip_and_manifests, True, False, True),
        (extra_part, False, True, True),
        (segment_removed, False, True, True),
        (signed_by_sibling, True, True, False),
        (signed_by_rogue, True, False, False),
        (other_token, True, True, False),
    ],
)
def test_the_tamper_matrix_before_the_witnesses_and_before_us(
    origin: World,
    package: Path,
    tamper: Callable[[World, Path], None],
    tags: bool,
    seal: bool,
    when: bool,
) -> None:
    """The witnesses find what the reference page states, and our verdict is at least as strict."""
    tamper(origin, package)
    assert verdicts(package, (TAGS, SEAL, WHEN)) == {TAGS: tags, SEAL: seal, WHEN: when}
    assert origin.verify(package).valid is (tags and seal and when)


@pytest.mark.parametrize(
    "name",
    [
        "tambahan.mp4",
        ".tersembunyi",
        "folder/tambahan.mp4",
        "data/tambahan.mp4",
        "data/original/cam-1/.x",
        "signatures/tambahan.pem",
        "signatures/certs/tambahan.pem",
        "signatures/tagmanifest-sha256_txt.p7s",
        "handover/tambahan.pdf",
        "handover/1/right-0123456789abcdef.json.exe",
        "handover/1/x\n./handover/1/right-0123456789abcdef.json",
        "manifest-sha512.txt",
    ],
)
def test_the_first_step_sees_every_file_that_was_added(origin: World, package: Path, name: str) -> None:
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_bytes(b"x")
    done = run(package, steps_of(package)[TAGS])
    assert name.partition("\n")[0] in done.stdout
    assert not origin.verify(package).valid


def test_the_first_step_accepts_the_papers_of_a_handover(package: Path) -> None:
    for name in ("right-0123456789abcdef.json", "berita-acara-0123456789abcdef-0123456789abcdef.pdf"):
        (package / "handover/12").mkdir(parents=True, exist_ok=True)
        (package / "handover/12" / name).write_bytes(b"x")
    assert verdicts(package, (TAGS,)) == {TAGS: True}


def with_roots(trust: Trust, root: Path) -> Trust:
    """The log of one installation, and the seal and time of another's root."""
    roots = certificates.load_pem_files([root])
    return replace(trust, roots=(*trust.roots, *roots), stamp_roots=(*trust.stamp_roots, *roots))


def test_a_seal_by_rsa_is_accepted_too(origin: World, tmp_path: Path) -> None:
    root_key = load_private_key("root.key", (origin.keys / "root.key").read_bytes())
    own = installation.load_signer(origin.keys, clock=origin.clock).certificate
    (root,) = certificates.load_pem_files([origin.keys / "root.pem"])
    key = rsa.generate_private_key(65537, 3072)
    builder = x509.CertificateBuilder(
        issuer_name=root.subject,
        subject_name=own.subject,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=own.not_valid_before_utc,
        not_valid_after=own.not_valid_after_utc,
    )
    for kind in (x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage):
        extension = own.extensions.get_extension_for_class(kind)
        builder = builder.add_extension(extension.value, critical=extension.critical)
    signer = FileSigner(key, builder.sign(root_key, hashes.SHA256()), origin.clock)
    world = make_world(tmp_path / "rsa", segments=1, now=SystemClock().now())
    authority, trust = origin.sealer.authority, with_roots(world.trust, origin.keys / "root.pem")
    world = replace(world, sealer=replace(world.sealer, signer=signer, authority=authority), keys=origin.keys)
    package = world.unpacked(tmp_path / "case")
    for name in ("trust.pem", "tsa-trust.pem"):
        shutil.copyfile(origin.keys / "root.pem", tmp_path / "case" / name)
    assert verdicts(package, (TAGS, SEAL, WHEN)) == {TAGS: True, SEAL: True, WHEN: True}
    assert world.verify(package, trust=trust).valid


def test_seals_and_tokens_made_by_openssl_are_read_by_us(origin: World, package: Path) -> None:
    """The other direction: our verifier accepts seals and stamps made by a city's own OpenSSL."""
    folder = package.parent
    config = f"""
[tsa]
default_tsa=t
[t]
serial={folder}/serial
signer_cert={origin.keys}/tsa.pem
signer_key={origin.keys}/tsa.key
signer_digest=sha256
default_policy=1.3.6.1.4.1.99999.1.1
digests=sha256
accuracy=secs:1
ess_cert_id_alg=sha256
"""
    (folder / "tsa.cnf").write_text(config)
    (folder / "serial").write_text("01")
    done = run(
        package,
        [
            f"openssl cms -sign -binary -cades -md sha256 -outform DER -in {bag.TAG_MANIFEST} "
            f"-signer {origin.keys}/seal.pem -inkey {origin.keys}/seal.key -out {paths.SEAL}",
            f"openssl ts -query -data {paths.SEAL} -sha256 -cert -out ../q.tsq",
            f"openssl ts -reply -config ../tsa.cnf -section t -queryfile ../q.tsq -out {paths.STAMP}",
        ],
    )
    assert done.returncode == 0, done.stderr
    result = origin.verify(package, at="stamp")
    assert result.valid, result.findings


AUTHORITY = """
[req]
distinguished_name=dn
[dn]
[root]
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid:always,issuer
basicConstraints=critical,CA:true
[issuing]
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[seal]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature,nonRepudiation
extendedKeyUsage=emailProtection
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
[tsa]
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=critical,timeStamping
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
"""


def test_certificates_of_an_authority_made_with_openssl(tmp_path: Path) -> None:
    """A city's own authority, with an issuing authority between root and seal."""
    world = make_world(tmp_path / "world", segments=1, now=SystemClock().now())
    keys, of_the_log = world.keys, world.trust
    (keys / "ca.cnf").write_text(AUTHORITY)
    p256 = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -config ca.cnf"
    commands = [
        "rm -f *.pem *.key",
        f"openssl req -x509 {p256} -keyout root.key -out root.pem -days 3650 -extensions root "
        "-subj '/C=ID/O=Kota/CN=Akar'",
    ]
    for name, issuer in (("issuing", "root"), ("seal", "issuing"), ("tsa", "root")):
        commands += [
            f"openssl req {p256} -keyout {name}.key -out {name}.csr -subj '/C=ID/O=Kota/CN={name}'",
            f"openssl x509 -req -in {name}.csr -CA {issuer}.pem -CAkey {issuer}.key -CAcreateserial "
            f"-days 730 -extfile ca.cnf -extensions {name} -out {name}.pem",
        ]
    commands.append("cat issuing.pem >> seal.pem")
    done = run(keys, commands)
    assert done.returncode == 0, done.stderr
    clock = SystemClock()
    sealer = replace(
        world.sealer,
        signer=installation.load_signer(keys, clock=clock),
        authority=installation.load_local_authority(keys, clock=clock),
        clock=clock,
    )
    world = replace(world, sealer=sealer)
    package = world.unpacked(tmp_path / "case")
    for name in ("trust.pem", "tsa-trust.pem"):
        shutil.copyfile(keys / "root.pem", tmp_path / "case" / name)
    assert verdicts(package, (TAGS, SEAL, WHEN)) == {TAGS: True, SEAL: True, WHEN: True}
    trust = with_roots(of_the_log, keys / "root.pem")
    signer = certificates.fingerprint(installation.load_signer(keys, clock=clock).certificate)
    result = verify(package, trust=replace(trust, signer_sha256=signer), at="now", clock=clock)
    assert result.valid, result.findings
    assert not installation.show(keys, tsa_url="").development


def test_a_piece_is_compared_by_hand(package: Path) -> None:
    """The command of the reference page, on the first piece of the first clip."""
    stated = canonical.decode((package / paths.STATEMENT).read_bytes())
    clip = stated["derivatives"][0]
    piece = clip["pieces"][1]
    compare = (
        f"tail -c +{piece['original_offset'] + 1} {piece['original']} | head -c {piece['length']} | "
        f"cmp - <(tail -c +{piece['clip_offset'] + 1} {clip['path']} | head -c {piece['length']})"
    )
    done = run(package, ["set +o pipefail", compare])
    assert done.returncode == 0, done.stderr


def test_a_plain_cms_signature_is_not_a_seal(origin: World, package: Path) -> None:
    """Without the signing-certificate attribute OpenSSL's CAdES check fails, and ours."""
    done = run(
        package,
        [
            f"openssl cms -sign -binary -md sha256 -outform DER -in {bag.TAG_MANIFEST} "
            f"-signer {origin.keys}/seal.pem -inkey {origin.keys}/seal.key -out {paths.SEAL}"
        ],
    )
    assert done.returncode == 0, done.stderr
    assert verdicts(package, (SEAL,)) == {SEAL: False}
    result = origin.verify(package)
    assert any("signing-certificate-v2" in finding.detail for finding in result.findings)


def test_a_recorders_signature_is_checked_with_openssl(package: Path) -> None:
    """The journal's last line carries the signature over the first; the parts are step 11's."""
    batch = next((package / "data/proofs/journal").iterdir())
    key = next((package / "data/proofs/recorders").iterdir())
    assert serialization.load_pem_public_key(key.read_bytes())
    done = run(
        package,
        [
            f"head -n 1 {batch} > ../body",
            f'tail -n 1 {batch} | sed \'s/.*"sig":"//; s/".*//\' | base64 -d > ../sig',
            f"openssl pkeyutl -verify -pubin -inkey {key} -rawin -in ../body -sigfile ../sig",
        ],
    )
    assert done.returncode == 0, done.stderr
