"""Health from a real index: today's gaps, the newest footage, and retention promised against kept."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from archive.lifecycle.retention.book import Ruling
from archive.ports import IndexEntry
from archive.records.camera_health import CameraState
from archive.timespan import DAY, HOUR, MINUTE, format_instant
from search.compliance import COLUMNS, Compliance, RetentionVerdict, compliance, compliance_csv
from search.health import camera_health, day_of, gaps_of_day, newest_footage
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import T0, gap, segment

ZONE = ZoneInfo("Asia/Makassar")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.clock.step(-2 * HOUR)
    made.registry.add(camera_form(), actor="os:tester")
    made.clock.step(2 * HOUR)
    yield made
    made.index.close()


def record(archive: SmallArchive, begin: int, minutes: int, *, run: str) -> None:
    """Footage of some minutes, as segments of one minute."""
    archive.index.add(
        [
            IndexEntry(leaf=segment(seq, run=run, start=begin + seq * MINUTE, seconds=60), place=None)
            for seq in range(minutes)
        ]
    )


def miss(archive: SmallArchive, begin: int, end: int, number: int = 9) -> None:
    """A gap from ``begin`` to ``end``."""
    archive.index.add([IndexEntry(leaf=gap(begin, end, gap_id=f"6a1500000000{number:04d}"), place=None)])


def beat(archive: SmallArchive, **entry: object) -> None:
    """A heartbeat of now that names the camera."""
    now = archive.clock.now()
    facts = {"capturing": 0, "kept": 0, "began": now, "grown": 0, "failures": 1, "cause": "unreachable"}
    archive.index.put_heartbeat("rec-1", now, {"cameras": {"cam-1": facts | entry}})


def test_the_day_is_the_citys() -> None:
    day = day_of(T0, ZONE)
    assert (format_instant(day.start), day.end) == ("2026-11-23T16:00:00.000000Z", T0 + 1)


def test_todays_gaps_are_those_on_record_and_the_open_one(archive: SmallArchive) -> None:
    day = day_of(T0, ZONE)
    miss(archive, day.start - HOUR, day.start + 10 * MINUTE, 1)  # ten minutes of it are today's
    miss(archive, T0 - 20 * MINUTE, T0 - 5 * MINUTE, 2)
    beat(archive, gap_from=T0 - 5 * MINUTE)
    found = camera_health(archive.index, T0)
    assert gaps_of_day(archive.index, found, day) == {"cam-1": {"unreachable": 30 * MINUTE}}


def test_the_newest_footage_is_found_however_long_ago(archive: SmallArchive) -> None:
    assert newest_footage(archive.index, "cam-1", T0) is None
    record(archive, T0 - 90 * DAY, 3, run="6a15000000000001")
    miss(archive, T0 - 90 * DAY + 3 * MINUTE, T0)
    assert newest_footage(archive.index, "cam-1", T0) == T0 - 90 * DAY + 3 * MINUTE
    record(archive, T0 - 2 * DAY, 3, run="6a15000000000002")
    assert newest_footage(archive.index, "cam-1", T0) == T0 - 2 * DAY + 3 * MINUTE


# Promised against kept ------------------------------------------------------------------------------------


@pytest.fixture
def old(tmp_path: Path) -> Iterator[SmallArchive]:
    """A camera that was registered ten days ago."""
    made = small_archive(tmp_path)
    made.clock.step(-10 * DAY)
    made.registry.add(camera_form(owner="business"), actor="os:tester")
    made.clock.step(10 * DAY)
    yield made
    made.index.close()


def listed(archive: SmallArchive, days: int = 5) -> Compliance:
    ruling = Ruling(scope=None, keep_days_min=days, keep_days_max=None)
    (one,) = compliance(archive.index, lambda _: True, lambda _: ruling, archive.clock.now())
    return one


def fill(archive: SmallArchive, begin: int, end: int, run: str) -> None:
    """Footage in hours, each one segment of an hour."""
    hours = (end - begin) // HOUR
    archive.index.add(
        [
            IndexEntry(leaf=segment(seq, run=run, start=begin + seq * HOUR, seconds=3600), place=None)
            for seq in range(hours)
        ]
    )


def test_a_camera_that_never_came_has_no_footage(old: SmallArchive) -> None:
    miss(old, T0 - 10 * DAY, T0 - HOUR)
    one = listed(old)
    assert (one.verdict, one.integrated_at, one.oldest, one.missing) == (
        RetentionVerdict.NO_FOOTAGE,
        None,
        None,
        0,
    )


def test_footage_and_gaps_that_fill_the_term_keep_the_promise(old: SmallArchive) -> None:
    miss(old, T0 - 10 * DAY, T0 - 9 * DAY, 1)
    fill(old, T0 - 9 * DAY, T0 - 2 * DAY, "6a15000000000001")
    miss(old, T0 - 2 * DAY, T0 - DAY, 2)
    fill(old, T0 - DAY, T0, "6a15000000000002")
    one = listed(old)
    assert (one.verdict, one.missing) == (RetentionVerdict.KEPT, 0)
    assert (one.integrated_at, one.oldest, one.kept) == (T0 - 9 * DAY, T0 - 9 * DAY, 9 * DAY)


def test_footage_that_is_gone_too_soon_is_short_by_what_nothing_explains(old: SmallArchive) -> None:
    fill(old, T0 - 10 * DAY, T0, "6a15000000000001")
    gone = [ref for ref in old.index.segments("cam-1", day_of(T0, ZONE)) if ref.span.start < T0 - 3 * HOUR]
    old.index.remove(gone)
    one = listed(old)
    assert len(gone) > 3
    assert (one.verdict, one.missing) == (RetentionVerdict.SHORT, len(gone) * HOUR)


def test_footage_that_was_destroyed_after_its_term_breaks_no_promise(old: SmallArchive) -> None:
    fill(old, T0 - 10 * DAY, T0, "6a15000000000001")
    begin = T0 - 10 * DAY
    old.index.remove(
        ref for ref in old.index.segments("cam-1", replace(day_of(T0, ZONE), start=begin)) if ref.seq < 120
    )
    one = listed(old)
    assert (one.verdict, one.oldest, one.integrated_at) == (RetentionVerdict.KEPT, T0 - 5 * DAY, begin)
    assert listed(old, days=6).verdict is RetentionVerdict.SHORT


def test_what_still_waits_in_a_spool_is_not_gone(old: SmallArchive) -> None:
    fill(old, T0 - 10 * DAY, T0 - 5 * HOUR, "6a15000000000001")
    miss(old, T0 - 2 * MINUTE, T0 - MINUTE)  # the index takes gaps while the store takes no footage
    assert listed(old).verdict is RetentionVerdict.SHORT
    now = old.clock.now()
    entry = {"capturing": 1, "kept": 1, "began": T0 - DAY, "grown": now, "failures": 0, "cause": ""}
    old.index.put_heartbeat("rec-1", now, {"oldest_us": 5 * HOUR, "cameras": {"cam-1": entry}})
    one = listed(old)
    assert (one.verdict, one.health.state) == (RetentionVerdict.KEPT, CameraState.RECORDING)


def test_the_list_as_csv_runs_nothing_in_a_spreadsheet(old: SmallArchive) -> None:
    document = old.index.document("camera", "cam-1")
    assert document is not None
    state = {**document.state, "permit": "PTSP/7/2026", "owner_name": '=HYPERLINK("http://x")'}
    old.index.put_document("camera", "cam-1", document.version + 1, state)
    (row,) = csv.DictReader(io.StringIO(compliance_csv([listed(old)])))
    assert tuple(row) == COLUMNS
    assert (row["permit"], row["owner"], row["verdict"]) == ("PTSP/7/2026", "business", "no_footage")
    assert row["owner_name"] == '\'=HYPERLINK("http://x")'
    assert row["promised_days"] == "5"
