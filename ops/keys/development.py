"""The development authority of a set: it makes the keys, exchanges them, and revokes.

Everything it signs says DEVELOPMENT in its subject. This module makes nothing for a set without ``root.key``,
such as an institution's: the institution's authority issues and revokes.
"""

from pathlib import Path

from cryptography import x509

from archive.clock import Clock
from archive.errors import AlreadyExists, Conflict, Malformed, Refused
from archive.evidence import papers
from archive.trust import certificates, revocation
from archive.trust.seal import PrivateKey
from ops.keys import exchange, issuing, known
from ops.keys import folder as files
from ops.keys.folder import LOG, P256, ROLES, ROOT, check_role
from ops.keys.loading import KeySet, show
from ops.secret_box import load_or_make_secret_box


def init(folder: Path, *, clock: Clock, algorithm: str = P256, passphrases: Path | None = None) -> KeySet:
    """Make a development set in a folder that has none; an existing secret box stays.

    Raises:
        AlreadyExists: ``keys_exist``: a key exists already; keys are never overwritten.
        Malformed: ``bad_key_algorithm``, ``bad_passphrase``. Refused: ``passphrase_exposed``.
        Unavailable: ``keys_unwritable``.
    """
    made = [path for name in (ROOT, *ROLES) if (path := files.key_path(folder, name)).exists()]
    if made:
        raise AlreadyExists(
            f"{made[0]} exists already",
            code="keys_exist",
            hint="Keys are never overwritten. Keep a backup of them, and name another folder for a new set.",
        )
    now = clock.now()
    keys = {name: files.generate(algorithm) for name in (ROOT, *ROLES)}
    phrases = {name: files.passphrase_of(passphrases, name) for name in keys}
    root = issuing.root_certificate(keys[ROOT], now)
    made_now = {
        role: issuing.leaf_certificate(role, keys[role].public_key(), root, keys[ROOT], now) for role in ROLES
    }
    files.make_folder(folder)
    for name, certificate in {ROOT: root, **made_now}.items():
        files.write_private(files.key_path(folder, name), files.pkcs8(keys[name], phrases[name]))
        files.write_public(files.certificate_path(folder, name), papers.to_pem([certificate]))
    for role, certificate in made_now.items():
        known.keep_certificate(folder, role, (certificate,))
        known.note(folder, now, "activated", role, certificate, "made")
    renew_list(folder, clock=clock, passphrases=passphrases)
    load_or_make_secret_box(folder)
    return show(folder, tsa_url="")


def complete(folder: Path, *, clock: Clock, passphrases: Path | None = None) -> KeySet:
    """Add the log key that an older set lacks; the set's root key signs it.

    Raises:
        AlreadyExists: ``keys_exist``: the set has a log key.
        NotFound: ``keys_not_found``: there is no set, or its root key is an institution's.
        Malformed: ``bad_key_file``: the root key is not that of ``root.pem``.
    """
    if files.key_path(folder, LOG).exists():
        raise AlreadyExists(f"{folder} has a log key already", code="keys_exist")
    root, root_key = _authority(folder, passphrases)
    key = files.generate(P256)
    certificate = issuing.leaf_certificate(LOG, key.public_key(), root, root_key, clock.now())
    files.write_private(files.key_path(folder, LOG), files.pkcs8(key, files.passphrase_of(passphrases, LOG)))
    files.write_public(files.certificate_path(folder, LOG), papers.to_pem([certificate]))
    known.keep_certificate(folder, LOG, (certificate,))
    known.note(folder, clock.now(), "activated", LOG, certificate, "made")
    return show(folder, tsa_url="")


def rotate(
    folder: Path,
    role: str,
    *,
    clock: Clock,
    algorithm: str = P256,
    passphrases: Path | None = None,
) -> known.Known:
    """Exchange a key for a new one (:mod:`ops.keys.exchange`); an unfinished rotation is finished.

    Raises:
        NotFound: ``keys_not_found``: there is no set, or its root key is an institution's.
        Conflict: ``key_request_waits``: an institution has a request for the next certificate.
        Malformed: ``bad_key_role``, ``bad_key_algorithm``, ``bad_key_file``, ``bad_passphrase``.
    """
    exchange.settle(folder, check_role(role))
    exchange.refuse_waiting(folder, role)
    root, root_key = _authority(folder, passphrases)
    key = exchange.next_key(folder, role, algorithm, passphrases)
    certificate = issuing.leaf_certificate(role, key.public_key(), root, root_key, clock.now())
    exchange.activate(folder, role, (certificate,), now=clock.now(), reason="rotated")
    return known.find(folder, role)


def revoke(
    folder: Path,
    what: str,
    *,
    reason: str,
    clock: Clock,
    since: int | None = None,
    passphrases: Path | None = None,
) -> known.Known:
    """Revoke a certificate of the development authority, now.

    ``since`` (µs) is the time from which the key is not trusted, if that is earlier.

    Packages stamped before that time stay valid. If the revoked certificate is in use, nothing more is sealed
    until the key is exchanged.

    Raises:
        NotFound: ``certificate_not_found``, ``keys_not_found``.
        Malformed: ``bad_reason``; ``bad_since``: it is in the future.
        Conflict: ``already_revoked``.
        Refused: ``not_our_certificate``: another authority issued it; import that authority's list instead.
    """
    if reason not in issuing.REASONS:
        raise Malformed(
            f"{reason!r} is not a reason to revoke",
            code="bad_reason",
            hint=f"The reasons are {', '.join(issuing.REASONS)}.",
        )
    now = clock.now()
    if since is not None and since > now:
        raise Malformed("the time from which a key is in doubt cannot be in the future", code="bad_since")
    found = known.find(folder, what)
    if found.revoked_since is not None:
        raise Conflict(f"the certificate {found.sha256} is revoked already", code="already_revoked")
    root, root_key = _authority(folder, passphrases)
    if papers.complete_chain(found.certificate, (root,))[-1] != root:
        raise Refused(
            f"another authority issued the certificate {found.sha256}",
            code="not_our_certificate",
            hint="Ask that authority to revoke it, and import its list: saksi keys import-crl",
        )
    entry = issuing.revoked_entry(found.certificate.serial_number, at=now, since=since, reason=reason)
    _write_list(folder, root, root_key, [entry], now)
    known.note(folder, now, "revoked", found.role, found.certificate, reason)
    return next(one for one in known.certificates_of(folder) if one.certificate == found.certificate)


def renew_list(folder: Path, *, clock: Clock, passphrases: Path | None = None) -> None:
    """Renew the development authority's revocation list with all its entries.

    Raises:
        NotFound: ``keys_not_found``: the set has no root key. Malformed: ``bad_key_file``.
    """
    root, root_key = _authority(folder, passphrases)
    _write_list(folder, root, root_key, [], clock.now())


def _write_list(
    folder: Path,
    root: x509.Certificate,
    root_key: PrivateKey,
    more: list[x509.RevokedCertificate],
    now: int,
) -> None:
    own = [crl for crl in known.lists(folder) if revocation.is_authentic(crl, root)]
    entries = [entry for crl in own for entry in crl]
    number = 1 + max((revocation.number_of(crl) for crl in own), default=0)
    made = issuing.revocation_list(root, root_key, [*entries, *more], number=number, now=now)
    known.keep_list(folder, made)


def _authority(folder: Path, passphrases: Path | None) -> tuple[x509.Certificate, PrivateKey]:
    """The development root and its key."""
    roots = known.roots(folder)
    key = files.read_key(files.key_path(folder, ROOT), files.passphrase_of(passphrases, ROOT))
    for root in roots:
        if root.public_key() == key.public_key() and files.DEVELOPMENT in certificates.subject(root):
            return root, key
    raise Malformed(
        "root.key is not the development root of root.pem",
        code="bad_key_file",
        hint="Have the institution that issued root.pem issue the certificate: saksi keys csr",
    )
