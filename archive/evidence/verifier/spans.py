"""Half-open stretches of time, ``(start, end)`` in µs, as sorted lists without overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from archive.evidence.verifier import times

Span = tuple[int, int]


def of(part: dict[str, Any], start: str = "from", end: str = "to") -> Span:
    """The span that two members state. Raises ValueError for one that does not exist."""
    found = times.parse(part[start]), times.parse(part[end])
    if found[0] >= found[1]:
        raise ValueError("a span that ends before it begins")
    return found


def show(span: Span) -> str:
    """For the details of a finding."""
    return f"{times.show(span[0])} to {times.show(span[1])}"


def union(spans: Iterable[Span]) -> list[Span]:
    """The spans, joined where they touch or overlap."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        elif start < end:
            found.append((start, end))
    return found


def meeting(these: Sequence[Span], those: Sequence[Span]) -> Iterator[tuple[int, int, Span]]:
    """Every stretch that two sorted lists without overlaps share, with the places in both lists."""
    mine = yours = 0
    while mine < len(these) and yours < len(those):
        start = max(these[mine][0], those[yours][0])
        end = min(these[mine][1], those[yours][1])
        if start < end:
            yield mine, yours, (start, end)
        if these[mine][1] <= those[yours][1]:
            mine += 1
        else:
            yours += 1


def both(these: Iterable[Span], those: Iterable[Span]) -> list[Span]:
    """The stretches inside both."""
    return [span for _, _, span in meeting(union(these), union(those))]


def without(these: Iterable[Span], those: Iterable[Span]) -> list[Span]:
    """The stretches of the first that the second leaves."""
    taken = union(those)
    found: list[Span] = []
    number = 0
    for start, end in union(these):
        at = start
        while number < len(taken) and taken[number][1] <= at:
            number += 1
        look = number
        while look < len(taken) and taken[look][0] < end:
            if taken[look][0] > at:
                found.append((at, taken[look][0]))
            at = max(at, taken[look][1])
            look += 1
        if at < end:
            found.append((at, end))
    return found
