"""Steps *seal*, *signer* and *stamp*, and the same checks for a checkpoint of the log.

Trust comes from outside the package: roots, fingerprints, and the time at which certificates are judged.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from archive.evidence.verifier import cms, revocation, times
from archive.evidence.verifier.certificate import Certificate
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import NoOpenssl, Openssl
from archive.evidence.verifier.revocation_list import RevocationList

SEAL = "signatures/tagmanifest-sha256.txt.p7s"
STAMP = "signatures/tagmanifest-sha256.txt.p7s.tsr"


@dataclass(frozen=True)
class Trust:
    """The roots and fingerprints that the reader trusts. Empty fingerprints are not compared.

    ``recorder_keys`` are recorders' keys (Ed25519, 32 bytes each); without any, none is compared.
    ``openssl`` is None where the program cannot be used; ``why`` gives the reason.
    """

    roots: tuple[Certificate, ...]
    stamp_roots: tuple[Certificate, ...]
    signer: str = ""
    log_key: str = ""
    openssl: Openssl | None = None
    lists: tuple[RevocationList, ...] = ()
    why: str = field(default="", compare=False)
    recorder_keys: frozenset[bytes] = frozenset()

    def program(self) -> Openssl:
        """The program. Raises Broken ``signature_not_checked``."""
        if self.openssl is None:
            raise Broken("signature_not_checked", self.why)
        return self.openssl


def check(notebook: Notebook, trust: Trust, at: int) -> None:
    """Run the three steps; certificates are judged at ``at`` (µs)."""
    carried: tuple[Certificate, ...] = ()
    seal = _read(notebook, "seal", SEAL, "seal_missing")
    if seal is None:
        notebook.skip("signer")
    else:
        carried = _check_seal(notebook, trust, seal, at)
    stamp = _read(notebook, "stamp", STAMP, "stamp_missing")
    if stamp is not None and seal is not None:
        carried += _check_stamp(notebook, trust, seal, stamp, at)
    _check_papers(notebook, trust, carried)


def stamp_time(notebook: Notebook, trust: Trust) -> int | None:
    """The token's time if it stamps this seal and its authority is trusted; else None, without a finding."""
    try:
        seal, stamp = notebook.container.small(SEAL), notebook.container.small(STAMP)
        token = cms.read_token(stamp)
        check_stamp(trust, token, stamp, seal, token.gen_time)
        _check_stamp_lists(notebook, trust, token)
    except (Broken, Unreadable):
        return None
    return token.gen_time


def check_signature(trust: Trust, seal: bytes, content: bytes, at: int) -> cms.Signature:
    """A CAdES signature over ``content`` that leads to a trusted root at ``at``.

    Raises:
        Broken: the first problem with it.
    """
    found = cms.read_seal(seal)
    check_content(found, content)
    check_genuine(trust, found, seal, content, at)
    return found


def check_content(found: cms.Signature, content: bytes) -> None:
    """Check that the signature states these bytes as its content. Raises Broken ``seal_content``."""
    if found.digest != hashlib.sha256(content).digest():
        raise Broken("seal_content", "its digest belongs to other bytes")


def check_genuine(trust: Trust, found: cms.Signature, seal: bytes, content: bytes, at: int) -> None:
    """Check that its certificate made the signature and leads to a trusted root. Raises Broken.

    One call of ``openssl`` checks all of it; two more only find out which part is wrong.
    """
    program, own = trust.openssl, found.certificate
    try:
        whole = program.seal(seal, content, trust.roots, at) if program and trust.roots else None
        if program is not None and (whole is None or not whole.good):
            answer = program.signature(seal, content)
            if not answer.good:
                raise Broken("seal_signature", answer.words)
        _check_certificate(own, trust.roots, at, own.may_seal)
        if whole is None or not whole.good:
            _check_chain(trust, own, found.others, trust.roots, at)
            raise Broken("seal_signature", "" if whole is None else whole.words)
    except NoOpenssl as error:
        raise Broken("signature_not_checked", str(error)) from error


def check_stamp(trust: Trust, token: cms.Token, raw: bytes, data: bytes, at: int) -> None:
    """Check a token over ``data``: its authority is trusted and valid at both times. Raises Broken.

    The two times are the token's own time and ``at``.
    """
    if not token.hash_name:
        raise Broken("stamp_form", "it uses an unknown hash")
    if hashlib.new(token.hash_name, data).digest() != token.imprint:
        raise Broken("stamp_content", "its imprint belongs to other bytes")
    own = token.certificate
    if own is None:
        raise Broken("stamp_form", "it does not carry its authority's certificate")
    _check_certificate(own, trust.stamp_roots, token.gen_time, own.may_stamp)
    try:
        answer = trust.program().stamp(raw, data, trust.stamp_roots, token.gen_time)
    except NoOpenssl as error:
        raise Broken("signature_not_checked", str(error)) from error
    if not answer.good:
        _check_chain(trust, own, token.others, trust.stamp_roots, token.gen_time)
        raise Broken("stamp_signature", answer.words)
    if at != token.gen_time:
        _check_certificate(own, trust.stamp_roots, at, own.may_stamp)
        _check_chain(trust, own, token.others, trust.stamp_roots, at)


def _check_seal(notebook: Notebook, trust: Trust, seal: bytes, at: int) -> tuple[Certificate, ...]:
    """Check the seal; returns the other certificates that it carries."""
    try:
        found = cms.read_seal(seal)
    except Broken as error:
        notebook.object_to(SEAL, error)
        notebook.skip("signer")
        return ()
    notebook.signer = found.certificate
    try:
        if notebook.tags is None:
            raise Broken("tag_missing", "without the tag manifest the seal has no content")
        check_content(found, notebook.tags)
        check_genuine(trust, found, seal, notebook.tags, at)
        _check_seal_lists(notebook, trust, found, at)
    except Broken as error:
        notebook.object_to(SEAL, error)
    notebook.begin("signer")
    own = found.certificate.fingerprint
    stated = notebook.fact("seal", {}).get("signer_sha256", own)
    if stated != own:
        notebook.find("signer_differs", SEAL, f"evidence.json names {stated}; it is {own}")
    subject = found.certificate.subject_text
    named = notebook.fact("seal", {}).get("signer_subject", subject)
    if named != subject:
        notebook.find("signer_differs", SEAL, f"evidence.json names {named}; the certificate is of {subject}")
    if not trust.signer:
        notebook.find("signer_not_pinned", SEAL, own)
    elif trust.signer != own:
        notebook.find("signer_unexpected", SEAL, f"it is {own}")
    return found.others


def _check_stamp(
    notebook: Notebook, trust: Trust, seal: bytes, stamp: bytes, at: int
) -> tuple[Certificate, ...]:
    """Check the stamp; returns the other certificates that it carries."""
    try:
        token = cms.read_token(stamp)
        notebook.gen_time, notebook.tsa = token.gen_time, token.certificate
        check_stamp(trust, token, stamp, seal, at)
    except Broken as error:
        notebook.object_to(STAMP, error)
        if error.code != "signature_not_checked":
            return ()
    else:
        try:
            hold_stamp_to_lists(notebook, trust, STAMP, token)
        except Broken as error:
            notebook.object_to(STAMP, error)
    return token.others


def _check_seal_lists(notebook: Notebook, trust: Trust, found: cms.Signature, at: int) -> None:
    try:
        hold_to_lists(notebook, trust, SEAL, found, stamp_time(notebook, trust))
    finally:
        chain = revocation.chain_of(found.certificate, found.others, trust.roots)
        try:
            revocation.check_outside(notebook, trust.program(), SEAL, chain, trust.lists, at)
        except NoOpenssl as error:
            raise Broken("signature_not_checked", str(error)) from error


def hold_to_lists(
    notebook: Notebook, trust: Trust, path: str, found: cms.Signature, stamped: int | None
) -> None:
    """Check a signature's chain against lists from outside and inside; ``stamped`` (µs) proves its time.

    Raises:
        Broken: ``certificate_revoked``: revoked, and nothing proves that the signature is older.
    """
    lists = [*trust.lists, *revocation.packaged(notebook)]
    if not lists:
        return
    chain = revocation.chain_of(found.certificate, found.others, trust.roots)
    try:
        for words in revocation.check_seal(trust.program(), chain, lists, stamped):
            notebook.find("certificate_revoked_later", path, words)
    except NoOpenssl as error:
        raise Broken("signature_not_checked", str(error)) from error


def hold_stamp_to_lists(notebook: Notebook, trust: Trust, path: str, token: cms.Token) -> None:
    """The same for a time stamp, whose own time is only as trustworthy as its key. Raises Broken."""
    for words in _check_stamp_lists(notebook, trust, token):
        notebook.find("certificate_revoked_later", path, words)


def _check_stamp_lists(notebook: Notebook, trust: Trust, token: cms.Token) -> list[str]:
    """Revocations of the authority that leave the stamp valid. Raises Broken."""
    if token.certificate is None:
        return []
    chain = revocation.chain_of(token.certificate, token.others, trust.stamp_roots)
    lists = [*trust.lists, *revocation.packaged(notebook)]
    try:
        return revocation.check_stamp(trust.program(), chain, lists, token.gen_time)
    except NoOpenssl as error:
        raise Broken("signature_not_checked", str(error)) from error


def _check_papers(notebook: Notebook, trust: Trust, carried: tuple[Certificate, ...]) -> None:
    notebook.begin("seal")
    if not any(path.startswith(revocation.FOLDER) for path in notebook.container.sizes):
        return
    try:
        program = trust.program()
        revocation.check_papers(notebook, program, (*trust.roots, *trust.stamp_roots), carried)
        revocation.check_present(notebook, program)
    except NoOpenssl as error:
        notebook.find("signature_not_checked", revocation.FOLDER, str(error))
    except Broken as error:
        notebook.object_to(revocation.FOLDER, error)


def _check_certificate(own: Certificate, roots: tuple[Certificate, ...], at: int, objection: str) -> None:
    if not roots:
        raise Broken("no_trust", own.subject_text)
    _check_dates(own, at)
    if objection:
        raise Broken("wrong_key_usage", f"{own.subject_text}: {objection}")


def _check_chain(
    trust: Trust, own: Certificate, others: tuple[Certificate, ...], roots: tuple[Certificate, ...], at: int
) -> None:
    try:
        answer = trust.program().chain(own, others, roots, at)
    except NoOpenssl as error:
        raise Broken("signature_not_checked", str(error)) from error
    if answer.good:
        return
    for other in (*others, *roots):
        if other.subject == own.issuer:
            _check_dates(other, at)
    raise Broken("chain_broken", f"{own.subject_text}: {answer.words}")


def _check_dates(certificate: Certificate, at: int) -> None:
    if not certificate.not_before <= at <= certificate.not_after:
        state = "had expired" if at > certificate.not_after else "was not yet valid"
        raise Broken(
            "certificate_expired",
            f"{certificate.subject_text} {state} at {_show(at)}; --at stamp judges it at the stamp's time",
        )


def _show(instant: int) -> str:
    try:
        return times.show(instant)
    except ValueError:
        return str(instant)


def _read(notebook: Notebook, step: str, path: str, missing: str) -> bytes | None:
    notebook.begin(step)
    if path not in notebook.container.sizes:
        notebook.find(missing, path)
        return None
    try:
        return notebook.container.small(path)
    except Unreadable as error:
        notebook.find("unreadable_part", path, str(error))
        return None
