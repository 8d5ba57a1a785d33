"""What one host does about each camera: record it, wait for another to record it, or leave it. Pure.

A camera that another host should record is not left before that host says that it has footage of it: one
whole segment, which begins with a keyframe and whose times are known. So a move never makes a gap, and a host
that lost its place goes on until it is replaced.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from archive.canonical import JsonObject
from archive.records.heartbeat import Beat
from archive.timespan import SECOND

FRESH = 20 * SECOND
"""A heartbeat older than this says nothing about now. Recorders send one every 5 s."""


@dataclass(frozen=True, slots=True)
class Duties:
    """``record``: the cameras to record now. ``leaving``: those of them that another host should record."""

    record: frozenset[str]
    leaving: frozenset[str] = frozenset()


def duties(
    me: str,
    assigned: Mapping[str, str],
    recording: Collection[str],
    live: Collection[str],
    witnesses: "Witnesses",
) -> Duties:
    """What ``me`` does now.

    ``assigned`` gives the host of each camera, ``recording`` names those that ``me`` records at present, and
    ``live`` the hosts taken to live. A camera that ``assigned`` lacks is not registered any more, and
    is left. If ``assigned`` is empty nothing is known, and everything stays.
    """
    if not assigned:
        return Duties(frozenset(recording))
    own = {camera for camera, host in assigned.items() if host == me}
    leaving = {
        camera
        for camera in recording
        if camera in assigned
        and camera not in own
        and not (assigned[camera] in live and witnesses.has_footage(assigned[camera], camera))
    }
    return Duties(frozenset(own | leaving), frozenset(leaving))


class Proven:
    """Lets through heartbeats of hosts whose process is known to run.

    A host that has just appeared may have begun anew, and its last heartbeat may be of the process before. So
    it counts once another one has come. One that has stayed the same before our eyes for :data:`FRESH` counts
    no more, whatever its own time: the host's clock may be ahead.
    """

    def __init__(self) -> None:
        self._live: frozenset[str] = frozenset()
        self._doubted: dict[str, int | None] = {}
        self._seen: dict[str, tuple[int, int]] = {}

    def saw(self, live: frozenset[str]) -> None:
        """These hosts live now."""
        self._doubted |= dict.fromkeys(live - self._live)
        self._live = live

    def of(self, beats: Collection[Beat], monotonic: int) -> list[Beat]:
        """Those heartbeats that count, at an instant of our elapsed time (µs)."""
        found = []
        for beat in beats:
            at, since = self._seen.get(beat.recorder, (None, monotonic))
            self._seen[beat.recorder] = beat.at, since if at == beat.at else monotonic
            if at == beat.at and monotonic - since > FRESH:
                continue
            if beat.recorder in self._doubted:
                known = self._doubted[beat.recorder]
                if known is None or known == beat.at:
                    self._doubted[beat.recorder] = beat.at
                    continue
                del self._doubted[beat.recorder]
            found.append(beat)
        return found


class Witnesses:
    """What the hosts' heartbeats say about their cameras at ``now`` (µs); those too old say nothing."""

    def __init__(self, beats: Collection[Beat], now: int) -> None:
        self._cameras: dict[str, Mapping[str, JsonObject]] = {}
        for beat in beats:
            cameras = beat.state.get("cameras")
            if abs(now - beat.at) <= FRESH and isinstance(cameras, dict):
                self._cameras[beat.recorder] = cameras

    @property
    def hosts(self) -> Collection[str]:
        """The hosts that say anything."""
        return self._cameras.keys()

    def cameras(self, host: str) -> Collection[str]:
        """The cameras that the host tries to record, with or without success."""
        return self._cameras.get(host, {}).keys()

    def has_footage(self, host: str, camera: str) -> bool:
        """Whether the host's present attempt has given a whole segment of the camera, and goes on."""
        facts = self._cameras.get(host, {}).get(camera)
        return isinstance(facts, dict) and facts.get("capturing") == 1 and facts.get("kept") == 1
