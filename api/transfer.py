"""Sending footage and packages: conditions, a slot, a start event, the bytes, an end event.

Every route that sends such bytes uses these steps, so that none can leave one out (I8):

1. the request's conditions are checked: 304, 412, 416 and HEAD send no bytes;
2. a slot is taken, or the answer is 503 ``busy``;
3. the start event is recorded, durably; meanwhile the first piece is read, into memory;
4. if the source is missing, the answer is an error document;
5. the bytes are sent;
6. the slot is given back and the end event is recorded, with the bytes really sent.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response

from api.audit import Act
from api.footage import Begun, Ending, FootageResponse, Sent
from api.ranges import ByteRange, is_unmodified, precondition_fails, range_to_serve
from api.request_context import Detail, RequestContext
from archive.errors import Refused
from archive.model.custody import CustodyEvent, Outcome
from archive.timespan import SECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """Bytes that can be requested in part. ``etag`` is strong, quotes included.

    ``footage_us`` gives the time (µs) of footage in ``length`` bytes from ``start``; None where there is no
    such measure. ``cameras_in`` gives the cameras of which these bytes show something; None for one camera.
    """

    size: int
    etag: str
    media_type: str
    headers: Mapping[str, str]
    stream: Callable[[int, int], Iterator[bytes]]
    footage_us: Callable[[int, int], int] | None = None
    cameras_in: Callable[[int, int], Iterable[str]] | None = None


class Record(Protocol):
    """How a transfer of bytes is recorded."""

    def looked(self, etag: str, status: int) -> None:
        """Record an answer without bytes: HEAD, or 304. Durable when this returns."""
        ...

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Record that these bytes are about to be sent, durably; return the function to call at the end."""
        ...


def send(context: RequestContext, request: Request, shown: Representation, record: Record) -> Response:
    """Answer a GET or HEAD for these bytes.

    Raises:
        Refused: ``precondition_failed`` (412).
        RangeNotSatisfiable: 416.
        Unavailable: ``busy``; or the custody record or the store does not answer. No byte was sent.
    """
    asked = request.headers
    headers = {"ETag": shown.etag, "Accept-Ranges": "bytes", **shown.headers}
    if precondition_fails(asked.get("if-match"), shown.etag):
        raise Refused(
            "the bytes are not those that If-Match names",
            code="precondition_failed",
            hint="Start again without If-Match, and compare the ETag.",
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
    return _stream(context, shown, headers, part, record)


def _stream(
    context: RequestContext,
    shown: Representation,
    headers: dict[str, str],
    part: ByteRange | None,
    record: Record,
) -> Response:
    runtime = context.runtime
    whole = ByteRange(0, shown.size, shown.size)
    wanted = part or whole
    tell_end: Callable[[Sent], None] | None = None
    pieces: Begun | None = None
    response: Response | None = None

    def on_end(sent: Sent) -> None:
        runtime.slots.give_back()
        runtime.metrics.footage_bytes.labels(context.action).inc(sent.bytes_sent)
        if tell_end is not None:
            tell_end(sent)

    runtime.slots.take()
    try:
        # No byte of it leaves before the start event is durable: only then is there an answer.
        pieces = Begun(lambda: shown.stream(wanted.start, wanted.length), runtime.readers)
        tell_end = record.begin(shown, wanted)
        response = FootageResponse(
            pieces,
            length=wanted.length,
            status=200 if part is None else 206,
            media_type=shown.media_type,
            headers=headers,
            readers=runtime.readers,
            stall=context.services.settings.stall,
            on_end=on_end,
        )
        return response
    finally:
        if response is None:
            if pieces is not None:
                pieces.close()
            on_end(Sent(0, Ending.SOURCE_FAILED))


@dataclass(frozen=True, slots=True)
class Download:
    """Records a start and an end event for each request: for clips, frames and packages.

    The request context has begun the download operation; an answer without bytes is recorded as ``looking``.
    """

    context: RequestContext
    looking: Act

    def looked(self, etag: str, status: int) -> None:
        """Record the answer as ``looking``."""
        self.context.act = self.looking
        self.context.done(status=status, etag=etag)

    def begin(self, shown: Representation, part: ByteRange) -> Callable[[Sent], None]:
        """Record the start."""
        start = self.context.started(etag=shown.etag, size=shown.size, offset=part.start, length=part.length)
        return lambda sent: self._end(start, sent, _measured(shown, part.start, sent.bytes_sent))

    def _end(self, start: CustodyEvent, sent: Sent, measured: Mapping[str, Detail]) -> None:
        outcome = Outcome.FAILED if sent.ending is Ending.SOURCE_FAILED else Outcome.DONE
        details = {"segment": sent.segment, **measured} if sent.segment else measured
        self.context.ended(
            start, outcome, bytes_sent=sent.bytes_sent, ending=sent.ending.value, code=sent.code, **details
        )


def _measured(shown: Representation, start: int, sent: int) -> dict[str, Detail]:
    """What the bytes that were really sent show: seconds of footage, rounded up, and which cameras."""
    found: dict[str, Detail] = {}
    if shown.footage_us is not None:
        found["seconds_sent"] = -(-shown.footage_us(start, sent) // SECOND) if sent else 0
    if shown.cameras_in is not None:
        found["cameras_sent"] = " ".join(shown.cameras_in(start, sent)) if sent else ""
    return found


def _not_modified(headers: Mapping[str, str]) -> Response:
    response = Response(status_code=304)
    response.headers.update(headers)
    return response


def _head(shown: Representation, headers: Mapping[str, str]) -> Response:
    response = Response(media_type=shown.media_type)
    response.headers.update(headers)
    response.headers["Content-Length"] = str(shown.size)
    return response
