"""Who is told that something changed, when, and for how long: at clocks that the test moves."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from api.auth.principal import Principal
from api.changes.cases import Cases, _Package, _Request, fingerprint
from api.changes.cursor import cursor_of, marks_in
from api.changes.looks import SharedLooks
from api.changes.stream import BEAT_S, CHECK_S, ChangeStream, OpenStreams, Reading
from api.changes.subjects import ACTION, EVERYBODY, Scope, Subject, scope_of, subjects_for
from archive.errors import Refused, Unavailable
from archive.model.camera import OwnerKind, Place
from archive.model.stay import Facts, Stay
from archive.model.user import Role
from archive.timespan import Timespan

ONE, TWO, THREE = "1" * 16, "2" * 16, "3" * 16


def person(name: str, *roles: Role, agency: str = "") -> Principal:
    return Principal(f"user:{name}", roles=frozenset(roles), agency=agency)


# Who --------------------------------------------------------------------------------------------------


def test_nobody_is_told_of_more_than_their_lists_show() -> None:
    for role in Role:
        who = person("x", role, agency="polrestabes")
        for subject in Subject:
            scope = scope_of(who, subject)
            assert (scope is not None) <= who.may(ACTION[subject]), (role, subject)
            if scope is not None and scope.is_whole:
                assert who.reaches_all(ACTION[subject]), (role, subject)
    assert scope_of(person("dewi", Role.POLICE, agency="a"), Subject.REQUESTS) == Scope("user:dewi", "a")
    assert scope_of(person("citra", Role.WAR_ROOM), Subject.QUEUE) == EVERYBODY
    assert scope_of(person("citra", Role.WAR_ROOM), Subject.EXPORTS) == Scope("user:citra"), "one's own alone"
    every = frozenset(ACTION.values())
    machine = Principal("token:own", actions=every, districts=frozenset({"73.71.01"}))
    assert scope_of(machine, Subject.QUEUE) is None
    assert scope_of(machine, Subject.REQUESTS) is None
    assert scope_of(machine, Subject.PACKAGES) == Scope(districts=frozenset({"73.71.01"}))
    assert scope_of(replace(machine, districts=frozenset()), Subject.PACKAGES) is None


def test_what_is_asked_for_without_the_permission_is_refused() -> None:
    dewi = person("dewi", Role.POLICE)
    assert subjects_for(dewi, ()) == (Subject.REQUESTS, Subject.PACKAGES)
    assert subjects_for(dewi, [Subject.REQUESTS, Subject.REQUESTS]) == (Subject.REQUESTS,)
    with pytest.raises(Refused, match=r"requests\.decide"):
        subjects_for(dewi, [Subject.REQUESTS, Subject.QUEUE])


def cases(*versions: int) -> Cases:
    first, second, package = versions
    return Cases(
        requests=(
            _Request("REQ-1", first, "submitted", "user:dewi", "polrestabes"),
            _Request("REQ-2", second, "approved", "user:sari", "satpolpp"),
        ),
        packages=(_Package("EVD-2", package, "user:citra", "REQ-2"), _Package("EVD-3", 1, "token:m", "")),
    )


def test_a_change_shows_to_those_who_see_it() -> None:
    dewi, rekan, sari = Scope("user:dewi"), Scope("user:rekan", "polrestabes"), Scope("user:sari")
    before, filed, sealed = cases(1, 1, 1), cases(2, 1, 1), cases(1, 1, 2)
    for scope, sees in ((dewi, True), (rekan, True), (sari, False), (EVERYBODY, True)):
        marks = [one.mark(Subject.REQUESTS, scope) for one in (before, filed)]
        assert (marks[0] != marks[1]) is sees, scope
    for scope, sees in ((dewi, False), (sari, True), (EVERYBODY, True), (Scope("token:m"), False)):
        marks = [one.mark(Subject.PACKAGES, scope) for one in (before, sealed)]
        assert (marks[0] != marks[1]) is sees, scope
    approved = cases(1, 2, 1)
    assert approved.mark(Subject.QUEUE, EVERYBODY) == before.mark(Subject.QUEUE, EVERYBODY), (
        "nobody decides on it"
    )
    assert filed.mark(Subject.QUEUE, EVERYBODY) != before.mark(Subject.QUEUE, EVERYBODY)


def stay(camera: str, kecamatan: str, since: int | None, until: int | None) -> Stay:
    place = Place(
        lat=Decimal("-5.14"),
        lon=Decimal("119.41"),
        kecamatan=kecamatan,
        kelurahan=f"{kecamatan}.1001",
        owner=OwnerKind.PUBLIC,
    )
    facts = Facts(name=camera, address="", place=place, sight=None, point=(-5.14, 119.41))
    return Stay(camera=camera, since=since, until=until, facts=facts)


def test_a_machine_hears_of_the_packages_of_its_districts_and_of_no_others() -> None:
    """A camera counts where it stood while it recorded the package, not where it stands now."""
    own, other = "73.71.01", "73.71.02"
    moved = 1_000_000
    stays = {
        "a": [stay("a", own, None, None)],
        "b": [stay("b", other, None, None)],
        "m": [stay("m", own, None, moved), stay("m", other, moved, None)],
    }
    before, after, across = Timespan(0, moved), Timespan(moved, 2 * moved), Timespan(1, moved + 1)
    machine = Scope(districts=frozenset({own}))

    def hears(cameras: tuple[str, ...], span: Timespan | None) -> bool:
        marks = [
            Cases(packages=(_Package("EVD-1", version, "token:m", "", cameras, span),))
            .placed(stays)
            .mark(Subject.PACKAGES, machine)
            for version in (1, 2)
        ]
        return marks[0] != marks[1]

    assert hears(("a",), after)
    assert hears(("a", "m"), before)
    for cameras, span in (
        (("b",), before), (("a", "b"), before), (("m",), after), (("m",), across), (("lost",), before),
        (("a", "lost"), before), ((), before), (("a",), None),
    ):  # fmt: skip
        assert not hears(cameras, span), (cameras, span)
    unplaced = Cases(packages=(_Package("EVD-1", 1, "", "", ("a",), before),))
    assert unplaced.mark(Subject.PACKAGES, machine) == fingerprint([])


def test_who_sees_nothing_cannot_tell_one_archive_from_another() -> None:
    nobody = Scope("user:baru", "lain")
    assert cases(1, 1, 1).mark(Subject.REQUESTS, nobody) == Cases().mark(Subject.REQUESTS, nobody)
    assert Scope("user:x").agency == ""
    without = Cases(requests=(_Request("REQ-1", 1, "submitted", "user:dewi", ""),))
    assert without.mark(Subject.REQUESTS, nobody) == fingerprint([]), "no agency is nobody's agency"


# Cursors ----------------------------------------------------------------------------------------------


def test_a_cursor_comes_back_as_it_was() -> None:
    marks = {Subject.QUEUE: ONE, Subject.REQUESTS: TWO}
    assert marks_in(cursor_of(marks)) == marks
    assert cursor_of(marks) == f"queue:{ONE},requests:{TWO}"


@pytest.mark.parametrize(
    "text", ["x", "queue:", f"queue:{ONE}\n", f"kueue:{ONE}", "queue:" + "g" * 16, "," * 90]
)
def test_what_is_no_cursor_names_nothing(text: str) -> None:
    assert marks_in(text) in ({}, {Subject.QUEUE: ONE})


def test_a_cursor_that_is_too_long_names_nothing() -> None:
    assert marks_in(f"queue:{ONE}" + "," * 200) == {}


# Streams ----------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """A reader at a clock. ``script`` is what happens at each second."""

    marks: dict[Subject, str] = field(default_factory=lambda: {Subject.REQUESTS: ONE, Subject.QUEUE: ONE})
    script: Mapping[int, Callable[[], None]] = field(default_factory=dict)
    seconds: int = 0
    is_welcome: bool = True
    is_broken: bool = False
    asked: int = 0
    streams: OpenStreams = field(default_factory=OpenStreams)

    async def mark(self, subject: Subject) -> str:
        if self.is_broken:
            raise Unavailable("no index", code="index_unavailable")
        return self.marks[subject]

    async def stands(self) -> bool:
        self.asked += 1
        return self.is_welcome

    async def pause(self, end: asyncio.Event, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.seconds += 1
            self.script.get(self.seconds, lambda: None)()
            if end.is_set():
                return

    def told(
        self, *, life_s: float = 60, since: Mapping[Subject, str] | None = None
    ) -> list[tuple[int, str]]:
        """The events with the second at which each came."""

        async def follow() -> list[tuple[int, str]]:
            stream = ChangeStream(
                Reading(
                    subjects=tuple(self.marks),
                    mark=self.mark,
                    stands=self.stands,
                    at=lambda: "2026-11-24T06:30:00.000000Z",
                    now=lambda: self.seconds,
                    life_s=life_s,
                    tick_s=1,
                    pause=self.pause,
                ),
                self.streams,
                since,
            )
            await stream.begin()
            found = []
            async for line in stream.lines():
                self.newest = line.decode()
                found.append((self.seconds, self.newest.partition("event: ")[2].partition("\n")[0]))
            return found

        return asyncio.run(follow())


def test_a_change_is_told_once_and_silence_is_broken_by_beats() -> None:
    scene = Scene()
    scene.script = {7: lambda: scene.marks.update({Subject.QUEUE: TWO})}
    assert scene.told(life_s=40) == [(0, "hello"), (7, "queue"), (22, "beat"), (37, "beat")]
    assert BEAT_S == 15
    assert scene.newest == (
        f"event: beat\nid: queue:{TWO},requests:{ONE}\ndata: 2026-11-24T06:30:00.000000Z\n\n"
    )
    assert len(scene.streams) == 0


def test_who_comes_back_is_told_what_they_missed() -> None:
    assert Scene().told(life_s=0, since={Subject.REQUESTS: ONE, Subject.QUEUE: THREE}) == [
        (0, "hello"),
        (0, "queue"),
    ]
    assert Scene().told(life_s=0, since={}) == [(0, "hello"), (0, "requests"), (0, "queue")]
    assert Scene().told(life_s=0) == [(0, "hello")]


def test_the_cursor_never_claims_what_was_not_told_yet() -> None:
    scene = Scene()
    scene.told(life_s=0, since={})
    assert f"id: queue:{ONE},requests:{ONE}\n" in scene.newest
    scene = Scene()
    scene.told(life_s=0, since={Subject.QUEUE: ONE, Subject.REQUESTS: THREE})
    assert f"id: queue:{ONE},requests:{ONE}\n" in scene.newest


def test_nothing_is_told_to_a_session_that_is_over() -> None:
    scene = Scene()

    def revoke() -> None:
        scene.is_welcome = False
        scene.marks[Subject.QUEUE] = TWO

    scene.script = {3: revoke}
    assert scene.told() == [(0, "hello")]
    assert scene.seconds == 3


def test_a_session_that_ends_ends_the_stream_within_seconds() -> None:
    scene = Scene()
    scene.script = {6: lambda: setattr(scene, "is_welcome", False)}
    assert scene.told() == [(0, "hello")]
    assert scene.seconds <= 6 + CHECK_S


def test_a_stream_ends_when_nothing_can_be_seen_any_more() -> None:
    scene = Scene()
    scene.script = {4: lambda: setattr(scene, "is_broken", True)}
    assert scene.told() == [(0, "hello")]
    scene = Scene(is_broken=True)
    with pytest.raises(Unavailable):
        scene.told()


def test_the_end_of_the_process_ends_its_streams() -> None:
    scene = Scene()
    scene.script = {2: scene.streams.end_all}
    assert scene.told() == [(0, "hello")]
    assert scene.seconds == 2
    assert scene.told() == [(2, "hello")], "and every one that is opened meanwhile"


# Looks ------------------------------------------------------------------------------------------------


def test_two_hundred_readers_cost_one_look() -> None:
    seconds, looked = 0.0, 0
    looks = SharedLooks(lambda: seconds)

    def read() -> int:
        nonlocal looked
        looked += 1
        return looked

    async def all_of_them() -> set[int]:
        return set(await asyncio.gather(*(looks.look("x", read, 2.0) for _ in range(200))))

    assert asyncio.run(all_of_them()) == {1}
    seconds = 1.9
    assert asyncio.run(all_of_them()) == {1}
    seconds = 2.0
    assert asyncio.run(all_of_them()) == {2}
    looks.close()


def test_who_leaves_ends_nobody_elses_look() -> None:
    looks, go_on = SharedLooks(lambda: 0.0), threading.Event()

    def read() -> str:
        assert go_on.wait(60)
        return "seen"

    async def both() -> str:
        leaver = asyncio.create_task(looks.look("x", read, 2.0))
        stayer = asyncio.create_task(looks.look("x", read, 2.0))
        await asyncio.sleep(0)  # real time: none; both begin to wait
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        go_on.set()
        return await stayer

    assert asyncio.run(both()) == "seen"
    looks.close()


def test_a_look_that_fails_fails_for_all_and_is_tried_again() -> None:
    seconds, is_broken = 0.0, True
    looks = SharedLooks(lambda: seconds)

    def read() -> str:
        if is_broken:
            raise Unavailable("no index", code="index_unavailable")
        return "seen"

    for _ in range(2):
        with pytest.raises(Unavailable, match="no index"):
            asyncio.run(looks.look("x", read, 2.0))
    is_broken, seconds = False, 2.0
    assert asyncio.run(looks.look("x", read, 2.0)) == "seen"
    looks.close()
