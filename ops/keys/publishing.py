"""What a city publishes about its keys, so that a court can compare: text, JSON, QR, certificates, lists.

::

    fingerprints.txt     for the decree and the city's site: Indonesian first, English second
    fingerprints.json    the same for programs
    fingerprints.svg     a QR code of the fingerprints now in use
    root.pem             the trust roots
    seal-….pem log-….pem tsa-….pem    every certificate that was ever in use
    ….crl                revocation lists

A fingerprint proves something only if it comes from a source other than the package: the city's site, a
decree, or the handover report.
"""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed
from archive.evidence import papers
from archive.timespan import format_instant
from archive.trust import certificates, revocation
from ops.keys import folder as files
from ops.keys import known
from ops.keys.folder import DEVELOPMENT
from ops.keys.known import Known, Status

TEXT, JSON, QR, ROOTS = "fingerprints.txt", "fingerprints.json", "fingerprints.svg", "root.pem"

_ROLES = {
    "seal": ("segel paket bukti", "seal of evidence packages"),
    "log": ("log arsip", "log of the archive"),
    "tsa": ("penanda waktu setempat", "local time stamp"),
}
_STATUS = {
    Status.CURRENT: ("dipakai", "in use"),
    Status.RETIRED: (
        "tidak dipakai lagi, tetap sah untuk paket lama",
        "retired, still valid for old packages",
    ),
    Status.REVOKED: ("DICABUT", "REVOKED"),
}


def publication(folder: Path, *, organization: str, clock: Clock) -> Mapping[str, bytes]:
    """Everything to publish, by file name.

    Raises:
        NotFound: ``keys_not_found``. Malformed: ``bad_trust``, ``bad_crl``, ``bad_key_history``.
    """
    found, roots, now = known.certificates_of(folder), known.roots(folder), clock.now()
    stated: dict[str, Any] = {
        "v": 1,
        "organization": organization,
        "published_at": format_instant(now),
        "development": any(DEVELOPMENT in certificates.subject(one.certificate) for one in found),
        "roots": [
            {
                "sha256": certificates.fingerprint(root),
                "subject": certificates.subject(root),
                "valid_until": format_instant(known.instant_of(root, "until")),
            }
            for root in roots
        ],
        "certificates": [one.to_json() for one in found],
    }
    parts = {
        TEXT: "\n".join(_text(stated, found)).encode() + b"\n",
        JSON: json.dumps(stated, ensure_ascii=False, indent=2).encode() + b"\n",
        QR: _qr(found),
        ROOTS: papers.to_pem(roots),
    }
    for one in found:
        parts[f"{one.role}-{one.sha256[:16]}.pem"] = papers.to_pem([one.certificate])
    for crl in known.lists(folder):
        parts[revocation.name_of(crl)] = revocation.to_pem(crl)
    return parts


def publish(folder: Path, output: Path, *, organization: str, clock: Clock) -> tuple[str, ...]:
    """Write the publication into a new or empty folder; returns the names of its files.

    Raises:
        AlreadyExists: ``output_exists``. Malformed: ``output_unwritable``. And as :func:`publication`.
    """
    parts = publication(folder, organization=organization, clock=clock)
    if output.exists() and any(output.iterdir()):
        raise AlreadyExists(
            f"{output} is not empty",
            code="output_exists",
            hint="Choose another name; nothing is overwritten.",
        )
    if not output.parent.exists():
        raise Malformed(f"the folder of {output} does not exist", code="output_unwritable")
    files.make_folder(output, 0o755)
    for name, content in parts.items():
        files.write_public(output / name, content)
    return tuple(parts)


def grouped(sha256: str) -> str:
    """A fingerprint in the form of ``openssl``: pairs with colons, upper case, easy to read aloud."""
    return ":".join(sha256[at : at + 2] for at in range(0, len(sha256), 2)).upper()


def _text(stated: Mapping[str, Any], found: tuple[Known, ...]) -> Iterator[str]:
    yield f"SIDIK JARI SERTIFIKAT / CERTIFICATE FINGERPRINTS - {stated['organization']}"
    yield f"Diterbitkan / published: {stated['published_at']}"
    if stated["development"]:
        yield "PERHATIAN: kunci PENGEMBANGAN, bukan untuk pengadilan / DEVELOPMENT keys, not for court"
    yield ""
    yield "Cocokkan sidik jari SHA-256 ini dengan yang tercetak pada berita acara dan yang ditampilkan"
    yield "openssl x509 -noout -fingerprint -sha256. / Compare with the handover report and with openssl."
    for one in found:
        (role, role_en), (status, status_en) = _ROLES[one.role], _STATUS[one.status]
        facts = one.to_json()
        yield ""
        yield f"[{one.role}] {role} / {role_en}: {status} / {status_en}"
        half = len(grouped(one.sha256)) // 2 + 1
        yield f"  SHA-256   {grouped(one.sha256)[:half]}"
        yield f"            {grouped(one.sha256)[half:]}"
        yield f"  subjek / subject        {facts['subject']}"
        yield f"  penerbit / issuer       {facts['issuer']}"
        yield f"  berlaku / valid         {facts['valid_from']} - {facts['valid_until']}"
        if one.in_use_from is not None:
            yield f"  dipakai sejak / in use  {facts['in_use_from']}"
        if one.revoked_since is not None:
            yield f"  dicabut sejak / revoked {facts['revoked_since']} ({one.reason or '-'})"
            yield "  Paket yang lebih dahulu disegel tetap sah. / Packages stamped before that stay valid."
    for root in stated["roots"]:
        yield ""
        yield f"[root] akar kepercayaan / trust root: {root['subject']}"
        half = len(grouped(root["sha256"])) // 2 + 1
        yield f"  SHA-256   {grouped(root['sha256'])[:half]}"
        yield f"            {grouped(root['sha256'])[half:]}"


def _qr(found: tuple[Known, ...]) -> bytes:
    """A QR code of the fingerprints in use: ``SAKSI1``, then one line ``<role> <hex>`` for each."""
    import segno  # costs 1 MiB, which a recorder saves

    lines = ["SAKSI1", *(f"{one.role} {one.sha256}" for one in found if one.status is Status.CURRENT)]
    out = io.BytesIO()
    segno.make_qr("\n".join(lines), error="m").save(out, kind="svg", scale=6, border=4)
    return out.getvalue()
