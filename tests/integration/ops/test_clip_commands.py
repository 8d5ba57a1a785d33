"""``saksi clip``: untouched segments, several cameras, and names that a person understands."""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.support.commands_at import CommandsAt
from tests.vectors.archive_0_1_0.answers import instant_of, unpack

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "archive_0_1_0"
SPAN = ("--from", "2026-11-24T14:00:02+08:00", "--to", "2026-11-24T14:00:14+08:00")
WHEN = "2026-11-24 14.00.02-14.00.14 WITA"
ONE, OTHER = "cam-losari", "cam-masjid"


@pytest.fixture(scope="module")
def saksi(tmp_path_factory: pytest.TempPathFactory) -> CommandsAt:
    home = tmp_path_factory.mktemp("city")
    unpack(VECTORS / "archive.tar.xz", home)
    now = instant_of(json.loads((VECTORS / "expected.json").read_bytes())["now"])
    made = CommandsAt(home, lambda: now)
    made.must("index", "rebuild")
    return made


def unpacked(path: Path, into: Path) -> Path:
    """The folder in a ZIP; its hashes are compared by another program."""
    with zipfile.ZipFile(path) as found:
        found.extractall(into)
    (folder,) = into.iterdir()
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return folder


def test_untouched_segments_are_written_with_their_hashes(saksi: CommandsAt, tmp_path: Path) -> None:
    path = tmp_path / "asli.zip"
    words = ("clip", "--camera", ONE, *SPAN, "--container", "original", "-o", str(path))
    shown = saksi.must(*words).out
    assert "untouched segments" in shown
    assert "sha256sum -c SHA256SUMS" in shown
    folder = unpacked(path, tmp_path / "out")
    index = json.loads((folder / "index.json").read_bytes())
    assert len(list((folder / "original").iterdir())) == len(index["segments"])
    assert len((folder / "leaves.jsonl").read_bytes().splitlines()) == len(index["segments"])
    readme = (folder / "README.txt").read_text("utf-8")
    assert f"paling lama {index['outside_before_us'] / 1e6:.3f} detik" in readme
    again = tmp_path / "again.zip"
    described = saksi.must(*words[:-1], str(again), "--json").json
    assert again.read_bytes() == path.read_bytes()
    assert described["bytes"] == path.stat().st_size
    assert described["segments"] == len(index["segments"])
    refused = saksi(*words, "--json")
    assert (refused.code, refused.problem["code"]) == (2, "output_exists")


def test_in_a_folder_a_download_gets_a_name(saksi: CommandsAt, tmp_path: Path) -> None:
    saksi.must("clip", "--camera", ONE, *SPAN, "-o", str(tmp_path))
    saksi.must("clip", "--camera", ONE, *SPAN, "-o", str(tmp_path), "--container", "original")
    saksi.must("clip", "--camera", ONE, "--camera", OTHER, *SPAN, "-o", str(tmp_path))
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rpartition(".")[2] for name in names] == ["mp4", "zip", "zip"]
    assert all(name.startswith(f"{ONE} ") and f", {WHEN}." in name for name in names[:2])
    assert names[2] == f"saksi 2 kamera, {WHEN}.zip"


def test_several_cameras_are_one_zip(saksi: CommandsAt, tmp_path: Path) -> None:
    path = tmp_path / "dua.zip"
    both = ("--camera", ONE, "--camera", OTHER)
    shown = saksi.must("clip", *both, *SPAN, "-o", str(path), "--json").json
    assert [one["camera"] for one in shown["cameras"]] == [ONE, OTHER]
    folder = unpacked(path, tmp_path / "out")
    alone = tmp_path / "alone.mp4"
    saksi.must("clip", "--camera", ONE, *SPAN, "-o", str(alone))
    (clip,) = shown["cameras"][0]["clips"]
    assert (folder / clip["path"]).read_bytes() == alone.read_bytes()
    told = saksi.must("clip", *both, *SPAN, "-o", str(tmp_path / "again.zip"))
    assert f"  {ONE}: {clip['path']}" in told.out
    refused = saksi("clip", *both, *SPAN, "--container", "original", "-o", str(tmp_path / "x.zip"), "--json")
    assert (refused.code, refused.problem["code"]) == (2, "one_camera")
    long = ("--from", "2026-11-24T00:00:00+08:00", "--to", "2026-11-24T02:00:00+08:00")
    many = [word for number in range(7) for word in ("--camera", f"c-{number}")]
    refused = saksi("clip", *many, *long, "-o", str(tmp_path / "x.zip"), "--json")
    assert refused.problem["code"] == "bulk_too_large"


def test_where_nothing_was_recorded_there_is_no_file(saksi: CommandsAt, tmp_path: Path) -> None:
    early = ("--from", "2026-08-01T00:00:00+08:00", "--to", "2026-08-01T00:01:00+08:00")
    for more in (("--container", "original"), ("--camera", OTHER)):
        path = tmp_path / "none.zip"
        refused = saksi("clip", "--camera", ONE, *more, *early, "-o", str(path), "--json")
        assert refused.problem["code"] == "no_footage", refused.err
        assert not path.exists()
