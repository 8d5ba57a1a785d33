"""Layout 2 of clips, written twice: of footage with sound both must make the same."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.evidence.verifier.clip_cut import Cut, Segment
from archive.evidence.verifier.clip_head import make_head, where_differs
from archive.evidence.verifier.clip_sound import SoundCut
from archive.evidence.verifier.mp4 import BadMp4
from archive.evidence.verifier.original import read_header
from archive.footage.clip import cut as archives
from archive.footage.clip.tables import clip_head
from archive.footage.mp4.header import parse_header
from archive.timespan import SECOND, Timespan
from tests.support.made_sound import Footage, with_sound
from tests.support.made_sound import written as written_with_sound
from tests.support.recordings import OTHER_RUN, T0, frames_of, made_track
from tests.unit.evidence.test_verifier_layout_1 import taken
from tests.unit.footage.test_clip_cut import make_run, runs
from tests.unit.footage.test_clip_sound import CLOSED, sounds


def heads_of(footage: Footage) -> list[bytes]:
    return [written_with_sound(made_track(), header) for _, header in footage]


def segments_of(footage: Footage) -> list[Segment]:
    return taken(footage, heads_of(footage))


def check(span: Timespan, footage: Footage) -> Cut:
    """Compare every fact of the two cuts, and the two headers byte for byte."""
    read = [(ref, parse_header(head)) for (ref, _), head in zip(footage, heads_of(footage), strict=True)]
    theirs = archives.cut(span, read)
    mine = Cut(sound=SoundCut())
    mine.add(segments_of(footage), span.start, span.end)
    assert mine.start == theirs.shown_from
    if theirs.shown_from is None:
        return mine
    assert [
        (one.original, one.original_offset, one.length, one.start, one.end, one.frames, one.track)
        for one in mine.pieces
    ] == [
        (
            one.ref.key, one.original_offset, one.length, one.span.start, one.span.end, one.frames, one.track,
        )
        for one in theirs.pieces
    ]  # fmt: skip
    assert mine.sound is not None
    assert mine.sound.hidden_us == theirs.sound.hidden_us
    parts, length = clip_head(theirs.tables, theirs.edits, theirs.shown_from, theirs.sound)
    expected, found = b"".join(parts), make_head(mine)
    assert len(expected) == length
    assert found == expected, where_differs(expected, found)
    return mine


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_both_make_the_same_of_any_sound(data: st.DataObject) -> None:
    """Sound that begins late, has holes, is absent in places, or stands on another timeline; two runs."""
    first = make_run(**data.draw(runs))
    wait = data.draw(st.integers(0, 3 * SECOND))
    second = make_run(**data.draw(runs), start=first.end + wait, run=OTHER_RUN, first_number=5000)
    footage = with_sound(first.segments, **data.draw(sounds))
    footage += with_sound(second.segments, first=900, **data.draw(sounds))
    moved = data.draw(st.lists(st.integers(-9000, 600_000), max_size=len(footage)))
    for index, by in enumerate(moved):
        ref, header = footage[index]
        if header.sound is not None:
            at = max(0, header.sound.tfdt + by)
            footage[index] = ref, replace(header, sound=replace(header.sound, tfdt=at))
    kept = data.draw(st.lists(st.booleans(), min_size=len(footage), max_size=len(footage)))
    footage = [one for one, is_kept in zip(footage, kept, strict=True) if is_kept] or footage
    walls = [frame.wall for one in (first, second) for frame in frames_of(one.refs, one.headers)]
    edges = sorted({int(wall) + nudge for wall in walls for nudge in (-1, 0, 1)})
    low, high = sorted((data.draw(st.sampled_from(edges)), data.draw(st.sampled_from(edges))))
    check(Timespan(low, high + 1), footage)


def test_of_footage_without_sound_layout_2_makes_what_layout_1_makes() -> None:
    run = make_run([CLOSED] * 3, 6000, 0, 0, 0)
    span = Timespan(T0 + 100_000, run.end - 100_000)
    one, two = Cut(), Cut(sound=SoundCut())
    for made in (one, two):
        made.add(segments_of(run.segments), span.start, span.end)
    assert make_head(one) == make_head(two)
    assert one.pieces == two.pieces


def test_layout_1_refuses_originals_with_sound() -> None:
    """Else a package that names layout 1 could leave the sound out of a clip unseen."""
    run = make_run([CLOSED] * 2, 6000, 0, 0, 0)
    with pytest.raises(BadMp4, match="layout 1"):
        Cut().add(segments_of(with_sound(run.segments)), T0, run.end)


def test_originals_whose_sound_has_several_rates_make_no_clip() -> None:
    run = make_run([CLOSED] * 2, 6000, 0, 0, 0)
    fast = with_sound(run.segments, timescale=16_000)
    footage = [with_sound(run.segments)[0], fast[1]]
    with pytest.raises(BadMp4, match="several rates"):
        Cut(sound=SoundCut()).add(segments_of(footage), T0, run.end)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"soun", b"text"),
        (b"mp4a", b"twos"),
        (b"tfhd\0\2\0\x08\0\0\0\2", b"tfhd\0\2\0\x0a\0\0\0\2"),
        (b"trun\0\0\2\1", b"trun\0\0\6\1"),
        (b"smhd", b"trak"),
    ],
)
def test_sound_in_another_form_is_not_an_original(old: bytes, new: bytes) -> None:
    run = make_run([CLOSED], 6000, 0, 0, 0)
    (head,) = heads_of(with_sound(run.segments))
    assert read_header(head).sound is not None
    assert head.count(old) == 1
    if new == b"trak":
        assert read_header(head.replace(old, new)).sound is not None, "only what matters is read"
        return
    with pytest.raises(BadMp4):
        read_header(head.replace(old, new))


def test_sound_that_does_not_stand_behind_its_pictures_is_refused() -> None:
    run = make_run([CLOSED], 6000, 0, 0, 0)
    (head,) = heads_of(with_sound(run.segments))
    at = head.rindex(b"trun") + 12
    moved = head[:at] + (int.from_bytes(head[at : at + 4], "big") + 1).to_bytes(4, "big") + head[at + 4 :]
    with pytest.raises(BadMp4, match="behind the pictures"):
        read_header(moved)
    for cut_off in range(len(head) - 120, len(head) - 16):
        with pytest.raises(BadMp4):
            read_header(head[:cut_off])
