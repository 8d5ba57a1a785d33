r"""The parts of a journal batch of version 2: each camera's lines under a head of their own.

A part is its head and every line of its camera in the batch, each ended by one LF::

    {"camera":"c1","lines":n,"tag_key":"<hex, 32 bytes>","type":"part","v":2}
    <leaf> × n

The batch's signed header names the SHA-256 of each part, so a copy may leave out whole parts and no line of
the others. Its ``tag`` stands beside it:

- ``tag_key`` = HMAC-SHA256(the recorder's raw private key, ``"saksi journal tag\n"`` + camera);
- ``tag`` = HMAC-SHA256(tag_key, ``"saksi journal part\n"`` + recorder + ``"\n"`` + batch in decimal).

Who has no line of a camera has no tag key of it: the tag says nothing, and the 32 secret bytes of the head
keep the part's SHA-256 from being guessed. Who has the tag key from one batch sees in every other batch of
that recorder's key whether the camera's part was left out. Parts are in the order of their tags, so their
order says nothing either.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import digest as hmac_digest
from itertools import pairwise

from archive import canonical
from archive.canonical import JsonObject, sha256_hex
from archive.errors import Malformed
from archive.ids import check_name, check_sha256

VERSION = 2
MAX_PARTS = 10_000
"""Cameras of one batch, at most: no recorder has so many, and no reader must hold more."""
_HEAD = re.compile(
    rb'\{"camera":"([A-Za-z0-9.-]{1,63})","lines":([1-9]\d{0,8}),"tag_key":"([0-9a-f]{64})",'
    rb'"type":"part","v":2\}\Z'
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a batch: its camera, tag key, and bytes; ``lines`` without their LFs."""

    camera: str
    tag_key: bytes
    lines: tuple[bytes, ...]
    data: bytes

    @property
    def sha256(self) -> str:
        """As the header names it."""
        return sha256_hex(self.data)


def tag_key_of(secret: bytes, camera: str) -> bytes:
    """The tag key of a camera; ``secret`` is the recorder's raw private key."""
    return hmac_digest(secret, b"saksi journal tag\n" + camera.encode("ascii"), "sha256")


def tag_of(tag_key: bytes, recorder: str, batch: int) -> str:
    """The tag (hex) of a camera's part in one batch."""
    return hmac_digest(tag_key, f"saksi journal part\n{recorder}\n{batch}".encode("ascii"), "sha256").hex()


def write_parts(
    lines: Mapping[str, Sequence[bytes]], *, secret: bytes, recorder: str, batch: int
) -> tuple[list[dict[str, str]], bytes]:
    """The header's ``parts`` and the bytes of all parts, for each camera's encoded lines."""
    made: list[tuple[str, str, bytes]] = []
    for camera, own in lines.items():
        tag_key = tag_key_of(secret, camera)
        head = {"v": VERSION, "type": "part", "camera": camera, "lines": len(own), "tag_key": tag_key.hex()}
        data = b"".join(line + b"\n" for line in (canonical.encode(head), *own))
        made.append((tag_of(tag_key, recorder, batch), sha256_hex(data), data))
    made.sort()
    return [{"sha256": digest, "tag": tag} for tag, digest, _ in made], b"".join(one[2] for one in made)


def read_parts(header: JsonObject, body: Sequence[bytes]) -> list[Part]:
    """All parts of a stored batch. Their SHA-256 is left to the check of the signature.

    ``body`` is the batch's lines between header and trailer, without their LFs.

    Raises:
        Malformed: ``bad_batch``: a part is missing, repeated, out of order, or has another tag.
        KeyError, TypeError, ValueError: the header lacks or misnames a member.
    """
    named = [check_sha256(one["tag"]) for one in header["parts"][: MAX_PARTS + 1]]
    if len(named) > MAX_PARTS:
        raise Malformed(f"the batch has more than {MAX_PARTS} parts", code="bad_batch")
    if any(set(one) != {"sha256", "tag"} for one in header["parts"]):
        raise Malformed("the batch's header does not name its parts by SHA-256 and tag", code="bad_batch")
    if any(before >= after for before, after in pairwise(named)):
        raise Malformed("the batch's parts are not in the order of their tags", code="bad_batch")
    found: list[Part] = []
    at = 0
    while at < len(body):
        part = _read_part(body, at)
        at += len(part.lines) + 1
        found.append(part)
    tags = [tag_of(part.tag_key, header["recorder"], header["batch"]) for part in found]
    if tags != named:
        raise Malformed("the batch's parts do not have the tags in its header", code="bad_batch")
    if len({part.camera for part in found}) != len(found):
        raise Malformed("the batch has two parts of one camera", code="bad_batch")
    if sum(len(part.lines) for part in found) != header["lines"]:
        raise Malformed("the batch's header does not fit its lines", code="bad_batch")
    return found


def are_signed(header: JsonObject, parts: Iterable[Part]) -> bool:
    """Whether the header, whose signature counts for it, names exactly these parts' SHA-256."""
    return [one["sha256"] for one in header["parts"]] == [part.sha256 for part in parts]


def _read_part(body: Sequence[bytes], at: int) -> Part:
    match = _HEAD.match(body[at])
    if match is None:
        raise Malformed("a part of the batch has no head", code="bad_batch")
    camera = check_name("camera", match[1].decode("ascii"))
    lines = tuple(body[at + 1 : at + 1 + int(match[2])])
    if len(lines) != int(match[2]):
        raise Malformed(f"the part of {camera} is cut off", code="bad_batch")
    data = b"\n".join((body[at], *lines, b""))
    return Part(camera, bytes.fromhex(match[3].decode("ascii")), lines, data)
