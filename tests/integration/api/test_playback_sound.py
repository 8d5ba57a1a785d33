"""Playlists over segments with sound: it is there if it is asked for and every segment has it."""

import json
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from zipfile import ZipFile

import m3u8
import pytest

from api.web.files import PLAYER
from archive.model.user import Role
from archive.timespan import HOUR, SECOND, Timespan
from search.rebuilding import rebuild_index
from search.sqlite import open_sqlite
from tests.integration.api.test_server import serving
from tests.support.api_site import CAMERA, PLAYLIST, T0, Site, archive_run, open_site, span
from tests.support.beeping import beeping_run, beeps_in, sound_of
from tests.support.browser import chromium
from tests.support.chromium import opened
from tests.support.numbered import (
    CELL,
    CELLS,
    HEIGHT,
    WIDTH,
    finalised_run,
    numbers,
    read_numbers,
    recorded_segments,
)
from tests.support.people import add_person, catch_up, cookie_of
from tests.support.programs import need_player

BASE = f"/v1/cameras/{CAMERA}/"
MASTER = f"{BASE}master.m3u8"
KEPT = {"sound": "kept"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """20 s that beep, a gap of 10 s, and 20 s without sound."""
    folder = tmp_path_factory.mktemp("site")
    with open_site(folder / "site", variant=None) as made:
        made.first = archive_run(
            made.services, beeping_run(folder / "beeps", 20), run="6b05180000000001", start=T0
        )
        silent = finalised_run(recorded_segments("h264-nob", 20, folder), folder / "silent")
        made.second = archive_run(made.services, silent, run="6b05180000000002", start=T0 + 30 * SECOND)
        add_person(made, "citra", Role.WAR_ROOM)
        catch_up(made)
        yield made


def played(site: Site, playlist: m3u8.M3U8) -> bytes:
    """All that a playlist of one run names."""
    first = playlist.segments[0].init_section
    return b"".join(
        site.call.get(BASE + uri).content for uri in (first.uri, *(one.uri for one in playlist.segments))
    )


def test_where_every_segment_has_sound_the_master_names_it(site: Site) -> None:
    answer = site.call.get(MASTER, params=span(0, 20))
    assert 'CODECS="avc1.' in answer.text
    master = m3u8.loads(answer.text)
    (variant,) = master.playlists
    assert variant.stream_info.codecs.endswith(",mp4a.40.2")
    (keyframes,) = master.iframe_playlists
    assert "mp4a" not in keyframes.iframe_stream_info.codecs
    playlist = m3u8.loads(site.call.get(BASE + variant.uri).text)
    movie = played(site, playlist)
    assert numbers(read_numbers(movie)) == list(range(300))
    assert [beep.second for beep in beeps_in(sound_of(movie))] == list(range(20))


def test_keyframes_have_no_sound(site: Site) -> None:
    (keyframes,) = m3u8.loads(site.call.get(MASTER, params=span(0, 20)).text).iframe_playlists
    playlist = m3u8.loads(site.call.get(BASE + keyframes.uri).text)
    segment = playlist.segments[0]
    movie = site.call.get(BASE + segment.init_section.uri).content
    length, start = map(int, segment.byterange.split("@"))
    piece = site.call.get(BASE + segment.uri, headers={"Range": f"bytes={start}-{start + length - 1}"})
    assert b"soun" not in movie
    assert numbers(read_numbers(movie + piece.content)) == [0]


def test_unless_it_is_asked_for_there_are_only_pictures(site: Site) -> None:
    answer = site.call.get(PLAYLIST, params=span(0, 20))
    assert "Saksi-Sound" not in answer.headers
    movie = played(site, m3u8.loads(answer.text))
    assert b"soun" not in movie
    assert numbers(read_numbers(movie)) == list(range(300))


def test_where_a_segment_has_none_the_playlist_has_none_and_says_so(site: Site) -> None:
    """A player that was given sound would stop where there is none."""
    master = m3u8.loads(site.call.get(MASTER, params=span(0, 50)).text)
    assert "mp4a" not in master.playlists[0].stream_info.codecs
    assert "sound" not in master.playlists[0].uri
    answer = site.call.get(PLAYLIST, params={**span(0, 50), **KEPT})
    assert answer.headers["Saksi-Sound"] == "left_out"
    assert "sound=kept" not in answer.text
    assert site.call.get(PLAYLIST, params={**span(0, 20), **KEPT}).headers["Saksi-Sound"] == "kept"


def test_a_playlist_that_grows_or_is_long_has_none(site: Site) -> None:
    long = site.call.get(PLAYLIST, params={**span(0, HOUR // SECOND + 1), **KEPT})
    assert long.headers["Saksi-Sound"] == "left_out"


def test_each_form_of_a_piece_has_an_etag_of_its_own(site: Site) -> None:
    ref = site.first[0]
    url = f"{BASE}segments/{ref.run}/{ref.seq}/media.m4s"
    with_sound, without = site.call.get(url, params=KEPT), site.call.get(url)
    assert with_sound.headers["etag"] != without.headers["etag"]
    assert len(without.content) < len(with_sound.content)
    assert site.call.get(url, params={"sound": "loud"}).status_code == 422
    part = site.call.get(url, headers={"Range": "bytes=100-4999", "If-Range": without.headers["etag"]})
    assert part.content == without.content[100:5000]


def test_a_clip_says_what_sound_it_has(site: Site) -> None:
    answer = site.call.get(f"{BASE}clip.mp4", params=span(3.3, 14.05))
    assert answer.headers["Saksi-Sound"] == "mp4a.40.2"
    hidden = int(answer.headers["Saksi-Hidden-Sound-Us"])
    assert 0 < hidden < 100_000
    said = site.call.get(f"{BASE}clip", params=span(3.3, 14.05)).json()
    assert (said["sound"], said["hidden_sound_us"], said["layout"]) == ("mp4a.40.2", hidden, 2)
    assert [one["track"] for one in said["pieces"]] == ["pictures", "sound"] * 2
    plain = site.call.get(f"{BASE}clip.mp4", params=span(33, 44))
    assert "Saksi-Sound" not in plain.headers


def test_stills_viewing_copies_and_sheets_are_made_of_segments_with_sound(site: Site) -> None:
    copies = m3u8.loads(site.call.get(PLAYLIST, params={**span(0, 10), "picture": "viewing_copy"}).text)
    copy = site.call.get(BASE + copies.segments[0].uri)
    assert copy.status_code == 200
    assert len(read_numbers(copy.content)) == 150
    for name in ("frame.jpg", "frame.png"):
        still = site.call.get(BASE + name, params={"at": span(5, 6)["from"]})
        assert still.status_code == 200, still.text
    assert site.call.get(f"{BASE}contact-sheet.jpg", params=span(0, 20)).status_code == 200


def test_downloads_of_many_cameras_and_of_originals_hold_the_same_bytes(site: Site) -> None:
    clip = site.call.get(f"{BASE}clip.mp4", params=span(3.3, 14.05))
    many = site.call.get("/v1/clips.zip", params={**span(3.3, 14.05), "camera": CAMERA})
    with ZipFile(BytesIO(many.content)) as opened_zip:
        (name,) = [one for one in opened_zip.namelist() if one.endswith(".mp4")]
        assert opened_zip.read(name) == clip.content
    asked = {**span(3.3, 14.05), "container": "original"}
    originals = site.call.get(f"{BASE}clip.mp4", params=asked)
    with ZipFile(BytesIO(originals.content)) as opened_zip:
        held = {one: opened_zip.read(one) for one in opened_zip.namelist() if one.endswith(".mp4")}
        index = json.loads(
            opened_zip.read(next(one for one in opened_zip.namelist() if one.endswith("/index.json")))
        )
    stored = [site.services.stores.footage.get(ref.key) for ref in site.first]
    assert sorted(held.values()) == sorted(stored[:2])
    assert [one["sound"]["codec"] for one in index["segments"]] == ["mp4a.40.2"] * 2


def test_skimming_reads_the_pictures_beside_sound(site: Site) -> None:
    """The same pictures stand in the archive with sound and without."""
    with_sound, without = (
        site.call.get(f"{BASE}activity", params=asked) for asked in (span(0, 20), span(30, 50))
    )
    assert with_sound.status_code == 200, with_sound.text
    heard, silent = with_sound.json(), without.json()
    assert len(heard["intervals"]) == len(silent["intervals"])
    assert site.call.get(f"{BASE}sprites", params=span(0, 20)).json()["sprites"]


def test_an_index_made_anew_knows_the_segments_with_sound(site: Site, tmp_path: Path) -> None:
    whole = Timespan(T0, T0 + HOUR)
    with closing(open_sqlite(tmp_path / "fresh.sqlite")) as fresh:
        report = rebuild_index(site.services.stores, fresh)
        assert list(fresh.segments(CAMERA, whole)) == [*site.first, *site.second]
    assert report.segments == len(site.first) + len(site.second)


def test_what_was_heard_is_on_record(site: Site) -> None:
    asked = span(0, 20)
    for more, expected in (({}, None), (KEPT, 11)):
        playlist = m3u8.loads(site.call.get(PLAYLIST, params={**asked, **more}).text)
        site.call.get(BASE + playlist.segments[0].uri)
        site.app.state.runtime.playback.end_all()
        event = site.events("playback.ended")[-1]
        assert event.details.get("seconds_heard") == expected
        assert event.details["seconds_shown"] == 11


PLAY = """(async () => {
  const Hls = (await import(%(script)s)).default;
  const player = document.createElement("video");
  document.body.append(player);
  const context = new AudioContext();
  const meter = context.createAnalyser();
  context.createMediaElementSource(player).connect(meter);
  meter.connect(context.destination);
  await context.resume();
  const canvas = document.createElement("canvas");
  canvas.width = %(width)d; canvas.height = %(height)d;
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const number = () => {
    pen.drawImage(player, 0, 0, %(width)d, %(height)d);
    let bits = 0;
    for (let cell = 0; cell < %(cells)d; cell++) {
      const level = pen.getImageData(cell * %(cell)d + %(cell)d / 2, %(cell)d / 2, 1, 1).data[0];
      bits = bits * 2 + (level > 127 ? 1 : 0);
    }
    return Math.floor(bits / 16);
  };
  const hls = new Hls();
  const errors = [];
  hls.on(Hls.Events.ERROR, (_, told) => { if (told.fatal) errors.push(told.details); });
  hls.loadSource(%(url)s);
  hls.attachMedia(player);
  await new Promise((done) => player.addEventListener("canplay", done, {once: true}));
  const shown = [];
  let loudest = 0;
  const wave = new Float32Array(meter.fftSize);
  const listening = setInterval(() => {
    meter.getFloatTimeDomainData(wave);
    loudest = Math.max(loudest, ...wave.map(Math.abs));
  }, 30);
  for (const time of [0.5, 4.5, 9.966, 10.03, 13.3]) {
    const seeked = new Promise((done) => player.addEventListener("seeked", done, {once: true}));
    const frame = new Promise((done) => player.requestVideoFrameCallback(done));
    player.currentTime = time;
    await seeked;
    await Promise.race([frame, new Promise((done) => setTimeout(done, 3000))]);
    shown.push([time, number()]);
  }
  await player.play();
  await new Promise((done) => setTimeout(done, 2500));
  player.pause();
  clearInterval(listening);
  return {shown, loudest, errors, decoded: player.webkitAudioDecodedByteCount,
          tracks: hls.audioTracks.length, at: player.currentTime};
})()"""


def test_a_browser_plays_the_sound_and_shows_the_exact_frames(site: Site, tmp_path: Path) -> None:
    need_player()
    with serving(site) as port, opened(chromium(), tmp_path) as browser:
        url = f"http://127.0.0.1:{port}"
        browser.cookie(url, cookie_of(site, "citra", purpose=""))
        browser.open(f"{url}/tinjau")
        browser.wait("document.readyState === 'complete'")
        asked = urlencode({**span(0, 20), "purpose": "LP/B/123/XI/2026"})
        script = PLAY % {
            "script": repr(site.app.state.runtime.pages.assets.path(PLAYER)),
            "url": repr(f"{MASTER}?{asked}"),
            "width": WIDTH,
            "height": HEIGHT,
            "cells": CELLS,
            "cell": CELL,
        }
        found: dict[str, Any] = browser.run(script)
    assert found["errors"] == []
    assert found["shown"] == [[0.5, 7], [4.5, 67], [9.966, 149], [10.03, 150], [13.3, 199]]
    assert found["decoded"] > 0
    assert found["at"] > 14.5
    assert found["loudest"] > 0.2, "beeps are at half of full scale"
