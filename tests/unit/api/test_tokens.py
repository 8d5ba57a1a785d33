import json
import stat
from pathlib import Path

import pytest

from api.auth.tokens import PREFIX, TokenFile
from archive.clock import ManualClock
from archive.errors import Conflict, Malformed, NotFound, Unavailable
from archive.timespan import SECOND

CLOCK = ManualClock(1_795_500_000_000_000)


@pytest.fixture
def tokens(tmp_path: Path) -> TokenFile:
    return TokenFile(tmp_path / "keys" / "tokens.json")


def test_a_token_is_known_by_its_holder(tokens: TokenFile) -> None:
    first, second = tokens.create("first", CLOCK), tokens.create("war-room", CLOCK)
    found = tokens.principal_of(second)
    assert found is not None
    assert found.id == "token:war-room"
    assert found.may("clips.download")
    assert first.startswith(PREFIX)
    assert first != second
    assert tokens.names() == ["first", "war-room"]


@pytest.mark.parametrize("wrong", ["", "x", "saksi_", "ünknown", "\ud800", "a" * 100_000])
def test_other_tokens_are_nobody(tokens: TokenFile, wrong: str) -> None:
    token = tokens.create("first", CLOCK)
    assert tokens.principal_of(wrong) is None
    assert tokens.principal_of(token + "x") is None
    assert tokens.principal_of(token[:-1]) is None


def test_only_the_hash_is_kept_and_only_its_owner_reads_it(tokens: TokenFile, tmp_path: Path) -> None:
    token = tokens.create("first", CLOCK)
    path = tmp_path / "keys" / "tokens.json"
    assert token.removeprefix(PREFIX) not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [kept.name for kept in path.parent.iterdir()] == ["tokens.json"]


def test_a_revoked_token_stops_at_once(tokens: TokenFile, tmp_path: Path) -> None:
    token, other = tokens.create("first", CLOCK), tokens.create("other", CLOCK)
    elsewhere = TokenFile(tmp_path / "keys" / "tokens.json")
    assert elsewhere.principal_of(token) is not None
    tokens.revoke("first")
    assert elsewhere.principal_of(token) is None
    assert elsewhere.principal_of(other) is not None
    with pytest.raises(NotFound) as refused:
        tokens.revoke("first")
    assert refused.value.code == "token_not_found"


def test_names_are_taken_once_and_are_names(tokens: TokenFile) -> None:
    tokens.create("first", CLOCK)
    with pytest.raises(Conflict) as taken:
        tokens.create("first", CLOCK)
    assert taken.value.code == "token_exists"
    with pytest.raises(Malformed):
        tokens.create("a name", CLOCK)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b'{"v":2,"tokens":[]}',
        b'{"v":1,"tokens":[{"name":"x"}]}',
        b"\xff",
        b'{"v":1,"tokens":3}',
    ],
)
def test_a_damaged_record_lets_nobody_in(tokens: TokenFile, tmp_path: Path, content: bytes) -> None:
    token = tokens.create("first", CLOCK)
    (tmp_path / "keys" / "tokens.json").write_bytes(content)
    with pytest.raises(Unavailable) as unreadable:
        tokens.principal_of(token)
    assert unreadable.value.code == "tokens_unreadable"
    with pytest.raises(Unavailable):
        tokens.create("second", CLOCK)
    assert (tmp_path / "keys" / "tokens.json").read_bytes() == content


def test_a_missing_record_lets_nobody_in(tokens: TokenFile) -> None:
    assert not tokens.exists()
    with pytest.raises(Unavailable):
        tokens.principal_of("saksi_x")


def test_the_record_reads_as_documented(tokens: TokenFile, tmp_path: Path) -> None:
    tokens.create("first", CLOCK)
    kept = json.loads((tmp_path / "keys" / "tokens.json").read_text())
    assert kept["v"] == 1
    assert kept["tokens"][0]["made_at"] == "2026-11-24T06:00:00.000000Z"
    assert set(kept["tokens"][0]) == {"name", "sha256", "made_at"}


def test_what_a_revoked_token_made_does_not_come_back_with_its_name(tokens: TokenFile) -> None:
    clock = ManualClock(CLOCK.now())
    tokens.create("first", clock)
    clock.advance(SECOND)
    made = tokens.create("wall", clock, made_by="token:first")
    assert tokens.principal_of(made) is not None
    tokens.revoke("first")
    assert tokens.principal_of(made) is None
    clock.advance(SECOND)
    another = tokens.create("first", clock)
    assert tokens.principal_of(made) is None
    assert tokens.principal_of(another) is not None
