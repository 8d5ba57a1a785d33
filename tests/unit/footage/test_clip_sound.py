"""The sound of exact clips, against the definition: what was recorded with a frame is heard with it."""

from dataclasses import replace
from fractions import Fraction
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.clock import ManualClock
from archive.footage.clip.cut import Cut, cut
from archive.footage.clip.exact import NotJoinable, clip_etag, plan_clip
from archive.footage.clip.tables import clip_head
from archive.model.segment import TIMESCALE, SegmentRef
from archive.objects.filesystem import FilesystemStore
from archive.ports import Content
from archive.timespan import SECOND, Timespan
from tests.support import fragmented
from tests.support.made_sound import Footage, Heard, heard_in, init_of, with_sound, written
from tests.support.plain_mp4 import PlainMp4, PlainSound, read_plain_mp4
from tests.support.recordings import (
    OTHER_RUN,
    RUN,
    T0,
    frames_of,
    made_ref,
    made_track,
    reading_of,
    store_made,
)
from tests.unit.footage.test_clip_cut import make_run, runs

sounds = st.fixed_dictionaries(
    {
        "lasts": st.sampled_from([(1024,), (1024, 960), (200,)]),
        "late": st.integers(-3000, 3000),
        "holes": st.lists(st.integers(1, 3), max_size=2),
        "silent": st.lists(st.integers(0, 3), max_size=2),
        "stated": st.integers(0, 1),
    }
)
CLOSED = [[(0, 0), (0, 0), (0, 0), (0, 0), (0, 0)]]
"""A GOP of five frames."""


def read_back(made: Cut) -> PlainMp4:
    head, length = clip_head(made.tables, made.edits, T0, made.sound)
    data = b"".join(head)
    assert len(data) == length
    return read_plain_mp4(data, length + sum(piece.length for piece in made.pieces))


def heard_at(sound: PlainSound) -> dict[int, Fraction]:
    """When each heard sample begins in the clip (s; it may begin before its edit), by its index."""
    found: dict[int, Fraction] = {}
    at = Fraction(0)
    for duration, media_time in sound.edits:
        end = media_time + Fraction(duration * sound.timescale, TIMESCALE)
        for index, (sample, lasts) in enumerate(zip(sound.samples, sound.durations, strict=True)):
            if media_time >= 0 and sample.pts < end and sample.pts + lasts > media_time:
                assert index not in found, "heard once"
                found[index] = at + Fraction(sample.pts - media_time, sound.timescale)
        at += Fraction(duration, TIMESCALE)
    return found


def places_of_runs(plain: PlainMp4, footage: Footage) -> dict[str, tuple[Fraction, int, int]]:
    """For each run: clip time − run time (s), and the first and last presentation time shown."""
    of = {
        size: (ref.run, pts)
        for ref, header in footage
        for size, pts in zip(header.samples.sizes, header.presentation_times, strict=True)
    }
    found: dict[str, tuple[Fraction, int, int]] = {}
    before = 0
    for duration, media_time in plain.edits:
        for sample in sorted(plain.samples, key=lambda one: one.pts):
            if media_time <= sample.pts < media_time + duration:
                run, pts = of[sample.size]
                place = Fraction(before + sample.pts - media_time - pts, TIMESCALE)
                first = found[run][1] if run in found else pts
                assert run not in found or found[run][0] == place
                found[run] = (place, first, pts)
        before += duration
    return found


def check_sound(span: Timespan, footage: Footage) -> None:
    made = cut(span, footage)
    if made.shown_from is None:
        return
    plain = read_back(made)
    without = cut(span, [(ref, replace(header, sound=None)) for ref, header in footage])
    assert [(one.size, one.pts, one.sync) for one in plain.samples] == [
        (one.size, one.pts, one.sync) for one in read_back(without).samples
    ], "sound changes nothing about the pictures"
    assert plain.edits == [(one.duration, one.media_time) for one in without.edits]
    check_bytes(made, plain, footage)
    if plain.sound is None:
        assert made.sound_codec is None
        return
    assert sum(duration for duration, _ in plain.sound.edits) <= plain.movie_duration
    check_lips(made, plain, plain.sound, footage)


def check_lips(made: Cut, plain: PlainMp4, sound: PlainSound, footage: Footage) -> None:
    recorded = {one.number: one for one in heard_in(footage)}
    places = places_of_runs(plain, footage)
    heard = heard_at(sound)
    for index, at in heard.items():
        one = recorded[sound.samples[index].size]
        place, _, _ = places[one.ref.run]
        off = at - Fraction(one.start, one.timescale) - place
        assert abs(off) <= Fraction(1, one.timescale) + Fraction(1, TIMESCALE)
    numbers = {sound.samples[index].size for index in heard}
    for one in recorded.values():
        if one.ref in {piece.ref for piece in made.pieces if piece.frames} and overlaps(one, places):
            assert one.number in numbers, "nothing that was recorded while a frame is shown is left out"
    for index in heard:
        one = recorded[sound.samples[index].size]
        is_first = not any(
            other.number == one.number - 1 and other.ref == one.ref for other in recorded.values()
        )
        if index - 1 not in heard and not is_first:
            assert sound.samples[index - 1].size == one.number - 1, "what the decoder begins with"


def overlaps(one: Heard, places: dict[str, tuple[Fraction, int, int]]) -> bool:
    if one.ref.run not in places:
        return False
    _, first, last = places[one.ref.run]
    return one.start * TIMESCALE <= last * one.timescale and one.end * TIMESCALE > first * one.timescale


def check_bytes(made: Cut, plain: PlainMp4, footage: Footage) -> None:
    """Each piece of sound stands behind its segment's pictures, and its samples are the original's bytes."""
    headers = {ref.key: header for ref, header in footage}
    samples = iter(plain.sound.samples if plain.sound is not None else ())
    at = plain.mdat[0]
    before: SegmentRef | None = None
    for piece in made.pieces:
        sound = headers[piece.ref.key].sound
        if piece.track == "sound":
            assert before == piece.ref
            assert sound is not None
            edges = list(accumulate(sound.sizes, initial=sound.start))
            low, high = edges.index(piece.original_offset), edges.index(piece.original_offset + piece.length)
            place = at
            for size in sound.sizes[low:high]:
                sample = next(samples)
                assert (sample.offset, sample.size) == (place, size)
                place += size
            assert (piece.frames, piece.hidden_frames) == (0, 0)
        before = piece.ref
        at += piece.length
    assert next(samples, None) is None
    assert at == plain.mdat[1]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_sound_is_heard_while_its_pictures_are_shown(data: st.DataObject) -> None:
    """Any GOPs, variable frame rates, drift, holes, segments without sound, two runs, any span."""
    first = make_run(**data.draw(runs))
    wait = data.draw(st.integers(0, 3 * SECOND))
    second = make_run(**data.draw(runs), start=first.end + wait, run=OTHER_RUN, first_number=50_000)
    footage = with_sound(first.segments, **data.draw(sounds))
    footage += with_sound(second.segments, first=20_000, **data.draw(sounds))
    walls = [frame.wall for one in (first, second) for frame in frames_of(one.refs, one.headers)]
    edges = sorted({int(wall) + nudge for wall in walls for nudge in (-1, 0, 1)})
    low, high = sorted((data.draw(st.sampled_from(edges)), data.draw(st.sampled_from(edges))))
    check_sound(Timespan(low, high + 1), footage)


def test_where_a_stretch_has_no_sound_the_track_waits() -> None:
    first = make_run([CLOSED] * 2, 6000, 0, 0, 0)
    second = make_run([CLOSED] * 2, 6000, 0, 0, 0, start=first.end + SECOND, run=OTHER_RUN, first_number=5000)
    silent = (0, 1)
    made = cut(
        Timespan(T0, second.end), [*with_sound(first.segments, silent=silent), *with_sound(second.segments)]
    )
    assert read_back(made).sound is not None
    assert [(one.duration, one.media_time) for one in made.sound.edits] == [(10 * 6000, -1), (10 * 6000, 0)]
    assert made.sound.hidden_us <= 128_000


def test_sound_that_begins_later_begins_later_in_the_clip() -> None:
    run = make_run([CLOSED] * 3, 6000, 0, 0, 0)
    made = cut(Timespan(T0, run.end), with_sound(run.segments, late=800))
    assert (made.sound.edits[0].duration, made.sound.edits[0].media_time) == (9000, -1)


def test_a_sample_that_lasts_longer_than_any_codecs_does_not_sound_at_its_end() -> None:
    """The camera sent nothing for a while: a player would skip as much of the sound that follows."""
    run = make_run([CLOSED * 30], 6000, 0, 0, 0)
    made = cut(Timespan(T0 + 3_500_000, run.end), with_sound(run.segments, lasts=(8000,)))
    # The first frame is shown at 3 8/15 s, in the sample from 3 s, which sounds for 0.25 s; the next is at 4.
    silent, heard = [(one.duration, one.media_time) for one in made.sound.edits]
    assert silent == (42_000, -1)
    assert heard == (9_250 * 90 - 360_000, 16_000)


def test_sound_of_another_timeline_is_left_out() -> None:
    run = make_run([CLOSED], 6000, 0, 0, 0)
    ((ref, header),) = with_sound(run.segments)
    assert header.sound is not None
    footage = [(ref, replace(header, sound=replace(header.sound, tfdt=61 * 8000)))]
    made = cut(Timespan(T0, run.end), footage)
    assert not made.sound.sizes
    assert made.frames == 5


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> FilesystemStore:
    return FilesystemStore(tmp_path_factory.mktemp("footage"), ManualClock(T0))


def stored(store: FilesystemStore, footage: Footage) -> list[SegmentRef]:
    """Store the segments: pictures of one NAL unit each, and sound that differs from place to place."""
    refs = []
    for ref, header in footage:
        head = written(made_track(), header)
        samples = zip(header.samples.sizes, header.samples.sync, strict=True)
        body = b"".join(
            (size - 4).to_bytes(4) + (b"\x65" if sync else b"\x41") + bytes(size - 5)
            for size, sync in samples
        )
        heard = 0 if header.sound is None else sum(header.sound.sizes)
        content = Content.of_bytes(head + body + bytes((index * 7 + ref.seq) % 251 for index in range(heard)))
        init = init_of(made_track(), header)
        like = replace(header, init=init, header_bytes=len(head))
        made = made_ref(like, ref.span, ref.media_duration, seq=ref.seq, run=ref.run)
        made = replace(made, sha256=content.sha256, size=content.size)
        refs.append(replace(made, version=store.put(made.key, content).version))
    return refs


def long_run(run: str = RUN, start: int = T0, first_number: int = 600) -> Footage:
    made = make_run([CLOSED] * 6, 6000, 0, 0, 0, start=start, run=run, first_number=first_number)
    return made.segments


def test_it_is_of_layout_2_and_any_range_is_the_slice(store: FilesystemStore) -> None:
    refs = stored(store, with_sound(long_run()))
    reading = reading_of(refs, Timespan(T0 + 400_000, T0 + 1_700_000))
    clip = plan_clip(reading, store)
    whole = b"".join(clip.stream())
    assert (clip.layout, clip.sound, clip.size) == (2, "mp4a.40.2", len(whole))
    assert clip.etag == clip_etag(reading, (), 2) != clip_etag(reading, ())
    for start in range(0, len(whole), 397):
        for length in (1, 777, 5000):
            end = min(len(whole), start + length)
            assert b"".join(clip.stream(start, end - start)) == whole[start:end]
    for piece, said in zip(clip.pieces, clip.outline()["pieces"], strict=True):
        data = store.get(piece.ref.key, version=piece.ref.version)
        at = said["clip_offset"]
        assert whole[at : at + piece.length] == data[piece.original_offset :][: piece.length]
        assert said["track"] == piece.track
    assert {piece.track for piece in clip.pieces} == {"pictures", "sound"}


def test_a_segment_within_the_clip_stays_one_read(store: FilesystemStore) -> None:
    refs = stored(store, with_sound(long_run("6b05180000000011")))
    clip = plan_clip(reading_of(refs, Timespan(T0 + 400_000, T0 + 1_700_000)), store)
    ranges = list(clip._ranges(clip.head_size, clip.size))
    inner = [one for one in ranges if one.ref not in (clip.pieces[0].ref, clip.pieces[-1].ref)]
    assert len(inner) == len({one.ref.key for one in inner}) == 3
    assert all(one.length == one.ref.size - one.ref.header_bytes for one in inner)


def test_footage_counts_once_whether_seen_heard_or_both(store: FilesystemStore) -> None:
    refs = stored(store, with_sound(long_run("6b05180000000012")))
    clip = plan_clip(reading_of(refs, Timespan(T0, T0 + 2 * SECOND)), store)
    assert abs(clip.footage_us(0, clip.size) - 2 * SECOND) < 200_000
    at = [piece.length for piece in clip.pieces]
    number = next(index for index, piece in enumerate(clip.pieces) if piece.track == "sound")
    start = clip.head_size + sum(at[:number])
    assert clip.footage_us(start, at[number]) == clip.pieces[number].span.duration > 0


def test_without_sound_it_is_of_layout_1_as_ever(store: FilesystemStore) -> None:
    refs = store_made(store, run="6b05180000000013")
    reading = reading_of(refs, Timespan(T0 + 3 * SECOND + 1, T0 + 21 * SECOND + 500_000))
    clip = plan_clip(reading, store)
    assert (clip.layout, clip.sound, clip.hidden_sound_us) == (1, None, 0)
    assert clip.etag == clip_etag(reading)


def test_a_clip_over_sound_for_two_decoders_is_refused_with_its_parts(store: FilesystemStore) -> None:
    first = with_sound(long_run("6b05180000000014"))
    later = T0 + 5 * SECOND
    second = with_sound(long_run("6b05180000000015", later, 9000), timescale=16_000)
    refs = stored(store, [*first, *second])
    span = Timespan(T0, later + 2 * SECOND)
    with pytest.raises(NotJoinable) as caught:
        plan_clip(reading_of(refs, span), store)
    assert caught.value.code == "clip_not_joinable"
    assert [one.start for one in caught.value.spans] == [T0, later]
    for part in caught.value.spans:
        assert plan_clip(reading_of(refs, part), store).layout == 2


def test_runs_that_state_other_bit_rates_are_one_clip(store: FilesystemStore) -> None:
    later = T0 + 5 * SECOND
    refs = stored(
        store,
        [
            *with_sound(long_run("6b05180000000016")),
            *with_sound(long_run("6b05180000000017", later, 9000), stated=1),
        ],
    )
    clip = plan_clip(reading_of(refs, Timespan(T0, later + 2 * SECOND)), store)
    data = b"".join(clip.stream())
    sound = read_plain_mp4(data, len(data)).sound
    assert sound is not None
    assert sound.entries == [b"mp4a", b"mp4a"]
    assert {one.entry for one in sound.samples} == {1, 2}
    assert fragmented.sound_entry() in data
