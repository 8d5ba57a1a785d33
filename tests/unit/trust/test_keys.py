import stat
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID

from archive.clock import ManualClock
from archive.errors import AlreadyExists, IntegrityError, Malformed, NotFound
from archive.trust import certificates
from archive.trust.seal import FileSigner, load_private_key
from archive.vault import FernetBox, new_key
from ops import keys
from ops.secret_box import load_or_make_secret_box
from tests.support.packages import T0


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> Path:
    keys.init(tmp_path / "home" / "keys", clock=clock)
    return tmp_path / "home" / "keys"


def test_a_development_set_says_so_loudly(folder: Path) -> None:
    shown = keys.show(folder, tsa_url="")
    assert shown.development
    assert shown.tsa == "local"
    assert shown.trust_root == folder / "root.pem"
    for name in ("root", "seal", "tsa"):
        (certificate,) = certificates.load_pem_files([folder / f"{name}.pem"])
        assert "not for court" in certificates.subject(certificate)
    (seal,) = certificates.load_pem_files([folder / "seal.pem"])
    assert shown.signer_sha256 == certificates.fingerprint(seal)


def test_private_keys_are_for_their_owner_alone(folder: Path) -> None:
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    private = [*folder.glob("*.key")]
    assert {path.name for path in private} == {"root.key", "seal.key", "log.key", "tsa.key", "secrets.key"}
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in private}
    assert modes.pop("secrets.key") == 0o600
    assert set(modes.values()) == {0o400}
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_certificates_are_for_one_purpose_each(folder: Path) -> None:
    seal, tsa = (certificates.load_pem_files([folder / f"{name}.pem"])[0] for name in ("seal", "tsa"))
    usage = seal.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.digital_signature, usage.content_commitment, usage.key_cert_sign) == (True, True, False)
    extended = tsa.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert extended.critical
    assert list(extended.value) == [ExtendedKeyUsageOID.TIME_STAMPING]


@pytest.mark.parametrize("left", ["root", "seal", "log", "tsa"])
def test_keys_are_never_overwritten(folder: Path, clock: ManualClock, left: str) -> None:
    for name in {"root", "seal", "log", "tsa"} - {left}:
        (folder / f"{name}.key").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(AlreadyExists) as caught:
        keys.init(folder, clock=clock)
    assert caught.value.code == "keys_exist"
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


def test_a_secret_box_made_before_init_stays(tmp_path: Path, clock: ManualClock) -> None:
    sealed = load_or_make_secret_box(tmp_path / "keys").seal("rtsp://u:p@h/1")
    keys.init(tmp_path / "keys", clock=clock)
    assert keys.load_secret_box(tmp_path / "keys").open(sealed) == "rtsp://u:p@h/1"


def test_without_keys_the_hint_says_what_to_do(tmp_path: Path, clock: ManualClock) -> None:
    for load in (
        lambda: keys.show(tmp_path, tsa_url=""),
        lambda: keys.load_signer(tmp_path, clock=clock),
        lambda: keys.load_authority(tmp_path, tsa_url="", clock=clock),
        lambda: keys.load_secret_box(tmp_path),
    ):
        with pytest.raises(NotFound) as caught:
            load()
        assert caught.value.code == "keys_not_found"
        assert "saksi keys init" in caught.value.hint


def test_an_outside_authority_is_named_without_its_password(folder: Path, clock: ManualClock) -> None:
    url = "https://user:secret@tsa.example:8443/tsr/"
    assert keys.show(folder, tsa_url=url).tsa == "tsa.example:8443/tsr"
    assert keys.load_authority(folder, tsa_url=url, clock=clock).name == "tsa.example:8443/tsr"
    with pytest.raises(Malformed) as caught:
        keys.load_authority(folder, tsa_url="ftp://tsa.example", clock=clock)
    assert caught.value.code == "bad_tsa_url"


def test_a_certificate_of_another_key_is_refused(folder: Path, clock: ManualClock) -> None:
    (folder / "seal.pem").write_bytes((folder / "tsa.pem").read_bytes())
    with pytest.raises(Malformed) as caught:
        keys.load_signer(folder, clock=clock)
    assert caught.value.code == "bad_key_file"


def test_a_chain_in_the_certificate_file_goes_into_the_seal(folder: Path, clock: ManualClock) -> None:
    (folder / "seal.pem").write_bytes((folder / "seal.pem").read_bytes() + (folder / "root.pem").read_bytes())
    signer = keys.load_signer(folder, clock=clock)
    (root,) = certificates.load_pem_files([folder / "root.pem"])
    assert signer.chain_der == (certificates.to_der(root),)


def pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey, password: bytes = b"") -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption(),
    )


def test_keys_that_cannot_seal_are_refused() -> None:
    for key in (Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(Malformed, match="cannot seal"):
            load_private_key("seal.key", pem(key))
    with pytest.raises(Malformed, match="cannot be read"):
        load_private_key("seal.key", b"rubbish")


def test_an_encrypted_key_needs_its_password() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assert (
        load_private_key("seal.key", pem(key, b"rahasia"), b"rahasia").private_numbers()
        == key.private_numbers()
    )
    for wrong in (None, b"salah"):
        with pytest.raises(Malformed) as caught:
            load_private_key("seal.key", pem(key, b"rahasia"), wrong)
        assert caught.value.code == "bad_key_file"


def test_a_signer_takes_its_signing_time_from_the_clock(folder: Path, clock: ManualClock) -> None:
    from archive.trust import cms

    signer: FileSigner = keys.load_signer(folder, clock=clock)
    assert cms.decode("seal", signer.sign_cms(b"x")).signing_time == T0


def test_a_recorder_keeps_its_key(tmp_path: Path) -> None:
    first = keys.load_or_make_recorder_key(tmp_path, "rec-1")
    again = keys.load_or_make_recorder_key(tmp_path, "rec-1")
    assert first.private_bytes_raw() == again.private_bytes_raw()
    assert keys.load_or_make_recorder_key(tmp_path, "rec-2").private_bytes_raw() != first.private_bytes_raw()
    assert stat.S_IMODE((tmp_path / "recorders" / "rec-1.key").stat().st_mode) == 0o400
    (tmp_path / "recorders" / "rec-1.key").unlink()
    (tmp_path / "recorders" / "rec-1.key").write_bytes(pem(ec.generate_private_key(ec.SECP256R1())))
    with pytest.raises(Malformed):
        keys.load_or_make_recorder_key(tmp_path, "rec-1")
    with pytest.raises(Malformed):
        keys.load_or_make_recorder_key(tmp_path, "../rec")


def test_racing_first_starts_share_one_key(tmp_path: Path) -> None:
    barrier = threading.Barrier(6)
    made: list[bytes] = []

    def start() -> None:
        barrier.wait(10)
        made.append(keys.load_or_make_recorder_key(tmp_path, "rec-1").private_bytes_raw())

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(made) == 6
    assert len(set(made)) == 1


def test_secrets_open_with_their_own_key_only() -> None:
    box = FernetBox(new_key())
    sealed = box.seal("rtsp://user:p\u00e4ss@host/1")
    assert sealed.isascii()
    assert sealed != box.seal("rtsp://user:p\u00e4ss@host/1")
    assert box.open(sealed) == "rtsp://user:p\u00e4ss@host/1"
    for token in (sealed[:-4] + "AAAA", "x", "", "\u00e9", sealed.lower()):
        with pytest.raises(IntegrityError) as caught:
            box.open(token)
        assert caught.value.code == "secret_unreadable"
        assert "host" not in str(caught.value)
    with pytest.raises(IntegrityError):
        FernetBox(new_key()).open(sealed)
    with pytest.raises(Malformed):
        FernetBox(b"short")
