"""What a camera kept itself fills the hole in its recording: every frame, once, with its own clock."""

import asyncio
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from archive.clock import ManualClock
from archive.errors import StoreFull, Unavailable
from archive.footage import reader
from archive.footage.ingest import Ingest, SpooledLeaf
from archive.footage.mp4.extent import first_decodable_pts
from archive.footage.mp4.header import parse_header
from archive.integrity.check import Checker, Depth
from archive.model.gap import GapCause
from archive.model.leaf import Leaf
from archive.model.segment import TIMESCALE, DeviceClock, Run, Segment
from archive.records import journal
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan, format_instant
from ops import backfilling as ops_backfilling
from ops.wiring import Site
from recorder import bringing as recorder_bringing
from recorder.backfill import asking as recorder_asking
from recorder.backfill import fetching
from recorder.backfill.asking import Asker
from recorder.backfill.outcomes import Outcome
from recorder.binary import Binary, find_ffmpeg
from recorder.current import Made
from recorder.host_time import EXACT
from recorder.sources import parse_source
from recorder.spool import CaptureFolder, Spool
from tests.support import backfilled, camera_clocks, fields, numbered
from tests.support.backfilled import BEFORE, EVER, FPS, HOLE, MISSING, SPAN, START, Bench
from tests.support.camera_memory import Card, KeptPiece, Picture, card_reader, card_with, kept_piece
from tests.support.command_line import CommandLine
from tests.support.fields import FieldCard
from tests.support.servers import ElasticServer, FreshBuckets

GOP = 30
"""Pictures of a group."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with backfilled.bench(tmp_path) as made:
        yield made


def reading(site: Site, span: Timespan = SPAN) -> reader.Reading:
    return reader.read(site.index, "kam-1", span, registered_at=EVER.start, now=site.clock.now())


def assert_clean(site: Site) -> None:
    report = Checker(site.stores, site.index, site.clock, depth=Depth.BYTES).run()
    assert report.breaches == []


def leaves_of(site: Site, origin: str) -> list[Leaf]:
    batches = [
        journal.decode(site.stores.records.get(one.key)) for one in site.stores.records.list("journal/")
    ]
    return [leaf for batch in batches if batch.origin == origin for leaf in batch.leaves]


@pytest.mark.parametrize("variant", ["h264-closed", "h264-nob", "h264-open-b", "hevc-closed", "hevc-open"])
def test_every_frame_that_the_camera_kept_comes_in(tmp_path: Path, variant: str) -> None:
    with backfilled.bench(tmp_path, variant=variant, ahead=7200.0) as bench, bench.site() as site:
        [gap] = reading(site).gaps
        assert gap.cause == GapCause.RECORDER_RESTART.value
        assert abs(gap.span.start - MISSING.start) < SECOND
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.FILLED, "")
        assert reading(site).gaps == ()
        joined = backfilled.run_file(site, answer.runs, tmp_path)
        shown = numbered.read_numbers(joined)
        first, last = shown[0].number, shown[-1].number
        assert first is not None
        assert last is not None
        assert numbered.numbers(shown) == list(range(first, last + 1))
        # Of a file's last group of pictures some come after the cut: the hole may begin one earlier or later.
        missing = round((gap.span.start - START) * FPS / SECOND)
        keyframe = missing // GOP * GOP
        assert first == keyframe, "a decoder begins at the last keyframe before the hole"
        assert last - (BEFORE + HOLE) * FPS in range(-1, 4), "the hole, and what decoding its end takes"
        kept = backfilled.frames_of(bench.whole, "-fps_mode", "passthrough")
        assert backfilled.frames_of(joined, "-fps_mode", "passthrough") == kept[first : last + 1]
        head = parse_header(joined.read_bytes())
        begins = min(one.span.start for one in site.index.segments("kam-1", EVER) if one.run in answer.runs)
        for one in shown:
            assert one.number is not None
            at = begins + (one.pts * TIMESCALE - head.first_pts) * SECOND / TIMESCALE
            assert abs(at - START - Fraction(one.number * SECOND, FPS)) < SECOND // 1000, one.number
        first_segment = min(
            (one for one in site.index.segments("kam-1", EVER) if one.run in answer.runs),
            key=lambda one: one.span.start,
        )
        opened = parse_header(site.stores.footage.get(first_segment.key))
        assert first_decodable_pts(opened) == opened.first_pts, "what is covered can be shown"
        assert_clean(site)


def test_on_the_real_store_and_index(
    tmp_path: Path,
    fresh_buckets: FreshBuckets,
    elastic_server: ElasticServer,
    fresh_index_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in fresh_buckets.server.environment(fresh_buckets.name).items():
        monkeypatch.setenv(name, value)
    settings = {
        "SAKSI_ARCHIVE_URL": fresh_buckets.archive_url,
        "SAKSI_INDEX_URL": elastic_server.url,
        "SAKSI_INDEX_PREFIX": fresh_index_prefix,
    }
    with backfilled.bench(tmp_path, variant="h264-nob", settings=settings) as bench, bench.site() as site:
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.FILLED
        assert reading(site).gaps == ()
        first = backfilled.BEFORE * FPS
        came = numbered.numbers(numbered.read_numbers(backfilled.run_file(site, answer.runs, tmp_path)))
        assert came == list(range(first, first + len(came)))
        assert backfilled.ask(site) == []
        assert_clean(site)


def test_the_records_say_whose_clock_it_is_and_which_gap_is_filled(tmp_path: Path) -> None:
    with backfilled.bench(tmp_path, variant="h264-nob", ahead=-5400.0) as bench, bench.site() as site:
        [gap] = [one for one in site.index.gaps("kam-1", MISSING)]
        [answer] = backfilled.ask(site)
        found = leaves_of(site, "backfill")
        [run] = [one for one in found if isinstance(one, Run)]
        assert (run.run, run.fills) == (answer.runs[0], (gap.gap,))
        segments = [one for one in found if isinstance(one, Segment)]
        assert {one.run for one in segments} == {run.run}
        first = min(segments, key=lambda one: one.seq)
        assert first.span.start == MISSING.start
        assert first.camera_time == MISSING.start - 5400 * SECOND
        assert {(one.clock.source, one.clock.offset_us) for one in segments} == {("backfill", -5400 * SECOND)}
        bounds = {one.clock.bound_us for one in segments}
        assert all(one is None or one >= SECOND // 2 for one in bounds), "devices tell whole seconds"
        assert list(site.index.gaps("kam-1", MISSING)) == [gap], "its own record stays"
        assert backfilled.ask(site) == [], "the hole is filled: there is nothing to ask for"
        assert_clean(site)


def before_the_hole(site: Site, ahead: float) -> None:
    """What a recorder of the site put on record of the camera's clock, an hour before the hole."""
    asked = DeviceClock(at=START - HOUR, offset_us=round(ahead * SECOND), within_us=SECOND // 2)
    start = START - 10 * SECOND
    camera_clocks.register(site.ledger)
    witness = camera_clocks.witness(start, device=asked)
    camera_clocks.journalled(site.stores.records, [witness], number=1, at=start + 20 * SECOND)


def test_a_clock_that_was_set_since_the_hole_is_refused_and_leaves_the_gap(bench: Bench) -> None:
    with bench.site() as site:
        before_the_hole(site, ahead=-40.0)
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, "camera_clock_set")
        assert "part by 40 s" in answer.reason
        assert not answer.runs
        assert [one.cause for one in reading(site).gaps] == [GapCause.RECORDER_RESTART.value]


@pytest.mark.parametrize(
    ("ahead", "flags", "wider"),
    [
        (-4.0, ("camera_clock_disagrees", "camera_clock_unproven"), 4 * SECOND),
        (0.0, ("camera_clock_unproven",), 0),
        (None, ("camera_clock_asked_once", "camera_clock_unproven"), 0),
    ],
)
def test_what_is_known_of_the_cameras_clock_from_before_is_in_the_statement(
    bench: Bench, ahead: float | None, flags: tuple[str, ...], wider: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ops_backfilling, "HostClock", lambda _clock: SimpleNamespace(now_known=lambda: EXACT))
    with bench.site() as site:
        if ahead is not None:
            before_the_hole(site, ahead)
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.FILLED
        stated = [one.clock for one in leaves_of(site, "backfill") if isinstance(one, Segment)]
        assert {one.flags for one in stated} == {flags}
        # Half a second, and a day of 20 parts in a million.
        assert {one.uncertainty_us // SECOND for one in stated} == {wider // SECOND + 2}
        assert_clean(site)


def test_the_clock_of_another_device_is_not_compared_with_the_cameras(bench: Bench) -> None:
    with bench.site() as site:
        before_the_hole(site, ahead=-40.0)
        recorder_in_the_office = bench.camera.address.replace("127.0.0.1", "localhost")
        [answer] = backfilled.ask(site, device=recorder_in_the_office)
        assert (answer.outcome, answer.code) == (Outcome.FILLED, "")
        stated = [one.clock.flags for one in leaves_of(site, "backfill") if isinstance(one, Segment)]
        assert all("camera_clock_asked_once" in flags for flags in stated)


def test_no_picture_comes_in_from_time_in_which_the_camera_was_disabled(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = Timespan(MISSING.start + SECOND // 2, MISSING.end - 3 * SECOND)
    barred = SpanSet((Timespan(0, allowed.start), Timespan(allowed.end, 1 << 62)))
    monkeypatch.setattr(ops_backfilling, "barred_in", lambda _entries: barred)
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert answer.runs
        came = [one.span for one in site.index.segments("kam-1", EVER) if one.run in answer.runs]
        assert came, "a part of it"
        # By the uncertainty of its clock nothing beside that either: half a second, and 20 ppm for a day.
        sure = Timespan(allowed.start + 2 * SECOND, allowed.end - 2 * SECOND)
        assert all(one.start >= sure.start and one.end <= sure.end for one in came)
        [hole] = ops_backfilling.holes_in(site, "kam-1", SPAN)
        assert hole.missing.duration < answer.hole.missing.duration
        assert_clean(site)


def test_disabled_time_is_asked_for_by_nobody(bench: Bench) -> None:
    with bench.site() as site:
        registry, now = site.registry, bench.clock.now()
        registry.disable("kam-1", actor="os:t", reason="uji")
        bench.clock.advance(HOUR)
        registry.enable("kam-1", actor="os:t", reason="uji")
        [unregistered, disabled] = ops_backfilling.barred_in(registry.history("kam-1"))
        assert (unregistered.start, unregistered.end) == (0, EVER.start)
        assert (disabled.start, disabled.duration) == (now, HOUR)
        bench.clock.advance(HOUR)
        registry.disable("kam-1", actor="os:t", reason="uji")
        *_, disabled = ops_backfilling.barred_in(registry.history("kam-1"))
        assert (disabled.start, disabled.end) == (now + 2 * HOUR, 1 << 62), "for as long as it is"


def test_a_camera_that_has_half_of_it_fills_half(bench: Bench) -> None:
    piece = bench.card.pieces[0]
    kept = [one for one in piece.pictures if one.ticks >= 20 * 90_000]
    assert kept[0].is_key
    bench.card.pieces = [replace(piece, pictures=kept)]
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.PART
        [left] = reading(site).gaps
        assert (left.span.start, left.cause) == (MISSING.start, GapCause.RECORDER_RESTART.value)
        assert abs(left.span.end - (MISSING.start + 10 * SECOND)) < SECOND // 2
        assert_clean(site)


def test_a_hole_in_what_the_camera_kept_makes_two_runs(bench: Bench) -> None:
    piece = bench.card.pieces[0]
    first = [one for one in piece.pictures if one.ticks < 16 * 90_000]
    later = [one for one in piece.pictures if one.ticks >= 24 * 90_000]
    bench.card.pieces = [replace(piece, pictures=first), replace(piece, pictures=later)]
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, len(answer.runs)) == (Outcome.PART, 2)
        [left] = reading(site).gaps
        assert abs(left.span.duration - 8 * SECOND) < SECOND // 2
        assert_clean(site)


def test_packets_that_are_lost_once_are_asked_for_again_at_once(bench: Bench, tmp_path: Path) -> None:
    bench.card.loses = {250}
    bench.card.loses_once = True
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, len(answer.runs), answer.lost) == (Outcome.FILLED, 2, 1)
        assert reading(site).gaps == ()
        shown = numbered.numbers(numbered.read_numbers(backfilled.run_file(site, answer.runs[1:], tmp_path)))
        assert shown == list(range(shown[0] or 0, (shown[-1] or 0) + 1))
        assert_clean(site)


def test_a_hole_of_lost_packets_stays_a_gap_and_is_never_called_filled(bench: Bench) -> None:
    bench.card.loses = {250}
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.PART, "replay_packets_lost")
        [left] = reading(site).gaps
        assert MISSING.start < left.span.start < left.span.end < MISSING.end
        assert left.span.duration <= GOP * SECOND // FPS
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code, answer.runs) == (Outcome.NO_ANSWER, "replay_packets_lost", ())
        bench.card.loses = set()
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.FILLED
        assert reading(site).gaps == ()
        assert_clean(site)


def ffmpeg_that(folder: Path, *lines: str) -> Binary:
    """A program in FFmpeg's place."""
    path = folder / "ffmpeg-that"
    path.write_text("\n".join(lines))
    path.chmod(0o755)
    return replace(find_ffmpeg(), path=path)


ASKS = (
    f"#!{sys.executable}", "import socket, sys",
    "url = sys.stdin.read().split(\"file '\")[1].split(\"'\")[0]",
    "host, _, port = url.split('/')[2].partition(':')",
    "talk = socket.create_connection((host, int(port)))",
    "talk.sendall(f'DESCRIBE {url} RTSP/1.0\\r\\nCSeq: 1\\r\\n\\r\\n'.encode())",
    "talk.recv(4096)", "sys.exit('Invalid data found')",
)  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "outcome", "code"),
    [
        (("#!/bin/sh", "kill -9 $$"), Outcome.FAILED, "backfill_not_written"),
        (("#!/bin/sh", "echo no such library >&2", "exit 127"), Outcome.FAILED, "backfill_not_written"),
        (("#!/absent/interpreter",), Outcome.FAILED, "backfill_not_written"),
        (ASKS, Outcome.REFUSED, "replay_unreadable"),
    ],
)
def test_a_fault_of_this_host_is_not_the_cameras_refusal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], outcome: Outcome, code: str
) -> None:
    with bench.site() as site:
        with monkeypatch.context() as patch:
            patch.setattr(ops_backfilling, "find_ffmpeg", lambda: ffmpeg_that(bench.folder, *lines))
            [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code, answer.runs) == (outcome, code, ())
        assert len(reading(site).gaps) == 1
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.FILLED
        assert_clean(site)


def test_a_disk_that_is_full_is_not_the_cameras_refusal(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.site() as site:
        asked: list[int] = []

        def spares(_: Spool, size: int) -> bool:
            asked.append(size)
            return len(asked) <= 2  # before the camera is asked, and before its stretch

        monkeypatch.setattr(Spool, "spares", spares)
        monkeypatch.setattr(ops_backfilling, "find_ffmpeg", lambda: ffmpeg_that(bench.folder, *ASKS))
        with pytest.raises(StoreFull):
            backfilled.ask(site)
        assert len(reading(site).gaps) == 1
        assert_clean(site)


def test_a_disk_that_fails_is_not_the_cameras_refusal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(_path: Path, _content: bytes) -> None:
        raise Unavailable("the disk failed", code="spool_unavailable")

    monkeypatch.setattr(fetching, "write_durably", failing)
    monkeypatch.setattr(ops_backfilling, "find_ffmpeg", lambda: ffmpeg_that(bench.folder, *ASKS))
    with bench.site() as site:
        with pytest.raises(Unavailable) as caught:
            backfilled.ask(site)
        assert caught.value.code == "spool_unavailable"
        assert len(reading(site).gaps) == 1
        assert_clean(site)


def test_a_replay_leaves_the_room_that_live_recording_needs_and_goes_on_later(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "_LOOKS_EVERY", 50_000)
    with bench.site() as site:
        with monkeypatch.context() as patch:
            patch.setattr(Spool, "spares", lambda _, size: size < 100_000)
            [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code, len(answer.runs)) == (Outcome.PART, "spool_full", 1)
        [left] = reading(site).gaps
        assert MISSING.start < left.span.start < left.span.end == MISSING.end
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.hole.span.start) == (Outcome.FILLED, left.span.start)
        assert reading(site).gaps == ()
        plays = bench.card.requests.count("PLAY")
        monkeypatch.setattr(Spool, "spares", lambda _, size: False)
        with pytest.raises(StoreFull):
            backfilled.ask(site, Timespan(EVER.start, SPAN.end))
        assert bench.card.requests.count("PLAY") == plays
        assert_clean(site)


def test_a_picture_that_is_falsely_marked_as_a_keyframe_is_no_beginning(bench: Bench) -> None:
    piece = bench.card.pieces[0]
    later = [one for one in piece.pictures if one.ticks > 20 * 90_000]
    assert not later[0].is_key
    bench.card.pieces = [replace(piece, pictures=[replace(later[0], is_key=True), *later[1:]])]
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, "replay_pictures_missing")
        assert len(reading(site).gaps) == 1
        assert_clean(site)


def test_another_picture_size_makes_another_run_and_refuses_nothing(bench: Bench, tmp_path: Path) -> None:
    piece = bench.card.pieces[0]
    other = backfilled.kept_piece(
        numbered.make_numbered("h264-nob", 40, tmp_path / "other.mp4"), piece.start, piece.codec
    )
    at = 22 * 90_000
    bench.card.pieces = [
        replace(piece, pictures=[
            *(one for one in piece.pictures if one.ticks < at),
            *(one for one in other.pictures if one.ticks >= at),
        ])
    ]  # fmt: skip
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code, len(answer.runs)) == (Outcome.FILLED, "", 2)
        assert reading(site).gaps == ()
        first, second = (site.index.run(one) for one in answer.runs)
        assert first is not None
        assert second is not None
        assert first.span.end == second.span.start == START + 22 * SECOND
        assert_clean(site)


def test_fewer_pictures_than_were_sent_fill_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = recorder_asking.keep_facts

    def one_more(folder: Path, facts: dict[str, Any]) -> None:
        kept(folder, facts | {"pictures": facts["pictures"] + 1})

    monkeypatch.setattr(recorder_asking, "keep_facts", one_more)
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, "replay_pictures_missing")
        assert len(reading(site).gaps) == 1
        assert_clean(site)


def fetched(
    card: Card, folder: Path, *, segment_seconds: int
) -> tuple[fetching.Fetched, list[Made], list[Timespan]]:
    """Six seconds of what a card has, as segments."""
    opened = CaptureFolder(folder)
    opened.path.mkdir()
    opened.acquire()
    with card_reader(card):
        fetcher = fetching.Fetcher(binary=find_ffmpeg(), clock=ManualClock(START), rate=50 << 20)
        source = parse_source(f"rtsp://admin:rahasia-1@127.0.0.1:{card.port}/1")
        asked = Timespan(START + SECOND, START + 7 * SECOND)
        found = asyncio.run(
            fetcher.fetch(
                source, asked, opened, within=EVER, segment_seconds=segment_seconds, has_room=lambda _: True
            )
        )
    opened.let_go()
    assert found is not None
    made = recorder_bringing.Bringer.make(cast("Any", None), opened, "it")
    return found, made, recorder_bringing.spans_of(made, found.begins)


@pytest.mark.parametrize("gop", [1, 2])
def test_a_camera_of_short_groups_keeps_its_times_in_short_segments(tmp_path: Path, gop: int) -> None:
    whole = numbered.make_numbered("h264-nob", 8, tmp_path / "whole.mp4", gop=gop)
    found, made, spans = fetched(card_with(kept_piece(whole, START)), tmp_path / "folder", segment_seconds=2)
    assert sum(one.finalised.frames for one in made) == found.pictures
    assert abs(spans[-1].end - found.ends - SECOND // FPS) < SECOND // 1000


@pytest.mark.parametrize(
    "second",
    [{}, {"has_own_marker": True}, {"has_own_marker": True, "has_own_mark": True}, {"has_own_times": True}],
)
def test_interlaced_pictures_of_two_fields_come_in_whole(tmp_path: Path, second: dict[str, Any]) -> None:
    """Each field is a sample, whatever the camera sends with the second one."""
    kept = KeptPiece(START, "h264", [Picture(number * 90_000, (), is_key=True) for number in range(11)])
    card = FieldCard(pieces=[kept], count=10 * fields.FPS, **second)
    found, made, spans = fetched(card, tmp_path / "folder", segment_seconds=10)
    assert found.pictures >= 2 * 6 * fields.FPS
    assert sum(one.finalised.frames for one in made) == found.pictures
    assert abs(spans[-1].end - found.ends) < 2 * SECOND // fields.FPS


def test_times_that_part_from_those_of_the_camera_are_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = recorder_asking.keep_facts

    def earlier(folder: Path, facts: dict[str, Any]) -> None:
        kept(folder, facts | {"end": facts["end"] - SECOND})

    monkeypatch.setattr(recorder_asking, "keep_facts", earlier)
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, "replay_times_jump")
        assert_clean(site)


def local_time(instant: int) -> str:
    """As some cameras write it: local time, and no zone."""
    return format_instant(instant + 8 * HOUR).removesuffix("Z")


def hours_ahead(instant: int) -> str:
    """Local time, and called UTC."""
    return format_instant(instant + 8 * HOUR)


def day_ahead(instant: int) -> str:
    return format_instant(instant + DAY)


@pytest.mark.parametrize("says", [local_time, hours_ahead])
def test_what_a_camera_says_in_local_time_hides_nothing_that_it_replays(
    bench: Bench, says: Callable[[int], str]
) -> None:
    bench.card.says_times = says
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.FILLED, "")
        assert_clean(site)


def test_pictures_of_another_time_than_was_asked_for_are_a_doubt_and_no_absence(bench: Bench) -> None:
    piece = bench.card.pieces[0]
    bench.card.pieces, bench.card.tells_no_times = [replace(piece, start=piece.start + 8 * HOUR)], True
    bench.card.replays_at = 8 * HOUR
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code, answer.runs) == (Outcome.REFUSED, "replay_times_doubtful", ())
        assert "479 minutes" in answer.reason
        assert len(reading(site).gaps) == 1


@pytest.mark.parametrize(
    ("card", "outcome", "code"),
    [
        ({"says_nothing": True, "tells_no_times": True}, Outcome.NOTHING_THERE, ""),
        ({"is_old": True}, Outcome.REFUSED, "replay_refused"),
        ({"account": ("admin", "lain")}, Outcome.REFUSED, "replay_login_refused"),
        ({"gone_after": 0}, Outcome.NO_ANSWER, "replay_broke_off"),
        ({"has_no_marks": True}, Outcome.REFUSED, "replay_without_times"),
        ({"rows": ["rec-2"]}, Outcome.REFUSED, "recording_not_clear"),
        ({"pieces": []}, Outcome.REFUSED, "no_recording"),
        ({"says_nothing": True, "says_times": local_time}, Outcome.REFUSED, "replay_times_doubtful"),
        ({"says_times": day_ahead}, Outcome.REFUSED, "replay_times_doubtful"),
        ({"says_nothing": True, "says_times": hours_ahead}, Outcome.NOTHING_THERE, ""),
    ],
)
def test_what_a_camera_does_not_give_is_told_apart(
    bench: Bench, card: dict[str, Any], outcome: Outcome, code: str
) -> None:
    for name, value in card.items():
        setattr(bench.card, name, value)
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code, answer.runs) == (outcome, code, ())
        assert len(reading(site).gaps) == 1
        assert_clean(site)


def test_a_camera_that_does_not_answer_says_nothing_about_what_it_has(bench: Bench) -> None:
    bench.camera.odd = "html"
    with bench.site() as site:
        [answer] = backfilled.ask(site)
    assert answer.outcome is Outcome.REFUSED
    bench.camera.odd = ""
    with bench.site() as site, patched_port(bench):
        [answer] = backfilled.ask(site)
    assert (answer.outcome, answer.code) == (Outcome.NO_ANSWER, "replay_no_answer")


def test_what_broke_off_is_kept_and_the_rest_is_asked_for_again(bench: Bench) -> None:
    bench.card.gone_after = 150
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.PART
        [left] = reading(site).gaps
        bench.card.gone_after = None
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.hole.span.start) == (Outcome.FILLED, left.span.start)
        assert reading(site).gaps == ()
        assert_clean(site)


def test_killed_between_fetching_and_archiving_it_goes_on(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, done = Ingest.store, 0

    def failing(self: Ingest, spooled: SpooledLeaf) -> None:
        nonlocal done
        done += 1
        if done > 3:
            raise Unavailable("the store went away", code="store_unavailable")
        store(self, spooled)

    with bench.site() as site:
        with monkeypatch.context() as patch:
            patch.setattr(recorder_bringing, "AT_ONCE", 1)
            patch.setattr(Ingest, "store", failing)
            with pytest.raises(Unavailable):
                backfilled.ask(site)
        plays = bench.card.requests.count("PLAY")
        assert backfilled.ask(site) == [], "what was fetched comes in first, and nothing is missing then"
        assert bench.card.requests.count("PLAY") == plays
        assert reading(site).gaps == ()
        assert len([one for one in leaves_of(site, "backfill") if isinstance(one, Run)]) == 1
        assert_clean(site)


def test_what_was_fetched_in_part_is_removed(bench: Bench) -> None:
    with bench.site() as site:
        folder = (
            site.settings.spool_dir.with_name("spool-backfill") / "cameras" / "kam-1" / "6b06795f0a1b2c3d"
        )
        folder.mkdir(parents=True)
        (folder / "000000.raw.mp4").write_bytes(b"torn")
        [answer] = backfilled.ask(site)
        assert answer.outcome is Outcome.FILLED
        assert not folder.exists()
        assert_clean(site)


def test_a_group_of_pictures_that_began_long_before_the_hole_is_brought_in(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The group before the hole lies where there is footage already, however long it is."""
    monkeypatch.setattr(recorder_asking, "_LONGEST_OVERLAP", SECOND)
    piece = bench.card.pieces[0]
    first, *rest = [one for one in piece.pictures if one.ticks < 32 * 90_000]
    at = 12 * 90_000  # 2 s into the hole
    bench.card.pieces = [
        replace(
            piece, pictures=[first, *(replace(one, is_key=one.is_key and one.ticks >= at) for one in rest)]
        )
    ]
    with bench.site() as site:
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.FILLED, "")
        [run] = answer.runs
        assert min(one.span.start for one in site.index.segments("kam-1", EVER) if one.run == run) == START
        assert reading(site).gaps == ()
        assert_clean(site)


def test_footage_of_another_time_than_asked_for_is_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_asking, "_LONGEST_OVERLAP", 3 * SECOND)
    with bench.site() as site:
        keep = Asker._keep

        def shifted(self: Asker, memory: Any, hole: Any, asked: Timespan, fetched: Any, folder: Path) -> None:
            far = replace(fetched, begins=fetched.begins + 15 * SECOND, ends=fetched.ends + 15 * SECOND)
            keep(self, memory, hole, asked, far, folder)

        monkeypatch.setattr(Asker, "_keep", shifted)
        [answer] = backfilled.ask(site)
        assert (answer.outcome, answer.code) == (Outcome.REFUSED, "backfill_overlaps")
        assert len(reading(site).gaps) == 1
        assert_clean(site)


@contextmanager
def patched_port(bench: Bench) -> Iterator[None]:
    """The card's replay is on a port where nobody listens."""
    port, bench.card.port = bench.card.port, 9
    try:
        yield
    finally:
        bench.card.port = port


def test_the_command_says_one_sentence_for_each_hole_and_puts_it_on_record(bench: Bench) -> None:
    bench.camera.clock = time.time  # the command takes the time from the machine
    saksi = CommandLine(bench.folder / "site", {"SAKSI_CAMERA_NETWORKS": "127.0.0.1/32"})
    words = ["backfill", "--camera", "kam-1", "--since", "1000000h", "--reason", "laporan"]
    done = saksi(*words)
    assert done.code == 1, done.err
    before, hole = done.out.splitlines()
    # Its clock is known to half a second: of the hour before its recording a few pictures may come.
    assert "the camera says that it has none of it" in before or "filled in part with" in before
    # From the keyframe before the hole to the one after it: 300 pictures are missing, and 30 make a group.
    assert (said := re.search(r"filled with (\d+) pictures", hole)), hole
    assert 300 <= int(said[1]) <= 300 + 2 * 30
    again = saksi(*words, "--json")
    assert len(again.json["holes"]) == 1, "only the hour before"
    with bench.site() as site:
        found = [site.stores.records.get(one.key) for one in site.stores.records.list("custody/")]
        acts = [json.loads(line) for content in found for line in content.splitlines()]
        told = [one["details"]["outcome"] for one in acts if one.get("type") == "backfill.asked"]
        assert len(told) == 3
        assert told.count("filled") == 1
    refused = saksi("backfill", "--device", "10.0.0.1", "--json")
    assert (refused.code, refused.problem["code"]) == (2, "bad_request")
