"""The public history of a set of keys: every certificate that was ever in use, and its status.

::

    trust/seal-<16 hex of its fingerprint>.pem   a certificate with its authorities, from its first use on
    trust/<16 hex>.crl                           the newest revocation list of each authority
    trust/history.jsonl                          each activation and revocation, with time and reason

Nothing here is secret, and nothing is ever deleted, because packages sealed years ago are verified with it.
The authority's list, not the history, determines whether a certificate is revoked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from archive import canonical
from archive.canonical import JsonObject
from archive.errors import AlreadyExists, IntegrityError, Malformed, NotFound, Refused
from archive.evidence import papers
from archive.timespan import format_instant, from_datetime, parse_instant
from archive.trust import certificates, revocation
from ops.keys import folder as files
from ops.keys.folder import ROLES, ROOT, TRUST

HISTORY = "history.jsonl"


class Status(StrEnum):
    """The status of a certificate."""

    CURRENT = "current"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One certificate of the set; times in µs.

    ``in_use`` marks the certificate that its role signs with now, revoked or not. ``revoked_since`` is the
    time from which it is not trusted, and ``reason`` the reason; None and "" if it is not revoked.
    ``in_use_from`` is when it was activated here, None if that was not recorded.
    """

    role: str
    certificate: x509.Certificate
    status: Status
    in_use: bool
    in_use_from: int | None
    revoked_since: int | None
    reason: str

    @property
    def sha256(self) -> str:
        """Its fingerprint."""
        return certificates.fingerprint(self.certificate)

    def to_json(self) -> JsonObject:
        """The certificate in its published form."""
        return {
            "role": self.role,
            "status": self.status.value,
            "sha256": self.sha256,
            "subject": certificates.subject(self.certificate),
            "issuer": self.certificate.issuer.rfc4514_string(),
            "serial": f"{self.certificate.serial_number:x}",
            "valid_from": format_instant(instant_of(self.certificate, "from")),
            "valid_until": format_instant(instant_of(self.certificate, "until")),
            "in_use_from": None if self.in_use_from is None else format_instant(self.in_use_from),
            "revoked_since": None if self.revoked_since is None else format_instant(self.revoked_since),
            "reason": self.reason,
        }


def instant_of(certificate: x509.Certificate, edge: str) -> int:
    """A certificate's first (``from``) or last (``until``) instant, µs."""
    moment = certificate.not_valid_before_utc if edge == "from" else certificate.not_valid_after_utc
    return from_datetime(moment)


def current(folder: Path, role: str) -> tuple[x509.Certificate, ...]:
    """The certificate in use and its authorities; empty if the set has none.

    Raises:
        Malformed: ``bad_trust``.
    """
    path = files.certificate_path(folder, role)
    return certificates.load_pem_files([path]) if path.exists() else ()


def roots(folder: Path) -> tuple[x509.Certificate, ...]:
    """The trust roots, the newest first. Raises NotFound ``keys_not_found``, Malformed ``bad_trust``."""
    path = files.certificate_path(folder, ROOT)
    files.read(path)
    return certificates.load_pem_files([path])


def lists(folder: Path) -> tuple[x509.CertificateRevocationList, ...]:
    """The revocation lists kept here. Raises Malformed ``bad_crl``."""
    return revocation.load_files(sorted((folder / TRUST).glob(f"*{papers.LISTS}")))


def keep_certificate(folder: Path, role: str, chain: tuple[x509.Certificate, ...]) -> None:
    """Keep a certificate with its authorities for ever; one that is already kept stays."""
    files.make_folder(folder / TRUST, 0o755)
    path = folder / TRUST / f"{role}-{certificates.fingerprint(chain[0])[:16]}.pem"
    try:
        files.write_public(path, papers.to_pem(chain))
    except AlreadyExists:
        return


def keep_list(folder: Path, crl: x509.CertificateRevocationList) -> None:
    """Keep a list, replacing the authority's earlier list.

    Raises:
        Refused: ``crl_older``: the kept list is newer, or has the same number and another content.
        IntegrityError: ``crl_not_authentic``: no authority of this set made it.
    """
    if not any(revocation.is_authentic(crl, authority) for authority in _authorities(folder)):
        raise IntegrityError(
            "no authority of this set made that revocation list",
            code="crl_not_authentic",
            hint="Import the certificate of the authority first, or ask it for its own list.",
        )
    files.make_folder(folder / TRUST, 0o755)
    path = folder / TRUST / revocation.name_of(crl)
    if path.exists():
        (kept,) = revocation.load_files([path])
        if kept == crl:
            return
        if not revocation.is_newer(crl, kept):
            raise Refused(
                f"the list kept here is number {revocation.number_of(kept)} of "
                f"{kept.last_update_utc:%Y-%m-%d}, and the imported one is not newer",
                code="crl_older",
                hint="An older list would undo a revocation. Ask the authority for its newest.",
            )
    files.replace_public(path, revocation.to_pem(crl))


def note(folder: Path, at: int, action: str, role: str, certificate: x509.Certificate, reason: str) -> None:
    """Add a line to the history, unless its last line says the same."""
    files.make_folder(folder / TRUST, 0o755)
    own = certificates.fingerprint(certificate)
    last = [line for line in history(folder) if line["role"] == role][-1:]
    if last and (last[0]["action"], last[0]["sha256"], last[0]["reason"]) == (action, own, reason):
        return
    line = {
        "v": 1,
        "at": format_instant(at),
        "action": action,
        "role": role,
        "sha256": own,
        "reason": reason,
    }
    path = folder / TRUST / HISTORY
    before = files.read(path) if path.exists() else b""
    files.replace_public(path, before + canonical.encode(line) + b"\n")


def history(folder: Path) -> Iterator[JsonObject]:
    """The history of the keys, oldest first. Raises Malformed ``bad_key_history``."""
    path = folder / TRUST / HISTORY
    if not path.exists():
        return
    for number, line in enumerate(files.read(path).splitlines(), 1):
        try:
            yield canonical.decode(line)
        except Malformed as error:
            raise Malformed(
                f"line {number} of {path} cannot be read",
                code="bad_key_history",
                hint="Restore the file from its backup; the certificates beside it do not need it.",
            ) from error


def certificates_of(folder: Path) -> tuple[Known, ...]:
    """Every certificate of the set, by role; within a role the current one first, then the newest first.

    Raises:
        NotFound: ``keys_not_found``. Malformed: ``bad_trust``, ``bad_crl``.
    """
    anchors, crls = roots(folder), lists(folder)
    begun = {
        line["sha256"]: parse_instant(line["at"])
        for line in reversed(list(history(folder)))
        if line["action"] == "activated"
    }
    found: list[Known] = []
    for role in ROLES:
        now = current(folder, role)
        chains = {certificates.fingerprint(now[0]): now} if now else {}
        for path in sorted((folder / TRUST).glob(f"{role}-*.pem")):
            chain = certificates.load_pem_files([path])
            chains.setdefault(certificates.fingerprint(chain[0]), chain)
        of_role = [_known(role, chain, chain == now, anchors, crls, begun) for chain in chains.values()]
        of_role.sort(key=lambda one: -instant_of(one.certificate, "from"))
        found += sorted(of_role, key=lambda one: not one.in_use)
    return tuple(found)


def find(folder: Path, what: str) -> Known:
    """A role's current certificate, or a certificate by its fingerprint or the beginning of one.

    Raises:
        NotFound: ``certificate_not_found``.
    """
    plain = what.replace(":", "").lower()
    found = [
        one
        for one in certificates_of(folder)
        if (one.role == what and one.in_use) or (len(plain) >= 16 and one.sha256.startswith(plain))
    ]
    if len(found) != 1:
        raise NotFound(
            f"{what} is not a certificate of this set",
            code="certificate_not_found",
            hint="Name seal, log or tsa, or a fingerprint that saksi keys list shows.",
        )
    return found[0]


def _known(
    role: str,
    chain: tuple[x509.Certificate, ...],
    in_use: bool,
    anchors: tuple[x509.Certificate, ...],
    crls: tuple[x509.CertificateRevocationList, ...],
    begun: dict[str, int],
) -> Known:
    certificate = chain[0]
    revoked = [
        one
        for one in revocation.revocations(papers.complete_chain(certificate, (*chain[1:], *anchors)), crls)
        if one.certificate == certificate
    ]
    return Known(
        role=role,
        certificate=certificate,
        status=Status.REVOKED if revoked else Status.CURRENT if in_use else Status.RETIRED,
        in_use=in_use,
        in_use_from=begun.get(certificates.fingerprint(certificate)),
        revoked_since=revoked[0].since if revoked else None,
        reason=revoked[0].reason.value if revoked and revoked[0].reason else "",
    )


def _authorities(folder: Path) -> list[x509.Certificate]:
    found = [*roots(folder)]
    for role in ROLES:
        found += current(folder, role)[1:]
    for path in sorted((folder / TRUST).glob("*.pem")):
        found += certificates.load_pem_files([path])[1:]
    return found
