"""Revocation and the papers beside the seal."""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random

import pytest

from archive.evidence import papers, paths
from archive.evidence.verifier import revocation as lists
from archive.evidence.verifier.openssl import Openssl
from archive.timespan import DAY, SECOND
from archive.trust import revocation
from archive.trust.judge import Trust
from ops import keys
from tests.support import verifying
from tests.support.packages import World, make_world
from tests.support.verifying import Opinion, opinion

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed here")


program = verifying.program


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_world(tmp_path_factory.mktemp("origin"), segments=1)
    give = partial(keys.load_papers, world.keys, world.sealer.signer, tsa_url="")
    world = replace(world, sealer=replace(world.sealer, papers=give))
    world.unpacked(world.folder / "case")
    return world


@pytest.fixture
def world(origin: World, tmp_path: Path) -> World:
    shutil.copytree(origin.keys, tmp_path / "keys")
    return replace(origin, keys=tmp_path / "keys")


@pytest.fixture
def package(origin: World, tmp_path: Path) -> Path:
    shutil.copytree(origin.folder / "case", tmp_path / "case", copy_function=shutil.copyfile)
    return tmp_path / "case" / origin.plan.evidence_id


def judged(
    world: World, package: Path, program: Openssl, *, brought: bool = True, pinned: Trust | None = None
) -> Opinion:
    """What the verifier says, with the lists of the keys' folder brought along or without."""
    crls = sorted((world.keys / "trust").glob("*.crl")) if brought else []
    trust = replace(pinned or world.pinned(), crls=revocation.load_files(crls))
    mine, _ = opinion(world, package, trust, "now", program)
    return mine


def revoke(world: World, what: str, at: int, **terms: object) -> None:
    given = {"reason": "keyCompromise", **terms}
    keys.revoke(world.keys, what, clock=type(world.clock)(at), **given)  # type: ignore[arg-type]


def test_papers_and_a_list_that_names_nobody_change_nothing(
    world: World, package: Path, program: Openssl
) -> None:
    assert judged(world, package, program) == Opinion(True, frozenset())


@pytest.mark.parametrize(
    ("what", "delta", "terms", "code"),
    [
        ("seal", SECOND, {}, "certificate_revoked_later"),
        ("seal", 0, {}, "certificate_revoked"),
        ("seal", -SECOND, {}, "certificate_revoked"),
        ("seal", DAY, {"since": -SECOND}, "certificate_revoked"),
        ("tsa", DAY, {}, "certificate_revoked"),
        ("tsa", DAY, {"reason": "superseded"}, "certificate_revoked_later"),
        ("tsa", DAY, {"reason": "unspecified"}, "certificate_revoked_later"),
        ("tsa", -DAY, {"reason": "superseded"}, "certificate_revoked"),
    ],
)
def test_what_was_stamped_before_stays_good(
    world: World, package: Path, program: Openssl, what: str, delta: int, terms: dict[str, object], code: str
) -> None:
    now = world.clock.now()
    given = {name: now + value if name == "since" else value for name, value in terms.items()}  # type: ignore[operator]
    revoke(world, what, now + delta, **given)
    found = judged(world, package, program)
    assert code in found.codes
    assert found.valid is (code == "certificate_revoked_later")


@pytest.mark.parametrize(
    ("days", "terms", "code"),
    [
        (-30, {}, "certificate_revoked"),
        (1, {}, "certificate_revoked_later"),
        (1, {"since": -30}, "certificate_revoked"),
    ],
)
def test_a_checkpoint_is_as_good_as_the_logs_key_was_when_it_was_stamped(
    world: World, package: Path, program: Openssl, days: int, terms: dict[str, int], code: str
) -> None:
    now, pinned = world.clock.now(), world.pinned()  # a revoked key gives no fingerprint
    revoke(world, "log", now + days * DAY, **{name: now + value * DAY for name, value in terms.items()})
    found = judged(world, package, program, pinned=pinned)
    assert found == Opinion(code == "certificate_revoked_later", frozenset({code}))


@pytest.mark.parametrize("path", [papers.SEAL_CHAIN, papers.STAMP_CHAIN])
def test_a_chain_that_is_gone_is_pointed_out(
    world: World, package: Path, program: Openssl, path: str
) -> None:
    (package / path).unlink()
    assert judged(world, package, program, brought=False) == Opinion(True, frozenset({"paper_missing"}))


def test_a_list_that_is_gone_is_pointed_out(world: World, package: Path, program: Openssl) -> None:
    (listed,) = (package / paths.CERTIFICATES).glob("*.crl")
    listed.unlink()
    assert judged(world, package, program, brought=False) == Opinion(True, frozenset({"paper_missing"}))


def test_a_seal_whose_stamp_fell_has_no_proof_of_its_time(
    world: World, package: Path, program: Openssl
) -> None:
    revoke(world, "tsa", world.clock.now() + DAY)
    revoke(world, "seal", world.clock.now() + DAY)
    assert "certificate_revoked_later" not in judged(world, package, program).codes


def test_a_list_inside_condemns_and_an_old_one_acquits_nobody(
    world: World, package: Path, program: Openssl
) -> None:
    revoke(world, "seal", world.clock.now() - SECOND)
    assert judged(world, package, program, brought=False).valid
    assert not judged(world, package, program).valid
    (listed,) = (world.keys / "trust").glob("*.crl")
    shutil.copyfile(listed, package / paths.CERTIFICATES / listed.name)
    assert judged(world, package, program, brought=False).codes == {"certificate_revoked"}


def test_lists_of_strangers_and_old_ones_are_named(
    world: World, package: Path, program: Openssl, tmp_path: Path
) -> None:
    stranger = make_world(tmp_path / "stranger", segments=1, clips=False)
    shutil.rmtree(world.keys / "trust")
    shutil.copytree(stranger.keys / "trust", world.keys / "trust")
    if not list((world.keys / "trust").glob("*.crl")):
        revoke(stranger, "seal", world.clock.now())
        shutil.copytree(stranger.keys / "trust", world.keys / "trust", dirs_exist_ok=True)
    assert judged(world, package, program).codes == {"revocation_unknown"}


def test_a_stale_list_is_named(world: World, package: Path, program: Openssl) -> None:
    world.clock.advance(400 * DAY)
    try:
        assert judged(world, package, program).codes == {"crl_stale"}
    finally:
        world.clock.advance(-400 * DAY)


def flip(path: Path, random: Random) -> None:
    data = bytearray(path.read_bytes())
    data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    path.write_bytes(data)


def truncate(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes()[: random.randrange(path.stat().st_size)])


def rename(path: Path, random: Random) -> None:
    path.rename(path.with_name(f"x{path.name}"))


def double(path: Path, random: Random) -> None:
    path.write_bytes(path.read_bytes() * 2)


@pytest.mark.parametrize("change", [flip, truncate, rename, double])
def test_every_change_of_a_paper_is_seen(
    world: World, package: Path, program: Openssl, tmp_path: Path, change: Callable[[Path, Random], None]
) -> None:
    random = Random(change.__name__)  # noqa: S311
    wrong = {"bad_certificate", "bad_crl", "crl_not_authentic", "paper_foreign"}
    for name in sorted(path.name for path in (package / paths.CERTIFICATES).iterdir()):
        copy = tmp_path / name / package.name
        shutil.copytree(package, copy)
        change(copy / paths.CERTIFICATES / name, random)
        trust = world.pinned()
        mine, _ = opinion(world, copy, trust, "now", program)
        assert mine.codes & wrong, name


def test_papers_of_another_package_are_foreign(
    world: World, package: Path, program: Openssl, tmp_path: Path
) -> None:
    other = make_world(tmp_path / "other", segments=1)
    chain = keys.load_papers(other.keys, other.sealer.signer, tsa_url="")
    for path in (papers.SEAL_CHAIN, papers.STAMP_CHAIN):
        (package / path).write_bytes(chain[path])
    assert judged(world, package, program, brought=False).codes == {"paper_foreign"}


@pytest.mark.parametrize("whole", [True, False], ids=["good", "damaged"])
def test_a_list_is_read_once_however_many_signatures_are_held_to_it(
    world: World, package: Path, program: Openssl, monkeypatch: pytest.MonkeyPatch, whole: bool
) -> None:
    """Each checkpoint has two signatures, and the package has its own; a list may have many entries."""
    (listed,) = (package / paths.CERTIFICATES).glob("*.crl")
    if not whole:
        listed.write_bytes(listed.read_bytes()[:-40])
    seen: Counter[bytes] = Counter()

    def read(data: bytes) -> list[lists.RevocationList]:
        seen[data] += 1
        return read_list(data)

    pinned = world.pinned()  # reads the lists of the keys' folder
    read_list = lists.read
    monkeypatch.setattr(lists, "read", read)
    for times in (1, 2):  # nothing is kept from one verification to the next
        found = judged(world, package, program, brought=False, pinned=pinned)
        assert seen == {listed.read_bytes(): times}
    assert found == (Opinion(True, frozenset()) if whole else Opinion(False, frozenset({"bad_crl"})))
