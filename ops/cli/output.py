"""What the command line prints: JSON on stdout, sentences and progress on stderr."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from archive.errors import ArchiveError


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on stdout, for programs."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def say(text: str) -> None:
    """One line on stdout, for people."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """One line on stderr: what happens meanwhile."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(error: ArchiveError, *, as_json: bool) -> None:
    """An error on stderr: a sentence and what to do, or the same as one JSON line."""
    if as_json:
        problem: dict[str, Any] = {"code": error.code, "message": error.message, "hint": error.hint}
        sys.stderr.write(json.dumps(problem, ensure_ascii=False) + "\n")
        return
    sys.stderr.write(f"saksi: {error.message} [{error.code}]\n")
    if error.hint:
        sys.stderr.write(f"       {error.hint}\n")


def print_table(columns: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> None:
    """A plain table on stdout."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
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
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        yield Bar(progress, title)
