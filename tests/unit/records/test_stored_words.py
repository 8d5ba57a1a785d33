"""Every word stored in an archive stays in the program's source, in whichever module."""

import json
from pathlib import Path

import pytest

from tests.support.stored_words import Found, words_of_the_source

PINNED = json.loads((Path(__file__).parents[2] / "vectors/stored_words.json").read_bytes())
ADD = "a new stored word: add it to tests/vectors/stored_words.json; that list may only grow"


@pytest.fixture(scope="module")
def found() -> Found:
    return words_of_the_source()


@pytest.mark.parametrize("kind", ["acts", "metadata", "prefixes"])
def test_no_stored_word_is_gone_and_each_new_one_is_pinned(found: Found, kind: str) -> None:
    pinned = set(PINNED[kind])
    heads = {act.split(".")[0] for act in PINNED["acts"]}
    here = {
        "acts": {word for word in found.dotted if word.split(".")[0] in heads},
        "metadata": found.metadata,
        "prefixes": found.prefixes,
    }[kind]
    assert pinned - here == set(), "stored words that no source has any more"
    assert here - pinned == set(), ADD


@pytest.mark.parametrize("name", sorted(PINNED["sets"]))
def test_words_that_are_stored_together_are_still_all_there(found: Found, name: str) -> None:
    pinned = frozenset(PINNED["sets"][name])
    if pinned in found.sets:
        return
    grown = sorted((one for one in found.sets if one > pinned), key=len)
    assert grown, f"{name}: no enumeration, dictionary or class has all of {sorted(pinned)}"
    pytest.fail(f"{name}: {sorted(grown[0] - pinned)}: {ADD}")
