"""The person at the command line, as the kernel knows them.

Two numbers of the kernel say who runs a process: its real uid, and its *login uid*, which signing in sets
(``pam_loginuid``) and which stays through ``sudo`` and ``su``. The environment says whatever its owner likes;
it is kept as a remark where nobody is named, and decides nothing.

What :func:`host_actor` names:

- ``os:ani``: a process of ani's own account.
- ``os:root(login:ani)``: a process of root or of a service, started by ani, who signed in.
- ``os:root``, ``os:saksi(unnamed)``, ``os:root(says:ani)``: nobody. So it is for root and services without a
  login uid, for accounts that people share (those in the group ``saksi-shared``), for a uid that has no
  account, for somebody in another person's account, and in a user namespace, whose owner chooses its uids.

Somebody in another person's account is nobody, because a process without a login uid may set its own to any
number. So a login uid is believed over root and services alone, whose processes can change the record anyway.
A uid without an account is nobody, because the directory may fail for a moment, and one person would be two.

:func:`archive.persons.names_person` tells the two kinds apart.
"""

import grp
import os
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from archive.model.custody import Actor

ROOT = 0
NO_LOGIN = 2**32 - 1
"""The login uid of a process that no sign-in began."""
FIRST_PERSON = 1000
"""``UID_MIN`` where ``/etc/login.defs`` names none: accounts below are of services."""
NOT_A_PERSON = frozenset({65534, 65535, NO_LOGIN - 1})
"""Uids that stand for nobody, whatever the directory calls them."""
SHARED_GROUP = "saksi-shared"
"""Members of this group of the host are accounts that several people use."""

_NAME = re.compile(r"[A-Za-z0-9._@\\+-]{1,64}\$?")
_WHOLE = ["0", "0", str(NO_LOGIN)]


@dataclass(frozen=True, slots=True)
class Process:
    """What the kernel says of a process. ``login`` is None where no sign-in began it."""

    uid: int
    login: int | None
    has_own_uids: bool = False
    """Whether it lives in a user namespace, whose uids are not the host's."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the host."""

    name: str
    is_shared: bool = False


class Directory(Protocol):
    """The host's accounts."""

    @property
    def first_person(self) -> int:
        """The smallest uid of a person's account."""
        ...

    def account(self, uid: int) -> Account | None:
        """The account of a uid; None where there is none, or it does not answer."""
        ...


class HostDirectory:
    """The accounts and groups that the host's own directory answers, and ``/etc/login.defs``."""

    def __init__(self, login_defs: Path = Path("/etc/login.defs")) -> None:
        self._login_defs = login_defs

    @property
    def first_person(self) -> int:
        """``UID_MIN``, 1000 where it is not given."""
        try:
            text = self._login_defs.read_text(errors="replace")
        except OSError:
            return FIRST_PERSON
        found = re.findall(r"^\s*UID_MIN\s+(\d+)\s*$", text, re.MULTILINE)
        return int(found[-1]) if found else FIRST_PERSON

    def account(self, uid: int) -> Account | None:
        """The account of a uid."""
        try:
            entry = pwd.getpwuid(uid)
        except (KeyError, OSError):
            return None
        return Account(entry.pw_name, self._is_shared(entry))

    def _is_shared(self, entry: pwd.struct_passwd) -> bool:
        try:
            group = grp.getgrnam(SHARED_GROUP)
        except (KeyError, OSError):
            return False
        return entry.pw_gid == group.gr_gid or entry.pw_name in group.gr_mem


def this_process(proc: Path = Path("/proc/self")) -> Process:
    """What the kernel says of the process that asks."""
    login = _words(proc / "loginuid")
    number = int(login[0]) if login and login[0].isdigit() else NO_LOGIN
    return Process(
        uid=os.getuid(),
        login=None if number == NO_LOGIN else number,
        # A kernel without user namespaces has no such file.
        has_own_uids=_words(proc / "uid_map") not in ([], _WHOLE),
    )


def host_actor(process: Process, directory: Directory, environ: Mapping[str, str]) -> Actor:
    """Who acts on this host."""
    return Actor(id=_id(process, directory, environ), address="local", role="host")


def _id(process: Process, directory: Directory, environ: Mapping[str, str]) -> str:
    account = directory.account(process.uid)
    name = account.name if account is not None and _NAME.fullmatch(account.name) else f"uid-{process.uid}"
    person = _person(process, directory)
    if person:
        return f"os:{person}" if person == name else f"os:{name}(login:{person})"
    says = next((one for one in _claims(process, directory, environ) if one not in {"", name}), "")
    if says:
        return f"os:{name}(says:{says})"
    return "os:root" if name == "root" else f"os:{name}(unnamed)"


def _person(process: Process, directory: Directory) -> str:
    """The name of the person; "" for nobody."""
    if process.has_own_uids:
        return ""
    own = _own(process.uid, directory)
    if process.login in {None, process.uid}:
        return own
    # Somebody signed in, and is in another account now.
    if process.uid >= directory.first_person:
        return ""
    return _own(process.login or ROOT, directory)


def _own(uid: int, directory: Directory) -> str:
    """The name of the person whose account this is; "" where it is nobody's own."""
    if uid == ROOT or uid < directory.first_person or uid in NOT_A_PERSON:
        return ""
    account = directory.account(uid)
    if account is None or account.is_shared or not _NAME.fullmatch(account.name):
        return ""
    return account.name


def _claims(process: Process, directory: Directory, environ: Mapping[str, str]) -> list[str]:
    """Who somebody may be, for the record alone: the login uid where it is not believed, then the words."""
    signed_in = None if process.login is None else directory.account(process.login)
    said = ["" if signed_in is None else signed_in.name]
    said += [environ.get(word, "") for word in ("SUDO_USER", "LOGNAME", "USER")]
    return [one for one in said if _NAME.fullmatch(one)]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").split()
    except OSError:
        return []
