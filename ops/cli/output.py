"""What the command line prints: JSON on stdout, sentences and progress on stderr.

Much of it was written by others: names, reasons, what a strange package holds. A terminal takes some
characters for commands (colours, titles, links, the clipboard), and some turn the order of what is read.
They are shown as escapes, here, whatever a command hands over; and markup is text and nothing else.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from archive.errors import ArchiveError


def shown(text: str) -> str:
    """The text as a terminal may have it: escapes, as Python writes them, for what is not printable.

    Line feeds and tabs stay, since output is made of them.
    """
    return _plain(text, _escaped)


def _escaped(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _as_json(value: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON that reads back as the same, with what is not printable written as JSON's own escapes."""
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
    """One line on stderr: what happens meanwhile."""
    sys.stderr.write(shown(text) + "\n")
    sys.stderr.flush()


def complain(error: ArchiveError, *, as_json: bool) -> None:
    """An error on stderr: a sentence and what to do, or the same as one JSON line."""
    if as_json:
        problem: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
        sys.stderr.write(_as_json(problem) + "\n")
        return
    sys.stderr.write(f"saksi: {shown(error.message)} [{error.code}]\n")
    if error.hint:
        sys.stderr.write(f"       {shown(error.hint)}\n")


def print_table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> None:
    """A plain table on stdout."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(shown(cell)) for cell in row))
    Console(file=sys.stdout).print(table)


class Bar:
    """Progress of one long step, drawn on stderr."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    def __call__(self, done: int, total: int | None = None) -> None:
        """Show how far the step is."""
        self._progress.update(self._task, completed=done, total=total)

    def step(self, title: str, done: int) -> None:
        """Show another step under the same bar."""
        self._progress.update(self._task, description=title, completed=done)


@contextmanager
def progress_bar(title: str) -> Iterator[Bar]:
    """A bar on stderr for as long as the block runs; silent where stderr is no terminal."""
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
