"""Notices of exports: one when it can be fetched, one when it came to nothing, none of what is made."""

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from archive.cases.exports.model import Export, ExportOrder, ExportState, ExportStatus
from archive.cases.notices.exported import of_export
from archive.cases.notices.notice import Event
from archive.cases.notices.watching import Watch
from archive.cases.notices.wording import words_of
from archive.lifecycle.disposition.pressure import Level
from archive.timespan import DAY, HOUR, Timespan
from tests.support.archives import small_archive
from tests.support.leaves import T0

ORDER = ExportOrder(
    id="exp-0a1b2c3d4e5f60718293a4b5",
    owner="user:citra",
    purpose="LP/B/123",
    cameras=("cam-1", "cam-2"),
    span=Timespan(T0, T0 + HOUR),
    ordered_at=T0 + HOUR,
    footage_bytes=5,
)


def export(status: ExportStatus, **more: Any) -> Export:
    return Export(ORDER, ExportState(status=status, at=T0 + 2 * HOUR, **more), 3)


@pytest.mark.parametrize(
    ("status", "event"),
    [
        (ExportStatus.READY, Event.EXPORT_READY),
        (ExportStatus.FAILED, Event.EXPORT_FAILED),
        (ExportStatus.OUTDATED, Event.EXPORT_FAILED),
        (ExportStatus.QUEUED, None),
        (ExportStatus.RUNNING, None),
        (ExportStatus.PAUSED, None),
        (ExportStatus.CANCELLED, None),
    ],
)
def test_which_states_are_told(status: ExportStatus, event: Event | None) -> None:
    found = of_export(export(status, until=T0 + DAY))
    assert (found.event if found is not None else None) is event


def test_it_names_the_export_and_nobody() -> None:
    found = of_export(export(ExportStatus.READY, until=T0 + 26 * HOUR))
    assert found is not None
    words = words_of(found, zone=ZoneInfo("Asia/Makassar"), address="https://saksi.example")
    assert ORDER.id in words.title
    assert "Disimpan sampai" in words.indonesian
    assert "Kept until" in words.english
    for secret in ("citra", "LP/B/123", "cam-1"):
        assert secret not in words.title + words.text
    failed = of_export(export(ExportStatus.FAILED, code="no_footage"))
    assert failed is not None
    assert "no_footage" in words_of(failed, zone=ZoneInfo("Asia/Makassar"), address="").english
    assert failed.id != found.id


def test_the_watch_tells_it_once_measured(tmp_path: Any) -> None:
    site = small_archive(tmp_path)
    stands = [export(ExportStatus.RUNNING)]
    watch = Watch(
        site.ledger,
        site.stores.records,
        site.clock,
        pressure=lambda: Level.GREEN,
        exports=lambda: stands,
    )
    watch.measure()
    assert watch.notices() == ()
    stands[0] = replace(stands[0], state=export(ExportStatus.READY, until=T0 + DAY).state)
    watch.measure()
    assert [one.event for one in watch.notices()] == [Event.EXPORT_READY]
    stands.clear()
    watch.measure()
    assert watch.notices() == ()
