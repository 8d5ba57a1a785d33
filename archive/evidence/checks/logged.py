"""Step 8: every leaf stood in the tamper-evident log before anybody asked for the package.

For each line with a place in the log: its inclusion proof leads to the root of a checkpoint in the package;
the checkpoint's text is signed by a log key that leads to a trusted root, and stamped by a trusted authority.
Both are judged at the stamp's own time: a checkpoint is as old as the footage, its certificates may have
expired since (docs/reference/log.md).
"""

from dataclasses import dataclass

from archive import canonical
from archive.canonical import sha256_hex
from archive.errors import ArchiveError, IntegrityError, Malformed
from archive.evidence.checks import revocations
from archive.evidence.checks.signatures import Trust
from archive.evidence.findings import Inquiry, Step
from archive.evidence.parcel import read_small
from archive.evidence.statement import CheckpointPart, LogPart, Statement
from archive.records.checkpoint.note import Note
from archive.records.checkpoint.prove import check_inclusion
from archive.timespan import MINUTE, format_instant, parse_instant
from archive.trust import certificates, cms, token

_CLOCKS_APART = 5 * MINUTE


def check(inquiry: Inquiry, trust: Trust) -> None:
    """Check checkpoints and inclusion proofs; skipped where there is no readable statement."""
    stated = inquiry.statement
    if stated is None:
        inquiry.skip(Step.LOG)
        return
    inquiry.begin(Step.LOG)
    texts: dict[int, bytes] = {}
    signers: set[str] = set()
    for part in stated.checkpoints or ():
        text = _check_checkpoint(inquiry, trust, part, signers)
        if part.number in texts:
            inquiry.error(
                "checkpoint_differs", part.checkpoint, f"evidence.json names checkpoint {part.number} twice"
            )
        elif text is not None:
            texts[part.number] = text
    _check_signers(inquiry, trust, stated, signers)
    _Proofs(inquiry, texts, {part.number for part in stated.checkpoints or ()}).check(stated)


def _check_checkpoint(
    inquiry: Inquiry, trust: Trust, part: CheckpointPart, signers: set[str]
) -> bytes | None:
    """Text, stamp and signature of one checkpoint; its text, where that is what evidence.json says."""
    text = _read(inquiry, part.checkpoint)
    stamp = _read(inquiry, part.stamp)
    seal = _read(inquiry, part.seal)
    if text is None:
        return None
    gen_time = None if stamp is None else _check_stamp(inquiry, trust, part, text, stamp)
    if seal is not None:
        _check_signature(inquiry, trust, part, text, seal, gen_time, signers)
    try:
        note = Note.decode(text)
    except Malformed as error:
        inquiry.object_to(part.checkpoint, error)
        return None
    said = (part.number, part.origin, part.size, part.root, part.at, part.sha256)
    if said != (
        note.number,
        note.origin,
        note.size,
        note.root.hex(),
        format_instant(note.at),
        sha256_hex(text),
    ):
        inquiry.error(
            "checkpoint_differs", part.checkpoint, f"{part.checkpoint} is not what evidence.json says of it"
        )
        return None
    return text


def _check_stamp(
    inquiry: Inquiry, trust: Trust, part: CheckpointPart, text: bytes, stamp: bytes
) -> int | None:
    """The stamp's time, where a trusted authority stamped this very text."""
    try:
        found = token.decode(part.stamp, stamp)
        token.check_imprint(part.stamp, found, text)
        chain = token.check_authority(part.stamp, found, trust.stamp_roots, found.gen_time)
    except (Malformed, IntegrityError) as error:
        _object(inquiry, "checkpoint_stamp_invalid", part.stamp, error)
        return None
    lists = revocations.packaged_lists(inquiry)
    revocations.check_stamp(inquiry, part.stamp, chain, trust.crls, lists, found.gen_time)
    if format_instant(found.gen_time) != part.gen_time:
        inquiry.error(
            "checkpoint_differs",
            part.stamp,
            f"checkpoint {part.number} was stamped at {format_instant(found.gen_time)}, not at the time that"
            " evidence.json says",
        )
    return found.gen_time


def _check_signature(
    inquiry: Inquiry,
    trust: Trust,
    part: CheckpointPart,
    text: bytes,
    seal: bytes,
    stamped_at: int | None,
    signers: set[str],
) -> None:
    moment = parse_instant(part.gen_time) if stamped_at is None else stamped_at
    try:
        found = cms.decode(part.seal, seal)
        cms.check(part.seal, found, text)
        chain = certificates.check_seal_chain(found.certificate, found.others, trust.roots, moment)
    except (Malformed, IntegrityError) as error:
        _object(inquiry, "checkpoint_signature_invalid", part.seal, error)
        return
    lists = revocations.packaged_lists(inquiry)
    revocations.check_seal(inquiry, part.seal, chain, trust.crls, lists, stamped_at)
    own = certificates.fingerprint(found.certificate)
    signers.add(own)
    if trust.log_sha256 not in (None, own):
        inquiry.error(
            "log_signer_unexpected",
            part.seal,
            f"checkpoint {part.number} was signed with the certificate {own}, not with the expected"
            f" {trust.log_sha256}",
        )


def _check_signers(inquiry: Inquiry, trust: Trust, stated: Statement, signers: set[str]) -> None:
    if trust.log_sha256 is None and signers:
        inquiry.warn(
            "log_signer_not_pinned",
            "",
            f"compare the fingerprint of the log's certificate, {', '.join(sorted(signers))}, with the"
            " published one; any other certificate of the same root would pass as well",
        )
    if stated.seal.signer_sha256 in signers:
        inquiry.error(
            "log_signer_is_sealer", "", "the checkpoints are signed with the key that sealed the package"
        )


@dataclass(slots=True)
class _Proofs:
    """Inclusion proofs against the checkpoints read; ``stated`` are all that evidence.json names."""

    inquiry: Inquiry
    texts: dict[int, bytes]
    stated: set[int]

    def check(self, stated: Statement) -> None:
        lines: dict[str, list[bytes]] = {}
        for part in stated.originals:
            if part.log is None:
                self.inquiry.warn(
                    "leaf_not_logged", part.path, f"the leaf of {part.path} is under no checkpoint of the log"
                )
                continue
            leaf = self._line(lines, part.leaf, part.leaf_line)
            if leaf is None:
                continue  # the step before said so
            note = self._included(lines, part.log, leaf, part.path)
            if note is not None and note.at < parse_instant(part.ingested_at) - _CLOCKS_APART:
                self.inquiry.error(
                    "not_included", part.path, f"{part.path} is younger than the checkpoint it is under"
                )
        for disposition in stated.dispositions or ():
            entry = _read(self.inquiry, disposition.path)
            if entry is None:
                continue
            if sha256_hex(entry) != disposition.sha256:
                self.inquiry.error(
                    "statement_contradicts",
                    disposition.path,
                    f"{disposition.path} is not what evidence.json says",
                )
            if disposition.log is not None:
                self._included(lines, disposition.log, entry, disposition.path)
            else:
                self.inquiry.warn(
                    "leaf_not_logged",
                    disposition.path,
                    f"{disposition.path} is under no checkpoint of the log yet",
                )

    def _included(
        self, lines: dict[str, list[bytes]], log: LogPart, leaf: bytes, subject: str
    ) -> Note | None:
        if log.checkpoint not in self.texts:
            if log.checkpoint not in self.stated:
                self.inquiry.error(
                    "checkpoint_missing",
                    subject,
                    f"{subject} is under checkpoint {log.checkpoint}, which the package does not hold",
                )
            return None
        proof = self._line(lines, log.proof, log.proof_line)
        if proof is None:
            self.inquiry.error(
                "proof_missing",
                log.proof,
                f"line {log.proof_line} of {log.proof}, the inclusion proof of {subject}, is missing",
            )
            return None
        try:
            inclusion = canonical.decode(proof)
            if (inclusion.get("number"), inclusion.get("leaf_index"), inclusion.get("tree_size")) != (
                log.checkpoint,
                log.index,
                log.size,
            ):
                raise Malformed("evidence.json tells of another place in the log", code="not_included")
            return check_inclusion(leaf, inclusion, self.texts[log.checkpoint])
        except Malformed as error:
            _object(self.inquiry, "not_included", subject, error)
            return None

    def _line(self, lines: dict[str, list[bytes]], path: str, number: int) -> bytes | None:
        if path not in lines:
            data = _read(self.inquiry, path)
            lines[path] = [] if data is None else data.split(b"\n")[:-1]
        return lines[path][number - 1] if number <= len(lines[path]) else None


def _object(inquiry: Inquiry, code: str, path: str, error: ArchiveError) -> None:
    inquiry.error(code, path, f"{error.message} [{error.code}]" if error.code != code else error.message)


def _read(inquiry: Inquiry, path: str) -> bytes | None:
    """A part of the log; where it is missing, that is said by its own code."""
    if path not in inquiry.parcel.sizes:
        inquiry.error("proof_missing", path, f"{path} is missing")
        return None
    try:
        return read_small(inquiry.parcel, path)
    except Malformed as error:
        inquiry.object_to(path, error)
        return None
