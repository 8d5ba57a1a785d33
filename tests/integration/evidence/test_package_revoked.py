"""Revocation by the commands of ``VERIFIKASI.txt``: a seal stamped before stays valid, one after does not."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from archive.clock import SystemClock
from archive.timespan import DAY, HOUR
from archive.trust import revocation
from ops import keys
from tests.integration.evidence.test_package_witnesses import SEAL, run, steps_of
from tests.support.packages import World, make_world
from tests.support.programs import required

REVOKED = 10


@pytest.fixture(scope="module", autouse=True)
def witness() -> None:
    required("openssl")


@pytest.fixture
def case(tmp_path: Path) -> tuple[World, Path]:
    """A package sealed now, with the root beside it."""
    world = make_world(tmp_path / "world", segments=1, now=SystemClock().now())
    package = world.unpacked(tmp_path / "case")
    for name in ("trust.pem", "tsa-trust.pem"):
        shutil.copyfile(world.keys / "root.pem", tmp_path / "case" / name)
    assert run(package, steps_of(package)[SEAL]).returncode == 0
    return world, package


def revoke(
    world: World,
    package: Path,
    what: str,
    at: int,
    since: int | None = None,
    reason: str = "keyCompromise",
) -> None:
    keys.revoke(world.keys, what, reason=reason, clock=type(world.clock)(at), since=since)
    (listed,) = (world.keys / "trust").glob("*.crl")
    for name in ("pencabutan.crl", "pencabutan-waktu.crl"):
        shutil.copyfile(listed, package.parent / name)


def judged_now(package: Path) -> str:
    """The output of ``openssl cms -verify -crl_check``, which judges only at the present time."""
    both = package.parent / "both.pem"
    both.write_bytes(
        b"".join((package.parent / name).read_bytes() for name in ("trust.pem", "pencabutan.crl"))
    )
    (command,) = steps_of(package)[SEAL]
    done = run(package, [command.replace("-CAfile ../trust.pem", "-crl_check -CAfile ../both.pem")])
    return done.stderr


GOOD, LATER, REVOKED_BEFORE = "TIDAK DICABUT", "DICABUT SESUDAHNYA", "DICABUT"


@pytest.mark.parametrize(
    ("what", "after", "since", "reason", "seal", "stamp"),
    [
        ("seal", HOUR, None, "keyCompromise", LATER, GOOD),
        ("seal", -HOUR, None, "keyCompromise", REVOKED_BEFORE, GOOD),
        ("seal", 0, -HOUR, "keyCompromise", REVOKED_BEFORE, GOOD),
        ("tsa", HOUR, None, "superseded", GOOD, LATER),
        ("tsa", HOUR, None, "keyCompromise", GOOD, REVOKED_BEFORE),
        ("tsa", -HOUR, None, "superseded", GOOD, REVOKED_BEFORE),
        ("tsa", HOUR, None, "cessationOfOperation", GOOD, LATER),
    ],
)
def test_the_instructions_tell_what_was_signed_before_a_revocation_from_what_was_after(
    case: tuple[World, Path], what: str, after: int, since: int | None, reason: str, seal: str, stamp: str
) -> None:
    """The seal's certificate and the time authority's; the verifier says the same."""
    world, package = case
    now = world.clock.now()
    trust = world.pinned()
    revoke(world, package, what, now + after, None if since is None else now + since, reason)
    done = run(package, steps_of(package)[REVOKED])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [f"segel: {seal}", f"waktu: {stamp}"]
    lists = revocation.load_files([package.parent / "pencabutan.crl"])
    result = world.verify(package, trust=replace(trust, crls=lists))
    assert result.valid is (REVOKED_BEFORE not in (seal, stamp))
    if what == "seal" and after <= 0:
        assert "certificate revoked" in judged_now(package)


def test_a_list_of_another_authority_is_no_answer(case: tuple[World, Path], tmp_path: Path) -> None:
    world, package = case
    other = make_world(tmp_path / "other", segments=1, clips=False, now=world.clock.now())
    revoke(other, package, "seal", world.clock.now() - DAY)
    done = run(package, steps_of(package)[REVOKED])
    assert done.stdout.splitlines() == ["segel: DAFTAR ASING", "waktu: DAFTAR ASING"]
