"""Options that several commands share, and the parsing of their text."""

import os
from typing import Annotated

import typer

from archive.model.custody import Actor
from archive.records.ledger.memory import EntryMemory
from archive.timespan import Timespan
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
    """The site that the settings describe; ``memory`` as in :class:`ops.wiring.Site`."""
    return Site(Settings.load(), memory=memory)


def parse_span(start: str, end: str) -> Timespan:
    """The half-open span between two times. Raises Malformed."""
    return Timespan.parse(start, end)


def actor() -> Actor:
    """The person who runs the command on this host, as the kernel identifies them."""
    return host_actor(this_process(), HostDirectory(), os.environ)
