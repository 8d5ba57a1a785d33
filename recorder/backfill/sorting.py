"""Which packets of a replay become a run: one unbroken stretch, from a keyframe to the end of the hole. Pure.

Cameras begin at the keyframe before the time that was asked for, or earlier, and may go on beyond its end.
What is before the last keyframe at or before the start is left out, and what is after the end.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from archive.errors import Malformed
from archive.model.segment import TIMESCALE
from archive.timespan import SECOND, Timespan
from recorder.backfill.rtp import Mark, read_packet, ticks_between

_JUMP = SECOND // 2
"""If the camera's clock and its RTP times part by more than this, the stretch ends."""
_LONGEST_STEP = 3 * SECOND
"""A step from picture to picture that is longer is a hole in what the camera kept."""
_MOST_HELD = 64 << 20
_MOST_UNMARKED = 200
_MOST_BETWEEN = 50_000
"""Packets from one mark to the next: some cameras mark keyframes only. Unbounded, nothing would end it."""
_BEYOND = 2
"""Pictures at or beyond the end before it is sure that none from before the end follows (B-frames)."""


class Goes(Enum):
    """What becomes of the packets."""

    ON = auto()
    ENDED = auto()
    """The stretch has come to the end of the hole, or the camera says that nothing follows."""
    BROKEN = auto()
    """What follows does not join: it is another run."""


@dataclass(slots=True)
class Stretch:
    """The stretch that one connection gives; ``asked`` is the hole by the camera's clock."""

    asked: Timespan
    begins: int | None = None
    """The camera's time of the earliest picture (µs); None as long as none is taken."""
    ends: int = 0
    """The camera's time of the latest one."""
    drift: int = 0
    """By how much its clock and its RTP times parted at most (µs)."""
    lost: int = 0
    """Packets that are missing between others."""
    resumes: int | None = None
    """The camera's time of the first picture that did not join."""
    pictures: int = 0
    left_out: int = 0
    """Pictures inside the hole with which no decoder can begin."""
    _held: list[bytes] = field(default_factory=list)
    _held_size: int = 0
    _first: tuple[int, int] | None = None
    _last: int | None = None
    _beyond: int = 0
    _unmarked: int = 0
    _was_marked: bool = False
    _sequence: int | None = None
    _taken: list[int] = field(default_factory=list)
    _is_last: bool = False

    def take(self, data: bytes) -> tuple[Goes, list[bytes]]:
        """Sort one packet: what goes on, and the packets to pass on now.

        Raises:
            Malformed: ``replay_without_times``; ``replay_refused``: no keyframe comes.
        """
        packet = read_packet(data)
        if packet is None:
            return Goes.ON, []
        mark = packet.mark
        if mark is None:
            self._wait_for_a_mark()
        else:
            self._unmarked, self._was_marked = 0, True
            goes = self._judge(mark, packet.ticks)
            if goes is not Goes.ON:
                return goes, []
        self._count(packet.sequence)
        passed = self._pass(data)
        if self._is_last and packet.ends_picture:
            return Goes.ENDED, passed
        return Goes.ON, passed

    def _judge(self, mark: Mark, ticks: int) -> Goes:
        """A picture begins."""
        if self._parts(mark, ticks):
            if self.begins is not None:
                self.resumes = mark.at
                return Goes.BROKEN
            self._forget()
        if mark.at >= self.asked.end and mark.at >= self.ends:
            self._beyond += 1
            if self._beyond >= _BEYOND or self._last is None:
                return Goes.ENDED
        if mark.is_key and (self.begins is None and (mark.at <= self.asked.start or not self._taken)):
            self._forget()
        elif not self._taken:  # no decoder can begin here
            self.left_out += self.asked.start <= mark.at < self.asked.end
            return Goes.ON
        if self._first is None:
            self._first = (mark.at, ticks)
        at, since = self._first
        apart = mark.at - at - ticks_between(since, ticks) * SECOND // TIMESCALE
        self.drift = max(self.drift, abs(apart))
        self._last = mark.at
        self._is_last = mark.is_last
        self._taken.append(mark.at)
        if self.begins is not None:
            self.begins = min(self.begins, mark.at)
            self.pictures += 1
        elif mark.at >= self.asked.start:
            self.begins = min(self._taken)
            self.pictures = len(self._taken)
        self.ends = max(self.ends, mark.at)
        return Goes.ON

    def _parts(self, mark: Mark, ticks: int) -> bool:
        """Whether a picture does not join those before it."""
        if self._first is None or self._last is None:
            return False
        at, since = self._first
        apart = mark.at - at - ticks_between(since, ticks) * SECOND // TIMESCALE
        return mark.follows_hole or abs(apart) > _JUMP or abs(mark.at - self._last) > _LONGEST_STEP

    def _forget(self) -> None:
        """What was held is not needed, or leads to nothing."""
        self._held.clear()
        self._held_size, self._taken, self._first, self._sequence = 0, [], None, None
        self.drift = 0

    def _pass(self, data: bytes) -> list[bytes]:
        if not self._taken:
            return []
        if self.begins is not None:
            passed = [*self._held, data]
            self._held.clear()
            self._held_size = 0
            return passed
        self._held.append(data)
        self._held_size += len(data)
        if self._held_size > _MOST_HELD:
            raise without_keyframe()
        return []

    def _count(self, sequence: int) -> None:
        if self._sequence is not None and self.begins is not None:
            self.lost += (sequence - self._sequence - 1) % (1 << 16)
        self._sequence = sequence

    def _wait_for_a_mark(self) -> None:
        self._unmarked += 1
        if self._unmarked > (_MOST_BETWEEN if self._was_marked else _MOST_UNMARKED):
            raise Malformed(
                "the camera does not say when the pictures of its recording were taken",
                code="replay_without_times",
                hint="Its replay lacks ONVIF's header extension. Copy the recording to a file and use saksi"
                " import, which takes the times from a person.",
            )


def without_keyframe() -> Malformed:
    """The error for a replay that came, and in which no decoder can begin."""
    return _refused("no keyframe comes")


def _refused(why: str) -> Malformed:
    return Malformed(
        f"the camera does not replay as ONVIF says: {why}",
        code="replay_refused",
        hint="See whether the camera has ONVIF Profile G and a memory card, or update its firmware.",
    )
