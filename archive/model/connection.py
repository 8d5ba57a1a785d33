"""How a recorder connects to one camera: what its source says after ``#``.

``rtsp://10.20.0.11/1#transport=udp&timeout=10`` is read over UDP and given up after ten silent seconds.
``rtsps://10.20.0.12/1#certificate=3f…`` is a camera whose own certificate has that SHA-256. Nothing in this
part is secret, so it is shown with the address. It says how to reach the device, not which device it is.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl

from archive.errors import Malformed

UNVERIFIED = "unverified"
"""The certificate of a camera that anybody on the way may stand in for, because a person chose so."""
TIMEOUTS_S = (2, 60)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}\Z")
_RTSP = ("rtsp", "rtsps")
_TLS = ("rtsps", "https")
_LIVE = ("rtsp", "rtsps", "http", "https", "udp")


class Transport(StrEnum):
    """How RTSP sends the pictures."""

    TCP = "tcp"
    UDP = "udp"
    MULTICAST = "multicast"


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """What a source says of its connection.

    ``timeout_s``: None for the recorder's own. ``certificate``: "" for one that an authority signed,
    :data:`UNVERIFIED`, or the SHA-256 of the camera's certificate in hexadecimal.
    """

    transport: Transport = Transport.TCP
    timeout_s: int | None = None
    certificate: str = ""

    @property
    def fingerprint(self) -> str:
        """The certificate's SHA-256; "" if none is pinned."""
        return "" if self.certificate == UNVERIFIED else self.certificate

    def as_fragment(self) -> str:
        """The part after ``#``, in one spelling; "" if nothing is said."""
        said = {
            "transport": "" if self.transport is Transport.TCP else self.transport.value,
            "timeout": "" if self.timeout_s is None else str(self.timeout_s),
            "certificate": self.certificate,
        }
        return "&".join(f"{name}={value}" for name, value in said.items() if value)


def read_connection(scheme: str, fragment: str) -> Connection:
    """Read the part after ``#``. Raises Malformed ``bad_source``; the message does not repeat it."""
    said: dict[str, str] = {}
    for name, value in parse_qsl(fragment, keep_blank_values=True, separator="&"):
        if name in said:
            raise _bad("says an option twice")
        said[name] = value
    if fragment and not said:
        raise _bad("has an unknown option after #")
    made = Connection(
        transport=_transport(scheme, said),
        timeout_s=_timeout(scheme, said),
        certificate=_certificate(scheme, said),
    )
    if said.keys() - {"transport", "timeout", "certificate"}:
        raise _bad("has an unknown option after #")
    return made


def _transport(scheme: str, said: Mapping[str, str]) -> Transport:
    value = said.get("transport", Transport.TCP)
    if value not in tuple(Transport):
        raise _bad("has an unknown transport")
    if "transport" in said and scheme not in _RTSP:
        raise _bad(f"says a transport, which {scheme}:// does not have")
    if scheme == "rtsps" and value != Transport.TCP:
        raise _bad("says a transport that is not encrypted: rtsps:// is read over TCP")
    return Transport(value)


def _timeout(scheme: str, said: Mapping[str, str]) -> int | None:
    if "timeout" not in said:
        return None
    value, (least, most) = said["timeout"], TIMEOUTS_S
    if scheme not in _LIVE:
        raise _bad(f"says a timeout, which {scheme}:// does not have")
    if not value.isascii() or not value.isdigit() or not least <= int(value[:9]) <= most:
        raise _bad(f"has a timeout that is not between {least} and {most} seconds")
    return int(value)


def _certificate(scheme: str, said: Mapping[str, str]) -> str:
    if "certificate" not in said:
        return ""
    value = said["certificate"].lower().replace(":", "")
    if scheme not in _TLS:
        raise _bad(f"says a certificate, which {scheme}:// does not have")
    if value != UNVERIFIED and _FINGERPRINT.match(value) is None:
        raise _bad("has a certificate that is neither a SHA-256 of 64 hexadecimal digits nor 'unverified'")
    return value


def _bad(what: str) -> Malformed:
    return Malformed(
        f"the camera's source URL {what}",
        code="bad_source",
        hint="After # may stand transport=tcp|udp|multicast, timeout=SECONDS and"
        " certificate=SHA256|unverified, joined with &.",
    )
