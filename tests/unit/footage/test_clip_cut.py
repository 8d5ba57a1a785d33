"""Exact clips, checked against the definition: they show the frames with a wall time in ``[from, to)``."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.footage.clip.cut import Cut, cut
from archive.footage.clip.tables import clip_head
from archive.footage.mp4.header import SegmentHeader
from archive.model.segment import TIMESCALE, SegmentRef
from archive.timespan import SECOND, Timespan
from tests.support.plain_mp4 import PlainMp4, read_plain_mp4
from tests.support.recordings import OTHER_RUN, RUN, T0, frames_of, made_header, made_ref, shown_in


@dataclass(frozen=True)
class MadeRun:
    """A run whose n-th presented frame, counted from ``first_number``, has that number as its size."""

    refs: list[SegmentRef]
    headers: list[SegmentHeader]
    first_number: int
    undecodable: frozenset[int]

    @property
    def segments(self) -> list[tuple[SegmentRef, SegmentHeader]]:
        return list(zip(self.refs, self.headers, strict=True))

    @property
    def end(self) -> int:
        return self.refs[-1].span.end

    def shown_in(self, span: Timespan) -> list[int]:
        frames = frames_of(self.refs, self.headers, number=self.first_number)
        return [number for number in shown_in(frames, span) if number not in self.undecodable]


Gop = list[tuple[int, int]]
"""Mini-GOPs as (B frames, jitter seed); the first one's B frames are the sync's leading pictures."""

gops = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 40)), min_size=1, max_size=4)
runs = st.fixed_dictionaries(
    {
        "segments": st.lists(st.lists(gops, min_size=1, max_size=3), min_size=1, max_size=4),
        "interval": st.sampled_from([1500, 3003, 6000, 90_000]),
        "shift": st.sampled_from([0, 6000, 20_000]),
        "ppm": st.integers(-500, 500),
        "tfdt": st.sampled_from([0, 777]),
    }
)


def make_run(
    segments: list[list[Gop]],
    interval: int,
    shift: int,
    ppm: int,
    tfdt: int,
    *,
    start: int = T0,
    run: str = RUN,
    first_number: int = 1000,
) -> MadeRun:
    """Put frames into decode order: each mini-GOP is its anchor, then its B frames, shown before it."""
    order: list[tuple[int, bool, int]] = []  # place in presentation, sync, jitter
    starts = []
    shown = 0
    for gops_of_segment in segments:
        starts.append(len(order))
        for gop in gops_of_segment:
            for number, (between, jitter) in enumerate(gop):
                order.append((shown + between, number == 0, jitter))
                order += [(shown + index, False, jitter) for index in range(between)]
                shown += between + 1
    jitter = {place: seed for place, _, seed in order}
    times = [place * interval + jitter[place] for place in range(shown)]
    dts = [tfdt + time for time in times] + [tfdt + times[-1] + interval]
    starts.append(len(order))
    headers = []
    for low, high in pairwise(starts):
        part = order[low:high]
        headers.append(
            made_header(
                tfdt=dts[low],
                durations=[dts[low + 1 + index] - dts[low + index] for index in range(len(part))],
                sizes=[first_number + place for place, _, _ in part],
                offsets=[shift + tfdt + times[place] - dts[low + i] for i, (place, _, _) in enumerate(part)],
                sync=[int(sync) for _, sync, _ in part],
            )
        )
    firsts = [header.first_pts for header in headers] + [shift + tfdt + times[-1] + interval]
    refs = []
    at = Fraction(start)
    for seq, header in enumerate(headers):
        ticks = firsts[seq + 1] - firsts[seq]
        end = at + Fraction(ticks * SECOND, TIMESCALE) * (1 + Fraction(ppm, 1_000_000))
        refs.append(made_ref(header, Timespan(round(at), round(end)), ticks, seq=seq, run=run))
        at = end
    return MadeRun(refs, headers, first_number, frozenset(range(first_number, first_number + order[0][0])))


def read_back(made: Cut) -> PlainMp4:
    head, length = clip_head(made.tables, made.edits, T0)
    data = b"".join(head)
    assert len(data) == length
    return read_plain_mp4(data, length + sum(piece.length for piece in made.pieces))


def check(span: Timespan, made_runs: list[MadeRun]) -> None:
    overlapped = [
        (ref, header) for one in made_runs for ref, header in one.segments if ref.span.overlaps(span)
    ]
    first = overlapped[0][0] if overlapped else None
    before = [
        (ref, header)
        for one in made_runs
        for ref, header in one.segments
        if first is not None and ref.run == first.run and ref.seq == first.seq - 1 and first.gop == "open"
    ]
    expected = [number for one in made_runs for number in one.shown_in(span)]
    made = cut(span, [*before, *overlapped])
    assert (made.shown_from is None) == (not expected)
    assert made.frames == len(expected)
    if not expected:
        assert not made.pieces
        return
    plain = read_back(made)
    assert [sample.size for sample in plain.presented()] == expected
    assert len(plain.samples) == made.frames + made.hidden_frames
    assert plain.movie_duration == sum(duration for duration, _ in plain.edits)
    assert plain.media_duration == made.tables.media_duration
    check_decodable(plain)
    check_places_in_the_clip(made, plain)
    check_pieces(made, plain, [*before, *overlapped])
    check_times(span, made, made_runs, expected)


def check_decodable(plain: PlainMp4) -> None:
    """A decoder may start at each listed sync, and the first sample of each edit's stretch is one."""
    listed = [index for index, sample in enumerate(plain.samples) if sample.sync]
    assert listed[0] == 0
    for index in listed:
        assert all(later.pts > plain.samples[index].pts for later in plain.samples[index + 1 :])
    for (_, media_time), (_, following) in pairwise(plain.edits):
        assert media_time < following
    dts = [sample.dts for sample in plain.samples]
    assert dts == sorted(dts)


def check_pieces(made: Cut, plain: PlainMp4, segments: list[tuple[SegmentRef, SegmentHeader]]) -> None:
    """Each piece names exactly the bytes of its samples, in originals taken in order."""
    headers = {ref.key: header for ref, header in segments}
    samples = iter(plain.samples)
    at = plain.mdat[0]
    for piece in made.pieces:
        header = headers[piece.ref.key]
        offsets = [header.header_bytes]
        for size in header.samples.sizes:
            offsets.append(offsets[-1] + size)
        first = offsets.index(piece.original_offset)
        last = offsets.index(piece.original_offset + piece.length)
        for size in header.samples.sizes[first:last]:
            sample = next(samples)
            assert (sample.offset, sample.size) == (at, size)
            at += size
        assert last - first == piece.frames + piece.hidden_frames
    assert next(samples, None) is None
    assert at == plain.mdat[1]


def check_places_in_the_clip(made: Cut, plain: PlainMp4) -> None:
    """``at_us`` is where a player that follows the edit list shows the piece's first visible frame."""
    shown_at = {}
    before = 0
    for duration, media_time in plain.edits:
        for number, sample in enumerate(plain.samples):
            if media_time <= sample.pts < media_time + duration:
                assert number not in shown_at
                shown_at[number] = before + sample.pts - media_time
        before += duration
    at = 0
    for piece in made.pieces:
        numbers = range(at, at + piece.frames + piece.hidden_frames)
        at = numbers.stop
        inside = [shown_at[number] for number in numbers if number in shown_at]
        assert len(inside) == piece.frames
        if inside:
            assert piece.at_us == min(inside) * SECOND // TIMESCALE


def check_times(span: Timespan, made: Cut, made_runs: list[MadeRun], expected: list[int]) -> None:
    walls = {
        frame.number: frame.wall
        for one in made_runs
        for frame in frames_of(one.refs, one.headers, number=one.first_number)
    }
    assert made.shown_from == walls[expected[0]] // 1
    assert span.start <= made.shown_from < made.shown_to <= span.end
    presented = sum(edit.duration for edit in made.edits) * SECOND // TIMESCALE
    at = 0
    for piece in made.pieces:
        if piece.frames:
            assert span.start <= piece.span.start < piece.span.end <= span.end
            assert at <= piece.at_us < presented
            at = piece.at_us
    assert made.preroll >= 0
    assert (made.preroll > 0) or all(piece.frames for piece in made.pieces[:1])
    assert made.tail >= 0


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_presents_exactly_the_frames_of_the_span(data: st.DataObject) -> None:
    first = make_run(**data.draw(runs))
    wait = data.draw(st.integers(0, 3 * SECOND))
    second = make_run(**data.draw(runs), start=first.end + wait, run=OTHER_RUN, first_number=5000)
    walls = [frame.wall for one in (first, second) for frame in frames_of(one.refs, one.headers)]
    edges = sorted({int(wall) + nudge for wall in walls for nudge in (-1, 0, 1)})
    inside = st.one_of(st.sampled_from(edges), st.integers(edges[0], edges[-1]))
    low, high = sorted((data.draw(inside), data.draw(inside)))
    check(Timespan(low, high + 1), [first, second])


def closed(count: int = 3, between: int = 2) -> MadeRun:
    """``count`` segments of two closed GOPs; the sync of a GOP is shown first."""
    gop = [(0, 0), (between, 0), (between, 0)]
    return make_run([[gop, gop]] * count, interval=6000, shift=6000 * between, ppm=0, tfdt=0)


def opened(count: int = 3) -> MadeRun:
    """``count`` segments of two open GOPs with two leading pictures each, also at the beginning."""
    gop = [(2, 0), (2, 0)]
    return make_run([[gop, gop]] * count, interval=6000, shift=12_000, ppm=0, tfdt=0)


def test_leading_pictures_at_the_start_of_a_segment_need_the_segment_before() -> None:
    run = opened()
    span = Timespan(run.refs[1].span.start, run.refs[1].span.end)
    check(span, [run])
    alone = cut(span, run.segments[1:2])
    assert alone.undecodable == [Timespan(span.start, span.start + 2 * 6000 * 100 // 9)]
    assert [sample.size for sample in read_back(alone).presented()] == run.shown_in(span)[2:]


def test_a_run_that_begins_with_leading_pictures_says_what_cannot_be_decoded() -> None:
    run = opened()
    made = cut(Timespan(T0, run.end), run.segments)
    assert made.undecodable == [Timespan(T0, T0 + 2 * 6000 * 100 // 9)]
    assert made.shown_from == T0 + 2 * 6000 * 100 // 9


def test_a_missing_segment_inside_a_run_starts_a_new_stretch() -> None:
    run = closed(4)
    made = cut(Timespan(T0, run.end), [*run.segments[:1], *run.segments[2:]])
    assert [join.ref for join in made.joins] == [run.refs[2]]
    whole = run.shown_in(Timespan(T0, run.end))
    each = len(run.headers[0].samples)
    assert [sample.size for sample in read_back(made).presented()] == whole[:each] + whole[2 * each :]


def test_other_parameters_get_a_sample_entry_of_their_own() -> None:
    first, second = closed(1), closed(1)
    other = first.headers[0].sample_entry.replace(b"\x42\0\x1e", b"\x42\0\x1f")
    header = second.headers[0]
    changed = made_header(
        0,
        header.samples.durations,
        header.samples.sizes,
        header.samples.offsets,
        header.samples.sync,
        entry=other,
    )
    start = first.end + SECOND
    ref = made_ref(
        changed,
        Timespan(start, start + first.refs[0].span.duration),
        first.refs[0].media_duration,
        run=OTHER_RUN,
    )
    plain = read_back(cut(Timespan(T0, ref.span.end), [*first.segments, (ref, changed)]))
    assert plain.entries == [b"avc1", b"avc1"]
    assert [sample.entry for sample in plain.samples] == [1] * len(header.samples) + [2] * len(header.samples)


def test_only_syncs_without_leading_pictures_are_listed() -> None:
    run = opened()
    made = cut(Timespan(T0 + 3 * 6000 * 100 // 9, run.end), run.segments)
    assert [index for index, sample in enumerate(read_back(made).samples) if sample.sync] == [0]


def test_constant_frames_cost_four_bytes_each() -> None:
    run = make_run([[[(0, 0)] * 60]] * 50, interval=6000, shift=0, ppm=0, tfdt=0)
    made = cut(Timespan(T0, run.end), run.segments)
    assert len(made.tables.durations) == 2
    assert len(made.tables.offsets) == 2
    head, length = clip_head(made.tables, made.edits, T0)
    assert not any(b"ctts" in part for part in map(bytes, head))
    assert length < 4 * 3000 + 50 * 12 + 1200


@pytest.mark.parametrize("shift", [0, 12_000])
def test_offsets_are_signed_only_where_they_must_be(shift: int) -> None:
    gop = [(0, 0), (2, 0)]
    run = make_run([[gop]], interval=6000, shift=shift, ppm=0, tfdt=0)
    made = cut(Timespan(T0, run.end), run.segments)
    assert made.tables.signed is (shift == 0)


def test_nothing_is_hidden_where_the_edges_fall_on_syncs() -> None:
    run = make_run([[[(0, 0)] * 30] * 2] * 3, interval=6000, shift=0, ppm=0, tfdt=0)
    instants = [int(frame.wall) + 1 for frame in frames_of(run.refs, run.headers)]
    made = cut(Timespan(instants[30], instants[90]), run.segments)
    assert (made.frames, made.hidden_frames, made.preroll, made.tail) == (60, 1, 6000, 0)
    made = cut(Timespan(instants[30] - 1, instants[90] - 1), run.segments)
    assert (made.frames, made.hidden_frames, made.preroll, made.tail) == (60, 0, 0, 0)


def test_preroll_and_tail_are_no_longer_than_they_must_be() -> None:
    run = closed()
    frames = [int(frame.wall) for frame in frames_of(run.refs, run.headers)]
    # presentation is I, B B P, B B P; the second frame asked for is the first B of a mini-GOP
    made = cut(Timespan(frames[8], frames[16]), run.segments)
    assert made.preroll == 6000
    # the last frame shown is the first B of a mini-GOP, which needs the P shown two frames later
    assert (made.tail, made.hidden_frames) == (2 * 6000, 1 + 1)


def test_runs_share_an_edit_unless_something_is_hidden_between_them() -> None:
    first = closed(1)
    later = make_run(
        [[[(0, 0), (2, 0)]]], 6000, 18_000, 0, 0, start=first.end + SECOND, run=OTHER_RUN, first_number=5000
    )
    whole = cut(Timespan(T0, later.end), [*first.segments, *later.segments])
    assert len(whole.edits) == 1
    # the later run delays its pictures by one frame more, for which the frame before stays on
    frames = len(first.shown_in(Timespan(T0, first.end))) + len(later.shown_in(Timespan(T0, later.end)))
    assert whole.edits[0].duration == (frames + 1) * 6000
    overlapping = make_run(
        [[[(0, 0), (2, 0)]]], 6000, 18_000, 0, 0, start=T0 + 5, run=OTHER_RUN, first_number=5000
    )
    apart = cut(Timespan(T0 + 6, T0 + SECOND), [*first.segments, *overlapping.segments])
    assert len(apart.edits) == 2
