"""The memory card of a camera: ONVIF recording search, and replay by RTSP with the times of each picture.

It keeps numbered footage, each piece with the time of its first picture by the camera's own clock, and sends
it over TCP as the ONVIF Streaming Specification says: ``Range: clock=``, ``Require: onvif-replay``, and a
header extension 0xABAC on the first packet of each picture. It begins at the keyframe at or before the time
asked for. What no test with it proves: how the firmware of any maker replays, what is in its times, and
whether its card holds what it says.
"""

import hashlib
import re
import socketserver
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from archive.timespan import SECOND, format_instant, from_datetime
from tests.support import numbered

_NTP = 2_208_988_800
_LARGEST = 1400
_TYPE = 96
_ANNEXB = {"h264": "h264_mp4toannexb", "hevc": "hevc_mp4toannexb"}
_NAMES = {"h264": "H264", "hevc": "H265"}
_RANGE = re.compile(r"clock=(\d{8}T\d{6}(?:\.\d+)?)Z-(\d{8}T\d{6}(?:\.\d+)?)Z")
_START = re.compile(rb"\x00\x00\x01")
REALM, NONCE = "kartu", "a1b2c3"


@dataclass(frozen=True, slots=True)
class Picture:
    """One coded picture: when it is shown (ticks of 1/90000 s from the first), its NAL units."""

    ticks: int
    units: tuple[bytes, ...]
    is_key: bool


@dataclass(frozen=True, slots=True)
class KeptPiece:
    """One unbroken piece: ``start`` is the camera's time of its first picture in µs."""

    start: int
    codec: str
    pictures: Sequence[Picture]

    def at(self, picture: Picture) -> int:
        """The camera's time of one of its pictures."""
        return self.start + picture.ticks * SECOND // 90_000

    @property
    def end(self) -> int:
        """The camera's time of its last picture."""
        return max(map(self.at, self.pictures))


def kept_piece(path: Path, start: int, codec: str = "h264") -> KeptPiece:
    """A piece with the pictures of a file."""
    common = [numbered.DEFAULT_FFMPEG, "-nostdin", "-loglevel", "error", "-i", str(path), "-map", "0:v", "-c",
              "copy", "-bsf:v", _ANNEXB[codec]]  # fmt: skip
    listed = subprocess.run(
        [*common, "-f", "framehash", "pipe:1"], capture_output=True, check=True, text=True
    ).stdout
    stream = subprocess.run([*common, "-f", codec, "pipe:1"], capture_output=True, check=True).stdout
    base = next(line.split()[-1] for line in listed.splitlines() if line.startswith("#tb"))
    up, _, down = base.partition("/")
    rows = [
        [part.strip() for part in line.split(",")] for line in listed.splitlines() if line and line[0] != "#"
    ]
    shown = [int(row[2]) * 90_000 * int(up) // int(down) for row in rows]
    first = min(shown)
    found: list[Picture] = []
    at = 0
    for pts, row in zip(shown, rows, strict=True):
        units = tuple(_units(stream[at : at + int(row[4])]))
        at += int(row[4])
        found.append(Picture(pts - first, units, any(_is_key(codec, one) for one in units)))
    return KeptPiece(start, codec, found)


@dataclass(slots=True)
class Card:
    """What a camera keeps, and how it misbehaves; a test may change all of it.

    ``says_nothing``: it refuses every time with 457. ``silent_after`` and ``gone_after``: after so many
    packets it sends nothing more, or closes. ``has_no_marks``: its packets say no times. ``is_old``: it knows
    no ``onvif-replay``. ``loses``: the pictures, counted in each piece, whose last packet is lost each time,
    or with ``loses_once`` the first time only. ``says_times`` writes the times of its search, and
    ``replays_at`` is how much later (µs) than asked for what it sends is.
    ``rows`` are further recordings, of other inputs.
    """

    pieces: list[KeptPiece] = field(default_factory=list)
    account: tuple[str, str] = ("admin", "rahasia-1")
    port: int = 0
    says_nothing: bool = False
    silent_after: int | None = None
    gone_after: int | None = None
    has_no_marks: bool = False
    is_old: bool = False
    tells_no_times: bool = False
    says_times: Callable[[int], str] = format_instant
    replays_at: int = 0
    loses: set[int] = field(default_factory=set)
    loses_once: bool = False
    rows: list[str] = field(default_factory=list)
    asked: list[tuple[int, int]] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    sent: int = 0
    hung_up: threading.Event = field(default_factory=threading.Event)

    def answers(self) -> dict[str, Callable[[ElementTree.Element], str]]:
        """The answers of its ONVIF services."""
        return {
            "FindRecordings": lambda _: (
                "<tse:FindRecordingsResponse><tse:SearchToken>s1</tse:SearchToken></tse:FindRecordingsResponse>"
            ),
            "GetRecordingSearchResults": lambda _: self._results(),
            "GetReplayUri": lambda _: (
                f"<trp:GetReplayUriResponse><trp:Uri>rtsp://192.0.2.9:{self.port}/replay/rec-1</trp:Uri>"
                "</trp:GetReplayUriResponse>"
            ),
        }

    def _results(self) -> str:
        rows = [] if not self.pieces and not self.says_nothing else [self._row("rec-1", "")]
        rows += [self._row(token, f"rtsp://10.9.0.{number}/ch1") for number, token in enumerate(self.rows, 1)]
        return (
            "<tse:GetRecordingSearchResultsResponse><tse:ResultList><tt:SearchState>Completed</tt:SearchState>"
            f"{''.join(rows)}</tse:ResultList></tse:GetRecordingSearchResultsResponse>"
        )

    def _row(self, token: str, address: str) -> str:
        times = ""
        if self.pieces and not self.tells_no_times:
            times = (
                f"<tt:EarliestRecording>{self.says_times(self.pieces[0].start)}</tt:EarliestRecording>"
                f"<tt:LatestRecording>{self.says_times(self.pieces[-1].end)}</tt:LatestRecording>"
            )
        return (
            f"<tt:RecordingInformation><tt:RecordingToken>{token}</tt:RecordingToken><tt:Source>"
            "<tt:SourceId>VideoSource_1</tt:SourceId><tt:Name>kartu</tt:Name><tt:Location/><tt:Description/>"
            f"<tt:Address>{address}</tt:Address></tt:Source>{times}<tt:Content/>"
            "<tt:RecordingStatus>Recording</tt:RecordingStatus></tt:RecordingInformation>"
        )

    # RTSP ----------------------------------------------------------------------------------------------

    def reply(self, method: str, url: str, fields: dict[str, str]) -> tuple[int, list[str], str]:
        """The status, the fields and the body for a request."""
        self.requests.append(method)
        if not self._is_let_in(method, fields.get("authorization", "")):
            return 401, [f'WWW-Authenticate: Digest realm="{REALM}", nonce="{NONCE}"'], ""
        if method == "DESCRIBE":
            return 200, [f"Content-Base: {url}/", "Content-Type: application/sdp"], self._description()
        if method in ("SETUP", "PLAY") and (self.is_old or "onvif-replay" not in fields.get("require", "")):
            return 551, ["Unsupported: onvif-replay"], ""
        if method == "SETUP":
            return 200, ["Transport: RTP/AVP/TCP;unicast;interleaved=0-1", "Session: 77;timeout=60"], ""
        if method == "PLAY":
            start, end = asked_range(fields.get("range", ""))
            span = (start + self.replays_at, end + self.replays_at)
            self.asked.append(span)
            if self.says_nothing or not any(one.start < span[1] and span[0] < one.end for one in self.pieces):
                return 457, [], ""
        return 200, [], ""

    def _is_let_in(self, method: str, told: str) -> bool:
        parts = dict(re.findall(r'(\w+)="([^"]*)"', told))
        user, password = self.account
        first = hashlib.md5(f"{user}:{REALM}:{password}".encode(), usedforsecurity=False).hexdigest()
        second = hashlib.md5(f"{method}:{parts.get('uri')}".encode(), usedforsecurity=False).hexdigest()
        proof = hashlib.md5(f"{first}:{NONCE}:{second}".encode(), usedforsecurity=False).hexdigest()
        return parts.get("response") == proof and parts.get("username") == user

    def _description(self) -> str:
        codec = self.pieces[0].codec if self.pieces else "h264"
        return "\r\n".join([
            "v=0", "o=- 1 1 IN IP4 192.0.2.9", "s=replay", "t=0 0", "a=control:*",
            f"m=video 0 RTP/AVP {_TYPE}", f"a=rtpmap:{_TYPE} {_NAMES[codec]}/90000",
            *([f"a=fmtp:{_TYPE} packetization-mode=1"] if codec == "h264" else []),
            "a=control:track1", "m=audio 0 RTP/AVP 8", "a=control:track2", "",
        ])  # fmt: skip

    def packets(self) -> Iterator[bytes]:
        """What it sends after the last PLAY."""
        start, end = self.asked[-1]
        number = 0
        lost, self.loses = self.loses, set() if self.loses_once else self.loses
        for piece in self.pieces:
            if piece.end < start or piece.start >= end:
                continue
            keys = [at for at, one in enumerate(piece.pictures) if one.is_key and piece.at(one) <= start]
            follows_hole = number > 0
            begins = keys[-1] if keys else 0
            for place, picture in enumerate(piece.pictures[begins:], begins):
                if piece.at(picture) > end + SECOND:
                    break
                packets = list(self._of_picture(piece, picture, number, follows_hole))
                number += len(packets)
                yield from packets[:-1] if place in lost else packets
                follows_hole = False

    def _of_picture(
        self, piece: KeptPiece, picture: Picture, number: int, follows_hole: bool
    ) -> Iterator[bytes]:
        at = piece.at(picture)
        ticks = at * 9 // 100 % (1 << 32)
        payloads = [part for unit in picture.units for part in _payloads(piece.codec, unit)]
        for place, payload in enumerate(payloads):
            is_marked = place == 0 and not self.has_no_marks
            head = struct.pack(
                "!BBHII", 0x90 if is_marked else 0x80, _TYPE | (0x80 if place == len(payloads) - 1 else 0),
                (number + place) & 0xFFFF, ticks, 7,
            )  # fmt: skip
            if is_marked:
                seconds, rest = divmod(at, SECOND)
                flags = (0x80 if picture.is_key else 0) | (0x20 if follows_hole else 0)
                head += struct.pack(
                    "!HHIIBBH", 0xABAC, 3, seconds + _NTP, (rest << 32) // SECOND, flags, 0, 0
                )
            yield head + payload


@contextmanager
def card_reader(card: Card) -> Iterator[Card]:
    """The card's replay server on a port of 127.0.0.1 while the block runs."""

    class _Talk(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                while (line := self.rfile.readline().decode().strip()) or line is None:
                    method, url, _ = line.split(" ")
                    self._one(method, url)
            except (OSError, ValueError):
                return

        def _one(self, method: str, url: str) -> None:
            fields = {}
            while line := self.rfile.readline().decode().strip():
                name, _, value = line.partition(":")
                fields[name.lower()] = value.strip()
            status, told, body = card.reply(method, url, fields)
            head = [f"RTSP/1.0 {status} X", f"CSeq: {fields['cseq']}", *told, f"Content-Length: {len(body)}"]
            self.wfile.write("\r\n".join([*head, "", body]).encode())
            if method == "PLAY" and status == 200:
                self._send()

        def _send(self) -> None:
            for count, packet in enumerate(card.packets()):
                if count == card.gone_after:
                    raise ConnectionResetError
                if count == card.silent_after:
                    card.hung_up.wait()
                    return
                self.wfile.write(b"$\0" + struct.pack("!H", len(packet)) + packet)
                card.sent += 1
            self.wfile.write(b"$\1\0\x08" + struct.pack("!BBHI", 0x81, 203, 1, 7))

    class _Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True
        block_on_close = False

    with _Server(("127.0.0.1", 0), _Talk) as server:
        card.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield card
        finally:
            card.hung_up.set()
            server.shutdown()
            thread.join()


def asked_range(text: str) -> tuple[int, int]:
    """The times in a ``Range`` of absolute times (µs). Raises ValueError."""
    match = _RANGE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    start, end = (
        from_datetime(
            datetime.strptime(one if "." in one else f"{one}.0", "%Y%m%dT%H%M%S.%f").replace(tzinfo=UTC)
        )
        for one in match.groups()
    )
    return start, end


def _units(data: bytes) -> Iterator[bytes]:
    places = [match.end() for match in _START.finditer(data)]
    for begin, following in zip(places, [*places[1:], len(data) + 3], strict=True):
        yield data[begin : following - 3].rstrip(b"\0")


def _is_key(codec: str, unit: bytes) -> bool:
    """An IDR, or the parameter sets that these cameras send before every picture a decoder can begin with."""
    return unit[0] & 31 in (5, 7) if codec == "h264" else 16 <= (unit[0] >> 1 & 63) <= 21


def _payloads(codec: str, unit: bytes) -> Iterator[bytes]:
    """A NAL unit in one packet, or in fragments (RFC 6184, RFC 7798)."""
    if len(unit) <= _LARGEST:
        yield unit
        return
    length = 1 if codec == "h264" else 2
    body, kind = unit[length:], unit[0] & 31 if codec == "h264" else unit[0] >> 1 & 63
    head = bytes([unit[0] & 0xE0 | 28]) if codec == "h264" else bytes([unit[0] & 0x81 | 49 << 1, unit[1]])
    for at in range(0, len(body), _LARGEST):
        part = body[at : at + _LARGEST]
        flags = (0x80 if at == 0 else 0) | (0x40 if at + _LARGEST >= len(body) else 0)
        yield head + bytes([flags | kind]) + part


def card_with(*pieces: KeptPiece, **given: Any) -> Card:
    """A card with these pieces."""
    return Card(list(pieces), **given)
