"""``python -m ops.bench [SUBJECT …] [--short]``: measure, and write ``docs/benchmarks.md``."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from subprocess import SubprocessError

import httpx
from playwright.sync_api import Error as BrowserError

from archive.errors import ArchiveError
from ops.bench import (
    cameras,
    citywide,
    clip_clients,
    clips,
    console,
    control,
    custody,
    disposition,
    drain,
    finalise,
    fixity,
    fresh,
    greedy,
    heads,
    indexing,
    memory,
    merkle,
    plan,
    rebuild,
    recording,
    records,
    results,
    sealing,
    sessions,
    skim,
    where,
)
from ops.bench.figures import Findings, Refusal, short
from ops.bench.machine import commit, stamp
from ops.bench.workbench import Scale, Workbench, shared_stores
from ops.stack import Stack

_DOCS = Path(__file__).resolve().parents[2] / "docs"

_SUBJECTS: dict[str, Callable[[Workbench], Findings]] = {
    recording.SUBJECT: recording.measure,
    cameras.SUBJECT: cameras.measure,
    clips.SUBJECT: clips.measure,
    clip_clients.SUBJECT: clip_clients.measure,
    finalise.SUBJECT: finalise.measure,
    sealing.SUBJECT: sealing.measure,
    memory.SUBJECT: memory.measure,
    indexing.SUBJECT: indexing.measure,
    rebuild.SUBJECT: rebuild.measure,
    records.SUBJECT: records.measure,
    plan.SUBJECT: plan.measure,
    disposition.SUBJECT: disposition.measure,
    fixity.SUBJECT: fixity.measure,
    merkle.SUBJECT: merkle.measure,
    heads.SUBJECT: heads.measure,
    sessions.SUBJECT: sessions.measure,
    greedy.SUBJECT: greedy.measure,
    where.SUBJECT: where.measure,
    citywide.SUBJECT: citywide.measure,
    custody.SUBJECT: custody.measure,
    fresh.SUBJECT: fresh.measure,
    skim.SUBJECT: skim.measure,
    console.SUBJECT: console.measure,
    control.SUBJECT: control.measure,
    drain.SUBJECT: drain.measure,
}


_MODES = ("short", "long")
_FAILURES = (ArchiveError, OSError, SubprocessError, httpx.HTTPError, BrowserError, ValueError)
"""What a subject fails with: a part that refuses or is missing, a program, a server, nothing to measure."""


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
    docs = options.docs or (None if options.short else _DOCS)
    words = " ".join(
        ["python -m ops.bench", *options.subjects, *(f"--{w}" for w in _MODES if getattr(options, w))]
    )
    with ExitStack() as opened:
        shared = shared_stores(opened, _say) if options.short else None
        return measure(
            options.subjects or _usual(short=options.short), scale, words, docs=docs, stores=shared
        )


def _usual(*, short: bool) -> list[str]:
    """All subjects; in full form without those that are measured only if they are named."""
    return [one for one in results.ORDER if short or one not in results.APART]


def measure(
    subjects: Sequence[str], scale: Scale, words: str, *, docs: Path | None, stores: Stack | None = None
) -> int:
    """Measure, and write the page after each subject if there is one; returns 1 if a subject failed.

    A subject that cannot be measured is named on the page with the reason, and the others are measured.
    """
    found = results.Results() if docs is None else results.read(docs)
    failed: list[str] = []
    for subject in subjects:
        began = time.monotonic()
        try:
            with Workbench(scale, _say, words, stores=stores) as bench:
                findings = _SUBJECTS[subject](bench)
        except _FAILURES as error:
            failed.append(subject)
            reason = _reason(error)
            found.refused(Refusal(subject=subject, at=stamp(), commit=commit(), reason=reason))
            _say(f"{subject}: NOT MEASURED: {reason}")
        else:
            found.measured(findings)
            _tell(findings)
        _say(f"{subject}: took {time.monotonic() - began:.0f} s")
        if docs is not None:
            _say(f"{subject}: written to {results.write(docs, found)}")
    if failed:
        _say(f"not measured: {', '.join(failed)}")
    return 1 if failed else 0


def _reason(error: Exception) -> str:
    if isinstance(error, ArchiveError):
        return f"{error.message} [{error.code}] {error.hint}".rstrip()
    return f"{type(error).__name__}: {error}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m ops.bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", choices=[[], *results.ORDER], metavar="SUBJECT",
                        help=f"one or more of {', '.join(results.ORDER)}; default: all but "
                        f"{', '.join(sorted(results.APART))}")  # fmt: skip
    parser.add_argument(
        "--short", action="store_true", help="seconds for each subject, to check that it works"
    )
    parser.add_argument(
        "--long", action="store_true", help="seal an hour of each camera; a day of index for sessions"
    )
    parser.add_argument("--cameras", type=int, default=0, help="cameras of the bank (16)")
    parser.add_argument("--windows", type=int, default=0, help="measured windows (3)")
    parser.add_argument(
        "--docs", type=Path, default=None, help="where the page goes (docs; with --short: nowhere)"
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
