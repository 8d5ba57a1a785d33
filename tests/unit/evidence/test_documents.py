"""The papers of a package: words for every code, pictures only from the span, reproducible bytes."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from archive.cases.handover import report as handover_report
from archive.clock import ManualClock
from archive.documents import words
from archive.errors import Malformed, NotFound, Unavailable
from archive.evidence.documents import sealing_report, timeline
from archive.evidence.documents.compose import REPORT, Composer
from archive.evidence.documents.contact_sheet import MOST_EACH, ContactSheet, spread
from archive.evidence.plan import PackagePlan
from archive.footage import reader
from archive.footage.derive import Still
from archive.model.camera import OwnerKind
from archive.model.disposition import Cause
from archive.model.evidence import PackageKind
from archive.model.gap import GapCause
from archive.model.request import AgencyKind, BasisKind
from archive.model.segment import SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectStore
from archive.timespan import SECOND, SpanSet, Timespan
from tests.support import papers


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> x509.Certificate:
    return papers.signer(tmp_path_factory.mktemp("signer") / "keys")


@dataclass
class DrawnStills:
    """Draws a picture of the instant; ``early`` is the distance of the keyframe before it."""

    early: int = 0
    refuse: frozenset[int] = frozenset()
    asked: list[tuple[str, int]] = field(default_factory=list)

    def keyframe(self, ref: SegmentRef, footage: ObjectStore, instant: int, *, width: int) -> Still:
        assert instant in ref.span
        self.asked.append((ref.camera, instant))
        if ref.seq in self.refuse:
            raise NotFound("no picture", code="no_picture")
        return Still(papers.jpeg(ref.key[-40:], width // 2, 100), instant - self.early)


def sheet_of(plan: PackagePlan, stills: DrawnStills, folder: Path) -> dict[str, list[Still]]:
    store = FilesystemStore(folder, ManualClock(papers.T0))
    return {camera: list(found) for camera, found in ContactSheet(stills, store).of(plan).items()}


def test_every_word_of_the_archive_has_one_on_paper() -> None:
    causes = {*GapCause, reader.NOT_YET, reader.NOT_REGISTERED, reader.UNKNOWN, "pending"}
    assert set(words.CAUSES) == causes
    assert set(words.OWNERS) == set(OwnerKind)
    assert set(words.AGENCIES) == set(AgencyKind)
    assert set(words.BASES) == set(BasisKind)
    assert set(words.DISPOSITION_CAUSES) == set(Cause)


@given(
    st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**6)), min_size=1, max_size=20),
    st.integers(1, 12),
)
def test_pictures_are_spread_over_the_footage_and_never_lie_in_a_gap(
    spans: list[tuple[int, int]], count: int
) -> None:
    footage = SpanSet(Timespan(start, start + long) for start, long in spans)
    instants = spread(footage, count)
    assert len(instants) == count
    assert instants == sorted(instants)
    assert all(instant in footage for instant in instants)


def test_no_picture_is_from_outside_the_authorised_span(tmp_path: Path) -> None:
    plan = papers.plan(cameras=1, segments=3, gaps=0)
    inside = replace(plan, span=Timespan(papers.T0 + 12 * SECOND, papers.T0 + 14 * SECOND))
    found = sheet_of(inside, DrawnStills(), tmp_path)
    assert len(found["cam-0001"]) == MOST_EACH
    assert all(still.instant in inside.span for still in found["cam-0001"])
    assert sheet_of(inside, DrawnStills(early=3 * SECOND), tmp_path) == {"cam-0001": []}


def test_few_cameras_get_six_pictures_each_and_a_hundred_one(tmp_path: Path) -> None:
    few = sheet_of(papers.plan(cameras=2, segments=30), DrawnStills(), tmp_path)
    assert [len(stills) for stills in few.values()] == [MOST_EACH, MOST_EACH]
    many = sheet_of(papers.plan(cameras=100, segments=2, gaps=0), DrawnStills(), tmp_path)
    assert {len(stills) for stills in many.values()} == {1}


def test_a_keyframe_that_cannot_be_decoded_is_left_out_and_the_rest_is_shown(tmp_path: Path) -> None:
    plan = papers.plan(cameras=1, segments=6, gaps=0)
    found = sheet_of(plan, DrawnStills(refuse=frozenset({2})), tmp_path)
    assert len(found["cam-0001"]) == MOST_EACH - 1


def test_a_machine_that_is_too_slow_for_a_picture_stops_the_report(tmp_path: Path) -> None:
    """Otherwise a second worker would write another report into the same package."""

    class Slow:
        def keyframe(self, ref: SegmentRef, footage: ObjectStore, instant: int, *, width: int) -> Still:
            raise Unavailable("slow", code="ffmpeg_timeout")

    store = FilesystemStore(tmp_path, ManualClock(papers.T0))
    with pytest.raises(Unavailable):
        ContactSheet(Slow(), store).of(papers.plan(cameras=1))


@given(st.integers(-(10**15), 2 * 10**15), st.integers(1, 400 * 86_400 * SECOND))
def test_ticks_lie_within_the_span_in_order_and_are_few(start: int, long: int) -> None:
    span = Timespan(start, start + long)
    found = list(timeline.ticks(span, ZoneInfo("Asia/Makassar")))
    assert len(found) <= 8
    assert found == sorted(set(found))
    assert all(span.start <= tick <= span.end for tick in found)


@pytest.mark.parametrize("kind", list(PackageKind))
def test_the_same_plan_gives_the_same_report(kind: PackageKind, certificate: x509.Certificate) -> None:
    made = papers.plan(kind=kind, request=papers.request_facts())
    pictures = papers.sheet(made)
    first = sealing_report.render(papers.copied(made, certificate), pictures)
    assert b"/CreationDate (D:20261124100000+00'00')" in first, "the date of the plan, not of today"
    again = papers.plan(kind=kind, request=papers.request_facts())
    assert sealing_report.render(papers.copied(again, certificate), papers.sheet(again)) == first
    for other in (
        replace(made, case="another case"),
        replace(made, request=None),
        replace(made, gaps=made.gaps[:-1]),
        replace(made, prepared_at=made.prepared_at + SECOND),
        replace(made, request=papers.request_facts(urgent=True)),
    ):
        assert sealing_report.render(papers.copied(other, certificate), pictures) != first


def test_the_composer_gives_one_report_of_its_kind(certificate: x509.Certificate, tmp_path: Path) -> None:
    copied = papers.copied(papers.plan(cameras=1), certificate)
    store = FilesystemStore(tmp_path, ManualClock(papers.T0))
    with_pictures = Composer(ContactSheet(DrawnStills(), store))(copied)
    without = Composer()(copied)
    assert list(with_pictures) == list(without) == [REPORT]
    assert {with_pictures[REPORT].kind, without[REPORT].kind} == {"sealing_report"}
    assert with_pictures[REPORT].content != without[REPORT].content
    assert with_pictures == Composer(ContactSheet(DrawnStills(), store))(copied)


def test_the_same_handover_gives_the_same_report_and_a_receipt_changes_it() -> None:
    office = papers.letterhead()
    assert handover_report.render(papers.handover(), office) == handover_report.render(
        papers.handover(), office
    )
    open_one = handover_report.render(papers.handover(confirmed=False), office)
    assert open_one != handover_report.render(papers.handover(), office)


def test_an_unknown_time_zone_is_refused(certificate: x509.Certificate) -> None:
    made = replace(papers.plan(cameras=1), tz_display="Mars/Olympus")
    with pytest.raises(Malformed) as refused:
        sealing_report.render(papers.copied(made, certificate), None)
    assert refused.value.code == "bad_time_zone"
    with pytest.raises(Malformed):
        handover_report.render(papers.handover(), replace(papers.letterhead(), tz_display="Mars/Olympus"))
