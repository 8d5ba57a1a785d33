"""The command ``saksi``.

JSON goes only to stdout. Errors go to stderr. Each command states where its progress and its tables go.
Exit codes: 0 done · 1 the answer is no · 2 bad input · 3 something is unavailable · 4 integrity.
"""

import sys
from importlib.util import find_spec

import typer
from typer.exceptions import TyperException

from archive.errors import ArchiveError, IntegrityError, Malformed, Unavailable
from ops.cli import (
    archive_command,
    breakglass_command,
    camera,
    custody_command,
    disposition_command,
    evidence,
    fixity_command,
    grant_command,
    hold_command,
    index_command,
    integrity_incident_command,
    keys_command,
    log_command,
    notice_command,
    record,
    request_command,
    retention_command,
    retrieve,
    run,
    stack_command,
    store_command,
    token_command,
    user_command,
)
from ops.cli.output import complain, note

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
    app.add_typer(camera.app, name="camera")
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
    disposition_command.register(retention_command.app, archive_command.app)
    for module in (record, retrieve, evidence, run):
        module.register(app)
    return app


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
    as_json = "--json" in sys.argv
    try:
        code = build()(prog_name="saksi", standalone_mode=False)
    except ArchiveError as error:
        complain(error, as_json=as_json)
        sys.exit(exit_code(error))
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except typer.Abort:
        sys.exit(130)
    except TyperException as error:
        text = str(error) or "the command is not complete"
        if text.startswith("Usage:"):  # a group without a command prints its help
            note(text)
            sys.exit(BAD_INPUT)
        complain(Malformed(text, code="bad_usage", hint="See: saksi --help"), as_json=as_json)
        sys.exit(BAD_INPUT)
    except BrokenPipeError:
        sys.exit(141)  # the program that read our output has closed it, as `| head` does
    sys.exit(code if isinstance(code, int) else 0)
