"""What people read on a terminal is in the city's time zone, with its name; what programs read is in UTC."""

import json
import re
from pathlib import Path

import pytest

from tests.support.commands_at import CommandsAt
from tests.vectors.archive_0_1_0.answers import instant_of, unpack

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "archive_0_1_0"
STORED = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)")
NAMED = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WITA")
SPAN = ("--from", "2026-11-24T14:00:00+08:00", "--to", "2026-11-24T14:00:16+08:00")
TABLES = (
    ("hold", "list", "--all"),
    ("request", "list"),
    ("evidence", "list"),
    ("grant", "list"),
    ("integrity-incident", "list"),
    ("log", "show"),
    ("custody", "show", "--person", "os:citra"),
    ("retention", "policies"),
    ("keys", "show"),
    ("retention", "dispositions"),
)
"""Commands that print times of this archive."""
SHOWN = (
    ("camera", "cameras", ("camera", "show")),
    ("hold", "holds", ("hold", "show")),
    ("request", "requests", ("request", "show")),
    ("evidence", "evidence", ("evidence", "show")),
    ("grant", "grants", ("grant", "show")),
    ("integrity-incident", "incidents", ("integrity-incident", "show")),
    ("user", "users", ("user", "show")),
    ("break-glass", "orders", ("break-glass", "show")),
)
"""A list's command, its key in the list's JSON, and the command that shows one of them."""


@pytest.fixture(scope="module")
def saksi(tmp_path_factory: pytest.TempPathFactory) -> CommandsAt:
    home = tmp_path_factory.mktemp("city")
    unpack(VECTORS / "archive.tar.xz", home)
    now = instant_of(json.loads((VECTORS / "expected.json").read_bytes())["now"])
    made = CommandsAt(home, lambda: now)
    made.must("index", "rebuild")
    return made


@pytest.mark.parametrize("words", TABLES, ids=lambda words: " ".join(words[:2]))
def test_a_table_is_in_the_city_s_time_and_json_is_in_utc(saksi: CommandsAt, words: tuple[str, ...]) -> None:
    shown = saksi.must(*words)
    text = " ".join((shown.out + shown.err).split())  # a table folds its cells
    assert not STORED.search(text), text
    assert NAMED.search(text) or "WITA" in text, text  # a long table folds a time
    assert "WITA" not in saksi.must(*words, "--json").out
    assert STORED.search(saksi.must(*words, "--json").out)


@pytest.mark.parametrize(("of", "name", "words"), SHOWN, ids=lambda value: str(value))
def test_one_of_them_is_too(saksi: CommandsAt, of: str, name: str, words: tuple[str, ...]) -> None:
    lister = (of, "show") if of == "break-glass" else (of, "list")
    found = saksi.must(*lister, "--json").json[name]
    assert found
    one = found[0]
    identity = next(str(one[key]) for key in ("id", "evidence_id", "name") if key in one)
    shown = saksi.must(*words, identity).out
    assert not STORED.search(shown), shown
    assert "WITA" in shown
    assert "WITA" not in saksi.must(*words, identity, "--json").out


def test_a_clip_says_when_it_was_and_how_far_that_may_be_wrong(saksi: CommandsAt, tmp_path: Path) -> None:
    late = ("--from", "2026-11-24T14:00:50.5+08:00", "--to", "2026-11-24T14:00:54+08:00")
    shown = saksi.must("clip", "--camera", "cam-masjid", *late, "-o", str(tmp_path / "late.mp4")).out
    assert "shown   2026-11-24 14:00:50.500000 to 14:00:54 WITA" in shown
    assert "times   ± 2.0 s" in shown
    sure = saksi.must("clip", "--camera", "cam-losari", *SPAN, "-o", str(tmp_path / "sure.mp4")).out
    assert "times   ± 0.1 s" in sure
    assert (
        "cam-masjid: times 14:00:44.000" in saksi.must("recordings", "--from", SPAN[1], "--to", late[3]).out
    )


def test_what_the_index_holds_is_dated_for_people(saksi: CommandsAt) -> None:
    assert re.search(r"^first +2026-09-02 10:00:00 WITA$", saksi.must("index", "status").out, re.MULTILINE)


def test_the_rest_prints_no_utc(saksi: CommandsAt) -> None:
    for words in (
        ("doctor",),
        ("recordings", *SPAN),
        ("notice", "status"),
        ("fixity", "status"),
        ("retention", "plan"),
        ("retention", "show", "default"),
        ("retention", "explain", "--camera", "cam-masjid"),
        ("keys", "list"),
        ("archive", "check", *SPAN),
        ("token", "list"),
        ("user", "list"),
        ("camera", "list"),
    ):
        shown = saksi(*words)
        assert shown.code in (0, 1), (words, shown.err)
        assert not STORED.search(shown.out + shown.err), words
