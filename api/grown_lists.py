"""What growing playlists have listed so far: of one process, or of the workers that share it.

A playlist may only get longer, whichever process answers. So what was listed is kept once, as lines. Each
process follows it, and adds lines only at the end that it knows; if another one was faster, it follows again.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from archive.canonical import JsonObject

MOST_LISTS, MOST_CHARACTERS = 256, 64 << 20
"""Lists that are kept, and characters in all of them; the one that nobody asked for longest goes first."""


@dataclass(frozen=True, slots=True)
class Grown:
    """A list from line ``start`` on, and where it stands after that. ``number`` tells it from others."""

    number: int
    start: int
    lines: Sequence[str]
    state: JsonObject


@dataclass(slots=True)
class _Kept:
    number: int
    lines: list[str] = field(default_factory=list)
    state: JsonObject = field(default_factory=dict)
    size: int = 0


class GrownLists:
    """Lists by name, in memory. Thread-safe; nothing is waited for."""

    def __init__(self, *, most: int = MOST_LISTS, most_characters: int = MOST_CHARACTERS) -> None:
        self._most = most
        self._most_characters = most_characters
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._made = 0
        self._size = 0
        self._guard = threading.Lock()

    def read(self, name: str, number: int, count: int) -> Grown | None:
        """The list of this name, or None; without its first ``count`` lines if it is list ``number``."""
        with self._guard:
            kept = self._kept.get(name)
            if kept is None:
                return None
            self._kept.move_to_end(name)
            start = count if number == kept.number and count <= len(kept.lines) else 0
            return Grown(kept.number, start, kept.lines[start:], kept.state)

    def add(self, name: str, number: int, count: int, lines: Sequence[str], state: JsonObject) -> int:
        """Add lines after the first ``count`` of list ``number``; 0 and 0 begin a list that is not there.

        Returns:
            The list's number; 0 if it is not as the caller thought, and nothing was added.
        """
        with self._guard:
            kept = self._kept.get(name)
            if kept is None:
                if number or count:
                    return 0
                self._made += 1
                kept = self._kept[name] = _Kept(self._made)
            elif number != kept.number or count != len(kept.lines):
                return 0
            added = sum(map(len, lines))
            kept.lines += lines
            kept.state = state
            kept.size += added
            self._size += added
            self._kept.move_to_end(name)
            while len(self._kept) > 1 and self._is_over():
                _, dropped = self._kept.popitem(last=False)
                self._size -= dropped.size
            return kept.number

    def _is_over(self) -> bool:
        return len(self._kept) > self._most or self._size > self._most_characters
