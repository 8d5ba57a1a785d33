"""New passwords for many cameras: in which order, and what counts when a step fails."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from archive.errors import ArchiveError, Malformed, Unavailable
from archive.model.gap import GapCause
from archive.model.segment import DeviceClock
from ops.camera_passwords import Outcome, PasswordChange, PasswordRow, RowResult, read_rows
from recorder.devices import (
    DeviceNews,
    DeviceReport,
    FoundDevice,
    Login,
    login_refused,
    no_answer,
)
from tests.support.archives import SmallArchive, camera_form, small_archive

OLD, NEW = "s3cret", "baru: 1/2@3"
ONVIF = "http://10.0.0.7/onvif/device_service"


@dataclass
class Device:
    """One camera's accounts; ``refuses`` and ``gone`` are what it does from then on."""

    password: str = OLD
    calls: list[str] = field(default_factory=list)
    breaks_after_change: bool = False
    is_gone: bool = False

    async def look(self, address: str, login: Login) -> DeviceReport:
        raise NotImplementedError

    async def clock(self, address: str, login: Login | None) -> DeviceClock:
        raise NotImplementedError

    async def news(self, address: str, login: Login, queue: str) -> DeviceNews:
        raise NotImplementedError

    async def search(self, interfaces: Sequence[str], seconds: float) -> Sequence[FoundDevice]:
        raise NotImplementedError

    async def check(self, address: str, login: Login) -> None:
        self.calls.append("check old" if login.password == OLD else "check new")
        if self.is_gone:
            raise no_answer("10.0.0.7")
        if login.password != self.password:
            raise login_refused("10.0.0.7")

    async def replace_password(self, address: str, login: Login, user: str, password: str) -> None:
        self.calls.append(f"replace as {login.user}")
        if login.user != "root" and login.password != self.password:
            raise login_refused("10.0.0.7")
        self.password = password
        self.is_gone = self.breaks_after_change


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.registry.add(camera_form(onvif=ONVIF), actor="os:tester")
    yield made
    made.index.close()


def change(site: SmallArchive, device: Device, *, cause: GapCause | None = None, **given: Any) -> RowResult:
    async def stream(source: Any) -> GapCause | None:
        assert source.password == NEW
        return cause

    work = PasswordChange(
        registry=site.registry, devices=device, stream=stream, actor="os:tester", reason="r", pause=0, **given
    )
    (result,) = work.run([PasswordRow(2, "cam-1", NEW)])
    return result


def registered(site: SmallArchive) -> str:
    return site.registry.source_of(site.registry.camera("cam-1"))


def code(error: ArchiveError | None) -> str:
    return "" if error is None else error.code


def test_the_new_password_is_registered_once_it_works(site: SmallArchive) -> None:
    device = Device()
    assert change(site, device).outcome is Outcome.CHANGED
    assert device.calls == ["check old", "replace as admin", "check new"]
    assert registered(site) == "rtsp://admin:baru%3A%201%2F2%403@10.0.0.7:554/stream?token=abc"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("rtsp://admin:s3cret@10.0.0.7/2", "rtsp://admin:baru%3A%201%2F2%403@10.0.0.7/2"),
        ("rtsp://wall:w@10.0.0.7/2", "rtsp://wall:w@10.0.0.7/2"),
    ],
)
def test_a_sub_stream_with_the_same_account_gets_it_too(site: SmallArchive, before: str, after: str) -> None:
    site.registry.edit("cam-1", {"sub": before}, actor="os:tester")
    assert change(site, Device()).outcome is Outcome.CHANGED
    assert site.registry.sub_of(site.registry.camera("cam-1")) == after


def test_another_account_changes_it(site: SmallArchive) -> None:
    device = Device()
    assert change(site, device, admin=Login("root", "akar")).outcome is Outcome.CHANGED
    assert device.calls[1] == "replace as root"


def test_a_run_that_broke_off_is_taken_up(site: SmallArchive) -> None:
    device = Device(password=NEW)
    assert change(site, device, is_dry=True).outcome is Outcome.REGISTERED
    assert OLD in registered(site)
    assert change(site, device).outcome is Outcome.REGISTERED
    assert device.password == NEW
    assert change(site, device).outcome is Outcome.SAME


def test_a_dry_run_writes_nothing(site: SmallArchive) -> None:
    device = Device()
    assert change(site, device, is_dry=True).outcome is Outcome.CHANGED
    assert (device.calls, device.password) == (["check old"], OLD)
    assert OLD in registered(site)


def test_a_stream_that_refuses_the_new_password_gets_the_old_one_back(site: SmallArchive) -> None:
    device = Device()
    result = change(site, device, cause=GapCause.AUTH_FAILED)
    assert (code(result.error), device.password) == ("password_not_taken", OLD)
    assert OLD in registered(site)
    assert device.calls[-3:] == ["check old", "replace as admin", "check old"]


def test_a_stream_that_is_away_keeps_nobody_from_a_new_password(site: SmallArchive) -> None:
    assert change(site, Device(), cause=GapCause.UNREACHABLE).outcome is Outcome.CHANGED


def test_a_camera_that_goes_away_in_between_leaves_the_registration(site: SmallArchive) -> None:
    result = change(site, Device(breaks_after_change=True))
    assert code(result.error) == "password_unsure"
    assert OLD in registered(site)


def test_a_camera_that_knows_neither_password_is_left_alone(site: SmallArchive) -> None:
    device = Device(password="another")
    assert code(change(site, device).error) == "device_login_refused"
    assert device.calls == ["check old", "check new"]


def test_an_edit_in_between_is_not_overwritten(site: SmallArchive) -> None:
    class Busy(Device):
        async def replace_password(self, *words: Any) -> None:
            await super().replace_password(*words)
            site.registry.edit("cam-1", {"name": "Lain"}, actor="os:other")

    result = change(site, Busy())
    assert code(result.error) == "ledger_conflict"
    assert site.registry.camera("cam-1").name == "Lain"


def test_a_store_that_is_away_ends_its_row_only(site: SmallArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(camera_id: str) -> None:
        raise Unavailable("away", code="store_unreachable")

    monkeypatch.setattr(site.registry, "head", away)
    assert code(change(site, Device()).error) == "store_unreachable"


@pytest.mark.parametrize("password", ["", "x" * 65, "kata sandi é", "a\tb"])
def test_a_password_that_cameras_do_not_take(site: SmallArchive, password: str) -> None:
    work = PasswordChange(
        registry=site.registry,
        devices=Device(),
        stream=lambda _: None,
        actor="a",
        reason="",  # type: ignore[arg-type, return-value]
    )
    (result,) = work.run([PasswordRow(2, "cam-1", password)])
    assert code(result.error) == "bad_new_password"


def test_rows_are_read_in_any_order_of_columns() -> None:
    assert read_rows('password,id\n"a,b",cam-1\n\n c ,cam-2\n') == [
        PasswordRow(2, "cam-1", "a,b"),
        PasswordRow(4, "cam-2", " c "),
    ]


@pytest.mark.parametrize(
    "text",
    ["", "id\ncam-1\n", "id,password,name\n", "id,password\ncam-1\n", 'id,password\ncam-1,"geheim',
     "id,password\ncam-1,geheim\ncam-1,geheim\n"],
)  # fmt: skip
def test_a_table_that_is_none_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_rows(text)
    assert caught.value.code == "bad_csv"
    assert "geheim" not in caught.value.message
