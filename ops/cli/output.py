"""What the command line prints: JSON on stdout, sentences and progress on stderr.

Others wrote much of this text: names, reasons, the content of a foreign package. A terminal interprets some
characters as commands (colours, titles, links, the clipboard), and other characters reorder the text. This
module prints all of them as escapes, whichever command prints the text, and never interprets markup.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from api.described.languages import indonesian
from archive.errors import ArchiveError
from ops.cli.refusing import in_zone
from ops.cli.speaking import Language

_LONGEST_WORD = 20
"""A longer word of a cell may be folded where the terminal is narrow: an address, a hash."""
_WIDEST = 100_000


def shown(text: str) -> str:
    """The text, safe for a terminal: every unprintable character as the escape that Python writes.

    Line feeds and tabs stay, because output needs them.
    """
    return _plain(text, _escaped)


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _as_json(value: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON with the same value, where unprintable characters are written as JSON's own escapes."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    return _plain(text, lambda character: json.dumps(character)[1:-1])


def _plain(text: str, escaped: Callable[[str], str]) -> str:
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in "\n\t" else escaped(one) for one in text)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout, for programs."""
    sys.stdout.write(_as_json(value, indent=2) + "\n")


def say(text: str) -> None:
    """One line on stdout, for people."""
    sys.stdout.write(shown(text) + "\n")


def note(text: str) -> None:
    """One line on stderr: progress, or a remark."""
    sys.stderr.write(shown(text) + "\n")
    sys.stderr.flush()


def complain(
    error: ArchiveError, *, as_json: bool, language: Language = Language.ENGLISH, zone: tzinfo = UTC
) -> None:
    """An error on stderr: the message and the hint, or both as one JSON line; times in the zone.

    In Indonesian its own sentence and hint come first, and the English ones, which name the values, below.
    """
    message, hint = in_zone(error.message, zone), in_zone(error.hint, zone)
    if as_json:
        problem: dict[str, Any] = {"code": error.code, "message": message, "hint": hint}
        sys.stderr.write(_as_json(problem) + "\n")
        return
    lines = [message, hint]
    if language is Language.INDONESIAN:
        sentence, what_to_do = indonesian().get(error.code, ("", ""))
        lines = [sentence, what_to_do, message, hint] if sentence else lines
    first, *others = (shown(line) for line in lines)
    sys.stderr.write(f"saksi: {first} [{error.code}]\n")
    sys.stderr.writelines(f"       {line}\n" for line in others if line)


def print_table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """A plain table on stdout. In a pipe or a file each row is one line, so that it can be searched.

    On a terminal long cells are folded between words; a table that does not fit even so goes beyond its edge.
    """
    cells = [tuple(shown(cell) for cell in row) for row in rows]
    console = Console(file=sys.stdout)
    table = Table(box=None, header_style="bold", pad_edge=False)
    for number, column in enumerate(columns):
        whole = [column, *(row[number] for row in cells)]
        # The first column is what people copy: it stays in one piece.
        is_whole = number == 0 or not console.is_terminal
        least = max(len(word) for cell in whole for word in (cell.split() or [""]))
        table.add_column(
            column,
            overflow="fold",
            no_wrap=is_whole,
            min_width=None if is_whole else min(least, _LONGEST_WORD),
        )
    for row in cells:
        table.add_row(*map(Text, row))
    needed = console.measure(table, options=console.options.update(width=_WIDEST))
    console.width = max(console.width if console.is_terminal else needed.maximum, needed.minimum)
    console.print(table, soft_wrap=True)


class Bar:
    """Progress of one long step, drawn on stderr."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show the progress of the step."""
        self._progress.update(self._task, completed=done, total=total)

    def step(self, title: str, done: int) -> None:
        """Show another step under the same bar."""
        self._progress.update(self._task, description=title, completed=done)


@contextmanager
def progress_bar(title: str) -> Iterator[Bar]:
    """A bar on stderr while the block runs; silent if stderr is not a terminal."""
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield Bar(progress, title)
