"""The verifier, called from the archive: with the archive's trust, clock and errors.

:mod:`archive.evidence.verifier` is the only judge of a package. It knows nothing of the archive, so this
module gives it certificates as DER and translates its errors into the archive's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from archive import canonical
from archive.canonical import JsonObject
from archive.clock import Clock
from archive.errors import IntegrityError, Malformed, NotFound, Unavailable
from archive.evidence.verifier import (
    accord,
    batches,
    certificate,
    clip,
    cms,
    container,
    findings,
    journals,
    records,
    revocation_list,
    statement,
)
from archive.evidence.verifier import trust as judging
from archive.evidence.verifier import verify as checking
from archive.evidence.verifier.batches import Facts
from archive.evidence.verifier.container import Container, NoPackage
from archive.evidence.verifier.findings import UNLOGGED, Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import NoOpenssl, Openssl
from archive.model.segment import Codec
from archive.timespan import parse_instant
from archive.trust import certificates
from archive.trust.judge import Trust

At = Literal["now", "stamp"] | int
"""When certificates are judged: now, at the token's own time, or at an instant (µs)."""


def _silent(_done: int, _total: int) -> None:
    return


def verify(
    path: Path,
    *,
    trust: Trust,
    at: At,
    clock: Clock,
    progress: Callable[[int, int], None] = _silent,
    program: str = "openssl",
    allowed: frozenset[str] = frozenset(),
) -> Notebook:
    """Verify a package in a folder or a ZIP. Findings with the codes in ``allowed`` are warnings.

    Raises:
        NotFound: ``package_not_found``.
        Malformed: ``bad_package``: the path holds no package at all. Everything else is a finding.
    """
    if not path.exists():
        raise NotFound(f"there is no package at {path}", code="package_not_found")
    try:
        opened = container.open_container(str(path))
    except NoPackage as error:
        raise Malformed(
            str(error),
            code="bad_package",
            hint="Give the ZIP as it was handed over, or the folder that holds bagit.txt.",
        ) from error
    try:
        return verify_container(
            opened, trust=trust, at=at, clock=clock, progress=progress, program=program, allowed=allowed
        )
    finally:
        opened.close()


def verify_container(
    opened: Container,
    *,
    trust: Trust,
    at: At,
    clock: Clock,
    progress: Callable[[int, int], None] = _silent,
    program: str = "openssl",
    allowed: frozenset[str] = frozenset(),
) -> Notebook:
    """Verify a package that is already open. Without ``openssl`` its signatures are *not checked*."""
    with _openssl(program) as (found, why):
        believed = judging.Trust(
            _certificates(trust.roots),
            _certificates(trust.stamp_roots),
            trust.signer_sha256 or "",
            trust.log_sha256 or "",
            found,
            tuple(one for crl in trust.crls for one in revocation_list.read(crl.public_bytes(Encoding.DER))),
            why,
            trust.recorder_keys,
        )
        return checking.verify(opened, believed, at, clock=clock.now, progress=progress, allowed=allowed)


def check_seal(seal: bytes, content: bytes) -> bytes:
    """Let the verifier check a seal before it is used; returns the signer's certificate (DER).

    Raises:
        IntegrityError: the verifier's own code, such as ``seal_content``.
        Unavailable: ``openssl_missing``.
    """
    try:
        made = cms.read_seal(seal)
        judging.check_content(made, content)
        with _openssl("openssl") as (found, why):
            if found is None:
                raise Unavailable(
                    f"the seal cannot be checked: {why}",
                    code="openssl_missing",
                    hint="Install OpenSSL 3.0 or later on this host.",
                )
            answer = found.signature(seal, content)
    except Broken as error:
        raise IntegrityError(f"the seal: {error.detail}", code=error.code) from error
    except NoOpenssl as error:
        raise Unavailable(f"the seal cannot be checked: {error}", code="openssl_missing") from error
    if not answer.good:
        raise IntegrityError(f"the seal: {answer.words}", code="seal_signature")
    return made.certificate.raw


def check_statement(value: JsonObject) -> bytes:
    """The canonical bytes of ``evidence.json``, after the verifier has read them.

    Raises:
        Malformed: ``bad_statement``, naming the first wrong field.
    """
    data = canonical.encode(value)
    try:
        statement.parse(data)
    except Broken as error:
        raise Malformed(f"evidence.json: {error.detail}", code=error.code) from error
    return data


def check_signed(stated: JsonObject, enclosed: Iterable[bytes]) -> None:
    """Let the verifier hold originals and gaps against recorders' lines before they are sealed.

    ``stated`` has the members ``span``, ``prepared_at``, ``cameras``, ``originals``, ``gaps``, ``superseded``
    and ``dispositions`` of ``evidence.json``; ``enclosed`` are the batches as the package encloses them.

    Raises:
        Unavailable: ``plan_contradicts``, with the first finding.
    """
    found: list[str] = []

    def report(code: str, detail: str) -> None:
        if code not in UNLOGGED:
            found.append(f"{code}: {detail}")

    cameras = {camera["id"] for camera in stated["cameras"]}
    facts: list[tuple[str, Facts]] = []
    lines: list[accord.Line] = []
    try:
        for data in enclosed:
            one = batches.read(data, cameras)
            facts.append((one.facts.recorder, one.facts))
            lines += journals.lines_of(one, cameras)
    except Broken as error:
        report(error.code, error.detail)
    journals.check_parts(facts, lambda code, recorder, camera: report(code, f"{camera} of {recorder}"))
    if accord.partition(stated, report):
        accord.check(stated, lines, report)
    if found:
        raise Unavailable(
            f"the package would contradict itself: {found[0]}",
            code="plan_contradicts",
            hint="Lines that arrive during sealing do this for a moment. If it stays, run saksi archive"
            " check: something that a recorder signed is not in the archive as it was signed.",
        )


def check_recorded(
    stated: JsonObject, contents: Mapping[str, bytes], keys: Mapping[tuple[str, str], str]
) -> None:
    """Let the verifier hold a statement against its ledger entries before it is sealed.

    ``contents`` has the entries' parts by path, ``keys`` the path of each recorder's key, in base64.

    Raises:
        IntegrityError: ``records_contradict``, with the first finding.
    """
    found: list[str] = []

    def report(code: str, path: str, detail: str) -> None:
        if findings.of(code).severity == findings.ERROR:
            found.append(f"{code}: {path}: {detail}")

    records.hold_against(stated, contents.get, dict(keys), report)
    if found:
        raise IntegrityError(
            f"the package would contradict the ledger: {found[0]}",
            code="records_contradict",
            hint="Nothing was sealed. Run saksi archive check; the ledger and the request do not agree.",
        )


def clip_head(name: str, chunks: Iterator[bytes], size: int) -> bytes:
    """A clip's bytes up to its samples, as the verifier finds them. Raises Malformed ``bad_clip``."""
    try:
        return clip.read_head((chunk for chunk in chunks), size)
    except Broken as error:
        raise Malformed(f"{name}: {error.detail}", code=error.code) from error


def clip_codec(name: str, head: bytes, size: int) -> Codec:
    """The codec of a clip whose own tables the verifier accepts. Raises Malformed ``bad_clip``."""
    try:
        found = clip.read_tables(head, size)[0][0].codec
    except Broken as error:
        raise Malformed(f"{name}: {error.detail}", code=error.code) from error
    return "hevc" if found == "hevc" else "h264"


def parse_at(text: str) -> At:
    """Read ``now``, ``stamp`` or an RFC 3339 time with offset. Raises Malformed as ``parse_instant`` does."""
    match text:
        case "now" | "stamp":
            return text
    return parse_instant(text)


@contextmanager
def _openssl(program: str) -> Iterator[tuple[Openssl | None, str]]:
    """The OpenSSL program, or None and the reason why it cannot be used."""
    try:
        found = Openssl(program)
    except NoOpenssl as error:
        yield None, str(error)
        return
    try:
        yield found, ""
    finally:
        found.close()


def _certificates(given: Iterable[x509.Certificate]) -> tuple[certificate.Certificate, ...]:
    return tuple(certificate.read(certificates.to_der(one)) for one in given)
