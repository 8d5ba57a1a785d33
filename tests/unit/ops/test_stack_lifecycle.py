"""The stack with small Python servers as parts: everything except the real programs."""

import json
import os
import socket
import stat
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archive.errors import Malformed, Unavailable
from ops.stack import Stack, State
from ops.stack import ports as port_choice
from ops.stack.cache import Cache
from ops.stack.minio import Minio
from ops.stack.part import Launch, Part, Progress, Room
from ops.stack.stack import default_parts
from ops.stack.wire import answers

CLOSED = "import sys; print('cannot open the disk\\n  at Disk.open(Disk.java:1)'); sys.exit(1)"
MUTE = "import time; time.sleep(60)"


@dataclass
class Toy:
    """A file server: healthy when it answers, with a state that survives it."""

    name: str = "toy"
    version: str = "v1"
    default: int = field(default_factory=port_choice.free)
    patience: float = 10
    code: str | None = None
    late_s: float = 0
    settled: int = 0

    @property
    def ports(self) -> Mapping[str, int]:
        return {self.name: self.default}

    def fetch(self, cache: Cache, progress: Progress) -> Path:
        return cache.get(self.name, self.version, lambda folder: None, progress)

    def prepare(self, room: Room) -> Launch:
        serve = ["-m", "http.server", "--bind", "127.0.0.1", str(room.ports[self.name])]
        return Launch(
            ["/bin/sh", "-c", f'sleep {self.late_s}; exec "$@"', "sh", sys.executable, *serve]
            if self.late_s
            else [sys.executable, *(serve if self.code is None else ["-c", self.code])],
            {"PATH": os.defpath}, room.folder,
        )  # fmt: skip

    def healthy(self, room: Room) -> bool:
        return answers(room.url(self.name) + "/")

    def settle(self, room: Room) -> None:
        self.settled += 1

    def environment(self, room: Room) -> dict[str, str]:
        return {f"{self.name.upper()}_URL": room.url(self.name)}


MakeStack = Callable[..., Stack]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeStack]:
    made: list[Stack] = []

    def one(
        *parts: Part, progress: Progress = lambda line: None, ports: Mapping[str, int] | int | None = None
    ) -> Stack:
        stack = Stack(tmp_path / "state", tmp_path / "cache", progress=progress, ports=ports, parts=parts)
        made.append(stack)
        return stack

    yield one
    for stack in made:
        stack.erase()


def pid(stack: Stack) -> int | None:
    return stack.status()[0].pid


def test_up_starts_and_a_second_up_changes_nothing(make: MakeStack) -> None:
    toy, said = Toy(), list[str]()
    (first,) = make(toy).up()
    assert first.state is State.RUNNING
    assert first.ports == {"toy": toy.default}
    (second,) = make(toy, progress=said.append).up()
    assert second == first
    assert said == []
    assert toy.settled == 2


def test_another_object_finds_ports_in_the_state(make: MakeStack) -> None:
    make(Toy(), ports=0).up()
    assert make(Toy()).env() == {"TOY_URL": f"http://127.0.0.1:{make(Toy()).status()[0].ports['toy']}"}


def test_ports_and_data_stay_over_down_and_up(make: MakeStack) -> None:
    stack = make(Toy(), ports=0)
    (before,) = stack.up()
    (stack.state_dir / "toy/kept").write_text("x")
    stack.down()
    assert stack.status()[0].state is State.STOPPED
    assert stack.status()[0].ports == before.ports
    (after,) = make(Toy()).up()
    assert after.ports == before.ports
    assert after.pid != before.pid
    assert (stack.state_dir / "toy/kept").exists()


def test_kill_and_start_take_the_same_port(make: MakeStack) -> None:
    stack = make(Toy(), ports=0)
    (before,) = stack.up()
    stack.kill("toy")
    assert not answers(f"http://127.0.0.1:{before.ports['toy']}/")
    stack.start("toy")
    assert stack.status()[0].ports == before.ports


def test_down_twice_and_kill_of_what_never_ran(make: MakeStack) -> None:
    stack = make(Toy())
    stack.kill("toy")
    stack.down()
    stack.down()
    assert [status.state for status in stack.status()] == [State.STOPPED]


def test_taken_port_is_replaced_recorded_and_said(make: MakeStack) -> None:
    said: list[str] = []
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        stack = make(Toy(default=taken), progress=said.append)
        (status,) = stack.up()
        chosen = status.ports["toy"]
        assert chosen != taken
        assert f"port {taken} (toy) is used by another program; using {chosen}" in said
        assert stack.env()["TOY_URL"].endswith(f":{chosen}")


def test_new_version_replaces_the_running_one(make: MakeStack) -> None:
    (old,) = make(Toy(default=port_choice.free())).up()
    (new,) = make(Toy(version="v2")).up()
    assert new.version == "v2"
    assert new.pid != old.pid
    assert new.ports == old.ports


def test_reused_pid_is_neither_running_nor_stopped(make: MakeStack) -> None:
    stack = make(Toy())
    stack.up()
    file = stack.state_dir / "parts/toy.json"
    genuine = file.read_text()
    record = json.loads(genuine)
    record["process"]["pid"] = os.getpid()
    file.write_text(json.dumps(record))
    assert stack.status()[0].state is State.STOPPED
    stack.down()  # would end this very test
    file.write_text(genuine)


def test_damaged_record_is_named(make: MakeStack) -> None:
    stack = make(Toy())
    file = stack.state_dir / "parts/toy.json"
    file.parent.mkdir(parents=True)
    file.write_text("{}")
    with pytest.raises(Malformed, match=r"toy\.json") as caught:
        stack.status()
    assert caught.value.code == "stack_state_damaged"
    file.unlink()


def test_server_that_ends_is_reported_with_its_last_words(make: MakeStack) -> None:
    stack = make(Toy(code=CLOSED))
    with pytest.raises(Unavailable, match=r"last output: cannot open the disk$") as caught:
        stack.up()
    assert caught.value.code == "stack_start_failed"
    assert "toy.log" in caught.value.hint


def test_server_that_never_answers_is_stopped(make: MakeStack) -> None:
    stack = make(Toy(code=MUTE, patience=0.3))
    with pytest.raises(Unavailable, match="did not become healthy"):
        stack.up()
    assert stack.status()[0].state is State.STOPPED


def test_unhealthy_is_told_from_running(make: MakeStack) -> None:
    toy = Toy()
    stack = make(toy)
    stack.up()
    toy.healthy = lambda room: False  # type: ignore[method-assign]
    assert stack.status()[0].state is State.UNHEALTHY


def test_slow_server_is_waited_for_and_not_restarted(make: MakeStack) -> None:
    toy = Toy()
    (before,) = make(toy).up()
    answers_left = iter([False, False, True, True])
    toy.healthy = lambda room: next(answers_left)  # type: ignore[method-assign]
    assert make(toy).up() == [before]


def test_only_the_named_parts(make: MakeStack) -> None:
    stack = make(Toy("one"), Toy("two"))
    assert [status.name for status in stack.up(["two"])] == ["two"]
    assert [status.state for status in stack.status()] == [State.STOPPED, State.RUNNING]
    assert set(stack.env()) == {"TWO_URL"}
    stack.down(["one"])
    assert pid(make(Toy("two"))) is not None


def test_names_that_are_none(make: MakeStack) -> None:
    with pytest.raises(Malformed, match="no part named 'mino'") as caught:
        make(Toy()).up(["mino"])
    assert caught.value.hint == "its parts are toy"
    with pytest.raises(Malformed, match="no port named 'mino'"):
        make(Toy(), ports={"mino": 1})


def test_env_without_anything_running(make: MakeStack) -> None:
    with pytest.raises(Unavailable) as caught:
        make(Toy()).env()
    assert caught.value.code == "stack_down"
    assert "saksi stack up" in caught.value.hint


def test_two_up_at_once_start_one_server(make: MakeStack) -> None:
    said: list[str] = []
    default = port_choice.free()
    stacks = [make(Toy(default=default), progress=said.append) for _ in range(2)]
    threads = [threading.Thread(target=stack.up) for stack in stacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("toy: starting v1") == said.count("toy: ready") == 1
    assert "another `saksi stack` command is working on this stack; waiting for it" in said


def test_erase_leaves_nothing(make: MakeStack) -> None:
    stack = make(Toy())
    (status,) = stack.up()
    stack.erase()
    assert not stack.state_dir.exists()
    assert not answers(f"http://127.0.0.1:{status.ports['toy']}/")


def test_second_up_starts_nothing(make: MakeStack) -> None:
    stack = make(Toy("one"), Toy("two"))
    first = stack.up()
    assert stack.up() == first, "the same processes, started at the same moment"


def test_names_and_ports_are_unique_over_the_real_parts() -> None:
    pairs = [pair for part in default_parts() for pair in part.ports.items()]
    assert len({name for name, _ in pairs}) == len({port for _, port in pairs}) == len(pairs)


def test_two_parts_that_want_one_port_get_two(make: MakeStack) -> None:
    """The first has not opened its port yet when the second chooses."""
    one = Toy("one", late_s=1)
    two = Toy("two", default=one.default)
    found = make(one, two).up()
    assert [status.state for status in found] == [State.RUNNING, State.RUNNING]
    assert found[0].ports["one"] == one.default
    assert found[1].ports["two"] != one.default


def test_minio_credentials_are_random_kept_and_closed(tmp_path: Path) -> None:
    def credentials(folder: Path) -> dict[str, str]:
        room = Room(folder, tmp_path / "minio", {"minio": 1})
        env = Minio().prepare(room).env
        assert Minio().environment(room)["AWS_SECRET_ACCESS_KEY"] == env["MINIO_ROOT_PASSWORD"]
        return {name: env[name] for name in ("MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD")}

    first = credentials(tmp_path / "a")
    assert credentials(tmp_path / "a") == first
    assert credentials(tmp_path / "b") != first
    assert stat.S_IMODE((tmp_path / "a/credentials.json").stat().st_mode) == 0o600
