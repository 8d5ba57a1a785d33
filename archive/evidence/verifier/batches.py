"""A recorder's batch as a package encloses it: version 1 whole, version 2 with the parts of some cameras.

docs/reference/objects.md describes both forms.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from archive.evidence.verifier import canonical, leaf, times
from archive.evidence.verifier.canonical import BadJson
from archive.evidence.verifier.container import MAX_LINES
from archive.evidence.verifier.findings import Broken

_HEADER = {"v", "recorder", "batch", "prev", "at", "origin", "lines"}
_PARTS = _HEADER | {"parts"}
_HEAD = {"v", "type", "camera", "lines", "tag_key"}

ADOPTED = "adopted"
"""The origin of batches with lines of segments that another recorder stored and never named."""
ADOPTER = "-adopted"
"""The end of an adopter's id. No recorder of cameras has such an id, nor may its account register one."""
MAX_CAMERAS = 10_000
"""Parts of one batch, at most."""

Signed = tuple[bytes, leaf.Leaf]
"""A line of a batch: its bytes, and what they say."""


@dataclass(frozen=True)
class Facts:
    """What is kept of a batch; ``at`` (µs) by the recorder's clock, ``key`` is the SHA-256 of its public key.

    ``digest`` is what the next batch's ``prev`` names. ``tags`` are those of all its parts, 32 bytes each;
    ``tag_keys`` those of the parts that are there, by camera; in version 1 both are empty.
    """

    recorder: str
    number: int
    prev: str
    at: int
    origin: str
    key: str
    digest: str
    tags: bytes
    tag_keys: dict[str, bytes]

    def may_say(self, found: leaf.Leaf) -> bool:
        """Whether a line counts: its recorder wrote the batch, or an adopter's batch adopts its segment."""
        own: bool = found.fields["recorder"] == self.recorder
        adopts = self.origin == ADOPTED and self.recorder.endswith(ADOPTER)
        return own or (adopts and found.kind == "segment")

    def has_left_out(self, camera: str, tag_key: bytes) -> bool:
        """Whether the batch has a part of this camera that is not there."""
        tag = tag_of(tag_key, self.recorder, self.number)
        return camera not in self.tag_keys and bytes.fromhex(tag) in self.tags


@dataclass(frozen=True)
class Enclosed:
    """A batch in a package; ``signed`` are the bytes under its signature, ``last`` is its last line."""

    facts: Facts
    lines: list[Signed]
    signature: bytes
    signed: bytes
    last: bytes


def tag_of(tag_key: bytes, recorder: str, batch: int) -> str:
    """The tag of a camera's part: HMAC-SHA256 (RFC 2104), hex."""
    return hmac.new(tag_key, f"saksi journal part\n{recorder}\n{batch}".encode("ascii"), "sha256").hexdigest()


def read(data: bytes, cameras: Collection[str]) -> Enclosed:
    """Read a batch, whose signature is left to the caller.

    Of version 2 every part that is there is one that the header names, and of a camera in ``cameras``.

    Raises:
        Broken: ``journal_form``, ``journal_part_unsigned``, ``journal_other_camera``.
    """
    if data.count(b"\n") > MAX_LINES:
        raise Broken("journal_form", f"it has more than {MAX_LINES} lines")
    lines = data.split(b"\n")
    if len(lines) < 3 or lines[-1] != b"":
        raise Broken("journal_form", "it is cut off")
    try:
        header, trailer = canonical.read(lines[0]), canonical.read(lines[-2])
        if not _is_header(header) or not _is_trailer(trailer):
            raise Broken("journal_form", "its header or its last line does not have the required form")
        signature = base64.b64decode(trailer["sig"], validate=True)
        if base64.b64encode(signature).decode("ascii") != trailer["sig"]:
            raise ValueError("surplus bits")
        head, last = lines[0] + b"\n", lines[-2]
        if header["v"] == 1:
            found = [(line, leaf.read(line)) for line in lines[1:-2]]
            if len(found) != header["lines"]:
                raise Broken("journal_form", "its header counts other lines")
            facts = _facts(header, trailer, canonical.sha256(data), [])
            return Enclosed(facts, found, signature, data[: -len(last) - 1], last)
        parts = list(_parts(header, lines[1:-2], cameras))
    except BadJson as error:
        raise Broken("journal_form", str(error)) from error
    except (binascii.Error, ValueError) as error:
        raise Broken("journal_form", "its signature is not in base64") from error
    except Broken as error:
        if error.code in ("bad_json", "bad_leaf"):
            raise Broken("journal_form", error.detail) from error
        raise
    facts = _facts(header, trailer, canonical.sha256(head + last + b"\n"), parts)
    return Enclosed(facts, [line for part in parts for line in part.lines], signature, head, last)


def _facts(header: dict[str, Any], trailer: dict[str, Any], digest: str, parts: list[_Part]) -> Facts:
    return Facts(
        header["recorder"],
        header["batch"],
        header["prev"],
        times.parse(header["at"]),
        header["origin"],
        trailer["key"],
        digest,
        b"".join(bytes.fromhex(part["tag"]) for part in header.get("parts", ())),
        {part.camera: part.tag_key for part in parts},
    )


@dataclass(frozen=True)
class _Part:
    camera: str
    tag_key: bytes
    lines: list[Signed]


def _parts(header: dict[str, Any], body: list[bytes], cameras: Collection[str]) -> Iterator[_Part]:
    """The parts that are there, held against the header."""
    named = {part["sha256"]: number for number, part in enumerate(header["parts"])}
    seen: set[str] = set()
    at, place, count = 0, -1, 0
    while at < len(body):
        part, data = _part(body, at)
        number = named.get(canonical.sha256(data))
        if number is None:
            raise Broken("journal_part_unsigned", part.camera)
        tag = tag_of(part.tag_key, header["recorder"], header["batch"])
        if number <= place or part.camera in seen or header["parts"][number]["tag"] != tag:
            raise Broken("journal_form", f"the part of {part.camera} is out of order, or has another tag")
        if part.camera not in cameras:
            raise Broken("journal_other_camera", part.camera)
        seen.add(part.camera)
        at, place, count = at + len(part.lines) + 1, number, count + len(part.lines)
        yield part
    absent = len(named) - len(seen)
    if count + absent > header["lines"] or (count != header["lines"] and not absent):
        raise Broken("journal_form", "its header counts other lines")


def _part(body: list[bytes], at: int) -> tuple[_Part, bytes]:
    head = canonical.read(body[at])
    good = (
        set(head) == _HEAD
        and head["v"] == 2
        and head["type"] == "part"
        and leaf.is_name(head["camera"])
        and leaf.is_count(head["lines"])
        and head["lines"] > 0
        and leaf.is_sha256(head["tag_key"])  # 32 bytes in hex, too
    )
    lines = body[at + 1 : at + 1 + head["lines"]] if good else []
    if not lines or len(lines) != head["lines"]:
        raise Broken("journal_form", "a part has no head, or is cut off")
    found = [(line, leaf.read(line)) for line in lines]
    if any(one.fields["camera"] != head["camera"] for _, one in found):
        raise Broken("journal_form", f"the part of {head['camera']} has a line of another camera")
    return _Part(head["camera"], bytes.fromhex(head["tag_key"]), found), b"\n".join((body[at], *lines, b""))


def _is_header(header: dict[str, Any]) -> bool:
    version = header.get("v")
    if version not in (1, 2) or isinstance(version, bool) or set(header) != (_HEADER, _PARTS)[version - 1]:
        return False
    return (
        leaf.is_name(header["recorder"])
        and leaf.is_count(header["batch"])
        and leaf.is_count(header["lines"])
        and leaf.is_sha256(header["prev"])
        and leaf.is_time(header["at"])
        and isinstance(header["origin"], str)
        and (version == 1 or _are_parts(header["parts"]))
    )


def _are_parts(parts: Any) -> bool:
    """Whether these are the header's parts: in the order of their tags, none twice."""
    if not isinstance(parts, list) or len(parts) > MAX_CAMERAS:
        return False
    for part in parts:
        if not isinstance(part, dict) or set(part) != {"sha256", "tag"}:
            return False
        if not all(map(leaf.is_sha256, part.values())):
            return False
    tags = [part["tag"] for part in parts]
    digests = {part["sha256"] for part in parts}
    return len(digests) == len(parts) and all(one < other for one, other in zip(tags, tags[1:]))


def _is_trailer(trailer: dict[str, Any]) -> bool:
    return (
        set(trailer) == {"key", "sig"} and leaf.is_sha256(trailer["key"]) and isinstance(trailer["sig"], str)
    )
