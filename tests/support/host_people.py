"""People on this host in tests: their uids are the kernel's, their names come from the tests' own list.

The tests' machine has no accounts for Ani and Budi. So ``python -m tests.support.host_people`` is ``saksi``
with some more accounts in the host's directory, run by root after the kernel has noted that one signed in.
Nothing in ``saksi`` itself reads such a list.
"""

import grp
import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ops.cli import main
from tests.support.command_line import CommandLine
from tests.support.programs import lacking

UIDS = {"ani": 21001, "budi": 21002, "operator": 21003, "saksi": 900}
SHARED = ("operator",)
LOGIN = Path("/proc/self/loginuid")


@dataclass(frozen=True)
class Person(CommandLine):
    """``saksi`` run by root, for a person who signed in to the host."""

    name: str = "ani"

    def argv(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "tests.support.host_people", self.name, *words]


def people_can_sign_in() -> None:
    """Skip if the kernel does not let the tests act as several people; fail if ``CI`` is set."""
    probe = f"open({str(LOGIN)!r}, 'w').write('{UIDS['ani']}'); import os; os.setuid({UIDS['ani']})"
    if subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0:
        return
    lacking("needs root, and a kernel with audit (/proc/self/loginuid): run the tests as root")


def add_accounts() -> None:
    """Add the tests' accounts to this process's directory."""
    known, groups = pwd.getpwuid, grp.getgrnam
    names = {uid: name for name, uid in UIDS.items()}

    def account(uid: int) -> pwd.struct_passwd:
        if uid in names:
            return pwd.struct_passwd((names[uid], "x", uid, uid, "", "/", "/bin/sh"))
        return known(uid)

    def group(name: str) -> grp.struct_group:
        return grp.struct_group((name, "x", 21000, SHARED)) if name == "saksi-shared" else groups(name)

    pwd.getpwuid, grp.getgrnam = account, group


def command(words: Sequence[str]) -> None:
    """``NAME words…``: run as root after NAME signed in; ``=NAME words…``: run in NAME's own account."""
    name = words[0]
    add_accounts()
    if name.startswith("="):
        os.setgroups([])
        os.setgid(UIDS[name[1:]])
        os.setuid(UIDS[name[1:]])
    else:
        LOGIN.write_text(str(UIDS[name]))
    sys.argv = ["saksi", *words[1:]]
    main()


if __name__ == "__main__":
    command(sys.argv[1:])
