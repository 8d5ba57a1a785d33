"""Sends checkpoints to a second party, which can then prove if another history is presented later.

A witness is a URL that takes ``POST`` of a checkpoint's text (``text/plain``) and answers 2xx. Only the text
leaves the archive: hashes, a number, a time. The answer is kept as a receipt beside the checkpoint. A witness
that does not answer never delays a checkpoint; the next turn sends it again.
"""

import base64
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from archive import canonical
from archive.canonical import JsonObject, sha256_hex
from archive.clock import Clock
from archive.errors import Malformed, Unavailable
from archive.records.checkpoint.stored import RECEIPT
from archive.timespan import format_instant

MAX_ANSWER = 1 << 16


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness behind a URL. The client has its own time limits and follows no redirects.

    Raises:
        Malformed: ``bad_witness_url``: neither https nor http to this machine itself.
    """

    url: str
    client: httpx.Client
    clock: Clock

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        local = parts.scheme == "http" and _is_loopback(parts.hostname or "")
        if not parts.hostname or not (parts.scheme == "https" or local):
            raise Malformed(
                "a witness must have an https address",
                code="bad_witness_url",
                hint="It looks like https://inspektorat.example/saksi; http is allowed only to this machine.",
            )

    @property
    def name(self) -> str:
        """Host, port and path, without credentials or query."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}{parts.path.rstrip('/')}"

    @property
    def part(self) -> str:
        """The name of its receipt beside a checkpoint."""
        return f"{RECEIPT}{sha256_hex(self.name.encode())[:16]}.json"

    def show(self, checkpoint: bytes) -> bytes:
        """Send a checkpoint's text; returns the receipt's bytes.

        Raises:
            Unavailable: ``witness_unavailable``: no answer, a status other than 2xx, or too long an answer.
        """
        try:
            reply = self.client.post(
                self.url, content=checkpoint, headers={"Content-Type": "text/plain; charset=utf-8"}
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(f"does not answer: {error or type(error).__name__}") from error
        if not 200 <= reply.status_code < 300:
            raise self._unavailable(f"answers {reply.status_code}")
        if len(reply.content) > MAX_ANSWER:
            raise self._unavailable("answers with more than a receipt")
        return canonical.encode(
            {
                "v": 1,
                "witness": self.name,
                "at": format_instant(self.clock.now()),
                "checkpoint_sha256": sha256_hex(checkpoint),
                "status": reply.status_code,
                "answer": base64.b64encode(reply.content).decode("ascii"),
            }
        )

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(
            f"the witness {self.name} {what}",
            code="witness_unavailable",
            hint="The checkpoint is valid without it; the next turn sends it again.",
        )


def read_receipt(data: bytes) -> JsonObject:
    """A stored receipt. Raises Malformed ``bad_receipt``."""
    try:
        found = canonical.decode(data)
        base64.b64decode(found["answer"], validate=True)
        _ = found["witness"], found["at"], found["checkpoint_sha256"], found["status"]
    except (Malformed, KeyError, TypeError, ValueError) as error:
        raise Malformed(f"a witness's receipt cannot be read: {error}", code="bad_receipt") from error
    return found


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
