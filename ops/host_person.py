"""The person at the command line, as the kernel identifies them.

Two numbers of the kernel identify who runs a process: its real uid, and its *login uid*. Signing in sets the
login uid (``pam_loginuid``), and it stays the same through ``sudo`` and ``su``. The owner of a process can
set its environment to anything. So the environment decides nothing; it is recorded as a remark if no person
is named.

What :func:`host_actor` names:

- ``os:ani``: a process of ani's own account.
- ``os:root(login:ani)``: a process of root or of a service, started by ani, who signed in.
- ``os:root``, ``os:saksi(unnamed)``, ``os:root(says:ani)``: no person. This is the result for root and
  services without a login uid, for accounts that people share (members of the group ``saksi-shared``), for a
  uid without an account, for a login uid in another person's account, and in a user namespace, whose owner
  chooses its uids.

A login uid in another person's account names no person, because a process without a login uid may set it to
any number. So a login uid is trusted only on processes of root and of services, which can change the record
anyway. A uid without an account names no person, because the directory may fail for a moment, and one person
would then have two names. For the same reason the group of shared accounts must be found where groups come
from a directory in the network: the C library reports a directory that is out like a group that is not there.

:func:`archive.persons.names_person` distinguishes actors that name a person from those that do not.
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
"""The login uid of a process that was not started by a sign-in."""
FIRST_PERSON = 1000
"""``UID_MIN`` if ``/etc/login.defs`` sets none; accounts below it belong to services."""
NOT_A_PERSON = frozenset({65534, 65535, NO_LOGIN - 1})
"""Uids that name no person, whatever name the directory gives them."""
SHARED_GROUP = "saksi-shared"
"""Accounts in this group of the host are shared by several people."""
LOCAL_SOURCES = frozenset({"files", "systemd"})
"""Sources of groups in ``/etc/nsswitch.conf`` that cannot be out."""

_NAME = re.compile(r"[A-Za-z0-9._@\\+-]{1,64}\$?")
_WHOLE = ["0", "0", str(NO_LOGIN)]


@dataclass(frozen=True, slots=True)
class Process:
    """The kernel's facts about a process. ``login`` is None if no sign-in started it."""

    uid: int
    login: int | None
    has_own_uids: bool = False
    """Whether the process is in a user namespace, whose uids are not the host's."""


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
        """The account of a uid; None if it has none, or the directory does not answer."""
        ...


class HostDirectory:
    """The accounts and groups of the host's own directory, and ``/etc/login.defs``."""

    def __init__(
        self,
        login_defs: Path = Path("/etc/login.defs"),
        nsswitch: Path = Path("/etc/nsswitch.conf"),
    ) -> None:
        self._login_defs = login_defs
        self._nsswitch = nsswitch

    @property
    def first_person(self) -> int:
        """``UID_MIN``, or 1000 if it is not set."""
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
        except OSError:
            return True
        except KeyError:
            return not self._groups_are_local()
        return entry.pw_gid == group.gr_gid or entry.pw_name in group.gr_mem

    def _groups_are_local(self) -> bool:
        """Whether a group that is not found does not exist."""
        try:
            text = self._nsswitch.read_text(errors="replace")
        except FileNotFoundError:
            return True  # the C library then reads only files
        except OSError:
            return False
        lines = re.findall(r"^\s*group\s*:([^#\n]*)", text, re.MULTILINE)
        sources = re.sub(r"\[[^]]*\]", " ", " ".join(lines)).split()
        return set(sources) <= LOCAL_SOURCES


def this_process(proc: Path = Path("/proc/self")) -> Process:
    """The kernel's facts about the calling process."""
    login = _words(proc / "loginuid")
    number = int(login[0]) if login and login[0].isdigit() else NO_LOGIN
    return Process(
        uid=os.getuid(),
        login=None if number == NO_LOGIN else number,
        # A kernel without user namespaces does not have this file.
        has_own_uids=_words(proc / "uid_map") not in ([], _WHOLE),
    )


def host_actor(process: Process, directory: Directory, environ: Mapping[str, str]) -> Actor:
    """The actor of a process on this host."""
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
    """The name of the person; "" if no person is named."""
    if process.has_own_uids:
        return ""
    own = _own(process.uid, directory)
    if process.login in {None, process.uid}:
        return own
    # The person signed in, and is in another account now.
    if process.uid >= directory.first_person:
        return ""
    return _own(process.login or ROOT, directory)


def _own(uid: int, directory: Directory) -> str:
    """The name of the person who owns this account; "" if it belongs to no one person."""
    if uid == ROOT or uid < directory.first_person or uid in NOT_A_PERSON:
        return ""
    account = directory.account(uid)
    if account is None or account.is_shared or not _NAME.fullmatch(account.name):
        return ""
    return account.name


def _claims(process: Process, directory: Directory, environ: Mapping[str, str]) -> list[str]:
    """Unproven names, only for the record: first an untrusted login uid, then names in the environment."""
    signed_in = None if process.login is None else directory.account(process.login)
    said = ["" if signed_in is None else signed_in.name]
    said += [environ.get(word, "") for word in ("SUDO_USER", "LOGNAME", "USER")]
    return [one for one in said if _NAME.fullmatch(one)]


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").split()
    except OSError:
        return []
