"""A recorder beside an index that was put back from an old copy: it never hides what the copy lacks."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from archive.footage.ingest import Ingest, write_ticket
from archive.integrity.rebuild.sync import Sync
from archive.records.logbook import Logbook
from archive.timespan import DAY, Timespan
from search.sqlite import open_sqlite
from tests.support.archives import RECORDER_KEY, SmallArchive, small_archive
from tests.support.leaves import T0, segment


@dataclass
class Beside:
    """A recorder whose index is exchanged under it, as a restore does. Each segment makes one batch."""

    archive: SmallArchive
    folder: Path

    def __post_init__(self) -> None:
        self.archive.index.close()
        self.index = open_sqlite(self.folder / "index.sqlite")
        self.restart()

    def add(self, entries: Any) -> None:
        self.index.add(entries)

    def cursor(self, recorder: str) -> int:
        return self.index.cursor(recorder)

    def advance_cursor(self, recorder: str, batch: int) -> None:
        self.index.advance_cursor(recorder, batch)

    def restart(self) -> None:
        """Restart the recorder on the same disk."""
        self.ingest = Ingest(
            footage=self.archive.stores.footage,
            records=self.archive.stores.records,
            index=self,
            logbook=Logbook(self.folder / "journal", "rec-1", RECORDER_KEY, self.archive.clock),
            recorder="rec-1",
            clock=self.archive.clock,
            locked_until=lambda leaf, _place: leaf.span.start + 30 * DAY,
        )

    def record(self, *numbers: int) -> None:
        for number in numbers:
            content = f"segment {number}".encode() * 50
            leaf = replace(segment(number), sha256=sha256(content).hexdigest(), size=len(content))
            media = self.folder / f"{number}.mp4"
            media.write_bytes(content)
            spooled = write_ticket(self.folder / f"{number}.ticket", leaf, None, media=media)
            self.ingest.store(spooled)
            self.ingest.commit([spooled])
            self.ingest.seal()
            assert self.ingest.upload() == 1

    def exchanged(self, keep: Path | None, put: Path | None) -> None:
        """Close the index, keep a copy of its folder, or put one back, and open it again."""
        self.index.close()
        (place,) = {path.parent for path in self.folder.glob("index.sqlite*")}
        files = list(place.glob("index.sqlite*"))
        if keep is not None:
            keep.mkdir()
            for path in files:
                shutil.copy2(path, keep / path.name, follow_symlinks=False)
        if put is not None:
            for path in files:
                path.unlink()
            for path in put.iterdir():
                shutil.copy2(path, place / path.name, follow_symlinks=False)
        self.index = open_sqlite(self.folder / "index.sqlite")

    def sync(self) -> None:
        Sync(self.archive.stores, self.index, self.archive.clock).run()

    @property
    def indexed(self) -> list[int]:
        return [one.seq for one in self.index.segments("cam-1", Timespan(T0, T0 + DAY))]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator[Beside]:
    archive = small_archive(tmp_path / "archive")
    archive.register_recorder()
    made = Beside(archive, tmp_path)
    yield made
    made.index.close()


@pytest.mark.parametrize("restarts", [False, True])
def test_the_cursor_does_not_pass_what_an_old_copy_lacks(
    beside: Beside, tmp_path: Path, restarts: bool
) -> None:
    beside.record(0, 1, 2)
    beside.exchanged(tmp_path / "copy", None)
    beside.record(3, 4, 5)
    assert beside.cursor("rec-1") == 6
    beside.exchanged(None, tmp_path / "copy")
    assert (beside.cursor("rec-1"), beside.indexed) == (3, [0, 1, 2])
    if restarts:
        beside.restart()
    beside.record(6)
    assert beside.cursor("rec-1") == 3, "batches 4 to 6 are not in this index"
    beside.sync()
    assert (beside.cursor("rec-1"), beside.indexed) == (7, list(range(7)))
    beside.record(7)
    beside.sync()
    beside.record(8)
    assert beside.cursor("rec-1") == 9, "the recorder goes on by itself"


def test_without_a_restore_the_recorder_needs_no_sync(beside: Beside) -> None:
    for number in range(4):
        beside.restart()
        beside.record(number)
        assert beside.cursor("rec-1") == number + 1
