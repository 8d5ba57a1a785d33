"""The findings, stored as JSON beside the page that is written from them."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

from ops.bench import drawing, growth, report
from ops.bench.figures import Findings, Refusal

Kind = TypeVar("Kind", Findings, Refusal)

ORDER = (
    "recording", "cameras", "control", "drain", "clips", "clip", "finalise", "sealing", "memory", "index",
    "rebuild", "records", "plan", "disposition", "fixity", "merkle", "heads", "sessions", "greedy", "where",
    "custody", "fresh", "skim", "console", "citywide",
)  # fmt: skip
APART = frozenset({"citywide"})
"""Subjects that take an hour: they are measured only if they are named."""

_PAGE, _KEPT, _DRAWING = "benchmarks.md", "benchmarks.json", "benchmarks.svg"


@dataclass(slots=True)
class Results:
    """What is known of each subject: its newest findings, and why its newest run failed, if it did."""

    findings: dict[str, Findings] = field(default_factory=dict)
    refusals: dict[str, Refusal] = field(default_factory=dict)

    def measured(self, found: Findings) -> None:
        """Take the findings of a run in."""
        self.findings[found.subject] = found
        self.refusals.pop(found.subject, None)

    def refused(self, refusal: Refusal) -> None:
        """Take in that a subject could not be measured; its earlier findings stay, and the page says so."""
        self.refusals[refusal.subject] = refusal


def read(docs: Path) -> Results:
    """The results of earlier runs."""
    path = docs / _KEPT
    if not path.exists():
        return Results()
    kept = json.loads(path.read_text("utf-8"))
    return Results(
        {one["subject"]: Findings.from_json(one) for one in kept["findings"]},
        {one["subject"]: Refusal(**one) for one in kept.get("refusals", ())},
    )


def page_of(found: Results) -> str:
    """The page that the results make."""
    return report.page(_ordered(found.findings), drawing=_DRAWING, refusals=_ordered(found.refusals))


def write(docs: Path, found: Results) -> Path:
    """Write findings, chart and page; returns the page's path."""
    docs.mkdir(parents=True, exist_ok=True)
    ordered = _ordered(found.findings)
    value = {
        "findings": [one.to_json() for one in ordered],
        "refusals": [asdict(one) for one in _ordered(found.refusals)],
    }
    (docs / _KEPT).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (docs / _DRAWING).write_text(drawing.ratios(ordered), "utf-8")
    for one in ordered:
        if one.curves:
            (docs / report.curves_of(one)).write_text(growth.chart(one.title, one.curves), "utf-8")
    page = docs / _PAGE
    page.write_text(page_of(found), "utf-8")
    return page


def _ordered(by_subject: Mapping[str, Kind]) -> list[Kind]:
    return [by_subject[subject] for subject in ORDER if subject in by_subject]
