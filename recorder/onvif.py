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
from onveef.envelopes import device_set_user, events_pull_messages
from onveef.parsers import find_local, parse_pull_messages, parse_xml
from onveef.urls import rewrite_host, rewrite_service_map
from onveef.wsdiscovery import build_probe, local_ipv4_addresses, parse_probe_matches

from archive.clock import Clock
from archive.errors import Malformed, Refused
from archive.footage.sources import SourceRule
from archive.model.camera_details import device_address
from archive.model.segment import DeviceClock
from archive.timespan import SECOND
from recorder.backfill.memory import kept_recordings
from recorder.device_http import Guard, has_dtd, trust
from recorder.devices import (
    Alarm,
    AlarmChange,
    DeviceFacts,
    DeviceNews,
    DeviceReport,
    FoundDevice,
    KeptRecording,
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

MOST_STREAMS = 64
MOST_FOUND = 4096
_LONGEST_TEXT = 100
_PROBES = 3
_QUEUE_LIVES, _WAIT, _MOST_MESSAGES = "PT10M", "PT1S", 100
_ALARMS = {
    "globalscenechange": Alarm.TAMPER,
    "tamper": Alarm.TAMPER,
    "signalloss": Alarm.VIDEO_LOST,
    "videoloss": Alarm.VIDEO_LOST,
}
"""Parts of topics, in lower case: those of the ONVIF specifications, and common older ones."""
_PULL = "http://www.onvif.org/ver10/events/wsdl/PullPointSubscription/PullMessagesRequest"
_GROUP = ("239.255.255.250", 3702)


_UNREADABLE = (httpx.InvalidURL, ValueError, LookupError, TypeError, ArithmeticError, RecursionError)
"""What the library may raise over an odd answer. A recorder must not end over what a device wrote."""


class _Client(AsyncOnvifClient):
    """Signs with the device's time from the first request on.

    The library tries its own time first. To a device whose clock is off, that is a wrong password, and some
    lock the account after a few.
    """

    def sign_at(self, ahead_s: float) -> None:
        """The device's clock minus ours, in seconds."""
        self._clock_offset_s, self._clock_synced = ahead_s, True

    async def pull(self, queue: str) -> Sequence[dict[str, Any]]:
        """The messages in a queue. The library's own way sets a timeout in a form that httpx refuses."""
        answer = await self._post_subscription(
            subscription_url=queue,
            body=events_pull_messages(timeout=_WAIT, message_limit=_MOST_MESSAGES),
            wsa_action=_PULL,
            operation="PullMessages",
        )
        return list(parse_pull_messages(answer)["messages"][:_MOST_MESSAGES])


@dataclass(frozen=True, slots=True, kw_only=True)
class OnvifDevices:
    """Devices by ONVIF; the contract is :class:`recorder.devices.Devices`.

    ``rule`` says where cameras may be. ``certificates`` is a file in PEM with the certificates of devices
    that are trusted, whatever name they have; without it the system's authorities and those in the file
    ``authorities`` count, and the name.
    ``patience`` is the longest time of one call, in seconds; ``group`` where a search is sent to.
    """

    rule: SourceRule
    clock_of_host: Clock
    certificates: Path | None = None
    authorities: Path | None = None
    patience: float = 15.0
    group: tuple[str, int] = field(default=_GROUP)

    async def look(self, address: str, login: Login) -> DeviceReport:
        """As the port says."""
        clock = await self.clock(address, login)
        async with self._client(address, login) as client:
            facts = _facts(await client.get_device_information(), _host(address))
            await _find_services(client, _host(address), {"media", "media2"})
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

    async def news(self, address: str, login: Login, queue: str) -> DeviceNews:
        """As the port says."""
        async with self._client(address, login) as client:
            if queue:
                try:
                    return DeviceNews(queue, False, await _pull(client, queue))
                except exceptions.OnvifError as error:
                    if isinstance(error, exceptions.OnvifAuthError | exceptions.OnvifTransportError):
                        raise
            await _find_services(client, _host(address), {"events"})
            made = await client.events_create_pull_point(termination_time=_QUEUE_LIVES)
            fresh = rewrite_host(str(made.get("subscription_url") or ""), address)
            if not fresh:
                raise answer_refused(_host(address), "it makes no queue for its events")
            return DeviceNews(fresh, True, await _pull(client, fresh))

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

    async def recordings(self, address: str, login: Login) -> Sequence[KeptRecording]:
        """As the port says."""
        async with self._client(address, login) as client:
            await _find_services(client, _host(address), {"search"})
            return [one async for one in kept_recordings(client)]

    async def replay_url(self, address: str, login: Login, recording: str) -> str:
        """As the port says."""
        async with self._client(address, login) as client:
            await _find_services(client, _host(address), {"replay"})
            return rewrite_host(await client.get_replay_uri(recording_token=recording), address)

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
    async def _client(self, address: str, login: Login | None) -> AsyncIterator[_Client]:
        """A client for one device; errors of the library come out as those of the port."""
        source = parse_source(address)
        host = source.host
        with self._translated(host):
            async with asyncio.timeout(self.patience):
                pinned = await reach(source, self.rule, timeout=self.patience)
                guard = Guard(
                    host,
                    pinned.host,
                    trust(self.certificates, self.authorities) if source.uses_tls else False,
                )
                async with httpx.AsyncClient(transport=guard, trust_env=False, timeout=self.patience) as http:
                    client = _Client(
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
                    if login is not None:
                        await self._learn_time(client, http, host)
                    yield client

    async def _learn_time(self, client: _Client, http: httpx.AsyncClient, host: str) -> None:
        """Have a client sign with the device's time; with ours, if the device tells its own to nobody."""
        anonymous = _Client(endpoint=client.endpoint, http_client=http, retries=0, timeout_s=self.patience)
        try:
            shown = _utc(await anonymous.get_system_date_time(), host)
        except exceptions.OnvifAuthError:
            return
        client.sign_at((shown - self.clock_of_host.now()) / SECOND)

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
        except _UNREADABLE as error:
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
        if len(self._found) >= MOST_FOUND or has_dtd(data):
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


async def _find_services(client: AsyncOnvifClient, host: str, wanted: set[str]) -> None:
    """Learn where the device's services are; all of them are asked for at the host that was named."""
    services = {}
    try:
        services = await client.get_services()
    except (exceptions.OnvifFaultError, exceptions.OnvifOperationNotSupportedError):
        pass  # older than GetServices
    services = services or await client.get_capabilities()
    if not services:
        raise not_onvif(host)
    if not wanted & set(services):
        raise answer_refused(host, f"it offers none of {', '.join(sorted(wanted))}")
    if "media2" in services:
        services.pop("media", None)  # the older service knows nothing of H.265
    address = client.endpoint.device_xaddr
    client.set_endpoint(OnvifEndpoint(address, services=rewrite_service_map(services, address)))


async def _pull(client: _Client, queue: str) -> list[AlarmChange]:
    """Take what is queued, and keep the queue for as long again."""
    messages = await client.pull(queue)
    await client.events_renew(subscription_url=queue, termination_time=_QUEUE_LIVES)
    return list(_changes(messages))


def _changes(messages: Sequence[dict[str, Any]]) -> Iterator[AlarmChange]:
    for message in messages:
        topic = message["topic"].lower()
        alarm = next((alarm for part, alarm in _ALARMS.items() if part in topic), None)
        values = {value.lower() for value in message["data"].values()}
        if alarm is not None and values & {"true", "false", "0", "1"}:
            is_over = message["property_operation"] == "Deleted"
            yield AlarmChange(alarm, not is_over and bool(values & {"true", "1"}))


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
