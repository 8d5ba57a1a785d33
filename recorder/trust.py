"""Verifies that an encrypted camera is the one that was registered, before any password goes to it.

FFmpeg verifies on its own connection; this module gives it what to verify by, and says in words what is wrong
beforehand. Two ways, measured with FFmpeg 9.0 (OpenSSL), which checks chain, name and dates:

* an authority signed the certificate, and it is in the city's own file (setting ``camera_ca_file``);
* the camera signed its certificate itself, and the registration has its SHA-256: that certificate, read from
  the camera and compared, becomes the only one that FFmpeg accepts.

FFmpeg 5.1 has no such options for RTSP and passes them over without a word, so it never reads a camera that
is to be verified (:func:`recorder.binary.verifying`).
"""

import asyncio
import hashlib
import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from archive.durable import disk_errors, write_durably
from archive.errors import Refused, Unavailable
from archive.footage.sources import SourceRule
from archive.model.connection import UNVERIFIED
from recorder.sources import Source

_MOST_NAME = 64


async def proven(source: Source, rule: SourceRule, *, timeout: float, now: int) -> Source:
    """The pinned source with the certificates by which FFmpeg verifies it; ``now`` is wall time in µs.

    Raises:
        Refused: ``camera_not_verified``: it does not show the certificate that it should, or nothing says
            which one that is.
        Unavailable: ``camera_not_reached``: it does not answer.
        StoreFull, Unavailable: the certificate could not be kept.
    """
    if not source.uses_tls or source.connection.certificate == UNVERIFIED:
        return source
    pinned = source.connection.fingerprint
    if not pinned and rule.ca_file is not None:
        await _shown(source, _by_authority(rule.ca_file), timeout)
        return replace(source, anchor=rule.ca_file, proves=source.name or source.host)
    shown = await _shown(source, _by_nobody(), timeout)
    found = hashlib.sha256(shown).hexdigest()
    if not pinned:
        raise _refused(
            f"nothing says which certificate the camera has; it shows {found}",
            "Compare this with the camera's own page and add #certificate= with it to the source; or set"
            " camera_ca_file to the authority that signed it.",
        )
    if found != pinned:
        raise _refused(
            f"the camera shows the certificate {found} and not the one that was registered",
            "Find out on the camera itself whether it was replaced or renewed; then register the new one.",
        )
    try:
        certificate = x509.load_der_x509_certificate(shown)
        name = _name(certificate)
    except ValueError as error:
        raise _refused(f"the camera's certificate cannot be read: {error}", _RENEW) from error
    _check_own(certificate, name, now)
    anchor = await asyncio.to_thread(_keep, rule.certificates, pinned, certificate)
    return replace(source, anchor=anchor, proves=name)


def tls_of(source: Source) -> dict[str, Any]:
    """How asyncio connects: an encrypted camera is verified as on FFmpeg's connection."""
    if not source.uses_tls:
        return {}
    return {"ssl": context_of(source), "server_hostname": source.name or source.host}


def context_of(source: Source) -> ssl.SSLContext:
    """How our own probe verifies a source that :func:`proven` returned."""
    if source.connection.certificate == UNVERIFIED:
        return _by_nobody()
    if source.anchor is None:
        return ssl.create_default_context()  # not looked at: it is not believed
    context = _by_authority(source.anchor)
    if source.connection.fingerprint:
        context.check_hostname = False  # the certificate itself is what is known
    return context


_RENEW = "Make a new certificate on the camera's own page, then register its SHA-256."


def _by_authority(ca_file: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file))
    except OSError as error:  # ssl.SSLError is one
        raise _refused(
            f"the certificates in {ca_file.name} cannot be read",
            "The setting camera_ca_file names a file of certificates in PEM.",
        ) from error


def _by_nobody() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _shown(source: Source, context: ssl.SSLContext, timeout: float) -> bytes:
    """The certificate (DER) that the camera shows on a connection of its own."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(
                source.host, source.port, ssl=context, server_hostname=source.name or source.host
            )
    except ssl.SSLCertVerificationError as error:
        raise _refused(
            f"the camera's certificate is not accepted: {error.verify_message}",
            "Have it signed by the authority in camera_ca_file for the name in its source, or register its"
            " SHA-256 with #certificate=.",
        ) from error
    except (OSError, TimeoutError) as error:
        raise Unavailable(
            "the camera does not answer over TLS",
            code="camera_not_reached",
            hint="Check its address and port, and that its encrypted service is on.",
        ) from error
    try:
        told = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    return bytes(told or b"")


def _check_own(certificate: x509.Certificate, name: str, now: int) -> None:
    """Whether FFmpeg can take a certificate as its own authority. Raises Refused ``camera_not_verified``."""
    at = datetime.fromtimestamp(now / 1_000_000, UTC)
    if certificate.issuer != certificate.subject:
        raise _refused(
            "the camera's certificate was signed by another, so it cannot be registered by its SHA-256",
            "Set camera_ca_file to the authority that signed it.",
        )
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise _refused("the camera's certificate is not valid today", _RENEW)
    if not name:
        raise _refused("the camera's certificate names nobody", _RENEW)


def _name(certificate: x509.Certificate) -> str:
    """A name that the certificate has, as FFmpeg compares it; "" if it has none. Raises ValueError."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        names = None
    found: list[str] = []
    if names is not None:
        found += names.get_values_for_type(x509.DNSName)
        found += [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    for attribute in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME):
        found.append(str(attribute.value))
    plain = (one for one in found if one.isascii() and one.isprintable() and len(one) <= _MOST_NAME)
    return next((one.replace("*", "camera") for one in plain), "")


def _keep(folder: Path | None, fingerprint: str, certificate: x509.Certificate) -> Path:
    if folder is None:
        raise _refused("there is no folder for the certificates of cameras", "Set spool_dir.")
    path = folder / f"{fingerprint}.pem"
    with disk_errors(path.name):
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            write_durably(path, certificate.public_bytes(Encoding.PEM))
    return path


def _refused(what: str, hint: str) -> Refused:
    return Refused(what, code="camera_not_verified", hint=hint)
