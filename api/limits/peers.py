"""Where a request comes from: the connection's address, or the one a trusted proxy reports (RFC 7239).

A forwarding header is a claim. It is read only on a connection from a trusted proxy, from right to left: each
proxy appends the address it saw, so everything left of the first address that is not one of our proxies may
be forged. Only one header is read: a proxy that writes one of them passes the other on unchanged.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from archive.errors import Malformed

MAX_HOPS = 16
"""Elements that are read, from the right; real proxy chains are shorter."""


class ForwardingHeader(StrEnum):
    """The header in which the proxies of an installation report the client's address."""

    X_FORWARDED_FOR = "x-forwarded-for"
    FORWARDED = "forwarded"


class TrustedProxies:
    """The networks of the proxies that are believed about a client's address; none by default.

    Raises:
        Malformed: ``bad_setting``: a text is not a network, or the network contains every address.
    """

    def __init__(
        self, networks: Iterable[str] = (), *, header: ForwardingHeader = ForwardingHeader.X_FORWARDED_FOR
    ) -> None:
        self._networks = tuple(_network(text) for text in networks)
        self._header = header.value.encode("ascii")

    def is_trusted(self, address: str) -> bool:
        """Whether an address belongs to one of our own proxies."""
        found = _address(address)
        return found is not None and any(found in network for network in self._networks)

    def client(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The client's address, given the connection's and the request's headers.

        It is the rightmost address that is not one of our proxies. If an element cannot be parsed, the
        address of the proxy that wrote it is returned.
        """
        here = plain(peer)
        if not self._networks or not self.is_trusted(here):
            return here
        for element in reversed(self._elements(headers)[-MAX_HOPS:]):
            claimed = _address(element)
            if claimed is None:
                break
            here = str(claimed)
            if not self.is_trusted(here):
                break
        return here

    def _elements(self, headers: Iterable[tuple[bytes, bytes]]) -> Sequence[str]:
        """The elements that the proxies wrote, the nearest one's last; several header lines are one list."""
        lines = [value.decode("latin-1") for name, value in headers if name == self._header]
        elements = [part.strip() for line in lines for part in line.split(",")]
        if self._header == b"forwarded":
            return [_forwarded_for(element) for element in elements]
        return elements


def plain(text: str) -> str:
    """An address in canonical form, IPv4 inside IPv6 as IPv4; other text, such as "", unchanged."""
    found = _address(text)
    return text if found is None else str(found)


def network_of(address: str) -> str:
    """What counts as one client: an IPv4 address, or the /64 network that one IPv6 subscriber gets."""
    found = _address(address)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((found, 64), strict=False))
    return address


def _forwarded_for(element: str) -> str:
    """The ``for`` of one element of ``Forwarded``; "" unless there is exactly one."""
    named = [
        value.strip().strip('"')
        for name, sign, value in (pair.partition("=") for pair in element.split(";"))
        if sign and name.strip().casefold() == "for"
    ]
    return named[0] if len(named) == 1 else ""


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An address with or without a port; None for other text, and for an address with a zone."""
    text = text.strip()
    if text.startswith("["):
        text, _, port = text[1:].partition("]")
        if port and not (port.startswith(":") and port[1:].isdecimal()):
            return None
    elif text.count(":") == 1:
        text, _, port = text.partition(":")
        if not port.isdecimal():
            return None
    if "%" in text:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        network = ip_network(text.strip())
    except ValueError as error:
        raise Malformed(
            f"{text[:60]!r} is not a network of proxies",
            code="bad_setting",
            hint="Write an address or a network, such as 10.0.0.5 or 10.0.0.0/28.",
        ) from error
    if network.prefixlen == 0:
        raise Malformed(
            "a network that contains every address would let any client choose the address on record",
            code="bad_setting",
            hint="Name the addresses of your own proxies.",
        )
    return network
