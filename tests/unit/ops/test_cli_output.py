"""Foreign text reaches a terminal as plain text: no commands, no reordering, no markup."""

import json
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Malformed
from ops.cli.output import _as_json, complain, note, print_json, print_table, say, shown

HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31m",
    "kamera \u202egpj.exe",
    "\u2066a\u2069",
    "a\rb",
    "a\x08b",
    "nul\x00",
    "\u2028line",
    "zero\u200bwidth",
]


def is_harmless(text: str) -> bool:
    """Whether a text is harmless by the standard library's character categories, not by the rule's code."""
    return not any(category(one) in {"Cc", "Cf", "Zl", "Zp", "Cs"} and one not in "\n\t" for one in text)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_way_of_printing_lets_a_command_through(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    say(text)
    note(text)
    print_json({"name": text, text: [text]})
    print_table(("NAME",), [(text,)])
    complain(Malformed(text, hint=text), as_json=False)
    complain(Malformed(text, hint=text), as_json=True)
    told = capsys.readouterr()
    assert is_harmless(told.out), ascii(told.out)
    assert is_harmless(told.err), ascii(told.err)


def test_markup_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("NAME",), [("[red]x[/red]",), ("[link=https://evil.example]y[/link]",), (":warning:",)])
    out = capsys.readouterr().out
    assert "[red]x[/red]" in out
    assert "[link=https://evil.example]y[/link]" in out
    assert ":warning:" in out


@given(st.text(max_size=200))
def test_json_reads_back_as_the_same(text: str) -> None:
    written = _as_json({"text": text}, indent=2)
    assert json.loads(written) == {"text": text}
    assert is_harmless(written), ascii(written)


@given(st.text(max_size=200))
def test_what_is_printable_is_shown_as_it_is(text: str) -> None:
    plain = "".join(one for one in text if one.isprintable())
    assert shown(plain) == plain


@given(st.text(st.characters(categories=["Cc", "Cf", "Zl", "Zp", "Cs"]), min_size=1, max_size=20))
def test_whatever_category_commands_come_in(text: str) -> None:
    assert is_harmless(shown(text)), ascii(shown(text))
