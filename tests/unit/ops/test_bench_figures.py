"""Statistics of the benchmarks, checks of targets, and the generated page."""

import re
import statistics
import subprocess
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Refused
from ops.bench import command, drawing, growth, machine, report, results
from ops.bench.figures import Curve, Figure, Findings, Refusal, Spread, Table, quantile, short
from ops.bench.installation import add_camera, embedded
from ops.bench.workbench import Scale, Workbench

SAMPLES = st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=50)


def figure(ours: float, peer: float | None = 100.0, limit: float | None = None) -> Figure:
    return Figure(
        name="a clip", unit="ms", ours=ours, peer=peer, peer_name="FFmpeg", limit=limit, rule="≤ 0.6 × FFmpeg"
    )


def findings(*figures: Figure, subject: str = "clips") -> Findings:
    return Findings(
        subject=subject, title=f"About {subject}", at="2026-11-24T10:00Z", seconds=61, command="make bench",
        machine={"processor": "2 × something", "ffmpeg": "5.1"}, conditions=("Nothing else ran.",),
        figures=figures, tables=(Table("Milliseconds", ("way", "p50"), (("ours", "1.00"),)),),
    )  # fmt: skip


@given(SAMPLES)
def test_quantiles_lie_among_the_samples_and_the_half_is_the_median(samples: list[float]) -> None:
    spread = Spread.of(samples)
    assert spread.least <= spread.p50 <= spread.p95 <= spread.most
    assert spread.p50 == pytest.approx(statistics.median(samples))
    assert spread.count == len(samples)


def test_quantile_interpolates_between_ranks() -> None:
    assert quantile([4.0, 1.0, 3.0, 2.0], 0.95) == pytest.approx(3.85)
    assert quantile([7.0], 0.95) == 7.0


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="nothing"):
        Spread.of([])


@pytest.mark.parametrize(
    ("ours", "limit", "met"), [(60.0, 60.0, True), (60.1, 60.0, False), (1.0, None, None)]
)
def test_a_target_is_met_at_its_limit_and_not_beyond(
    ours: float, limit: float | None, met: bool | None
) -> None:
    assert figure(ours, limit=limit).met is met


def test_a_ratio_needs_a_peer() -> None:
    assert figure(50.0).ratio == pytest.approx(0.5)
    assert figure(50.0, peer=None).ratio is None


@pytest.mark.parametrize(
    ("value", "text"), [(1234.5, "1234"), (99.96, "100.0"), (12.34, "12.3"), (1.239, "1.24"), (0.0, "0.00")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert short(value) == text


def test_findings_survive_being_kept() -> None:
    kept = findings(figure(60.1, limit=60.0), figure(3.0, peer=None))
    assert Findings.from_json(kept.to_json()) == kept


def test_the_page_says_what_was_missed() -> None:
    text = report.page([findings(figure(59.0, limit=60.0), figure(61.0, limit=60.0), figure(5.0))])
    assert "**1 of 2 targets are met.**" in text
    assert (
        "| a clip [ms] | 61.0 | 100 (FFmpeg) | **0.61** | ≤ 0.6 × FFmpeg: 60.0 | **no** | not recorded † |"
        in text
    )
    assert "| a clip [ms] | 5.00 | 100 (FFmpeg) | **0.05** | – |  | not recorded † |" in text
    assert "Nothing else ran." in text
    assert "`make bench`" in text


def test_every_line_of_a_table_has_the_same_columns() -> None:
    text = report.page([findings(figure(5.0, limit=1.0), figure(6.0, peer=None, limit=7.0))])
    tables = [block.splitlines() for block in text.split("\n\n") if block.startswith("|")]
    assert tables
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1


def test_the_drawing_has_a_bar_for_every_ratio_in_its_colour() -> None:
    svg = drawing.ratios(
        [findings(figure(30.0, limit=60.0), figure(90.0, limit=60.0), figure(7.0, peer=None), figure(900.0))]
    )
    root = ElementTree.fromstring(svg)  # noqa: S314 - made right here
    colours = [rect.get("fill") for rect in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert colours.count("#2a7f4f") == 1
    assert colours.count("#c0392b") == 1
    assert colours.count("#6b7a8f") == 1
    assert all(
        float(rect.get("width", "0")) <= 1040 for rect in root.iter("{http://www.w3.org/2000/svg}rect")
    )


CURVES = (
    Curve(name="a <day> & a night", group="SQLite", points=((1e4, 1.2), (2e7, 4.0))),
    Curve(name="a <day> & a night", group="Elasticsearch", points=((1e4, 9.0), (2e7, 48.0))),
    Curve(name="a month", group="SQLite", points=((2e7, 0.4),)),
    Curve(name="nothing", group="SQLite", points=()),
)


def test_each_curve_is_a_line_through_its_points_inside_its_panel() -> None:
    root = ElementTree.fromstring(growth.chart("Growth", CURVES))  # noqa: S314 - made right here
    svg = "{http://www.w3.org/2000/svg}"
    lines = [one.get("points", "").split() for one in root.iter(f"{svg}polyline")]
    assert [len(line) for line in lines] == [2, 2, 1]
    assert len(list(root.iter(f"{svg}circle"))) == 5
    _, _, width, height = map(float, root.get("viewBox", "").split())
    places = [tuple(map(float, place.split(","))) for line in lines for place in line]
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)
    (left, low), (right, high) = (tuple(map(float, place.split(","))) for place in lines[1])
    assert left < right
    assert high < low  # more ms is higher on the page
    assert "a <day> & a night" in [text.text for text in root.iter(f"{svg}text")]


def test_curves_survive_being_kept_and_are_drawn_beside_the_page(tmp_path: Path) -> None:
    kept = replace(findings(figure(1.0)), curves=CURVES[:3])
    assert Findings.from_json(kept.to_json()) == kept
    page = results.write(tmp_path, results.Results({"clips": kept})).read_text("utf-8")
    assert "](benchmarks-clips.svg)" in page
    assert (tmp_path / "benchmarks-clips.svg").read_text("utf-8").startswith("<svg")
    assert results.read(tmp_path).findings["clips"].curves == CURVES[:3]


def test_what_takes_an_hour_is_measured_only_if_it_is_named() -> None:
    assert set(command._usual(short=False)) == set(results.ORDER) - results.APART
    assert command._usual(short=True) == list(results.ORDER)


def test_a_subject_measured_anew_replaces_itself_alone(tmp_path: Path) -> None:
    results.write(
        tmp_path,
        results.Results({"clips": findings(figure(1.0)), "memory": findings(figure(2.0), subject="memory")}),
    )
    found = results.read(tmp_path)
    found.measured(findings(figure(3.0)))
    text = results.write(tmp_path, found).read_text("utf-8")
    assert results.read(tmp_path).findings["memory"].figures[0].ours == 2.0
    assert results.read(tmp_path).findings["clips"].figures[0].ours == 3.0
    assert text.index("About clips") < text.index("About memory")


def test_the_page_names_the_commit_of_each_figure_and_marks_another_one() -> None:
    older = replace(findings(figure(59.0), subject="clips"), at="2026-11-24T10:00Z", commit="aaaaaaaaaa")
    newer = replace(findings(figure(61.0), subject="merkle"), at="2026-11-28T10:00Z", commit="bbbbbbbbbb")
    unknown = replace(findings(figure(62.0), subject="heads"), at="2026-11-20T10:00Z")
    text = report.page([older, newer, unknown])
    assert "| 59.0 | 100 (FFmpeg) | **0.59** | – |  | `aaaaaaaaaa` † |" in text
    assert "| 61.0 | 100 (FFmpeg) | **0.61** | – |  | `bbbbbbbbbb` |" in text
    assert "| 62.0 | 100 (FFmpeg) | **0.62** | – |  | not recorded † |" in text


def test_what_could_not_be_measured_is_on_the_page_and_ages_the_figures_below(tmp_path: Path) -> None:
    kept = results.Results()
    kept.measured(replace(findings(figure(59.0), subject="clips"), commit="aaaaaaaaaa"))
    results.write(tmp_path, kept)
    again = results.read(tmp_path)
    again.refused(
        Refusal(
            subject="clips", at="2026-11-28T10:00Z", commit="bbbbbbbbbb", reason="no cameras [source_refused]"
        )
    )
    text = results.write(tmp_path, again).read_text("utf-8")
    assert "could not be measured" in text
    assert (
        "| clips | no cameras [source_refused] | 2026-11-28T10:00Z, `bbbbbbbbbb` | of an earlier run |"
        in text
    )
    assert "`aaaaaaaaaa` †" in text
    mended = results.read(tmp_path)
    assert set(mended.refusals) == {"clips"}
    mended.measured(replace(findings(figure(58.0), subject="clips"), commit="cccccccccc"))
    assert "could not be measured" not in results.write(tmp_path, mended).read_text("utf-8")


def test_a_subject_that_fails_is_told_fails_the_run_and_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(_bench: Workbench) -> Findings:
        raise Refused("no camera may be there", code="source_refused", hint="Set camera_networks.")

    def breaks(_bench: Workbench) -> Findings:
        raise subprocess.CalledProcessError(1, ["ffmpeg"])

    subjects = {"clips": refuses, "plan": breaks, "merkle": lambda _bench: findings(subject="merkle")}
    monkeypatch.setattr(command, "_SUBJECTS", subjects)
    assert command.measure(["clips", "plan", "merkle"], Scale.brief(), "make bench", docs=tmp_path) == 1
    assert "not measured: clips, plan" in capsys.readouterr().err
    page = (tmp_path / "benchmarks.md").read_text("utf-8")
    assert "no camera may be there [source_refused]" in page
    assert "CalledProcessError" in page
    assert "## About merkle" in page
    assert command.measure(["merkle"], Scale.brief(), "make bench", docs=None) == 0


def test_the_page_in_the_documents_is_the_one_that_its_numbers_make() -> None:
    """So nobody edits a figure, and a change of the page's form reaches it."""
    docs = Path(__file__).resolve().parents[3] / "docs"
    assert (docs / "benchmarks.md").read_text("utf-8") == results.page_of(results.read(docs))


def test_the_commit_is_that_of_the_checkout() -> None:
    named = machine.commit()
    assert re.fullmatch(r"[0-9a-f]{10,}\+?", named), named


def test_the_cameras_of_the_bank_are_allowed_where_it_measures(tmp_path: Path) -> None:
    """Sources are judged; an installation that could not record the bank measured nothing for weeks."""
    made = embedded(tmp_path / "home")
    with made.site() as site:
        add_camera(site, "cam1", "rtsp://127.0.0.1:8554/cam1")
        add_camera(site, "cam2", "rtsp://192.0.2.1/stream")
        assert {site.registry.source_of(one) for one in site.registry.cameras()} == {
            "rtsp://127.0.0.1:8554/cam1",
            "rtsp://192.0.2.1/stream",
        }
