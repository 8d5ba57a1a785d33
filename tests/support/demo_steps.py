"""What ``make demo SERVE=1`` prints: address, people, and steps, each done in a browser as it is written."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from playwright.sync_api import Locator, Page, expect

PASSWORD = "pasar-terong-malam-42"
_SEE = re.compile(r'You see "(.+?)"(?: in the picture of "(.+?)")?[ .,]')
_FORMS = {
    "open": re.compile(r'Open "(.+)"\.'),
    "code": re.compile(r'Write the code into "(.+)"\.'),
    "password": re.compile(r'Write a password into "(.+)"\.'),
    "write": re.compile(r'Write "(.+)" into "(.+)"\.'),
    "tick": re.compile(r'Tick "(.+)"\.'),
    "space": re.compile(r"Press the space bar\."),
    "press": re.compile(r'Press "(.+)"\.'),
}


@dataclass(frozen=True)
class Announced:
    """One person as printed: account, code, and steps."""

    id: str
    code: str = field(repr=False)
    steps: Sequence[str]


@dataclass(frozen=True)
class Announcement:
    """The whole of what is printed for those who try the console."""

    address: str
    signing_in: Sequence[str]
    people: Sequence[Announced]


def announcement_in(printed: str) -> Announcement:
    """Read what the demo printed."""
    told = printed[printed.index("Console:") :]
    head, *parts = re.split(r"^  (\w+), .*$", told, flags=re.MULTILINE)
    people = [
        Announced(name, re.findall(r"^    Code:  (.+)$", text, re.MULTILINE)[0], _steps(text))
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    ]
    return Announcement(re.findall(r"http://\S+", head)[0], _steps(head), people)


def _steps(text: str) -> list[str]:
    return re.findall(r"^ +\d+\. (.+)$", text, re.MULTILINE)


def is_known(step: str) -> bool:
    """Whether a step has a form that :func:`follow` does."""
    return bool(_SEE.match(step)) or any(form.fullmatch(step) for form in _FORMS.values())


def follow(page: Page, step: str, *, code: str = "") -> None:
    """Do one step, or wait until what it promises is seen."""
    if seen := _SEE.match(step):
        text, camera = seen.groups()
        # Not the dialog that is open now: it closes before what is promised is seen.
        area = (
            page.locator(".tile", has_text=camera) if camera else page.locator("dialog[open], main:visible")
        )
        expect(area.get_by_text(text).locator("visible=true").first).to_be_visible()
        return
    name, found = next((name, form) for name, form in _FORMS.items() if form.fullmatch(step))
    words = found.fullmatch(step).groups()
    if name == "open":
        page.locator(".places").get_by_role("link", name=words[0]).click()
        page.wait_for_load_state()
    elif name == "space":
        expect(page.locator(".tile").first).to_be_visible()
        page.keyboard.press("Space")
    elif name == "press":
        _pressable(page, words[0]).click()
    elif name == "tick":
        _area(page).get_by_label(words[0]).locator("visible=true").first.check()
    else:
        text = {"code": code, "password": PASSWORD}.get(name, words[0])
        _field(page, words[-1]).fill(text)


def _area(page: Page) -> Locator:
    """Where a person looks: an open dialog, or the page."""
    dialog = page.locator("dialog[open]")
    return dialog if dialog.count() else page.locator("main:visible")


def _field(page: Page, label: str) -> Locator:
    return _area(page).get_by_label(label, exact=True).locator("visible=true")


def _pressable(page: Page, words: str) -> Locator:
    """The button, link or heading of a folded part with these words, or that begins with them."""
    area = _area(page)

    def named(exact: bool) -> Locator:
        name = words if exact else re.compile(rf"^{re.escape(words)}")
        found = area.get_by_role("button", name=name, exact=exact)
        return (
            found.or_(area.get_by_role("link", name=name, exact=exact))
            .or_(area.locator("summary", has_text=words))
            .locator("visible=true")
        )

    expect(named(exact=False).first).to_be_visible()
    return named(exact=True).first if named(exact=True).count() else named(exact=False).first
