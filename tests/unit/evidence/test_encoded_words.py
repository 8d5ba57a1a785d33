"""A package says in words which pictures the recorder encoded, where leaves state it."""

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from archive.evidence import encoded_words, report
from archive.evidence.plan import PackagePlan
from archive.model import leaf as leaves
from archive.model.segment import Segment
from archive.timespan import SECOND
from tests.support import papers
from tests.support.packages import make_world, write_tags


def encoded(plan: PackagePlan, numbers: Collection[int]) -> PackagePlan:
    """The plan, its originals with these numbers made from JPEG pictures."""
    made = []
    for number, item in enumerate(plan.originals):
        leaf = leaves.decode(item.leaf)
        assert isinstance(leaf, Segment)
        changed = replace(leaf, made_from="mjpeg" if number in numbers else "")
        made.append(replace(item, leaf=leaves.encode(changed)))
    return replace(plan, originals=tuple(made))


def at_text(instant: int) -> str:
    return f"{(instant - papers.T0) // SECOND} s"


def test_segments_that_touch_are_one_stretch() -> None:
    plan = encoded(papers.plan(cameras=1, segments=5, gaps=0), {0, 1, 3})
    camera = plan.originals[0].ref.camera
    assert list(encoded_words.said_id(plan, at_text)) == [
        (f"{camera}  0 s - 20 s", "gambar JPEG dari kamera, dikodekan perekam menjadi H.264"),
        (f"{camera}  30 s - 40 s", "gambar JPEG dari kamera, dikodekan perekam menjadi H.264"),
    ]
    assert next(encoded_words.said_en(plan, at_text)) == (
        f"{camera}  0 s - 20 s",
        "JPEG pictures of the camera, encoded as H.264 by the recorder",
    )


def test_the_text_in_the_package_says_it_and_only_where_it_is_so() -> None:
    plain = papers.plan(cameras=1, segments=4, gaps=0)
    text = report.readme(encoded(plain, {1})).decode()
    for title, word in zip(encoded_words.TITLES, ("bit demi bit", "bit for bit"), strict=True):
        section = text.partition(f"\n{title}")[2].partition("\n\n")[0]
        assert word in " ".join(section.split())
        assert all(len(line) <= 110 for line in section.splitlines())
    assert not any(title in report.readme(plain).decode() for title in encoded_words.TITLES)


def test_a_package_whose_leaves_state_it_verifies_and_one_whose_leaf_hides_it_does_not(
    tmp_path: Path,
) -> None:
    world = make_world(tmp_path, made_from="mjpeg")
    path = world.unpacked(tmp_path / "unpacked")
    assert world.verify(path).valid
    assert "encoded as H.264 by the recorder" in (path / "data/README.txt").read_text()
    [lines] = (path / "data/proofs/leaves").iterdir()
    assert {json.loads(line)["made_from"] for line in lines.read_text().splitlines()} == {"mjpeg"}
    lines.write_text(lines.read_text().replace('"made_from":"mjpeg",', ""))
    write_tags(path)
    assert "leaf_mismatch" in {one.code for one in world.verify(path).findings}
