"""Exchanging a key and its certificate for new ones.

1. The new private key into ``next/<role>.key``; a rotation or request that was begun takes it up again.
2. Its certificate into ``next/<role>.pem``: made by the development authority, or an institution's.
3. The old and the new certificate into ``trust/``, where they stay for ever.
4. ``next/<role>.pem`` takes the place of ``<role>.pem``: **from here on the new one is in use**, and whoever
   loads the pair finds the key where it still lies.
5. ``next/<role>.key`` takes the place of ``<role>.key``; the old private key is gone.
6. A line in ``trust/history.jsonl``.

Each step can be repeated. A crash between any two leaves a set that seals, with the old pair or with the new
one, and the next exchange finishes what was begun (:func:`settle`).
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
    """Step 1: the key that waits for its certificate, made where none waits yet.

    Raises:
        Malformed: ``bad_key_algorithm``, ``bad_key_file``, ``bad_passphrase``.
        Refused: ``passphrase_exposed``.
    """
    path = files.key_path(folder / NEXT, role)
    passphrase = files.passphrase_of(passphrases, role)
    if not path.exists():
        files.make_folder(folder / NEXT)
        # what an earlier key left beside it must be gone first: it would pass the new one off as in use
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
    """Finish step 5 where a crash came before it; does nothing else."""
    waiting = files.key_path(folder / NEXT, role)
    if waiting.exists() and not certificate_awaited(folder, role):
        files.move(waiting, files.key_path(folder, role))
        for beside in (_public_path(folder, role), _request_path(folder, role)):
            beside.unlink(missing_ok=True)


def certificate_awaited(folder: Path, role: str) -> bool:
    """Whether a key waits whose certificate is not in use yet.

    The key may be encrypted, so that what is waited for is told by the public half beside it.
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
    """A signing request (PKCS #10, PEM) for a new key; asked again, the same key is asked for.

    Raises:
        Malformed: ``bad_key_role``, ``bad_key_algorithm``, ``bad_subject``, ``bad_key_file``.
        Refused: ``passphrase_exposed``. Unavailable: ``keys_unwritable``.
    """
    settle(folder, check_role(role))
    key = next_key(folder, role, algorithm, passphrases)
    try:
        made = issuing.signing_request(role, key, organization=organization, name=name)
    except ValueError as error:
        raise Malformed(f"that is no name for a certificate: {error}", code="bad_subject") from error
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
    """Take an institution's certificate into use: for the key of the signing request, or for the current one.

    ``pem`` is the certificate and then its intermediate authorities. ``new_roots`` join the trust roots, in
    front; those of before stay, for the packages of before.

    Raises:
        Malformed: ``bad_certificate``; ``bad_key_role``.
        Refused: ``certificate_unfit``: not of a key that is here, an authority's, for another purpose, not
            valid now, not leading to a trust root, revoked, or of a key that another role has.
        NotFound: ``keys_not_found``: neither trust root nor key is there.
    """
    settle(folder, check_role(role))
    try:
        chain = tuple(x509.load_pem_x509_certificates(pem))
    except (ValueError, x509.InvalidVersion) as error:
        raise Malformed(
            "that is no certificate in PEM form",
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
            f"the certificate is not of the {role} key that waits here, nor of the one in use",
            code="certificate_unfit",
            hint=f"Make a signing request with saksi keys csr {role} and have that one certified.",
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
    """Give up a key that waits for its certificate. Raises NotFound ``no_key_request``."""
    settle(folder, check_role(role))
    waiting = files.key_path(folder / NEXT, role)
    if not waiting.exists():
        raise NotFound(f"no {role} key waits for a certificate", code="no_key_request")
    beside = (_public_path(folder, role), _request_path(folder, role))
    for path in (waiting, files.certificate_path(folder / NEXT, role), *beside):
        path.unlink(missing_ok=True)


def refuse_waiting(folder: Path, role: str) -> None:
    """Raise Conflict ``key_request_waits`` where an institution was asked for a certificate."""
    if certificate_awaited(folder, role) and _request_path(folder, role).exists():
        raise Conflict(
            f"a {role} key waits for an institution's certificate",
            code="key_request_waits",
            hint=f"Import it with saksi keys import {role}, or give it up: saksi keys discard {role}",
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
            hint="Its tokens carry one certificate alone. Use an outside authority: SAKSI_TSA_URL",
        )
    if certificates.is_authority(certificate):
        raise Refused("that is an authority's certificate", code="certificate_unfit")
    for other in ROLES:
        taken = known.current(folder, other) if other != role else ()
        if taken and taken[0].public_key() == certificate.public_key():
            raise Refused(
                f"the {other} key is the same; each key has one purpose",
                code="certificate_unfit",
                hint="What signs every hour by itself must not seal evidence. Ask for another certificate.",
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
