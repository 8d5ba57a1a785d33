"""One set of seals, stamps and revocations, good and bad, before both judges.

``archive.trust`` and its readers judge the archive's own log and papers; the verifier judges packages. They
share no code, so each is held to the same answers here.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest
from asn1crypto import cms as asn1
from cryptography.hazmat.primitives.serialization import Encoding

from archive.errors import IntegrityError, Malformed
from archive.evidence.verifier import certificate as der
from archive.evidence.verifier import cms as reading
from archive.evidence.verifier import revocation as lists
from archive.evidence.verifier import trust as judging
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.openssl import Openssl
from archive.timespan import DAY, SECOND
from archive.trust import certificates, cms, revocation, token
from archive.trust.judge import Trust
from archive.trust.timestamp import LocalAuthority
from ops import keys
from tests.support import verifying
from tests.support.packages import World, make_world, sibling_signer

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")

CONTENT = b"what was signed\n"
YEAR = 365 * DAY
program = verifying.program


@dataclass(frozen=True)
class Given:
    """What a judge is given: signature or stamp, what it is over, whom to trust, and when."""

    data: bytes
    content: bytes
    trust: Trust
    at: int
    stamped: int | None = None


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("world"), segments=1, clips=False)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(tmp_path_factory.mktemp("stranger"), segments=1, clips=False)


def code_of(judge: Callable[[], object]) -> str:
    try:
        judge()
    except (Malformed, IntegrityError, Broken) as error:
        return error.code
    return ""


def our_seal(given: Given) -> str:
    def judge() -> None:
        found = cms.decode("x", given.data)
        cms.check("x", found, given.content)
        chain = certificates.check_seal_chain(found.certificate, found.others, given.trust.roots, given.at)
        revocation.check_seal(chain, given.trust.crls, given.stamped)

    return code_of(judge)


def their_seal(given: Given, program: Openssl) -> str:
    def judge() -> None:
        trust = handed(given.trust, program)
        found = judging.check_signature(trust, given.data, given.content, given.at)
        chain = lists.chain_of(found.certificate, found.others, trust.roots)
        lists.check_seal(program, chain, trust.lists, given.stamped)

    return code_of(judge)


def our_stamp(given: Given) -> str:
    def judge() -> None:
        found = token.decode("x", given.data)
        token.check_imprint("x", found, given.content)
        chain = token.check_authority("x", found, given.trust.stamp_roots, given.at)
        revocation.check_stamp(chain, given.trust.crls, found.gen_time)

    return code_of(judge)


def their_stamp(given: Given, program: Openssl) -> str:
    def judge() -> None:
        trust = handed(given.trust, program)
        found = reading.read_token(given.data)
        judging.check_stamp(trust, found, given.data, given.content, given.at)
        assert found.certificate is not None
        chain = lists.chain_of(found.certificate, found.others, trust.stamp_roots)
        lists.check_stamp(program, chain, trust.lists, found.gen_time)

    return code_of(judge)


def handed(trust: Trust, program: Openssl) -> judging.Trust:
    roots = tuple(der.read(certificates.to_der(one)) for one in trust.roots)
    crls = tuple(one for crl in trust.crls for one in lists.read(crl.public_bytes(Encoding.DER)))
    return judging.Trust(roots, roots, openssl=program, lists=crls)


def flipped(data: bytes, at: int = -1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)


def as_seal(world: World) -> Given:
    seal = world.sealer.signer.sign_cms(CONTENT)
    return Given(seal, CONTENT, world.trust, world.clock.now(), world.clock.now())


def as_stamp(world: World) -> Given:
    return Given(world.sealer.authority.stamp(CONTENT), CONTENT, world.trust, world.clock.now())


def sealed_by_the_authority(world: World) -> Given:
    local = keys.load_local_authority(world.keys, clock=world.clock)
    signer = replace(
        keys.load_signer(world.keys, clock=world.clock), key=local.key, certificate=local.certificate
    )
    return replace(as_seal(world), data=signer.sign_cms(CONTENT))


def stamped_by_the_sealer(world: World) -> Given:
    signer = keys.load_signer(world.keys, clock=world.clock)
    return replace(
        as_stamp(world), data=LocalAuthority(signer.key, signer.certificate, world.clock).stamp(CONTENT)
    )


def without_certificates(given: Given) -> Given:
    info = asn1.ContentInfo.load(given.data)
    info["content"]["certificates"] = None
    return replace(given, data=info.dump(force=True))


def attached(given: Given) -> Given:
    info = asn1.ContentInfo.load(given.data)
    info["content"]["encap_content_info"]["content"] = CONTENT
    return replace(given, data=info.dump(force=True))


SEALS: list[tuple[str, Callable[[World, World], Given], set[str]]] = [
    ("good", lambda w, s: as_seal(w), {""}),
    ("over other bytes", lambda w, s: replace(as_seal(w), content=CONTENT + b"x"), {"seal_content"}),
    (
        "flipped at its end",
        lambda w, s: replace(as_seal(w), data=flipped(as_seal(w).data)),
        {"seal_signature"},
    ),
    ("cut", lambda w, s: replace(as_seal(w), data=as_seal(w).data[:-1]), {"bad_cms"}),
    ("longer", lambda w, s: replace(as_seal(w), data=as_seal(w).data + b"\0"), {"bad_cms"}),
    ("empty", lambda w, s: replace(as_seal(w), data=b""), {"bad_cms"}),
    ("a stamp", lambda w, s: replace(as_seal(w), data=as_stamp(w).data), {"bad_cms"}),
    ("text", lambda w, s: replace(as_seal(w), data=b"-----BEGIN CMS-----\n"), {"bad_cms"}),
    ("without its certificate", lambda w, s: without_certificates(as_seal(w)), {"seal_form", "bad_cms"}),
    ("with content of its own", lambda w, s: attached(as_seal(w)), {"seal_form"}),
    ("of a sibling", lambda w, s: replace(as_seal(w), data=sibling_signer(w).sign_cms(CONTENT)), {""}),
    ("of a stranger", lambda w, s: replace(as_seal(s), trust=w.trust), {"chain_broken"}),
    (
        "nobody is trusted",
        lambda w, s: replace(as_seal(w), trust=Trust(roots=(), stamp_roots=())),
        {"no_trust"},
    ),
    (
        "ten years later",
        lambda w, s: replace(as_seal(w), at=w.clock.now() + 10 * YEAR),
        {"certificate_expired"},
    ),
    (
        "two years before",
        lambda w, s: replace(as_seal(w), at=w.clock.now() - 2 * YEAR),
        {"certificate_expired"},
    ),
    ("by the time-stamping key", lambda w, s: sealed_by_the_authority(w), {"wrong_key_usage"}),
]
STAMPS: list[tuple[str, Callable[[World, World], Given], set[str]]] = [
    ("good", lambda w, s: as_stamp(w), {""}),
    ("over other bytes", lambda w, s: replace(as_stamp(w), content=b"x"), {"stamp_content"}),
    (
        "flipped at its end",
        lambda w, s: replace(as_stamp(w), data=flipped(as_stamp(w).data)),
        {"stamp_signature"},
    ),
    ("cut", lambda w, s: replace(as_stamp(w), data=as_stamp(w).data[:-1]), {"bad_token"}),
    ("longer", lambda w, s: replace(as_stamp(w), data=as_stamp(w).data + b"\0"), {"bad_token"}),
    ("empty", lambda w, s: replace(as_stamp(w), data=b""), {"bad_token"}),
    ("a seal", lambda w, s: replace(as_stamp(w), data=as_seal(w).data), {"bad_token"}),
    ("a refusal", lambda w, s: replace(as_stamp(w), data=bytes.fromhex("30053003020102")), {"bad_token"}),
    ("of a stranger", lambda w, s: replace(as_stamp(s), trust=w.trust), {"chain_broken"}),
    (
        "nobody is trusted",
        lambda w, s: replace(as_stamp(w), trust=Trust(roots=(), stamp_roots=())),
        {"no_trust"},
    ),
    (
        "ten years later",
        lambda w, s: replace(as_stamp(w), at=w.clock.now() + 10 * YEAR),
        {"certificate_expired"},
    ),
    ("by the sealing key", lambda w, s: stamped_by_the_sealer(w), {"wrong_key_usage"}),
]


@pytest.mark.parametrize(("make", "codes"), [row[1:] for row in SEALS], ids=[row[0] for row in SEALS])
def test_seals(
    world: World, stranger: World, program: Openssl, make: Callable[[World, World], Given], codes: set[str]
) -> None:
    given = make(world, stranger)
    assert our_seal(given) in codes
    assert their_seal(given, program) in codes


@pytest.mark.parametrize(("make", "codes"), [row[1:] for row in STAMPS], ids=[row[0] for row in STAMPS])
def test_stamps(
    world: World, stranger: World, program: Openssl, make: Callable[[World, World], Given], codes: set[str]
) -> None:
    given = make(world, stranger)
    assert our_stamp(given) in codes
    assert their_stamp(given, program) in codes


@pytest.mark.parametrize("kind", ["seal", "stamp"])
def test_a_changed_byte_that_the_verifier_lets_pass_passes_in_the_archive_too(
    world: World, program: Openssl, kind: str
) -> None:
    given = as_seal(world) if kind == "seal" else as_stamp(world)
    random = Random(kind)  # noqa: S311
    for _ in range(40):
        changed = replace(given, data=flipped(given.data, random.randrange(len(given.data))))
        ours = our_seal(changed) if kind == "seal" else our_stamp(changed)
        theirs = their_seal(changed, program) if kind == "seal" else their_stamp(changed, program)
        assert theirs or not ours, (ours, theirs)


REVOKED: list[tuple[str, str, int, dict[str, object], int | None, str]] = [
    ("nobody", "", 0, {}, 0, ""),
    ("seal, later", "seal", SECOND, {}, 0, ""),
    ("seal, at once", "seal", 0, {}, 0, "certificate_revoked"),
    ("seal, before", "seal", -SECOND, {}, 0, "certificate_revoked"),
    ("seal, later, without a stamp", "seal", SECOND, {}, None, "certificate_revoked"),
    ("seal, later, invalid before", "seal", DAY, {"since": -SECOND}, 0, "certificate_revoked"),
    ("authority, compromised later", "tsa", DAY, {}, 0, "certificate_revoked"),
    ("authority, superseded later", "tsa", DAY, {"reason": "superseded"}, 0, ""),
    ("authority, superseded before", "tsa", -DAY, {"reason": "superseded"}, 0, "certificate_revoked"),
]


@pytest.mark.parametrize(
    ("what", "delta", "terms", "stamped", "code"), [r[1:] for r in REVOKED], ids=[r[0] for r in REVOKED]
)
def test_revocations(
    world: World, tmp_path: Path, program: Openssl,
    what: str, delta: int, terms: dict[str, object], stamped: int | None, code: str,
) -> None:  # fmt: skip
    shutil.copytree(world.keys, tmp_path / "keys")
    now = world.clock.now()
    given = {"reason": "keyCompromise", **terms}
    given |= {name: now + value for name, value in given.items() if name == "since"}  # type: ignore[operator]
    if what:
        keys.revoke(tmp_path / "keys", what, clock=type(world.clock)(now + delta), **given)  # type: ignore[arg-type]
    crls = revocation.load_files(sorted((tmp_path / "keys/trust").glob("*.crl")))
    trust = replace(world.trust, crls=crls)
    seal = replace(as_seal(world), trust=trust, stamped=None if stamped is None else now + stamped)
    stamp = replace(as_stamp(world), trust=trust)
    wanted = {"seal": (code, ""), "tsa": ("", code), "": ("", "")}[what]
    assert (our_seal(seal), our_stamp(stamp)) == wanted
    assert (their_seal(seal, program), their_stamp(stamp, program)) == wanted


def test_a_list_that_no_authority_of_the_chain_made_is_not_heard(
    world: World, stranger: World, tmp_path: Path, program: Openssl
) -> None:
    shutil.copytree(stranger.keys, tmp_path / "keys")
    keys.revoke(tmp_path / "keys", "seal", clock=world.clock, reason="keyCompromise")
    crls = revocation.load_files(sorted((tmp_path / "keys/trust").glob("*.crl")))
    given = replace(as_seal(world), trust=replace(world.trust, crls=crls))
    assert (our_seal(given), their_seal(given, program)) == ("", "")


def test_of_two_roots_of_one_name_either_may_be_the_one(
    world: World, stranger: World, program: Openssl
) -> None:
    """As an installation has them after a new root; nothing in a certificate need say which one it was."""
    for one, other in ((world, stranger), (stranger, world)):
        roots = (*one.trust.roots, *other.trust.roots)
        both = Trust(roots=roots, stamp_roots=roots)
        seal, stamp = replace(as_seal(world), trust=both), replace(as_stamp(world), trust=both)
        assert (our_seal(seal), our_stamp(stamp)) == ("", "")
        assert (their_seal(seal, program), their_stamp(stamp, program)) == ("", "")
