"""nginx before MinIO, as in a city: the proxy that refuses operations that MinIO would allow.

An optional part: it starts only when it is named (``saksi stack up --with proxy``). It uses the machine's own
nginx.
"""

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Unavailable
from ops.deploy import proxy_configuration
from ops.stack.account import can_enter, give, unprivileged
from ops.stack.cache import Cache
from ops.stack.part import Launch, Progress, Room
from ops.stack.record import Record, write_whole
from ops.stack.wire import answers

_MINIO = "minio"


@dataclass(frozen=True, slots=True)
class Proxy:
    """nginx in the foreground, one worker, on the loopback interface, for the archive named ``archive``."""

    name: str = "proxy"
    version: str = "nginx"
    patience: float = 30
    archive: str = "saksi"

    @property
    def ports(self) -> Mapping[str, int]:
        """The port that programs use in place of MinIO's."""
        return {"proxy": 19081}

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        """Find the machine's nginx. Raises Unavailable ``stack_nginx_missing``."""
        found = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
        if found is None:
            raise Unavailable(
                "nginx is not installed", code="stack_nginx_missing", hint="apt-get install nginx-light"
            )
        return Path(found)

    def prepare(self, room: Room) -> Launch:
        """Write the configuration. Raises Unavailable ``stack_proxy_alone`` where MinIO never ran."""
        store = Record.read(room.folder.parent / "parts" / f"{_MINIO}.json")
        if store is None:
            raise Unavailable(
                "the proxy needs MinIO, which was never started",
                code="stack_proxy_alone",
                hint="start it first: saksi stack up minio",
            )
        listen = f"127.0.0.1:{room.ports['proxy']}"
        site = proxy_configuration(self.archive, listen=listen, store=f"127.0.0.1:{store.ports[_MINIO]}")
        write_whole(room.folder / "saksi-store.conf", site)
        write_whole(room.folder / "nginx.conf", configuration(room.folder))
        account = unprivileged()
        if account is not None and can_enter(account, room.folder):
            give(account, room.folder)
        else:
            account = None
        return Launch(
            argv=[
                str(room.program), "-p", str(room.folder), "-e", "stderr",
                "-c", str(room.folder / "nginx.conf"),
            ],
            env={"PATH": os.defpath, "HOME": str(room.folder)},
            cwd=room.folder,
            account=account,
        )  # fmt: skip

    def healthy(self, room: Room) -> bool:
        """Query MinIO's probe through the proxy."""
        return answers(room.url("proxy") + "/minio/health/live")

    def settle(self, room: Room) -> None:
        """Nothing to do."""

    def environment(self, room: Room) -> dict[str, str]:
        """The proxy's address; the archive's own address stays MinIO's, which root needs."""
        return {"SAKSI_TEST_PROXY_URL": room.url("proxy")}


def configuration(folder: Path) -> str:
    """The configuration that includes the site's own; nginx writes only into ``folder``."""
    bodies = "".join(
        f"    {kind}_temp_path {folder}/temp-{kind.replace('_', '-')};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return (
        "daemon off;\nworker_processes 1;\nerror_log stderr warn;\n"
        f"pid {folder}/nginx.pid;\n"
        "events { worker_connections 1024; }\n"
        f"http {{\n{bodies}    include {folder}/saksi-store.conf;\n}}\n"
    )
