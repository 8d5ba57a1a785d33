"""A real Keycloak with the realm ``saksi``: its people, its machines, and its administrator's changes."""

import html
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

_FORM = re.compile(r'<form[^>]*action="([^"]+)"')


@dataclass(frozen=True, slots=True)
class KeycloakServer:
    """The server's address, and the secrets that were generated at its first start."""

    url: str
    secrets: dict[str, Any] = field(repr=False)

    @property
    def issuer(self) -> str:
        """The realm's issuer."""
        return f"{self.url}/realms/saksi"

    def browser(self) -> httpx.Client:
        """A client with cookies, like a browser, that does not follow redirects by itself.

        Like a browser it treats the loopback interface as secure, and sends Secure cookies there.
        """

        def loopback_is_secure(_response: httpx.Response) -> None:
            for cookie in client.cookies.jar:
                cookie.secure = False

        client = httpx.Client(trust_env=False, timeout=30, event_hooks={"response": [loopback_is_secure]})
        return client

    def sign_in(self, browser: httpx.Client, address: str, name: str, password: str = "") -> str:
        """Fill in the sign-in page of an authorization request; return the address it redirects to."""
        page = browser.get(address)
        if page.status_code in {302, 303}:
            return page.headers["location"]
        form = _FORM.search(page.text)
        assert form is not None, page.text[:500]
        filled = {"username": name, "password": password or self.secrets["passwords"][name]}
        answer = browser.post(html.unescape(form[1]), data=filled)
        assert answer.status_code in {302, 303}, answer.text[:500]
        return answer.headers["location"]

    def machine_token(self, client: str) -> str:
        """An access token of a machine."""
        form = {"grant_type": "client_credentials"}
        with self.browser() as web:
            answer = web.post(
                f"{self.issuer}/protocol/openid-connect/token",
                data=form,
                auth=(client, self.secrets["clients"][client]),
            )
        return answer.raise_for_status().json()["access_token"]

    def admin_token(self) -> str:
        """An access token of the administrator, who is in another realm."""
        form = {
            "grant_type": "password",
            "client_id": "admin-cli",
            "username": self.secrets["admin_user"],
            "password": self.secrets["admin_password"],
        }
        with self.browser() as web:
            answer = web.post(f"{self.url}/realms/master/protocol/openid-connect/token", data=form)
        return answer.raise_for_status().json()["access_token"]

    def admin(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A call by the administrator in the realm."""
        headers = {"Authorization": f"Bearer {self.admin_token()}"}
        with self.browser() as web:
            answer = web.request(method, f"{self.url}/admin/realms/saksi{path}", headers=headers, **options)
        return answer.raise_for_status()

    def user(self, name: str) -> dict[str, Any]:
        """A person as the administrator sees them."""
        return self.admin("GET", "/users", params={"username": name, "exact": "true"}).json()[0]

    def change(self, name: str, **fields: Any) -> None:
        """Change fields of a person, such as ``enabled``."""
        user = self.user(name)
        self.admin("PUT", f"/users/{user['id']}", json={**user, **fields})

    def set_role(self, name: str, role: str, *, method: str) -> None:
        """Give (POST) or take (DELETE) a role."""
        found = self.admin("GET", f"/roles/{role}").json()
        self.admin(method, f"/users/{self.user(name)['id']}/role-mappings/realm", json=[found])


def query_of(address: str) -> dict[str, str]:
    """The query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
