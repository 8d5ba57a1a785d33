"""Step *statement*: times that cannot be. One fact's time is compared with another's.

A package's times come from several clocks: recorders, the archive, its log, two authorities. Each comparison
allows :data:`APART` between two of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archive.evidence.verifier import bag, canonical, times
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.notebook import Notebook

APART = 5 * times.MINUTE
_STATEMENT, _CUSTODY = "data/metadata/evidence.json", "data/metadata/custody.jsonl"

Part = dict[str, Any]
Pair = tuple[str, str, str, str]
"""What comes first, its time, what comes later, its time."""


def check(notebook: Notebook) -> None:
    """Compare the stated times with one another. Those with the seal's stamp are :func:`check_stamp`."""
    stated = notebook.statement
    if stated is None:
        return
    notebook.begin("statement")
    try:
        for first, earlier, then, later in _pairs(stated):
            if times.parse(earlier) > times.parse(later) + APART:
                _find(notebook, f"{first} ({earlier}) is later than {then} ({later})")
        for path, words in _outside(stated):
            notebook.find("impossible_time", path, words)
    except ValueError:
        return  # the step has reported a time that does not exist
    dated = notebook.info.get("Bagging-Date", "")
    if notebook.info and dated != stated["prepared_at"][:10]:
        notebook.find(
            "impossible_time", bag.INFO, f"it is dated {dated[:60]}, prepared {stated['prepared_at']}"
        )
    _check_custody(notebook, stated["prepared_at"])


def check_stamp(notebook: Notebook, path: str, now: int) -> None:
    """Compare the seal's stamp with the package and with the clock of the machine that verifies (µs)."""
    stamped = notebook.gen_time
    if stamped is None:
        return
    if stamped > now + APART:
        notebook.find("stamp_in_future", path, f"{_show(stamped)} > {_show(now)}, this machine's clock")
    stated = notebook.statement
    if stated is None:
        return
    try:
        prepared = times.parse(stated["prepared_at"])
        if stamped < prepared - APART:
            notebook.find("stamp_before_package", path, f"{_show(stamped)} < {_show(prepared)}")
        for what, text in _before_seal(stated):
            if times.parse(text) > stamped + APART:
                _find(notebook, f"{what} ({text}) is later than the seal's stamp ({_show(stamped)})")
    except ValueError:
        return


def _pairs(stated: Part) -> Iterator[Pair]:
    prepared = stated["prepared_at"]
    request = stated.get("request")
    if request is not None:
        filed = request["filed_at"]
        yield "the filing of the request", filed, "the preparation", prepared
        for one in stated.get("approvals", ()):
            yield "the filing of the request", filed, "its approval", one["at"]
            yield "the approval", one["at"], "the preparation", prepared
    yield "the preparation", prepared, "the end of the package's lock", stated["package_until"]
    for camera in stated["cameras"]:
        yield f"the registration of {camera['id']}", camera["registered_at"], "the preparation", prepared
        before = stated["span"]["from"]
        for change in camera.get("changes", ()):
            yield f"a change of {camera['id']}", before, "the change after it", change["at"]
            yield f"a change of {camera['id']}", change["at"], "the end of the span", stated["span"]["to"]
            before = change["at"]
    for part in stated["originals"]:
        yield f"the beginning of {part['path']}", part["from"], "the preparation", prepared
    for gap in stated["gaps"]:
        of = f"of a gap of {gap['camera']}"
        if gap["cause"] == "not_yet":
            yield "the preparation", prepared, f"the beginning {of} that was still to come", gap["from"]
        else:
            yield f"the beginning {of}", gap["from"], "the preparation", prepared
    number, at = 0, ""
    for one in sorted(stated.get("checkpoints", ()), key=lambda one: int(one["number"])):
        yield f"checkpoint {one['number']}", one["at"], "its stamp", one["gen_time"]
        if at:
            yield f"checkpoint {number}", at, f"checkpoint {one['number']}", one["at"]
        number, at = one["number"], one["at"]
    for one in stated.get("dispositions", ()):
        yield f"the footage of {one['id']}", one["from"], "the preparation", prepared


def _before_seal(stated: Part) -> Iterator[tuple[str, str]]:
    """What the seal covers existed before its stamp."""
    for part in stated["originals"]:
        yield f"the arrival of {part['path']}", part["ingested_at"]
    for one in stated.get("checkpoints", ()):
        yield f"the stamp of checkpoint {one['number']}", one["gen_time"]


def _outside(stated: Part) -> Iterator[tuple[str, str]]:
    """Footage, gaps and clips that are not about the span."""
    start, end = _span(stated["span"])
    last: dict[str, Part] = {}
    for part in stated["originals"]:
        before = last.get(part["camera"])
        if before is not None and _span(before)[1] <= start:
            # The footage just before the span, to which the first pictures refer: one original.
            begin = _span(part)[0]
            if begin >= end or _span(part)[1] <= start:
                yield before["path"], "it lies before the span, and is not the last before it"
        if _span(part)[0] >= end:
            yield part["path"], "it lies after the span"
        last[part["camera"]] = part
    for part in last.values():
        if _span(part)[1] <= start:
            yield part["path"], "it lies before the span"
    for gap in stated["gaps"]:
        if _span(gap)[0] < start or _span(gap)[1] > end:
            yield _STATEMENT, f"a gap of {gap['camera']} lies outside the span"
    for clip in stated["derivatives"]:
        if _span(clip["asked"])[0] < start or _span(clip["asked"])[1] > end:
            yield clip["path"], "it was asked for outside the span"
    for one in stated.get("dispositions", ()):
        if _span(one)[0] >= end or _span(one)[1] <= start:
            yield one.get("path", _STATEMENT), "its footage lies outside the span"


def _check_custody(notebook: Notebook, prepared: str) -> None:
    """The events are from before the preparation; :mod:`archive.evidence.verifier.lists` counts them."""
    try:
        lines = notebook.container.lines(_CUSTODY) if _CUSTODY in notebook.container.sizes else []
        for number, line in enumerate(lines, 1):
            at = canonical.read(line).get("at", prepared)
            if not isinstance(at, str) or times.parse(at) > times.parse(prepared) + APART:
                notebook.find(
                    "impossible_time", _CUSTODY, f"line {number}: {str(at)[:60]} is after {prepared}"
                )
    except (Unreadable, BadJson, ValueError):
        return  # other checks report what cannot be read


def _span(part: Part) -> tuple[int, int]:
    return times.parse(part["from"]), times.parse(part["to"])


def _find(notebook: Notebook, words: str) -> None:
    notebook.find("impossible_time", _STATEMENT, words)


def _show(instant: int) -> str:
    try:
        return times.show(instant)
    except ValueError:
        return str(instant)
