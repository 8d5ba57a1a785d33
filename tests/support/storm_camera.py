"""Cameras of a storm: each takes pictures in wall time, names them in the stream, and fails as it is told.

A camera sends H.264 over RTSP and TCP. Every access unit carries its number in an SEI message (user data
unregistered, ITU-T H.264 D.1.7), so the number stays unique however often the footage repeats, and a CRC of
its slices says whether the picture is the one that was sent. The pictures themselves show a barcode
(:mod:`tests.support.numbered`). Numbers follow the wall clock: a picture that is taken while nobody can
be sent it has a number too.

All cameras of a fleet live in one event loop in one thread.
"""

import asyncio
import base64
import itertools
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from tests.support.scripted_camera import AccessUnit, Sending, rtp_packets
from tests.support.scripts import Material

FPS = 15
USER, PASSWORD = "saksi", "rahasia"
MARK = b"saksi storm mark"
"""The UUID of the SEI messages."""
_BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
_TICKS = 90_000 // FPS
_FIRST_STAMP = 3_000_000
_MOST_WAITING = 16 << 20
"""A client that lets so many bytes wait is cut off."""


class Mode(StrEnum):
    """What a camera does."""

    SOUND = "sound"
    CUT = "cut"
    FROZEN = "frozen"
    HUNG = "hung"
    PASSWORD = "wrong password"
    CHANGED = "re-parametrised"


@dataclass(frozen=True, slots=True)
class Footage:
    """What a camera sends, over and over: access units with their slices' CRC. ``letter`` names it."""

    letter: str
    width: int
    units: Sequence[AccessUnit]
    slices: Sequence[int]

    @classmethod
    def of(cls, letter: str, width: int, material: Material) -> Self:
        """From encoded material without B-frames that begins with a keyframe."""
        units = tuple(material.units)
        assert [unit.frame for unit in units] == list(range(len(units))), "a storm has no B-frames"
        return cls(letter, width, units, [slices_crc(unit.units) for unit in units])

    def place(self, camera: int, number: int) -> int:
        """Which access unit is sent as picture ``number``; keyframes of the cameras do not coincide."""
        return (number + 7 * camera) % len(self.units)

    def numbered(self, camera: int, number: int) -> AccessUnit:
        """The access unit that is sent as picture ``number``."""
        unit = self.units[self.place(camera, number)]
        at = next(index for index, nal in enumerate(unit.units) if nal[0] & 0x1F in (1, 5))
        mark = marked(camera, self.letter, number)
        return AccessUnit(number, (*unit.units[:at], mark, *unit.units[at:]), unit.is_sync)

    def parameter_sets(self) -> list[bytes]:
        """SPS and PPS."""
        return [nal for nal in self.units[0].units if nal[0] & 0x1F in (7, 8)]


def slices_crc(units: Iterable[bytes]) -> int:
    """CRC-32 of the slices of an access unit."""
    crc = 0
    for nal in units:
        if nal[0] & 0x1F in (1, 5):
            crc = zlib.crc32(nal, crc)
    return crc


def marked(camera: int, letter: str, number: int) -> bytes:
    """The SEI message; it holds no zero byte, so nothing in it has to be escaped."""
    text = f"{camera:03d}{letter}{number:08d}".encode("ascii")
    return bytes([6, 5, len(MARK) + len(text)]) + MARK + text + b"\x80"


@dataclass(slots=True)
class StormCamera:
    """One camera. ``taken`` has when each picture was due (wall time, µs), ``late`` how late it left (µs).

    ``sent`` has the numbers that were written to a client, by the path that it asked for.
    """

    index: int
    footage: Footage
    other: Footage
    port: int = 0
    mode: Mode = Mode.SOUND
    taken: list[int] = field(default_factory=list)
    late: list[int] = field(default_factory=list)
    sent: dict[str, set[int]] = field(default_factory=dict)
    latest: float = 0.0
    """By how much a picture left late at most (s)."""
    _server: asyncio.Server | None = None
    _clients: set["_Client"] = field(default_factory=set)
    _sends: Footage | None = None
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def name(self) -> str:
        """Its id."""
        return f"kam-{self.index}"

    def url(self, client: str) -> str:
        """Where ``client`` reads it."""
        return f"rtsp://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{client}"

    @property
    def sends(self) -> Footage:
        """What it sends now."""
        return self._sends or self.footage

    async def listen(self) -> None:
        """Be there."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Client(self), "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def become(self, mode: Mode) -> None:
        """Fail in this way, or be sound again."""
        if mode in (Mode.CUT, Mode.PASSWORD):
            self.drop()
        if mode is Mode.CUT and self._server is not None:
            self._server.close()
            self._server = None
        elif self._server is None:
            await self.listen()
        if self.mode is Mode.HUNG:
            self.drop()  # It starts anew: what was asked meanwhile is lost.
        self.mode = mode

    def drop(self) -> None:
        """End every connection."""
        for client in tuple(self._clients):
            client.end()

    def send(self, number: int, lateness: float) -> None:
        """Take picture ``number`` and send it to everybody who can be sent it."""
        # One that leaves late waited in the camera: its stamp in the stream says when it was due.
        self.late.append(round(lateness * 1_000_000))
        self.taken.append(time.time_ns() // 1000 - self.late[-1])
        self.latest = max(self.latest, lateness)
        wanted = self.other if self.mode is Mode.CHANGED else self.footage
        if wanted is not self.sends and wanted.units[wanted.place(self.index, number)].is_sync:
            self._sends = wanted
        unit = self.sends.numbered(self.index, number)
        sending = Sending(0, 0, _FIRST_STAMP + number * _TICKS, unit)
        packets = b"".join(rtp_packets("h264", sending, self._numbers))
        if self.mode in (Mode.FROZEN, Mode.HUNG):
            return
        for client in tuple(self._clients):
            if client.takes(unit, packets):
                self.sent.setdefault(client.path, set()).add(number)

    def description(self) -> str:
        """The session description (RFC 8866)."""
        sets = self.sends.parameter_sets()
        sprop = ",".join(base64.b64encode(one).decode() for one in sets)
        profile = sets[0][1:4].hex()
        lines = [
            "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=kamera", "c=IN IP4 0.0.0.0", "t=0 0",
            "m=video 0 RTP/AVP 96", "a=rtpmap:96 H264/90000",
            f"a=fmtp:96 packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}",
            "a=control:track1",
        ]  # fmt: skip
        return "\r\n".join(lines) + "\r\n"

    def joined(self, client: "_Client") -> None:
        """A client connected."""
        self._clients.add(client)

    def left(self, client: "_Client") -> None:
        """A client went away."""
        self._clients.discard(client)


class _Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, camera: StormCamera) -> None:
        self._camera = camera
        self._wire: asyncio.Transport | None = None
        self._received = b""
        self._plays = self._joined = False
        self.path = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._wire = transport
        self._camera.joined(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._camera.left(self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while self._received:
            if self._received[:1] == b"$":  # a report of the client
                length = 4 + int.from_bytes(self._received[2:4], "big")
                if len(self._received) < max(4, length):
                    return
                self._received = self._received[length:]
                continue
            if b"\r\n\r\n" not in self._received:
                return
            request, _, self._received = self._received.partition(b"\r\n\r\n")
            if self._camera.mode is not Mode.HUNG:
                self._answer(request.decode("latin-1"))

    def end(self) -> None:
        """End it at once."""
        if self._wire is not None:
            self._wire.abort()
        self._camera.left(self)

    def takes(self, unit: AccessUnit, packets: bytes) -> bool:
        """Send it an access unit; from the first keyframe on it gets all."""
        self._joined = self._joined or (self._plays and unit.is_sync)
        if not self._joined or self._wire is None or self._wire.is_closing():
            return False
        self._wire.write(packets)
        if self._wire.get_write_buffer_size() > _MOST_WAITING:
            self.end()
        return True

    def _answer(self, request: str) -> None:
        lines = request.split("\r\n")
        method, _, rest = lines[0].partition(" ")
        heads = {
            name.strip().lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines[1:])
        }
        said, body = ["RTSP/1.0 200 OK", f"CSeq: {heads.get('cseq', '0')}"], ""
        right = heads.get("authorization") == _BASIC and self._camera.mode is not Mode.PASSWORD
        if method == "OPTIONS":
            said.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif not right:
            said[0] = "RTSP/1.0 401 Unauthorized"
            said.append('WWW-Authenticate: Basic realm="kamera"')
        elif method == "DESCRIBE":
            self.path = rest.split(" ")[0].rsplit("/", 1)[-1]
            body = self._camera.description()
            said += [
                f"Content-Base: rtsp://127.0.0.1:{self._camera.port}/{self.path}/",
                "Content-Type: application/sdp", f"Content-Length: {len(body)}",
            ]  # fmt: skip
        elif method == "SETUP":
            if "RTP/AVP/TCP" not in heads.get("transport", ""):
                said[0] = "RTSP/1.0 461 Unsupported Transport"
            said += ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 5aa1;timeout=60"]
        else:
            said.append("Session: 5aa1")
        if self._wire is not None:
            self._wire.write(("\r\n".join(said) + "\r\n\r\n" + body).encode("ascii"))
        self._plays = self._plays or (method == "PLAY" and right)


class Fleet:
    """The cameras of a storm, sending from entry to exit."""

    def __init__(self, count: int, footage: Footage, other: Footage) -> None:
        self.cameras = [StormCamera(index, footage, other) for index in range(1, count + 1)]
        self._loop = asyncio.new_event_loop()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(20), "the cameras did not start"
        return self

    def __exit__(self, *problem: object) -> None:
        self._ended.set()
        self._thread.join(20)

    def become(self, camera: StormCamera, mode: Mode) -> None:
        """As :meth:`StormCamera.become`, from another thread; returns when it is so."""
        told: Future[None] = asyncio.run_coroutine_threadsafe(camera.become(mode), self._loop)
        told.result(60)

    def call(self, act: Callable[[], None]) -> None:
        """Do something in the fleet's thread."""
        self._loop.call_soon_threadsafe(act)

    def by_name(self) -> Mapping[str, StormCamera]:
        """The cameras by their ids."""
        return {camera.name: camera for camera in self.cameras}

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())
        self._loop.close()

    async def _live(self) -> None:
        for camera in self.cameras:
            await camera.listen()
        self._ready.set()
        began = time.monotonic()
        count = len(self.cameras)
        for turn in itertools.count():
            if self._ended.is_set():
                break
            number, place = divmod(turn, count)
            due = began + (number + place / count) / FPS
            wait = max(0.0, due - time.monotonic())
            await asyncio.sleep(wait)  # real time: also where it is late, for others wait for this thread
            self.cameras[place].send(number, time.monotonic() - due)
        for camera in self.cameras:
            await camera.become(Mode.CUT)
