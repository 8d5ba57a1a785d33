"""What the custody record says of playback in odd forms: parts of pieces, no session, HEAD, narrow grants."""

from collections.abc import Iterator
from pathlib import Path

import m3u8
import pytest

from archive.model.grant import Right
from archive.model.user import Role
from archive.timespan import SECOND, Timespan, format_instant, parse_instant
from tests.support.api_site import CAMERA, FRAME, PLAYLIST, T0, Site, instant, open_site, span
from tests.support.people import add_person, caller, catch_up, grant

BASE = f"/v1/cameras/{CAMERA}/"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with open_site(tmp_path_factory.mktemp("site")) as made:
        add_person(made, "citra", Role.WAR_ROOM)
        add_person(made, "sempit", Role.POLICE)
        grant(made, "sempit", [CAMERA], Timespan(T0 + 12 * SECOND, T0 + 18 * SECOND), Right.VIEW)
        catch_up(made)
        yield made


def media(site: Site, number: int = 0) -> str:
    return f"{BASE}segments/{site.first[number].run}/{number}/media.m4s"


def ended(site: Site) -> dict[str, object]:
    """What the last playback's end says."""
    site.app.state.runtime.playback.end_all()
    return dict(site.events("playback.ended")[-1].details)


def test_pieces_without_a_session_are_on_record_each_for_its_own_purpose(site: Site) -> None:
    call = caller(site, "citra", purpose="")
    site.app.state.runtime.playback.end_all()
    before = len(site.events())
    for purpose in ("LP/B/1/XI/2026", "LP/B/2/XI/2026", "LP/B/1/XI/2026"):
        assert call.get(media(site), params={"purpose": purpose}).status_code == 200
    site.app.state.runtime.playback.end_all()
    events = site.events()[before:]
    started = [event.purpose for event in events if event.type == "playback.started"]
    assert started == ["LP/B/1/XI/2026", "LP/B/2/XI/2026"]
    sent = {event.purpose: event.details["pieces"] for event in events if event.type == "playback.ended"}
    assert sent == {"LP/B/1/XI/2026": 2, "LP/B/2/XI/2026": 1}


@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_a_purpose_in_a_header_is_on_record_as_it_was_written(site: Site, coding: str) -> None:
    call = caller(site, "citra", purpose="")
    written = {b"Saksi-Purpose": "Café Ratu, LP/B/3".encode(coding)}
    assert call.get(FRAME, params={"at": instant(5)}, headers=written).status_code == 200
    assert site.events("frame.view")[-1].purpose == "Café Ratu, LP/B/3"


@pytest.mark.parametrize("variant", ["h264-closed", "h264-open-b"])
def test_only_what_was_sent_of_a_piece_counts_as_shown(variant: str, tmp_path: Path) -> None:
    with open_site(tmp_path, variant=variant) as site:
        whole = site.call.get(media(site, 1))
        first = site.first[1].span
        assert ended(site)["shown"] == f"{format_instant(first.start)}/{format_instant(first.end)}"

        size = len(whole.content)
        site.call.get(media(site, 1), headers={"Range": "bytes=0-0"})
        nothing = ended(site)
        assert (nothing["bytes_sent"], nothing["shown"], nothing["seconds_shown"]) == (1, "", 0)

        site.call.get(media(site, 1), headers={"Range": f"bytes=0-{size // 2}"})
        start, end = map(parse_instant, str(ended(site)["shown"]).split("/"))
        assert start == first.start
        assert first.start + 3 * SECOND < end < first.start + 7 * SECOND

        site.call.get(media(site, 1), headers={"Range": f"bytes={size // 2}-"})
        late, last = map(parse_instant, str(ended(site)["shown"]).split("/"))
        assert late < end
        assert last == first.end


def test_a_moment_counts_as_a_second(site: Site) -> None:
    header = site.first[0].header_bytes
    assert site.call.get(media(site), headers={"Range": f"bytes={header - 10}-{header}"}).status_code == 206
    end = ended(site)
    assert (end["bytes_sent"], end["seconds_shown"]) == (11, 1)
    assert end["shown"]


def test_head_shows_nothing(site: Site) -> None:
    for path, asked in ((FRAME, {"at": instant(5)}), (f"{BASE}contact-sheet.jpg", span(0, 20, tiles="2"))):
        assert site.call("HEAD", path, params=asked).status_code == 200
        assert site.events("frame.view")[-1].details["bytes"] == 0


def test_a_grant_narrower_than_a_segment_is_not_told_that_nothing_is_recorded(site: Site) -> None:
    call = caller(site, "sempit")
    inside = span(12, 18)
    for name in ("playlist", "master", "keyframes"):
        answer = call.get(f"{BASE}{name}.m3u8", params=inside)
        assert (answer.status_code, answer.json()["code"]) == (403, "whole_segments_refused"), name
        event = site.events("playback")[-1]
        assert (event.outcome, event.details["denied"]) == ("refused", "whole segments")
    assert site.call.get(PLAYLIST, params=inside).status_code == 200
    assert site.call.get(PLAYLIST, params=span(31, 39)).json()["code"] == "no_footage"


def test_leading_pictures_are_shown_after_the_keyframe_before_them(tmp_path: Path) -> None:
    with open_site(tmp_path, variant="h264-open-b") as site:
        second = site.first[1].span.start
        answer = site.call.get(FRAME, params={"at": format_instant(second)})
        assert answer.status_code == 200, answer.text
        told = parse_instant(answer.headers["saksi-frame-at"])
        assert second - 2.5 * SECOND < told < second
        sheet = {"from": format_instant(second), "to": format_instant(second + SECOND), "tiles": "48"}
        assert site.call.get(f"{BASE}contact-sheet.jpg", params=sheet).status_code == 200


def test_a_keyframe_after_a_grant_is_not_on_a_sheet(tmp_path: Path) -> None:
    with open_site(tmp_path, variant="h264-open-b") as site:
        playlist = m3u8.loads(site.call.get(f"{BASE}keyframes.m3u8", params=span(11, 19)).text)
        keyframe = round(playlist.segments[0].program_date_time.timestamp() * SECOND)
        second = site.first[1].span.start
        assert keyframe > second, "the segment begins with leading pictures"
        add_person(site, "tepat", Role.POLICE)
        end = (second + keyframe) // 2
        grant(site, "tepat", [CAMERA], Timespan(T0, end), Right.VIEW)
        catch_up(site)
        asked = {"from": format_instant(end - 2 * SECOND), "to": format_instant(end), "tiles": "48"}
        refused = caller(site, "tepat").get(f"{BASE}contact-sheet.jpg", params=asked)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_granted")
