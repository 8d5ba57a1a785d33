"""A package says in words when no new picture came, where leaves state it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from archive.evidence import pause_words, report
from archive.evidence.plan import PackagePlan
from archive.model import leaf as leaves
from archive.model.segment import Segment
from archive.timespan import SECOND
from tests.support import papers
from tests.support.packages import make_world, write_tags

Pauses = tuple[tuple[int, int], ...]
FIVE = ((2 * SECOND, 7 * SECOND),)


def told(plan: PackagePlan, pauses: Mapping[int, Pauses]) -> PackagePlan:
    """The plan, its originals with these numbers with these pauses."""
    made = []
    for number, item in enumerate(plan.originals):
        leaf = leaves.decode(item.leaf)
        assert isinstance(leaf, Segment)
        made.append(replace(item, leaf=leaves.encode(replace(leaf, pauses=pauses.get(number, ())))))
    return replace(plan, originals=tuple(made))


def at_text(instant: int) -> str:
    return f"{(instant - papers.T0) // SECOND} s"


def test_each_pause_is_said_with_its_times_and_its_length() -> None:
    plan = told(
        papers.plan(cameras=1, segments=4, gaps=0), {1: FIVE, 2: ((0, 3_249_999), (3_249_999, 10**7))}
    )
    camera = plan.originals[0].ref.camera
    assert list(pause_words.said_id(plan, at_text)) == [
        (f"{camera}  12 s - 17 s", "tidak ada gambar baru dari kamera selama 5,0 detik"),
        (f"{camera}  20 s - 23 s", "tidak ada gambar baru dari kamera selama 3,2 detik"),
        (f"{camera}  23 s - 30 s", "tidak ada gambar baru dari kamera selama 6,8 detik"),
    ]
    assert next(pause_words.said_en(plan, at_text)) == (
        f"{camera}  12 s - 17 s",
        "no new picture came from the camera for 5.0 s",
    )


def test_of_very_many_the_first_are_said_and_how_many_others_there_are() -> None:
    many = tuple((at * SECOND, (at + 1) * SECOND) for at in range(10))
    plan = told(papers.plan(cameras=1, segments=12, gaps=0), dict.fromkeys(range(12), many))
    indonesian, english = (list(said(plan, at_text)) for said in (pause_words.said_id, pause_words.said_en))
    assert len(indonesian) == len(english) == pause_words.MOST_SAID + 1
    assert indonesian[-1] == ("20 jeda lain", "disebut catatan segmennya masing-masing (pauses)")
    assert english[-1] == ("20 more", "in the record of each segment (pauses)")


def test_the_text_in_the_package_says_it_and_only_where_it_is_so() -> None:
    plain = papers.plan(cameras=1, segments=4, gaps=0)
    text = report.readme(told(plain, {1: FIVE})).decode()
    for title, sentence in zip(pause_words.TITLES, ("selama 5,0 detik", "for 5.0 s"), strict=True):
        section = text.partition(f"\n{title}")[2].partition("\n\n")[0]
        assert sentence in section
        assert all(len(line) <= 110 for line in section.splitlines())
    assert not any(title in report.readme(plain).decode() for title in pause_words.TITLES)


def test_a_package_whose_leaves_state_it_verifies_and_one_whose_leaf_was_changed_does_not(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path, pauses=((250_000, 750_000),))
    path = world.unpacked(tmp_path / "unpacked")
    assert world.verify(path).valid
    assert "no new picture came from the camera for 0.5 s" in (path / "data/README.txt").read_text()
    [lines] = (path / "data/proofs/leaves").iterdir()
    assert {str(json.loads(line)["pauses"]) for line in lines.read_text().splitlines()} == {
        "[[250000, 750000]]"
    }
    lines.write_text(lines.read_text().replace('"pauses":[[250000,', '"pauses":[[250001,'))
    write_tags(path)
    assert "leaf_mismatch" in {one.code for one in world.verify(path).findings}
