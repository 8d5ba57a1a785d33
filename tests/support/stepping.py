"""Real processes that end by ``kill -9`` at the n-th call of their stores, for every n.

``python -m tests.support.stepping FOLDER JOB [every]`` forks, for each n, a process that runs JOB over its
own copy of the archive in FOLDER and sends itself SIGKILL right before its n-th call of a store or the index.
Then it forks a process that runs the same JOB again, undisturbed. It prints a JSON line for each n: how the
first process ended, the call, and what the archive is left with. The first line is that of a process that was
not killed; its ``before`` is the archive's content at the start.

Without ``every`` it takes only each n at a write or right after one. Between two writes nothing changes that
the next process could find, so killing at another read would repeat the same case.

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
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
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
READS = {"get", "head", "list", "versions", "open", "read", "segments", "gaps", "gap_records", "documents"}
"""Calls that leave everything as it was; a call that is not named here counts as a write."""

Chosen = Callable[[Sequence[str]], Iterable[int]]
"""Of an undisturbed process' calls, the numbers (from 1) of those to be killed at."""


class Fatal:
    """Counts calls, and kills this process right before the n-th (0: never)."""

    def __init__(self, at: int, note: Path) -> None:
        self.at = at
        self.calls: list[str] = []
        self._note = note
        self._turn = threading.Lock()

    def around(self, part: Any, name: str) -> Any:
        """The part, with each public method counted."""
        return _Counted(part, name, self)

    def count(self, what: str) -> None:
        """Count a call, or kill the process."""
        with self._turn:
            self.calls.append(what)
            if len(self.calls) == self.at:
                self._note.write_text(what)
                os.kill(os.getpid(), signal.SIGKILL)


class _Counted:
    def __init__(self, part: Any, name: str, fatal: Fatal) -> None:
        self._part, self._name, self._fatal = part, name, fatal

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._part, method)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            self._fatal.count(f"{self._name}.{method} {arguments[0] if arguments else ''}"[:120])
            answer = found(*arguments, **named)
            return iter(list(answer)) if isinstance(answer, Iterator) else answer

        return call

    def rebuild(self) -> AbstractContextManager[Any]:
        """A rebuild whose calls are counted too, from the new index to the switch."""
        return self._rebuilding()

    @contextmanager
    def _rebuilding(self) -> Iterator[Any]:
        self._fatal.count("index.rebuild")
        with self._part.rebuild() as fresh:
            yield _Counted(fresh, "fresh", self._fatal)
            self._fatal.count("index.switch")


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
    process = Process(folder, Fatal(0, folder / "call"), open_stores)
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


def at_writes(calls: Sequence[str]) -> Iterable[int]:
    """The numbers of the writes, and of the calls right after a write."""
    writes = [call.split(" ")[0].rpartition(".")[2] not in READS for call in calls]
    return (n for n, here in enumerate(writes, 1) if here or (n > 1 and writes[n - 2]))


def at_all(calls: Sequence[str]) -> Iterable[int]:
    """The numbers of all calls."""
    return range(1, len(calls) + 1)


class Stepping:
    """Kills one job at chosen calls, each time over a fresh archive.

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
        calls = self._step(0, 0)
        for step, number in enumerate(chosen(calls), 1):
            self._step(step, number)

    def _step(self, step: int, at: int) -> list[str]:
        folder = self._place / f"{self._job}-{at}"
        self._do(lambda: self._prepare(folder, step))
        told: dict[str, Any] = {"killed": at > 0}
        if at == 0:
            told["before"] = self._left(folder)
        fatal = Fatal(at, folder / "call")
        ended = forked(lambda: self._work(folder, fatal))
        told["ended"] = ended
        if at > 0 and ended == -signal.SIGKILL:
            told["call"] = (folder / "call").read_text()
            told["again"] = forked(lambda: self._work(folder, Fatal(0, folder / "call")))
        told["left"] = self._left(folder)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        calls: list[str] = json.loads((folder / "calls").read_text()) if at == 0 else []
        shutil.rmtree(folder)
        return calls

    def _work(self, folder: Path, fatal: Fatal) -> None:
        JOBS[self._job](Process(folder, fatal, self._open))
        (folder / "calls").write_text(json.dumps(fatal.calls))

    def _left(self, folder: Path) -> Any:
        kept = folder / "left.json"
        self._do(lambda: kept.write_text(json.dumps(left_with(folder, self._open))))
        return json.loads(kept.read_text())

    def _do(self, what: Callable[[], object]) -> None:
        if forked(what) != 0:
            raise SystemExit(1)


def main() -> None:
    """Run over copies of an archive in a folder."""
    template, job = Path(sys.argv[1]), sys.argv[2]

    def prepare(folder: Path, _step: int) -> None:
        shutil.copytree(template, folder, symlinks=True)
        if job == "rebuild":  # a rebuilt index must answer like the one built step by step
            Process(folder, Fatal(0, folder / "call")).hold()

    Stepping(prepare, template.parent, job).run(at_all if "every" in sys.argv[3:] else at_writes)


if __name__ == "__main__":
    main()
