from pathlib import Path

import pytest

from archive.errors import Unavailable
from ops.stack import folders
from ops.stack.lock import exclusive


def test_folder_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable) as caught:
        folders.make(tmp_path / "file/folder")
    assert caught.value.code == "stack_folder_unwritable"
    assert "SAKSI_STACK_DIR" in caught.value.hint


def test_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    folders.make(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_lock_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(Unavailable) as caught, exclusive(tmp_path / "lock", lambda: None):
        pytest.fail("the lock was taken")
    assert caught.value.code == "stack_folder_unwritable"
