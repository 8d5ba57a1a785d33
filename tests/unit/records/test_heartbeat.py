"""A recorder whose entries do not arrive is red in the doctor, in the metrics and in the notices."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, generate_latest

from api.recorders import Recorders
from archive.canonical import JsonObject
from archive.cases.notices.notice import Event
from archive.cases.notices.watching import MEASURE_EVERY, Watch
from archive.lifecycle.disposition.pressure import Level
from archive.records.heartbeat import BEHIND, CODES, FILLING, PATIENCE, troubles
from archive.timespan import DAY, SECOND
from ops.doctor import Light, examine
from ops.settings import Settings
from ops.wiring import Site
from tests.support.archives import SmallArchive, camera_form, small_archive

WELL: JsonObject = {
    "store_error": "", "index_error": "", "journal_error": "", "stalled_us": 0, "waiting": 0, "set_aside": 0,
}  # fmt: skip


@dataclass
class Beat:
    """A heartbeat."""

    state: JsonObject
    at: int = 0
    recorder: str = "rec-1"


def codes(at: int = 0, **state: Any) -> list[str]:
    return [one.code for one in troubles(Beat(WELL | state, at), at + SECOND)]


def test_a_recorder_that_is_well_has_no_trouble() -> None:
    assert codes() == []
    assert codes(stalled_us=PATIENCE - 1, waiting=3) == []
    assert list(troubles(Beat({}), SECOND)) == [], "a recorder of before says less"


def test_each_trouble_has_its_code() -> None:
    assert codes(index_error="segment_too_long") == ["index_error"]
    assert codes(store_error="store_access_denied", journal_error="x") == ["store_error", "journal_error"]
    assert codes(stalled_us=PATIENCE, waiting=3) == ["commit_stalled"]
    assert codes(set_aside=1) == ["set_aside"]
    assert codes(quarantine_dropped=1, quarantine_bytes=5) == ["quarantine_full"]
    silent = [one.code for one in troubles(Beat(WELL), PATIENCE)]
    assert silent == ["recorder_silent"]
    [ahead] = troubles(Beat(WELL, PATIENCE), 0)
    assert (ahead.code, "it may have died since" in ahead.message) == ("recorder_clock", True)
    assert codes(oldest_us=BEHIND - 1) == []
    assert codes(oldest_us=BEHIND) == ["archive_behind"]
    assert codes(spool_full=1, fill_s=0) == ["spool_full"]
    assert codes(fill_s=FILLING // SECOND) == []
    [one] = troubles(Beat(WELL | {"fill_s": 3 * 3600 + 120}), SECOND)
    assert (one.code, "3 h 2 min" in one.message) == ("spool_filling", True)
    assert one.due_at == (3 * 3600 + 120) * SECOND


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    yield made
    made.index.close()


def test_it_is_told_once_a_day_and_trouble(archive: SmallArchive) -> None:
    watch = Watch(
        archive.ledger,
        archive.stores.records,
        archive.clock,
        pressure=lambda: Level.GREEN,
        beats=archive.index.heartbeats,
    )

    def look() -> list[tuple[str, str, str, bool]]:
        archive.clock.advance(MEASURE_EVERY)
        archive.index.put_heartbeat("rec-1", archive.clock.now(), state)
        watch.measure()
        return [(one.id, one.subject, one.code, one.urgent) for one in watch.notices()]

    state = WELL
    assert look() == []
    state = WELL | {"index_error": "index_denied"}
    [first] = look()
    assert first[1:] == ("rec-1", "index_error", True)
    assert {one.event for one in watch.notices()} == {Event.RECORDER_TROUBLE}
    assert look() == [first]
    archive.clock.advance(DAY)
    [next_day] = look()
    assert next_day[0] != first[0]
    state = WELL
    assert look() == []


def test_the_figures_say_it_and_the_rules_look_at_them(archive: SmallArchive) -> None:
    registry = CollectorRegistry()
    services: Any = archive  # the collector reads only index and clock of the services
    registry.register(Recorders(services))
    archive.index.put_heartbeat("rec-1", archive.clock.now(), WELL | {"stalled_us": PATIENCE, "set_aside": 2})
    text = generate_latest(registry).decode()
    assert 'saksi_recorder_trouble{code="commit_stalled",recorder="rec-1"} 1.0' in text
    assert 'saksi_recorder_trouble{code="index_error",recorder="rec-1"} 0.0' in text
    assert 'saksi_recorder_set_aside{recorder="rec-1"} 2.0' in text
    assert all(f'code="{code}"' in text for code in CODES)
    rules = yaml.safe_load((Path(__file__).parents[3] / "ops/alerts/recorders.yml").read_text("utf-8"))
    known = text + "saksi_integrity_incidents_open"
    for rule in rules["groups"][0]["rules"]:
        [metric] = [
            word for word in rule["expr"].replace("(", " ").replace(")", " ").split() if "saksi_" in word
        ]
        assert metric in known


def test_the_doctor_is_red(tmp_path: Path) -> None:
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path)})) as site:

        def recorders() -> set[Light]:
            return {one.light for one in examine(site) if one.subject == "recorders"}

        site.index.put_heartbeat("rec-1", site.clock.now(), WELL)
        assert recorders() == {Light.GREEN}
        site.index.put_heartbeat("rec-1", site.clock.now(), WELL | {"index_error": "segment_too_long"})
        assert recorders() == {Light.RED}
        site.index.put_heartbeat("rec-1", site.clock.now(), WELL | {"stalled_us": PATIENCE, "waiting": 7})
        assert recorders() == {Light.RED}


def test_the_doctor_names_cameras_that_are_not_recorded(tmp_path: Path) -> None:
    with Site(Settings.load({"SAKSI_HOME": str(tmp_path)})) as site:

        def cameras() -> list[tuple[Light, str]]:
            return [(one.light, one.message) for one in examine(site) if one.subject == "cameras"]

        assert cameras() == [(Light.GREEN, "no camera is registered")]
        site.registry.add(camera_form("kam-1"), actor="os:tester")
        now = site.clock.now()
        entry = {
            "capturing": 1,
            "kept": 1,
            "began": now,
            "grown": now,
            "failures": 0,
            "cause": "",
            "until": now,
        }
        site.index.put_heartbeat("rec-1", now, WELL | {"cameras": {"kam-1": entry}})
        assert cameras() == [(Light.GREEN, "1 recording")]
        lost = entry | {"capturing": 0, "kept": 0, "failures": 2, "cause": "unreachable"}
        site.index.put_heartbeat("rec-1", now + 1, WELL | {"cameras": {"kam-1": lost}})
        [(light, text)] = cameras()
        assert (light, text) == (Light.RED, "1 of 1 cameras are not being recorded: kam-1 (unreachable)")
        site.index.put_heartbeat("rec-1", now + 2, WELL | {"cameras": {"kam-1": {"capturing": 1}}})
        [(light, text)] = cameras()
        assert (light, "not known" in text) == (Light.AMBER, True)
