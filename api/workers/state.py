"""What the parent keeps for its workers: limits, playback sessions and their lists, and what each wrote.

Every question is answered at once, from memory: none waits for a store, a client or another worker.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from api.limits.buckets import Buckets
from api.limits.programs import Program, ProgramPlaces
from api.limits.rates import Kind, Rates
from api.playback_book import Key, Opened, OpenSessions, Playback
from api.workers.figures import counted_before
from archive.clock import Clock
from archive.model.custody import Actor
from archive.timespan import Timespan


class SharedState:
    """The shared state of one host's workers. Used in one thread. Without ``rates`` there are no limits.

    ``programs`` says how many FFmpeg processes of each kind run at once.
    """

    def __init__(
        self, clock: Clock, *, rates: Rates | None, streams: int, programs: Mapping[Program, int]
    ) -> None:
        self._buckets = {} if rates is None else {kind: Buckets(rates.of(kind), clock) for kind in Kind}
        self._streams = streams
        self._sending: Counter[int] = Counter()
        self._programs = ProgramPlaces(programs)
        self._sessions = OpenSessions(clock)
        self._stored: Counter[int] = Counter()
        self._indexed: Counter[int] = Counter()
        self._changes = 0
        self._figures: dict[int, str] = {}
        self._figures_before = ""
        self._present: set[int] = set()
        self._calls: Mapping[str, Callable[..., Any]] = {
            "take_token": self._take_token,
            "take_stream": self._take_stream,
            "give_stream": self._give_stream,
            "streams": lambda _worker: self._sending.total(),
            "take_program": lambda worker, kind: self._programs.take(Program(kind), worker=worker),
            "give_program": lambda worker, kind: self._programs.give_back(Program(kind), worker=worker),
            "claim": self._claim,
            "opened": self._opened,
            "failed": lambda _worker, key: self._sessions.failed(_key_of(key)),
            "piece": self._piece,
            "left": self._left,
            "over": self._over,
            "grown": self._grown,
            "grow": lambda _worker, *of: self._sessions.grow(*of),
            "changed": self._changed,
            "changes": lambda _worker: self._changes,
            "stored": self._note_stored,
            "indexed": self._note_indexed,
            "marks": lambda worker: [[one, self._stored[one]] for one in self._present if one != worker],
            "reached": self._reached,
            "figures": self._exchange_figures,
        }

    def come(self, worker: int) -> None:
        """A worker started."""
        self._present.add(worker)

    def call(self, worker: int, name: str, *of: Any) -> Any:
        """Answer a worker's question, in values that JSON can carry. Raises KeyError for an unknown one."""
        return self._calls[name](worker, *of)

    def gone(self, worker: int) -> None:
        """A worker ended or died: free what it held. Its custody events are left to the follower."""
        self._present.discard(worker)
        self._sending.pop(worker, None)
        self._programs.gone(worker)
        self._sessions.gone(worker)
        self._stored.pop(worker, None)
        self._indexed.pop(worker, None)
        last = self._figures.pop(worker, None)
        if last is not None:
            self._figures_before = counted_before(self._figures_before, last)

    def _take_token(self, _worker: int, kind: str, key: str) -> int:
        buckets = self._buckets.get(Kind(kind))
        return 0 if buckets is None else buckets.take(key)

    def _take_stream(self, worker: int) -> bool:
        if self._sending.total() >= self._streams:
            return False
        self._sending[worker] += 1
        return True

    def _give_stream(self, worker: int) -> None:
        self._sending[worker] -= 1

    def _claim(self, worker: int, key: list[str]) -> str:
        return self._sessions.claim(_key_of(key), worker=worker).value

    def _opened(self, worker: int, key: list[str], facts: dict[str, Any], active: int) -> None:
        self._sessions.opened(_key_of(key), opened_of(facts), active=active, worker=worker)

    def _piece(
        self,
        worker: int,
        key: list[str],
        count: int,
        span: list[int] | None,
        copied: list[Any] | None,
        heard: list[int] | None,
    ) -> None:
        shown, sounds = (None if one is None else Timespan(*one) for one in (span, heard))
        segment = None if copied is None else (str(copied[0]), int(copied[1]))
        self._sessions.piece(_key_of(key), count, shown, segment, sounds, worker=worker)

    def _left(self, worker: int, key: list[str]) -> None:
        self._sessions.left(_key_of(key), worker=worker)

    def _over(self, worker: int, idle: int | None) -> list[dict[str, Any]]:
        if idle is None:
            # This worker stops. Others may still send pieces of the same sessions; the last one ends them.
            self._present.discard(worker)
            if self._present:
                return []
        return [ended_json(one) for one in self._sessions.over(idle)]

    def _grown(self, _worker: int, name: str, number: int, count: int) -> list[Any] | None:
        found = self._sessions.grown(name, number, count)
        return None if found is None else [found.number, found.start, list(found.lines), found.state]

    def _changed(self, _worker: int) -> None:
        self._changes += 1

    def _note_stored(self, worker: int, count: int) -> None:
        self._stored[worker] += count

    def _note_indexed(self, worker: int, count: int) -> None:
        self._indexed[worker] += count

    def _reached(self, _worker: int, marks: list[list[int]]) -> bool:
        return all(one not in self._present or self._indexed[one] >= count for one, count in marks)

    def _exchange_figures(self, worker: int, text: str) -> list[str]:
        """Keep what a worker counted; return what the others did, and those that ended before."""
        self._figures[worker] = text
        others = [one for number, one in self._figures.items() if number != worker]
        return [*others, self._figures_before]


def _key_of(parts: list[str]) -> Key:
    session, principal, camera = parts
    return session, principal, camera


def opened_json(opened: Opened) -> dict[str, Any]:
    """A session's facts for the wire."""
    return asdict(opened)


def opened_of(facts: dict[str, Any]) -> Opened:
    """The facts back from the wire."""
    return Opened(facts["start"], Actor(**facts["actor"]), facts["camera"], facts["purpose"])


def ended_json(ended: Playback) -> dict[str, Any]:
    """A session that is over, for the wire."""
    return {
        "opened": opened_json(ended.opened),
        "pieces": ended.pieces,
        "bytes_sent": ended.bytes_sent,
        "spans": [[span.start, span.end] for span in ended.spans],
        "copied": {run: sorted(numbers) for run, numbers in ended.copied.items()},
        "unknown": ended.unknown,
        "heard": [[span.start, span.end] for span in ended.heard],
    }
