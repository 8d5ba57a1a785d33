"""Keys, requests, certificates, lists and stamps, exchanged with ``openssl`` in both directions."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.errors import Refused
from archive.evidence import bag, papers, paths
from archive.trust import certificates, revocation
from ops import keys
from tests.support.packages import World, make_world
from tests.support.programs import required


@pytest.fixture(scope="module", autouse=True)
def witnesses() -> None:
    required("openssl")


AUTHORITY = """
[ca]
default_ca=own
[own]
dir=.
database=index.txt
serial=serial
crlnumber=crlnumber
new_certs_dir=.
certificate=issuing.pem
private_key=issuing.key
default_md=sha256
default_days=365
default_crl_days=30
policy=any
copy_extensions=copy
unique_subject=no
[any]
countryName=optional
organizationName=optional
commonName=supplied
[req]
distinguished_name=dn
[dn]
[root]
subjectKeyIdentifier=hash
basicConstraints=critical,CA:true
keyUsage=critical,keyCertSign,cRLSign
[issuing]
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
basicConstraints=critical,CA:true,pathlen:0
keyUsage=critical,keyCertSign,cRLSign
[own_crl]
authorityKeyIdentifier=keyid:always
"""


def openssl(folder: Path, *words: str, good: bool = True) -> str:
    done = subprocess.run(
        ["openssl", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "LC_ALL": "C"},
    )
    assert (done.returncode == 0) is good, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    """An institution's authority, made and run by openssl: a root, and an issuing authority."""
    folder = tmp_path / "authority"
    folder.mkdir()
    (folder / "ca.cnf").write_text(AUTHORITY)
    (folder / "index.txt").write_text("")
    (folder / "serial").write_text("1000\n")
    (folder / "crlnumber").write_text("01\n")
    new = ("-newkey", "rsa:3072", "-nodes", "-config", "ca.cnf")
    openssl(
        folder, "req", "-x509", *new, "-keyout", "root.key", "-out", "root.pem", "-days", "3650",
        "-extensions", "root", "-subj", "/C=ID/O=Lembaga/CN=Akar",
    )  # fmt: skip
    openssl(
        folder,
        "req",
        *new,
        "-keyout",
        "issuing.key",
        "-out",
        "issuing.csr",
        "-subj",
        "/C=ID/O=Lembaga/CN=Penerbit",
    )
    openssl(
        folder, "x509", "-req", "-in", "issuing.csr", "-CA", "root.pem", "-CAkey", "root.key",
        "-CAcreateserial", "-days", "1800", "-extfile", "ca.cnf", "-extensions", "issuing",
        "-out", "issuing.pem",
    )  # fmt: skip
    return folder


def certify(authority: Path, keys_dir: Path, role: str, algorithm: str = "p256", **given: Path) -> keys.Known:
    """Make a request, have openssl certify it, and import the certificate."""
    request = keys.request_certificate(
        keys_dir, role, organization="Kota Contoh", name=f"Kunci {role}", algorithm=algorithm, **given
    )
    (authority / f"{role}.csr").write_bytes(request)
    assert "verify OK" in openssl(authority, "req", "-in", f"{role}.csr", "-noout", "-verify")
    openssl(
        authority, "ca", "-batch", "-notext", "-config", "ca.cnf", "-in", f"{role}.csr", "-out", f"{role}.pem"
    )
    pem = (authority / f"{role}.pem").read_bytes() + (authority / "issuing.pem").read_bytes()
    return keys.import_certificate(
        keys_dir,
        role,
        pem,
        now=SystemClock().now(),
        new_roots=certificates.load_pem_files([authority / "root.pem"]),
        **given,
    )


def import_list(authority: Path, keys_dir: Path) -> None:
    openssl(authority, "ca", "-gencrl", "-config", "ca.cnf", "-crlexts", "own_crl", "-out", "list.crl")
    for crl in revocation.load_files([authority / "list.crl"]):
        keys.keep_list(keys_dir, crl)


def sealed(world: World, into: Path) -> tuple[World, Path]:
    """A package sealed with the present keys, with its papers, unpacked."""
    clock = SystemClock()
    signer = keys.load_signer(world.keys, clock=clock)
    sealer = replace(
        world.sealer,
        signer=signer,
        authority=keys.load_local_authority(world.keys, clock=clock),
        clock=clock,
        papers=partial(keys.load_papers, world.keys, signer, tsa_url=""),
    )
    world = replace(world, sealer=sealer)
    return world, world.unpacked(into)


def verify_seal(package: Path, *more: str, good: bool = True) -> str:
    return openssl(
        package, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", paths.SEAL,
        "-content", bag.TAG_MANIFEST, "-out", os.devnull, *more, good=good,
    )  # fmt: skip


def trust_file(package: Path, parts: Sequence[Path]) -> str:
    path = package.parent / "trust.pem"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return str(path)


@pytest.mark.parametrize("algorithm", ["p256", "rsa3072", "rsa4096"])
def test_an_institutions_keys_from_request_to_package(
    tmp_path: Path, authority: Path, algorithm: str
) -> None:
    """Certified by openssl; package, stamp, chain and list accepted by openssl and by us."""
    world = make_world(tmp_path / "world", segments=1, now=SystemClock().now())
    development = world.folder / "development.pem"
    shutil.copyfile(world.keys / "root.pem", development)
    keys.rotate(world.keys, "tsa", clock=SystemClock(), algorithm=algorithm)
    for role in ("seal", "log"):
        certify(authority, world.keys, role, algorithm)
    import_list(authority, world.keys)
    world, package = sealed(world, tmp_path / "case")
    chain, lists = package / papers.SEAL_CHAIN, sorted((package / paths.CERTIFICATES).glob("*.crl"))
    assert len(lists) == 2, "of the issuing authority, and of the stamp's"
    issuer = certificates.load_pem_files([authority / "issuing.pem"])[0].subject
    lists = [path for path in lists if revocation.load_files([path])[0].issuer == issuer]
    root = str(authority / "root.pem")
    verify_seal(package, "-CAfile", root)
    # only the issuing authority's list: openssl checks the end certificate, which is the seal's
    with_list = trust_file(package, [authority / "root.pem", *lists])
    verify_seal(package, "-CAfile", with_list, "-crl_check")
    openssl(
        package, "verify", "-CAfile", root, "-untrusted", str(chain), "-CRLfile", str(lists[0]),
        "-crl_check", str(chain),
    )  # fmt: skip
    openssl(
        package, "ts", "-verify", "-data", paths.SEAL, "-in", paths.STAMP, "-CAfile", str(development),
    )  # fmt: skip
    # the development log key signed the earlier checkpoint
    trust = replace(world.pinned(), crls=revocation.load_files(lists), log_sha256=None)
    result = world.verify(package, trust=trust, at="stamp")
    assert result.valid, result.findings


def test_openssl_and_we_agree_on_a_revoked_key(tmp_path: Path, authority: Path) -> None:
    world = make_world(tmp_path / "world", segments=1, now=SystemClock().now())
    certify(authority, world.keys, "seal")
    import_list(authority, world.keys)
    world, package = sealed(world, tmp_path / "case")
    openssl(
        authority, "ca", "-config", "ca.cnf", "-revoke", "seal.pem", "-crl_reason", "keyCompromise",
        "-crl_compromise", "20200101000000Z",
    )  # fmt: skip
    import_list(authority, world.keys)
    with_list = trust_file(package, [authority / "root.pem", authority / "list.crl"])
    assert "revoked" in verify_seal(package, "-CAfile", with_list, "-crl_check", good=False)
    crls = revocation.load_files([authority / "list.crl"])
    (one,) = crls[0]
    assert one.serial_number == keys.find(world.keys, "seal").certificate.serial_number
    trust = replace(world.trust, crls=crls)
    result = world.verify(package, trust=trust, at="stamp")
    assert "certificate_revoked" in {f.code for f in result.findings}
    with pytest.raises(Refused):
        keys.load_signer(world.keys, clock=SystemClock())


def test_the_development_list_is_openssls_too(tmp_path: Path) -> None:
    """Before a revocation openssl accepts with the package's own list; after it, it refuses with the new."""
    world = make_world(tmp_path / "world", segments=1, now=SystemClock().now())
    world, package = sealed(world, tmp_path / "case")
    (packed,) = (package / paths.CERTIFICATES).glob("*.crl")
    root = world.keys / "root.pem"
    openssl(tmp_path, "crl", "-in", str(packed), "-noout", "-CAfile", str(root))
    verify_seal(package, "-CAfile", trust_file(package, [root, packed]), "-crl_check")
    keys.revoke(world.keys, "seal", reason="superseded", clock=SystemClock())
    (kept,) = (world.keys / "trust").glob("*.crl")
    refused = verify_seal(package, "-CAfile", trust_file(package, [root, kept]), "-crl_check", good=False)
    assert "revoked" in refused
    codes = {
        f.code
        for f in world.verify(
            package, trust=replace(world.trust, crls=revocation.load_files([kept]))
        ).findings
    }
    assert "certificate_revoked_later" in codes or "certificate_revoked" in codes


def test_an_encrypted_key_is_pkcs8_to_openssl(tmp_path: Path) -> None:
    phrases = tmp_path / "credentials"
    phrases.mkdir()
    (phrases / "seal.passphrase").write_text("kata sandi yang panjang\n")
    (phrases / "seal.passphrase").chmod(0o400)
    keys.init(tmp_path / "keys", clock=SystemClock(), passphrases=phrases)
    given = ("-passin", f"file:{phrases / 'seal.passphrase'}")
    public = openssl(tmp_path, "pkey", "-in", "keys/seal.key", *given, "-pubout")
    assert public == openssl(tmp_path, "x509", "-in", "keys/seal.pem", "-noout", "-pubkey")
    openssl(tmp_path, "pkey", "-in", "keys/seal.key", "-passin", "pass:salah", "-noout", good=False)


def test_a_key_made_and_encrypted_by_openssl_seals(tmp_path: Path, authority: Path) -> None:
    """The other direction: an officer's own PKCS #8 key replaces ours."""
    world = make_world(tmp_path / "world", segments=1, now=SystemClock().now())
    phrases = tmp_path / "credentials"
    phrases.mkdir()
    (phrases / "seal.passphrase").write_text("rahasia")
    (phrases / "seal.passphrase").chmod(0o400)
    (world.keys / "seal.key").unlink()
    openssl(
        world.keys, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-aes-256-cbc",
        "-pass", f"file:{phrases / 'seal.passphrase'}", "-out", "seal.key",
    )  # fmt: skip
    openssl(
        authority, "req", "-new", "-key", str(world.keys / "seal.key"), "-passin", "pass:rahasia",
        "-subj", "/C=ID/O=Kota/CN=Segel", "-config", "ca.cnf", "-out", "own.csr",
        "-addext", "keyUsage=critical,digitalSignature,nonRepudiation",
        "-addext", "extendedKeyUsage=emailProtection",
    )  # fmt: skip
    openssl(authority, "ca", "-batch", "-notext", "-config", "ca.cnf", "-in", "own.csr", "-out", "own.pem")
    pem = (authority / "own.pem").read_bytes() + (authority / "issuing.pem").read_bytes()
    keys.import_certificate(
        world.keys,
        "seal",
        pem,
        now=SystemClock().now(),
        new_roots=certificates.load_pem_files([authority / "root.pem"]),
        passphrases=phrases,
    )
    signer = keys.load_signer(world.keys, clock=SystemClock(), passphrases=phrases)
    (tmp_path / "content").write_bytes(b"x\r\n")
    (tmp_path / "content.p7s").write_bytes(signer.sign_cms(b"x\r\n"))
    openssl(
        tmp_path, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "content.p7s",
        "-content", "content", "-out", os.devnull, "-CAfile", str(authority / "root.pem"),
    )  # fmt: skip


def test_published_fingerprints_are_what_openssl_prints(tmp_path: Path) -> None:
    keys.init(tmp_path / "keys", clock=SystemClock())
    keys.publish(tmp_path / "keys", tmp_path / "out", organization="Kota", clock=SystemClock())
    text = (tmp_path / "out" / "fingerprints.txt").read_text().replace("\n            ", "")
    for path in sorted((tmp_path / "out").glob("*-*.pem")):
        shown = openssl(tmp_path, "x509", "-in", str(path), "-noout", "-fingerprint", "-sha256")
        assert shown.strip().partition("=")[2] in text
