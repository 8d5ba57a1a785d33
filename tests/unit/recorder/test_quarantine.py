"""The quarantine: what no segment can be made of is kept for people, and takes no room from the recording."""

import os
import shutil
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.timespan import MINUTE, SECOND
from recorder import quarantine as quarantine_module
from recorder.quarantine import survey
from recorder.spool import Spool

T0 = 1_795_000_000 * SECOND
QUOTA = 20_000
"""So the quarantine holds 1,000 bytes, and 100 of one camera."""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    made = Spool(tmp_path / "spool", ManualClock(T0), QUOTA, 0)
    made.open()
    return made


def raw(spool: Spool, camera: str, number: int, size: int, *, session: int = 1) -> Path:
    folder = spool.root / "cameras" / camera / f"{session:016x}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{number:06d}.raw.mp4"
    path.write_bytes(bytes(size))
    return path


def finished(spool: Spool, camera: str, number: int, size: int) -> Path:
    path = raw(spool, camera, number, size)
    return path.rename(path.with_name(f"{number:06d}.mp4"))


def test_one_camera_fills_its_own_share_only_and_what_came_first_stays(spool: Spool) -> None:
    told: list[tuple[str, str, int]] = []
    spool.quarantine.tell = lambda *facts: told.append(facts)
    files = [raw(spool, "kam-1", number, 30) for number in range(5)]
    kept = [spool.quarantine.take(path) for path in files]
    assert [one is not None for one in kept] == [True, True, True, False, False]
    assert not any(path.exists() for path in files)
    other = spool.quarantine.take(raw(spool, "kam-1-a", 0, 30))
    assert other is not None
    assert other.stat().st_size == 30
    assert told == [("kam-1", f"kam-1-{1:016x}-00000{number}.raw.mp4", 30) for number in (3, 4)]
    assert (spool.quarantine.bytes, spool.quarantine.files_dropped) == (120, 2)


def test_the_first_file_of_a_camera_may_be_larger_but_all_together_take_a_twentieth(spool: Spool) -> None:
    assert spool.quarantine.take(raw(spool, "kam-1", 0, 900)) is not None
    assert spool.quarantine.take(raw(spool, "kam-1", 1, 1)) is None
    assert spool.quarantine.take(raw(spool, "kam-2", 0, 101)) is None
    assert spool.quarantine.take(raw(spool, "kam-2", 1, 100)) is not None
    assert spool.quarantine.take(raw(spool, "kam-3", 0, 1)) is None


def test_the_share_is_that_of_the_disk_where_it_is_smaller_than_the_quota(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = os.statvfs(spool.root)
    small = os.statvfs_result((*blocks[:1], 1, 4_000, *blocks[3:]))
    monkeypatch.setattr(quarantine_module.os, "statvfs", lambda _path: small)
    assert spool.quarantine.take(raw(spool, "kam-1", 0, 200)) is not None
    assert spool.quarantine.take(raw(spool, "kam-2", 0, 1)) is None


def test_small_files_of_one_camera_are_bounded_by_their_number(spool: Spool) -> None:
    kept = [spool.quarantine.take(raw(spool, "kam-1", number, 0)) for number in range(1_003)]
    assert [one is not None for one in kept].count(True) == 1_000
    assert spool.quarantine.take_copy(raw(spool, "kam-1", 2_000, 0)) is None
    assert spool.quarantine.files_dropped == 4


def test_what_a_disk_damaged_is_always_kept(spool: Spool) -> None:
    session = raw(spool, "kam-1", 0, 5_000).parent
    assert spool.quarantine.keep(session).is_dir()
    assert spool.quarantine.bytes == 5_000


def test_what_is_in_quarantine_counts_as_room_that_is_taken(spool: Spool) -> None:
    _, before = spool.measure()
    spool.quarantine.keep(raw(spool, "kam-1", 0, QUOTA // 2 - 10))
    assert spool.measure()[1] == before - QUOTA // 2 + 10
    assert spool.has_room()
    spool.account_for(QUOTA // 2 + 11)
    assert not spool.has_room()
    assert not spool.spares(1)


def test_what_a_disk_damaged_stops_no_recording_by_its_size(spool: Spool) -> None:
    spool.quarantine.keep(raw(spool, "kam-1", 0, 3 * QUOTA))
    assert spool.has_room()
    spool.account_for(QUOTA // 2)
    assert spool.has_room()
    spool.account_for(1)
    assert not spool.has_room()


def test_finished_segments_have_half_of_the_spool_and_those_of_one_camera_a_quarter(spool: Spool) -> None:
    assert spool.quarantine.take(raw(spool, "kam-1", 0, 900)) is not None
    for number in range(5):
        assert spool.quarantine.take_segment(finished(spool, "kam-1", number, 1_000)) is not None
    assert spool.quarantine.take_segment(finished(spool, "kam-1", 5, 1)) is None
    assert spool.quarantine.take_segment(finished(spool, "kam-2", 0, 5_000)) is not None
    assert spool.quarantine.take_segment(finished(spool, "kam-3", 0, 1)) is None
    assert spool.quarantine.take(raw(spool, "kam-3", 0, 100)) is not None, "segments take no room from these"
    again = survey(spool.quarantine.folder)
    assert again.segments == {"kam-1": 5_000, "kam-2": 5_000}
    assert again.cameras == {"kam-1": (1, 900), "kam-3": (1, 100)}
    assert (again.bytes, again.files_dropped) == (11_000, 2)


def test_a_slip_says_what_was_dropped_until_a_person_takes_it_away(spool: Spool, tmp_path: Path) -> None:
    assert isinstance(spool.clock, ManualClock)
    for number in range(3):
        spool.quarantine.take(raw(spool, "kam-1", number, 60))
        spool.clock.advance(MINUTE)
    spool.close()
    again = Spool(spool.root, spool.clock, QUOTA, 0)
    again.open()
    (slip,) = survey(again.quarantine.folder).dropped.values()
    assert (slip.camera, slip.files, slip.bytes) == ("kam-1", 2, 120)
    assert (slip.since, slip.until) == (T0 + MINUTE, T0 + 2 * MINUTE)
    assert (again.quarantine.bytes, again.quarantine.files_dropped) == (60, 2)
    shutil.move(again.quarantine.folder, tmp_path / "elsewhere")
    again.quarantine.look()
    assert (again.quarantine.bytes, again.quarantine.files_dropped) == (0, 0)
    assert again.quarantine.take(raw(again, "kam-1", 7, 60)) is not None


def test_a_crash_before_the_file_is_gone_counts_it_once(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.quarantine.take(raw(spool, "kam-1", 0, 60))
    late = raw(spool, "kam-1", 1, 60)
    monkeypatch.setattr(Path, "unlink", failing)
    with pytest.raises(Unavailable):
        spool.quarantine.take(late)
    monkeypatch.undo()
    assert spool.quarantine.take(late) is None
    assert (late.exists(), spool.quarantine.files_dropped) == (False, 1)


def failing(*_: object, **__: object) -> None:
    raise OSError(5, "Input/output error")


def test_a_damaged_slip_stops_nothing(spool: Spool) -> None:
    (spool.quarantine.folder / "kam-1.dropped").write_bytes(b"\xff{")
    spool.quarantine.look()
    assert spool.quarantine.files_dropped == 0
    for number in range(2):
        spool.quarantine.take(raw(spool, "kam-1", number, 60))
    assert spool.quarantine.files_dropped == 1
