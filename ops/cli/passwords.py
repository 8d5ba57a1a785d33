"""Passwords of other devices, as a person gives them: from a file, at a prompt, or on standard input.

Never as an argument: every user of the host can read the arguments of a process.
"""

import stat
import sys
from pathlib import Path

import typer

from archive.errors import Malformed, Refused

_LONGEST = 4096


def asked_password(file: Path | None, what: str) -> str:
    """The first line of the file, else what is typed without echo, else a line of standard input.

    Raises:
        Refused: ``password_file_exposed``: other users may read the file.
        Malformed: ``unreadable_input``; ``bad_new_password``: it is empty.
    """
    if file is not None:
        password = next(iter(private_text(file).splitlines()), "")
    elif sys.stdin.isatty():
        password = typer.prompt(what, hide_input=True, err=True)
    else:
        password = sys.stdin.readline(_LONGEST).rstrip("\r\n")
    if not password:
        raise Malformed(
            "no password was given",
            code="bad_new_password",
            hint="Type it at the prompt, or write it into a file: --password-file FILE.",
        )
    return password


def private_text(file: Path) -> str:
    """The text of a file that its owner alone may read. Raises as :func:`asked_password`."""
    try:
        mode = file.stat().st_mode
        text = file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Malformed(f"{file} cannot be read: {error.strerror}", code="unreadable_input") from error
    except UnicodeDecodeError as error:
        raise Malformed(f"{file} is not in UTF-8", code="unreadable_input") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Refused(
            f"{file} has passwords and may be read by others",
            code="password_file_exposed",
            hint=f"chmod 600 {file}",
        )
    return text
