"""Judge a run of the tests, and the second run of what failed: ``-m tests.support.verdict FIRST [AGAIN]``.

A test that failed and passed alone is printed as ``FLAKY name`` at the very end; more than two are a failure.
A run that did not come to its end is a failure, whatever came after it. Exit: 0 if good, 1 if not.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.outcome import Outcome

FLAKY_AT_MOST = 2
SHOWN = 10


def judge(first: Outcome, again: Outcome | None) -> tuple[bool, list[str]]:
    """Whether the run is good, and the lines to print."""
    return _is_good(first, again), [*_slowest(first), *_lines(first, again)]


def flaky(first: Outcome, again: Outcome | None) -> list[str]:
    """Tests that failed first and then passed alone."""
    return [name for name in first.failed if again is not None and name in again.passed]


def _is_good(first: Outcome, again: Outcome | None) -> bool:
    if not first.ended:
        return False
    if not first.failed:
        return first.exit == 0
    mended = flaky(first, again)
    return again is not None and again.exit == 0 and mended == first.failed and len(mended) <= FLAKY_AT_MOST


def _slowest(first: Outcome) -> Iterator[str]:
    for what, slowest in (("files", first.files), ("tests", first.slowest)):
        if slowest:
            yield f"The slowest {min(SHOWN, len(slowest))} {what}:"
            yield from (f"{seconds:8.2f} s  {name}" for seconds, name in slowest[:SHOWN])


def _lines(first: Outcome, again: Outcome | None) -> Iterator[str]:
    mended = flaky(first, again)
    for run, what in ((first, "The run"), (again, "The second run")):
        if run is not None and not run.ended:
            yield f"{what} did not come to its end."
    yield from (f"NOT RUN {name}" for name in first.unrun[:SHOWN])
    counts = (len(first.passed), len(first.failed) - len(mended), len(mended), len(first.skipped))
    yield "{} passed, {} failed, {} flaky, {} skipped".format(*counts)
    yield from (f"FAILED {name}" for name in first.failed if name not in mended)
    if len(mended) > FLAKY_AT_MOST:
        yield f"More than {FLAKY_AT_MOST} tests passed only alone."
    yield from (f"FLAKY {name}" for name in mended)


if __name__ == "__main__":
    runs = [Outcome.read(Path(name)) for name in sys.argv[1:]]
    good, lines = judge(runs[0], runs[1] if len(runs) > 1 else None)
    print("\n".join(lines))  # noqa: T201
    sys.exit(0 if good else 1)
