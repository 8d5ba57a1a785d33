"""The sound of a clip follows from its originals: replaced, shifted, removed or added sound is found."""

import struct
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.evidence import paths
from archive.footage.clip.cut import cut
from archive.footage.clip.tables import clip_head
from archive.footage.mp4.header import parse_header
from archive.timespan import SECOND, Timespan, format_instant
from tests.support.cut_packages import Parts, Recorded, checked, codes, cut_world, parts_of, small, track
from tests.support.made_sound import Footage, with_sound
from tests.support.packages import World
from tests.support.recordings import OTHER_RUN, frames_of
from tests.unit.evidence.test_verifier_rebuilt import CLIP, CLOSED_GOP, restated, run_of, stated


def heard(folder: Path) -> World:
    """Two runs with a gap, both with sound; hidden footage at both ends."""
    first = run_of(CLOSED_GOP, run="6b05180000000001")
    second = run_of(CLOSED_GOP, run=OTHER_RUN, start=first.end + SECOND)
    frames = [int(frame.wall) for frame in frames_of(first.refs, first.headers)]
    last = [int(frame.wall) for frame in frames_of(second.refs, second.headers)]
    span = Timespan(frames[2] + 1, last[8] + 1)
    return cut_world(folder, [recorded(first.segments), recorded(second.segments)], span)


def recorded(segments: Footage) -> Recorded:
    made = with_sound([(ref, small(header)) for ref, header in segments], first=10)
    return Recorded(made, track(), "h264")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Parts]:
    folder = tmp_path_factory.mktemp("heard")
    world = heard(folder / "world")
    return world, parts_of(world, folder / "case")


def test_a_clip_with_sound_is_found_in_order_and_says_what_it_has(whole: tuple[World, Parts]) -> None:
    notebook = checked(whole[1])
    assert notebook.findings == []
    value = stated(whole[1])
    assert value["clip_layout"] == 2
    part = value["derivatives"][0]
    assert part["hidden"]["sound_us"] > 0
    kinds = [piece.get("track", "pictures") for piece in part["pieces"]]
    assert kinds.count("sound") >= 3
    assert all("slices" not in piece for piece in part["pieces"] if "track" in piece)
    assert all("slices" in piece for piece in part["pieces"] if "track" not in piece)
    assert set(part["about"]) == {"frames", "gaps", "others"}


def sound_box(clip: bytes, kind: bytes) -> int:
    """Where the body of a box of the sound's track begins."""
    return clip.index(kind, clip.index(b"trak", clip.index(b"trak") + 4)) + 4


def at(clip: bytes, kind: bytes, offset: int, form: str, *values: int) -> bytes:
    made = bytearray(clip)
    struct.pack_into(form, made, sound_box(clip, kind) + offset, *values)
    return bytes(made)


def silence(_parts: Parts, clip: bytes, part: dict[str, Any]) -> bytes:
    """The bytes of the sound, replaced by others."""
    piece = next(piece for piece in part["pieces"] if piece.get("track") == "sound")
    start = piece["clip_offset"]
    return clip[:start] + bytes(piece["length"]) + clip[start + piece["length"] :]


Lie = Callable[[Parts, bytes, dict[str, Any]], bytes]
LIES: dict[str, tuple[Lie, set[str]]] = {
    "replaced": (silence, {"clip_not_derived"}),
    "shifted by a second": (
        lambda _, clip, part: at(clip, b"elst", 16, ">q", 8000),
        {"clip_header_differs"},
    ),
    "silent at the beginning": (
        lambda _, clip, part: at(clip, b"elst", 16, ">q", -1),
        {"clip_header_differs"},
    ),
    "slower": (lambda _, clip, part: at(clip, b"mdhd", 20, ">I", 7000), {"clip_header_differs"}),
    "of another codec": (
        lambda _, clip, part: clip[: clip.index(b"mp4a")] + b"Opus" + clip[clip.index(b"mp4a") + 4 :],
        {"clip_header_differs"},
    ),
    "not for playing": (
        lambda _, clip, part: clip.replace(b"soun", b"text", 1),
        {"bad_clip"},
    ),
    "without volume": (lambda _, clip, part: at(clip, b"tkhd", 48, ">H", 0), {"clip_header_differs"}),
    "its samples in another place": (
        lambda _, clip, part: at(clip, b"co64", 8, ">Q", part["pieces"][0]["clip_offset"]),
        {"bad_clip"},
    ),
}


@pytest.mark.parametrize("lie", sorted(LIES))
def test_sound_that_was_changed(whole: tuple[World, Parts], lie: str) -> None:
    change, expected = LIES[lie]
    parts = whole[1]
    clip = change(parts, parts[CLIP], stated(parts)["derivatives"][0])
    assert clip != parts[CLIP]
    assert len(clip) == len(parts[CLIP])
    assert codes(checked(restated(parts, lambda _: None, clip))) == expected


def recut(world: World, parts: Parts, change: Callable[[int, Any], Any], layout: int) -> Parts:
    """An insider's clip of the same span, made by the archive's own program from other headers."""
    part = stated(parts)["derivatives"][0]
    footage = [
        (item.ref, change(number, parse_header(world.footage.get(item.ref.key))))
        for number, item in enumerate(world.plan.originals)
    ]
    made = cut(Timespan.parse(part["asked"]["from"], part["asked"]["to"]), footage)
    assert made.shown_from is not None
    names = {one["key"]: one["path"] for one in stated(parts)["originals"]}
    head, _ = clip_head(made.tables, made.edits, made.shown_from, made.sound)
    clip, pieces = b"".join(head), []
    slices = {
        (piece["original"], piece["original_offset"]): piece["slices"]
        for piece in part["pieces"]
        if "slices" in piece
    }
    for piece in made.pieces:
        name = names[piece.ref.key]
        said = {
            "original": name,
            "original_offset": piece.original_offset,
            "clip_offset": len(clip),
            "length": piece.length,
            "from": format_instant(piece.span.start),
            "to": format_instant(piece.span.end),
        }
        if piece.track == "sound":
            said["track"] = "sound"
        else:
            said["slices"] = slices[name, piece.original_offset]
        pieces.append(said)
        clip += parts[name][piece.original_offset : piece.original_offset + piece.length]
    value = stated(parts)
    of = value["derivatives"][0]
    of.update(pieces=pieces, sha256=sha256(clip).hexdigest(), size=len(clip))
    if made.sound.sizes:
        of["hidden"]["sound_us"] = made.sound.hidden_us
    else:
        del of["hidden"]["sound_us"]
    value["clip_layout"] = layout
    return {**parts, CLIP: clip, paths.STATEMENT: canonical.encode(value)}


def without(_number: int, header: Any) -> Any:
    return replace(header, sound=None)


@pytest.mark.parametrize("layout", [1, 2])
def test_sound_that_was_removed(whole: tuple[World, Parts], layout: int) -> None:
    """Also by a package that names the layout which has none."""
    world, parts = whole
    assert codes(checked(recut(world, parts, lambda _, header: header, 2))) == set(), (
        "the tool itself is honest"
    )
    found = checked(recut(world, parts, without, layout))
    assert "clip_header_differs" in codes(found)


def test_sound_that_was_removed_from_one_segment_only(whole: tuple[World, Parts]) -> None:
    world, parts = whole
    for number in range(len(world.plan.originals)):
        lie = recut(
            world, parts, lambda at, header, number=number: without(at, header) if at == number else header, 2
        )
        assert codes(checked(lie)) >= {"clip_header_differs"}, number


def test_sound_that_was_shifted_with_its_original_untouched(whole: tuple[World, Parts]) -> None:
    """The whole clip is consistent in itself: only the originals' own times show it."""
    world, parts = whole

    def later(_number: int, header: Any) -> Any:
        return replace(header, sound=replace(header.sound, tfdt=header.sound.tfdt + 400))

    assert "clip_header_differs" in codes(checked(recut(world, parts, later, 2)))


def test_sound_that_was_added(tmp_path: Path) -> None:
    """To a clip of footage without sound: the bytes of its pictures, given out as sound."""
    run = run_of(CLOSED_GOP, run=OTHER_RUN)
    span = Timespan(run.refs[0].span.start, run.end)
    world = cut_world(tmp_path / "world", [Recorded([(r, small(h)) for r, h in run.segments], track())], span)
    parts = parts_of(world, tmp_path / "case")
    assert stated(parts)["clip_layout"] == 1
    ((_, lent), *_) = with_sound(run.segments, lasts=(20_000,))

    def with_some(number: int, header: Any) -> Any:
        if number:
            return header
        sizes = header.samples.sizes[-1:]
        at = header.header_bytes + sum(header.samples.sizes[:-1])
        lasts = type(lent.sound.durations)("I", [1024]) if lent.sound else None
        return replace(header, sound=replace(lent.sound, start=at, sizes=sizes, durations=lasts, tfdt=1500))

    added = _with_hidden(parts)
    for layout in (1, 2):
        found = codes(checked(recut(world, added, with_some, layout)))
        assert found & {"bad_pieces", "clip_header_differs"}, layout


def _with_hidden(parts: Parts) -> Parts:
    value = stated(parts)
    value["derivatives"][0]["hidden"]["sound_us"] = 0
    return {**parts, paths.STATEMENT: canonical.encode(value)}


MISSTATED: dict[str, Callable[[dict[str, Any]], None]] = {
    "less hidden sound": lambda part: part["hidden"].update(sound_us=1),
    "no hidden sound": lambda part: part["hidden"].pop("sound_us"),
    "sound called pictures": lambda part: part["pieces"][1].pop("track"),
    "pictures called sound": lambda part: part["pieces"][0].update(track="sound"),
    "sound from another time": lambda part: part["pieces"][1].update({"from": part["pieces"][1]["to"]}),
}


@pytest.mark.parametrize("lie", sorted(MISSTATED))
def test_what_is_stated_about_sound_is_computed(whole: tuple[World, Parts], lie: str) -> None:
    parts = whole[1]
    assert stated(parts)["derivatives"][0]["pieces"][1]["track"] == "sound"
    found = codes(checked(restated(parts, MISSTATED[lie])))
    assert found & {"clip_misstated", "slices_differ"}
    assert found <= {"clip_misstated", "slices_differ", "slices_unreadable"}
