"""Nothing is called lost that the archive has or had: a gap ``upload_lost`` is a signed statement."""

import shutil
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive import keys
from archive.canonical import sha256_hex
from archive.integrity.adoption.lost import lost
from archive.lifecycle.disposition.listing import LIST, Doomed, DoomedList, disposition_id
from archive.model import disposition as dispositions
from archive.model import leaf as leaves
from archive.model.disposition import Cause, Disposition, DispositionStatus
from archive.model.gap import Gap, GapCause, id_for_segment
from archive.model.leaf import Leaf
from archive.model.segment import Segment
from archive.ports import Content, IndexEntry
from archive.records import journal
from archive.timespan import DAY, HOUR, SECOND, SpanSet, Timespan
from tests.support.adopting import Bereft
from tests.support.archives import SmallArchive, camera_form, small_archive
from tests.support.leaves import RUN, T0

WHOLE = Timespan(T0 - HOUR, T0 + DAY)


LATER = 3 * HOUR
"""Long after the last batches that are read to find segments without a line."""


def span_of(number: int) -> Timespan:
    return Timespan(T0 + number * 10 * SECOND, T0 + (number + 1) * 10 * SECOND)


def late(archive: SmallArchive, number: int) -> Segment:
    """The recorder's last segment: of three hours later."""
    archive.clock.wall = T0 + LATER
    archive.begin = T0 + LATER - (number + 1) * 10 * SECOND
    return archive.keep(number)


def registered(folder: Path) -> SmallArchive:
    archive = small_archive(folder / "archive")
    archive.registry.add(camera_form(), actor="os:tester")
    archive.register_recorder()
    return archive


def gone(archive: SmallArchive, folder: Path) -> Bereft:
    """Its recorder was heard last when the archive's clock stands."""
    made = Bereft(archive, folder, archive.clock.wall)
    made.beat()
    return made


def destroyed(archive: SmallArchive, numbers: list[int]) -> str:
    """Segments that are no longer there, on a disposition's list; returns the list's name."""
    doomed = []
    for number in numbers:
        span, digest = span_of(number), sha256_hex(f"{number}".encode())
        key = keys.segment_key("cam-1", span.start, RUN, number, digest)
        doomed.append(Doomed("cam-1", span, key, "v", 100, digest, "default"))
    listed = DoomedList(Cause.RETENTION, T0, tuple(doomed))
    data = listed.encode()
    name = disposition_id(sha256_hex(data))
    archive.stores.records.put(keys.disposition_prefix(name) + LIST, Content.of_bytes(data))
    found = Disposition(
        id=name, cause=Cause.RETENTION, status=DispositionStatus.STARTED, started_at=T0,
        started_by="os:tester", span=listed.span, segments=len(doomed), bytes=listed.bytes,
        list_sha256=sha256_hex(data), policies=(),
    )  # fmt: skip
    archive.ledger.append(
        dispositions.KIND, name, dispositions.to_state(found), expected=0, actor="os:tester",
        action="disposition.started",
    )  # fmt: skip
    return keys.disposition_prefix(name) + LIST


def aside(number: int) -> Gap:
    """The recorder set that number aside."""
    return Gap(
        camera="cam-1", recorder="rec-1", gap=id_for_segment(GapCause.SET_ASIDE, RUN, number),
        span=span_of(number), cause=GapCause.SET_ASIDE, ingested_at=T0,
    )  # fmt: skip


def vanish(folder: Path, leaf: Segment) -> None:
    """Take an object away from under its store."""
    path = folder / "archive" / "footage" / leaf.key
    path.unlink()
    path.with_name(f".{path.name}.sidecar").unlink()


def called_lost(site: Bereft) -> dict[int, Timespan]:
    """By number, the gaps that an adopter signed."""
    named = {id_for_segment(GapCause.UPLOAD_LOST, RUN, number): number for number in range(200)}
    return {
        named[leaf.gap]: leaf.span
        for batch in site.batches()
        for leaf in batch.leaves
        if isinstance(leaf, Gap) and batch.origin == "adopted"
    }


def test_what_was_destroyed_on_record_is_not_called_lost(tmp_path: Path) -> None:
    archive = registered(tmp_path)
    first = archive.keep(0)
    archive.clock.wall = T0 + 70 * SECOND
    archive.write_journal([first])
    archive.keep(5)
    destroyed(archive, [1, 3])
    site = gone(archive, tmp_path)
    assert site.adopt() == 1
    assert called_lost(site) == {2: span_of(2), 4: span_of(4)}


def test_where_a_destruction_on_record_cannot_be_read_nothing_is_called_lost(tmp_path: Path) -> None:
    archive = registered(tmp_path)
    first = archive.keep(0)
    archive.clock.wall = T0 + 70 * SECOND
    archive.write_journal([first])
    archive.keep(5)
    name = destroyed(archive, [3])
    site = gone(archive, tmp_path)
    (tmp_path / "archive" / "records" / name).write_bytes(b"{}\n")
    assert site.adopt() == 1, "the segment is adopted all the same"
    assert called_lost(site) == {}
    assert site.told == [("segments/cam-1/", "object_altered")]
    assert "run_has_holes" in {one.code for one in site.check().breaches}, "the check still names the hole"


@pytest.mark.parametrize("is_rotten", [True, False])
def test_where_a_batch_of_the_recorder_cannot_be_read_nothing_is_called_lost(
    tmp_path: Path, is_rotten: bool
) -> None:
    """It said that it had set number 3 aside, and nothing else says so. The disk altered it, or somebody."""
    archive = registered(tmp_path)
    key = archive.write_journal([aside(3)])
    archive.clock.wall = T0 + 70 * SECOND
    archive.write_journal([archive.keep(0)])
    archive.keep(5)
    site = gone(archive, tmp_path)
    altered = archive.stores.records.get(key).replace(b"set_aside", b"disabled_")
    path = tmp_path / "archive" / "records" / key
    path.unlink()
    if is_rotten:
        path.write_bytes(altered)
    else:
        path.with_name(f".{path.name}.sidecar").unlink()
        archive.stores.records.put(key, Content.of_bytes(altered))
    assert site.adopt() == 1, "the segment is adopted all the same"
    [adopted] = archive.stores.records.list(keys.journal_key("rec-2-adopted", 1, site.clock.now()))
    assert [type(one) for one in journal.decode(archive.stores.records.get(adopted.key)).leaves] == [Segment]
    [(name, _)] = site.told
    assert name == "segments/cam-1/"


def test_the_lines_of_other_cameras_are_not_read_again_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recorder has hundreds of cameras, and each of them has lines in its batches."""
    archive = registered(tmp_path)
    others = [archive.keep(number, camera=f"cam-{number + 2}", run=f"{number:016x}") for number in range(6)]
    first = archive.keep(0)
    archive.clock.wall = T0 + 70 * SECOND
    archive.write_journal([first, *others])
    archive.keep(5)
    site = gone(archive, tmp_path)
    job, decode, read = site.job(), leaves.decode, list[str]()

    def counting(line: bytes) -> Leaf:
        leaf = decode(line)
        read.append(leaf.camera)
        return leaf

    monkeypatch.setattr("archive.integrity.adoption.lost.leaves", SimpleNamespace(decode=counting))
    assert job.run() == 1
    assert set(read) == {"cam-1"}


def test_what_is_older_than_its_lock_is_not_called_lost(tmp_path: Path) -> None:
    """It may have been destroyed, and nothing may be left that says so."""
    archive = registered(tmp_path)
    archive.clock.wall = T0 + 70 * SECOND
    archive.write_journal([archive.keep(0)])
    archive.keep(5)
    site = gone(archive, tmp_path)
    job = site.job()
    job.floor = site.clock.now() - span_of(3).start
    assert job.run() == 1
    assert called_lost(site) == {4: span_of(4)}


def test_what_an_older_batch_or_the_index_names_is_not_called_lost(tmp_path: Path) -> None:
    """Two numbers that are not stored any more: one has a line of hours ago, the other is in the index."""
    archive = registered(tmp_path)
    first, named, indexed = archive.keep(0), archive.keep(2), archive.keep(3)
    archive.write_journal([named])
    archive.index.remove([named.ref()])
    vanish(tmp_path, named)
    vanish(tmp_path, indexed)
    archive.clock.wall = T0 + LATER
    archive.write_journal([first])
    last = late(archive, 5)
    site = gone(archive, tmp_path)
    assert site.adopt() == 1
    assert called_lost(site) == {1: span_of(1), 4: Timespan(span_of(3).end, last.span.start)}


FATES = ("lost", "stored", "destroyed", "line", "index", "set aside")
"""Where a number is known: ``stored`` only as an object, ``line`` only by a line of hours ago, and so on."""


@settings(max_examples=25)
@given(fates=st.lists(st.sampled_from(("lost", *FATES)), min_size=1, max_size=9))
def test_whatever_became_of_the_others_the_lost_share_the_holes_between_them(
    tmp_path_factory: pytest.TempPathFactory, fates: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("lost")
    try:
        archive = registered(folder)
        fate = dict(enumerate(["signed", *fates]))
        having = {one: [number for number in fate if fate[number] == one] for one in ("signed", *FATES)}
        kept = {
            number: archive.keep(number)
            for number in sorted(having["signed"] + having["stored"] + having["line"] + having["index"])
        }
        if having["line"]:
            archive.write_journal([kept[number] for number in having["line"]])
        for number in having["line"] + having["index"]:
            vanish(folder, kept[number])
        archive.index.remove([kept[number].ref() for number in having["line"] + having["stored"]])
        archive.index.add([IndexEntry(leaf=aside(number), place=None) for number in having["set aside"]])
        if having["destroyed"]:
            destroyed(archive, having["destroyed"])
        archive.clock.wall = T0 + LATER
        archive.write_journal([kept[0]])
        last = late(archive, len(fate))
        site = gone(archive, folder)
        assert site.adopt() == 1
        found = called_lost(site)
        assert sorted(found) == having["lost"], "none that the archive has, had, or has a word about"
        known = {number: span_of(number) for number in fate if number not in found} | {last.seq: last.span}
        assert not SpanSet(known.values()) & SpanSet(found.values())
        for before, after in pairwise(sorted(known)):
            inside = SpanSet(found[number] for number in range(before + 1, after))
            hole = [Timespan(known[before].end, known[after].start)] if after > before + 1 else []
            assert list(inside) == hole, "together they are the hole"
    finally:
        shutil.rmtree(folder)


@st.composite
def accounted(draw: st.DrawFn) -> dict[int, Timespan | None]:
    """Numbers of a run with their times: mostly in order, sometimes not, sometimes unknown."""
    numbers = sorted(draw(st.sets(st.integers(0, 60), min_size=1, max_size=12)))
    found: dict[int, Timespan | None] = {}
    at = T0
    for number in numbers:
        start = at + draw(st.sampled_from((-60, -1, 0, 1, 20, 40))) * SECOND
        end = start + draw(st.integers(1, 20)) * SECOND
        found[number] = Timespan(start, end) if draw(st.integers(0, 9)) else None
        at = end
    return found


@given(accounts=accounted())
def test_a_stretch_overlaps_nothing_known_and_stretches_fill_their_hole(
    accounts: dict[int, Timespan | None],
) -> None:
    found = dict(lost(accounts))
    assert not found.keys() & accounts.keys()
    assert list(found) == sorted(found)
    for span in found.values():
        assert not any(known is not None and known.overlaps(span) for known in accounts.values())
    for before, after in pairwise(sorted(accounts)):
        inside = [found[number] for number in range(before + 1, after) if number in found]
        if inside:
            left, right = accounts[before], accounts[after]
            assert left is not None
            assert right is not None
            assert len(inside) == after - before - 1
            assert (inside[0].start, inside[-1].end) == (left.end, right.start)
            assert all(one.end == other.start for one, other in pairwise(inside))


def test_an_invented_number_makes_no_gaps() -> None:
    assert list(lost({0: span_of(0), 10**12: span_of(4)})) == []
