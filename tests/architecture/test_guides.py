"""The one-page guides: their pictures are there and small; what is printed says what is written."""

import re
import subprocess
from pathlib import Path

import pytest

from api.web.guides import PRINTED
from tests.support.guides import FOLDER, GUIDES, blocks_of, pictures_of, text_of
from tests.support.programs import required

MOST_PICTURE, MOST_PDF = 60 << 10, 400 << 10


def pressed(text: str) -> str:
    """A text without its blanks: where lines break on paper says nothing."""
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("guide", GUIDES)
def test_a_guide_shows_three_to_five_small_pictures_with_their_words(guide: str) -> None:
    pictures = pictures_of(guide)
    assert 3 <= len(pictures) <= 5
    for picture in pictures:
        assert 1000 < picture.stat().st_size <= MOST_PICTURE, picture.name
    said = re.findall(r"!\[([^\]]*)\]", (FOLDER / f"{guide}.md").read_text("utf-8"))
    assert all(len(words) > 20 for words in said), "who cannot see it is told what it shows"


@pytest.mark.parametrize("guide", GUIDES)
def test_the_printed_guide_says_what_the_written_one_says_on_one_page(guide: str) -> None:
    required("pdftotext")
    pdf = PRINTED / f"{guide}.pdf"
    printed = pressed(text_of(pdf))
    missing = [block for block in blocks_of(guide) if pressed(block) not in printed]
    assert missing == [], f"{pdf.name} is older than {guide}.md; run: make guides"
    facts = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, check=True).stdout.decode()
    assert re.search(r"^Pages: +1$", facts, re.MULTILINE), "one page"
    assert re.search(r"^Page size: +59\d\S* x 84\d\S* pts \(A4\)$", facts, re.MULTILINE)
    assert f"Title:           {blocks_of(guide)[0]}" in facts
    assert re.search(r"^Tagged: +yes$", facts, re.MULTILINE)
    assert pdf.stat().st_size <= MOST_PDF


def test_pictures_of_the_readme_are_there_and_small() -> None:
    root = FOLDER.parents[1]
    shown = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", (root / "README.md").read_text("utf-8"))
    assert len(shown) == 3
    for words, name in shown:
        assert len(words) > 20
        assert 1000 < Path(root, name).stat().st_size <= MOST_PICTURE, name
