"""Segments of a recorder that is gone get a signed line from another: all of them, once, and as they are."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import keys
from archive.errors import IntegrityError, Malformed, Unavailable
from archive.integrity.adoption import Signer
from archive.integrity.adoption.silence import WATCHED, Silence
from archive.integrity.adoption.whole import MAX_HEADER, check_whole
from archive.integrity.rebuild.sync import Sync
from archive.lifecycle.disposition.walk import own_leaf
from archive.model.custody import CustodyEvent
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.segment import Segment
from archive.ports import Content, ObjectVersion
from archive.records import journal
from archive.records.custody import read
from archive.records.journal import Batch
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from ops.settings import Settings
from recorder import identity
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.support.adopting import BOUND, SKEWED, Bereft
from tests.support.archives import RECORDER_KEY, camera_form, small_archive
from tests.support.leaves import RUN, T0
from tests.support.packages import FRAMES, segment_bytes

WHOLE = Timespan(T0, T0 + DAY)


def bereft(folder: Path, *, signed: int = 4, lost: set[int] | None = None, stored: int = 8) -> Bereft:
    """``rec-1`` signed for its first segments, stored some more, and was gone."""
    archive = small_archive(folder / "archive")
    archive.registry.add(camera_form(), actor="os:tester")
    archive.register_recorder()
    kept = []
    for number in range(stored):
        archive.clock.wall = T0 + (number * 10 + 11) * SECOND
        if number not in (lost or ()):
            kept.append(archive.keep(number))
        if number == signed - 1:
            archive.write_journal([leaf for leaf in kept if leaf.seq < signed])
    made = Bereft(archive, folder, archive.clock.wall)
    made.beat()
    return made


def segments(batch: Batch) -> list[Segment]:
    return [leaf for leaf in batch.leaves if isinstance(leaf, Segment)]


def test_what_lacks_a_line_gets_one_as_it_is(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    assert site.check().without_a_line == [f"{RUN}: 4"]
    assert site.adopt() == 4
    adopted = [batch for batch in site.batches() if batch.origin == "adopted"]
    assert [(one.recorder, [leaf.seq for leaf in segments(one)]) for one in adopted] == [
        ("rec-2-adopted", [4, 5, 6, 7])
    ]
    assert all(leaf.recorder == "rec-1" for leaf in adopted[0].leaves)
    for leaf in adopted[0].leaves:
        assert isinstance(leaf, Segment)
        head = site.archive.stores.footage.head(leaf.key)
        assert [head.metadata["leaf"].encode()] == [line for _, line in site.lines()[leaf.run, leaf.seq]]
    report = site.check()
    assert (report.breaches, report.adopted, report.without_a_line) == ([], {"rec-1": 4}, [])
    assert site.archive.index.cursor("rec-2-adopted") == 1
    [act] = [one for one in read(site.archive.stores.records, Timespan(T0, T0 + DAY)) if "adopt" in one.type]
    assert (act.objects, act.actor.id) == (("cam-1",), "recorder:rec-2-adopted")
    assert (act.details["recorder"], act.details["segments"]) == ("rec-1", 4)


def test_nothing_is_adopted_twice(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    job = site.job()
    assert [job.run(), job.run()] == [4, 0]
    assert [site.adopt(), site.adopt("rec-3")] == [0, 0], "neither by its next process nor by another host"
    assert all(len(lines) == 1 for lines in site.lines().values())


def test_a_recorder_of_cameras_cannot_sign_for_another(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    key, name = site.key("rec-9"), "rec-9"
    identity.register(site.archive.ledger, name, key.public_key())
    for number, origin in enumerate(("adopted", "recorder"), 1):
        data = journal.encode(
            _leaves(site)[4:], recorder=name, batch=number, prev=journal.GENESIS, at=site.now, key=key,
            origin=origin,
        )  # fmt: skip
        site.archive.stores.records.put(keys.journal_key(name, number, site.now), Content.of_bytes(data))
    report = site.check()
    assert (report.adopted, report.without_a_line) == ({}, [f"{RUN}: 4"])


def test_a_recorder_that_cannot_be_looked_at_keeps_no_other_waiting(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    identity.register(site.archive.ledger, "rec-0", site.key("rec-0").public_key())
    site.archive.index.put_heartbeat("rec-0", site.now, {"cameras": {"no/camera's name": {}}})
    job = site.job()
    with pytest.raises(Malformed):
        job.run()
    assert len([one for one in site.batches() if one.origin == "adopted"]) == 1


@pytest.mark.parametrize(
    "name", ["rec-1_zzz", "rec-1_0000000009.jsonl.part", "rec-1_x/rec-2_0000000001.jsonl"]
)
def test_an_object_that_is_no_batch_keeps_nothing_from_being_adopted(tmp_path: Path, name: str) -> None:
    """It may be another's: an account may put any name that has its own in it."""
    site = bereft(tmp_path)
    job = site.job()
    folder = keys.journal_key("rec-1", 1, site.now).rpartition("/")[0]
    site.archive.stores.records.put(f"{folder}/{name}", Content.of_bytes(b"{}"))
    site.archive.stores.records.put("ledger/recorder/rec-1/a.tmp", Content.of_bytes(b"{}"))
    assert job.run() == 4


def test_a_fresh_index_has_it_from_the_line(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    site.adopt()
    index = open_sqlite(tmp_path / "fresh.sqlite")
    report = rebuild_index(site.archive.stores, index)
    assert (report.segments, report.adopted, report.left_out) == (8, 0, [])
    assert [one.seq for one in index.segments("cam-1", WHOLE)] == list(range(8))
    assert index.cursor("rec-2-adopted") == 1


@pytest.mark.parametrize("first", ["the adopter", "the recorder"])
def test_a_recorder_that_comes_back_says_the_same(tmp_path: Path, first: str) -> None:
    site = bereft(tmp_path)
    job = site.job()
    own = [leaf for batch in site.batches() for leaf in batch.leaves]
    kept = [leaf for leaf in _leaves(site) if leaf not in own]
    if first == "the adopter":
        assert job.run() == 4
        site.returns(kept)
        signed = {"adopted", "recorder"}
    else:
        site.returns(kept)
        assert job.run() == 0, "its batch is a sign of life"
        signed = {"recorder"}
    for (_, seq), lines in site.lines().items():
        assert len({line for _, line in lines}) == 1, "one leaf"
        if seq >= 4:
            assert {origin for origin, _ in lines} == signed
    report = site.check()
    assert (report.breaches, report.adopted, report.without_a_line) == ([], {}, [])
    assert [one.seq for one in site.archive.index.segments("cam-1", WHOLE)] == list(range(8))


def test_a_recorder_that_signs_while_it_is_adopted_says_the_same(tmp_path: Path) -> None:
    """Its batch comes after the adopter has read its journal, and before the adopter signs."""
    site = bereft(tmp_path)
    job, kept = site.job(), _leaves(site)[4:]
    record = job.record

    def interrupted(*given: object, **named: object) -> object:
        site.returns(kept)
        return record(*given, **named)  # type: ignore[arg-type]

    job.record = interrupted
    assert job.run() == 4
    assert all(len({line for _, line in lines}) == 1 for lines in site.lines().values())
    assert site.check().breaches == []


def test_of_two_adopters_the_second_leaves_what_the_first_signed_while_it_read(tmp_path: Path) -> None:
    """To read the segments takes long, and another host began at the same time."""
    site = bereft(tmp_path, lost={5})
    job, other, turns = site.job(), site.job("rec-3"), list[int]()

    def examine(_leaf: Segment, _content: Iterable[bytes]) -> None:
        if not turns:
            turns.append(other.run())

    job.examine = examine
    assert (job.run(), turns) == (0, [3])
    assert all(len(lines) == 1 for lines in site.lines().values())
    assert len(acts(site)) == 1


def test_two_adopters_that_sign_at_one_moment_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both read that nobody signed; then both sign. One segment has one leaf, one number has one gap."""
    site = bereft(tmp_path, lost={5})
    job, other = site.job(), site.job("rec-3")
    sign, turns = Signer.sign, list[int]()

    def overtaken(signer: Signer, *given: Any) -> None:
        if signer.name == "rec-2-adopted":
            turns.append(other.run())
        sign(signer, *given)

    monkeypatch.setattr(Signer, "sign", overtaken)
    assert (job.run(), turns) == (3, [3])
    both = {seq: lines for (_, seq), lines in site.lines().items() if seq > 4}
    assert [len(lines) for lines in both.values()] == [2, 2]
    gaps = [leaf for batch in site.batches() for leaf in batch.leaves if isinstance(leaf, Gap)]
    assert [(one.gap, one.span, one.cause) for one in gaps] == [
        (gaps[0].gap, gaps[0].span, gaps[0].cause)
    ] * 2
    assert all(len({line for _, line in lines}) == 1 for lines in both.values())
    report = site.check()
    assert (report.breaches, report.adopted, report.without_a_line) == ([], {"rec-1": 3}, [])
    index = open_sqlite(tmp_path / "fresh.sqlite")
    rebuild_index(site.archive.stores, index)
    for one in (site.archive.index, index):
        assert [found.seq for found in one.segments("cam-1", WHOLE)] == [0, 1, 2, 3, 4, 6, 7]
        [gap] = one.gaps("cam-1", WHOLE)
        assert (gap.span, gap.cause) == (Timespan(T0 + 50 * SECOND, T0 + 60 * SECOND), GapCause.UPLOAD_LOST)
    assert {one.actor.id for one in acts(site)} == {"recorder:rec-3-adopted", "recorder:rec-2-adopted"}
    assert len({(one.objects, tuple(one.details.items())) for one in acts(site)}) == 1
    assert [site.adopt(), site.adopt("rec-3"), site.adopt("rec-4")] == [0, 0, 0]


def test_a_process_that_ends_after_it_recorded_an_act_is_followed_by_one_that_records_it_again(
    tmp_path: Path,
) -> None:
    """The record says who was about to sign what: nothing is signed without it, and twice is no other act."""
    site = bereft(tmp_path)
    job = site.job()
    record = job.record

    class Ended(BaseException):
        pass

    def ending(*given: Any, **named: Any) -> object:
        record(*given, **named)
        raise Ended

    job.record = ending
    with pytest.raises(Ended):
        job.run()
    assert not any(batch.origin == "adopted" for batch in site.batches())
    assert site.adopt() == 4
    assert all(len(lines) == 1 for lines in site.lines().values())
    assert len(acts(site)) == 2
    assert len({(one.actor, one.objects, tuple(one.details.items())) for one in acts(site)}) == 1


def test_a_number_that_was_never_stored_becomes_a_gap(tmp_path: Path) -> None:
    site = bereft(tmp_path, lost={5})
    assert "run_has_holes" not in {one.code for one in site.check().breaches}, "nobody knows of it yet"
    assert site.adopt() == 3
    [gap] = site.archive.index.gaps("cam-1", WHOLE)
    assert (gap.recorder, gap.cause) == ("rec-2-adopted", GapCause.UPLOAD_LOST)
    assert gap.gap == id_for_segment(GapCause.UPLOAD_LOST, RUN, 5)
    assert gap.span == Timespan(T0 + 50 * SECOND, T0 + 60 * SECOND)
    assert site.check().breaches == []


def test_what_the_archive_has_is_not_called_lost(tmp_path: Path) -> None:
    """One line came hours late, so the last batches have its number and not those that followed it."""
    archive = small_archive(tmp_path / "archive")
    archive.registry.add(camera_form(), actor="os:tester")
    archive.register_recorder()
    late, *early = (archive.keep(number) for number in range(4))
    archive.write_journal(early)
    archive.clock.wall = T0 + 3 * HOUR
    archive.begin = archive.clock.wall - 4 * SECOND * 10
    archive.write_journal([late, archive.keep(4)])
    archive.clock.wall += 30 * SECOND
    archive.keep(5)
    site = Bereft(archive, tmp_path, archive.clock.wall)
    site.beat()
    assert site.adopt() == 1
    assert site.archive.index.gaps("cam-1", WHOLE) == ()


@pytest.mark.parametrize("after", range(4))
def test_a_gap_is_signed_though_a_step_failed_between_it_and_the_segments(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is adopted makes nobody look again: the gaps may not be what is left."""
    site = bereft(tmp_path, lost={5})
    job, calls = site.job(), iter([True] * after + [False])
    sign = Signer.sign

    def interrupted(signer: Signer, *given: Any) -> None:
        if not next(calls, True):
            raise Unavailable("away", code="store_unreachable")
        sign(signer, *given)

    monkeypatch.setattr("archive.integrity.adoption.job._AT_ONCE", 1)
    monkeypatch.setattr(Signer, "sign", interrupted)
    with pytest.raises(Unavailable):
        job.run()
    job.run()
    assert [one.cause for one in site.archive.index.gaps("cam-1", WHOLE)] == [GapCause.UPLOAD_LOST]
    gaps = [leaf for batch in site.batches() for leaf in batch.leaves if isinstance(leaf, Gap)]
    assert len(gaps) == 1
    assert site.check().breaches == []


@pytest.mark.parametrize("cause", [GapCause.UPLOAD_LOST, GapCause.SET_ASIDE])
def test_a_gap_that_the_recorder_signed_itself_is_not_signed_again(tmp_path: Path, cause: GapCause) -> None:
    site = bereft(tmp_path, lost={5}, signed=0)
    site.archive.write_journal(
        [
            _leaves(site)[0],
            Gap(
                camera="cam-1", recorder="rec-1", gap=id_for_segment(cause, RUN, 5),
                span=Timespan(T0 + 50 * SECOND, T0 + 60 * SECOND), cause=cause, ingested_at=T0,
            ),
        ]
    )  # fmt: skip
    assert site.adopt() == 6
    assert site.archive.index.gaps("cam-1", WHOLE) == ()


def test_bytes_that_are_not_the_segment_are_not_adopted(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    bad = _leaves(site)[5]

    def examine(leaf: Segment, _pieces: Iterable[bytes]) -> None:
        if leaf.seq == 5:
            raise IntegrityError("altered", code="bytes_differ")

    site.examine = examine
    assert site.adopt() == 3
    assert site.told == [(bad.key, "bytes_differ")]
    assert (bad.run, 5) not in site.lines()
    assert [one.code for one in site.check().breaches] == ["run_has_holes"], "and nobody calls it lost"


def test_who_gives_a_sign_is_not_gone(tmp_path: Path) -> None:
    site = bereft(tmp_path)
    job = site.job()
    site.archive.index.put_heartbeat("rec-1", site.now + 1, {"cameras": {"cam-1": {}}})
    assert job.run() == 0, "it was heard a moment ago"
    site.clock.advance(MINUTE)
    site.archive.clock.wall = site.clock.now()
    site.archive.keep(8)
    assert job.run() == 0, "it stores, though the index does not hear it"
    site.clock.advance(BOUND)
    assert job.run() == 5


def test_one_that_the_index_has_not_heard_for_long_is_alive_by_its_batches(tmp_path: Path) -> None:
    """Its account of the index ended hours ago; it goes on to store and to sign."""
    site = bereft(tmp_path)
    job = site.job()
    site.clock.advance(5 * HOUR)
    site.archive.clock.wall = site.clock.now() - 2 * MINUTE
    site.returns([])
    assert job.run() == 0


@pytest.mark.parametrize("ahead", [2 * HOUR, 20 * HOUR])
def test_one_whose_clock_is_ahead_is_alive_by_batches_of_a_later_hour(tmp_path: Path, ahead: int) -> None:
    """The index does not hear it; its batches have the hours of its own clock, and the store's true time."""
    site = bereft(tmp_path)
    site.archive.index.put_heartbeat("rec-1", site.now + ahead, {"cameras": {"cam-1": {}}})
    job = site.job()
    site.clock.advance(BOUND)
    site.archive.clock.wall = site.clock.now() - 2 * MINUTE
    key = keys.journal_key("rec-1", 2, site.archive.clock.wall + ahead)
    data = site.archive.encode(
        [_leaves(site)[4]], recorder="rec-1", batch=2, prev=site.archive.prev, key=RECORDER_KEY,
        at=site.archive.clock.wall + ahead,
    )  # fmt: skip
    site.archive.stores.records.put(key, Content.of_bytes(data))
    assert job.run() == 0
    assert not any(batch.origin == "adopted" for batch in site.batches())


def test_an_adopter_whose_clock_is_ahead_takes_no_living_recorder_for_dead(tmp_path: Path) -> None:
    """The index does not hear it. A store takes no request from a clock that is further ahead."""
    [least] = Settings.model_fields["adopt_after_minutes"].metadata
    site = bereft(tmp_path)
    job = site.job()
    job.bound = least.ge * MINUTE
    site.clock.advance(HOUR)
    site.archive.clock.wall = site.clock.now() - SKEWED - 2 * MINUTE
    site.archive.write_journal([])
    site.archive.keep(8)
    assert job.run() == 0
    site.clock.advance(least.ge * MINUTE)
    assert job.run() > 0, "and then it died"


def test_what_was_stored_while_the_index_was_away_is_adopted_too(tmp_path: Path) -> None:
    """The last heartbeat is five hours older than the recorder's last batch and its last segment."""
    site = bereft(tmp_path)
    later = 5 * HOUR
    site.archive.begin = T0 + later
    site.archive.clock.wall = T0 + later + 90 * SECOND
    site.archive.write_journal([*_leaves(site)[4:], site.archive.keep(8)])
    site.archive.clock.advance(MINUTE)
    site.archive.keep(9)
    site.clock.advance(later + BOUND)
    assert site.adopt() == 1
    assert {seq for _, seq in site.lines()} == set(range(10))


def test_a_recorder_without_heartbeats_is_known_by_its_journal(tmp_path: Path) -> None:
    """The index was built anew, and heartbeats have nothing behind them."""
    site = bereft(tmp_path)
    site.archive.index = open_sqlite(tmp_path / "fresh.sqlite")
    assert site.adopt() == 4


def test_what_waited_in_the_spool_is_found_where_it_began(tmp_path: Path) -> None:
    """The store was away for five hours; the recorder died while it brought what had waited."""
    site = bereft(tmp_path)
    site.archive.clock.wall = site.now = site.now + 5 * HOUR
    site.archive.keep(8)
    site.clock.advance(5 * HOUR)
    site.beat(oldest_us=5 * HOUR)
    assert site.adopt() == 5


@pytest.mark.parametrize("said", [-(10**18), 10**18, "long", None, [1]])
def test_a_heartbeat_that_says_nonsense_keeps_nothing_from_being_adopted(
    tmp_path: Path, said: object
) -> None:
    """Who can write into the index can write heartbeats of others."""
    site = bereft(tmp_path)
    site.archive.index.put_heartbeat("rec-1", site.now, {"oldest_us": said, "cameras": said})
    assert site.adopt() == 4


def test_what_came_long_after_a_recorders_last_sign_is_not_adopted(tmp_path: Path) -> None:
    """It is not of that recorder: whoever may put segments may put one with its name."""
    site = bereft(tmp_path)
    site.archive.clock.wall = site.now + BOUND + HOUR + 1
    late = site.archive.keep(8)
    site.clock.advance(2 * HOUR + BOUND)
    assert site.adopt() == 4
    assert (late.run, late.seq) not in site.lines()
    assert site.told == [(late.key, "stored_after_silence")]


@pytest.mark.parametrize("after", ["logbook", "index", "seal", "upload"])
def test_a_process_that_ends_midway_is_followed_by_one_that_ends_it(
    tmp_path: Path, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Ended(BaseException):
        pass

    def end(*_given: object, **_named: object) -> None:
        raise Ended

    site = bereft(tmp_path)
    job = site.job()
    signer = site.signer()
    job.signer = lambda: signer
    with monkeypatch.context() as patch:
        match after:
            case "logbook":
                patch.setattr(site.archive.index, "add", end)
            case "index":
                patch.setattr(signer.logbook, "seal", end)
            case "seal":
                patch.setattr(signer.logbook, "upload", end)
            case _:
                patch.setattr(site.archive.index, "advance_cursor", end)
        with pytest.raises(Ended):
            job.run()
    site.adopt()
    assert all(len(lines) == 1 for lines in site.lines().values())
    report = site.check()
    assert (report.breaches, report.adopted) == ([], {"rec-1": 4})
    Sync(site.archive.stores, site.archive.index, site.clock).run()
    assert site.archive.index.cursor("rec-2-adopted") == 1


def test_a_signer_is_made_once_though_the_store_is_away_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It locks its folder for as long as the process lives: a second one would be refused for ever."""
    site = bereft(tmp_path)
    job, made = site.job(), list[Signer]()

    def signer() -> Signer:
        made.append(site.signer())
        return made[-1]

    job.signer = signer
    with monkeypatch.context() as patch:
        patch.setattr(Signer, "take_up", _away)
        with pytest.raises(Unavailable):
            job.run()
    assert job.run() == 4
    assert len(made) == 1


@pytest.mark.parametrize("fails", ["index", "upload"])
def test_a_line_is_written_once_though_a_step_after_it_failed(
    tmp_path: Path, fails: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = bereft(tmp_path)
    job, signer = site.job(), site.signer()
    job.signer = lambda: signer
    with monkeypatch.context() as patch:
        if fails == "index":
            patch.setattr(site.archive.index, "add", _away)
        else:
            patch.setattr(signer.logbook, "upload", _away)
        for _ in range(2):
            with pytest.raises(Unavailable):
                job.run()
    job.run()
    assert [one.details["segments"] for one in acts(site)] == [4], "one act, however often it was tried"
    assert all(len(lines) == 1 for lines in site.lines().values())
    assert [one.seq for one in site.archive.index.segments("cam-1", WHOLE)] == list(range(8))
    assert site.check().breaches == []


@settings(max_examples=20)
@given(
    fates=st.lists(st.sampled_from(["signed", "left", "lost"]), min_size=2, max_size=9),
    back=st.sets(st.integers(0, 8)),
    turns=st.lists(st.sampled_from(["rec-2", "rec-3", "back"]), min_size=1, max_size=4),
)
def test_whatever_was_left_has_one_leaf_in_the_end(
    tmp_path_factory: pytest.TempPathFactory, fates: list[str], back: set[int], turns: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("adopted")
    try:
        lost = {number for number, fate in enumerate(fates) if fate == "lost"}
        archive = small_archive(folder / "archive")
        archive.registry.add(camera_form(), actor="os:tester")
        archive.register_recorder()
        kept = {number: archive.keep(number) for number in range(len(fates)) if number not in lost}
        archive.clock.wall = T0 + 100 * SECOND
        signed = [leaf for number, leaf in kept.items() if fates[number] == "signed"]
        if signed:
            archive.write_journal(signed)
        site = Bereft(archive, folder, archive.clock.wall)
        site.beat()
        returned = False
        for turn in turns:
            if turn != "back":
                site.adopt(turn)
            elif not returned:
                returned = True
                rest = [leaf for leaf in kept.values() if leaf not in signed]
                waits = [leaf for leaf in rest if leaf.seq in back]
                if waits:
                    site.returns(waits)
                    oldest = min(leaf.ingested_at for leaf in rest)
                    site.now = archive.clock.wall
                    site.beat(oldest_us=site.now - oldest)
        site.clock.advance(BOUND)
        site.adopt()
        assert {seq for _, seq in site.lines()} == set(kept)
        assert all(len({line for _, line in lines}) == 1 for lines in site.lines().values())
        assert [one.seq for one in archive.index.segments("cam-1", WHOLE)] == sorted(kept)
        assert {one.code for one in site.check().breaches} <= {"run_has_holes", "unexplained"}
        assert site.check().without_a_line == []
        assert site.adopt() == 0
    finally:
        shutil.rmtree(folder)


@given(
    beats=st.lists(st.tuples(st.integers(0, 200), st.booleans()), min_size=1, max_size=30),
    bound=st.integers(10, 100),
    ahead=st.integers(-200, 10_000),
)
def test_only_who_was_watched_and_stayed_silent_is_silent(
    beats: list[tuple[int, bool]], bound: int, ahead: int
) -> None:
    """Minutes pass; a beat may come in each. Who is silent had an old beat that we have seen for long.

    The recorder's clock is ``ahead``: what it said last is old once it was seen for so long.
    """
    silence, now, seen, since = Silence(bound * MINUTE), 10**12, -1, 0
    heard = now + ahead * MINUTE
    for passes, beat in beats:
        now += passes * MINUTE
        if beat:
            heard = now + ahead * MINUTE
        if heard != seen:
            seen, since = heard, now
        found = silence.silent({"rec-1"}, {"rec-1": heard}, now, now)
        old = now - min(heard, since) >= bound * MINUTE
        assert (found == ["rec-1"]) == (old and now - since >= WATCHED)


@pytest.mark.parametrize("ahead", [2 * HOUR, 40 * DAY, 4000 * DAY])
def test_a_recorder_whose_clock_ran_ahead_and_that_died_is_not_alive_until_that_time(
    tmp_path: Path, ahead: int
) -> None:
    """Its heartbeat has the time of its own clock."""
    site = bereft(tmp_path)
    beat = site.now + ahead
    site.archive.index.put_heartbeat("rec-1", beat, {"cameras": {"cam-1": {}}})
    job = site.job()
    assert job.run() == 0, "it was seen first a minute ago"
    site.clock.advance(BOUND - 2 * MINUTE)
    assert job.run() == 0
    site.clock.advance(MINUTE)
    assert job.run() == 4


def test_what_a_recorder_stored_under_the_names_of_a_later_time_is_adopted(tmp_path: Path) -> None:
    """Its batches and segments, too, have the time of its own clock; the store has the true one."""
    site = bereft(tmp_path)
    ahead = 5 * HOUR
    site.archive.begin = T0 + ahead
    data = site.archive.encode(
        [*_leaves(site)[4:], site.archive.keep(8)], recorder="rec-1", batch=2, prev=site.archive.prev,
        at=site.now + ahead, key=RECORDER_KEY,
    )  # fmt: skip
    key = keys.journal_key("rec-1", 2, site.now + ahead)
    site.archive.stores.records.put(key, Content.of_bytes(data))
    site.archive.clock.advance(MINUTE)
    site.archive.keep(9)
    site.archive.index.put_heartbeat("rec-1", site.now + ahead, {"cameras": {"cam-1": {}}})
    job = site.job()
    site.clock.advance(BOUND)
    assert job.run() == 1
    assert {seq for _, seq in site.lines()} == set(range(10))


def test_a_segment_is_whole_only_as_its_leaf_says(tmp_path: Path) -> None:
    content, header = segment_bytes(Random(1), 5_000)  # noqa: S311 - invented samples
    leaf = replace(small_archive(tmp_path).keep(0, content=content), header_bytes=header, frames=FRAMES)
    for length in (1, header - 1, header, header + 1, len(content)):
        check_whole(leaf, pieces(content, length))
    for wrong, code in (
        (replace(leaf, frames=leaf.frames + 1), "segment_not_whole"),
        (replace(leaf, header_bytes=leaf.header_bytes - 1), "segment_not_whole"),
        (replace(leaf, header_bytes=leaf.header_bytes + 1), "segment_not_whole"),
        (replace(leaf, header_bytes=leaf.size + 1), "segment_not_whole"),
        (replace(leaf, sha256="0" * 64), "bytes_differ"),
    ):
        with pytest.raises(IntegrityError) as refused:
            check_whole(wrong, pieces(content, 1000))
        assert refused.value.code == code
    for other in (content[:-1], content + b"."):
        with pytest.raises(IntegrityError) as refused:
            check_whole(leaf, pieces(other, 1000))
        assert refused.value.code == "bytes_differ"


def test_of_what_is_too_long_no_more_is_read_than_the_leaf_says(tmp_path: Path) -> None:
    leaf, read = small_archive(tmp_path).keep(0), list[bytes]()

    def long() -> Iterator[bytes]:
        for _ in range(1000):
            read.append(b"." * 100)
            yield read[-1]

    with pytest.raises(IntegrityError):
        check_whole(leaf, long())
    assert sum(map(len, read)) <= leaf.size + 100
    with pytest.raises(IntegrityError):
        check_whole(replace(leaf, header_bytes=MAX_HEADER + 1, size=1 << 50), long())
    assert sum(map(len, read)) <= leaf.size + 100, "of a header that is too long nothing"


def test_an_object_of_another_size_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The listing says so, though the object's head does not: it is not read to find out who is right."""
    site = bereft(tmp_path)
    footage, bad = site.archive.stores.footage, _leaves(site)[5]
    listed, read = footage.list, list[Segment]()

    def lying(prefix: str) -> Iterator[ObjectVersion]:
        for one in listed(prefix):
            yield replace(one, size=1 << 40) if one.key == bad.key else one

    monkeypatch.setattr(footage, "list", lying)
    site.examine = lambda leaf, _: read.append(leaf)
    assert site.adopt() == 3
    assert site.told == [(bad.key, "size_differs")]
    assert [leaf.seq for leaf in read] == [4, 6, 7]


def test_segments_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = bereft(tmp_path)
    monkeypatch.setattr(site.archive.stores.footage, "get", _away)
    site.examine = lambda leaf, pieces: check_digest(leaf, b"".join(pieces))
    assert site.adopt() == 4


def check_digest(leaf: Segment, content: bytes) -> None:
    assert sha256(content).hexdigest() == leaf.sha256


def pieces(content: bytes, length: int) -> Iterator[bytes]:
    return (content[at : at + length] for at in range(0, len(content), length))


def acts(site: Bereft) -> list[CustodyEvent]:
    """The adoptions on record."""
    return [one for one in read(site.archive.stores.records, WHOLE) if one.type == "footage.adopted"]


def _away(*_given: object, **_named: object) -> None:
    raise Unavailable("away", code="store_unreachable")


def _leaves(site: Bereft) -> list[Segment]:
    """The leaves of all stored segments, by number."""
    footage = site.archive.stores.footage
    return sorted(
        (own_leaf(footage, one) for one in footage.list("segments/cam-1/")), key=lambda leaf: leaf.seq
    )
