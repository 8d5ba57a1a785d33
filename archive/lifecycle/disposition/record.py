"""The disposition record (berita acara pemusnahan): made once, signed, and open to later verification.

``record.json`` is canonical JSON. It names what was ordered, the ordering policies, what was destroyed by
camera and day, and what was kept and why. ``record.json.p7s`` is the detached CAdES signature over its bytes
by the archive's log key, ``record.json.p7s.tsr`` the time stamp over the signature. ``record.pdf`` says the
same for people; its hash is in the ledger's closing entry.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cryptography import x509

from archive import canonical, keys
from archive.canonical import JsonObject, sha256_hex
from archive.errors import ArchiveError, Conflict, Malformed, NotFound, Unavailable
from archive.lifecycle.disposition.listing import (
    KEPT,
    LIST,
    PDF,
    RECORD,
    SIGNATURE,
    STAMP,
    Doomed,
    DoomedList,
    Kept,
    decode_kept,
    decode_list,
)
from archive.lifecycle.disposition.stored_paper import read_paper
from archive.model.disposition import Disposition, policy_to_json
from archive.ports import ObjectStore
from archive.timespan import as_datetime, format_instant
from archive.trust import certificates, cms, token

VERSION = 1
TYPE = "disposition_record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """The organization that the record belongs to, and the time zone of its days."""

    organization: str
    time_zone: str

    @property
    def zone(self) -> ZoneInfo:
        """The zone. Raises Malformed ``bad_time_zone``."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise Malformed(
                f"the time zone {self.time_zone!r} is not known here", code="bad_time_zone"
            ) from error


def make_record(
    found: Disposition,
    doomed: DoomedList,
    kept: Sequence[Kept],
    *,
    organization: Organization,
    ended_at: int,
    kept_sha256: str,
    signer_sha256: str,
) -> JsonObject:
    """The record as a JSON object."""
    reasons = Counter(one.reason for one in kept)
    spared = {one.key for one in kept}
    gone = [one for one in doomed.segments if one.key not in spared]
    return {
        "v": VERSION,
        "type": TYPE,
        "id": found.id,
        "organization": organization.organization,
        "time_zone": organization.time_zone,
        "cause": found.cause.value,
        "cutoff": format_instant(doomed.cutoff),
        "started_at": format_instant(found.started_at),
        "started_by": found.started_by,
        "ended_at": format_instant(ended_at),
        "from": format_instant(found.span.start),
        "to": format_instant(found.span.end),
        "list": {"sha256": found.list_sha256, "segments": found.segments, "bytes": found.bytes},
        "destroyed": {"segments": len(gone), "bytes": sum(one.size for one in gone)},
        "kept": {"sha256": kept_sha256, "segments": len(kept), "reasons": dict(sorted(reasons.items()))},
        "policies": [policy_to_json(policy) for policy in found.policies],
        "days": by_camera_and_day(gone, organization.zone),
        "signer_sha256": signer_sha256,
    }


def by_camera_and_day(segments: Iterable[Doomed], zone: ZoneInfo) -> list[JsonObject]:
    """Counts by camera and local day of the start: ordered by camera, then day."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for one in segments:
        day = as_datetime(one.span.start).astimezone(zone).date().isoformat()
        total = sums[one.camera, day]
        total[0] += 1
        total[1] += one.size
    return [
        {"camera": camera, "day": day, "segments": count, "bytes": size}
        for (camera, day), (count, size) in sorted(sums.items())
    ]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong with a record: a stable code, the object, a sentence."""

    code: str
    object: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The result of a verification. ``stamped_at`` (µs) is the token's time; None without a trusted one."""

    findings: tuple[Finding, ...]
    signer_sha256: str
    stamped_at: int | None

    @property
    def valid(self) -> bool:
        """Whether there are no findings."""
        return not self.findings

    def to_json(self) -> JsonObject:
        """As ``saksi retention record --verify --json`` prints it."""
        return {
            "valid": self.valid,
            "signer_sha256": self.signer_sha256,
            "stamped_at": None if self.stamped_at is None else format_instant(self.stamped_at),
            "findings": [
                {"code": one.code, "object": one.object, "message": one.message} for one in self.findings
            ],
        }


def verify_record(
    records: ObjectStore,
    found: Disposition,
    *,
    roots: Sequence[x509.Certificate],
    stamp_roots: Sequence[x509.Certificate],
) -> Verdict:
    """Check a closed disposition's record against its signature, its list, its counts and the ledger.

    Certificates are judged at the token's time if there is a trusted token, else at the record's end time.

    Raises:
        Conflict: ``disposition_open``: the disposition is open and has no record yet.
        Unavailable: the store does not answer.
    """
    return _Verification(records, found).run(roots, stamp_roots)


class _Verification:
    def __init__(self, records: ObjectStore, found: Disposition) -> None:
        self._records = records
        self._found = found
        self._prefix = keys.disposition_prefix(found.id)
        self._findings: list[Finding] = []
        self._signer = ""

    def run(self, roots: Sequence[x509.Certificate], stamp_roots: Sequence[x509.Certificate]) -> Verdict:
        outcome = self._found.outcome
        if outcome is None:
            raise Conflict(
                f"disposition {self._found.id} is still open",
                code="disposition_open",
                hint="The record is made when the disposition ends: saksi work --once dispose",
            )
        data = self._object(RECORD, outcome.record_sha256)
        self._paper(outcome.pdf_sha256)
        listed = self._object(LIST, self._found.list_sha256)
        kept = self._object(KEPT, outcome.kept_sha256)
        stamped = None
        if data is not None:
            stamped = self._signatures(data, roots, stamp_roots, outcome.ended_at)
            if listed is not None and kept is not None:
                self._counts(data, listed, kept)
        return Verdict(findings=tuple(self._findings), signer_sha256=self._signer, stamped_at=stamped)

    def _object_to(self, name: str, code: str, message: str) -> None:
        self._findings.append(Finding(code, self._prefix + name, message))

    def _paper(self, named: str) -> None:
        try:
            read_paper(self._records, self._found, named)
        except Unavailable:
            raise
        except ArchiveError as error:
            self._object_to(PDF, error.code, error.message)

    def _object(self, name: str, expected: str | None) -> bytes | None:
        try:
            data = self._records.get(self._prefix + name)
        except Unavailable:
            raise
        except ArchiveError as error:
            self._object_to(name, error.code, error.message)
            return None
        if expected is not None and sha256_hex(data) != expected:
            self._object_to(name, "hash_differs", f"{name} is not the one that the ledger names")
            return None
        return data

    def _signatures(
        self,
        data: bytes,
        roots: Sequence[x509.Certificate],
        stamp_roots: Sequence[x509.Certificate],
        ended_at: int,
    ) -> int | None:
        signature = self._object(SIGNATURE, None)
        if signature is None:
            return None
        stamped = self._stamp(signature, stamp_roots)
        try:
            read = cms.decode(SIGNATURE, signature)
            self._signer = certificates.fingerprint(read.certificate)
            cms.check(SIGNATURE, read, data)
            at = ended_at if stamped is None else stamped
            certificates.check_seal_chain(read.certificate, read.others, roots, at)
        except ArchiveError as error:
            self._object_to(SIGNATURE, error.code, error.message)
        return stamped

    def _stamp(self, signature: bytes, roots: Sequence[x509.Certificate]) -> int | None:
        try:
            stamp = self._records.get(self._prefix + STAMP)
            read = token.decode(STAMP, stamp)
            token.check_imprint(STAMP, read, signature)
            token.check_authority(STAMP, read, roots, read.gen_time)
        except Unavailable:
            raise
        except NotFound:
            if self._found.stamped_at is not None:
                self._object_to(STAMP, "stamp_missing", "the ledger says that there is a time stamp")
            return None
        except ArchiveError as error:
            self._object_to(STAMP, error.code, error.message)
            return None
        return read.gen_time

    def _counts(self, data: bytes, listed: bytes, kept: bytes) -> None:
        """Derive the record again from the list and the kept keys, and compare."""
        try:
            value = canonical.decode(data)
            self._compare(value, listed, kept)
        except (KeyError, TypeError, AttributeError) as error:
            self._object_to(RECORD, "record_unreadable", f"it lacks or misnames {error}")
        except Unavailable:
            raise
        except ArchiveError as error:
            self._object_to(RECORD, error.code, error.message)

    def _compare(self, value: dict[str, Any], listed: bytes, kept: bytes) -> None:
        organization = Organization(organization=value["organization"], time_zone=value["time_zone"])
        doomed = decode_list(self._found.id, listed)
        again = make_record(
            self._found,
            doomed,
            decode_kept(self._found.id, kept),
            organization=organization,
            ended_at=0,
            kept_sha256=sha256(kept).hexdigest(),
            signer_sha256=self._signer,
        )
        again["ended_at"] = value["ended_at"]
        for name in sorted(again.keys() | value.keys()):
            if again.get(name) != value.get(name):
                self._object_to(RECORD, "record_differs", f"'{name}' does not follow from list and ledger")
        stated = {one.key for one in decode_kept(self._found.id, kept)}
        if not stated <= {one.key for one in doomed.segments}:
            self._object_to(KEPT, "kept_differs", "it names a key that was never on the list")
