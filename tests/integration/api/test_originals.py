"""``container=original``: the untouched segments of a span as a ZIP, with hashes, leaves and gaps."""

import io
import json
import random
import re
import subprocess
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import IntegrityError
from archive.footage.reader import recorded_leaf
from archive.model.gap import Gap, GapCause
from archive.model.segment import SegmentRef
from archive.model.token import TokenScope
from archive.ports import IndexEntry
from archive.timespan import SECOND, Timespan, format_instant
from ops.tokens import token_file
from tests.support.api_site import (
    ASKED,
    CAMERA,
    CLIP,
    DESCRIPTION,
    PLACE,
    T0,
    Caller,
    Site,
    archive_run,
    instant,
    made_footage,
    open_site,
    span,
)
from tests.support.recordings import RUN

ORIGINAL = {**ASKED, "container": "original"}
NAME = "cam-1 Jl. Penghibur cam-1, Mariso, 2026-11-24 14.00.03.3-14.00.14.05 WITA"
THIRD_RUN = "6b05180000000003"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("site")


@pytest.fixture(scope="module")
def site(folder: Path) -> Iterator[Site]:
    with open_site(folder) as made:
        yield made


@pytest.fixture(scope="module")
def whole(site: Site) -> bytes:
    return site.call.get(CLIP, params=ORIGINAL).content


def parts(data: bytes) -> dict[str, bytes]:
    """The files in the folder of a ZIP."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        assert found.testzip() is None
        names = found.namelist()
        folders = {name.partition("/")[0] for name in names}
        assert len(folders) == 1
        return {name.partition("/")[2]: found.read(name) for name in names}


def described(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parts(data)["index.json"])
    return found


def path_of(folder: Path, ref: SegmentRef) -> Path:
    name = ref.key.rpartition("/")[2]
    (found,) = (path for path in folder.rglob(name) if path.name == name)
    found.chmod(0o644)
    return found


def test_it_is_the_segments_as_they_were_recorded(site: Site, whole: bytes, tmp_path: Path) -> None:
    store = site.services.stores.footage
    found = parts(whole)
    segments = site.first[:2]
    originals = {f"original/{ref.key.rpartition('/')[2]}": store.get(ref.key) for ref in segments}
    assert found.keys() == {*originals, "README.txt", "index.json", "leaves.jsonl", "SHA256SUMS"}
    assert {name: found[name] for name in originals} == originals
    assert found["leaves.jsonl"].splitlines() == [recorded_leaf(store, ref) for ref in segments]
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        package.extractall(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=tmp_path / NAME, capture_output=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert len(checked.stdout.splitlines()) == len(found) - 1


def test_it_says_how_much_lies_outside_the_span(site: Site, whole: bytes) -> None:
    answer = site.call.get(CLIP, params=ORIGINAL)
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["saksi-asked"] == f"{instant(3.3)}/{instant(14.05)}"
    assert answer.headers["saksi-actual"] == f"{instant(0)}/{instant(20)}"
    assert answer.headers["saksi-outside-before-us"] == "3300000"
    assert answer.headers["saksi-outside-after-us"] == "5950000"
    assert answer.headers["saksi-segments"] == "2"
    assert answer.headers["content-disposition"] == f'attachment; filename="{NAME}.zip"'
    index = described(whole)
    assert index["segments_span"] == {"from": instant(0), "to": instant(20)}
    assert (index["outside_before_us"], index["outside_after_us"]) == (3_300_000, 5_950_000)
    readme = parts(whole)["README.txt"].decode()
    indonesian, _, english = readme.partition("----")
    assert "3.300 detik sebelumnya dan 5.950 detik sesudahnya" in indonesian
    assert "tidak ada celah" in indonesian
    assert "3.300 s before it and 5.950 s after it" in english
    assert "no gap" in english


@pytest.mark.parametrize("container", ["mp4", "original"])
def test_head_is_get_without_the_bytes(site: Site, container: str) -> None:
    asked = {**ASKED, "container": container}
    get, head = site.call.get(CLIP, params=asked), site.call("HEAD", CLIP, params=asked)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


@settings(deadline=None, max_examples=12)
@given(data=st.data(), container=st.sampled_from(["mp4", "original"]))
def test_ranges_in_any_order_make_the_same_bytes(site: Site, data: st.DataObject, container: str) -> None:
    asked = {**ASKED, "container": container}
    first = site.call.get(CLIP, params=asked)
    size, etag = len(first.content), first.headers["etag"]
    cuts = sorted({0, size, *data.draw(st.lists(st.integers(1, size - 1), max_size=6))})
    ranges = list(pairwise(cuts))
    random.Random(data.draw(st.integers(0, 99))).shuffle(ranges)  # noqa: S311
    made = bytearray(size)
    for start, end in ranges:
        condition = data.draw(st.sampled_from([{}, {"If-Range": etag}, {"If-Match": etag}]))
        headers = {"Range": f"bytes={start}-{end - 1}", **condition}
        answer = site.call.get(CLIP, params=asked, headers=headers)
        assert answer.status_code == 206
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
        assert answer.headers["etag"] == etag
        made[start:end] = answer.content
    assert bytes(made) == first.content


def test_a_part_needs_no_memory_of_the_process(site: Site, whole: bytes) -> None:
    """Another process, which has read nothing yet, continues the download."""
    other = Caller(site.remade(), site.headers)
    for start in (len(whole) // 2, len(whole) - 30):
        answer = other.get(CLIP, params=ORIGINAL, headers={"Range": f"bytes={start}-"})
        assert answer.content == whole[start:]


def test_conditions(site: Site, whole: bytes) -> None:
    etag = site.call("HEAD", CLIP, params=ORIGINAL).headers["etag"]
    assert etag != site.call("HEAD", CLIP, params=ASKED).headers["etag"]

    def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return site.call.get(CLIP, params=ORIGINAL, headers=named).status_code

    assert status(If_None_Match=etag) == 304
    assert status(If_Match='"x"') == 412
    assert status(If_Range='"x"', Range="bytes=0-9") == 200
    assert status(Range=f"bytes={len(whole)}-") == 416
    assert site.call.get(CLIP, params={**ASKED, "container": "mkv"}).status_code == 422


@pytest.mark.parametrize("container", ["mp4", "original"])
def test_an_archive_that_changed_in_between_gives_no_mixture(tmp_path: Path, container: str) -> None:
    asked = {**span(25, 55), "container": container}
    with open_site(tmp_path) as site:
        before = site.call.get(CLIP, params=asked)
        half, etag = len(before.content) // 2, before.headers["etag"]
        archive_run(site.services, made_footage()[:1], run=THIRD_RUN, start=T0 + 32 * SECOND)
        rest = {"Range": f"bytes={half}-"}
        assert site.call.get(CLIP, params=asked, headers={**rest, "If-Match": etag}).status_code == 412
        again = site.call.get(CLIP, params=asked, headers={**rest, "If-Range": etag})
        assert again.status_code == 200
        assert again.headers["etag"] != etag
        assert again.content == site.call.get(CLIP, params=asked).content


def test_it_says_which_pictures_the_recorder_encoded(whole: bytes, tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        start = T0 + 10 * 60 * SECOND
        archive_run(site.services, made_footage()[:2], run=THIRD_RUN, start=start, made_from="mjpeg")
        answer = site.call.get(CLIP, params={**span(600, 615), "container": "original"})
        assert answer.status_code == 200
    assert [one["made_from"] for one in described(answer.content)["segments"]] == ["mjpeg", "mjpeg"]
    words = " ".join(parts(answer.content)["README.txt"].decode().split())
    assert "Gambar: 2 dari 2 segmen dikodekan perekam" in words
    assert "Pictures: 2 of 2 segments were encoded" in words
    assert "not bit for bit those that the camera sent" in words
    assert not any("made_from" in one for one in described(whole)["segments"])
    assert "MJPEG" not in parts(whole)["README.txt"].decode()


@pytest.mark.parametrize(("container", "seconds"), [("mp4", 11), ("original", 20)])
def test_the_record_names_all_that_left(site: Site, container: str, seconds: int) -> None:
    answer = site.call.get(CLIP, params={**ASKED, "container": container, "purpose": "shift 2"})
    start, end = site.events("clip.download.started")[-1], site.events("clip.download.ended")[-1]
    assert (start.objects, start.purpose) == ((CAMERA,), "shift 2")
    assert start.details["container"] == container
    assert end.details["start"] == start.id
    assert end.details["bytes_sent"] == len(answer.content)
    assert end.details["seconds_sent"] == seconds
    left = (ASKED["from"], ASKED["to"]) if container == "mp4" else (instant(0), instant(20))
    assert (start.details["from"], start.details["to"]) == left
    if container == "original":
        assert (start.details["asked_from"], start.details["asked_to"]) == (ASKED["from"], ASKED["to"])
    site.call.get(CLIP, params={**ASKED, "container": container}, headers={"Range": "bytes=0-0"})
    assert site.events("clip.download.ended")[-1].details["seconds_sent"] == 0


def test_who_may_have_a_part_of_a_segment_does_not_get_the_whole(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        now = site.clock.now()
        site.clock.step(T0 + 15 * SECOND - now)
        site.services.registry.edit(
            CAMERA,
            {"kecamatan": "73.71.02", "kelurahan": "73.71.02.1001"},
            actor="os:test",
            reason="moved",
        )
        site.clock.step(now - site.clock.now())
        scope = TokenScope(actions=frozenset({"clips.download"}), districts=frozenset({PLACE.kecamatan}))
        token = token_file(site.evidence.site).create("mariso", site.clock, scope)
        call = Caller(site.app, {"Authorization": f"Bearer {token}"})
        asked = span(3, 14)
        assert call.get(CLIP, params=asked).status_code == 200
        refused = call.get(CLIP, params={**asked, "container": "original"})
        assert (refused.status_code, refused.json()["code"]) == (403, "whole_segments_refused")
        assert "container=mp4" in refused.json()["hint"]
        assert call.get(CLIP, params={**span(3, 9), "container": "original"}).status_code == 200
        assert site.call.get(CLIP, params={**asked, "container": "original"}).status_code == 200
        event = site.events("clip.download")[-1]
        assert event.details["code"] == "whole_segments_refused"


def test_a_gap_inside_is_named_everywhere(site: Site) -> None:
    answer = site.call.get(CLIP, params={**span(25, 55), "container": "original"})
    start, end = format_instant(site.gap.start), format_instant(site.gap.end)
    assert answer.headers["saksi-gaps"] == f'unreachable;from="{start}";to="{end}"'
    assert described(answer.content)["gaps"] == [{"from": start, "to": end, "cause": "unreachable"}]
    readme = parts(answer.content)["README.txt"].decode()
    assert "14.00.30-14.00.50 WITA: kamera tidak terjangkau (unreachable)" in readme
    assert "14.00.30-14.00.50 WITA: no footage (unreachable)" in readme
    assert len(described(answer.content)["segments"]) == 2


def test_a_span_that_begins_in_a_gap(site: Site) -> None:
    answer = site.call.get(CLIP, params={**span(40, 55), "container": "original"})
    assert [gap["cause"] for gap in described(answer.content)["gaps"]] == ["unreachable"]
    assert described(answer.content)["outside_before_us"] == 0


def test_wholly_in_a_gap(site: Site) -> None:
    inside = span(31, 39)
    refused = site.call.get(CLIP, params={**inside, "container": "original"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_footage")
    assert refused.json()["gaps"] == [{**inside, "cause": "unreachable"}]


def test_the_future_is_told_and_does_not_change_the_bytes(site: Site) -> None:
    now = (site.clock.now() - T0) / SECOND
    asked = {**span(75, now + 10), "container": "original"}
    first = site.call.get(CLIP, params=asked)
    causes = re.findall(r"(\w+);from", first.headers["saksi-gaps"])
    assert causes == ["pending", "not_yet"]
    site.clock.advance(SECOND)
    again = site.call.get(CLIP, params=asked)
    assert again.headers["saksi-gaps"] != first.headers["saksi-gaps"]
    assert again.headers["etag"] == first.headers["etag"]
    assert again.content == first.content
    (gap,) = described(again.content)["gaps"]
    assert gap == {"from": instant(80), "to": asked["to"], "cause": "pending"}
    later = span(now + 5, now + 10)
    for container in ("mp4", "original"):
        refused = site.call.get(CLIP, params={**later, "container": container})
        assert (refused.status_code, refused.json()["code"]) == (422, "span_in_future")


@pytest.mark.parametrize("container", ["mp4", "original"])
def test_disposed_footage_is_said_to_be_disposed(tmp_path: Path, container: str) -> None:
    with open_site(tmp_path) as site:
        end = site.second[-1].span.end
        destroyed = Gap(
            camera=CAMERA,
            recorder="rec-1",
            gap="6a15000000000019",
            span=Timespan(end, end + 20 * SECOND),
            cause=GapCause.DISPOSED,
            ingested_at=end + 20 * SECOND,
        )
        site.services.index.add([IndexEntry(leaf=destroyed, place=PLACE)])
        part = site.call.get(CLIP, params={**span(75, 95), "container": container})
        assert part.status_code == 200
        assert part.headers["saksi-gaps"].startswith(f'disposed;from="{instant(80)}"')
        wholly = site.call.get(CLIP, params={**span(85, 95), "container": container})
        assert (wholly.status_code, wholly.json()["code"]) == (409, "no_footage")
        assert [gap["cause"] for gap in wholly.json()["gaps"]] == ["disposed"]
        if container == "original":
            assert (
                "dimusnahkan menurut aturan, tercatat (disposed)"
                in parts(part.content)["README.txt"].decode()
            )


@pytest.mark.parametrize("container", ["mp4", "original"])
@pytest.mark.parametrize("damage", ["missing", "truncated"])
def test_a_damaged_object_is_refused_before_the_first_byte(
    tmp_path: Path, container: str, damage: str
) -> None:
    with open_site(tmp_path) as site:
        path = path_of(tmp_path, site.first[1])
        if damage == "missing":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:200])
        answer = site.call.get(CLIP, params={**ASKED, "container": container})
        assert answer.status_code == 500
        assert answer.json()["code"].startswith(("segment_", "object_"))
        assert site.events("clip.download")[-1].details["code"] == answer.json()["code"]
        clips = site.app.state.runtime.clips
        asked = Timespan.parse(ASKED["from"], ASKED["to"])

        def plan() -> object:
            if container == "mp4":
                return clips.clip(CAMERA, asked)
            seen = clips.seen(CAMERA, asked)
            return clips.originals(seen, clips.segments(seen.reading))

        with pytest.raises(IntegrityError) as caught:
            plan()
        assert site.first[1].key in caught.value.message


def test_an_altered_segment_never_leaves(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        path = path_of(tmp_path, site.first[1])
        good = path.read_bytes()
        path.write_bytes(good[:-1000] + bytes([good[-1000] ^ 1]) + good[-999:])
        size = int(site.call("HEAD", CLIP, params=ORIGINAL).headers["content-length"])
        answer = site.call.get(CLIP, params=ORIGINAL)
        assert len(answer.content) < size
        assert good[5000:5064] not in answer.content
        end = site.events("clip.download.ended")[-1]
        assert (end.outcome.value, end.details["code"]) == ("failed", "segment_mismatch")
        assert end.details["seconds_sent"] == 10
        part = site.call.get(CLIP, params=ORIGINAL, headers={"Range": f"bytes={size - 5000}-{size - 3000}"})
        assert (part.status_code, part.json()["code"]) == (500, "segment_mismatch")


def test_the_description_is_linked(site: Site) -> None:
    answer = site.call("HEAD", CLIP, params=ORIGINAL)
    assert DESCRIPTION in answer.headers["link"]
    assert RUN in json.dumps(described(site.call.get(CLIP, params=ORIGINAL).content)["segments"])
