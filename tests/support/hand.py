"""A person's hand at the console: what they click, type, press or drop, counted from the sign-in page on."""

from playwright.sync_api import FilePayload, Locator, Page

from ops import accounts, wiring
from tests.support.console import Console

PASSWORD = "perahu biru menuju pulau"


def give_password(console: Console, name: str) -> None:
    """Let a person sign in at the sign-in page with :data:`PASSWORD`."""
    site: wiring.Site = console.site.evidence.site
    accounts.passwords_of(site).put(name, PASSWORD)


class Hand:
    """One person's acts at a page without a session: each click, typed field, key and file counts one.

    Signing in is one act, however many fields its form has. ``since`` counts from a moment on.
    """

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0
        self._mark = 0

    def sign_in(self, name: str) -> None:
        """Sign in at the sign-in page, and wait until it leads to the page that was asked for."""
        self.page.fill("#name", name)
        self.page.fill("#password", PASSWORD)
        self.page.click("#go")
        self.count += 1
        self.page.wait_for_url(lambda url: "/masuk" not in url)

    def follow(self, link: str) -> None:
        """Open a link from outside, such as that of a mail."""
        self.page.goto(link)
        self.count += 1

    def type(self, place: str | Locator, text: str) -> None:
        """Type into a field."""
        self._found(place).fill(text)
        self.count += 1

    def press(self, place: str | Locator) -> None:
        """Press a button, a link or a box."""
        self._found(place).click()
        self.count += 1

    def key(self, name: str) -> None:
        """Press a key."""
        self.page.keyboard.press(name)
        self.count += 1

    def choose(self, place: str, label: str) -> None:
        """Choose one of a list."""
        self.page.select_option(place, label=label)
        self.count += 1

    def drop(self, place: str, given: FilePayload) -> None:
        """Give a file to a field."""
        self.page.set_input_files(place, given)
        self.count += 1

    def mark(self) -> None:
        """From here on, :attr:`since` counts."""
        self._mark = self.count

    @property
    def since(self) -> int:
        """The acts since the mark."""
        return self.count - self._mark

    def _found(self, place: str | Locator) -> Locator:
        return self.page.locator(place) if isinstance(place, str) else place
