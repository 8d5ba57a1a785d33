"""Step *log*: checks that a checkpoint covers every leaf.

docs/reference/log.md has the forms. Inclusion proofs are those of RFC 6962; a checkpoint's signature and
stamp are judged at the stamp's own time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Any

from archive.evidence.verifier import canonical, cms, times
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.trust import (
    Trust,
    check_content,
    check_genuine,
    check_stamp,
    hold_stamp_to_lists,
    hold_to_lists,
)

CLOCKS_APART = 5 * times.MINUTE
"""So far two clocks may be apart."""
_TEXT = re.compile(
    r"(?P<origin>[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,198}[A-Za-z0-9])?)/(?P<number>\d{10})\n"
    r"(?P<size>[1-9]\d{0,15})\n(?P<root>[A-Za-z0-9+/]{43}=)\nprev (?P<prev>[0-9a-f]{64})\n"
    r"at (?P<at>\S{27})\nleaves (?P<leaves>[0-9a-f]{64})\n\Z",
    re.ASCII,
)

Part = dict[str, Any]


@dataclass(frozen=True)
class Checkpoint:
    """A parsed checkpoint; ``at`` in µs."""

    origin: str
    number: int
    size: int
    root: bytes
    at: int


def root_from_proof(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """The root computed from a leaf *hash* (RFC 9162, 2.1.3.2); None if the proof cannot be of that place."""
    if not 0 <= index < size:
        return None
    node, last = leaf, size - 1
    for step in proof:
        if last == 0:
            return None
        if index % 2 or index == last:
            node = hashlib.sha256(b"\x01" + step + node).digest()
            while index and not index % 2:
                index, last = index // 2, last // 2
        else:
            node = hashlib.sha256(b"\x01" + node + step).digest()
        index, last = index // 2, last // 2
    return node if last == 0 else None


def read_checkpoint(text: bytes) -> Checkpoint:
    """Parse a checkpoint in its required form. Raises Broken ``bad_checkpoint``."""
    try:
        match = _TEXT.match(text.decode("ascii"))
        if match is None or int(match["number"]) < 1:
            raise Broken("bad_checkpoint", "it is not in the required form")
        root = base64.b64decode(match["root"], validate=True)
        if base64.b64encode(root).decode("ascii") != match["root"]:
            raise Broken("bad_checkpoint", "the base64 of its root has surplus bits")
        at = times.parse(match["at"])
    except (ValueError, binascii.Error) as error:
        raise Broken("bad_checkpoint", str(error)) from error
    return Checkpoint(match["origin"], int(match["number"]), int(match["size"]), root, at)


def check(notebook: Notebook, trust: Trust) -> None:
    """Check checkpoints, then proofs; skipped without a readable statement."""
    stated = notebook.statement
    if stated is None:
        notebook.skip("log")
        return
    notebook.begin("log")
    parts = stated.get("checkpoints", [])
    found: dict[int, Checkpoint] = {}
    signers: set[str] = set()
    for part in parts:
        checkpoint = _check_checkpoint(notebook, trust, part, signers)
        if part["number"] in found:
            notebook.find("checkpoint_differs", part["checkpoint"], f"{part['number']} is named twice")
        elif checkpoint is not None:
            found[part["number"]] = checkpoint
    if not trust.log_key and signers:
        notebook.find("log_signer_not_pinned", "", ", ".join(sorted(signers)))
    if stated["seal"]["signer_sha256"] in signers:
        notebook.find("log_signer_is_sealer")
    if stated["kind"] == "no_footage" and not parts:
        notebook.find("log_missing")
    stamped = {part["number"]: _instant(part["gen_time"]) for part in parts}
    _Proofs(notebook, found, stamped).check(stated)


def _check_checkpoint(notebook: Notebook, trust: Trust, part: Part, signers: set[str]) -> Checkpoint | None:
    text, stamp, seal = (_read(notebook, part[name]) for name in ("checkpoint", "stamp", "seal"))
    if text is None:
        return None
    moment = None if stamp is None else _check_stamp(notebook, trust, part, text, stamp)
    if seal is not None:
        _check_signature(notebook, trust, part, text, seal, moment, signers)
    try:
        found = read_checkpoint(text)
    except Broken as error:
        notebook.object_to(part["checkpoint"], error)
        return None
    said = tuple(part[name] for name in ("number", "origin", "size", "root", "at", "sha256"))
    there = (
        found.number,
        found.origin,
        found.size,
        found.root.hex(),
        times.show(found.at),
        canonical.sha256(text),
    )
    if said != there:
        notebook.find("checkpoint_differs", part["checkpoint"])
        return None
    return found


def _check_stamp(notebook: Notebook, trust: Trust, part: Part, text: bytes, stamp: bytes) -> int | None:
    try:
        token = cms.read_token(stamp)
        check_stamp(trust, token, stamp, text, token.gen_time)
    except Broken as error:
        _object(notebook, "checkpoint_stamp_invalid", part["stamp"], error)
        if error.code != "signature_not_checked":
            return None
    else:
        try:
            hold_stamp_to_lists(notebook, trust, part["stamp"], token)
        except Broken as error:
            notebook.object_to(part["stamp"], error)
    if times.show(token.gen_time) != part["gen_time"]:
        notebook.find("checkpoint_differs", part["stamp"], f"it was stamped at {times.show(token.gen_time)}")
    return token.gen_time


def _check_signature(
    notebook: Notebook,
    trust: Trust,
    part: Part,
    text: bytes,
    seal: bytes,
    moment: int | None,
    signers: set[str],
) -> None:
    try:
        at = times.parse(part["gen_time"]) if moment is None else moment
    except ValueError as error:
        notebook.find("bad_statement", "data/metadata/evidence.json", str(error))
        return
    try:
        found = cms.read_seal(seal)
        check_content(found, text)
        check_genuine(trust, found, seal, text, at)
    except Broken as error:
        _object(notebook, "checkpoint_signature_invalid", part["seal"], error)
        return
    try:
        hold_to_lists(notebook, trust, part["seal"], found, moment)
    except Broken as error:
        notebook.object_to(part["seal"], error)
    own = found.certificate.fingerprint
    signers.add(own)
    if trust.log_key not in ("", own):
        notebook.find("log_signer_unexpected", part["seal"], f"it is {own}")


@dataclass
class _Proofs:
    """Inclusion proofs against the checkpoints read; ``stated`` has the time of each one's stamp (µs)."""

    notebook: Notebook
    checkpoints: dict[int, Checkpoint]
    stated: dict[int, int]

    def check(self, stated: Part) -> None:
        lines: dict[str, list[bytes]] = {}
        request = _instant(stated.get("request", {}).get("filed_at", stated["prepared_at"]))
        for part in stated["originals"]:
            self._check_original(lines, part, request)
        for part in stated["journals"]:
            trailer = self.notebook.trailers.get(part["path"])
            if trailer is not None:  # else the step before has reported the batch
                self._included(lines, part["log"], trailer, part["path"])
        for part in (*stated.get("records", ()), *stated.get("dispositions", ())):
            entry = _read(self.notebook, part["path"]) if "path" in part else None
            if entry is None:
                continue
            if canonical.sha256(entry) != part["sha256"]:
                self.notebook.find("statement_contradicts", part["path"], "its SHA-256 differs")
            if "log" in part:
                found = self._included(lines, part["log"], entry, part["path"])
                if found is not None and found.at < _written(entry) - CLOCKS_APART:
                    self.notebook.find("not_included", part["path"], "it is younger than its checkpoint")
            else:
                # Footage may have lost its proofs with its recorder; the ledger's entries always have theirs.
                code = "record_not_logged" if "kind" in part else "leaf_not_logged"
                self.notebook.find(code, part["path"])

    def _check_original(self, lines: dict[str, list[bytes]], part: Part, request: int) -> None:
        signed = self.notebook.signed.get(part["leaf_sha256"])
        if "log" not in part:
            self.notebook.find("leaf_not_logged" if signed is None else "proof_left_out", part["path"])
            if signed is None and part["logged"]:
                self.notebook.find("logged_differs", part["path"], "nothing shows when it was on record")
            return
        leaf = self._line(lines, part["leaf"], part["leaf_line"])
        found = None if leaf is None else self._included(lines, part["log"], leaf, part["path"])
        if found is None or signed is None:
            return  # reported: here, or in a step before
        if found.at < _instant(part["ingested_at"]) - CLOCKS_APART:
            self.notebook.find("not_included", part["path"], "it is younger than its checkpoint")
        stamped = self.stated[found.number]
        said = {"journal": _order(signed, request), "checkpoint": _order(stamped, request)}
        if part["logged"] != said:
            self.notebook.find("logged_differs", part["path"], f"it follows that {said}")

    def _included(
        self, lines: dict[str, list[bytes]], log: Part, leaf: bytes, subject: str
    ) -> Checkpoint | None:
        checkpoint = self.checkpoints.get(log["checkpoint"])
        if checkpoint is None:
            if log["checkpoint"] not in self.stated:
                self.notebook.find("checkpoint_missing", subject, f"checkpoint {log['checkpoint']}")
            return None
        proof = self._line(lines, log["proof"], log["proof_line"])
        if proof is None:
            self.notebook.find("proof_missing", log["proof"], f"line {log['proof_line']}")
            return None
        problem = _check_inclusion(log, leaf, proof, checkpoint)
        if problem:
            self.notebook.find("not_included", subject, problem)
            return None
        return checkpoint

    def _line(self, lines: dict[str, list[bytes]], path: str, number: int) -> bytes | None:
        if path not in lines:
            lines[path] = self._lines(path)
        return lines[path][number - 1] if number <= len(lines[path]) else None

    def _lines(self, path: str) -> list[bytes]:
        if path not in self.notebook.container.sizes:
            self.notebook.find("proof_missing", path)
            return []
        try:
            return self.notebook.container.lines(path)
        except Unreadable as error:
            self.notebook.find("unreadable_part", path, str(error))
            return []


def _written(entry: bytes) -> int:
    """When an entry of the ledger was written (µs); the step *records* reports one without a time."""
    try:
        return times.parse(str(canonical.read(entry).get("at")))
    except (BadJson, ValueError):
        return 0


def _order(instant: int, request: int) -> str:
    """When a line was there, compared with the request."""
    return "before" if instant < request else "after"


def _check_inclusion(log: Part, leaf: bytes, proof: bytes, checkpoint: Checkpoint) -> str:
    """The problem with an inclusion proof, or an empty text."""
    digest = hashlib.sha256(b"\x00" + leaf).digest()
    try:
        said = canonical.read(proof)
        steps = [bytes.fromhex(step) for step in said["proof"]]
        place = (said["number"], said["leaf_index"], said["tree_size"])
        of = (said["origin"], said["number"], said["tree_size"], said["leaf_hash"])
    except (BadJson, KeyError, TypeError, ValueError) as error:
        return f"the inclusion proof cannot be read: {error}"
    if place != (log["checkpoint"], log["index"], log["size"]):
        return "evidence.json states another place in the log"
    if of != (checkpoint.origin, checkpoint.number, checkpoint.size, digest.hex()):
        return "the inclusion proof belongs to another leaf or checkpoint"
    if any(len(step) != 32 for step in steps):
        return "a step of the proof is not a hash"
    if root_from_proof(digest, log["index"], checkpoint.size, steps) != checkpoint.root:
        return "the leaf is not under the checkpoint's root"
    return ""


def _object(notebook: Notebook, code: str, path: str, error: Broken) -> None:
    """Note the problem with a checkpoint's signature or stamp, under the log's own code."""
    if error.code == "signature_not_checked":
        notebook.find(error.code, path, error.detail)
    else:
        notebook.find(code, path, f"{error.code}: {error.detail}")


def _instant(text: str) -> int:
    """A stated time. The order check skips an unreadable time, which the step *originals* reports."""
    try:
        return times.parse(text)
    except ValueError:
        return 0


def _read(notebook: Notebook, path: str) -> bytes | None:
    if path not in notebook.container.sizes:
        notebook.find("proof_missing", path)
        return None
    try:
        return notebook.container.small(path)
    except Unreadable as error:
        notebook.find("unreadable_part", path, str(error))
        return None
