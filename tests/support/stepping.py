"""Real processes that end by ``kill -9`` at a chosen moment, for every moment that makes a difference.

``python -m tests.support.stepping FOLDER JOB [every]`` forks, for each moment, a process that runs JOB over
its own copy of the archive in FOLDER and sends itself SIGKILL right before its n-th write to a store or the
index, or right after it. Then it forks a process that runs the same JOB again, undisturbed. It prints a JSON
line for each moment: how the first process ended, the call that was due and the one that it was killed at,
and what the archive is left with. The first line is that of a process that was not killed; its ``before`` is
the archive's content at the start.

Between two writes nothing changes that the next process could find, so killing at another read would repeat
the same case. Writes are counted by themselves: threads that read ahead come in another order each time.
With ``every`` it takes each n-th call, whether it reads or writes.

The forking process opens nothing and has no threads, so each child starts like a fresh process.
"""

import json
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from archive.clock import Clock, ManualClock
from archive.lifecycle.disposition.job import Disposer
from archive.lifecycle.disposition.record import Organization
from archive.lifecycle.holds.job import Sweeper
from archive.lifecycle.holds.service import Holds
from archive.model.disposition import KIND as DISPOSITION
from archive.model.disposition import from_state
from archive.objects.filesystem import FilesystemStore
from archive.ports import Stores
from archive.records.checkpoint import stored
from archive.records.checkpoint.job import CheckpointMaker
from archive.records.checkpoint.verify import verify_log
from archive.records.ledger.streams import Ledger
from archive.timespan import DAY, HOUR, SECOND, Timespan, hour_of
from archive.trust.judge import load_trust
from ops import keys
from search.query import SegmentQuery
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.gates import manual_gate

CAMERAS = ("cam-1", "cam-2")
READS = frozenset(
    {
        "get", "head", "list", "versions", "common_prefixes", "read", "stream",
        "segments", "gaps", "segment", "run", "high_water", "high_waters", "search", "runs", "gap_records",
        "cameras", "hours", "footage_sums", "standing", "records", "reading", "document", "documents",
        "pauses", "documents_mark",
        "heartbeats", "cursor", "segments_by_hour", "rebuild_state", "is_whole", "compared_at", "status",
        "find_records", "count_records", "record", "record_marks", "close",
    }
)  # fmt: skip
"""Calls of a store or the index that leave everything as it was."""

SWITCH = "switch"
"""The end of a rebuild, where the fresh index takes the place of the old one."""

WRITES = frozenset(
    {
        "put", "extend_lock", "place_hold", "release_hold", "delete_version", "delete_versions",
        "add", "remove", "mark_held", "mark_free", "settle_hours", "put_document", "put_heartbeat",
        "advance_cursor", "rebuild", SWITCH, "load", "load_records", "settle", "loaded",
        "keep_rebuild_state", "mark_whole", "keep_compared_at", "compact", "put_records", "remove_records",
        "remove_streams", "keep_record_marks",
    }
)  # fmt: skip
"""Calls that may change something."""


class Kind(StrEnum):
    """What is counted: ``call`` and ``write`` before they happen, ``written`` once the write has happened."""

    CALL = "call"
    WRITE = "write"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a process is killed: at the n-th of a kind, from 1."""

    kind: Kind
    number: int


Chosen = Callable[[Sequence[str]], Iterable[tuple[Moment, str]]]
"""Of an undisturbed process' calls, the moments to kill at, each with the call of the undisturbed process."""


class Fatal:
    """Counts calls, and kills this process at one moment (None: never)."""

    def __init__(self, moment: Moment | None, note: Path) -> None:
        self.calls: list[str] = []
        self._moment = moment
        self._writes = 0
        self._note = note
        self._turn = threading.Lock()

    def around(self, part: Any, name: str) -> Any:
        """The part, with each public method counted."""
        return _Counted(part, name, self)

    @contextmanager
    def counted(self, what: str) -> Iterator[None]:
        """Count the call in this block, or kill the process before or after it."""
        writes = is_write(what)
        with self._turn:
            self.calls.append(what)
            self._writes += writes
            number = self._writes
            self._kill_at(Moment(Kind.CALL, len(self.calls)), what)
            if writes:
                self._kill_at(Moment(Kind.WRITE, number), what)
        yield
        if writes:
            self._kill_at(Moment(Kind.WRITTEN, number), what)

    def _kill_at(self, moment: Moment, what: str) -> None:
        if moment == self._moment:
            self._note.write_text(what)
            os.kill(os.getpid(), signal.SIGKILL)


def method_of(what: str) -> str:
    """The part and the method of a counted call."""
    return what.split(" ")[0]


def is_write(what: str) -> bool:
    """Whether a counted call may change something. Raises KeyError for a method that nobody judged."""
    method = method_of(what).rpartition(".")[2]
    if method not in READS | WRITES:
        raise KeyError(f"say in {__name__} whether {method} reads or writes")
    return method in WRITES


class _Counted:
    def __init__(self, part: Any, name: str, fatal: Fatal) -> None:
        self._part, self._name, self._fatal = part, name, fatal

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._part, method)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            with self._fatal.counted(f"{self._name}.{method} {arguments[0] if arguments else ''}"[:120]):
                answer = found(*arguments, **named)
                return iter(list(answer)) if isinstance(answer, Iterator) else answer

        return call

    def rebuild(self) -> AbstractContextManager[Any]:
        """A rebuild whose calls are counted too, from the new index to the switch."""
        return self._rebuilding()

    @contextmanager
    def _rebuilding(self) -> Iterator[Any]:
        with ExitStack() as rebuilding:
            with self._fatal.counted("index.rebuild"):
                fresh = rebuilding.enter_context(self._part.rebuild())
            yield _Counted(fresh, "fresh", self._fatal)
            with self._fatal.counted(f"index.{SWITCH}"):
                rebuilding.close()


def folder_stores(folder: Path, clock: Clock) -> Stores:
    """The stores of an archive in a folder."""
    return Stores(*(FilesystemStore(folder / name, clock) for name in ("footage", "records", "cache")))


OpenStores = Callable[[Path, Clock], Stores]


class Process:
    """The parts of a worker at its start, over the archive in ``folder``.

    ``facts.json`` in the folder holds the time (``now``), the span of the hold to place (``held``), and the
    settings ``floor_days``, ``lock_days``, ``origin`` and ``interval`` of the log.
    """

    def __init__(self, folder: Path, fatal: Fatal, open_stores: OpenStores = folder_stores) -> None:
        self.folder = folder
        self.facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
        self.clock = ManualClock(self.facts["now"])
        opened = open_stores(folder, self.clock)
        names = ("footage", "records", "cache")
        self.stores = Stores(*(fatal.around(getattr(opened, name), name) for name in names))
        self.index = fatal.around(open_sqlite(folder / "index.sqlite"), "index")
        self.ledger = Ledger(self.stores.records, self.clock)
        self.gate = manual_gate(self.stores, self.clock)

    def hold(self) -> None:
        """Place a hold unless it exists, apply it in the store, and run the re-sweeps."""
        span = Timespan(*self.facts["held"])
        holds = Holds(self.ledger, self.stores.records, self.index, self.clock, gate=self.gate)
        if not any(head.hold.span == span for head in holds.holds()):
            holds.place(
                cameras=CAMERAS[:1], span=span, case="LP/B/1/2026", owner="Polrestabes", basis="KUHAP 39",
                review_at=self.clock.now() + 30 * DAY, actor="os:ani",
            )  # fmt: skip
        sweeper = Sweeper(self.stores, self.ledger, self.index, self.clock)
        for _ in range(2):
            sweeper.run()
            self.clock.advance(16 * SECOND)

    def dispose(self) -> None:
        """The job ``dispose``: finish open dispositions, destroy what is due."""
        disposer = Disposer(
            stores=self.stores,
            index=self.index,
            ledger=self.ledger,
            signer=keys.load_log_signer(self.folder / "keys", clock=self.clock),
            authority=keys.load_local_authority(self.folder / "keys", clock=self.clock),
            clock=self.clock,
            organization=Organization(organization="Pemerintah Kota Makassar", time_zone="Asia/Makassar"),
            floor_days=self.facts["floor_days"],
            lock_days=self.facts["lock_days"],
            gate=self.gate,
        )
        disposer.resume()
        begun = disposer.begin(disposer.judge_everything(), actor="job:dispose")
        if begun is not None:
            disposer.carry_out(begun)

    def checkpoint(self) -> None:
        """The job ``log``."""
        CheckpointMaker(
            stores=self.stores,
            ledger=self.ledger,
            clock=self.clock,
            signer=keys.load_log_signer(self.folder / "keys", clock=self.clock),
            authority=keys.load_local_authority(self.folder / "keys", clock=self.clock),
            origin=self.facts["origin"],
            lock_days=self.facts["lock_days"],
        ).run_due()

    def rebuild(self) -> None:
        """``saksi index rebuild``."""
        rebuild_index(self.stores, self.index)


JOBS: Mapping[str, Callable[[Process], None]] = {
    "hold": Process.hold,
    "dispose": Process.dispose,
    "checkpoint": Process.checkpoint,
    "rebuild": Process.rebuild,
}


def left_with(folder: Path, open_stores: OpenStores = folder_stores) -> dict[str, Any]:
    """The content of an archive, without random ids and times of records."""
    process = Process(folder, Fatal(None, folder / "call"), open_stores)
    footage, ledger, index = process.stores.footage, process.ledger, process.index
    now = process.clock.now()
    whole = Timespan(now - 400 * DAY, now + DAY)
    stored_keys = [one.key for one in footage.list("segments/")]
    dispositions = [from_state(e.id, e.state) for e in ledger.heads(DISPOSITION)]
    process.clock.advance(HOUR // 2)
    query = SegmentQuery(span=whole)
    trust = load_trust([folder / "keys" / "root.pem"], [], None)
    log = verify_log(process.stores, process.clock, trust=trust, interval=process.facts["interval"])
    return {
        "stored": stored_keys,
        "held": [key for key in stored_keys if footage.head(key).held],
        "holds": sorted([e.state["cameras"], e.state["status"]] for e in ledger.heads("hold")),
        "indexed": [(ref.key, ref.held) for camera in CAMERAS for ref in index.segments(camera, whole)],
        "gaps": [[g.camera, str(g.span), g.cause.value] for g in index.gap_records(query)],
        "hours": sha256(repr(index.hours(query)).encode()).hexdigest(),
        "documents": len(list(index.documents("camera"))),
        "dispositions": [
            [
                d.segments, d.status.value, d.outcome and d.outcome.destroyed,
                [e.action for e in ledger.history(DISPOSITION, d.id)],
            ]
            for d in dispositions
        ],
        "incidents": [e.state["code"] for e in ledger.heads("integrity_incident")],
        "checkpoints": stored.newest(process.stores.records),
        "seals": [
            [number, sorted(part for part in parts if not part.startswith("leaves-"))]
            for number, parts in stored.parts_after(process.stores.records, 0)
        ],
        "log": [log.chain, log.valid, sorted({f.code for f in log.findings})],
        "hour": hour_of(process.clock.now()),
    }  # fmt: skip


def forked(do: Callable[[], object]) -> int:
    """Run ``do`` in a forked process; returns how it ended: 0, or minus a signal's number."""
    pid = os.fork()
    if pid == 0:
        try:
            do()
        except BaseException:  # noqa: BLE001  # a child that returned would fork on
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def at_writes(calls: Sequence[str]) -> Iterable[tuple[Moment, str]]:
    """Before each write, and after each one that no other write follows at once."""
    number = 0
    for call, following in zip(calls, [*calls[1:], None], strict=True):
        if is_write(call):
            number += 1
            yield Moment(Kind.WRITE, number), call
            if following is None or not is_write(following):
                yield Moment(Kind.WRITTEN, number), call


def at_all(calls: Sequence[str]) -> Iterable[tuple[Moment, str]]:
    """Before each call."""
    return ((Moment(Kind.CALL, number), call) for number, call in enumerate(calls, 1))


class Stepping:
    """Kills one job at chosen moments, each time over a fresh archive.

    ``prepare`` makes the archive in a given folder; it also gets the number of the step, from 0.
    """

    def __init__(
        self,
        prepare: Callable[[Path, int], object],
        place: Path,
        job: str,
        open_stores: OpenStores = folder_stores,
    ) -> None:
        self._prepare, self._place, self._job, self._open = prepare, place, job, open_stores

    def run(self, chosen: Chosen) -> None:
        """Print a line for the undisturbed process, then one for each killed process."""
        calls = self._step(0, None)
        for step, (moment, call) in enumerate(chosen(calls), 1):
            self._step(step, moment, due=method_of(call), kind=moment.kind)

    def _step(self, step: int, moment: Moment | None, **facts: str) -> list[str]:
        folder = self._place / f"{self._job}-{step}"
        self._do(lambda: self._prepare(folder, step))
        told: dict[str, Any] = dict(facts)
        if moment is None:
            told["before"] = self._left(folder)
        fatal = Fatal(moment, folder / "call")
        told["ended"] = forked(lambda: self._work(folder, fatal))
        if moment is not None and told["ended"] == -signal.SIGKILL:
            told["call"] = (folder / "call").read_text()
            told["again"] = forked(lambda: self._work(folder, Fatal(None, folder / "call")))
        told["left"] = self._left(folder)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        calls: list[str] = []
        if moment is None:
            calls, modules = json.loads((folder / "calls").read_text())
            _import(modules)
        shutil.rmtree(folder)
        return calls

    def _work(self, folder: Path, fatal: Fatal) -> None:
        JOBS[self._job](Process(folder, fatal, self._open))
        (folder / "calls").write_text(json.dumps([fatal.calls, list(sys.modules)]))

    def _left(self, folder: Path) -> Any:
        kept = folder / "left.json"
        self._do(lambda: kept.write_text(json.dumps(left_with(folder, self._open))))
        return json.loads(kept.read_text())

    def _do(self, what: Callable[[], object]) -> None:
        if forked(what) != 0:
            raise SystemExit(1)


def _import(modules: Iterable[str]) -> None:
    """Import what a process imported while it worked: each would do it again, longer than its work."""
    for name in modules:
        if name not in sys.modules:
            with suppress(ImportError):
                import_module(name)


def main() -> None:
    """Run over copies of an archive in a folder."""
    template, job = Path(sys.argv[1]), sys.argv[2]
    # A rebuilt index must answer like the one built step by step, holds included. Every process rebuilds the
    # same archive: an index takes one write more or less by the id of a hold, which is random.
    source = _held(template) if job == "rebuild" else template

    def prepare(folder: Path, _step: int) -> None:
        shutil.copytree(source, folder, symlinks=True)

    Stepping(prepare, template.parent, job).run(at_all if "every" in sys.argv[3:] else at_writes)


def _held(template: Path) -> Path:
    """A copy of the archive in which a hold was placed and carried out."""
    held = Path(mkdtemp(prefix="held-", dir=template.parent)) / template.name
    shutil.copytree(template, held, symlinks=True)
    if forked(lambda: Process(held, Fatal(None, held / "call")).hold()) != 0:
        raise SystemExit(1)
    return held


if __name__ == "__main__":
    main()
