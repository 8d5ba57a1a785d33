"""What a clip shows follows from its originals: an insider who seals another clip is found out."""

import re
import struct
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest

from archive import canonical
from archive.evidence import paths
from archive.evidence.verifier import rebuilt
from archive.evidence.verifier.findings import OPEN
from archive.footage.clip.cut import cut
from archive.footage.clip.tables import clip_head
from archive.footage.mp4.header import parse_header
from archive.timespan import SECOND, Timespan, format_instant, parse_instant
from tests.support.cut_packages import (
    Parts,
    Recorded,
    checked,
    codes,
    cut_world,
    followed,
    parts_of,
    small,
    track,
)
from tests.support.packages import World, make_world
from tests.support.recordings import OTHER_RUN, T0, frames_of, hevc_entry, made_track
from tests.unit.footage.test_clip_cut import MadeRun, make_run

CLIP = "data/derivative/clip-cam-1.mp4"
OTHER_SPS = made_track().sample_entry.replace(b"\x42\0\x1e", b"\x42\0\x1f")
OPEN_GOP, CLOSED_GOP = [(2, 0), (2, 0)], [(0, 0), (2, 0), (1, 7)]
LATER = "6b05180000000003"
ABOUT_CLIPS = {"clip_header_differs", "clip_misstated", "clip_incomplete"}
Change = Callable[[dict[str, Any]], None]


def recorded(run: MadeRun, entry: bytes | None = None, width: int = 320) -> Recorded:
    segments = [(ref, small(header)) for ref, header in run.segments]
    made = track(entry, width=width)
    return Recorded(segments, made, made.codec)


def run_of(
    gop: list[tuple[int, int]], *, start: int = T0, run: str, segments: int = 2, shift: int = 12_000
) -> MadeRun:
    return make_run([[gop, gop]] * segments, 6000, shift, 120, 0, start=start, run=run)


def several_runs(folder: Path) -> World:
    """B frames; a run, a gap, one with other parameters, one with negative offsets; hidden at both ends."""
    first = run_of(CLOSED_GOP, run="6b05180000000001")
    second = run_of(CLOSED_GOP, run=OTHER_RUN, start=first.end + SECOND)
    third = run_of(CLOSED_GOP, run=LATER, start=second.end + 1, shift=0)
    frames = [int(frame.wall) for frame in frames_of(first.refs, first.headers)]
    last = [int(frame.wall) for frame in frames_of(third.refs, third.headers)]
    span = Timespan(frames[2] + 1, last[8] + 1)
    tracks = [recorded(first), recorded(second, OTHER_SPS, 640), recorded(third)]
    return cut_world(folder, tracks, span)


def open_hevc(folder: Path) -> World:
    """H.265 with leading pictures: the clip needs the segment before its span."""
    run = run_of(OPEN_GOP, run=OTHER_RUN, segments=3)
    span = Timespan(run.refs[1].span.start, run.refs[2].span.end)
    return cut_world(folder, [recorded(run, hevc_entry(32, 33, 34))], span)


def lost_beginning(folder: Path) -> World:
    """A run that begins with leading pictures, which nothing can decode; nothing is hidden."""
    run = run_of(OPEN_GOP, run=OTHER_RUN)
    return cut_world(folder, [recorded(run)], Timespan(run.refs[0].span.start, run.end))


def plain(folder: Path) -> World:
    return make_world(folder, segments=2, segment_size=120, cameras=("cam-1", "cam-2"))


MADE = {one.__name__: one for one in (several_runs, open_hevc, lost_beginning, plain)}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[World, Parts]]:
    found = {}
    for name, make in MADE.items():
        folder = tmp_path_factory.mktemp(name)
        world = make(folder / "world")
        found[name] = world, parts_of(world, folder / "case")
    return found


@pytest.fixture(params=sorted(MADE))
def whole(request: pytest.FixtureRequest, worlds: dict[str, tuple[World, Parts]]) -> Parts:
    return worlds[request.param][1]


def stated(parts: Parts) -> dict[str, Any]:
    return dict(canonical.decode(parts[paths.STATEMENT]))


def restated(parts: Parts, change: Change, clip: bytes | None = None) -> Parts:
    """The package as an insider would seal it: another statement about the clip, and another clip."""
    value = stated(parts)
    found = dict(parts)
    if clip is not None:
        found[CLIP] = clip
        value["derivatives"][0].update(sha256=sha256(clip).hexdigest(), size=len(clip))
    change(value["derivatives"][0])
    found[paths.STATEMENT] = canonical.encode(value)
    return found


def unchanged(_part: dict[str, Any]) -> None:
    return


def found_in(parts: Parts) -> set[str]:
    return codes(checked(parts))


def test_what_the_archive_cuts_is_found_in_order(whole: Parts) -> None:
    notebook = checked(whole)
    assert notebook.findings == []
    assert stated(whole)["clip_layout"] == 1


def test_the_packages_are_of_every_kind(worlds: dict[str, tuple[World, Parts]]) -> None:
    parts = {name: stated(one)["derivatives"][0] for name, (_, one) in worlds.items()}
    assert parts["several_runs"]["hidden"]["preroll_us"] > 0
    assert parts["several_runs"]["hidden"]["tail_us"] > 0
    assert len({piece["original"].split("_")[1] for piece in parts["several_runs"]["pieces"]}) == 3
    assert parts["open_hevc"]["derivation"]["codec"] == "hevc"
    assert len(parts["open_hevc"]["pieces"]) >= 3, "the segment before, too"
    assert [gap["cause"] for gap in parts["lost_beginning"]["about"]["gaps"]] == ["undecodable"]
    assert parts["lost_beginning"]["hidden"]["frames"] == 0


@pytest.mark.parametrize("name", ["plain", "several_runs"])
def test_every_byte_of_a_clips_header_counts(worlds: dict[str, tuple[World, Parts]], name: str) -> None:
    whole = worlds[name][1]
    statement = stated(whole)
    part = statement["derivatives"][0]
    needed = {CLIP, "data/proofs/leaves/cam-1.jsonl", *(piece["original"] for piece in part["pieces"])}
    parts = {path: data for path, data in whole.items() if path in needed}
    assert followed(parts, statement, CLIP) == set()
    clip = parts[CLIP]
    for at in range(0, part["pieces"][0]["clip_offset"], 1 if name == "plain" else 3):
        parts[CLIP] = clip[:at] + bytes([clip[at] ^ 1 << at % 8]) + clip[at + 1 :]
        found = followed(parts, statement, CLIP)
        assert found in ({"clip_header_differs"}, {"bad_clip"}), f"byte {at}: {found}"


def at_box(clip: bytes, kind: bytes, offset: int, form: str, *values: int) -> bytes:
    """The clip with these values at ``offset`` of the body of its first box of a kind."""
    made = bytearray(clip)
    struct.pack_into(form, made, clip.index(kind) + 4 + offset, *values)
    return bytes(made)


ROTATED = (0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
ZOOMED = (0x20000, 0, 0, 0, 0x20000, 0, 0, 0, 0x40000000)
LIES: dict[str, Callable[[bytes], bytes]] = {
    "edit list shifted": lambda clip: at_box(clip, b"elst", 16, ">q", 6000 * 7),
    "edit that shows the hidden pre-roll": lambda clip: at_box(clip, b"elst", 16, ">q", 0),
    "edit shown at another rate": lambda clip: at_box(clip, b"elst", 24, ">I", 0x8000),
    "rotated": lambda clip: at_box(clip, b"tkhd", 4 + 32 + 16, ">9i", *ROTATED),
    "zoomed": lambda clip: at_box(clip, b"tkhd", 4 + 32 + 16, ">9i", *ZOOMED),
    "movie longer": lambda clip: at_box(clip, b"mvhd", 4 + 16 + 4, ">Q", 90_000 * 3600),
    "made at another time": lambda clip: at_box(clip, b"mvhd", 4, ">Q", 3_900_000_000),
    "track at another speed": lambda clip: at_box(clip, b"mdhd", 4 + 16, ">I", 45_000),
    "frames that last longer": lambda clip: at_box(clip, b"stts", 12, ">I", 9000),
    "another order of pictures": lambda clip: at_box(clip, b"ctts", 12, ">I", 30_000),
    "a sync that is none": lambda clip: at_box(clip, b"stss", 8, ">I", 2),
    "SPS of another camera": lambda clip: at_box(clip, b"avcC", 1, ">BBB", 0x64, 0, 0x28),
    "another picture size": lambda clip: at_box(clip, b"avc1", 24, ">HH", 160, 96),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_a_header_that_shows_something_else(worlds: dict[str, tuple[World, Parts]], lie: str) -> None:
    parts = worlds["several_runs"][1]
    clip = LIES[lie](parts[CLIP])
    assert clip != parts[CLIP]
    notebook = checked(restated(parts, unchanged, clip))
    assert codes(notebook) == {"clip_header_differs"}
    assert "in moov." in notebook.findings[0].detail


def later(text: str, by: int = SECOND) -> str:
    return format_instant(parse_instant(text) + by)


def moved(part: dict[str, Any], number: int, name: str) -> None:
    part["pieces"][number][name] = later(part["pieces"][number][name])


MISSTATED: dict[str, Change] = {
    "actual begins earlier": lambda p: p["actual"].update({"from": later(p["actual"]["from"], -1)}),
    "actual ends later": lambda p: p["actual"].update(to=later(p["actual"]["to"], 1)),
    "asked from later": lambda p: p["asked"].update({"from": later(p["asked"]["from"], 70_000)}),
    "asked to earlier": lambda p: p["asked"].update(to=later(p["asked"]["to"], -70_000)),
    "no hidden pre-roll": lambda p: p["hidden"].update(preroll_us=0),
    "less hidden tail": lambda p: p["hidden"].update(tail_us=p["hidden"]["tail_us"] - 1),
    "fewer hidden frames": lambda p: p["hidden"].update(frames=p["hidden"]["frames"] - 1),
    "more frames": lambda p: p["about"].update(frames=p["about"]["frames"] + 1),
    "frames not stated": lambda p: p["about"].pop("frames"),
    "a gap is left out": lambda p: p["about"]["gaps"].pop(0),
    "a gap with another cause": lambda p: p["about"]["gaps"][0].update(cause="disabled"),
    "an invented gap": lambda p: p["about"]["gaps"].append({**p["actual"], "cause": "undecodable"}),
    "gaps not stated": lambda p: p["about"].pop("gaps"),
    "another recorder is invented": lambda p: p["about"].update(others=[{**p["actual"], "run": OTHER_RUN}]),
    "something else is stated": lambda p: p["about"].update(seen="a red car"),
    "the first piece is later": lambda p: moved(p, 0, "from"),
    "the last piece ends later": lambda p: moved(p, -1, "to"),
    "a piece in the middle is later": lambda p: (moved(p, 2, "from"), moved(p, 2, "to")) and None,
}


@pytest.mark.parametrize("lie", sorted(MISSTATED))
def test_what_is_stated_about_a_clip_is_computed(worlds: dict[str, tuple[World, Parts]], lie: str) -> None:
    parts = worlds["several_runs"][1]
    found = found_in(restated(parts, MISSTATED[lie]))
    assert "clip_misstated" in found
    assert found <= {"clip_misstated", "clip_header_differs"}


def test_the_clip_of_another_camera_with_all_that_is_stated_about_it(
    worlds: dict[str, tuple[World, Parts]],
) -> None:
    """Every fact is true of the other camera; only the camera's name is not."""
    parts = worlds["plain"][1]
    other = stated(parts)["derivatives"][1]
    clip = parts[other["path"]]

    def change(part: dict[str, Any]) -> None:
        part.update({**other, "path": part["path"], "camera": part["camera"]})

    assert found_in(restated(parts, change, clip)) >= {"clip_misstated"}
    with_name = restated(parts, lambda part: part.update({**other, "path": part["path"]}), clip)
    notebook = checked(with_name)
    assert codes(notebook) == {"clip_misstated"}
    assert "its path" in notebook.findings[0].detail


def test_pieces_in_another_order(worlds: dict[str, tuple[World, Parts]]) -> None:
    """Two segments change places, in mdat, in the tables, and in what is stated."""
    parts = worlds["plain"][1]

    def swap(value: dict[str, Any]) -> None:
        value["pieces"].reverse()
        at = value["pieces"][-1]["clip_offset"]
        for piece in value["pieces"]:
            piece["clip_offset"], at = at, at + piece["length"]

    part = stated(parts)["derivatives"][0]
    first, second = (
        parts[CLIP][piece["clip_offset"] : piece["clip_offset"] + piece["length"]] for piece in part["pieces"]
    )
    clip = parts[CLIP][: part["pieces"][0]["clip_offset"]] + second + first
    assert found_in(restated(parts, swap, clip)) & {"bad_pieces", "clip_header_differs"}
    value = stated(restated(parts, swap, clip))
    mine = [one for one in value["originals"] if one["camera"] == "cam-1"]
    value["originals"] = [*reversed(mine), *value["originals"][len(mine) :]]
    reordered = {**restated(parts, swap, clip), paths.STATEMENT: canonical.encode(value)}
    notebook = checked(reordered)
    assert "clip_header_differs" in codes(notebook)


def recut(world: World, parts: Parts, without: Callable[[int], bool], at: Timespan | None = None) -> Parts:
    """An insider's clip of the same span, made by the archive's own program from fewer originals."""
    part = stated(parts)["derivatives"][0]
    asked = at or Timespan.parse(part["asked"]["from"], part["asked"]["to"])
    footage = [
        (item.ref, parse_header(world.footage.get(item.ref.key)))
        for number, item in enumerate(world.plan.originals)
        if item.ref.camera == "cam-1" and not without(number)
    ]
    made = cut(asked, footage)
    assert made.shown_from is not None
    names = {one["key"]: one["path"] for one in stated(parts)["originals"]}
    head, length = clip_head(made.tables, made.edits, made.shown_from)
    clip, pieces = b"".join(head), []
    for piece in made.pieces:
        original = parts[names[piece.ref.key]]
        pieces.append(
            {
                "original": names[piece.ref.key],
                "original_offset": piece.original_offset,
                "clip_offset": len(clip),
                "length": piece.length,
                "from": format_instant(piece.span.start),
                "to": format_instant(piece.span.end),
                "slices": {"first": 0, "count": 0, "sha256": "00" * 32},
            }
        )
        clip += original[piece.original_offset : piece.original_offset + piece.length]

    def change(value: dict[str, Any]) -> None:
        value.update(pieces=pieces)
        value["actual"] = {"from": format_instant(made.shown_from or 0), "to": format_instant(made.shown_to)}
        value["asked"] = {"from": format_instant(asked.start), "to": format_instant(asked.end)}
        value["about"].update(frames=made.frames)
        value["hidden"].update(
            frames=made.hidden_frames,
            preroll_us=-(-made.preroll * 100 // 9),
            tail_us=-(-made.tail * 100 // 9),
        )

    assert length == pieces[0]["clip_offset"]
    return restated(parts, change, clip)


@pytest.mark.parametrize("left_out", range(5))
def test_a_clip_that_leaves_out_an_original(worlds: dict[str, tuple[World, Parts]], left_out: int) -> None:
    world, parts = worlds["several_runs"]
    assert len(world.plan.originals) == 5
    found = checked(recut(world, parts, lambda number: number == left_out))
    assert "clip_incomplete" in codes(found)
    details = [one.detail for one in found.findings if one.code == "clip_incomplete"]
    assert len(details) == 1
    assert world.plan.originals[left_out].ref.key.rsplit("/", 1)[-1] in details[0]


def test_the_segment_before_a_clip_may_not_be_left_out(worlds: dict[str, tuple[World, Parts]]) -> None:
    """Its first pictures would be called undecodable, which they are not."""
    world, parts = worlds["open_hevc"]
    assert "clip_incomplete" in found_in(recut(world, parts, lambda number: number == 0))


def test_a_layout_that_is_not_known_leaves_the_clip_unchecked(whole: Parts) -> None:
    value = stated(whole) | {"clip_layout": 3}
    notebook = checked({**whole, paths.STATEMENT: canonical.encode(value)})
    assert codes(notebook) == {"clip_layout_unknown"}
    assert notebook.verdict == "not_checked"
    assert {one.severity for one in notebook.findings} == {OPEN}
    assert "layout 3, Saksi 0.1.0" in notebook.findings[0].detail


def test_a_package_that_names_no_layout_has_layout_1(whole: Parts) -> None:
    """As the packages that were made before layouts had numbers."""
    value = stated(whole)
    del value["clip_layout"]
    parts = {**whole, paths.STATEMENT: canonical.encode(value)}
    assert checked(parts).findings == []
    clip = at_box(parts[CLIP], b"elst", 16, ">q", 1)
    assert found_in(restated(parts, unchanged, clip)) == {"clip_header_differs"}


@pytest.mark.parametrize("layout", [0, -1, "1", 1.0])
def test_a_layout_is_a_number_from_1(whole: Parts, layout: Any) -> None:
    value = stated(whole) | {"clip_layout": layout}
    data = canonical.encode(value) if layout != 1.0 else parts_with_fraction(value)
    assert found_in({**whole, paths.STATEMENT: data}) == {"bad_statement"}


def parts_with_fraction(value: dict[str, Any]) -> bytes:
    return canonical.encode(value | {"clip_layout": 1}).replace(b'"clip_layout":1', b'"clip_layout":1.0')


def test_a_leaf_that_cannot_be_read_leaves_no_clip_believed(worlds: dict[str, tuple[World, Parts]]) -> None:
    parts = worlds["plain"][1]
    leaves = "data/proofs/leaves/cam-1.jsonl"
    for content in (
        b"",
        b"{}\n" * 2,
        parts[leaves].replace(b'"media_duration":900000', b'"media_duration":0'),
    ):
        assert "clip_header_differs" in found_in({**parts, leaves: content})


def test_of_two_recorders_one_is_shown(tmp_path: Path) -> None:
    """One is shown; the originals of the other are in the package, and need not be in the clip."""
    first = run_of(CLOSED_GOP, run=OTHER_RUN)
    second = make_run(
        [[CLOSED_GOP, CLOSED_GOP]] * 2, 6000, 12_000, 0, 90_000, start=T0 + 33_333, run="6b05180000000001"
    )
    world = cut_world(tmp_path / "world", [recorded(first), recorded(second)], Timespan(T0, first.end))
    parts = parts_of(world, tmp_path / "case")
    assert found_in(parts) == set()
    (other,) = stated(parts)["derivatives"][0]["about"]["others"]
    assert other["run"] == second.refs[0].run
    assert found_in(restated(parts, lambda part: part["about"].update(others=[]))) == {"clip_misstated"}
    inside = Timespan(second.refs[0].span.start + 50_000, first.end - 50_000)
    runs = [item.ref.run for item in world.plan.originals]
    for shown in set(runs):
        one_run = recut(world, parts, lambda number, shown=shown: runs[number] != shown, inside)  # type: ignore[misc]
        assert found_in(one_run) & {"clip_incomplete", "clip_header_differs"} == set()
    wide = Timespan(T0, first.end)
    late = recut(world, parts, lambda number: runs[number] == OTHER_RUN, wide)
    assert "clip_incomplete" in found_in(late), "the first recorder has frames before the second began"


@pytest.mark.parametrize(
    ("bound", "code"),
    [("_MOST_LOOKS", "bad_clip"), ("_MOST_PAIRS", "bad_clip"), ("_MOST_SAMPLES", "clip_header_differs")],
)
def test_work_on_clips_is_bounded(
    worlds: dict[str, tuple[World, Parts]], monkeypatch: pytest.MonkeyPatch, bound: str, code: str
) -> None:
    """Past the bound a clip is an error and not believed."""
    monkeypatch.setattr(rebuilt, bound, 3)
    found = [(one.code, one.path) for one in checked(worlds["plain"][1]).findings]
    assert found[-1] == (code, CLIP.replace("cam-1", "cam-2"))


def test_an_original_at_a_strange_path_is_an_error_and_no_crash(
    worlds: dict[str, tuple[World, Parts]],
) -> None:
    parts = worlds["plain"][1]
    value = stated(parts)
    was, moved_to = value["derivatives"][0]["pieces"][0]["original"], "data/x"
    for part in value["originals"]:
        part["path"] = moved_to if part["path"] == was else part["path"]
    value["derivatives"][0]["pieces"][0]["original"] = moved_to
    other = {moved_to if path == was else path: data for path, data in parts.items()}
    assert "statement_contradicts" in found_in({**other, paths.STATEMENT: canonical.encode(value)})


@pytest.mark.parametrize("seed", range(4))
def test_originals_and_leaves_of_any_content_end_in_a_finding(
    worlds: dict[str, tuple[World, Parts]], seed: int
) -> None:
    """Headers and numbers that no recorder writes: findings, and never an error of the program."""
    random = Random(seed)  # noqa: S311 - chooses places
    whole = worlds["several_runs"][1]
    statement = stated(whole)
    part = statement["derivatives"][0]
    leaves = "data/proofs/leaves/cam-1.jsonl"
    named = sorted({piece["original"] for piece in part["pieces"]})
    parts = {path: data for path, data in whole.items() if path in {CLIP, leaves, *named}}
    tables = (b"trun", b"tfdt", b"avcC")
    for _ in range(25):
        path = random.choice(named)
        data = bytearray(parts[path])
        at = data.index(random.choice(tables)) + 8 + 4 * random.randrange(4)
        struct.pack_into(">I", data, at, random.choice((0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)))
        assert followed({**parts, path: bytes(data)}, statement, CLIP) <= ABOUT_CLIPS
        number = random.choice(list(re.finditer(rb"[0-9]+", parts[leaves])))
        other = random.choice((b"0", b"1", b"10", b"900000000000000"))
        changed = parts[leaves][: number.start()] + other + parts[leaves][number.end() :]
        assert followed({**parts, leaves: changed}, statement, CLIP) <= ABOUT_CLIPS
