"""Exports: ordered, made in the background, paused, continued, fetched, and gone after a day."""

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive.cases.exports.model import KEPT, ExportStatus, spans_of
from archive.cases.exports.worker import LEASE
from archive.model.custody import Outcome
from archive.model.token import TokenScope
from archive.timespan import DAY, HOUR, MINUTE, SECOND, Timespan
from ops.tokens import token_file
from tests.support.api_site import (
    ASKED,
    CAMERA,
    CLIP,
    EMPTY_CAMERA,
    T0,
    Caller,
    Site,
    archive_run,
    made_footage,
    open_site,
    span,
)
from tests.support.exports import EXPORTS, change, fetch, order, parts, shown, worker

THIRD_RUN = "6b05180000000003"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as made:
        archive_run(made.services, made_footage()[:2], run=THIRD_RUN, start=T0, camera=EMPTY_CAMERA)
        yield made


def test_it_is_made_in_the_background_and_fetched(site: Site, tmp_path: Path) -> None:
    export_id = order(site)
    assert shown(site, export_id)["status"] == "queued"
    assert fetch(site, export_id).json()["code"] == "export_not_ready"
    assert worker(site).run() == 2
    said = shown(site, export_id)
    assert (said["status"], said["parts"], said["parts_done"]) == ("ready", 2, 2)
    assert 0 < said["bytes_done"] <= said["bytes"]
    answer = fetch(site, export_id)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        assert package.testzip() is None
        package.extractall(tmp_path / "out")
    (folder,) = (tmp_path / "out").iterdir()
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    index = json.loads((folder / "index.json").read_bytes())
    times = {"camera": [CAMERA, EMPTY_CAMERA], **ASKED}
    with zipfile.ZipFile(io.BytesIO(site.call.get("/v1/clips.zip", params=times).content)) as bulk:
        (name,) = (one for one in bulk.namelist() if one.endswith("/index.json"))
        assert index == json.loads(bulk.read(name)), "it says what a download of the same says"
    for one in index["cameras"]:
        (clip,) = one["clips"]
        alone = site.call.get(CLIP.replace(CAMERA, one["camera"]), params=ASKED)
        assert (folder / clip["path"]).read_bytes() == alone.content
    assert "unknown" in (folder / "README.txt").read_text("utf-8") or "tidak ada celah" in (
        folder / "README.txt"
    ).read_text("utf-8")


def test_a_download_is_continued_and_is_on_record(site: Site) -> None:
    export_id = order(site)
    worker(site).run()
    whole = fetch(site, export_id)
    size, etag = len(whole.content), whole.headers["etag"]
    rest = fetch(site, export_id, headers={"Range": f"bytes={size // 2}-", "If-Range": etag})
    assert (rest.status_code, rest.content) == (206, whole.content[size // 2 :])
    assert site.call("HEAD", f"{EXPORTS}/{export_id}/export.zip").headers["content-length"] == str(size)
    (made,) = site.events("export.made")
    assert made.objects == (export_id, CAMERA, EMPTY_CAMERA)
    start, end = site.events("export.download.started")[0], site.events("export.download.ended")[0]
    assert start.objects == (export_id, CAMERA, EMPTY_CAMERA)
    assert (start.details["from"], start.details["to"]) == (ASKED["from"], ASKED["to"])
    assert end.details["bytes_sent"] == size
    assert end.details["cameras_sent"] == f"{CAMERA} {EMPTY_CAMERA}"
    assert end.details["seconds_sent"] >= 21


def test_who_ordered_it_alone_sees_it(site: Site) -> None:
    export_id = order(site)
    worker(site).run()
    token = token_file(site.evidence.site).create("other", site.clock)
    other = Caller(site.app, {"Authorization": f"Bearer {token}"})
    assert other.get(EXPORTS).json() == {"exports": []}
    for method, path in (("GET", ""), ("GET", "/export.zip"), ("POST", "/status")):
        options = {"json": {"status": "cancelled"}} if method == "POST" else {}
        answer = other(method, f"{EXPORTS}/{export_id}{path}", **options)
        assert (answer.status_code, answer.json()["code"]) == (404, "export_not_found")
    assert [one["export_id"] for one in site.call.get(EXPORTS).json()["exports"]] == [export_id]


def test_it_is_paused_continued_and_cancelled(site: Site) -> None:
    export_id = order(site)
    assert change(site, export_id, "paused").json()["status"] == "paused"
    assert worker(site).run() == 0
    assert change(site, export_id, "queued").json()["status"] == "queued"
    assert worker(site).run() == 2
    refused = change(site, export_id, "paused")
    assert (refused.status_code, refused.json()["code"]) == (409, "export_state")
    assert change(site, export_id, "cancelled").json()["status"] == "cancelled"
    assert parts(site) == [], "its room is free at once"
    assert worker(site).run() == 0
    assert shown(site, export_id)["parts_done"] == 0
    assert fetch(site, export_id).json()["code"] == "export_not_ready"
    assert [event.details["status"] for event in site.events("export.change")] == [
        "paused", "queued", "paused", "cancelled",
    ]  # fmt: skip


def test_a_pause_in_the_middle_keeps_what_is_made(site: Site) -> None:
    export_id = order(site)
    board = site.services.exports
    made: list[str] = []

    class Pausing:
        """The cache; a person pauses the export while its first clip is stored."""

        def put(self, key: str, *args: Any, **options: Any) -> Any:
            made.append(key)
            found = site.services.stores.cache.put(key, *args, **options)
            if len(made) == 1:
                change(site, export_id, "paused")
            return found

    first = replace(worker(site), cache=Pausing())  # type: ignore[arg-type]
    assert first.run() == 0
    (export,) = board.everybodys()
    assert export.state.status is ExportStatus.PAUSED
    assert list(board.parts(export.order)) == made
    change(site, export_id, "queued")
    assert worker(site).run() == 2
    assert set(made) < set(board.parts(export.order))
    assert fetch(site, export_id).status_code == 200


def test_another_worker_continues_what_a_dead_one_began(site: Site) -> None:
    export_id = order(site)
    board = site.services.exports
    (export,) = board.everybodys()
    until = site.clock.now() + LEASE
    board.append(export, replace(export.state, status=ExportStatus.RUNNING, worker="dead", until=until))
    assert worker(site).run() == 0, "its claim holds"
    site.clock.advance(LEASE + SECOND)
    assert worker(site).run() == 2
    assert shown(site, export_id)["status"] == "ready"


@pytest.mark.parametrize("swept", [False, True])
def test_footage_that_changed_is_not_given_out(site: Site, swept: bool) -> None:
    export_id = order(site, (CAMERA,), **span(25, 55))
    worker(site).run()
    assert fetch(site, export_id).status_code == 200
    archive_run(site.services, made_footage()[:1], run="6b05180000000004", start=T0 + 32 * SECOND)
    if swept:
        assert worker(site).run() == 1
        said = shown(site, export_id)
        assert (said["status"], said["code"], said["parts_done"]) == ("outdated", "export_outdated", 0)
        assert CAMERA in said["message"]
        assert parts(site) == []
    refused = fetch(site, export_id)
    assert refused.status_code == 409
    assert refused.json()["code"] == ("export_not_ready" if swept else "export_outdated")


def test_a_right_that_ended_ends_the_fetching(site: Site) -> None:
    scope = TokenScope(actions=frozenset({"clips.download"}), districts=frozenset({"73.71.01"}))
    token = token_file(site.evidence.site).create("mariso", site.clock, scope)
    call = Caller(site.app, {"Authorization": f"Bearer {token}"})
    answer = call("POST", EXPORTS, json={"cameras": [CAMERA, "cam-0"], **ASKED})
    assert (answer.status_code, answer.json()["code"]) == (404, "camera_not_found")
    export_id = call("POST", EXPORTS, json={"cameras": [CAMERA], **ASKED}).json()["export_id"]
    worker(site).run()
    assert call.get(f"{EXPORTS}/{export_id}/export.zip").status_code == 200
    now = site.clock.now()
    site.clock.step(T0 + 5 * SECOND - now)
    moved = {"kecamatan": "73.71.02", "kelurahan": "73.71.02.1001"}
    site.services.registry.edit(CAMERA, moved, actor="os:test", reason="moved")
    site.clock.step(now - site.clock.now())
    refused = call.get(f"{EXPORTS}/{export_id}/export.zip")
    assert (refused.status_code, refused.json()["code"]) == (404, "camera_not_found")
    assert CAMERA in refused.json()["detail"]


def test_it_is_gone_after_a_day_and_the_record_stays(site: Site) -> None:
    export_id = order(site)
    worker(site).run()
    site.clock.advance(KEPT)
    assert fetch(site, export_id).json()["code"] == "export_not_found", "also while no job removes it"
    assert site.call.get(EXPORTS).json() == {"exports": []}
    assert worker(site).run() == 1
    assert list(site.services.stores.cache.versions("exports/")) == []
    assert fetch(site, export_id).json()["code"] == "export_not_found"
    acts = [event.type for event in site.events() if export_id in event.objects]
    assert acts[:2] == ["export.order", "export.made"]


def test_without_footage_it_is_refused_or_fails_and_says_why(site: Site) -> None:
    form = {"cameras": [CAMERA], **span(31, 39)}
    refused = site.call("POST", EXPORTS, json=form)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_footage")
    assert "unreachable" in refused.json()["detail"]
    export_id = order(site, (CAMERA,))
    site.services.index.remove(site.first)
    assert worker(site).run() == 1
    said = shown(site, export_id)
    assert (said["status"], said["code"]) == ("failed", "no_footage")
    assert "none of the cameras has footage" in said["message"]
    assert site.events("export.made")[-1].outcome is Outcome.FAILED


def test_bounds(site: Site) -> None:
    def code(**form: Any) -> tuple[int, str]:
        answer = site.call("POST", EXPORTS, json={"cameras": [CAMERA], **ASKED, **form})
        return answer.status_code, answer.json()["code"]

    now = (site.clock.now() - T0) / SECOND
    assert code(**span(now - 10, now + 10)) == (422, "export_not_over")
    assert code(**span(now + 10, now + 20)) == (422, "span_in_future")
    assert code(**span(-25 * 3600, 0)) == (422, "export_too_large")
    both = {"cameras": [CAMERA, EMPTY_CAMERA]}
    assert code(**both, **span(-13 * 3600, 0)) == (422, "export_too_large")
    assert code(**{"from": "2010-01-01T00:00:00+08:00"}) == (422, "span_too_long")
    assert code(cameras=[f"cam-{number}" for number in range(200)]) == (422, "too_many_cameras")
    assert code(**span(0, 0.5)) == (422, "clip_too_short")
    assert code(cameras=[]) == (422, "invalid_request")
    for _ in range(3):
        order(site, (CAMERA,))
    assert code() == (403, "too_many_exports")
    change(site, site.call.get(EXPORTS).json()["exports"][0]["export_id"], "cancelled")
    order(site, (CAMERA,))


def test_a_part_that_was_altered_breaks_the_download(site: Site, tmp_path: Path) -> None:
    export_id = order(site, (CAMERA,))
    worker(site).run()
    (key,) = parts(site)
    name = key.rpartition("/")[2]
    (path,) = (one for one in tmp_path.rglob(name) if one.name == name)
    path.chmod(0o644)
    data = path.read_bytes()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    answer = fetch(site, export_id)
    assert len(answer.content) < int(answer.headers["content-length"])
    end = site.events("export.download.ended")[-1]
    assert (end.outcome, end.details["code"]) == (Outcome.FAILED, "export_altered")


@pytest.mark.parametrize(
    ("length", "pieces"),
    [(SECOND, 1), (30 * MINUTE, 1), (30 * MINUTE + SECOND // 2, 1), (31 * MINUTE, 2), (DAY, 48)],
)
def test_the_parts_of_a_span_are_clips(length: int, pieces: int) -> None:
    found = list(spans_of(Timespan(T0, T0 + length)))
    assert len(found) == pieces
    assert (found[0].start, found[-1].end) == (T0, T0 + length)
    assert all(SECOND <= one.duration < HOUR for one in found)


def test_the_same_order_sent_twice_is_one_export(site: Site) -> None:
    key = {"Idempotency-Key": "6f1d6d0e-7a0c-4f0e-8e3c-1c7b0f6b2a11"}
    form = {"cameras": [CAMERA], **ASKED}
    first, second = (site.call("POST", EXPORTS, json=form, headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 202
    assert second.headers["idempotency-replayed"] == "true"
    assert first.json() == second.json()
    assert len(site.call.get(EXPORTS).json()["exports"]) == 1
