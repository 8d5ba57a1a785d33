"""What workers share: their limits hold together, and what a dead one held is free."""

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from api.directory import CameraDirectory
from api.grown_lists import Grown
from api.limits.buckets import Rate
from api.limits.programs import Program, await_place, place_for, places_of
from api.limits.rates import Kind, Rates
from api.limits.turns import TooManyAtOnce, Turns
from api.limits.work import Bound, Work
from api.metrics import Metrics
from api.playback_book import Claim, Opened
from api.workers.figures import counted, counted_before, merged
from api.workers.link import Link
from api.workers.linked_turns import LinkedTurns, TurnLine
from api.workers.membership import Membership
from api.workers.state import SharedState
from api.workers.turn_desk import TurnDesk
from archive.attended import while_wanted
from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model.custody import Actor
from archive.timespan import MINUTE, SECOND, SpanSet, Timespan
from tests.support.leaves import T0
from tests.support.waiting import until_async

KEY = ("session", "user:ani", "cam-1")
OPENED = Opened("start-1", Actor(id="user:ani", address="10.0.0.1", session="session"), "cam-1", "shift 2")
SPAN = Timespan(T0, T0 + SECOND)


class Parent:
    """The shared state behind real sockets, as the parent of workers serves it."""

    def __init__(self) -> None:
        self.clock = ManualClock(T0)
        self.state = SharedState(
            self.clock,
            rates=Rates(search=4, media=0),
            streams=3,
            programs=places_of(stills=2, skims=2, copies=1),
        )
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._count = 0
        self._guard = threading.Lock()

    def worker(self) -> tuple[Membership, Callable[[], None]]:
        """A worker, and a function that kills it."""
        self._count += 1
        number = self._count
        ours, theirs = socket.socketpair()
        turns, _ = socket.socketpair()
        self._sockets += [ours, theirs, turns, _]
        self.state.come(number)
        thread = threading.Thread(target=self._serve, args=(number, ours))
        thread.start()
        self._threads.append(thread)

        def kill() -> None:
            theirs.shutdown(socket.SHUT_RDWR)
            thread.join(10)
            assert not thread.is_alive()

        return Membership(theirs, turns, lambda: None), kill

    def _serve(self, number: int, connection: socket.socket) -> None:
        with connection.makefile("rb") as questions:
            while (line := questions.readline()).endswith(b"\n"):
                name, *of = json.loads(line)
                with self._guard:
                    answer = self.state.call(number, name, *of)
                connection.sendall(json.dumps(answer).encode() + b"\n")
        with self._guard:
            self.state.gone(number)

    def close(self) -> None:
        """End all workers."""
        for one in self._sockets:
            with closing(one):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # its other end is closed
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def parent() -> Iterator[Parent]:
    with closing(Parent()) as made:
        yield made


def test_a_rate_holds_over_all_workers_together(parent: Parent) -> None:
    (one, _), (other, _) = parent.worker(), parent.worker()
    rate = Rate(4, 2)
    first, second = one.buckets(Kind.SEARCH, rate), other.buckets(Kind.SEARCH, rate)
    assert [first.take("ani"), second.take("ani"), first.take("ani"), second.take("ani")] == [0, 0, 15, 15]
    assert second.take("budi") == 0
    parent.clock.advance(15 * SECOND)
    assert (second.take("ani"), first.take("ani")) == (0, 15)
    assert [one.buckets(Kind.MEDIA, Rate(0, 1)).take("ani") for _ in range(9)] == [0] * 9


def test_streams_are_counted_together_and_a_dead_workers_are_free(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.slots(3), other.slots(3)
    mine.take()
    mine.take()
    theirs.take()
    with pytest.raises(Unavailable) as caught:
        theirs.take()
    assert caught.value.code == "busy"
    mine.give_back()
    theirs.take()
    assert theirs.taken == 3
    kill()
    assert theirs.taken == 2
    with theirs:
        assert theirs.taken == 3


def test_ffmpeg_processes_are_counted_together_and_a_dead_workers_are_free(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.programs(), other.programs()
    assert [mine.take(Program.STILL), theirs.take(Program.STILL), mine.take(Program.STILL)] == [
        True,
        True,
        False,
    ]
    assert [theirs.take(Program.COPY), mine.take(Program.COPY)] == [True, False]
    assert mine.take(Program.SKIM), "each kind has places of its own"
    with pytest.raises(Unavailable) as caught, place_for(theirs, Program.STILL, 0.05):
        pass
    assert caught.value.code == "busy"
    theirs.give_back(Program.COPY)
    with place_for(mine, Program.COPY, 0):
        assert not theirs.take(Program.COPY)
    assert theirs.take(Program.COPY)
    kill()
    assert theirs.take(Program.STILL)
    assert not theirs.take(Program.STILL)


def test_a_place_is_waited_for_only_while_somebody_waits_for_the_answer(parent: Parent) -> None:
    (one, _), (other, _) = parent.worker(), parent.worker()
    assert one.programs().take(Program.COPY)
    answers = iter([True, True, False])
    with while_wanted(lambda: next(answers)), pytest.raises(Unavailable) as caught:
        await_place(other.programs(), Program.COPY, 60)
    assert caught.value.code == "client_left"


def test_a_list_that_one_worker_made_longer_goes_on_in_another(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.sessions(), other.sessions()
    assert theirs.grown("list", 0, 0) is None
    number = mine.grow("list", 0, 0, ["a", "b"], {"known": T0})
    assert theirs.grown("list", 0, 0) == Grown(number, 0, ["a", "b"], {"known": T0})
    assert theirs.grow("list", number, 1, ["x"], {}) == 0
    kill()
    assert theirs.grow("list", number, 2, ["c"], {"known": T0 + 1}) == number
    assert theirs.grown("list", number, 2) == Grown(number, 2, ["c"], {"known": T0 + 1})


def test_a_session_is_opened_once_and_ends_once(parent: Parent) -> None:
    (one, _), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.sessions(), other.sessions()
    assert mine.claim(KEY) is Claim.MINE
    assert theirs.claim(KEY) is Claim.WAIT
    mine.opened(KEY, OPENED, active=1)
    assert theirs.claim(KEY) is Claim.JOINED
    mine.piece(KEY, 100, SPAN, ("6b05180000000001", 3), SPAN)
    parent.clock.advance(MINUTE)
    assert mine.over(MINUTE) == [], "a piece is still being sent by the other"
    theirs.piece(KEY, 20, Timespan(SPAN.end, SPAN.end + SECOND), ("6b05180000000001", 4))
    assert mine.claim(KEY) is Claim.JOINED
    mine.piece(KEY, 0, SPAN, ("6b05180000000001", 9))
    parent.clock.advance(MINUTE)
    (ended,) = theirs.over(MINUTE)
    assert ended.opened == OPENED
    assert (ended.pieces, ended.bytes_sent) == (3, 120)
    assert ended.copied == {"6b05180000000001": {3, 4}}, "of the last nothing was sent"
    assert ended.spans == SpanSet((Timespan(T0, T0 + 2 * SECOND),))
    assert ended.heard == SpanSet((SPAN,))
    assert mine.over(MINUTE) == []
    assert mine.claim(KEY) is Claim.MINE
    mine.failed(KEY)
    assert theirs.claim(KEY) is Claim.MINE


def test_a_dead_workers_pieces_and_half_opened_sessions_are_free(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.sessions(), other.sessions()
    mine.opened(KEY, OPENED, active=1)
    half = ("half", "user:ani", "cam-1")
    assert mine.claim(half) is Claim.MINE
    assert theirs.claim(half) is Claim.WAIT
    kill()
    assert theirs.claim(half) is Claim.MINE
    parent.clock.advance(MINUTE)
    (ended,) = theirs.over(MINUTE)
    assert ended.opened == OPENED


def test_what_a_dead_worker_was_sending_is_said_to_be_unknown(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.sessions(), other.sessions()
    mine.opened(KEY, OPENED, active=0)
    assert [mine.claim(KEY) for _ in range(3)] == [Claim.JOINED] * 3
    mine.piece(KEY, 100, SPAN, None)
    kill()
    parent.clock.advance(MINUTE)
    (ended,) = theirs.over(MINUTE)
    assert (ended.bytes_sent, ended.pieces, ended.unknown) == (100, 1, 2)


def test_of_workers_that_stop_the_last_one_ends_the_sessions(parent: Parent) -> None:
    (one, _), (other, _) = parent.worker(), parent.worker()
    one.sessions().opened(KEY, OPENED, active=0)
    assert one.sessions().over(None) == []
    assert [ended.opened for ended in other.sessions().over(None)] == [OPENED]


def test_a_change_by_one_worker_is_seen_by_the_next_question_to_another(parent: Parent) -> None:
    class Documents:
        """An index that counts how often it is asked whether a camera was put."""

        asked = 0

        def documents_mark(self, kind: str) -> str:
            self.asked += 1
            return ""

        def documents(self, kind: str) -> Iterator[object]:
            return iter(())

    (one, _), (other, _) = parent.worker(), parent.worker()
    index = Documents()
    mine = CameraDirectory(index, parent.clock, changes=one.changes())  # type: ignore[arg-type]
    theirs = CameraDirectory(index, parent.clock, changes=other.changes())  # type: ignore[arg-type]
    mine.cameras()
    theirs.cameras()
    theirs.cameras()
    assert index.asked == 2
    mine.changed()
    theirs.cameras()
    mine.cameras()
    theirs.cameras()
    assert index.asked == 4


def test_custody_of_another_worker_is_awaited_until_it_is_indexed_or_dead(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    mine, theirs = one.tally(), other.tally()
    mine.stored(2)
    marks = theirs.marks()
    mine.stored(1)
    assert not theirs.reached(marks)
    mine.indexed(1)
    assert not theirs.reached(marks)
    mine.indexed(1)
    assert theirs.reached(marks), "what came later is not waited for"
    later = theirs.marks()
    assert not theirs.reached(later)
    kill()
    assert theirs.reached(later)


def test_without_a_parent_a_question_fails_and_a_message_does_not(parent: Parent) -> None:
    one, kill = parent.worker()
    kill()
    with pytest.raises(Unavailable) as caught:
        one.slots(3).take()
    assert caught.value.code == "busy"
    one.slots(3).give_back()
    one.sessions().piece(KEY, 1, None, None)
    assert one.sessions().over(None) == []
    assert one.figures("") == []


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.workers.link.PATIENCE_S", 0.05)
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        lost: list[str] = []
        link = Link(theirs, lambda: lost.append("lost"))
        with pytest.raises(Unavailable):
            link.ask("changes")
        ours.sendall(b"7\n")
        with pytest.raises(Unavailable):
            link.ask("streams")
        assert lost == ["lost"], "the worker ends: it could only answer 503 from now on"


def value(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def test_metrics_of_workers_are_added_and_do_not_fall_when_one_dies(parent: Parent) -> None:
    (one, kill), (other, _) = parent.worker(), parent.worker()
    registries = CollectorRegistry(), CollectorRegistry()
    first, second = (Metrics(registry) for registry in registries)
    first.requests.labels("/a", "GET", "200").inc(3)
    first.first_byte.labels("/a").observe(0.3)
    first.custody_waiting.set(2)
    second.requests.labels("/a", "GET", "200").inc(4)
    second.requests.labels("/b", "GET", "200").inc()
    second.first_byte.labels("/a").observe(0.03)
    second.custody_waiting.set(1)
    second.streams.set(5)
    assert one.figures(counted(first)) == [""]

    def scraped() -> str:
        return merged(generate_latest(registries[1]).decode(), other.figures(counted(second)))

    text = scraped()
    assert value(text, "saksi_http_requests_total", route="/a") == 7
    assert value(text, "saksi_http_requests_total", route="/b") == 1
    assert value(text, "saksi_http_first_byte_seconds_count") == 2
    assert value(text, "saksi_http_first_byte_seconds_bucket", le="0.05") == 1
    assert value(text, "saksi_custody_events_waiting") == 3
    assert value(text, "saksi_footage_streams") == 5
    kill()
    text = scraped()
    assert value(text, "saksi_http_requests_total", route="/a") == 7
    assert value(text, "saksi_custody_events_waiting") == 1
    assert counted_before("", "") == ""


Scenario = Callable[[LinkedTurns, LinkedTurns, Turns, Callable[[], None]], Awaitable[None]]


def run(scenario: Scenario, bound: Bound, **options: float) -> None:
    """Run a scenario with two workers' turns; it gets the parent's and a function that kills the first."""

    async def main() -> None:
        desk_turns = Turns(bound, **options)  # type: ignore[arg-type]
        desk = TurnDesk(dict.fromkeys(Work, desk_turns))
        ends, served, workers = [], [], []
        for _ in range(2):
            ours, theirs = socket.socketpair()
            ends.append(theirs)
            served.append(asyncio.create_task(desk.serve(*await asyncio.open_connection(sock=ours))))
            line = TurnLine(theirs, lambda: None)
            line.listen()
            workers.append(LinkedTurns(line, Work.OTHER, bound))
        try:
            await scenario(workers[0], workers[1], desk_turns, lambda: ends[0].shutdown(socket.SHUT_RDWR))
        finally:
            for one in ends:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue  # the scenario did it
            await asyncio.gather(*served)
            for one in ends:
                one.close()

    asyncio.run(main())


def stays() -> asyncio.Event:
    return asyncio.Event()


def test_a_persons_bound_holds_over_two_workers() -> None:
    async def scenario(one: LinkedTurns, other: LinkedTurns, desk: Turns, _kill: object) -> None:
        assert await one.take("ani", stays())
        assert await other.take("ani", stays())
        with pytest.raises(TooManyAtOnce):
            await one.take("ani", stays())
        assert await one.take("budi", stays())
        with pytest.raises(Unavailable) as caught:
            await other.take("citra", stays())
        assert caught.value.code == "busy"
        one.end("ani")
        assert await other.take("ani", stays())
        assert desk.running == 3

    run(scenario, Bound(2, 3), patience_s=0.02)


def test_who_waits_in_one_worker_is_served_when_a_turn_ends_in_another() -> None:
    async def scenario(one: LinkedTurns, other: LinkedTurns, desk: Turns, _kill: object) -> None:
        assert await one.take("ani", stays())
        waiting = asyncio.create_task(other.take("budi", stays()))
        await until_async(lambda: desk.waiting == 1, "it waits at the desk")
        one.end("ani")
        assert await waiting

    run(scenario, Bound(1, 1))


def test_a_client_that_leaves_gives_up_its_place_in_the_line() -> None:
    async def scenario(one: LinkedTurns, other: LinkedTurns, desk: Turns, _kill: object) -> None:
        assert await one.take("ani", stays())
        left = stays()
        waiting = asyncio.create_task(other.take("budi", left))
        await until_async(lambda: desk.waiting == 1, "it waits at the desk")
        left.set()
        assert not await waiting
        await until_async(lambda: desk.waiting == 0, "it waits no more")
        one.end("ani")
        await until_async(lambda: desk.running == 0, "all is free")

    run(scenario, Bound(1, 1))


def test_a_client_that_leaves_as_its_turn_comes_gives_it_back() -> None:
    async def scenario(one: LinkedTurns, other: LinkedTurns, desk: Turns, _kill: object) -> None:
        for _ in range(20):
            left = stays()
            asking = asyncio.create_task(one.take("ani", left))
            await asyncio.sleep(0)  # real time: the question is on its way
            left.set()
            if await asking:
                one.end("ani")
            await until_async(lambda: not desk.running and not desk.waiting, "nothing is kept")
        assert await other.take("budi", stays())

    run(scenario, Bound(1, 1))


def test_a_dead_workers_turns_and_waits_are_free() -> None:
    async def scenario(one: LinkedTurns, other: LinkedTurns, desk: Turns, kill: Callable[[], None]) -> None:
        assert await one.take("ani", stays())
        lost = asyncio.create_task(one.take("ani", stays()))
        await until_async(lambda: desk.waiting == 1, "it waits at the desk")
        waiting = asyncio.create_task(other.take("budi", stays()))
        await until_async(lambda: desk.waiting == 2, "both wait")
        kill()
        assert await waiting
        assert (desk.running, desk.waiting) == (1, 0)
        with pytest.raises(Unavailable):
            await lost
        with pytest.raises(Unavailable):
            await one.take("ani", stays())

    run(scenario, Bound(1, 1))


def test_a_parent_that_hangs_keeps_nobody_waiting_for_ever() -> None:
    async def ask() -> None:
        ours, theirs = socket.socketpair()
        with closing(ours), closing(theirs):
            line = TurnLine(theirs, lambda: None)
            line.listen()
            turns = LinkedTurns(line, Work.OTHER, Bound(1, 1), patience_s=0.01)
            with pytest.raises(Unavailable) as caught:
                await turns.take("ani", stays())
            assert caught.value.code == "busy"
            asyncio.get_running_loop().remove_reader(theirs)

    asyncio.run(ask())
