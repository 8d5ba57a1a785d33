"""The whole check, in the order of the steps; it reports every problem as a finding and raises no error.

docs/reference/verification.md describes it in enough detail to write another verifier.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from archive.evidence.verifier import (
    bag,
    journals,
    later,
    lists,
    log,
    moments,
    records,
    statement,
    stream,
    trust,
)
from archive.evidence.verifier.container import Container
from archive.evidence.verifier.notebook import STEPS, Notebook
from archive.evidence.verifier.trust import Trust

NOW, STAMP = "now", "stamp"


def _silent(_done: int, _total: int) -> None:
    return


def verify(
    container: Container,
    trusted: Trust,
    at: str | int = NOW,
    *,
    clock: Callable[[], int] | None = None,
    progress: Callable[[int, int], None] = _silent,
    allowed: frozenset[str] = frozenset(),
) -> Notebook:
    """Verify an open package.

    ``at`` is the time at which certificates are judged: ``now``, ``stamp`` (the token's time, if the token
    can be trusted) or an instant in µs. ``clock`` gives now in µs; the default is the machine's clock.
    Findings with the codes in ``allowed`` are warnings; an expert may allow those in ``findings.UNLOGGED``.
    """
    now = (clock or _machine_clock)()
    notebook = Notebook(container, progress, checked_at=now, allowed=allowed)
    notebook.begin(STEPS[0])
    for path, words in container.objections:
        notebook.find("unsafe_entry", path, words)
    for path, words in container.foreign:
        notebook.find("foreign_zip", path, words)
    if container.objections or container.foreign:
        for step in STEPS[1:]:
            notebook.skip(step)
        return notebook
    bag.check(notebook)
    statement.read(notebook)
    clips = stream.read_payload(notebook)
    later.check(notebook)
    statement.check(notebook, clips)
    lists.check(notebook)
    moments.check(notebook)
    journals.check(notebook, trusted)
    log.check(notebook, trusted)
    records.check(notebook, trusted)
    notebook.checked_at = _moment(notebook, trusted, at, now)
    trust.check(notebook, trusted, notebook.checked_at)
    records.check_present(notebook)
    moments.check_stamp(notebook, trust.STAMP, now)
    notebook.begin("payload")
    for path in container.damaged:
        notebook.find("unreadable_part", path, "its CRC-32 differs from the one in the ZIP")
    return notebook


def _moment(notebook: Notebook, trusted: Trust, at: str | int, now: int) -> int:
    if isinstance(at, int):
        return at
    stamped = trust.stamp_time(notebook, trusted) if at == STAMP else None
    return now if stamped is None else stamped


def _machine_clock() -> int:
    return time.time_ns() // 1000
