"""The shared behaviour of the files of passwords, invitations and tokens."""

import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.auth.invitations import Invitations
from api.auth.passwords import Passwords
from api.auth.private_files import Form, PrivateFile
from api.auth.tokens import TokenFile
from archive.clock import ManualClock
from archive.errors import Unavailable

CLOCK = ManualClock(1_795_500_000_000_000)


def unreadable(path: Path) -> Unavailable:
    return Unavailable(f"{path} cannot be read", code="names_unreadable", hint="Look at it.")


def names(path: Path) -> PrivateFile[list[str]]:
    return PrivateFile(path, Form("names", lambda value: [str(one) for one in value], list, unreadable))


def test_what_was_written_is_read_and_nobody_else_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "names.json"
    kept = names(path)
    assert kept.read_or([]) == []
    with pytest.raises(Unavailable) as missing:
        kept.read()
    assert (missing.value.code, missing.value.hint) == ("names_unreadable", "Look at it.")
    with kept.turn():
        kept.write(["citra"])
    assert kept.read() == kept.read_or([]) == ["citra"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["names.json"]


def test_of_many_who_take_turns_nobody_is_lost(tmp_path: Path) -> None:
    """Each writer has its own file object, as separate processes have."""

    def add(name: str) -> None:
        mine = names(tmp_path / "names.json")
        for turn in range(5):
            with mine.turn():
                mine.write([*mine.read_or([]), f"{name}-{turn}"])

    threads = [threading.Thread(target=add, args=(f"user-{number}",)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names(tmp_path / "names.json").read())) == 30


def test_a_file_that_cannot_be_replaced_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = names(tmp_path / "names.json")
    kept.write(["citra"])

    def full(_from: Any, _to: Any) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(Unavailable) as refused:
        kept.write(["dewi"])
    assert refused.value.code == "names_unreadable"
    assert kept.read() == ["citra"]
    assert [one.name for one in tmp_path.iterdir()] == ["names.json"]


def of_passwords(path: Path) -> object:
    return Passwords(path, CLOCK).owners()


def of_invitations(path: Path) -> object:
    return Invitations(path, CLOCK).invited()


def of_tokens(path: Path) -> object:
    return TokenFile(path, CLOCK).known()


@pytest.mark.parametrize(
    ("read", "code", "content"),
    [
        (of_passwords, "passwords_unreadable", '{"v":1,"passwords":{"citra":{"hash":3}}}'),
        (of_passwords, "passwords_unreadable", '{"v":1,"invitations":{}}'),
        (of_invitations, "invitations_unreadable", '{"v":1,"invitations":{"citra":{"sha256":"x"}}}'),
        (
            of_invitations,
            "invitations_unreadable",
            '{"v":1,"invitations":{"citra":{"sha256":"x","expires_at":"tomorrow"}}}',
        ),
        (of_invitations, "invitations_unreadable", '{"v":1,"invitations":[]}'),
        (of_tokens, "tokens_unreadable", '{"v":1,"tokens":[{"name":"x","sha256":"y","made_at":""}]}'),
        (of_tokens, "tokens_unreadable", '{"v":1,"passwords":{}}'),
    ],
)
def test_what_does_not_read_is_told_and_left(
    tmp_path: Path, read: Callable[[Path], object], code: str, content: str
) -> None:
    path = tmp_path / "kept.json"
    path.write_text(content)
    with pytest.raises(Unavailable) as found:
        read(path)
    assert found.value.code == code
    assert path.name in found.value.message
    assert path.read_text() == content


def test_only_a_file_of_tokens_must_be_there(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    assert of_passwords(path) == of_invitations(path) == frozenset()
    with pytest.raises(Unavailable) as missing:
        of_tokens(path)
    assert missing.value.code == "tokens_unreadable"
