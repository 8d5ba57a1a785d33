"""Every act on record has its sentence on the pages, in both languages; so has every action of a token."""

import ast
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest

from api.audit import Act
from api.auth.permissions import DECISIONS, PERMISSIONS, Reach
from api.web import catalogue
from api.web.files import OWN
from archive.errors import Refused
from archive.model.user import Role, User, check_compatible
from archive.records.custody_report.vocabulary import WORDS

ROOT = Path(__file__).resolve().parents[3]
KINDS = {
    "camera", "recorder", "policy", "hold", "request", "evidence", "grant", "user", "token", "disposition",
    "integrity_incident", "break_glass",
}  # fmt: skip
"""The kinds of ledger streams."""
NO_ACT = {"hold.tidy"}
"""Of the same form, and no entry's action."""
FACTS = {"who", "cameras", "thing", "account", "about", "span"}


def written_actions() -> Iterator[str]:
    """Every text in the archive and the recorder that has the form of a ledger entry's action."""
    for folder in ("archive", "recorder"):
        for path in Path(ROOT, folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    kind, _, act = node.value.partition(".")
                    if kind in KINDS and re.fullmatch(r"[a-z_]+", act):
                        yield node.value


ACTS = sorted({*WORDS, *(act.value for act in Act), *written_actions()} - NO_ACT)


def test_the_acts_are_found_in_the_source() -> None:
    assert {"user.consented", "integrity_incident.reopened", "break_glass.executed"} <= set(written_actions())


def test_every_act_has_a_word_on_paper() -> None:
    assert set(ACTS) <= set(WORDS)


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_act_has_its_sentence(language: str) -> None:
    texts = catalogue.load()[language].texts
    missing = [act for act in ACTS if f"act.{act}" not in texts]
    assert missing == []
    sentences = {key: text for key, text in texts.items() if key.startswith("act.")}
    assert {key.removeprefix("act.") for key in sentences} <= set(ACTS), "a sentence of no act"
    for key, text in sentences.items():
        assert text.startswith("{who} "), key
        assert set(re.findall(r"{(\w+)}", text)) <= FACTS, key
        assert text.count("[") == text.count("]"), key
        # What may be unknown stands in brackets, so that no sentence has a hole.
        bare = re.sub(r"\[[^\]]*\]", "", text).removeprefix("{who}")
        assert "{" not in bare, key


def test_no_two_acts_of_the_api_read_the_same() -> None:
    """A reader must be able to tell a try from its result: an event and the entry behind it may agree."""
    texts = catalogue.load()["id"].texts
    events = [act.value for act in Act]
    same = [
        (one, other) for one, other in combinations(events, 2) if texts[f"act.{one}"] == texts[f"act.{other}"]
    ]
    assert same == []


def test_every_action_has_its_words() -> None:
    for one in catalogue.load().values():
        assert [action for action in PERMISSIONS if not one.has(f"action.{action}")] == []


def listed(script: str, name: str) -> list[str]:
    """The texts of a constant list in a script."""
    found = re.search(rf"const {name} = \[(.*?)\];", Path(OWN, script).read_text("utf-8"), re.S)
    assert found is not None
    return re.findall(r'"([^"]+)"', found[1])


def test_the_form_offers_a_machine_what_an_administrator_may_give() -> None:
    may_give = {
        action for action, row in PERMISSIONS.items()
        if row.get(Role.ADMIN) is Reach.ALL and action not in DECISIONS
    }  # fmt: skip
    assert set(listed("machine-tokens.js", "ACTIONS")) == may_give


def test_the_form_greys_the_roles_that_the_archive_refuses() -> None:
    def is_refused(pair: tuple[Role, Role]) -> bool:
        try:
            check_compatible(User(id="x", name="", roles=pair))
        except Refused:
            return True
        return False

    refused = {frozenset(pair) for pair in combinations(Role, 2) if is_refused(pair)}
    pairs = listed("account-form.js", "EXCLUDE")
    assert {frozenset(pair) for pair in zip(pairs[::2], pairs[1::2], strict=True)} == refused
