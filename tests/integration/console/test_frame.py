"""What every page has: the bar of what its reader may use, the language and the theme of their choice."""

import pytest

from api.auth.principal import Principal
from api.web.navigation import bar_of, places_of
from tests.support.console import PEOPLE, PHONE, Console, comes_true


@pytest.mark.parametrize(("person", "role"), {role: (name, role) for name, role in PEOPLE}.values())
def test_the_bar_leads_only_to_pages_that_open(console: Console, person: str, role: object) -> None:
    with console.page_of(person) as page:
        page.goto(f"{console.url}/bagian")
        links = page.locator(".places a")
        reader = Principal(f"user:{person}", roles=frozenset({role}))
        bar, _ = bar_of(places_of(reader), reader)
        assert [one.get_attribute("href") for one in links.all()] == [place.path for place in bar]
        for place in bar:
            answer = page.goto(f"{console.url}{place.path}")
            assert answer is not None
            assert answer.status == 200
            assert page.locator(".places a[aria-current=page]").count() == 1


def test_language_and_theme_are_kept(console: Console) -> None:
    with console.page_of("indra", size=PHONE) as page:
        page.goto(f"{console.url}/bagian")
        assert page.locator("html").get_attribute("lang") == "id"
        page.locator(".reader summary").click()
        page.locator("#theme").click()
        page.locator("#language").click()
        comes_true(page, "document.documentElement.lang === 'en'")
        assert page.locator("html").get_attribute("data-theme") == "light"
