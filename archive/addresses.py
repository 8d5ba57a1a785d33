"""Network addresses behind URLs from outside: how one is read, and which the system may connect to.

Two parts connect to an address that a person typed: webhooks (:mod:`ops.notices.webhooks`), which lead to
the public internet, and cameras (:mod:`archive.footage.sources`), which stand in the city's own networks.
Both resolve a name once, judge the address that comes back, and connect to that same address.
"""

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset(
    {IPv4Address("100.100.100.200"), IPv4Address("192.0.0.192"), IPv6Address("fd00:ec2::254")}
)
"""Cloud metadata addresses that give a machine its own secrets, besides the link-local 169.254.169.254."""


def read_address(text: str) -> Address | None:
    """Read a host as an address; None for a name, and for a scoped address (``fe80::1%eth0``).

    All that resolvers accept counts: ``127.1``, ``0x7f000001`` and ``2130706433`` are 127.0.0.1.
    An IPv4 address inside an IPv6 one (mapped, NAT64, 6to4) is returned as the IPv4 address.
    """
    try:
        return _inner(ipaddress.ip_address(text))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(text)) if text.isprintable() and " " not in text else None
    except (OSError, UnicodeEncodeError):
        return None


def is_public(text: str) -> bool:
    """Whether an address is public: not private, loopback, link-local, multicast or reserved."""
    address = read_address(text)
    return address is not None and address.is_global and not _is_of_no_host(address)


def is_of_a_host_elsewhere(address: Address) -> bool:
    """Whether an address can belong to another machine, public or private.

    False for loopback, link-local and cloud metadata addresses, and for those that no host has.
    """
    return not (
        _is_of_no_host(address) or address.is_loopback or address.is_link_local or address in _METADATA
    )


def is_of_this_machine(address: Address) -> bool:
    """Whether an address is one of this machine's own, on whatever interface.

    The system is asked which source address it would use towards it: only for an own address it is the same.
    Nothing is sent.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((str(address), 9))
            used: str = probe.getsockname()[0]
    except OSError:
        return False  # there is no way to it
    return read_address(used) == address


def _is_of_no_host(address: Address) -> bool:
    is_this_network = isinstance(address, IPv4Address) and address in IPv4Network("0.0.0.0/8")
    return is_this_network or address.is_multicast or address.is_reserved or address.is_unspecified


def _inner(address: Address) -> Address:
    if not isinstance(address, IPv6Address):
        return address
    if address.scope_id is not None:
        raise ValueError("a link-scoped address")
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address.sixtofour or address
