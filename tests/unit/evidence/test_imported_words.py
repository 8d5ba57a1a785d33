"""A package over imported footage says so, in both languages and on paper; another says nothing of it."""

from dataclasses import replace

import pytest

from archive.documents.words import CLOCK_FLAGS
from archive.evidence import imported_words, report
from archive.evidence.plan import PackagePlan
from archive.model import leaf as leaves
from archive.model.segment import UNSYNCHRONISED, ClockStatement, Segment
from archive.timespan import SECOND
from recorder.backfill.clocks import ASKED_ONCE, DISAGREES, UNPROVEN
from tests.support import papers


def imported(
    plan: PackagePlan,
    numbers: set[int],
    *,
    flags: tuple[str, ...] = (),
    source: str = "import",
    offset: int = 0,
) -> PackagePlan:
    """The plan with some of its originals imported, each with a bound of two seconds or with none."""
    made = []
    for number, item in enumerate(plan.originals):
        leaf = leaves.decode(item.leaf)
        assert isinstance(leaf, Segment)
        if number in numbers:
            clock = ClockStatement(
                source=source,
                offset_us=offset,
                uncertainty_us=0 if UNSYNCHRONISED in flags else 2 * SECOND,
                flags=flags,
            )
            leaf = replace(leaf, clock=clock)
            item = replace(
                item, leaf=leaves.encode(leaf), ref=replace(item.ref, uncertainty_us=clock.bound_us)
            )
        made.append(item)
    return replace(plan, originals=tuple(made))


def at_text(instant: int) -> str:
    return f"{(instant - papers.T0) // SECOND} s"


def test_a_stretch_is_named_with_its_bound() -> None:
    plan = imported(papers.plan(cameras=1, segments=4, gaps=0), {1, 2})
    camera = plan.originals[0].ref.camera
    assert list(imported_words.said_id(plan, at_text)) == [
        (f"{camera}  10 s - 30 s", "diimpor dari berkas; waktu menurut pengimpor, ± 2 detik")
    ]
    assert list(imported_words.said_en(plan, at_text)) == [
        (f"{camera}  10 s - 30 s", "imported from a file; times as stated at the import, to ± 2 s")
    ]


def test_a_time_that_nothing_bounds_is_said_to_be_so() -> None:
    plan = imported(papers.plan(cameras=1, segments=2, gaps=0), {0, 1}, flags=(UNSYNCHRONISED,))
    [(_, indonesian)] = imported_words.said_id(plan, at_text)
    [(_, english)] = imported_words.said_en(plan, at_text)
    assert "ketidakpastiannya tidak diketahui" in indonesian
    assert "nobody knows how exact" in english


def test_the_text_in_the_package_says_it_and_only_where_it_is_so() -> None:
    plain = papers.plan(cameras=1, segments=4, gaps=0)
    text = report.readme(imported(plain, {1})).decode()
    assert "Rekaman yang diimpor:" in text
    assert "Imported footage:" in text
    for title in ("Rekaman yang diimpor:", "Imported footage:"):
        section = text.partition(title)[2].partition("\n\n")[0]
        assert all(len(line) <= 110 for line in section.splitlines())
    assert "Imported footage" not in report.readme(plain).decode()
    assert imported_words.stretches(plain) == []


def test_what_a_camera_kept_is_told_apart_from_an_import_in_both_languages() -> None:
    plain = papers.plan(cameras=1, segments=4, gaps=0)
    plan = imported(imported(plain, {0}), {2, 3}, source="backfill", offset=-90 * SECOND)
    [_, (head, indonesian)] = imported_words.said_id(plan, at_text)
    [_, (_, english)] = imported_words.said_en(plan, at_text)
    assert head.endswith("20 s - 40 s")
    assert "susulan (backfilled) dari memori kamera" in indonesian
    assert "90 detik lambat, ± 2 detik" in indonesian
    assert "backfilled from the camera's memory" in english
    assert "90 s slow, to ± 2 s" in english
    text = report.readme(plan).decode()
    assert text.index("Imported footage:") < text.index("Footage backfilled from the camera's memory:")
    assert text.index("Rekaman yang diimpor:") < text.index("Rekaman susulan dari memori kamera:")
    assert [one[0][:6] for one in imported_words.explained(plan)] == ["Segmen", "Segmen"]
    assert len(imported_words.explained(imported(plain, {0}))) == 1


def test_which_offset_corrects_a_cameras_clock_is_said_as_it_is() -> None:
    """The first one that was measured after the hole, which may be long before the footage was fetched."""
    plan = imported(papers.plan(cameras=1, segments=2, gaps=0), {0}, source="backfill")
    [(indonesian, english)] = imported_words.explained(plan)
    assert "selisih yang pertama diukur sesudah celah" in indonesian
    assert "the first offset that was measured after the gap" in english


@pytest.mark.parametrize("flag", [DISAGREES, ASKED_ONCE, UNPROVEN])
def test_what_is_doubtful_of_a_cameras_clock_is_said_in_both_languages_and_on_paper(flag: str) -> None:
    plan = papers.plan(cameras=1, segments=2, gaps=0)
    plain = imported(plan, {0, 1}, source="backfill")
    plan = imported(plan, {0, 1}, source="backfill", flags=(flag,))
    [(_, indonesian)] = imported_words.said_id(plan, at_text)
    [(_, english)] = imported_words.said_en(plan, at_text)
    assert "± 2 detik; " in indonesian
    [(_, without)] = imported_words.said_en(plain, at_text)
    assert english.startswith(f"{without}; ")
    doubt = english.removeprefix(without)
    assert doubt in " ".join(report.readme(plan).decode().split())
    assert doubt not in " ".join(report.readme(plain).decode().split())
    assert CLOCK_FLAGS[flag]
