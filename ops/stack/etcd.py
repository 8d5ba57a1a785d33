"""etcd: three nodes of one cluster, in which recorders find one another.

It is built from its Go module by a program of four lines in ``etcd_program``; ``go.sum`` there holds the
hashes of everything that is compiled.
"""

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.stack import golang
from ops.stack.cache import Cache
from ops.stack.part import Launch, Progress, Room
from ops.stack.wire import answers

NODES = (1, 2, 3)
_SOURCE = Path(__file__).resolve().parent / "etcd_program"
_OLDEST_GO = (1, 26)


@dataclass(frozen=True, slots=True)
class Etcd:
    """Three nodes on the loopback interface, without authentication. Optional."""

    name: str = "etcd"
    version: str = "v3.7.3"
    patience: float = 60

    @property
    def ports(self) -> Mapping[str, int]:
        """For each node the port of its clients and that of the other nodes."""
        return {"etcd_1": 12379, "etcd_2": 12378, "etcd_3": 12377} | {
            "etcd_peer_1": 12380, "etcd_peer_2": 12381, "etcd_peer_3": 12382,
        }  # fmt: skip

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Build the server with Go. Errors of ``golang.find`` and ``build.run`` pass through."""

        def make(folder: Path) -> None:
            go = golang.find(cache, progress, oldest=_OLDEST_GO)
            source = folder / "source"
            shutil.copytree(_SOURCE, source)
            golang.compile_here(go, source, output=folder / "etcd", progress=progress)
            shutil.rmtree(source)

        return cache.get(self.name, self.version, make, progress) / "etcd"

    def prepare(self, room: Room) -> Launch:
        """Make the data folders. One shell starts all three, and lives as long as any of them."""
        room.folder.mkdir(parents=True, exist_ok=True)
        started = " ".join(f"{shlex.join(node_command(room, node))} &" for node in NODES)
        return Launch(
            argv=["/bin/sh", "-c", f"{started} wait"],
            env={"PATH": os.defpath, "HOME": str(room.folder)},
            cwd=room.folder,
        )

    def healthy(self, room: Room) -> bool:
        """Query each node; one answers once it knows the leader."""
        return all(answers(f"{room.url(f'etcd_{node}')}/health") for node in NODES)

    def settle(self, room: Room) -> None:
        """Nothing to do: recorders make their keys."""

    def environment(self, room: Room) -> dict[str, str]:
        """The addresses, for programs and for tests."""
        urls = ",".join(room.url(f"etcd_{node}") for node in NODES)
        return {"SAKSI_ETCD_URLS": urls, "SAKSI_TEST_ETCD_URLS": urls}


def node_command(room: Room, node: int) -> list[str]:
    """How to start one node of the cluster."""
    client, peer = room.url(f"etcd_{node}"), room.url(f"etcd_peer_{node}")
    return [
        str(room.program), "--name", f"node{node}", "--data-dir", str(room.folder / f"node{node}"),
        "--listen-client-urls", client, "--advertise-client-urls", client,
        "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
        "--initial-cluster", ",".join(f"node{one}={room.url(f'etcd_peer_{one}')}" for one in NODES),
        "--initial-cluster-token", "saksi", "--log-level", "warn", "--logger", "zap",
    ]  # fmt: skip
