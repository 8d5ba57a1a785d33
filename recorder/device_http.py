"""HTTP to one device that nobody vouches for: one address, bounded plain answers, a trusted certificate."""

import ssl
from pathlib import Path

import httpx

from archive.errors import Malformed
from recorder.devices import answer_refused

LARGEST_ANSWER = 1 << 20
"""Bytes: the profiles of a recorder with 64 inputs take a fifth."""


class Guard(httpx.AsyncBaseTransport):
    """Connects to one address under one name, and reads bounded, plain bodies without a DTD."""

    def __init__(self, host: str, address: str, verify: ssl.SSLContext | bool) -> None:
        self._host, self._address = host, address
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises Malformed ``device_answer_refused``; httpx's own errors."""
        if request.url.host != self._host:
            raise answer_refused(self._host, "it leads to another host")
        request.url = request.url.copy_with(host=self._address)
        request.headers["Accept-Encoding"] = "identity"
        request.extensions = {**request.extensions, "sni_hostname": self._host}
        response = await self._inner.handle_async_request(request)
        try:
            body = await self._body(response)
        finally:
            await response.aclose()
        # Some devices say "forbidden" of an account that they do not know.
        status = (
            httpx.codes.UNAUTHORIZED
            if response.status_code == httpx.codes.FORBIDDEN
            else response.status_code
        )
        return httpx.Response(status, headers=response.headers, content=body)

    async def _body(self, response: httpx.Response) -> bytes:
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise answer_refused(self._host, "it is compressed, and nobody asked for that")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > LARGEST_ANSWER:
                raise answer_refused(self._host, f"it is longer than {LARGEST_ANSWER >> 10} KiB")
        if has_dtd(body):
            raise answer_refused(self._host, "it has a DTD, which SOAP forbids")
        return bytes(body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def trust(certificates: Path | None, authorities: Path | None = None) -> ssl.SSLContext:
    """What verifies a device: the certificates of a file, whatever names they have.

    Without a file, the system's authorities and those of the file ``authorities``, and the name counts.

    Raises:
        Malformed: ``bad_camera_certificates``.
    """
    if certificates is None:
        context = ssl.create_default_context()
        if authorities is not None:
            _add(context, authorities)
        return context
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _add(context, certificates)
    # The file has the cameras' own certificates, whose names are rarely their addresses.
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


def _add(context: ssl.SSLContext, file: Path) -> None:
    try:
        context.load_verify_locations(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise Malformed(
            f"{file.name} cannot be read as certificates in PEM",
            code="bad_camera_certificates",
            hint="Check the settings camera_certificates_file and camera_ca_file.",
        ) from error


def has_dtd(body: bytes | bytearray) -> bool:
    """Whether it has a document type; also in UTF-16, whose letters have a zero beside them."""
    return b"<!doctype" in bytes(body).replace(b"\0", b"").lower()
