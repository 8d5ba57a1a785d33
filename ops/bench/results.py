"""The findings, stored as JSON beside the page that is written from them."""

import json
from collections.abc import Mapping
from pathlib import Path

from ops.bench import drawing, report
from ops.bench.figures import Findings

ORDER = (
    "recording", "clips", "finalise", "sealing", "memory", "index", "rebuild", "plan", "disposition",
    "fixity", "merkle", "heads", "sessions", "greedy",
)  # fmt: skip
_PAGE, _KEPT, _DRAWING = "benchmarks.md", "benchmarks.json", "benchmarks.svg"


def read(docs: Path) -> dict[str, Findings]:
    """The findings of earlier runs, by subject."""
    path = docs / _KEPT
    if not path.exists():
        return {}
    kept = json.loads(path.read_text("utf-8"))
    return {one["subject"]: Findings.from_json(one) for one in kept["findings"]}


def write(docs: Path, findings: Mapping[str, Findings]) -> Path:
    """Write findings, chart and page; returns the page's path."""
    ordered = [findings[subject] for subject in ORDER if subject in findings]
    value = {"findings": [one.to_json() for one in ordered]}
    (docs / _KEPT).write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", "utf-8")
    (docs / _DRAWING).write_text(drawing.ratios(ordered), "utf-8")
    page = docs / _PAGE
    page.write_text(report.page(ordered, drawing=_DRAWING), "utf-8")
    return page
