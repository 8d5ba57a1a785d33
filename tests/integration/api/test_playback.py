"""Playlists, the pieces they name, and frames."""

from collections.abc import Iterator
from pathlib import Path

import m3u8
import pytest

from tests.support.api_site import CAMERA, FRAME, PLAYLIST, Caller, Site, instant, open_site, span
from tests.support.numbered import numbers, read_numbers


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        yield made


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


def test_a_playlist_of_viewing_copies_plays_every_frame_and_custody_says_so(tmp_path: Path) -> None:
    with open_site(tmp_path, variant="hevc-closed") as site:
        text = site.call.get(PLAYLIST, params=span(5, 75) | {"picture": "viewing_copy"}).text
        playlist = m3u8.loads(text)
        assert "#EXT-X-MAP" not in text
        assert [segment.discontinuity for segment in playlist.segments] == [False] * 3 + [True] + [False] * 2
        pieces, skipped = [], 0
        for segment in playlist.segments:
            answer = site.call.get(f"/v1/cameras/{CAMERA}/{segment.uri}")
            assert answer.headers["content-type"] == "video/mp2t"
            skipped += int(answer.headers["saksi-skipped-frames"])
            assert answer.headers["saksi-transcoded"] == "h264"
            pieces.append(answer.content)
        shown = [numbers(read_numbers(b"".join(run), "-f", "mpegts")) for run in (pieces[:3], pieces[3:])]
        assert all(run == [number for number in range(450) if number in run] for run in shown)
        assert sum(map(len, shown)) + skipped == 900
        site.app.state.runtime.playback.end_all()
        started, ended = site.events("playback.started")[-1], site.events("playback.ended")[-1]
        assert started.details["picture"] == "viewing_copy"
        assert ended.details["transcoded"] == 6
        assert ended.details["bytes_sent"] == sum(map(len, pieces))
        runs = (site.first[0].run, site.second[0].run)
        assert ended.details["segments"] == " ".join(f"{run}:0-2" for run in runs)


def test_playing_the_original_says_nothing_of_copies(site: Site) -> None:
    playlist = m3u8.loads(site.call.get(PLAYLIST, params=span(5, 15)).text)
    site.call.get(f"/v1/cameras/{CAMERA}/{playlist.segments[0].uri}")
    site.app.state.runtime.playback.end_all()
    assert "transcoded" not in site.events("playback.ended")[-1].details
    assert "picture" not in site.events("playback.started")[-1].details


def test_without_ffmpeg_a_viewing_copy_is_unavailable(site: Site) -> None:
    path = f"/v1/cameras/{CAMERA}/segments/{site.first[0].run}/0/copy.ts"
    answer = Caller(site.remade(copies=None), site.headers).get(path)
    assert (answer.status_code, answer.json()["code"]) == (503, "ffmpeg_missing")
