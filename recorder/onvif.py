"""ONVIF, by onveef: the only module that imports it.

The library gets an HTTP transport of ours. It connects to the one address that the source rule admitted,
takes no proxy and follows no redirect, and reads a body only up to a bound, uncompressed and without a DTD.
Services are asked for at the host that was named, whatever host the device names for them. Nothing proves who
we are with a password in the clear: WS-UsernameToken and HTTP both by digest.
"""

import asyncio
import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
from onveef import AsyncOnvifClient, OnvifCredentials, OnvifEndpoint, exceptions
from onveef.envelopes import device_set_user
from onveef.parsers import find_local, parse_xml
from onveef.urls import rewrite_service_map
from onveef.wsdiscovery import build_probe, local_ipv4_addresses, parse_probe_matches

from archive.clock import Clock
from archive.errors import Malformed, Refused
from archive.footage.sources import SourceRule
from archive.model.camera_details import device_address
from archive.timespan import SECOND
from recorder.devices import (
    DeviceClock,
    DeviceFacts,
    DeviceReport,
    FoundDevice,
    Login,
    OfferedStream,
    answer_refused,
    certificate_refused,
    login_refused,
    no_answer,
    not_onvif,
)
from recorder.reach import reach
from recorder.sources import parse_source

LARGEST_ANSWER = 1 << 20
"""Bytes: the profiles of a recorder with 64 inputs take a fifth."""
MOST_STREAMS = 64
MOST_FOUND = 4096
_LONGEST_TEXT = 100
_PROBES = 3
_GROUP = ("239.255.255.250", 3702)


class _Guard(httpx.AsyncBaseTransport):
    """Connects to one address under one name, and reads bounded, plain bodies without a DTD."""

    def __init__(self, host: str, address: str, verify: ssl.SSLContext | bool) -> None:
        self._host, self._address = host, address
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Malformed ``device_answer_refused``; httpx's own errors."""
        if request.url.host != self._host:
            raise answer_refused(self._host, "it leads to another host")
        request.url = request.url.copy_with(host=self._address)
        request.headers["Accept-Encoding"] = "identity"
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        response = await self._inner.handle_async_request(request)
        try:
            body = await self._body(response)
        finally:
            await response.aclose()
        # Some devices say "forbidden" of an account that they do not know.
        status = (
            httpx.codes.UNAUTHORIZED
            if response.status_code == httpx.codes.FORBIDDEN
            else response.status_code
        )
        return httpx.Response(status, headers=response.headers, content=body)

    async def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise answer_refused(self._host, "it is compressed, and nobody asked for that")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise answer_refused(self._host, f"it is longer than {LARGEST_ANSWER >> 10} KiB")
        if _has_dtd(body):
            raise answer_refused(self._host, "it has a DTD, which SOAP forbids")
        return bytes(body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class OnvifDevices:
    """Devices by ONVIF; the contract is :class:`recorder.devices.Devices`.

    ``rule`` says where cameras may be. ``certificates`` is a file in PEM with the certificates of devices
    that are trusted, whatever name they have; without it the system's authorities count, and the name.
    ``patience`` is the longest time of one call, in seconds; ``group`` where a search is sent to.
    """

    rule: SourceRule
    clock_of_host: Clock
    certificates: Path | None = None
    patience: float = 15.0
    group: tuple[str, int] = field(default=_GROUP)

    async def look(self, address: str, login: Login) -> DeviceReport:
        """As the port says."""
        clock = await self.clock(address, login)
        async with self._client(address, login) as client:
            facts = _facts(await client.get_device_information(), _host(address))
            await _find_services(client, _host(address))
            streams = [one async for one in _streams(client)]
        return DeviceReport(facts, streams, clock)

    async def clock(self, address: str, login: Login | None) -> DeviceClock:
        """As the port says."""
        try:
            return await self._clock(address, None)
        except Refused as error:
            if login is None or error.code != "device_login_refused":
                raise
        return await self._clock(address, login)

    async def check(self, address: str, login: Login) -> None:
        """As the port says."""
        async with self._client(address, login) as client:
            _facts(await client.get_device_information(), _host(address))

    async def replace_password(self, address: str, login: Login, user: str, password: str) -> None:
        """As the port says."""
        host = _host(address)
        async with self._client(address, login) as client:
            levels = {one["username"]: one["user_level"] for one in await client.get_users()}
            if user not in levels:
                raise Refused(
                    f"the camera at {host} has no account {user[:50]!r}",
                    code="device_account_unknown",
                    hint="Make the account on the camera, or register the camera with one that it has.",
                )
            answer = await client.call(
                service="device",
                operation="SetUser",
                body_inner=device_set_user(username=user, password=password, user_level=levels[user]),
            )
            root = parse_xml(answer)
            if root is None or find_local(root, "SetUserResponse") is None:
                raise not_onvif(host)

    async def search(self, interfaces: Sequence[str], seconds: float) -> Sequence[FoundDevice]:
        """As the port says."""
        found: dict[tuple[str, str], FoundDevice] = {}
        asked = list(interfaces) or local_ipv4_addresses() or ["0.0.0.0"]  # noqa: S104 - whichever the kernel takes
        await asyncio.gather(*(self._probe(one, seconds, found) for one in asked))
        return sorted(found.values(), key=lambda one: (one.answered_from, one.address))

    async def _clock(self, address: str, login: Login | None) -> DeviceClock:
        """The better of two answers: the first one waits for the connection too."""
        async with self._client(address, login) as client:
            asked = [await self._ask_time(client, _host(address)) for _ in range(2)]
        return min(asked, key=lambda one: one.within_us)

    async def _ask_time(self, client: AsyncOnvifClient, host: str) -> DeviceClock:
        began, before = self.clock_of_host.now(), self.clock_of_host.monotonic()
        answer = await client.get_system_date_time()
        trip = max(0, self.clock_of_host.monotonic() - before)
        shown = _utc(answer, host)
        middle = began + trip // 2
        half = SECOND // 2
        return DeviceClock(at=middle, offset_us=shown + half - middle, within_us=half + -(-trip // 2))

    @asynccontextmanager
    async def _client(self, address: str, login: Login | None) -> AsyncIterator[AsyncOnvifClient]:
        """A client for one device; errors of the library come out as those of the port."""
        source = parse_source(address)
        host = source.host
        with self._translated(host):
            async with asyncio.timeout(self.patience):
                pinned = await reach(source, self.rule, timeout=self.patience)
                guard = _Guard(host, pinned.host, self._verify() if source.uses_tls else False)
                async with httpx.AsyncClient(transport=guard, trust_env=False, timeout=self.patience) as http:
                    yield AsyncOnvifClient(
                        endpoint=OnvifEndpoint(address),
                        credentials=OnvifCredentials()
                        if login is None
                        else OnvifCredentials(login.user, login.password),
                        rewrite_host=False,
                        http_auth="digest",
                        retries=0,
                        timeout_s=self.patience,
                        http_client=http,
                    )

    def _verify(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.certificates is not None:
            try:
                context = ssl.create_default_context(cafile=str(self.certificates))
            except (OSError, ssl.SSLError) as error:
                raise Malformed(
                    f"{self.certificates.name} cannot be read as certificates in PEM",
                    code="unreadable_input",
                    hint="Check the setting camera_certificates_file.",
                ) from error
            # The file has the cameras' own certificates, whose names are rarely their addresses.
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        return context

    @contextmanager
    def _translated(self, host: str) -> Iterator[None]:
        try:
            yield
        except TimeoutError as error:
            raise no_answer(host) from error
        except exceptions.OnvifAuthError as error:
            raise login_refused(host) from error
        except exceptions.OnvifTransportError as error:
            causes = list(_causes(error))
            if any(isinstance(one, ssl.SSLCertVerificationError) for one in causes):
                raise certificate_refused(host) from None
            if any(isinstance(one, ssl.SSLError | httpx.ProtocolError) for one in causes):
                raise not_onvif(host) from None
            if any(isinstance(one, httpx.TransportError) for one in causes):
                raise no_answer(host) from None
            raise not_onvif(host) from None
        except exceptions.OnvifServiceUnavailableError as error:
            raise no_answer(host) from error
        except exceptions.OnvifError as error:
            raise answer_refused(host, _text(str(error))) from error
        except (httpx.InvalidURL, ValueError, RecursionError) as error:  # of what the device wrote
            raise answer_refused(host, "it cannot be read") from error

    async def _probe(self, interface: str, seconds: float, found: dict[tuple[str, str], FoundDevice]) -> None:
        """Ask on one interface, several times because datagrams get lost, and note who answers."""
        try:
            sock = _multicast_socket(interface)
        except OSError as error:
            raise Malformed(
                f"{interface} is no address of this host: {error.strerror}",
                code="bad_interface",
                hint="Give an IPv4 address of this host, as ip address lists them.",
            ) from error
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Answers(found), sock=sock)
        try:
            for _ in range(_PROBES):
                probe = build_probe(message_id=f"urn:uuid:{uuid.uuid4()}")
                transport.sendto(probe.encode(), self.group)
                await asyncio.sleep(seconds / _PROBES)
        finally:
            transport.close()


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, found: dict[tuple[str, str], FoundDevice]) -> None:
        self._found = found

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        if len(self._found) >= MOST_FOUND or _has_dtd(data):
            return
        sender = str(addr[0])
        for match in parse_probe_matches(data.decode("utf-8", "replace"))[:MOST_STREAMS]:
            scopes = {_scope(one) for one in match.scopes}
            device = FoundDevice(
                address=_named_address(match.xaddrs, sender),
                answered_from=sender,
                maker=_of_scopes(scopes, "manufacturer") or _of_scopes(scopes, "name"),
                model=_of_scopes(scopes, "hardware"),
            )
            self._found[sender, device.address] = device


def _multicast_socket(interface: str) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
        sock.bind((interface, 0))
    except OSError:
        sock.close()
        raise
    return sock


def _named_address(xaddrs: Sequence[str], sender: str) -> str:
    """Where it says that it is; preferred is the address from which it answered."""
    readable = []
    for one in [url for url in xaddrs[:16] if "://" in url]:
        try:
            readable.append(device_address(one))
        except Malformed:
            continue
    own = [one for one in readable if urlsplit(one).hostname == sender]
    return (own or readable or [device_address(sender)])[0]


def _scope(text: str) -> tuple[str, str]:
    """``("hardware", "DS-2CD")`` of ``onvif://www.onvif.org/hardware/DS-2CD``."""
    _, _, path = text.partition("onvif://www.onvif.org/")
    kind, _, value = path.partition("/")
    return kind.lower(), _text(unquote(value))


def _of_scopes(scopes: set[tuple[str, str]], kind: str) -> str:
    return min((value for name, value in scopes if name == kind), default="")


async def _find_services(client: AsyncOnvifClient, host: str) -> None:
    """Learn where the device's services are; all of them are asked for at the host that was named."""
    services = {}
    try:
        services = await client.get_services()
    except (exceptions.OnvifFaultError, exceptions.OnvifOperationNotSupportedError):
        pass  # older than GetServices
    services = services or await client.get_capabilities()
    if not {"media", "media2"} & set(services):
        raise not_onvif(host)
    if "media2" in services:
        services.pop("media", None)  # the older service knows nothing of H.265
    address = client.endpoint.device_xaddr
    client.set_endpoint(OnvifEndpoint(address, services=rewrite_service_map(services, address)))


async def _streams(client: AsyncOnvifClient) -> AsyncIterator[OfferedStream]:
    for profile in (await client.get_profiles())[:MOST_STREAMS]:
        encoder, view = profile.get("video_encoder"), profile.get("video_source") or {}
        if not profile["token"] or encoder is None:
            continue
        url = await client.get_stream_uri(profile_token=profile["token"])
        if not _is_camera_s(url):
            continue
        yield OfferedStream(
            profile=_text(profile["token"]),
            name=_text(profile["name"]),
            url=url,
            codec=_text(encoder.get("encoding") or "").upper().replace(".", ""),
            width=_size(encoder.get("width")),
            height=_size(encoder.get("height")),
            fps=_size(encoder.get("fps_limit")),
            view=_text(view.get("source_token") or ""),
        )


def _is_camera_s(url: str) -> bool:
    """Whether a stream's address is one that a camera can have: no file, no pattern, nothing unreadable."""
    try:
        return parse_source(url).is_live
    except Malformed:
        return False


def _facts(told: dict[str, str], host: str) -> DeviceFacts:
    if not told:
        raise not_onvif(host)
    return DeviceFacts(
        maker=_text(told.get("Manufacturer", "")),
        model=_text(told.get("Model", "")),
        firmware=_text(told.get("FirmwareVersion", "")),
        serial=_text(told.get("SerialNumber", "")),
    )


def _utc(answer: dict[str, Any], host: str) -> int:
    """The instant that the device shows, in µs."""
    if not answer:
        raise not_onvif(host)
    told = answer.get("UTCDateTime")
    if not isinstance(told, dict):
        raise answer_refused(host, "it does not say the time in UTC")
    try:
        shown = datetime(**told, tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise answer_refused(host, "there is no such date") from error
    return round(shown.timestamp()) * SECOND


def _has_dtd(body: bytes | bytearray) -> bool:
    """Whether it has a document type; also in UTF-16, whose letters have a zero beside them."""
    return b"<!doctype" in bytes(body).replace(b"\0", b"").lower()


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__


def _host(address: str) -> str:
    return parse_source(address).host


def _size(value: object) -> int:
    return value if isinstance(value, int) and 0 < value < 100_000 else 0


def _text(text: str) -> str:
    """A text of a device: short, and printable."""
    return "".join(one if one.isprintable() else "?" for one in text[:_LONGEST_TEXT])
