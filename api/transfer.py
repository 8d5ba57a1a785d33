"""Sending footage and packages: conditions, a slot, a start on record, the bytes, an end on record.

The same for every route that gives bytes away, so that none can leave a step out (I8):

1. the request's conditions are judged: 304, 412, 416 and HEAD send nothing;
2. a slot is taken, or the answer is 503 ``busy``;
3. the start is on record, durably;
4. the first piece is read: a source that is not there is an error document;
5. the bytes leave;
6. the slot is given back and the end is put on record, with what was really sent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from api.acts import Act
from api.footage import Ending, FootageResponse, Sent
from api.ranges import ByteRange, is_unmodified, precondition_fails, range_to_serve
from api.visit import Visit
from archive.errors import Refused
from archive.model.custody import CustodyEvent, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Bytes that can be asked for in part. ``etag`` is strong, quotes included."""

    size: int
    etag: str
    media_type: str
    headers: Mapping[str, str]
    stream: Callable[[int, int], Iterator[bytes]]


class Record(Protocol):
    """How the taking of bytes goes on record."""

    def looked(self, etag: str, status: int) -> None:
        """Nothing is sent: HEAD, or 304. Durable when this returns."""
        ...

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """These bytes are about to leave; durable when this returns what is to be called at the end."""
        ...


def send(visit: Visit, request: Request, shown: Representation, record: Record) -> Response:
    """Answer a GET or HEAD for these bytes.

    Raises:
        Refused: ``precondition_failed`` (412).
        RangeNotSatisfiable: 416.
        Unavailable: ``busy``; or the record or the store does not answer. No byte has left.
    """
    asked = request.headers
    headers = {"ETag": shown.etag, "Accept-Ranges": "bytes", **shown.headers}
    if precondition_fails(asked.get("if-match"), shown.etag):
        raise Refused(
            "the bytes are not the ones that If-Match names",
            code="precondition_failed",
            hint="Begin again without If-Match, and compare the ETag.",
        )
    if is_unmodified(asked.get("if-none-match"), shown.etag):
        record.looked(shown.etag, 304)
        return _not_modified(headers)
    if request.method == "HEAD":
        record.looked(shown.etag, 200)
        return _head(shown, headers)
    part = range_to_serve(asked.get("range"), asked.get("if-range"), shown.etag, shown.size)
    if part is not None:
        headers["Content-Range"] = part.content_range
    return _stream(visit, shown, headers, part, record)


def _stream(
    visit: Visit, shown: Representation, headers: dict[str, str], part: ByteRange | None, record: Record
) -> Response:
    runtime = visit.runtime
    whole = ByteRange(0, shown.size, shown.size)
    wanted = part or whole
    tell_end: Callable[[Sent], None] | None = None
    response: Response | None = None

    def on_end(sent: Sent) -> None:
        runtime.slots.give_back()
        runtime.meters.footage_bytes.labels(visit.action).inc(sent.bytes_sent)
        if tell_end is not None:
            tell_end(sent)

    runtime.slots.take()
    try:
        tell_end = record.begin(shown, wanted)
        response = FootageResponse(
            shown.stream(wanted.start, wanted.length),
            length=wanted.length,
            status=200 if part is None else 206,
            media_type=shown.media_type,
            headers=headers,
            readers=runtime.readers,
            stall=visit.services.settings.stall,
            on_end=on_end,
        )
        return response
    finally:
        if response is None:
            on_end(Sent(0, Ending.SOURCE_FAILED))


@dataclass(frozen=True, slots=True)
class Download:
    """A start and an end event for each request: clips, frames and packages.

    The visit has begun the act of taking them; looking alone is told as ``looking``.
    """

    visit: Visit
    looking: Act

    def looked(self, etag: str, status: int) -> None:
        """Tell it as a look."""
        self.visit.act = self.looking
        self.visit.done(status=status, etag=etag)

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Put the start on record."""
        start = self.visit.started(etag=shown.etag, size=shown.size, offset=part.start, length=part.length)
        return lambda sent: self._end(start, sent)

    def _end(self, start: CustodyEvent, sent: Sent) -> None:
        outcome = Outcome.FAILED if sent.ending is Ending.SOURCE_FAILED else Outcome.DONE
        self.visit.ended(start, outcome, bytes_sent=sent.bytes_sent, ending=sent.ending.value, code=sent.code)


def _not_modified(headers: Mapping[str, str]) -> Response:
    response = Response(status_code=304)
    response.headers.update(headers)
    return response


def _head(shown: Representation, headers: Mapping[str, str]) -> Response:
    response = Response(media_type=shown.media_type)
    response.headers.update(headers)
    response.headers["Content-Length"] = str(shown.size)
    return response
