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


def revoke(world: World, package: Path, what: str, at: int, since: int | None = None) -> None:
    keys.revoke(world.keys, what, reason="keyCompromise", clock=type(world.clock)(at), since=since)
    (listed,) = (world.keys / "trust").glob("*.crl")
    shutil.copyfile(listed, package.parent / "pencabutan.crl")


def judged_now(package: Path) -> str:
    """The output of ``openssl cms -verify -crl_check``, which judges only at the present time."""
    both = package.parent / "both.pem"
    both.write_bytes(
        b"".join((package.parent / name).read_bytes() for name in ("trust.pem", "pencabutan.crl"))
    )
    (command,) = steps_of(package)[SEAL]
    done = run(package, [command.replace("-CAfile ../trust.pem", "-crl_check -CAfile ../both.pem")])
    return done.stderr


@pytest.mark.parametrize(
    ("what", "after", "since", "says"),
    [
        ("tsa", 0, None, "TIDAK DICABUT"),
        ("seal", HOUR, None, "DICABUT SESUDAHNYA"),
        ("seal", -HOUR, None, "DICABUT"),
        ("seal", 0, -HOUR, "DICABUT"),
    ],
)
def test_the_instructions_tell_a_seal_made_before_from_one_made_after(
    case: tuple[World, Path], what: str, after: int, since: int | None, says: str
) -> None:
    world, package = case
    now = world.clock.now()
    trust = world.pinned()
    revoke(world, package, what, now + after, None if since is None else now + since)
    done = run(package, steps_of(package)[REVOKED])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == says
    if what == "seal":
        lists = revocation.load_files([package.parent / "pencabutan.crl"])
        result = world.verify(package, trust=replace(trust, crls=lists))
        assert result.valid is (says != "DICABUT")
        if after <= 0:
            assert "certificate revoked" in judged_now(package)


def test_a_list_of_another_authority_is_no_answer(case: tuple[World, Path], tmp_path: Path) -> None:
    world, package = case
    other = make_world(tmp_path / "other", segments=1, clips=False, now=world.clock.now())
    revoke(other, package, "seal", world.clock.now() - DAY)
    assert run(package, steps_of(package)[REVOKED]).stdout == "DAFTAR ASING\n"
