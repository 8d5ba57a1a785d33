"""Mistakes of callers: each gets a clear problem with code and hint."""

from collections.abc import Iterator

import pytest

from tests.support.api_site import (
    CAMERA,
    CLIP,
    DESCRIPTION,
    FRAME,
    PLAYLIST,
    SECRET,
    Site,
    instant,
    open_site,
    span,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


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
    # A wrong form gets a hint with the right form; a thing that does not exist needs no hint.
    assert answer.json()["hint"] or status == 404 or code in {"bad_id", "bad_time"}


def test_a_field_that_does_not_read_is_named_and_not_repeated(site: Site) -> None:
    answer = site.call("POST", "/v1/cameras", json={"id": 7, "source": SECRET, "colour": "red"})
    assert answer.status_code == 422
    fields = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert fields["id"] == "string_type"
    assert fields["name"] == "missing"
    assert fields["colour"] == "extra_forbidden"
    assert SECRET not in answer.text
