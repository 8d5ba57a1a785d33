"""An API whose index was deleted or emptied never answers "nothing": 503 until the rebuild is done."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive import keys as archive_keys
from archive.integrity.rebuild.sync import Sync
from archive.ports import Content
from archive.records import journal
from archive.timespan import DAY, SECOND
from ops.doctor import Light, examine
from ops.exports import worker_of
from ops.settings import Settings
from ops.wiring import Site as Wired
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from search.whole import WholeIndex
from search.wholeness import Wholeness
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
from tests.support.leaves import gap
from tests.support.recordings import RUN


@pytest.mark.parametrize("recording_goes_on", [False, True])
def test_every_route_that_answers_from_the_index_says_so(tmp_path: Path, recording_goes_on: bool) -> None:
    asked = span(3, 14)
    routes = (
        ("/v1/recordings", asked),
        ("/v1/recordings", asked | {"camera": CAMERA}),
        ("/v1/segments", asked),
        ("/v1/search", asked),
        ("/v1/search", asked | {"camera": CAMERA}),
        ("/v1/timeline", asked | {"camera": CAMERA}),
        ("/v1/coverage", asked),
        ("/v1/cameras", {}),
        (DESCRIPTION, asked),
        (CLIP, asked),
        (CLIP, asked | {"container": "original"}),
        ("/v1/clips.zip", asked | {"camera": CAMERA}),
        (f"/v1/cameras/{CAMERA}/contact-sheet.jpg", asked | {"tiles": "1"}),
        (PLAYLIST, asked),
        (FRAME, {"at": instant(5)}),
        (FRAME.replace("jpg", "png"), {"at": instant(5)}),
        (PLAYLIST.replace("playlist", "master"), asked),
        (PLAYLIST.replace("playlist", "keyframes"), asked),
        (f"/v1/cameras/{CAMERA}/activity", asked),
        (f"/v1/cameras/{CAMERA}/sprites", asked),
        (f"/v1/cameras/{CAMERA}/sprites/20261124T0600Z/sheet.jpg", {}),
        (f"/v1/cameras/{CAMERA}/segments/{RUN}/0/init.mp4", {}),
        (f"/v1/cameras/{CAMERA}/segments/{RUN}/0/media.m4s", {}),
        (f"/v1/cameras/{CAMERA}/segments/{RUN}/0/copy.ts", {}),
        (f"/v1/cameras/{CAMERA}/segments/{RUN}/0/keyframes.m4s", {}),
        ("/v1/war-room/history", asked),
        ("/v1/dispositions", {}),
        ("/v1/health/cameras", {}),
        ("/v1/health/compliance", {}),
        ("/v1/custody", {"item": CAMERA}),
        ("/v1/custody", {"person": "user:citra"}),
        ("/v1/custody/report.jsonl", {"item": CAMERA}),
        ("/v1/custody/report.pdf", {"item": CAMERA}),
        ("/v1/requests", {}),
        ("/v1/evidence", {}),
        ("/v1/grants", {}),
        ("/v1/holds", {}),
        ("/v1/holds", {"due": "true"}),
        ("/v1/users", {}),
        ("/v1/retention/policies", {}),
        ("/v1/integrity-incidents", {}),
        ("/v1/events", {}),
    )
    with open_site(tmp_path) as site:
        services = site.services
        ordered = site.call("POST", "/v1/exports", json={"cameras": [CAMERA], **asked}).json()
        assert worker_of(site.evidence.site).run() == 1
        routes += ((f"/v1/exports/{ordered['export_id']}/export.zip", {}),)
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
        refused = caller("POST", "/v1/exports", json={"cameras": [CAMERA], **asked})
        assert (refused.status_code, refused.json()["code"]) == (503, "index_incomplete")
        rebuild_index(services.stores, index)
        site.clock.advance(3_000_000)
        for path, query in routes:
            assert caller.get(path, params=query).status_code == 200, path
        emptied.close()


def test_the_doctor_is_red_about_an_index_that_lacks_what_the_journals_have(tmp_path: Path) -> None:
    def lights(of: Wired) -> list[Light]:
        return [one.light for one in examine(of) if one.subject == "index"]

    with open_site(tmp_path) as site:
        settings = Settings.load({"SAKSI_HOME": str(tmp_path)})
        with Wired(settings, site.clock) as wired:
            assert lights(wired) == [Light.RED], "nobody has brought custody and ledger into it"
        with Wired(settings, site.clock) as wired:
            wired.follower().run()
            assert lights(wired) == [Light.GREEN]
            key = Ed25519PrivateKey.from_private_bytes(b"\7" * 32)  # the one of write_journal
            lines = [gap(site.gap.end, site.gap.end + SECOND, gap_id="6a15000000000010")]
            data = journal.encode(
                lines, recorder="rec-1", batch=2, prev=journal.GENESIS, at=site.clock.now(), key=key
            )
            name = archive_keys.journal_key("rec-1", 2, site.clock.now())
            wired.stores.records.put(name, Content.of_bytes(data))
        site.clock.advance(5 * DAY)
        with Wired(settings, site.clock) as wired:
            assert lights(wired) == [Light.RED]
            Sync(wired.stores, wired.bare_index, site.clock).run()
        with Wired(settings, site.clock) as wired:
            assert lights(wired) == [Light.GREEN, Light.AMBER], "nothing is missing, and nobody follows"


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
