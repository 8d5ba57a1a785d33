"""Every index: a follower brings what a rebuild brings, and a report from it is that of the objects."""

from pathlib import Path

from archive.integrity.check.indexed import IndexedCheck
from archive.integrity.check.report import CheckReport
from archive.integrity.rebuild.follow import Follower
from archive.model.custody import Actor
from archive.ports import Record, RecordQuery
from archive.records.custody import CustodyWriter
from archive.records.custody_report.record import CustodyRecord
from archive.records.custody_report.walk import CustodyWalk
from archive.records.ledger.streams import KINDS
from archive.timespan import HOUR, MINUTE, SECOND, Timespan, format_instant
from search.index import Index
from search.rebuilding import rebuild_index
from tests.support.handovers import BUDI, DEWI, SPAN, sealed_desk
from tests.support.leaves import T0


def everything(index: Index) -> list[Record]:
    return [
        one
        for kind in ("act", "unread", *KINDS)
        for one in index.find_records(RecordQuery(kind=kind), limit=1000)
    ]


def test_what_is_followed_is_rebuilt_and_reported_as_the_objects_say(tmp_path: Path, index: Index) -> None:
    desk = sealed_desk(tmp_path)
    archive = desk.archive
    writer = CustodyWriter(archive.stores.records, archive.clock, writer="api-1")
    follower = Follower(archive.stores.records, index, archive.clock)
    for number, name in enumerate((desk.evidence_id, desk.request_id, desk.hold.hold.id, "cam-1") * 3):
        span = {"from": format_instant(T0 + number * SECOND), "to": format_instant(T0 + HOUR)}
        writer.record("evidence.read", actor=Actor(id=DEWI), objects=(name, "\0"), details=span)
        archive.clock.advance(11 * MINUTE)
        if number % 5 == 0:
            follower.run()
    desk.handovers.give(desk.request_id, actor=DEWI)
    follower.run()
    found = everything(index)
    record = CustodyRecord(archive.stores, archive.ledger, archive.clock, index)
    walk = CustodyWalk(archive.stores, archive.ledger)
    early = Timespan(T0, T0 + 5 * SECOND)
    queries = [
        *(record.asked(item=record.item(one)) for one in (desk.evidence_id, desk.request_id, "cam-1")),
        *(record.asked(item=record.item("cam-1", footage=one)) for one in (SPAN, early)),
        *(record.asked(person=one) for one in (DEWI, BUDI, "user:nobody")),
        record.asked(item=record.item(desk.request_id), person=DEWI),
    ]
    for asked in queries:
        assert list(record.lines(asked)) == list(walk.lines(asked))
        paged, cursor = [], ""
        while True:
            page = record.page(asked, limit=4, cursor=cursor)
            paged += page.lines
            if page.next is None:
                break
            cursor = page.next
        assert paged == list(walk.lines(asked))
    archive.clock.advance(HOUR)
    report = CheckReport()
    IndexedCheck(archive.stores.records, index, archive.clock, report, lambda *_: None).run()
    assert report.breaches == []
    rebuild_index(archive.stores, index)
    assert everything(index) == found
    archive.index.close()
