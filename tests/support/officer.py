"""An officer's requests in a city of the console: filed, approved, sealed and handed over through the API."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import FilePayload, Locator, Page

from ops import accounts, wiring
from tests.support.api_site import Caller, Site
from tests.support.console import Console
from tests.support.matrix import must, request_form
from tests.support.people import caller
from tests.support.requesting import PDF

PASSWORD = "perahu biru menuju pulau"


def letter(name: str = "B-123-XI-2026-Reskrim.pdf", content: bytes = PDF) -> FilePayload:
    """A letter's scan, as a browser takes it."""
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


def give_password(console: Console, name: str) -> None:
    """Let a person sign in at the sign-in page with :data:`PASSWORD`."""
    site: wiring.Site = console.site.evidence.site
    accounts.passwords_of(site).put(name, PASSWORD)


def aside(work: Callable[[], Any]) -> Any:
    """Do some work in another thread: in Playwright's own, no event loop can be run."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


class Hand:
    """An officer's hand at a page: what is typed, pressed or dropped, counted."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def sign_in(self, name: str) -> None:
        """Sign in at the sign-in page: one act, however many fields its form has."""
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.click("#go")
        self.count += 1

    def type(self, place: str, text: str) -> None:
        """Type into a field."""
        self.page.fill(place, text)
        self.count += 1

    def press(self, place: str | Locator) -> None:
        """Press a button, a link or a box."""
        (self.page.locator(place) if isinstance(place, str) else place).click()
        self.count += 1

    def drop(self, place: str, given: FilePayload) -> None:
        """Give a file to a field."""
        self.page.set_input_files(place, given)
        self.count += 1


@dataclass
class Officer:
    """Dewi's requests: each call of another person is in one session of theirs."""

    site: Site
    callers: dict[str, Caller] = field(default_factory=dict)

    def call(self, name: str, method: str, path: str, **options: Any) -> Any:
        """The answer to a person, in the one session that they have here."""
        call = self.callers.setdefault(name, caller(self.site, name))
        return must(aside(lambda: call(method, path, **options)))

    def file(self, **changes: Any) -> str:
        """File an urgent request, without its letter; returns its id."""
        return str(self.call("dewi", "POST", "/v1/requests", json=request_form(**changes)).json()["id"])

    def change(self, name: str, request: str, what: str, body: dict[str, Any]) -> Any:
        """Change the version of a request that stands."""
        path = f"/v1/requests/{request}"
        etag = self.call("citra", "GET", path).headers["etag"]
        return self.call(name, "POST", f"{path}/{what}", json=body, headers={"If-Match": etag})

    def handed_over(self, **changes: Any) -> str:
        """A request whose package is sealed and handed over; returns the request's id."""
        request = self.file(**changes)
        self.change("citra", request, "approve", {"reason": "lengkap"})
        aside(self.site.evidence.run_open_requests)
        self.change("tono", request, "handover", {"downloads": 3, "hours": 72})
        return request

    def request(self, request: str) -> Any:
        """A request as the War Room reads it."""
        return self.call("citra", "GET", f"/v1/requests/{request}").json()

    def handover(self, request: str) -> Any:
        """Its newest handover."""
        return self.call("citra", "GET", f"/v1/requests/{request}/handover").json()
