"""Who allows it that a camera's sound is recorded: two people; and what ends it."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from archive.errors import ArchiveError, Conflict, Malformed, Refused
from archive.model.areas import NO_AREAS
from archive.model.camera import Camera, from_public_state, from_state, public_json, to_state
from archive.model.sound_permission import UNDECIDED, SoundPermission
from archive.timespan import format_instant
from tests.support.archives import SmallArchive, camera_form, small_archive

WHY = "Loket pengaduan; pengumuman terpasang"
ANA, BUDI = "os:ana", "os:budi"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SmallArchive]:
    made = small_archive(tmp_path)
    made.registry.add(camera_form(), actor=ANA)
    yield made
    made.index.close()


def allowed(site: SmallArchive) -> Camera:
    site.registry.propose_sound("cam-1", actor=ANA, reason=WHY)
    return site.registry.allow_sound("cam-1", actor=BUDI)


def code_of(site: SmallArchive, act: str, **given: str) -> str:
    try:
        getattr(site.registry, act)("cam-1", **given)
    except ArchiveError as error:
        return error.code
    return ""


def test_no_camera_is_allowed_sound_when_it_is_registered(site: SmallArchive) -> None:
    camera = site.registry.camera("cam-1")
    assert (camera.audio, camera.sound) == (False, UNDECIDED)
    assert public_json(camera, NO_AREAS)["audio"] == "none"


def test_a_proposal_alone_records_nothing(site: SmallArchive) -> None:
    camera = site.registry.propose_sound("cam-1", actor=ANA, reason=f" {WHY} ")
    assert not camera.audio
    assert camera == site.registry.camera("cam-1")
    shown = public_json(camera, NO_AREAS)
    at = format_instant(site.clock.now())
    assert (shown["audio"], shown["audio_proposal"]) == ("none", {"by": ANA, "at": at, "reason": WHY})
    assert code_of(site, "allow_sound", actor=ANA) == "same_person"
    assert code_of(site, "allow_sound", actor="os:root") == "person_unknown"
    assert code_of(site, "propose_sound", actor=BUDI, reason="x") == "sound_proposed_already"
    assert not site.registry.camera("cam-1").audio


def test_a_second_person_allows_it_and_the_entry_says_who_and_why(site: SmallArchive) -> None:
    site.registry.propose_sound("cam-1", actor=ANA, reason=WHY)
    site.clock.advance(5_000_000)
    camera = site.registry.allow_sound("cam-1", actor=BUDI, expected=2)
    now = site.clock.now()
    assert camera.audio
    assert camera.sound.permission == SoundPermission(proposed_by=ANA, allowed_by=BUDI, reason=WHY, since=now)
    assert camera.sound.proposal is None
    document = site.index.document("camera", "cam-1")
    assert document is not None
    assert from_public_state(document.state).sound == camera.sound
    told = public_json(camera, NO_AREAS)
    assert {name: value for name, value in told.items() if name.startswith("audio")} == {
        "audio": "keep",
        "audio_since": format_instant(now),
        "audio_allowed_by": BUDI,
        "audio_proposed_by": ANA,
        "audio_reason": WHY,
        "audio_proposal": None,
    }
    acts = [(entry.action, entry.actor) for entry in site.registry.history("cam-1")][1:]
    assert acts == [("camera.audio_proposed", ANA), ("camera.audio_allowed", BUDI)]
    assert code_of(site, "propose_sound", actor=ANA, reason="x") == "sound_allowed_already"
    assert code_of(site, "allow_sound", actor=ANA) == "sound_not_proposed"


def test_one_person_ends_it_and_what_was_recorded_before_says_so_still(site: SmallArchive) -> None:
    allowed(site)
    since = site.clock.now()
    site.clock.advance(60_000_000)
    camera = site.registry.end_sound("cam-1", actor=BUDI, reason="Pengumuman dilepas")
    assert (camera.audio, camera.sound) == (False, UNDECIDED)
    assert site.registry.as_of("cam-1", since).audio
    assert not site.registry.as_of("cam-1", site.clock.now()).audio
    assert code_of(site, "allow_sound", actor=BUDI) == "sound_not_proposed"


def test_ending_drops_a_proposal(site: SmallArchive) -> None:
    site.registry.propose_sound("cam-1", actor=ANA, reason=WHY)
    assert site.registry.end_sound("cam-1", actor=ANA, reason="keliru").sound == UNDECIDED


def test_only_the_version_that_was_read_is_approved(site: SmallArchive) -> None:
    site.registry.propose_sound("cam-1", actor=ANA, reason=WHY)
    site.registry.end_sound("cam-1", actor=ANA, reason="keliru")
    site.registry.propose_sound("cam-1", actor=ANA, reason="lain")
    with pytest.raises(Conflict, match="changed"):
        site.registry.allow_sound("cam-1", actor=BUDI, expected=2)


@pytest.mark.parametrize("reason", ["", " ", "x" * 201, "a\nb"])
def test_a_reason_is_needed_that_papers_can_repeat(site: SmallArchive, reason: str) -> None:
    with pytest.raises(Malformed):
        site.registry.propose_sound("cam-1", actor=ANA, reason=reason)
    assert len(list(site.registry.history("cam-1"))) == 1


def test_nobody_unknown_proposes(site: SmallArchive) -> None:
    with pytest.raises(Refused) as caught:
        site.registry.propose_sound("cam-1", actor="os:root", reason=WHY)
    assert caught.value.code == "person_unknown"


KEPT = [
    {"name": "Simpang baru"},
    {"purpose": "Lalu lintas"},
    {"segment_seconds": "20"},
    {"source": "rtsp://admin:another@10.0.0.7:554/stream?token=abc"},
    {"source": "rtsp://10.0.0.7/stream?token=abc"},
]
ENDED = [
    {"lat": "-5.2"},
    {"kelurahan": "73.71.13.1002"},
    {"owner": "worship"},
    {"source": "rtsp://admin:s3cret@10.0.0.8:554/stream?token=abc"},
    {"source": "rtsp://admin:s3cret@10.0.0.7:554/stream?token=abc&channel=2"},
    {"source": "http://admin:s3cret@10.0.0.7:554/stream?token=abc"},
    {"source": "test://"},
]


@pytest.mark.parametrize("changes", KEPT)
def test_a_change_of_other_facts_keeps_the_permission(site: SmallArchive, changes: dict[str, str]) -> None:
    before = allowed(site)
    after = site.registry.edit("cam-1", changes, actor=ANA, reason="x")
    assert (after.audio, after.sound) == (True, before.sound)


@pytest.mark.parametrize("changes", ENDED)
def test_another_device_or_place_is_not_what_was_allowed(site: SmallArchive, changes: dict[str, str]) -> None:
    allowed(site)
    after = site.registry.edit("cam-1", changes, actor=ANA, reason="x")
    assert (after.audio, after.sound) == (False, UNDECIDED)
    assert site.registry.camera("cam-1") == after


@pytest.mark.parametrize("changes", ENDED)
def test_a_proposal_is_for_what_stood_there_then(site: SmallArchive, changes: dict[str, str]) -> None:
    site.registry.propose_sound("cam-1", actor=ANA, reason=WHY)
    site.registry.edit("cam-1", changes, actor=ANA, reason="x")
    assert code_of(site, "allow_sound", actor=BUDI) == "sound_not_proposed"


def test_a_first_statement_of_where_it_looks_is_no_move(site: SmallArchive) -> None:
    allowed(site)
    seen = {"bearing": "90", "field_of_view": "60", "reach_m": "20"}
    assert site.registry.edit("cam-1", seen, actor=ANA).audio
    assert not site.registry.edit("cam-1", {"bearing": "91"}, actor=ANA, reason="diputar").audio


def test_switching_the_camera_off_and_on_keeps_the_permission(site: SmallArchive) -> None:
    before = allowed(site)
    site.registry.disable("cam-1", actor=ANA, reason="x")
    assert site.registry.enable("cam-1", actor=ANA, reason="x") == before


def test_a_state_is_read_back_and_old_ones_have_no_permission(site: SmallArchive) -> None:
    camera = allowed(site)
    assert from_state(to_state(camera)) == camera
    older = {name: value for name, value in to_state(camera).items() if not name.startswith("audio_")}
    assert from_state(older).sound == UNDECIDED
    assert isinstance(from_state(older).place.lat, Decimal)
    with pytest.raises(Malformed, match="who allowed sound"):
        from_state(to_state(camera) | {"audio_permission": {"by": ANA}})
