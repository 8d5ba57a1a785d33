"""Requests that are sent by the thousand, at a fraction of the cost of a boto3 call.

A clip reads the header of each of its segments: 61 small reads for ten minutes. A hold over three
camera-hours sets 1,080 flags and reads each again; every custody event is a put and a listing. boto3
spends 1 to 2 ms of CPU on each, most of it on its models of requests and answers, and a part on its
signature; our own (:mod:`archive.objects.s3.signing`) over botocore's connection pool needs a fraction
of that. If an answer is not a success, boto3 sends the request again and reads the error: all of these
requests may be sent twice.
"""

import base64
import hashlib
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session
from botocore.response import StreamingBody

from archive.objects.s3.signing import UNSIGNED, RequestSigner

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.credentials import Credentials

_PIECE = 256 << 10
"""A body goes out in pieces of this size. The socket's time-out bounds each: the whole takes longer on a slow
line."""
_WHOLE = {"x-amz-checksum-mode": "ENABLED"}
_HOLDS = {
    status: (
        f'<LegalHold xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>{status}</Status></LegalHold>'
    ).encode("ascii")
    for status in ("ON", "OFF")
}


@dataclass(frozen=True, slots=True)
class Opened:
    """The body of an answer, the number of its bytes, and the SHA-256 of the whole object if stated."""

    body: StreamingBody
    size: int
    sha256: str | None


class QuickRequests:
    """Signed requests to one store at its own address, with buckets in the path. Thread-safe."""

    def __init__(
        self,
        credentials: "Credentials",
        endpoint: str,
        region: str,
        *,
        pool_size: int,
        timeouts: tuple[float, float],
        verify: bool | str,
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._signer = RequestSigner(credentials, endpoint, region)
        # botocore itself passes both this way; its stubs are narrower.
        self._session = URLLib3Session(
            verify=verify,  # type: ignore[arg-type]
            proxies={},
            timeout=timeouts,  # type: ignore[arg-type]
            max_pool_connections=pool_size,
            # A body goes out after its headers; without this it waits 40 ms for their acknowledgement.
            socket_options=[
                (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),  # type: ignore[list-item]
                (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),  # type: ignore[list-item]
            ],
        )

    def open(self, bucket: str, key: str, version: str, byte_range: str | None) -> Opened | None:
        """The object, or an HTTP range of it; None when the store answers anything but a success.

        Raises botocore's errors.
        """
        wanted = _WHOLE if byte_range is None else {"Range": byte_range}
        answer = self._send("GET", self._url(bucket, key, version), wanted, stream=True)
        length = answer.headers.get("Content-Length")
        if answer.status_code != (200 if byte_range is None else 206) or length is None:
            answer.raw.close()
            return None
        body = StreamingBody(answer.raw, int(length))
        return Opened(body, int(length), sha256_of(answer.headers.get("x-amz-checksum-sha256")))

    def head(self, bucket: str, key: str, version: str) -> Mapping[str, str] | None:
        """The headers of a version, with names in any case; None, and errors, as :meth:`open`."""
        answer = self._send("HEAD", self._url(bucket, key, version), _WHOLE)
        return answer.headers if answer.status_code == 200 else None

    def page(self, bucket: str, asked: Mapping[str, str]) -> bytes | None:
        """One page of a bucket's versions, as XML; None, and errors, as :meth:`open`."""
        query = urlencode({"versions": "", **asked}, quote_via=quote)  # the signed form: no + for a blank
        answer = self._send("GET", f"{self._endpoint}/{bucket}?{query}", {})
        return answer.content if answer.status_code == 200 else None

    def put(self, bucket: str, key: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, str] | None:
        """Put an object; returns the headers of the answer, with names in any case.

        None, and errors, as :meth:`open`: ``headers`` must make a second put safe, as
        ``If-None-Match`` with a checksum does. The checksum is signed and covers the body.
        """
        url = f"{self._endpoint}/{bucket}/{quote(key)}"
        answer = self._send("PUT", url, headers, body, digest=UNSIGNED)
        return answer.headers if answer.status_code == 200 else None

    def hold(self, bucket: str, key: str, version: str, status: Literal["ON", "OFF"]) -> bool:
        """Set the legal hold flag; returns whether the store confirmed it. Errors as :meth:`open`."""
        body = _HOLDS[status]
        # S3 requires a digest of this body, and this is the one that every store knows.
        digest = base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode("ascii")
        url = f"{self._url(bucket, key, version)}&legal-hold="
        return self._send("PUT", url, {"Content-MD5": digest}, body).status_code == 200

    def _url(self, bucket: str, key: str, version: str) -> str:
        return f"{self._endpoint}/{bucket}/{quote(key)}?versionId={quote(version, safe='')}"

    def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        stream: bool = False,
        digest: str = "",
    ) -> "AWSResponse":
        signed = self._signer.signed(method, url, headers, body, digest=digest)
        if method == "PUT":
            signed["Content-Length"] = str(len(body))
        view = memoryview(body)
        pieces = [view[at : at + _PIECE] for at in range(0, len(body), _PIECE)]
        # botocore reads single fields of the headers only; its stubs ask for its own class.
        # urllib3 sends a list item by item.
        prepared = AWSPreparedRequest(method, url, signed, pieces or None, stream)  # type: ignore[arg-type]
        return self._session.send(prepared)


def sha256_of(checksum: str | None) -> str | None:
    """A SHA-256 in hex; None for no checksum, an invalid one, or an upload's checksum of checksums."""
    if checksum is None or "-" in checksum:
        return None
    try:
        return base64.b64decode(checksum, validate=True).hex()
    except ValueError:
        return None
