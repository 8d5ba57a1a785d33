"""Handing over a sealed package: the right to download it, the downloads, and the receipt."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archive.canonical import JsonObject
from archive.errors import Malformed
from archive.ids import check_evidence_id, check_sha256
from archive.timespan import format_instant, parse_instant

VERSION = 1
MAX_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """The person who receives a package: the requester, as the request names them."""

    person: str
    name: str
    rank: str = ""
    nrp_nip: str = ""
    agency: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """The officer who hands over, as the papers name them. Empty fields are filled in by hand."""

    name: str = ""
    nip: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """The right to download one package, bound to a person, a count and a time.

    ``downloads`` 0 means that the package was given on a carrier and nothing may be downloaded. ``until``
    and ``given_at`` are in µs. ``request_entry`` is the SHA-256 of the request's entry that the officer
    acted on. The recipient must confirm the figures of the package.
    """

    evidence_id: str
    number: int
    request_id: str
    request_entry: str
    recipient: Recipient
    downloads: int
    until: int
    given_by: str
    given_at: int
    note: str
    tagmanifest_sha256: str
    signer_sha256: str
    tsa: str
    gen_time: int
    officer: Officer = Officer()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The recipient's confirmation that they hold exactly the package that was sealed."""

    confirmed_by: str
    confirmed_at: int
    right_sha256: str
    tagmanifest_sha256: str
    signer_sha256: str
    downloads: int


class HoldAfter(StrEnum):
    """What happens to the request's hold when the request is closed."""

    RELEASE = "release"
    KEEP = "keep"


def right_state(right: Right) -> JsonObject:
    """The right as its object keeps it."""
    to = right.recipient
    return {
        "v": VERSION,
        "evidence_id": right.evidence_id,
        "number": right.number,
        "request_id": right.request_id,
        "request_entry": right.request_entry,
        "recipient": {
            "person": to.person,
            "name": to.name,
            "rank": to.rank,
            "nrp_nip": to.nrp_nip,
            "agency": to.agency,
            "unit": to.unit,
        },
        "downloads": right.downloads,
        "until": format_instant(right.until),
        "given_by": right.given_by,
        "officer": {
            "name": right.officer.name,
            "nip": right.officer.nip,
            "position": right.officer.position,
        },
        "given_at": format_instant(right.given_at),
        "note": right.note,
        "tagmanifest_sha256": right.tagmanifest_sha256,
        "signer_sha256": right.signer_sha256,
        "tsa": right.tsa,
        "gen_time": format_instant(right.gen_time),
    }


def right_from_state(state: Mapping[str, Any]) -> Right:
    """Read a right back. Raises Malformed ``bad_handover``."""
    try:
        return Right(
            evidence_id=check_evidence_id(state["evidence_id"]),
            number=state["number"],
            request_id=state["request_id"],
            request_entry=state["request_entry"],
            recipient=Recipient(**state["recipient"]),
            downloads=state["downloads"],
            until=parse_instant(state["until"]),
            given_by=state["given_by"],
            given_at=parse_instant(state["given_at"]),
            note=state["note"],
            tagmanifest_sha256=check_sha256(state["tagmanifest_sha256"]),
            signer_sha256=check_sha256(state["signer_sha256"]),
            tsa=state["tsa"],
            gen_time=parse_instant(state["gen_time"]),
            officer=Officer(**state.get("officer", {})),  # older rights have none
        )
    except (KeyError, TypeError, ValueError, AttributeError, Malformed) as error:
        raise Malformed(f"a handover cannot be read: {error}", code="bad_handover") from error


def receipt_state(receipt: Receipt) -> JsonObject:
    """The receipt as its object keeps it."""
    return {
        "v": VERSION,
        "confirmed_by": receipt.confirmed_by,
        "confirmed_at": format_instant(receipt.confirmed_at),
        "right_sha256": receipt.right_sha256,
        "tagmanifest_sha256": receipt.tagmanifest_sha256,
        "signer_sha256": receipt.signer_sha256,
        "downloads": receipt.downloads,
    }


def receipt_from_state(state: Mapping[str, Any]) -> Receipt:
    """Read a receipt back. Raises Malformed ``bad_handover``."""
    try:
        return Receipt(
            confirmed_by=state["confirmed_by"],
            confirmed_at=parse_instant(state["confirmed_at"]),
            right_sha256=check_sha256(state["right_sha256"]),
            tagmanifest_sha256=check_sha256(state["tagmanifest_sha256"]),
            signer_sha256=check_sha256(state["signer_sha256"]),
            downloads=state["downloads"],
        )
    except (KeyError, TypeError, ValueError, AttributeError, Malformed) as error:
        raise Malformed(f"a receipt cannot be read: {error}", code="bad_handover") from error


def check_text(name: str, text: str, *, needed: bool) -> str:
    """Accept a note or a reason, and return it trimmed. Raises Malformed ``bad_handover_request``."""
    text = text.strip()
    if (needed and not text) or len(text) > MAX_TEXT or not text.isprintable():
        raise Malformed(
            f"the {name} is missing, too long or unprintable",
            code="bad_handover_request",
            hint=f"Give up to {MAX_TEXT} printable characters.",
        )
    return text
