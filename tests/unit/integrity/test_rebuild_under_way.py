"""A rebuild continues while the index stores entries, and notes progress only for stored ones."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.integrity.rebuild import SegmentRow, rebuild
from archive.timespan import HOUR
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.indexes import ANY
from tests.support.leaves import T0


class Slow:
    """An index that stores entries only when it settles; it cannot store segment 2."""

    def __init__(self, fresh: Any) -> None:
        self._fresh = fresh
        self._waiting: list[SegmentRow] = []
        self.states: list[JsonObject] = []
        self.kept: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fresh, name)

    def load(self, rows: Sequence[SegmentRow]) -> None:
        assert not self._waiting, "the batch before is still under way"
        self._waiting = list(rows)

    def settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        if any(row.seq == 2 for row in waiting):
            raise Malformed("the index cannot keep it", code="bad_row")
        self._fresh.load(waiting)
        self.kept += [row.seq for row in waiting]

    def loaded(self) -> None:
        assert not self._waiting
        self._fresh.loaded()

    def keep_rebuild_state(self, state: JsonObject) -> None:
        assert not self._waiting, "noted before it is kept"
        self.states.append(state)
        self._fresh.keep_rebuild_state(state)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.clock.wall = T0 - HOUR
    made.registry.add(camera_form(), actor="os:tester")
    made.register_recorder()
    made.clock.wall = T0
    yield made
    made.index.close()


def test_each_note_tells_of_what_is_kept_and_of_nothing_else(
    archive: SmallArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archive.integrity.rebuild.job._CHUNK", 1)
    for number in range(5):
        archive.write_journal([archive.keep(number)])
    with archive.index.rebuild() as fresh:
        slow = Slow(fresh)
        monkeypatch.setattr(archive.index, "segments_by_hour", lambda _camera: {})
        report = rebuild(archive.stores, slow)  # type: ignore[arg-type]
    told = [
        (state["report"]["segments"], state["report"]["batches"], len(state["report"]["left_out"]))
        for state in slow.states
    ]
    assert told == [(1, 1, 0), (2, 2, 0), (3, 3, 1), (4, 4, 1), (5, 5, 1)]
    assert slow.kept == [0, 1, 3, 4]
    assert [one.code for one in report.left_out] == ["bad_row"]
    assert [one.seq for one in archive.index.search(ANY).items if one.seq != 2] == [0, 1, 3, 4]
