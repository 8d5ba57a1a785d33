"""The papers beside a seal: chains of certificates and revocation lists, in ``signatures/certs/``.

::

    signatures/certs/seal-chain.pem   the sealing certificate, then its authorities, the root last
    signatures/certs/tsa-chain.pem    the same for the time-stamping authority, where it is known beforehand
    signatures/certs/<16 hex>.crl     the newest revocation list of each of those authorities, in PEM form

They are a convenience for a reader who opens the package years later. The seal does not cover them, and
trust never comes from them: a list found here can only count against a certificate
(:mod:`archive.trust.revocation`).
"""

from collections.abc import Iterable, Mapping, Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from archive.errors import IntegrityError
from archive.evidence import paths
from archive.ports import Signer
from archive.trust import certificates, revocation

SEAL_CHAIN = paths.CERTIFICATES + "seal-chain.pem"
STAMP_CHAIN = paths.CERTIFICATES + "tsa-chain.pem"
LISTS = ".crl"


def signature_papers(
    signer: Signer,
    *,
    roots: Sequence[x509.Certificate] = (),
    stamp_chain: Sequence[x509.Certificate] = (),
    crls: Sequence[x509.CertificateRevocationList] = (),
) -> Mapping[str, bytes]:
    """The papers of a package that ``signer`` is about to seal, by path; the same input gives the same bytes.

    ``roots`` complete the chains; ``stamp_chain`` is the time-stamping certificate and its authorities, empty
    where they are not known before the token arrives. ``crls`` of other authorities are left out.

    Raises:
        IntegrityError: ``crl_not_authentic``: a list bears an authority's name but was not signed by it.
        Malformed: ``bad_certificate``.
    """
    own = [certificates.load_der("the signer", der) for der in (signer.certificate_der, *signer.chain_der)]
    seal_chain = complete_chain(own[0], (*own[1:], *roots))
    papers = {SEAL_CHAIN: to_pem(seal_chain)}
    authorities = [*seal_chain[1:]]
    if stamp_chain:
        whole = complete_chain(stamp_chain[0], (*stamp_chain[1:], *roots))
        papers[STAMP_CHAIN] = to_pem(whole)
        authorities += whole[1:]
    for crl in newest_lists(crls):
        namesakes = [authority for authority in authorities if authority.subject == crl.issuer]
        if not namesakes:
            continue
        if not any(revocation.is_authentic(crl, authority) for authority in namesakes):
            raise IntegrityError(
                f"the revocation list of {crl.issuer.rfc4514_string()} was not made by it",
                code="crl_not_authentic",
                hint="Import the list again from the authority itself: saksi keys import-crl",
            )
        papers[paths.CERTIFICATES + revocation.name_of(crl)] = revocation.to_pem(crl)
    return papers


def complete_chain(
    certificate: x509.Certificate, others: Iterable[x509.Certificate]
) -> tuple[x509.Certificate, ...]:
    """The certificate and its issuers, as far as ``others`` has them; trust is not judged here."""
    pool, chain = list(others), [certificate]
    while chain[-1].issuer != chain[-1].subject:
        issuer = next(
            (other for other in pool if is_issued_by(chain[-1], other) and other not in chain), None
        )
        if issuer is None:
            break
        chain.append(issuer)
    return tuple(chain)


def newest_lists(
    crls: Iterable[x509.CertificateRevocationList],
) -> tuple[x509.CertificateRevocationList, ...]:
    """The newest list of every authority, by name."""
    newest: dict[str, x509.CertificateRevocationList] = {}
    for crl in crls:
        name = revocation.name_of(crl)
        if name not in newest or revocation.is_newer(crl, newest[name]):
            newest[name] = crl
    return tuple(newest[name] for name in sorted(newest))


def to_pem(chain: Iterable[x509.Certificate]) -> bytes:
    """A chain as one PEM text."""
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` has the name and the key that the certificate was signed with."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
