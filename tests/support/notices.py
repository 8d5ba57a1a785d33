"""Receivers of notices in tests: a mail server and a webhook on this machine, and channels that fail."""

import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from archive.cases.notices.job import Target
from archive.cases.notices.notice import Event, Notice
from archive.errors import ArchiveError
from archive.timespan import HOUR
from tests.support.leaves import T0

PASSWORD = "pass-of-the-mail-server-123"
SECRET = b"secret-of-the-webhook-456"


def notice(**changes: Any) -> Notice:
    fields: dict[str, Any] = {
        "event": Event.REQUEST_URGENT,
        "subject": "REQ-2026-0123456789",
        "mark": "1",
        "at": T0,
        "urgent": True,
        "link": "/permintaan/REQ-2026-0123456789",
        "agency": "polrestabes",
        "agency_name": "Polrestabes Makassar",
        "unit": "Satreskrim",
        "cameras": 2,
        "due_at": T0 + 24 * HOUR,
    }
    return Notice(**(fields | changes))


def target(address: str = "piket@kota.example", **changes: Any) -> Target:
    fields: dict[str, Any] = {"name": address, "address": address, "events": frozenset(Event)}
    return Target(**(fields | changes))


@dataclass
class FakeChannel:
    """A channel in memory; it raises ``answers`` in order, None for an accepted delivery."""

    targets: Sequence[Target]
    answers: list[ArchiveError | None] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)
    name: str = "fake"

    def deliver(self, notice: Notice, target: Target) -> None:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.taken.append((notice.id, target.name))


def keep_secret(keys: Path, name: str, content: bytes) -> None:
    folder = keys / "notices"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(content + b"\n")
    path.chmod(0o600)


@dataclass(frozen=True)
class Certificate:
    """A self-signed certificate for some name, with its key, in files."""

    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.certificate, self.key)
        return context


def certificate(folder: Path, *names: str) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    now = datetime.now(UTC)
    alternatives = [
        x509.IPAddress(ip_address(one)) if one[0].isdigit() else x509.DNSName(one) for one in names
    ]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = Certificate(folder / "server.pem", folder / "server.key")
    files.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@dataclass
class Mailbox:
    """A mail server on this machine, and the mail it accepted; ``refused`` recipients get 550."""

    port: int = 0
    taken: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    encrypted: list[bool] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.taken.append((list(envelope.rcpt_tos), message))
        self.encrypted.append(session.ssl is not None)
        return "250 taken"


def _authenticate(server: Any, session: Any, envelope: Any, mechanism: str, login: Any) -> AuthResult:
    return AuthResult(success=login.login == b"saksi" and login.password == PASSWORD.encode())


class _Controller(Controller):
    """Listens on a port that the system chose."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(tls: Certificate | None = None) -> Iterator[Mailbox]:
    """A real SMTP server; with ``tls`` it accepts mail only after STARTTLS and a sign-in."""
    box = Mailbox()
    options: dict[str, Any] = (
        {}
        if tls is None
        else {
            "tls_context": tls.server(),
            "require_starttls": True,
            "auth_required": True,
            "authenticator": _authenticate,
        }
    )
    controller = _Controller(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()


@dataclass
class Hook:
    """A webhook on this machine, and what it received; it answers with ``statuses`` in order."""

    port: int = 0
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)


@contextmanager
def webhook(tls: Certificate | None = None) -> Iterator[Hook]:
    hook = Hook()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.taken.append((dict(self.headers), body))
            hook.paths.append(self.path)
            self.send_response(hook.statuses.pop(0) if hook.statuses else 204)
            self.send_header("Location", f"http://127.0.0.1:{hook.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    if tls is not None:
        server.socket = tls.server().wrap_socket(server.socket, server_side=True)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
