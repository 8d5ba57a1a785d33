"""The objects under some checkpoint, kept in little memory: ranges of numbers instead of names.

A recorder's batches of one hour, a custody writer's objects, a stream's entries: each is one *group* of names
that differ only in their number, and mostly one range. A year of ten recorders takes about 90,000 ranges.
Names of other objects are kept whole.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from archive.canonical import JsonObject

_NUMBERED = re.compile(
    r"(?P<group>(?:journal|custody)/\d{4}/\d\d/\d\d/\d\d/[^/_]+_|ledger/[a-z_]+/[^/]+/)"
    r"(?P<number>\d{8}|\d{10})(?P<tail>\.jsonl?)\Z",
    re.ASCII,
)


def _split(key: str) -> tuple[str, int] | None:
    match = _NUMBERED.match(key)
    if match is None or _join(match["group"], int(match["number"])) != key:
        return None
    return match["group"], int(match["number"])


def _join(group: str, number: int) -> str:
    return f"{group}{number:08d}.json" if group.startswith("ledger/") else f"{group}{number:010d}.jsonl"


@dataclass(slots=True)
class Covered:
    """The objects under checkpoints 1 to ``number``, and each recorder's newest batch among them.

    ``digest`` is the SHA-256 of checkpoint ``number``; both are empty before the first one. ``tips`` maps a
    recorder to the number and digest of its newest accepted batch.
    """

    number: int = 0
    digest: str = ""
    tips: dict[str, tuple[int, str]] = field(default_factory=dict)
    _ranges: dict[str, list[list[int]]] = field(default_factory=dict)
    _others: set[str] = field(default_factory=set)

    def __contains__(self, key: str) -> bool:
        if key in self._others:
            return True
        parts = _split(key)
        if parts is None:
            return False
        ranges = self._ranges.get(parts[0], ())
        at = bisect_right(ranges, parts[1], key=lambda span: span[0])
        return at > 0 and parts[1] <= ranges[at - 1][1]

    def add(self, key: str) -> None:
        """Note that the object is covered."""
        parts = _split(key)
        if parts is None:
            self._others.add(key)
            return
        if key in self:
            return
        group, number = parts
        ranges = self._ranges.setdefault(group, [])
        at = bisect_right(ranges, number, key=lambda span: span[0])
        ranges.insert(at, [number, number])
        if at + 1 < len(ranges) and ranges[at + 1][0] == number + 1:
            ranges[at][1] = ranges.pop(at + 1)[1]
        if at > 0 and ranges[at - 1][1] == number - 1:
            ranges[at - 1][1] = ranges.pop(at)[1]

    def add_refused(self, key: str) -> None:
        """Note a refused batch. It is covered, but it does not count as the accepted batch of its number."""
        self._others.add(key)

    def note_batch(self, recorder: str, number: int, digest: str) -> None:
        """Note a recorder's accepted batch."""
        if number > self.tips.get(recorder, (0, ""))[0]:
            self.tips[recorder] = (number, digest)

    def batches(self, recorder: str, number: int) -> Iterator[str]:
        """Names under which this batch of this recorder was accepted; searches every group."""
        for group, ranges in self._ranges.items():
            if group.startswith("journal/") and group.endswith(f"/{recorder}_"):
                if any(first <= number <= last for first, last in ranges):
                    yield _join(group, number)

    def to_json(self) -> JsonObject:
        """The whole state, for :meth:`from_json`."""
        return {
            "v": 1,
            "number": self.number,
            "digest": self.digest,
            "tips": {recorder: list(tip) for recorder, tip in self.tips.items()},
            "ranges": self._ranges,
            "others": sorted(self._others),
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> Self:
        """Read the result of :meth:`to_json`. Raises KeyError, TypeError or ValueError for anything else."""
        if value["v"] != 1:
            raise ValueError("unknown version")
        tips = {str(name): (int(tip[0]), str(tip[1])) for name, tip in value["tips"].items()}
        ranges = {
            str(group): [[int(first), int(last)] for first, last in spans]
            for group, spans in value["ranges"].items()
        }
        return cls(int(value["number"]), str(value["digest"]), tips, ranges, set(map(str, value["others"])))
