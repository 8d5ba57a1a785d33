"""Starts, checks and stops the parts of one stack, from any process of this machine."""

import re
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from archive.errors import Malformed, Unavailable
from ops.stack import folders, process
from ops.stack import ports as port_choice
from ops.stack.cache import Cache
from ops.stack.elasticsearch import Elasticsearch
from ops.stack.etcd import Etcd
from ops.stack.keycloak import Keycloak
from ops.stack.lock import exclusive
from ops.stack.mediamtx import Mediamtx
from ops.stack.minio import Minio
from ops.stack.part import Part, PartStatus, Progress, Room, State
from ops.stack.proxy import Proxy
from ops.stack.record import Record

_STOP_GRACE = 20.0
_POLL_SECONDS = 0.05
_LAST_LINES = 4
_LINE_LENGTH = 300
_STARTS = 3
# A step of a stack trace, as Java and MinIO print them.
_FRAME = re.compile(r"\s*(at |\.\.\. |\d+: )")


OPTIONAL = frozenset({"etcd", "keycloak", "proxy"})
"""Parts that start only when they are named: few people need them at a time, and they cost memory."""


def default_parts() -> tuple[Part, ...]:
    """The parts of a development stack, slowest to start first; optional parts included."""
    return (Keycloak(), Elasticsearch(), Minio(), Etcd(), Mediamtx(), Proxy())


class Stack:
    """The servers whose state is in one folder.

    ``ports`` requests ports by name (``minio``, ``elasticsearch``, ``rtsp``, ``mediamtx_api``,
    ``mediamtx_playback``, ``proxy``, ``etcd_1``, …); 0 means any free one, and a bare 0
    instead of the mapping means any free port for every name.
    ``progress`` gets one line per step that takes time. Any number of objects and processes may use one
    folder; changes to it are made one at a time.

    Methods raise ``Malformed`` (``stack_part_unknown``) for an unknown part, and ``Unavailable`` (codes
    ``stack_…``) if a tool is missing or a server does not start, each with a hint.
    """

    def __init__(
        self,
        state_dir: Path,
        cache_dir: Path,
        *,
        progress: Progress = lambda line: None,
        ports: Mapping[str, int] | int | None = None,
        parts: Sequence[Part] | None = None,
    ) -> None:
        self.state_dir = state_dir.absolute()
        self._cache = Cache(cache_dir.absolute())
        self._progress = progress
        self._parts = {part.name: part for part in (default_parts() if parts is None else parts)}
        known = [name for part in self._parts.values() for name in part.ports]
        if ports is None:
            ports = {}
        elif isinstance(ports, int):
            ports = dict.fromkeys(known, ports)
        if strangers := sorted(set(ports) - set(known)):
            raise Malformed(
                f"the stack has no port named {strangers[0]!r}",
                code="stack_port_unknown",
                hint=f"its ports are {', '.join(known)}",
            )
        self._asked_ports = ports

    def up(self, parts: Sequence[str] | None = None) -> list[PartStatus]:
        """Start the named parts, by default all but the optional ones, and wait until they are healthy.

        Missing programs are fetched. Running parts are left alone, which makes a second call quick. If a part
        fails, those started before it stay up. A part that runs but does not become healthy is stopped, so
        that the next call starts it again.
        """
        chosen = self._wanted(parts)
        with self._turn():
            idle = [part for part in chosen if not self._runs(part)]
            programs = {part.name: part.fetch(self._cache, self._progress) for part in idle}
            for part in idle:
                self._launch(part, programs[part.name])
            for part in chosen:
                self._await_health(part)
                if part in idle:
                    self._progress(f"{part.name}: ready")
        return [self._status_of(part) for part in chosen]

    def down(self, parts: Sequence[str] | None = None) -> None:
        """Stop the named parts, by default all; their data and ports stay for the next ``up``."""
        for part in self._named(parts):
            self.stop(part.name)

    def status(self) -> list[PartStatus]:
        """The present status of every part. Changes nothing and holds no secrets."""
        return [self._status_of(part) for part in self._parts.values()]

    def env(self) -> dict[str, str]:
        """Return the variables that make programs use the running parts, credentials included.

        Raises ``Unavailable`` (``stack_down``) if no part runs.
        """
        variables: dict[str, str] = {}
        for part in self._parts.values():
            record = self._record(part)
            if record is not None and record.process is not None and record.process.alive():
                variables |= part.environment(self._room(part, record))
        if not variables:
            raise Unavailable(
                f"no server of the stack in {self.state_dir} runs",
                code="stack_down",
                hint="start it with: saksi stack up",
            )
        return variables

    def fetched(self, parts: Sequence[str] | None = None) -> bool:
        """Whether the programs of the named parts are in the cache; the default is as for :meth:`up`."""
        return all(self._cache.holds(part.name, part.version) for part in self._wanted(parts))

    def start(self, name: str) -> None:
        """Start one part on the ports it had and wait until it is healthy; does nothing if it serves."""
        self.up([name])

    def stop(self, name: str) -> None:
        """Stop one part in its own orderly way."""
        self._end(name, orderly=True)

    def kill(self, name: str) -> None:
        """End one part with SIGKILL, as a power cut would; for crash tests."""
        self._end(name, orderly=False)

    def erase(self) -> None:
        """End everything and remove the state folder with all its data; for disposable stacks."""
        for name in self._parts:
            self._end(name, orderly=False)
        shutil.rmtree(self.state_dir, ignore_errors=True)

    def log(self, name: str) -> Path:
        """Return the file with all output of a part since its first start."""
        return self.state_dir / "logs" / f"{self._part(name).name}.log"

    # -- one part --------------------------------------------------------------------------------------

    def _launch(self, part: Part, program: Path) -> None:
        record = self._record(part)
        if record is not None and record.process is not None and record.process.members():
            # Of another version, or a leader that died without its children.
            self._progress(f"{part.name}: stopping the remains of its last run")
            record.process.stop(_STOP_GRACE)
        chosen = port_choice.choose(
            part.ports,
            asked=self._asked_ports,
            recorded={} if record is None else record.ports,
            progress=self._progress,
            promised=self._promised(part),
        )
        room = Room(self._folder(part), program, chosen)
        folders.make(room.folder)
        launch = part.prepare(room)
        self._progress(f"{part.name}: starting {part.version}")
        began = process.start(launch, self.log(part.name))
        Record(part.version, chosen, began, _now(), str(program)).write(self._record_file(part))

    def _promised(self, part: Part) -> set[int]:
        """The ports of the other parts that were started."""
        records = (self._record(other) for other in self._parts.values() if other is not part)
        return {
            port
            for record in records
            if record is not None and record.process is not None
            for port in record.ports.values()
        }

    def _await_health(self, part: Part) -> None:
        deadline = time.monotonic() + part.patience
        starts = 1
        while True:
            record = self._record(part)
            if record is None or record.process is None or not record.process.alive():
                if (
                    record is None
                    or starts == _STARTS
                    or all(map(port_choice.is_free, record.ports.values()))
                ):
                    raise self._start_failed(part, "ended right after its start")
                # Two stacks that waited for one build start in the same moment and choose the same port.
                self._progress(f"{part.name}: another program took its port meanwhile; starting again")
                self._launch(part, Path(record.program))
                starts += 1
                continue
            room = self._room(part, record)
            if part.healthy(room):
                break
            if time.monotonic() > deadline:
                record.process.stop(_STOP_GRACE)
                raise self._start_failed(part, f"did not become healthy within {part.patience:.0f} s")
            time.sleep(_POLL_SECONDS)
        part.settle(room)

    def _end(self, name: str, *, orderly: bool) -> None:
        part = self._part(name)
        with self._turn():
            record = self._record(part)
            if record is None or record.process is None:
                return
            if orderly:
                self._progress(f"{name}: stopping")
                record.process.stop(_STOP_GRACE)
            else:
                record.process.kill()
            replace(record, process=None, started_at=None).write(self._record_file(part))

    def _runs(self, part: Part) -> bool:
        # Health is not checked here: a busy machine makes servers slow, and restarting a server under its
        # users because it did not answer at once would be worse than waiting.
        record = self._record(part)
        return (
            record is not None
            and record.version == part.version
            and record.process is not None
            and record.process.alive()
        )

    def _status_of(self, part: Part) -> PartStatus:
        record = self._record(part)
        if record is None or record.process is None or not record.process.alive():
            ports = {} if record is None else record.ports
            return PartStatus(part.name, State.STOPPED, part.version, ports=ports)
        healthy = part.healthy(self._room(part, record))
        return PartStatus(
            part.name,
            State.RUNNING if healthy else State.UNHEALTHY,
            record.version,
            record.process.pid,
            record.ports,
            record.started_at,
            self.log(part.name),
        )

    def _start_failed(self, part: Part, how: str) -> Unavailable:
        log = self.log(part.name)
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        telling = [line.strip()[:_LINE_LENGTH] for line in lines if line.strip() and not _FRAME.match(line)]
        last = " | ".join(telling[-_LAST_LINES:])
        return Unavailable(
            f"{part.name} {how}; its last output: {last or 'none'}",
            code="stack_start_failed",
            hint=f"read {log}, then run `saksi stack up` again",
        )

    # -- the folder ------------------------------------------------------------------------------------

    @contextmanager
    def _turn(self) -> Iterator[None]:
        folders.make(self.state_dir)
        wait = "another `saksi stack` command is working on this stack; waiting for it"
        with exclusive(self.state_dir / "lock", lambda: self._progress(wait)):
            yield

    def _folder(self, part: Part) -> Path:
        return self.state_dir / part.name

    def _record_file(self, part: Part) -> Path:
        return self.state_dir / "parts" / f"{part.name}.json"

    def _record(self, part: Part) -> Record | None:
        return Record.read(self._record_file(part))

    def _room(self, part: Part, record: Record) -> Room:
        return Room(self._folder(part), Path(record.program), record.ports)

    def _part(self, name: str) -> Part:
        try:
            return self._parts[name]
        except KeyError:
            raise Malformed(
                f"the stack has no part named {name!r}",
                code="stack_part_unknown",
                hint=f"its parts are {', '.join(self._parts)}",
            ) from None

    def _wanted(self, names: Sequence[str] | None) -> list[Part]:
        """Parts by name; without names, all parts that are not optional."""
        return self._named([name for name in self._parts if name not in OPTIONAL] if names is None else names)

    def _named(self, names: Sequence[str] | None) -> list[Part]:
        """Parts by name, in the stack's own order."""
        wanted = set(self._parts if names is None else (self._part(name).name for name in names))
        return [part for name, part in self._parts.items() if name in wanted]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
