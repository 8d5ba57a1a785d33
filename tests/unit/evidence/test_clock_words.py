"""A package says how far its cameras' clocks were off, and when that was measured, where leaves state it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from archive.evidence import clock_words, report
from archive.evidence.plan import PackagePlan
from archive.model import leaf as leaves
from archive.model.segment import DeviceClock, Segment
from archive.timespan import HOUR, MINUTE, SECOND
from tests.support import papers
from tests.support.packages import T0, make_world, write_tags

AHEAD = DeviceClock(at=papers.T0 - HOUR, offset_us=61 * SECOND + 40_000, within_us=SECOND // 2 + 20_000)
BEHIND = DeviceClock(at=papers.T0 + MINUTE, offset_us=-3 * SECOND, within_us=SECOND // 2)
YEARS = DeviceClock(at=papers.T0 - MINUTE, offset_us=-631_152_000 * SECOND, within_us=SECOND)


def told(plan: PackagePlan, clocks: Mapping[int, DeviceClock]) -> PackagePlan:
    """The plan, its originals with these numbers with what the camera said."""
    made = []
    for number, item in enumerate(plan.originals):
        leaf = leaves.decode(item.leaf)
        assert isinstance(leaf, Segment)
        made.append(replace(item, leaf=leaves.encode(replace(leaf, device_clock=clocks.get(number)))))
    return replace(plan, originals=tuple(made))


def at_text(instant: int) -> str:
    return f"{(instant - papers.T0) // SECOND} s"


def test_each_answer_of_a_camera_is_said_once_with_its_time() -> None:
    plan = told(papers.plan(cameras=1, segments=4, gaps=0), {0: AHEAD, 1: AHEAD, 3: BEHIND})
    camera = plan.originals[0].ref.camera
    assert list(clock_words.said_id(plan, at_text)) == [
        (camera, "jam kamera 61,0 detik lebih cepat daripada jam perekam (± 0,5 detik), diukur -3600 s"),
        (camera, "jam kamera 3,0 detik lebih lambat daripada jam perekam (± 0,5 detik), diukur 60 s"),
    ]
    assert list(clock_words.said_en(plan, at_text)) == [
        (camera, "camera's clock 61.0 s ahead of the recorder's (± 0.5 s), measured -3600 s"),
        (camera, "camera's clock 3.0 s behind the recorder's (± 0.5 s), measured 60 s"),
    ]


def test_a_clock_that_is_years_off_is_readable() -> None:
    plan = told(papers.plan(cameras=1, segments=1, gaps=0), {0: YEARS})
    assert "631.152.000,0 detik lebih lambat" in next(clock_words.said_id(plan, at_text))[1]
    assert "631,152,000.0 s behind" in next(clock_words.said_en(plan, at_text))[1]


def test_the_text_in_the_package_says_it_and_only_where_it_is_so() -> None:
    plain = papers.plan(cameras=1, segments=4, gaps=0)
    text = report.readme(told(plain, {1: AHEAD, 2: YEARS})).decode()
    for title in ("Jam kamera:", "Clocks of cameras:"):
        section = text.partition(f"\n{title}")[2].partition("\n\n")[0]
        assert "61" in section
        assert all(len(line) <= 110 for line in section.splitlines())
    assert "Clocks of cameras" not in report.readme(plain).decode()
    assert clock_words.measurements(plain) == []


def test_a_package_whose_leaves_state_it_verifies_and_one_whose_leaf_was_changed_does_not(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path, device_clock=replace(AHEAD, at=T0 - HOUR))
    path = world.unpacked(tmp_path / "unpacked")
    assert world.verify(path).valid
    assert "61.0 s ahead of the recorder's" in (path / "data/README.txt").read_text()
    [lines] = (path / "data/proofs/leaves").iterdir()
    said = [json.loads(line)["device_clock"] for line in lines.read_text().splitlines()]
    assert {one["offset_us"] for one in said} == {AHEAD.offset_us}
    lines.write_text(lines.read_text().replace('"offset_us":61040000', '"offset_us":61040001'))
    write_tags(path)
    assert "leaf_mismatch" in {one.code for one in world.verify(path).findings}


def test_a_clock_that_is_right_is_neither_ahead_nor_behind() -> None:
    right = DeviceClock(at=papers.T0, offset_us=-SECOND // 50, within_us=SECOND // 2)
    plan = told(papers.plan(cameras=1, segments=1, gaps=0), {0: right})
    assert next(clock_words.said_id(plan, at_text))[1].startswith("jam kamera sama dengan jam perekam (±")
    assert next(clock_words.said_en(plan, at_text))[1].startswith("camera's clock equal to the recorder's (±")
