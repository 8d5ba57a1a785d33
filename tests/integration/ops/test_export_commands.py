"""``saksi export``: ordered at the command line, made by the job, written as one ZIP."""

import json
import zipfile
from pathlib import Path

import pytest

from archive.clock import ManualClock
from ops.exports import worker_of
from ops.settings import Settings
from ops.wiring import Site
from tests.support.commands_at import CommandsAt
from tests.vectors.archive_0_1_0.answers import instant_of, unpack

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "archive_0_1_0"
NOW = instant_of(json.loads((VECTORS / "expected.json").read_bytes())["now"])
SPAN = ("--from", "2026-11-24T14:00:02+08:00", "--to", "2026-11-24T14:00:14+08:00")
CAMERAS = ("--camera", "cam-losari", "--camera", "cam-masjid")


@pytest.fixture(scope="module")
def saksi(tmp_path_factory: pytest.TempPathFactory) -> CommandsAt:
    home = tmp_path_factory.mktemp("city")
    unpack(VECTORS / "archive.tar.xz", home)
    made = CommandsAt(home, lambda: NOW)
    made.must("index", "rebuild")
    return made


def work(saksi: CommandsAt) -> int:
    """One turn of the job."""
    with Site(Settings.load({"SAKSI_HOME": str(saksi.home)}), ManualClock(NOW)) as site:
        return worker_of(site).run()


def test_an_export_from_order_to_file(saksi: CommandsAt, tmp_path: Path) -> None:
    ordered = saksi.must("export", "start", *CAMERAS, *SPAN, "--purpose", "LP/B/1", "--json").json
    export_id = ordered["export_id"]
    assert ordered["status"] == "queued"
    early = saksi("export", "download", export_id, "-o", str(tmp_path), "--json")
    assert early.problem["code"] == "export_not_ready"
    assert saksi.must("export", "pause", export_id, "--json").json["status"] == "paused"
    assert work(saksi) == 0
    assert saksi.must("export", "resume", export_id, "--json").json["status"] == "queued"
    waiting = saksi("export", "follow", export_id, "--for", "1", "--json")
    assert (waiting.code, waiting.problem["code"]) == (3, "export_not_finished")
    assert work(saksi) == 2, "a piece of each camera"
    assert saksi.must("export", "follow", export_id, "--json").json["parts_done"] == 2
    assert "ready, 2 of 2 parts" in saksi.must("export", "show", export_id).out
    assert export_id in saksi.must("export", "list").out
    assert [one["export_id"] for one in saksi.must("export", "list", "--json").json["exports"]] == [export_id]
    saksi.must("export", "download", export_id, "-o", str(tmp_path))
    (path,) = tmp_path.iterdir()
    assert path.name == "saksi 2 kamera, 2026-11-24 14.00.02-14.00.14 WITA.zip"
    with zipfile.ZipFile(path) as found:
        assert found.testzip() is None
    assert saksi.must("export", "cancel", export_id, "--json").json["status"] == "cancelled"
    again = saksi("export", "download", export_id, "-o", str(tmp_path / "again.zip"), "--json")
    assert again.problem["code"] == "export_not_ready"
    assert saksi("export", "follow", export_id).code == 2


def test_an_unknown_export_is_said_to_be_unknown(saksi: CommandsAt) -> None:
    ordered = saksi.must("export", "start", *CAMERAS[:2], *SPAN, "--json").json
    unknown = saksi("export", "show", "exp-0123456789abcdef01234567", "--json")
    assert unknown.problem["code"] == "export_not_found"
    saksi.must("export", "cancel", ordered["export_id"])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (
            (*CAMERAS, "--from", "2016-11-24T14:00:00+08:00", "--to", "2026-11-24T14:00:14+08:00"),
            "span_too_long",
        ),
        (
            (*CAMERAS, "--from", "2026-11-23T14:00:00+08:00", "--to", "2026-11-24T13:00:00+08:00"),
            "export_too_large",
        ),
        (
            (*CAMERAS[:2], "--from", "2026-11-24T12:00:00+08:00", "--to", "2026-11-24T12:01:00+08:00"),
            "no_footage",
        ),
        (("--camera", "cam-nowhere", *SPAN), "camera_not_found"),
    ],
)
def test_limits_are_said_at_the_order(saksi: CommandsAt, options: tuple[str, ...], code: str) -> None:
    refused = saksi("export", "start", *options, "--json")
    assert refused.problem["code"] == code
    assert saksi.must("export", "list", "--json").json["exports"][0]["status"] == "cancelled"
