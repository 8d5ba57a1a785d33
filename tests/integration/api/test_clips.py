"""Exact clips over HTTP: bytes, ranges, conditions, gaps."""

import hashlib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.timespan import SECOND, format_instant
from tests.support.api_site import ASKED, CAMERA, CLIP, DESCRIPTION, T0, Site, instant, open_site, span
from tests.support.numbered import numbers, read_numbers


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def whole(site: Site) -> bytes:
    return site.call.get(CLIP, params=ASKED).content


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
        'attachment; filename="cam-1 Jl. Penghibur cam-1, Mariso, 2026-11-24 14.00.03.3-14.00.14.05 WITA.mp4"'
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
