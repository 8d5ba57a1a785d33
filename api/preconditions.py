"""Preconditions: the version a change is based on, and the version a reader has (RFC 9110, 8.8.3 and 13.1).

Every object that can change has a version, which counts the entries of its ledger stream:

- a **change** names the version it is based on in ``If-Match``: 428 without one, 412 if another change came
  first. The version is passed to the ledger's compare-and-append, which lets exactly one of several writers
  with the same version succeed; nothing is decided by comparing here;
- the answer to a change carries the new version as ``ETag: "<version>"``;
- a **read** carries ``ETag: "<version>-<16 hex digits>"``. The digits are from the SHA-256 of the answer's
  bytes, since an answer may contain more than the entry (how far a hold is set in the store, which terms are
  in force now, what this reader may see). ``If-None-Match`` with it is answered 304. ``If-Match`` accepts
  either form and reads only the version.

A condition is checked after the caller's permission, and before the object is read: a missing or malformed
condition gets the same answer whether the object exists or not.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Header, Request
from starlette.responses import JSONResponse, Response

from api.ranges import is_unmodified
from archive.canonical import JsonObject, sha256_hex
from archive.errors import Conflict, Refused

CHANGE = (404, 409, 412, 413, 428)
"""Statuses of the answers to a change, beside those of every route."""

DIGITS = 16
"""Hex digits of the answer's SHA-256 in the ETag of a read."""

_ETAG = re.compile(rf'"(\d{{1,8}})(?:-[0-9a-f]{{{DIGITS}}})?"\Z', re.ASCII)


_IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=200,
        description="The ETag of the object as it was read: the version that this change is based on.",
        examples=['"1"'],
    ),
]


async def asked_version(
    if_match: _IfMatch = "",
) -> int:
    """The version that a change is based on.

    Raises:
        Refused: ``precondition_required`` (428) without one; ``precondition_failed`` (412) for a text that is
            not an ETag of ours, and for ``*``, which names no version.
    """
    if not if_match.strip():
        raise Refused(
            "a change must name the version that it is based on",
            code="precondition_required",
            hint="Read the object first, and send its ETag as If-Match.",
        )
    return _version(if_match)


async def asked_version_or_none(
    if_match: _IfMatch = "",
    if_none_match: Annotated[
        str,
        Header(
            alias="If-None-Match",
            max_length=200,
            description="`*` instead of If-Match, for an object that does not exist yet.",
            examples=["*"],
        ),
    ] = "",
) -> int:
    """As :func:`asked_version`, for an object that may not exist yet: 0 for ``If-None-Match: *``.

    Raises:
        Refused: as :func:`asked_version`; ``precondition_failed`` also if both are given.
    """
    if if_none_match.strip() != "*":
        return await asked_version(if_match)
    if if_match.strip():
        raise _stale()
    return 0


Version = Annotated[int, Depends(asked_version)]
"""The version a change is based on, from 1; declared after the request context, which is checked first."""

VersionOrNone = Annotated[int, Depends(asked_version_or_none)]
"""As :data:`Version`, or 0 if the object must not exist yet."""


@contextmanager
def decided_on() -> Iterator[None]:
    """Make a change within this context: if the version is no longer the newest, it fails with 412."""
    try:
        yield
    except Conflict as error:
        if error.code != "ledger_conflict":
            raise
        raise _stale() from error


def tagged(version: int) -> dict[str, str]:
    """The ``ETag`` of an answer to a change."""
    return {"ETag": f'"{version}"'}


def read_answer(
    request: Request, version: int, body: JsonObject, *, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer a read with its ETag, or 304 if the reader has exactly these bytes."""
    answer = JSONResponse(body, headers=dict(headers or {}))
    etag = f'"{version}-{sha256_hex(bytes(answer.body))[:DIGITS]}"'
    if is_unmodified(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={"ETag": etag, **(headers or {})})
    answer.headers["ETag"] = etag
    return answer


def list_answer(request: Request, body: bytes) -> Response:
    """Answer a long list of JSON with its ETag, a weak one since it is compressed on its way; or 304."""
    etag = f'"{sha256_hex(body)[:DIGITS]}"'
    headers = {"ETag": f"W/{etag}"}
    if is_unmodified(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)


def _version(if_match: str) -> int:
    match = _ETAG.match(if_match.strip())
    if match is None:
        raise _stale()
    return int(match[1])


def _stale() -> Refused:
    return Refused(
        "the object was changed since it was read",
        code="precondition_failed",
        hint="Read it again, and repeat the change if it still makes sense.",
    )
