"""Exchanging a key and its certificate for new ones.

1. The new private key is written to ``next/<role>.key``; an unfinished rotation or request uses it again.
2. Its certificate is written to ``next/<role>.pem``; the development authority or an institution made it.
3. The old and the new certificate are written to ``trust/``, where they stay for ever.
4. ``next/<role>.pem`` replaces ``<role>.pem``: **from here on the new certificate is in use**, and loading
   the pair finds its key in ``next/``.
5. ``next/<role>.key`` replaces ``<role>.key``; the old private key no longer exists.
6. A line is added to ``trust/history.jsonl``.

Each step can be repeated. After a crash between any two steps the set can seal, with the old pair or with the
new one, and the next exchange finishes the unfinished one (:func:`settle`).
"""

from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archive.errors import Conflict, IntegrityError, Malformed, NotFound, Refused
from archive.evidence import papers
from archive.trust import certificates, revocation
from archive.trust.seal import PrivateKey
from ops.keys import folder as files
from ops.keys import issuing, known
from ops.keys.folder import NEXT, ROLES, ROOT, TSA, check_role


def next_key(folder: Path, role: str, algorithm: str, passphrases: Path | None) -> PrivateKey:
    """Step 1: the key that waits for its certificate; made if none waits.

    Raises:
        Malformed: ``bad_key_algorithm``, ``bad_key_file``, ``bad_passphrase``.
        Refused: ``passphrase_exposed``.
    """
    path = files.key_path(folder / NEXT, role)
    passphrase = files.passphrase_of(passphrases, role)
    if not path.exists():
        files.make_folder(folder / NEXT)
        # first remove the earlier key's public half: it would make the new key appear to be in use
        for stale in (_public_path(folder, role), _request_path(folder, role)):
            stale.unlink(missing_ok=True)
        files.write_private(path, files.pkcs8(files.generate(algorithm), passphrase))
    key = files.read_key(path, passphrase)
    files.replace_public(_public_path(folder, role), _public_pem(key.public_key()))
    return key


def activate(folder: Path, role: str, chain: tuple[x509.Certificate, ...], *, now: int, reason: str) -> None:
    """Steps 2 to 6, for a chain whose key waits in ``next/``."""
    old = known.current(folder, role)
    target = files.certificate_path(folder / NEXT, role)
    files.replace_public(target, papers.to_pem(chain))
    if old:
        known.keep_certificate(folder, role, old)
    known.keep_certificate(folder, role, chain)
    files.move(target, files.certificate_path(folder, role))
    settle(folder, role)
    known.note(folder, now, "activated", role, chain[0], reason)


def settle(folder: Path, role: str) -> None:
    """Finish step 5 if a crash prevented it; do nothing else."""
    waiting = files.key_path(folder / NEXT, role)
    if waiting.exists() and not certificate_awaited(folder, role):
        files.move(waiting, files.key_path(folder, role))
        for beside in (_public_path(folder, role), _request_path(folder, role)):
            beside.unlink(missing_ok=True)


def certificate_awaited(folder: Path, role: str) -> bool:
    """Whether a key waits and its certificate is not in use yet.

    The key may be encrypted, so the public half beside it identifies the certificate that is awaited.
    """
    waiting = files.key_path(folder / NEXT, role)
    if not waiting.exists():
        return False
    own, beside = known.current(folder, role), _public_path(folder, role)
    if not own or not beside.exists():
        return True
    return files.read(beside) != _public_pem(own[0].public_key())


def request_certificate(
    folder: Path,
    role: str,
    *,
    organization: str,
    name: str,
    algorithm: str = files.P256,
    passphrases: Path | None = None,
) -> bytes:
    """A signing request (PKCS #10, PEM) for a new key; a repeated call requests the same key.

    Raises:
        Malformed: ``bad_key_role``, ``bad_key_algorithm``, ``bad_subject``, ``bad_key_file``.
        Refused: ``passphrase_exposed``. Unavailable: ``keys_unwritable``.
    """
    settle(folder, check_role(role))
    key = next_key(folder, role, algorithm, passphrases)
    try:
        made = issuing.signing_request(role, key, organization=organization, name=name)
    except ValueError as error:
        raise Malformed(f"the name cannot stand in a certificate: {error}", code="bad_subject") from error
    pem = made.public_bytes(Encoding.PEM)
    files.replace_public(_request_path(folder, role), pem)
    return pem


def import_certificate(
    folder: Path,
    role: str,
    pem: bytes,
    *,
    now: int,
    new_roots: tuple[x509.Certificate, ...] = (),
    passphrases: Path | None = None,
) -> known.Known:
    """Take an institution's certificate into use, for the key of the signing request or for the current key.

    ``pem`` is the certificate and then its intermediate authorities. ``new_roots`` are added in front of the
    trust roots; the earlier roots stay, for the earlier packages.

    Raises:
        Malformed: ``bad_certificate``; ``bad_key_role``.
        Refused: ``certificate_unfit``: it does not belong to a key in this set, is an authority's
            certificate, has another purpose, is not valid now, does not lead to a trust root, is revoked, or
            belongs to a key that another role uses.
        NotFound: ``keys_not_found``: the set has no trust root, or no key.
    """
    settle(folder, check_role(role))
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem))
    except (ValueError, x509.InvalidVersion) as error:
        raise Malformed(
            "the input is not a certificate in PEM form",
            code="bad_certificate",
            hint="openssl x509 -inform DER -in FILE -out FILE.pem turns DER into PEM.",
        ) from error
    certificate, *others = (
        certificates.load_der("the imported PEM", c.public_bytes(Encoding.DER)) for c in chain
    )
    before = () if new_roots and not files.certificate_path(folder, ROOT).exists() else known.roots(folder)
    anchors = tuple(dict.fromkeys((*new_roots, *before)))
    _check_fit(folder, role, certificate, others, anchors, now)
    waiting = _key_matches(folder / NEXT, role, certificate, passphrases)
    if not waiting and not _key_matches(folder, role, certificate, passphrases):
        raise Refused(
            f"the certificate belongs neither to the waiting {role} key nor to the one in use",
            code="certificate_unfit",
            hint=f"Make a signing request with saksi keys csr {role} and have it certified.",
        )
    if new_roots:
        files.replace_public(files.certificate_path(folder, ROOT), papers.to_pem(anchors))
    kept = (certificate, *(other for other in others if other not in anchors))
    if waiting:
        activate(folder, role, kept, now=now, reason="imported")
    else:
        _renew(folder, role, kept, now)
    return known.find(folder, role)


def _renew(folder: Path, role: str, chain: tuple[x509.Certificate, ...], now: int) -> None:
    """Another certificate for the key in use."""
    old = known.current(folder, role)
    if old:
        known.keep_certificate(folder, role, old)
    known.keep_certificate(folder, role, chain)
    files.replace_public(files.certificate_path(folder, role), papers.to_pem(chain))
    known.note(folder, now, "activated", role, chain[0], "imported")


def discard_request(folder: Path, role: str) -> None:
    """Discard a key that waits for its certificate. Raises NotFound ``no_key_request``."""
    settle(folder, check_role(role))
    waiting = files.key_path(folder / NEXT, role)
    if not waiting.exists():
        raise NotFound(f"no {role} key waits for a certificate", code="no_key_request")
    beside = (_public_path(folder, role), _request_path(folder, role))
    for path in (waiting, files.certificate_path(folder / NEXT, role), *beside):
        path.unlink(missing_ok=True)


def refuse_waiting(folder: Path, role: str) -> None:
    """Raise Conflict ``key_request_waits`` if an institution has a request for a certificate."""
    if certificate_awaited(folder, role) and _request_path(folder, role).exists():
        raise Conflict(
            f"a {role} key waits for an institution's certificate",
            code="key_request_waits",
            hint=f"Import it with saksi keys import {role}, or discard the key: saksi keys discard {role}",
        )


def _check_fit(
    folder: Path,
    role: str,
    certificate: x509.Certificate,
    others: list[x509.Certificate],
    anchors: tuple[x509.Certificate, ...],
    now: int,
) -> None:
    check = certificates.check_stamp_chain if role == TSA else certificates.check_seal_chain
    try:
        chain = check(certificate, others, anchors, now)
        revocation.check_seal(chain, known.lists(folder), None)
    except IntegrityError as error:
        raise Refused(error.message, code="certificate_unfit", hint=error.hint) from error
    if role == TSA and len(chain) > 2:
        raise Refused(
            "a trust root must have issued the certificate of the local authority itself",
            code="certificate_unfit",
            hint="Its tokens carry only one certificate. Use an outside authority: SAKSI_TSA_URL",
        )
    if certificates.is_authority(certificate):
        raise Refused("the certificate is an authority's", code="certificate_unfit")
    for other in ROLES:
        taken = known.current(folder, other) if other != role else ()
        if taken and taken[0].public_key() == certificate.public_key():
            raise Refused(
                f"the {other} key is the same key; each key has one purpose",
                code="certificate_unfit",
                hint="A key that signs every hour unattended must not seal evidence. Get another one.",
            )


def _key_matches(folder: Path, role: str, certificate: x509.Certificate, passphrases: Path | None) -> bool:
    path = files.key_path(folder, role)
    if not path.exists():
        return False
    key = files.read_key(path, files.passphrase_of(passphrases, role))
    return key.public_key() == certificate.public_key()


def _public_pem(key: CertificatePublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _public_path(folder: Path, role: str) -> Path:
    return folder / NEXT / f"{role}.pub.pem"


def _request_path(folder: Path, role: str) -> Path:
    return folder / NEXT / f"{role}.csr"
