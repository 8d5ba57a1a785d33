"""The directory of cameras: read at intervals, and at once after a change by this process."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.directory import CameraDirectory
from archive.canonical import JsonObject
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model.camera import Camera, public_state, to_state
from archive.timespan import SECOND
from search.query import Document
from search.sqlite import open_sqlite
from tests.support.indexes import place
from tests.support.leaves import T0


class Documents:
    """An index that counts reads of documents, and can be unavailable."""

    def __init__(self, folder: Path) -> None:
        self._inner = open_sqlite(folder / "index.sqlite")
        self.asked = 0
        self.away = False
        self.gate: threading.Event | None = None

    def put(self, camera: str, version: int, name: str = "Kamera") -> None:
        self._inner.put_document("camera", camera, version, state_of(camera, name))

    def documents(self, kind: str) -> Iterator[Document]:
        self.asked += 1
        found = list(self._inner.documents(kind))
        if self.gate is not None:
            self.gate.wait()
        if self.away:
            raise Unavailable("away", code="index_unavailable")
        return iter(found)

    def documents_mark(self, kind: str) -> str:
        if self.away and self.gate is None:
            raise Unavailable("away", code="index_unavailable")
        return self._inner.documents_mark(kind)

    def close(self) -> None:
        self._inner.close()


def state_of(camera: str, name: str) -> JsonObject:
    made = Camera(
        id=camera,
        name=name,
        source="rtsp://192.0.2.1/",
        sealed_source="secret",
        place=place(kecamatan="73.71.13"),
        segment_seconds=10,
        registered_at=T0,
    )
    return public_state(to_state(made))


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Documents]:
    made = Documents(tmp_path)
    yield made
    made.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0)


@pytest.fixture
def directory(index: Documents, clock: ManualClock) -> CameraDirectory:
    return CameraDirectory(index, clock)  # type: ignore[arg-type]


def test_within_its_age_the_index_is_asked_once(
    directory: CameraDirectory, index: Documents, clock: ManualClock
) -> None:
    index.put("cam-2", 1)
    index.put("cam-1", 1)
    assert list(directory.cameras()) == ["cam-1", "cam-2"]
    index.put("cam-3", 1)
    clock.advance(SECOND - 1)
    assert list(directory.cameras()) == ["cam-1", "cam-2"]
    assert index.asked == 1
    clock.advance(1)
    assert list(directory.cameras()) == ["cam-1", "cam-2", "cam-3"]
    assert index.asked == 2


def test_a_change_of_this_process_is_seen_at_once(directory: CameraDirectory, index: Documents) -> None:
    index.put("cam-1", 1, "lama")
    assert directory.cameras()["cam-1"].is_unmoved
    index.put("cam-1", 2, "baru")
    directory.changed()
    found = directory.cameras()["cam-1"]
    assert (found.camera.name, found.version, found.is_unmoved) == ("baru", 2, False)


def test_what_did_not_change_is_not_read_anew(
    directory: CameraDirectory, index: Documents, clock: ManualClock
) -> None:
    index.put("cam-1", 1)
    index.put("cam-2", 1)
    before = directory.cameras()
    index.put("cam-2", 2, "baru")
    clock.advance(SECOND)
    after = directory.cameras()
    assert after["cam-1"] is before["cam-1"]
    assert after["cam-2"].camera.name == "baru"


def test_documents_are_read_only_if_one_of_them_was_put(
    directory: CameraDirectory, index: Documents, clock: ManualClock
) -> None:
    """Thousands of them cost a hundred times what their mark costs."""
    index.put("cam-1", 1)
    before = directory.cameras()
    for _ in range(3):
        clock.advance(SECOND)
        assert directory.cameras() is before
    directory.changed()
    assert directory.cameras() is before
    assert index.asked == 1
    index.put("cam-1", 2, "baru")
    clock.advance(SECOND)
    assert directory.cameras()["cam-1"].camera.name == "baru"
    assert index.asked == 2


def test_no_secret_is_kept(directory: CameraDirectory, index: Documents) -> None:
    index.put("cam-1", 1)
    assert directory.cameras()["cam-1"].camera.sealed_source == ""


def test_while_the_index_is_away_nothing_old_is_answered(
    directory: CameraDirectory, index: Documents, clock: ManualClock
) -> None:
    index.put("cam-1", 1)
    directory.cameras()
    clock.advance(SECOND)
    index.away = True
    with pytest.raises(Unavailable):
        directory.cameras()
    index.away = False
    assert list(directory.cameras()) == ["cam-1"]


def test_of_many_at_once_one_asks_and_its_failure_is_theirs(
    directory: CameraDirectory, index: Documents
) -> None:
    index.put("cam-1", 1)
    index.gate = threading.Event()
    index.away = True

    def ask(_number: int) -> str:
        try:
            return " ".join(directory.cameras())
        except Unavailable as error:
            return error.code

    with ThreadPoolExecutor(8) as pool:
        asking = [pool.submit(ask, number) for number in range(8)]
        while index.asked == 0 or any(not one.running() for one in asking):
            threading.Event().wait(0.001)
        threading.Event().wait(0.05)  # by now all of them wait for the one read
        index.gate.set()
        assert [one.result(30) for one in asking] == ["index_unavailable"] * 8
    assert index.asked == 1
    index.away = False
    assert ask(0) == "cam-1"


def test_an_answer_from_before_a_change_is_not_kept(directory: CameraDirectory, index: Documents) -> None:
    index.put("cam-1", 1)
    index.gate = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        early = pool.submit(directory.cameras)
        while index.asked == 0:
            threading.Event().wait(0.001)
        directory.changed()
        gate, index.gate = index.gate, None
        index.put("cam-2", 1)
        assert list(directory.cameras()) == ["cam-1", "cam-2"]
        gate.set()
        early.result(30)
    assert list(directory.cameras()) == ["cam-1", "cam-2"]
    assert index.asked == 2
