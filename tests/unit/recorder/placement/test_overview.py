"""What people see of the recorders."""

from dataclasses import dataclass
from typing import Any

from recorder.placement.assignment import Assigner, Host
from recorder.placement.overview import overview

NOW = 1_800_000_000_000_000
HOSTS = [Host("rec-a"), Host("rec-b")]
CAMERAS = dict.fromkeys(("cam-1", "cam-2", "cam-3", "cam-4"), "73.71.13")


@dataclass(frozen=True)
class Said:
    recorder: str
    at: int
    state: dict[str, Any]


def said(host: str, *cameras: str, at: int = NOW) -> Said:
    return Said(host, at, {"cameras": {camera: {} for camera in cameras}})


def test_what_is_assigned_and_what_is_recorded() -> None:
    both = {"rec-a", "rec-b"}
    its = [camera for camera, host in Assigner().assign(HOSTS, both, CAMERAS).items() if host == "rec-a"]
    found = overview(HOSTS, both, CAMERAS, [said("rec-a", *CAMERAS), said("rec-c", "cam-1")], NOW)
    assert [one.host.name for one in found] == ["rec-a", "rec-b"]
    assert (found[0].assigned, found[0].records, found[0].leaving) == (len(its), 4, 4 - len(its))
    assert (found[1].assigned, found[1].records, found[1].leaving) == (4 - len(its), 0, 0)
    assert found[0].to_json()["live"] is True


def test_a_dead_one_has_nothing() -> None:
    found = overview(HOSTS, {"rec-b"}, CAMERAS, [], NOW)
    assert [(one.is_live, one.assigned) for one in found] == [(False, 0), (True, 4)]


def test_without_the_membership_heartbeats_count() -> None:
    found = overview(HOSTS, None, CAMERAS, [said("rec-a"), said("rec-b", at=NOW - 10**9)], NOW)
    assert [(one.is_live, one.assigned) for one in found] == [(None, 4), (None, 0)]
