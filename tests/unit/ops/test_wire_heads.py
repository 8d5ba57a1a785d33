"""What h11 takes and this server does not: looked at in the head of a request, without a server."""

import h11
import pytest

from ops.wire import MAX_LINE, StrictConnection

START = b"POST /v1/x HTTP/1.1\r\nHost: localhost\r\n"


def event_of(head: bytes) -> object:
    connection = StrictConnection(h11.SERVER)
    connection.receive_data(head)
    return connection.next_event()


@pytest.mark.parametrize(
    "head",
    [
        START.replace(b"\r\n", b"\n") + b"\n",
        START + b"X: y\nContent-Length: 1\r\n\r\n",
        START + b"X: y\r\n z\r\n\r\n",
        START + b"X: y\r\n\tz\r\n\r\n",
        START + b"Content-Length: 5\r\nCONTENT-LENGTH: 5\r\n\r\n",
        START + b"Content-Length: 5, 5\r\n\r\n",
        START + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        START.replace(b"1.1", b"1.0") + b"Transfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_what_h11_takes_is_refused(head: bytes) -> None:
    lenient = h11.Connection(h11.SERVER)
    lenient.receive_data(head)
    assert isinstance(lenient.next_event(), h11.Request), "h11 refuses it by now: the check can go"
    with pytest.raises(h11.RemoteProtocolError) as told:
        event_of(head)
    assert told.value.error_status_hint == 400


@pytest.mark.parametrize(
    "head",
    [
        START + b"X: y\rz\r\n\r\n",
        START + b"X: y\0\r\n\r\n",
        START + b"X: a\r\r\n\r\n",
        START + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n",
        START + b"Content-Length: +5\r\n\r\n",
        START + b"Content-Length: 5 5\r\n\r\n",
        START + b"Content-Length : 5\r\n\r\n",
        START + b" Content-Length: 5\r\n\r\n",
        START + b"Transfer-Encoding: xchunked\r\n\r\n",
        b"\r\n" + START + b"\r\n",
        b"GET /x HTTP/1.1\rHost: localhost\r\n\r\n",
    ],
)
def test_what_h11_refuses_is_left_to_it(head: bytes) -> None:
    with pytest.raises(h11.RemoteProtocolError):
        event_of(head)


def test_a_head_in_order_is_read_however_it_is_cut() -> None:
    head = START + b"Transfer-Encoding: chunked\r\nX: a, b\r\n\r\n"
    for cut in range(1, len(head)):
        connection = StrictConnection(h11.SERVER)
        connection.receive_data(head[:cut])
        assert connection.next_event() is h11.NEED_DATA
        connection.receive_data(head[cut:])
        assert isinstance(connection.next_event(), h11.Request)


def test_a_line_has_a_bound() -> None:
    with pytest.raises(h11.RemoteProtocolError) as told:
        event_of(b"GET /" + b"x" * MAX_LINE)
    assert told.value.error_status_hint == 414
