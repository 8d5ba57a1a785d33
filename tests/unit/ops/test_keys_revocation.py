"""Revocation: packages stamped before stay valid, later ones are not; lists can only revoke."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.evidence import papers, paths
from archive.evidence.verifier import revocation as judge
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.openssl import Openssl
from archive.timespan import DAY, SECOND
from archive.trust import certificates, revocation
from archive.trust.judge import Severity, load_trust
from ops import keys
from ops.keys import issuing
from tests.support import verifying
from tests.support.key_sets import Institution
from tests.support.packages import World, make_world


def with_papers(world: World) -> World:
    give = partial(keys.load_papers, world.keys, world.sealer.signer, tsa_url="")
    return replace(world, sealer=replace(world.sealer, papers=give))


program = verifying.program


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = with_papers(make_world(tmp_path_factory.mktemp("origin"), segments=1))
    world.unpacked(world.folder / "case")
    return world


@pytest.fixture
def world(origin: World, tmp_path: Path) -> World:
    """The sealed package, and keys that may be revoked."""
    shutil.copytree(origin.keys, tmp_path / "keys")
    return replace(origin, keys=tmp_path / "keys")


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    shutil.copytree(origin.folder / "case", tmp_path / "case", copy_function=shutil.copyfile)
    return tmp_path / "case" / origin.plan.evidence_id


def found(world: World, package: Path, *, brought: bool = True) -> dict[str, Severity]:
    """Codes of the verdict, with the revocation lists of the keys' folder."""
    crls = sorted((world.keys / "trust").glob("*.crl")) if brought else []
    trust = replace(world.pinned(), crls=revocation.load_files(crls))
    return {finding.code: finding.severity for finding in world.verify(package, trust=trust).findings}


def revoked(world: World, what: str, at: int, **terms: object) -> None:
    clock = type(world.clock)(at)
    given = {"reason": "keyCompromise", **terms}
    keys.revoke(world.keys, what, clock=clock, **given)  # type: ignore[arg-type]


def test_a_package_takes_its_papers_along_and_is_whole(world: World, package: Path) -> None:
    present = {str(path.relative_to(package)) for path in (package / paths.CERTIFICATES).iterdir()}
    assert {papers.SEAL_CHAIN, papers.STAMP_CHAIN} <= present
    assert len([path for path in present if path.endswith(".crl")]) == 1
    assert found(world, package) == {}


@pytest.mark.parametrize(
    ("delta", "since", "verdict"),
    [
        (1 * SECOND, None, "certificate_revoked_later"),
        (DAY, None, "certificate_revoked_later"),
        (0, None, "certificate_revoked"),
        (-1 * SECOND, None, "certificate_revoked"),
        (DAY, -1 * SECOND, "certificate_revoked"),
        (DAY, 1 * SECOND, "certificate_revoked_later"),
    ],
)
def test_the_time_of_the_stamp_decides(
    world: World, package: Path, delta: int, since: int | None, verdict: str
) -> None:
    stamped = world.verify(package).gen_time
    assert stamped is not None
    revoked(world, "seal", stamped + delta, since=None if since is None else stamped + since)
    severity = Severity.ERROR if verdict == "certificate_revoked" else Severity.WARNING
    assert found(world, package) == {verdict: severity}


def test_without_a_trusted_stamp_nothing_is_known_to_be_from_before(world: World, package: Path) -> None:
    revoked(world, "seal", world.clock.now() + DAY)
    (package / paths.STAMP).unlink()
    assert found(world, package)["certificate_revoked"] == Severity.ERROR


@pytest.mark.parametrize(
    ("reason", "delta", "verdict"),
    [
        ("keyCompromise", DAY, "certificate_revoked"),
        ("superseded", DAY, "certificate_revoked_later"),
        ("cessationOfOperation", DAY, "certificate_revoked_later"),
        ("affiliationChanged", DAY, "certificate_revoked_later"),
        ("unspecified", DAY, "certificate_revoked_later"),
        ("superseded", -DAY, "certificate_revoked"),
    ],
)
def test_a_stamp_is_only_as_good_as_its_key(
    world: World, package: Path, reason: str, delta: int, verdict: str
) -> None:
    revoked(world, "tsa", world.clock.now() + delta, reason=reason)
    assert list(found(world, package)) == [verdict]


def test_a_stamp_that_fell_vouches_for_no_seal(world: World, package: Path) -> None:
    """Seal and stamp are revoked: nothing proves any more that the seal is older."""
    revoked(world, "tsa", world.clock.now() + DAY)
    revoked(world, "seal", world.clock.now() + DAY)
    crls = revocation.load_files(sorted((world.keys / "trust").glob("*.crl")))
    result = world.verify(package, trust=replace(world.pinned(), crls=crls))
    fell = [finding.path for finding in result.findings if finding.code == "certificate_revoked"]
    assert {paths.SEAL, paths.STAMP} <= set(fell)


def test_a_list_inside_the_package_condemns_too(world: World, package: Path) -> None:
    revoked(world, "seal", world.clock.now() - SECOND)
    (listed,) = (world.keys / "trust").glob("*.crl")
    shutil.copyfile(listed, package / paths.CERTIFICATES / listed.name)
    assert found(world, package, brought=False) == {"certificate_revoked": Severity.ERROR}


def test_an_old_list_inside_acquits_nobody(world: World, package: Path) -> None:
    """The package still has the earlier list; the reader's list is newer."""
    revoked(world, "seal", world.clock.now() - SECOND)
    assert found(world, package, brought=False) == {}
    assert found(world, package)["certificate_revoked"] == Severity.ERROR


def test_a_stranger_can_neither_condemn_nor_slip_a_list_in(world: World, package: Path) -> None:
    stranger = make_world(world.keys.parent / "stranger", segments=1)
    serial = world.sealer.signer.certificate.serial_number  # type: ignore[attr-defined]
    root, key = _root(stranger)
    entry = issuing.revoked_entry(serial, at=world.clock.now() - DAY, since=None, reason="keyCompromise")
    forged = issuing.revocation_list(root, key, [entry], number=99, now=world.clock.now())
    trust = replace(world.pinned(), crls=(forged,))
    assert [f.code for f in world.verify(package, trust=trust).findings] == ["revocation_unknown"]
    (kept,) = [path for path in (package / paths.CERTIFICATES).glob("*.crl")]
    kept.write_bytes(revocation.to_pem(forged))
    assert found(world, package, brought=False) == {"crl_not_authentic": Severity.ERROR}


def test_a_stale_list_is_named(world: World, package: Path) -> None:
    world.clock.advance(400 * DAY)
    try:
        assert found(world, package) == {"crl_stale": Severity.WARNING}
    finally:
        world.clock.advance(-400 * DAY)


def flip(path: Path, random: Random) -> None:
    data = bytearray(path.read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def truncate(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes()[: random.randrange(path.stat().st_size)])


def extend(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes() + b"\n")


def rename(path: Path, random: Random) -> None:
    path.rename(path.with_name(f"x{path.name}"))


def add(path: Path, random: Random) -> None:
    path.with_name("added.txt").write_bytes(b"x")


def double(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes() * 2)


PAPER_CODES = {"bad_certificate", "bad_crl", "crl_not_authentic", "paper_foreign"}


@pytest.mark.parametrize("change", [flip, truncate, extend, rename, add, double])
def test_every_change_of_a_paper_is_seen(
    world: World, package: Path, tmp_path: Path, change: Callable[[Path, Random], None]
) -> None:
    random = Random(change.__name__)  # noqa: S311 - the same changes each time
    for name in sorted(path.name for path in (package / paths.CERTIFICATES).iterdir()):
        for number in range(4 if change in (flip, truncate) else 1):
            copy = tmp_path / f"{name}-{number}" / package.name
            shutil.copytree(package, copy)
            change(copy / paths.CERTIFICATES / name, random)
            codes = found(world, copy, brought=False)
            assert PAPER_CODES & {code for code, s in codes.items() if s == Severity.ERROR}, (name, number)
            shutil.rmtree(copy)


def test_every_flipped_bit_of_a_paper_is_told_from_it(package: Path, program: Openssl) -> None:
    folder = package / paths.CERTIFICATES
    whole_chains = {p.name: judge.read_chain(program, p.read_bytes()) for p in folder.glob("*.pem")}
    chain = whole_chains["seal-chain.pem"]
    for path in sorted(folder.iterdir()):
        whole = path.read_bytes()
        for at in range(len(whole)):
            data = bytearray(whole)
            data[at] ^= 1 << (at % 8)
            try:
                if path.suffix == papers.LISTS:
                    found = judge.read(bytes(data))
                    same = len(found) == 1 and found[0].pem == data
                    assert not (same and judge.is_authentic(program, found[0], chain[-1])), (path.name, at)
                else:
                    got = judge.read_chain(program, bytes(data))
                    ends = any(judge.is_issued(program, got[-1], one) for one in (chain[-1], got[-1]))
                    assert got[0] != whole_chains[path.name][0] or not ends, (path.name, at)
            except Broken:
                continue


def test_papers_of_another_package_are_foreign(world: World, package: Path) -> None:
    other = make_world(world.keys.parent / "other", segments=1)
    chain = keys.load_papers(other.keys, other.sealer.signer, tsa_url="")
    for path in (papers.SEAL_CHAIN, papers.STAMP_CHAIN):
        (package / path).write_bytes(chain[path])
    assert found(world, package, brought=False) == {"paper_foreign": Severity.ERROR}


# Lists and their keeping -----------------------------------------------------------------------------


def _root(world: World) -> tuple[x509.Certificate, issuing.PrivateKey]:
    from archive.trust.seal import load_private_key

    (root,) = certificates.load_pem_files([world.keys / "root.pem"])
    return root, load_private_key("root.key", (world.keys / "root.key").read_bytes())


def test_a_revoked_key_signs_nothing_more_until_it_is_exchanged(world: World) -> None:
    revoked(world, "seal", world.clock.now())
    with pytest.raises(Refused) as caught:
        keys.load_signer(world.keys, clock=world.clock)
    assert caught.value.code == "certificate_revoked"
    keys.load_log_signer(world.keys, clock=world.clock)
    keys.rotate(world.keys, "seal", clock=world.clock)
    keys.load_signer(world.keys, clock=world.clock)
    assert [one.status for one in keys.certificates_of(world.keys) if one.role == "seal"] == [
        keys.Status.CURRENT,
        keys.Status.REVOKED,
    ]


def test_revocations_add_up_and_are_never_taken_back(world: World) -> None:
    (before,) = revocation.load_files((world.keys / "trust").glob("*.crl"))
    first = keys.find(world.keys, "seal").sha256
    revoked(world, "seal", world.clock.now(), reason="superseded")
    revoked(world, "tsa", world.clock.now())
    with pytest.raises(Conflict):
        revoked(world, first, world.clock.now())
    keys.renew_list(world.keys, clock=world.clock)
    (after,) = revocation.load_files((world.keys / "trust").glob("*.crl"))
    assert len(list(after)) == 2
    assert revocation.number_of(after) == revocation.number_of(before) + 3
    with pytest.raises(Refused) as caught:
        keys.keep_list(world.keys, before)
    assert caught.value.code == "crl_older"
    keys.keep_list(world.keys, after)


@pytest.mark.parametrize(
    ("terms", "code"), [({"reason": "boredom"}, "bad_reason"), ({"since": 1 << 52}, "bad_since")]
)
def test_bad_revocations_are_refused(world: World, terms: dict[str, object], code: str) -> None:
    with pytest.raises(Malformed) as caught:
        revoked(world, "seal", world.clock.now(), **terms)
    assert caught.value.code == code


def test_another_authoritys_certificate_is_not_ours_to_revoke(world: World) -> None:
    institution = Institution.make(world.clock.now())
    request = keys.request_certificate(world.keys, "seal", organization="Kota", name="Segel")
    answer = institution.answer("seal", request)
    made = keys.import_certificate(
        world.keys, "seal", answer, now=world.clock.now(), new_roots=(institution.root,)
    )
    with pytest.raises(Refused) as caught:
        revoked(world, "seal", world.clock.now())
    assert caught.value.code == "not_our_certificate"
    keys.keep_list(world.keys, institution.revoke([made.certificate.serial_number]))
    assert keys.find(world.keys, "seal").status is keys.Status.REVOKED


def test_a_chain_is_condemned_by_its_issuing_authority_too(world: World) -> None:
    """The intermediate authority is on the root's list."""
    institution = Institution.make(world.clock.now())
    key = certificates.load_pem_files([world.keys / "seal.pem"])[0].public_key()
    own = institution.certify("seal", key)  # type: ignore[arg-type]
    root, root_key = _root(world)
    middle = issuing.revocation_list(
        root,
        root_key,
        [issuing.revoked_entry(institution.issuing.serial_number, at=1, since=None, reason="superseded")],
        number=1,
        now=world.clock.now(),
    )
    chain = (own, institution.issuing, root)
    (one,) = revocation.revocations(chain, (middle,))
    assert one.certificate == institution.issuing


def test_lists_are_read_in_both_forms_and_partial_ones_are_refused(world: World, tmp_path: Path) -> None:
    (path,) = (world.keys / "trust").glob("*.crl")
    (crl,) = revocation.load_files([path])
    assert revocation.load("der", crl.public_bytes(Encoding.DER)) == (crl,)
    assert revocation.load("two", path.read_bytes() * 2) == (crl, crl)
    root, key = _root(world)
    base = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(root.subject)
        .last_update(crl.last_update_utc)
        .next_update(crl.next_update_utc)  # type: ignore[arg-type]
    )
    point = x509.IssuingDistributionPoint(None, None, False, False, None, True, False)
    from cryptography.hazmat.primitives.hashes import SHA256

    for extension in (
        x509.DeltaCRLIndicator(1),
        point,
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"),
    ):
        partial_one = base.add_extension(extension, critical=True).sign(key, SHA256())
        with pytest.raises(Malformed) as caught:
            revocation.load("partial", partial_one.public_bytes(Encoding.DER))
        assert caught.value.code == "bad_crl"
    for rubbish in (b"", b"x", b"-----BEGIN X509 CRL-----\n", bytes(5 << 20)):
        with pytest.raises(Malformed):
            revocation.load("rubbish", rubbish)
    with pytest.raises(NotFound):
        load_trust([world.keys / "root.pem"], [], None, crls=[tmp_path / "no.crl"])


def test_a_list_altered_in_the_keys_folder_stops_sealing(world: World) -> None:
    (path,) = (world.keys / "trust").glob("*.crl")
    stranger = make_world(world.keys.parent / "stranger", segments=1)
    root, key = _root(stranger)
    path.write_bytes(revocation.to_pem(issuing.revocation_list(root, key, [], number=9, now=1 << 50)))
    with pytest.raises(IntegrityError) as caught:
        keys.load_papers(world.keys, world.sealer.signer, tsa_url="")
    assert caught.value.code == "crl_not_authentic"
