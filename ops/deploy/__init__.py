"""What a city puts on its servers: the proxy before the store, and units for systemd.

The files are templates that hold no secret. ``saksi store proxy`` fills in the proxy's.
"""

from importlib.resources import files

from archive.errors import Malformed
from archive.objects.locations import parse_archive_url

_PROXY = "nginx/saksi-store.conf"


def proxy_configuration(archive: str, *, listen: str, store: str) -> str:
    """The nginx configuration for one archive.

    ``listen`` is the proxy's address as nginx takes it, ``store`` the host and port of the store behind it.

    Raises:
        Malformed: ``bad_proxy_address``, ``bad_archive_url``.
    """
    parse_archive_url(f"s3://{archive}")
    for address in (listen, store):
        host, _, port = address.rpartition(":")
        if not port.isdigit() or not set(host) <= _HOST:
            raise Malformed(
                f"{address!r} is no address for the proxy",
                code="bad_proxy_address",
                hint="give host and port, as in 10.0.0.5:9000; listen may be a port alone",
            )
    text = files(__name__).joinpath(_PROXY).read_text("utf-8")
    for name, value in (("@ARCHIVE@", archive), ("@LISTEN@", listen), ("@STORE@", store)):
        text = text.replace(name, value)
    return text


_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-[]:")
