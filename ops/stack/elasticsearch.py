"""Elasticsearch: the index of a city. The stack uses the core distribution, published as a Maven artifact.

It has no ``GET /``, painless, ILM or data streams, so code that works here works on every distribution.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.stack import folders, jdk
from ops.stack.account import Account, can_enter, give, require_entry, unprivileged
from ops.stack.cache import Cache
from ops.stack.part import Launch, Progress, Room
from ops.stack.places import CACHE_VARIABLE, STATE_VARIABLE
from ops.stack.record import write_whole
from ops.stack.wire import ask

_COORDINATE = "org.elasticsearch.distribution.integ-test-zip:elasticsearch:zip"
_SHA256 = "bec49f3b8d00e75c8d1cec85c35298635ec9fbd3ae80ef5aeb6bc05abdb3db2d"


@dataclass(frozen=True, slots=True)
class Elasticsearch:
    """A single node with security off, bound to the loopback interface, with a heap of up to 1 GiB."""

    name: str = "elasticsearch"
    version: str = "9.5.3"
    patience: float = 180

    @property
    def ports(self) -> Mapping[str, int]:
        """The HTTP port."""
        return {"elasticsearch": 19200}

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Find a JDK, then download and unpack Elasticsearch. Errors of both steps pass through."""
        account = unprivileged()
        if account is not None:
            folders.make(cache.folder)
            require_entry(account, cache.folder, CACHE_VARIABLE)
        _jdk(account)

        def make(folder: Path) -> None:
            # Imported late: the import takes longer than a whole `up` that finds everything running.
            from ops.stack import maven

            maven.fetch(f"{_COORDINATE}:{self.version}", _SHA256, into=folder, progress=progress)

        return cache.get(self.name, self.version, make, progress)

    def prepare(self, room: Room) -> Launch:
        """Write the configuration and make the account it runs as the owner of the folders.

        Raises ``Unavailable`` (``stack_jdk_missing``, ``stack_folder_closed``).
        """
        account = unprivileged()
        config = room.folder / "config"
        shutil.rmtree(config, ignore_errors=True)
        shutil.copytree(room.program / "config", config)
        write_whole(config / "elasticsearch.yml", json.dumps(_settings(room), indent=1))
        write_whole(config / "jvm.options.d/heap.options", "-Xms512m\n-Xmx1g\n")
        for name in ("data", "logs", "tmp"):
            (room.folder / name).mkdir(exist_ok=True)
        if account is not None:
            require_entry(account, room.folder, STATE_VARIABLE)
            give(account, room.folder)
        return Launch(
            argv=[str(room.program / "bin/elasticsearch")],
            env={
                "PATH": os.defpath,
                "HOME": str(room.folder),
                "ES_HOME": str(room.program),
                "ES_JAVA_HOME": str(_jdk(account)),
                "ES_PATH_CONF": str(config),
                "ES_TMPDIR": str(room.folder / "tmp"),
            },
            cwd=room.folder,
            account=account,
        )

    def healthy(self, room: Room) -> bool:
        """Query the cluster's health: its master is elected and all primary shards are active."""
        answer = ask(room.url("elasticsearch") + "/_cluster/health")
        return answer is not None and answer.ok and json.loads(answer.body)["status"] in ("green", "yellow")

    def settle(self, room: Room) -> None:
        """Nothing to do: the programs that use the index create its templates."""

    def environment(self, room: Room) -> dict[str, str]:
        """The index URL, in one variable for programs and one for tests."""
        url = room.url("elasticsearch")
        return {"SAKSI_INDEX_URL": url, "SAKSI_TEST_ELASTIC_URL": url}


def _jdk(account: Account | None) -> Path:
    return jdk.find(usable=lambda home: account is None or can_enter(account, home / "bin"))


def _settings(room: Room) -> dict[str, object]:
    return {
        "cluster.name": "saksi-stack",
        "node.name": "saksi-stack",
        "discovery.type": "single-node",
        "network.host": "127.0.0.1",
        "http.port": room.ports["elasticsearch"],
        # No client uses this port; a range, so that several stacks on one machine need no bookkeeping.
        "transport.port": "19300-19499",
        "path.data": str(room.folder / "data"),
        "path.logs": str(room.folder / "logs"),
        "xpack.security.enabled": False,
        "xpack.ml.enabled": False,
        # By default no index can be created on a disk that is 85 % full, as developers' disks often are.
        "cluster.routing.allocation.disk.threshold_enabled": False,
    }
