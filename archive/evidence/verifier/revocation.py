"""Judges a package's signatures by revocation lists, and checks the papers beside the seal that carry them.

A list counts only if an authority of the chain signed it. A list can only count against a signature, never
for it: the reader supplies lists, and lists inside a package are used in addition. A seal stamped before its
certificate's revocation stays valid. A stamp stays valid only if its key was retired in order after it.
"""

from __future__ import annotations

from collections.abc import Sequence

from archive.evidence.verifier import times
from archive.evidence.verifier.certificate import Certificate, read_pem
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.der import BadDer
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import Openssl
from archive.evidence.verifier.revocation_list import RevocationList, Revoked, read

FOLDER = "signatures/certs/"
SEAL_CHAIN, STAMP_CHAIN = FOLDER + "seal-chain.pem", FOLDER + "tsa-chain.pem"
_IN_ORDER = {0, 3, 4, 5}
"""unspecified, affiliationChanged, superseded, cessationOfOperation."""
_CRL_SIGN = 0x02


Chain = Sequence[tuple[Certificate, Sequence[Certificate]]]
"""Certificates from the signer's upwards, each with its possible issuers."""


def packaged(notebook: Notebook) -> list[RevocationList]:
    """The readable lists of a package; :func:`check_papers` reports the others."""
    found: list[RevocationList] = []
    for path in _papers(notebook):
        if path.endswith(".crl"):
            try:
                found += _lists_in(notebook, path)
            except (Broken, Unreadable):
                continue
    return found


def chain_of(own: Certificate, others: Sequence[Certificate], roots: Sequence[Certificate]) -> Chain:
    """The chain upwards by names, without the root: the reader decides whether to trust the root."""
    found: list[tuple[Certificate, Sequence[Certificate]]] = []
    current = own
    while current.issuer != current.subject and len(found) < 10:
        issuers = [one for one in (*others, *roots) if one.subject == current.issuer]
        found.append((current, issuers))
        if not issuers or issuers[0] in roots:
            break
        current = issuers[0]
    return found


def check_seal(
    program: Openssl, chain: Chain, lists: Sequence[RevocationList], stamped: int | None
) -> list[str]:
    """Revocations after the stamp, which leave the seal valid. Raises Broken ``certificate_revoked``."""
    later: list[str] = []
    for certificate, revoked in _revocations(program, chain, lists):
        words = f"{certificate.subject_text} since {_show(revoked.since)}"
        if stamped is None:
            raise Broken("certificate_revoked", f"{words}; no trusted stamp proves that it sealed before")
        if stamped >= revoked.since:
            raise Broken("certificate_revoked", f"{words}; it sealed at {_show(stamped)}")
        later.append(words)
    return later


def check_stamp(program: Openssl, chain: Chain, lists: Sequence[RevocationList], stamped: int) -> list[str]:
    """Like :func:`check_seal`, for a time stamp: its own time is only as trustworthy as its key."""
    later: list[str] = []
    for certificate, revoked in _revocations(program, chain, lists):
        words = f"{certificate.subject_text} since {_show(revoked.since)}"
        if revoked.reason not in _IN_ORDER or stamped >= revoked.since:
            raise Broken("certificate_revoked", f"{words}; it stamped at {_show(stamped)}")
        later.append(words)
    return later


def check_outside(
    notebook: Notebook, program: Openssl, path: str, chain: Chain, lists: Sequence[RevocationList], at: int
) -> None:
    """If the reader supplied lists: check that one is from the signer's authority and not out of date."""
    if not lists or not chain:
        return
    certificate, issuers = chain[0]
    own = [one for one in lists if any(is_authentic(program, one, issuer) for issuer in issuers)]
    if not own:
        notebook.find("revocation_unknown", path, certificate.subject_text)
        return
    newest = max(own, key=lambda one: (one.number, one.made))
    if newest.until is not None and newest.until < at:
        notebook.find("crl_stale", path, f"its next update was due by {_show(newest.until)}")


def check_papers(
    notebook: Notebook, program: Openssl, roots: Sequence[Certificate], others: Sequence[Certificate]
) -> None:
    """Check that everything under ``signatures/certs/`` is what its name says, and is of this package."""
    authorities = [*roots, *others]
    lists: dict[str, bytes] = {}
    for path in _papers(notebook):
        try:
            data = notebook.container.small(path)
            if path.endswith(".crl"):
                lists[path] = data
            elif path in (SEAL_CHAIN, STAMP_CHAIN):
                chain = read_chain(program, data)
                authorities += chain[1:]
                own = notebook.signer if path == SEAL_CHAIN else notebook.tsa
                known = [*roots, *others, chain[-1]]
                if not any(is_issued(program, chain[-1], one) for one in known):
                    notebook.find(
                        "paper_foreign", path, "its last certificate is not of an authority used here"
                    )
                if own is not None and chain[0] != own:
                    notebook.find("paper_foreign", path, "it is another certificate's chain")
            else:
                notebook.find("paper_foreign", path, "a file of this name does not belong beside a seal")
        except Unreadable as error:
            notebook.find("unreadable_part", path, str(error))
        except Broken as error:
            notebook.object_to(path, error)
    for path, data in lists.items():
        try:
            _check_list(program, _lists_in(notebook, path), path, data, authorities)
        except Unreadable as error:
            notebook.find("unreadable_part", path, str(error))
        except Broken as error:
            notebook.object_to(path, error)


def check_present(notebook: Notebook, program: Openssl) -> None:
    """If a package has papers at all: check that its chains and a revocation list are among them."""
    there = _papers(notebook)
    if not there:
        return
    if SEAL_CHAIN not in there:
        notebook.find("paper_missing", SEAL_CHAIN)
        return
    try:
        authorities = read_chain(program, notebook.container.small(SEAL_CHAIN))[1:]
    except (Broken, Unreadable):
        return  # reported already
    if authorities and not any(path.endswith(".crl") for path in there):
        notebook.find("paper_missing", FOLDER, "a revocation list")
    if STAMP_CHAIN in there or notebook.tsa is None:
        return
    if any(is_issued(program, notebook.tsa, one) for one in authorities):
        notebook.find("paper_missing", STAMP_CHAIN)


def _lists_in(notebook: Notebook, path: str) -> list[RevocationList]:
    """The lists in a part; a verification reads each part only once. Raises Broken, Unreadable."""
    if path not in notebook.lists:
        try:
            notebook.lists[path] = read(notebook.container.small(path))
        except (Broken, Unreadable) as error:
            notebook.lists[path] = error
    found = notebook.lists[path]
    if isinstance(found, (Broken, Unreadable)):
        raise found.with_traceback(None)  # else each raise would lengthen the traceback
    return found


def _check_list(
    program: Openssl,
    found: list[RevocationList],
    path: str,
    data: bytes,
    authorities: Sequence[Certificate],
) -> None:
    if len(found) != 1 or found[0].pem != data:
        raise Broken("bad_crl", "it is not exactly one list in PEM form")
    if not any(is_authentic(program, found[0], authority) for authority in authorities):
        raise Broken("crl_not_authentic")
    if not path.rsplit("/", 1)[-1].startswith(found[0].name):
        raise Broken("paper_foreign", "it is the list of another authority")


def read_chain(program: Openssl, data: bytes) -> list[Certificate]:
    """Read certificates in PEM form and nothing else, each issued by the next. Raises Broken."""
    try:
        chain = read_pem(data)
    except BadDer as error:
        raise Broken("bad_certificate", str(error)) from error
    if b"".join(one.pem for one in chain) != data:
        raise Broken("bad_certificate", "it holds more than certificates in PEM form")
    own = chain[-1:] if chain[-1].issuer == chain[-1].subject else []
    for certificate, issuer in zip(chain, [*chain[1:], *own]):  # a root must have signed itself
        if not is_issued(program, certificate, issuer):
            raise Broken("bad_certificate", f"{issuer.subject_text} did not issue {certificate.subject_text}")
    return chain


def is_issued(program: Openssl, certificate: Certificate, issuer: Certificate) -> bool:
    """Whether ``issuer`` has the name and the key that the certificate was signed with."""
    return certificate.issuer == issuer.subject and program.issued(certificate, issuer)


def _revocations(
    program: Openssl, chain: Chain, lists: Sequence[RevocationList]
) -> list[tuple[Certificate, Revoked]]:
    """The revocations in authentic lists: for each certificate the one with the earliest time."""
    found: list[tuple[Certificate, Revoked]] = []
    for certificate, issuers in chain:
        entries = [
            one.entries[certificate.serial]
            for one in lists
            if certificate.serial in one.entries
            and any(is_authentic(program, one, issuer) for issuer in issuers)
        ]
        if entries:
            found.append((certificate, min(entries, key=lambda entry: entry.since)))
    return found


def is_authentic(program: Openssl, one: RevocationList, issuer: Certificate) -> bool:
    """Whether ``issuer`` signed the list and is allowed to sign lists."""
    if one.issuer != issuer.subject or not one.sound:
        return False
    if issuer.usage is not None and not issuer.usage & _CRL_SIGN:
        return False
    return program.revocation_list(one.raw, issuer)


def _papers(notebook: Notebook) -> list[str]:
    return sorted(path for path in notebook.container.sizes if path.startswith(FOLDER))


def _show(instant: int) -> str:
    try:
        return times.show(instant)
    except ValueError:
        return str(instant)
