"""Hosts with addresses of their own, and the links between them, each of which can be cut.

Two ways. As root each host is a network namespace, and a router between all of them drops packets where a
link is cut, so that a cut is what a broken cable is: no answer, no refusal. Without root all hosts are
processes on one address, and each link from a host to a service is a port of ours that passes bytes
on until it is cut.
"""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from ops.stack import ports
from tests.support.in_network import enter

T = TypeVar("T")
Address = tuple[str, int]


class Links(Protocol):
    """The network of a test bed. Ends are hosts and services, by name."""

    @property
    def cameras(self) -> str:
        """The network of every address here, as ``SAKSI_CAMERA_NETWORKS`` has it."""
        ...

    def listens(self, end: str, port: int) -> Address:
        """Where what an end serves on ``port`` listens."""
        ...

    def link(self, host: str, end: str, port: int) -> Address:
        """Where ``host`` reaches it."""
        ...

    def lend(self, end: str, port: int, real: int) -> None:
        """The end serves on ``port`` what this machine serves on the port ``real``."""
        ...

    def command(self, host: str, module: str, words: Collection[str]) -> tuple[str, list[str]]:
        """The module and the words that run ``module`` on that host."""
        ...

    def inside(self, end: str, call: Callable[[], T]) -> T:
        """What ``call`` gives at that end: sockets and processes it makes stay there."""
        ...

    def pids(self, host: str, folder: Path) -> list[int]:
        """Everything that runs on a host whose recorder has its home in ``folder``."""
        ...

    def cut(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """From now on nothing passes between these and those, either way."""
        ...

    def heal(self) -> None:
        """Everything passes again."""
        ...


def can_make_networks() -> bool:
    """Whether this process may make network namespaces."""
    if os.geteuid() != 0:
        return False
    name = f"sk{secrets.token_hex(3)}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    if made.returncode == 0:
        _ip("netns", "del", name)
    return made.returncode == 0


@dataclass
class Networks:
    """Each end is a namespace with the address ``10.213.N.2``."""

    cameras = "10.213.0.0/16"
    _token: str = field(default_factory=lambda: secrets.token_hex(3))
    _numbers: dict[str, int] = field(default_factory=dict)
    _cuts: list[tuple[str, ...]] = field(default_factory=list)
    _relays: "Relays | None" = None

    def open(self, names: Collection[str]) -> None:
        """Make the namespaces and the router."""
        _ip("netns", "add", self.namespace("router"))
        _ip("netns", "exec", self.namespace("router"), "sysctl", "-qw", "net.ipv4.ip_forward=1")
        for number, name in enumerate(names, 1):
            self._numbers[name] = number
            inside, outside = f"{self._token}i{number}", f"{self._token}o{number}"
            space, router = self.namespace(name), self.namespace("router")
            _ip("netns", "add", space)
            pair = ("type", "veth", "peer", "name", outside, "netns", router)
            _ip("link", "add", inside, "netns", space, *pair)
            _ip("-n", space, "addr", "add", f"10.213.{number}.2/24", "dev", inside)
            _ip("-n", router, "addr", "add", f"10.213.{number}.1/24", "dev", outside)
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "link", "set", inside, "up")
            _ip("-n", router, "link", "set", outside, "up")
            _ip("-n", space, "route", "add", "default", "via", f"10.213.{number}.1")

    def close(self) -> None:
        """Remove them; what still runs there is ended first."""
        for name in self._numbers:
            for pid in self._pids(name):
                with_pid(pid, signal.SIGKILL)
        if self._relays is not None:
            self._relays.close()
        for name in (*self._numbers, "router"):
            _ip("netns", "del", self.namespace(name))

    def namespace(self, name: str) -> str:
        """The kernel's name of an end."""
        return f"sk{self._token}-{name}"

    def listens(self, end: str, port: int) -> Address:
        """As the port says."""
        return self._ip_of(end), port

    def link(self, host: str, end: str, port: int) -> Address:
        """As the port says; the same for all hosts."""
        return self.listens(end, port)

    def lend(self, end: str, port: int, real: int) -> None:
        """As the port says: a process of this machine's own network passes it on."""
        self._relays = self._relays or Relays()
        self._relays.add(self.inside(end, lambda: _listen(*self.listens(end, port))), ("127.0.0.1", real))

    def command(self, host: str, module: str, words: Collection[str]) -> tuple[str, list[str]]:
        """As the port says."""
        return "tests.support.in_network", [self.namespace(host), module, *words]

    def inside(self, end: str, call: Callable[[], T]) -> T:
        """As the port says, in a thread of its own."""
        found: list[T] = []

        def run() -> None:
            enter(self.namespace(end))
            found.append(call())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return found[0]

    def pids(self, host: str, folder: Path) -> list[int]:
        """As the port says: whatever is in its namespace."""
        return self._pids(host)

    def _pids(self, end: str) -> list[int]:
        return [int(word) for word in _ip("netns", "pids", self.namespace(end)).split()]

    def _ip_of(self, end: str) -> str:
        return f"10.213.{self._numbers[end]}.2"

    def cut(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """As the port says: the router drops every packet between them."""
        pairs = [(one, other) for one in ones for other in others if one != other]
        for one, other in (*pairs, *((other, one) for one, other in pairs)):
            rule = ("from", self._ip_of(one), "to", self._ip_of(other), "blackhole", "pref", "100")
            _ip("-n", self.namespace("router"), "rule", "add", *rule)
            self._cuts.append(rule)

    def heal(self) -> None:
        """As the port says."""
        for rule in self._cuts:
            _ip("-n", self.namespace("router"), "rule", "del", *rule)
        self._cuts.clear()


@dataclass
class Ports:
    """All ends are processes of this machine. Each link is a port that passes bytes on.

    Only what is reached through :meth:`link` can be cut: not etcd from etcd, nor anybody from cameras.
    """

    cameras = "127.0.0.0/8"
    _relays: "Relays" = field(default_factory=lambda: Relays())
    _served: dict[tuple[str, int], Address] = field(default_factory=dict)
    _links: dict[tuple[str, str, int], tuple[Address, "Relay"]] = field(default_factory=dict)

    def close(self) -> None:
        """Close every port."""
        self._relays.close()

    def listens(self, end: str, port: int) -> Address:
        """As the port says: a free one of this machine."""
        if (end, port) not in self._served:
            self._served[end, port] = "127.0.0.1", ports.free()
        return self._served[end, port]

    def link(self, host: str, end: str, port: int) -> Address:
        """As the port says."""
        if (host, end, port) not in self._links:
            listening = _listen("127.0.0.1", 0)
            place: Address = listening.getsockname()
            self._links[host, end, port] = place, self._relays.add(listening, self.listens(end, port))
        return self._links[host, end, port][0]

    def lend(self, end: str, port: int, real: int) -> None:
        """As the port says."""
        self._served[end, port] = "127.0.0.1", real

    def command(self, host: str, module: str, words: Collection[str]) -> tuple[str, list[str]]:
        """As the port says."""
        return module, list(words)

    def inside(self, end: str, call: Callable[[], T]) -> T:
        """As the port says: here."""
        return call()

    def pids(self, host: str, folder: Path) -> list[int]:
        """As the port says: whatever names its spool. A recorder that is a fork does not."""
        found, spool = [], os.fsencode(folder / "spool")
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
            except OSError:
                continue
            if spool in words:
                found.append(int(entry.name))
        return found

    def cut(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """As the port says: connections stay open and say nothing; new ones are not answered."""
        left, right = set(ones), set(others)
        for (host, end, _), (_, relay) in self._links.items():
            if (host in left and end in right) or (host in right and end in left):
                relay.stop()

    def heal(self) -> None:
        """As the port says: what was under way when a link was cut is lost with its connection."""
        for _, relay in self._links.values():
            relay.go_on()


class Relay:
    """Passes on what comes to one port, unless it is stopped."""

    def __init__(self, target: Address, loop: asyncio.AbstractEventLoop) -> None:
        self._target = target
        self._loop = loop
        self._is_cut = False
        self._open: set[asyncio.StreamWriter] = set()

    def stop(self) -> None:
        """From now on nothing passes."""
        self._is_cut = True

    def go_on(self) -> None:
        """Pass on again; connections that were made before are closed."""
        if self._is_cut:
            self._is_cut = False
            for writer in tuple(self._open):
                self._loop.call_soon_threadsafe(writer.close)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._open.add(writer)
        ours = [writer]
        try:
            while self._is_cut:
                await asyncio.sleep(0.05)  # real time: a pause between two looks
            back, onward = await asyncio.open_connection(*self._target)
            ours.append(onward)
            self._open.add(onward)
            await asyncio.gather(self._pass(reader, onward), self._pass(back, writer))
        except OSError:
            return
        finally:
            for one in ours:
                self._open.discard(one)
                one.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(1 << 16):
            while self._is_cut:
                await asyncio.sleep(0.05)  # real time: a pause between two looks
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


class Relays:
    """Relays in one thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def add(self, listening: socket.socket, target: Address) -> Relay:
        """Serve a listening socket."""
        relay = Relay(target, self._loop)
        asyncio.run_coroutine_threadsafe(
            asyncio.start_server(relay.serve, sock=listening), self._loop
        ).result()
        return relay

    def close(self) -> None:
        """Stop the thread; what it serves ends with it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def accepts(place: Address) -> bool:
    """Whether anything listens there."""
    try:
        socket.create_connection(place, 1).close()
    except OSError:
        return False
    return True


def with_pid(pid: int, number: int) -> None:
    """Signal a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@contextmanager
def links(ends: Collection[str]) -> Iterator[Links]:
    """Networks for these ends where they can be made, else ports; removed afterwards."""
    with ExitStack() as stack:
        if os.environ.get("SAKSI_TEST_LINKS") != "ports" and can_make_networks():
            made = Networks()
            stack.callback(made.close)
            made.open(ends)
            yield made
        else:
            there = Ports()
            stack.callback(there.close)
            yield there


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(256)
    listening.setblocking(False)
    return listening


def _ip(*words: str) -> str:
    done = subprocess.run(["ip", *words], capture_output=True, check=False, text=True)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
    return done.stdout
