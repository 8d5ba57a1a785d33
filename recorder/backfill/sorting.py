"""Which packets of a replay become a run: one unbroken stretch, from a keyframe to the end of the hole. Pure.

Cameras begin at the keyframe before the time that was asked for, or earlier, and may go on beyond its end.
What is before the last keyframe at or before the start is left out, and what is after the end. A picture is
passed on once it is whole; where the packets' numbers skip some (a replay counts each packet by one), the
stretch ends with the last whole picture before. It also ends before a picture of another size or profile: of
all units in the packets only the sequence parameter sets are looked at.
"""

from dataclasses import dataclass, field
from enum import Enum, auto

from archive.errors import Malformed
from archive.model.segment import TIMESCALE, Codec
from archive.timespan import SECOND, Timespan
from recorder.backfill.rtp import Mark, Packet, first_slices, parameter_sets, read_packet, ticks_between

_JUMP = SECOND // 2
"""If the camera's clock and its RTP times part by more than this, the stretch ends."""
_LONGEST_STEP = 3 * SECOND
"""A step from picture to picture that is longer is a hole in what the camera kept."""
_PACKET_HEAD = 4
_MOST_HELD = 64 << 20
_MOST_UNMARKED = 200
_MOST_BETWEEN = 50_000
"""Packets from one mark to the next: some cameras mark keyframes only. Unbounded, nothing would end it."""
_MOST_IDLE = 1 << 30
"""Bytes of which nothing is taken: a camera that sends all of its memory is refused."""
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
class _Picture:
    """The picture whose packets come now; ``is_wanted`` once its mark says that it joins."""

    ticks: int = -1
    mark: Mark | None = None
    packets: list[bytes] = field(default_factory=list)
    size: int = 0
    parameters: list[bytes] = field(default_factory=list)
    slices: int = 0
    is_wanted: bool = False


@dataclass(slots=True)
class Stretch:
    """The stretch that one connection gives; ``asked`` is the hole by the camera's clock.

    No picture from before ``since`` or from ``until`` on is taken, also where a decoder would need it.
    """

    asked: Timespan
    codec: Codec = "h264"
    since: int = -(1 << 62)
    until: int = 1 << 62
    begins: int | None = None
    """The camera's time of the earliest picture (µs); None as long as none is taken."""
    ends: int = 0
    """The camera's time of the latest one."""
    drift: int = 0
    """By how much its clock and its RTP times parted at most (µs)."""
    lost: int = 0
    """Packets that are missing between others, by their numbers: at the first such place the stretch ends."""
    resumes: int | None = None
    """The camera's time of the first picture that did not join."""
    pictures: int = 0
    nearest: int | None = None
    """How far from what was asked for the nearest mark is (µs)."""
    left_out: int = 0
    """Pictures inside the hole with which no decoder can begin."""
    _picture: _Picture = field(default_factory=_Picture)
    _torn: int | None = None
    _marks_every_packet: bool = False
    _held: list[bytes] = field(default_factory=list)
    _held_size: int = 0
    _held_pictures: int = 0
    _first: tuple[int, int] | None = None
    _last: int | None = None
    _beyond: int = 0
    _unmarked: int = 0
    _was_marked: bool = False
    _sequence: int | None = None
    _taken: list[int] = field(default_factory=list)
    _parameters: list[bytes] = field(default_factory=list)
    _ticks: int | None = None
    _was_blank: bool = False
    _idle: int = 0
    _stands_still: int = 0

    def take(self, data: bytes) -> tuple[Goes, list[bytes]]:
        """Sort one packet: what goes on, and the packets to pass on now.

        Raises:
            Malformed: ``replay_without_times``; ``replay_group_too_large``; ``replay_refused``: it sends far
                more than what it was asked for.
        """
        goes, passed = self._sort(data)
        self._idle = 0 if passed else self._idle + _PACKET_HEAD + len(data)
        if self._idle > _MOST_IDLE:
            raise _refused("it goes on sending what it was not asked for")
        return goes, passed

    def _sort(self, data: bytes) -> tuple[Goes, list[bytes]]:
        packet = read_packet(data)
        if packet is None:
            return Goes.ON, []
        if self._is_torn_before(packet):
            return Goes.BROKEN, []
        passed: list[bytes] = []
        if self._picture.packets and packet.ticks != self._picture.ticks:
            passed = self._finish()
            if self.resumes is not None:
                return Goes.BROKEN, []
        picture, mark = self._picture, packet.mark
        picture.ticks = packet.ticks
        if mark is None:
            self._wait_for_a_mark()
        else:
            self._unmarked, self._was_marked = 0, True
            if picture.mark is not None:
                self._marks_every_packet = True
            else:
                goes = self._judge(mark, packet.ticks)
                if goes is not Goes.ON:
                    return goes, passed
                picture.mark = mark
        picture.packets.append(data)
        picture.size += len(data)
        if picture.size > _MOST_HELD:
            raise _group_too_large()
        picture.parameters += parameter_sets(self.codec, data[packet.body :])
        picture.slices += first_slices(self.codec, data[packet.body :])
        if packet.ends_picture:
            is_last = picture.mark is not None and picture.mark.is_last
            passed += self._finish()
            if self.resumes is not None:
                return Goes.BROKEN, passed
            if is_last and self._taken:
                return Goes.ENDED, passed
        return Goes.ON, passed

    def _is_torn_before(self, packet: Packet) -> bool:
        """Whether packets are missing before this one and the stretch ends by that; see what is torn."""
        missing = 0 if self._sequence is None else (packet.sequence - self._sequence - 1) % (1 << 16)
        self._sequence = packet.sequence
        torn = self._picture
        if missing:
            self._picture = _Picture()
            is_whole = packet.mark is not None and not self._marks_every_packet
            self._torn = None if is_whole else packet.ticks
        if not missing or not (self._taken or torn.is_wanted):
            return False
        self.lost += missing
        if self.begins is None:
            self._forget()
            return False
        mark = torn.mark or packet.mark
        self.resumes = self.ends + 1 if mark is None else mark.at
        return True

    def _judge(self, mark: Mark, ticks: int) -> Goes:
        """A picture begins."""
        apart = max(self.asked.start - mark.at, mark.at - self.asked.end, 0)
        self.nearest = apart if self.nearest is None else min(self.nearest, apart)
        if self._parts(mark, ticks):
            if self.begins is not None:
                self.resumes = mark.at
                return Goes.BROKEN
            self._forget()
        if mark.at >= self.until:
            return Goes.ENDED
        if mark.at >= self.asked.end and mark.at >= self.ends:
            self._beyond += 1
            if self._beyond >= _BEYOND or self._last is None:
                return Goes.ENDED
        begins_anew = self.begins is None and (mark.at <= self.asked.start or not self._taken)
        if mark.is_key and begins_anew and ticks != self._torn and mark.at >= self.since:
            self._forget()
        elif not self._taken or self._leads(ticks):  # no decoder can begin here
            self.left_out += self.asked.start <= mark.at < self.asked.end
            return Goes.ON
        self._picture.is_wanted = True
        return Goes.ON

    def _leads(self, ticks: int) -> bool:
        """Whether a picture is shown before the first keyframe: it may refer to what is not here."""
        return self._first is not None and ticks_between(self._first[1], ticks) < 0

    def _parts(self, mark: Mark, ticks: int) -> bool:
        """Whether a picture does not join those before it."""
        if self._first is None or self._last is None:
            return False
        apart = self._apart(mark, ticks)
        return mark.follows_hole or abs(apart) > _JUMP or abs(mark.at - self._last) > _LONGEST_STEP

    def _apart(self, mark: Mark, ticks: int) -> int:
        """By how much the camera's clock and its RTP times parted since the first picture (µs)."""
        at, since = self._first or (mark.at, ticks)
        return mark.at - at - ticks_between(since, ticks) * SECOND // TIMESCALE

    def _time_of(self, picture: _Picture) -> int:
        """The camera's time of a picture: by its mark, or from the first one's by its RTP time."""
        if picture.mark is not None or self._first is None:
            return 0 if picture.mark is None else picture.mark.at
        at, since = self._first
        return at + ticks_between(since, picture.ticks) * SECOND // TIMESCALE

    def _finish(self) -> list[bytes]:
        """The picture is whole: count it, and give what is to be passed on."""
        picture, self._picture = self._picture, _Picture()
        mark = picture.mark
        if not (picture.is_wanted if mark is not None else self._taken and not self._leads(picture.ticks)):
            return []
        at = self._time_of(picture)
        if at >= self.until:
            self.resumes = at
            return []
        if mark is None and self._last is not None and abs(at - self._last) > _LONGEST_STEP:
            self.resumes = None if self.begins is None else at
            self._forget()
            return []
        if picture.parameters and picture.parameters != self._parameters:
            if self.begins is not None and self._parameters:
                self.resumes = at
                return []
            if self._parameters and mark is not None and mark.is_key:
                self._forget()
            self._parameters = picture.parameters
        self._held_pictures += self._coded(picture)
        if mark is not None:
            self.drift = max(self.drift, abs(self._apart(mark, picture.ticks)))
            self._first = self._first or (at, picture.ticks)
            self._stands_still = 0 if at > self.ends else self._stands_still + 1
            if self._stands_still > _MOST_UNMARKED:
                raise _without_times()
        self._last = at
        self._taken.append(at)
        if self.begins is not None:
            self.begins = min(self.begins, at)
        elif at >= self.asked.start:
            self.begins = min(self._taken)
        self.ends = max(self.ends, at)
        return self._pass(picture)

    def _coded(self, picture: _Picture) -> int:
        """How many coded pictures those packets are: two fields may have one time, marker and mark.

        Where no slice is seen, what has a time of its own is one. Parameter sets may come as if they were.
        """
        is_same, self._ticks = picture.ticks == self._ticks, picture.ticks
        was_blank, self._was_blank = self._was_blank and is_same, not picture.slices
        if picture.slices:
            return picture.slices - was_blank
        return int(picture.mark is not None or not is_same)

    def _forget(self) -> None:
        """What was held is not needed, or leads to nothing."""
        self._held.clear()
        self._held_size, self._held_pictures, self._taken, self._first = 0, 0, [], None
        self._parameters = []
        self.drift = 0

    def _pass(self, picture: _Picture) -> list[bytes]:
        if self.begins is not None:
            passed = [*self._held, *picture.packets]
            self.pictures += self._held_pictures
            self._held.clear()
            self._held_size, self._held_pictures = 0, 0
            return passed
        self._held += picture.packets
        self._held_size += picture.size
        if self._held_size > _MOST_HELD:
            raise _group_too_large()
        return []

    def _wait_for_a_mark(self) -> None:
        self._unmarked += 1
        if self._unmarked > (_MOST_BETWEEN if self._was_marked else _MOST_UNMARKED):
            raise _without_times()


def without_keyframe() -> Malformed:
    """The error for a replay that came, and in which no decoder can begin."""
    return _refused("no keyframe comes")


def _without_times() -> Malformed:
    return Malformed(
        "the camera does not say when the pictures of its recording were taken",
        code="replay_without_times",
        hint="Its replay lacks ONVIF's header extension. Copy the recording to a file and use saksi"
        " import, which takes the times from a person.",
    )


def _group_too_large() -> Malformed:
    return Malformed(
        f"the camera's pictures from one keyframe to the next are more than {_MOST_HELD >> 20} MiB",
        code="replay_group_too_large",
        hint="Set a shorter interval of keyframes (I-frames) for its recording, on its own page.",
    )


def _refused(why: str) -> Malformed:
    return Malformed(
        f"the camera does not replay as ONVIF says: {why}",
        code="replay_refused",
        hint="See whether the camera has ONVIF Profile G and a memory card, or update its firmware.",
    )
