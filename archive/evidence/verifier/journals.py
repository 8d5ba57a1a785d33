"""Step *journal*: checks recorders' batches, signed with Ed25519, and finds the originals' leaves in them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from archive.evidence.verifier import accord, canonical, leaf, times
from archive.evidence.verifier.accord import Line
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import MAX_LINES, Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import NoOpenssl
from archive.evidence.verifier.trust import Trust

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----\s*\Z")
_BLOCK = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\r?\n?", re.DOTALL)
_ED25519 = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of Ed25519 up to its 32 bytes (RFC 8410)."""
PATH = "data/metadata/evidence.json"
_HEADER = {"v", "recorder", "batch", "prev", "at", "origin", "lines"}

Signed = tuple[bytes, leaf.Leaf]
"""A line of a batch: its bytes, and what they say."""


@dataclass(frozen=True)
class Batch:
    """The facts of a batch; ``at`` (µs) by the recorder's clock, ``digest`` is its SHA-256."""

    recorder: str
    number: int
    prev: str
    at: int
    digest: str
    path: str


def check(notebook: Notebook, trust: Trust) -> None:
    """Check that each batch is signed by its recorder, and hold the statement against the batches' lines."""
    stated = notebook.statement
    if stated is None:
        notebook.skip("journal")
        return
    notebook.begin("journal")
    cameras = {camera["id"] for camera in stated["cameras"]}
    accepted: dict[tuple[str, int], Batch] = {}
    for part in stated["journals"]:
        try:
            batch, lines = _batch(notebook, trust, part)
        except Unreadable as error:
            notebook.find("unreadable_part", part["path"], str(error))
            continue
        except Broken as error:
            notebook.object_to(part["path"], error)
            continue
        if accepted.setdefault((batch.recorder, batch.number), batch) is not batch:
            notebook.find("statement_contradicts", part["path"], "it is named twice")
        for data, line in _about(cameras, batch.recorder, lines):
            digest = canonical.sha256(data)
            notebook.signed[digest] = min(batch.at, notebook.signed.get(digest, batch.at))
            notebook.lines.append(line)
    _check_chain(notebook, accepted)
    for original in stated["originals"]:
        if original["leaf_sha256"] not in notebook.signed:
            code = "proof_left_out" if "log" in original else "leaf_not_journalled"
            notebook.find(code, original["path"])
    if notebook.partitioned:
        accord.check(stated, notebook.lines, lambda code, detail: notebook.find(code, PATH, detail))


def lines_of(data: bytes, cameras: Collection[str]) -> list[Line]:
    """A batch's lines about these cameras; its signature is not checked. Raises Broken ``journal_form``."""
    header, lines, _ = _read(data)
    return [line for _, line in _about(cameras, header["recorder"], lines)]


def _about(cameras: Collection[str], recorder: str, lines: Iterable[Signed]) -> Iterator[tuple[bytes, Line]]:
    """The lines about these cameras that name their batch's recorder."""
    for data, found in lines:
        if found.fields["recorder"] == recorder and found.fields["camera"] in cameras:
            yield data, accord.line_of(found.kind, found.fields)


def _check_chain(notebook: Notebook, accepted: dict[tuple[str, int], Batch]) -> None:
    """Each batch names the one before."""
    for (recorder, number), batch in sorted(accepted.items(), key=lambda item: item[0]):
        before = accepted.get((recorder, number - 1))
        if before is not None and before.digest != batch.prev:
            notebook.find("journal_chain", batch.path, f"batch {number - 1} is another one")


def _batch(notebook: Notebook, trust: Trust, part: dict[str, Any]) -> tuple[Batch, list[Signed]]:
    data = notebook.container.small(part["path"])
    if canonical.sha256(data) != part["sha256"]:
        raise Broken("statement_contradicts", "its SHA-256 differs")
    pem = notebook.container.small(part["public_key"])
    key = _public_key(pem)
    header, lines, trailer = _read(data)
    body = data[: data.rindex(b"\n", 0, -1) + 1]
    if trailer["key"] != canonical.sha256(key):
        raise Broken("journal_signature", "it was signed with another key")
    try:
        signature = base64.b64decode(trailer["sig"], validate=True)
    except (binascii.Error, ValueError) as error:
        raise Broken("journal_form", "its signature is not in base64") from error
    try:
        answer = trust.program().ed25519(_pem_of(key), body, signature)
        if not answer.good:
            raise Broken("journal_signature", answer.words)
    except NoOpenssl as error:
        notebook.find("signature_not_checked", part["path"], str(error))
    except Broken as error:
        if error.code != "signature_not_checked":
            raise
        notebook.object_to(part["path"], error)
    if (header["recorder"], header["batch"]) != (part["recorder"], part["batch"]):
        raise Broken("statement_contradicts", f"it is batch {header['batch']} of {header['recorder']}")
    notebook.trailers[part["path"]] = data[len(body) : -1]
    facts = header["recorder"], header["batch"], header["prev"], times.parse(header["at"])
    return Batch(*facts, part["sha256"], part["path"]), lines


def _read(data: bytes) -> tuple[dict[str, Any], list[Signed], dict[str, Any]]:
    """Header, leaf lines and trailer. Raises Broken ``journal_form``."""
    if data.count(b"\n") > MAX_LINES:
        raise Broken("journal_form", f"it has more than {MAX_LINES} lines")
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[-1] != b"":
        raise Broken("journal_form", "it is cut off")
    try:
        header, trailer = canonical.read(lines[0]), canonical.read(lines[-2])
        leaves = lines[1:-2]
        good = (
            set(header) == _HEADER
            and header["v"] == 1
            and header["lines"] == len(leaves)
            and leaf.is_name(header["recorder"])
            and leaf.is_count(header["batch"])
            and leaf.is_sha256(header["prev"])
            and leaf.is_time(header["at"])
            and isinstance(header["origin"], str)
            and set(trailer) == {"key", "sig"}
            and leaf.is_sha256(trailer["key"])
            and isinstance(trailer["sig"], str)
        )
        if not good:
            raise Broken("journal_form", "its header or its last line does not have the required form")
        read = [(line, leaf.read(line)) for line in leaves]
    except BadJson as error:
        raise Broken("journal_form", str(error)) from error
    except Broken as error:
        raise Broken("journal_form", error.detail) from error
    return header, read, trailer


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
