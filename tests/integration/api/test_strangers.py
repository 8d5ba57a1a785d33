"""What strangers and people without a permission learn from the answers' edges."""

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from api.auth.passwords import Passwords
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model.user import Role
from archive.timespan import SECOND
from tests.support.api_site import T0, Caller, Site, open_site
from tests.support.people import OURS, add_person, caller, catch_up, cookie_of


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("strangers"), variant=None) as made:
        add_person(made, "ani", Role.ADMIN)
        add_person(made, "wati", Role.WAR_ROOM)
        add_person(made, "dewi", Role.AUDITOR)
        catch_up(made)
        yield made


class Dead:
    """A store that does not answer."""

    def list(self, *_: object, **__: object) -> Iterator[None]:
        raise Unavailable("the store does not answer", code="store_unreachable")


def test_readyz_tells_strangers_yes_or_no_only(site: Site) -> None:
    stores = replace(site.services.stores, footage=Dead())  # type: ignore[arg-type]
    for app, status, word in ((site.app, 200, "ok"), (site.remade(stores=stores), 503, "not_ready")):
        for headers in (
            {},
            {"Authorization": "Bearer invented"},
            {"Cookie": "saksi=invented"},
            {"Cookie": cookie_of(site, "wati")},
        ):
            answer = Caller(app, headers).get("/readyz")
            assert (answer.status_code, answer.json()) == (status, {"status": word}), headers
        for headers in (site.headers, {"Cookie": cookie_of(site, "ani")}):
            told = Caller(app, headers).get("/readyz").json()
            assert told["status"] == word
            assert told["parts"]["footage"] == ("ok" if status == 200 else "store_unreachable")


def test_allow_lists_what_is_allowed(site: Site) -> None:
    for path, name, allowed in (
        ("/v1/cameras", "ani", "GET, HEAD, POST"),
        ("/v1/cameras", "wati", "GET, HEAD"),
        ("/v1/users", "wati", ""),
        ("/v1/session", "dewi", "GET, HEAD, PATCH"),
        ("/v1/requests", "dewi", "GET, HEAD"),
    ):
        answer = caller(site, name)("DELETE", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, allowed), (path, name)
    assert site.call("DELETE", "/v1/requests/attachments").headers["allow"] == "POST"
    assert Caller(site.app)("DELETE", "/auth/local").headers["allow"] == "POST"


def test_not_found_comes_at_beats_whether_hidden_or_absent(site: Site) -> None:
    """An object one may not see is read before it is denied; nobody can tell by the time of the answer."""
    beat = SECOND // 2
    app = site.remade(settings=replace(site.services.settings, beat=beat))
    call = Caller(app, {"Cookie": cookie_of(site, "wati"), **OURS})
    for path in ("/v1/evidence/EVD-2026-AAAAAAAAAA", "/v1/cameras/cam-none", "/v1/nothing"):
        began = time.monotonic()
        assert call.get(path).status_code == 404
        assert time.monotonic() - began >= beat / SECOND, path
    assert call.get("/v1/cameras").status_code == 200


def test_every_name_costs_one_look_at_a_password(tmp_path: Path) -> None:
    """Known, unknown, closed and without a password: the same work, so the same time."""
    clock = ManualClock(T0)
    passwords = Passwords(tmp_path / "passwords.json", clock)
    passwords.put("citra", "pasar-terong-malam-42")
    looks: list[str] = []

    class Counting(PasswordHasher):
        def verify(self, hash: str, password: str) -> bool:
            looks.append(hash)
            return super().verify(hash, password)

    passwords._hasher = Counting()
    for name, password in (("citra", "wrong-password-1"), ("nobody", "x" * 300), ("", "")):
        looks.clear()
        assert not passwords.proves(name, password)
        assert len(looks) == 1, name
    parameters = {text.rpartition("$")[0].rpartition("$")[0] for text in (looks[0], passwords._nobody or "")}
    assert len(parameters) == 1


def test_a_password_of_older_parameters_is_hashed_anew_at_its_next_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.auth.passwords.PasswordHasher", PasswordHasher)
    path, clock = tmp_path / "passwords.json", ManualClock(T0)
    older = Passwords(path, clock)
    older._hasher = PasswordHasher(time_cost=1, memory_cost=8 * 1024)
    older.put("citra", "pasar-terong-malam-42")
    before = json.loads(path.read_text())["passwords"]["citra"]
    newer = Passwords(path, clock)
    assert not newer.proves("citra", "wrong-password-1")
    assert json.loads(path.read_text())["passwords"]["citra"] == before
    assert newer.proves("citra", "pasar-terong-malam-42")
    after = json.loads(path.read_text())["passwords"]["citra"]
    assert not PasswordHasher().check_needs_rehash(after["hash"])
    assert after["changed_at"] == before["changed_at"]
    assert newer.proves("citra", "pasar-terong-malam-42")
