"""The contract of the command line, end to end, on the embedded default and on MinIO + Elasticsearch."""

import itertools
import shutil
import subprocess
import time
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from archive.timespan import SECOND, format_instant, parse_instant
from recorder.binary import find_ffmpeg
from tests.support.command_line import CommandLine
from tests.support.servers import FreshBuckets

SOURCE = "test://?size=320x192&fps=15&gop=30"


@pytest.fixture(scope="module", params=["embedded", "city"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """An installation that has recorded two cameras for some seconds."""
    home = tmp_path_factory.mktemp(request.param) / "home"
    settings: dict[str, str] = {"SAKSI_JOURNAL_UPLOAD_SECONDS": "2"}
    if request.param == "city":
        buckets: FreshBuckets = request.getfixturevalue("fresh_buckets")
        elastic = request.getfixturevalue("elastic_server")
        settings |= buckets.server.environment(buckets.name)
        settings |= {
            "SAKSI_INDEX_URL": elastic.url,
            "SAKSI_INDEX_PREFIX": f"saksi-e2e-{time.time_ns()}",
            "SAKSI_RETENTION_FLOOR_DAYS": "1",
            "SAKSI_RECORDS_LOCK_DAYS": "1",
            "SAKSI_EVIDENCE_LOCK_DAYS": "1",
        }
    saksi = CommandLine(home, settings)
    saksi.must("keys", "init")
    assert saksi.add_camera("cam-1", SOURCE).code == 0
    assert saksi.add_camera("cam-2", SOURCE + "&codec=hevc").code == 0
    started = time.time_ns() // 1000
    saksi.must("record", "--for", "14s", timeout=90)
    home.joinpath("span").write_text(f"{started} {time.time_ns() // 1000}")
    return saksi


def edges(saksi: CommandLine) -> tuple[str, str, str, str]:
    start, end = saksi.home.joinpath("span").read_text().split()
    return "--from", format_instant(int(start)), "--to", format_instant(int(end))


def recordings(saksi: CommandLine, *cameras: str) -> dict[str, Any]:
    chosen = [word for camera in cameras for word in ("--camera", camera)]
    return saksi.must("recordings", *chosen, *edges(saksi), "--json").json


def middle_of(saksi: CommandLine, camera: str, seconds: float) -> tuple[str, str, str, str]:
    """A span with odd instants inside the longest stretch."""
    parts = [part for part in recordings(saksi, camera)["coverage"] if part["camera"] == camera]
    longest = max(parts, key=lambda p: parse_instant(p["to"]) - parse_instant(p["from"]))
    start, end = parse_instant(longest["from"]), parse_instant(longest["to"])
    assert end - start > seconds * SECOND
    first = (start + end - round(seconds * SECOND)) // 2 + 12_345
    return "--from", format_instant(first), "--to", format_instant(first + round(seconds * SECOND))


def test_recordings_partition_the_span(site: CommandLine) -> None:
    answer = recordings(site)
    start, end = parse_instant(edges(site)[1]), parse_instant(edges(site)[3])
    for camera in ("cam-1", "cam-2"):
        parts = [
            (parse_instant(part["from"]), parse_instant(part["to"]))
            for name in ("coverage", "gaps", "pending")
            for part in answer[name]
            if part["camera"] == camera
        ]
        parts.sort()
        assert parts[0][0] == start
        assert parts[-1][1] == end
        assert all(a[1] == b[0] for a, b in itertools.pairwise(parts))
    covered = [part for part in answer["coverage"] if part["camera"] == "cam-1"]
    assert sum(parse_instant(p["to"]) - parse_instant(p["from"]) for p in covered) > 8 * SECOND


@pytest.mark.parametrize("camera", ["cam-1", "cam-2"])
def test_a_clip_is_exact_whole_and_the_same_twice(site: CommandLine, tmp_path: Path, camera: str) -> None:
    span = middle_of(site, camera, 5)
    first = site.must("clip", "--camera", camera, *span, "-o", str(tmp_path / "a.mp4"), "--json").json
    second = site.must("clip", "--camera", camera, *span, "-o", str(tmp_path / "b.mp4"), "--json").json
    assert first == second
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    assert first["bytes"] == (tmp_path / "a.mp4").stat().st_size
    assert 74 <= first["frames"] <= 76
    assert first["gaps"] == []
    assert len(first["pieces"]) >= 2
    decoded = subprocess.run(
        [str(find_ffmpeg().path), "-v", "error", "-i", str(tmp_path / "a.mp4"), "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert decoded.stderr == ""
    again = site("clip", "--camera", camera, *span, "-o", str(tmp_path / "a.mp4"), "--json")
    assert (again.code, again.problem["code"]) == (2, "output_exists")


def test_a_package_is_sealed_verified_and_caught_when_altered(site: CommandLine, tmp_path: Path) -> None:
    package = tmp_path / "evidence.zip"
    sealed = site.must(
        "seal",
        "--camera",
        "cam-1",
        "--camera",
        "cam-2",
        *edges(site),
        "--case",
        "LP/B/1",
        "-o",
        str(package),
        "--json",
    ).json
    assert set(sealed) == {"evidence_id", "tagmanifest_sha256", "signer_sha256", "gen_time", "tsa"}
    assert sealed["tsa"] == "local"
    keys = site.must("keys", "show", "--json").json
    assert keys["signer_sha256"] == sealed["signer_sha256"]
    trust = ("--trust", keys["trust_root"], "--signer", sealed["signer_sha256"], "--json")
    elsewhere = CommandLine(tmp_path / "no-archive-here")
    good = elsewhere("verify", str(package), *trust)
    assert good.code == 0
    assert good.json["valid"] is True
    with zipfile.ZipFile(package) as archive:
        archive.extractall(tmp_path / "bag")
        target = next(info for info in archive.infolist() if "/data/original/" in info.filename)
    folder = next((tmp_path / "bag").iterdir())
    assert elsewhere("verify", str(folder), *trust).code == 0
    original = tmp_path / "bag" / target.filename
    original.chmod(0o600)
    body = bytearray(original.read_bytes())
    body[len(body) // 2] ^= 1
    original.write_bytes(body)
    bad = elsewhere("verify", str(folder), *trust)
    assert bad.code == 1
    assert bad.json["valid"] is False
    assert any(f["severity"] == "error" and original.name in f["path"] for f in bad.json["findings"])


def delete_index(site: CommandLine) -> None:
    """Delete the index, as if its disk had failed."""
    url = site.settings.get("SAKSI_INDEX_URL")
    if url is None:
        shutil.rmtree(site.home / "index")
        return
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
        found = client.get(f"/{site.settings['SAKSI_INDEX_PREFIX']}*").raise_for_status().json()
        assert found, "there is an index to delete"
        for name in found:
            client.delete(f"/{name}").raise_for_status()


def test_the_index_is_a_view(site: CommandLine, tmp_path: Path) -> None:
    before = (recordings(site), site.must("camera", "list", "--json").json)
    span = middle_of(site, "cam-1", 3)
    clip = site.must("clip", "--camera", "cam-1", *span, "-o", str(tmp_path / "before.mp4"), "--json").json
    delete_index(site)
    site.must("index", "rebuild")
    assert (recordings(site), site.must("camera", "list", "--json").json) == before
    after = site.must("clip", "--camera", "cam-1", *span, "-o", str(tmp_path / "after.mp4"), "--json").json
    assert after == clip


def test_the_archive_keeps_its_promises(site: CommandLine) -> None:
    checked = site.must("archive", "check", "--deep", "--json").json
    assert checked["valid"] is True
    assert checked["segments"] >= 4
    assert checked["journal_batches"] >= 1
    assert site.must("index", "status", "--json").json["segments"] == checked["segments"]


def bad(site: CommandLine, *words: str) -> tuple[int, str]:
    answer = site(*words, "--json")
    assert answer.problem["hint"] or answer.problem["message"]
    return answer.code, answer.problem["code"]


def test_bad_input_is_told_with_a_code(site: CommandLine, tmp_path: Path) -> None:
    out = ("-o", str(tmp_path / "x.mp4"))
    clip = ("clip", "--camera", "cam-1")
    day = "2026-11-24T00:00:0"
    assert bad(site, *clip, "--from", "2026-11-24T00:00:00", "--to", day + "9Z", *out) == (2, "naive_time")
    assert bad(site, *clip, "--from", day + "9Z", "--to", day + "1Z", *out) == (2, "empty_span")
    assert bad(site, *clip, "--from", day + "1Z", "--to", day + "1.5Z", *out) == (2, "clip_too_short")
    far = ("--from", "2998-01-01T00:00:00Z", "--to", "2998-01-01T00:01:00Z")
    assert bad(site, *clip, *far, *out) == (2, "span_in_future")
    past = ("--from", "2020-01-01T00:00:00Z", "--to", "2020-01-01T00:01:00Z")
    assert bad(site, *clip, *past, *out) == (1, "no_footage")
    assert bad(site, "clip", "--camera", "cam-9", *past, *out) == (2, "camera_not_found")
    year = ("--from", "2020-01-01T00:00:00Z", "--to", "2021-02-05T00:00:00Z")
    assert bad(site, "recordings", *year) == (2, "span_too_long")
    assert bad(site, "verify", str(tmp_path / "nothing.zip"), "--trust", "no.pem")[0] == 2
    assert not (tmp_path / "x.mp4").exists()
    private = site.add_camera("cam-3", SOURCE, view="private")
    assert private.code == 2
    assert "private_view" in private.err
    torn = tmp_path / "torn.zip"
    torn.write_bytes(b"PK\x03\x04 not a package")
    keys = site.must("keys", "show", "--json").json
    assert bad(site, "verify", str(torn), "--trust", keys["trust_root"]) == (2, "bad_package")


def test_an_unreachable_store_is_unavailable(tmp_path: Path) -> None:
    saksi = CommandLine(
        tmp_path,
        {
            "SAKSI_ARCHIVE_URL": "s3://nowhere?endpoint=http://127.0.0.1:9&region=us-east-1",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "hidden-from-everybody",
        },
    )
    answer = saksi("camera", "list", "--json")
    assert answer.code == 3
    assert answer.problem["hint"]
    assert "hidden-from-everybody" not in answer.err


@pytest.mark.parametrize(
    ("name", "value"),
    [("SAKSI_RETENTION_FLOR_DAYS", "3"), ("SAKSI_PORT", "a lot"), ("SAKSI_JOURNAL_UPLOAD_SECONDS", "600")],
)
def test_a_misspelt_or_impossible_setting_is_refused(tmp_path: Path, name: str, value: str) -> None:
    answer = CommandLine(tmp_path, {name: value})("camera", "list", "--json")
    assert (answer.code, answer.problem["code"]) == (2, "bad_setting")
    assert name.removeprefix("SAKSI_").lower() in answer.problem["message"]
