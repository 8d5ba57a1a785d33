"""Checks a checkpoint's signature, time stamp and receipts against its text and outside roots."""

from dataclasses import dataclass

from archive.canonical import sha256_hex
from archive.errors import IntegrityError, Malformed
from archive.keys import checkpoint_key
from archive.ports import ObjectStore
from archive.records.checkpoint import stored, witness
from archive.records.checkpoint.findings import LogReport
from archive.records.checkpoint.note import Note
from archive.timespan import MINUTE, format_instant
from archive.trust import certificates, cms, revocation, token
from archive.trust.judge import Trust

_CLOCKS_APART = 5 * MINUTE


@dataclass(frozen=True, slots=True)
class SealCheck:
    """Checks the seals of checkpoints. One older than ``late`` (µs) must be sealed."""

    records: ObjectStore
    trust: Trust
    now: int
    late: int

    def check(self, note: Note, parts: set[str], report: LogReport) -> None:
        """Check signature, stamp and receipts of one checkpoint; adds findings to the report."""
        text = note.encode()
        misfits: set[str] = set()
        moment = self._stamp(note, text, report, misfits)
        self._signature(note, text, moment, report, misfits)
        if misfits >= {"stamp_content", "seal_content"}:
            name = checkpoint_key(note.number, stored.CHECKPOINT)
            report.find("checkpoint_altered", name, "another text was signed and stamped")
        for part in sorted(parts):
            if part.startswith(stored.RECEIPT):
                self._receipt(note, text, part, report)

    def _stamp(self, note: Note, text: bytes, report: LogReport, misfits: set[str]) -> int | None:
        """The trusted time of the stamp; None without one."""
        name = checkpoint_key(note.number, stored.STAMP)
        try:
            data = stored.read_part(self.records, note.number, stored.STAMP)
            if data is None:
                if self.now - note.at > self.late:
                    report.find("stamp_missing", name, "nothing proves when the checkpoint was made")
                return None
            found = token.decode(name, data)
            token.check_imprint(name, found, text)
            chain = token.check_authority(name, found, self.trust.stamp_roots, found.gen_time)
            revocation.check_stamp(chain, self.trust.crls, found.gen_time)
        except (Malformed, IntegrityError) as error:
            report.find("stamp_invalid", name, error.message)
            misfits.add(error.code)
            return None
        if found.certificate is not None:
            report.authorities.add(certificates.subject(found.certificate))
        if found.gen_time > note.at + self.late:
            report.find("stamped_late", name, f"stamped at {format_instant(found.gen_time)}")
        elif found.gen_time < note.at - _CLOCKS_APART:
            report.find("stamped_early", name, f"stamped at {format_instant(found.gen_time)}")
        return found.gen_time

    def _signature(
        self, note: Note, text: bytes, stamped: int | None, report: LogReport, misfits: set[str]
    ) -> None:
        name = checkpoint_key(note.number, stored.SIGNATURE)
        try:
            data = stored.read_part(self.records, note.number, stored.SIGNATURE)
            if data is None:
                if self.now - note.at > self.late:
                    report.find("signature_missing", name, "nobody signed the checkpoint")
                return
            found = cms.decode(name, data)
            cms.check(name, found, text)
            at = self.now if stamped is None else stamped
            chain = certificates.check_seal_chain(found.certificate, found.others, self.trust.roots, at)
            revocation.check_seal(chain, self.trust.crls, stamped)
        except (Malformed, IntegrityError) as error:
            report.find("signature_invalid", name, error.message)
            misfits.add(error.code)
            return
        signer = certificates.fingerprint(found.certificate)
        report.signers.add(signer)
        if self.trust.signer_sha256 not in (None, signer):
            report.find("signer_unexpected", name, f"the certificate is {signer}")

    def _receipt(self, note: Note, text: bytes, part: str, report: LogReport) -> None:
        name = checkpoint_key(note.number, part)
        try:
            data = stored.read_part(self.records, note.number, part)
            found = witness.read_receipt(data or b"")
        except (Malformed, IntegrityError) as error:
            report.find("receipt_invalid", name, error.message)
            return
        if found["checkpoint_sha256"] != sha256_hex(text):
            report.find("receipt_invalid", name, f"{found['witness']} received another text")
            return
        report.witnesses.add(str(found["witness"]))
