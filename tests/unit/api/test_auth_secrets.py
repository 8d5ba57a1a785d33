"""Passwords, back-off, cookies, return addresses, and tokens with a scope."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import argon2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.auth.cookies import MAX_PATH, Cookies, safe_path
from api.auth.lockout import FREE_FOR_ACCOUNT, FREE_FOR_ADDRESS, LONGEST, Lockout
from api.auth.passwords import Passwords
from api.auth.permissions import Reach
from api.auth.sessions import CookieBox, Limits, Session
from api.auth.tokens import TokenFile
from archive.clock import ManualClock
from archive.errors import Malformed, Refused, Unavailable
from archive.model.token import TokenScope
from archive.timespan import HOUR, SECOND

T0 = 1_795_500_000_000_000
KEY = b"C" * 43 + b"="
PASSWORD = "pasar-terong-malam-42"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


def test_a_password_proves_its_owner_alone(tmp_path: Path, clock: ManualClock) -> None:
    passwords = Passwords(tmp_path / "keys" / "passwords.json", clock)
    assert not passwords.proves("citra", PASSWORD)
    passwords.put("citra", PASSWORD)
    assert passwords.proves("citra", PASSWORD)
    assert not passwords.proves("citra", PASSWORD + " ")
    assert not passwords.proves("dewi", PASSWORD)
    assert not passwords.proves("dewi", "nobody's password"), "the hash of nobody opens nothing"
    passwords.forget("citra")
    assert not passwords.proves("citra", PASSWORD)


def test_a_password_is_hashed_with_all_the_work_that_rfc_9106_asks_for(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.auth.passwords.PasswordHasher", argon2.PasswordHasher)
    path = tmp_path / "passwords.json"
    Passwords(path, clock).put("citra", PASSWORD)
    made = json.loads(path.read_text())["passwords"]["citra"]["hash"]
    assert argon2.extract_parameters(made) == argon2.profiles.RFC_9106_LOW_MEMORY


@pytest.mark.parametrize("weak", ["", "short", "aaaaaaaaaaaaaaaa", "xx-citra-2026", "y" * 201])
def test_weak_passwords_are_refused(tmp_path: Path, clock: ManualClock, weak: str) -> None:
    with pytest.raises(Malformed) as refusal:
        Passwords(tmp_path / "passwords.json", clock).put("citra", weak)
    assert refusal.value.code == "weak_password"
    assert not (tmp_path / "passwords.json").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"v":2}', '{"v":1,"passwords":{"citra":{}}}', "[]"])
def test_a_damaged_record_of_passwords_lets_nobody_in(
    tmp_path: Path, clock: ManualClock, content: str
) -> None:
    path = tmp_path / "passwords.json"
    path.write_text(content)
    with pytest.raises(Unavailable) as unreadable:
        Passwords(path, clock).proves("citra", PASSWORD)
    assert unreadable.value.code == "passwords_unreadable"
    assert path.read_text() == content


def test_two_who_set_passwords_at_once_lose_neither(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "passwords.json"
    names = [f"user-{number}" for number in range(4)]
    threads = [
        threading.Thread(target=lambda name=name: Passwords(path, clock).put(name, PASSWORD))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(Passwords(path, clock).proves(name, PASSWORD) for name in names)


def test_each_failure_beyond_the_free_ones_doubles_the_wait(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for _ in range(FREE_FOR_ACCOUNT):
        lockout.check("citra", "a")
        lockout.failed("citra", "a")
    wait = SECOND
    for _ in range(14):
        with pytest.raises(Refused):
            lockout.check("CITRA", "a")
        lockout.check("dewi", "another address")
        clock.advance(wait - 1)
        with pytest.raises(Refused):
            lockout.check("citra", "a")
        clock.advance(1)
        lockout.check("citra", "a")
        lockout.failed("citra", "a")
        wait = min(wait * 2, LONGEST)
    clock.advance(LONGEST)
    lockout.succeeded("citra", "a")
    lockout.failed("citra", "b")
    lockout.check("citra", "b")


def test_an_address_that_tries_many_names_waits_too(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for number in range(FREE_FOR_ADDRESS):
        lockout.check(f"user-{number}", "a")
        lockout.failed(f"user-{number}", "a")
    lockout.succeeded("user-1", "a")
    with pytest.raises(Refused):
        lockout.check("someone-else", "a")
    lockout.check("someone-else", "b")


def test_failures_are_forgotten_after_an_hour(clock: ManualClock) -> None:
    lockout = Lockout(clock)
    for _ in range(FREE_FOR_ACCOUNT - 1):
        lockout.failed("citra", "a")
    clock.advance(HOUR + 1)
    for _ in range(FREE_FOR_ACCOUNT - 1):
        lockout.failed("citra", "a")
        lockout.check("citra", "a")
    lockout.failed("citra", "a")
    with pytest.raises(Refused):
        lockout.check("citra", "a")


SESSION = Session(
    id="s", user="citra", epoch=3, begun_at=T0, seen_at=T0, checked_at=T0, purpose="ü", refresh="r"
)


def test_a_session_reads_back_until_it_ends(clock: ManualClock) -> None:
    limits = Limits(idle=10, absolute=25)
    box = CookieBox([KEY], clock, limits)
    assert box.open(box.seal(SESSION)) == SESSION
    cookie = box.seal(SESSION)
    clock.advance(9)
    assert box.open(cookie) == SESSION
    clock.advance(1)
    assert box.open(cookie) is None
    used = box.seal(replace(SESSION, seen_at=T0 + 20))
    clock.advance(14)
    assert box.open(used) is not None
    clock.advance(1)
    assert box.open(used) is None


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_cookie_altered_anywhere_opens_nothing(at: int, byte: int) -> None:
    box = CookieBox([KEY], ManualClock(T0), Limits())
    cookie = bytearray(box.seal(SESSION).encode())
    at %= len(cookie)
    if cookie[at] != byte:
        cookie[at] = byte
        opened = box.open(cookie.decode("latin-1"))
        assert opened is None or opened == SESSION, "base64 may be written otherwise; what it says is sealed"


def test_a_cookie_shows_nothing_of_what_it_holds() -> None:
    cookie = CookieBox([KEY], ManualClock(T0), Limits()).seal(SESSION)
    assert "citra" not in cookie
    with pytest.raises(Malformed):
        CookieBox([b"short"], ManualClock(T0), Limits())


@given(
    st.text(max_size=60) | st.from_regex(r"[/\\]{0,3}[a-z.]{0,8}[:/?#@\\]{0,3}[a-z.]{0,8}", fullmatch=True)
)
def test_the_way_back_leads_to_no_other_host(text: str) -> None:
    path = safe_path(text)
    parts = urlsplit(urljoin("https://saksi.test/", path.replace("\\", "/")))
    assert (parts.scheme, parts.netloc) == ("https", "saksi.test")


@pytest.mark.parametrize(
    "text",
    [
        "//evil.test",
        "/\\evil.test",
        "///evil.test",
        "https://evil.test",
        "evil",
        "",
        "/a\nb",
        "/" + "a" * MAX_PATH,
    ],
)
def test_what_is_no_path_of_ours_leads_to_the_start(text: str) -> None:
    assert safe_path(text) == "/"


@pytest.mark.parametrize("path", ["/", "/cameras?x=1#y", "/a//b", "/kamera/cam-1"])
def test_a_path_of_ours_is_gone_back_to(path: str) -> None:
    assert safe_path(path) == path


def test_a_cookie_that_is_sent_twice_is_none() -> None:
    cookies = Cookies("", absolute_s=1, pending_s=1)

    def read(*headers: str) -> str | None:
        scope = {"headers": [(b"cookie", header.encode()) for header in headers]}
        return cookies.read(scope, "saksi")

    assert read("saksi=x; other=y") == "x"
    assert read("other=y;saksi=x") == "x"
    assert read("saksi=x; saksi=y") is None
    assert read("saksi=x", "saksi=x") is None
    assert read("__Host-saksi=x", "saksi") is None
    assert read() is None


def test_a_scoped_token_does_what_it_lists_until_it_expires(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "tokens.json"
    tokens = TokenFile(path, clock)
    scope = TokenScope(
        actions=frozenset({"footage.play"}), districts=frozenset({"73.71.01"}), expires_at=T0 + HOUR
    )
    token = tokens.create("war-room", clock, scope)
    found = tokens.principal_of(token)
    assert found is not None
    assert found.reach("footage.play") == {Reach.OWN}
    assert not found.may("clips.download")
    assert found.district_filter("footage.play") == ("73.71.01",)
    assert not found.needs_purpose("footage.play")
    assert TokenFile(path).principal_of(token) is None, "without a clock nothing that expires is let in"
    clock.advance(HOUR)
    assert tokens.principal_of(token) is None
    with pytest.raises(Malformed):
        tokens.create("late", clock, TokenScope(expires_at=T0))


def test_a_token_for_nothing_does_nothing(tmp_path: Path, clock: ManualClock) -> None:
    tokens = TokenFile(tmp_path / "tokens.json", clock)
    nothing = tokens.principal_of(tokens.create("a", clock, TokenScope(actions=frozenset())))
    nowhere = tokens.principal_of(tokens.create("b", clock, TokenScope(districts=frozenset())))
    assert nothing is not None
    assert nowhere is not None
    assert not nothing.may("cameras.read")
    assert nowhere.district_filter("cameras.read") == ()


def test_a_token_file_of_before_scopes_keeps_working(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "tokens.json"
    token = TokenFile(path, clock).create("first", clock)
    assert "scope" not in path.read_text()
    found = TokenFile(path, clock).principal_of(token)
    assert found is not None
    assert found.reach("anything.at_all") == {Reach.ALL}
