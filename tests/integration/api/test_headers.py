"""Every kind of answer has every header: documents, refusals, footage, 304, unexpected failures."""

from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from api.headers import HSTS, PAGES, SECURITY
from archive.model.user import Role
from tests.support.api_site import (
    ASKED,
    CAMERA,
    CLIP,
    FRAME,
    PLAYLIST,
    Caller,
    Site,
    instant,
    open_site,
    span,
)
from tests.support.people import add_person, catch_up, cookie_of

POLICY = "content-security-policy"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        made.services = replace(
            made.services, settings=replace(made.services.settings, public_url="https://saksi.test")
        )
        made.app = made.remade()
        yield made


def check(answer: httpx.Response, status: int) -> None:
    assert answer.status_code == status, answer.text[:200]
    for name, value in SECURITY.items():
        assert answer.headers.get_list(name) == [value], (answer.request.url, name)
    assert answer.headers.get_list("strict-transport-security") == [HSTS]
    assert "server" not in answer.headers
    assert "x-powered-by" not in answer.headers
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_what_is_read_and_what_is_refused(site: Site) -> None:
    call = site.call
    segment = site.first[0]
    media = f"/v1/cameras/{CAMERA}/segments/{segment.run}/{segment.seq}/media.m4s"
    whole = call.get(CLIP, params=ASKED)
    tag = {"If-None-Match": whole.headers["etag"]}
    for answer, status in (
        (whole, 200),
        (call("HEAD", CLIP, params=ASKED), 200),
        (call.get(CLIP, params=ASKED, headers=tag), 304),
        (call.get(CLIP, params=ASKED, headers={"Range": "bytes=0-99"}), 206),
        (call.get(CLIP, params=ASKED, headers={"Range": "bytes=99999999-"}), 416),
        (call.get(CLIP, params=ASKED, headers={"If-Match": '"other"'}), 412),
        (call.get(PLAYLIST, params=ASKED), 200),
        (call.get(FRAME, params={"at": instant(5)}), 200),
        (call.get(media), 200),
        (call.get("/healthz"), 200),
        (call.get("/readyz"), 200),
        (call.get("/metrics"), 200),
        (call.get("/openapi.json"), 200),
        (call.get("/v1/nothing"), 404),
        (call("PUT", "/v1/cameras"), 405),
        (call.get("/v1/cameras", params={"no": "such"}), 422),
        (call("POST", "/v1/cameras", content=b"x" * 300_000), 413),
        (call.get("/" + "a" * 9000), 414),
        (call.get("/v1/cameras", headers={"X": "a" * 40_000}), 431),
        (call.get("/v1/cameras", headers={"Host": "two words"}), 400),
        (Caller(site.app).get("/v1/cameras"), 401),
        (Caller(site.app)("POST", "/auth/local", json={"name": "a", "password": "b"}), 401),
    ):
        check(answer, status)


def test_no_footage_is_kept_by_a_browser(site: Site) -> None:
    for answer in (site.call.get(CLIP, params=ASKED), site.call.get(FRAME, params={"at": instant(5)})):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_failure_nobody_foresaw_is_counted_and_has_them_too(site: Site) -> None:
    class Broken:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError("never told")

    app = site.remade(registry=Broken())
    answer = Caller(app, site.headers).get(f"/v1/cameras/{CAMERA}")
    check(answer, 500)
    assert "never told" not in answer.text
    figures = Caller(app, site.headers).get("/metrics").text
    assert 'status="500"' in figures


def test_methods_that_strangers_invent_are_no_labels(site: Site) -> None:
    for number in range(50):
        check(Caller(site.app)(f"INVENTED{number}", "/v1/cameras"), 401)
    text = site.call.get("/metrics").text
    assert "INVENTED" not in text
    assert 'method="other"' in text


def test_nothing_is_echoed_and_no_other_site_is_let_in(site: Site) -> None:
    trace = site.call("TRACE", "/v1/cameras", headers={"X-Mine": "echo-me"})
    check(trace, 405)
    assert "echo-me" not in trace.text
    assert trace.headers["allow"]
    preflight = {
        "Origin": "https://evil.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "saksi-request",
    }
    check(Caller(site.app)("OPTIONS", "/v1/cameras", headers=preflight), 401)
    check(site.call("OPTIONS", "/v1/cameras", headers=preflight), 405)
    check(site.call.get("/v1/cameras", headers={"Origin": "https://evil.test"}), 200)


def test_head_is_get_without_the_body(site: Site) -> None:
    for path, params in (
        ("/v1/cameras", {}),
        (CLIP, ASKED),
        (PLAYLIST, ASKED),
        ("/v1/recordings", span(0, 10, camera=CAMERA)),
    ):
        get, head = site.call.get(path, params=params), site.call("HEAD", path, params=params)
        assert (head.status_code, head.content) == (get.status_code, b"")
        for name in ("content-type", "content-length", "etag"):
            assert head.headers.get(name) == get.headers.get(name), (path, name)


def test_pages_run_our_scripts_and_no_others(site: Site) -> None:
    directives = {part.split()[0]: part.split()[1:] for part in PAGES.split(";")}
    assert directives.pop("default-src") == ["'none'"]
    assert directives.pop("media-src") == ["'self'", "blob:"]
    assert directives.pop("base-uri") == directives.pop("frame-ancestors") == ["'none'"]
    assert all(value == ["'self'"] for value in directives.values()), directives
    answer = Caller(site.app).get("/masuk")
    assert answer.status_code == 200
    assert answer.headers.get_list(POLICY) == [PAGES]
    for name in set(SECURITY) - {"Content-Security-Policy"}:
        assert answer.headers.get_list(name) == [SECURITY[name]]
    add_person(site, "citra", Role.WAR_ROOM)
    catch_up(site)
    cookie = cookie_of(site, "citra").replace("saksi=", "__Host-saksi=", 1)
    view = Caller(site.app, {"Cookie": cookie}).get("/tinjau")
    assert (view.status_code, view.headers[POLICY]) == (200, PAGES)


def test_without_https_nobody_is_told_to_keep_to_it(site: Site) -> None:
    plain: FastAPI = site.remade(settings=replace(site.services.settings, public_url=""))
    assert "strict-transport-security" not in Caller(plain).get("/healthz").headers
