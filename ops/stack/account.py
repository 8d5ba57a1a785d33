"""The account a server runs as when the stack is started by root and the server refuses to be root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from archive.errors import Unavailable

UNPRIVILEGED = "nobody"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine, without supplementary groups."""

    name: str
    uid: int
    gid: int
    home: Path


def unprivileged() -> Account | None:
    """Return whom to become, or None if this process is not root and can stay who it is.

    ``nobody`` exists everywhere; creating an account of our own on a developer's machine would outlive
    the stack. Raises ``Unavailable`` (``stack_account_missing``) where even that one does not exist.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise Unavailable(
            f"this machine has no user {UNPRIVILEGED!r} to run Elasticsearch as, and it refuses to be root",
            code="stack_account_missing",
            hint="start the stack as an ordinary user",
        ) from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir))


def can_enter(account: Account, folder: Path) -> bool:
    """Tell whether the account may walk from the root folder down into ``folder`` and read it.

    Looks at the permission bits alone, so an access list that grants more is not seen.
    """
    folder = folder.resolve()
    return all(_allows(account, step, stat.S_IXOTH) for step in folder.parents) and _allows(
        account, folder, stat.S_IXOTH | stat.S_IROTH
    )


def require_entry(account: Account, folder: Path, variable: str) -> None:
    """Raise ``Unavailable`` (``stack_folder_closed``) unless the account can enter ``folder``."""
    if not can_enter(account, folder):
        raise Unavailable(
            f"{folder} cannot be entered by the user {account.name!r}, as whom Elasticsearch runs",
            code="stack_folder_closed",
            hint=f"set {variable} to a folder under /var or /tmp, or open the folders above it (chmod o+x)",
        )


def give(account: Account, folder: Path) -> None:
    """Make the account the owner of a folder and of everything in it."""
    os.chown(folder, account.uid, account.gid)
    for parent, folders, files in os.walk(folder):
        for name in folders + files:
            os.chown(Path(parent, name), account.uid, account.gid, follow_symlinks=False)


def _allows(account: Account, folder: Path, wanted: int) -> bool:
    try:
        facts = folder.stat()
    except OSError:
        return False
    if facts.st_uid == account.uid:
        wanted <<= 6
    elif facts.st_gid == account.gid:
        wanted <<= 3
    return facts.st_mode & wanted == wanted
