"""``make demo SERVE=1``, and then what it prints, followed in a browser word by word."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.integration.console.conftest import browser
from tests.support.demo_steps import Announcement, announcement_in, follow
from tests.support.indexes import free_port
from tests.support.waiting import PATIENCE_S, until

__all__ = ["browser"]
expect.set_options(timeout=PATIENCE_S * 1000)  # a busy machine needs more than five seconds
ROOT = Path(__file__).resolve().parents[2]
DEMO_S = 900.0
"""The demo takes two minutes; a busy machine needs much longer."""


@contextmanager
def serving_demo(folder: Path) -> Iterator[Announcement]:
    """What the demo printed, while it serves."""
    port = free_port()
    log = folder / "printed"
    argv = [sys.executable, "-m", "ops.demo", "--serve", "--folder", str(folder / "out"), "--port", str(port)]
    with (
        log.open("wb") as printed,
        subprocess.Popen(
            argv, cwd=ROOT, stdout=printed, stderr=subprocess.STDOUT, start_new_session=True
        ) as demo,
    ):
        try:

            def serves() -> bool:
                assert demo.poll() is None, log.read_text("utf-8")
                return f"It answers: http://127.0.0.1:{port}/\n" in log.read_text("utf-8")

            until(serves, "the demo says that its console answers", seconds=DEMO_S)
            yield announcement_in(log.read_text("utf-8"))
        finally:
            os.killpg(demo.pid, signal.SIGINT)
            try:
                demo.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                os.killpg(demo.pid, signal.SIGKILL)


def try_it(page: Page, told: Announcement, number: int) -> None:
    """Sign in as one of the three, and do what stands under their name."""
    person = told.people[number]
    page.goto(told.address)
    for step in told.signing_in:
        follow(page, step, code=person.code)
    expect(page.locator(".reader summary")).to_have_text(person.id)
    for step in person.steps:
        follow(page, step)


@pytest.mark.timeout(DEMO_S + 600)
def test_each_of_the_three_sees_what_they_are_promised(tmp_path: Path, browser: Browser) -> None:
    with serving_demo(tmp_path) as told:
        followed(told, browser)


def followed(told: Announcement, browser: Browser) -> None:
    """Each of the three does what is printed for them."""
    assert [one.id for one in told.people] == ["dewi", "citra", "ada"]
    for number in range(3):
        context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="id")
        context.set_default_timeout(PATIENCE_S * 1000)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        try:
            try_it(page, told, number)
        finally:
            context.close()
        assert errors == []
