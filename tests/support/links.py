"""Hosts with addresses of their own, and the links between them, each of which can be cut.

Two ways. As root each host is a network namespace, and a router between all of them drops packets where a
link is cut, so that a cut is what a broken cable is: no answer, no refusal. Without root all hosts are
processes on one address, and each link from a host to a service is a port of ours that passes bytes
on until it is cut.
"""

import asyncio
import os
import secrets
import socket
import subprocess
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from tests.support.in_network import enter

T = TypeVar("T")
Address = tuple[str, int]


class Links(Protocol):
    """The network of a test bed. Ends of links are names of hosts and services."""

    def address(self, host: str, service: str) -> Address:
        """Where ``host`` reaches ``service``."""
        ...

    def command(self, host: str, module: str, words: Collection[str]) -> tuple[str, list[str]]:
        """The module and the words that run ``module`` on that host."""
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
    """Each end a namespace with the address ``10.213.N.2``. ``services`` gives the ports that ends listen on.

    A service of this machine that listens outside is passed on by :meth:`lend`.
    """

    services: Mapping[str, int]
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
            _ip(
                "link",
                "add",
                inside,
                "netns",
                space,
                "type",
                "veth",
                "peer",
                "name",
                outside,
                "netns",
                router,
            )
            _ip("-n", space, "addr", "add", f"10.213.{number}.2/24", "dev", inside)
            _ip("-n", router, "addr", "add", f"10.213.{number}.1/24", "dev", outside)
            _ip("-n", space, "link", "set", "lo", "up")
            _ip("-n", space, "link", "set", inside, "up")
            _ip("-n", router, "link", "set", outside, "up")
            _ip("-n", space, "route", "add", "default", "via", f"10.213.{number}.1")

    def close(self) -> None:
        """Remove them; what still runs there is ended first."""
        for name in self._numbers:
            for pid in self.pids(name):
                with_pid(pid, 9)
        if self._relays is not None:
            self._relays.close()
        for name in (*self._numbers, "router"):
            _ip("netns", "del", self.namespace(name))

    def namespace(self, name: str) -> str:
        """The kernel's name of an end."""
        return f"sk{self._token}-{name}"

    def ip(self, name: str) -> str:
        """The address of an end."""
        return f"10.213.{self._numbers[name]}.2"

    def address(self, host: str, service: str) -> Address:
        """As the port says; the same for all hosts."""
        return self.ip(service), self.services[service]

    def command(self, host: str, module: str, words: Collection[str]) -> tuple[str, list[str]]:
        """As the port says."""
        return "tests.support.in_network", [self.namespace(host), module, *words]

    def inside(self, name: str, call: Callable[[], T]) -> T:
        """What ``call`` gives in a thread of that end: sockets and processes it makes stay there."""
        found: list[T] = []

        def run() -> None:
            enter(self.namespace(name))
            found.append(call())

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        return found[0]

    def lend(self, service: str, port: int) -> None:
        """Let the end ``service`` pass on what comes to its port to a port of this machine."""
        self._relays = self._relays or Relays()
        listening = self.inside(service, lambda: _listen(self.ip(service), self.services[service]))
        self._relays.add(listening, ("127.0.0.1", port))

    def pids(self, name: str) -> list[int]:
        """Everything that runs on a host."""
        return [int(word) for word in _ip("netns", "pids", self.namespace(name)).split()]

    def cut(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """As the port says: the router drops every packet between them."""
        pairs = [(one, other) for one in ones for other in others if one != other]
        for one, other in (*pairs, *((other, one) for one, other in pairs)):
            rule = ("from", self.ip(one), "to", self.ip(other), "blackhole", "pref", "100")
            _ip("-n", self.namespace("router"), "rule", "add", *rule)
            self._cuts.append(rule)

    def heal(self) -> None:
        """As the port says."""
        for rule in self._cuts:
            _ip("-n", self.namespace("router"), "rule", "del", *rule)
        self._cuts.clear()


@dataclass
class Ports:
    """All hosts on this machine; each link is a port of its own. ``targets`` are the services' addresses."""

    targets: Mapping[str, Address]
    _relays: "Relays" = field(default_factory=lambda: Relays())
    _links: dict[tuple[str, str], tuple[Address, "Relay"]] = field(default_factory=dict)

    def close(self) -> None:
        """Close every port."""
        self._relays.close()

    def address(self, host: str, service: str) -> Address:
        """As the port says."""
        if (host, service) not in self._links:
            listening = _listen("127.0.0.1", 0)
            place: Address = listening.getsockname()
            self._links[host, service] = place, self._relays.add(listening, self.targets[service])
        return self._links[host, service][0]

    def command(self, host: str, module: str, words: Collection[str]) -> tuple[str, list[str]]:
        """As the port says."""
        return module, list(words)

    def cut(self, ones: Iterable[str], others: Iterable[str]) -> None:
        """As the port says: connections stay open and say nothing; new ones are not answered."""
        left, right = set(ones), set(others)
        for (host, service), (_, relay) in self._links.items():
            if (host in left and service in right) or (host in right and service in left):
                relay.stop()

    def heal(self) -> None:
        """As the port says: what was under way when a link was cut is lost with its connection."""
        for _, relay in self._links.values():
            relay.go_on()


class Relay:
    """Passes on what comes to one port, unless it is stopped."""

    def __init__(self, target: Address) -> None:
        self._target = target
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
                writer.get_loop().call_soon_threadsafe(writer.close) if hasattr(writer, "get_loop") else None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self._open.add(writer)
        ours = [writer]
        try:
            while self._is_cut:
                await asyncio.sleep(0.05)
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
                await asyncio.sleep(0.05)
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
        relay = Relay(target)
        asyncio.run_coroutine_threadsafe(
            asyncio.start_server(relay.serve, sock=listening), self._loop
        ).result()
        return relay

    def close(self) -> None:
        """Stop the thread; what it serves ends with it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def with_pid(pid: int, number: int) -> None:
    """Signal a process that may have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


@contextmanager
def networks(services: Mapping[str, int], names: Collection[str]) -> Iterator[Networks]:
    """Networks for these ends, removed afterwards."""
    made = Networks(services)
    with ExitStack() as stack:
        stack.callback(made.close)
        made.open(names)
        yield made


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


NETNS = Path("/run/netns")
