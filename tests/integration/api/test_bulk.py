"""One time of many cameras as one ZIP: the clip of each, and what is missing of each."""

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.model.custody import Outcome
from archive.model.token import TokenScope
from archive.timespan import SECOND
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
    camera_form,
    camera_json,
    instant,
    made_footage,
    open_site,
    span,
)

CLIPS = "/v1/clips.zip"
OTHER_CAMERA = "cam-3"
ALL = [CAMERA, EMPTY_CAMERA, OTHER_CAMERA]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        now = made.clock.now()
        made.clock.step(T0 - 60 * SECOND - now)
        made.services.registry.add(camera_form(OTHER_CAMERA), actor="os:test")
        made.clock.step(now - made.clock.now())
        run, start = "6b05180000000003", T0 + 5 * SECOND
        archive_run(made.services, made_footage()[:2], run=run, start=start, camera=OTHER_CAMERA)
        yield made


def fetch(site: Site, cameras: list[str] | None = None, **more: Any) -> httpx.Response:
    asked = {**ASKED, "camera": ALL if cameras is None else cameras}
    return site.call.get(CLIPS, params={**asked, **more.pop("params", {})}, **more)


def parts(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        return {name.partition("/")[2]: found.read(name) for name in found.namelist()}


def test_it_has_the_exact_clip_of_each_camera(site: Site, tmp_path: Path) -> None:
    answer = fetch(site)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["saksi-cameras"] == "3"
    assert answer.headers["saksi-cameras-without-footage"] == "1"
    name = "saksi 3 kamera, 2026-11-24 14.00.03.3-14.00.14.05 WITA"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.zip"'
    found = parts(answer.content)
    clips = {
        camera: f"{camera} Jl. Penghibur {camera}, Mariso, 2026-11-24 14.00.03.3-14.00.14.05 WITA.mp4"
        for camera in (CAMERA, OTHER_CAMERA)
    }
    assert found.keys() == {*clips.values(), "README.txt", "index.json", "SHA256SUMS"}
    for camera, path in clips.items():
        alone = site.call.get(CLIP.replace(CAMERA, camera), params=ASKED)
        assert found[path] == alone.content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
        package.extractall(tmp_path)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path / name, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(checked.stdout.splitlines()) == len(found) - 1


def test_what_is_missing_is_said_of_each_camera(site: Site) -> None:
    found = parts(fetch(site).content)
    index = {one["camera"]: one for one in json.loads(found["index.json"])["cameras"]}
    assert list(index) == sorted(ALL)
    assert index[CAMERA]["gaps"] == []
    assert index[EMPTY_CAMERA]["clips"] == []
    assert [gap["from"] for gap in index[EMPTY_CAMERA]["gaps"]] == [ASKED["from"]]
    assert index[OTHER_CAMERA]["gaps"] == [{"from": ASKED["from"], "to": instant(5), "cause": "unknown"}]
    readme = found["README.txt"].decode()
    for part in readme.split("----"):
        for camera in ALL:
            assert f"{camera}, Jl. Penghibur {camera}" in part
    assert readme.count("TIDAK ADA REKAMAN") == readme.count("NO FOOTAGE") == 1
    assert "dengan rekaman: 2" in readme
    assert readme.count("made_from") == 2, "what the recorder itself may have encoded"


@settings(deadline=None, max_examples=10)
@given(data=st.data())
def test_any_range_is_that_slice(site: Site, data: st.DataObject) -> None:
    whole = fetch(site)
    size = len(whole.content)
    start = data.draw(st.integers(0, size - 1))
    end = data.draw(st.integers(start + 1, size))
    headers = {"Range": f"bytes={start}-{end - 1}", "If-Range": whole.headers["etag"]}
    answer = fetch(site, headers=headers)
    assert (answer.status_code, answer.content) == (206, whole.content[start:end])
    assert answer.headers["etag"] == whole.headers["etag"]


def test_head_conditions_and_another_process(site: Site) -> None:
    whole = fetch(site)
    head = site.call("HEAD", CLIPS, params={**ASKED, "camera": ALL})
    assert (head.status_code, head.content, head.headers) == (200, b"", whole.headers)
    etag = whole.headers["etag"]
    assert fetch(site, headers={"If-None-Match": etag}).status_code == 304
    assert fetch(site, headers={"If-Match": '"x"'}).status_code == 412
    other = Caller(site.remade(), site.headers)
    rest = {"Range": f"bytes={len(whole.content) - 50}-"}
    assert other.get(CLIPS, params={**ASKED, "camera": ALL}, headers=rest).content == whole.content[-50:]
    assert fetch(site, [CAMERA]).headers["etag"] != etag


def test_footage_that_arrives_in_between_gives_no_mixture(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        before = fetch(site, [CAMERA, EMPTY_CAMERA])
        archive_run(site.services, made_footage()[:2], run="6b05180000000004", start=T0, camera=EMPTY_CAMERA)
        rest = {"Range": "bytes=1000-"}
        old = {"If-Match": before.headers["etag"]}
        assert fetch(site, [CAMERA, EMPTY_CAMERA], headers={**rest, **old}).status_code == 412
        again = fetch(site, [CAMERA, EMPTY_CAMERA], headers={**rest, "If-Range": before.headers["etag"]})
        assert again.status_code == 200
        assert len(parts(again.content)) == len(parts(before.content)) + 1


def test_cameras_without_anything_are_refused_with_the_causes(site: Site) -> None:
    refused = fetch(site, [CAMERA, EMPTY_CAMERA], params=span(31, 39))
    assert (refused.status_code, refused.json()["code"]) == (409, "no_footage")
    assert "cam-1 (unreachable)" in refused.json()["detail"]
    assert "cam-2 (" in refused.json()["detail"]
    later = (site.clock.now() - T0) / SECOND
    future = fetch(site, params=span(later + 5, later + 10))
    assert (future.status_code, future.json()["code"]) == (422, "span_in_future")


def test_a_connection_that_does_not_join_gives_several_clips(tmp_path: Path) -> None:
    """Open GOPs: the second run begins with a picture that does not start anew."""
    with open_site(tmp_path, variant="h264-open-b") as site:
        one = site.call.get(CLIP, params=span(20, 60))
        found = parts(fetch(site, [CAMERA], params=span(20, 60)).content)
        clips = [name for name in found if name.endswith(".mp4")]
        assert len(clips) == (1 if one.status_code == 200 else 2)
        assert len(set(clips)) == len(clips)


def test_one_camera_that_is_not_open_refuses_the_whole(site: Site) -> None:
    site.call("POST", "/v1/cameras", json=camera_json("cam-9"))
    scope = TokenScope(actions=frozenset({"clips.download"}), districts=frozenset({"73.71.01"}))
    token = token_file(site.evidence.site).create("mariso", site.clock, scope)
    call = Caller(site.app, {"Authorization": f"Bearer {token}"})
    assert call.get(CLIPS, params={**ASKED, "camera": [CAMERA, OTHER_CAMERA]}).status_code == 200
    for stranger in ("cam-9", "cam-0"):
        refused = call.get(CLIPS, params={**ASKED, "camera": [CAMERA, stranger]})
        assert (refused.status_code, refused.json()["code"]) == (404, "camera_not_found")
        assert f"there is no camera {stranger}" in refused.json()["detail"]
    unknown = fetch(site, [CAMERA, "cam-0", "cam-00"])
    assert unknown.status_code == 404
    assert "there is no camera cam-0, cam-00" in unknown.json()["detail"]


def test_bounds(site: Site) -> None:
    def code(cameras: list[str], **params: str) -> tuple[int, str]:
        answer = fetch(site, cameras, params=params)
        return answer.status_code, answer.json()["code"]

    assert code([]) == (422, "bad_filter")
    assert code([CAMERA], **span(0, 0.5)) == (422, "clip_too_short")
    assert code([CAMERA], **span(-7200, 1)) == (422, "clip_too_long")
    assert code([f"c-{number}" for number in range(101)]) == (422, "too_many_cameras")
    assert code([f"c-{number}" for number in range(50)], **span(-1000, 0)) == (422, "bulk_too_large")


def test_it_is_on_record_with_what_was_really_sent(site: Site) -> None:
    answer = fetch(site, params={"purpose": "LP/B/7"})
    start, end = site.events("clip.download.started")[-1], site.events("clip.download.ended")[-1]
    assert (start.objects, start.purpose) == (tuple(ALL), "LP/B/7")
    assert (start.details["from"], start.details["to"]) == (ASKED["from"], ASKED["to"])
    assert end.details["bytes_sent"] == len(answer.content)
    assert end.details["cameras_sent"] == f"{CAMERA} {OTHER_CAMERA}"
    assert end.details["seconds_sent"] == 20  # 10.75 s and 9.05 s
    fetch(site, headers={"Range": "bytes=0-5000"})
    part = site.events("clip.download.ended")[-1].details
    assert part["bytes_sent"] == 5001
    assert part["cameras_sent"] == CAMERA
    refused = fetch(site, [CAMERA, "cam-0"])
    assert refused.status_code == 404
    event = site.events("clip.download")[-1]
    assert (event.outcome, event.objects) == (Outcome.REFUSED, (CAMERA, "cam-0"))


def test_a_damaged_segment_stops_it_before_its_clip_begins(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        name = site.first[1].key.rpartition("/")[2]
        (path,) = (one for one in tmp_path.rglob(name) if one.name == name)
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-10])
        answer = fetch(site, [CAMERA, EMPTY_CAMERA])
        if answer.status_code == 200:
            assert len(answer.content) < int(answer.headers["content-length"])
            assert b"moov" not in answer.content
            assert site.events("clip.download.ended")[-1].outcome is Outcome.FAILED
        else:
            assert answer.status_code == 500
            assert answer.json()["code"].startswith(("segment_", "object_"))
