"""``saksi serve`` alone answers lists and custody: it follows while no job does, and stops within a turn."""

import threading
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import ArchiveError, Unavailable
from archive.model.custody import Actor
from archive.model.user import Role, User, to_state
from archive.ports import Content
from archive.records.custody import CustodyWriter
from archive.records.indexed.marks import followed_at
from archive.records.ledger.streams import Ledger
from archive.timespan import MINUTE
from ops.following import StandInThread
from ops.settings import Settings
from ops.wiring import Site
from tests.support.api_server import api_server, new_token
from tests.support.archives import camera_form
from tests.support.command_line import CommandLine
from tests.support.waiting import until

T0 = 1_795_500_000_000_000


def settings(home: Path) -> Settings:
    return Settings.load({"SAKSI_HOME": str(home)})


def act(site: Site, name: str) -> None:
    """An act of another process, which could not index it."""
    CustodyWriter(site.stores.records, site.clock, writer=name, lock_days=1).record(
        "clip.describe", actor=Actor(id="user:citra"), objects=("cam-1",)
    )


def open_unindexed(site: Site, name: str) -> None:
    """An account that a process opened which could not reach the index."""
    state = to_state(User(id=name, name=name, roles=(Role.POLICE,)))
    ledger = Ledger(site.stores.records, site.clock)
    ledger.append("user", name, state, expected=0, actor="os:tester", action="user.added")


def acts(site: Site) -> int:
    record = site.custody_record
    return len(list(record.lines(record.asked(person="user:citra"))))


def test_what_nobody_followed_is_answered_for_once_the_process_stands_in(tmp_path: Path) -> None:
    clock, troubles = ManualClock(T0), list[ArchiveError]()
    with Site(settings(tmp_path), clock) as site:
        site.registry.add(camera_form(), actor="os:tester")
        act(site, "other-1")
        clock.advance(11 * MINUTE)
        with pytest.raises(Unavailable) as caught:
            acts(site)
        assert caught.value.code == "index_incomplete"
        with StandInThread(site, tell=troubles.append):
            until(lambda: followed_at(site.bare_index) == clock.now(), "the first turn")
            clock.advance(MINUTE)  # the verdict is reused for seconds
            assert acts(site) == 1
        assert not [one.name for one in threading.enumerate() if one.name == "stand-in"]
    assert troubles == []


def test_it_stops_in_the_middle_of_a_turn(tmp_path: Path) -> None:
    with Site(settings(tmp_path), ManualClock(T0)) as site:
        site.registry.add(camera_form(), actor="os:tester")
        act(site, "other-1")
        reading, goes_on = threading.Event(), threading.Event()
        whole = site.stores.records.get

        def slow(key: str, *, version: str | None = None) -> bytes:
            if key.startswith("custody/"):
                reading.set()
                goes_on.wait(30)
            return whole(key, version=version)

        site.stores.records.get = slow  # type: ignore[method-assign]
        with StandInThread(site, tell=lambda error: None) as thread:
            assert reading.wait(30)
            thread.stop()
            goes_on.set()
        assert followed_at(site.bare_index) is None, "a turn that did not end counts for nothing"


def test_an_index_that_waits_for_its_rebuild_is_left_alone(tmp_path: Path) -> None:
    with Site(settings(tmp_path), ManualClock(T0)) as site:
        # Something was recorded, and the index has no mark.
        site.stores.records.put("journal/x", Content.of_bytes(b"x"))
        site.registry.add(camera_form(), actor="os:tester")
        act(site, "other-1")
        looked = threading.Event()
        found = site.wholeness.found

        def seen() -> bool:
            is_whole = found()
            looked.set()
            return is_whole

        site.wholeness.found = seen  # type: ignore[method-assign]
        with StandInThread(site, tell=lambda error: None):
            assert looked.wait(30)
        assert followed_at(site.bare_index) is None


def test_saksi_serve_alone_lists_what_other_processes_wrote(tmp_path: Path) -> None:
    CommandLine(tmp_path)  # a home
    with Site(settings(tmp_path)) as site:
        open_unindexed(site, "ani")
    with api_server(tmp_path) as server:
        token = new_token(server.line)
        with server.client(headers={"Authorization": f"Bearer {token}"}) as client:
            found = until(lambda: client.get("/v1/users").json()["users"], "the first turn")
            assert [one["id"] for one in found] == ["ani"]
            assert client.get("/v1/users").json()["as_of"]


def test_a_command_that_lists_takes_a_turn_if_nobody_has(tmp_path: Path) -> None:
    line = CommandLine(tmp_path)
    with Site(settings(tmp_path)) as site:
        for name in ("ani", "budi"):
            open_unindexed(site, name)
            listed = line.must("user", "list", "--json").json
            assert [one["name"] for one in listed["users"]] == ["ani"], "within a minute there is one turn"
        assert listed["as_of"]
        site.follower().run()
        assert len(line.must("user", "list", "--json").json["users"]) == 2
