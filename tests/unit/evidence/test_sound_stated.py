"""A package says which footage has sound and who allowed that; an insider who changes it is found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from archive import canonical
from archive.evidence import report, sound_words
from archive.evidence.plan import CameraChange, PackagePlan
from archive.evidence.sounds import stretches
from archive.evidence.verifier.openssl import Openssl
from archive.footage.heard import SILENT, in_english, in_indonesian
from archive.model import leaf as leaves
from archive.model.segment import MADE_FROM, Segment, SoundStatement
from archive.model.sound_permission import SoundDecision, SoundPermission
from archive.records.ledger import wire
from archive.timespan import SECOND, format_instant
from tests.support import papers
from tests.support.insider import CALLED, Change, Forgery, InsiderSite, at, heard_site, stated
from tests.support.verifying import AskedOnce, verified
from tests.unit.evidence.test_verifier_records import found, opens, told

OPUS = SoundStatement(codec="opus", channels=2, rate=48_000)
STATED = {"codec": "mp4a.40.2", "channels": 1, "rate": 8000, "made_from": "pcm_alaw"}


@pytest.fixture(scope="module")
def program() -> Iterator[Openssl]:
    made = AskedOnce()
    yield made
    made.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> InsiderSite:
    return heard_site(tmp_path_factory.mktemp("heard"))


@pytest.fixture(scope="module")
def statement(site: InsiderSite) -> dict[str, Any]:
    return dict(canonical.decode((site.package / "data/metadata/evidence.json").read_bytes()))


def test_the_statement_says_which_part_has_sound(statement: dict[str, Any]) -> None:
    assert statement["sound"] == [{"camera": "cam-1", "from": at(20), "to": at(40), **STATED}]
    of_originals = [(one["camera"], one["from"], one.get("sound")) for one in statement["originals"]]
    assert [one for one in of_originals if one[2]] == [
        ("cam-1", at(20), STATED),
        ("cam-1", at(30), STATED),
    ]


def test_the_statement_says_who_allowed_it_of_that_camera_alone(statement: dict[str, Any]) -> None:
    one, other = statement["cameras"]
    allowed = {
        "kept": 1, "proposed_by": "os:ana", "allowed_by": "os:budi", "reason": "Loket pengaduan",
        "since": at(20),
    }  # fmt: skip
    assert one["audio"] == {"kept": 0}
    assert [(change["at"], change["audio"]) for change in one["changes"]] == [
        (at(20), allowed),
        (at(40), {"kept": 0}),
    ]
    assert "audio" not in other
    assert "changes" not in other


def test_the_package_is_valid_and_shows_no_more_than_that(site: InsiderSite, program: Openssl) -> None:
    notebook = verified(site.world, site.package, site.world.pinned(), "now", program)
    assert notebook.valid, notebook.findings
    assert notebook.findings == []


def test_the_text_says_so_in_both_languages(site: InsiderSite) -> None:
    text = (site.package / "data/README.txt").read_text("utf-8")
    for line in (
        f"  cam-2\n    {SILENT[0]}\n  cam-1\n    Hanya bagian berikut memuat suara;",
        f"  cam-2\n    {SILENT[1]}\n  cam-1\n    Only these parts have sound;",
        "AAC, 1 kanal, 8.000 Hz, dibuat perekam dari G.711 (A-law).",
        "AAC, 1 channel, 8,000 Hz, made from G.711 (A-law) by the recorder.",
        "Perekaman suara diizinkan oleh os:budi",
        "Recording of sound was allowed by os:budi",
    ):
        assert " ".join(line.split()) in " ".join(text.split())
    said = text.partition("Suara:")[2].partition("\n\n")[0]
    assert max(map(len, said.splitlines())) <= 110


def original(number: int, **sound: Any) -> Change:
    """Change what is stated of the sound of an original of ``cam-1``; nothing takes it away."""

    def change(forgery: Forgery) -> None:
        one = forgery.originals("cam-1")[number]
        if sound:
            one["sound"] = {**one.get("sound", STATED), **sound}
        else:
            one.pop("sound")

    return change


def as_if_silent(forgery: Forgery) -> None:
    """Everything that the statement says of sound."""
    forgery.stated.pop("sound")
    for one in forgery.originals("cam-1"):
        one.pop("sound", None)
    for one in (forgery.stated["cameras"][0], *forgery.stated["cameras"][0]["changes"]):
        one.pop("audio")


def allowed_by_nobody(forgery: Forgery) -> None:
    """Who allowed it, in the statement and in the openings."""
    names = ("proposed_by", "allowed_by", "reason", "since")
    forgery.stated["cameras"][0]["changes"][0]["audio"] = {"kept": 1}
    opens(
        "camera", 3, lambda shown: [shown.pop(f"state.audio_permission.{name}") for name in names], "cam-1"
    )(forgery)


def others_opened(forgery: Forgery) -> None:
    entry = forgery.world.target.get("ledger/camera/cam-2/00000001.json")
    more = wire.openings(entry, ["state.audio"])["opens"]
    opens("camera", 1, lambda shown: shown.update(more), "cam-2")(forgery)


def audio_of(place: int, **changes: Any) -> Change:
    return stated(lambda made: made["cameras"][0]["changes"][place]["audio"].update(changes))


LEAF, CONTRADICTS, DIFFERS = "leaf_mismatch", "statement_contradicts", "record_differs"

PACKAGES: list[tuple[str, Change, str]] = [
    ("an original is said to have no sound", original(2), LEAF),
    ("an original is said to have sound", original(0, codec="mp4a.40.2"), LEAF),
    ("another codec", original(2, codec="opus"), LEAF),
    ("more channels", original(2, channels=2), LEAF),
    ("said to be the camera's own", stated(
        lambda made: [one["sound"].pop("made_from") for one in made["originals"] if "sound" in one]), LEAF),
    ("the stretch left out", stated(lambda made: made.pop("sound")), CONTRADICTS),
    ("a longer stretch", stated(lambda made: made["sound"][0].update({"from": at(0)})), CONTRADICTS),
    ("the stretch of another camera", stated(lambda made: made["sound"][0].update(camera="cam-2")),
     CONTRADICTS),
    ("one stretch more", stated(lambda made: made["sound"].append(dict(made["sound"][0]))), CONTRADICTS),
    ("nothing said of sound", as_if_silent, LEAF),
    ("another person allowed it", audio_of(0, allowed_by="os:citra"), DIFFERS),
    ("another reason", audio_of(0, reason="lain"), DIFFERS),
    ("allowed earlier", audio_of(0, since=at(0)), DIFFERS),
    ("never ended", audio_of(1, kept=1), DIFFERS),
    ("allowed from the start", stated(lambda made: made["cameras"][0]["audio"].update(kept=1)), DIFFERS),
    ("who allowed it left out", stated(
        lambda made: [one.pop("audio") for one in (made["cameras"][0], *made["cameras"][0]["changes"])]),
     DIFFERS),
    ("who allowed it not opened", allowed_by_nobody, DIFFERS),
    ("another person, opened",
     told("camera", 3, "state.audio_permission.allowed_by", "os:citra", "cam-1"), "record_opening"),
    ("the sound of a silent camera, opened", others_opened, "record_shows_too_much"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "code"), [row[1:] for row in PACKAGES], ids=[row[0] for row in PACKAGES])
def test_what_is_changed_about_sound_is_found(
    site: InsiderSite, tmp_path: Path, program: Openssl, change: Change, code: str
) -> None:
    forgery = Forgery(site, tmp_path / "package")
    change(forgery)
    forgery.seal()
    assert code in found(site, forgery.package, program)


# Words ------------------------------------------------------------------------------------------------


def with_sound(plan: PackagePlan, sounds: dict[int, SoundStatement]) -> PackagePlan:
    """The plan, its originals with these numbers with sound."""
    made = []
    for number, item in enumerate(plan.originals):
        leaf = leaves.decode(item.leaf)
        assert isinstance(leaf, Segment)
        made.append(replace(item, leaf=leaves.encode(replace(leaf, sound=sounds.get(number)))))
    return replace(plan, originals=tuple(made))


def at_text(instant: int) -> str:
    return f"{(instant - papers.T0) // SECOND} s"


def test_a_plan_without_sound_has_one_sentence_for_all_its_cameras() -> None:
    plan = papers.plan(cameras=2)
    names = "cam-0001, cam-0002"
    assert list(sound_words.said_id(plan, at_text)) == [(names, SILENT[0])]
    assert list(sound_words.said_en(plan, at_text)) == [(names, SILENT[1])]
    text = report.readme(plan).decode()
    assert f"Suara:\n  {names}\n    {SILENT[0]}\n" in text
    assert f"Sound:\n  {names}\n    {SILENT[1]}\n" in text


def test_stretches_of_one_sound_are_joined_and_others_are_not() -> None:
    plan = with_sound(papers.plan(cameras=1, segments=6, gaps=0), {0: OPUS, 1: OPUS, 2: CALLED, 4: CALLED})
    begin = papers.T0
    assert [
        ((one.span.start - begin) // SECOND, (one.span.end - begin) // SECOND, one.sound)
        for one in stretches(plan)
    ] == [(0, 20, OPUS), (20, 30, CALLED), (40, 50, CALLED)]


def test_each_permission_of_the_span_is_named_once() -> None:
    plan = papers.plan(cameras=1, segments=3, gaps=0)
    (camera,) = plan.cameras
    given = SoundPermission(proposed_by="user:a", allowed_by="user:b", reason="loket", since=papers.T0)
    allowed = replace(camera, audio=True, sound=SoundDecision(permission=given))
    renamed = replace(allowed, name="Loket 2")
    changes = tuple(CameraChange(at=papers.T0 + n * SECOND, camera=one) for n, one in
                    enumerate((renamed, camera), 5))  # fmt: skip
    heard = replace(with_sound(plan, dict.fromkeys(range(3), OPUS)), cameras=(allowed,), changes=changes)
    assert [sentence for _, sentence in sound_words.said_id(heard, at_text)] == [
        "Seluruh rekaman kamera ini memuat suara:",
        "0 s - 30 s: Opus, 2 kanal, 48.000 Hz, disalin seperti dikirim kamera.",
        "Perekaman suara diizinkan oleh user:b sejak 0 s, atas usul user:a, dengan alasan: loket",
    ]
    nobody = replace(heard, cameras=(camera,), changes=())
    assert "tidak tercatat" in [sentence for _, sentence in sound_words.said_id(nobody, at_text)][-1]


@pytest.mark.parametrize("source", MADE_FROM)
def test_every_source_has_a_name_people_know(source: str) -> None:
    sound = replace(CALLED, made_from=source)
    assert "_" not in in_indonesian(sound) + in_english(sound)
    assert "by the recorder" in in_english(sound)


def test_a_time_of_a_stretch_is_that_of_its_originals() -> None:
    plan = with_sound(papers.plan(cameras=1, segments=1, gaps=0), {0: OPUS})
    (one,) = stretches(plan)
    shown = one.to_json()
    assert (shown["from"], shown["to"]) == tuple(map(format_instant, (one.span.start, one.span.end)))
