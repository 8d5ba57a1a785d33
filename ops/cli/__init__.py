"""The command ``saksi``.

JSON goes only to stdout. Errors go to stderr. Each command states where its progress and its tables go.
Exit codes: 0 done · 1 the answer is no · 2 bad input · 3 something is unavailable · 4 integrity.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
import typer.main
from typer.exceptions import TyperException

from archive.errors import ArchiveError, IntegrityError, Unavailable
from ops.cli.output import complain, note
from ops.cli.refusing import usage_error, zone_of
from ops.cli.speaking import Language, SpokenCommand, SpokenGroup, of_locale, speaking, take_language

ANSWER_IS_NO, BAD_INPUT, UNAVAILABLE, INTEGRITY = 1, 2, 3, 4
_ANSWERS = {"no_footage", "clip_not_joinable"}
"""Error codes that mean the answer is no (exit 1)."""


_GROUPS: Mapping[str, str] = {
    "camera": "camera", "health": "health_command", "recorders": "recorders_command",
    "places": "places_command", "keys": "keys_command",
    "log": "log_command", "index": "index_command", "archive": "archive_command", "fixity": "fixity_command",
    "integrity-incident": "integrity_incident_command", "break-glass": "breakglass_command",
    "retention": "retention_command", "hold": "hold_command", "request": "request_command",
    "export": "export_command", "custody": "custody_command", "notice": "notice_command",
    "stack": "stack_command",
    "store": "store_command", "token": "token_command", "user": "user_command", "grant": "grant_command",
}  # fmt: skip
"""The module of each group of commands."""

_SINGLE: Mapping[str, tuple[str, ...]] = {
    "record": ("record",),
    "spool_command": ("spool",),
    "import_command": ("import",),
    "backfill_command": ("backfill",),
    "retrieve": ("recordings", "clip"),
    "where_command": ("search", "timeline"),
    "activity_command": ("activity",),
    "evidence": ("seal", "verify", "verify-build", "evidence"),
    "run": ("init", "serve", "proxy", "up", "work", "doctor"),
}
"""What other modules add to the top level."""


def build(only: str = "") -> typer.Typer:
    """The whole command tree, or the part of it below one word of the top level.

    A part behaves as it does in the whole, and imports only what it needs: to import all modules takes
    longer than most commands do.
    """
    app = typer.Typer(
        name="saksi",
        help="Recording archive and evidence retrieval for a city's CCTV.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_everywhere)
    for name, module in _GROUPS.items():
        if only in ("", name) and (name != "stack" or _has_stack()):
            app.add_typer(_module(module).app, name=name)
    if only in ("", "camera"):
        for more in ("camera_tables", "camera_audio", "camera_devices"):
            _module(more).register(_module("camera").app)
    if only in ("", "retention", "archive"):
        _module("disposition_command").register(
            _module("retention_command").app, _module("archive_command").app
        )
    for module, names in _SINGLE.items():
        if only == "" or only in names:
            _module(module).register(app)
    _spoken(app)
    return app


def top_level() -> frozenset[str]:
    """The words that may come first."""
    names = {*_GROUPS, *(name for found in _SINGLE.values() for name in found)}
    return frozenset(names if _has_stack() else names - {"stack"})


def _has_stack() -> bool:
    return find_spec("ops.stack") is not None  # it is for development, and not in the wheel


def _module(name: str) -> Any:
    return import_module(f"ops.cli.{name}")


def tree(language: Language, only: str = "") -> Any:
    """The command tree, as :func:`build` has it, ready to run, with its help in the language."""
    return speaking(typer.main.get_command(build(only)), language)


def _everywhere(
    lang: Annotated[
        str,
        typer.Option(
            "--lang", metavar="id|en", help="Language of help and errors; without it: that of the locale."
        ),
    ] = "",
) -> None:
    # take_language() has read --lang before the tree was made; here it only stands in the help.
    """Recording archive and evidence retrieval for a city's CCTV."""


def _spoken(app: typer.Typer) -> None:
    """Let every command and group of the tree speak a language."""
    app.info.cls = SpokenGroup
    for one in app.registered_commands:
        one.cls = SpokenCommand
    for group in app.registered_groups:
        group.cls = SpokenGroup
        if group.typer_instance is not None:
            _spoken(group.typer_instance)


def exit_code(error: ArchiveError) -> int:
    """The exit code of an error (the contract's table)."""
    if error.code in _ANSWERS:
        return ANSWER_IS_NO
    if isinstance(error, IntegrityError):
        return INTEGRITY
    if isinstance(error, Unavailable):
        return UNAVAILABLE
    return BAD_INPUT


def main() -> None:
    """Run the command line and exit with its code."""
    words = sys.argv[1:]
    sys.exit(_run(words, as_json="--json" in words))


def _run(words: Sequence[str], *, as_json: bool) -> int:
    language = of_locale(os.environ)
    try:
        language, rest = take_language(words, os.environ)
        only = rest[0] if rest and rest[0] in top_level() else ""
        code = tree(language, only)(args=rest, prog_name="saksi", standalone_mode=False)
    except ArchiveError as error:
        complain(error, as_json=as_json, language=language, zone=zone_of(words))
        return exit_code(error)
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return 130
    except TyperException as error:
        text = str(error)
        if text.startswith(("Usage:", "Pemakaian:")):  # a group without a command prints its help
            note(text)
            return BAD_INPUT
        complain(usage_error(error), as_json=as_json, language=language, zone=zone_of(words))
        return BAD_INPUT
    except BrokenPipeError:
        return 141  # the program that read our output has closed it, as `| head` does
    return code if isinstance(code, int) else 0
