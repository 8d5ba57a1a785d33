"""What each status means on every route: one description, one example, and its headers.

A route names its own statuses (:func:`api.schemas.problem.problem_responses`); those in :data:`ANY` may come
from the middleware in front of all routes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from api.problems import MEDIA_TYPE
from api.schemas.problem import SCHEMA


@dataclass(frozen=True, slots=True)
class Meaning:
    """One status: when it is answered, and an example problem."""

    when: str
    code: str
    detail: str
    hint: str = ""
    headers: tuple[str, ...] = ()


MEANINGS: Mapping[int, Meaning] = {
    400: Meaning("The request cannot be read as HTTP.", "bad_host", "The request must name one host."),
    401: Meaning(
        "There is no token or session, or it is unknown.",
        "unauthenticated",
        "this request needs a token",
        "Send the header 'Authorization: Bearer <token>', or sign in at /auth/login.",
        ("WWW-Authenticate",),
    ),
    403: Meaning(
        "The caller may not do the action; or a page of another site sent the request with their cookie.",
        "not_permitted",
        "you do not have the permission cameras.edit",
        "Ask an administrator for a role that includes it.",
    ),
    404: Meaning(
        "It does not exist, or the caller may not know of it.", "camera_not_found", "there is no camera cam-9"
    ),
    405: Meaning(
        "The path does not support the method.",
        "method_not_allowed",
        "This path does not support that method.",
        "See the Allow header.",
        ("Allow",),
    ),
    408: Meaning(
        "The body arrived too slowly.",
        "body_too_slow",
        "The request's body arrived too slowly.",
        "Send it again without pauses.",
    ),
    409: Meaning(
        "The request conflicts with the current state of the object; or an earlier request with the same "
        "Idempotency-Key has no answer yet.",
        "hold_released",
        "hold-5f2c7a90b1d34e86a7c8d9e0f1a2b3c4 is released",
        "Place a new hold if the footage must stay.",
    ),
    412: Meaning(
        "If-Match names another version, or other bytes, than the current ones.",
        "precondition_failed",
        "the object was changed since it was read",
        "Read it again, and repeat the change if it still makes sense.",
    ),
    413: Meaning("The body is too large.", "body_too_large", "The request's body is too large."),
    414: Meaning(
        "The URL is too long.",
        "uri_too_long",
        "The URL of the request is too long.",
        "It may have at most 8192 bytes and 256 parameters.",
    ),
    415: Meaning(
        "The bytes are of a type that is not accepted here.",
        "attachment_type",
        "the paper is neither PDF nor JPEG nor PNG",
        "Scan the letter to PDF, or photograph it.",
    ),
    416: Meaning(
        "The range lies beyond the end.",
        "range_not_satisfiable",
        "the range lies outside the 31457280 bytes",
        "Request bytes from 0 to the size less one.",
        ("Content-Range",),
    ),
    421: Meaning(
        "The installation does not have that host name.",
        "wrong_host",
        "This installation does not have that host name.",
    ),
    422: Meaning(
        "The request is not valid, or asks for something impossible.",
        "naive_time",
        "'from': '2026-11-24T14:00:00' has no UTC offset",
        "Add the offset: +08:00 for Makassar, Z for UTC.",
    ),
    428: Meaning(
        "A change must name the version it is based on, in If-Match.",
        "precondition_required",
        "a change must name the version that it is based on",
        "Read the object first, and send its ETag as If-Match.",
    ),
    429: Meaning(
        "Too many requests in too short a time.",
        "rate_limited",
        "Too many requests of this kind came in too short a time.",
        "Try again in 5 s, and more slowly.",
        ("Retry-After", "RateLimit", "RateLimit-Policy"),
    ),
    431: Meaning(
        "There are too many header fields, or they are too large.",
        "headers_too_large",
        "The request has too many header fields, or they are too large.",
    ),
    500: Meaning(
        "Stored bytes or our own records are damaged, or the program failed; do not repeat the request.",
        "second_version",
        "An internal error occurred. It was logged under the incident number.",
        "Do not repeat the request; report the incident number to the people who run this system.",
    ),
    503: Meaning(
        "A store, the index or the custody record does not answer, or all streams are taken.",
        "store_unavailable",
        "A part of the system that this request needs does not answer. Nothing was lost.",
        "Try again in a few seconds; if it still fails, report the incident number.",
        ("Retry-After",),
    ),
}

ANY = (400, 414, 421, 429, 431)
"""Statuses that the middleware in front of all routes may answer, also to unauthenticated clients."""

WITH_BODY = (408,)
"""Statuses that the middleware may also answer to requests with a body."""

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
