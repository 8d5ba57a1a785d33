"""What the demo prints: verdicts, numbered steps, and where to look afterwards."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path

import pytest

from archive.timespan import SECOND
from ops.demo import PROPOSED, Demo, verdict_in
from ops.demo_people import PEOPLE, SIGNING_IN
from tests.support.api_site import T0
from tests.support.command_line import CommandLine
from tests.support.demo_steps import announcement_in, is_known
from tests.support.indexes import free_port
from tests.support.waiting import until

ROOT = Path(__file__).resolve().parents[3]


def answers(opener: urllib.request.OpenerDirector, url: str) -> bool:
    try:
        with opener.open(url) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Using configuration from /usr/lib/ssl/openssl.cnf\nVerification: OK\n", "Verification: OK"),
        ("CMS Verification successful\n", "CMS Verification successful"),
        ("", "OK"),
        ("Using configuration from /etc/openssl.cnf\n", "OK"),
    ],
)
def test_the_verdict_is_shown_and_not_the_configuration(said: str, verdict: str) -> None:
    assert verdict_in(said) == verdict


def test_the_steps_are_numbered_once_each_in_order() -> None:
    numbers = re.findall(r'title\(f?"(\d+)  ', (ROOT / "ops" / "demo.py").read_text("utf-8"))
    assert [int(number) for number in numbers] == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_no_two_headings_of_a_page_have_the_same_number(page: Path) -> None:
    numbers = re.findall(r"^#+ (\d+)[. ]", page.read_text("utf-8"), re.MULTILINE)
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: page.name)
def test_no_page_ends_processes_by_a_name(page: Path) -> None:
    """Such a command ends the recorders of a whole host."""
    assert not re.search(r"\b(pkill|killall)\b", page.read_text("utf-8"))


def test_every_step_has_a_form_that_is_followed_in_the_browser() -> None:
    steps = [*SIGNING_IN, *(step for one in PEOPLE for step in one.steps)]
    assert [step for step in steps if not is_known(step)] == []


def test_the_scope_whose_change_waits_is_not_the_one_to_try() -> None:
    """While a change of a scope waits for the second person, its page has no form."""
    assert PROPOSED != "default"


def test_the_people_who_are_announced_sign_in(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    made = Demo(tmp_path, serve=True, port=port)
    saksi = CommandLine(tmp_path / "home")
    made.announce(T0, T0 + 40 * SECOND)
    told = capfd.readouterr().out
    base = f"http://127.0.0.1:{port}"
    found = announcement_in(told)
    assert found.address == f"{base}/"
    for one in found.people[:2]:
        assert 'Write "24/11/2026 14.00.00" into "Dari".' in one.steps
        assert 'Write "24/11/2026 14.00.41" into "Sampai".' in one.steps
    assert "{" not in told
    codes = [one.code for one in found.people]
    with subprocess.Popen(
        saksi.argv("serve", "--port", str(port)), env=saksi.environment(), stderr=subprocess.DEVNULL
    ) as serving:
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            until(lambda: answers(opener, f"{base}/healthz"), "the API answers")
            roles = []
            for code in codes:
                body = json.dumps({"code": code, "password": "pasar-terong-malam-42"}).encode()
                headers = {"Content-Type": "application/json", "Saksi-Request": "1"}
                asked = urllib.request.Request(f"{base}/auth/invitation", body, headers)  # noqa: S310
                with opener.open(asked) as answer:
                    roles += json.load(answer)["roles"]
            assert roles == ["police", "war_room", "admin"]
        finally:
            serving.terminate()
