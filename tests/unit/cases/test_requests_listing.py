"""A list of requests from the index is the list of the ledger, page by page."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.canonical import JsonObject
from archive.cases.requests.answers import brief_json, related
from archive.cases.requests.book import RequestBook
from archive.cases.requests.listing import Theirs, Wanted, list_related, list_requests
from archive.errors import ArchiveError, Malformed
from archive.evidence import jobs
from archive.ids import new_request_id
from archive.integrity.rebuild.follow import Follower
from archive.model import evidence as packages
from archive.model.evidence import EvidenceStatus
from archive.model.request import Letter, Request, RequestStatus, is_letter_overdue, to_state
from archive.persons import same_person
from archive.records.indexed.own_writes import OwnEntries
from archive.records.indexed.streams import record_of_stream
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, MINUTE, Timespan
from search.sqlite import SqliteIndex, open_sqlite
from tests.support.archives import SmallArchive, small_archive
from tests.support.handovers import BUDI, CITRA, SPAN, a_request
from tests.support.leaves import T0

STATUSES = (RequestStatus.SUBMITTED, RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.CLOSED)
NO_LETTER = Letter(number="", date="", sha256="")


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = owned(tmp_path)
    yield made
    made.index.close()


def owned(folder: Path) -> SmallArchive:
    """An archive whose ledger indexes its own entries."""
    made = small_archive(folder)
    own = OwnEntries(lambda: made.index, lambda: made.ledger)
    made.ledger = Ledger(made.stores.records, made.clock, on_append=own.appended)
    return made


def put(archive: SmallArchive, request: Request, version: int = 0) -> Request:
    archive.ledger.append(
        "request", request.id, to_state(request), expected=version, actor=BUDI, action="request.filed"
    )
    return request


def filed(archive: SmallArchive, **changed: object) -> Request:
    now = archive.clock.now()
    request = replace(a_request(new_request_id(now), "hold-" + "0" * 32), filed_at=now, **changed)  # type: ignore[arg-type]
    archive.clock.advance(MINUTE)
    return put(archive, request)


def sealing(archive: SmallArchive, request: Request, status: EvidenceStatus) -> Request:
    """Approve a request, and bring its package to a status."""
    job = jobs.request_seal(
        archive.ledger, archive.clock, cameras=request.cameras, span=SPAN, case="x", actor=CITRA,
        request_id=request.id, request_entry="ab" * 32,
    )  # fmt: skip
    evidence_id = job.record.request.evidence_id
    put(archive, replace(request, status=RequestStatus.APPROVED, evidence_id=evidence_id), 1)
    if status is not EvidenceStatus.REQUESTED:
        state = packages.to_state(replace(job.record, status=status))
        archive.ledger.append("evidence", evidence_id, state, expected=1, actor=CITRA, action="evidence.x")
    return request


def from_ledger(archive: SmallArchive, wanted: Wanted) -> list[JsonObject]:
    """The same list, from all heads of the ledger."""
    now, theirs = archive.clock.now(), wanted.theirs
    book = RequestBook(archive.ledger, archive.stores.records, archive.clock)
    return [
        brief_json(head, now)
        for head in book.requests()
        if wanted.status in (None, head.status)
        and wanted.agency in ("", head.request.agency_account, head.request.requester.agency)
        and wanted.camera in ("", *head.request.cameras)
        and (not wanted.overdue or is_letter_overdue(head.request, now))
        and (
            theirs is None
            or same_person(head.request.requester.person, theirs.person)
            or (theirs.agency != "" and head.request.agency_account == theirs.agency)
        )
    ]


def from_index(archive: SmallArchive, wanted: Wanted, *, limit: int = 1000) -> list[JsonObject]:
    found: list[JsonObject] = []
    cursor: str | None = ""
    while cursor is not None:
        page = list_requests(archive.index, wanted, archive.clock.now(), limit=limit, cursor=cursor)
        found += page.items
        cursor = page.next
    return found


def test_each_status_is_that_of_request_and_package_together(archive: SmallArchive) -> None:
    for status in STATUSES:
        filed(archive, status=status)
    for package in EvidenceStatus:
        sealing(archive, filed(archive), package)
    listed = from_index(archive, Wanted())
    assert listed == from_ledger(archive, Wanted())
    assert len(listed) == len(STATUSES) + len(EvidenceStatus)
    for shown in RequestStatus:
        wanted = Wanted(status=shown)
        assert from_index(archive, wanted) == from_ledger(archive, wanted), shown
    assert len(from_index(archive, Wanted(status=RequestStatus.SEAL_FAILED))) == 1


def test_a_follower_and_a_rebuild_find_what_its_writer_found(archive: SmallArchive) -> None:
    for package in EvidenceStatus:
        sealing(archive, filed(archive), package)
    own = from_index(archive, Wanted())
    other = another_index(archive)
    Follower(archive.stores.records, other, archive.clock).run()
    page = list_requests(other, Wanted(), archive.clock.now(), limit=100)
    assert (page.items, page.as_of) == (own, archive.clock.now())
    other.close()


def another_index(archive: SmallArchive) -> SqliteIndex:
    return open_sqlite(archive.index._base.path.with_name("another.sqlite"))


def test_a_late_writer_does_not_bring_an_old_status_back(archive: SmallArchive) -> None:
    request = sealing(archive, filed(archive), EvidenceStatus.SEALED)
    ledger = archive.ledger
    newest = ledger.head("request", request.id)
    package = ledger.entry("evidence", newest.state["evidence_id"], 1)  # read before it was sealed
    archive.index.put_records([record_of_stream(ledger.entry("request", request.id, 1), newest, package)])
    assert [one["status"] for one in from_index(archive, Wanted())] == ["sealed"]


def test_only_what_the_reader_may_see_is_listed(archive: SmallArchive) -> None:
    mine = filed(archive)
    base = a_request("REQ-2026-AAAAAAAAAA", "hold-" + "0" * 32)
    # Somebody else, who typed the reader's agency and belongs to another one.
    typed = replace(base.requester, person="user:eka", agency="polsek")
    filed(archive, requester=typed, agency_account="satpol")
    ours = filed(archive, requester=typed, agency_account="polsek")
    theirs = Theirs(person=BUDI, agency="polsek")
    assert [one["id"] for one in from_index(archive, Wanted(theirs=theirs))] == [ours.id, mine.id]
    nobody = Wanted(theirs=Theirs(person="user:nobody", agency=""))
    assert from_index(archive, nobody) == []
    assert from_index(archive, Wanted(theirs=Theirs(person="", agency=""))) == []


def test_neighbours_are_those_of_the_ledger(archive: SmallArchive) -> None:
    for camera, hours, agency in product(("cam-1", "cam-2"), (-2, 0, 1, 5), ("a", "b")):
        span = Timespan(SPAN.start + hours * HOUR, SPAN.end + hours * HOUR)
        filed(archive, cameras=(camera, "cam-9"), span=span, agency_account=agency)
    mine = filed(archive, cameras=("cam-1",), span=Timespan(SPAN.start, SPAN.end + HOUR), agency_account="a")
    now = archive.clock.now()
    book = RequestBook(archive.ledger, archive.stores.records, archive.clock)
    for theirs in (None, Theirs(person="user:x", agency="a"), Theirs(person="", agency="")):
        shown = [
            head
            for head in book.requests()
            if theirs is None or (theirs.agency and head.request.agency_account == theirs.agency)
        ]
        expected = [brief_json(one, now) for one in related(book.request(mine.id), shown)]
        page = list_related(archive.index, mine, theirs, now, limit=50)
        assert page.items == expected
        assert list_related(archive.index, mine, theirs, now, limit=1).items == expected[:1]
    assert len(list_related(archive.index, mine, None, now, limit=50).items) > 1


def test_an_unreadable_entry_is_said_aloud(archive: SmallArchive) -> None:
    request = filed(archive)
    whole = archive.stores.records.get
    archive.stores.records.get = lambda key, *, version=None: whole(key, version=version)[:-3]  # type: ignore[method-assign]
    fresh = another_index(archive)
    Follower(archive.stores.records, fresh, archive.clock).run()
    with pytest.raises(ArchiveError) as caught:
        list_requests(fresh, Wanted(), archive.clock.now(), limit=5)
    assert caught.value.code == "bad_entry"
    assert request.id in caught.value.message
    fresh.close()


@pytest.mark.parametrize("cursor", ["x", "5", "REQ-2026-AAAAAAAAAA", "1-REQ/2026", "-1-REQ-2026-AAAAAAAAAA"])
def test_a_cursor_of_another_making_is_refused(archive: SmallArchive, cursor: str) -> None:
    with pytest.raises(Malformed) as caught:
        list_requests(archive.index, Wanted(), T0, limit=5, cursor=cursor)
    assert caught.value.code == "bad_cursor"


@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    made=st.lists(
        st.tuples(
            st.sampled_from(STATUSES),
            st.sampled_from(["", "a", "b"]),
            st.sampled_from([("cam-1",), ("cam-1", "cam-2"), ("cam-3",)]),
            st.sampled_from([None, T0, T0 + 10 * HOUR]),
            st.booleans(),
        ),
        max_size=9,
    ),
    wanted=st.builds(
        Wanted,
        status=st.sampled_from([None, *STATUSES]),
        agency=st.sampled_from(["", "a", "Polrestabes Makassar", "c"]),
        camera=st.sampled_from(["", "cam-1", "cam-2", "cam-9"]),
        overdue=st.booleans(),
        theirs=st.sampled_from([None, Theirs(person=BUDI, agency=""), Theirs(person="user:x", agency="b")]),
    ),
    limit=st.integers(1, 4),
)
def test_every_list_is_that_of_the_ledger(
    tmp_path_factory: pytest.TempPathFactory,
    made: list[tuple[RequestStatus, str, tuple[str, ...], int | None, bool]],
    wanted: Wanted,
    limit: int,
) -> None:
    archive = owned(tmp_path_factory.mktemp("requests"))
    for status, agency, cameras, due, has_letter in made:
        letter = a_request("REQ-2026-AAAAAAAAAA", "x").letter if has_letter else NO_LETTER
        filed(
            archive, status=status, agency_account=agency, cameras=cameras, letter_due_at=due, letter=letter
        )
    assert from_index(archive, wanted, limit=limit) == from_ledger(archive, wanted)
    archive.index.close()
