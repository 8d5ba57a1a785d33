"""One word has one sense, and a reader reads each sentence once (``docs/design/glossary.md``).

Refused are names that say nothing or the wrong thing, and phrases that make a reader stop. Ordinary English
words are not refused: a listed phrase is one that had to be read twice.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("archive", "recorder", "search", "api", "ops")
GLOSSARY = ROOT / "docs" / "design" / "glossary.md"

NAMES = {
    "acts": "audit, or custody events",
    "ahead": "prefetch",
    "visit": "request context",
    "visits": "request contexts",
    "meter": "metric",
    "meters": "metrics",
    "stranger": "unauthenticated client",
    "strangers": "unauthenticated clients",
    "office": "accounts, or account administration",
    "lane": "worker",
    "lanes": "workers",
    "parcel": "package, or what is read of it",
    "told": "reported, recorded or sent",
    "util": "the thing it does",
    "utils": "the thing it does",
    "helper": "the thing it does",
    "helpers": "the thing it does",
    "manager": "the thing it does",
    "handler": "the thing it does",
}
"""Parts of the names of modules, classes and functions that are refused, with what to say instead."""

GIVEN = frozenset(
    {
        "api/routing.py:get_route_handler",
        "api/client/custody.py:list_acts",
        "api/routes/custody.py:list_acts",
        "archive/records/custody_report/lines.py:acts_sha256",
        "archive/records/custody_report/paper.py:_acts",
    }
)
"""Names with a refused part that a library or a stored form gives, as ``module:name``."""

PHRASES = (
    "whoever",
    "of which it tells",
    "of which nothing is known",
    "that is none",
    "that are none",
    "which is none",
    "and is none",
    "it is none",
    "has it not",
    "have it not",
    "with the next breath",
    "that is said by",
    "what is asked of",
    "too late, and is",
    "tells of",
    "tell of",
    "told of",
    "by whom it",
    "as it stands",
    "nothing of it",
    "so much as is",
    "by way of",
)
"""Refused in docstrings, comments, messages and documents, whatever the case and wherever a line ends."""


def test_no_name_has_a_refused_part() -> None:
    found = sorted(
        f"{where}:{name} ({NAMES[part]})"
        for where, name in _names()
        if f"{where}:{name}" not in GIVEN
        for part in _parts(name)
        if part in NAMES
    )
    assert found == [], _many("names with a refused part; say what stands in parentheses", found)


def test_no_sentence_has_a_refused_phrase() -> None:
    found = []
    for path in _texts():
        text = _running(path.read_text("utf-8"))
        where = path.relative_to(ROOT).as_posix()
        found += [f"{where}: …{text[max(0, at - 30) : at + 50]}…" for at in sorted(_found_at(text))]
    assert found == [], _many("refused phrases; write subject, verb, object", found)


def test_a_time_stamp_has_one_name_in_indonesian() -> None:
    """*Penanda waktu elektronik*, as PP 71/2019 has it."""
    words = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.toml"))]
    found = [
        f"{path.relative_to(ROOT).as_posix()}: {match.group()}"
        for path in (*_texts(), *words)
        for match in re.finditer(
            r"\w*stempel\w*|\bcap waktu|\bdicap\b", path.read_text("utf-8"), re.IGNORECASE
        )
    ]
    assert found == [], _many("other names of the time stamp; say penanda waktu", found)


def test_the_glossary_refuses_what_is_refused_here() -> None:
    text = GLOSSARY.read_text("utf-8").lower()
    assert [word for word in NAMES if f"`{word}`" not in text] == []
    assert [phrase for phrase in PHRASES if f"“{phrase}”" not in text] == []


def test_names_are_taken_apart() -> None:
    assert _parts("HTTPMeterOf_visit") == ["http", "meter", "of", "visit"]
    assert _parts("metered") == ["metered"]


def test_phrases_are_found_over_line_ends_and_comment_marks() -> None:
    text = _running("x = 1  # a put\n    # that has\n    # it not, Whoever\nasks")
    assert len(list(_found_at(text))) == 2
    assert list(_found_at("if one is None: the visa is nonexistent")) == []


def _found_at(text: str) -> Iterator[int]:
    """Where a phrase begins, in any case; Python's ``None`` is no phrase."""
    for phrase in PHRASES:
        for match in re.finditer(rf"\b{re.escape(phrase)}\b", text, re.IGNORECASE):
            if not match.group().endswith("None"):
                yield match.start()


def _running(text: str) -> str:
    """The text as one line: a phrase may be broken over lines, in a comment too."""
    return re.sub(r"\s*\n\s*(?:#+ |\* )?\s*", " ", text)


def _parts(name: str) -> list[str]:
    return [part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def _names() -> Iterator[tuple[str, str]]:
    """Where a name stands, and the name: of every module, class and function of the product."""
    for path in _modules():
        where = path.relative_to(ROOT).as_posix()
        yield where, path.stem
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield where, node.name


def _modules() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


def _texts() -> Iterator[Path]:
    """Product code, and the documents; the changelog is history, the glossary names what it refuses."""
    yield from _modules()
    yield from (path for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md")
    yield from (path for path in sorted((ROOT / "docs").rglob("*.md")) if path != GLOSSARY)


def _many(what: str, found: list[str]) -> str:
    return f"{len(found)} {what}:\n" + "\n".join(found)
