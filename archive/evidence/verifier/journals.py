"""Step *journal*: checks recorders' batches, signed with Ed25519, and finds the originals' leaves in them."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from archive.evidence.verifier import canonical, leaf
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import MAX_LINES, Unreadable
from archive.evidence.verifier.findings import Broken
from archive.evidence.verifier.notebook import Notebook
from archive.evidence.verifier.openssl import NoOpenssl
from archive.evidence.verifier.trust import Trust

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\s+([A-Za-z0-9+/=\s]+?)\s*-----END PUBLIC KEY-----\s*\Z")
_ED25519 = bytes.fromhex("302a300506032b6570032100")
"""SubjectPublicKeyInfo of Ed25519 up to its 32 bytes (RFC 8410)."""
_HEADER = {"v", "recorder", "batch", "prev", "at", "origin", "lines"}


def check(notebook: Notebook, trust: Trust) -> None:
    """Check that each batch is signed by its recorder, and that every original's leaf is in a batch."""
    stated = notebook.statement
    if stated is None or not stated["journals"]:
        notebook.skip("journal")
        return
    notebook.begin("journal")
    signed: set[str] = set()
    for part in stated["journals"]:
        try:
            signed |= _leaves_of(notebook, trust, part)
        except Unreadable as error:
            notebook.find("unreadable_part", part["path"], str(error))
        except Broken as error:
            notebook.object_to(part["path"], error)
    for original in stated["originals"]:
        if original["leaf_sha256"] not in signed:
            notebook.find("leaf_not_journalled", original["path"])


def _leaves_of(notebook: Notebook, trust: Trust, part: dict[str, Any]) -> set[str]:
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
    return {canonical.sha256(line) for line in lines}


def _read(data: bytes) -> tuple[dict[str, Any], list[bytes], dict[str, Any]]:
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
        for line in leaves:
            leaf.read(line)
    except BadJson as error:
        raise Broken("journal_form", str(error)) from error
    except Broken as error:
        raise Broken("journal_form", error.detail) from error
    return header, leaves, trailer


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
