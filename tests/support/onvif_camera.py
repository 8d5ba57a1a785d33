"""A camera that speaks ONVIF, as far as Saksi asks: SOAP 1.2 over HTTP(S), and WS-Discovery over UDP.

It verifies WS-UsernameToken digests as cameras do: the nonce may come once, and the time must be near its own
clock, which a test sets. It says what a real one would say, in envelopes written after those of the ONVIF
specifications. What no test with it proves: how the firmware of any maker behaves.
"""

import base64
import hashlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from xml.etree import ElementTree
from xml.sax.saxutils import escape

Answers = dict[str, Callable[[ElementTree.Element], str]]


class CameraMemory(Protocol):
    """What the camera keeps itself; :mod:`tests.support.camera_memory` has one."""

    def answers(self) -> Answers:
        """Its answers to recording search and replay, by request."""
        ...


GROUP = "239.255.255.250"
_FRESH_S = 300
_SOAP = "http://www.w3.org/2003/05/soap-envelope"
_ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    f'<env:Envelope xmlns:env="{_SOAP}" xmlns:tds="http://www.onvif.org/ver10/device/wsdl"'
    ' xmlns:tr2="http://www.onvif.org/ver20/media/wsdl" xmlns:trt="http://www.onvif.org/ver10/media/wsdl"'
    ' xmlns:tev="http://www.onvif.org/ver10/events/wsdl" xmlns:wsa="http://www.w3.org/2005/08/addressing"'
    ""
    ' xmlns:tse="http://www.onvif.org/ver10/search/wsdl" xmlns:trp="http://www.onvif.org/ver10/replay/wsdl"'
    ' xmlns:wsnt="http://docs.oasis-open.org/wsn/b-2" xmlns:tt="http://www.onvif.org/ver10/schema" xmlns:ter="http://www.onvif.org/ver10/error">'
    "<env:Body>{}</env:Body></env:Envelope>"
)
_FAULT = (
    "<env:Fault><env:Code><env:Value>env:Sender</env:Value><env:Subcode><env:Value>{code}</env:Value>"
    '</env:Subcode></env:Code><env:Reason><env:Text xml:lang="en">{text}</env:Text></env:Reason></env:Fault>'
)
_BOMB = (
    '<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a0 "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><b>&a9;</b>"
)


@dataclass(frozen=True, slots=True)
class OfferedProfile:
    """One media profile of the camera."""

    token: str
    encoding: str
    width: int
    height: int
    fps: int = 15
    path: str = "/main"
    """Or a whole address, if it does not begin with a slash."""
    source: str = "VideoSource_1"


@dataclass(slots=True)
class OnvifCamera:
    """What the camera is, whom it lets in, and how it misbehaves; a test may change all of it.

    ``ahead`` is how many seconds its clock is ahead. ``stream`` is the authority of its stream addresses.
    ``odd`` is one of ``""``, ``html``, ``huge``, ``dtd``, ``utf16_dtd``, ``slow``, ``silent``,
    ``redirect``, ``gzip``, ``no_date``. ``wants_digest``: it answers wrong passwords with HTTP 401, else with
    a SOAP fault. ``keeps_password``: it says yes to a new password, and goes on with the old one. ``alarms``:
    topics with the name and value of their state; :meth:`alarm` changes one, and ``queued`` has what each
    subscriber does not know yet. ``memory`` is what it keeps itself; ``clock`` says the time (Unix seconds)
    that ``ahead`` is ahead of. ``wrong_tokens`` counts what a camera takes for wrong passwords.
    """

    port: int = 0
    scheme: str = "http"
    maker: str = "Kaca"
    model: str = "K-4"
    accounts: dict[str, tuple[str, str]] = field(
        default_factory=lambda: {"admin": ("rahasia-1", "Administrator"), "viewer": ("lihat-1", "User")}
    )
    profiles: list[OfferedProfile] = field(
        default_factory=lambda: [
            OfferedProfile("sub", "H264", 640, 360, path="/sub"),
            OfferedProfile("main", "H265", 1920, 1080, fps=25, path="/main?channel=1"),
            OfferedProfile("jpeg", "JPEG", 3840, 2160, path="/jpeg"),
        ]
    )
    ahead: float = 0.0
    clock: Callable[[], float] = time.time
    stream: str = ""
    services_at: str = ""
    odd: str = ""
    has_no_events: bool = False
    guards_time: bool = False
    wants_digest: bool = False
    keeps_password: bool = False
    alarms: dict[str, tuple[str, str]] = field(default_factory=dict)
    wrong_tokens: int = 0
    memory: "CameraMemory | None" = None
    queued: dict[str, list[tuple[str, str, str]]] = field(default_factory=dict)
    nonces: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    hung_up: threading.Event = field(default_factory=threading.Event)

    @property
    def address(self) -> str:
        """Where its device service is."""
        return f"{self.scheme}://127.0.0.1:{self.port}/onvif/device_service"

    def alarm(self, topic: str, name: str, value: str) -> None:
        """An alarm begins or ends."""
        self.alarms[topic] = (name, value)
        for queue in self.queued.values():
            queue.append((topic, name, value))

    def answer(self, body: str, path: str = "") -> tuple[int, str]:
        """The HTTP status and the envelope for a request."""
        self.bodies.append(body)
        root = ElementTree.fromstring(body)  # noqa: S314 - our own client wrote it
        (request,) = root.find(f"{{{_SOAP}}}Body")  # type: ignore[misc]
        name = request.tag.partition("}")[2]
        self.asked.append(name)
        is_open = name == "GetSystemDateAndTime" and not self.guards_time
        level = self._level(root)
        self.wrong_tokens += level is None and "UsernameToken" in body
        if level is None and not is_open:
            return self._fault(
                401 if self.wants_digest else 400, "ter:NotAuthorized", "Sender not Authorized"
            )
        if name in ("GetUsers", "SetUser") and level != "Administrator":
            return self._fault(400, "ter:NotAuthorized", "Sender not Authorized")
        answers: dict[str, Callable[[ElementTree.Element], str]] = {
            "GetSystemDateAndTime": self._date,
            "GetDeviceInformation": self._information,
            "GetServices": self._services,
            "GetProfiles": self._profiles,
            "GetStreamUri": self._stream_uri,
            "GetUsers": self._users,
            "SetUser": self._set_user,
            "CreatePullPointSubscription": self._subscribe,
            "PullMessages": lambda _: self._pull(path),
            "Renew": lambda _: "<wsnt:RenewResponse/>",
            **({} if self.memory is None else self.memory.answers()),
        }
        if name in ("PullMessages", "Renew") and path not in self.queued:
            return self._fault(400, "ter:InvalidArgVal", "Unknown subscription")
        if name not in answers:
            return self._fault(400, "ter:ActionNotSupported", "Optional Action Not Implemented")
        return 200, _ENVELOPE.format(answers[name](request))

    def _level(self, root: ElementTree.Element) -> str | None:
        """The level of the account that the token proves; None if it proves none."""
        header = root.find(f"{{{_SOAP}}}Header")
        parts = {
            one.tag.partition("}")[2]: one.text or "" for one in ([] if header is None else header.iter())
        }
        user, nonce, created = (parts.get(one, "") for one in ("Username", "Nonce", "Created"))
        password, level = self.accounts.get(user, ("", ""))
        raw = base64.b64decode(nonce) + created.encode() + password.encode()
        proof = base64.b64encode(hashlib.sha1(raw, usedforsecurity=False).digest()).decode()
        if not level or nonce in self.nonces or parts.get("Password") != proof:
            return None
        self.nonces.add(nonce)
        made = datetime.strptime(created, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC).timestamp()
        return level if abs(made - time.time() - self.ahead) <= _FRESH_S else None

    def _now(self) -> float:
        return self.clock() + self.ahead

    def _fault(self, status: int, code: str, text: str) -> tuple[int, str]:
        return status, _ENVELOPE.format(_FAULT.format(code=code, text=text))

    def _date(self, _request: ElementTree.Element) -> str:
        at = datetime.fromtimestamp(int(self._now()), UTC)
        month = 13 if self.odd == "no_date" else at.month
        return (
            "<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType>"
            "<tt:DaylightSavings>false</tt:DaylightSavings><tt:TimeZone><tt:TZ>WITA-8</tt:TZ></tt:TimeZone>"
            f"<tt:UTCDateTime><tt:Time><tt:Hour>{at.hour}</tt:Hour><tt:Minute>{at.minute}</tt:Minute>"
            f"<tt:Second>{at.second}</tt:Second></tt:Time><tt:Date><tt:Year>{at.year}</tt:Year>"
            f"<tt:Month>{month}</tt:Month><tt:Day>{at.day}</tt:Day></tt:Date></tt:UTCDateTime>"
            "</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>"
        )

    def _information(self, _request: ElementTree.Element) -> str:
        return (
            f"<tds:GetDeviceInformationResponse><tds:Manufacturer>{escape(self.maker)}</tds:Manufacturer>"
            f"<tds:Model>{escape(self.model)}</tds:Model><tds:FirmwareVersion>5.7</tds:FirmwareVersion>"
            "<tds:SerialNumber>K4-0001</tds:SerialNumber><tds:HardwareId>1</tds:HardwareId>"
            "</tds:GetDeviceInformationResponse>"
        )

    def _services(self, _request: ElementTree.Element) -> str:
        base = self.services_at or f"{self.scheme}://127.0.0.1:{self.port}"
        named = {
            "ver10/device": "device_service",
            "ver10/media": "media",
            "ver20/media": "media2",
            **({} if self.has_no_events else {"ver10/events": "events"}),
            **({} if self.memory is None else {"ver10/search": "search", "ver10/replay": "replay"}),
        }
        return "<tds:GetServicesResponse>{}</tds:GetServicesResponse>".format(
            "".join(
                f"<tds:Service><tds:Namespace>http://www.onvif.org/{name}/wsdl</tds:Namespace>"
                f"<tds:XAddr>{base}/onvif/{path}</tds:XAddr>"
                "<tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>"
                for name, path in named.items()
            )
        )

    def _profiles(self, _request: ElementTree.Element) -> str:
        return "<tr2:GetProfilesResponse>{}</tr2:GetProfilesResponse>".format(
            "".join(
                f'<tr2:Profiles token="{one.token}" fixed="true"><tr2:Name>{one.token}</tr2:Name>'
                f'<tr2:Configurations><tr2:VideoSource token="vs"><tt:Name>vs</tt:Name>'
                f"<tt:SourceToken>{one.source}</tt:SourceToken></tr2:VideoSource>"
                f'<tr2:VideoEncoder token="ve" GovLength="30" Profile="Main"><tt:Name>ve</tt:Name>'
                f"<tt:Encoding>{one.encoding}</tt:Encoding><tt:Resolution><tt:Width>{one.width}</tt:Width>"
                f"<tt:Height>{one.height}</tt:Height></tt:Resolution>"
                f'<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>{one.fps}</tt:FrameRateLimit>'
                "<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl><tt:Quality>4</tt:Quality>"
                "</tr2:VideoEncoder></tr2:Configurations></tr2:Profiles>"
                for one in self.profiles
            )
        )

    def _stream_uri(self, request: ElementTree.Element) -> str:
        tokens = [one.text for one in request.iter() if one.tag.endswith("}ProfileToken")]
        (profile,) = (one for one in self.profiles if one.token in tokens)
        uri = profile.path
        if uri.startswith("/"):
            uri = f"rtsp://{self.stream or '127.0.0.1:554'}{uri}"
        return f"<tr2:GetStreamUriResponse><tr2:Uri>{escape(uri)}</tr2:Uri></tr2:GetStreamUriResponse>"

    def _users(self, _request: ElementTree.Element) -> str:
        return "<tds:GetUsersResponse>{}</tds:GetUsersResponse>".format(
            "".join(
                f"<tds:User><tt:Username>{escape(name)}</tt:Username><tt:UserLevel>{level}</tt:UserLevel></tds:User>"
                for name, (_, level) in self.accounts.items()
            )
        )

    def _subscribe(self, _request: ElementTree.Element) -> str:
        path = f"/onvif/queue/{len(self.asked)}"
        self.queued[path] = [(topic, *state) for topic, state in self.alarms.items()]
        base = self.services_at or f"{self.scheme}://127.0.0.1:{self.port}"
        return (
            "<tev:CreatePullPointSubscriptionResponse><tev:SubscriptionReference>"
            f"<wsa:Address>{base}{path}</wsa:Address></tev:SubscriptionReference>"
            "</tev:CreatePullPointSubscriptionResponse>"
        )

    def _pull(self, path: str) -> str:
        found, self.queued[path] = self.queued[path], []
        return "<tev:PullMessagesResponse>{}</tev:PullMessagesResponse>".format(
            "".join(
                f"<wsnt:NotificationMessage><wsnt:Topic>{topic}</wsnt:Topic><wsnt:Message>"
                '<tt:Message UtcTime="2026-11-29T00:00:00Z" PropertyOperation="Changed"><tt:Data>'
                f'<tt:SimpleItem Name="{name}" Value="{value}"/></tt:Data></tt:Message></wsnt:Message>'
                "</wsnt:NotificationMessage>"
                for topic, name, value in found
            )
        )

    def _set_user(self, request: ElementTree.Element) -> str:
        parts = {one.tag.partition("}")[2]: one.text or "" for one in request.iter()}
        if not self.keeps_password:
            self.accounts[parts["Username"]] = (parts["Password"], parts["UserLevel"])
        return "<tds:SetUserResponse/>"


@contextmanager
def onvif_camera(certificate: tuple[Path, Path] | None = None, **given: Any) -> Iterator[OnvifCamera]:
    """The camera on a port of 127.0.0.1 while the block runs; over TLS with a certificate and its key."""
    camera = OnvifCamera(**given)

    class _Talk(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_parts: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            try:
                self._talk(body)
            except OSError:
                camera.hung_up.set()
                self.close_connection = True

        def _talk(self, body: str) -> None:
            if camera.odd == "silent":
                camera.hung_up.wait()
                return
            if camera.odd == "slow":
                self._head(200, 1_000_000)
                while True:
                    self.wfile.write(b" ")
                    self.wfile.flush()
                    time.sleep(0.02)  # real time: it drips, faster than a read is waited for
            if camera.odd == "huge":
                self._head(200, 1 << 30)
                while True:
                    self.wfile.write(b" " * 65536)
            if camera.odd == "redirect":
                self.send_response(302)
                self.send_header("Location", "http://10.0.0.9/onvif/device_service")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            status, text = (
                self._odd()
                if camera.odd in ("html", "dtd", "utf16_dtd", "gzip")
                else camera.answer(body, self.path)
            )
            data = text.encode("utf-16" if camera.odd == "utf16_dtd" else "utf-8")
            self._head(status, len(data))
            self.wfile.write(data)

        def _odd(self) -> tuple[int, str]:
            return 200, {"html": "<html><h1>It works</h1></html>", "gzip": "\x1f"}.get(camera.odd, _BOMB)

        def _head(self, status: int, length: int) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/soap+xml; charset=utf-8")
            self.send_header("Content-Length", str(length))
            if camera.odd == "gzip":
                self.send_header("Content-Encoding", "gzip")
            if status == 401:
                self.send_header(
                    "WWW-Authenticate", 'Digest realm="kaca", qop="auth", nonce="0123", algorithm=MD5'
                )
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Talk)
    server.daemon_threads = True
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        camera.scheme = "https"
    camera.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield camera
    finally:
        camera.hung_up.set()
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def discovery(answers: list[str]) -> Iterator[int]:
    """A port of the group where each probe on the loopback gets these answers; ``{relates}`` is its id."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("", 0))
    member = struct.pack("4s4s", socket.inet_aton(GROUP), socket.inet_aton("127.0.0.1"))
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)

    def serve() -> None:
        while True:
            data, sender = sock.recvfrom(65535)
            if data == b"end":
                return
            relates = data.decode().partition("MessageID>")[2].partition("<")[0]
            for one in answers:
                sock.sendto(one.replace("{relates}", relates).encode(), sender)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = sock.getsockname()[1]
    try:
        yield port
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ending:
            ending.sendto(b"end", ("127.0.0.1", port))
        thread.join()
        sock.close()


def probe_match(xaddrs: str, *scopes: str, prologue: str = "") -> str:
    """A ProbeMatch as cameras send it."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{prologue}<e:Envelope xmlns:e="{_SOAP}"'
        ' xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
        ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:RelatesTo>{relates}</w:RelatesTo>'
        "</e:Header><e:Body><d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:1"
        "</w:Address></w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>"
        f"<d:Scopes>{' '.join(scopes)}</d:Scopes><d:XAddrs>{xaddrs}</d:XAddrs>"
        "<d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></e:Body></e:Envelope>"
    )
