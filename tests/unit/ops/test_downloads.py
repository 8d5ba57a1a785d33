"""Writing a download at the command line: never over another file, and counted also where it fails."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.errors import AlreadyExists, Unavailable
from archive.zips import Bytes, VirtualZip
from ops.cli.downloads import Draft

ZIP = VirtualZip([Bytes("clip.mp4", b"footage" * 100)], layout="test")


class Meanwhile(VirtualZip):
    """A source that does something before its last byte."""

    def __init__(self, then: object) -> None:
        super().__init__(ZIP.parts, layout="test")
        self._then = then

    def stream(self, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield from super().stream(0, 600)
        self._then()  # type: ignore[operator]
        yield from super().stream(600)


def test_a_whole_download_has_its_name_and_leaves_no_draft(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "clip.zip")
    draft.write(ZIP)
    assert (draft.written, draft.is_whole) == (ZIP.size, True)
    assert [one.name for one in tmp_path.iterdir()] == ["clip.zip"]
    assert (tmp_path / "clip.zip").read_bytes() == b"".join(ZIP.stream())


def test_a_file_that_came_into_being_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    target = tmp_path / "clip.zip"
    draft = Draft(target)
    with pytest.raises(AlreadyExists) as caught:
        draft.write(Meanwhile(lambda: target.write_bytes(b"another's")))
    assert caught.value.code == "output_exists"
    assert target.read_bytes() == b"another's"
    assert [one.name for one in tmp_path.iterdir()] == ["clip.zip"]
    assert not draft.is_whole


def test_a_disk_without_links_gets_its_file_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_paths: object, **_options: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    draft = Draft(tmp_path / "clip.zip")
    draft.write(ZIP)
    assert draft.is_whole
    assert [one.name for one in tmp_path.iterdir()] == ["clip.zip"]


def test_what_was_written_before_a_failure_is_counted(tmp_path: Path) -> None:
    def fail() -> None:
        raise Unavailable("the store does not answer", code="store_unavailable")

    draft = Draft(tmp_path / "clip.zip")
    with pytest.raises(Unavailable):
        draft.write(Meanwhile(fail))
    assert (draft.written, draft.is_whole) == (600, False)
    assert list(tmp_path.iterdir()) == []
