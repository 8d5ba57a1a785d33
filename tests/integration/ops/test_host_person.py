"""Decisions of two people at the command line: the kernel identifies each person."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from archive.persons import names_person
from archive.timespan import DAY, format_instant
from ops.host_person import NO_LOGIN
from ops.settings import Settings
from ops.wiring import Site
from tests.integration.cases.test_requests_servers import paper
from tests.support.api_site import CAMERA, open_site
from tests.support.command_line import Answer, CommandLine
from tests.support.host_people import LOGIN, UIDS, Person, people_can_sign_in
from tests.support.requesting import PDF

SPAN = ("--from", "2026-11-24T14:00:10+08:00", "--to", "2026-11-24T14:00:30+08:00")
ABOUT = ("--case", "LP/1", "--owner", "Polrestabes", "--basis", "KUHAP 39")
TERMS = ("--min", "30", "--max", "90", "--basis", "Perwali 4/2017", "--reason", "Rapat 7")
PAPER = ("--number", "12/Pen", "--authority", "PN Makassar", "--basis", "UU 27/2022")

Run = Callable[..., Answer]
ANYBODY = {"same_person", "person_unknown"}


def hold_to_release(say: Run, folder: Path) -> tuple[str, ...]:
    review = format_instant(4_000_000_000_000_000 + DAY)
    placed = say("hold", "place", "--camera", CAMERA, *SPAN, *ABOUT, "--review-at", review, "--json")
    assert placed.code == 0, placed.err
    return ("hold", "release", str(placed.json["id"]), "--reason", "closed", "--json")


def approving_the_release(asked: Answer) -> tuple[str, ...]:
    return ("hold", "approve-release", str(asked.json["id"]), "--json")


def shortening(say: Run, folder: Path) -> tuple[str, ...]:
    return ("retention", "propose", "default", *TERMS, "--json")


def withdrawal(say: Run, folder: Path) -> tuple[str, ...]:
    longer = ("--min", "60", "--max", "never", "--basis", "Perwali 4/2017", "--reason", "Rapat 6")
    assert say("retention", "propose", f"camera:{CAMERA}", *longer).code == 0
    return ("retention", "withdraw", f"camera:{CAMERA}", "--reason", "x", "--json")


def approving_the_policy(asked: Answer) -> tuple[str, ...]:
    return (
        "retention",
        "approve",
        str(asked.json["scope"]),
        "--version",
        str(asked.json["version"]),
        "--json",
    )


def order(say: Run, folder: Path) -> tuple[str, ...]:
    return ("break-glass", "order", "--camera", CAMERA, *SPAN, *PAPER, "--json")


def approving_the_order(asked: Answer) -> tuple[str, ...]:
    return ("break-glass", "approve", str(asked.json["id"]), "--reason", "read", "--json")


def request(say: Run, folder: Path) -> tuple[str, ...]:
    asked, scan = folder / "request.json", folder / "surat.pdf"
    asked.write_text(json.dumps(paper()))
    scan.write_bytes(PDF)
    return ("request", "file", "--json", str(asked), "--letter", str(scan))


def approving_the_request(asked: Answer) -> tuple[str, ...]:
    return ("request", "approve", str(asked.json["id"]), "--version", "1", "--json")


def rejecting_the_request(asked: Answer) -> tuple[str, ...]:
    return ("request", "reject", str(asked.json["id"]), "--version", "1", "--reason", "no basis", "--json")


def sound(say: Run, folder: Path) -> tuple[str, ...]:
    return ("camera", "audio", CAMERA, "keep", "--reason", "Loket; pengumuman terpasang", "--json")


def approving_the_sound(asked: Answer) -> tuple[str, ...]:
    return ("camera", "approve-audio", CAMERA, "--version", str(asked.json["version"]), "--json")


DECISIONS = pytest.mark.parametrize(
    ("propose", "decide"),
    [
        (hold_to_release, approving_the_release),
        (shortening, approving_the_policy),
        (withdrawal, approving_the_policy),
        (order, approving_the_order),
        (request, approving_the_request),
        (request, rejecting_the_request),
        (sound, approving_the_sound),
    ],
)
Propose = Callable[[Run, Path], tuple[str, ...]]
Decide = Callable[[Answer], tuple[str, ...]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_site(tmp_path / "home"):
        return tmp_path / "home"


@pytest.fixture
def sign_in() -> None:
    people_can_sign_in()


def claims(name: str) -> Mapping[str, str]:
    """Environment variables of a person who claims to be ``name``."""
    return {
        "LOGNAME": name,
        "USER": name,
        "LNAME": name,
        "USERNAME": name,
        "SUDO_USER": name,
        "SUDO_UID": "1",
    }


@DECISIONS
def test_the_environment_makes_nobody_two_people(
    home: Path, tmp_path: Path, propose: Propose, decide: Decide
) -> None:
    one, two = (CommandLine(home, claims(name)) for name in ("ani", "budi"))
    asked = one(*propose(one, tmp_path))
    if asked.code == 0:
        asked = two(*decide(asked))
    assert (asked.code, asked.problem["code"] in ANYBODY) == (2, True)


@pytest.mark.usefixtures("sign_in")
def test_the_ledger_says_who_signed_in_and_keeps_claims_as_remarks(home: Path) -> None:
    Person(home, {}, "ani").must("camera", "disable", CAMERA, "--reason", "x")
    Person(home, {"SUDO_USER": "budi"}, "operator").must("camera", "enable", CAMERA, "--reason", "x")
    with Site(Settings.load({"SAKSI_HOME": str(home)})) as site:
        *_, first, second = (entry.actor for entry in site.ledger.history("camera", CAMERA))
    assert (first, names_person(first)) == ("os:root(login:ani)", True)
    assert (second, names_person(second)) == ("os:root(says:operator)", False)


# -- under real uids ----------------------------------------------------------------------------------

BEFORE = (
    # What is imported later must be readable for whom the process becomes.
    "import ctypes, os, ops.cli.options; from tests.support import host_people; host_people.add_accounts();"
    " libc = ctypes.CDLL(None)"
)
WHO = "from ops.cli.options import actor; print(actor().id)"


def actor_of(setup: str, environ: Mapping[str, str] | None = None) -> str:
    """The actor that ``saksi`` sees in a separate process that runs ``setup`` first."""
    program = f"{BEFORE}; {setup}; {WHO}"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def signed_in(name: str) -> str:
    return f"open({str(LOGIN)!r}, 'w').write('{UIDS.get(name, name)}')"


def becomes(name: str) -> str:
    # After exec a program may write to its own /proc files; one that only changed its uid may not.
    return f"os.setgroups([]); os.setuid({UIDS.get(name, name)}); libc.prctl(4, 1)"


@pytest.mark.usefixtures("sign_in")
@pytest.mark.parametrize(
    ("setup", "who"),
    [
        (becomes("ani"), "os:ani"),
        (f"{signed_in('ani')}; {becomes('ani')}", "os:ani"),
        (signed_in("ani"), "os:root(login:ani)"),
        (f"{signed_in('ani')}; {becomes('saksi')}", "os:saksi(login:ani)"),
        ("pass", "os:root(says:budi)"),
        (signed_in("0"), "os:root(says:budi)"),
        (becomes("saksi"), "os:saksi(says:budi)"),
        (becomes("operator"), "os:operator(says:budi)"),
        (f"{signed_in('operator')}; {becomes('saksi')}", "os:saksi(says:operator)"),
        # No account: the directory may be unavailable, and the name may return.
        (becomes("21999"), "os:uid-21999(says:budi)"),
        (signed_in("21999"), "os:root(says:budi)"),
        (becomes("65534"), "os:nobody(says:budi)"),
        # Ani never signed in through PAM, and sets the login uid to Budi's herself.
        (f"{becomes('ani')}; {signed_in('budi')}", "os:ani(says:budi)"),
    ],
)
def test_the_kernel_says_who_it_is(setup: str, who: str) -> None:
    nobody_yet = f"open({str(LOGIN)!r}, 'w').write('{NO_LOGIN}')"
    if LOGIN.read_text() != str(NO_LOGIN):
        setup = f"{nobody_yet}; {setup}"
    assert actor_of(setup, claims("budi")) == who


@pytest.mark.usefixtures("sign_in")
def test_a_user_namespace_makes_nobody_another_person() -> None:
    # Without any privilege, any user can have any uid in their own namespace.
    mapped = f"open('/proc/self/uid_map', 'w').write('{UIDS['budi']} {UIDS['ani']} 1')"
    setup = f"{becomes('ani')}; assert libc.unshare(0x10000000) == 0; {mapped}"
    who = actor_of(f"{setup}; assert os.getuid() == {UIDS['budi']}", claims("citra"))
    assert who == "os:budi(says:citra)"
    assert not names_person(who)


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A home that other uids can reach; only the test's user can enter pytest's own folders."""
    with tempfile.TemporaryDirectory(prefix="saksi-people-") as folder:
        Path(folder).chmod(0o755)
        with open_site(Path(folder) / "home"):
            pass
        for path in [Path(folder), *Path(folder).rglob("*")]:
            os.chown(path, UIDS["ani"], UIDS["ani"])
        yield Path(folder) / "home"


@pytest.mark.usefixtures("sign_in")
def test_one_account_is_one_person_whatever_it_says(open_home: Path) -> None:
    one, two = (Person(open_home, claims(name), "=ani") for name in ("citra", "budi"))
    asked = one(*shortening(one, open_home))
    assert (asked.code, asked.json["proposal"]["by"]) == (0, "os:ani"), asked.err
    own = two(*approving_the_policy(asked))
    assert (own.code, own.problem["code"]) == (2, "same_person")
