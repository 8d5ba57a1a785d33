"""``saksi doctor`` says when no two administrators can decide together, and what to do helps."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.model.user import Role, User
from archive.separation import WINDOW
from archive.timespan import DAY
from ops.accounts import passwords_of, users_of
from ops.doctor import Diagnosis, Light, examine_people
from ops.settings import Settings
from ops.wiring import Site
from tests.support.leaves import T0

FOUNDER = "os:budi"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path)}), ManualClock(T0)) as made:
        yield made


def add_admin(site: Site, name: str, *, by: str = FOUNDER, consent: str = "") -> None:
    """An administrator who has a password of their own."""
    users_of(site).add(User(id=name, name=name, roles=(Role.ADMIN,)), actor=by)
    if consent:
        users_of(site).consent(name, actor=consent, reason="")
    passwords_of(site).put(name, "pasar-terong-malam-42")


def found(site: Site) -> Diagnosis | None:
    return next(iter(examine_people(site)), None)


def test_two_administrators_who_are_tied_can_decide_nothing(site: Site) -> None:
    assert found(site) is None, "without accounts, people of the host decide"
    add_admin(site, "ada")
    add_admin(site, "bima")
    fine = found(site)
    assert fine is not None
    assert fine.light is Light.GREEN
    site.clock.advance(DAY)  # type: ignore[attr-defined]
    users_of(site).invited("bima", actor="user:ada", reason="forgot the password")
    tied = found(site)
    assert tied is not None
    assert tied.light is Light.AMBER
    assert "ada" in tied.message
    assert "bima" in tied.message
    assert "2026-12-25T06:00:00.000000Z" in tied.message
    assert "saksi user add" in tied.hint
    site.clock.advance(WINDOW)  # type: ignore[attr-defined]
    later = found(site)
    assert later is not None
    assert later.light is Light.GREEN


def test_a_third_administrator_by_two_people_of_the_host_helps(site: Site) -> None:
    add_admin(site, "ada")
    add_admin(site, "bima")
    users_of(site).invited("bima", actor="user:ada", reason="forgot the password")
    add_admin(site, "dewi", by="os:ani", consent="os:citra")
    after = found(site)
    assert after is not None
    assert after.light is Light.GREEN


def test_one_of_the_two_opening_the_third_does_not_help(site: Site) -> None:
    add_admin(site, "ada")
    add_admin(site, "bima")
    add_admin(site, "dewi", by="user:ada", consent="user:bima")
    users_of(site).invited("bima", actor="user:ada", reason="forgot the password")
    tied = found(site)
    assert tied is not None
    assert tied.light is Light.AMBER
    assert "dewi" in tied.message


def test_one_administrator_is_not_two(site: Site) -> None:
    add_admin(site, "ada")
    alone = found(site)
    assert alone is not None
    assert alone.light is Light.AMBER
    users_of(site).add(User(id="bima", name="bima", roles=(Role.ADMIN,)), actor=FOUNDER)
    without_password = found(site)
    assert without_password == alone
    # Two accounts of one person are one person, for ever.
    passwords_of(site).put("bima", "pasar-terong-malam-42")
    users_of(site).link("bima", "ada", actor="os:citra", reason="")
    same = found(site)
    assert same is not None
    assert same.light is Light.AMBER
    assert "until" not in same.message
