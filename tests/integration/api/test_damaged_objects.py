"""A stored segment that is missing, cut short or altered: each answer is an error that names it, or lacks it
and says so; nothing shows other pictures than those that were recorded.

An answer that had begun when the damage was found breaks off, so it never looks whole.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archive.model.custody import Outcome
from tests.support.api_site import CAMERA, CLIP, DESCRIPTION, Site, instant, open_site, span

BASE = f"/v1/cameras/{CAMERA}"
DAMAGES = ("missing", "truncated", "altered")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with open_site(tmp_path) as made:  # a new one each time: pictures that were made before may be kept
        yield made


@contextmanager
def damaged(folder: Path, site: Site, damage: str) -> Iterator[str]:
    """The key of the segment from 10 to 20 s, which is damaged in this block and put back after it."""
    key = site.first[1].key
    name = key.rpartition("/")[2]
    (path,) = (one for one in folder.rglob(name) if one.name == name)
    good = path.read_bytes()
    mode = path.stat().st_mode
    kept = path.with_name(f"{path.name}.kept")
    os.rename(path, kept)
    try:
        if damage == "truncated":
            path.write_bytes(good[:-1000])
        elif damage == "altered":
            changed = bytearray(good)
            # In every picture of some size, so that whatever is read is not what was recorded.
            for at in range(site.first[1].header_bytes + 100, len(good), 700):
                changed[at] ^= 0x55
            path.write_bytes(changed)
        yield key
    finally:
        path.unlink(missing_ok=True)
        os.rename(kept, path)
        path.chmod(mode)


def pieces(site: Site) -> list[str]:
    """The addresses of the segment from 10 to 20 s in playlists."""
    base = f"{BASE}/segments/{site.first[1].run}/1"
    return [f"{base}/{name}" for name in ("media.m4s", "keyframes.m4s", "copy.ts")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_an_answer_from_the_segment_alone_is_an_error_that_names_it(
    site: Site, tmp_path: Path, damage: str
) -> None:
    asked = [
        (CLIP, span(12, 18)),
        (CLIP, span(12, 18, container="original")),
        (DESCRIPTION, span(12, 18)),
        (f"{BASE}/frame.png", {"at": instant(15)}),
        (f"{BASE}/frame.jpg", {"at": instant(15)}),
        (f"{BASE}/frame.jpg", {"at": instant(15), "picture": "exact"}),
        (f"{BASE}/contact-sheet.jpg", span(12, 18, tiles="2")),
        *((path, {}) for path in pieces(site)),
    ]
    with damaged(tmp_path, site, damage) as key:
        for path, params in asked:
            answer = site.call.get(path, params=params) if params else site.call.get(path)
            if damage == "altered" and (path == CLIP or path.endswith("keyframes.m4s")):
                # The head of a download is sent while its first pictures are read.
                assert answer.status_code == 200
                assert len(answer.content) < int(answer.headers["content-length"])
                assert site.events("clip.download.ended")[-1].details["segment"] == key
                continue
            assert answer.status_code == 500, (path, params, answer.status_code)
            assert answer.json()["code"].startswith(("segment_", "object_")), path
            assert answer.json()["segment"] == key, path
    for path, params in asked:
        answer = site.call.get(path, params=params) if params else site.call.get(path)
        assert answer.status_code == 200, path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("kind", ["clip", "original", "many"])
def test_a_longer_download_breaks_off_and_is_on_record_as_failed(
    site: Site, tmp_path: Path, damage: str, kind: str
) -> None:
    path = "/v1/clips.zip" if kind == "many" else CLIP
    params = {
        "clip": span(2, 28),
        "original": span(2, 28, container="original"),
        "many": span(2, 28, camera=CAMERA),
    }[kind]
    whole = site.call.get(path, params=params).content
    with damaged(tmp_path, site, damage) as key:
        answer = site.call.get(path, params=params)
        if answer.status_code == 200:
            assert len(answer.content) < len(whole)
            assert whole.startswith(answer.content), "what left is what was recorded"
            end = site.events("clip.download.ended")[-1]
            assert end.outcome is Outcome.FAILED
            assert str(end.details["code"]).startswith(("segment_", "object_"))
            assert end.details["segment"] == key
        else:
            assert (answer.status_code, answer.json()["segment"]) == (500, key)
    assert site.call.get(path, params=params).content == whole


@pytest.mark.parametrize("damage", DAMAGES)
def test_skimming_shows_nothing_of_it_and_names_it(site: Site, tmp_path: Path, damage: str) -> None:
    with damaged(tmp_path, site, damage) as key:
        body = site.call.get(f"{BASE}/activity", params=span(0, 80)).json()
        unread = [one for one in body["not_looked_at"] if one["cause"] == "unreadable"]
        assert any(one["what"].startswith(key) for one in unread)
        sprites = site.call.get(f"{BASE}/sprites", params=span(0, 80)).json()
        shown = [one["at"] for one in sprites["sprites"]]
        inside = [at for at in shown if instant(10) <= at < instant(20)]
        assert inside == []
        assert shown or sprites["unreadable"]
