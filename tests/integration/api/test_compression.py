"""Answers of text are compressed for those who read gzip, and stay the same text; nothing else is touched."""

import gzip
from collections.abc import Iterator

import httpx
import pytest

from tests.support.api_site import ASKED, CLIP, FRAME, Caller, Site, camera_json, instant, open_site

GZIP, NONE = {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        for number in range(20, 60):
            made.call("POST", "/v1/cameras", json=camera_json(f"cam-{number}")).raise_for_status()
        yield made


def raw(site: Site, path: str, **options: object) -> tuple[httpx.Response, bytes]:
    """The answer, and its bytes as they are on the wire."""
    import asyncio

    async def ask() -> tuple[httpx.Response, bytes]:
        transport = httpx.ASGITransport(site.app)
        async with (
            httpx.AsyncClient(
                transport=transport, base_url="http://saksi.test", headers=site.headers
            ) as client,
            client.stream("GET", path, **options) as answer,  # type: ignore[arg-type]
        ):
            return answer, b"".join([part async for part in answer.aiter_raw()])

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/v1/cameras", "/v1/places", "/temukan", "/openapi.json"])
def test_text_is_compressed_and_stays_the_same(site: Site, path: str) -> None:
    packed, wire = raw(site, path, headers=GZIP)
    plain, whole = raw(site, path, headers=NONE)
    if not plain.headers.get("etag", "W/").startswith("W/"):
        assert wire == whole
        return
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert int(packed.headers["content-length"]) == len(wire) < len(whole) / 2
    assert gzip.decompress(wire) == whole
    assert "content-encoding" not in plain.headers


@pytest.mark.parametrize(
    ("asked", "is_packed"),
    [
        ("gzip", True), ("gzip;q=0.5", True), ("br, GZIP ; Q=1.0", True), ("*", True), ("x-gzip", True),
        ("identity, *;q=0.1", True), ("gzip;q=0", False), ("gzip; q=0.000, br", False), ("*;q=0", False),
        ("*, gzip;q=0", False), ("gzip;q=x", False), ("not-gzip", False), ("br", False), ("", False),
    ],
)  # fmt: skip
def test_a_weight_of_nothing_refuses_gzip(site: Site, asked: str, is_packed: bool) -> None:
    style = site.app.state.runtime.pages.assets.path("saksi.css")
    for path in ("/v1/places", style):
        answer, wire = raw(site, path, headers={"Accept-Encoding": asked})
        assert (answer.headers.get("content-encoding") == "gzip") is is_packed, path
        assert wire.startswith(b"\x1f\x8b") is is_packed


def test_who_has_the_list_of_cameras_gets_nothing_until_it_changes(site: Site) -> None:
    packed, _ = raw(site, "/v1/cameras", headers=GZIP)
    plain, whole = raw(site, "/v1/cameras", headers=NONE)
    tag = packed.headers["etag"]
    assert tag.startswith('W/"')
    assert plain.headers["etag"] == tag, "one list, compressed or not"
    same, nothing = raw(site, "/v1/cameras", headers={**GZIP, "If-None-Match": tag})
    assert (same.status_code, nothing, same.headers["etag"]) == (304, b"", tag)
    part, less = raw(site, "/v1/cameras?kecamatan=73.71.02", headers={**NONE, "If-None-Match": tag})
    assert part.status_code == 200, "another list"
    assert len(less) < len(whole)
    site.call("POST", "/v1/cameras", json=camera_json("cam-60")).raise_for_status()
    now, more = raw(site, "/v1/cameras", headers={**NONE, "If-None-Match": tag})
    assert (now.status_code, now.headers["etag"] == tag) == (200, False)
    assert b"cam-60" in more


def test_what_is_small_or_tagged_or_footage_is_not_touched(site: Site) -> None:
    for path, asked in (
        ("/healthz", {}),
        ("/v1/cameras/cam-20", {}),
        (CLIP, ASKED),
        (FRAME, {"at": instant(5)}),
        ("/v1/nothing", {}),
    ):
        answer, wire = raw(site, path, params=asked, headers=GZIP)
        assert "content-encoding" not in answer.headers, path
        assert int(answer.headers["content-length"]) == len(wire)


def test_a_stranger_gets_the_same_answer_as_before(site: Site) -> None:
    assert Caller(site.app).get("/v1/cameras", headers=GZIP).status_code == 401
