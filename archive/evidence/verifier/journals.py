"""Step *journal*: checks recorders' batches, signed with Ed25519, and finds the originals' leaves in them.

``batches`` reads them. Which parts of a batch of version 2 are missing, the tag keys of the others tell.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

from archive.evidence.verifier import accord, batches, canonical
from archive.evidence.verifier.accord import Line
from archive.evidence.verifier.batches import Enclosed, Facts
from archive.evidence.verifier.container import Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import NoOpenssl
from archive.evidence.verifier.trust import Trust

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----\s*\Z")
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\r?\n?", re.DOTALL)
_ED25519 = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of Ed25519 up to its 32 bytes (RFC 8410)."""
PATH = "data/metadata/evidence.json"
MAX_TAGS = 20_000_000
"""Parts that are looked for in headers, at most: those of 300 cameras in every minute of six weeks."""


def check(notebook: Notebook, trust: Trust) -> None:
    """Check that each batch is signed by its recorder, and hold the statement against the batches' lines."""
    stated = notebook.statement
    if stated is None:
        notebook.skip("journal")
        return
    notebook.begin("journal")
    cameras = {camera["id"] for camera in stated["cameras"]}
    accepted: dict[tuple[str, int], tuple[str, Facts]] = {}
    for part in stated["journals"]:
        try:
            batch = _batch(notebook, trust, part, cameras)
        except Unreadable as error:
            notebook.find("unreadable_part", part["path"], str(error))
            continue
        except Broken as error:
            notebook.object_to(part["path"], error)
            continue
        facts = batch.facts
        named = part["path"], facts
        if accepted.setdefault((facts.recorder, facts.number), named) is not named:
            notebook.find("statement_contradicts", part["path"], "it is named twice")
        for data, line in _about(cameras, batch):
            digest = canonical.sha256(data)
            notebook.signed[digest] = min(facts.at, notebook.signed.get(digest, facts.at))
            notebook.lines.append(line)
    _check_chain(notebook, accepted)
    check_parts(accepted.values(), notebook.find)
    for original in stated["originals"]:
        if original["leaf_sha256"] not in notebook.signed:
            code = "proof_left_out" if "log" in original else "leaf_not_journalled"
            notebook.find(code, original["path"])
    if notebook.partitioned:
        accord.check(stated, notebook.lines, lambda code, detail: notebook.find(code, PATH, detail))


def lines_of(batch: Enclosed, cameras: Collection[str]) -> list[Line]:
    """A batch's lines about these cameras."""
    return [line for _, line in _about(cameras, batch)]


def check_parts(named: Iterable[tuple[str, Facts]], report: Callable[[str, str, str], None]) -> None:
    """Hold the parts of batches, each with its path, against one another; ``report`` takes each finding.

    A tag key belongs to one recorder's key and one camera. Known from one batch, it shows in every other
    batch of that recorder's key whether the camera's part was left out.
    """
    listed = [(path, facts) for path, facts in named if facts.tags]
    known: dict[str, dict[str, bytes]] = {}
    for path, facts in listed:
        own = known.setdefault(facts.key, {})
        for camera, tag_key in facts.tag_keys.items():
            if own.setdefault(camera, tag_key) != tag_key:
                report("journal_tag_key", path, camera)
    if sum(len(known[facts.key]) - len(facts.tag_keys) for _, facts in listed) > MAX_TAGS:
        report("journal_form", "", f"more than {MAX_TAGS} parts would have to be looked for")
        return
    for path, facts in listed:
        for camera, tag_key in known[facts.key].items():
            if facts.has_left_out(camera, tag_key):
                report("journal_part_left_out", path, camera)


def _about(cameras: Collection[str], batch: Enclosed) -> Iterator[tuple[bytes, Line]]:
    """The lines about these cameras that count in their batch."""
    for data, found in batch.lines:
        if batch.facts.may_say(found) and found.fields["camera"] in cameras:
            yield data, accord.line_of(found.kind, found.fields)


def _check_chain(notebook: Notebook, accepted: dict[tuple[str, int], tuple[str, Facts]]) -> None:
    """Each batch names the one before."""
    for (recorder, number), (path, facts) in sorted(accepted.items(), key=lambda item: item[0]):
        before = accepted.get((recorder, number - 1))
        if before is not None and before[1].digest != facts.prev:
            notebook.find("journal_chain", path, f"batch {number - 1} is another one")


def _batch(notebook: Notebook, trust: Trust, part: dict[str, Any], cameras: Collection[str]) -> Enclosed:
    data = notebook.container.small(part["path"])
    if canonical.sha256(data) != part["sha256"]:
        raise Broken("statement_contradicts", "its SHA-256 differs")
    pem = notebook.container.small(part["public_key"])
    key = _public_key(pem)
    batch = batches.read(data, cameras)
    if batch.facts.key != canonical.sha256(key):
        raise Broken("journal_signature", "it was signed with another key")
    try:
        answer = trust.program().ed25519(_pem_of(key), batch.signed, batch.signature)
        if not answer.good:
            raise Broken("journal_signature", answer.words)
    except NoOpenssl as error:
        notebook.find("signature_not_checked", part["path"], str(error))
    except Broken as error:
        if error.code != "signature_not_checked":
            raise
        notebook.object_to(part["path"], error)
    there = batch.facts.recorder, batch.facts.number
    if there != (part["recorder"], part["batch"]):
        raise Broken("statement_contradicts", f"it is batch {there[1]} of {there[0]}")
    notebook.trailers[part["path"]] = batch.last
    return batch


def _public_key(pem: bytes) -> bytes:
    match = _PEM.match(pem)
    try:
        found = b"" if match is None else base64.b64decode(b"".join(match[1].split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Broken("bad_key_file", "it is not in base64") from error
    if not found.startswith(_ED25519) or len(found) != len(_ED25519) + 32:
        raise Broken("bad_key_file", "it is not an Ed25519 key in PEM form")
    return found[len(_ED25519) :]


def _pem_of(key: bytes) -> bytes:
    text = base64.b64encode(_ED25519 + key)
    return b"-----BEGIN PUBLIC KEY-----\n" + text + b"\n-----END PUBLIC KEY-----\n"


def key_text(pem: bytes) -> str:
    """A public key as the ledger registers it: its 32 bytes in base64. Raises Broken ``bad_key_file``."""
    return base64.b64encode(_public_key(pem)).decode("ascii")


def key_file(data: bytes) -> list[bytes]:
    """Every public key of a PEM file. Raises Broken ``bad_key_file``."""
    found = [_public_key(block) for block in _BLOCK.findall(data)]
    if not found:
        raise Broken("bad_key_file", "it has no public key in PEM form")
    return found
