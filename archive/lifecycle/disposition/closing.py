"""The end of a disposition: its record is made, compared with what was done, signed, stamped and closed.

Steps 5 and 6 of :mod:`archive.lifecycle.disposition.job`. Every object is put if absent. An object that is
already there comes from an earlier attempt at the same work, or somebody planted it. The archive signs
nothing that differs from what was done.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive import canonical, keys
from archive.canonical import JsonObject, sha256_hex
from archive.clock import Clock
from archive.errors import AlreadyExists, Conflict, IntegrityError, NotFound, Unavailable
from archive.lifecycle.disposition import listing, record
from archive.lifecycle.disposition.decide import RETRY
from archive.lifecycle.disposition.listing import DoomedList, Kept
from archive.lifecycle.disposition.record import Organization
from archive.lifecycle.disposition.stored_paper import own_name
from archive.model.disposition import (
    KIND,
    Disposition,
    DispositionOutcome,
    DispositionStatus,
    from_state,
    to_state,
)
from archive.model.finding import Finding
from archive.ports import Content, Lock, LockMode, ObjectStore, SegmentIndex, Signer, TimestampAuthority
from archive.records.integrity_incidents import open_integrity_incident
from archive.records.ledger.streams import Entry, Ledger
from archive.timespan import DAY, parse_instant
from archive.trust import certificates, cms, token


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """Closes dispositions of one archive."""

    footage: ObjectStore
    records: ObjectStore
    index: SegmentIndex
    ledger: Ledger
    signer: Signer
    authority: TimestampAuthority
    clock: Clock
    organization: Organization
    lock_days: int

    def is_there(self, key: str) -> bool:
        """Whether a key that must stay is still there; an earlier attempt may have destroyed it lawfully."""
        try:
            self.footage.head(key)
        except NotFound:
            return False
        return True

    def close(self, found: Disposition, doomed: DoomedList, kept: Sequence[Kept]) -> Disposition:
        """Step 5. Raises IntegrityError ``disposition_record`` if another object is in the record's place."""
        kept_data = self._first(found.id, listing.KEPT, listing.encode_kept(kept))
        standing = listing.decode_kept(found.id, kept_data)
        self._compare(found.id, doomed, standing, kept)
        signer = certificates.fingerprint(
            certificates.load_der("the signer of records", self.signer.certificate_der)
        )
        made = record.make_record(
            found,
            doomed,
            standing,
            organization=self.organization,
            ended_at=self.clock.now(),
            kept_sha256=sha256_hex(kept_data),
            signer_sha256=signer,
        )
        data = self._first(found.id, listing.RECORD, canonical.encode(made))
        self._require_same(found.id, made, data)
        signature = self._signed(found.id, data)
        stated = canonical.decode(data)
        # Fonts and pictures cost a third of a second, which every other command saves.
        from archive.lifecycle.disposition.paper import render

        page = render(stated, sha256_hex(data), sha256_hex(signature))
        self._print(found.id, page)
        ended_at = parse_instant(stated["ended_at"])
        outcome = DispositionOutcome(
            ended_at=ended_at,
            destroyed=stated["destroyed"]["segments"],
            destroyed_bytes=stated["destroyed"]["bytes"],
            kept=stated["kept"]["reasons"],
            kept_sha256=sha256_hex(kept_data),
            record_sha256=sha256_hex(data),
            pdf_sha256=sha256_hex(page),
            signer_sha256=stated["signer_sha256"],
            retry_at=max(
                (ended_at + RETRY if one.until is None else one.until for one in standing), default=ended_at
            ),
        )
        closed = replace(found, status=DispositionStatus.DONE, outcome=outcome)
        try:
            self.append(closed, 1, found.started_by, "disposition.done", "")
        except Conflict:
            return self._standing(found.id)
        return closed

    def _print(self, disposition: str, page: bytes) -> None:
        """Put the page. If another page is already there, put this one beside it and open an incident.

        The ledger's entry names the page by its hash, so the other page cannot pass for it. Usually the other
        page was printed by another version of the program: closing began before an upgrade and ended after
        it.
        """
        if self._first(disposition, listing.PDF, page) == page:
            return
        self._first(disposition, own_name(page), page)
        open_integrity_incident(
            self.ledger,
            code="disposition_paper",
            subject=f"disposition:{disposition}",
            message=f"{listing.PDF} is not the page that was printed; the ledger names {own_name(page)}",
            found_by="disposition",
        )

    def _signed(self, disposition: str, data: bytes) -> bytes:
        """The signature over the record, stored or new; it is checked against the record."""
        key = keys.disposition_prefix(disposition) + listing.SIGNATURE
        try:
            signature = self.records.get(key)
        except NotFound:
            signature = self._first(disposition, listing.SIGNATURE, self.signer.sign_cms(data))
        cms.check(key, cms.decode(key, signature), data)
        return signature

    def _require_same(self, disposition: str, made: JsonObject, data: bytes) -> None:
        """The stored record must equal mine except for its end time: it is about to be signed."""
        standing = canonical.decode(data)
        if {**standing, "ended_at": ""} != {**made, "ended_at": ""}:
            raise _planted(disposition, listing.RECORD)

    def stamp(self, found: Disposition) -> Disposition:
        """Step 6; returns the disposition unchanged if the authority is away or no stamp is due."""
        if found.status is not DispositionStatus.DONE:
            return found
        prefix = keys.disposition_prefix(found.id)
        try:
            stamp = self.records.get(prefix + listing.STAMP)
        except NotFound:
            signature = self.records.get(prefix + listing.SIGNATURE)
            try:
                stamp = self.authority.stamp(signature)
            except Unavailable:
                return found
            stamp = self._first(found.id, listing.STAMP, stamp)
        at = token.decode(listing.STAMP, stamp).gen_time
        stamped = replace(found, status=DispositionStatus.STAMPED, stamped_at=at)
        try:
            self.append(stamped, 2, found.started_by, "disposition.stamped", "")
        except Conflict:
            return self._standing(found.id)
        return stamped

    def _compare(
        self, disposition: str, doomed: DoomedList, standing: Sequence[Kept], mine: Sequence[Kept]
    ) -> None:
        """Two processes close one disposition: I must not have destroyed a key that the first one kept."""
        named = {one.key for one in standing}
        if any(one.key not in named and self.is_there(one.key) for one in mine):
            raise _planted(disposition, listing.KEPT)
        kept_by_me = {one.key for one in mine}
        for one in standing:
            if one.key not in kept_by_me and one.key in {d.key for d in doomed.segments}:
                self.incident(
                    Finding(
                        "disposition_differs",
                        one.key,
                        f"disposition {disposition} records it as kept ({one.reason}), but it was destroyed",
                    )
                )

    def append(self, found: Disposition, expected: int, actor: str, action: str, reason: str) -> Entry:
        """Append to the disposition's stream and update the index. Raises Conflict as the ledger."""
        entry = self.ledger.append(
            KIND, found.id, to_state(found), expected=expected, actor=actor, action=action, reason=reason
        )
        self.index.put_document(KIND, found.id, entry.version, entry.state)
        return entry

    def put(self, disposition: str, name: str, data: bytes) -> None:
        """Put one object of a disposition if absent, locked as records are."""
        lock = Lock(LockMode.GOVERNANCE, self.clock.now() + self.lock_days * DAY)
        self.records.put(keys.disposition_prefix(disposition) + name, Content.of_bytes(data), lock=lock)

    def _first(self, disposition: str, name: str, data: bytes) -> bytes:
        """Put if absent; return the stored object, mine or that of the process that came first."""
        try:
            self.put(disposition, name, data)
        except AlreadyExists:
            return self.records.get(keys.disposition_prefix(disposition) + name)
        return data

    def incident(self, finding: Finding) -> None:
        """Record an integrity incident."""
        open_integrity_incident(
            self.ledger,
            code=finding.code,
            subject=f"footage:{finding.object}",
            message=finding.message,
            found_by="disposition",
        )

    def _standing(self, disposition: str) -> Disposition:
        return from_state(disposition, self.ledger.head(KIND, disposition).state)


def _planted(disposition: str, name: str) -> IntegrityError:
    return IntegrityError(
        f"{name} of disposition {disposition} does not match what was done",
        code="disposition_record",
        hint="It is not signed and the disposition stays open. Somebody planted it; call the auditor.",
    )
