"""Which cameras are recorded, by which recorder, and where the journal continues."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.errors import Conflict, Refused, Unavailable
from archive.keys import parse_ledger_key
from archive.ports import Content, ObjectVersion
from archive.records.logbook import Logbook
from recorder.identity import find_place, register
from recorder.roster import Roster, pause_after
from recorder.spool import Spool
from tests.support.archives import RECORDER_KEY, SmallArchive, camera_form, small_archive
from tests.support.leaves import segment

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def archive(tmp_path: Path) -> SmallArchive:
    return small_archive(tmp_path / "archive")


def spool_in(folder: Path, archive: SmallArchive) -> Spool:
    spool = Spool(folder / "spool", archive.clock, 1 << 30, 0)
    spool.open()
    return spool


@pytest.mark.parametrize(
    "content", [b"", b"\xff\x00", b"[]", b"{}", b'{"cameras":[{"id":"kam-1"}]}', b'{"cameras":7}']
)
def test_a_damaged_memory_is_set_aside_and_the_ledger_read(
    archive: SmallArchive, tmp_path: Path, content: bytes
) -> None:
    archive.registry.add(camera_form("kam-1"), actor="os:tester")
    spool = spool_in(tmp_path, archive)
    (spool.root / "roster.json").write_bytes(content)
    roster = Roster(archive.ledger, archive.stores.records, spool)
    assert roster.remembered() == []
    assert roster.damaged == ["roster.json"]
    (kept,) = (spool.root / "quarantine").iterdir()
    assert kept.read_bytes() == content
    assert [camera.id for camera in roster.refresh()] == ["kam-1"]
    assert [camera.id for camera in roster.remembered()] == ["kam-1"]


def test_only_streams_that_grew_are_read(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kam-1", "kam-2"):
        archive.registry.add(camera_form(name), actor="os:tester")
    read: list[str] = []
    real = archive.ledger.listed

    def counted(found: ObjectVersion) -> object:
        read.append(parse_ledger_key(found.key)[1])
        return real(found)

    monkeypatch.setattr(archive.ledger, "listed", counted)
    roster = Roster(archive.ledger, archive.stores.records, spool_in(tmp_path, archive))
    assert [camera.id for camera in roster.refresh()] == ["kam-1", "kam-2"]
    assert read == ["kam-1", "kam-2"]
    roster.refresh()
    assert read == ["kam-1", "kam-2"]
    archive.registry.disable("kam-2", actor="os:tester", reason="broken")
    read.clear()
    assert [camera.disabled for camera in roster.refresh()] == [False, True]
    assert set(read) == {"kam-2"}


def test_an_entry_that_does_not_read_costs_no_other_camera_its_place(
    archive: SmallArchive, tmp_path: Path
) -> None:
    archive.registry.add(camera_form("kam-1"), actor="os:tester")
    roster = Roster(archive.ledger, archive.stores.records, spool_in(tmp_path, archive))
    [known] = roster.refresh()
    archive.registry.add(camera_form("kam-2"), actor="os:tester")
    archive.stores.records.put("ledger/camera/kam-1/00000002.json", Content.of_bytes(b"{}"))
    archive.stores.records.put("ledger/camera/foreign.json", Content.of_bytes(b"{}"))
    assert [camera.id for camera in roster.refresh()] == ["kam-1", "kam-2"]
    assert roster.refresh()[0] == known
    assert "kam-1" in roster.unreadable


def test_the_last_answer_outlives_the_store(archive: SmallArchive, tmp_path: Path) -> None:
    archive.registry.add(camera_form("kam-1"), actor="os:tester")
    archive.registry.add(camera_form("kam-2"), actor="os:tester")
    spool = spool_in(tmp_path, archive)
    found = Roster(archive.ledger, archive.stores.records, spool).refresh()
    again = Roster(archive.ledger, archive.stores.records, spool, only=["kam-2"])
    assert again.remembered() == found[1:]
    kept = (spool.root / "roster.json").read_bytes()
    assert b"s3cret" not in kept


def test_a_new_key_is_a_new_version(archive: SmallArchive) -> None:
    first = register(archive.ledger, "rec-1", RECORDER_KEY.public_key())
    assert register(archive.ledger, "rec-1", RECORDER_KEY.public_key()) == first
    second = register(archive.ledger, "rec-1", OTHER_KEY.public_key())
    assert (first.version, second.version, second.reason) == (1, 2, "rotate")


def test_a_recorder_that_lost_its_spool_finds_its_place(archive: SmallArchive, tmp_path: Path) -> None:
    records = archive.stores.records
    logbook = Logbook(tmp_path / "old", "rec-1", RECORDER_KEY, archive.clock)
    assert not find_place(logbook, archive.ledger, records, "rec-1")
    register(archive.ledger, "rec-1", RECORDER_KEY.public_key())
    assert not find_place(logbook, archive.ledger, records, "rec-1")
    for seq in range(2):
        logbook.append([segment(seq)])
        number = logbook.seal()
        assert number is not None
        logbook.upload(records, number)
    fresh = Logbook(tmp_path / "new", "rec-1", RECORDER_KEY, archive.clock)
    assert find_place(fresh, archive.ledger, records, "rec-1")
    assert fresh.open_batch == 3


def test_without_the_right_to_look_it_does_not_guess(
    archive: SmallArchive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(archive.ledger, "rec-1", RECORDER_KEY.public_key())
    real = archive.stores.records.list

    def forbidden(prefix: str, *, start_after: str = "") -> object:
        if prefix.startswith("journal/"):
            raise Refused("recorders may not list")
        return real(prefix, start_after=start_after)

    monkeypatch.setattr(archive.stores.records, "list", forbidden)
    logbook = Logbook(tmp_path / "new", "rec-1", RECORDER_KEY, archive.clock)
    with pytest.raises(Conflict) as caught:
        find_place(logbook, archive.ledger, archive.stores.records, "rec-1")
    assert caught.value.code == "recorder_unknown_place"
    assert not issubclass(Conflict, Unavailable)


@pytest.mark.parametrize(("took", "pause"), [(0.001, 1), (0.1, 1), (0.25, 2), (0.625, 5), (30, 5)])
def test_the_dearer_a_listing_the_rarer_it_is_made(took: float, pause: float) -> None:
    assert pause_after(took, shortest=1, longest=5) == pytest.approx(pause)
