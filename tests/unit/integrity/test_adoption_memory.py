"""How much an adopter holds does not grow with the time for which a recorder's lines waited."""

import tracemalloc
from pathlib import Path

import pytest

from archive.errors import IntegrityError
from archive.integrity.adoption.lines import Said, Tail
from archive.integrity.adoption.lost import Named
from archive.model import leaf as leaves
from archive.model.gap import Gap, GapCause
from archive.model.segment import Segment
from archive.records import journal
from archive.records.recorder_keys import keys_of
from archive.timespan import HOUR, SECOND, hour_of
from tests.support.adopting import Bereft
from tests.support.archives import camera_form, small_archive
from tests.support.leaves import RUN, T0, segment

CAMERAS = tuple(f"cam-{number}" for number in range(1, 3))
LIMITS = ("_ORPHANS", "_NUMBERS", "_AT_ONCE")


def waited(folder: Path, hours: int) -> tuple[Tail, Said]:
    """A recorder of two cameras whose batches of so many hours are looked at."""
    archive = small_archive(folder)
    archive.register_recorder()
    for first in range(0, hours * 360, 30):
        archive.clock.wall = T0 + (first + 30) * 10 * SECOND + SECOND
        numbers = range(first, first + 30)
        archive.write_journal([segment(seq, camera=camera) for camera in CAMERAS for seq in numbers])
    said = Said(archive.stores.records, {"rec-1": keys_of(archive.ledger, "rec-1")})
    tracemalloc.start()
    now = archive.clock.now()
    return said.tail("rec-1", oldest=T0 - HOUR, until=now, heard=now, waited=hours * HOUR), said


def peak(folder: Path, hours: int) -> int:
    """The most bytes that were held at once to look at them."""
    try:
        tail, said = waited(folder, hours)
        assert tail.lines == dict.fromkeys(CAMERAS, hours * 360)
        assert all(said.named(tail, hour) for hour in range(T0, T0 + hours * HOUR, HOUR))
        named = Named(said.about(tail, CAMERAS), {(camera, RUN) for camera in CAMERAS})
        assert [len(list(named.segments(camera, RUN))) for camera in CAMERAS] == [hours * 360] * 2
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_what_is_held_of_a_long_wait_is_a_small_part_of_its_lines(tmp_path: Path) -> None:
    short, long = peak(tmp_path / "short", 1), peak(tmp_path / "long", 4)
    more = 3 * 360 * len(CAMERAS) * len(leaves.encode(segment(100)))
    assert long - short < more / 10


def two_cameras(folder: Path) -> Bereft:
    """Two cameras over two hours; the last batch came before the hour's end, and two numbers never came."""
    archive = small_archive(folder / "archive")
    for camera in CAMERAS:
        archive.registry.add(camera_form(camera), actor="os:tester")
    archive.register_recorder()
    archive.begin = hour_of(T0) + HOUR - 55 * SECOND
    signed = []
    for number in range(10):
        archive.clock.wall = archive.begin + (number * 10 + 11) * SECOND
        for place, camera in enumerate(CAMERAS):
            if number != 4 + 3 * place:
                leaf = archive.keep(number, camera=camera, run=f"{place + 1:016x}")
                if number < 3:
                    signed.append(leaf)
        if number == 2:
            archive.write_journal(signed)
    made = Bereft(archive, folder, archive.clock.wall)
    made.beat(cameras={camera: {} for camera in CAMERAS})
    return made


def adopted(site: Bereft) -> tuple[set[tuple[str, int]], list[tuple[str, object, GapCause]]]:
    """Segments and gaps that an adopter signed."""
    lines = [leaf for batch in site.batches() if batch.origin == "adopted" for leaf in batch.leaves]
    segments = [(leaf.camera, leaf.seq) for leaf in lines if isinstance(leaf, Segment)]
    assert len(set(segments)) == len(segments), "none twice"
    gaps = [(leaf.camera, leaf.span, leaf.cause) for leaf in lines if isinstance(leaf, Gap)]
    return set(segments), sorted(gaps, key=str)


@pytest.mark.parametrize("held", [1, 2, 3, 5])
def test_what_is_adopted_in_pieces_is_what_is_adopted_at_once(
    tmp_path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, site = two_cameras(tmp_path / "once"), two_cameras(tmp_path / "pieces")
    assert at_once.adopt() == 12
    for limit in LIMITS:
        monkeypatch.setattr(f"archive.integrity.adoption.job.{limit}", held)
    assert site.adopt() == 12
    assert adopted(site) == adopted(at_once)
    assert len(adopted(site)[1]) == 2
    assert {one.code for one in site.check().breaches} == {"unexplained"}, "the time before its footage"
    assert site.adopt() == 0


def test_what_was_adopted_is_not_remembered_for_ever(tmp_path: Path) -> None:
    site = two_cameras(tmp_path)
    job, signer = site.job(), site.signer()
    job.signer = lambda: signer
    assert job.run() == 12
    assert (len(signer._before), job._recorded) == (7, set()), "those of the last camera"
    assert job.run() == 0


def test_what_was_adopted_of_other_cameras_is_not_read_again_for_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each camera has a batch of its own, and a host has hundreds of cameras."""
    archive, count = small_archive(tmp_path / "archive"), 12
    archive.register_recorder()
    runs = {f"cam-{number:02}": f"{number:016x}" for number in range(count)}
    archive.clock.wall = T0 + 11 * SECOND
    archive.write_journal([archive.keep(0, camera=camera, run=run) for camera, run in runs.items()])
    for camera, run in runs.items():
        archive.keep(1, camera=camera, run=run)
    site = Bereft(archive, tmp_path, archive.clock.wall)
    site.beat(cameras={camera: {} for camera in runs})
    job, records, reads = site.job(), archive.stores.records, list[str]()
    get = records.get

    def counting(key: str, *, version: str | None = None) -> bytes:
        reads.extend([key] if "/rec-2-adopted_" in key else [])
        return get(key, version=version)

    with monkeypatch.context() as patch:
        patch.setattr(records, "get", counting)
        assert job.run() == count
    assert len(reads) == count - 1, "each batch once, but the last"


def test_of_one_that_stored_lately_not_even_the_first_piece_is_adopted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its last segment lies in a later hour than that where the first piece ends."""
    monkeypatch.setattr("archive.integrity.adoption.job._ORPHANS", 2)
    site = two_cameras(tmp_path)
    job = site.job()
    site.archive.clock.wall = site.clock.now()
    site.archive.keep(10)
    assert job.run() == 0
    assert adopted(site) == (set(), [])


def test_a_batch_that_is_another_when_it_is_read_again_says_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its signature was checked when it was read first."""
    site = two_cameras(tmp_path)
    job, records = site.job(), site.archive.stores.records
    get, reads = records.get, list[str]()
    other = journal.encode(
        [segment(0)], recorder="rec-1", batch=1, prev=journal.GENESIS, at=T0, key=site.key("rec-9")
    )

    def changing(key: str, *, version: str | None = None) -> bytes:
        if "/rec-1_" not in key:
            return get(key, version=version)
        reads.append(key)
        return other if len(reads) > 2 else get(key, version=version)

    with monkeypatch.context() as patch:
        patch.setattr(records, "get", changing)
        with pytest.raises(IntegrityError) as refused:
            job.run()
    assert refused.value.code == "object_altered"
    assert job.run() == 12
