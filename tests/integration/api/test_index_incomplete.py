"""An API whose index was deleted or emptied never answers "nothing": 503 until the rebuild is done."""

from pathlib import Path

import pytest

from ops.settings import Settings
from ops.wiring import Site as Wired
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from search.whole import WholeIndex, Wholeness
from tests.support.api_site import (
    CAMERA,
    CLIP,
    DESCRIPTION,
    FRAME,
    PLAYLIST,
    Caller,
    instant,
    open_site,
    span,
)
from tests.support.recordings import RUN


@pytest.mark.parametrize("recording_goes_on", [False, True])
def test_every_route_that_answers_from_the_index_says_so(tmp_path: Path, recording_goes_on: bool) -> None:
    asked = span(3, 14)
    routes = (
        ("/v1/recordings", asked),
        ("/v1/recordings", asked | {"camera": CAMERA}),
        ("/v1/segments", asked),
        ("/v1/cameras", {}),
        (DESCRIPTION, asked),
        (CLIP, asked),
        (PLAYLIST, asked),
        (FRAME, {"at": instant(5)}),
        (f"/v1/cameras/{CAMERA}/segments/{RUN}/0/init.mp4", {}),
        (f"/v1/cameras/{CAMERA}/segments/{RUN}/0/media.m4s", {}),
        ("/v1/war-room/history", asked),
        ("/v1/dispositions", {}),
    )
    with open_site(tmp_path) as site:
        services = site.services
        emptied = open_sqlite(tmp_path / "another.sqlite")
        index = WholeIndex(emptied, Wholeness(emptied, services.stores, services.ledger, site.clock))
        caller = Caller(site.remade(index=index), site.headers)
        if recording_goes_on:
            later = site.second[-1]
            emptied.advance_cursor("rec-1", 1)
            emptied.put_heartbeat("rec-1", later.span.end, {})
        for path, query in routes:
            answer = caller.get(path, params=query)
            assert (answer.status_code, answer.json()["code"]) == (503, "index_incomplete"), path
            assert answer.json()["detail"]
        rebuild_index(services.stores, index)
        site.clock.advance(3_000_000)
        for path, query in routes:
            assert caller.get(path, params=query).status_code == 200, path
        emptied.close()


def test_a_deleted_index_answers_nothing_until_it_is_rebuilt(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        settings = Settings.load({"SAKSI_HOME": str(tmp_path)})
    for file in Path(settings.index_url.removeprefix("sqlite://")).parent.glob("index.sqlite*"):
        file.unlink()
    with Wired(settings, site.clock) as again:
        with pytest.raises(Exception, match="index is incomplete"):
            again.index.high_water(CAMERA)
        assert again.bare_index.status().segments == 0
        rebuild_index(again.stores, again.bare_index)
        site.clock.advance(3_000_000)
        assert again.index.high_water(CAMERA)
