"""Options that several commands share, and the parsing of their text."""

import os
import sys
from collections.abc import Iterable
from typing import Annotated

import typer

from archive.clock import SystemClock
from archive.errors import NotFound
from archive.footage.area_table import read_areas
from archive.model.custody import Actor
from archive.records.ledger.memory import EntryMemory
from archive.timespan import Timespan
from ops import installation
from ops.cli.output import note
from ops.host_person import HostDirectory, host_actor, this_process
from ops.settings import Settings
from ops.wiring import Site

Camera = Annotated[str, typer.Option("--camera", help="Camera id.", metavar="ID")]
Cameras = Annotated[
    list[str] | None,
    typer.Option("--camera", help="Camera id; may be repeated; without it: all.", metavar="ID"),
]
From = Annotated[str, typer.Option("--from", help="RFC 3339 with offset, inclusive.", metavar="T")]
To = Annotated[str, typer.Option("--to", help="RFC 3339 with offset, exclusive.", metavar="T")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Purpose = Annotated[str, typer.Option("--purpose", help="Why, for the custody record.", metavar="TEXT")]


def open_site(*, memory: EntryMemory | None = None) -> Site:
    """The site that the settings describe; ``memory`` as in :class:`ops.wiring.Site`.

    Raises:
        NotFound: ``no_installation``.
        Unavailable: ``archive_lost``.
    """
    settings = Settings.load()
    installation.require(settings)
    return Site(settings, memory=memory)


def open_or_make_site() -> Site:
    """The site that the settings describe, made if it is new. Raises as :func:`ops.installation.make`."""
    settings = Settings.load()
    if installation.make(settings, SystemClock()):
        note(f"A new installation was made in {settings.home}")
    return Site(settings)


def open_site_or_ask() -> Site:
    """The site that the settings describe; if it is new, made after the person at the terminal says yes.

    Raises:
        NotFound: ``no_installation``: nobody is there to ask, or the answer is no.
        Unavailable: ``archive_lost``.
    """
    settings = Settings.load()
    try:
        installation.require(settings)
    except NotFound as error:
        if not sys.stdin.isatty():
            raise
        note(f"{error.message}.")
        if not typer.confirm("Make a new one there?", err=True):
            raise
        installation.make(settings, SystemClock())
    return Site(settings)


def parse_span(start: str, end: str) -> Timespan:
    """The half-open span between two times. Raises Malformed."""
    return Timespan.parse(start, end)


def district_codes(texts: Iterable[str]) -> tuple[str, ...]:
    """The codes of districts given by code or name, each once.

    Raises:
        Malformed: ``bad_place``, ``ambiguous_area``; ``bad_areas``.
    """
    areas = read_areas(Settings.load().areas_file)
    return tuple(dict.fromkeys(areas.kecamatan(text) for text in texts))


def actor() -> Actor:
    """The person who runs the command on this host, as the kernel identifies them."""
    return host_actor(this_process(), HostDirectory(), os.environ)
