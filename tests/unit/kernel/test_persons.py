"""Which actors name a person, and that an actor without a person cannot decide what takes two people."""

import grp
import os
from pathlib import Path

import pytest

from archive.errors import Refused
from archive.persons import names_person, person_of, same_person
from archive.separation import Relations, check_known
from ops.host_person import SHARED_GROUP, Account, HostDirectory, Process, host_actor, this_process

NAMED = ("user:ani", "token:war-room", "os:ani", "os:root(login:ani)", "os:saksi(login:ani)", "job:seal")
NAMELESS = (
    "os:root", "os:root(says:ani)", "os:saksi(unnamed)", "os:uid-1000(unnamed)", "os:root(sudo:ani)",
    "os:saksi(login:root)",
)  # fmt: skip


def test_who_names_a_person() -> None:
    assert [names_person(actor) for actor in NAMED] == [True] * len(NAMED)
    assert [names_person(actor) for actor in NAMELESS] == [False] * len(NAMELESS)
    for actor in NAMED:
        check_known(actor, Relations())
    for actor in NAMELESS:
        with pytest.raises(Refused) as refused:
            check_known(actor, Relations())
        assert refused.value.code == "person_unknown"


def test_a_remark_makes_nobody_another_person() -> None:
    assert same_person("os:root(says:ani)", "os:root(says:budi)")
    assert person_of("os:root(says:ani)") == "os:root"
    assert same_person("os:root(login:ani)", "os:saksi(login:ani)")
    assert same_person("os:root(sudo:ani)", "os:ani")
    assert not same_person("os:root(login:ani)", "os:root(login:budi)")


class Few:
    """A directory of three accounts."""

    first_person = 1000

    def account(self, uid: int) -> Account | None:
        return {0: Account("root"), 1001: Account("ani"), 1002: Account("x(login:budi)")}.get(uid)


@pytest.mark.parametrize("said", ["x)(login:budi", "budi)", "(login:budi)", "a:b", "b\nc", "", "x" * 65])
def test_what_the_environment_says_cannot_look_like_more(said: str) -> None:
    actor = host_actor(Process(uid=0, login=None), Few(), {"SUDO_USER": said})
    assert actor.id == "os:root"


def test_an_account_that_reads_as_something_else_names_nobody() -> None:
    assert host_actor(Process(uid=1002, login=None), Few(), {}).id == "os:uid-1002(unnamed)"
    assert host_actor(Process(uid=0, login=1002), Few(), {}).id == "os:root"


def test_a_namespace_of_its_own_names_nobody() -> None:
    assert host_actor(Process(uid=1001, login=1001, has_own_uids=True), Few(), {}).id == "os:ani(unnamed)"


def test_what_the_kernel_says_is_read_as_it_writes_it(tmp_path: Path) -> None:
    assert (this_process(tmp_path).login, this_process(tmp_path).has_own_uids) == (None, False)
    (tmp_path / "loginuid").write_text("4294967295")
    (tmp_path / "uid_map").write_text("         0          0 4294967295\n")
    assert (this_process(tmp_path).login, this_process(tmp_path).has_own_uids) == (None, False)
    (tmp_path / "loginuid").write_text("1001")
    (tmp_path / "uid_map").write_text("      1002       1001          1\n")
    assert (this_process(tmp_path).login, this_process(tmp_path).has_own_uids) == (1001, True)


@pytest.mark.parametrize(
    ("sources", "is_shared"),
    [
        ("group: files systemd\n", False),
        ("passwd: sss\ngroup:files [SUCCESS=merge] systemd # sss\n", False),
        ("", False),
        ("group: files sss\n", True),
        ("group: ldap\n", True),
        ("group: files\n group: files winbind\n", True),
    ],
)
def test_where_a_directory_may_be_out_an_account_is_shared_until_the_group_is_found(
    tmp_path: Path, sources: str, is_shared: bool
) -> None:
    with pytest.raises(KeyError):
        grp.getgrnam(SHARED_GROUP)
    (tmp_path / "nsswitch.conf").write_text(sources)
    account = HostDirectory(nsswitch=tmp_path / "nsswitch.conf").account(os.getuid())
    assert account is not None
    assert account.is_shared is is_shared
    without = HostDirectory(nsswitch=tmp_path / "absent").account(os.getuid())
    assert without is not None
    assert not without.is_shared
    unreadable = HostDirectory(nsswitch=tmp_path).account(os.getuid())
    assert unreadable is not None
    assert unreadable.is_shared


@pytest.mark.parametrize(("text", "first"), [("UID_MIN\t\t 500\n", 500), ("#UID_MIN 5\n", 1000), ("", 1000)])
def test_where_the_accounts_of_people_begin(tmp_path: Path, text: str, first: int) -> None:
    (tmp_path / "login.defs").write_text(text)
    assert HostDirectory(tmp_path / "login.defs").first_person == first
    assert HostDirectory(tmp_path / "absent").first_person == 1000
