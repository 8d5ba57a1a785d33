"""Skimming real footage with a real, confined FFmpeg: every codec and GOP, and a whole synthetic night."""

import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import NotFound, Unavailable
from archive.footage.clip.footage import StoredHeaders
from archive.footage.skim.box import Box
from archive.footage.skim.cache import SkimCache
from archive.footage.skim.decoding import WIDTH as THUMBNAIL
from archive.footage.skim.decoding import Decoder, height_of
from archive.footage.skim.keyframes import keyframes_for_sheets, keyframes_in
from archive.footage.skim.looking import JOIN, Looking, Order, Question
from archive.footage.skim.parts import PART, part_of
from archive.footage.skim.searching import look
from archive.footage.skim.skimmer import Skimmer
from archive.objects.filesystem import FilesystemStore
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from tests.support.night import BOX, STEP_SECONDS, Minute, Night, make_night, random_night
from tests.support.numbered import CELLS, DEFAULT_FFMPEG, VARIANTS, finalised_run, recorded_segments
from tests.support.recordings import archive_run, frames_of, reading_of, store_made

T0 = 1_795_500_000_000_000
DECODER = Decoder(Path(DEFAULT_FFMPEG))
CAMERA = "cam-1"


class Listed:
    """An index over a list of segments."""

    def __init__(self, refs: list) -> None:  # type: ignore[type-arg]
        self.refs = refs

    def segments(self, camera: str, span: Timespan) -> Iterator:  # type: ignore[type-arg]
        """Those that overlap the span."""
        return iter([ref for ref in self.refs if ref.camera == camera and ref.span.overlaps(span)])


def headers_of(night: Night) -> StoredHeaders:
    return StoredHeaders(night.footage, None)  # type: ignore[arg-type]


def number_on(thumbnail: bytes) -> int | None:
    """The number of a frame on its thumbnail: cells of 8 × 8 pixels in the first rows."""
    value = 0
    size = THUMBNAIL // CELLS
    for cell in range(CELLS):
        left = cell * size + 2
        inner = [thumbnail[row * THUMBNAIL + left + x] for row in range(2, size - 2) for x in range(size - 4)]
        value = value << 1 | (sum(inner) > 127 * len(inner))
    number, check = value >> 4, value & 0xF
    expected = 5 + (number & 0xF) + (number >> 4 & 0xF) + (number >> 8 & 0xF) + (number >> 12)
    return number if check == expected % 16 else None


@pytest.mark.parametrize("variant", sorted(VARIANTS))
def test_each_keyframe_has_its_own_picture_at_its_own_time(variant: str, tmp_path: Path) -> None:
    """One run of FFmpeg decodes them all; whatever the GOP is, none is lost, doubled or exchanged."""
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    made = finalised_run(recorded_segments(variant, 20, tmp_path), tmp_path / "finalised")
    refs = archive_run(made, store, start=T0)
    frames = {int(frame.wall): frame.number for frame in frames_of(refs, [one.header for _, one in made])}
    chosen = keyframes_in(part_of(CAMERA, T0, refs), StoredHeaders(store, None))
    assert chosen.damaged == []
    found = chosen.looked_at
    assert len(found) == {"h264-open-b": 2, "h264-oddgop": 6}.get(variant, 5)
    height = height_of(found[0].shape)
    assert height == 96
    shown = [
        (one.at, None if picture is None else number_on(picture.thumbnail))
        for one, picture in DECODER.pictures(found, store, None, height=height)
    ]
    assert shown == [(one.at, frames[one.at]) for one in found]


def test_no_other_byte_is_fetched(tmp_path: Path) -> None:
    night = make_night([Minute()], T0, tmp_path)
    part = part_of(CAMERA, T0, night.refs)
    found = keyframes_in(part, headers_of(night)).looked_at
    assert len(found) == 2 * 8  # two half minutes, each begun anew
    headers = sum(ref.header_bytes for ref in night.refs)
    assert night.footage.read_bytes == headers
    list(DECODER.pictures(found, night.footage, None, height=90))  # type: ignore[arg-type]
    assert night.footage.read_bytes == headers + sum(one.size for one in found)
    assert night.footage.read_bytes < sum(ref.size for ref in night.refs)


def test_what_cannot_be_decoded_is_alone_and_the_others_are_there(tmp_path: Path) -> None:
    night = make_night([Minute()], T0, tmp_path)
    store = FilesystemStore(tmp_path / "footage", ManualClock(T0))
    (bad,) = store_made(store, segments=1, start=T0)
    part = part_of(CAMERA, T0, night.refs)
    found = keyframes_in(part, headers_of(night)).looked_at
    broken = keyframes_in(part_of(CAMERA, T0, [bad]), StoredHeaders(store, None)).looked_at[0]
    night.footage.paths[bad.key] = tmp_path / "footage" / "garbage"
    (tmp_path / "footage" / "garbage").write_bytes(store.get(bad.key))
    mixed = [*found[:3], replace(broken, shape=found[0].shape), *found[3:6]]
    shown = [picture is not None for _, picture in DECODER.pictures(mixed, night.footage, None, height=90)]  # type: ignore[arg-type]
    assert shown == [True] * 3 + [False] + [True] * 3


def test_without_its_program_nothing_is_answered(tmp_path: Path) -> None:
    night = make_night([Minute()], T0, tmp_path)
    skimmer = skimmer_of(night, tmp_path, Decoder(tmp_path / "none"))
    with pytest.raises(Unavailable) as caught:
        skimmer.activity(part_of(CAMERA, T0, night.refs))
    assert caught.value.code == "ffmpeg_missing"


def skimmer_of(night: Night, folder: Path, decoder: Decoder = DECODER) -> Skimmer:
    clock = ManualClock(night.span.end)
    cache = SkimCache(FilesystemStore(folder / "cache", clock), clock)
    return Skimmer(night, night.footage, cache, decoder)  # type: ignore[arg-type]


def asked(night: Night, skimmer: Skimmer, box: Box = BOX, **more: object) -> Looking:
    question = replace(Question(camera=CAMERA, span=night.span, box=box), **more)  # type: ignore[arg-type]
    return look(
        question,
        lambda span: reading_of(list(night.segments(CAMERA, span)), span),
        lambda parts: [skimmer.cached(part) for part in parts],
        skimmer.activity,
        now=night.span.end,
    )


def missed_and_false(night: Night, looking: Looking) -> tuple[list[Timespan], list[Timespan]]:
    """Crossings that no interval touches, and intervals that touch no crossing, as near as keyframes are."""
    near = STEP_SECONDS * SECOND + JOIN
    found = [one.span for one in looking.intervals]
    wide = [Timespan(one.start - near, one.end + near) for one in night.crossings]
    missed = [one for one in night.crossings if not any(one.overlaps(span) for span in found)]
    return missed, [span for span in found if not any(span.overlaps(one) for one in wide)]


def check_night(night: Night, looking: Looking) -> None:
    """Every crossing, and at most one in twenty false."""
    missed, false = missed_and_false(night, looking)
    assert missed == []
    assert len(false) * 20 <= len(looking.intervals), false


@pytest.mark.parametrize(
    "kind",
    [
        Minute(),
        Minute(rain=True),
        Minute(headlights=True),
        Minute(rain=True, headlights=True),
        Minute(switch=True),
        Minute(mode="infrared", switch=True, rain=True),
        Minute(elsewhere=True),
        Minute(mode="infrared", elsewhere=True, rain=True),
    ],
    ids=str,
)
def test_noise_rain_headlights_and_infrared_are_no_activity(kind: Minute, tmp_path: Path) -> None:
    night = make_night([replace(kind, switch=False, elsewhere=False, headlights=False), kind], T0, tmp_path)
    looking = asked(night, skimmer_of(night, tmp_path))
    assert looking.intervals == []
    told = [one for one in looking.answer()["not_looked_at"] if one["cause"] == "whole_picture_changed"]
    assert len(told) == int(kind.switch)


@pytest.mark.parametrize(
    "kind",
    [Minute(crossing=True), Minute(crossing=True, rain=True), Minute(mode="infrared", crossing=True)],
    ids=str,
)
def test_somebody_who_crosses_the_box_is_found(kind: Minute, tmp_path: Path) -> None:
    quiet = replace(kind, crossing=False)
    night = make_night([quiet, kind, quiet], T0, tmp_path)
    skimmer = skimmer_of(night, tmp_path)
    looking = asked(night, skimmer)
    (one,) = looking.intervals
    (crossing,) = night.crossings
    near = STEP_SECONDS * SECOND
    assert crossing.start - near <= one.span.start <= crossing.start + near
    assert crossing.end - near <= one.span.end <= crossing.end + near
    assert one.span.start < one.at <= one.span.end
    assert asked(night, skimmer, Box(0.0, 0.0, 1.0, 0.4)).intervals == []


def test_an_hour_of_the_night_is_searched_and_then_found_again_at_once(tmp_path: Path) -> None:
    night = make_night(random_night(60, 8), T0, tmp_path)
    assert len(night.crossings) >= 4
    skimmer = skimmer_of(night, tmp_path)
    looking = asked(night, skimmer)
    check_night(night, looking)
    answer = looking.answer()
    assert answer["complete"]
    assert answer["longest_step_seconds"] == STEP_SECONDS
    assert answer["looked_seconds"] >= 0.99 * 3600
    causes = {one["cause"] for one in answer["not_looked_at"]}
    assert causes == {"whole_picture_changed", "nothing_to_compare"}
    read = night.footage.read_bytes
    again = asked(night, skimmer)
    assert again.answer() == answer
    assert night.footage.read_bytes == read
    first = asked(night, skimmer, limit=1)
    last = asked(night, skimmer, limit=1, order=Order.LATEST)
    assert first.intervals == looking.intervals[:1]
    assert last.intervals == looking.intervals[-1:]


def test_sheets_show_the_first_keyframe_of_every_half_minute(tmp_path: Path) -> None:
    night = make_night([Minute(), Minute(crossing=True), Minute(rain=True)], T0, tmp_path)
    skimmer = skimmer_of(night, tmp_path)
    part = part_of(CAMERA, T0, night.refs)
    (sheet,) = skimmer.sheets([part])
    assert sheet.tiles == (*(T0 + n * 30 * SECOND for n in range(6)), *[None] * 14)
    assert sheet.jpeg.startswith(b"\xff\xd8")
    assert (sheet.width, sheet.height, sheet.columns) == (160, 90, 5)
    read = night.footage.read_bytes
    assert skimmer.sheets([part]) == [sheet]
    assert night.footage.read_bytes == read
    (chosen,) = keyframes_for_sheets([part], headers_of(night))
    assert [one.at for one in chosen] == [at for at in sheet.tiles if at is not None]


def test_sheets_of_an_hour_are_made_together_and_none_is_exchanged(tmp_path: Path) -> None:
    night = make_night([Minute(), Minute(mode="infrared")] * 15, T0 - 5 * MINUTE, tmp_path)
    skimmer = skimmer_of(night, tmp_path)
    parts = [part_of(CAMERA, start, night.refs) for start in range(T0 - PART, T0 + HOUR - PART, PART)]
    sheets = skimmer.sheets(parts)
    assert [sheet.start for sheet in sheets] == [part.start for part in parts]
    assert [sum(at is not None for at in sheet.tiles) for sheet in sheets] == [10, 20, 20, 10, 0, 0]
    alone = skimmer_of(night, tmp_path / "alone").sheets(parts[1:2])
    assert alone == sheets[1:2]


def test_activity_makes_the_sheet_too(tmp_path: Path) -> None:
    night = make_night([Minute()] * 2, T0, tmp_path)
    skimmer = skimmer_of(night, tmp_path)
    part = part_of(CAMERA, T0, night.refs)
    skimmer.activity(part)
    sheet = skimmer.cache.sheet(part)
    assert sheet is not None
    assert [at is not None for at in sheet.tiles] == [True] * 4 + [False] * 16


def test_a_lost_segment_is_named_and_the_rest_is_searched(tmp_path: Path) -> None:
    quiet = Minute()
    night = make_night([quiet, Minute(crossing=True), quiet], T0, tmp_path)
    lost = night.refs[14]
    del night.footage.paths[lost.key]
    with pytest.raises(NotFound):
        night.footage.read(lost.key, 0, 1)
    looking = asked(night, skimmer_of(night, tmp_path))
    assert len(looking.intervals) == 1
    told = [one for one in looking.answer()["not_looked_at"] if one["cause"] == "unreadable"]
    assert told == [{**lost.span.to_json(), "cause": "unreadable", "what": f"{lost.key} [segment_missing]"}]


def test_a_truncated_segment_spoils_its_own_ten_minutes_alone(tmp_path: Path) -> None:
    night = make_night([Minute()] * 20, T0, tmp_path)
    cut = night.refs[0]
    short = tmp_path / "short.mp4"
    short.write_bytes(night.footage.paths[cut.key].read_bytes()[: cut.header_bytes + 10])
    night.footage.paths[cut.key] = short
    skimmer = skimmer_of(night, tmp_path)
    first, second = (part_of(CAMERA, start, night.refs) for start in (T0, T0 + PART))
    sheets = skimmer.sheets([first, second])
    assert [bool(sheet.jpeg) for sheet in sheets] == [False, True]
    (damage,) = skimmer.activity(first).damaged
    assert (damage.span, damage.key, damage.code) == (first.span, cut.key, "segment_mismatch")
    assert skimmer.activity(second).damaged == ()


@pytest.mark.slow
def test_a_day_of_the_night_is_found_in_one_question(tmp_path: Path) -> None:
    """The long form: ``make soak-skim`` writes what it measured where SAKSI_SKIM_REPORT says."""
    seed = int(os.environ.get("SAKSI_SKIM_SEED", "24"))
    night = make_night(random_night(24 * 60, seed, seeds=(1, 2)), T0 - T0 % HOUR, tmp_path)
    skimmer = skimmer_of(night, tmp_path)
    used = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    looking = asked(night, skimmer)
    after = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = sum(b.ru_utime + b.ru_stime - a.ru_utime - a.ru_stime for a, b in zip(used, after, strict=True))
    missed, false = missed_and_false(night, looking)
    line = (
        f"seed {seed}: {len(night.crossings)} crossings, {len(missed)} missed, "
        f"{len(looking.intervals)} intervals, {len(false)} false, {seconds:.0f} CPU s, "
        f"{seconds / 1440:.3f} CPU s per camera-minute (320 × 180)"
    )
    report = os.environ.get("SAKSI_SKIM_REPORT")
    if report:
        Path(report).write_text(line + "\n", "utf-8")
    print(line)  # noqa: T201
    check_night(night, looking)
