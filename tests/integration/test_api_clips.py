"""Clips, frames, playback and searches over real footage, in process."""

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import m3u8
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.custody import CustodyWriter
from archive.model.custody import Outcome
from archive.ports import Stores
from archive.timespan import DAY, SECOND, Timespan, format_instant, parse_instant
from tests.support.api_site import CAMERA, SECRET, T0, Caller, FailingPuts, Site, instant, open_site, span
from tests.support.numbered import numbers, read_numbers

CLIP = f"/v1/cameras/{CAMERA}/clip.mp4"
DESCRIPTION = f"/v1/cameras/{CAMERA}/clip"
PLAYLIST = f"/v1/cameras/{CAMERA}/playlist.m3u8"
FRAME = f"/v1/cameras/{CAMERA}/frame.jpg"
ASKED = span(3.3, 14.05)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def whole(site: Site) -> bytes:
    return site.call.get(CLIP, params=ASKED).content


# The clip --------------------------------------------------------------------------------------------------


def test_a_clip_shows_exactly_its_span(site: Site, whole: bytes) -> None:
    shown = numbers(read_numbers(whole))
    assert shown == list(range(50, 211))  # 15 frames a second: 3.333 s to 14.0 s
    answer = site.call.get(CLIP, params=ASKED)
    assert answer.content == whole
    headers = answer.headers
    assert headers["content-type"] == "video/mp4"
    assert headers["content-length"] == str(len(whole))
    assert headers["accept-ranges"] == "bytes"
    assert headers["saksi-asked"] == f"{instant(3.3)}/{instant(14.05)}"
    assert headers["saksi-frames"] == str(len(shown))
    assert int(headers["saksi-hidden-preroll-us"]) > 0
    assert headers["saksi-gap-count"] == "0"
    assert "saksi-gaps" not in headers
    assert headers["content-disposition"] == (
        'attachment; filename="saksi_cam-1_20261124T060003.300000Z_20261124T060014.050000Z.mp4"'
    )


def test_its_description_fits_its_bytes(site: Site, whole: bytes) -> None:
    described = site.call.get(DESCRIPTION, params=ASKED).json()
    assert described["sha256"] == hashlib.sha256(whole).hexdigest()
    assert described["bytes"] == len(whole)
    assert described["asked"] == {"from": instant(3.3), "to": instant(14.05)}
    assert (described["frames"], described["gaps"]) == (161, [])
    outline = site.call.get(DESCRIPTION, params={**ASKED, "digest": "none"}).json()
    assert outline == {**described, "sha256": None}


def test_head_is_get_without_the_bytes(site: Site) -> None:
    get = site.call.get(CLIP, params=ASKED)
    head = site.call("HEAD", CLIP, params=ASKED)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_any_range_is_that_slice(site: Site, whole: bytes, data: st.DataObject) -> None:
    size = len(whole)
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, 2 * size))
    suffix = data.draw(st.integers(1, 2 * size))
    form = data.draw(st.sampled_from(["closed", "open", "suffix"]))
    field, start, end = {
        "closed": (f"bytes={first}-{last}", first, min(last + 1, size)),
        "open": (f"bytes={first}-", first, size),
        "suffix": (f"bytes=-{suffix}", max(0, size - suffix), size),
    }[form]
    answer = site.call.get(CLIP, params=ASKED, headers={"Range": field})
    assert answer.status_code == 206
    assert answer.content == whole[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{size}"
    assert answer.headers["content-length"] == str(end - start)


def test_conditions_in_their_order(site: Site, whole: bytes) -> None:
    etag = site.call("HEAD", CLIP, params=ASKED).headers["etag"]

    def status(**headers: str) -> int:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = site.call.get(CLIP, params=ASKED, headers=named)
        if answer.status_code == 206:
            assert answer.content == whole[:10]
        if answer.status_code == 304:
            assert answer.content == b""
            assert answer.headers["etag"] == etag
        return answer.status_code

    part = "bytes=0-9"
    assert status(If_None_Match=etag) == 304
    assert status(If_None_Match=f'"x", W/{etag}') == 304
    assert status(If_None_Match="*", Range=part) == 304
    assert status(If_None_Match='"x"') == 200
    assert status(If_Match='"x"', If_None_Match=etag) == 412
    assert status(If_Match=etag, Range=part) == 206
    assert status(If_Range=etag, Range=part) == 206
    assert status(If_Range='"x"', Range=part) == 200
    assert status(If_Range=f"W/{etag}", Range=part) == 200
    assert status(If_Range="Tue, 24 Nov 2026 06:00:00 GMT", Range=part) == 200
    assert status(Range="bytes=0-1,5-6") == 200
    assert status(Range="frames=0-1") == 200
    assert status(Range=f"bytes={len(whole)}-") == 416


def test_a_range_beyond_the_end_tells_the_size(site: Site, whole: bytes) -> None:
    answer = site.call.get(CLIP, params=ASKED, headers={"Range": f"bytes={len(whole)}-"})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(whole)}"
    assert answer.json()["code"] == "range_not_satisfiable"


# Gaps and the future ---------------------------------------------------------------------------------------


def test_partly_in_a_gap_tells_the_gap(site: Site) -> None:
    answer = site.call.get(CLIP, params=span(25, 55))
    assert answer.status_code == 200
    start, end = format_instant(site.gap.start), format_instant(site.gap.end)
    assert answer.headers["saksi-gap-count"] == "1"
    assert answer.headers["saksi-gaps"] == f'unreachable;from="{start}";to="{end}"'
    assert len(read_numbers(answer.content)) == 150


def test_wholly_in_a_gap(site: Site) -> None:
    inside = span(31, 39)
    refused = site.call.get(CLIP, params=inside)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_footage")
    assert refused.json()["gaps"] == [{**inside, "cause": "unreachable"}]
    described = site.call.get(DESCRIPTION, params=inside)
    assert described.status_code == 200
    assert described.json()["actual"] is None
    assert described.json()["gaps"] == [{**inside, "cause": "unreachable"}]


def test_partly_in_the_future(site: Site) -> None:
    now = (site.clock.now() - T0) / SECOND
    refused = site.call.get(CLIP, params=span(now - 10, now + 10)).json()
    assert [gap["cause"] for gap in refused["gaps"]] == ["pending", "not_yet"]
    answer = site.call.get("/v1/recordings", params=span(now - 10, now + 10, camera=CAMERA)).json()
    assert answer["gaps"] == [
        {"camera": CAMERA, "from": instant(now), "to": instant(now + 10), "cause": "not_yet"}
    ]
    assert answer["pending"] == [{"camera": CAMERA, "from": instant(now - 10), "to": instant(now)}]


BAD: list[tuple[str, dict[str, str], int, str]] = [
    (CLIP, {"from": "2026-11-24T14:00:00", "to": "2026-11-24T14:01:00"}, 422, "naive_time"),
    (CLIP, {"from": "yesterday", "to": "now"}, 422, "bad_time"),
    (CLIP, span(10, 10), 422, "empty_span"),
    (CLIP, span(20, 10), 422, "empty_span"),
    (CLIP, span(0, 0.999_999), 422, "clip_too_short"),
    (CLIP, span(0, 2 * 3600 + 1), 422, "clip_too_long"),
    (CLIP, span(90_000, 90_010), 422, "span_in_future"),
    (CLIP, {"from": instant(0)}, 422, "invalid_request"),
    (CLIP, {"fron": instant(0), "to": instant(5)}, 422, "unknown_parameter"),
    (CLIP, span(0, 400 * 86_400), 422, "clip_too_long"),
    (CLIP, span(0, 5, purpose="x" * 300), 422, "bad_purpose"),
    ("/v1/cameras/nobody/clip.mp4", span(0, 5), 404, "camera_not_found"),
    ("/v1/cameras/no_body/clip.mp4", span(0, 5), 422, "bad_id"),
    ("/v1/cameras/..%2F..%2Fetc/clip.mp4", span(0, 5), 404, "no_such_path"),
    (DESCRIPTION, span(0, 5, digest="md5"), 422, "invalid_request"),
    ("/v1/recordings", span(-400 * 86_400, 0), 422, "span_too_long"),
    ("/v1/recordings", span(90_000, 90_010), 422, "span_in_future"),
    ("/v1/recordings", span(0, 5, camera="nobody"), 404, "camera_not_found"),
    ("/v1/recordings", span(0, 5, near="91,0"), 422, "bad_place"),
    ("/v1/recordings", span(0, 5, box="1,2,3"), 422, "bad_place"),
    ("/v1/recordings", span(0, 5, owner="hotel"), 422, "bad_filter"),
    ("/v1/recordings", span(0, 5, kecamatan="x" * 50), 422, "bad_filter"),
    ("/v1/segments", span(0, 5, limit="0"), 422, "invalid_request"),
    ("/v1/segments", span(0, 5, limit="1001"), 422, "invalid_request"),
    ("/v1/segments", span(0, 5, cursor="rubbish"), 422, "bad_cursor"),
    (PLAYLIST, span(-86_401, 5), 422, "playlist_too_long"),
    (PLAYLIST, span(31, 39), 409, "no_footage"),
    (FRAME, {"at": instant(35)}, 409, "no_footage"),
    (FRAME, {"at": instant(90_000)}, 422, "span_in_future"),
    (FRAME, {"at": "14:00"}, 422, "bad_time"),
    (FRAME, {"at": instant(3), "width": "5"}, 422, "invalid_request"),
    (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/99/media.m4s", {}, 404, "segment_not_found"),
    ("/v1/cameras/cam-2/segments/6b05180000000001/0/media.m4s", {}, 404, "segment_not_found"),
    (f"/v1/cameras/{CAMERA}/segments/nothex/0/media.m4s", {}, 422, "bad_id"),
    (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/x/media.m4s", {}, 422, "invalid_request"),
]


@pytest.mark.parametrize(("path", "params", "status", "code"), BAD)
def test_bad_input_is_refused_in_so_many_words(
    site: Site, path: str, params: dict[str, str], status: int, code: str
) -> None:
    answer = site.call.get(path, params=params)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    # What somebody typed wrong is told how to type right; what is simply not there needs no hint.
    assert answer.json()["hint"] or status == 404 or code in {"bad_id", "bad_time"}


def test_a_field_that_does_not_read_is_named_and_not_repeated(site: Site) -> None:
    answer = site.call("POST", "/v1/cameras", json={"id": 7, "source": SECRET, "colour": "red"})
    assert answer.status_code == 422
    fields = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert fields["id"] == "string_type"
    assert fields["name"] == "missing"
    assert fields["colour"] == "extra_forbidden"
    assert SECRET not in answer.text


# Cameras ---------------------------------------------------------------------------------------------------

FORM = {
    "id": "masjid-1",
    "source": f"rtsp://viewer:{SECRET}@192.0.2.9/1?key={SECRET}",
    "name": "Masjid Raya",
    "lat": -5.133,
    "lon": 119.416,
    "kecamatan": "73.71.02",
    "kelurahan": "73.71.02.1001",
    "owner": "worship",
    "view": "public",
    "reason": "Permit 7/2026",
}


def test_the_life_of_a_camera(site: Site) -> None:
    made = site.call("POST", "/v1/cameras", json=FORM)
    assert made.status_code == 201
    assert made.headers["location"] == "/v1/cameras/masjid-1"
    assert site.call.get(made.headers["location"]).json() == made.json()
    assert made.json()["source"] == "rtsp://192.0.2.9/1"
    edited = site.call("PATCH", "/v1/cameras/masjid-1", json={"name": "Masjid Raya 2", "lat": "-5.1331"})
    assert (edited.json()["name"], edited.json()["lat"], edited.json()["lon"]) == (
        "Masjid Raya 2",
        -5.1331,
        119.416,
    )
    off = site.call("POST", "/v1/cameras/masjid-1/disable", json={"reason": "Renovation"})
    assert off.json()["disabled"] is True
    on = site.call("POST", "/v1/cameras/masjid-1/enable", json={"reason": "Done"})
    assert on.json()["disabled"] is False
    entries = list(site.services.registry.history("masjid-1"))
    assert [entry.action for entry in entries] == [
        "camera.added", "camera.edited", "camera.disabled", "camera.enabled"
    ]  # fmt: skip
    assert {entry.actor for entry in entries} == {"token:first"}
    assert site.services.registry.source_of(site.services.registry.camera("masjid-1")) == FORM["source"]


def test_no_answer_ever_shows_a_password(site: Site) -> None:
    texts = [site.call.get("/v1/cameras").text, site.call.get(f"/v1/cameras/{CAMERA}").text]
    texts.append(site.call("PATCH", f"/v1/cameras/{CAMERA}", json={"name": "Simpang"}).text)
    sealed = site.services.registry.camera(CAMERA).sealed_source
    for text in texts:
        assert SECRET not in text
        assert sealed not in text
        assert "viewer" not in text


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"view": "private"}, 422, "private_view"),
        ({"view": "sideways"}, 422, "bad_view"),
        ({"id": "CAM-1"}, 409, "camera_exists"),
        ({"id": "a b"}, 422, "bad_id"),
        ({"source": "ftp://x/y"}, 422, "bad_source"),
        ({"lat": 91}, 422, "bad_place"),
        ({"lat": "x"}, 422, "invalid_request"),
        ({"lat": "NaN"}, 422, "invalid_request"),
        ({"owner": "hotel"}, 422, "bad_place"),
        ({"kecamatan": "Ujung Pandang"}, 422, "bad_place"),
        ({"segment_seconds": 1}, 422, "bad_segment_seconds"),
        ({"segment_seconds": "10s"}, 422, "invalid_request"),
        ({"name": "a\nb"}, 422, "bad_name"),
        ({"colour": "red"}, 422, "unknown_field"),
        ({"name": "\ud800"}, 422, "invalid_request"),
    ],
)
def test_a_camera_that_may_not_be_is_refused(
    site: Site, changes: dict[str, Any], status: int, code: str
) -> None:
    before = site.call.get("/v1/cameras").json()
    answer = site.call("POST", "/v1/cameras", json={**FORM, "id": "new-1", **changes})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert site.call.get("/v1/cameras").json() == before


def test_a_change_of_nothing_or_without_a_reason_is_refused(site: Site) -> None:
    def code(method: str, path: str, body: Any) -> tuple[int, str]:
        answer = site.call(method, f"/v1/cameras/{path}", json=body)
        return answer.status_code, answer.json()["code"]

    assert code("PATCH", CAMERA, {}) == (422, "nothing_to_change")
    assert code("PATCH", CAMERA, {"id": "other"}) == (422, "unknown_field")
    assert code("PATCH", CAMERA, {"view": "private"}) == (422, "private_view")
    assert code("PATCH", "nobody", {"name": "x"}) == (404, "camera_not_found")
    assert code("POST", f"{CAMERA}/disable", {"reason": " "}) == (422, "reason_missing")
    assert code("POST", f"{CAMERA}/disable", {}) == (422, "invalid_request")


def test_cameras_are_found_by_place(site: Site) -> None:
    def found(**params: str) -> set[str]:
        return {camera["id"] for camera in site.call.get("/v1/cameras", params=params).json()["cameras"]}

    both = {"cam-1", "cam-2"}
    assert both <= found()
    assert found(kecamatan="73.71.01") == both
    assert found(kecamatan="73.71.99") == set()
    assert both <= found(owner="public")
    assert not both & found(owner="business")
    assert found(near="-5.1436,119.4071", radius_m="10") == both
    assert not both & found(near="-5.2,119.4071", radius_m="10")
    assert both <= found(box="-5.2,119.4,-5.1,119.5")
    assert found(box="-5.2,119.4,-5.1,119.5", kecamatan="73.71.99") == set()


# Searches --------------------------------------------------------------------------------------------------


def test_recordings_partition_the_span(site: Site) -> None:
    asked = span(-30, 100, camera=CAMERA)
    answer = site.call.get("/v1/recordings", params=asked).json()
    assert [(one["camera"], one["run"]) for one in answer["coverage"]] == [
        (CAMERA, site.first[0].run), (CAMERA, site.second[0].run)
    ]  # fmt: skip
    assert [gap["cause"] for gap in answer["gaps"]] == ["unknown", "unreachable"]
    pieces = sorted(
        (parse_instant(one["from"]), parse_instant(one["to"])) for part in answer.values() for one in part
    )
    assert pieces[0][0] == parse_instant(asked["from"])
    assert pieces[-1][1] == parse_instant(asked["to"])
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(pieces))


def test_recordings_of_several_cameras_and_places(site: Site) -> None:
    def cameras(**params: Any) -> set[str]:
        answer = site.call.get("/v1/recordings", params={**span(0, 60), **params}).json()
        return {one["camera"] for part in answer.values() for one in part}

    assert cameras(camera=["cam-1", "cam-2"]) == {"cam-1", "cam-2"}
    assert cameras(kecamatan="73.71.01") == {"cam-1", "cam-2"}
    assert cameras(kecamatan="73.71.99") == set()
    assert cameras(near="-5.1436,119.4071", radius_m="5") == {"cam-1", "cam-2"}


def test_segments_are_paged_without_repeat_or_hole(site: Site) -> None:
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        params = span(0, 100, limit="2", **({"cursor": cursor} if cursor else {}))
        answer = site.call.get("/v1/segments", params=params).json()
        seen += [(one["run"], one["seq"]) for one in answer["segments"]]
        cursor = answer["next"]
        pages += 1
    assert seen == [(ref.run, ref.seq) for ref in (*site.first, *site.second)]
    assert pages == 3


# Playback and frames ---------------------------------------------------------------------------------------


def test_a_playlist_plays_every_frame_once(site: Site) -> None:
    text = site.call.get(PLAYLIST, params=span(5, 75)).text
    playlist = m3u8.loads(text)
    assert playlist.is_endlist
    assert len(playlist.segments) == 6
    assert [segment.discontinuity for segment in playlist.segments] == [
        False,
        False,
        False,
        True,
        False,
        False,
    ]
    assert playlist.segments[3].current_program_date_time.timestamp() * 1_000_000 == site.second[0].span.start
    base = f"/v1/cameras/{CAMERA}/"
    streams: list[bytes] = []
    for segment in playlist.segments:
        if segment.init_section is not None and (not streams or segment.discontinuity):
            streams.append(site.call.get(base + segment.init_section.uri).content)
        part = site.call.get(base + segment.uri)
        assert part.headers["content-type"] == "video/mp4"
        streams[-1] += part.content
    assert [numbers(read_numbers(stream)) for stream in streams] == [list(range(450))] * 2


def test_a_piece_of_a_segment_is_that_piece(site: Site) -> None:
    media = f"/v1/cameras/{CAMERA}/segments/{site.first[0].run}/0/media.m4s"
    whole = site.call.get(media).content
    part = site.call.get(media, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert site.call("HEAD", media).headers["content-length"] == str(len(whole))
    assert site.call.get(media, params={"session": "x y"}).status_code == 422


def test_open_gops_are_viewed_without_leading_pictures(tmp_path: Path) -> None:
    with open_site(tmp_path, variant="h264-open-b") as site:
        media = f"/v1/cameras/{CAMERA}/segments/{site.first[1].run}/1/media.m4s"
        answer = site.call.get(media)
        assert int(answer.headers["saksi-skipped-frames"]) > 0
        assert len(answer.content) < site.first[1].size


def test_a_frame_is_the_keyframe_before(site: Site) -> None:
    answer = site.call.get(FRAME, params={"at": instant(5.9), "width": "64"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.content.startswith(b"\xff\xd8")
    assert answer.headers["saksi-frame-at"] == instant(4)
    again = site.call.get(FRAME, params={"at": instant(5.9), "width": "64"})
    assert again.content == answer.content
    same = {"If-None-Match": answer.headers["etag"]}
    assert site.call.get(FRAME, params={"at": instant(5.9), "width": "64"}, headers=same).status_code == 304


def test_without_ffmpeg_a_frame_is_unavailable(site: Site) -> None:
    answer = Caller(site.remade(stills=None), site.headers).get(FRAME, params={"at": instant(5)})
    assert (answer.status_code, answer.json()["code"]) == (503, "ffmpeg_missing")


# Custody ---------------------------------------------------------------------------------------------------


def test_a_download_is_on_record_from_start_to_end(site: Site) -> None:
    before = len(site.events())
    size = len(
        site.call.get(CLIP, params={**ASKED, "purpose": "LP/B/9"}, headers={"Range": "bytes=0-999"}).content
    )
    start, end = site.events()[before:]
    assert (start.type, end.type) == ("clip.download.started", "clip.download.ended")
    for event in (start, end):
        assert event.actor.id == "token:first"
        assert event.actor.address == "192.0.2.99"
        assert event.objects == (CAMERA,)
        assert event.purpose == "LP/B/9"
        assert event.details["from"] == ASKED["from"]
    assert (start.details["offset"], start.details["length"]) == (0, 1000)
    assert end.details["start"] == start.id
    assert (end.details["bytes_sent"], end.details["ending"]) == (size, "complete")


def test_a_purpose_may_come_in_a_header(site: Site) -> None:
    site.call("HEAD", CLIP, params=ASKED, headers={"Saksi-Purpose": "shift 3"})
    event = site.events()[-1]
    assert (event.type, event.purpose) == ("clip.describe", "shift 3")


def test_refusals_are_on_record(site: Site) -> None:
    before = len(site.events())
    site.call.get(CLIP, params=span(31, 39))
    site.call.get("/v1/cameras/nobody/clip.mp4", params=span(0, 5))
    site.call.get("/v1/recordings", params=span(90_000, 90_010))
    site.call("POST", "/v1/cameras", json={**FORM, "id": "new-2", "view": "private"})
    assert [(event.type, event.outcome, event.details["code"]) for event in site.events()[before:]] == [
        ("clip.download", Outcome.REFUSED, "no_footage"),
        ("clip.download", Outcome.REFUSED, "camera_not_found"),
        ("recordings.search", Outcome.REFUSED, "span_in_future"),
        ("camera.change", Outcome.REFUSED, "private_view"),
    ]


def without_custody(site: Site, folder: Path) -> Caller:
    """The same footage behind a custody record that takes nothing."""
    store = FailingPuts(folder, site.clock)
    store.failing = True
    return Caller(site.remade(custody=CustodyWriter(store, site.clock, writer="failing")), site.headers)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (CLIP, ASKED),
        (DESCRIPTION, ASKED),
        (PLAYLIST, ASKED),
        (FRAME, {"at": instant(5)}),
        (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/0/init.mp4", {}),
        (f"/v1/cameras/{CAMERA}/segments/6b05180000000001/0/media.m4s", {}),
        ("/v1/recordings", span(0, 60)),
        ("/v1/segments", span(0, 60)),
        (CLIP, span(31, 39)),
    ],
)
def test_without_custody_no_byte_leaves(
    site: Site, tmp_path: Path, path: str, params: dict[str, str]
) -> None:
    answer = without_custody(site, tmp_path).get(path, params=params)
    assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
    assert answer.headers["retry-after"]
    assert len(answer.content) < 1000


# Damage and trouble ----------------------------------------------------------------------------------------


def with_footage(site: Site, store: Any) -> Caller:
    stores = site.services.stores
    changed = Stores(footage=store, records=stores.records, cache=stores.cache)
    return Caller(site.remade(stores=changed), site.headers)


class Torn:
    """A footage store whose objects end early, from the header on or behind it."""

    def __init__(self, store: Any, keep: int) -> None:
        self._store = store
        self._keep = keep

    def read(self, key: str, start: int, length: int, *, version: str | None = None) -> bytes:
        found: bytes = self._store.read(key, start, length, version=version)
        return found[: self._keep]

    def stream(
        self, key: str, start: int = 0, length: int | None = None, *, version: str | None = None
    ) -> Any:
        yield next(iter(self._store.stream(key, start, length, version=version)))[: self._keep]


def test_a_segment_whose_header_is_torn_is_an_incident(site: Site) -> None:
    answer = with_footage(site, Torn(site.services.stores.footage, 200)).get(CLIP, params=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (500, "segment_unreadable")
    assert answer.json()["incident"].startswith("INC-")
    assert "segments/" not in answer.text
    assert site.events()[-1].outcome is Outcome.FAILED


def test_a_segment_that_ends_early_breaks_the_answer_off(site: Site) -> None:
    caller = with_footage(site, Torn(site.services.stores.footage, 5000))
    before = len(site.events())
    answer = caller.get(CLIP, params=ASKED)
    assert len(answer.content) < int(answer.headers["content-length"])
    start, end = site.events()[before:]
    assert end.outcome is Outcome.FAILED
    assert end.details["ending"] == "source_failed"
    assert end.details["code"] == "segment_mismatch"
    assert end.details["bytes_sent"] == len(answer.content)
    assert end.details["start"] == start.id


def test_all_slots_taken_is_busy_and_not_on_record_as_a_start(site: Site) -> None:
    app = site.remade(settings=replace(site.services.settings, streams=1))
    caller = Caller(app, site.headers)
    app.state.runtime.slots.take()
    before = len(site.events("clip.download.started"))
    answer = caller.get(CLIP, params=ASKED)
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert len(site.events("clip.download.started")) == before
    assert caller("HEAD", CLIP, params=ASKED).status_code == 200
    app.state.runtime.slots.give_back()
    assert caller.get(CLIP, params=ASKED).status_code == 200
    assert app.state.runtime.slots.taken == 0


def test_an_index_that_is_behind_the_ledger_still_knows_a_new_camera(site: Site) -> None:
    class Behind:
        def __getattr__(self, name: str) -> Any:
            return getattr(site.services.index, name)

        def document(self, kind: str, entity: str) -> None:
            return None

    caller = Caller(site.remade(index=Behind()), site.headers)
    assert caller.get(f"/v1/cameras/{CAMERA}").json() == site.call.get(f"/v1/cameras/{CAMERA}").json()
    assert caller.get(CLIP, params=ASKED).status_code == 200


# Evidence --------------------------------------------------------------------------------------------------


def test_a_package_from_request_to_verification(site: Site) -> None:
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1", "purpose": "penyidikan"}
    asked = site.call("POST", "/v1/evidence", json=body)
    assert asked.status_code == 202
    where = asked.headers["location"]
    evidence_id = asked.json()["evidence_id"]
    assert where == f"/v1/evidence/{evidence_id}"
    assert site.events()[-1].objects == (evidence_id, CAMERA)
    assert site.events()[-1].purpose == "penyidikan"
    early = site.call.get(f"{where}/package.zip")
    assert (early.status_code, early.json()["code"]) == (409, "not_sealed")
    assert site.evidence.run_open_requests() == 1
    state = site.call.get(where).json()
    assert state["status"] == "sealed"
    assert len(state["tagmanifest_sha256"]) == 64
    package = site.call.get(f"{where}/package.zip")
    assert package.headers["content-length"] == str(len(package.content))
    assert package.headers["content-disposition"] == f'attachment; filename="{evidence_id}.zip"'
    rest = site.call.get(
        f"{where}/package.zip", headers={"Range": "bytes=1000-", "If-Range": package.headers["etag"]}
    )
    assert package.content[:1000] + rest.content == package.content
    assert site.call("HEAD", f"{where}/package.zip").headers["content-length"] == str(len(package.content))
    verdict = site.call("POST", f"{where}/verify").json()
    assert verdict["valid"] is True
    listed = site.call.get("/v1/evidence", params={"status": "sealed"}).json()
    assert evidence_id in {one["evidence_id"] for one in listed["evidence"]}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"cameras": []}, 422, "invalid_request"),
        ({"cameras": ["nobody"]}, 404, "camera_not_found"),
        ({"cameras": ["cam-2"]}, 409, "no_footage"),
        ({"cameras": [f"c{n}" for n in range(101)]}, 422, "too_many_cameras"),
        ({"case": " "}, 422, "bad_request"),
        ({"case": "a\nb"}, 422, "bad_request"),
        ({"from": "2026-11-24T14:00:00"}, 422, "naive_time"),
        ({"to": instant(-100)}, 422, "empty_span"),
        (span(90_000, 90_010), 422, "span_in_future"),
        (span(-400 * 86_400, 0), 422, "span_too_long"),
        ({"colour": "red"}, 422, "unknown_field"),
        ({"purpose": "a\x00"}, 422, "bad_purpose"),
    ],
)
def test_a_package_that_cannot_be_is_refused(
    site: Site, changes: dict[str, Any], status: int, code: str
) -> None:
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1", **changes}
    answer = site.call("POST", "/v1/evidence", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_packages_that_are_not_there(site: Site) -> None:
    for path in ("", "/package.zip"):
        answer = site.call.get(f"/v1/evidence/EVD-2026-0000000000{path}")
        assert (answer.status_code, answer.json()["code"]) == (404, "evidence_not_found")
        assert site.call.get(f"/v1/evidence/..{path}").status_code in {404, 422}
        assert site.call.get(f"/v1/evidence/EVD-1{path}").json()["code"] == "bad_id"
    assert site.call("POST", "/v1/evidence/EVD-2026-0000000000/verify").status_code == 404


def test_packages_are_listed_newest_first_page_by_page(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        made = []
        for number in range(5):
            body = {"cameras": [CAMERA], **span(2, 12), "case": f"LP/{number}"}
            made.append(site.call("POST", "/v1/evidence", json=body).json()["evidence_id"])
            site.clock.advance(SECOND)
        seen, cursor = [], ""
        while cursor is not None:
            answer = site.call.get("/v1/evidence", params={"limit": "2", "cursor": cursor}).json()
            seen += [one["evidence_id"] for one in answer["evidence"]]
            cursor = answer["next"]
        assert seen == made[::-1]
        assert site.call.get("/v1/evidence", params={"cursor": "nonsense"}).json()["code"] == "bad_cursor"


def test_the_record_of_the_day_reads_back_whole(site: Site) -> None:
    """Whatever the tests above did: every batch follows the one before, and every event names its actor."""
    day = Timespan(T0 - DAY, T0 + DAY)
    events = site.events()
    assert events
    assert all(event.at in day and event.actor.id for event in events)
