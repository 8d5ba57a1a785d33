"""``archive check`` names every kind of damage, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import keys
from archive.canonical import sha256_hex
from archive.evidence import paths
from archive.integrity.check import Breach, Checker, CheckReport, Depth
from archive.integrity.check.explained import ExplanationCheck
from archive.integrity.check.packages import PackageCheck
from archive.model.custody import Actor
from archive.model.gap import Gap, RunEnd
from archive.model.hold import KIND as HOLD
from archive.model.hold import Hold, to_state
from archive.model.segment import Run, SegmentRef
from archive.ports import Content, IndexEntry, Stores
from archive.records.custody import CustodyWriter
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import RUN, T0, gap, segment
from tests.support.packages import World, make_world


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.register_recorder()
    made.registry.add(camera_form(), actor="os:tester")
    yield made
    made.index.close()


def check(site: SmallArchive, **options: Depth) -> list[Breach]:
    return Checker(site.stores, site.index, site.clock, **options).run().breaches


def found(breaches: list[Breach]) -> set[tuple[str, str]]:
    return {(breach.invariant, breach.code) for breach in breaches}


def stored_file(tmp_path: Path, content: bytes) -> Path:
    return next(
        p for p in tmp_path.rglob("*") if p.is_file() and p.suffix != ".sqlite" and content in p.read_bytes()
    )


def test_a_whole_archive_has_no_breach(site: SmallArchive) -> None:
    site.write_journal([site.keep(0), site.keep(1)])
    site.write_journal([site.keep(2)])
    report = Checker(site.stores, site.index, site.clock, depth=Depth.BYTES).run()
    assert report.breaches == []
    assert (report.segments, report.batches, report.entries) == (3, 2, 2)
    assert report.bytes_hashed > 0


def test_a_lost_object_and_an_unindexed_one(site: SmallArchive) -> None:
    lost, kept = site.keep(0), site.keep(1)
    site.clock.advance(40 * 24 * HOUR)
    head = site.stores.footage.head(lost.key)
    site.stores.footage.delete_version(lost.key, version=head.version)
    site.index.remove([kept.ref()])
    site.write_journal([lost, kept])
    breaches = check(site)
    assert found(breaches) == {("I1", "object_missing"), ("I1", "not_indexed"), ("I6", "unexplained")}
    assert {breach.object for breach in breaches if breach.invariant == "I1"} == {lost.key, kept.key}


def test_a_young_object_may_still_be_on_its_way(site: SmallArchive) -> None:
    young = site.keep(0)
    site.index.remove([young.ref()])
    assert found(check(site)) <= {("I6", "unexplained")}


def test_altered_bytes_are_found_by_reading(site: SmallArchive, tmp_path: Path) -> None:
    segment = site.keep(0, content=b"precious footage " * 10)
    path = stored_file(tmp_path / "footage", b"precious footage")
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(b"footage", b"forgery", 1))
    path.chmod(0o440)
    breaches = check(site, depth=Depth.BYTES)
    assert found(breaches) <= {("I1", "bytes_differ"), ("I1", "object_altered")}
    assert [breach.object for breach in breaches] == [segment.key]


def test_a_missing_batch_and_a_hole_in_a_run(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(3)]
    site.write_journal(segments[:1])
    first_prev, first_count = site.prev, site.batches
    site.prev, site.batches = "f" * 64, first_count + 1  # as if batch 2 had existed and disappeared
    site.write_journal(segments[2:])
    assert found(check(site)) == {("I2", "batch_missing"), ("I2", "run_has_holes")}
    assert first_prev != site.prev


def test_a_run_that_closed_with_more_segments_than_are_on_record(site: SmallArchive) -> None:
    end = Run(
        camera="cam-1",
        recorder="rec-1",
        run=RUN,
        span=Timespan(T0, T0 + 30 * SECOND),
        segments=3,
        reason=RunEnd.STOPPED,
        ingested_at=T0 + 31 * SECOND,
    )
    site.write_journal([site.keep(0), site.keep(1), end])
    assert found(check(site)) == {("I2", "run_has_holes")}


def test_a_batch_by_an_unregistered_key(tmp_path: Path) -> None:
    site = small_archive(tmp_path)
    site.write_journal([site.keep(0)])
    assert found(check(site)) == {("I2", "journal_unknown_key")}
    site.index.close()


def test_only_the_asked_span_is_walked(site: SmallArchive) -> None:
    for number in range(4):
        site.keep(number)
    report = Checker(site.stores, site.index, site.clock).run(Timespan(T0 + 10 * SECOND, T0 + 30 * SECOND))
    assert report.segments == 2


def depth_check(site: SmallArchive, **options: object) -> set[tuple[str, str]]:
    report = Checker(site.stores, site.index, site.clock, **options).run()  # type: ignore[arg-type]
    return found(report.breaches)


def hold(site: SmallArchive) -> None:
    placed = Hold(
        id="h-1",
        cameras=("cam-1",),
        span=Timespan(T0, T0 + SECOND),
        case="LP/B/1",
        owner="os:owner",
        basis="KUHAP",
        review_at=T0 + DAY,
        placed_by="os:a",
        placed_at=site.clock.now(),
    )
    site.ledger.append(HOLD, placed.id, to_state(placed), expected=0, actor="os:a", action="hold.placed")


def test_a_hold_without_its_flag_and_a_lock_that_is_too_short_break_i4(site: SmallArchive) -> None:
    site.write_journal([site.keep(0)])
    hold(site)
    site.clock.advance(2 * HOUR)
    assert depth_check(site, floor_days=30) == {("I4", "hold_missing")}
    assert depth_check(site, floor_days=40) == {("I4", "hold_missing"), ("I4", "lock_short")}
    assert depth_check(site, floor_days=40, depth=Depth.LISTING) == set()
    with ThreadPoolExecutor(4) as pool:
        assert depth_check(site, floor_days=30, pool=pool) == {("I4", "hold_missing")}


def test_time_without_footage_or_gap_breaks_i6_and_time_in_two_gaps_too(site: SmallArchive) -> None:
    site.write_journal([site.keep(0), site.keep(4)])
    (breach,) = (one for one in check(site) if one.invariant == "I6")
    assert (breach.invariant, breach.code, breach.object) == ("I6", "unexplained", "cam-1")
    assert str(Timespan(T0 + 10 * SECOND, T0 + 40 * SECOND)) in breach.message
    first = gap(T0 + 10 * SECOND, T0 + 30 * SECOND)
    second = gap(T0 + 25 * SECOND, T0 + 40 * SECOND, gap_id="6a15000000000008")
    site.index.add([IndexEntry(leaf=one, place=None) for one in (first, second)])
    (breach,) = (one for one in check(site) if one.invariant == "I6")
    assert breach.code == "gaps_overlap"
    assert str(Timespan(T0 + 25 * SECOND, T0 + 30 * SECOND)) in breach.message


def test_a_gap_over_several_days_explains_each_of_them(site: SmallArchive) -> None:
    site.write_journal([site.keep(0)])
    long = gap(T0 + 10 * SECOND, T0 + 5 * DAY)
    site.index.add([IndexEntry(leaf=long, place=None)])
    assert check(site) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=6),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30)), max_size=6),
)
def test_i6_is_what_counting_each_hour_says(
    covered: list[tuple[int, int]], missing: list[tuple[int, int]]
) -> None:
    class Known:
        def high_water(self, camera: str) -> int | None:
            return 96 * HOUR

        def segments(self, camera: str, span: Timespan) -> Iterator[SegmentRef]:
            whole = (Timespan(a * HOUR, (a + n) * HOUR) for a, n in covered)
            return iter([replace(segment().ref(), span=one) for one in whole if one.overlaps(span)])

        def gaps(self, camera: str, span: Timespan) -> list[Gap]:
            whole = [gap(a * HOUR, (a + n) * HOUR) for a, n in missing]
            return [one for one in whole if one.span.overlaps(span)]

    report = CheckReport()
    ExplanationCheck(Known(), report).camera(  # type: ignore[arg-type]
        "cam-1", registered_at=0, span=Timespan(0, 1000 * HOUR)
    )
    hours = [
        (any(a <= h < a + n for a, n in covered), sum(a <= h < a + n for a, n in missing)) for h in range(96)
    ]
    assert any(b.code == "unexplained" for b in report.breaches) == any(not c and g == 0 for c, g in hours)
    assert any(b.code == "gaps_overlap" for b in report.breaches) == any(not c and g > 1 for c, g in hours)


def test_a_run_whose_segments_come_out_of_order_is_whole(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(5)]
    site.write_journal([segments[3], segments[1]])
    site.write_journal([segments[0], segments[4], segments[2], segments[2]])
    assert check(site) == []


def test_batches_filed_under_an_earlier_hour_are_still_one_chain(site: SmallArchive) -> None:
    segments = [site.keep(number) for number in range(3)]
    site.write_journal(segments[:1])
    site.clock.step(-2 * HOUR)
    site.write_journal(segments[1:2])
    site.clock.step(3 * HOUR)
    site.write_journal(segments[2:])
    assert check(site) == []


def test_a_batch_under_another_name_is_misfiled(site: SmallArchive) -> None:
    key = site.write_journal([site.keep(0)])
    data = site.stores.records.get(key)
    site.stores.records.put(key.replace("_0000000001", "_0000000002"), Content.of_bytes(data))
    assert ("I2", "journal_misfiled") in found(check(site)) or ("I2", "journal_chain") in found(check(site))


def test_what_no_checkpoint_covers_in_time_breaks_i3(site: SmallArchive) -> None:
    key = site.write_journal([site.keep(0)])
    assert depth_check(site, log_interval=HOUR) == set()
    site.clock.advance(HOUR + 11 * MINUTE)
    breaches = Checker(site.stores, site.index, site.clock, log_interval=HOUR).run().breaches
    assert {b.invariant for b in breaches} == {"I3"}
    assert key in {b.object for b in breaches}


def test_a_custody_object_that_does_not_follow_breaks_its_chain(site: SmallArchive) -> None:
    writer = CustodyWriter(site.stores.records, site.clock, writer="api-1")
    for _ in range(3):
        writer.record("access", actor=Actor(id="os:a", address="local"))
    assert check(site) == []
    second = keys.custody_key("api-1", 2, T0)
    folder = site.stores.records._root  # type: ignore[attr-defined]
    Path(folder, second).unlink()
    assert found(check(site)) == {("custody", "custody_chain")}


def test_a_custody_object_that_was_rewritten_is_betrayed_by_the_next(site: SmallArchive) -> None:
    writer = CustodyWriter(site.stores.records, site.clock, writer="api-1")
    for _ in range(2):
        writer.record("access", actor=Actor(id="os:a", address="local"))
    path = Path(site.stores.records._root, keys.custody_key("api-1", 1, T0))  # type: ignore[attr-defined]
    sidecar = path.with_name(f".{path.name}.sidecar")
    before = path.read_bytes()
    after = before.replace(b"os:a", b"os:b")
    for file, old, new in (
        (sidecar, sha256_hex(before).encode(), sha256_hex(after).encode()),
        (path, b"os:a", b"os:b"),
    ):
        file.chmod(0o600)
        file.write_bytes(file.read_bytes().replace(old, new))
    assert found(check(site)) == {("custody", "custody_chain")}


@pytest.fixture
def sealed(tmp_path: Path) -> World:
    made = make_world(tmp_path, segments=2)
    made.sealer.seal(made.plan)
    return made


def test_a_package_whose_parts_were_taken_added_or_altered_breaks_i7(sealed: World) -> None:
    stores = Stores(sealed.target, sealed.target, sealed.target)

    def packages(depth: Depth = Depth.HEADS) -> set[tuple[str, str]]:
        report = CheckReport(depth=depth)
        PackageCheck(stores.records, sealed.clock, report, lambda step, seen: None).run()
        assert report.packages == 1
        return {(b.code, b.object.rpartition("/")[2]) for b in report.breaches}

    assert packages(Depth.BYTES) == set()
    prefix = keys.evidence_prefix(sealed.plan.evidence_id)
    stores.records.put(f"{prefix}data/documents/note.txt", Content.of_bytes(b"added"))
    assert {code for code, _ in packages()} == {"package_part_added", "package_size"}
    root = Path(stores.records._root)  # type: ignore[attr-defined]
    (root / prefix / "data/documents/note.txt").unlink()
    (root / prefix / "data/documents/.note.txt.sidecar").unlink()
    statement = root / prefix / paths.STATEMENT
    altered = bytearray(statement.read_bytes())
    altered[10] ^= 1
    statement.chmod(0o600)
    statement.write_bytes(bytes(altered))
    assert packages() == set(), "the store's own checksum still says what it said"
    assert packages(Depth.BYTES) == {("package_part_differs", "evidence.json")}
    statement.unlink()
    assert {code for code, _ in packages()} == {"package_part_missing", "package_size"}


def test_the_canary_is_no_breach(site: SmallArchive) -> None:
    name = keys.canary_key("api", T0, "locked")
    site.stores.records.put(name, Content.of_bytes(b"x"))
    site.stores.footage.put(name, Content.of_bytes(b"x"))
    assert check(site) == []


def test_two_recorders_that_record_one_camera_are_no_damage(site: SmallArchive) -> None:
    site.write_journal([site.keep(0), site.keep(1)])
    other = gap(T0 + 15 * SECOND, T0 + 40 * SECOND)
    mine = replace(gap(T0 + 20 * SECOND, T0 + 30 * SECOND, gap_id="6a15000000000008"), recorder="rec-2")
    site.index.add([IndexEntry(leaf=one, place=None) for one in (other, mine)])
    assert [one for one in check(site) if one.invariant == "I6"] == []
