"""Both verifiers on one package: their verdicts, and where they may differ."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from archive.errors import ArchiveError
from archive.evidence.findings import VerificationResult
from archive.evidence.standalone import revocation
from archive.evidence.standalone.certificate import read_pem
from archive.evidence.standalone.notebook import NOT_CHECKED, Notebook
from archive.evidence.standalone.openssl import Openssl
from archive.evidence.standalone.parcel import NoPackage, open_parcel
from archive.evidence.standalone.trust import Trust
from archive.evidence.standalone.verify import verify
from archive.evidence.verify import At
from archive.evidence.verify import Trust as MainTrust
from tests.support.packages import World

SAME_REASON = (
    frozenset({"bad_leaf", "bad_id", "bad_time", "naive_time", "empty_span", "bad_json"}),
    frozenset({"bad_cms", "seal_form", "bad_certificate", "seal_signature"}),
    frozenset({"bad_token", "stamp_form", "bad_certificate", "stamp_signature"}),
    frozenset({"journal_form", "journal_signature"}),
    frozenset({"bad_crl", "crl_not_authentic"}),
    frozenset({"bad_clip", "bad_pieces", "slices_differ", "clip_not_derived"}),
)
"""Codes for one and the same damage, which a strict reader and a lenient one name differently."""


@pytest.fixture(scope="module")
def program() -> Iterator[Openssl]:
    """The ``openssl`` that the one-file verifier calls."""
    made = Openssl()
    yield made
    made.close()


@dataclass(frozen=True)
class Opinion:
    """A verdict: whether valid, and the codes of all findings; ``bad_package`` if there is no verdict."""

    valid: bool
    codes: frozenset[str]


def main_opinion(world: World, path: Path, trust: MainTrust, at: At) -> tuple[Opinion, object]:
    """The verdict of ``saksi verify``."""
    try:
        result: VerificationResult = world.verify(path, trust=trust, at=at)
    except ArchiveError as error:
        return Opinion(
            False, frozenset({"bad_package"} if error.code == "bad_package" else {error.code})
        ), None
    return Opinion(result.valid, frozenset(finding.code for finding in result.findings)), result


def standalone(world: World, path: Path, trust: MainTrust, at: At, program: Openssl | None) -> Notebook:
    """The stand-alone verifier's notebook. Raises NoPackage."""
    pem = (world.keys / "root.pem").read_bytes()
    roots = tuple(read_pem(pem)) if trust.roots else ()
    lists = tuple(one for crl in trust.crls for one in revocation.read(crl.public_bytes(Encoding.DER)))
    pinned = trust.signer_sha256 or "", trust.log_sha256 or ""
    trusted = Trust(roots, roots, *pinned, program, lists, why="not given")
    parcel = open_parcel(str(path))
    try:
        return verify(parcel, trusted, at, clock=world.clock.now)
    finally:
        parcel.close()


def standalone_opinion(
    world: World, path: Path, trust: MainTrust, at: At, program: Openssl | None
) -> tuple[Opinion, Notebook | None]:
    """The verdict of ``saksi-verify.pyz``."""
    try:
        notebook = standalone(world, path, trust, at, program)
    except NoPackage:
        return Opinion(False, frozenset({"bad_package"})), None
    assert program is None or notebook.verdict != NOT_CHECKED
    return Opinion(
        notebook.verdict == "valid", frozenset(finding.code for finding in notebook.findings)
    ), notebook


def disagreement(one: Opinion, other: Opinion) -> set[str]:
    """Codes that only one of the two reports, except codes for the same damage."""
    if one.valid != other.valid:
        return {f"valid: {one.valid} {other.valid}", *(one.codes ^ other.codes)}
    apart = set(one.codes ^ other.codes)
    for group in SAME_REASON:
        if one.codes & group and other.codes & group:
            apart -= group
    return apart
