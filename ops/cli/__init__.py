"""The command ``saksi``.

JSON goes only to stdout. Errors go to stderr. Each command states where its progress and its tables go.
Exit codes: 0 done · 1 the answer is no · 2 bad input · 3 something is unavailable · 4 integrity.
"""

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Annotated, Any

import typer
import typer.main
from typer.exceptions import TyperException

from archive.errors import ArchiveError, IntegrityError, Unavailable
from ops.cli import (
    activity_command,
    archive_command,
    breakglass_command,
    camera,
    camera_audio,
    camera_tables,
    custody_command,
    disposition_command,
    evidence,
    fixity_command,
    grant_command,
    health_command,
    hold_command,
    index_command,
    integrity_incident_command,
    keys_command,
    log_command,
    notice_command,
    places_command,
    record,
    request_command,
    retention_command,
    retrieve,
    run,
    stack_command,
    store_command,
    token_command,
    user_command,
    where_command,
)
from ops.cli.output import complain, note
from ops.cli.refusing import usage_error, zone_of
from ops.cli.speaking import Language, SpokenCommand, SpokenGroup, of_locale, speaking, take_language

ANSWER_IS_NO, BAD_INPUT, UNAVAILABLE, INTEGRITY = 1, 2, 3, 4
_ANSWERS = {"no_footage", "clip_not_joinable"}
"""Error codes that mean the answer is no (exit 1)."""


def build() -> typer.Typer:
    """The whole command tree."""
    app = typer.Typer(
        name="saksi",
        help="Recording archive and evidence retrieval for a city's CCTV.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_everywhere)
    app.add_typer(camera.app, name="camera")
    app.add_typer(health_command.app, name="health")
    app.add_typer(places_command.app, name="places")
    app.add_typer(keys_command.app, name="keys")
    app.add_typer(log_command.app, name="log")
    app.add_typer(index_command.app, name="index")
    app.add_typer(archive_command.app, name="archive")
    app.add_typer(fixity_command.app, name="fixity")
    app.add_typer(integrity_incident_command.app, name="integrity-incident")
    app.add_typer(breakglass_command.app, name="break-glass")
    app.add_typer(retention_command.app, name="retention")
    app.add_typer(hold_command.app, name="hold")
    app.add_typer(request_command.app, name="request")
    app.add_typer(custody_command.app, name="custody")
    app.add_typer(notice_command.app, name="notice")
    if find_spec("ops.stack") is not None:  # it is for development, and not in the wheel
        app.add_typer(stack_command.app, name="stack")
    app.add_typer(store_command.app, name="store")
    app.add_typer(token_command.app, name="token")
    app.add_typer(user_command.app, name="user")
    app.add_typer(grant_command.app, name="grant")
    camera_tables.register(camera.app)
    camera_audio.register(camera.app)
    disposition_command.register(retention_command.app, archive_command.app)
    for module in (record, retrieve, where_command, activity_command, evidence, run):
        module.register(app)
    _spoken(app)
    return app


def tree(language: Language) -> Any:
    """The whole command tree, ready to run, with its help in the language."""
    return speaking(typer.main.get_command(build()), language)


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
        code = tree(language)(args=rest, prog_name="saksi", standalone_mode=False)
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
