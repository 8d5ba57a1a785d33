import socket
from collections.abc import Iterator

import pytest

from archive.errors import Unavailable
from ops.stack import ports


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def choose(defaults: dict[str, int], **more: dict[str, int]) -> tuple[dict[str, int], list[str]]:
    said: list[str] = []
    chosen = ports.choose(
        defaults, asked=more.get("asked", {}), recorded=more.get("recorded", {}), progress=said.append
    )
    return chosen, said


def test_default_is_taken_when_free() -> None:
    default = ports.free()
    assert choose({"store": default}) == ({"store": default}, [])


def test_recorded_port_comes_before_default() -> None:
    recorded = ports.free()
    assert choose({"store": ports.free()}, recorded={"store": recorded}) == ({"store": recorded}, [])


def test_asked_port_comes_before_recorded() -> None:
    asked = ports.free()
    chosen, _ = choose({"store": 1}, recorded={"store": ports.free()}, asked={"store": asked})
    assert chosen == {"store": asked}


def test_taken_default_is_replaced_and_said(taken: int) -> None:
    chosen, said = choose({"store": taken})
    assert chosen["store"] != taken
    assert ports.is_free(chosen["store"])
    assert said == [f"port {taken} (store) is used by another program; using {chosen['store']}"]


def test_taken_recorded_port_falls_back_to_default(taken: int) -> None:
    default = ports.free()
    assert choose({"store": default}, recorded={"store": taken})[0] == {"store": default}


def test_taken_asked_port_is_an_error_that_names_the_variable(taken: int) -> None:
    with pytest.raises(Unavailable) as caught:
        choose({"rtsp": 1}, asked={"rtsp": taken})
    assert caught.value.code == "stack_port_taken"
    assert str(taken) in caught.value.message
    assert "SAKSI_STACK_PORT_RTSP" in caught.value.hint


def test_zero_means_any_free_port_but_the_same_at_each_start() -> None:
    default = ports.free()
    first, said = choose({"store": default}, asked={"store": 0})
    assert first["store"] != default
    assert said == []
    assert choose({"store": default}, asked={"store": 0}, recorded=first)[0] == first
