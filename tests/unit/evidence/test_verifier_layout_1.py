"""Layout 1 of clips, written twice: the verifier's own must make what the archive makes, of any footage."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.canonical import JsonObject
from archive.evidence.verifier.clip_cut import Cut, Segment
from archive.evidence.verifier.clip_head import make_head, where_differs
from archive.evidence.verifier.original import read_header, shown_entry
from archive.footage.clip import cut as archives
from archive.footage.clip import entries
from archive.footage.clip.tables import clip_head
from archive.footage.mp4.header import SegmentHeader, parse_header, write_header
from archive.footage.mp4.track import Track
from archive.model.segment import SegmentRef
from archive.timespan import SECOND, Timespan, format_instant
from tests.support.recordings import OTHER_RUN, frames_of, hevc_entry, made_track
from tests.unit.footage.test_clip_cut import MadeRun, make_run, runs

Footage = list[tuple[SegmentRef, SegmentHeader]]

ENTRIES = (
    made_track().sample_entry,
    made_track().sample_entry.replace(b"\x42\0\x1e", b"\x42\0\x1f"),
    hevc_entry(32, 33, 34),
    hevc_entry(32, 33),
    entries.shown_entry(hevc_entry(32, 33, 34)),
)
SHAPES = tuple(
    made_track().shape[:-8] + (width << 16).to_bytes(4) + (192 << 16).to_bytes(4) for width in (320, 640)
)


def written(header: SegmentHeader, entry: bytes, shape: bytes) -> bytes:
    """The header as the bytes that a recorder writes."""
    track: Track = replace(made_track(entry), codec="hevc" if entry[4:5] == b"h" else "h264", shape=shape)
    return write_header(track, header.tfdt, header.samples)


def taken(footage: Footage, heads: list[bytes]) -> list[Segment]:
    """The same footage as the verifier reads it: headers from bytes, the rest from leaves."""
    found = []
    for (ref, _), head in zip(footage, heads, strict=True):
        leaf: JsonObject = {
            "run": ref.run,
            "seq": ref.seq,
            "start": format_instant(ref.span.start),
            "end": format_instant(ref.span.end),
            "media_duration": ref.media_duration,
        }
        found.append(Segment(ref.key, read_header(head), leaf))
    return found


def check(span: Timespan, footage: Footage, heads: list[bytes]) -> Cut:
    """Compare every fact of the two cuts, and the two headers byte for byte."""
    read = [(ref, parse_header(head)) for (ref, _), head in zip(footage, heads, strict=True)]
    theirs = archives.cut(span, read)
    mine = Cut()
    mine.add(taken(footage, heads), span.start, span.end)
    assert mine.start == theirs.shown_from
    assert mine.undecodable == [(one.start, one.end) for one in theirs.undecodable]
    if theirs.shown_from is None:
        return mine
    assert [
        (one.original, one.original_offset, one.length, one.start, one.end, one.frames) for one in mine.pieces
    ] == [
        (one.ref.key, one.original_offset, one.length, one.span.start, one.span.end, one.frames)
        for one in theirs.pieces
    ]
    assert (mine.frames, mine.hidden, mine.preroll, mine.tail, mine.end) == (
        theirs.frames,
        theirs.hidden_frames,
        theirs.preroll,
        theirs.tail,
        theirs.shown_to,
    )
    parts, length = clip_head(theirs.tables, theirs.edits, theirs.shown_from)
    expected, found = b"".join(parts), make_head(mine)
    assert len(expected) == length
    assert found == expected, where_differs(expected, found)
    return mine


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_both_make_the_same_of_any_footage(data: st.DataObject) -> None:
    """B frames, open and closed GOPs, variable frame rates, drift, several runs, changes of parameters."""
    first = make_run(**data.draw(runs))
    wait = data.draw(st.integers(0, 3 * SECOND))
    second = make_run(**data.draw(runs), start=first.end + wait, run=OTHER_RUN, first_number=5000)
    footage = [*first.segments, *second.segments]
    kept = data.draw(st.lists(st.booleans(), min_size=len(footage), max_size=len(footage)))
    footage = [one for one, is_kept in zip(footage, kept, strict=True) if is_kept] or footage
    looks = [data.draw(st.tuples(st.sampled_from(ENTRIES), st.sampled_from(SHAPES))) for _ in range(2)]
    heads = [written(header, *looks[ref.run == OTHER_RUN]) for ref, header in footage]
    walls = [frame.wall for one in (first, second) for frame in frames_of(one.refs, one.headers)]
    edges = sorted({int(wall) + nudge for wall in walls for nudge in (-1, 0, 1)})
    inside = st.one_of(st.sampled_from(edges), st.integers(edges[0], edges[-1]))
    low, high = sorted((data.draw(inside), data.draw(inside)))
    check(Timespan(low, high + 1), footage, heads)


def test_a_run_that_continues_with_other_parameters_begins_a_stretch() -> None:
    run = make_run([[[(0, 0), (2, 0)]]] * 3, 6000, 18_000, 0, 0)
    heads = [written(header, ENTRIES[ref.seq == 1], SHAPES[ref.seq == 1]) for ref, header in run.segments]
    made = check(Timespan(run.refs[0].span.start, run.end), run.segments, heads)
    assert made.entries == list(ENTRIES[:2])
    assert [entry for _, entry in made.chunks] == [1, 2, 1]


def first_frames(run: MadeRun, count: int) -> list[int]:
    return [int(frame.wall) for frame in frames_of(run.refs, run.headers)][:count]


@pytest.mark.parametrize("between", [0, 2])
def test_hidden_footage_before_and_after(between: int) -> None:
    run = make_run([[[(0, 0), (between, 0), (between, 0)]] * 2] * 2, 6000, 12_000, 0, 0)
    frames = first_frames(run, 6)
    made = check(
        Timespan(frames[3] + 1, frames[4] + 1),
        run.segments,
        [written(h, ENTRIES[0], SHAPES[0]) for _, h in run.segments],
    )
    assert made.preroll > 0
    assert (made.tail > 0) is (between > 0)


@pytest.mark.parametrize(
    "kinds", [(32, 33, 34), (32, 33), (), (32, 33, 34, 39), (39,), (34, 33, 32, 32)], ids=str
)
def test_sample_entries_of_h265_are_relabelled_alike(kinds: tuple[int, ...]) -> None:
    entry = hevc_entry(*kinds)
    for made in (entry, entry[:-3], entry[:-1] + b"\xff", entry[: 8 + 78 + 8 + 22] + b"\xff" + entry[117:]):
        fixed = len(made).to_bytes(4) + made[4:86] + (len(made) - 86).to_bytes(4) + made[90:]
        assert shown_entry(fixed) == entries.shown_entry(fixed)


def test_the_box_of_a_difference_is_named() -> None:
    run = make_run([[[(0, 0), (2, 0)]]], 6000, 18_000, 0, 0)
    made = Cut()
    made.add(
        taken(run.segments, [written(run.headers[0], ENTRIES[0], SHAPES[0])]), run.refs[0].span.start, run.end
    )
    head = make_head(made)
    for kind, path in (
        (b"ftyp", "ftyp"),
        (b"elst", "moov.trak.edts.elst"),
        (b"stsz", "moov.trak.mdia.minf.stbl.stsz"),
        (b"mdat", "mdat"),
    ):
        other = bytearray(head)
        at = head.index(kind) + 6
        other[at] ^= 1
        assert where_differs(bytes(other), head) == f"byte {at}, in {path}"
    assert where_differs(head + b"x", head).startswith(f"byte {len(head)}")
