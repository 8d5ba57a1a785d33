"""Cameras as devices: what they are, which streams they offer, what their clocks say, whom they let in.

The port of ours; :mod:`recorder.onvif` speaks ONVIF behind it. A device is somebody else's computer: its
answers are bounded in time and size, its texts are cut and made printable, and an address that it names is
shown and never followed to another host.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from archive.canonical import JsonObject
from archive.errors import Malformed, Refused, Unavailable
from archive.model.segment import DeviceClock
from archive.timespan import format_instant

RECORDED = ("H264", "H265")
"""The codecs of streams that are recorded as they are, as devices name them."""
JPEG = "JPEG"
"""The codec of streams that the recorder encodes: it is chosen only where no other is offered."""


@dataclass(frozen=True, slots=True)
class Login:
    """An account on a device."""

    user: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceFacts:
    """What a device says that it is; "" for what it leaves out."""

    maker: str = ""
    model: str = ""
    firmware: str = ""
    serial: str = ""

    def to_json(self) -> JsonObject:
        """As ``saksi camera add --json`` prints it."""
        return {"maker": self.maker, "model": self.model, "firmware": self.firmware, "serial": self.serial}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedStream:
    """One media profile of a device, and where its stream is.

    ``url`` is as the device gives it, and may hold secrets; show it with
    :func:`archive.model.camera.shown_source`. ``view`` names the picture source: streams with the same show
    the same scene. Sizes are 0 where the device does not say.
    """

    profile: str
    name: str
    url: str = field(repr=False)
    codec: str
    width: int
    height: int
    fps: int
    view: str = ""

    @property
    def pixels(self) -> int:
        """The size of its picture."""
        return self.width * self.height

    @property
    def is_recordable(self) -> bool:
        """Whether it is recorded as it is."""
        return self.codec in RECORDED


def clock_json(clock: DeviceClock) -> JsonObject:
    """A device's clock as ``saksi camera add --json`` prints it."""
    return {
        "asked_at": format_instant(clock.at),
        "offset_ms": round(clock.offset_us / 1000, 3),
        "uncertainty_ms": round(clock.within_us / 1000, 3),
    }


class Alarm(StrEnum):
    """What a device may say is wrong with its picture."""

    TAMPER = "tamper"
    """It was turned, covered or put out of focus."""
    VIDEO_LOST = "video_lost"
    """It gets no picture from its sensor or input."""


@dataclass(frozen=True, slots=True)
class AlarmChange:
    """An alarm of a device began, or is over."""

    alarm: Alarm
    is_on: bool


@dataclass(frozen=True, slots=True)
class DeviceNews:
    """What a device queued since it was asked last; ``queue`` is where it queues from now on.

    If ``is_new``, the queue was made now and begins with the present state of every alarm.
    """

    queue: str
    is_new: bool
    changes: Sequence[AlarmChange]


@dataclass(frozen=True, slots=True)
class DeviceReport:
    """One look at a device."""

    facts: DeviceFacts
    streams: Sequence[OfferedStream]
    clock: DeviceClock

    def main(self, profile: str = "") -> OfferedStream:
        """The stream to record: the named profile or, of the first scene, the one with the most pixels.

        A stream of JPEG pictures only if none in H.264 or H.265 is offered.

        Raises:
            Malformed: ``profile_unknown``; ``no_stream``: it offers none in H.264, H.265 or JPEG.
        """
        if profile:
            for one in self.streams:
                if one.profile == profile:
                    return one
            names = ", ".join(one.profile for one in self.streams)
            raise Malformed(
                f"the camera has no profile {profile[:50]!r}",
                code="profile_unknown",
                hint=f"It has: {names}.",
            )
        fit = [one for one in self.streams if one.is_recordable]
        fit = fit or [one for one in self.streams if one.codec == JPEG]
        if not fit:
            offered = ", ".join(sorted({one.codec for one in self.streams})) or "nothing"
            raise Malformed(
                f"the camera offers no stream in H.264, H.265 or JPEG, but {offered}",
                code="no_stream",
                hint="Set one of its streams to H.264 or H.265, on its own page.",
            )
        return max((one for one in fit if one.view == fit[0].view), key=lambda one: one.pixels)

    def sub(self, main: OfferedStream) -> OfferedStream | None:
        """The smallest other stream of the same scene; None if there is none that is smaller."""
        smaller = [
            one
            for one in self.streams
            if one.is_recordable and one.view == main.view and one.pixels < main.pixels
        ]
        return min(smaller, key=lambda one: one.pixels, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundDevice:
    """A device that answered a search: where it says that it is, and from which address it answered."""

    address: str
    answered_from: str
    maker: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecording:
    """A recording that a device keeps itself: a camera has one, a network video recorder one for each input.

    ``source`` and ``address`` are what it says of the input. ``earliest`` and ``latest`` are by the device's
    own clock (µs); None where it does not say. ``is_unclear``: it says them in a way that cannot be read,
    such as without a zone.
    """

    token: str
    name: str = ""
    source: str = ""
    address: str = ""
    earliest: int | None = None
    latest: int | None = None
    is_unclear: bool = False


class Devices(Protocol):
    """Speaks to cameras as devices.

    ``address`` is as :func:`archive.model.camera_details.device_address` writes it. Every call ends within
    its patience. Raises, besides what is said there:

    - Unavailable ``device_no_answer``; ``camera_without_address``.
    - Refused ``source_refused``: no camera may be there; ``device_login_refused``; ``device_certificate``.
    - Malformed ``device_not_onvif``; ``device_answer_refused``: too long, too strange, or with a DTD.
    """

    async def look(self, address: str, login: Login) -> DeviceReport:
        """What it is, its streams, and its clock."""
        ...

    async def clock(self, address: str, login: Login | None) -> DeviceClock:
        """Its clock. Without being signed in; the login is used only if it wants one."""
        ...

    async def news(self, address: str, login: Login, queue: str) -> DeviceNews:
        """Its alarms since it was asked last, from its ``queue``; a new one for "" or a dropped one."""
        ...

    async def check(self, address: str, login: Login) -> None:
        """Whether it lets this account in."""
        ...

    async def replace_password(self, address: str, login: Login, user: str, password: str) -> None:
        """Give one of its accounts another password, as the account ``login``; its level stays.

        Raises:
            Refused: ``device_account_unknown``: it has no such account.
        """
        ...

    async def search(self, interfaces: Sequence[str], seconds: float) -> Sequence[FoundDevice]:
        """The devices that answer on these interfaces (their addresses; none: all) within ``seconds``."""
        ...

    async def recordings(self, address: str, login: Login) -> Sequence[KeptRecording]:
        """What it keeps itself."""
        ...

    async def replay_url(self, address: str, login: Login, recording: str) -> str:
        """Where one of its recordings is replayed, on the host that was asked; without an account."""
        ...


def no_answer(host: str) -> Unavailable:
    """The error for a device that does not answer, or not in time."""
    return Unavailable(
        f"the camera at {host} does not answer to ONVIF in time",
        code="device_no_answer",
        hint="Check the address and port, and that ONVIF is switched on; many cameras have it off.",
    )


def login_refused(host: str) -> Refused:
    """The error for an account that a device does not let in."""
    return Refused(
        f"the camera at {host} refuses the user name or the password",
        code="device_login_refused",
        hint="Check both; many cameras have ONVIF accounts of their own, and lock one after wrong passwords.",
    )


def not_onvif(host: str) -> Malformed:
    """The error for a device that speaks, but not ONVIF."""
    return Malformed(
        f"what answers at {host} does not speak ONVIF",
        code="device_not_onvif",
        hint="Check the address, the port and the path, such as http://10.20.0.11:8000/onvif/device_service.",
    )


def answer_refused(host: str, why: str) -> Malformed:
    """The error for an answer that is not taken."""
    return Malformed(
        f"the answer of the camera at {host} is not taken: {why}",
        code="device_answer_refused",
        hint="Restart the camera or update its firmware. If it goes on, take it off the network.",
    )


def certificate_refused(host: str) -> Refused:
    """The error for a device whose certificate cannot be verified."""
    return Refused(
        f"the certificate of the camera at {host} is not trusted",
        code="device_certificate",
        hint="Add the camera's own certificate (PEM) to the file of the setting camera_certificates_file.",
    )
