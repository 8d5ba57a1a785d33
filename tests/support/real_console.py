"""The console of a real city: people who sign in at its Keycloak, and the processes that a city runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from tests.support import preloaded
from tests.support.api_server import api_server
from tests.support.command_line import CommandLine
from tests.support.console import Console
from tests.support.keycloak import KeycloakServer
from tests.support.real_city import City
from tests.support.recording_site import RecordingSite
from tests.support.waiting import PATIENCE_S, until

JOBS = ("follow", "holds", "requests", "seal", "log")
"""What a story needs of the archive's jobs; the others read and attack what is stored."""


@contextmanager
def signed_in(console: Console, keycloak: KeycloakServer, name: str, path: str) -> Iterator[Page]:
    """A person's page, reached through the sign-in of the city's provider."""
    with console.page_of("") as page:
        page.goto(f"{console.url}{path}")
        page.locator("#provider-link").click()
        page.locator("#username").fill(name)
        page.locator("#password").fill(keycloak.secrets["passwords"][name])
        page.locator("#kc-login").click()
        page.wait_for_url(f"{console.url}{path}")
        yield page


@contextmanager
def running(city: City, home: Path, port: int) -> Iterator[RecordingSite]:
    """The city's own processes over its folder: ``saksi serve`` at a port, the jobs of ``saksi work``
    that a story needs, and a recorder."""
    settings = {**city.settings, "SAKSI_CAMERA_NETWORKS": "127.0.0.0/8"}
    recording = RecordingSite(home, settings)
    line = CommandLine(home, settings)
    with api_server(home, settings, port=port):
        words = ["work", *(word for job in JOBS for word in ("--only", job))]
        jobs = preloaded.start("ops", words, line.environment(), cwd=home, log=home / "work.log")
        recording.start()
        try:
            until(lambda: city.site.services.index.heartbeats(), "the recorder is there")
            yield recording
        finally:
            recording.stop()
            jobs.terminate()
            jobs.wait(PATIENCE_S)
