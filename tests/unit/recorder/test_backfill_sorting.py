"""Which packets of a replay become a run: from the keyframe before the hole to its end, without a jump."""

import struct

import pytest

from archive.errors import Malformed
from archive.timespan import SECOND, Timespan
from recorder.backfill.rtp import first_slices, is_bye, parameter_sets, read_packet, ticks_between
from recorder.backfill.session import track_of
from recorder.backfill.sorting import Goes, Stretch

T0 = 1_795_500_000 * SECOND
STEP = SECOND // 10
NTP = 2_208_988_800


def packet(
    at: int | None, *, sequence: int = 0, ticks: int | None = None, key: bool = False, flags: int = 0
) -> bytes:
    """A picture in one packet, taken at ``at``; None: it says no time."""
    shown = (0 if at is None else at) * 9 // 100 % (1 << 32) if ticks is None else ticks
    head = struct.pack("!BBHII", 0x90 if at is not None else 0x80, 0xE0, sequence & 0xFFFF, shown, 1)
    if at is not None:
        seconds, rest = divmod(at, SECOND)
        marks = flags | (0x80 if key else 0)
        head += struct.pack("!HHIIBBH", 0xABAC, 3, seconds + NTP, (rest << 32) // SECOND, marks, 0, 0)
    return head + b"picture"


def unmarked(one: bytes) -> bytes:
    """A packet without its mark."""
    return bytes([0x80]) + one[1:12] + one[28:]


def sent(stretch: Stretch, *packets: bytes) -> tuple[Goes, list[bytes]]:
    """What is passed on until the stretch ends."""
    passed: list[bytes] = []
    for one in packets:
        goes, now = stretch.take(one)
        passed += now
        if goes is not Goes.ON:
            return goes, passed
    return Goes.ON, passed


def counted(*packets: bytes) -> list[bytes]:
    """The packets with numbers that follow each other: nothing is lost on the way."""
    return [
        one[:2] + struct.pack("!H", number & 0xFFFF) + one[4:] for number, one in enumerate(packets, 65_530)
    ]


def in_parts(at: int, count: int = 3, *, key: bool = False) -> list[bytes]:
    """A picture in several packets: the first one has the mark, the last one says that it ends."""
    first, *rest = [packet(at, key=key), *more_of(at, count - 1)]
    return [one[:1] + bytes([one[1] & 0x7F]) + one[2:] for one in (first, *rest[:-1])] + rest[-1:]


def pictures(since: int, until: int, *, gop: int = 10) -> list[bytes]:
    """Ten pictures a second, numbered from a second before T0."""
    return [
        packet(T0 + number * STEP, sequence=number + 1000, key=number % gop == 0)
        for number in range(since, until)
    ]


def test_it_begins_at_the_keyframe_before_the_hole_and_ends_at_its_end() -> None:
    every = pictures(-30, 60)
    stretch = Stretch(Timespan(T0 + 5 * STEP, T0 + 40 * STEP))
    goes, passed = sent(stretch, *every)
    assert goes is Goes.ENDED
    assert passed == every[30:71], "from the keyframe at T0 to the first picture at the end"
    assert (stretch.begins, stretch.ends, stretch.pictures) == (T0, T0 + 40 * STEP, 41)
    assert (stretch.lost, stretch.drift < 1000) == (0, True)


def test_no_picture_is_taken_from_time_that_may_not_be_recorded() -> None:
    every = pictures(-30, 60)
    asked = Timespan(T0 + 5 * STEP, T0 + 40 * STEP)
    after = Stretch(asked, since=T0 + STEP)
    _, passed = sent(after, *every)
    assert (passed[0], after.begins) == (every[40], T0 + 10 * STEP), "the group before reaches into it"
    until = Stretch(asked, until=T0 + 40 * STEP)
    goes, passed = sent(until, *every)
    assert (goes, passed[-1], until.ends) == (Goes.ENDED, every[69], T0 + 39 * STEP)
    marked = [one if number % 10 == 0 else unmarked(one) for number, one in enumerate(every)]
    quiet = Stretch(asked, until=T0 + 35 * STEP)
    goes, passed = sent(quiet, *marked)
    assert (goes, passed[-1]) == (Goes.BROKEN, marked[64]), "by their RTP times, without marks of their own"


def test_what_no_decoder_can_begin_with_is_left_out() -> None:
    every = pictures(3, 30)
    stretch = Stretch(Timespan(T0, T0 + 20 * STEP))
    _, passed = sent(stretch, *every)
    assert passed[0] == every[7], "the first keyframe"
    assert stretch.begins == T0 + 10 * STEP


def test_a_hole_in_what_it_kept_ends_the_stretch() -> None:
    stretch = Stretch(Timespan(T0, T0 + 400 * STEP))
    goes, passed = sent(stretch, *counted(*pictures(0, 20), *pictures(60, 70)))
    assert (goes, len(passed), stretch.resumes) == (Goes.BROKEN, 20, T0 + 60 * STEP)
    assert stretch.lost == 0


def test_a_clock_that_was_set_ends_the_stretch() -> None:
    stretch = Stretch(Timespan(T0, T0 + 400 * STEP))
    jumped = packet(T0 + 27 * STEP, ticks=(T0 + 20 * STEP) * 9 // 100 % (1 << 32), key=True)
    goes, _ = sent(stretch, *counted(*pictures(0, 20), jumped))
    assert (goes, stretch.resumes) == (Goes.BROKEN, T0 + 27 * STEP)


def test_the_mark_of_a_discontinuity_ends_the_stretch() -> None:
    stretch = Stretch(Timespan(T0, T0 + 400 * STEP))
    goes, _ = sent(stretch, *counted(*pictures(0, 20), packet(T0 + 20 * STEP, key=True, flags=0x20)))
    assert goes is Goes.BROKEN


def test_a_hole_before_anything_was_taken_ends_nothing() -> None:
    stretch = Stretch(Timespan(T0 + 60 * STEP, T0 + 80 * STEP))
    goes, passed = sent(stretch, *counted(*pictures(0, 20), *pictures(60, 90)))
    assert (goes, len(passed), stretch.begins) == (Goes.ENDED, 21, T0 + 60 * STEP)


def test_a_camera_that_has_only_what_is_later_gives_nothing() -> None:
    stretch = Stretch(Timespan(T0 - 40 * STEP, T0 - 20 * STEP))
    goes, passed = sent(stretch, *pictures(0, 20))
    assert (goes, passed, stretch.begins) == (Goes.ENDED, [], None)


def test_where_packets_are_lost_the_stretch_ends_with_the_last_whole_picture() -> None:
    every = counted(*[part for at in range(20) for part in in_parts(T0 + at * STEP, key=at % 10 == 0)])
    for lost in range(3 * 13, 3 * 14):  # one packet of the picture at 13: its first, a middle, its last
        stretch = Stretch(Timespan(T0, T0 + 400 * STEP))
        goes, passed = sent(stretch, *every[:lost], *every[lost + 1 :])
        assert (goes, passed) == (Goes.BROKEN, every[: 3 * 13]), lost
        assert (stretch.lost, stretch.pictures, stretch.ends) == (1, 13, T0 + 12 * STEP)
        assert stretch.resumes is not None
        assert T0 + 12 * STEP < stretch.resumes <= T0 + 14 * STEP


def test_a_group_with_lost_packets_before_the_hole_is_not_begun_with() -> None:
    every = counted(*[part for at in range(40) for part in in_parts(T0 + at * STEP, key=at % 10 == 0)])
    for lost in (
        3 * 10,
        3 * 10 + 1,
        3 * 13 + 1,
    ):  # of the keyframe before the hole, and of a picture after it
        stretch = Stretch(Timespan(T0 + 15 * STEP, T0 + 30 * STEP))
        goes, passed = sent(stretch, *every[:lost], *every[lost + 1 :])
        assert (goes, stretch.begins, stretch.lost) == (Goes.ENDED, T0 + 20 * STEP, 1), lost
        assert passed[0] == every[3 * 20]


def test_a_keyframe_whose_first_packets_are_lost_is_no_beginning_even_if_each_has_a_mark() -> None:
    def marked(at: int) -> list[bytes]:
        one = packet(T0 + at * STEP, key=at % 10 == 0)
        return [one[:1] + b"\x60" + one[2:], one]

    every = counted(*[part for at in range(-5, 30) for part in marked(at)])
    stretch = Stretch(Timespan(T0 - 2 * STEP, T0 + 30 * STEP))
    _, passed = sent(stretch, *every[:10], *every[11:])
    assert (stretch.begins, passed[0]) == (T0 + 10 * STEP, every[30])


def test_a_picture_that_never_ends_is_refused_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.backfill.sorting._MOST_HELD", 1000)
    first, middle, _ = in_parts(T0, key=True)
    with pytest.raises(Malformed) as caught:
        sent(Stretch(Timespan(T0, T0 + SECOND)), *counted(first, *[middle] * 100))
    assert caught.value.code == "replay_group_too_large"


def test_pictures_that_are_shown_before_the_first_keyframe_are_left_out() -> None:
    order = [
        (10, True),
        (8, False),
        (9, False),
        (13, False),
        (11, False),
        (12, False),
        (20, True),
        (19, False),
    ]
    every = counted(*[part for at, key in order for part in in_parts(T0 + at * STEP, key=key)])
    stretch = Stretch(Timespan(T0 + 5 * STEP, T0 + 40 * STEP))
    _, passed = sent(stretch, *every)
    assert passed == every[:3] + every[9:]
    assert (stretch.begins, stretch.pictures, stretch.left_out, stretch.lost) == (T0 + 10 * STEP, 6, 2, 0)


def test_they_are_left_out_also_where_only_keyframes_have_a_mark() -> None:
    order = [(10, True), (8, False), (13, False), (20, True), (30, True)]
    every = counted(*[
        packet(T0 + at * STEP, key=True) if key else more_of(T0 + at * STEP, 1)[0] for at, key in order
    ])  # fmt: skip
    _, passed = sent(Stretch(Timespan(T0, T0 + 40 * STEP)), *every)
    assert passed == every[:1] + every[2:]


SIZES = [b"\x67large", b"\x67small"]
"""Sequence parameter sets of H.264."""


def with_sizes(codec: str, *, together: bool) -> list[bytes]:
    """Four groups; from the third on another size. ``together``: the parameter sets share a packet."""
    every: list[bytes] = []
    for at in range(40):
        size = SIZES[at >= 20] if codec == "h264" else b"\x42\x01" + SIZES[at >= 20]
        if together:
            size = (b"\x78" if codec == "h264" else b"\x60\x01") + len(size).to_bytes(2, "big") + size
        whole = packet(T0 + at * STEP, key=at % 10 == 0)
        if at % 10 == 0:
            every.append(whole[:1] + b"\x60" + whole[2:].removesuffix(b"picture") + size)
        every += more_of(T0 + at * STEP, 1) if at % 10 == 0 else [whole]
    return counted(*every)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("together", [False, True])
def test_another_picture_size_ends_the_stretch(codec: str, *, together: bool) -> None:
    every = with_sizes(codec, together=together)
    stretch = Stretch(Timespan(T0, T0 + 400 * STEP), codec)
    goes, passed = sent(stretch, *every)
    assert (goes, passed, stretch.resumes) == (Goes.BROKEN, every[:22], T0 + 20 * STEP)
    assert (stretch.ends, stretch.pictures) == (T0 + 19 * STEP, 20)
    for start in (20 * STEP, 15 * STEP + 1):
        stretch = Stretch(Timespan(T0 + start, T0 + 39 * STEP), codec)
        goes, _ = sent(stretch, *every)
        assert (goes, stretch.resumes) == (
            (Goes.ON, None) if start == 20 * STEP else (Goes.BROKEN, T0 + 20 * STEP)
        )


def test_another_picture_size_before_the_hole_ends_nothing() -> None:
    every = with_sizes("h264", together=False)
    stretch = Stretch(Timespan(T0 + 19 * STEP + 1, T0 + 39 * STEP))
    goes, passed = sent(stretch, *every)
    assert (goes, passed[0], stretch.begins) == (Goes.ON, every[22], T0 + 20 * STEP)


@pytest.mark.parametrize(
    "payload", [b"", b"\x78", b"\x78\0", b"\x78\0\x09\x67", b"\x60", b"\x60\x01\xff\xff"]
)
def test_what_is_no_parameter_set_is_passed_over(payload: bytes) -> None:
    assert [parameter_sets(codec, payload) for codec in ("h264", "hevc")] == [[], []]


def test_packets_without_times_are_refused_after_a_while() -> None:
    stretch = Stretch(Timespan(T0, T0 + SECOND))
    with pytest.raises(Malformed) as caught:
        sent(stretch, *[packet(None, sequence=number) for number in range(300)])
    assert caught.value.code == "replay_without_times"


def test_no_keyframe_is_refused_before_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.backfill.sorting._MOST_HELD", 1000)
    stretch = Stretch(Timespan(T0 + 100 * SECOND, T0 + 200 * SECOND))
    with pytest.raises(Malformed) as caught:
        sent(stretch, *pictures(0, 900, gop=10_000))
    assert caught.value.code == "replay_group_too_large"


@pytest.mark.parametrize("data", [b"", b"\x80" * 11, b"\x10" * 40, packet(T0)[:20], b"\x9f" + b"\0" * 20])
def test_what_is_no_packet_is_passed_over(data: bytes) -> None:
    assert read_packet(data) is None


def test_rtp_times_wrap_and_reports_say_goodbye() -> None:
    assert ticks_between((1 << 32) - 5, 7) == 12
    assert ticks_between(7, (1 << 32) - 5) == -12
    assert is_bye(struct.pack("!BBHI", 0x80, 200, 1, 0) + struct.pack("!BBHI", 0x81, 203, 1, 0))
    assert not is_bye(struct.pack("!BBHI", 0x80, 200, 1, 0))
    assert not is_bye(b"\x80")


def test_the_pictures_of_a_description_and_nothing_else_reach_ffmpeg() -> None:
    told = (
        "v=0\r\nm=audio 0 RTP/AVP 8\r\na=control:a\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H265/90000\r\n"
        "a=fmtp:96 sprop-vps=x\r\na=control:track1\r\na=x-odd:1\r\nm=application 0 RTP/AVP 107\r\n"
    )
    track = track_of(told, "rtsp://10.0.0.1/replay")
    assert (track.codec, track.control) == ("hevc", "rtsp://10.0.0.1/replay/track1")
    assert track.lines == ("m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", "a=fmtp:96 sprop-vps=x")
    with pytest.raises(Malformed) as caught:
        track_of("v=0\r\nm=video 0 RTP/AVP 26\r\na=rtpmap:26 JPEG/90000\r\n", "rtsp://10.0.0.1/")
    assert caught.value.code == "no_stream"


def more_of(at: int, count: int) -> list[bytes]:
    """The further packets of a picture; only its first one has a mark."""
    return [packet(None, ticks=at * 9 // 100 % (1 << 32)) for _ in range(count)]


def test_a_camera_that_begins_between_keyframes_says_its_times_all_the_same() -> None:
    stretch = Stretch(Timespan(T0, T0 + 20 * STEP))
    every = counted(*[
        part
        for number in range(1, 30)
        for part in (packet(T0 + number * STEP, key=number == 10), *more_of(T0 + number * STEP, 90))
    ])  # fmt: skip
    _, passed = sent(stretch, *every)
    assert passed[:91] == every[9 * 91 : 10 * 91]
    assert stretch.begins == T0 + 10 * STEP


def test_a_camera_that_stops_saying_times_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recorder.backfill.sorting._MOST_BETWEEN", 300)
    stretch = Stretch(Timespan(T0, T0 + 20 * STEP))
    later = [part for number in range(10, 400) for part in more_of(T0 + number * STEP, 1)]
    with pytest.raises(Malformed) as caught:
        sent(stretch, *counted(*pictures(0, 10), *later))
    assert caught.value.code == "replay_without_times"


def test_pictures_of_the_hole_without_a_keyframe_are_counted() -> None:
    stretch = Stretch(Timespan(T0, T0 + 20 * STEP))
    goes, passed = sent(stretch, *[packet(T0 + number * STEP) for number in range(-5, 40)])
    assert (goes, passed, stretch.begins, stretch.left_out) == (Goes.ENDED, [], None, 20)


def test_a_camera_that_sends_its_whole_memory_whatever_it_is_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("recorder.backfill.sorting._MOST_IDLE", 4000)
    stretch = Stretch(Timespan(T0 + 900 * STEP, T0 + 910 * STEP))
    with pytest.raises(Malformed) as caught:
        sent(stretch, *pictures(0, 900))
    assert caught.value.code == "replay_refused"
    with pytest.raises(Malformed):
        sent(Stretch(Timespan(T0, T0 + SECOND)), *[b""] * 2000)
    sent(Stretch(Timespan(T0, T0 + 900 * STEP)), *pictures(0, 900))


def test_a_camera_whose_times_stand_still_is_refused() -> None:
    stretch = Stretch(Timespan(T0, T0 + 900 * STEP))
    still = [packet(T0, sequence=number, key=number % 10 == 0) for number in range(400)]
    with pytest.raises(Malformed) as caught:
        sent(stretch, *still)
    assert caught.value.code == "replay_without_times"


def keys_marked(since: int, until: int, *, gop: int) -> list[bytes]:
    """As :func:`pictures`, of a camera that marks keyframes only."""
    return counted(*[
        packet(T0 + at * STEP if at % gop == 0 else None, ticks=(T0 + at * STEP) * 9 // 100 % (1 << 32),
               key=at % gop == 0)
        for at in range(since, until)
    ])  # fmt: skip


def test_where_keyframes_only_are_marked_a_hole_between_two_of_them_is_filled() -> None:
    every = keys_marked(-50, 40, gop=50)
    stretch = Stretch(Timespan(T0 + 10 * STEP, T0 + 30 * STEP))
    _, passed = sent(stretch, *every)
    assert passed == every[50:], "it has sent all that it was asked for"
    assert (stretch.begins, stretch.ends, stretch.pictures) == (T0, T0 + 39 * STEP, 40)


def test_where_keyframes_only_are_marked_a_long_group_is_no_hole_and_a_hole_is_one() -> None:
    every = keys_marked(0, 201, gop=50)
    stretch = Stretch(Timespan(T0, T0 + 150 * STEP))
    assert sent(stretch, *every)[0] is Goes.ENDED
    assert (stretch.begins, stretch.ends) == (T0, T0 + 199 * STEP)
    stretch = Stretch(Timespan(T0, T0 + 150 * STEP))
    torn = counted(*every[:60], *every[95:])
    assert (sent(stretch, *torn)[0], stretch.resumes) == (Goes.BROKEN, T0 + 95 * STEP)


def test_each_coded_picture_of_h264_is_counted_where_its_first_slice_begins() -> None:
    first, later, sets = b"\x65\x88", b"\x61\x40", b"\x67\x88"
    together = b"\x18" + b"".join(struct.pack("!H", len(one)) + one for one in (sets, first, later, first))
    for payload, count in (
        (first, 1), (later, 0), (sets, 0), (together, 2), (b"\x7c\x85\x88", 1), (b"\x7c\x05\x88", 0),
        (b"\x7c\x85\x40", 0), (b"\x7c\x87\x88", 0), (b"", 0),
    ):  # fmt: skip
        assert first_slices("h264", payload) == count, payload
    assert first_slices("hevc", b"\x26\x01\x80") == 0


def test_parameter_sets_that_come_as_if_they_were_a_picture_are_none() -> None:
    def part(unit: bytes, at: int, *, marked: bool) -> bytes:
        one = packet(T0 + at * STEP if marked else None, ticks=at * 9000, key=at % 10 == 0)
        return one.removesuffix(b"picture") + unit

    every = counted(*[
        one
        for at in range(20)
        for one in (
            [part(b"\x67\x01", at, marked=True), part(b"\x65\x88", at, marked=False)]
            if at % 10 == 0 else [part(b"\x61\x88", at, marked=True)]
        )
    ])  # fmt: skip
    stretch = Stretch(Timespan(T0, T0 + 40 * STEP))
    sent(stretch, *every)
    assert stretch.pictures == 20


def test_a_time_after_the_wrap_of_ntp_in_2036_is_read_as_that() -> None:
    for at in (0, 2_085_978_495 * SECOND, 2_085_978_496 * SECOND, 2_200_000_000 * SECOND):
        one = packet(T0)
        wrapped = one[:16] + struct.pack("!I", (at // SECOND + NTP) % (1 << 32)) + bytes(4) + one[24:]
        read = read_packet(wrapped)
        assert read is not None
        assert read.mark is not None
        assert read.mark.at == at
