"""``python -m ops.bench [SUBJECT …] [--short]``: measure, and write ``docs/benchmarks.md``."""

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from archive.errors import ArchiveError
from ops.bench import (
    clips,
    disposition,
    finalise,
    fixity,
    greedy,
    heads,
    indexing,
    memory,
    merkle,
    plan,
    rebuild,
    recording,
    results,
    sealing,
    sessions,
)
from ops.bench.figures import Findings, short
from ops.bench.workbench import Scale, Workbench

_SUBJECTS: dict[str, Callable[[Workbench], Findings]] = {
    recording.SUBJECT: recording.measure,
    clips.SUBJECT: clips.measure,
    finalise.SUBJECT: finalise.measure,
    sealing.SUBJECT: sealing.measure,
    memory.SUBJECT: memory.measure,
    indexing.SUBJECT: indexing.measure,
    rebuild.SUBJECT: rebuild.measure,
    plan.SUBJECT: plan.measure,
    disposition.SUBJECT: disposition.measure,
    fixity.SUBJECT: fixity.measure,
    merkle.SUBJECT: merkle.measure,
    heads.SUBJECT: heads.measure,
    sessions.SUBJECT: sessions.measure,
    greedy.SUBJECT: greedy.measure,
}


_MODES = ("short", "long")


def main() -> int:
    """Measure the subjects on the command line; returns 1 if a subject could not be measured."""
    options = _options()
    scale = Scale.brief() if options.short else Scale()
    if options.cameras:
        scale = replace(scale, cameras=options.cameras)
    if options.windows:
        scale = replace(scale, windows=options.windows)
    if options.long:
        scale = replace(scale, sealed_seconds=3600)
    chosen = options.subjects or list(results.ORDER)
    words = " ".join(
        ["python -m ops.bench", *options.subjects, *(f"--{w}" for w in _MODES if getattr(options, w))]
    )
    found = results.read(options.docs)
    failed = 0
    for subject in chosen:
        try:
            with Workbench(scale, _say, words) as bench:
                found[subject] = _SUBJECTS[subject](bench)
        except ArchiveError as error:
            failed += 1
            _say(f"{subject}: not measured: {error.message} [{error.code}] {error.hint}")
            continue
        _tell(found[subject])
        page = results.write(options.docs, found)
        _say(f"{subject}: written to {page}")
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", choices=[[], *results.ORDER], metavar="SUBJECT",
                        help=f"one or more of {', '.join(results.ORDER)}; default: all")  # fmt: skip
    parser.add_argument("--short", action="store_true", help="a run of a few minutes, to check that it works")
    parser.add_argument(
        "--long", action="store_true", help="seal an hour of each camera; a day of index for sessions"
    )
    parser.add_argument("--cameras", type=int, default=0, help="cameras of the bank (16)")
    parser.add_argument("--windows", type=int, default=0, help="measured windows (3)")
    parser.add_argument(
        "--docs", type=Path, default=Path(__file__).resolve().parents[2] / "docs", help="where the page goes"
    )
    return parser.parse_args()


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _tell(findings: Findings) -> None:
    for figure in findings.figures:
        met = {True: "  ok", False: "MISS", None: "    "}[figure.met]
        beside = "" if figure.peer is None else f"  {figure.peer_name} {short(figure.peer)}"
        ratio = "" if figure.ratio is None else f"  × {short(figure.ratio)}"
        _say(f"{met} {figure.name}: {short(figure.ours)} {figure.unit}{beside}{ratio}  {figure.rule}")
