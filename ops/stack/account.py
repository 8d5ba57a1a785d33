"""The account for a server that refuses to run as root, when root starts the stack."""

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
    """Return the account to switch to, or None if this process is not root and need not switch.

    ``nobody`` exists almost everywhere; an account created for the stack would outlive it on the machine.
    Raises ``Unavailable`` (``stack_account_missing``) if there is no ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(UNPRIVILEGED)
    except KeyError as error:
        raise Unavailable(
            f"Elasticsearch refuses to run as root, and this machine has no user {UNPRIVILEGED!r} for it",
            code="stack_account_missing",
            hint="start the stack as an ordinary user",
        ) from error
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, Path(entry.pw_dir))


def can_enter(account: Account, folder: Path) -> bool:
    """Whether the account may enter every folder down to ``folder`` and read it.

    Only permission bits are checked, so an access list that grants more is ignored.
    """
    folder = folder.resolve()
    return all(_allows(account, step, stat.S_IXOTH) for step in folder.parents) and _allows(
        account, folder, stat.S_IXOTH | stat.S_IROTH
    )


def require_entry(account: Account, folder: Path, variable: str) -> None:
    """Raise ``Unavailable`` (``stack_folder_closed``) unless the account can enter ``folder``."""
    if not can_enter(account, folder):
        raise Unavailable(
            f"Elasticsearch runs as the user {account.name!r}, who cannot enter {folder}",
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
