"""Foreign text reaches a terminal as plain text: no commands, no reordering, no markup."""

import io
import json
import re
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


class Terminal(io.StringIO):
    """A terminal that keeps what it is told."""

    def isatty(self) -> bool:
        return True


ROWS = [
    (
        "kam-1",
        "Alun-alun Karebosi",
        "unknown (recorder_silent)",
        "rtsp://10.20.0.11:554/Streaming/Channels/101",
    )
]
HEAD = ("ID", "NAME", "STATE", "SOURCE")


def test_in_a_pipe_each_row_of_a_table_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(HEAD, ROWS * 3)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == [*HEAD]
    assert [[cell for cell in line.split("  ") if cell] for line in lines] == [[*ROWS[0]]] * 3


@pytest.mark.parametrize("width", [20, 60, 80])
def test_on_a_terminal_no_word_is_cut(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("NO_COLOR", "1")
    print_table(HEAD, ROWS)
    words = re.sub(r"\x1b\[[0-9;]*m", "", terminal.getvalue()).split()
    assert {"kam-1", "Alun-alun", "Karebosi", "unknown", "(recorder_silent)"} <= {*words}
    assert "".join(words).count("rtsp") == 1
