"""Errors at the command line: what is missing, all at once, and times as the person wrote them."""

import re
from collections.abc import Sequence
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from typer.exceptions import TyperException

from archive.errors import ArchiveError, Malformed
from archive.timespan import as_datetime, parse_instant
from ops.cli.typed import example_line, shown_as
from ops.settings import Settings

_UTC_TIME = re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\b", re.ASCII)
_WRITTEN = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(Z|[+-]\d\d:\d\d)\Z", re.ASCII)


def usage_error(error: TyperException) -> Malformed:
    """What is wrong with a command; if parts are missing, all of them, and an example of the whole."""
    context: Any = getattr(error, "ctx", None)
    command = "saksi" if context is None else str(context.command_path)
    missing = _missing(error, context)
    if not missing:
        return Malformed(
            str(error.format_message()) or "the command is not complete",
            code="bad_usage",
            hint=f"See: {command} --help",
        )
    required = [one for one in context.command.params if one.required]
    return Malformed(
        f"{command} also needs: {', '.join(shown_as(one) for one in missing)}",
        code="bad_usage",
        hint=f"Example: {example_line(command, required)}",
    )


def _missing(error: TyperException, context: Any) -> list[Any]:
    """The required parts that were not given. The library names the first and keeps those that were given."""
    if context is None or not hasattr(error, "param_type"):
        return []
    given = {name for name, value in context.params.items() if value not in (None, (), [])}
    return [one for one in context.command.params if one.required and one.name not in given]


def zone_of(words: Sequence[str]) -> tzinfo:
    """The offset in which a command's times are written, else the installation's time zone."""
    for word in words:
        written = _WRITTEN.search(word.rpartition("=")[2])
        if written is not None:
            return _offset(written[1])
    try:
        return ZoneInfo(Settings.load().time_zone)
    except (ArchiveError, KeyError, ValueError, OSError):  # the error at hand matters more than its times
        return UTC


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[4:6])
    size = timedelta(hours=hours, minutes=minutes)
    return UTC if size >= timedelta(days=1) else timezone(-size if text[0] == "-" else size)


def in_zone(text: str, zone: tzinfo) -> str:
    """A text with its UTC times written in the zone; a time outside the calendar stays."""
    if zone is UTC:
        return text
    return _UTC_TIME.sub(lambda found: _written(found[0], zone), text)


def _written(utc: str, zone: tzinfo) -> str:
    try:
        moment = as_datetime(parse_instant(utc)).astimezone(zone)
    except (ArchiveError, OverflowError):
        return utc
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")
