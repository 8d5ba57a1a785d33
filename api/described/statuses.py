"""What each status means here, whatever the route: one description, one example, and the headers with it.

A route names the statuses that are its own (:func:`api.schemas.problem.problem_responses`); those in
:data:`ANY` may come from what stands in front of all routes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from api.problems import MEDIA_TYPE
from api.schemas.problem import SCHEMA


@dataclass(frozen=True, slots=True)
class Meaning:
    """One status: when it comes, and a problem that has it."""

    when: str
    code: str
    detail: str
    hint: str = ""
    headers: tuple[str, ...] = ()


MEANINGS: Mapping[int, Meaning] = {
    400: Meaning("The request cannot be read as HTTP.", "bad_host", "The request must name one host."),
    401: Meaning(
        "No token or session, or none that is known.",
        "unauthenticated",
        "this needs a token",
        "Send the header 'Authorization: Bearer <token>', or sign in at /auth/login.",
        ("WWW-Authenticate",),
    ),
    403: Meaning(
        "The action is not theirs to do; or a page of another site asks with their cookie.",
        "not_permitted",
        "cameras.edit is not yours to do",
        "Ask an administrator for a role that includes it.",
    ),
    404: Meaning(
        "It does not exist, or is not theirs to know of.", "camera_not_found", "there is no camera cam-9"
    ),
    405: Meaning(
        "The address does not know the method.",
        "method_not_allowed",
        "This address does not know that method.",
        "See the Allow header.",
        ("Allow",),
    ),
    408: Meaning(
        "The body came too slowly.",
        "body_too_slow",
        "The request's body came too slowly.",
        "Send it again, all at once.",
    ),
    409: Meaning(
        "What is asked does not fit how things stand; or an earlier request with the same Idempotency-Key "
        "has no answer yet.",
        "hold_released",
        "hold-5f2c7a90b1d34e86a7c8d9e0f1a2b3c4 is released",
        "Place a new one if the footage must stay.",
    ),
    412: Meaning(
        "If-Match names another version, or other bytes, than there are now.",
        "precondition_failed",
        "it was changed since it was read",
        "Read it again, and repeat the change if it still makes sense.",
    ),
    413: Meaning("The body is too large.", "body_too_large", "The request's body is too large."),
    414: Meaning(
        "The address is too long.",
        "uri_too_long",
        "The address of the request is too long.",
        "It may have 8192 bytes and 256 parameters.",
    ),
    415: Meaning(
        "The bytes are of no kind that is taken here.",
        "attachment_type",
        "the paper is neither PDF nor JPEG nor PNG",
        "Scan the letter to PDF, or photograph it.",
    ),
    416: Meaning(
        "The range lies beyond the end.",
        "range_not_satisfiable",
        "the range lies outside the 31457280 bytes",
        "Ask for bytes from 0 to the size less one.",
        ("Content-Range",),
    ),
    421: Meaning("No host of that name is here.", "wrong_host", "There is no such host here."),
    422: Meaning(
        "The request does not read, or asks for what cannot be.",
        "naive_time",
        "'from': '2026-11-24T14:00:00' has no UTC offset",
        "Add the offset: +08:00 for Makassar, Z for UTC.",
    ),
    428: Meaning(
        "A change must name the version it was decided on, in If-Match.",
        "precondition_required",
        "a change names the version that it was decided on",
        "Read it first, and send its ETag as If-Match.",
    ),
    429: Meaning(
        "Too many requests in too short a time.",
        "rate_limited",
        "There were too many requests of this kind in too short a time.",
        "Try again in 5 s, and more slowly.",
        ("Retry-After", "RateLimit", "RateLimit-Policy"),
    ),
    431: Meaning(
        "The header fields are too many or too large.",
        "headers_too_large",
        "The request's header fields are too many or too large.",
    ),
    500: Meaning(
        "Stored bytes or our own records do not hold; do not repeat it.",
        "second_version",
        "Something inside did not hold. It was recorded under the incident number.",
        "Do not repeat it; report the incident number to the people who run this system.",
    ),
    503: Meaning(
        "A store, the index or the custody record does not answer, or all streams are taken.",
        "store_unavailable",
        "A part of the system that this needs does not answer. Nothing was lost.",
        "Try again in some seconds; if it stays so, report the incident number.",
        ("Retry-After",),
    ),
}

ANY = (400, 414, 421, 429, 431)
"""What stands in front of all routes may answer so, to strangers too."""

WITH_BODY = (408,)
"""And so to whatever has a body."""

_CLASSES_WITH_INCIDENT = (500, 503)


def name_of(status: int) -> str:
    """The name of a status among the document's shared responses, such as ``NotFound``."""
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def shared_responses() -> dict[str, Any]:
    """Every problem's response, by its name."""
    return {name_of(status): _response(status, meaning) for status, meaning in MEANINGS.items()}


def _response(status: int, meaning: Meaning) -> dict[str, Any]:
    example: dict[str, Any] = {
        "type": f"urn:saksi:problem:{meaning.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": meaning.detail,
        "code": meaning.code,
        "hint": meaning.hint,
    }
    if status in _CLASSES_WITH_INCIDENT:
        example |= {"incident": "INC-8d1f0c42aa", "retryable": status == HTTPStatus.SERVICE_UNAVAILABLE}
    made: dict[str, Any] = {
        "description": meaning.when,
        "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA}, "example": example}},
    }
    if meaning.headers:
        made["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in meaning.headers}
    return made
