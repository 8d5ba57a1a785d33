"""Files for a city's servers: the proxies in front of the store and of the API, and systemd units.

The files are templates without secrets. ``saksi store proxy`` and ``saksi proxy`` fill in those of the
proxies.
"""

import re
from importlib.resources import files

from archive.errors import Malformed
from archive.objects.locations import parse_archive_url

_PROXY, _API = "nginx/saksi-store.conf", "nginx/saksi-api.conf"


def proxy_configuration(archive: str, *, listen: str, store: str) -> str:
    """The nginx configuration for one archive.

    ``listen`` is the proxy's address as nginx takes it, ``store`` the host and port of the store behind it.

    Raises:
        Malformed: ``bad_proxy_address``, ``bad_archive_url``.
    """
    parse_archive_url(f"s3://{archive}")
    _check_addresses(listen, store)
    return _filled(_PROXY, {"ARCHIVE": archive, "LISTEN": listen, "STORE": store})


def api_proxy_configuration(name: str, *, listen: str, api: str, certificate: str, key: str) -> str:
    """The nginx configuration for the API that browsers see as ``https://<name>``.

    ``listen`` is the proxy's address as nginx takes it, and ``api`` is the host and port of the API behind
    it. ``certificate`` and ``key`` are paths on the proxy's host.

    Raises:
        Malformed: ``bad_proxy_address``.
    """
    _check_addresses(listen, api)
    if not _NAME.fullmatch(name) or not all(_PATH.fullmatch(path) for path in (certificate, key)):
        raise Malformed(
            "the proxy needs a host name, and two paths without spaces",
            code="bad_proxy_address",
            hint="as in --name saksi.example --certificate /etc/ssl/saksi.pem --key /etc/ssl/saksi.key",
        )
    values = {"NAME": name, "LISTEN": listen, "UPSTREAM": api, "CERTIFICATE": certificate, "KEY": key}
    return _filled(_API, values)


def _check_addresses(*addresses: str) -> None:
    for address in addresses:
        host, _, port = address.rpartition(":")
        if not port.isdigit() or not set(host) <= _HOST:
            raise Malformed(
                f"{address!r} is not an address for the proxy",
                code="bad_proxy_address",
                hint="give host and port, as in 10.0.0.5:9000; listen may be only a port",
            )


def _filled(template: str, values: dict[str, str]) -> str:
    text = files(__name__).joinpath(template).read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PATH = re.compile(r"/[A-Za-z0-9._/-]+")

_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[]:")
