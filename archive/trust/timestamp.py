"""Time-stamping authorities (RFC 3161): one reached over HTTP, and one on this machine.

The local authority keeps a package verifiable where the city has no authority. Its name ``local`` warns the
reader: root on this machine could back-date with it. A setting selects an outside authority.
"""

import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from asn1crypto import algos, cms, core, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, Refused, Unavailable
from archive.timespan import as_datetime
from archive.trust import certificates, token
from archive.trust.seal import PrivateKey

if TYPE_CHECKING:
    import httpx

LOCAL_NAME = "local"
LOCAL_POLICY = "1.3.6.1.4.1.99999.1.1"
"""The local authority's policy: an arc reserved for examples, since no city has registered its own."""

_MAX_REPLY = 1 << 20


@dataclass(frozen=True)
class HttpAuthority:
    """:class:`archive.ports.TimestampAuthority` behind a URL. The HTTP client has its own time limits.

    Only a hash leaves the machine.

    Raises:
        Malformed: ``bad_tsa_url``.
    """

    url: str
    client: "httpx.Client"

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise Malformed(
                "the time-stamping authority's URL is not http or https",
                code="bad_tsa_url",
                hint="It looks like https://tsa.example/tsr.",
            )

    @property
    def name(self) -> str:
        """The authority's host and path, without credentials."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.hostname}{port}{parts.path.rstrip('/')}"

    def stamp(self, data: bytes) -> bytes:
        """A DER TimeStampResp over SHA-256 of ``data``, checked to answer exactly this request.

        Raises:
            Unavailable: ``tsa_unavailable``: no answer, a refusal, or an answer that is not a token for
                ``data``.
        """
        import httpx  # costs 0.3 s of processor time, which a recorder saves

        request = TimestampRequestBuilder().data(data).hash_algorithm(HashAlgorithm.SHA256)
        asked = request.nonce(nonce=True).cert_request(cert_request=True).build()
        try:
            reply = self.client.post(
                self.url,
                content=asked.as_bytes(),
                headers={
                    "Content-Type": "application/timestamp-query",
                    "Accept": "application/timestamp-reply",
                },
            )
            reply.raise_for_status()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._unavailable(f"does not answer: {error or type(error).__name__}") from error
        if len(reply.content) > _MAX_REPLY:
            raise self._unavailable("does not answer with a token")
        try:
            answer = token.decode("the authority's answer", reply.content)
            token.check_imprint("the authority's answer", answer, data)
        except (Malformed, IntegrityError) as error:
            raise self._unavailable(f"does not give a token: {error.message}") from error
        if answer.nonce != asked.nonce:
            raise self._unavailable("answers a different request")
        return reply.content

    def _unavailable(self, what: str) -> Unavailable:
        return Unavailable(
            f"the time-stamping authority {self.name} {what}",
            code="tsa_unavailable",
            hint="The seal is valid without it; the token is fetched later.",
        )


@dataclass(frozen=True)
class LocalAuthority:
    """:class:`archive.ports.TimestampAuthority` with a key on this machine, named ``local``.

    Serial numbers are 63 random bits, so that no counter has to survive a crash. The token carries one
    certificate: strict readers check the order of a DER set, and a set of one is always in order.

    Raises:
        Malformed: ``bad_key_file`` when the certificate does not belong to the key.
    """

    key: PrivateKey
    certificate: x509.Certificate
    clock: Clock

    def __post_init__(self) -> None:
        if self.certificate.public_key() != self.key.public_key():
            raise Malformed("the authority's certificate does not belong to its key", code="bad_key_file")

    @property
    def name(self) -> str:
        """``local``."""
        return LOCAL_NAME

    def stamp(self, data: bytes) -> bytes:
        """A DER TimeStampResp over SHA-256 of ``data``, accurate to one second by the machine's clock.

        Raises:
            Unavailable: ``tsa_unavailable``: the authority's certificate is not valid today.
        """
        try:
            certificates.check_valid(self.certificate, self.clock.now())
        except Refused as error:
            raise Unavailable(error.message, code="tsa_unavailable", hint=error.hint) from error
        certificate = asn1_x509.Certificate.load(certificates.to_der(self.certificate))
        # GeneralizedTime in whole seconds; truncated, so that it is never later than the real time
        moment = as_datetime(self.clock.now()).replace(microsecond=0)
        info = tsp.TSTInfo(
            {
                "version": "v1",
                "policy": LOCAL_POLICY,
                "message_imprint": {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "hashed_message": sha256(data).digest(),
                },
                "serial_number": secrets.randbits(63) | 1,
                "gen_time": core.GeneralizedTime(moment),
                "accuracy": {"seconds": 1},
                "tsa": asn1_x509.GeneralName(name="directory_name", value=certificate.subject),
            }
        ).dump()
        attributes = cms.CMSAttributes(
            [
                _attribute("content_type", "tst_info"),
                _attribute("message_digest", sha256(info).digest()),
                _attribute("signing_certificate_v2", _own_certificate(certificate)),
            ]
        )
        signed = cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": "sha256"}],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": core.ParsableOctetString(info),
                },
                "certificates": [certificate],
                "signer_infos": [self._signer_info(certificate, attributes)],
            }
        )
        answer = tsp.TimeStampResp(
            {
                "status": {"status": "granted"},
                "time_stamp_token": {"content_type": "signed_data", "content": signed},
            }
        )
        return bytes(answer.dump())

    def _signer_info(
        self, certificate: asn1_x509.Certificate, attributes: cms.CMSAttributes
    ) -> dict[str, Any]:
        message = attributes.dump()
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            name, signature = "sha256_ecdsa", self.key.sign(message, ec.ECDSA(SHA256()))
        else:
            name, signature = "sha256_rsa", self.key.sign(message, padding.PKCS1v15(), SHA256())
        return {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                {"issuer": certificate.issuer, "serial_number": certificate.serial_number},
            ),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": name}),
            "signature": signature,
        }


def _attribute(name: str, value: Any) -> cms.CMSAttribute:
    return cms.CMSAttribute({"type": name, "values": [value]})


def _own_certificate(certificate: asn1_x509.Certificate) -> tsp.SigningCertificateV2:
    named = {
        "hash_algorithm": {"algorithm": "sha256"},
        "cert_hash": sha256(certificate.dump()).digest(),
    }
    return tsp.SigningCertificateV2({"certs": [named]})
