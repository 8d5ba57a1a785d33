"""Notices to webhooks: signed JSON, over a connection to an address that was checked.

The body is signed with HMAC-SHA256 over ``<timestamp>.<body>``; ``docs/guide/notices.md`` says how a receiver
checks it. The channel resolves the host once for each delivery, checks every address, and connects to one of
the checked addresses, so a name that resolves differently a moment later has no effect. It follows no
redirects, uses no proxies of the environment, and reads only the status of the answer.
"""

import hmac
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx

from archive import canonical
from archive.addresses import is_public
from archive.canonical import JsonObject
from archive.cases.notices.job import Target
from archive.cases.notices.notice import Notice
from archive.cases.notices.wording import words_of
from archive.clock import Clock
from archive.errors import Refused, Unavailable
from archive.timespan import SECOND, format_instant
from ops.notices.recipients import Webhook
from ops.notices.secrets import read_secret

SIGNATURE, TIMESTAMP, NOTICE = "Saksi-Signature", "Saksi-Timestamp", "Saksi-Notice"
TIMEOUT = httpx.Timeout(5.0, connect=3.0)

Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system's resolver gives them. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChannel:
    """One webhook. Links lead to ``address``; times in its texts are in ``zone``."""

    hook: Webhook
    target: Target
    keys_dir: Path
    clock: Clock
    zone: ZoneInfo
    address: str
    resolve: Resolve = field(default=resolve)

    @property
    def name(self) -> str:
        """``webhook-<name>``."""
        return f"webhook-{self.hook.name}"

    @property
    def targets(self) -> Sequence[Target]:
        """The one URL."""
        return (self.target,)

    def deliver(self, notice: Notice, target: Target) -> None:
        """Post the notice; only a status of 200 to 299 counts as delivered.

        Raises:
            Unavailable: ``webhook_unavailable``: no answer, or another status.
            Refused: ``webhook_address_refused``: the host has an address that must not be called.
            NotFound, Malformed: as :func:`ops.notices.secrets.read_secret`.
        """
        body = canonical.encode(notice_json(notice, zone=self.zone, address=self.address))
        moment = str(self.clock.now() // SECOND)
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "saksi",
            NOTICE: notice.id,
            TIMESTAMP: moment,
            SIGNATURE: sign(read_secret(self.keys_dir, f"{self.name}.secret"), moment, body),
        }
        parts = urlsplit(target.address)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        numeric = self._pinned(host, port)
        url = httpx.URL(target.address).copy_with(host=numeric)
        headers["Host"] = parts.netloc
        try:
            with (
                httpx.Client(verify=self._tls(), timeout=TIMEOUT, trust_env=False) as client,
                client.stream(
                    "POST", url, content=body, headers=headers, extensions={"sni_hostname": host}
                ) as reply,
            ):
                status = reply.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unavailable(f"does not answer: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise self._unavailable(f"answers {status}")

    def _pinned(self, host: str, port: int) -> str:
        """The address to connect to. Every address of the host must be permitted."""
        try:
            found = self.resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise self._unavailable("has no address") from error
        for one in found:
            if not (is_public(one) or self.hook.allow_private):
                raise Refused(
                    f"the webhook {self.hook.name} leads to an address that is not public",
                    code="webhook_address_refused",
                    hint="If that is intended, set allow_private for it in saksi.toml.",
                )
        if not found:
            raise self._unavailable("has no address")
        return found[0]

    def _tls(self) -> ssl.SSLContext:
        ca_file = self.hook.ca_file
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(
            f"the webhook {self.hook.name} {what}",
            code="webhook_unavailable",
            hint="Saksi retries it for a day; see saksi notice status.",
        )


def sign(secret: bytes, timestamp: str, body: bytes) -> str:
    """``v1=`` and the HMAC-SHA256 of ``<timestamp>.<body>`` in hex."""
    return f"v1={hmac.new(secret, timestamp.encode('ascii') + b'.' + body, sha256).hexdigest()}"


def notice_json(notice: Notice, *, zone: ZoneInfo, address: str) -> JsonObject:
    """The body of a webhook."""
    words = words_of(notice, zone=zone, address=address)
    return {
        "v": 1,
        "id": notice.id,
        "event": notice.event.value,
        "urgent": notice.urgent,
        "at": format_instant(notice.at),
        "subject": notice.subject,
        "agency": notice.agency,
        "cameras": notice.cameras,
        "due_at": None if notice.due_at is None else format_instant(notice.due_at),
        "code": notice.code,
        "link": f"{address}{notice.link}" if notice.link else "",
        "title": words.title,
        "text": {"id": words.indonesian, "en": words.english},
    }
