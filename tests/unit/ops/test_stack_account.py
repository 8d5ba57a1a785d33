from pathlib import Path

import pytest

from archive.errors import Unavailable
from ops.stack import account
from ops.stack.account import Account

STRANGER = Account("stranger", 54321, 54321, Path("/"))


@pytest.fixture
def opened(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder below which permissions are checked; folders above it count as open."""
    folder = tmp_path_factory.mktemp("opened")
    folder.chmod(0o755)
    real = account._allows
    monkeypatch.setattr(
        account, "_allows", lambda who, step, wanted: step in folder.parents or real(who, step, wanted)
    )
    return folder


def test_open_folders_can_be_entered(opened: Path) -> None:
    (opened / "a/b").mkdir(parents=True)
    assert account.can_enter(STRANGER, opened / "a/b")


@pytest.mark.parametrize("mode", [0o700, 0o750, 0o744])
def test_one_closed_folder_above_is_enough(opened: Path, mode: int) -> None:
    (opened / "a/b").mkdir(parents=True)
    (opened / "a").chmod(mode)
    assert not account.can_enter(STRANGER, opened / "a/b")


def test_folder_that_can_be_passed_but_not_listed(opened: Path) -> None:
    (opened / "a/b").mkdir(parents=True)
    (opened / "a").chmod(0o711)
    assert account.can_enter(STRANGER, opened / "a/b")
    assert not account.can_enter(STRANGER, opened / "a")


def test_owner_and_group_bits_count_for_owner_and_group(opened: Path) -> None:
    facts = opened.stat()
    opened.chmod(0o705)
    assert not account.can_enter(Account("member", 54321, facts.st_gid, opened), opened)
    opened.chmod(0o750)
    assert account.can_enter(Account("member", 54321, facts.st_gid, opened), opened)
    opened.chmod(0o700)
    assert account.can_enter(Account("owner", facts.st_uid, 54321, opened), opened)


def test_absent_folder_cannot_be_entered(opened: Path) -> None:
    assert not account.can_enter(STRANGER, opened / "absent")


def test_sentence_names_folder_account_and_variable(opened: Path) -> None:
    opened.chmod(0o700)
    with pytest.raises(Unavailable) as caught:
        account.require_entry(STRANGER, opened, "SAKSI_STACK_DIR")
    assert caught.value.code == "stack_folder_closed"
    assert str(opened) in caught.value.message
    assert "stranger" in caught.value.message
    assert "SAKSI_STACK_DIR" in caught.value.hint
