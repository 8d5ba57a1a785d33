"""Which version a change was decided on, and whether a reader has it already (RFC 9110, 8.8.3 and 13.1).

Whatever changes in place has a version, which counts the entries of its ledger stream:

- a **change** names the version it was decided on in ``If-Match``: 428 without, 412 where somebody was first.
  The version goes down to the ledger's compare-and-append, which lets exactly one of any number of writers
  who read the same version win; nothing is decided by comparing here;
- the answer to a change carries the new version as ``ETag: "<version>"``;
- a **read** carries ``ETag: "<version>-<16 hex digits>"``. The digits are of the SHA-256 of the answer's own
  bytes, since an answer may tell more than the entry (how far the store follows a hold, which terms are in
  force by now, what this reader may see). ``If-None-Match`` with it is answered 304. Either form is good for
  ``If-Match``, which looks at the version alone.

A condition is looked at after the permission of whoever asks, and before anything is told of the thing:
without it, and with one that no thing of ours can have, the answer is the same for what exists and what does
not.
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
"""What a change may be answered with, beside what every route may."""

DIGITS = 16
"""Hex digits of the answer's SHA-256 in the ETag of a read."""

_ETAG = re.compile(rf'"(\d{{1,8}})(?:-[0-9a-f]{{{DIGITS}}})?"\Z', re.ASCII)


_IfMatch = Annotated[
    str,
    Header(
        alias="If-Match",
        max_length=200,
        description="The ETag of what was read: the version that this change was decided on.",
        examples=['"1"'],
    ),
]


async def asked_version(
    if_match: _IfMatch = "",
) -> int:
    """The version that a change was decided on.

    Raises:
        Refused: ``precondition_required`` (428) without one; ``precondition_failed`` (412) for what is no
            ETag of ours, and for ``*``, which names no version.
    """
    if not if_match.strip():
        raise Refused(
            "a change names the version that it was decided on",
            code="precondition_required",
            hint="Read it first, and send its ETag as If-Match.",
        )
    return _version(if_match)


async def asked_version_or_none(
    if_match: _IfMatch = "",
    if_none_match: Annotated[
        str,
        Header(
            alias="If-None-Match",
            max_length=200,
            description="`*` instead of If-Match, where nothing is there yet.",
            examples=["*"],
        ),
    ] = "",
) -> int:
    """As :func:`asked_version`, for what may not exist yet: 0 for ``If-None-Match: *``.

    Raises:
        Refused: as :func:`asked_version`; ``precondition_failed`` also where both are given.
    """
    if if_none_match.strip() != "*":
        return await asked_version(if_match)
    if if_match.strip():
        raise _stale()
    return 0


Version = Annotated[int, Depends(asked_version)]
"""The version that a change was decided on, from 1; declared after the visit, so that who asks is first."""

VersionOrNone = Annotated[int, Depends(asked_version_or_none)]
"""The same, or 0 for what must not exist yet."""


@contextmanager
def decided_on() -> Iterator[None]:
    """Change something here: a version that is not the newest any more is a failed precondition (412)."""
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
    """Answer a read with its ETag, or 304 where the reader has these very bytes."""
    answer = JSONResponse(body, headers=dict(headers or {}))
    etag = f'"{version}-{sha256_hex(bytes(answer.body))[:DIGITS]}"'
    if is_unmodified(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers={"ETag": etag, **(headers or {})})
    answer.headers["ETag"] = etag
    return answer


def _version(if_match: str) -> int:
    match = _ETAG.match(if_match.strip())
    if match is None:
        raise _stale()
    return int(match[1])


def _stale() -> Refused:
    return Refused(
        "it was changed since it was read",
        code="precondition_failed",
        hint="Read it again, and repeat the change if it still makes sense.",
    )
