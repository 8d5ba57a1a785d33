"""The address of an Elasticsearch, its nodes, and what it takes to be let in."""

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from archive.errors import Malformed

_HINT = "Write http(s)://[user:password@]HOST:PORT[,HOST:PORT…][/path]."


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a server is trusted, and how it knows us; beside user and password in the URL.

    ``ca_file`` has the certificates (PEM) that may have signed the server's; without it, those that the
    system trusts. ``api_key`` is the encoded key, as Elasticsearch prints it. A key and a password exclude
    each other.
    """

    ca_file: Path | None = None
    api_key: str = ""


OPEN = Access()
"""No key, and the system's certificates."""


@dataclass(frozen=True, slots=True)
class Address:
    """The nodes of one cluster (``scheme://host:port/path``), and the user and password of the URL."""

    nodes: tuple[str, ...]
    login: tuple[str, str] | None

    @property
    def server(self) -> str:
        """How messages name the cluster; never with credentials."""
        return ", ".join(self.nodes)


def parse_address(url: str) -> Address:
    """Read ``http(s)://[user:password@]HOST:PORT[,HOST:PORT…][/path]``. Ports default to 9200, and 443.

    Several hosts are nodes of one cluster: if one does not answer, the next is asked.

    Raises:
        Malformed: ``bad_index_url``, without the URL, which may hold a password.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise _bad() from error
    login, _, hosts = parts.netloc.rpartition("@")
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment or not hosts:
        raise _bad()
    user, _, password = login.partition(":")
    path = parts.path.rstrip("/")
    nodes = tuple(f"{parts.scheme}://{_host(one, parts.scheme)}{path}" for one in hosts.split(","))
    return Address(nodes, (unquote(user), unquote(password)) if user else None)


def options_of(address: Address, access: Access) -> Mapping[str, Any]:
    """The client's options for an address and an access.

    Raises:
        Malformed: ``bad_index_access``: a key and a password, certificates for a server without TLS, or
            certificates that cannot be read.
    """
    found: dict[str, Any] = {"hosts": list(address.nodes)}
    if access.api_key and address.login is not None:
        raise Malformed(
            "the index has a password in its URL and an API key",
            code="bad_index_access",
            hint="Keep one of the two: SAKSI_INDEX_API_KEY_FILE, or user:password in SAKSI_INDEX_URL.",
        )
    if access.api_key:
        found["api_key"] = access.api_key
    elif address.login is not None:
        found["basic_auth"] = address.login
    if access.ca_file is not None:
        if not address.nodes[0].startswith("https://"):
            raise Malformed(
                "the index has certificates to check, but its URL is not https",
                code="bad_index_access",
                hint="Write https:// in SAKSI_INDEX_URL, or unset SAKSI_INDEX_CA_FILE.",
            )
        found["ssl_context"] = _trusting(access.ca_file)
    return found


def _trusting(certificates: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(certificates))
    except OSError as error:  # ssl.SSLError is one
        raise Malformed(
            f"the certificates of the index cannot be read: {certificates}",
            code="bad_index_access",
            hint="SAKSI_INDEX_CA_FILE names a file with certificates in PEM.",
        ) from error


def _host(text: str, scheme: str) -> str:
    """One ``host:port``, with the port. Raises Malformed."""
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
        if not host or port == 0 or parts.path:
            raise _bad()
        if ":" in host:
            host = f"[{ipaddress.IPv6Address(host)}]"
    except ValueError as error:
        raise _bad() from error
    return f"{host}:{port or (443 if scheme == 'https' else 9200)}"


def _bad() -> Malformed:
    return Malformed("the index URL cannot be read", code="bad_index_url", hint=_HINT)
