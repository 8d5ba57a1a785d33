"""Where a recorder's account of a camera begins that another recorder may have recorded meanwhile."""

from decimal import Decimal
from pathlib import Path

import pytest

from archive.clock import ManualClock
from archive.errors import Unavailable
from archive.model.camera import Camera, OwnerKind, Place
from archive.model.gap import GapCause
from archive.timespan import HOUR, SECOND
from recorder.accounts import Accounts
from recorder.opening import Opening
from recorder.spool import Spool

T0 = 1_800_000_000 * SECOND
PLACE = Place(
    lat=Decimal("-5.1"), lon=Decimal("119.4"), kecamatan="73.71.01", kelurahan="73.71.01.1001",
    owner=OwnerKind.GOVERNMENT,
)  # fmt: skip


def camera_of(name: str) -> Camera:
    return Camera(
        id=name, name="x", source="test://", sealed_source="", place=PLACE, segment_seconds=10,
        registered_at=T0,
    )  # fmt: skip


CAMERA = camera_of("kam-1")


class Log:
    def __init__(self) -> None:
        self.said: list[str] = []

    def info(self, event: str, **fields: object) -> None:
        self.said.append(event)

    warning = error = info


class Index:
    """The high-water marks of an index that may be away."""

    def __init__(self, mark: int | None = None) -> None:
        self.mark = mark
        self.is_away = False
        self.asked = 0

    def high_water(self, camera: str) -> int | None:
        self.asked += 1
        if self.is_away:
            raise Unavailable("away")
        return self.mark


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(T0 + HOUR)


@pytest.fixture
def accounts(tmp_path: Path, clock: ManualClock) -> Accounts:
    spool = Spool(tmp_path / "spool", clock, 1 << 30, 0)
    spool.open()
    return Accounts(spool, clock, "rec-a", lambda leaves: None)


def opening(index: Index, *, is_shared: bool = True) -> Opening:
    return Opening(index.high_water, Log(), is_shared=is_shared)


def test_it_begins_where_the_index_ends(accounts: Accounts) -> None:
    opening(Index(T0 + 5 * SECOND)).open(CAMERA, accounts)
    assert accounts.covered_until("kam-1") == T0 + 5 * SECOND


def test_a_camera_that_nobody_recorded_is_new(accounts: Accounts) -> None:
    one = opening(Index())
    one.open(CAMERA, accounts)
    assert one.new == {"kam-1"}
    assert accounts.covered_until("kam-1") == T0


def test_it_goes_on_from_what_another_recorder_accounted_for(accounts: Accounts) -> None:
    accounts.open("kam-1", CAMERA.place, since=T0)
    accounts.missing("kam-1", T0, GapCause.UNREACHABLE)
    opening(Index(T0 + 50 * SECOND)).open(CAMERA, accounts)
    assert accounts.open_gap("kam-1") is None
    assert accounts.covered_until("kam-1") == T0 + 50 * SECOND


def test_an_open_gap_that_nobody_accounted_for_goes_on(accounts: Accounts) -> None:
    accounts.open("kam-1", CAMERA.place, since=T0 + 9 * SECOND)
    accounts.missing("kam-1", T0 + 9 * SECOND, GapCause.UNREACHABLE)
    opening(Index(T0 + 9 * SECOND)).open(CAMERA, accounts)
    gap = accounts.open_gap("kam-1")
    assert gap is not None
    assert gap.start == T0 + 9 * SECOND


def test_a_recorder_that_is_alone_does_not_ask_for_what_it_knows(accounts: Accounts) -> None:
    accounts.open("kam-1", CAMERA.place, since=T0)
    index = Index(T0 + 50 * SECOND)
    opening(index, is_shared=False).open(CAMERA, accounts)
    assert index.asked == 0
    assert accounts.covered_until("kam-1") == T0


def test_an_index_that_is_away_is_asked_once(accounts: Accounts) -> None:
    index = Index()
    index.is_away = True
    one = opening(index)
    for camera in ("kam-1", "kam-2"):
        one.open(camera_of(camera), accounts, oldest=T0 + 7 * SECOND)
        assert accounts.covered_until(camera) == T0 + 7 * SECOND
    assert index.asked == 1
    assert one.new == set()
    index.is_away = False
    one.begin()
    one.open(camera_of("kam-3"), accounts)
    assert index.asked == 2


def test_a_camera_that_was_left_and_comes_back_never_overlaps_its_own_gap(
    accounts: Accounts, clock: ManualClock
) -> None:
    index = Index()
    one = opening(index)
    one.open(CAMERA, accounts)
    accounts.missing("kam-1", T0, GapCause.UNREACHABLE)
    accounts.stop(("kam-1",))
    accounts.leave("kam-1")
    index.is_away = True
    clock.advance(60 * SECOND)
    one.open(CAMERA, accounts, oldest=T0)
    assert accounts.covered_until("kam-1") == T0 + HOUR, "its gap was written up to when it left"
    accounts.rewrite("kam-2")  # a camera that is not here, or not any more
