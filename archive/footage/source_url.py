"""Camera sources: parsing the URL that an administrator registered.

``rtsp(s)://`` and ``http(s)://`` are cameras; ``udp://HOST:PORT`` is MPEG-TS that this host, or this group of
hosts (multicast), sends to the port. What follows ``#`` says how to connect
(:mod:`archive.model.connection`). ``file:///path`` is replayed in real time, in an endless loop;
``test://?size=640x360&fps=15&gop=30&codec=h264`` is a moving pattern with a burnt-in clock, for demos and
tests. The whole URL may hold a password, so it is never printed: :meth:`Source.redact` removes it from texts
of other programs.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlsplit, urlunsplit

from archive.errors import Malformed
from archive.model.connection import Connection, read_connection

_PRINTABLE = re.compile(r"[\x21-\x7e]+\Z")
_SIZE = re.compile(r"(\d{2,4})x(\d{2,4})\Z", re.ASCII)
_PORTS = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_SCHEMES = (*_PORTS, "udp", "file", "test")
_MOST = {"fps": 60, "gop": 600, "bframes": 4}


class SourceKind(StrEnum):
    """The kinds of source that FFmpeg reads."""

    RTSP = "rtsp"
    HTTP = "http"
    UDP = "udp"
    LOCAL = "local"
    PATTERN = "pattern"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """A test picture: its size and encoding."""

    width: int = 640
    height: int = 360
    fps: int = 15
    gop: int = 30
    codec: str = "h264"
    bframes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source URL, taken apart. ``url`` is the whole of it, password included, without the part after ``#``.

    ``name`` is the host as registered, if ``url`` and ``host`` have been pinned to its address. ``anchor`` is
    the file of certificates by which an encrypted camera is verified, as ``proves``; None until the recorder
    has looked at it, and for one that is not verified.
    """

    kind: SourceKind
    url: str = field(repr=False)
    scheme: str
    host: str = ""
    port: int = 0
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    target: str = field(default="", repr=False)
    path: Path | None = None
    pattern: Pattern | None = None
    name: str = ""
    connection: Connection = field(default_factory=Connection)
    anchor: Path | None = None
    proves: str = ""

    @property
    def is_live(self) -> bool:
        """Whether there is a camera at the other end, with a clock of its own."""
        return self.kind in (SourceKind.RTSP, SourceKind.HTTP, SourceKind.UDP)

    @property
    def uses_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return self.scheme in ("rtsps", "https")

    def patience(self, default: float) -> float:
        """After how many silent seconds the camera is given up; ``default`` unless it has its own time."""
        own = self.connection.timeout_s
        return default if own is None else float(own)

    def redact(self, text: str) -> str:
        """The text without the URL's credentials and query, in whatever form they appear."""
        parts = urlsplit(self.url)
        found = {parts.query, self.password, unquote(self.password), parts.netloc.rpartition("@")[0]}
        if parts.password:
            found.add(parts.password)
        for secret in sorted(filter(None, found), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text


def parse_source(url: str) -> Source:
    """Take a source URL apart.

    Raises:
        Malformed: ``bad_source``; the message never repeats the URL.
    """
    if _PRINTABLE.match(url) is None:
        raise _bad("holds spaces or characters outside ASCII", "Write them percent-encoded, such as %20.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad("cannot be read") from error
    connection = read_connection(parts.scheme, parts.fragment) if parts.scheme in _SCHEMES else Connection()
    match parts.scheme:
        case "rtsp" | "rtsps" | "http" | "https" | "udp":
            return _network(url.partition("#")[0], parts, port, connection)
        case "file":
            if parts.netloc or not parts.path:
                raise _bad("names no absolute path", "Write file:///absolute/path.")
            path = Path(unquote(parts.path))
            return Source(kind=SourceKind.LOCAL, url=url, scheme="file", path=path)
        case "test":
            pattern = _pattern(parts.query)
            return Source(kind=SourceKind.PATTERN, url=url, scheme="test", pattern=pattern)
    raise _bad(f"has the unknown scheme {parts.scheme[:20]!r}", f"Use one of {', '.join(_SCHEMES)}.")


def device_of(url: str) -> tuple[str, ...]:
    """What a source leads to, without user name and password. Raises Malformed ``bad_source``.

    Two URLs of one device may differ in this; two devices never have the same.
    """
    source = parse_source(url)
    if not source.host:
        return (source.scheme, url)
    return (source.scheme, source.host.lower(), str(source.port), source.target)


def check_second(url: str, main: str) -> None:
    """Let the URL of a sub stream pass that is not the main stream's. Streams may differ in the query only.

    Raises:
        Malformed: ``bad_sub``: it is the same, with or without its query; ``bad_source``.
    """
    (*place, target), (*main_place, main_target) = device_of(url), device_of(main)
    if (
        parse_source(url).host
        and place == main_place
        and target in (main_target, main_target.partition("?")[0])
    ):
        raise Malformed(
            "the sub stream is the main stream",
            code="bad_sub",
            hint="Give the camera's second, smaller stream, or none.",
        )


def with_account(url: str, user: str, password: str) -> str:
    """The source with this account in place of the one that it has. Raises Malformed ``bad_source``."""
    if not parse_source(url).host:
        raise _bad("is no camera with an account", "Give a user name for rtsp(s):// and http(s):// only.")
    parts = urlsplit(url)
    account = f"{quote(user, safe='')}:{quote(password, safe='')}"
    return urlunsplit(parts._replace(netloc=f"{account}@{parts.netloc.rpartition('@')[2]}"))


def _network(url: str, parts: SplitResult, port: int | None, connection: Connection) -> Source:
    if not parts.hostname:
        raise _bad("names no host")
    if parts.scheme == "udp" and (not port or parts.path or parts.query or "@" in parts.netloc):
        raise _bad("is not udp://HOST:PORT", "HOST is the sender's address, or the group's (multicast).")
    kind = SourceKind(parts.scheme.removesuffix("s"))
    return Source(
        kind=kind,
        url=url,
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        connection=connection,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _pattern(query: str) -> Pattern:
    asked = dict(parse_qsl(query, keep_blank_values=True))
    size = _SIZE.match(asked.pop("size", "640x360"))
    codec = asked.pop("codec", "h264")
    if size is None or codec not in ("h264", "hevc"):
        raise _bad("requests an impossible pattern", "Such as test://?size=640x360&fps=15&gop=30&codec=h264.")
    numbers: dict[str, int] = {}
    for name, text in asked.items():
        if name not in _MOST or not text.isascii() or not text.isdigit() or int(text) > _MOST[name]:
            raise _bad(f"has a bad option {name[:20]!r}", "Options are size, fps, gop, codec and bframes.")
        numbers[name] = int(text)
    if 0 in (numbers.get("fps", 1), numbers.get("gop", 1)):
        raise _bad("requests zero frames")
    width, height = int(size[1]) & ~1, int(size[2]) & ~1
    return Pattern(width=width, height=height, codec=codec, **numbers)


def _bad(what: str, hint: str = "") -> Malformed:
    return Malformed(f"the camera's source URL {what}", code="bad_source", hint=hint)
