"""Statistics of the benchmarks, checks of targets, and the generated page."""

import statistics
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ops.bench import drawing, report, results
from ops.bench.figures import Figure, Findings, Spread, Table, quantile, short

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
    assert "| a clip [ms] | 61.0 | 100 (FFmpeg) | **0.61** | ≤ 0.6 × FFmpeg: 60.0 | **no** |" in text
    assert "| a clip [ms] | 5.00 | 100 (FFmpeg) | **0.05** | – |  |" in text
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


def test_a_subject_measured_anew_replaces_itself_alone(tmp_path) -> None:  # type: ignore[no-untyped-def]
    results.write(
        tmp_path, {"clips": findings(figure(1.0)), "memory": findings(figure(2.0), subject="memory")}
    )
    found = results.read(tmp_path)
    found["clips"] = findings(figure(3.0))
    text = results.write(tmp_path, found).read_text("utf-8")
    assert results.read(tmp_path)["memory"].figures[0].ours == 2.0
    assert results.read(tmp_path)["clips"].figures[0].ours == 3.0
    assert text.index("About clips") < text.index("About memory")
