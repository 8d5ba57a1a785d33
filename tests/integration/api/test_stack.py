"""The same API over MinIO and Elasticsearch, and over stores that cannot be reached."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from archive.clock import ManualClock, SystemClock
from archive.objects.locations import open_stores, parse_archive_url
from search.locations import open_index
from tests.support.api_site import (
    ASKED,
    CAMERA,
    CLIP,
    DESCRIPTION,
    FRAME,
    PLAYLIST,
    Caller,
    Site,
    instant,
    open_site,
    span,
)
from tests.support.servers import ElasticServer, FreshBuckets


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("embedded")) as made:
        yield made


@pytest.fixture
def stack(
    tmp_path: Path,
    fresh_buckets: FreshBuckets,
    elastic_server: ElasticServer,
    fresh_index_prefix: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Site]:
    environ = {
        "SAKSI_ARCHIVE_URL": fresh_buckets.archive_url,
        "SAKSI_INDEX_URL": elastic_server.url,
        "SAKSI_INDEX_PREFIX": fresh_index_prefix,
    }
    for name, value in fresh_buckets.server.environment(fresh_buckets.name).items():
        monkeypatch.setenv(name, value)
    # MinIO uses today's date; a sealed package is locked for some days from the site's date.
    clock = ManualClock(SystemClock().now())
    with ThreadPoolExecutor(8) as pool, open_site(tmp_path, clock=clock, environ=environ) as made:
        yield replace(made, app=made.remade(pool=pool))


def test_the_same_answers_as_the_embedded_default(stack: Site, embedded: Site) -> None:
    for path, params in (
        (CLIP, ASKED),
        (CLIP, span(25, 55)),
        (DESCRIPTION, ASKED),
        (DESCRIPTION, span(31, 39)),
        ("/v1/cameras", {}),
        ("/v1/recordings", span(-10, 100)),
        ("/v1/recordings", span(-10, 100, kecamatan="73.71.01", near="-5.1436,119.4071")),
        (FRAME, {"at": instant(5)}),
    ):
        here, there = stack.call.get(path, params=params), embedded.call.get(path, params=params)
        assert here.status_code == there.status_code == 200, path
        assert here.content == there.content, path
        assert here.headers.get("etag") == there.headers.get("etag")
    whole = embedded.call.get(CLIP, params=ASKED).content
    part = stack.call.get(CLIP, params=ASKED, headers={"Range": "bytes=500000-520000"})
    assert part.content == whole[500_000:520_001]
    assert stack.call.get(PLAYLIST, params=span(0, 60)).text.count("media.m4s") == 4
    assert stack.call.get("/readyz").json()["status"] == "ok"
    started = [event.type for event in stack.events() if event.type.endswith(".started")]
    assert started.count("clip.download.started") == 3
    body = {"cameras": [CAMERA], **span(2, 12), "case": "LP/B/1"}
    where = stack.call("POST", "/v1/evidence", json=body).headers["location"]
    assert stack.evidence.run_open_requests() == 1
    package = stack.call.get(f"{where}/package.zip")
    assert package.headers["content-length"] == str(len(package.content))
    assert stack.call("POST", f"{where}/verify").json()["valid"] is True


def test_stores_that_cannot_be_reached_are_503_and_named(
    embedded: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]  # bound and not listening: no answer comes
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "nobody")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very-secret")
        url = f"s3://none?endpoint=http://127.0.0.1:{port}&region=us-east-1"
        stores = open_stores(parse_archive_url(url), embedded.clock)
        index = open_index(f"http://127.0.0.1:{port}", prefix="none")
        caller = Caller(embedded.remade(stores=stores), embedded.headers)
        answer = caller.get(CLIP, params=ASKED)
        assert answer.status_code == 503
        assert answer.json()["code"]
        assert str(port) not in answer.text
        ready = caller.get("/readyz")
        assert ready.status_code == 503
        parts = ready.json()["parts"]
        assert parts["index"] == parts["tokens"] == "ok"
        assert "ok" not in (parts["footage"], parts["records"])
        without_index = Caller(embedded.remade(index=index), embedded.headers)
        for path, params in ((CLIP, ASKED), ("/v1/recordings", span(0, 5)), ("/v1/cameras", {})):
            answer = without_index.get(path, params=params)
            assert answer.status_code == 503, path
            assert str(port) not in answer.text
        index.close()
