"""Playlists, the pieces they name, and frames."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import m3u8
import pytest

from archive.clock import ManualClock
from archive.model.grant import Right
from archive.model.segment import UNSYNCHRONISED, ClockStatement
from archive.model.user import Role
from archive.timespan import HOUR, MINUTE, SECOND, Timespan
from tests.support import api_site
from tests.support.api_site import (
    CAMERA,
    EMPTY_CAMERA,
    FRAME,
    PLAYLIST,
    T0,
    Caller,
    Site,
    archive_run,
    instant,
    open_site,
    span,
)
from tests.support.numbered import numbers, read_numbers
from tests.support.people import add_person, caller, catch_up, cookie_of, grant


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "budi", Role.WAR_ROOM)
        catch_up(made)
        yield made


BASE = f"/v1/cameras/{CAMERA}/"
MASTER, KEYFRAMES, LOSSLESS = f"{BASE}master.m3u8", f"{BASE}keyframes.m3u8", f"{BASE}frame.png"


def named_in(call: Caller, **asked: str) -> tuple[str, str]:
    """The addresses of the two playlists that the master playlist names."""
    master = m3u8.loads(call.get(MASTER, params=asked).text)
    return BASE + master.playlists[0].uri, BASE + master.iframe_playlists[0].uri


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


# -- keyframes, and playlists in a session ------------------------------------------------------------


def test_the_master_playlist_names_one_to_play_and_one_to_scrub_in_one_session(site: Site) -> None:
    before = len(site.events("playback.started"))
    text = site.call.get(MASTER, params=span(5, 75)).text
    master = m3u8.loads(text)
    (stream,) = master.playlists
    assert stream.stream_info.codecs.startswith("avc1.")
    assert stream.stream_info.resolution == (320, 192)
    media, scrubbing = named_in(site.call, **span(5, 75))
    played = m3u8.loads(site.call.get(media).text)
    assert (played.playlist_type, len(played.segments)) == ("vod", 6)
    assert m3u8.loads(site.call.get(scrubbing).text).is_i_frames_only
    assert len(site.events("playback.started")) == before + 2, "one for each master, none for what it names"


def test_keyframes_are_exactly_those_of_the_footage_each_by_its_own_range(site: Site) -> None:
    _, scrubbing = named_in(site.call, **span(5, 75))
    playlist = m3u8.loads(site.call.get(scrubbing).text)
    assert len(playlist.segments) == 30
    begins = {ref.run: ref.span.start for ref in (site.second[0], site.first[0])}
    for one in playlist.segments[:7] + playlist.segments[-2:]:
        length, _, start = one.byterange.partition("@")
        part = {"Range": f"bytes={start}-{int(start) + int(length) - 1}"}
        answer = site.call.get(BASE + one.uri, headers=part)
        assert (answer.status_code, len(answer.content)) == (206, int(length))
        init = site.call.get(BASE + one.init_section.uri).content
        (shown,) = numbers(read_numbers(init + answer.content))
        assert shown is not None
        assert shown % 30 == 0
        run = one.uri.split("/")[1]
        at = one.program_date_time.timestamp() * SECOND
        assert at == pytest.approx(begins[run] + shown * SECOND / 15, abs=70)
    whole = BASE + playlist.segments[0].uri
    assert numbers(
        read_numbers(
            site.call.get(BASE + playlist.segments[0].init_section.uri).content + site.call.get(whole).content
        )
    ) == [0, 30, 60, 90, 120]
    assert site.call("HEAD", whole).headers["content-length"] == str(len(site.call.get(whole).content))


@pytest.mark.parametrize("variant", ["h264-open-b", "hevc-closed"])
def test_keyframes_of_other_streams_decode_alone(variant: str, tmp_path: Path) -> None:
    with open_site(tmp_path, variant=variant) as site:
        playlist = m3u8.loads(site.call.get(KEYFRAMES, params=span(11, 19)).text)
        init = site.call.get(BASE + playlist.segments[0].init_section.uri).content
        found = []
        for one in playlist.segments:
            length, _, start = one.byterange.partition("@")
            part = {"Range": f"bytes={start}-{int(start) + int(length) - 1}"}
            found += numbers(read_numbers(init + site.call.get(BASE + one.uri, headers=part).content))
        assert found == [150, 180, 210, 240, 270]


def test_what_scrubbing_showed_is_on_record(site: Site) -> None:
    call = caller(site, "citra")
    _, scrubbing = named_in(call, **span(0, 30))
    playlist = m3u8.loads(call.get(scrubbing).text)
    one = playlist.segments[1]
    length, _, start = one.byterange.partition("@")
    call.get(BASE + one.init_section.uri)
    call.get(BASE + one.uri, headers={"Range": f"bytes={start}-{int(start) + int(length) - 1}"})
    site.app.state.runtime.playback.end_all()
    end = site.events("playback.ended")[-1]
    assert end.details["shown"] == f"{instant(2)}/{instant(4)}"
    assert end.details["bytes_sent"] > int(length)


def test_a_playlist_grows_with_the_hour_and_ends_with_it(tmp_path: Path) -> None:
    clock = ManualClock(T0 + 35 * SECOND)
    with open_site(tmp_path, variant=None, clock=clock) as site:
        made = api_site._footage("h264-closed")[1]
        kept = archive_run(site.services, made[:2], run="6b05180000000001", start=T0)
        asked = span(0, 60)
        media, scrubbing = named_in(site.call, **asked)
        first, scrub = site.call.get(media).text, site.call.get(scrubbing).text
        assert m3u8.loads(first).playlist_type == "event"
        assert not m3u8.loads(first).is_endlist
        assert len(m3u8.loads(first).segments) == 2
        assert len(m3u8.loads(scrub).segments) == 10
        started = len(site.events("playback.started"))
        archive_run(site.services, made, run="6b05180000000002", start=kept[-1].span.end + 5 * SECOND)
        clock.advance(5 * SECOND)
        second = site.call.get(media).text
        assert second.startswith(first.removesuffix("\n"))
        assert [one.discontinuity for one in m3u8.loads(second).segments] == [
            False,
            False,
            True,
            False,
            False,
        ]
        assert second.count("saksi.gap") == 1
        assert site.call.get(scrubbing).text.startswith(scrub.removesuffix("\n"))
        assert len(site.events("playback.started")) == started, "reloading is no new playback"
        clock.advance(MINUTE)
        archive_run(site.services, made, run="6b05180000000003", start=T0 + 60 * SECOND)
        at_last = site.call.get(media).text
        assert at_last.startswith(second.removesuffix("\n"))
        assert len(m3u8.loads(at_last).segments) == 5
        assert m3u8.loads(at_last).is_endlist
        assert m3u8.loads(site.call.get(scrubbing).text).is_endlist
        alone = m3u8.loads(site.call.get(PLAYLIST, params=asked).text)
        assert (alone.playlist_type, alone.is_endlist) == ("vod", True), "outside a session it never grows"


def test_a_growing_playlist_has_a_limit_of_its_own(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        day = {"from": instant(-7 * 3600), "to": instant(3600)}
        assert site.call.get(MASTER, params=day).json()["code"] == "playlist_too_long"
        assert site.call.get(KEYFRAMES, params=span(-3600, 30)).json()["code"] == "playlist_too_long"
        long = m3u8.loads(site.call.get(MASTER, params=span(-7200, 30)).text)
        assert (len(long.playlists), len(long.iframe_playlists)) == (1, 0)


# -- whose playback it is ---------------------------------------------------------------------------


def test_an_address_that_was_copied_to_a_second_person_is_refused(site: Site) -> None:
    mine, other = caller(site, "citra"), caller(site, "budi")
    media, scrubbing = named_in(mine, **span(0, 30))
    piece = m3u8.loads(mine.get(media).text).segments[0]
    keyframe = m3u8.loads(mine.get(scrubbing).text).segments[0]
    copied = [media, scrubbing, *(BASE + uri for uri in (piece.uri, piece.init_section.uri, keyframe.uri))]
    for address in copied:
        assert mine.get(address).status_code == 200, address
        answer = other.get(address)
        assert (answer.status_code, answer.json()["code"]) == (403, "playback_of_another"), address
        assert site.events()[-1].outcome == "refused"
        assert site.events()[-1].actor.id == "user:budi"
    assert other.get(PLAYLIST, params=span(0, 30)).status_code == 200, "in their own name they may"


def test_an_address_serves_only_the_purpose_and_the_camera_that_it_was_given_for(site: Site) -> None:
    call = caller(site, "citra")
    media, _ = named_in(call, **span(0, 30))
    parts = urlsplit(media)
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert call.get(parts.path, params=query).status_code == 200
    changed = call.get(parts.path, params={**query, "purpose": "something else"})
    assert (changed.status_code, changed.json()["code"]) == (403, "playback_of_another")
    elsewhere = call.get(parts.path.replace(CAMERA, EMPTY_CAMERA), params=query)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "playback_of_another")
    forged = call.get(parts.path, params={**query, "session": "x" * 32})
    assert (forged.status_code, forged.json()["code"]) == (403, "playback_of_another")


def test_an_expired_sign_in_and_an_ended_grant_stop_a_playback(tmp_path: Path) -> None:
    with open_site(tmp_path) as site:
        add_person(site, "dewi", Role.POLICE)
        until = site.clock.now() + 5 * MINUTE
        grant(site, "dewi", [CAMERA], Timespan(T0, T0 + 25 * SECOND), Right.VIEW, until=until)
        catch_up(site)
        call = caller(site, "dewi")
        media, _ = named_in(call, **span(0, 25))
        piece = BASE + m3u8.loads(call.get(media).text).segments[0].uri
        assert call.get(piece).status_code == 200
        site.clock.advance(5 * MINUTE + SECOND)
        ended = call.get(piece)
        assert (ended.status_code, ended.json()["code"]) == (403, "not_granted")
        site.clock.advance(24 * HOUR)
        assert call.get(piece).status_code == 401
        assert call.get(media).status_code == 401


# -- frames ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "number"), [(0, 0), (5.9, 88), (9.999, 149), (10, 150), (29.99, 449)])
def test_an_exact_frame_is_the_one_on_screen_with_its_time(
    site: Site, tmp_path: Path, seconds: float, number: int
) -> None:
    asked = {"at": instant(seconds), "width": "320"}
    for path, query, media_type in (
        (FRAME, {**asked, "picture": "exact"}, "image/jpeg"),
        (LOSSLESS, asked, "image/png"),
    ):
        answer = site.call.get(path, params=query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        picture = tmp_path / f"frame{path[-4:]}"
        picture.write_bytes(answer.content)
        assert numbers(read_numbers(picture)) == [number]
        told = answer.headers["saksi-frame-at"]
        assert instant(number / 15 - 0.001) <= told <= instant(number / 15 + 0.001)
        assert answer.headers["saksi-frame-picture"] == "exact"
        assert answer.headers["saksi-frame-uncertainty-us"] == "40000"
        event = site.events("frame.view")[-1]
        assert (event.details["frame_at"], event.details["picture"]) == (told, "exact")
        same = site.call.get(path, params=query, headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == 304
    nearest = site.call.get(FRAME, params={**asked, "picture": "keyframe"})
    assert nearest.headers["saksi-frame-picture"] == "keyframe"
    assert nearest.headers["saksi-frame-at"] == instant(number // 30 * 2)
    assert site.call.get(FRAME, params={**asked, "picture": "true"}).status_code == 422


def test_where_nothing_is_recorded_the_answer_has_the_cause(site: Site) -> None:
    for path in (FRAME, LOSSLESS):
        answer = site.call.get(path, params={"at": instant(40)})
        assert (answer.status_code, answer.json()["code"]) == (409, "no_footage")
        assert [gap["cause"] for gap in answer.json()["gaps"]] == ["unreachable"]
        missing = site.call.get(path.replace(CAMERA, "cam-0"), params={"at": instant(5)})
        assert (missing.status_code, missing.json()["code"]) == (404, "camera_not_found")


def test_a_frame_whose_time_nothing_bounds_says_so(tmp_path: Path) -> None:
    with open_site(tmp_path, variant=None) as site:
        free = ClockStatement(source="arrival", offset_us=0, uncertainty_us=40_000, flags=(UNSYNCHRONISED,))
        made = api_site._footage("h264-closed")[1]
        archive_run(site.services, made, run="6b05180000000001", start=T0, clock=free)
        answer = site.call.get(LOSSLESS, params={"at": instant(5)})
        assert answer.headers["saksi-frame-uncertainty-us"] == "unbounded"


def test_without_a_sign_in_there_is_no_frame(site: Site) -> None:
    for path in (FRAME, LOSSLESS, MASTER, KEYFRAMES):
        assert Caller(site.app).get(path, params={"at": instant(5)}).status_code == 401
    over = Caller(site.app, {"Cookie": f"{cookie_of(site, 'citra')}x"})
    assert over.get(LOSSLESS, params={"at": instant(5)}).status_code == 401


# -- viewing copies ---------------------------------------------------------------------------------


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
