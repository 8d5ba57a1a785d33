"""Keys are exchanged, certified by an institution, encrypted, and never revealed."""

import logging
import stat
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from archive.clock import ManualClock
from archive.errors import ArchiveError, Conflict, IntegrityError, Malformed, NotFound, Refused, Unavailable
from archive.timespan import DAY, MINUTE
from archive.trust import certificates, cms
from ops import keys
from ops.keys import folder as files
from tests.support.key_sets import Institution, private_texts
from tests.support.packages import T0, make_world


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> Path:
    keys.init(tmp_path / "keys", clock=clock)
    return tmp_path / "keys"


@pytest.fixture
def institution(clock: ManualClock) -> Institution:
    return Institution.make(clock.now())


def signs(folder: Path, clock: ManualClock, **given: Path) -> str:
    """The fingerprint of the certificate that the set seals with; makes a trial seal."""
    signer = keys.load_signer(folder, clock=clock, **given)
    cms.check("seal", cms.decode("seal", signer.sign_cms(b"x")), b"x")
    return certificates.fingerprint(signer.certificate)


@pytest.mark.parametrize("algorithm", ["p256", "rsa3072", "rsa4096"])
def test_every_kind_of_key_signs_and_stamps(tmp_path: Path, clock: ManualClock, algorithm: str) -> None:
    keys.init(tmp_path, clock=clock, algorithm=algorithm)
    signer = keys.load_signer(tmp_path, clock=clock)
    cms.check("seal", cms.decode("seal", signer.sign_cms(b"x")), b"x")
    key = signer.certificate.public_key()
    size = 256 if algorithm == "p256" else int(algorithm.removeprefix("rsa"))
    assert isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
    assert key.key_size == size
    from archive.trust import token

    stamp = token.decode("stamp", keys.load_local_authority(tmp_path, clock=clock).stamp(b"x"))
    token.check_authority("stamp", stamp, certificates.load_pem_files([tmp_path / "root.pem"]), T0)


def test_a_package_sealed_before_a_rotation_stays_good(tmp_path: Path) -> None:
    world = make_world(tmp_path, segments=1)
    before = world.pinned()
    package = world.zip()
    keys.rotate(world.keys, "seal", clock=world.clock)
    after = world.pinned()
    assert after.signer_sha256 != before.signer_sha256
    assert world.verify(package, trust=before).valid
    found = [finding.code for finding in world.verify(package, trust=after).findings]
    assert "signer_unexpected" in found


def test_what_was_in_use_is_remembered(folder: Path, clock: ManualClock) -> None:
    first = keys.find(folder, "seal")
    clock.advance(DAY)
    second = keys.rotate(folder, "seal", clock=clock)
    found = {one.sha256: one for one in keys.certificates_of(folder) if one.role == "seal"}
    assert found[first.sha256].status is keys.Status.RETIRED
    assert found[second.sha256].status is keys.Status.CURRENT
    assert (found[first.sha256].in_use_from, found[second.sha256].in_use_from) == (T0, T0 + DAY)
    assert keys.find(folder, first.sha256[:20].upper()).certificate == first.certificate
    assert [line["action"] for line in keys.history(folder) if line["role"] == "seal"] == ["activated"] * 2
    with pytest.raises(NotFound):
        keys.find(folder, first.sha256[:8])


def test_the_old_private_key_is_gone_after_a_rotation(folder: Path, clock: ManualClock) -> None:
    old = (folder / "seal.key").read_text().splitlines()[1]
    keys.rotate(folder, "seal", clock=clock, algorithm="rsa3072")
    assert old not in private_texts(folder)
    assert not list((folder / "next").iterdir())
    assert stat.S_IMODE((folder / "seal.key").stat().st_mode) == 0o400


WRITES = ("write_private", "replace_private", "write_public", "replace_public", "move")


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("nth", range(1, 13))
def test_a_crash_at_any_write_of_a_rotation_leaves_a_set_that_seals(
    folder: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, nth: int, when: str
) -> None:
    before = signs(folder, clock)
    count = 0

    def crashing(real: Callable[..., None]) -> Callable[..., None]:
        def write(*given: object) -> None:
            nonlocal count
            count += 1
            if count == nth and when == "before":
                raise KeyboardInterrupt
            try:
                real(*given)
            finally:
                if count == nth:
                    raise KeyboardInterrupt

        return write

    with monkeypatch.context() as patch:
        for name in WRITES:
            patch.setattr(files, name, crashing(getattr(files, name)))
        try:
            keys.rotate(folder, "seal", clock=clock)
            assert count < nth
        except KeyboardInterrupt:
            pass
    amid = signs(folder, clock)
    assert amid in {one.sha256 for one in keys.certificates_of(folder)} | {before}
    done = keys.rotate(folder, "seal", clock=clock)
    assert signs(folder, clock) == done.sha256 not in {before, amid}
    known = {one.sha256 for one in keys.certificates_of(folder)}
    assert {before, amid, done.sha256} <= known
    assert not list((folder / "next").iterdir())


def test_an_institution_certifies_a_key_that_never_leaves(
    folder: Path, clock: ManualClock, institution: Institution
) -> None:
    development = signs(folder, clock)
    request = keys.request_certificate(folder, "seal", organization="Kota", name="Segel Bukti")
    assert request == keys.request_certificate(folder, "seal", organization="Kota", name="Segel Bukti") or (
        b"CERTIFICATE REQUEST" in request
    )
    assert signs(folder, clock) == development
    made = keys.import_certificate(
        folder,
        "seal",
        institution.answer("seal", request),
        now=clock.now(),
        new_roots=(institution.root,),
    )
    assert signs(folder, clock) == made.sha256 != development
    shown = keys.show(folder, tsa_url="")
    assert not shown.development
    assert shown.root_sha256 == certificates.fingerprint(institution.root)
    roots = certificates.load_pem_files([folder / "root.pem"])
    assert len(roots) == 2, "the root of the packages of before stays"
    signer = keys.load_signer(folder, clock=clock)
    chain = certificates.check_seal_chain(
        signer.certificate,
        [certificates.load_der("chain", der) for der in signer.chain_der],
        [institution.root],
        clock.now(),
    )
    assert chain[1:] == (institution.issuing, institution.root)
    (folder / "root.pem").write_bytes(institution.root.public_bytes(Encoding.PEM))
    with pytest.raises(Malformed, match="not the development root"):
        keys.rotate(folder, "seal", clock=clock)


def test_a_certificate_is_renewed_for_the_same_key(
    folder: Path, clock: ManualClock, institution: Institution
) -> None:
    key = keys.load_signer(folder, clock=clock).certificate.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    for days in (100, 200):
        pem = institution.certify("seal", key, days=days).public_bytes(Encoding.PEM)
        pem += institution.issuing.public_bytes(Encoding.PEM)
        made = keys.import_certificate(folder, "seal", pem, now=clock.now(), new_roots=(institution.root,))
        assert signs(folder, clock) == made.sha256
    assert len([one for one in keys.certificates_of(folder) if one.role == "seal"]) == 3


@pytest.mark.parametrize(
    ("flaw", "sentence"),
    [
        ("other key", "belongs neither to the waiting seal key nor"),
        ("authority", "an authority's"),
        ("purpose", "does not allow sealing"),
        ("expired", "had expired"),
        ("future", "not yet valid"),
        ("unknown root", "does not lead to a trusted root"),
        ("shared", "the log key is the same"),
        ("revoked", "is revoked"),
    ],
)
def test_an_unfit_certificate_is_refused_and_changes_nothing(
    folder: Path, clock: ManualClock, institution: Institution, flaw: str, sentence: str
) -> None:
    request = keys.request_certificate(folder, "seal", organization="Kota", name="Segel")
    roots = (institution.root,)
    answer = institution.answer("seal", request)
    match flaw:
        case "other key":
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
            answer = institution.certify("seal", key).public_bytes(Encoding.PEM)
            answer += institution.issuing.public_bytes(Encoding.PEM)
        case "authority":
            answer = institution.answer("seal", request, authority=True)
        case "purpose":
            answer = institution.answer("tsa", request)
        case "expired":
            answer = institution.answer("seal", request, begins=T0 - 30 * DAY, days=10)
        case "future":
            answer = institution.answer("seal", request, begins=T0 + DAY)
        case "unknown root":
            roots = ()
        case "shared":
            own = keys.load_log_signer(folder, clock=clock).certificate.public_key()
            assert isinstance(own, ec.EllipticCurvePublicKey)
            answer = institution.certify("seal", own).public_bytes(Encoding.PEM)
            answer += institution.issuing.public_bytes(Encoding.PEM)
        case "revoked":
            keys.import_certificate(folder, "seal", answer, now=T0, new_roots=roots)
            listed = institution.revoke([keys.find(folder, "seal").certificate.serial_number])
            keys.keep_list(folder, listed)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(Refused, match=sentence) as caught:
        keys.import_certificate(folder, "seal", answer, now=clock.now(), new_roots=roots)
    assert caught.value.code == "certificate_unfit"
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_rotation_does_not_take_the_key_an_institution_was_asked_about(
    folder: Path, clock: ManualClock
) -> None:
    keys.request_certificate(folder, "seal", organization="Kota", name="Segel")
    with pytest.raises(Conflict) as caught:
        keys.rotate(folder, "seal", clock=clock)
    assert caught.value.code == "key_request_waits"
    keys.discard_request(folder, "seal")
    keys.rotate(folder, "seal", clock=clock)
    with pytest.raises(NotFound):
        keys.discard_request(folder, "seal")


def phrase(folder: Path, role: str, text: str = "sangat rahasia 1\n", mode: int = 0o400) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{role}.passphrase"
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return folder


def test_a_key_with_a_passphrase_opens_with_it_alone(tmp_path: Path, clock: ManualClock) -> None:
    phrases = phrase(tmp_path / "credentials", "seal")
    keys.init(tmp_path / "keys", clock=clock, passphrases=phrases)
    assert b"ENCRYPTED" in (tmp_path / "keys" / "seal.key").read_bytes()
    assert b"ENCRYPTED" not in (tmp_path / "keys" / "log.key").read_bytes()
    first = signs(tmp_path / "keys", clock, passphrases=phrases)
    keys.load_log_signer(tmp_path / "keys", clock=clock, passphrases=phrases)
    rotated = keys.rotate(tmp_path / "keys", "seal", clock=clock, passphrases=phrases)
    assert signs(tmp_path / "keys", clock, passphrases=phrases) == rotated.sha256 != first
    for given in (None, phrase(tmp_path / "wrong", "seal", "salah"), tmp_path / "nowhere"):
        with pytest.raises(Malformed) as caught:
            keys.load_signer(tmp_path / "keys", clock=clock, passphrases=given)
        assert caught.value.code == "bad_key_file"


def test_a_plain_key_is_encrypted_in_place(tmp_path: Path, folder: Path, clock: ManualClock) -> None:
    before = signs(folder, clock)
    with pytest.raises(Malformed) as caught:
        keys.protect(folder, "seal", passphrases=tmp_path / "nowhere")
    assert caught.value.code == "no_passphrase"
    phrases = phrase(tmp_path / "credentials", "seal")
    keys.protect(folder, "seal", passphrases=phrases)
    keys.protect(folder, "seal", passphrases=phrases)
    assert b"ENCRYPTED" in (folder / "seal.key").read_bytes()
    assert signs(folder, clock, passphrases=phrases) == before
    with pytest.raises(Malformed):
        keys.protect(folder, "seal", passphrases=phrase(tmp_path / "wrong", "seal", "salah"))


def test_a_passphrase_that_others_can_read_is_refused(
    tmp_path: Path, folder: Path, clock: ManualClock
) -> None:
    with pytest.raises(Refused) as caught:
        keys.load_signer(folder, clock=clock, passphrases=phrase(tmp_path / "open", "seal", mode=0o444))
    assert caught.value.code == "passphrase_exposed"
    with pytest.raises(Malformed) as empty:
        keys.load_signer(folder, clock=clock, passphrases=phrase(tmp_path / "empty", "seal", "\n"))
    assert empty.value.code == "bad_passphrase"


def test_no_private_key_and_no_passphrase_is_ever_told(
    tmp_path: Path, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After any error, no message, hint, traceback, repr or log holds a line of a key."""
    caplog.set_level(logging.DEBUG)
    folder, phrases = tmp_path / "keys", phrase(tmp_path / "credentials", "seal")
    keys.init(folder, clock=clock, passphrases=phrases)
    secrets = [*private_texts(folder), "sangat rahasia 1"]
    signer = keys.load_signer(folder, clock=clock, passphrases=phrases)
    told = [repr(signer), str(signer), repr(keys.show(folder, tsa_url=""))]
    told += [repr(keys.certificates_of(folder)), repr(keys.load_local_authority(folder, clock=clock))]
    numbers = keys.load_log_signer(folder, clock=clock).key
    assert isinstance(numbers, ec.EllipticCurvePrivateKey)
    private = numbers.private_numbers().private_value
    secrets += [str(private), f"{private:x}"]

    def attempt(act: Callable[[], object]) -> None:
        with pytest.raises(ArchiveError) as caught:
            act()
        told.append("".join(traceback.format_exception(caught.value)) + caught.value.hint)

    attempt(lambda: keys.init(folder, clock=clock))
    attempt(lambda: keys.load_signer(folder, clock=clock))
    attempt(lambda: keys.load_signer(folder, clock=clock, passphrases=phrase(tmp_path / "w", "seal", "x")))
    (folder / "log.pem").write_bytes((folder / "tsa.pem").read_bytes())
    attempt(lambda: keys.load_log_signer(folder, clock=clock))
    torn = (folder / "log.key").read_bytes()
    (folder / "log.key").unlink()
    (folder / "log.key").write_bytes(torn[:150])
    attempt(lambda: keys.load_log_signer(folder, clock=clock))
    for text in [*told, caplog.text]:
        assert not [secret for secret in secrets if secret in text]


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (lambda folder, clock: keys.rotate(folder, "root", clock=clock), "bad_key_role"),
        (
            lambda folder, clock: keys.rotate(folder, "seal", clock=clock, algorithm="dsa"),
            "bad_key_algorithm",
        ),
        (
            lambda folder, clock: keys.request_certificate(folder, "seal", organization="", name=""),
            "bad_subject",
        ),
        (lambda folder, clock: keys.import_certificate(folder, "seal", b"x", now=T0), "bad_certificate"),
    ],
)
def test_bad_input_is_named(
    folder: Path, clock: ManualClock, act: Callable[[Path, ManualClock], object], code: str
) -> None:
    with pytest.raises(Malformed) as caught:
        act(folder, clock)
    assert caught.value.code == code


def test_what_ends_soon_is_known(folder: Path, clock: ManualClock) -> None:
    found = {one.what: one.at for one in keys.deadlines(folder, tsa_url="")}
    start = T0 - 5 * MINUTE
    for role in ("seal", "log", "tsa"):
        assert found[f"the {role} certificate"] == start + 730 * DAY
    assert found["the trust root"] == start + 3650 * DAY
    assert [at for what, at in found.items() if "revocation list" in what] == [start + 365 * DAY]
    outside = [one.what for one in keys.deadlines(folder, tsa_url="https://tsa.example")]
    assert "the tsa certificate" not in outside


def test_a_folder_that_cannot_be_written_says_so(folder: Path, clock: ManualClock) -> None:
    (folder / "next").write_text("in the way")
    with pytest.raises(Unavailable) as caught:
        keys.rotate(folder, "seal", clock=clock)
    assert caught.value.code == "keys_unwritable"


def test_a_history_that_cannot_be_read_is_not_passed_over(folder: Path) -> None:
    (folder / "trust" / "history.jsonl").write_bytes(b"{}x\n")
    with pytest.raises(Malformed) as caught:
        keys.certificates_of(folder)
    assert caught.value.code == "bad_key_history"


def test_a_list_in_the_authoritys_name_is_refused(folder: Path, institution: Institution) -> None:
    with pytest.raises(IntegrityError) as caught:
        keys.keep_list(folder, institution.revoke([1]))
    assert caught.value.code == "crl_not_authentic"
