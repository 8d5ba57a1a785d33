"""A custody report has every event of its item or person, in order, and shows if one is missing."""

import json
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.audit import Act
from archive import canonical
from archive.clock import ManualClock
from archive.errors import ArchiveError, Malformed, NotFound
from archive.integrity.rebuild.follow import Follower
from archive.model.camera import OwnerKind
from archive.model.custody import Actor, Outcome
from archive.ports import Record, RecordQuery
from archive.records.custody import CustodyWriter, read_stored
from archive.records.custody_report.items import Item, stated_spans
from archive.records.custody_report.lines import Made, jsonl, line_json
from archive.records.custody_report.paper import MAX_PRINTED, printable, printed
from archive.records.custody_report.question import question_lines
from archive.records.custody_report.record import Asked, CustodyRecord, Line, Source
from archive.records.custody_report.vocabulary import WORDS, word_of
from archive.records.custody_report.walk import CustodyWalk
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan, format_instant
from search.areas import Near, box, polygon, route
from search.asking import details_of
from search.where import CameraFilter, InView
from tests.support.handovers import BUDI, CITRA, DEWI, SIGNER, SPAN, TAGS, Desk, sealed_desk
from tests.support.leaves import T0

MADE = Made(by="user:ani", at=T0 + DAY, organization="Pemerintah Kota Makassar", time_zone="Asia/Makassar")
OFFICER = Actor(id=DEWI, role="war_room", address="10.0.0.3", session="s3")


class Book:
    """A desk with a handed-over package, its custody, and the record to read it with."""

    def __init__(self, folder: Path) -> None:
        self.desk: Desk = sealed_desk(folder)
        archive = self.desk.archive
        self.clock = archive.clock
        self.custody = CustodyWriter(archive.stores.records, archive.clock, writer="api-1")
        self.record = CustodyRecord(archive.stores, archive.ledger, archive.clock, archive.index)
        self.walk = CustodyWalk(archive.stores, archive.ledger)

    def follow(self) -> None:
        """Bring the index up to date."""
        archive = self.desk.archive
        Follower(archive.stores.records, archive.index, archive.clock).run()

    def act(self, event_type: str, *objects: str, actor: Actor = OFFICER, **details: Any) -> str:
        made = self.custody.record(
            event_type, actor=actor, objects=objects, purpose="LP/B/9", details=details
        )
        self.clock.advance(1)
        return made.id

    def lines(self, item: str = "", person: str = "", **asked: Any) -> list[Line]:
        """The lines of the index; a walk over the objects must find the same."""
        footage = asked.pop("footage", None)
        found = self.record.item(item, footage=footage) if item else None
        query = self.record.asked(item=found, person=person, **asked)
        self.follow()
        lines = list(self.record.lines(query))
        assert lines == list(self.walk.lines(query))
        return lines


@pytest.fixture
def book(tmp_path: Path) -> Book:
    return Book(tmp_path)


def types(lines: list[Line]) -> list[str]:
    return [line.type for line in lines]


def refused(code: str, kind: type[ArchiveError]) -> "pytest.RaisesExc[ArchiveError]":
    return pytest.raises(kind, check=lambda error: error.code == code)


def test_a_packages_custody_is_all_that_names_it_its_request_or_its_hold(book: Book) -> None:
    desk = book.desk
    for name in (desk.evidence_id, desk.request_id, desk.hold.hold.id, "cam-1", "EVD-2026-AAAAAAAAAA"):
        book.act("evidence.read", name)
        book.clock.advance(SECOND)
    desk.handovers.give(desk.request_id, actor=DEWI)
    found = book.lines(desk.evidence_id)
    assert sorted(types(found)) == sorted(
        [
            "hold.placed",
            "request.filed",
            "evidence.requested",
            "request.approved",
            "evidence.sealed",
            "evidence.read",
            "evidence.read",
            "evidence.read",
            "request.handed_over",
        ]
    )
    assert found == book.lines(desk.request_id)
    assert [line.position for line in found] == sorted(line.position for line in found)


def test_of_a_camera_it_is_what_touches_the_footage(book: Book) -> None:
    def span(start: int, end: int) -> dict[str, str]:
        return {"from": format_instant(T0 + start * SECOND), "to": format_instant(T0 + end * SECOND)}

    wanted = [
        book.act("clip.download.started", "cam-1", **span(0, 10)),
        book.act("frame.view", "cam-1", at=format_instant(T0 + 9 * SECOND)),
        book.act("playback.ended", "cam-1", shown=f"{format_instant(T0)}/{format_instant(T0 + SECOND)}"),
        book.act("camera.change", "cam-1"),
        book.act("clip.describe", "cam-1", **{"from": "not a time", "to": "at all"}),
    ]
    book.act("clip.download.started", "cam-2", **span(0, 10))
    book.act("clip.download.started", "cam-1", **span(10, 20))
    book.act("frame.view", "cam-1", at=format_instant(T0 + 10 * SECOND))
    book.act("playback.ended", "cam-1", shown=f"{format_instant(T0 - SECOND)}/{format_instant(T0)}")
    found = book.lines("cam-1", footage=Timespan(T0, T0 + 10 * SECOND))
    assert {line.id for line in found if line.source is Source.CUSTODY} == set(wanted)
    assert {line.type for line in found if line.source is Source.LEDGER} >= {
        "camera.added",
        "hold.placed",
        "request.filed",
        "evidence.sealed",
    }
    elsewhere = book.lines("cam-1", footage=Timespan(T0 + HOUR, T0 + 2 * HOUR))
    assert {line.type for line in elsewhere if line.source is Source.LEDGER} == {"camera.added"}


def test_of_a_segment_it_is_what_touches_its_span_though_it_is_gone(book: Book) -> None:
    segment = book.desk.archive.keep(0)
    name = segment.key
    first = book.act(
        "clip.describe",
        "cam-1",
        **{"from": format_instant(segment.span.end - 1), "to": format_instant(segment.span.end + 1)},
    )
    book.act(
        "clip.describe",
        "cam-1",
        **{"from": format_instant(segment.span.end), "to": format_instant(segment.span.end + 1)},
    )
    assert [line.id for line in book.lines(name) if line.source is Source.CUSTODY] == [first]
    gone = name.replace("_000000_", "_000009_")
    assert [line for line in book.lines(gone) if line.source is Source.CUSTODY] == []


def test_of_a_person_it_is_what_they_did_and_decided(book: Book) -> None:
    book.act("clip.describe", "cam-1")
    book.act("clip.describe", "cam-1", actor=Actor(id=BUDI, role="police"))
    book.desk.handovers.give(book.desk.request_id, actor=DEWI)
    assert types(book.lines(person=DEWI)) == ["clip.describe", "request.handed_over"]
    assert set(types(book.lines(person=CITRA))) == {"evidence.requested", "request.approved"}
    assert types(book.lines(book.desk.request_id, person=DEWI)) == ["request.handed_over"]


def test_whoever_acts_through_sudo_is_found(book: Book) -> None:
    book.act("clip.describe", "cam-1", actor=Actor(id="os:root(sudo:ani)", role="host"))
    assert len(book.lines(person="os:ani")) == 1
    assert book.lines(person="os:root") == []


def test_the_span_is_of_the_acts(book: Book) -> None:
    ids = []
    for _ in range(4):
        ids.append(book.act("clip.describe", "cam-1"))
        book.clock.advance(HOUR)
    found = book.lines(person=DEWI, start=T0 + HOUR, end=T0 + 3 * HOUR)
    assert [line.id for line in found] == ids[1:3]


def test_what_nobody_knows_is_not_asked_for(book: Book) -> None:
    for item, code, kind in (
        ("EVD-2026-AAAAAAAAAA", "evidence_not_found", NotFound),
        ("REQ-2026-AAAAAAAAAA", "request_not_found", NotFound),
        ("hold-" + "0" * 32, "hold_not_found", NotFound),
        ("cam-9", "camera_not_found", NotFound),
        ("no item", "bad_item", Malformed),
        ("segments/../x", "bad_key", Malformed),
    ):
        with refused(code, kind):
            book.record.item(item)
    half: list[dict[str, Any]] = [{}, {"start": T0}, {"end": T0}]
    for times in half:
        with refused("nothing_asked", Malformed):
            book.record.asked(**times)
    with refused("span_too_long", Malformed):
        book.record.asked(person=DEWI, start=T0 - 400 * DAY)


@settings(
    deadline=None,
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    pauses=st.lists(st.sampled_from([0, 1, SECOND, 20 * MINUTE, HOUR, 5 * HOUR]), max_size=14),
    writers=st.integers(1, 3),
    limit=st.integers(1, 5),
)
def test_pages_have_every_act_once_in_order_though_reading_is_an_act(
    tmp_path_factory: pytest.TempPathFactory, pauses: list[int], writers: int, limit: int
) -> None:
    book = Book(tmp_path_factory.mktemp("book"))
    chains = [
        CustodyWriter(book.desk.archive.stores.records, book.clock, writer=f"api-{number}")
        for number in range(writers)
    ]
    made = []
    for number, pause in enumerate(pauses):
        made.append(chains[number % writers].record("clip.describe", actor=OFFICER, objects=("cam-1",)))
        book.clock.advance(pause)
    book.clock.advance(1)
    asked = book.record.asked(person=DEWI)
    found: list[Line] = []
    cursor: str | None = ""
    while cursor is not None:
        book.follow()
        page = book.record.page(asked, limit=limit, cursor=cursor)
        found += page.lines
        cursor = page.next
        book.clock.advance(SECOND)
        chains[0].record("custody.read", actor=OFFICER)
        asked = book.record.asked(person=DEWI)
    assert [line.position for line in found] == sorted((event.at, event.id) for event in made)


def test_what_was_filed_an_hour_late_stands_where_it_happened(book: Book) -> None:
    class Slow(ManualClock):
        """The first reading of the clock times the event, the second times its object."""

        def now(self) -> int:
            seen = super().now()
            self.advance(2 * SECOND)
            return seen

    records = book.desk.archive.stores.records
    hour = T0 + HOUR - T0 % HOUR
    prompt = CustodyWriter(records, ManualClock(hour - SECOND // 2), writer="api-2")
    late = CustodyWriter(records, Slow(hour - SECOND), writer="api-1")
    second = prompt.record("clip.describe", actor=OFFICER)
    first = late.record("clip.describe", actor=OFFICER)
    found = book.lines(person=DEWI, start=T0, end=hour + HOUR)
    assert [line.id for line in found] == [first.id, second.id]


@pytest.mark.parametrize("cursor", ["x", "1-2", "-1-" + "0" * 32 + "-5", "1-" + "0" * 31 + "g-5"])
def test_a_cursor_of_somebody_elses_making_is_refused(book: Book, cursor: str) -> None:
    with refused("bad_cursor", Malformed):
        book.record.page(book.record.asked(person=DEWI), limit=3, cursor=cursor)


def test_the_lines_end_with_their_number_and_hash(book: Book) -> None:
    book.act("evidence.read", book.desk.evidence_id)
    asked = book.record.asked(item=book.record.item(book.desk.evidence_id))
    book.follow()
    body = b"".join(jsonl(asked, book.record.lines(asked), MADE))
    *above, end = body.splitlines(keepends=True)
    told = canonical.decode(end.strip())
    assert told == {"lines": len(above) - 1, "sha256": sha256(b"".join(above)).hexdigest()}
    head = canonical.decode(above[0].strip())
    assert (head["item"], head["made_by"]) == (book.desk.evidence_id, "user:ani")
    sealed = next(json.loads(line) for line in above if b'"evidence.sealed"' in line)
    assert sealed["premis"] == "packaging*, digital signature generation*"


def test_every_line_names_the_stored_line_that_proves_it(book: Book) -> None:
    book.act("evidence.read", book.desk.evidence_id)
    records = book.desk.archive.stores.records
    for line in book.lines(book.desk.evidence_id):
        key, _, number = line.proof.partition("#")
        data = records.get(key)
        stored = canonical.decode(data.split(b"\n")[int(number or 1) - 1])
        assert line.id in (stored.get("id"), stored.get("entry_id"))


def test_without_all_rights_addresses_and_sessions_are_left_out(book: Book) -> None:
    made = book.act("evidence.read", book.desk.evidence_id)
    (line,) = (one for one in book.lines(book.desk.evidence_id) if one.id == made)
    assert line_json(line)["actor"]["address"] == "10.0.0.3"
    narrow = line_json(line, whole=False)["actor"]
    assert (narrow["id"], narrow["role"], narrow["address"], narrow["session"]) == (DEWI, "war_room", "", "")


def pages_of(pdf: bytes, folder: Path) -> str:
    path = folder / "report.pdf"
    path.write_bytes(pdf)
    done = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, text=True, check=True)
    return done.stdout


def test_on_paper_it_is_in_indonesian_with_local_time(book: Book, tmp_path: Path) -> None:
    desk = book.desk
    desk.handovers.give(desk.request_id, actor=DEWI)
    desk.handovers.begin_download(desk.request_id, person=BUDI, address="10.0.0.1")
    book.act(
        "evidence.download.started", desk.evidence_id, actor=Actor(id=BUDI, role="police", agency="Polres")
    )
    book.custody.record(
        "evidence.verify", actor=OFFICER, objects=(desk.evidence_id,), outcome=Outcome.REFUSED
    )
    desk.handovers.confirm(desk.request_id, person=BUDI, tagmanifest=TAGS, signer=SIGNER)
    asked = book.record.asked(item=book.record.item(desk.evidence_id))
    book.follow()
    lines = list(book.record.lines(asked))
    pdf = printed(asked, lines, MADE)
    assert printed(asked, lines, MADE) == pdf
    text = pages_of(pdf, tmp_path)
    for words in (
        "CATATAN RANTAI PENGAWASAN",
        "PEMERINTAH KOTA MAKASSAR",
        desk.evidence_id,
        desk.request_id,
        "24 November 2026 14:00:00 WITA",
        "Mengunduh paket (mulai)",
        "Memverifikasi paket - DITOLAK",
        "user:budi (kepolisian, Polres)",
        "Penerimaan dikonfirmasi",
        "keperluan: LP/B/9",
    ):
        assert words in text, words


def test_paper_has_its_limits(book: Book) -> None:
    book.act("clip.describe", "cam-1")
    (line,) = book.lines(person=DEWI)
    asked = Asked(span=SPAN, person=DEWI)
    with refused("report_too_long", Malformed):
        printed(asked, [line] * (MAX_PRINTED + 1), MADE)


def test_too_many_acts_for_paper_are_counted_and_not_read(book: Book) -> None:
    for _ in range(12):
        book.act("clip.describe", "cam-1")
    book.act("recordings.search", *(f"cam-{number}" for number in range(1, 400)))
    book.follow()
    index = book.desk.archive.index
    find, read = index.find_records, list[str]()

    def watched(query: RecordQuery, *, limit: int) -> Sequence[Record]:
        read.append(query.kind)
        return find(query, limit=limit)

    index.find_records = watched  # type: ignore[method-assign]
    dewi = book.record.asked(person=DEWI)
    camera = book.record.asked(item=book.record.item("cam-1"), person=DEWI)
    footage = book.record.asked(item=book.record.item("cam-1", footage=SPAN), person=DEWI)
    for asked in (dewi, camera):
        with refused("report_too_long", Malformed):
            printable(book.record, asked, most=11)
        assert "act" not in read
    with refused("report_too_long", Malformed):
        printable(book.record, footage, most=11)
    assert read.count("act") == 2, "what each act states must be read: one answer of events, one of entries"
    for asked in (dewi, camera, footage):
        assert len(printable(book.record, asked, most=13)) == 13
    with refused("report_too_long", Malformed):
        printable(book.record, camera, most=12)


def test_paper_prints_what_was_asked(book: Book, tmp_path: Path) -> None:
    digest = "ab" * 32
    at = format_instant(T0)
    book.act("cameras.search", near="-5.1331,119.4111", radius_m="300", text="masjid raya", in_view="only")
    book.act("recordings.search", near="-5.14,119.41 250 m", owner="worship,business", **{"for": "war_room"})
    book.act("cameras.search", box="-5.2,119.4,-5.1,119.5", kecamatan="73.71.02,73.71.13")
    book.act("cameras.search", polygon=f"-5.1,119.4;-5.2,119.5… (40000 characters, SHA-256 {digest})")
    book.act("cameras.search", route="-5.1,119.4;-5.2,119.5", buffer_m="25", kelurahan="73.71.02.1001")
    book.act("recordings.search", step="5m", **{"for": "timeline"})
    book.act("custody.read", "cam-1", acts_from=at, acts_to="no time", footage_from=at, footage_to=at)
    book.act("hold.release", "hold-1", step="propose")
    book.act("cameras.search", near="anywhere", in_view="new", owner="new", box="x", cameras=1234)
    asked = book.record.asked(person=DEWI)
    text = " ".join(pages_of(printed(asked, book.lines(person=DEWI), MADE), tmp_path).split())
    for words in (
        "ditanyakan: tempat paling jauh 300 m dari lintang -5.1331, bujur 119.4111",
        "ditanyakan: kata dalam nama atau alamat kamera: masjid raya",
        "ditanyakan: hanya kamera yang melihat tempat itu",
        "ditanyakan: tempat paling jauh 250 m dari lintang -5.14, bujur 119.41",
        "ditanyakan: pemilik: rumah ibadah, tempat usaha",
        "ditanyakan: riwayat untuk War Room",
        "ditanyakan: kotak dari lintang -5.2 sampai -5.1, dari bujur 119.4 sampai 119.5",
        "ditanyakan: kecamatan 73.71.02, 73.71.13",
        "ditanyakan: daerah dengan sudut (lintang,bujur) -5.1,119.4; -5.2,119.5 … (dipotong dari 40.000",
        "ditanyakan: sepanjang jalur (lintang,bujur) -5.1,119.4; -5.2,119.5, paling jauh 25 m dari jalur itu",
        "ditanyakan: kelurahan 73.71.02.1001",
        "ditanyakan: garis waktu, per 5m",
        "ditanyakan: perbuatan dari 24 November 2026 14:00:00 WITA sampai no time",
        "ditanyakan: rekaman dari 24 November 2026 14:00:00 WITA sampai 24 November 2026 14:00:00 WITA",
        "ditanyakan: tempat di dekat anywhere",
        "jumlah kamera 1.234",
    ):
        assert words in text, words
    assert digest in text.replace(" ", "")
    assert "propose" not in text


def test_every_filter_of_a_search_is_printed() -> None:
    """A filter that is added to searches must not stay out of the paper."""
    span_names = {"radius_m", "buffer_m"}
    areas = (Near(0, 0, 5), box(0, 0, 1e-3, 1e-3), route([(0, 0), (0, 1e-3)], 5))
    wanted = [
        CameraFilter(
            area=area, kecamatan=("73.71.13",), kelurahan=("73.71.13.1001",), owners=(OwnerKind.PUBLIC,),
            words=("a",), in_view=InView.ONLY,
        )
        for area in (*areas, polygon([(0, 0), (0, 1e-3), (1e-3, 0)]))
    ]  # fmt: skip
    for one in wanted:
        written = details_of(one)
        lines = question_lines(written, ZoneInfo("Asia/Makassar"))
        assert len(lines) == len(written.keys() - span_names), written


def test_every_act_of_the_api_has_a_word() -> None:
    assert {act.value for act in Act} <= set(WORDS)


def test_an_act_that_lasts_says_its_phase() -> None:
    assert word_of("playback.ended").indonesian == "memutar rekaman (selesai)"
    assert word_of("playback.ended").premis == "displaying*"
    assert word_of("something.new").indonesian == "something.new"


@pytest.mark.parametrize(
    "details", [{"from": 3, "to": 4}, {"at": None}, {"shown": "x"}, {"shown": "a/b"}, {}]
)
def test_a_time_that_does_not_read_rules_nothing_out(details: dict[str, Any]) -> None:
    assert stated_spans(details) == []


def test_a_damaged_record_is_said_aloud(book: Book) -> None:
    book.act("clip.describe", "cam-1")
    (stored,) = read_stored(book.desk.archive.stores.records, Timespan(T0, T0 + HOUR))
    store = book.desk.archive.stores.records
    whole = store.get

    def cut(key: str, *, version: str | None = None) -> bytes:
        data = whole(key, version=version)
        return data[:-3] if key == stored.key else data

    store.get = cut  # type: ignore[method-assign]
    with pytest.raises(ArchiveError) as caught:
        book.lines(person=DEWI)
    assert caught.value.code == "custody_form"
    later = book.clock.now() + 5 * HOUR
    assert book.lines(person=DEWI, start=later, end=later + HOUR) == []


def test_a_damaged_ledger_entry_is_said_aloud_where_it_may_belong(book: Book) -> None:
    desk = book.desk
    store = desk.archive.stores.records
    whole, key = store.get, f"ledger/hold/{desk.hold.hold.id}/00000001.json"

    def cut(name: str, *, version: str | None = None) -> bytes:
        return whole(name, version=version)[: -3 if name == key else None]

    package = book.record.item(desk.evidence_id)
    store.get = cut  # type: ignore[method-assign]
    book.follow()
    for item in (package, book.record.item("cam-1", footage=SPAN), book.record.item("cam-1")):
        with refused("bad_entry", ArchiveError):
            book.record.lines(book.record.asked(item=item))
    with refused("bad_entry", ArchiveError):
        book.record.lines(book.record.asked(person=BUDI))
    other = Item(text="EVD-2026-AAAAAAAAAA", names=frozenset({"EVD-2026-AAAAAAAAAA"}))
    assert list(book.record.lines(book.record.asked(item=other))) == []


def test_a_page_says_as_of_when(book: Book) -> None:
    asked = book.record.asked(person=DEWI)
    assert book.record.page(asked, limit=5).as_of is None
    book.follow()
    at = book.clock.now()
    book.clock.advance(MINUTE)
    assert book.record.page(asked, limit=5).as_of == at


def test_a_page_reads_no_more_than_it_returns(book: Book) -> None:
    for _ in range(30):
        book.act("clip.describe", "cam-1")
    book.follow()
    asked_for: list[int] = []
    index = book.desk.archive.index
    find = index.find_records

    def counted(query: RecordQuery, *, limit: int) -> Sequence[Record]:
        found = find(query, limit=limit)
        if query.kind == "act":
            asked_for.append(len(found))
        return found

    index.find_records = counted  # type: ignore[method-assign]
    page = book.record.page(book.record.asked(person=DEWI), limit=5)
    assert (len(page.lines), asked_for) == (5, [6])
    asked_for.clear()
    elsewhere = Timespan(T0 + 9 * HOUR, T0 + 10 * HOUR)
    wanted = book.act("frame.view", "cam-1", at=format_instant(elsewhere.start))
    early = [book.act("frame.view", "cam-1", at=format_instant(T0)) for _ in range(30)]
    book.follow()
    item = book.record.item("cam-1", footage=elsewhere)
    found = {line.id for line in book.record.lines(book.record.asked(item=item))}
    assert wanted in found
    assert found.isdisjoint(early)
    assert sum(asked_for) < 30 + len(early), "the index ruled out what states another time"


def test_everybodys_acts_in_a_span_are_found_without_an_item_or_a_person(book: Book) -> None:
    begun = book.clock.now()
    acts = [book.act(kind, "cam-1") for kind in ("playback.started", "clip.download.started", "sign_in")]
    book.desk.handovers.give(book.desk.request_id, actor=DEWI)
    book.clock.advance(1)
    ended = book.clock.now()
    book.act("export.download.started", "cam-1", actor=Actor(id="user:tono", role="war_room"))
    found = book.lines(start=begun, end=ended)
    assert {line.id for line in found} >= set(acts)
    assert "request.handed_over" in types(found)
    assert "export.download.started" not in types(found), "after the span"
    out = book.lines(start=begun, end=book.clock.now(), taken_out=True)
    assert types(out) == ["clip.download.started", "request.handed_over", "export.download.started"]
    assert types(book.lines(person="user:tono", taken_out=True)) == ["export.download.started"]
    of_camera = types(book.lines("cam-1", taken_out=True))
    assert {"clip.download.started", "export.download.started"} <= set(of_camera)
    assert "playback.started" not in of_camera


def test_an_event_on_very_many_objects_is_found_by_each(book: Book) -> None:
    names = [f"cam-{number}" for number in range(1, 400)]
    made = book.act("recordings.search", *names)
    assert made in {line.id for line in book.lines("cam-1")}


def test_no_text_of_a_caller_keeps_an_event_out_of_the_index(book: Book) -> None:
    hostile = ("x" * 600, "a\0b", "", "\u202e", "%", "item:cam-1", "😀" * 300)
    made = [book.act("custody.read", text, actor=Actor(id=f"user:{text}", role="police")) for text in hostile]
    everything = Timespan(T0 - HOUR, T0 + HOUR)
    for text, name in zip(hostile, made, strict=True):
        asked = Asked(span=everything, item=Item(text="x", names=frozenset({text})))
        book.follow()
        assert [line.id for line in book.record.lines(asked)] == [name]
        person = Asked(span=everything, person=f"user:{text}")
        assert [line.id for line in book.record.lines(person)] == [name]
        assert list(book.walk.lines(person)) == list(book.record.lines(person))
