"""An officer's requests in a city of the console: filed, approved, sealed and handed over through the API."""

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import FilePayload

from tests.support.api_site import Caller, Site
from tests.support.console import aside
from tests.support.matrix import must, request_form
from tests.support.people import caller
from tests.support.requesting import PDF


def letter(name: str = "B-123-XI-2026-Reskrim.pdf", content: bytes = PDF) -> FilePayload:
    """A letter's scan, as a browser takes it."""
    return {"name": name, "mimeType": "application/pdf", "buffer": content}


@dataclass
class Officer:
    """Dewi's requests: each call of another person is in one session of theirs."""

    site: Site
    callers: dict[str, Caller] = field(default_factory=dict)

    def call(self, name: str, method: str, path: str, **options: Any) -> Any:
        """The answer to a person, in the one session that they have here."""
        call = self.callers.setdefault(name, caller(self.site, name))
        return must(call(method, path, **options))

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
