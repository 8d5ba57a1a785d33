"""Loading a set of keys: signers, authorities, boxes, the public facts, and the expiry dates."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import vault
from archive.clock import Clock
from archive.errors import AlreadyExists, Malformed, Refused
from archive.evidence import papers
from archive.ids import check_name
from archive.ports import Signer, TimestampAuthority
from archive.timespan import format_instant, from_datetime
from archive.trust import certificates, revocation
from archive.trust.seal import FileSigner, PrivateKey
from archive.trust.timestamp import LOCAL_NAME, HttpAuthority, LocalAuthority
from ops.keys import folder as files
from ops.keys import known
from ops.keys.folder import DEVELOPMENT, LOG, NEXT, ROLES, ROOT, SEAL, TSA
from ops.secret_box import FILE as SECRETS

if TYPE_CHECKING:
    import httpx

TSA_SECONDS, TSA_CONNECT_SECONDS = 20.0, 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySet:
    """What ``saksi keys show`` prints: only public facts. ``tsa`` names the time-stamping authority.

    ``log_sha256`` is empty and ``log_not_after`` None in an older set without a log key.
    """

    folder: Path
    trust_root: Path
    root_sha256: str
    signer_subject: str
    signer_sha256: str
    signer_not_after: datetime
    log_sha256: str
    log_not_after: datetime | None
    tsa: str
    development: bool


@dataclass(frozen=True, slots=True)
class Deadline:
    """An expiry ``at`` (µs) in the set: of a certificate, or of a revocation list."""

    what: str
    at: int
    remedy: str


def show(folder: Path, *, tsa_url: str) -> KeySet:
    """The public facts of a set; ``tsa_url`` is the setting, empty for the local authority.

    Raises:
        NotFound: ``keys_not_found``.
    """
    files.read(files.certificate_path(folder, SEAL))
    signer, roots, log = known.current(folder, SEAL)[0], known.roots(folder), known.current(folder, LOG)
    authority = LOCAL_NAME
    if tsa_url:
        with _tsa_client() as client:
            authority = HttpAuthority(tsa_url, client).name
    return KeySet(
        folder=folder,
        trust_root=files.certificate_path(folder, ROOT),
        root_sha256=certificates.fingerprint(roots[0]),
        signer_subject=certificates.subject(signer),
        signer_sha256=certificates.fingerprint(signer),
        signer_not_after=signer.not_valid_after_utc,
        log_sha256=certificates.fingerprint(log[0]) if log else "",
        log_not_after=log[0].not_valid_after_utc if log else None,
        tsa=authority,
        development=DEVELOPMENT in certificates.subject(signer),
    )


def load_signer(folder: Path, *, clock: Clock, passphrases: Path | None = None) -> FileSigner:
    """The seal's signer; ``passphrases`` is the folder with the passphrases of encrypted keys.

    Raises:
        NotFound: ``keys_not_found``.
        Malformed: ``bad_key_file``, ``bad_passphrase``, ``bad_crl``.
        Refused: ``certificate_revoked``: it must not sign any more; ``passphrase_exposed``.
    """
    return _load_signer(folder, SEAL, clock, passphrases)


def load_log_signer(folder: Path, *, clock: Clock, passphrases: Path | None = None) -> FileSigner:
    """The signer of the log's checkpoints. Raises as :func:`load_signer`."""
    return _load_signer(folder, LOG, clock, passphrases)


def load_local_authority(folder: Path, *, clock: Clock, passphrases: Path | None = None) -> LocalAuthority:
    """The local time-stamping authority. Raises as :func:`load_signer`."""
    key, chain = _load_pair(folder, TSA, passphrases)
    return LocalAuthority(key, chain[0], clock)


def load_authority(
    folder: Path, *, tsa_url: str, clock: Clock, passphrases: Path | None = None
) -> TimestampAuthority:
    """The authority that the settings name: the one at ``tsa_url``, or the local one if it is empty."""
    if tsa_url:
        return HttpAuthority(tsa_url, _tsa_client())
    return load_local_authority(folder, clock=clock, passphrases=passphrases)


def _tsa_client() -> "httpx.Client":
    import httpx  # costs 0.3 s of processor time, which a recorder saves

    return httpx.Client(timeout=httpx.Timeout(TSA_SECONDS, connect=TSA_CONNECT_SECONDS))


def load_papers(folder: Path, signer: Signer, *, tsa_url: str) -> Mapping[str, bytes]:
    """The present chains and revocation lists, for ``signatures/certs/`` of a package.

    An outside authority's chain is not among them, because its token contains it.

    Raises:
        NotFound: ``keys_not_found``. Malformed: ``bad_trust``, ``bad_crl``.
        IntegrityError: ``crl_not_authentic``.
    """
    return papers.signature_papers(
        signer,
        roots=known.roots(folder),
        stamp_chain=() if tsa_url else known.current(folder, TSA),
        crls=known.lists(folder),
    )


def load_secret_box(folder: Path) -> vault.FernetBox:
    """The secret box of camera URLs. Raises NotFound ``keys_not_found``, Malformed ``bad_key_file``."""
    return vault.FernetBox(files.read(folder / SECRETS))


def load_or_make_recorder_key(folder: Path, recorder: str) -> Ed25519PrivateKey:
    """A recorder's journal key, made at its first start. Two concurrent starts get the same key.

    Raises:
        Malformed: ``bad_key_file``: the file holds no Ed25519 key.
    """
    path = folder / "recorders" / f"{check_name('recorder', recorder)}.key"
    if not path.exists():
        files.make_folder(path.parent)
        with suppress(AlreadyExists):  # another process was first: its key is the recorder's
            files.write_private(path, files.pkcs8(Ed25519PrivateKey.generate()))
    try:
        key = serialization.load_pem_private_key(files.read(path), None)
    except (ValueError, TypeError) as error:
        raise _bad_recorder_key(path) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise _bad_recorder_key(path)
    return key


def protect(folder: Path, role: str, *, passphrases: Path | None) -> None:
    """Encrypt a private key with its role's passphrase; a key already encrypted with it stays unchanged.

    Raises:
        NotFound: ``keys_not_found``.
        Malformed: ``no_passphrase``: the role has none; ``bad_key_file``: another passphrase encrypts the
            key.
    """
    path = files.key_path(folder, role)
    passphrase = files.passphrase_of(passphrases, role)
    if passphrase is None:
        raise Malformed(
            f"there is no passphrase for {path.name}",
            code="no_passphrase",
            hint=f"Write one into {role}.passphrase, mode 0400, in the folder that passphrase_dir names.",
        )
    key = files.read_key(path, passphrase)
    if not files.is_encrypted(path):
        files.replace_private(path, files.pkcs8(key, passphrase))


def deadlines(folder: Path, *, tsa_url: str) -> Iterator[Deadline]:
    """What expires in the set, and how to renew it; the local authority only if it is used.

    Raises:
        NotFound: ``keys_not_found``. Malformed: ``bad_trust``, ``bad_crl``.
    """
    for role in ROLES:
        own = known.current(folder, role)
        if own and (role != TSA or not tsa_url):
            yield Deadline(
                f"the {role} certificate",
                known.instant_of(own[0], "until"),
                f"saksi keys rotate {role}, or saksi keys csr {role} for an institution's.",
            )
    for root in known.roots(folder)[:1]:
        yield Deadline("the trust root", known.instant_of(root, "until"), "Import one with a new root.")
    for crl in known.lists(folder):
        if crl.next_update_utc is not None:
            yield Deadline(
                f"the revocation list of {crl.issuer.rfc4514_string()}",
                from_datetime(crl.next_update_utc),
                "saksi keys renew-crl, or saksi keys import-crl with the authority's newest.",
            )


def _load_signer(folder: Path, name: str, clock: Clock, passphrases: Path | None) -> FileSigner:
    key, (own, *chain) = _load_pair(folder, name, passphrases)
    return FileSigner(key, own, clock, tuple(chain))


def _load_pair(
    folder: Path, name: str, passphrases: Path | None
) -> tuple[PrivateKey, tuple[x509.Certificate, ...]]:
    """A key and the certificate in use, also during an exchange (:mod:`ops.keys.exchange`, step 4)."""
    files.read(files.certificate_path(folder, name))
    chain = known.current(folder, name)
    passphrase = files.passphrase_of(passphrases, name)
    waiting = files.key_path(folder / NEXT, name)
    path = files.key_path(folder, name)
    if path.exists() or not waiting.exists():
        key = files.read_key(path, passphrase)
        if key.public_key() != chain[0].public_key() and waiting.exists():
            key = files.read_key(waiting, passphrase)
    else:
        key = files.read_key(waiting, passphrase)
    if key.public_key() != chain[0].public_key():
        raise Malformed(
            f"{name}.pem is not the certificate of {name}.key",
            code="bad_key_file",
            hint="Restore both from the same backup.",
        )
    _refuse_revoked(folder, name, chain)
    return key, chain


def _refuse_revoked(folder: Path, name: str, chain: tuple[x509.Certificate, ...]) -> None:
    crls = known.lists(folder)
    if not crls:
        return
    whole = papers.complete_chain(chain[0], (*chain[1:], *known.roots(folder)))
    for one in revocation.revocations(whole, crls):
        raise Refused(
            f"the {name} key must not be used: its chain is revoked since {format_instant(one.since)}",
            code="certificate_revoked",
            hint=f"Exchange it: saksi keys rotate {name}, or saksi keys csr {name} for an institution's.",
        )


def _bad_recorder_key(path: Path) -> Malformed:
    return Malformed(
        f"{path} holds no Ed25519 key",
        code="bad_key_file",
        hint="Restore it from its backup; a new key must be registered by an admin.",
    )
