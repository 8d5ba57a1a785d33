"""Data that every request needs is read once: a stream's newest entry, a camera's former places."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from api.auth.access import Access
from api.auth.principal import Principal
from api.services import Services
from archive.clock import ManualClock
from archive.footage.reader import Reading
from archive.model.segment import SegmentRef
from archive.model.user import Role
from archive.objects.filesystem import FilesystemStore
from archive.ports import ObjectVersion
from archive.records.ledger.heads import StrictHeads
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, SECOND, SpanSet, Timespan
from tests.support.archives import camera_form, small_archive
from tests.support.leaves import T0, segment


@dataclass
class Counting(FilesystemStore):
    """A store that remembers its calls."""

    asked: list[tuple[str, str, str | None]] = field(default_factory=list)

    def __init__(self, folder: Path, clock: ManualClock) -> None:
        super().__init__(folder, clock)
        self.asked = []

    def get(self, key: str, *, version: str | None = None) -> bytes:
        self.asked.append(("get", key, version))
        return super().get(key, version=version)

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectVersion]:
        self.asked.append(("list", prefix, None))
        return super().list(prefix, start_after=start_after)


def test_a_head_is_read_in_the_version_that_the_listing_named(tmp_path: Path) -> None:
    """On S3 each read without a version is another listing."""
    clock = ManualClock(T0)
    store = Counting(tmp_path, clock)
    ledger = Ledger(store, clock)
    for expected in range(3):
        ledger.append("camera", "cam-1", {"n": expected}, expected=expected, actor="os:t", action="camera.x")
    key = "ledger/camera/cam-1/00000003.json"
    (listed,) = (one for one in store.list("ledger/camera/cam-1/") if one.key == key)
    readers = (
        lambda: ledger.head("camera", "cam-1"),
        lambda: next(iter(ledger.heads("camera"))),
        lambda: StrictHeads(ledger, store, "camera").refresh()["cam-1"],
    )
    for read in readers:
        store.asked.clear()
        assert read().version == 3
        assert [what for what, _, _ in store.asked] == ["list", "get"]
        assert store.asked[-1] == ("get", key, listed.version)
    store.asked.clear()
    assert [entry.version for entry in ledger.history("camera", "cam-1")] == [1, 2, 3]
    assert all(version for what, _, version in store.asked if what == "get")


def test_where_a_camera_stood_is_read_once_for_a_whole_playlist(tmp_path: Path) -> None:
    archive = small_archive(tmp_path)
    archive.clock.wall = T0 - HOUR
    archive.registry.add(camera_form(), actor="os:tester")
    asked: list[str] = []

    def history(camera: str) -> object:
        asked.append(camera)
        return archive.registry.history(camera)

    services = cast(Services, SimpleNamespace(registry=SimpleNamespace(history=history), clock=archive.clock))
    district = archive.registry.camera("cam-1").place.kecamatan
    theirs = Principal("user:ani", roles=frozenset({Role.KECAMATAN}), districts=frozenset({district}))
    others = Principal("user:budi", roles=frozenset({Role.KECAMATAN}), districts=frozenset({"73.71.99"}))
    refs: tuple[SegmentRef, ...] = tuple(segment(number).ref() for number in range(360))
    span = Timespan(T0, T0 + HOUR)
    reading = Reading("cam-1", span, refs, SpanSet((span,)), (), SpanSet())
    access = Access(services, theirs, "footage.play", lambda _why: None)
    access.footage("cam-1", Timespan(T0, T0 + SECOND))
    assert access.trim(reading).segments == refs
    assert asked == ["cam-1"]
    assert Access(services, others, "footage.play", lambda _why: None).trim(reading).segments == ()
    archive.index.close()
