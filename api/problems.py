"""Errors as RFC 9457 problems: one table from :mod:`archive.errors` to HTTP, and one shape for all.

A problem has ``type`` (``urn:saksi:problem:<code>``), ``title``, ``status``, ``detail``, ``code`` and
``hint``; ``gaps`` if footage is missing, ``errors`` if fields are wrong, ``incident`` if the fault is ours.
What people read (``detail``, ``hint``, messages of fields) is in Indonesian and in English.
Errors caused by the caller are answered in full. Internal failures are answered with their code and an error
number (``incident``) only: internal messages name paths, hosts and keys.
"""

import secrets
import traceback
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api.described.languages import in_languages, of_field
from api.headers import SECURITY
from archive.errors import (
    ArchiveError,
    Conflict,
    IntegrityError,
    Malformed,
    NotFound,
    Refused,
    Unavailable,
)
from archive.footage.reader import GapSpan
from archive.timespan import format_instant

MEDIA_TYPE = "application/problem+json"

_BY_CLASS: tuple[tuple[type[ArchiveError], int], ...] = (
    (NotFound, 404),
    (Refused, 403),
    (Conflict, 409),
    (IntegrityError, 500),
    (Unavailable, 503),
    (Malformed, 422),
)

_BY_CODE: Mapping[str, int] = {
    # Rules about what may be registered or requested: the content of the request is wrong, not the caller.
    "private_view": 422,
    "hold_shrinks": 422,
    # The URL is right; the requested footage does not exist.
    "no_footage": 409,
    "clip_not_joinable": 409,
    "under_retention": 409,
    "under_hold": 409,
    "lock_shortened": 409,
    "not_sealed": 409,
    "not_stamped": 409,
    "request_too_large": 422,
    "attachment_too_large": 413,
    "attachment_type": 415,
    "import_type": 415,
    "precondition_required": 428,
    "unauthenticated": 401,
    "session_ended": 401,
    "sign_in_failed": 401,
    "sign_in_locked": 429,
    "client_left": 408,
    "too_many_at_once": 429,
    "invitation_refused": 401,
    "last_admin": 409,
    "no_password_here": 409,
    "no_session": 409,
    "precondition_failed": 412,
    "range_not_satisfiable": 416,
    # Our own records cannot be read back: no caller can have caused that.
    "bad_camera": 500,
    "bad_leaf": 500,
    "bad_batch": 500,
    "bad_entry": 500,
    "bad_custody_event": 500,
    "bad_evidence": 500,
    "bad_policy": 500,
    "bad_hold": 500,
    "bad_disposition": 500,
    "bad_kind": 500,
    "bad_user_record": 500,
    "bad_grant_record": 500,
    "bad_export": 500,
    "bad_request_record": 500,
}

OF_FRAMEWORK: Mapping[int, tuple[str, str, str]] = {
    404: ("no_such_path", "There is nothing at this path.", "See /openapi.json for the paths that exist."),
    405: ("method_not_allowed", "This path does not support that method.", "See the Allow header."),
    408: ("body_too_slow", "The request's body arrived too slowly.", "Send it again without pauses."),
    413: ("body_too_large", "The request's body is too large.", ""),
    400: ("bad_request", "The request cannot be read.", ""),
}
"""Refusals by the framework itself, by status: code, detail and hint."""

_INSIDE = {
    500: "Terjadi kesalahan di dalam sistem; tercatat dengan nomor insiden ini. / "
    "An internal error occurred. It was logged under the incident number.",
    503: "Sebuah bagian sistem tidak menjawab. Tidak ada yang hilang. / "
    "A part of the system that this request needs does not answer. Nothing was lost.",
}
_RETRY_AFTER = "5"
_TOLD_IN_FULL = frozenset({"busy", "filing_busy"})
"""Codes from 500 on whose hint names nothing internal, and is more useful than "try again"."""

_LOG = structlog.stdlib.get_logger("api.problems")


def status_of(error: ArchiveError) -> int:
    """The HTTP status of an archive error: by its code, else by its class."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    hint: str = "",
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem document; ``detail`` and ``hint`` in English, or in both languages already."""
    detail, hint = in_languages(code, detail, hint)
    body = {
        "type": f"urn:saksi:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "hint": hint,
        **(members or {}),
    }
    return JSONResponse(
        body, status_code=status, media_type=MEDIA_TYPE, headers={**SECURITY, **(headers or {})}
    )


def of_archive_error(error: ArchiveError) -> JSONResponse:
    """The problem of an archive error.

    From 500 on only its code is answered, and the key of a damaged segment; the rest is logged.
    """
    status = status_of(error)
    headers = dict(_headers_of(error, status))
    gaps = getattr(error, "gaps", ())
    members: dict[str, Any] = {"gaps": gaps_json(gaps)} if gaps else {}
    fits = getattr(error, "fits", {})
    if fits:
        members["fits"] = dict(fits)
    faults = getattr(error, "errors", ())
    if faults:
        members["errors"] = [
            {"in": "body", "field": fault.field, "code": fault.code, "message": fault.message}
            for fault in faults
        ]
    if status < 500:
        return problem(status, error.code, error.message, hint=error.hint, members=members, headers=headers)
    incident = new_error_reference()
    _LOG.error("request failed", incident=incident, code=error.code, reason=error.message)
    damaged = damaged_segment(error)
    return problem(
        status,
        error.code,
        _INSIDE[status],
        hint=_outside_hint(status, error),
        members={
            "incident": incident,
            "retryable": error.retryable,
            **({"segment": damaged} if damaged else {}),
        },
        headers=headers,
    )


def damaged_segment(error: ArchiveError) -> str:
    """The key of the stored segment that an error is about, or "".

    Who may read footage may know which of it is damaged. What else is damaged only the log says.
    """
    key = error.key if isinstance(error, IntegrityError) else ""
    return key if key.startswith("segments/") else ""


def of_unexpected(error: BaseException) -> JSONResponse:
    """The problem of an unexpected exception: an incident number and nothing of the exception."""
    incident = new_error_reference()
    # Plain: a renderer that shows local variables would log tokens and camera passwords.
    trace = "".join(traceback.format_exception(error))
    _LOG.error("unexpected failure", incident=incident, trace=trace)
    return problem(
        500,
        "internal",
        _INSIDE[500],
        hint="Report the incident number to the people who run this system.",
        members={"incident": incident},
    )


def of_validation(error: RequestValidationError) -> JSONResponse:
    """The problem of invalid parameters or an invalid body: field by field, without the values sent."""
    errors = [
        {
            "in": str(item["loc"][0]),
            "field": ".".join(str(part) for part in item["loc"][1:]),
            "code": item["type"],
            "message": of_field(item["type"], item["msg"]),
        }
        for item in error.errors()
    ]
    named = ", ".join(dict.fromkeys(item["field"] or item["in"] for item in errors))
    unknown = any(item["code"] == "extra_forbidden" for item in errors)
    return problem(
        422,
        "unknown_field" if unknown else "invalid_request",
        f"The request is not valid: {named}.",
        hint="Each entry of 'errors' says what is wrong with one field; /openapi.json describes them all.",
        members={"errors": errors},
    )


def of_http(error: HTTPException, *, allow: Sequence[str] | None = None) -> JSONResponse:
    """The problem of a refusal by the framework itself: unknown path, wrong method, too large a body.

    ``allow`` replaces the header Allow, also if it is empty: no method is allowed (RFC 9110, 10.2.1).
    """
    code, detail, hint = OF_FRAMEWORK.get(error.status_code, ("http_error", "The request was refused.", ""))
    headers = dict(error.headers or {})
    if allow is not None:
        headers["Allow"] = ", ".join(allow)
    return problem(error.status_code, code, detail, hint=hint, headers=headers)


def gaps_json(gaps: Iterable[GapSpan]) -> list[dict[str, str]]:
    """Gaps as all answers give them."""
    return [
        {
            "from": format_instant(gap.span.start),
            "to": format_instant(gap.span.end),
            "cause": gap.cause,
        }
        for gap in gaps
    ]


def new_error_reference() -> str:
    """A number that links an answer to a line of the log."""
    return f"INC-{secrets.token_hex(5)}"


def _outside_hint(status: int, error: ArchiveError) -> str:
    if error.code in _TOLD_IN_FULL:
        return error.hint
    if status == 503:
        return (
            "Coba lagi beberapa detik lagi; bila tetap gagal, sampaikan nomor insiden. / "
            "Try again in a few seconds; if it still fails, report the incident number."
        )
    return (
        "Jangan ulangi permintaan; sampaikan nomor insiden kepada pengelola sistem. / "
        "Do not repeat the request; report the incident number to the people who run this system."
    )


def _headers_of(error: ArchiveError, status: int) -> Iterable[tuple[str, str]]:
    if status == 401:
        yield "WWW-Authenticate", 'Bearer realm="saksi"'
    if status in {429, 503}:
        yield "Retry-After", str(getattr(error, "wait_s", _RETRY_AFTER))
    size = getattr(error, "size", None)
    if status == 416 and size is not None:
        yield "Content-Range", f"bytes */{size}"
