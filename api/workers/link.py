"""A worker's side: the same parts as those of a lone process, each of which asks the parent."""

import json
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from api.grown_lists import Grown
from api.limits.buckets import Rate
from api.limits.programs import Program
from api.limits.rates import Kind
from api.playback_book import Claim, Copied, Key, Opened, Playback
from api.slots import all_taken
from api.workers.state import opened_json, opened_of
from archive.canonical import JsonObject
from archive.errors import Unavailable
from archive.timespan import SpanSet, Timespan

PATIENCE_S = 10.0
"""The parent answers from memory; one that takes this long hangs."""


class Link:
    """Questions to the parent, one after the other. Thread-safe; an answer takes a tenth of a millisecond.

    ``on_lost`` is called once if the parent is gone, or hung for :data:`PATIENCE_S`. Nothing more is asked
    then, so the worker must end; a parent that goes on replaces it.
    """

    def __init__(self, connection: socket.socket, on_lost: Callable[[], None]) -> None:
        connection.settimeout(PATIENCE_S)
        self._on_lost = on_lost
        self._connection = connection
        self._answers = connection.makefile("rb")
        self._guard = threading.Lock()
        self._is_lost = False

    def ask(self, name: str, *of: Any) -> Any:
        """The parent's answer. Raises Unavailable ``busy`` if there is no parent any more."""
        question = json.dumps([name, *of]).encode("utf-8") + b"\n"
        with self._guard:
            if self._is_lost:
                raise _lost()
            try:
                self._connection.sendall(question)
                answer = self._answers.readline()
            except OSError as error:
                self._lose()  # a late answer would be taken for that to the next question
                raise _lost() from error
            if not answer.endswith(b"\n"):
                self._lose()
                raise _lost()
        return json.loads(answer)

    def _lose(self) -> None:
        self._is_lost = True
        self._on_lost()

    def tell(self, name: str, *of: Any) -> None:
        """Tell the parent something; without a parent it no longer matters, and the process is ending."""
        with suppress(Unavailable):
            self.ask(name, *of)


class LinkedBuckets:
    """Token buckets of one kind, kept by the parent."""

    def __init__(self, link: Link, kind: Kind, rate: Rate) -> None:
        self._link = link
        self._kind = kind
        self.rate = rate

    def take(self, key: str) -> int:
        """As :meth:`api.limits.buckets.Buckets.take`."""
        return int(self._link.ask("take_token", self._kind.value, key)) if self.rate.is_bounded else 0


class LinkedSlots:
    """Stream slots that all workers share."""

    def __init__(self, link: Link, slots: int) -> None:
        self._link = link
        self._slots = slots

    def take(self) -> None:
        """As :meth:`api.slots.StreamSlots.take`."""
        if not self._link.ask("take_stream"):
            raise all_taken(self._slots)

    def give_back(self) -> None:
        """Give a slot back."""
        self._link.tell("give_stream")

    def __enter__(self) -> None:
        """Take a slot for the block."""
        self.take()

    def __exit__(self, *problem: object) -> None:
        """Give the slot back."""
        self.give_back()

    @property
    def taken(self) -> int:
        """How many slots are taken, by all workers."""
        return int(self._link.ask("streams"))


class LinkedPrograms:
    """Places for FFmpeg processes that all workers share."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def take(self, kind: Program) -> bool:
        """As :class:`api.limits.programs.Programs`."""
        return bool(self._link.ask("take_program", kind.value))

    def give_back(self, kind: Program) -> None:
        """As :class:`api.limits.programs.Programs`."""
        self._link.tell("give_program", kind.value)


class LinkedSessions:
    """An :class:`api.playback_book.PlaybackBook` kept by the parent."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def claim(self, key: Key) -> Claim:
        """As :class:`api.playback_book.PlaybackBook`."""
        return Claim(self._link.ask("claim", key))

    def opened(self, key: Key, opened: Opened, *, active: int) -> None:
        """As :class:`api.playback_book.PlaybackBook`."""
        self._link.tell("opened", key, opened_json(opened), active)

    def failed(self, key: Key) -> None:
        """As :class:`api.playback_book.PlaybackBook`."""
        self._link.tell("failed", key)

    def piece(
        self,
        key: Key,
        count: int,
        span: Timespan | None,
        copied: Copied | None,
        heard: Timespan | None = None,
    ) -> None:
        """As :class:`api.playback_book.PlaybackBook`."""
        shown, sounds = (None if one is None else [one.start, one.end] for one in (span, heard))
        self._link.tell("piece", key, count, shown, copied, sounds)

    def left(self, key: Key) -> None:
        """As :class:`api.playback_book.PlaybackBook`."""
        self._link.tell("left", key)

    def over(self, idle: int | None) -> Sequence[Playback]:
        """As :class:`api.playback_book.PlaybackBook`; without a parent nobody knows of any."""
        try:
            ended = self._link.ask("over", idle)
        except Unavailable:
            return []
        return [
            Playback(
                opened_of(one["opened"]),
                0,
                pieces=one["pieces"],
                bytes_sent=one["bytes_sent"],
                spans=SpanSet(Timespan(*span) for span in one["spans"]),
                copied={run: set(numbers) for run, numbers in one["copied"].items()},
                unknown=one["unknown"],
                heard=SpanSet(Timespan(*span) for span in one["heard"]),
            )
            for one in ended
        ]

    def grown(self, name: str, number: int, count: int) -> Grown | None:
        """As :class:`api.playback_book.PlaybackBook`."""
        found = self._link.ask("grown", name, number, count)
        return None if found is None else Grown(*found)

    def grow(self, name: str, number: int, count: int, lines: Sequence[str], state: JsonObject) -> int:
        """As :class:`api.playback_book.PlaybackBook`."""
        return int(self._link.ask("grow", name, number, count, list(lines), state))


class LinkedChanges:
    """Counts the changes to cameras in all workers."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def count(self) -> int:
        """How many changes there were."""
        return int(self._link.ask("changes"))

    def add(self) -> None:
        """Note a change."""
        self._link.tell("changed")


class LinkedTally:
    """An :class:`archive.records.indexed.own_writes.Tally` of the other workers."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def stored(self, count: int) -> None:
        """This worker stored custody objects that it will index."""
        self._link.tell("stored", count)

    def indexed(self, count: int) -> None:
        """This worker indexed them, or left them to the follower."""
        self._link.tell("indexed", count)

    def marks(self) -> Any:
        """What the others have stored by now."""
        return self._link.ask("marks")

    def reached(self, marks: Any) -> bool:
        """Whether the others have indexed that."""
        return bool(self._link.ask("reached", marks))


def _lost() -> Unavailable:
    return Unavailable(
        "the process that the workers share no longer answers",
        code="busy",
        hint="The service is restarting; try again in a few seconds.",
    )
