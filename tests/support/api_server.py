"""``saksi serve`` as a city runs it: its own process, called over a bare socket or with httpx."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from ops.stack import ports
from tests.support.command_line import CommandLine
from tests.support.waiting import PATIENCE_S


@dataclass(frozen=True)
class ApiServer:
    """A server that answers on the loopback."""

    line: CommandLine
    port: int
    pid: int

    @property
    def url(self) -> str:
        """The server's address."""
        return f"http://127.0.0.1:{self.port}"

    def client(self, **options: object) -> httpx.Client:
        """A client that takes no proxy from the environment."""
        return httpx.Client(base_url=self.url, trust_env=False, timeout=20, **options)  # type: ignore[arg-type]

    def exchange(self, data: bytes, *, seconds: float = 15) -> bytes:
        """Send bytes unchanged, and read until the server closes or sends nothing for ``seconds``."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as client:
            client.sendall(data)
            return read_all(client)

    def workers(self) -> list[int]:
        """The processes that this one started."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                try:
                    state, parent = (entry / "stat").read_text("ascii").rpartition(")")[2].split()[:2]
                except OSError:
                    continue  # it has just ended
                if int(parent) == self.pid and state != "Z":
                    found.append(int(entry.name))
        return sorted(found)

    def memory_mib(self) -> float:
        """The memory of the process, MiB."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) / 1024


def read_all(client: socket.socket) -> bytes:
    """Everything until the end, or until the socket's timeout."""
    pieces = []
    try:
        while piece := client.recv(65536):
            pieces.append(piece)
    except (TimeoutError, ConnectionError):
        pass
    return b"".join(pieces)


@contextmanager
def api_server(
    home: Path, settings: Mapping[str, str] | None = None, *more: str, port: int = 0
) -> Iterator[ApiServer]:
    """A server over a home at a port (0: a free one), with more options; shut down in order at the end."""
    line = CommandLine(home, dict(settings or {}))
    port = port or ports.free()
    home.mkdir(parents=True, exist_ok=True)
    log = home / f"serve-{port}.log"
    with log.open("wb") as err:
        process = subprocess.Popen(
            line.argv("serve", "--port", str(port), *more), env=line.environment(), stdout=err, stderr=err
        )
    try:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200:
                    break
            except httpx.HTTPError:
                pass
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, "the server did not come up"
            time.sleep(0.1)  # real time: a pause between two looks
        yield ApiServer(line, port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def new_token(line: CommandLine, name: str = "tester") -> str:
    """A token that may do everything."""
    return str(line.must("token", "create", name, "--json").json["token"])
