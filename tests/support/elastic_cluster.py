"""Three Elasticsearch nodes of one cluster on this machine; each may be killed and started again."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from ops.stack import Places, ports
from ops.stack.cache import Cache
from ops.stack.elasticsearch import Elasticsearch
from ops.stack.part import Launch, Room
from ops.stack.process import Process, start
from tests.support.servers import absent
from tests.support.waiting import until

NODES = 3
_PATIENCE = 240.0


@dataclass
class Node:
    """One node: its folder, its addresses, and its process while it runs."""

    room: Room
    launch: Launch
    process: Process | None = field(default=None)

    @property
    def url(self) -> str:
        """Its HTTP address."""
        return self.room.url("elasticsearch")

    def start(self) -> None:
        """Start it; it joins the others by itself."""
        self.process = start(self.launch, self.room.folder / "log")

    def kill(self) -> None:
        """End it with SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process = None


@dataclass(frozen=True)
class Cluster:
    """The nodes; ``url`` names all of them, as the setting does."""

    nodes: tuple[Node, ...]

    @property
    def url(self) -> str:
        """The value of ``SAKSI_INDEX_URL``."""
        return "http://" + ",".join(node.url.removeprefix("http://") for node in self.nodes)

    def health(self) -> dict[str, object]:
        """What a running node says of the cluster; empty if none answers."""
        for node in self.nodes:
            if node.process is None:
                continue
            try:
                answer = httpx.get(f"{node.url}/_cluster/health", timeout=5, trust_env=False)
            except httpx.HTTPError:
                continue
            if answer.status_code == 200:
                found: dict[str, object] = answer.json()
                return found
        return {}

    def settled(self, nodes: int = NODES) -> None:
        """Wait until that many nodes are there and every shard has all its copies."""

        def whole() -> bool:
            found = self.health()
            return found.get("number_of_nodes") == nodes and found.get("status") == "green"

        until(whole, f"{nodes} nodes with all copies of all shards", seconds=_PATIENCE)

    def primary_of(self, alias: str) -> Node:
        """The node that has the first shard of an alias's index."""
        running = next(node for node in self.nodes if node.process is not None)
        answer = httpx.get(
            f"{running.url}/_cat/shards/{alias}",
            params={"format": "json", "h": "prirep,node"},
            timeout=10,
            trust_env=False,
        )
        names = {one["node"] for one in answer.json() if one["prirep"] == "p"}
        return next(node for node in self.nodes if node.room.folder.name in names)


@contextmanager
def elastic_cluster() -> Iterator[Cluster]:
    """Three nodes that have found each other; killed and erased afterwards."""
    part = Elasticsearch()
    cache = Cache(Places.from_environment().cache_dir)
    if not cache.holds(part.name, part.version):
        absent("Elasticsearch is not in the cache")
    program = part.fetch(cache, lambda line: None)
    folder = Path(tempfile.mkdtemp(prefix="saksi-cluster-"))
    folder.chmod(0o755)
    nodes = []
    transports = [ports.free() for _ in range(NODES)]
    for number in range(NODES):
        room = Room(folder / f"node-{number}", program, {"elasticsearch": ports.free()})
        room.folder.mkdir(mode=0o755)
        launch = part.prepare(room)
        _join(room, number, transports)
        nodes.append(Node(room, launch))
    found = Cluster(tuple(nodes))
    try:
        for node in nodes:
            node.start()
        found.settled()
        yield found
    finally:
        for node in nodes:
            if node.process is not None:
                node.kill()
        shutil.rmtree(folder)


def _join(room: Room, number: int, transports: list[int]) -> None:
    """Change the configuration of a single node into that of a member."""
    path = room.folder / "config" / "elasticsearch.yml"
    settings = json.loads(path.read_text("utf-8"))
    del settings["discovery.type"]
    settings |= {
        "node.name": f"node-{number}",
        "transport.port": transports[number],
        "discovery.seed_hosts": [f"127.0.0.1:{port}" for port in transports],
        "cluster.initial_master_nodes": [f"node-{one}" for one in range(NODES)],
    }
    path.write_text(json.dumps(settings), "utf-8")
    (room.folder / "config" / "jvm.options.d" / "heap.options").write_text("-Xms256m\n-Xmx512m\n", "utf-8")
