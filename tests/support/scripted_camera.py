"""A scripted camera: an RTSP server that sends numbered frames at known instants with chosen timestamps.

It speaks RTSP 1.0 over TCP with interleaved RTP (RFC 2326, 10.12) and packetises H.264 (RFC 6184) and H.265
(RFC 7798) itself. The script decides, frame by frame, when an access unit leaves and which RTP timestamp it
carries, so a test can compare what the archive says about a frame with what happened.

The camera lives in wall time: its script begins with the first ``PLAY``, and a later connection receives what
is due from then on. :mod:`tests.support.scripts` writes scripts.
"""

import base64
import itertools
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

_MTU = 1400
_PAYLOAD_TYPE = 96
_SSRC = 0x5AC51
_HEVC_FRAGMENT = 49
_SOUND_S = 0.02
_FIRST_SOUND = 77_000
BEEP = 0.5
"""Where in each second of the script its tone begins."""
_SILENCE = b"\xd5" * 160
_TONE = (b"\xaa" * 4 + b"\x2a" * 4) * 20  # as loud as A-law gets, 1,000 Hz

Codec = Literal["h264", "hevc"]
Then = Literal["silence", "close"]


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One coded picture: its number (its place in presentation order) and its NAL units."""

    frame: int
    units: tuple[bytes, ...]
    is_sync: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """One access unit of a script: sent ``at`` seconds after the start with the RTP timestamp ``stamp``.

    ``captured`` is when its picture was taken: before ``at`` where an encoder reorders pictures.
    """

    at: float
    captured: float
    stamp: int
    unit: AccessUnit


@dataclass(frozen=True, slots=True)
class Script:
    """Access units in decode order, and what the camera does after the last one."""

    codec: Codec
    sendings: Sequence[Sending]
    then: Then = "silence"
    joins_anywhere: bool = False
    """A new connection begins at the next access unit, and not at the next sync."""
    sound: tuple[float, float] | None = None
    """It announces G.711 and sends it between these seconds; None: it announces none.

    The sound is silence with a tone from :data:`BEEP` s of each second on, for a tenth.
    """

    @property
    def shown(self) -> list[int]:
        """The frames that one connection can show: from the first sync up to the first one that is not sent.

        A picture that is sent before those that it follows in presentation may be the last one of all; then
        those never came, and it stands beyond a hole.
        """
        first = next(sending.unit.frame for sending in self.sendings if sending.unit.is_sync)
        sent = {sending.unit.frame for sending in self.sendings}
        return list(itertools.takewhile(sent.__contains__, itertools.count(first)))


@dataclass(slots=True)
class ScriptedCamera:
    """A running camera. ``truth`` holds, per frame number, when its picture was taken (wall time, µs)."""

    script: Script
    port: int = 0
    truth: dict[int, int] = field(default_factory=dict)
    started: float | None = None
    played: int = 0
    left: list[float] = field(default_factory=list)
    """When each client left after the script's last picture (monotonic)."""
    finished: threading.Event = field(default_factory=threading.Event)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"rtsp://127.0.0.1:{self.port}/kamera"

    def serve(self, listener: socket.socket) -> None:
        """Accept connections until stopped."""
        listener.settimeout(0.2)
        threads: list[threading.Thread] = []
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            threads.append(threading.Thread(target=self._converse, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(5)

    def stop(self) -> None:
        """End every connection."""
        self._stopping.set()

    # RTSP --------------------------------------------------------------------------------------------

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(0.2)
            received = b""
            try:
                while not self._stopping.is_set():
                    try:
                        received += (more := connection.recv(4096))
                    except TimeoutError:
                        continue
                    if not more:
                        return
                    while b"\r\n\r\n" in received:
                        request, _, received = received.partition(b"\r\n\r\n")
                        if self._answer(connection, request.decode("latin-1")):
                            self._send_frames(connection)
                            return
            except OSError:
                return  # The client went away.

    def _answer(self, connection: socket.socket, request: str) -> bool:
        """Answer one request; returns whether it was ``PLAY``."""
        lines = request.split("\r\n")
        method = lines[0].split(" ")[0]
        heads = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        answer = ["RTSP/1.0 200 OK", f"CSeq: {heads.get('cseq', '0')}"]
        body = ""
        if method == "OPTIONS":
            answer.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN")
        elif method == "DESCRIBE":
            body = self._description()
            answer += [f"Content-Base: {self.url}/", "Content-Type: application/sdp"]
            answer.append(f"Content-Length: {len(body)}")
        elif method == "SETUP":
            if "RTP/AVP/TCP" not in heads.get("transport", ""):
                answer[0] = "RTSP/1.0 461 Unsupported Transport"
            channels = "2-3" if lines[0].split(" ")[1].endswith("track2") else "0-1"
            answer += [f"Transport: RTP/AVP/TCP;unicast;interleaved={channels}", "Session: 5aa1;timeout=60"]
        else:
            answer.append("Session: 5aa1")
        if method == "PLAY" and self.script.sound is not None:
            answer.append(self._beginning())
        connection.sendall(("\r\n".join(answer) + "\r\n\r\n" + body).encode("ascii"))
        return method == "PLAY"

    def _beginning(self) -> str:
        """Which timestamps of both streams are of the same moment: without it they seem to begin together."""
        started = time.monotonic() if self.started is None else self.started
        now = time.monotonic() - started
        picture = self.script.sendings[0]
        stamp = round(picture.stamp + (now - picture.captured) * 90_000)
        sound = round(now / _SOUND_S) * 160 + _FIRST_SOUND
        tracks = ((1, stamp), (2, sound))
        return "RTP-Info: " + ",".join(
            f"url={self.url}/track{number};seq=1;rtptime={begins}" for number, begins in tracks
        )

    def _description(self) -> str:
        sets = [unit for unit in self._first_sync.units if _kind(self.script.codec, unit) != "picture"]
        if self.script.codec == "h264":
            sprop = ",".join(base64.b64encode(unit).decode() for unit in sets)
            profile = next(unit for unit in sets if unit[0] & 0x1F == 7)[1:4].hex()
            format_of = f"packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sprop}"
            name = "H264"
        else:
            named = {32: "vps", 33: "sps", 34: "pps"}
            format_of = ";".join(
                f"sprop-{named[unit[0] >> 1 & 0x3F]}={base64.b64encode(unit).decode()}" for unit in sets
            )
            name = "H265"
        lines = [
            "v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=kamera", "c=IN IP4 0.0.0.0", "t=0 0",
            f"m=video 0 RTP/AVP {_PAYLOAD_TYPE}", f"a=rtpmap:{_PAYLOAD_TYPE} {name}/90000",
            f"a=fmtp:{_PAYLOAD_TYPE} {format_of}", "a=control:track1",
        ]  # fmt: skip
        if self.script.sound is not None:
            lines += ["m=audio 0 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=control:track2"]
        return "\r\n".join(lines) + "\r\n"

    @property
    def _first_sync(self) -> AccessUnit:
        return next(sending.unit for sending in self.script.sendings if sending.unit.is_sync)

    # RTP ---------------------------------------------------------------------------------------------

    def _send_frames(self, connection: socket.socket) -> None:
        with self._turn:
            if self.started is None:
                self.started = time.monotonic()
            started = self.started
            self.played += 1
        numbers = itertools.count(self.played * 1000)
        joined = self.script.joins_anywhere
        begun = time.monotonic() - started
        sound = _Sound(started, begun, *(self.script.sound or (0, 0)))
        for sending in self.script.sendings:
            if sending.at < begun - 0.001 or not (joined or sending.unit.is_sync):
                continue
            joined = True
            if not self._wait(connection, started + sending.at, sound):
                return
            connection.settimeout(10)
            connection.sendall(b"".join(rtp_packets(self.script.codec, sending, numbers)))
            lateness = time.monotonic() - started - sending.at
            taken = time.time() - lateness - (sending.at - sending.captured)
            # A picture that leaves late is taken to have been captured late.
            self.truth[sending.unit.frame] = round((taken + lateness) * 1_000_000)
        self.finished.set()
        if self.script.then == "silence" and not self._wait(connection, float("inf"), sound):
            self.left.append(time.monotonic())

    def _wait(self, connection: socket.socket, until: float, sound: "_Sound") -> bool:
        """Wait; False if the client went away or the camera stops. What the client says is not answered.

        Sound that becomes due meanwhile is sent.
        """
        while not self._stopping.is_set():
            connection.sendall(sound.due(min(until, time.monotonic())))
            rest = min(until, sound.next_due) - time.monotonic()
            if until <= time.monotonic():
                return True
            readable, _, _ = select.select([connection], [], [], max(0, min(rest, 0.2)))
            if readable and not connection.recv(4096):
                return False
        return False


class _Sound:
    """A-law at 8,000 Hz for one connection, in packets of 20 ms."""

    def __init__(self, started: float, begun: float, since: float, until: float) -> None:
        self._started = started
        self._number = max(0, round(max(begun, since) / _SOUND_S))
        self._end = round(until / _SOUND_S)

    @property
    def next_due(self) -> float:
        """When the next packet leaves (monotonic)."""
        return self._started + self._number * _SOUND_S if self._number < self._end else float("inf")

    @property
    def _stamp(self) -> int:
        return _FIRST_SOUND + self._number * 160

    def due(self, now: float) -> bytes:
        """The packets that are due."""
        packets = b""
        while self.next_due <= now:
            head = struct.pack(">BBHII", 0x80, 8, self._number & 0xFFFF, self._stamp, _SSRC + 1)
            beeps = BEEP <= self._number * _SOUND_S % 1 < BEEP + 0.0999
            packets += struct.pack(">cBH", b"$", 2, len(head) + 160) + head + (_TONE if beeps else _SILENCE)
            self._number += 1
        return packets


@contextmanager
def scripted_camera(script: Script) -> Iterator[ScriptedCamera]:
    """Run a camera on a free port until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        camera = ScriptedCamera(script, listener.getsockname()[1])
        thread = threading.Thread(target=camera.serve, args=(listener,), daemon=True)
        thread.start()
        try:
            yield camera
        finally:
            camera.stop()
            thread.join(10)


def _kind(codec: Codec, unit: bytes) -> str:
    """``picture`` or ``set``: parameter sets; delimiters and SEI count as part of the picture."""
    kinds = (7, 8) if codec == "h264" else (32, 33, 34)
    kind = unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F
    return "set" if kind in kinds else "picture"


def rtp_packets(codec: Codec, sending: Sending, numbers: Iterator[int]) -> Iterator[bytes]:
    """The access unit as interleaved RTP packets; the last one carries the marker bit."""
    payloads = [payload for unit in sending.unit.units for payload in _payloads(codec, unit)]
    for index, payload in enumerate(payloads):
        marker = 0x80 if index == len(payloads) - 1 else 0
        head = struct.pack(
            ">BBHII", 0x80, marker | _PAYLOAD_TYPE, next(numbers) & 0xFFFF, sending.stamp & 0xFFFF_FFFF, _SSRC
        )
        yield struct.pack(">cBH", b"$", 0, len(head) + len(payload)) + head + payload


def _payloads(codec: Codec, unit: bytes) -> Iterator[bytes]:
    if len(unit) <= _MTU:
        yield unit
        return
    if codec == "h264":
        indicator, kind, body = bytes([unit[0] & 0xE0 | 28]), unit[0] & 0x1F, unit[1:]
    else:
        indicator = bytes([unit[0] & 0x81 | _HEVC_FRAGMENT << 1, unit[1]])
        kind, body = unit[0] >> 1 & 0x3F, unit[2:]
    for at in range(0, len(body), _MTU):
        part = body[at : at + _MTU]
        flags = (0x80 if at == 0 else 0) | (0x40 if at + _MTU >= len(body) else 0)
        yield indicator + bytes([flags | kind]) + part
