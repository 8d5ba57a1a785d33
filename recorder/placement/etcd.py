"""The membership in etcd: one key per host, which lives as long as the host's lease.

What the library does not do is done here. It knows one server: we ask one after the other. Its exceptions,
and those of the library below it, become Unavailable. A lease that is refreshed says nothing about its key,
which may have gone while the servers had no majority: each beat looks at the key too.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import requests
from etcd3gw.client import Etcd3Client
from etcd3gw.exceptions import Etcd3Exception
from etcd3gw.lease import Lease

from archive.errors import Malformed, Unavailable
from archive.ids import check_name
from recorder.placement.membership import LEASE

T = TypeVar("T")
_PATIENCE = 1.0
"""Seconds for one request: with three servers, two of them dead, a beat still comes in time."""
_API = "/v3/"


class EtcdMembership:
    """A :class:`~recorder.placement.membership.Membership` of all hosts below ``prefix`` in one etcd.

    ``ca_file``, ``certificate_file`` and ``key_file`` are for servers reached over https.

    Raises:
        Malformed: ``bad_etcd_url``: an address is not http(s)://HOST:PORT.
    """

    def __init__(
        self,
        urls: Sequence[str],
        name: str,
        *,
        prefix: str = "saksi",
        ttl: int = LEASE,
        patience: float = _PATIENCE,
        ca_file: Path | None = None,
        certificate_file: Path | None = None,
        key_file: Path | None = None,
    ) -> None:
        self._name = check_name("recorder", name)
        self._folder = f"/{prefix}/recorders/"
        self._ttl = ttl
        self._lease: int | None = None
        files = (ca_file, certificate_file, key_file)
        # Each purpose has connections of its own: a look that hangs delays no beat.
        self._clients = [_client(url, patience, files) for url in urls]
        self._lookers = [_client(url, patience, files) for url in urls]
        if not self._clients:
            raise _bad_url("")

    def join(self) -> None:
        """As the port says. A key of an earlier process is overwritten, so its lease no longer matters."""

        def enter(client: Etcd3Client) -> int:
            lease = client.lease(self._ttl)
            client.put(self._own_key, self._name, lease)
            return lease.id

        self._lease = _ask(self._clients, enter)

    def beat(self) -> None:
        """As the port says."""
        lease = self._lease
        if lease is None or not _ask(self._clients, lambda client: self._is_kept(client, lease)):
            self.join()

    def members(self) -> frozenset[str]:
        """As the port says."""
        found = _ask(self._lookers, lambda client: client.get_prefix(self._folder))
        return frozenset(pair["key"].decode().removeprefix(self._folder) for _, pair in found)

    def leave(self) -> None:
        """As the port says."""
        lease, self._lease = self._lease, None
        if lease is not None:
            _ask(self._clients, lambda client: _is_revoked(client, lease))

    @property
    def _own_key(self) -> str:
        return self._folder + self._name

    def _is_kept(self, client: Etcd3Client, lease: int) -> bool:
        """Whether the lease could be refreshed and the key is still there and bound to it."""
        if Lease(lease, client).refresh() <= 0:
            return False
        return any(int(pair.get("lease", 0)) == lease for _, pair in client.get(self._own_key, metadata=True))


def _ask(clients: list[Etcd3Client], question: Callable[[Etcd3Client], T]) -> T:
    """The answer of the first server that gives one; it is asked first the next time."""
    reasons = []
    for client in tuple(clients):
        try:
            answer = question(client)
        except (Etcd3Exception, requests.RequestException, ValueError, KeyError, TypeError) as error:
            # The last three: an answer that is not etcd's, such as the page of a proxy.
            detail = getattr(error, "detail_text", None) or str(error) or type(error).__name__
            reasons.append(f"{client.host}:{client.port}: {detail[:200]}")
            continue
        clients.remove(client)
        clients.insert(0, client)
        return answer
    raise Unavailable(
        f"no etcd server answers ({'; '.join(reasons)})",
        code="membership_unreachable",
        hint="Recording goes on as it is. Start the etcd servers, or correct etcd_urls.",
    )


def _is_revoked(client: Etcd3Client, lease: int) -> bool:
    """Revoke a lease; one that is gone already is as good."""
    try:
        return Lease(lease, client).revoke()
    except Etcd3Exception as error:
        if "lease not found" not in (error.detail_text or ""):
            raise
        return True


def _client(url: str, patience: float, files: tuple[Path | None, Path | None, Path | None]) -> Etcd3Client:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad_url(url) from error
    if parts.scheme not in ("http", "https") or not parts.hostname or port is None or parts.path.strip("/"):
        raise _bad_url(url)
    session = requests.Session()
    session.trust_env = False
    ca_file, certificate_file, key_file = files
    if ca_file is not None:
        session.verify = str(ca_file)
    if certificate_file is not None and key_file is not None:
        session.cert = (str(certificate_file), str(key_file))
    return Etcd3Client(parts.hostname, port, parts.scheme, timeout=patience, api_path=_API, session=session)


def _bad_url(url: str) -> Malformed:
    return Malformed(
        f"{url!r} is not the address of an etcd server",
        code="bad_etcd_url",
        hint="Write http://HOST:PORT or https://HOST:PORT, several separated by commas.",
    )
