"""Three etcd nodes of one cluster on this machine; each may be killed, paused and started again."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from ops.stack import Places, ports
from ops.stack.cache import Cache
from ops.stack.etcd import NODES, Etcd, node_command
from ops.stack.part import Launch, Room
from ops.stack.process import Process, start
from ops.stack.wire import answers
from tests.support.servers import absent
from tests.support.waiting import until

_PATIENCE = 120.0


@dataclass
class EtcdNode:
    """One node: how it starts, its address, and its process while it runs."""

    launch: Launch
    url: str
    log: Path
    process: Process | None = field(default=None)

    def start(self) -> None:
        """Start it; it joins the others by itself."""
        self.process = start(self.launch, self.log)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self.process is not None:
            self.resume()
            self.process.kill()
        self.process = None

    def pause(self) -> None:
        """Stop it, so that it answers nothing and keeps its connections; returns when all of it stands."""
        assert self.process is not None
        pid = self.process.pid
        os.kill(pid, signal.SIGSTOP)
        until(lambda: all(state == "T" for state in _states(pid)), "every thread of the node stands still")

    def resume(self) -> None:
        """Let it go on."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGCONT)


def _states(pid: int) -> Iterator[str]:
    """The state of each thread, as Linux names it (proc(5))."""
    for stat in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(FileNotFoundError):  # a thread that has just ended
            yield stat.read_text().rpartition(")")[2].split()[0]


@dataclass(frozen=True)
class EtcdCluster:
    """The nodes, and the addresses of all of them."""

    nodes: tuple[EtcdNode, ...]

    @property
    def urls(self) -> list[str]:
        """The value of ``etcd_urls``."""
        return [node.url for node in self.nodes]

    def settled(self) -> None:
        """Wait until every node knows the leader."""
        until(
            lambda: all(answers(f"{url}/health") for url in self.urls),
            "every node of etcd knows the leader", seconds=_PATIENCE,
        )  # fmt: skip


@contextmanager
def etcd_cluster() -> Iterator[EtcdCluster]:
    """A new cluster, started; killed and removed afterwards. The test is skipped without etcd's program."""
    part = Etcd()
    cache = Cache(Places.from_environment().cache_dir)
    if not cache.holds(part.name, part.version):
        absent("etcd's program is not in the cache", "saksi stack up --with etcd")
    program = part.fetch(cache, lambda line: None)
    folder = Path(tempfile.mkdtemp(prefix="saksi-etcd-"))
    room = Room(
        folder,
        program,
        ports.choose(part.ports, asked=dict.fromkeys(part.ports, 0), recorded={}, progress=print),
    )
    nodes = tuple(
        EtcdNode(
            Launch(
                argv=node_command(room, number), env={"PATH": os.defpath, "HOME": str(folder)}, cwd=folder
            ),
            room.url(f"etcd_{number}"),
            folder / f"log{number}",
        )
        for number in NODES
    )
    cluster = EtcdCluster(nodes)
    try:
        for node in nodes:
            node.start()
        cluster.settled()
        yield cluster
    finally:
        for node in nodes:
            node.kill()
        shutil.rmtree(folder)
